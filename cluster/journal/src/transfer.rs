//! A copy of a journal: one file that another node, or a restore, begins from.
//!
//! Frames: [`Applied`], then each chunk behind the index of its first record. Entity states,
//! trails and operations are rebuilt from the records; saved states are not copied, being
//! caches.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tandem_store::{Batch, Store, StoreError, file};
use tandem_wire::{decode_versioned, encode_versioned};

use crate::format::{
    APPLIED, Applied, CHUNKS, ENTITIES, EntityState, LIMIT, MARKS, Page, STATE, TRAIL, entity_key,
    numbered,
};
use crate::record::Entity;
use crate::records::{Records, read_chunk};
use crate::referee::{Operations, evolve, operation_of};
use crate::state::stored_applied;

/// The file of a copy that is being installed. A start that finds it installs it again.
const INCOMING: &str = "incoming";
// Writes of an installation that go to the store together.
const GROUP: usize = 64;

/// A copy, or what it can be made from.
#[derive(Clone)]
pub(crate) struct Copy {
    source: Arc<Records>,
}

impl Copy {
    /// A copy of what a journal holds when it is written.
    pub(crate) const fn of(source: Arc<Records>) -> Self {
        Self { source }
    }

    /// Replaces a state by the copy.
    pub(crate) fn install(&self, into: &Records) -> Result<(Applied, Operations), StoreError> {
        let incoming = incoming_of(into.store());
        export(self.source.store(), &incoming)?;
        let (applied, operations) = install(into.store(), &incoming)?;
        into.restart(applied.head);
        Ok((applied, operations))
    }
}

/// Where a copy is put before it is installed into `store`.
pub(crate) fn incoming_of(store: &Store) -> PathBuf {
    store.dir().join(INCOMING)
}

/// Writes a copy. Appends may go on meanwhile: it ends at what was applied when it began.
pub(crate) fn export(store: &Store, path: &Path) -> Result<Applied, StoreError> {
    let applied = stored_applied(store)?;
    let mut writer = file::Writer::create(path)?;
    writer.frame(&encode_versioned(&applied))?;
    let mut failure = None;
    store.scan(CHUNKS, &[], |key, bytes| {
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

/// Replaces the state on `store` by the copy at `path` and removes the copy.
pub(crate) fn install(store: &Store, path: &Path) -> Result<(Applied, Operations), StoreError> {
    let mut reader = file::Reader::open(path)?;
    let first = reader.frame()?.unwrap_or_default();
    let applied: Applied = decode_versioned(&first, LIMIT).map_err(|e| damaged(path, &e))?;
    clear(store)?;
    let mut entities: HashMap<Entity, EntityState> = HashMap::new();
    let mut operations = Operations::default();
    let mut batch = Batch::default();
    let mut frames = 0_usize;
    while let Some(frame) = reader.frame()? {
        let Some((key, bytes)) = frame.split_first_chunk::<8>() else {
            return Err(damaged(path, &"a frame without an index"));
        };
        for (record, index) in read_chunk(key, bytes)? {
            let state = entities.entry(record.entity.clone()).or_default();
            if let Some((version, indices)) = evolve(state, &record, index) {
                let key = numbered(entity_key(&record.entity), version);
                batch.put(TRAIL, &key, &encode_versioned(&Page { indices }));
            }
            if let Some((op_id, appended)) = operation_of(&record, index) {
                operations.note(op_id, appended);
            }
        }
        batch.put(CHUNKS, key, bytes);
        frames += 1;
        if frames.is_multiple_of(GROUP) {
            store.apply(std::mem::take(&mut batch))?;
        }
    }
    for (entity, state) in &entities {
        batch.put(ENTITIES, &entity_key(entity), &encode_versioned(state));
    }
    batch.put(MARKS, APPLIED, &encode_versioned(&applied));
    store.apply(batch)?;
    store.sync()?;
    std::fs::remove_file(path).map_err(|e| StoreError::Io {
        doing: "remove",
        place: path.to_owned(),
        why: e.to_string(),
    })?;
    Ok((applied, operations))
}

fn clear(store: &Store) -> Result<(), StoreError> {
    for table in STATE {
        loop {
            let mut batch = Batch::default();
            let mut found = 0_usize;
            store.scan(table, &[], |key, _| {
                batch.remove(table, key);
                found += 1;
                if found < 1_000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            if found == 0 {
                break;
            }
            store.apply(batch)?;
        }
    }
    Ok(())
}

fn damaged(path: &Path, what: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged { what: what.to_string(), place: path.display().to_string() }
}
