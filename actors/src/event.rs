//! The business facts: what is appended to the journal, by kind of entity.
//!
//! The bytes are bincode with a schema version in front (`tandem_wire`). Variants and fields are
//! append-only: a field that a variant lacks needs a new variant.

use serde::{Deserialize, Serialize};
use tandem_config::resource::Kind;

/// A fact about a provisioned resource. The body is JSON, so that old bodies are read with new
/// fields at their defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ResourceEvent {
    /// Written, anew or again.
    Put {
        /// Its kind.
        kind: Kind,
        /// Its key.
        key: String,
        /// The [`tandem_config::Resource`] as JSON.
        body: String,
        /// Who wrote it.
        by: String,
    },
    /// Deleted.
    Removed {
        /// Its kind.
        kind: Kind,
        /// Its key.
        key: String,
        /// Who removed it.
        by: String,
    },
}
