//! The facts of a repeatable request. Append-only; see `event.rs` of the crate.

use serde::{Deserialize, Serialize};

/// A fact about one request. The key of its entity is the BLAKE3 of who asked, for what, with
/// which Idempotency-Key, in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RepeatEvent {
    /// The first request with the key.
    Began {
        /// BLAKE3 of its body.
        body: [u8; 32],
    },
    /// It was done.
    Ended(Kept),
    /// It was refused, or failed: the key is free again.
    Freed,
}

/// A reply as it is given again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The HTTP status.
    pub status: u16,
    /// Its headers, name and value.
    pub headers: Vec<(String, String)>,
    /// Its JSON; none: it has none.
    pub body: Option<String>,
    /// The body is not kept: it has a secret, or is too long.
    pub is_withheld: bool,
}
