//! Who may use the HTTP edge.

use serde::{Deserialize, Serialize};

/// What a principal may do (spec section 18, first cut).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Admin,
    /// Sees and steers calls, queues and agents; changes no configuration.
    Manager,
    /// Acts for the own extension.
    Agent,
    /// A screen on a wall: sees queues, agents and wallboards, does nothing. Tokens only.
    Wallboard,
}

/// A person who signs in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The sign-in name, 1 to 63 characters.
    pub name: String,
    /// The Argon2id hash of the password in PHC form. Never leaves by the API.
    pub password_hash: String,
    /// What the user may do.
    pub role: Role,
    /// The user's own extension; required for agents.
    #[serde(default)]
    pub extension: Option<String>,
    /// A disabled user can not sign in.
    #[serde(default)]
    pub disabled: bool,
}

/// A bearer token. Only a hash of the secret is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiToken {
    /// Public id, part of the token's text.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// BLAKE3 of the secret, hex.
    pub secret_hash: String,
    /// What it may do.
    pub role: Role,
    /// The extension it acts for, with role `agent`.
    #[serde(default)]
    pub extension: Option<String>,
    /// Expiry, RFC 3339; none: never.
    #[serde(default)]
    pub expires_at: Option<jiff::Timestamp>,
}
