//! How a batch gets into the log: through this member when it leads, else through the leader.
//!
//! A batch is asked for again until it is known to be done, so each of its appends carries an
//! op id. One batch at a time is on its way from a member: they commit in their order.

use std::sync::Arc;
use std::time::Duration;

use openraft::async_runtime::WatchReceiver;
use openraft::{Instant as _, Raft};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::error::{AppendError, MemberError};
use crate::group::{Batch, Group, Outcomes};
use crate::leader;
use crate::message::{
    Ask, Elsewhere, Granted, Reply, Wish, WishError, decode_reply, encode_request,
};
use crate::records::Records;
use crate::state::State;
use crate::transport::{Lane, Peer, Transport};

// How long one attempt at another member may take before the leader is looked for again.
const ATTEMPT: Duration = Duration::from_secs(1);
// Between two looks for a leader.
const LOOK: Duration = Duration::from_millis(10);

/// Asks the leader, wherever it is.
#[derive(Clone)]
pub(crate) struct Writer {
    pub(crate) raft: Raft<Group, State>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) records: Arc<Records>,
    pub(crate) patience: Duration,
}

/// An answer, or none worth anything.
enum Attempt<T> {
    Done(T),
    Again,
}

impl Writer {
    /// Writes a batch. What was written elsewhere is here, too, when this ends well.
    pub(crate) async fn write(
        &self,
        batch: Batch,
        until: Instant,
    ) -> Result<Outcomes, AppendError> {
        loop {
            let attempt = timeout_at(until, self.try_write(&batch)).await;
            match attempt.map_err(|_| AppendError::Unavailable)?? {
                Attempt::Done(outcomes) => {
                    self.here(&outcomes, until).await;
                    return Ok(outcomes);
                }
                Attempt::Again => sleep(LOOK).await,
            }
            if Instant::now() >= until {
                return Err(AppendError::Unavailable);
            }
        }
    }

    async fn try_write(&self, batch: &Batch) -> Result<Attempt<Outcomes>, AppendError> {
        if let Err(stopped) = self.raft.metrics().borrow_watched().running_state.clone() {
            return Err(AppendError::Storage(stopped.to_string()));
        }
        let written = match self.leader() {
            None => Err(Elsewhere { leader: None }),
            // A leader that was cut off adds to a log that nobody takes, and may never hear
            // what became of it.
            Some(None) if !self.is_followed() => Err(Elsewhere { leader: None }),
            Some(None) => timeout(ATTEMPT, leader::write(&self.raft, batch.clone()))
                .await
                .unwrap_or(Err(Elsewhere { leader: None })),
            // A dead leader never answers: whoever follows it is asked as soon as it is known.
            Some(Some(peer)) => tokio::select! {
                answer = self.ask(&peer, Ask::Forward(batch.clone())) => match answer {
                    Some(Reply::Forward(outcome)) => outcome,
                    _ => Err(Elsewhere { leader: None }),
                },
                () = self.follows_another(peer.node) => Err(Elsewhere { leader: None }),
            },
        };
        Ok(written.map_or(Attempt::Again, Attempt::Done))
    }

    /// Does what is wished of the membership, at the leader.
    pub(crate) async fn wish(&self, wish: Wish) -> Result<Granted, MemberError> {
        let until = Instant::now() + self.patience;
        while Instant::now() < until {
            let attempt = timeout_at(until, self.try_wish(&wish)).await;
            match attempt.map_err(|_| MemberError::Unavailable)?? {
                Attempt::Done(granted) => return Ok(granted),
                Attempt::Again => sleep(LOOK).await,
            }
        }
        Err(MemberError::Unavailable)
    }

    async fn try_wish(&self, wish: &Wish) -> Result<Attempt<Granted>, MemberError> {
        let granted = match self.leader() {
            None => return Ok(Attempt::Again),
            Some(None) => leader::grant(&self.raft, wish.clone()).await,
            Some(Some(peer)) => match self.ask(&peer, Ask::Wish(wish.clone())).await {
                Some(Reply::Wish(outcome)) => outcome,
                _ => return Ok(Attempt::Again),
            },
        };
        match granted {
            Ok(granted) => Ok(Attempt::Done(granted)),
            Err(WishError::Elsewhere(_)) => Ok(Attempt::Again),
            Err(WishError::Refused(why)) => Err(why),
        }
    }

    /// Who leads: none is known, this member, or another.
    fn leader(&self) -> Option<Option<Peer>> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let leader = metrics.current_leader?;
        if leader == metrics.id {
            return Some(None);
        }
        let node = metrics.membership_config.membership().get_node(&leader)?;
        Some(Some(Peer { node: leader, address: node.addr.clone() }))
    }

    /// Waits until this member follows nobody or somebody else.
    async fn follows_another(&self, leader: u64) {
        let mut metrics = self.raft.metrics();
        while metrics.borrow_watched().current_leader == Some(leader) {
            if metrics.changed().await.is_err() {
                return;
            }
        }
    }

    /// Whether a quorum has answered this leader lately.
    fn is_followed(&self) -> bool {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let is_only_voter = metrics.membership_config.voter_ids().all(|voter| voter == metrics.id);
        is_only_voter || metrics.last_quorum_acked.as_ref().is_some_and(|at| at.elapsed() < ATTEMPT)
    }

    async fn ask(&self, peer: &Peer, ask: Ask) -> Option<Reply> {
        let request = encode_request(peer.node, ask);
        let answer = self.transport.ask(peer, Lane::Forward, request, ATTEMPT).await;
        let answer = answer
            .inspect_err(|error| tracing::debug!(%error, leader = peer.node, "not forwarded"));
        decode_reply(&answer.ok()?).ok()
    }

    /// Waits until what the leader wrote is applied here, so that who appends reads it. The
    /// append is done in any case.
    async fn here(&self, outcomes: &Outcomes, until: Instant) {
        let done = outcomes.0.iter().filter_map(|outcome| outcome.as_ref().ok());
        let Some(last) = done.map(|appended| appended.position.index).max() else { return };
        let mut reach = self.records.watch();
        let reached = reach.wait_for(|reach| reach.head >= last || !reach.is_open);
        let _late = timeout_at(until, reached).await;
    }
}
