//! When this member last had contact with a leader whom a quorum follows; and what the leader tells
//! each member of that.
//!
//! An owner speaks for as long as its last contact is young, and whoever leads gives its shards
//! away when it has not answered for somewhat longer. So both count from the same moment: when the
//! leader asked the last question that this member, and a quorum, has answered. A leader that was
//! cut off together with some members goes on asking them, and one that does not hear a member is
//! heard by it, perhaps.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use openraft::async_runtime::WatchReceiver;
use openraft::{Instant as _, Raft};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use crate::group::Group;
use crate::state::State;

/// Between two beats of this node's pulse.
const PULSE: Duration = Duration::from_millis(20);

/// The last contact. After a pause that is as long as the lease of a leader this member may have
/// been given up: it has contact again when it has applied what was committed by then.
#[derive(Debug)]
pub(crate) struct Contact {
    lease: Duration,
    last: Mutex<Last>,
    /// The last beat and the one before.
    beats: Mutex<(Instant, Instant)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Last {
    at: Option<Instant>,
    /// A contact that counts when so much is applied.
    behind: Option<(u64, Instant)>,
}

impl Contact {
    pub(crate) fn new(lease: Duration) -> Self {
        let now = Instant::now();
        Self { lease, last: Mutex::default(), beats: Mutex::new((now, now)) }
    }

    /// The moment of a contact that had the age `age` when the leader asked what is heard now. It
    /// is counted from the beat before the last one: a node that was stopped hears first what was
    /// said long ago, and its last beat may be as fresh as that.
    pub(crate) fn asked(&self, age: Duration) -> Option<Instant> {
        self.beats.lock().1.checked_sub(age)
    }

    /// The question was taken, when entries before `applied` were applied here and those before
    /// `committed` were committed, as the leader knows; none: it has just been elected and does
    /// not know yet what was committed before, so that after a pause its contact proves nothing.
    pub(crate) fn note(&self, asked: Option<Instant>, applied: u64, committed: Option<u64>) {
        let Some(asked) = asked else { return };
        let mut last = self.last.lock();
        let goes_on = last.at.is_some_and(|at| at.elapsed() < self.lease);
        if goes_on || committed.is_some_and(|committed| applied >= committed) {
            *last = Last { at: last.at.max(Some(asked)), behind: None };
            return;
        }
        let Some(committed) = committed else { return };
        let (needed, then) = *last.behind.get_or_insert((committed, asked));
        if applied >= needed {
            *last = Last { at: last.at.max(Some(then)), behind: Some((committed, asked)) };
        }
    }

    /// The age of the last contact.
    pub(crate) fn age(&self) -> Option<Duration> {
        self.last.lock().at.map(|at| at.elapsed())
    }

    /// Keeps the pulse, for as long as somebody asks for contacts.
    pub(crate) async fn keep_pulse(self: Arc<Self>) {
        let contact = Arc::downgrade(&self);
        drop(self);
        while let Some(contact) = contact.upgrade() {
            {
                let mut beats = contact.beats.lock();
                *beats = (Instant::now(), beats.0);
            }
            drop(contact);
            sleep(PULSE).await;
        }
    }
}

/// The leader's side: how old its last contact with a member and a quorum is.
#[derive(Clone, Default)]
pub(crate) struct Confirmed(Arc<Inner>);

#[derive(Default)]
struct Inner {
    raft: OnceLock<Raft<Group, State>>,
    /// The election that this leader won, and when that was known first.
    won: Mutex<Option<(u64, Instant)>>,
}

impl Confirmed {
    pub(crate) fn by(&self, raft: Raft<Group, State>) {
        let _first = self.0.raft.set(raft);
    }

    /// How long ago the last question was asked that `target` and a quorum have answered. Who has
    /// voted has answered.
    pub(crate) fn age(&self, target: u64) -> Duration {
        let Some(raft) = self.0.raft.get() else { return Duration::MAX };
        let metrics = raft.metrics();
        let metrics = metrics.borrow_watched();
        let since_won = self.since_won(metrics.current_term);
        let is_only_voter = metrics.membership_config.voter_ids().all(|it| it == metrics.id);
        let of_quorum = match &metrics.last_quorum_acked {
            _ if is_only_voter => Duration::ZERO,
            Some(at) => at.elapsed().min(since_won),
            None => since_won,
        };
        let answered = metrics.heartbeat.as_ref().and_then(|all| all.get(&target)).copied();
        let of_target = answered.flatten().map_or(since_won, |at| at.elapsed().min(since_won));
        of_quorum.max(of_target)
    }

    fn since_won(&self, term: u64) -> Duration {
        let mut won = self.0.won.lock();
        let of_term = (*won).filter(|(known, _)| *known == term);
        let (_, since) = *won.insert(of_term.unwrap_or((term, Instant::now())));
        since.elapsed()
    }
}
