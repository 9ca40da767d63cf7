//! Live calls.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a call came from and went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Between extensions.
    Internal,
    /// From a trunk.
    Inbound,
    /// To a trunk.
    Outbound,
}

/// The state of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LegState {
    /// Being dialled, no answer of any kind yet.
    Dialling,
    /// Ringing.
    Ringing,
    /// Answered.
    Up,
    /// Answered and on hold.
    Held,
    /// Gone.
    Ended,
}

/// One party of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Leg {
    /// Its number within the call, from 0.
    pub index: u16,
    /// `extension:1001`, `trunk:carrier` and the like.
    pub party: String,
    /// The number that the party is known by.
    pub number: String,
    /// Its state.
    pub state: LegState,
    /// Since when.
    pub since: String,
    /// A manager's, who attends the talk so and is no party of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supervises: Option<Supervision>,
}

/// How a manager attends the talk of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Supervision {
    /// Hears all and is heard by none.
    Listen,
    /// Is heard by the agent alone.
    Whisper,
    /// Is heard by all.
    Barge,
}

/// A live call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Call {
    /// Its id, a UUIDv7.
    pub id: String,
    /// The number of the cluster's member that has the call; 1 for a node that is alone.
    pub member: u64,
    /// Where it came from and goes.
    pub direction: Direction,
    /// Who calls.
    pub from: String,
    /// What was dialled.
    pub to: String,
    /// When it began.
    pub started_at: String,
    /// When a person answered.
    pub answered_at: Option<String>,
    /// The queue in which it waits, or by which it was answered.
    pub queue: Option<String>,
    /// Its parties in the order in which they came.
    pub legs: Vec<Leg>,
}

/// A wish to ring an extension and, when it answers, to dial for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Originate {
    /// The extension that rings first.
    pub from: String,
    /// The number that it dials once it has answered.
    pub to: String,
    /// The id of an outbound code to go out by.
    #[serde(default)]
    pub code_id: Option<String>,
    /// `to` is what was typed: the code's digits in front of it are taken off once.
    #[serde(default)]
    pub is_typed: bool,
    /// The caller ID to show, one of those that may be chosen, or `anonymous`.
    #[serde(default)]
    pub caller_id: Option<String>,
    /// What the caller of the API knows the call by; told in its events and its record. At most
    /// 128 characters.
    #[serde(default)]
    pub correlation_id: Option<String>,
    /// Whether the phone is asked to answer by itself.
    #[serde(default)]
    pub auto_answer: bool,
}

/// A call that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Originated {
    /// Its id.
    pub id: String,
}

/// Where a blind transfer goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// The number, as one would dial it.
    pub to: String,
}

/// Where a caller who waits in a queue is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// The number of an extension, a ring group, a queue, a menu, a call flow or a group's mailbox.
    pub to: String,
    /// To the mailbox of the extension.
    #[serde(default)]
    pub to_voicemail: bool,
}

/// Another call of the same extension, whose other party comes to this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    /// Its id.
    pub with: String,
}

/// How a manager wants to attend a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Monitor {
    /// How.
    pub mode: Supervision,
    /// Whose phones ring; the caller's own extension if left out.
    #[serde(default)]
    pub extension: Option<String>,
    /// Whose talk it is; the agent's of the queue if left out, else the house's.
    #[serde(default)]
    pub agent: Option<String>,
}

/// Who picks up a call that rings for a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PickUp {
    /// Whose phones ring; the caller's own extension if left out.
    #[serde(default)]
    pub extension: Option<String>,
}

/// Who is to be parked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Park {
    /// The number of the party; the other one of the agent's or the house's if left out.
    #[serde(default)]
    pub party: Option<String>,
}

/// Where somebody was parked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParkedAt {
    /// The number to dial for the party.
    pub slot: String,
}

/// A name with a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Figure {
    /// `codec`, `packets`, `lost`, `jitter_ms` and the like.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// One line of a call's trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TraceItem {
    /// A SIP message.
    Sip {
        /// When.
        at: String,
        /// Whether it came in; else it went out.
        received: bool,
        /// The far end.
        peer: String,
        /// Its first line.
        summary: String,
        /// The whole message, credentials masked.
        text: String,
    },
    /// Something that was decided, for instance why an agent did not ring.
    Decision {
        /// When.
        at: String,
        /// Stable code.
        code: String,
        /// In words.
        detail: String,
    },
    /// Media statistics of a leg.
    Media {
        /// When.
        at: String,
        /// The leg.
        leg: u16,
        /// The figures.
        figures: Vec<Figure>,
    },
}

/// The SIP ladder, the decisions and the media statistics of one call, in order of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Trace {
    /// The call.
    pub id: String,
    /// The lines.
    pub items: Vec<TraceItem>,
}
