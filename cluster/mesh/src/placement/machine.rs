//! The table of shards as a value. Rendezvous hashing with a bound on each member's share: a
//! change moves no shard that need not move, and nobody has more than one shard above another.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::Refusal;

/// FNV-1a's 64-bit prime.
pub(crate) const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// Spreads a number over all 64 bits (the finaliser of SplitMix64). Its values are part of the
/// cluster's state: it never changes.
pub(crate) const fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Where a shard is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The member that runs it; `None` before the first member.
    pub node: Option<u64>,
    /// Grows with each move; an owner with a lower one is refused by the journal.
    pub epoch: u64,
}

/// What changes the table. Nothing else does: load does not, a restart does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// A member takes shards.
    Join(u64),
    /// A member is gone.
    Leave(u64),
    /// A member gives its shards away and takes none.
    Drain(u64),
    /// A member is about to leave: others go on with its calls, and use its ways to phones until
    /// it has left. Since level 3 of the members' language.
    HandOn(u64),
}

impl Change {
    /// The member whose calls others go on with.
    #[must_use]
    pub const fn bereft(self) -> Option<u64> {
        match self {
            Self::Leave(node) | Self::HandOn(node) => Some(node),
            Self::Join(_) | Self::Drain(_) => None,
        }
    }
}

/// A shard that has a new owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The shard.
    pub shard: u16,
    /// Who had it.
    pub from: Option<u64>,
    /// Who has it; `None`: nobody is left.
    pub to: Option<u64>,
    /// The new owner's epoch.
    pub epoch: u64,
}

/// All shards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    slots: Vec<Slot>,
    takers: BTreeSet<u64>,
}

impl Table {
    /// An empty table of `shards` shards.
    #[must_use]
    pub fn new(shards: u16) -> Self {
        Self { slots: vec![Slot::default(); usize::from(shards)], takers: BTreeSet::new() }
    }

    /// Where a shard is.
    #[must_use]
    pub fn slot(&self, shard: u16) -> Slot {
        self.slots.get(usize::from(shard)).copied().unwrap_or_default()
    }

    /// Members that take shards.
    #[must_use]
    pub const fn takers(&self) -> &BTreeSet<u64> {
        &self.takers
    }

    /// Shards of each taker.
    #[must_use]
    pub fn loads(&self) -> BTreeMap<u64, usize> {
        let mut loads: BTreeMap<u64, usize> = self.takers.iter().map(|node| (*node, 0)).collect();
        for node in self.slots.iter().filter_map(|slot| slot.node) {
            *loads.entry(node).or_default() += 1;
        }
        loads
    }

    /// Takes one change; gives the moves that it makes, each of an epoch that the shard never
    /// had. `epoch` is a number above all before, such as the change's own place in the journal.
    ///
    /// # Errors
    /// [`Refusal::NotPossible`] when the epoch is not new or the change is none.
    pub fn step(&mut self, epoch: u64, change: Change) -> Result<Vec<Moved>, Refusal> {
        if self.slots.iter().any(|slot| slot.epoch >= epoch) {
            return Err(Refusal::NotPossible);
        }
        match change {
            Change::Join(node) if self.takers.insert(node) => Ok(self.join(node, epoch)),
            Change::Leave(node) | Change::Drain(node) | Change::HandOn(node)
                if self.takers.remove(&node) =>
            {
                Ok(self.leave(node, epoch))
            }
            _ => Err(Refusal::NotPossible),
        }
    }

    /// The newcomer takes its share, always from who has most, and there what it scores best on.
    fn join(&mut self, node: u64, epoch: u64) -> Vec<Moved> {
        if self.takers.len() == 1 {
            return (0..self.shards()).map(|shard| self.give(shard, Some(node), epoch)).collect();
        }
        let share = self.slots.len() / self.takers.len();
        let mut liked: Vec<u16> = (0..self.shards()).collect();
        liked.sort_unstable_by_key(|shard| Reverse(score(*shard, node)));
        let mut loads = self.loads();
        let mut moves = Vec::with_capacity(share);
        while moves.len() < share {
            let most = loads.values().max().copied();
            let full = |owner: &u64| *owner != node && loads.get(owner).copied() == most;
            let is_taken = |shard: &&u16| self.slot(**shard).node.as_ref().is_some_and(full);
            let Some(shard) = liked.iter().find(is_taken).copied() else { break };
            let moved = self.give(shard, Some(node), epoch);
            *loads.entry(node).or_default() += 1;
            if let Some(load) = moved.from.and_then(|from| loads.get_mut(&from)) {
                *load -= 1;
            }
            moves.push(moved);
        }
        moves
    }

    /// Each shard of who leaves goes to the best scorer among those with the least.
    fn leave(&mut self, node: u64, epoch: u64) -> Vec<Moved> {
        let orphans: Vec<u16> =
            (0..self.shards()).filter(|shard| self.slot(*shard).node == Some(node)).collect();
        let mut loads = self.loads();
        loads.retain(|taker, _| self.takers.contains(taker));
        orphans
            .into_iter()
            .map(|shard| {
                let least = loads.values().min().copied();
                let best = loads
                    .iter_mut()
                    .filter(|(_, load)| Some(**load) == least)
                    .max_by_key(|(taker, _)| score(shard, **taker));
                let best = best.map(|(taker, load)| {
                    *load += 1;
                    *taker
                });
                self.give(shard, best, epoch)
            })
            .collect()
    }

    fn give(&mut self, shard: u16, to: Option<u64>, epoch: u64) -> Moved {
        let slot = &mut self.slots[usize::from(shard)];
        let from = slot.node;
        *slot = Slot { node: to, epoch };
        Moved { shard, from, to, epoch }
    }

    fn shards(&self) -> u16 {
        u16::try_from(self.slots.len()).expect("it was made from such a number")
    }
}

/// How much a member likes a shard.
const fn score(shard: u16, node: u64) -> u64 {
    mix(mix(node) ^ shard as u64)
}
