//! What goes into the journal and what comes out of it.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tandem_kernel::{Position, Timestamp};

/// The kind of an entity (call, queue, agent…), a number that its owner assigns for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kind(pub u8);

/// What an event happened to: the unit of ordering, versions and epochs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Entity {
    /// The kind, which the journal does not interpret.
    pub kind: Kind,
    /// The key within the kind, at most [`MAX_KEY_BYTES`](crate::MAX_KEY_BYTES).
    pub key: String,
}

impl Entity {
    /// An entity by its kind and key.
    #[must_use]
    pub fn new(kind: Kind, key: impl Into<String>) -> Self {
        Self { kind, key: key.into() }
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.0, self.key)
    }
}

/// A wish to add events to one entity, all or none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// What the events happened to.
    pub entity: Entity,
    /// The entity's version before the events (the number of its events); `None` checks nothing.
    pub expected: Option<u64>,
    /// The owner's epoch; an older one than the entity has seen is refused.
    pub epoch: u64,
    /// The operation's id: an append that repeats it gets the first one's result.
    pub op_id: Option<u128>,
    /// The events, encoded by their owner; at least one.
    pub events: Vec<Bytes>,
}

/// An append that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appended {
    /// Where the last of the events is.
    pub position: Position,
    /// The entity's version after the last of the events.
    pub version: u64,
}

/// One committed event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the journal.
    pub position: Position,
    /// What it happened to.
    pub entity: Entity,
    /// The entity's version after it; the first event makes version 1.
    pub version: u64,
    /// When it was appended; never earlier than the record before.
    pub at: Timestamp,
    /// The event as its owner encoded it.
    pub event: Bytes,
}

/// An entity's state as its owner saved it, so that a load need not read all its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The version that the state has.
    pub version: u64,
    /// The state as its owner encoded it.
    pub bytes: Bytes,
}
