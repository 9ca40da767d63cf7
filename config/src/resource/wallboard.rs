//! Wallboards: which figures stand where on a screen that a whole room sees (section 22).

use serde::{Deserialize, Serialize};

/// Columns of a wallboard's grid.
pub const COLUMNS: u8 = 12;
/// Rows of a wallboard's grid.
pub const ROWS: u8 = 24;

/// What a tile shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Date and time of the node.
    Clock,
    /// Callers who wait now.
    Waiting,
    /// The longest wait of those who wait now.
    LongestWait,
    /// Calls that agents talk with now.
    Active,
    /// Agents who could take a call now.
    IdleAgents,
    /// Agents who are logged in, of all.
    LoggedInAgents,
    /// Answered calls.
    Answered,
    /// All calls.
    Total,
    /// Missed calls.
    Missed,
    /// Abandoned calls.
    Abandoned,
    /// Answered of all.
    AnsweredRate,
    /// Missed of all.
    MissedRate,
    /// Abandoned of all.
    AbandonedRate,
    /// Callbacks that are asked for and open.
    WaitingCallbacks,
    /// Answered in time, of all.
    ServiceLevel,
}

/// A figure in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tile {
    /// What it shows.
    pub figure: Figure,
    /// The column of its left edge, from 0.
    pub column: u8,
    /// The row of its upper edge, from 0.
    pub row: u8,
    /// In columns.
    pub width: u8,
    /// In rows.
    pub height: u8,
    /// Whether it stays where it is when others are moved.
    #[serde(default)]
    pub locked: bool,
    /// What stands at its foot.
    #[serde(default)]
    pub description: String,
}

impl Tile {
    /// Whether two tiles lie over each other.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let apart = |a: u8, a_size: u8, b: u8, b_size: u8| {
            a.saturating_add(a_size) <= b || b.saturating_add(b_size) <= a
        };
        !apart(self.column, self.width, other.column, other.width)
            && !apart(self.row, self.height, other.row, other.height)
    }
}

/// A wallboard. It is found by its name and shared by those who may see wallboards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wallboard {
    /// Its name.
    pub name: String,
    /// The tiles for all queues together; empty: the usual ones.
    #[serde(default)]
    pub all: Vec<Tile>,
    /// The tiles for any single queue; empty: the usual ones.
    #[serde(default)]
    pub single: Vec<Tile>,
    /// How long each view stays when they alternate.
    #[serde(default = "half_a_minute")]
    pub rotation_secs: u32,
}

fn half_a_minute() -> u32 {
    30
}
