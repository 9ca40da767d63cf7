//! Sign-in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::resource::Role;

/// A name and its password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The user's name.
    pub name: String,
    /// The password.
    #[schema(write_only)]
    pub password: String,
}

/// A session that was opened. The token is shown here and never again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// To be sent as `Authorization: Bearer <token>`.
    pub token: String,
    /// When the session ends if it is not closed before; it also ends when it is not used.
    pub expires_at: String,
    /// Who signed in.
    pub principal: Principal,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Principal {
    /// `user:alice` or `token:<id>`.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The extension that it acts for.
    pub extension: Option<String>,
}
