//! The facts of a session. Append-only; see `event.rs` of the crate.

use serde::{Deserialize, Serialize};

/// A fact about one session. The key of its entity is the BLAKE3 of its secret, in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionEvent {
    /// A user signed in.
    Opened {
        /// The user.
        user: String,
        /// BLAKE3 of the password's hash at the sign-in: a new password ends the session.
        password: [u8; 32],
        /// The address that the user signed in from; empty: not known.
        from: String,
    },
    /// The session was used, told once a minute at most.
    Used,
    /// The user signed out.
    Closed {
        /// The user.
        user: String,
    },
    /// It was quiet for too long, too old, or its user lost the right to it.
    Expired,
}
