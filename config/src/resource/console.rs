//! What a user has arranged for themselves in the panel: groups of queues, and the tiles of the
//! own wallboard.

use serde::{Deserialize, Serialize};

use super::Tile;

/// Queues that a user looks at together. Its place in the list is its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueGroup {
    /// Its name, its user's alone.
    pub name: String,
    /// The queues' numbers. One that was deleted is passed over.
    pub queues: Vec<String>,
    /// Below so many percent the service level is shown as an alarm.
    #[serde(default = "four_fifths")]
    pub alarm_threshold_percent: u8,
}

/// A user's own arrangement of the panel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Console {
    /// The user's sign-in name.
    pub name: String,
    /// Groups of queues in the order in which they are offered.
    #[serde(default)]
    pub groups: Vec<QueueGroup>,
    /// The same for all queues together.
    #[serde(default = "four_fifths")]
    pub alarm_threshold_percent: u8,
    /// The own tiles for all queues together, or a group; empty: the usual ones.
    #[serde(default)]
    pub all: Vec<Tile>,
    /// The own tiles for any single queue; empty: the usual ones.
    #[serde(default)]
    pub single: Vec<Tile>,
    /// How long each view stays when they alternate.
    #[serde(default = "half_a_minute")]
    pub rotation_secs: u32,
}

impl Console {
    /// That of a user who has arranged nothing yet.
    #[must_use]
    pub fn usual(name: String) -> Self {
        Self {
            name,
            groups: Vec::new(),
            alarm_threshold_percent: four_fifths(),
            all: Vec::new(),
            single: Vec::new(),
            rotation_secs: half_a_minute(),
        }
    }
}

fn four_fifths() -> u8 {
    80
}

fn half_a_minute() -> u32 {
    30
}
