//! The queue call log: who came to a queue, and who takes care of the missed ones.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::note::NoteWriting;

/// How far somebody has taken care of a missed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProcessingState {
    /// Nobody has.
    Unprocessed,
    /// Somebody does.
    Processing,
    /// It is done.
    Processed,
}

/// What an entry counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueueOutcome {
    /// Answered.
    Answered,
    /// Left unanswered, not by the caller's hang-up.
    Missed,
    /// The caller hung up while waiting.
    Abandoned,
}

/// A change of a processing state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProcessingChange {
    /// When.
    pub at: String,
    /// Who: `user:alice`, `token:ci`.
    pub by: String,
    /// The extension of who did it.
    pub extension: Option<String>,
    /// The state before.
    pub from: ProcessingState,
    /// The state after.
    pub to: ProcessingState,
    /// Whether it went with the change of another missed call of the same number.
    pub auto_sync: bool,
}

/// A caller who has left a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QueueLogEntry {
    /// The entry's name.
    pub id: String,
    /// The call that waited.
    pub call: String,
    /// The queue's number.
    pub queue: String,
    /// The queue's name; empty when it was deleted.
    pub queue_name: String,
    /// The caller's number.
    pub caller: String,
    /// The caller's name; may be empty.
    pub caller_name: String,
    /// What it counts for.
    pub outcome: QueueOutcome,
    /// How the caller left.
    pub exit: String,
    /// Why a callback came to nothing.
    pub callback_failure: Option<String>,
    /// The call by which the customer was called back.
    pub callback: Option<String>,
    /// When they came.
    pub joined_at: String,
    /// When they left.
    pub left_at: String,
    /// How long they waited.
    pub wait_secs: f64,
    /// Who answered.
    pub agent: Option<String>,
    /// How long they talked; null: not at all, or they still do.
    pub talk_secs: Option<f64>,
    /// How far somebody has taken care of it; answered calls have none.
    pub state: Option<ProcessingState>,
    /// Who has changed that, the newest first; the last fifty.
    pub changes: Vec<ProcessingChange>,
    /// What was written on the call last.
    pub note: Option<NoteWriting>,
}

/// A wish for a processing state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessingWish {
    /// The state that it is to have.
    pub state: ProcessingState,
    /// The state that it is thought to have: when it has another one, nothing is changed and
    /// the answer is `already-processed`.
    #[serde(default)]
    pub from: Option<ProcessingState>,
}
