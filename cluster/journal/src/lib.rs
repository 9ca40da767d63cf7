//! The journal: every business fact, once, in order, durable before anyone is told.
//!
//! | Concern                                              | Owner       |
//! |------------------------------------------------------|-------------|
//! | Appending, reading, following                        | [`Journal`] |
//! | Versions, epochs, repeated operations (pure)         | `referee`   |
//! | What the bytes mean                                  | `format`    |
//! | The consensus log, the state it makes                | `log`, `state` |
//! | Collecting appends into entries                      | `engine`    |
//! | Getting them into the log, here or at the leader     | `writer`, `leader` |
//! | What members ask each other                          | `message`, `network`, `inlet` |
//! | The way there                                        | [`transport`] |
//! | Who is a member                                      | `members`, `membership` |
//! | The referee without a disk, for simulations          | [`memory`]  |
//! | Is it whole? Copies for other nodes and for backups  | `verify`, `transfer` |
//!
//! Invariants: positions are contiguous from 1; an entity's versions are contiguous from 1; an
//! acknowledged append is on the disk of a quorum; a repeated op id adds nothing; an epoch
//! older than an entity has seen adds nothing; what is read is what was written, or named as
//! damaged.

mod aside;
mod contact;
mod engine;
mod error;
mod format;
mod group;
mod handle;
mod inlet;
mod leader;
mod log;
mod members;
mod membership;
pub mod memory;
mod message;
mod network;
mod pace;
mod record;
mod records;
mod referee;
mod restore;
#[cfg(test)]
mod simulation;
mod state;
#[cfg(test)]
mod tests;
mod transfer;
pub mod transport;
mod verify;
mod writer;

pub use error::{AppendError, MemberError, OpenError, ReadError};
pub use handle::{Begin, Cluster, Config, Journal, PendingAppend, Subscription, Timing};
pub use members::Status;
pub use record::{Append, Appended, Entity, Kind, Record, Snapshot};
pub use tandem_store::Problem;
pub use verify::Report;

/// The longest key of an entity, in bytes.
pub const MAX_KEY_BYTES: usize = 256;

/// The most bytes of one append: its events, and for each event the key and 64 bytes.
pub const MAX_APPEND_BYTES: usize = 64 * 1024;

/// The most bytes of an entity's saved state.
pub const MAX_SNAPSHOT_BYTES: usize = 4 << 20;
