//! What can go wrong with the journal.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tandem_store::StoreError;

/// Why an append was not taken. Only [`AppendError::Storage`], [`AppendError::Closed`] and
/// [`AppendError::Unavailable`] leave it open whether the events are in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum AppendError {
    /// The entity is at another version than the caller expected.
    #[error("the entity is at version {actual}")]
    VersionConflict {
        /// The version that it has.
        actual: u64,
    },
    /// Another owner with a later epoch has written since.
    #[error("the owner's epoch is stale, the current one is {current}")]
    StaleEpoch {
        /// The latest epoch that wrote.
        current: u64,
    },
    /// The key or the events are larger than the journal takes.
    #[error("the append is too large")]
    TooLarge,
    /// There is no event in it.
    #[error("the append has no event")]
    Empty,
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
    /// The disk failed.
    #[error("failed to append to the journal: {0}")]
    Storage(String),
    /// More appends are waiting than the journal holds; nothing was done.
    #[error("too many appends are waiting")]
    Overloaded,
    /// No leader whom a quorum follows took it in time. It may have been done all the same; the
    /// same op id asks again without doing it twice.
    #[error("no quorum of the cluster is within reach")]
    Unavailable,
    /// The disk is nearly full: what is left is for what goes on. Nothing was done.
    #[error("the disk is full")]
    NoSpace,
}

/// Why the membership was not changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum MemberError {
    /// There is no such member.
    #[error("node {0} is no member")]
    Unknown(u64),
    /// A member that is so many entries behind can not vote yet.
    #[error("node {node} is {behind} entries behind")]
    Lagging {
        /// The member.
        node: u64,
        /// Entries that it does not have.
        behind: u64,
    },
    /// It is the last voter: nobody would have the journal.
    #[error("the last voter can not leave")]
    LastVoter,
    /// No leader whom a quorum follows answered in time.
    #[error("no quorum of the cluster is within reach")]
    Unavailable,
    /// The consensus engine refused.
    #[error("failed to change the membership: {0}")]
    Failed(String),
}

/// Why a read failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
    /// The disk failed or what it holds is damaged.
    #[error("failed to read the journal: {0}")]
    Storage(String),
    /// A snapshot larger than [`MAX_SNAPSHOT_BYTES`](crate::MAX_SNAPSHOT_BYTES).
    #[error("the snapshot is too large")]
    TooLarge,
}

/// Why the journal did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// What is stored is not what was written. The replica must be set aside, never reused.
    #[error("the journal is damaged: {what} in {place}")]
    Damaged {
        /// What is wrong.
        what: String,
        /// The file, table and key.
        place: String,
    },
    /// Another process has it open.
    #[error("the journal in {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The directory belongs to another node.
    #[error("the journal in {} belongs to node {owner}", .dir.display())]
    WrongNode {
        /// The journal's directory.
        dir: PathBuf,
        /// The node that wrote it.
        owner: u64,
    },
    /// The disk failed.
    #[error("failed to open the journal")]
    Storage(#[source] StoreError),
    /// The consensus engine did not start.
    #[error("failed to start consensus: {0}")]
    Consensus(String),
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::Closed,
            other => Self::Storage(other.to_string()),
        }
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged { what, place } => Self::Damaged { what, place },
            StoreError::InUse(dir) => Self::InUse(dir),
            other => Self::Storage(other),
        }
    }
}
