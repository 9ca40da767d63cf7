//! The journal's members, asked and changed from any of them.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;

use crate::error::MemberError;
use crate::handle::Journal;
use crate::members::Status;
use crate::message::{Granted, Wish};
use crate::transport::Peer;

impl Journal {
    /// The group as this member knows it now.
    #[must_use]
    pub fn status(&self) -> Status {
        self.members().status.borrow().clone()
    }

    /// Follows what this member knows of the group. How far the log is changes what is read and
    /// wakes nobody.
    #[must_use]
    pub fn watch_status(&self) -> watch::Receiver<Status> {
        self.members().status.clone()
    }

    /// The age of the last contact that proves a quorum: at the leader the last answer of one,
    /// elsewhere the last sign of life of the leader. None before the first. What this member
    /// owns it owns no longer than this is below the election time-out.
    #[must_use]
    pub fn contact_age(&self) -> Option<Duration> {
        self.members().contact_age()
    }

    /// At the leader: the age of the last answer of each other member, counted from the question.
    /// None elsewhere, and for a member that has not answered this leader yet.
    #[must_use]
    pub fn answers(&self) -> BTreeMap<u64, Duration> {
        self.members().answers()
    }

    /// A node number that never was and never will be given again.
    ///
    /// # Errors
    ///
    /// When no leader is within reach.
    pub async fn next_node(&self) -> Result<u64, MemberError> {
        match self.members().wish(Wish::NextNode).await? {
            Granted::Node(node) => Ok(node),
            Granted::Done => Err(MemberError::Failed("no number was given".to_owned())),
        }
    }

    /// Adds a member that follows and does not vote.
    ///
    /// # Errors
    ///
    /// When no leader is within reach, or the engine refuses.
    pub async fn add_learner(&self, peer: Peer) -> Result<(), MemberError> {
        self.wish(Wish::AddLearner(peer)).await
    }

    /// Gives a learner a vote, once it is caught up.
    ///
    /// # Errors
    ///
    /// [`MemberError::Lagging`] until then, [`MemberError::Unknown`] when it is no member.
    pub async fn promote(&self, node: u64) -> Result<(), MemberError> {
        self.wish(Wish::Promote(node)).await
    }

    /// Takes a voter's vote away; it goes on following.
    ///
    /// # Errors
    ///
    /// [`MemberError::LastVoter`] when nobody else votes.
    pub async fn demote(&self, node: u64) -> Result<(), MemberError> {
        self.wish(Wish::Demote(node)).await
    }

    /// Removes a member for ever.
    ///
    /// # Errors
    ///
    /// [`MemberError::LastVoter`] when nobody else votes.
    pub async fn remove(&self, node: u64) -> Result<(), MemberError> {
        self.wish(Wish::Remove(node)).await
    }

    /// Tells the group a member's new address.
    ///
    /// # Errors
    ///
    /// When no leader is within reach, or the engine refuses.
    pub async fn relocate(&self, peer: Peer) -> Result<(), MemberError> {
        self.wish(Wish::Relocate(peer)).await
    }

    /// Moves leadership to a voter, or to the one that has most of the log; gives the new
    /// leader. For a node that is about to end.
    ///
    /// # Errors
    ///
    /// [`MemberError::LastVoter`] when nobody else votes.
    pub async fn hand_over(&self, to: Option<u64>) -> Result<u64, MemberError> {
        match self.members().wish(Wish::HandOver(to)).await? {
            Granted::Node(node) => Ok(node),
            Granted::Done => Err(MemberError::Failed("nobody was named".to_owned())),
        }
    }

    async fn wish(&self, wish: Wish) -> Result<(), MemberError> {
        self.members().wish(wish).await.map(|_| ())
    }
}
