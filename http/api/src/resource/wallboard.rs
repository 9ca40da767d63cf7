//! Wallboards.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a tile shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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

/// A figure in its place; the grid has 12 columns and 24 rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
    /// What stands at its foot; at most 120 characters.
    #[serde(default)]
    pub description: String,
}

/// A wallboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wallboard {
    /// Its name, 1 to 63 letters, digits, `-` and `_`; never changes.
    pub name: String,
    /// The tiles for all queues together; empty: the usual ones.
    #[serde(default)]
    pub all: Vec<Tile>,
    /// The tiles for any single queue; empty: the usual ones.
    #[serde(default)]
    pub single: Vec<Tile>,
    /// How long each view stays when they alternate, 5 to 3600.
    #[serde(default = "half_a_minute")]
    pub rotation_secs: u32,
}

fn half_a_minute() -> u32 {
    30
}
