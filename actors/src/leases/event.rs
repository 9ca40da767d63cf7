//! What the auditor found. Append-only; see `event.rs` of the crate.

use serde::{Deserialize, Serialize};
use tandem_kernel::Timestamp;

/// A fact about a state that must pass by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeaseEvent {
    /// It has outlived its lease.
    Overdue {
        /// When that was seen.
        at: Timestamp,
        /// The state's code.
        state: String,
        /// What it is about: a call, a queue; may be empty.
        subject: String,
        /// When it should have been over.
        due: Timestamp,
    },
}

impl LeaseEvent {
    /// The name in the event stream.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Overdue { .. } => "lease.overdue",
        }
    }
}
