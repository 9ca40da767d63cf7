//! Who may use the API.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::always;

/// What a principal may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The sign-in name, 1 to 63 letters, digits, `-` and `_`; never changes.
    pub name: String,
    /// The password, 8 to 128 characters. Required when the user is created; left out later,
    /// the password stays.
    #[serde(default, skip_serializing_if = "always")]
    #[schema(write_only)]
    pub password: Option<String>,
    /// What the user may do.
    pub role: Role,
    /// The user's own extension; required for agents.
    #[serde(default)]
    pub extension: Option<String>,
    /// A disabled user can not sign in.
    #[serde(default)]
    pub disabled: bool,
}

/// A bearer token for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiToken {
    /// Its public id; given by the server.
    #[serde(default)]
    #[schema(required)]
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The extension that it acts for; required with role `agent`.
    #[serde(default)]
    pub extension: Option<String>,
    /// When it ends; none: never.
    #[serde(default)]
    pub expires_at: Option<String>,
}

/// A token that was just made. The text is shown here and never again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiTokenCreated {
    /// Its public id.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The extension that it acts for.
    pub extension: Option<String>,
    /// When it ends.
    pub expires_at: Option<String>,
    /// To be sent as `Authorization: Bearer <token>`.
    pub token: String,
}
