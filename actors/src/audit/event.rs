//! Deeds that no other fact tells of. Append-only; see `event.rs` of the crate.

use serde::{Deserialize, Serialize};

/// Something that a person or a program did by the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeedEvent {
    /// It was done.
    Done {
        /// `written`, `removed`, `hangup` …
        action: String,
        /// What it was done to: `prompt`, `call` …
        kind: String,
        /// Its key.
        key: String,
        /// Who did it.
        by: String,
    },
}
