//! What the leader does next about the journal's members. Pure.

use std::collections::BTreeSet;

use tandem_journal::Status;
use tandem_mesh::{Roster, State};

/// More voters make no write safer and each slower.
const MOST_VOTERS: usize = 5;

/// One change of the membership. They are made one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Somebody new, with an address.
    Add(u64, String),
    /// A member has another address.
    Move(u64, String),
    /// A learner gets a vote, once it is caught up.
    Promote(u64),
    /// Somebody was thrown out.
    Remove(u64),
}

/// The next step towards what the roster says; `linked` are the members that answer.
pub(crate) fn next(roster: &Roster, status: &Status, linked: &BTreeSet<u64>) -> Option<Step> {
    let known = || status.voters.iter().chain(&status.learners);
    let removed = known().find(|peer| {
        roster.members.get(&peer.node).is_some_and(|member| member.state == State::Removed)
    });
    if let Some(peer) = removed {
        return Some(Step::Remove(peer.node));
    }
    for member in roster.active() {
        match known().find(|peer| peer.node == member.node) {
            None => return Some(Step::Add(member.node, member.address.clone())),
            Some(peer) if peer.address != member.address => {
                return Some(Step::Move(member.node, member.address.clone()));
            }
            Some(_) => {}
        }
    }
    let ready = status.learners.iter().filter(|peer| linked.contains(&peer.node));
    let ready: Vec<u64> = ready.map(|peer| peer.node).collect();
    // Of two voters both are needed: the death of either would stop all writes. So votes are
    // given to two at a time.
    let is_odd = status.voters.len() % 2 == 1;
    if status.voters.len() >= MOST_VOTERS || (is_odd && ready.len() < 2) {
        return None;
    }
    ready.first().map(|node| Step::Promote(*node))
}
