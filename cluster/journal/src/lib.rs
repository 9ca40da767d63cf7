//! The journal: every business fact, once, in order, durable before anyone is told.
//!
//! Invariants: positions are contiguous from 1; an entity's versions are contiguous from 1; an
//! acknowledged append is on the disk of a quorum; a repeated op id adds nothing; an epoch
//! older than an entity has seen adds nothing; what is read is what was written, or named as
//! damaged.

mod error;
mod handle;
mod record;

pub use error::{AppendError, OpenError, ReadError};
pub use handle::{Config, Journal, PendingAppend, Subscription};
pub use record::{Append, Appended, Entity, Kind, Record, Snapshot};

/// The longest key of an entity, in bytes.
pub const MAX_KEY_BYTES: usize = 256;

/// The most bytes that the events of one append may have together.
pub const MAX_APPEND_BYTES: usize = 64 * 1024;
