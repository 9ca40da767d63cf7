//! The audit log: who has changed what.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that somebody did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Where the fact stands in the journal.
    pub position: String,
    /// When.
    pub at: String,
    /// Who: `user:alice`, `token:` and its id, or `system`.
    pub by: String,
    /// `created`, `changed`, `removed`, `written`, `signed-in`, `signed-out`; of a call
    /// `originated`, `hangup`, `hold`, `resume`, `transfer`.
    pub action: String,
    /// What it was done to: a kind of resource, `session`, `prompt` or `call`.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// The fields that were changed, by name; values are not told, for some are secrets.
    pub fields: Vec<String>,
    /// The address of a sign-in, where it is known.
    pub from: Option<String>,
}
