//! The facts of a mailbox.

use serde::{Deserialize, Serialize};
use tandem_kernel::Timestamp;

/// A fact about one mailbox. Append-only; see `event.rs` of the crate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MailboxEvent {
    /// A message was left, and its file is synced.
    Left {
        /// When.
        at: Timestamp,
        /// The message; the file bears its name.
        id: String,
        /// The call it was left in.
        call: String,
        /// The caller's number.
        from: String,
        /// Its length in milliseconds.
        length_ms: u64,
        /// The file's size.
        bytes: u64,
        /// BLAKE3 of the file, hex.
        checksum: String,
    },
    /// A message was listened to for the first time.
    Heard {
        /// When.
        at: Timestamp,
        /// The message.
        id: String,
        /// Who listened.
        by: String,
    },
    /// A message was thrown away.
    Deleted {
        /// When.
        at: Timestamp,
        /// The message.
        id: String,
        /// Who threw it away.
        by: String,
    },
    /// A message was sent by e-mail: the server has taken it.
    Mailed {
        /// When.
        at: Timestamp,
        /// The message.
        id: String,
    },
}

impl MailboxEvent {
    /// The name in the event stream.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Left { .. } => "voicemail.left",
            Self::Heard { .. } => "voicemail.heard",
            Self::Deleted { .. } => "voicemail.deleted",
            Self::Mailed { .. } => "voicemail.mailed",
        }
    }
}
