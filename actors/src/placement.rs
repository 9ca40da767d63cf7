//! Which member of a cluster runs which queue and agent, and whether this one may speak for what
//! it owns.
//!
//! The table is the cluster's own (it is in the journal); here it is only asked. An owner that
//! has not heard of a quorum for its lease is silent: somebody else may have its queues by now.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use tandem_journal::{Journal, Kind};
use tokio::sync::watch;

/// How long an owner may speak after its last contact with a quorum. A member is called dead
/// later than this.
pub const LEASE: Duration = Duration::from_millis(500);

/// The epoch of a node that is alone: it has owned everything since its first start.
const ALONE: u64 = 1;

/// Where the table puts an entity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seat {
    /// The member; none before the first one was placed.
    pub member: Option<u64>,
    /// Since when, as a number that grows with each move.
    pub epoch: u64,
}

impl Seat {
    /// Who runs the entity, as the member `own` sees it, which has heard an owner of the epoch
    /// `heard`: a later one than that of the seat has it by now, wherever that is.
    #[must_use]
    pub const fn owner(self, own: u64, may_speak: bool, heard: u64) -> Owner {
        match self.member {
            Some(member) if member != own => Owner::There(member),
            Some(_) if may_speak && heard <= self.epoch => Owner::Here { epoch: self.epoch },
            Some(_) | None => Owner::Nobody,
        }
    }

    /// Whether the entity has been moved since an owner's epoch.
    #[must_use]
    pub const fn outdates(self, epoch: u64) -> bool {
        self.epoch > epoch
    }
}

/// The highest epoch in which each queue and agent was heard: one whose move is not known here
/// yet may not be followed by a word of the owner before.
#[derive(Clone, Debug, Default)]
pub struct Heard(BTreeMap<Kind, BTreeMap<String, u64>>);

impl Heard {
    /// Notes an owner's word; false when a later one was heard before.
    pub fn note(&mut self, kind: Kind, key: &str, epoch: u64) -> bool {
        let keys = self.0.entry(kind).or_default();
        let Some(last) = keys.get_mut(key) else {
            keys.insert(key.to_owned(), epoch);
            return true;
        };
        *last = (*last).max(epoch);
        *last == epoch
    }

    /// The epoch; 0: none was heard.
    #[must_use]
    pub fn epoch(&self, kind: Kind, key: &str) -> u64 {
        self.0.get(&kind).and_then(|keys| keys.get(key)).copied().unwrap_or_default()
    }
}

/// Whether an owner may speak whose last contact with a quorum has this age.
#[must_use]
pub fn may_speak(contact_age: Option<Duration>) -> bool {
    contact_age.is_some_and(|age| age < LEASE)
}

/// Since when entities are where they are, as an actor that speaks with them has seen it last.
/// Pure.
///
/// What it says goes to where its member reads them to be, which may be behind: what is said to an
/// entity that has been moved is lost. So who reads of a move begins anew with the one that moved.
#[derive(Clone, Debug, Default)]
pub struct Moves(BTreeMap<String, u64>);

impl Moves {
    /// Looks at all entities that matter, with the epoch of each; gives those that have been moved
    /// since the last look. One that is looked at for the first time has not.
    pub fn look<'a>(
        &mut self,
        keys: impl IntoIterator<Item = &'a str>,
        epoch: impl Fn(&str) -> u64,
    ) -> Vec<String> {
        let seen: BTreeMap<String, u64> =
            keys.into_iter().map(|key| (key.to_owned(), epoch(key))).collect();
        let before = std::mem::replace(&mut self.0, seen);
        let has_moved =
            |(key, epoch): &(&String, &u64)| before.get(*key).is_some_and(|it| it != *epoch);
        self.0.iter().filter(has_moved).map(|(key, _)| key.clone()).collect()
    }
}

/// Asks the table.
pub type Locate = Box<dyn Fn(Kind, &str) -> Seat + Send + Sync>;

/// Who runs an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This node.
    Here {
        /// Since when.
        epoch: u64,
    },
    /// Another member.
    There(u64),
    /// Nobody that is known here, or this node, which must be silent.
    Nobody,
}

struct Shared {
    journal: Journal,
    locate: Locate,
    heard: Mutex<Heard>,
}

/// Where queues and agents are.
pub struct Placement {
    shared: Option<Shared>,
    changes: watch::Sender<u64>,
}

impl Default for Placement {
    fn default() -> Self {
        Self { shared: None, changes: watch::Sender::new(0) }
    }
}

impl Placement {
    /// For a member of a cluster.
    #[must_use]
    pub fn shared(journal: Journal, locate: Locate) -> Self {
        let shared = Shared { journal, locate, heard: Mutex::default() };
        Self { shared: Some(shared), changes: watch::Sender::new(0) }
    }

    /// Who runs an entity.
    #[must_use]
    pub fn owner(&self, kind: Kind, key: &str) -> Owner {
        let Some(shared) = &self.shared else { return Owner::Here { epoch: ALONE } };
        let heard = shared.heard.lock().epoch(kind, key);
        (shared.locate)(kind, key).owner(shared.journal.node(), self.may_speak(), heard)
    }

    /// Since when this node owns the entity, if it does and may speak for it.
    #[must_use]
    pub fn owned_since(&self, kind: Kind, key: &str) -> Option<u64> {
        match self.owner(kind, key) {
            Owner::Here { epoch } => Some(epoch),
            Owner::There(_) | Owner::Nobody => None,
        }
    }

    /// Since when an entity is where it is.
    #[must_use]
    pub fn epoch(&self, kind: Kind, key: &str) -> u64 {
        self.shared.as_ref().map_or(ALONE, |shared| (shared.locate)(kind, key).epoch)
    }

    /// Hears an owner's word. Whether it is out of date: its entity has been moved since, as the
    /// table has it or a later owner has said.
    #[must_use]
    pub fn is_outdated(&self, kind: Kind, key: &str, epoch: u64) -> bool {
        self.shared.as_ref().is_some_and(|shared| {
            (shared.locate)(kind, key).outdates(epoch)
                || !shared.heard.lock().note(kind, key, epoch)
        })
    }

    /// Whether this node has heard of a quorum within its lease.
    #[must_use]
    pub fn may_speak(&self) -> bool {
        self.shared.as_ref().is_none_or(|shared| may_speak(shared.journal.contact_age()))
    }

    /// Tells who watches that the table, or this node's right to speak, is another now.
    pub fn note_change(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Follows changes.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
