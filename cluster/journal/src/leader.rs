//! What only the leader can do, asked here or by another member.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use openraft::async_runtime::WatchReceiver;
use openraft::errors::{ClientWriteError, RaftError};
use openraft::{BasicNode, ChangeMembers, Raft};

use crate::error::MemberError;
use crate::group::{Batch, Group, Outcomes};
use crate::message::{Elsewhere, Granted, Wish, WishError};
use crate::state::State;
use crate::transport::Peer;

// A learner that is so many entries behind would hold up a quorum that needs it.
const MOST_BEHIND: u64 = 500;
// How long leadership may take to move.
const HANDED_OVER_WITHIN: Duration = Duration::from_secs(3);

type Members = Raft<Group, State>;
type Failure = RaftError<Group, ClientWriteError<Group>>;

/// Writes a batch through the log, if this member leads.
pub(crate) async fn write(raft: &Members, batch: Batch) -> Result<Outcomes, Elsewhere> {
    match raft.client_write(batch).await {
        Ok(response) => Ok(response.data),
        Err(error) => Err(elsewhere(raft, &error)),
    }
}

/// Whom to ask instead. After any failure the batch may have been written all the same, so it
/// is only asked again because each append in it carries an op id.
fn elsewhere(raft: &Members, error: &Failure) -> Elsewhere {
    let leader = match error {
        RaftError::APIError(
            ClientWriteError::ForwardToLeader(to) | ClientWriteError::LogEntryDiscarded(to),
        ) => to.leader_id,
        _ => None,
    };
    Elsewhere { leader: leader.filter(|leader| leader != raft.node_id()) }
}

/// Does what a member wishes of the membership, if this member leads.
pub(crate) async fn grant(raft: &Members, wish: Wish) -> Result<Granted, WishError> {
    if !raft.is_leader() {
        let leader = raft.current_leader().await;
        return Err(WishError::Elsewhere(Elsewhere { leader }));
    }
    match wish {
        Wish::NextNode => {
            let written = raft.write_blank().await.map_err(|e| failed(raft, &e))?;
            Ok(Granted::Node(written.log_id.index))
        }
        Wish::AddLearner(peer) => {
            let node = BasicNode::new(&peer.address);
            let added = raft.add_learner(peer.node, node, false).await;
            added.map(|_| Granted::Done).map_err(|e| failed(raft, &e))
        }
        Wish::Promote(node) => {
            let (has_answered, behind) = (has_answered(raft, node), behind(raft, node)?);
            if !has_answered || behind > MOST_BEHIND {
                return Err(WishError::Refused(MemberError::Lagging { node, behind }));
            }
            change(raft, ChangeMembers::AddVoterIds(BTreeSet::from([node])), true).await
        }
        Wish::Demote(node) => {
            spare(raft, node)?;
            change(raft, ChangeMembers::RemoveVoters(BTreeSet::from([node])), true).await
        }
        Wish::Remove(node) if voters(raft).contains(&node) => {
            spare(raft, node)?;
            change(raft, ChangeMembers::RemoveVoters(BTreeSet::from([node])), false).await
        }
        Wish::Remove(node) => {
            change(raft, ChangeMembers::RemoveNodes(BTreeSet::from([node])), false).await
        }
        Wish::Relocate(Peer { node, address }) => {
            let nodes = BTreeMap::from([(node, BasicNode::new(address))]);
            change(raft, ChangeMembers::SetNodes(nodes), true).await
        }
        Wish::HandOver(to) => hand_over(raft, to).await.map(Granted::Node),
    }
}

async fn change(
    raft: &Members,
    members: ChangeMembers<u64, BasicNode>,
    retain: bool,
) -> Result<Granted, WishError> {
    let changed = raft.change_membership(members, retain).await;
    changed.map(|_| Granted::Done).map_err(|e| failed(raft, &e))
}

fn failed(raft: &Members, error: &Failure) -> WishError {
    match error {
        RaftError::APIError(
            ClientWriteError::ForwardToLeader(_) | ClientWriteError::LogEntryDiscarded(_),
        ) => WishError::Elsewhere(elsewhere(raft, error)),
        other => WishError::Refused(MemberError::Failed(other.to_string())),
    }
}

fn voters(raft: &Members) -> BTreeSet<u64> {
    raft.voter_ids().collect()
}

/// The last voter has nobody to leave the journal to.
fn spare(raft: &Members, node: u64) -> Result<(), WishError> {
    if voters(raft).iter().any(|voter| *voter != node) {
        return Ok(());
    }
    Err(WishError::Refused(MemberError::LastVoter))
}

/// How many entries a member is behind the leader's log.
fn behind(raft: &Members, node: u64) -> Result<u64, WishError> {
    let metrics = raft.metrics();
    let metrics = metrics.borrow_watched();
    let known = metrics.replication.as_ref().and_then(|all| all.get(&node));
    let Some(matched) = known else {
        return Err(WishError::Refused(MemberError::Unknown(node)));
    };
    let has = matched.as_ref().map_or(0, |id| id.index + 1);
    Ok(metrics.last_log_index.map_or(0, |last| last + 1).saturating_sub(has))
}

/// Whether a member is known to hold anything of the log: the vote of one that was never
/// reached would only be missed.
fn has_answered(raft: &Members, node: u64) -> bool {
    let metrics = raft.metrics();
    let metrics = metrics.borrow_watched();
    metrics.replication.as_ref().and_then(|all| all.get(&node)).is_some_and(Option::is_some)
}

async fn hand_over(raft: &Members, to: Option<u64>) -> Result<u64, WishError> {
    let own = *raft.node_id();
    let to = match to {
        Some(node) if node == own => return Ok(own),
        Some(node) if voters(raft).contains(&node) => node,
        Some(node) => return Err(WishError::Refused(MemberError::Unknown(node))),
        None => best(raft, own)?,
    };
    let stopped =
        |e: &dyn std::fmt::Display| WishError::Refused(MemberError::Failed(e.to_string()));
    raft.trigger().transfer_leader(to).await.map_err(|e| stopped(&e))?;
    let wait = raft.wait(Some(HANDED_OVER_WITHIN));
    let moved = wait.metrics(
        |metrics| metrics.current_leader.is_some_and(|leader| leader != own),
        "another member leads",
    );
    let metrics = moved.await.map_err(|e| stopped(&e))?;
    Ok(metrics.current_leader.unwrap_or(to))
}

/// The voter that has most of the log.
fn best(raft: &Members, own: u64) -> Result<u64, WishError> {
    let voters = voters(raft);
    let others = voters.iter().filter(|voter| **voter != own);
    let ranked =
        others.filter_map(|voter| behind(raft, *voter).ok().map(|behind| (behind, *voter)));
    ranked.min().map(|(_, voter)| voter).ok_or(WishError::Refused(MemberError::LastVoter))
}
