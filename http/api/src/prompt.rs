//! The prompts that an operator has uploaded.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An uploaded prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Prompt {
    /// Its name in the library, as other resources name it.
    pub name: String,
    /// The size of its file in bytes.
    pub bytes: u64,
    /// How long it plays.
    pub length_secs: f64,
    /// BLAKE3 of its file, hex.
    pub checksum: String,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Prompts {
    /// By name.
    pub items: Vec<Prompt>,
}
