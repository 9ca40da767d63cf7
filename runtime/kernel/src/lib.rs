//! The ground that every crate stands on: identifiers, time, bounded ports, supervision.
//!
//! | Concern                                   | Owner         |
//! |-------------------------------------------|---------------|
//! | What a call, a leg, a position is called  | [`id`]        |
//! | The one clock of a node                   | [`time`]      |
//!
//! Invariant: nothing here knows telephony, storage or a protocol.

pub mod id;
pub mod time;

pub use id::{CallId, LegId, ParseIdError, Position};
pub use time::{Clock, Timestamp};
