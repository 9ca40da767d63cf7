//! Company contacts.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Somebody outside whose calls are shown by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// What it is known by; unique, never changes.
    pub id: String,
    /// The name that is shown.
    pub name: String,
    /// Where they belong.
    #[serde(default)]
    pub company: String,
    /// Their numbers, as they are written; 1 to 10.
    pub numbers: Vec<String>,
}

/// When a caller's number is a contact's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ContactMatch {
    /// Longer numbers are the same when so many last digits are, 4 to 31; none: all must be.
    pub last_digits: Option<u8>,
    /// Whether only digits count.
    pub ignore_symbols: bool,
}

impl Default for ContactMatch {
    fn default() -> Self {
        Self { last_digits: Some(7), ignore_symbols: true }
    }
}
