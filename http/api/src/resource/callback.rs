//! Callback routing: a customer who calls back reaches the agent who called last.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::DialHours;

/// Who takes a callback when the agent can not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallbackMode {
    /// Nobody: the failure prompt is played.
    #[default]
    AgentOnly,
    /// Whoever the called number leads to.
    AgentFirst,
}

/// Which called numbers bring a customer back to the agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DidScope {
    /// The number that the customer saw.
    #[default]
    SameNumber,
    /// Any number of the same channel category.
    SameCategory,
    /// Any number.
    Any,
}

/// Whom a customer reaches after a transfer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallbackTarget {
    /// The agent who placed the call.
    #[default]
    PlacedBy,
    /// The agent who talked last.
    LastTalked,
}

/// The policy for callbacks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CallbackPolicy {
    /// Whether callbacks go to the last agent; an inbound route may say otherwise.
    pub enabled: bool,
    /// What happens when the agent can not take it.
    pub mode: CallbackMode,
    /// How long after the outbound call began, in hours, 1 to 720.
    pub window_hours: u32,
    /// Which called numbers count.
    pub did_scope: DidScope,
    /// Whom the customer reaches.
    pub target: CallbackTarget,
    /// What is played when the callback fails, a name in the library.
    pub prompt: String,
    /// What is played before the agent rings; empty: nothing.
    pub announcement: String,
    /// How long an agent who is not free is waited for, in seconds, at most 10.
    pub grace_secs: u8,
    /// How long the agent's phones ring, in seconds.
    pub ring_timeout_secs: u32,
    /// When it applies, in the time of `outbound.utc_offset_minutes`; empty: always.
    pub hours: Vec<DialHours>,
}

impl Default for CallbackPolicy {
    fn default() -> Self {
        Self {
            enabled: false,
            mode: CallbackMode::AgentOnly,
            window_hours: 72,
            did_scope: DidScope::SameNumber,
            target: CallbackTarget::PlacedBy,
            prompt: "unavailable".into(),
            announcement: String::new(),
            grace_secs: 0,
            ring_timeout_secs: 20,
            hours: Vec::new(),
        }
    }
}
