//! The membership as this member knows it, and what it can be asked to become.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use openraft::async_runtime::WatchReceiver;
use openraft::{Instant, RaftMetrics};
use tokio::sync::watch;

use crate::contact::Contact;
use crate::error::MemberError;
use crate::group::Group;
use crate::message::{Granted, Wish};
use crate::transport::Peer;
use crate::writer::Writer;

/// The group as one member knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// This member.
    pub node: u64,
    /// Who leads, if this member knows a leader.
    pub leader: Option<u64>,
    /// The election that the leader won.
    pub term: u64,
    /// Members whose votes count.
    pub voters: Vec<Peer>,
    /// Members that only follow.
    pub learners: Vec<Peer>,
    /// The last entry of this member's log.
    pub last_entry: u64,
    /// The last entry that this member has applied.
    pub applied: u64,
    /// At the leader: the last entry that each member is known to hold.
    pub held: BTreeMap<u64, u64>,
    /// Why the journal runs no more, if it does not.
    pub stopped: Option<String>,
}

impl Status {
    /// Whether this member leads.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.leader == Some(self.node)
    }

    /// Whether this member belongs to the group.
    #[must_use]
    pub fn is_member(&self) -> bool {
        self.voters.iter().chain(&self.learners).any(|peer| peer.node == self.node)
    }

    /// Takes in what is known now; says whether more has changed than how far the log is, which
    /// it does several times with each entry.
    fn take(&mut self, now: Self) -> bool {
        let is_news = self.node != now.node
            || self.leader != now.leader
            || self.term != now.term
            || self.voters != now.voters
            || self.learners != now.learners
            || self.stopped != now.stopped;
        *self = now;
        is_news
    }
}

/// Asks about the membership and changes it. Clones share it.
#[derive(Clone)]
pub(crate) struct Members {
    pub(crate) writer: Writer,
    pub(crate) contact: Arc<Contact>,
    pub(crate) status: watch::Receiver<Status>,
}

impl Members {
    pub(crate) async fn wish(&self, wish: Wish) -> Result<Granted, MemberError> {
        self.writer.wish(wish).await
    }

    /// The age of the last contact that proves a quorum.
    pub(crate) fn contact_age(&self) -> Option<Duration> {
        let metrics = self.writer.raft.metrics();
        let metrics = metrics.borrow_watched();
        // A leader knows what was committed before it when it has applied an entry of its own.
        let has_begun =
            metrics.last_applied.is_some_and(|id| id.leader_id.term >= metrics.current_term);
        if metrics.current_leader != Some(metrics.id) || !has_begun {
            return self.contact.age();
        }
        let is_only_voter = metrics.membership_config.voter_ids().all(|voter| voter == metrics.id);
        if is_only_voter {
            return Some(Duration::ZERO);
        }
        metrics.last_quorum_acked.as_ref().map(|at| at.elapsed())
    }

    /// How long ago each other member was asked the last question that it answered.
    pub(crate) fn answers(&self) -> BTreeMap<u64, Duration> {
        let metrics = self.writer.raft.metrics();
        let metrics = metrics.borrow_watched();
        let known = metrics.heartbeat.iter().flatten();
        let others = known.filter(|(node, _)| **node != metrics.id);
        others.filter_map(|(node, at)| Some((*node, at.as_ref()?.elapsed()))).collect()
    }
}

/// Tells how the group changes, until the engine ends.
pub(crate) async fn follow(members: Writer, status: watch::Sender<Status>) {
    let mut metrics = members.raft.metrics();
    loop {
        let now = status_of(&metrics.borrow_watched());
        status.send_if_modified(|known| known.take(now));
        if metrics.changed().await.is_err() || status.is_closed() {
            return;
        }
    }
}

pub(crate) fn status_of(metrics: &RaftMetrics<Group>) -> Status {
    let membership = metrics.membership_config.membership();
    let voters: Vec<u64> = membership.voter_ids().collect();
    let peers = membership.nodes().map(|(node, at)| Peer { node: *node, address: at.addr.clone() });
    let (voters, learners) = peers.partition(|peer| voters.contains(&peer.node));
    let held = metrics.replication.iter().flatten();
    Status {
        node: metrics.id,
        leader: metrics.current_leader,
        term: metrics.current_term,
        voters,
        learners,
        last_entry: metrics.last_log_index.unwrap_or(0),
        applied: metrics.last_applied.map_or(0, |id| id.index),
        held: held.map(|(node, id)| (*node, id.map_or(0, |id| id.index))).collect(),
        stopped: metrics.running_state.as_ref().err().map(ToString::to_string),
    }
}
