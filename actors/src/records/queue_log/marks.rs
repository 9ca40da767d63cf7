//! What was made of an entry of the queue call log: its processing state with the record of who
//! set it, what went with it, and whether it is gone.

use serde::{Deserialize, Serialize};
use tandem_kernel::{Position, Timestamp};

/// Entries that one change takes along at most.
pub(super) const MOST_SYNCED: usize = 1_000;
/// Changes of one entry that are kept.
const HISTORY: usize = 50;

/// How far somebody has taken care of a missed call, in this order.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Processing {
    /// Nobody has.
    #[default]
    Unprocessed,
    /// Somebody does: a claim.
    Processing,
    /// It is done.
    Processed,
}

impl Processing {
    /// All states, in order.
    pub const ALL: [Self; 3] = [Self::Unprocessed, Self::Processing, Self::Processed];

    /// The stable code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unprocessed => "unprocessed",
            Self::Processing => "processing",
            Self::Processed => "processed",
        }
    }
}

/// Who changed a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// `user:alice`, `token:ci`.
    pub name: String,
    /// The own extension.
    pub extension: Option<String>,
}

/// A fact about the log of a queue. Append-only; see `event.rs` of the crate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogEvent {
    /// A state was set.
    Marked {
        /// When.
        at: Timestamp,
        /// By whom.
        by: Operator,
        /// Of which entry.
        entry: Position,
        /// The state before.
        from: Processing,
        /// The state now.
        to: Processing,
        /// The entries that were synchronised with it, with their states before.
        synced: Vec<(Position, Processing)>,
    },
    /// An entry was removed for everybody.
    Removed {
        /// When.
        at: Timestamp,
        /// By whom.
        by: Operator,
        /// Which entry.
        entry: Position,
    },
    /// An agent does not want to see an entry any more.
    Hidden {
        /// When.
        at: Timestamp,
        /// By whom.
        by: Operator,
        /// Which entry.
        entry: Position,
        /// From the view of which extension.
        extension: String,
    },
}

impl LogEvent {
    /// The name in the event stream (section 30.4).
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Marked { .. } => "record.state_changed",
            Self::Removed { .. } => "record.removed",
            Self::Hidden { .. } => "record.hidden",
        }
    }

    /// What it changes in which entries.
    pub(super) fn changes(&self) -> Vec<(Position, Mark)> {
        match self {
            Self::Marked { at, by, entry, from, to, synced } => {
                let operation = |from: Processing, is_auto| {
                    Mark::Operation(Operation {
                        revision: 0,
                        at: *at,
                        by: by.clone(),
                        from,
                        to: *to,
                        is_auto,
                    })
                };
                let synced = synced.iter().map(|(other, from)| (*other, operation(*from, true)));
                std::iter::once((*entry, operation(*from, false))).chain(synced).collect()
            }
            Self::Removed { entry, .. } => vec![(*entry, Mark::Removed)],
            Self::Hidden { entry, extension, .. } => {
                vec![(*entry, Mark::HiddenFrom(extension.clone()))]
            }
        }
    }
}

/// A change of one entry.
pub(super) enum Mark {
    Operation(Operation),
    Removed,
    HiddenFrom(String),
}

/// A change of a state, as it is shown to those who may see the entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The fact of the queue's log by which it happened; from 1.
    pub revision: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Operator,
    /// The state before.
    pub from: Processing,
    /// The state after.
    pub to: Processing,
    /// Whether it went with another entry's change.
    pub is_auto: bool,
}

/// What was made of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// Its changes, the newest last.
    pub operations: Vec<Operation>,
    /// Gone for everybody.
    pub is_removed: bool,
    /// The extensions that do not want to see it.
    pub hidden_from: Vec<String>,
}

impl Marks {
    /// The state of a missed call.
    #[must_use]
    pub fn state(&self) -> Processing {
        self.operations.last().map_or(Processing::Unprocessed, |newest| newest.to)
    }

    /// Takes a change in; one that was taken in already changes nothing.
    #[must_use]
    pub(super) fn taken(mut self, revision: u64, mark: Mark) -> Self {
        match mark {
            Mark::Removed => self.is_removed = true,
            Mark::HiddenFrom(extension) => {
                if !self.hidden_from.contains(&extension) {
                    self.hidden_from.push(extension);
                }
            }
            Mark::Operation(operation) => {
                let list = &mut self.operations;
                let place = list.partition_point(|known| known.revision < revision);
                if list.get(place).is_none_or(|known| known.revision != revision) {
                    list.insert(place, Operation { revision, ..operation });
                }
                let spare = list.len().saturating_sub(HISTORY);
                list.drain(..spare);
            }
        }
        self
    }
}

/// What is asked of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The state that it is to have.
    pub to: Processing,
    /// The state that the asker saw: who comes second with a claim is told so.
    pub seen: Option<Processing>,
}

/// Another missed entry of the same number and queue, inside the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub entry: Position,
    /// Its state.
    pub state: Processing,
}

/// Why a state was not set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Somebody else was first.
    #[error("the call is {} by now", .now.as_str())]
    Overtaken {
        /// The state that it has.
        now: Processing,
    },
}

/// The fact that a wish makes; none where the entry has the state already.
///
/// # Errors
/// When the asker has seen another state than it has.
pub fn decide(
    (at, by): (Timestamp, Operator),
    (entry, now): (Position, Processing),
    asked: &Asked,
    others: &[Candidate],
) -> Result<Option<LogEvent>, Refused> {
    if asked.seen.is_some_and(|seen| seen != now) {
        return Err(Refused::Overtaken { now });
    }
    let to = asked.to;
    if to == now {
        return Ok(None);
    }
    // only forward, and nothing that is further on is set back.
    let is_behind = |other: &&Candidate| to > now && other.state < to;
    let synced = others.iter().filter(is_behind).map(|other| (other.entry, other.state));
    let synced = synced.take(MOST_SYNCED).collect();
    Ok(Some(LogEvent::Marked { at, by, entry, from: now, to, synced }))
}
