//! A copy of a journal: one file that another node, or a restore, begins or goes on from.
//!
//! Frames: [`Head`], then each chunk of records after `after` behind the index of its first.
//! Entity states, trails and operations follow from the records; saved states are not copied,
//! being caches. Committed records are the same everywhere, so a member that has some takes the
//! others only, and nothing that is there goes away meanwhile.

use std::collections::HashMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tandem_kernel::Timestamp;
use tandem_store::{Batch, Store, StoreError, file};
use tandem_wire::{Schema, decode_versioned, encode_versioned};

use crate::format::{
    APPLIED, Applied, CHUNKS, Chunk, ENTITIES, EntityState, INSTALLED, Installed, LIMIT, MARKS,
    Page, TRAIL, entity_key, numbered,
};
use crate::record::Entity;
use crate::records::{Records, read_chunk};
use crate::referee::{Operations, evolve, operation_of};
use crate::state::{stored_applied, stored_entity};

/// The file of a copy that is being installed. A start that finds it goes on installing it.
const INCOMING: &str = "incoming";
/// The file of a copy that is not complete yet. It is of no use after a restart.
const ARRIVING: &str = "arriving";
// Chunks of an installation that go to the store together.
const GROUP: usize = 64;

/// What a copy is of.
#[derive(Serialize, Deserialize)]
struct Head {
    applied: Applied,
    /// The index of the last record that is not in it.
    after: u64,
}

impl Schema for Head {
    const VERSION: u16 = 2;
}

/// A copy, or what it can be made from.
#[derive(Clone)]
pub(crate) enum Copy {
    /// What a journal holds when the copy is written.
    Of(Arc<Records>),
    /// A file.
    At(PathBuf),
}

impl Copy {
    /// Writes the records after `after` to a file beside the journal, for the member `target`.
    pub(crate) fn write(&self, target: u64, after: u64) -> Result<(PathBuf, Applied), StoreError> {
        match self {
            Self::Of(records) => {
                let path = records.store().dir().join(format!("outgoing-{target}"));
                let applied = export(records.store(), &path, after)?;
                Ok((path, applied))
            }
            // The engine sends copies of its own state only.
            Self::At(path) => Err(damaged(path, &"a copy of a copy")),
        }
    }

    /// Brings a state up to the copy.
    pub(crate) fn install(
        &self,
        into: &Records,
        operations: &mut Operations,
    ) -> Result<Applied, StoreError> {
        let incoming = incoming_of(into.store());
        match self {
            Self::Of(source) => {
                export(source.store(), &incoming, 0)?;
            }
            Self::At(path) => {
                fs::rename(path, &incoming).map_err(|e| io("rename", path, &e))?;
                tandem_store::sync_dir(into.store().dir())?;
            }
        }
        let applied = install(into.store(), &incoming, operations)?;
        into.restart(applied.head);
        Ok(applied)
    }
}

/// Where a copy is put before it is installed into `store`.
pub(crate) fn incoming_of(store: &Store) -> PathBuf {
    store.dir().join(INCOMING)
}

/// Where a copy for `store` is collected.
pub(crate) fn arriving_of(store: &Store) -> PathBuf {
    store.dir().join(ARRIVING)
}

/// Reads a whole copy, so that a damaged one is not begun with.
pub(crate) fn check(path: &Path) -> Result<(), StoreError> {
    let mut reader = file::Reader::open(path)?;
    while reader.frame()?.is_some() {}
    Ok(())
}

/// Writes a copy of the records after `after`. Appends may go on meanwhile: it ends at what was
/// applied when it began.
pub(crate) fn export(store: &Store, path: &Path, after: u64) -> Result<Applied, StoreError> {
    let applied = stored_applied(store)?;
    let mut writer = file::Writer::create(path)?;
    let head = Head { applied, after };
    writer.frame(&encode_versioned(&head))?;
    let applied = head.applied;
    let mut failure = None;
    store.scan(CHUNKS, &(after + 1).to_be_bytes(), |key, bytes| {
        if key > applied.head.to_be_bytes().as_slice() {
            return ControlFlow::Break(());
        }
        let frame = [key, bytes].concat();
        match writer.frame(&frame) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failure = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    writer.finish()?;
    Ok(applied)
}

/// Writes the copy at `path` anew to `into`, with its records up to `until` only, as `owned` says
/// that its new owner has them.
pub(crate) fn cut(
    path: &Path,
    into: &Path,
    until: Option<u64>,
    owned: impl Fn(&Applied) -> Applied,
) -> Result<(), StoreError> {
    let whole = head_of(&mut file::Reader::open(path)?, path)?.applied;
    let head = until.unwrap_or(u64::MAX).min(whole.head);
    let mut last_at = Timestamp::default();
    let mut reader = file::Reader::open(path)?;
    if head_of(&mut reader, path)?.after > 0 {
        return Err(damaged(path, &"a copy that does not begin at the first record"));
    }
    let partial = into.with_extension("chunks");
    let mut kept = file::Writer::create(&partial)?;
    while let Some(frame) = reader.frame()? {
        let Some((key, bytes)) = frame.split_first_chunk::<8>() else {
            return Err(damaged(path, &"a frame without an index"));
        };
        let records = read_chunk(key, bytes)?.filter(|(_, index)| *index <= head);
        let chunk = Chunk { records: records.map(|(record, _)| record).collect() };
        let Some(last) = chunk.records.last() else { continue };
        last_at = last.at;
        kept.frame(&[key.as_slice(), &encode_versioned(&chunk)].concat())?;
    }
    kept.finish()?;
    let applied = owned(&Applied { head, last_at, ..whole });
    let mut writer = file::Writer::create(into)?;
    writer.frame(&encode_versioned(&Head { applied, after: 0 }))?;
    let mut reader = file::Reader::open(&partial)?;
    while let Some(frame) = reader.frame()? {
        writer.frame(&frame)?;
    }
    writer.finish()?;
    fs::remove_file(&partial).map_err(|error| io("remove", &partial, &error))
}

fn head_of(reader: &mut file::Reader, path: &Path) -> Result<Head, StoreError> {
    let first = reader.frame()?.unwrap_or_default();
    decode_versioned(&first, LIMIT).map_err(|e| damaged(path, &e))
}

/// Brings the state on `store` up to the copy at `path` and removes the copy.
pub(crate) fn install(
    store: &Store,
    path: &Path,
    operations: &mut Operations,
) -> Result<Applied, StoreError> {
    let mut reader = file::Reader::open(path)?;
    let head = head_of(&mut reader, path)?;
    let mut installer = Installer::new(store, path, stored_applied(store)?);
    if installer.applied.head < head.after {
        return Err(damaged(path, &"a copy that begins behind the records that are here"));
    }
    let mut frames = 0_usize;
    while let Some(frame) = reader.frame()? {
        installer.take(&frame, operations)?;
        frames += 1;
        if frames.is_multiple_of(GROUP) {
            installer.write()?;
        }
    }
    if installer.applied.head > head.applied.head {
        return Err(damaged(path, &"a copy that ends before the records that are here"));
    }
    installer.finish(head.applied)
}

struct Installer<'a> {
    store: &'a Store,
    path: &'a Path,
    applied: Applied,
    entities: HashMap<Entity, EntityState>,
    batch: Batch,
}

impl<'a> Installer<'a> {
    fn new(store: &'a Store, path: &'a Path, applied: Applied) -> Self {
        Self { store, path, applied, entities: HashMap::new(), batch: Batch::default() }
    }

    /// Takes a chunk in, unless its records are here.
    fn take(&mut self, frame: &[u8], operations: &mut Operations) -> Result<(), StoreError> {
        let Some((key, bytes)) = frame.split_first_chunk::<8>() else {
            return Err(damaged(self.path, &"a frame without an index"));
        };
        let first = u64::from_be_bytes(*key);
        if first <= self.applied.head {
            return Ok(());
        }
        if first != self.applied.head + 1 {
            return Err(damaged(self.path, &format!("no records before {first}")));
        }
        for (record, index) in read_chunk(key, bytes)? {
            if !self.entities.contains_key(&record.entity) {
                let state = stored_entity(self.store, &record.entity)?;
                self.entities.insert(record.entity.clone(), state);
            }
            let state = self.entities.entry(record.entity.clone()).or_default();
            if let Some((version, indices)) = evolve(state, &record, index) {
                let key = numbered(entity_key(&record.entity), version);
                self.batch.put(TRAIL, &key, &encode_versioned(&Page { indices }));
            }
            if let Some((op_id, appended)) = operation_of(&record, index) {
                operations.note(op_id, appended);
            }
            self.applied.head = index;
            self.applied.last_at = record.at;
        }
        self.batch.put(CHUNKS, key, bytes);
        Ok(())
    }

    /// Writes what was taken. A restart finds the copy and goes on behind it.
    fn write(&mut self) -> Result<(), StoreError> {
        for (entity, state) in self.entities.drain() {
            self.batch.put(ENTITIES, &entity_key(&entity), &encode_versioned(&state));
        }
        self.batch.put(MARKS, APPLIED, &encode_versioned(&self.applied));
        self.store.apply(std::mem::take(&mut self.batch))
    }

    fn finish(mut self, applied: Applied) -> Result<Applied, StoreError> {
        self.applied = applied;
        let installed = Installed(self.applied.log_id);
        self.batch.put(MARKS, INSTALLED, &encode_versioned(&installed));
        self.write()?;
        self.store.sync()?;
        fs::remove_file(self.path).map_err(|e| io("remove", self.path, &e))?;
        Ok(self.applied)
    }
}

fn io(doing: &'static str, path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Io { doing, place: path.to_owned(), why: error.to_string() }
}

fn damaged(path: &Path, what: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged { what: what.to_string(), place: path.display().to_string() }
}
