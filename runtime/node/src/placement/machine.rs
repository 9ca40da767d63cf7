//! What the leader does next about the table of placement. Pure.

use std::collections::BTreeSet;

use tandem_mesh::placement::Change;
use tandem_mesh::{Roster, State};

/// The next change. `dead` are members that may be given up, `steady` those that have answered
/// for some time. What is taken away goes before what is given: callers wait for it.
pub(crate) fn next(
    takers: &BTreeSet<u64>,
    roster: &Roster,
    dead: &BTreeSet<u64>,
    steady: &BTreeSet<u64>,
) -> Option<Change> {
    let state = |node: &u64| roster.members.get(node).map(|member| member.state);
    let gone =
        |node: &&u64| dead.contains(node) || matches!(state(node), None | Some(State::Removed));
    if let Some(node) = takers.iter().find(gone) {
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
