//! The event stream: what goes over `/api/v1/events` and `/api/v1/events/stream`.
//!
//! Over the WebSocket every message is an object with a `type`. The server says `hello` first. A
//! client that knows a position subscribes after it and misses nothing; pictures are sent whole,
//! the newest only; each command has a number of the client's and gets exactly one reply.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::call::Call;
use crate::floor::{Agent, QueueStatus};
use crate::problem::Problem;

/// What a client may say on the WebSocket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// Asks for events; a second one takes the place of the first.
    Subscribe {
        /// The position of the last event that the client has seen; none: from the newest.
        #[serde(default)]
        from: Option<String>,
        /// The kinds that are wanted (`call`, `queue`, `agent`, …); empty: all.
        #[serde(default)]
        kinds: Vec<String>,
    },
    /// Asks for pictures of the floor. Each comes at once and again whenever it has changed. A
    /// second one takes the place of the first.
    Watch {
        /// `agents`, `calls` or `queue:` and a number.
        topics: Vec<String>,
    },
    /// Asks for something to be done: any operation of the API that answers JSON or nothing, with
    /// the same rights.
    Command {
        /// The client's number; the reply has it too.
        id: u64,
        /// The operation's id in the API's document.
        operation: String,
        /// The parameters of its path.
        #[serde(default)]
        path: BTreeMap<String, String>,
        /// The parameters of its query.
        #[serde(default)]
        query: BTreeMap<String, String>,
        /// Its body.
        #[serde(default)]
        body: Option<serde_json::Value>,
        /// The ETag that a change needs, as in If-Match.
        #[serde(default)]
        if_match: Option<String>,
    },
}

/// What can be watched, as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Picture {
    /// A queue, its callers and its agents.
    Queue(QueueStatus),
    /// All agents in the order of their extensions.
    Agents(Vec<Agent>),
    /// All live calls in the order in which they began.
    Calls(Vec<Call>),
}

/// A fact, as it was written to the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Its position; a client resumes after it.
    pub position: String,
    /// When it was written.
    pub at: String,
    /// `call`, `queue`, `agent` or a kind of resource.
    pub kind: String,
    /// The key of what it is about.
    pub key: String,
    /// `call.answered`, `agent.paused` and the like.
    pub name: String,
    /// The event's own fields.
    pub data: serde_json::Value,
}

/// What the server says on the WebSocket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The first message.
    Hello {
        /// The newest position. Subscribing from here misses nothing after this message.
        position: String,
    },
    /// A subscription holds from now on.
    Subscribed {
        /// Events after this position follow.
        from: String,
    },
    /// An event.
    Event(Event),
    /// What is watched, as it is now.
    Snapshot {
        /// The topic.
        topic: String,
        /// It holds everything up to this position, and perhaps more.
        position: String,
        /// The picture; none: there is no such thing (any more).
        state: Option<Picture>,
    },
    /// The one reply to a command.
    Reply {
        /// The command's number.
        id: u64,
        /// The HTTP status of the operation.
        status: u16,
        /// The revision of what was read or written, as in ETag.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        etag: Option<String>,
        /// What the operation answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<serde_json::Value>,
        /// Why it was refused; none: it was done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<Problem>,
    },
    /// The client's message was not understood; the connection stays.
    Problem {
        /// What was wrong with it.
        problem: Problem,
    },
}

/// A ticket for one WebSocket or event stream, for pages, which can not send a token with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ticket {
    /// To be written as `?ticket=`; it opens one connection.
    pub ticket: String,
    /// It has to be used before.
    pub expires_at: String,
}

/// Close codes of the WebSocket.
pub mod close {
    /// The token is not valid, or not any more.
    pub const UNAUTHENTICATED: u16 = 4001;
    /// The role does not allow it.
    pub const FORBIDDEN: u16 = 4003;
    /// The client reads too slowly; it resumes from its last position.
    pub const TOO_SLOW: u16 = 4008;
    /// Another page has taken the phone over.
    pub const REPLACED: u16 = 4009;
    /// The node goes down; the client connects again.
    pub const DRAINING: u16 = 4012;
}
