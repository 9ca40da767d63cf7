//! The referee: what an append does to its entity, or why it does nothing. Pure: the same log
//! gives the same journal on every node.

use std::collections::HashMap;

use tandem_kernel::{Position, Timestamp};

use crate::error::AppendError;
use crate::format::{EntityState, Proposal, StoredRecord};
use crate::record::Appended;

/// Op ids are remembered for this many records.
pub(crate) const OP_WINDOW: u64 = 65_536;

/// Records that an entity's state lists itself; a full list becomes a page of the trail.
pub(crate) const PAGE: usize = 32;

/// The results of the operations of the last [`OP_WINDOW`] records.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    young: HashMap<u128, Appended>,
    old: HashMap<u128, Appended>,
    // The first index of the young half.
    turn: u64,
}

impl Operations {
    /// The result of an operation, if it is within the window that ends at `head`.
    pub(crate) fn find(&self, op_id: u128, head: u64) -> Option<Appended> {
        let found = self.young.get(&op_id).or_else(|| self.old.get(&op_id))?;
        (found.position.index + OP_WINDOW > head).then_some(*found)
    }

    pub(crate) fn note(&mut self, op_id: u128, appended: Appended) {
        if appended.position.index >= self.turn + OP_WINDOW {
            self.turn = appended.position.index;
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(op_id, appended);
    }
}

/// Whether an append may be done to an entity.
pub(crate) fn judge(state: &EntityState, proposal: &Proposal) -> Result<(), AppendError> {
    if proposal.epoch < state.epoch {
        return Err(AppendError::StaleEpoch { current: state.epoch });
    }
    if proposal.expected.is_some_and(|expected| expected != state.version) {
        return Err(AppendError::VersionConflict { actual: state.version });
    }
    Ok(())
}

/// Where the journal ends: the index and the time of its last record.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct End {
    pub(crate) head: u64,
    pub(crate) last_at: Timestamp,
}

/// A record in its place, with the full page of its entity that it began a new one behind.
pub(crate) type Taken = (StoredRecord, u64, Option<(u64, Vec<u64>)>);

/// What an append makes, behind what is there.
pub(crate) fn take(
    end: &mut End,
    operations: &mut Operations,
    state: &mut EntityState,
    proposal: &Proposal,
    mut each: impl FnMut(Taken),
) -> Result<Appended, AppendError> {
    let earlier = proposal.op_id.and_then(|op_id| operations.find(op_id, end.head));
    if let Some(earlier) = earlier {
        return Ok(earlier);
    }
    judge(state, proposal)?;
    end.last_at = end.last_at.max(proposal.at);
    for record in records_of(state, proposal, end.last_at) {
        end.head += 1;
        let page = evolve(state, &record, end.head);
        if let Some((op_id, appended)) = operation_of(&record, end.head) {
            operations.note(op_id, appended);
        }
        each((record, end.head, page));
    }
    Ok(Appended { position: Position::at(end.head), version: state.version })
}

/// The records of an append that was allowed; the first will be at `first`.
pub(crate) fn records_of(
    state: &EntityState,
    proposal: &Proposal,
    at: Timestamp,
) -> Vec<StoredRecord> {
    let last = proposal.events.len().saturating_sub(1);
    let numbered = proposal.events.iter().zip(state.version + 1..).enumerate();
    let record = |(index, (event, version))| StoredRecord {
        entity: proposal.entity.clone(),
        version,
        epoch: proposal.epoch,
        op_id: proposal.op_id.filter(|_| index == last),
        at,
        event: bytes::Bytes::clone(event),
    };
    numbered.map(record).collect()
}

/// Adds a record at `index` to its entity's state. When the list of its records is full, it is
/// returned as a page with the version of its last record.
pub(crate) fn evolve(
    state: &mut EntityState,
    record: &StoredRecord,
    index: u64,
) -> Option<(u64, Vec<u64>)> {
    let mut page = None;
    if state.recent.len() >= PAGE {
        page = Some((state.version, std::mem::take(&mut state.recent)));
    }
    state.version = record.version;
    state.epoch = state.epoch.max(record.epoch);
    state.recent.push(index);
    page
}

/// What the author of a record's append was told, if the record ends an operation.
pub(crate) fn operation_of(record: &StoredRecord, index: u64) -> Option<(u128, Appended)> {
    let appended = Appended { position: Position::at(index), version: record.version };
    record.op_id.map(|op_id| (op_id, appended))
}
