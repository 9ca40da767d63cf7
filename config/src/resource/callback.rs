//! Callback routing: a customer who calls back reaches the agent who called last (section C).

use serde::{Deserialize, Serialize};

use super::DialHours;
use super::validate::Wrong;

/// Hours of a month.
const MONTH: u32 = 30 * 24;

/// Who takes a callback when the agent can not (C-006).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackMode {
    /// Nobody: the failure prompt is played (C-007).
    #[default]
    AgentOnly,
    /// Whoever the called number leads to (C-008).
    AgentFirst,
}

/// Which called numbers bring a customer back to the agent (C-018).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// Whom a customer reaches after a transfer (C-014).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackTarget {
    /// The agent who placed the call.
    #[default]
    PlacedBy,
    /// The agent who talked last.
    LastTalked,
}

/// The policy for callbacks (C-003, C-016, C-047).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// What is played when the callback fails, a name in the library (C-009).
    pub prompt: String,
    /// What is played before the agent rings; empty: nothing (C-037).
    pub announcement: String,
    /// How long an agent who is not free is waited for, in seconds, at most 10 (C-022).
    pub grace_secs: u8,
    /// How long the agent's phones ring, in seconds (C-023).
    pub ring_timeout_secs: u32,
    /// When it applies, in the time of `outbound.utc_offset_minutes`; empty: always (C-034).
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

impl CallbackPolicy {
    pub(super) fn check(&self, wrong: &mut Wrong) {
        let window = (1..=MONTH).contains(&self.window_hours);
        wrong.unless(window, "/callback/window_hours", "out-of-range", "1 to 720 hours");
        wrong.prompt(&self.prompt, "/callback/prompt");
        wrong.prompt_if_any(&self.announcement, "/callback/announcement");
        let grace = self.grace_secs <= 10;
        wrong.unless(grace, "/callback/grace_secs", "out-of-range", "at most 10 seconds");
        wrong.secs(self.ring_timeout_secs, 1, "/callback/ring_timeout_secs");
        for (index, hours) in self.hours.iter().enumerate() {
            let pointer = format!("/callback/hours/{index}");
            wrong.unless(hours.is_sound(), &pointer, "bad-hours", "days 1 to 7, from before until");
        }
    }
}
