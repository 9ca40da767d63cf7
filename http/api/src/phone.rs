//! The phone in a browser: what goes over `/api/v1/phone`.
//!
//! Every command has a number of the client's and gets exactly one reply with it. The state is
//! sent whole whenever it changes, the newest only, so that a page need not add anything up.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;

/// What a page may say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum PhoneRequest {
    /// Asks for something.
    Command {
        /// The client's number; the reply has it too.
        id: u64,
        /// What is wanted.
        command: PhoneCommand,
    },
}

/// What a page may want of its phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum PhoneCommand {
    /// Offers the browser's audio (SDP). The page is the extension's phone from then on; a page
    /// that was before is closed with 4009. Calls go on.
    Connect {
        /// The browser's offer.
        offer: String,
    },
    /// Dials.
    Dial {
        /// As one would dial it.
        to: String,
    },
    /// Takes a ringing call.
    Answer {
        /// The call's line.
        line: u64,
    },
    /// Refuses a ringing call.
    Decline {
        /// The call's line.
        line: u64,
    },
    /// Ends a call.
    HangUp {
        /// The call's line.
        line: u64,
    },
    /// Puts the other party on hold.
    Hold {
        /// The call's line.
        line: u64,
    },
    /// Takes the other party back.
    Resume {
        /// The call's line.
        line: u64,
    },
    /// Sends the other party to a number and leaves.
    Transfer {
        /// The call's line.
        line: u64,
        /// As one would dial it.
        to: String,
    },
    /// Joins the other parties of two calls and leaves both (attended transfer).
    Join {
        /// The call's line.
        line: u64,
        /// The other call's line.
        with: u64,
    },
    /// Talks with the other parties of two calls at once (three-way). The call that came first
    /// goes on; when its user leaves, the others stay together.
    Merge {
        /// The call's line.
        line: u64,
        /// The other call's line.
        with: u64,
    },
}

/// What the server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PhoneMessage {
    /// The first message.
    Hello {
        /// The extension whose phone this is.
        extension: String,
        /// The servers that the browser may reach the node by; empty: itself alone.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ice_servers: Vec<IceServer>,
    },
    /// The one reply to a command.
    Reply {
        /// The command's number.
        id: u64,
        /// The answer to an offer (SDP), after `connect`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<String>,
        /// The call that was begun, after `dial`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<String>,
        /// Why it was refused; none: it was done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<Problem>,
    },
    /// The phone as it is now.
    Phone(PhoneState),
    /// A message that was no command; the connection stays.
    Problem {
        /// What was wrong with it.
        problem: Problem,
    },
}

/// STUN and TURN servers, in the form of WebRTC's `RTCIceServer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IceServer {
    /// `turn:`, `turns:` and `stun:` URLs.
    pub urls: Vec<String>,
    /// When the credential ends, in seconds since 1970, and the extension.
    pub username: String,
    /// The password for that.
    pub credential: String,
}

/// Where the browser's audio stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhoneLink {
    /// Handshakes are under way.
    Connecting,
    /// Audio flows.
    Up,
    /// Nothing comes at the moment; it may come back.
    Down,
    /// It will not come back: the page connects again.
    Failed,
}

/// What a call on the phone is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhoneCallState {
    /// Rings here.
    Ringing,
    /// Talked with.
    Up,
    /// Put on hold here.
    Held,
}

/// A call on the phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhoneCall {
    /// Its number on this phone.
    pub line: u64,
    /// The call's id.
    pub call: String,
    /// What it is doing.
    pub state: PhoneCallState,
    /// Whether the user dialled it.
    pub outgoing: bool,
    /// The other party's number.
    pub number: String,
    /// The other party's name; may be empty.
    pub caller_name: String,
    /// Since when it does that.
    pub since: String,
}

/// The phone as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhoneState {
    /// The node's clock, for timers.
    pub now: String,
    /// Where the audio stands.
    pub link: PhoneLink,
    /// Its calls, in the order in which they came.
    pub calls: Vec<PhoneCall>,
    /// The SIP status that ended the last transfer without success.
    pub transfer_failed: Option<u16>,
}
