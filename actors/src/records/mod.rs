//! Call records: a projection of the calls' events, kept in a table of its own.
//!
//! | Concern                                  | Owner              |
//! |------------------------------------------|--------------------|
//! | From events to records                   | [`fold`] (pure)    |
//! | What people wrote on a call              | `notes`            |
//! | Who came to a queue, and what became of it | [`queue_log`]    |
//! | What people are doing, and what that does to their agents | [`status`] |
//! | Keeping them and finding them again      | this module        |
//!
//! The table can be thrown away: it is filled again from the journal.

mod feed;
pub mod fold;
mod notes;
pub mod queue_log;
pub mod status;
#[cfg(test)]
mod tests;

pub use feed::item;
pub use notes::{LONGEST_TEXT, MOST_TAGS, Note, NoteEvent, Writings};

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tandem_journal::{Append, Journal, Record};
use tandem_kernel::{CallId, Clock, Position, Timestamp};
use tandem_store::{Batch, Store, StoreError, Table};

use crate::call::event::CallEvent;
use crate::entity;
use crate::office::{CallRecord, RecordFilter};
use fold::Fold;
use queue_log::marks::Candidate;
use queue_log::{Entry, LogEvent, LogFilter, Logged, QueueLog};
use status::{Presence, PresenceEvent};

/// How many records are looked at for one page before it is given as it is.
pub(crate) const MAX_SCANNED: usize = 100_000;

const RECORDS: Table = Table::new(1, "call-records");
/// Where the record of a call stands.
const PLACES: Table = Table::new(4, "call-record-places");
/// How far the letters to agents have come; one value.
const LETTERS: Table = Table::new(2, "letters");

/// The call records of a node.
#[derive(Clone)]
pub struct Records {
    inner: Arc<Inner>,
}

struct Inner {
    fold: Mutex<Fold>,
    log: QueueLog,
    store: Store,
    /// Microseconds: what ended before is not kept.
    oldest: AtomicU64,
}

impl Records {
    /// Records in a store of their own.
    #[must_use]
    pub fn new(store: Store) -> Self {
        let (log, oldest) = (QueueLog::new(store.clone()), AtomicU64::new(0));
        Self { inner: Arc::new(Inner { fold: Mutex::default(), log, store, oldest }) }
    }

    /// Takes a journal record in; others than calls' are passed over. Records are written again
    /// under the same key when the journal is read again. Gives the call that has ended by it.
    pub fn apply(&self, record: &Record) -> Option<CallId> {
        match record.entity.kind {
            entity::CALL => self.apply_call(record),
            entity::NOTE => {
                self.apply_note(record);
                None
            }
            entity::STATUS => {
                self.apply_presence(record);
                None
            }
            entity::QUEUE => {
                self.inner.log.apply_queue(record);
                None
            }
            entity::QUEUE_LOG => {
                self.inner.log.apply_fact(record);
                None
            }
            _ => None,
        }
    }

    fn apply_call(&self, record: &Record) -> Option<CallId> {
        let (Ok(call), Ok(event)) =
            (record.entity.key.parse::<CallId>(), entity::decode::<CallEvent>(&record.event))
        else {
            tracing::error!(position = %record.position, "unreadable call event");
            return None;
        };
        self.inner.log.apply_call(call, &event);
        let is_end = matches!(event, CallEvent::Ended { .. });
        let ended = self.inner.fold.lock().apply(record.position, call, &event);
        let is_old = |ended: &CallRecord| ended.ended_at < self.oldest();
        if let Some(ended) = ended.filter(|ended| !is_old(ended))
            && let Err(error) = self.keep(&ended)
        {
            tracing::error!(%call, %error, "a call record was not kept");
        }
        is_end.then_some(call)
    }

    fn apply_note(&self, record: &Record) {
        let call = record.entity.key.parse::<CallId>();
        match (call, entity::decode::<NoteEvent>(&record.event)) {
            (Ok(call), Ok(event)) => self.take_note(call, record.version, event),
            _ => tracing::error!(position = %record.position, "unreadable note"),
        }
    }

    /// Takes a note in, from the journal or from who has just written it.
    pub fn take_note(&self, call: CallId, revision: u64, event: NoteEvent) {
        // One after the other: each sees what the one before has kept.
        let _fold = self.inner.fold.lock();
        let kept = notes::read(&self.inner.store, call).and_then(|found| {
            notes::keep(&self.inner.store, call, &notes::write(found, revision, event))
        });
        if let Err(error) = kept {
            tracing::error!(%call, %error, "a note was not kept");
        }
    }

    fn apply_presence(&self, record: &Record) {
        match entity::decode::<PresenceEvent>(&record.event) {
            Ok(event) => self.take_presence(&record.entity.key, record.version, event),
            Err(_) => tracing::error!(position = %record.position, "unreadable presence"),
        }
    }

    /// Takes a fact about an extension's presence in, from the journal or from who has just
    /// written it.
    pub fn take_presence(&self, extension: &str, version: u64, event: PresenceEvent) {
        // One after the other: each sees what the one before has kept.
        let _fold = self.inner.fold.lock();
        let store = &self.inner.store;
        let kept = status::read(store, extension)
            .and_then(|found| status::keep(store, extension, &found.taken(version, event)));
        if let Err(error) = kept {
            tracing::error!(%extension, %error, "a presence was not kept");
        }
    }

    /// The presence of an extension.
    #[must_use]
    pub fn presence(&self, extension: &str) -> Presence {
        status::read(&self.inner.store, extension).unwrap_or_default()
    }

    /// All writings of a call's note that are kept, the newest last.
    #[must_use]
    pub fn note(&self, call: CallId) -> Writings {
        notes::read(&self.inner.store, call).unwrap_or_default()
    }

    /// Whether an extension has, or had, a part in a call that has not ended.
    #[must_use]
    pub fn had_part(&self, call: CallId, extension: &str) -> bool {
        self.inner.fold.lock().had_part(call, extension)
    }

    /// The record of a call.
    #[must_use]
    pub fn of(&self, call: CallId) -> Option<CallRecord> {
        let store = &self.inner.store;
        let place = store.get(PLACES, &call.as_u128().to_be_bytes()).ok()??;
        entity::decode(&store.get(RECORDS, &place).ok()??).ok()
    }

    /// Entries of the queue call log that fit and that `view` lets see, newest first, before a
    /// place.
    #[must_use]
    pub fn queue_log(
        &self,
        filter: &LogFilter,
        view: &(dyn Fn(&Logged) -> bool + Send + Sync),
        before: Option<Position>,
        limit: usize,
    ) -> Vec<Logged> {
        self.inner.log.page(filter, view, before, limit)
    }

    /// An entry of the queue call log that was not removed.
    #[must_use]
    pub fn logged(&self, entry: Position) -> Option<Logged> {
        self.inner.log.of(entry)
    }

    /// How many facts the log of a queue has.
    #[must_use]
    pub fn log_version(&self, queue: &str) -> u64 {
        self.inner.log.version(queue)
    }

    /// Takes a fact about the log of a queue in, from who has just written it.
    pub fn take_logged(&self, queue: &str, revision: u64, event: &LogEvent) {
        self.inner.log.take(queue, revision, event);
    }

    /// The missed calls of the same number and queue since a moment, but for this one.
    #[must_use]
    pub fn of_the_same_caller(&self, entry: &Entry, since: Timestamp) -> Vec<Candidate> {
        self.inner.log.of_the_same_caller(entry, since)
    }

    fn oldest(&self) -> Timestamp {
        Timestamp::from_micros(self.inner.oldest.load(Ordering::Relaxed))
    }

    /// Drops the records of calls that ended before a moment, and takes none in from now on;
    /// gives how many there were.
    ///
    /// # Errors
    /// When the table is damaged or can not be written.
    pub fn forget_before(&self, oldest: Timestamp) -> Result<usize, StoreError> {
        self.inner.oldest.store(oldest.as_micros(), Ordering::Relaxed);
        self.inner.log.forget_before(oldest)?;
        let mut dropped = 0;
        // The oldest stand last.
        while let Some((key, bytes)) = self.inner.store.last(RECORDS)? {
            let readable = entity::decode::<CallRecord>(&bytes).ok();
            if readable.as_ref().is_some_and(|record| record.ended_at >= oldest) {
                break;
            }
            let mut batch = Batch::default();
            batch.remove(RECORDS, &key);
            if let Some(record) = readable {
                batch.remove(PLACES, &record.id.as_u128().to_be_bytes());
                notes::forget(&mut batch, record.id);
            }
            self.inner.store.apply(batch)?;
            dropped += 1;
        }
        Ok(dropped)
    }

    fn keep(&self, record: &CallRecord) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        // Newest first: a scan begins with the newest.
        let place = key_of(record.position);
        batch.put(RECORDS, &place, &entity::encode(record));
        batch.put(PLACES, &record.id.as_u128().to_be_bytes(), &place);
        self.inner.store.apply(batch)
    }

    /// The place in the journal up to which all letters are sent; none when never kept.
    #[must_use]
    pub fn letters_until(&self) -> Option<Position> {
        let value = self.inner.store.get(LETTERS, b"until").ok()??;
        let index = u64::from_be_bytes((&*value).try_into().ok()?);
        Some(Position { partition: 0, index })
    }

    /// Keeps that place.
    pub fn keep_letters_until(&self, position: Position) {
        let mut batch = Batch::default();
        batch.put(LETTERS, b"until", &position.index.to_be_bytes());
        if let Err(error) = self.inner.store.apply(batch) {
            tracing::error!(%error, "the place of the letters was not kept");
        }
    }

    /// Closes the calls that a crash of this node, which is alone, cut off, and waits for the
    /// commit.
    pub async fn close_interrupted(&self, journal: &Journal, clock: Clock) {
        let open: Vec<(CallId, CallEvent)> = {
            let fold = self.inner.fold.lock();
            fold.open().map(|(id, call)| (id, call.interrupted(clock.now()))).collect()
        };
        let append = |(call, event): (CallId, CallEvent)| {
            let append = Append {
                entity: entity::call(call),
                expected: None,
                epoch: 0,
                op_id: None,
                events: vec![entity::encode(&event)],
            };
            (call, journal.append(append))
        };
        // All at once: a sync for each would hold up the start after a crash in a busy hour.
        let pending: Vec<_> = open.into_iter().map(append).collect();
        for (call, pending) in pending {
            if let Err(error) = pending.await {
                tracing::error!(%call, %error, "an interrupted call was not closed");
            }
        }
    }

    /// The calls that have begun and not ended.
    #[must_use]
    pub fn open(&self) -> Vec<CallId> {
        self.inner.fold.lock().open().map(|(call, _)| call).collect()
    }

    /// Whether a call has begun and not ended.
    #[must_use]
    pub fn is_open(&self, call: CallId) -> bool {
        self.inner.fold.lock().is_open(call)
    }

    /// The fact that closes a call which was cut off, if it is open.
    #[must_use]
    pub fn interrupted(&self, call: CallId, now: Timestamp) -> Option<CallEvent> {
        self.inner.fold.lock().find(call).map(|open| open.interrupted(now))
    }

    /// Records that fit, newest first, before a place.
    #[must_use]
    pub fn page(
        &self,
        filter: &RecordFilter,
        before: Option<Position>,
        limit: usize,
    ) -> Vec<CallRecord> {
        let from = before.map_or([0; 10], |before| {
            key_of(Position { index: before.index.saturating_sub(1), ..before })
        });
        let mut page = Vec::new();
        let mut scanned = 0;
        let outcome = self.inner.store.scan(RECORDS, &from, |_, bytes| {
            scanned += 1;
            if let Ok(record) = entity::decode::<CallRecord>(bytes)
                && fits(filter, &record)
            {
                page.push(record);
            }
            if page.len() == limit || scanned == MAX_SCANNED {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        if let Err(error) = outcome {
            tracing::error!(%error, "the call records are damaged");
        }
        page
    }
}

/// Keys descend while positions ascend, so that the newest record stands first.
pub(crate) fn key_of(position: Position) -> [u8; 10] {
    let mut key = [0; 10];
    key[..2].copy_from_slice(&(u16::MAX - position.partition).to_be_bytes());
    key[2..].copy_from_slice(&(u64::MAX - position.index).to_be_bytes());
    key
}

fn fits(filter: &RecordFilter, record: &CallRecord) -> bool {
    let RecordFilter { since, until, direction, number, queue, outcome } = filter;
    let is_number = |wanted: &String| {
        record.from == *wanted
            || record.to == *wanted
            || record.answered_by.as_ref() == Some(wanted)
    };
    since.is_none_or(|since| record.started_at >= since)
        && until.is_none_or(|until| record.started_at < until)
        && direction.is_none_or(|direction| record.direction == direction)
        && number.as_ref().is_none_or(is_number)
        && queue
            .as_ref()
            .is_none_or(|queue| record.queue.as_ref().is_some_and(|it| it.queue == *queue))
        && outcome.as_ref().is_none_or(|outcome| record.outcome == *outcome)
}
