//! What became of the requests for a callback, out of a queue's facts.

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_kernel::{CallId, Timestamp};

use crate::queue::QueueEvent;
use crate::queue::request::CallbackFailure;

/// A request that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackRow {
    /// When the caller came into the queue.
    pub joined_at: Timestamp,
    /// The number that called.
    pub caller: String,
    /// When the customer answered, or when it failed.
    pub at: Timestamp,
    /// The number to call; empty if there was none.
    pub number: String,
    /// Why it failed; none: it did not.
    pub failure: Option<CallbackFailure>,
}

impl CallbackRow {
    /// From the caller's call until then, also for those that failed.
    #[must_use]
    pub fn wait(&self) -> Duration {
        self.at.since(self.joined_at)
    }
}

/// The requests of a queue that are over, the oldest first, and how many are open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallbackRows {
    /// Those that are over.
    pub rows: Vec<CallbackRow>,
    joined: BTreeMap<CallId, (Timestamp, String)>,
    open: BTreeMap<CallId, String>,
}

impl CallbackRows {
    /// The rows that a queue's facts tell of.
    #[must_use]
    pub fn of<'a>(facts: impl IntoIterator<Item = &'a QueueEvent>) -> Self {
        let mut rows = Self::default();
        for fact in facts {
            rows.take(fact);
        }
        rows
    }

    /// Takes a fact in.
    pub fn take(&mut self, fact: &QueueEvent) {
        match fact {
            QueueEvent::Joined { at, call, caller, .. } => {
                self.joined.insert(*call, (*at, caller.clone()));
            }
            QueueEvent::CallbackRegistered { call, number, .. } => {
                self.open.insert(*call, number.clone());
            }
            QueueEvent::CallbackMerged { call, by, .. } => {
                // The later call stands in the place of the earlier, with its entry.
                if let Some(joined) = self.joined.remove(call) {
                    self.joined.insert(*by, joined);
                }
                if let Some(number) = self.open.remove(call) {
                    self.open.insert(*by, number);
                }
            }
            QueueEvent::CallbackSucceeded { at, call, .. } => self.close(*call, *at, None),
            QueueEvent::CallbackFailed { at, call, reason, .. } => {
                self.close(*call, *at, Some(*reason));
            }
            QueueEvent::Answered { call, .. } | QueueEvent::Exited { call, .. } => {
                self.joined.remove(call);
                self.open.remove(call);
            }
            _ => {}
        }
    }

    fn close(&mut self, call: CallId, at: Timestamp, failure: Option<CallbackFailure>) {
        let number = self.open.remove(&call).unwrap_or_default();
        let Some((joined_at, caller)) = self.joined.remove(&call) else { return };
        self.rows.push(CallbackRow { joined_at, caller, at, number, failure });
    }

    /// Requests that are not over.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// How many rows there are, and their waits all together.
    #[must_use]
    pub fn total(&self) -> (usize, Duration) {
        (self.rows.len(), self.rows.iter().map(CallbackRow::wait).sum())
    }
}
