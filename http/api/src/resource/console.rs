//! What a user has arranged for themselves in the panel.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Tile;

/// Queues that a user looks at together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueGroup {
    /// Its name, 1 to 63 characters; no other group of the user has it.
    pub name: String,
    /// The queues' numbers, 1 to 99. One that was deleted is passed over.
    pub queues: Vec<String>,
    /// Below so many percent the service level is shown as an alarm, 1 to 100.
    #[serde(default = "four_fifths")]
    pub alarm_threshold_percent: u8,
}

/// A user's own arrangement of the queue panel and of the wallboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Console {
    /// The user's sign-in name; never changes.
    pub name: String,
    /// Groups of queues in the order in which they are offered, at most 20.
    #[serde(default)]
    pub groups: Vec<QueueGroup>,
    /// Below so many percent the service level of all queues together is shown as an alarm,
    /// 1 to 100.
    #[serde(default = "four_fifths")]
    pub alarm_threshold_percent: u8,
    /// The tiles for all queues together, or a group; empty: the usual ones.
    #[serde(default)]
    pub all: Vec<Tile>,
    /// The tiles for any single queue; empty: the usual ones.
    #[serde(default)]
    pub single: Vec<Tile>,
    /// How long each view stays when they alternate, 5 to 3600.
    #[serde(default = "half_a_minute")]
    pub rotation_secs: u32,
}

fn four_fifths() -> u8 {
    80
}

fn half_a_minute() -> u32 {
    30
}
