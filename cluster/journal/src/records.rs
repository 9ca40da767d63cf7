//! Reading: the last records from memory, older ones from the store.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use bytes::Bytes;
use parking_lot::Mutex;
use tandem_store::{Batch, Store, StoreError};
use tandem_wire::{Schema, decode_versioned, encode_versioned};
use tokio::sync::watch;

use crate::error::ReadError;
use crate::format::{
    CHUNKS, Chunk, ENTITIES, EntityState, LIMIT, Page, SNAPSHOTS, SnapshotHead, TRAIL, entity_key,
    number_of, numbered,
};
use crate::record::{Entity, Record, Snapshot};
use crate::referee::PAGE;
use crate::state::placed;

// What subscribers that keep up are served from: some seconds of a busy node.
const MOST_RECENT: usize = 8_192;
const MOST_RECENT_BYTES: usize = 16 << 20;
// A part of an entity's snapshot, below the store's limit for a value.
const PART_BYTES: usize = 64 * 1024;

/// The records of a journal.
pub(crate) struct Records {
    store: Store,
    recent: Mutex<Recent>,
    reach: watch::Sender<Reach>,
}

/// How far the records go, and whether more can come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    pub(crate) head: u64,
    pub(crate) is_open: bool,
}

#[derive(Default)]
struct Recent {
    records: VecDeque<Record>,
    bytes: usize,
}

impl Recent {
    fn push(&mut self, record: Record) {
        self.bytes += size_of_record(&record);
        self.records.push_back(record);
        while self.records.len() > MOST_RECENT || self.bytes > MOST_RECENT_BYTES {
            let Some(oldest) = self.records.pop_front() else { return };
            self.bytes -= size_of_record(&oldest);
        }
    }

    fn after(&self, from: u64, limit: usize) -> Option<Vec<Record>> {
        let first = self.records.front()?.position.index;
        let skip = usize::try_from((from + 1).checked_sub(first)?).ok()?;
        Some(self.records.iter().skip(skip).take(limit).cloned().collect())
    }
}

fn size_of_record(record: &Record) -> usize {
    record.event.len() + record.entity.key.len()
}

impl Records {
    /// The records on a store that reach to `head`.
    pub(crate) fn new(store: Store, head: u64) -> Self {
        let reach = watch::Sender::new(Reach { head, is_open: true });
        Self { store, recent: Mutex::default(), reach }
    }

    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn head(&self) -> u64 {
        self.reach.borrow().head
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Reach> {
        self.reach.subscribe()
    }

    /// Closes the store and ends every wait for a record.
    pub(crate) fn close(&self) -> Result<(), StoreError> {
        self.reach.send_modify(|reach| reach.is_open = false);
        self.store.close()
    }

    /// Makes records that are on the store visible to readers.
    pub(crate) fn publish(&self, fresh: Vec<Record>, head: u64) {
        if fresh.is_empty() {
            return;
        }
        {
            let mut recent = self.recent.lock();
            for record in fresh {
                recent.push(record);
            }
        }
        self.reach.send_modify(|reach| reach.head = head);
    }

    /// Begins anew after a copy was installed.
    pub(crate) fn restart(&self, head: u64) {
        *self.recent.lock() = Recent::default();
        self.reach.send_modify(|reach| reach.head = head);
    }

    /// The records after `from`, if memory reaches that far back.
    pub(crate) fn recent_after(&self, from: u64, limit: usize) -> Option<Vec<Record>> {
        if from >= self.head() {
            return Some(Vec::new());
        }
        self.recent.lock().after(from, limit)
    }

    /// The records after `from`, from the store.
    pub(crate) fn stored_after(&self, from: u64, limit: usize) -> Result<Vec<Record>, ReadError> {
        let wanted = from.saturating_add(1);
        let floor = self.store.floor(CHUNKS, &wanted.to_be_bytes())?;
        let start = floor.map_or_else(|| wanted.to_be_bytes().to_vec(), |(key, _)| key);
        let mut records = Vec::new();
        let mut failure = None;
        self.store.scan(CHUNKS, &start, |key, bytes| {
            match read_chunk(key, bytes) {
                Ok(chunk) => {
                    let fresh = chunk.filter(|(_, index)| *index > from);
                    records.extend(fresh.take(limit - records.len()).map(placed));
                }
                Err(error) => failure = Some(error),
            }
            if failure.is_some() || records.len() >= limit {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        failure.map_or(Ok(records), |error| Err(error.into()))
    }

    /// The entity's snapshot and the records after it.
    pub(crate) fn load(
        &self,
        entity: &Entity,
    ) -> Result<(Option<Snapshot>, Vec<Record>), ReadError> {
        let key = entity_key(entity);
        let state: EntityState = self.read(ENTITIES, &key)?.unwrap_or_default();
        let snapshot = self.stored_snapshot(&key)?.filter(|found| found.version <= state.version);
        let from = snapshot.as_ref().map_or(0, |found| found.version);
        let indices = self.indices_after(&key, &state, from)?;
        let records = self.at_indices(&indices)?;
        Ok((snapshot, records))
    }

    /// Where the records of an entity after version `from` are. The state was read first: pages
    /// that came since are recognised by their version.
    fn indices_after(
        &self,
        key: &[u8],
        state: &EntityState,
        from: u64,
    ) -> Result<Vec<u64>, ReadError> {
        let listed = u64::try_from(state.recent.len()).unwrap_or(u64::MAX);
        let paged = state.version.saturating_sub(listed);
        let mut indices = Vec::new();
        let mut page_key = numbered(key.to_vec(), from + 1);
        while let Some((version, page)) = self.page_from(key, &page_key)? {
            if version > paged {
                break;
            }
            let len = u64::try_from(page.indices.len()).unwrap_or(u64::MAX);
            let known = from.saturating_sub(version - len);
            let known = usize::try_from(known).unwrap_or(PAGE);
            indices.extend(page.indices.into_iter().skip(known));
            page_key = numbered(key.to_vec(), version + 1);
        }
        let known = usize::try_from(from.saturating_sub(paged)).unwrap_or(usize::MAX);
        indices.extend(state.recent.iter().skip(known));
        Ok(indices)
    }

    fn page_from(&self, key: &[u8], from: &[u8]) -> Result<Option<(u64, Page)>, ReadError> {
        let mut found = None;
        self.store.scan(TRAIL, from, |page_key, bytes| {
            if page_key.starts_with(key) {
                found = Some((page_key.to_vec(), bytes.to_vec()));
            }
            ControlFlow::Break(())
        })?;
        let Some((page_key, bytes)) = found else { return Ok(None) };
        let version = number_of(&page_key).unwrap_or_default();
        Ok(Some((version, read_value(&bytes, TRAIL.name())?)))
    }

    /// The records at rising indices; each chunk is read once.
    fn at_indices(&self, indices: &[u64]) -> Result<Vec<Record>, ReadError> {
        let mut records = Vec::with_capacity(indices.len());
        let mut chunk: Vec<Record> = Vec::new();
        for index in indices {
            let is_here = chunk.last().is_some_and(|last| last.position.index >= *index);
            if !is_here {
                let found = self.store.floor(CHUNKS, &index.to_be_bytes())?;
                let Some((key, bytes)) = found else { return Err(missing(*index)) };
                chunk = read_chunk(&key, &bytes)?.map(placed).collect();
            }
            let at = chunk.binary_search_by_key(index, |record| record.position.index);
            records.push(at.map(|at| chunk[at].clone()).map_err(|_| missing(*index))?);
        }
        Ok(records)
    }

    fn stored_snapshot(&self, key: &[u8]) -> Result<Option<Snapshot>, ReadError> {
        // A snapshot may be replaced between the reads of its head and its parts.
        for _ in 0..3 {
            let Some(head) = self.read::<SnapshotHead>(SNAPSHOTS, key)? else { return Ok(None) };
            let parts = (0..head.parts)
                .map(|part| self.store.get(SNAPSHOTS, &part_key(key, head.version, part)))
                .collect::<Result<Option<Vec<_>>, _>>()?;
            if let Some(parts) = parts {
                let bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
                return Ok(Some(Snapshot { version: head.version, bytes: Bytes::from(bytes) }));
            }
        }
        Ok(None)
    }

    /// Saves an entity's snapshot in the place of an older one. It needs no sync: what is lost
    /// is only the shorter load.
    pub(crate) fn save_snapshot(
        &self,
        entity: &Entity,
        version: u64,
        bytes: &[u8],
    ) -> Result<(), ReadError> {
        let key = entity_key(entity);
        let mut batch = Batch::default();
        if let Some(old) = self.read::<SnapshotHead>(SNAPSHOTS, &key)? {
            if old.version >= version {
                return Ok(());
            }
            for part in 0..old.parts {
                batch.remove(SNAPSHOTS, &part_key(&key, old.version, part));
            }
        }
        let mut parts = 0_u16;
        for part in bytes.chunks(PART_BYTES) {
            batch.put(SNAPSHOTS, &part_key(&key, version, parts), part);
            parts += 1;
        }
        batch.put(SNAPSHOTS, &key, &encode_versioned(&SnapshotHead { version, parts }));
        Ok(self.store.apply(batch)?)
    }

    fn read<T: Schema>(
        &self,
        table: tandem_store::Table,
        key: &[u8],
    ) -> Result<Option<T>, ReadError> {
        let found = self.store.get(table, key)?;
        found.map(|bytes| read_value(&bytes, table.name())).transpose()
    }
}

/// The records of a stored chunk with their indices.
pub(crate) fn read_chunk(
    key: &[u8],
    bytes: &[u8],
) -> Result<impl Iterator<Item = (crate::format::StoredRecord, u64)> + use<>, StoreError> {
    let damaged = |what: String| StoreError::Damaged { what, place: "table chunks".to_owned() };
    let first = number_of(key).ok_or_else(|| damaged("a key that is no index".to_owned()))?;
    let chunk: Chunk = decode_versioned(bytes, LIMIT).map_err(|e| damaged(e.to_string()))?;
    Ok(chunk.records.into_iter().zip(first..))
}

fn read_value<T: Schema>(bytes: &[u8], table: &str) -> Result<T, ReadError> {
    decode_versioned(bytes, LIMIT)
        .map_err(|error| ReadError::Storage(format!("{error} in table {table}")))
}

fn missing(index: u64) -> ReadError {
    ReadError::Storage(format!("record {index} is missing"))
}

fn part_key(key: &[u8], version: u64, part: u16) -> Vec<u8> {
    let mut key = numbered(key.to_vec(), version);
    key.extend_from_slice(&part.to_be_bytes());
    key
}
