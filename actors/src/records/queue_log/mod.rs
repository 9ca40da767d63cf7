//! The queue call log: one entry for each caller that has left a queue, and for
//! those whom nobody answered how far somebody has taken care of them.
//!
//! | Concern                                   | Owner          |
//! |-------------------------------------------|----------------|
//! | From events of queues to entries          | [`fold`] (pure)|
//! | States, who set them, what goes with them | [`marks`] (pure)|
//! | Keeping them and finding them again       | this module    |
//!
//! The tables can be thrown away: they are filled again from the journal.

pub mod fold;
pub mod marks;
#[cfg(test)]
mod tests;

pub use fold::Entry;
pub use marks::{Asked, LogEvent, Marks, Operation, Operator, Processing, Refused};

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use parking_lot::Mutex;
use tandem_journal::Record;
use tandem_kernel::{CallId, Position, Timestamp};
use tandem_store::{Batch, Store, StoreError, Table};

use self::fold::{Change, Fold};
use self::marks::Candidate;
use super::{MAX_SCANNED, key_of};
use crate::call::event::CallEvent;
use crate::entity;
use crate::queue::{Class, QueueEvent};

const ENTRIES: Table = Table::new(5, "queue-log");
const MARKS: Table = Table::new(6, "queue-log-marks");

/// Which entries are asked for; all given conditions must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogFilter {
    /// Of this queue.
    pub queue: Option<String>,
    /// Whether the caller was answered.
    pub is_answered: Option<bool>,
    /// In this state; answered ones have none.
    pub state: Option<Processing>,
    /// A part of the caller's name or number, in any case.
    pub search: Option<String>,
    /// Joined at or after.
    pub since: Option<Timestamp>,
    /// Joined before.
    pub until: Option<Timestamp>,
}

impl LogFilter {
    fn takes(&self, entry: &Entry) -> bool {
        let Self { queue, is_answered, state, search, since, until } = self;
        let is_part = |text: &String| {
            let text = text.to_lowercase();
            entry.caller.to_lowercase().contains(&text)
                || entry.caller_name.to_lowercase().contains(&text)
        };
        queue.as_ref().is_none_or(|queue| entry.queue == *queue)
            && is_answered.is_none_or(|wanted| (entry.class() == Class::Answered) == wanted)
            && (state.is_none() || entry.class() != Class::Answered)
            && search.as_ref().is_none_or(is_part)
            && since.is_none_or(|since| entry.joined_at >= since)
            && until.is_none_or(|until| entry.joined_at < until)
    }
}

/// An entry with what was made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    /// The entry.
    pub entry: Entry,
    /// What was made of it.
    pub marks: Marks,
}

impl Logged {
    /// How far somebody has taken care of it; answered calls have no state.
    #[must_use]
    pub fn state(&self) -> Option<Processing> {
        (self.entry.class() != Class::Answered).then(|| self.marks.state())
    }
}

/// The queue call log of a node.
pub(super) struct QueueLog {
    store: Store,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    fold: Fold,
    /// How many facts the log of each queue has.
    versions: BTreeMap<String, u64>,
    oldest: Timestamp,
}

impl QueueLog {
    pub(super) fn new(store: Store) -> Self {
        Self { store, inner: Mutex::default() }
    }

    /// Takes an event of a queue in.
    pub(super) fn apply_queue(&self, record: &Record) {
        let Ok(event) = entity::decode::<QueueEvent>(&record.event) else {
            tracing::error!(position = %record.position, "unreadable queue event");
            return;
        };
        let queue = entity::queue_number(&record.entity.key);
        let mut inner = self.inner.lock();
        let change = inner.fold.apply_queue(record.position, queue, &event);
        self.change(&inner, change);
    }

    /// Takes an event of a call in: who a caller is whom a queue has refused.
    pub(super) fn apply_call(&self, call: CallId, event: &CallEvent) {
        let mut inner = self.inner.lock();
        let change = inner.fold.apply_call(call, event);
        self.change(&inner, change);
    }

    fn change(&self, inner: &Inner, change: Option<Change>) {
        let entry = match change {
            None => return,
            Some(Change::Closed(entry)) if entry.left_at < inner.oldest => return,
            Some(Change::Closed(entry)) => entry,
            Some(Change::Talked { entry, talk }) => {
                let Some(kept) = self.entry(entry) else { return };
                Entry { talk: Some(talk), ..kept }
            }
            Some(Change::Named { entry, caller, caller_name }) => {
                let Some(kept) = self.entry(entry) else { return };
                Entry { caller, caller_name, ..kept }
            }
        };
        let mut batch = Batch::default();
        batch.put(ENTRIES, &key_of(entry.position), &entity::encode(&entry));
        if let Err(error) = self.store.apply(batch) {
            tracing::error!(position = %entry.position, %error, "not in the queue call log");
        }
    }

    /// Takes a fact about the log in, from the journal.
    pub(super) fn apply_fact(&self, record: &Record) {
        match entity::decode::<LogEvent>(&record.event) {
            Ok(event) => self.take(&record.entity.key, record.version, &event),
            Err(_) => tracing::error!(position = %record.position, "unreadable in the queue log"),
        }
    }

    /// Takes a fact in, from the journal or from who has just written it.
    pub(super) fn take(&self, queue: &str, revision: u64, event: &LogEvent) {
        // One after the other: each sees what the one before has kept.
        let mut inner = self.inner.lock();
        let version = inner.versions.entry(queue.to_owned()).or_default();
        *version = revision.max(*version);
        let mut batch = Batch::default();
        for (entry, change) in event.changes() {
            let marks = self.marks(entry).taken(revision, change);
            batch.put(MARKS, &key_of(entry), &entity::encode(&marks));
        }
        if let Err(error) = self.store.apply(batch) {
            tracing::error!(%queue, %error, "a mark in the queue call log was not kept");
        }
    }

    /// How many facts the log of a queue has.
    pub(super) fn version(&self, queue: &str) -> u64 {
        self.inner.lock().versions.get(queue).copied().unwrap_or_default()
    }

    fn entry(&self, position: Position) -> Option<Entry> {
        entity::decode(&self.store.get(ENTRIES, &key_of(position)).ok()??).ok()
    }

    fn marks(&self, position: Position) -> Marks {
        let found = self.store.get(MARKS, &key_of(position)).ok().flatten();
        found.and_then(|bytes| entity::decode(&bytes).ok()).unwrap_or_default()
    }

    /// An entry that was not removed.
    pub(super) fn of(&self, position: Position) -> Option<Logged> {
        let logged = Logged { entry: self.entry(position)?, marks: self.marks(position) };
        (!logged.marks.is_removed).then_some(logged)
    }

    /// Entries that fit and that `view` lets see, newest first, before a place.
    pub(super) fn page(
        &self,
        filter: &LogFilter,
        view: &(dyn Fn(&Logged) -> bool + Send + Sync),
        before: Option<Position>,
        limit: usize,
    ) -> Vec<Logged> {
        let from = before.map_or([0; 10], |before| {
            key_of(Position { index: before.index.saturating_sub(1), ..before })
        });
        let mut page = Vec::new();
        self.scan(&from, |entry| {
            if filter.takes(&entry) {
                let logged = Logged { marks: self.marks(entry.position), entry };
                let is_in_state = filter.state.is_none_or(|it| logged.marks.state() == it);
                if is_in_state && !logged.marks.is_removed && view(&logged) {
                    page.push(logged);
                }
            }
            page.len() < limit
        });
        page
    }

    /// The missed entries of the same number and queue whose callers came in from a moment on.
    pub(super) fn of_the_same_caller(&self, entry: &Entry, since: Timestamp) -> Vec<Candidate> {
        let mut found = Vec::new();
        self.scan(&[0; 10], |other| {
            let is_same = other.queue == entry.queue && other.caller == entry.caller;
            let is_other = is_same && other.position != entry.position;
            if is_other && other.joined_at >= since && other.class() != Class::Answered {
                let marks = self.marks(other.position);
                if !marks.is_removed {
                    found.push(Candidate { entry: other.position, state: marks.state() });
                }
            }
            // Entries stand in the order in which their callers left.
            other.left_at >= since && found.len() < marks::MOST_SYNCED
        });
        found
    }

    fn scan(&self, from: &[u8], mut more: impl FnMut(Entry) -> bool) {
        let mut scanned = 0;
        let outcome = self.store.scan(ENTRIES, from, |_, bytes| {
            scanned += 1;
            let goes_on = entity::decode::<Entry>(bytes).is_ok_and(&mut more);
            if goes_on && scanned < MAX_SCANNED {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        if let Err(error) = outcome {
            tracing::error!(%error, "the queue call log is damaged");
        }
    }

    /// Drops the entries of callers who left before a moment, and takes none in from now on.
    pub(super) fn forget_before(&self, oldest: Timestamp) -> Result<(), StoreError> {
        self.inner.lock().oldest = oldest;
        // The oldest stand last.
        while let Some((key, bytes)) = self.store.last(ENTRIES)? {
            if entity::decode::<Entry>(&bytes).is_ok_and(|entry| entry.left_at >= oldest) {
                break;
            }
            let mut batch = Batch::default();
            batch.remove(ENTRIES, &key);
            batch.remove(MARKS, &key);
            self.store.apply(batch)?;
        }
        Ok(())
    }
}
