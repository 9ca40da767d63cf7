//! The consensus log on the store.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::io;
use std::ops::{Bound, ControlFlow, RangeBounds};
use std::sync::Arc;

use openraft::alias::{EntryOf, LogIdOf, VoteOf};
use openraft::entry::RaftEntry;
use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::{EntryPayload, LogState, RaftLogReader};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tandem_store::{Batch, Store, StoreError};
use tandem_wire::{Schema, WireError, decode_versioned, encode_as, encode_versioned};
use tokio::sync::{oneshot, watch};

use crate::format::LIMIT;
use crate::format::log::{ENTRIES, MARKS};
use crate::group::{Group, io_error};

const VOTE: &[u8] = b"vote";
const PURGED: &[u8] = b"purged";

// Entries that were appended but not yet applied are read from memory: a few groups' worth.
const MOST_RECENT: usize = 256;
// One answer to the engine when it reads many entries, each up to 100 kB.
const MOST_AT_ONCE: u64 = 64;
// One request to another member, with room for the entry that goes beyond it.
const MOST_BYTES: usize = 512 * 1024;

#[derive(Serialize, Deserialize)]
struct StoredEntry(EntryOf<Group>);

impl Schema for StoredEntry {
    const VERSION: u16 = 1;
}

#[derive(Serialize, Deserialize)]
struct StoredVote(VoteOf<Group>);

impl Schema for StoredVote {
    const VERSION: u16 = 1;
}

#[derive(Serialize, Deserialize)]
struct StoredLogId(LogIdOf<Group>);

impl Schema for StoredLogId {
    const VERSION: u16 = 1;
}

/// The log. Clones share it.
#[derive(Clone)]
pub(crate) struct Log {
    store: Store,
    recent: Arc<Mutex<VecDeque<EntryOf<Group>>>>,
    // The index after the last entry that is durable.
    durable: Arc<watch::Sender<u64>>,
}

impl Log {
    /// The log on a store whose content is durable.
    pub(crate) fn new(store: Store) -> Result<Self, StoreError> {
        let log = Self { store, recent: Arc::default(), durable: Arc::default() };
        let next = log.last()?.map_or(0, |last| last.index + 1);
        log.durable.send_replace(next);
        Ok(log)
    }

    /// Follows the index after the last entry that is durable.
    pub(crate) fn durable(&self) -> watch::Receiver<u64> {
        self.durable.subscribe()
    }

    /// Makes the log begin after `applied`, which a copy brought, when it does not hold that
    /// entry: what it holds instead was never committed or is in the copy.
    pub(crate) fn begin_after(&self, applied: LogIdOf<Group>) -> Result<(), StoreError> {
        let found = self.store.get(ENTRIES, &applied.index.to_be_bytes())?;
        let entry = found.map(|bytes| read::<StoredEntry>(&bytes)).transpose()?;
        if entry.is_some_and(|entry| entry.0.log_id() == applied) {
            return Ok(());
        }
        if self.purged()?.is_some_and(|purged| purged >= applied) {
            return Ok(());
        }
        let mut batch = Batch::default();
        self.store.scan(ENTRIES, &[], |key, _| {
            batch.remove(ENTRIES, key);
            ControlFlow::Continue(())
        })?;
        batch.put(MARKS, PURGED, &encode_versioned(&StoredLogId(applied)));
        self.store.apply(batch)?;
        self.store.sync()?;
        self.durable.send_replace(applied.index + 1);
        Ok(())
    }

    /// The last entry that was purged; the log begins behind it.
    pub(crate) fn purged(&self) -> Result<Option<LogIdOf<Group>>, StoreError> {
        let found = self.store.get(MARKS, PURGED)?;
        found.map(|bytes| read::<StoredLogId>(&bytes).map(|id| id.0)).transpose()
    }

    /// The last entry, or the purge mark if there is none.
    pub(crate) fn last(&self) -> Result<Option<LogIdOf<Group>>, StoreError> {
        match self.store.last(ENTRIES)? {
            Some((_, bytes)) => Ok(Some(read::<StoredEntry>(&bytes)?.0.log_id())),
            None => self.purged(),
        }
    }

    fn entries(&self, from: u64, to: u64) -> Result<Vec<EntryOf<Group>>, io::Error> {
        if let Some(entries) = self.recent_entries(from, to) {
            return Ok(entries);
        }
        let mut entries = Vec::new();
        let mut failure = None;
        let scanned = self.store.scan(ENTRIES, &from.to_be_bytes(), |key, bytes| {
            if key >= to.to_be_bytes().as_slice() {
                return ControlFlow::Break(());
            }
            match read::<StoredEntry>(bytes) {
                Ok(entry) => entries.push(entry.0),
                Err(error) => failure = Some(error),
            }
            if failure.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        scanned.map_err(io_error)?;
        failure.map_or(Ok(entries), |error| Err(io_error(error)))
    }

    fn recent_entries(&self, from: u64, to: u64) -> Option<Vec<EntryOf<Group>>> {
        let recent = self.recent.lock();
        let first = recent.front()?.log_id().index;
        let last = recent.back()?.log_id().index;
        if from < first || to > last + 1 {
            return None;
        }
        let skip = usize::try_from(from - first).ok()?;
        let take = usize::try_from(to.saturating_sub(from)).ok()?;
        Some(recent.iter().skip(skip).take(take).cloned().collect())
    }

    async fn synced(&self) -> Result<(), io::Error> {
        let (done, outcome) = oneshot::channel();
        self.store.sync_then(Box::new(move |synced| {
            let _ = done.send(synced);
        }));
        outcome.await.map_err(io_error)?.map_err(io_error)
    }
}

impl RaftLogReader<Group> for Log {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + Send>(
        &mut self,
        range: R,
    ) -> Result<Vec<EntryOf<Group>>, io::Error> {
        let from = match range.start_bound() {
            Bound::Included(index) => *index,
            Bound::Excluded(index) => index + 1,
            Bound::Unbounded => 0,
        };
        let to = match range.end_bound() {
            Bound::Included(index) => index.saturating_add(1),
            Bound::Excluded(index) => *index,
            Bound::Unbounded => u64::MAX,
        };
        self.entries(from, to)
    }

    async fn limited_get_log_entries(
        &mut self,
        start: u64,
        end: u64,
    ) -> Result<Vec<EntryOf<Group>>, io::Error> {
        let mut entries = self.entries(start, end.min(start.saturating_add(MOST_AT_ONCE)))?;
        let mut bytes = 0;
        let fits = entries.iter().position(|entry| {
            bytes += entry_bytes(entry);
            bytes > MOST_BYTES
        });
        entries.truncate(fits.map_or(entries.len(), |first| first.max(1)));
        Ok(entries)
    }

    async fn read_vote(&mut self) -> Result<Option<VoteOf<Group>>, io::Error> {
        let found = self.store.get(MARKS, VOTE).map_err(io_error)?;
        let vote = found.map(|bytes| read::<StoredVote>(&bytes).map(|vote| vote.0));
        vote.transpose().map_err(io_error)
    }
}

impl RaftLogStorage<Group> for Log {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Group>, io::Error> {
        let last_purged_log_id = self.purged().map_err(io_error)?;
        let last_log_id = self.last().map_err(io_error)?;
        Ok(LogState { last_purged_log_id, last_log_id })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &VoteOf<Group>) -> Result<(), io::Error> {
        let mut batch = Batch::default();
        batch.put(MARKS, VOTE, &encode_as(StoredVote::VERSION, vote));
        self.store.apply(batch).map_err(io_error)?;
        self.synced().await
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<Group>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = EntryOf<Group>> + Send,
        I::IntoIter: Send,
    {
        let mut batch = Batch::default();
        let mut next = 0;
        {
            let mut recent = self.recent.lock();
            for entry in entries {
                next = entry.log_id().index + 1;
                let key = entry.log_id().index.to_be_bytes();
                batch.put(ENTRIES, &key, &encode_as(StoredEntry::VERSION, &entry));
                recent.push_back(entry);
            }
            let surplus = recent.len().saturating_sub(MOST_RECENT);
            recent.drain(..surplus);
        }
        self.store.apply(batch).map_err(io_error)?;
        let durable = Arc::clone(&self.durable);
        self.store.sync_then(Box::new(move |synced| {
            if synced.is_ok() {
                durable.send_modify(|upto| *upto = next.max(*upto));
            }
            callback.io_completed(synced.map_err(io_error));
        }));
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<LogIdOf<Group>>) -> Result<(), io::Error> {
        let from = last.map_or(0, |id| id.index + 1);
        self.recent.lock().clear();
        let mut batch = Batch::default();
        let found = self.store.scan(ENTRIES, &from.to_be_bytes(), |key, _| {
            batch.remove(ENTRIES, key);
            ControlFlow::Continue(())
        });
        found.and_then(|()| self.store.apply(batch)).map_err(io_error)?;
        self.synced().await?;
        // Behind the sync, so that none from before the cut comes after it.
        self.durable.send_modify(|upto| *upto = from.min(*upto));
        Ok(())
    }

    async fn purge(&mut self, upto: LogIdOf<Group>) -> Result<(), io::Error> {
        self.recent.lock().retain(|entry| entry.log_id().index > upto.index);
        let mut batch = Batch::default();
        let end = upto.index.to_be_bytes();
        let found = self.store.scan(ENTRIES, &[], |key, _| {
            if key > end.as_slice() {
                return ControlFlow::Break(());
            }
            batch.remove(ENTRIES, key);
            ControlFlow::Continue(())
        });
        batch.put(MARKS, PURGED, &encode_versioned(&StoredLogId(upto)));
        found.and_then(|()| self.store.apply(batch)).map_err(io_error)
    }
}

/// An upper bound of the bytes of an entry.
fn entry_bytes(entry: &EntryOf<Group>) -> usize {
    match &entry.payload {
        EntryPayload::Normal(batch) => batch.cost() + 64,
        // A membership of the size that the design allows.
        EntryPayload::Blank | EntryPayload::Membership(_) => 16 * 1024,
    }
}

/// Checks that entries follow each other, each in its place and readable.
#[derive(Default)]
pub(crate) struct LogCheck {
    next: Option<u64>,
    count: u64,
}

impl LogCheck {
    pub(crate) fn entry(&mut self, key: &[u8], bytes: &[u8]) -> Result<(), String> {
        let index = crate::format::number_of(key).ok_or("a key that is no index")?;
        let expected = self.next.replace(index + 1);
        if expected.is_some_and(|expected| expected != index) {
            return Err("entries before this one are missing".into());
        }
        let entry = read::<StoredEntry>(bytes).map_err(|error| error.to_string())?;
        if entry.0.log_id().index != index {
            return Err("an entry of another index".into());
        }
        self.count += 1;
        Ok(())
    }

    /// Entries that are whole.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// The index of the first entry that is not there any more.
    pub(crate) const fn next(&self) -> Option<u64> {
        self.next
    }
}

fn read<T: Schema>(bytes: &[u8]) -> Result<T, StoreError> {
    decode_versioned(bytes, LIMIT).map_err(|error: WireError| StoreError::Damaged {
        what: error.to_string(),
        place: "the log".to_owned(),
    })
}
