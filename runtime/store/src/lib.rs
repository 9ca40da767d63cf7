//! Bytes by key on the local disk, that either come back as they were written or are named as
//! damaged.
//!
//! | Concern                                        | Owner        |
//! |------------------------------------------------|--------------|
//! | Tables, batches, checksums                     | [`Store`]    |
//! | Batches that are written together              | `gather`     |
//! | Power-safe syncs, many callers in one          | `flusher`    |
//! | Is everything there and whole?                 | [`Report`]   |
//! | Large things: one file, all of it or none      | [`file`]     |
//! | A disk that loses power, for simulations       | [`memory`]   |
//!
//! Invariants: each value carries a CRC-32 over its key and itself, checked on every read; no
//! value reaches [`MAX_VALUE_BYTES`], above which the database underneath is not crash-safe;
//! an iteration ends at its first error and says so; after a failed sync nothing is ever
//! reported as synced again. What a store alone can not see is a database that recovered to an
//! earlier moment after a crash: who must know keeps a second witness, as the journal does.

mod backend;
mod database;
pub mod file;
mod flusher;
mod gather;
mod large;
pub mod memory;
#[cfg(test)]
mod tests;
mod verify;

use std::path::PathBuf;

pub use database::{Batch, Store, Value, sync_dir};
pub use flusher::Synced;
pub use verify::{Problem, Report};

/// Values must be smaller: above 128 kB the database writes them to files that it never syncs.
pub const MAX_VALUE_BYTES: usize = 100_000;

/// One of a store's tables. Tables share one tree, so that a batch over several is atomic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    id: u8,
    name: &'static str,
}

impl Table {
    /// A table by its number, unique in the store and fixed for ever, and its name in reports.
    #[must_use]
    pub const fn new(id: u8, name: &'static str) -> Self {
        Self { id, name }
    }

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Memory for pages, in bytes.
    pub cache_bytes: u64,
    /// How long unsynced writes may wait until they are handed to the kernel, in milliseconds:
    /// those that come within half of it are written together. `None`: each batch is written
    /// as it comes, and handed over on sync only.
    pub flush_every_ms: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 16 << 20, flush_every_ms: Some(500) }
    }
}

/// What a store can fail with.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// What is stored is not what was written.
    #[error("damaged: {what} in {place}")]
    Damaged {
        /// What is wrong.
        what: String,
        /// The file, table and key.
        place: String,
    },
    /// Another process (or another part of this one) has the store open.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// A value of [`MAX_VALUE_BYTES`] or more.
    #[error("a value of {len} bytes is too large for table {table}")]
    TooLarge {
        /// The table.
        table: &'static str,
        /// The value's length in bytes.
        len: usize,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The disk refused.
    #[error("failed to {doing} in {}: {why}", .place.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Where.
        place: PathBuf,
        /// The system's words.
        why: String,
    },
}

impl StoreError {
    pub(crate) fn io(
        doing: &'static str,
        place: impl Into<PathBuf>,
        why: &dyn std::fmt::Display,
    ) -> Self {
        Self::Io { doing, place: place.into(), why: why.to_string() }
    }
}
