//! Leases without clocks: ages go in, verdicts come out.
//!
//! An owner serves for as long as its last confirmed contact with a quorum is younger than the
//! lease. The controller gives its shards away when it has been silent for longer than `dead`.
//! Both count from the same contact, the owner from its side's earlier moment, so with
//! `dead >= lease + heartbeat` the old owner has stopped before the new one begins, as long as
//! clocks run equally fast. Should they not, the epoch in each append still keeps the state whole.

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_kernel::Timestamp;

/// How patient owners and the controller are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    lease: Duration,
    dead: Duration,
}

/// Times that would let two owners speak at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a member may be called dead after its lease and one heartbeat, not before")]
pub struct PatienceError;

impl Patience {
    /// From the time between two signs of life, the lease, and the silence after which a member
    /// is dead.
    ///
    /// # Errors
    /// [`PatienceError`] when two owners could speak at once.
    pub fn new(
        heartbeat: Duration,
        lease: Duration,
        dead: Duration,
    ) -> Result<Self, PatienceError> {
        if dead < lease + heartbeat || lease.is_zero() {
            return Err(PatienceError);
        }
        Ok(Self { lease, dead })
    }

    /// How long an owner may speak after a contact.
    #[must_use]
    pub const fn lease(self) -> Duration {
        self.lease
    }
}

/// What an owner may do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may speak until that moment, unless a later contact moves it.
    Serve {
        /// The end.
        until: Timestamp,
    },
    /// It may not: it ends its actors and waits.
    Fenced,
}

/// The owner's side.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    patience: Patience,
    confirmed: Option<Timestamp>,
}

impl Lease {
    /// Without a contact yet: fenced.
    #[must_use]
    pub const fn new(patience: Patience) -> Self {
        Self { patience, confirmed: None }
    }

    /// A contact with a quorum was confirmed that was *asked for* at `asked`: counting from the
    /// answer would make the lease too long by the time on the way.
    pub fn confirm(&mut self, asked: Timestamp) {
        self.confirmed = self.confirmed.max(Some(asked));
    }

    /// Whether it may speak at `now`.
    #[must_use]
    pub fn verdict(&self, now: Timestamp) -> Verdict {
        match self.confirmed.map(|at| at + self.patience.lease) {
            Some(until) if now < until => Verdict::Serve { until },
            _ => Verdict::Fenced,
        }
    }
}

/// The controller's side.
#[derive(Clone, Debug)]
pub struct Liveness {
    patience: Patience,
    heard: BTreeMap<u64, Timestamp>,
}

impl Liveness {
    /// A controller that has just begun: it has heard of everybody now, since the one before may
    /// have confirmed contacts up to this moment.
    #[must_use]
    pub fn begin(patience: Patience, members: impl Iterator<Item = u64>, now: Timestamp) -> Self {
        Self { patience, heard: members.map(|node| (node, now)).collect() }
    }

    /// A member gave a sign of life that was answered at `now`.
    pub fn heard(&mut self, node: u64, now: Timestamp) {
        let last = self.heard.entry(node).or_insert(now);
        *last = (*last).max(now);
    }

    /// A member is out.
    pub fn forget(&mut self, node: u64) {
        self.heard.remove(&node);
    }

    /// Members whose shards may be given away at `now`.
    #[must_use]
    pub fn dead(&self, now: Timestamp) -> Vec<u64> {
        let silent = |at: &Timestamp| now.since(*at) >= self.patience.dead;
        self.heard.iter().filter(|(_, at)| silent(at)).map(|(node, _)| *node).collect()
    }
}
