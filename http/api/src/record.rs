//! Records of calls that are over.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::call::Direction;
use crate::note::NoteWriting;

/// How a call left a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QueuePassage {
    /// The queue's number.
    pub queue: String,
    /// The exit's reason code.
    pub exit: String,
    /// How long the caller waited.
    pub wait_secs: f64,
    /// Who answered.
    pub agent: Option<String>,
}

/// A step of a call through a menu, a call flow, a mailbox, a ring group or a prompt, or from one
/// party to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CallStep {
    /// When.
    pub at: String,
    /// `ivr`, `call_flow`, `voicemail`, `ring` or `prompt`; `forward`, `transfer`, `merge`,
    /// `leave`, `park` or `monitor`.
    pub kind: String,
    /// Its number or name; of a party, the number.
    pub key: String,
    /// What happened there, in words.
    pub detail: String,
}

/// An outbound code as it was when the call began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsedCode {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its digits.
    pub code: String,
}

/// A customer who called back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Callback {
    /// The agent.
    pub agent: String,
    /// Whether nobody else may have taken it.
    pub agent_only: bool,
    /// The call that was returned.
    pub outbound_call: String,
    /// When that one began.
    pub outbound_at: String,
    /// `answered`, `agent_unavailable`, `not_answered` or `abandoned`.
    pub result: String,
    /// Whether the call went on to where the number leads.
    pub fell_back: bool,
}

/// How a call went to the outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Outgoing {
    /// As it was dialled.
    pub dialled: String,
    /// The number without a code; E.164 when it can be normalised.
    pub number: String,
    /// The outbound code.
    pub outbound_code: Option<UsedCode>,
    /// Whether the code's own route was used.
    pub outbound_code_applied: bool,
    /// The code's channel category.
    pub category: Option<String>,
    /// The route; empty for emergency calls.
    pub route: String,
    /// The caller ID; empty: the trunk's.
    pub caller_id: String,
    /// An emergency number.
    pub is_emergency: bool,
    /// What it cost by the route's price, in thousandths of the currency unit.
    pub cost: u64,
}

/// A caller's answer to a queue's survey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rating {
    /// The queue.
    pub queue: String,
    /// The agent who answered the queue call.
    pub agent: String,
    /// The key that was pressed.
    pub key: String,
    /// Its score.
    pub score: i8,
}

/// The record of a call that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CallRecord {
    /// The call.
    pub id: String,
    /// Where the record stands in the journal.
    pub position: String,
    /// Where the call came from and went.
    pub direction: Direction,
    /// The caller's number.
    pub from: String,
    /// What was dialled.
    pub to: String,
    /// The trunk that it used.
    pub trunk: Option<String>,
    /// When it began.
    pub started_at: String,
    /// When a person answered.
    pub answered_at: Option<String>,
    /// When it ended.
    pub ended_at: String,
    /// `answered`, `no_answer`, `busy`, `failed`, `cancelled` and the like.
    pub outcome: String,
    /// The SIP status or Q.850 cause in words.
    pub cause: String,
    /// Who answered last.
    pub answered_by: Option<String>,
    /// The queue that it went through last.
    pub queue: Option<QueuePassage>,
    /// The menus, call flows, mailboxes, ring groups and prompts that it went through.
    pub steps: Vec<CallStep>,
    /// Talk time, hold included.
    pub talk_secs: f64,
    /// Hold time.
    pub hold_secs: f64,
    /// How it went to the outside, if it did.
    #[serde(default)]
    pub outgoing: Option<Outgoing>,
    /// The program that asked for it.
    #[serde(default)]
    pub requested_by: Option<String>,
    /// What that program knows it by.
    #[serde(default)]
    pub correlation_id: Option<String>,
    /// Whose callback it was, and what became of that.
    #[serde(default)]
    pub callback: Option<Callback>,
    /// What the caller thought of it, if they were asked and answered.
    #[serde(default)]
    pub rating: Option<Rating>,
    /// What was written on it last.
    #[serde(default)]
    pub note: Option<NoteWriting>,
}
