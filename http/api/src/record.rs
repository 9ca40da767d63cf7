//! Records of calls that are over.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::call::Direction;

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

/// A step of a call through a menu, a call flow, a mailbox, a ring group or a prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CallStep {
    /// When.
    pub at: String,
    /// `ivr`, `call_flow`, `voicemail`, `ring` or `prompt`.
    pub kind: String,
    /// Its number or name.
    pub key: String,
    /// What happened there, in words.
    pub detail: String,
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
}
