//! The messages of mailboxes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// The message.
    pub id: String,
    /// The mailbox: the number of an extension or a group voicemail.
    pub mailbox: String,
    /// When it was left.
    pub at: String,
    /// The call it was left in.
    pub call: String,
    /// The caller's number.
    pub from: String,
    /// How long it is.
    pub length_secs: f64,
    /// The size of its file in bytes.
    pub bytes: u64,
    /// BLAKE3 of its file, hex.
    pub checksum: String,
    /// When somebody listened to it first.
    pub heard_at: Option<String>,
}
