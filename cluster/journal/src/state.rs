//! The state that the log makes: records, entities, operations; on the store and in memory.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

use futures::{Stream, StreamExt};
use openraft::alias::{LogIdOf, SnapshotMetaOf, SnapshotOf, StoredMembershipOf};
use openraft::storage::{EntryResponder, RaftStateMachine};
use openraft::{EntryPayload, RaftSnapshotBuilder, Snapshot, StoredMembership};
use parking_lot::Mutex;
use tandem_kernel::Position;
use tandem_store::{Batch, Store, StoreError};
use tandem_wire::{decode_versioned, encode_as, encode_versioned};
use tokio::sync::watch;

use crate::error::AppendError;
use crate::format::{
    APPLIED, Applied, CHUNKS, Chunk, ENTITIES, EntityState, LIMIT, MARKS, Page, Proposal,
    StoredRecord, TRAIL, entity_key, numbered,
};
use crate::group::{Group, Outcomes, io_error};
use crate::record::{Appended, Entity, Record};
use crate::records::Records;
use crate::referee::{End, Operations, Taken, take};
use crate::transfer::Copy;

// Entries applied in one write; each is up to 100 kB.
const MOST_AT_ONCE: usize = 32;
// Entities whose state is kept in memory, in each of two generations.
const CACHED_ENTITIES: usize = 50_000;

/// The state as the engine drives it.
pub(crate) struct State {
    records: Arc<Records>,
    applied: Applied,
    entities: Entities,
    operations: Operations,
    // The index after the last entry of the log that is durable.
    durable: watch::Receiver<u64>,
    // What the last snapshot covered.
    covered: Arc<Mutex<Option<SnapshotMetaOf<Group>>>>,
}

/// Entity states read from or on their way to the store.
#[derive(Default)]
struct Entities {
    young: HashMap<Entity, EntityState>,
    old: HashMap<Entity, EntityState>,
    touched: HashSet<Entity>,
}

impl Entities {
    fn of(&mut self, store: &Store, entity: &Entity) -> Result<&mut EntityState, StoreError> {
        if !self.young.contains_key(entity) {
            let state = match self.old.remove(entity) {
                Some(state) => state,
                None => stored_entity(store, entity)?,
            };
            self.young.insert(entity.clone(), state);
        }
        Ok(self.young.get_mut(entity).expect("it was put there above"))
    }

    fn write(&mut self, batch: &mut Batch) {
        for entity in self.touched.drain() {
            let state = self.young.get(&entity).expect("what was touched is young");
            batch.put(ENTITIES, &entity_key(&entity), &encode_versioned(state));
        }
        if self.young.len() > CACHED_ENTITIES {
            self.old = std::mem::take(&mut self.young);
        }
    }
}

/// The state of an entity on the store; the first state if it was never seen.
pub(crate) fn stored_entity(store: &Store, entity: &Entity) -> Result<EntityState, StoreError> {
    let found = store.get(ENTITIES, &entity_key(entity))?;
    let Some(bytes) = found else { return Ok(EntityState::default()) };
    decode_versioned(&bytes, LIMIT).map_err(|error| StoreError::Damaged {
        what: error.to_string(),
        place: format!("the state of entity {entity}"),
    })
}

impl State {
    /// The state on the store, with the operations of its last records.
    pub(crate) fn new(
        records: Arc<Records>,
        applied: Applied,
        operations: Operations,
        durable: watch::Receiver<u64>,
    ) -> Self {
        let covered = Arc::default();
        Self { records, applied, entities: Entities::default(), operations, durable, covered }
    }

    /// Waits until the log holds the entries for ever. A follower may be told to apply what the
    /// others hold and it does not yet: after a crash its state would be ahead of its log, and
    /// what a lost log looks like is told apart no more.
    async fn held(&mut self, entries: &[EntryResponder<Group>]) -> Result<(), io::Error> {
        let Some((last, _)) = entries.last() else { return Ok(()) };
        let next = last.log_id.index + 1;
        let held = self.durable.wait_for(|upto| *upto >= next).await;
        held.map(|_| ()).map_err(io_error)
    }

    /// Applies entries in order, makes them visible, and gives their outcomes.
    fn apply_group(&mut self, entries: Vec<EntryResponder<Group>>) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        let mut fresh = Vec::new();
        let mut answers = Vec::with_capacity(entries.len());
        for (entry, responder) in entries {
            // A copy that was installed may be ahead of what the engine asks for.
            if self.applied.log_id.is_some_and(|applied| entry.log_id <= applied) {
                answers.push((responder, Outcomes::default()));
                continue;
            }
            let outcomes = match entry.payload {
                EntryPayload::Blank => Outcomes::default(),
                EntryPayload::Membership(membership) => {
                    let log_id = Some(entry.log_id);
                    self.applied.membership = StoredMembership::new(log_id, membership);
                    Outcomes::default()
                }
                EntryPayload::Normal(appends) => {
                    self.apply_entry(&appends.proposals, &mut batch, &mut fresh)?
                }
            };
            self.applied.log_id = Some(entry.log_id);
            answers.push((responder, outcomes));
        }
        self.entities.write(&mut batch);
        batch.put(MARKS, APPLIED, &encode_versioned(&self.applied));
        self.records.store().apply(batch)?;
        self.records.publish(fresh, self.applied.head);
        for (responder, outcomes) in answers {
            if let Some(responder) = responder {
                responder.send(outcomes);
            }
        }
        Ok(())
    }

    fn apply_entry(
        &mut self,
        proposals: &[Proposal],
        batch: &mut Batch,
        fresh: &mut Vec<Record>,
    ) -> Result<Outcomes, StoreError> {
        let first = self.applied.head + 1;
        let mut chunk = Chunk::default();
        let mut outcomes = Vec::with_capacity(proposals.len());
        for proposal in proposals {
            outcomes.push(self.apply_append(proposal, batch, &mut chunk)?);
        }
        if !chunk.records.is_empty() {
            let bytes = encode_as(<Chunk as tandem_wire::Schema>::VERSION, &chunk);
            batch.put(CHUNKS, &first.to_be_bytes(), &bytes);
            fresh.extend(chunk.records.into_iter().zip(first..).map(placed));
        }
        Ok(Outcomes(outcomes))
    }

    fn apply_append(
        &mut self,
        proposal: &Proposal,
        batch: &mut Batch,
        chunk: &mut Chunk,
    ) -> Result<Result<Appended, AppendError>, StoreError> {
        let mut end = End { head: self.applied.head, last_at: self.applied.last_at };
        let state = self.entities.of(self.records.store(), &proposal.entity)?;
        let key = || entity_key(&proposal.entity);
        let each = |(record, _, page): Taken| {
            if let Some((version, indices)) = page {
                let key = numbered(key(), version);
                batch.put(TRAIL, &key, &encode_versioned(&Page { indices }));
            }
            chunk.records.push(record);
        };
        let before = end.head;
        let outcome = take(&mut end, &mut self.operations, state, proposal, each);
        (self.applied.head, self.applied.last_at) = (end.head, end.last_at);
        if end.head > before && !self.entities.touched.contains(&proposal.entity) {
            self.entities.touched.insert(proposal.entity.clone());
        }
        Ok(outcome)
    }

    fn snapshot_of(&self, meta: SnapshotMetaOf<Group>) -> SnapshotOf<Group, Copy> {
        Snapshot { meta, snapshot: Copy::Of(Arc::clone(&self.records)) }
    }
}

/// A stored record in its place.
pub(crate) fn placed((stored, index): (StoredRecord, u64)) -> Record {
    let StoredRecord { entity, version, at, event, .. } = stored;
    Record { position: Position::at(index), entity, version, at, event }
}

/// What the state's store says of how far it is.
pub(crate) fn stored_applied(store: &Store) -> Result<Applied, StoreError> {
    let Some(bytes) = store.get(MARKS, APPLIED)? else { return Ok(Applied::default()) };
    decode_versioned(&bytes, LIMIT).map_err(|error| StoreError::Damaged {
        what: error.to_string(),
        place: format!("{}, table {}, key applied", store.dir().display(), MARKS.name()),
    })
}

impl RaftStateMachine<Group> for State {
    type SnapshotData = Copy;
    type SnapshotBuilder = Coverage;

    async fn applied_state(
        &mut self,
    ) -> Result<(Option<LogIdOf<Group>>, StoredMembershipOf<Group>), io::Error> {
        Ok((self.applied.log_id, self.applied.membership.clone()))
    }

    async fn apply<S>(&mut self, entries: S) -> Result<(), io::Error>
    where
        S: Stream<Item = Result<EntryResponder<Group>, io::Error>> + Unpin + Send,
    {
        let mut groups = entries.ready_chunks(MOST_AT_ONCE);
        while let Some(group) = groups.next().await {
            let group = group.into_iter().collect::<Result<Vec<_>, _>>()?;
            self.held(&group).await?;
            self.apply_group(group).map_err(io_error)?;
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Coverage {
        Coverage {
            records: Arc::clone(&self.records),
            meta: SnapshotMetaOf::<Group> {
                last_log_id: self.applied.log_id,
                last_membership: self.applied.membership.clone(),
            },
            covered: Arc::clone(&self.covered),
        }
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMetaOf<Group>,
        snapshot: Copy,
    ) -> Result<(), io::Error> {
        let records = Arc::clone(&self.records);
        let mut operations = std::mem::take(&mut self.operations);
        let installed = tokio::task::spawn_blocking(move || {
            let applied = snapshot.install(&records, &mut operations)?;
            Ok::<_, StoreError>((applied, operations))
        });
        let (applied, operations) = installed.await.map_err(io_error)?.map_err(io_error)?;
        self.applied = applied;
        self.operations = operations;
        self.entities = Entities::default();
        *self.covered.lock() = Some(meta.clone());
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<SnapshotOf<Group, Copy>>, io::Error> {
        let covered = self.covered.lock().clone();
        Ok(covered.map(|meta| self.snapshot_of(meta)))
    }
}

/// Builds a snapshot: the state is on the disk already, so a sync makes it one, and a copy is
/// only written when another node asks for it.
pub(crate) struct Coverage {
    records: Arc<Records>,
    meta: SnapshotMetaOf<Group>,
    covered: Arc<Mutex<Option<SnapshotMetaOf<Group>>>>,
}

impl RaftSnapshotBuilder<Group> for Coverage {
    type SnapshotData = Copy;

    async fn build_snapshot(&mut self) -> Result<SnapshotOf<Group, Copy>, io::Error> {
        let records = Arc::clone(&self.records);
        let synced = tokio::task::spawn_blocking(move || records.store().sync());
        synced.await.map_err(io_error)?.map_err(io_error)?;
        *self.covered.lock() = Some(self.meta.clone());
        let snapshot = Copy::Of(Arc::clone(&self.records));
        Ok(Snapshot { meta: self.meta.clone(), snapshot })
    }
}
