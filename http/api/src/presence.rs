//! What people are doing, and what a change of it does to their agents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PresenceStatus {
    /// At work.
    Available,
    /// Not there.
    Away,
    /// On a business trip.
    BusinessTrip,
    /// Not to be disturbed.
    DoNotDisturb,
    /// At lunch.
    LunchBreak,
    /// Off work.
    OffWork,
}

/// What a status does to the agent when it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum PresenceAction {
    /// Nothing.
    Nothing,
    /// Logs in to all queues; static agents are resumed.
    LogIn,
    /// Logs in to the queues of the last log-in.
    LogInLast,
    /// Logs out of all queues.
    LogOut,
    /// Pauses in all queues.
    Pause {
        /// A reason code of the settings, e.g. `*02`.
        #[serde(default)]
        reason: Option<String>,
    },
}

/// What somebody does now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PresenceWish {
    /// The status.
    pub status: PresenceStatus,
}

/// What each status is to do; one that is left out does nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PresenceActions {
    /// By status.
    pub actions: BTreeMap<PresenceStatus, PresenceAction>,
}

/// The presence of an extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Presence {
    /// The extension.
    pub extension: String,
    /// What its user is doing.
    pub status: PresenceStatus,
    /// Since when; null: it was never set.
    pub since: Option<String>,
    /// What a change of status does to the agent, by status.
    pub actions: BTreeMap<PresenceStatus, PresenceAction>,
}
