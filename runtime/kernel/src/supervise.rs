//! When a failed actor is started again, and when its supervisor gives up.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use ractor::{ActorCell, ActorId, SupervisionEvent};

use crate::Timestamp;

/// How often an actor may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restart {
    /// Restarts allowed within [`within`](Self::within).
    pub limit: u32,
    /// The span over which restarts are counted.
    pub within: Duration,
    /// The wait before the second restart in a row; the first is at once, each later wait is
    /// twice as long.
    pub backoff: Duration,
    /// The longest wait.
    pub most_backoff: Duration,
}

impl Default for Restart {
    fn default() -> Self {
        Self {
            limit: 5,
            within: Duration::from_secs(30),
            backoff: Duration::from_millis(100),
            most_backoff: Duration::from_secs(5),
        }
    }
}

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Start it again after this wait.
    Restart {
        /// Zero for the first failure in a while.
        after: Duration,
    },
    /// It fails too often: leave it down and tell someone.
    GiveUp,
}

/// The failures of one actor so far.
#[derive(Clone, Debug, Default)]
pub struct Intensity {
    failures: VecDeque<Timestamp>,
}

impl Intensity {
    /// Counts a failure at `now` and decides.
    pub fn failed(&mut self, now: Timestamp, policy: &Restart) -> Decision {
        while self.failures.front().is_some_and(|at| now.since(*at) > policy.within) {
            self.failures.pop_front();
        }
        let before = u32::try_from(self.failures.len()).unwrap_or(u32::MAX);
        if before >= policy.limit {
            return Decision::GiveUp;
        }
        self.failures.push_back(now);
        let after = match before.checked_sub(1) {
            None => Duration::ZERO,
            Some(doublings) => policy
                .backoff
                .saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
                .min(policy.most_backoff),
        };
        Decision::Restart { after }
    }
}

/// How a child ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By its own will or its supervisor's.
    Stopped,
    /// By a panic, an error or a kill.
    Failed {
        /// The actor's words.
        why: String,
        /// What to do.
        decision: Decision,
    },
}

/// The children of a supervisor, one for one: each is restarted alone, on its own count.
#[derive(Debug)]
pub struct Children<K> {
    policy: Restart,
    running: HashMap<ActorId, K>,
    intensities: HashMap<K, Intensity>,
}

impl<K: Clone + Eq + Hash> Children<K> {
    /// No children yet.
    #[must_use]
    pub fn new(policy: Restart) -> Self {
        Self { policy, running: HashMap::new(), intensities: HashMap::new() }
    }

    /// Notes that the child `key` runs as `actor`.
    pub fn started(&mut self, key: K, actor: &ActorCell) {
        self.running.insert(actor.get_id(), key);
    }

    /// Reads an event in `handle_supervisor_evt`: which child ended and how; `None` for what is
    /// no child's end. After [`Ended::Stopped`] and [`Decision::GiveUp`] the child is forgotten.
    pub fn ended(&mut self, now: Timestamp, event: &SupervisionEvent) -> Option<(K, Ended)> {
        let (actor, why) = match event {
            SupervisionEvent::ActorFailed(actor, error) => (actor, Some(error.to_string())),
            SupervisionEvent::ActorTerminated(actor, _, reason) => {
                let killed = reason.as_deref() == Some("killed");
                (actor, killed.then(|| "killed".to_owned()))
            }
            SupervisionEvent::ActorStarted(_)
            | SupervisionEvent::ProcessGroupChanged(_)
            | SupervisionEvent::PidLifecycleEvent(_) => return None,
        };
        let key = self.running.remove(&actor.get_id())?;
        let Some(why) = why else {
            self.intensities.remove(&key);
            return Some((key, Ended::Stopped));
        };
        let intensity = self.intensities.entry(key.clone()).or_default();
        let decision = intensity.failed(now, &self.policy);
        if decision == Decision::GiveUp {
            self.intensities.remove(&key);
        }
        Some((key, Ended::Failed { why, decision }))
    }

    /// How many run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.len()
    }
}
