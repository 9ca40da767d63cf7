//! What the leader does next about the table. Pure: the leader's shell asks every [`LOOK`] and
//! appends the change.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tandem_kernel::Timestamp;

use super::{Change, SHARDS, Table};
use crate::lease::{Liveness, Patience};
use crate::{Roster, State};

/// Between two looks of the leader, and of an owner at its lease.
pub const LOOK: Duration = Duration::from_millis(50);

/// The leader's signs of life.
pub const HEARTBEAT: Duration = Duration::from_millis(50);

/// Silence after which a member's shards are given away.
pub const DEAD: Duration = Duration::from_millis(600);

/// How long a member has to answer before it is given any: one that comes and goes would only
/// move callers about.
pub const STEADY: Duration = Duration::from_secs(2);

/// What the table says of members.
#[derive(Clone, Debug, Default)]
pub struct Members {
    /// Those that are given shards.
    pub takers: BTreeSet<u64>,
    /// Those that died and have not come back.
    pub left: BTreeSet<u64>,
}

/// The table as far as a member has read, and who died.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    table: Table,
    left: BTreeSet<u64>,
    /// Those whose calls are handed on, and that have not left yet.
    leaving: BTreeSet<u64>,
    version: u64,
}

impl Default for Known {
    fn default() -> Self {
        let (left, leaving) = (BTreeSet::new(), BTreeSet::new());
        Self { table: Table::new(SHARDS), left, leaving, version: 0 }
    }
}

impl Known {
    /// Takes the change that made `version` of the table at `index` of the journal; false: it
    /// changed nothing.
    pub fn take(&mut self, index: u64, version: u64, change: Change) -> bool {
        self.version = version;
        // One that two leaders made changes nothing the second time, on every member.
        let is_new = match change {
            Change::Leave(node) => {
                self.leaving.remove(&node);
                self.left.insert(node)
            }
            Change::HandOn(node) => !self.left.contains(&node) && self.leaving.insert(node),
            Change::Join(node) => {
                self.leaving.remove(&node);
                self.left.remove(&node);
                true
            }
            Change::Drain(_) => true,
        };
        let has_moved = self.table.step(index, change).is_ok();
        let are_calls_left = change.bereft().is_some() && is_new;
        has_moved || are_calls_left
    }

    /// The table.
    #[must_use]
    pub const fn table(&self) -> &Table {
        &self.table
    }

    /// What the table says of members.
    #[must_use]
    pub fn members(&self) -> Members {
        Members { takers: self.table.takers().clone(), left: self.left.clone() }
    }

    /// The version of the table.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }
}

/// The next change. `dead` are members that may be given up, `steady` those that have answered
/// for some time. What is taken away goes before what is given: callers wait for it. One that
/// has no shards is given up as well: its calls are taken over.
#[must_use]
pub fn next(
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

/// For how long the leader of before had no quorum when the next one was elected, as far as that
/// one knows, which had contact `unheard_for` ago. Nobody votes for another within the lease of a
/// leader, unless it has handed the lead over: then it was heard until now.
#[must_use]
pub fn silence_of_before(unheard_for: Option<Duration>, lease: Duration) -> Duration {
    if unheard_for.is_some_and(|age| age >= lease) { lease } else { Duration::ZERO }
}

/// What a leader has seen of the others since it leads.
#[derive(Clone, Debug)]
pub struct Watch {
    patience: Patience,
    liveness: Liveness,
    /// Since when each member has answered without a pause.
    since: BTreeMap<u64, Timestamp>,
}

impl Watch {
    /// Begins with the members, and the leader of before with the silence by which those who
    /// voted knew that it led no more: it has had no quorum since.
    #[must_use]
    pub fn begin(
        patience: Patience,
        members: impl Iterator<Item = u64>,
        of_before: Option<(u64, Duration)>,
        now: Timestamp,
    ) -> Self {
        let members: Vec<u64> = members.collect();
        let silent = of_before.map(|(leader, _)| leader);
        let others = members.iter().copied().filter(|node| Some(*node) != silent);
        let mut liveness = Liveness::begin(patience, others, now);
        if let Some((leader, silence)) = of_before.filter(|it| members.contains(&it.0)) {
            liveness.heard(leader, now - silence);
        }
        Self { patience, liveness, since: BTreeMap::new() }
    }

    /// Takes in how long ago each other member was asked the last question that it answered.
    pub fn look(&mut self, own: u64, answers: &BTreeMap<u64, Duration>, now: Timestamp) {
        self.liveness.heard(own, now);
        self.since.entry(own).or_insert(now - STEADY);
        self.since.retain(|node, _| *node == own || answers.contains_key(node));
        for (node, age) in answers {
            self.liveness.heard(*node, now - *age);
            if *age >= self.patience.lease() {
                self.since.insert(*node, now);
            }
            self.since.entry(*node).or_insert(now);
        }
    }

    /// Members that may be given up.
    #[must_use]
    pub fn dead(&self, now: Timestamp) -> BTreeSet<u64> {
        self.liveness.dead(now).into_iter().collect()
    }

    /// Members that have answered for some time.
    #[must_use]
    pub fn steady(&self, now: Timestamp) -> BTreeSet<u64> {
        let steady = self.since.iter().filter(|(_, since)| now.since(**since) >= STEADY);
        steady.map(|(node, _)| *node).collect()
    }
}
