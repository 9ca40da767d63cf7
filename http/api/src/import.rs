//! Many resources in one request.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;

/// Resources to be written, one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// At most a thousand. What others refer to stands before them.
    pub items: Vec<ImportItem>,
    /// Whether what exists is written anew; else it is refused as `already-exists`.
    #[serde(default)]
    pub overwrite: bool,
}

/// One resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportItem {
    /// `extension`, `trunk`, `queue`, `ring-group`, `ivr`, `call-flow`, `group-voicemail`,
    /// `inbound-route` or `outbound-route`.
    pub kind: String,
    /// The resource, as its own operation takes it.
    pub resource: serde_json::Value,
}

/// How an import ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Imported {
    /// Resources that are new.
    pub created: u64,
    /// Resources that were written anew.
    pub replaced: u64,
    /// Those that were refused; all others are written.
    pub refused: Vec<ImportRefusal>,
}

/// A resource that was refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImportRefusal {
    /// Its place among the items, from 0.
    pub index: u64,
    /// Why.
    pub problem: Problem,
}
