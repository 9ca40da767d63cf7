//! What the leader does next about the table of placement. Pure.

use std::collections::BTreeSet;

use tandem_mesh::placement::Change;
use tandem_mesh::{Roster, State};

/// What the table says of members.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    /// Those that are given shards.
    pub(crate) takers: BTreeSet<u64>,
    /// Those that died and have not come back.
    pub(crate) left: BTreeSet<u64>,
}

/// The next change. `dead` are members that may be given up, `steady` those that have answered
/// for some time. What is taken away goes before what is given: callers wait for it. One that
/// has no shards is given up as well: its calls are taken over.
pub(crate) fn next(
    known: &Members,
    roster: &Roster,
    dead: &BTreeSet<u64>,
    steady: &BTreeSet<u64>,
) -> Option<Change> {
    let Members { takers, left } = known;
    let state = |node: &u64| roster.members.get(node).map(|member| member.state);
    let is_removed = |node: &u64| matches!(state(node), None | Some(State::Removed));
    let gone = takers.iter().chain(roster.members.keys()).find(|node| {
        let is_dead = dead.contains(node) && !left.contains(node) && !is_removed(node);
        is_dead || (takers.contains(node) && is_removed(node))
    });
    if let Some(node) = gone {
        return Some(Change::Leave(*node));
    }
    if let Some(node) = takers.iter().find(|node| state(node) == Some(State::Draining)) {
        return Some(Change::Drain(*node));
    }
    let up = roster.members.values().filter(|member| member.state == State::Up);
    let new = up
        .map(|member| member.node)
        .find(|node| !takers.contains(node) && steady.contains(node) && !dead.contains(node));
    new.map(Change::Join)
}
