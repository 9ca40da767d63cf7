//! What the journal's bytes on the disk mean. Frozen by golden tests: fields are never
//! reordered; a change raises the schema version and keeps a reader for the old one.

use bytes::Bytes;
use openraft::alias::{LogIdOf, StoredMembershipOf};
use serde::{Deserialize, Serialize};
use tandem_kernel::Timestamp;
use tandem_store::{MAX_VALUE_BYTES, Table};
use tandem_wire::Schema;

use crate::group::Group;
use crate::record::{Append, Entity};

/// The log's tables.
pub(crate) mod log {
    use tandem_store::Table;

    /// Entries by their index.
    pub(crate) const ENTRIES: Table = Table::new(b'l', "entries");
    /// Vote, purge mark, owner.
    pub(crate) const MARKS: Table = Table::new(b'm', "marks");
    pub(crate) const ALL: [Table; 2] = [ENTRIES, MARKS];
}

/// Chunks of records by the index of their first.
pub(crate) const CHUNKS: Table = Table::new(b'c', "chunks");
/// Where the state is: [`Applied`].
pub(crate) const MARKS: Table = Table::new(b'm', "marks");
/// [`EntityState`] by [`entity_key`].
pub(crate) const ENTITIES: Table = Table::new(b'n', "entities");
/// Parts of saved states by [`entity_key`], version and part.
pub(crate) const SNAPSHOTS: Table = Table::new(b's', "snapshots");
/// Pages of positions by [`entity_key`] and the version of their last.
pub(crate) const TRAIL: Table = Table::new(b't', "trail");
/// The state's tables.
pub(crate) const STATE: [Table; 5] = [CHUNKS, MARKS, ENTITIES, SNAPSHOTS, TRAIL];

/// The key of [`Applied`] in [`MARKS`].
pub(crate) const APPLIED: &[u8] = b"applied";

/// The key of [`Installed`] in [`MARKS`].
pub(crate) const INSTALLED: &[u8] = b"installed";

/// No stored value is larger, so no decoder reads more.
pub(crate) const LIMIT: usize = MAX_VALUE_BYTES;

/// One append in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Proposal {
    pub(crate) entity: Entity,
    pub(crate) expected: Option<u64>,
    pub(crate) epoch: u64,
    pub(crate) op_id: Option<u128>,
    pub(crate) at: Timestamp,
    pub(crate) events: Vec<Bytes>,
}

impl Proposal {
    pub(crate) fn new(append: Append, at: Timestamp) -> Self {
        let Append { entity, expected, epoch, op_id, events } = append;
        Self { entity, expected, epoch, op_id, at, events }
    }

    /// An upper bound of the bytes that it takes in an entry and in a chunk.
    pub(crate) fn cost(&self) -> usize {
        cost_of(&self.entity, &self.events)
    }
}

/// The records of one log entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chunk {
    pub(crate) records: Vec<StoredRecord>,
}

impl Schema for Chunk {
    const VERSION: u16 = 1;
}

/// One record; its position follows from its chunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredRecord {
    pub(crate) entity: Entity,
    pub(crate) version: u64,
    pub(crate) epoch: u64,
    /// Set on the last record of its append.
    pub(crate) op_id: Option<u128>,
    pub(crate) at: Timestamp,
    pub(crate) event: Bytes,
}

/// How far the log is in the state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Applied {
    pub(crate) log_id: Option<LogIdOf<Group>>,
    pub(crate) membership: StoredMembershipOf<Group>,
    /// The index of the last record.
    pub(crate) head: u64,
    /// When the last record was appended.
    pub(crate) last_at: Timestamp,
}

impl Schema for Applied {
    const VERSION: u16 = 1;
}

/// The last entry of the copy that was installed last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Installed(pub(crate) Option<LogIdOf<Group>>);

impl Schema for Installed {
    const VERSION: u16 = 1;
}

/// What the referee knows of an entity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EntityState {
    pub(crate) version: u64,
    pub(crate) epoch: u64,
    /// The indices of its last records; older ones are in the trail.
    pub(crate) recent: Vec<u64>,
}

impl Schema for EntityState {
    const VERSION: u16 = 1;
}

/// Indices of consecutive records of one entity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) indices: Vec<u64>,
}

impl Schema for Page {
    const VERSION: u16 = 1;
}

/// The head of a saved state; its parts follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SnapshotHead {
    pub(crate) version: u64,
    pub(crate) parts: u16,
}

impl Schema for SnapshotHead {
    const VERSION: u16 = 1;
}

/// An entity as a key: kind, length of the key, key. No entity's key is a prefix of another's.
pub(crate) fn entity_key(entity: &Entity) -> Vec<u8> {
    let mut key = Vec::with_capacity(3 + entity.key.len() + 8);
    key.push(entity.kind.0);
    let len = u16::try_from(entity.key.len()).unwrap_or(u16::MAX);
    key.extend_from_slice(&len.to_be_bytes());
    key.extend_from_slice(entity.key.as_bytes());
    key
}

/// A key followed by a number, in the number's order.
pub(crate) fn numbered(mut key: Vec<u8>, number: u64) -> Vec<u8> {
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// The number at the end of a key.
pub(crate) fn number_of(key: &[u8]) -> Option<u64> {
    key.last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))
}

/// An upper bound of the bytes that an append takes in an entry and in a chunk.
pub(crate) fn cost(append: &Append) -> usize {
    cost_of(&append.entity, &append.events)
}

fn cost_of(entity: &Entity, events: &[Bytes]) -> usize {
    const RECORD: usize = 64;
    events.iter().map(|event| event.len() + entity.key.len() + RECORD).sum()
}
