//! The consensus group: its types and its way to the other members.

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use openraft::alias::{SnapshotOf, VoteOf};
use openraft::errors::{RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{RPCOption, RaftNetworkFactory, RaftNetworkV2};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use openraft::{AnyError, BasicNode, Config, SnapshotPolicy};
use serde::{Deserialize, Serialize};

use crate::error::AppendError;
use crate::format::Proposal;
use crate::record::Appended;
use crate::transfer::Copy;

openraft::declare_raft_types!(
    /// The types of the journal's consensus group.
    pub(crate) Group:
        D = Batch,
        R = Outcomes,
        Node = BasicNode,
);

/// All appends of one log entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Batch {
    pub(crate) proposals: Arc<[Proposal]>,
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} appends", self.proposals.len())
    }
}

/// What became of each append of an entry, in their order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outcomes(pub(crate) Vec<Result<Appended, AppendError>>);

/// How the group runs.
pub(crate) fn config() -> Config {
    Config {
        cluster_name: "journal".to_owned(),
        heartbeat_interval: 100,
        election_timeout_min: 400,
        election_timeout_max: 800,
        enable_pre_vote: Some(true),
        // A snapshot is a sync of the state and frees the log before it, so it may be frequent.
        snapshot_policy: SnapshotPolicy::LogsSinceLast(2_000),
        max_in_snapshot_log_to_keep: 500,
        purge_batch_size: 256,
        ..Config::default()
    }
}

/// The way to the other members of a group. There are none while the node is alone; a mesh
/// implements this one function, and the consensus messages stay the journal's business.
pub(crate) struct Alone;

impl RaftNetworkFactory<Group> for Alone {
    type Network = Self;

    async fn new_client(&mut self, _target: u64, _node: &BasicNode) -> Self {
        Self
    }
}

impl Alone {
    fn unreachable() -> Unreachable<Group> {
        Unreachable::new(&AnyError::error("this node is alone in its group"))
    }
}

impl RaftNetworkV2<Group> for Alone {
    type SnapshotData = Copy;

    async fn append_entries(
        &mut self,
        _request: AppendEntriesRequest<Group>,
        _option: RPCOption,
    ) -> Result<AppendEntriesResponse<Group>, RPCError<Group>> {
        Err(RPCError::Unreachable(Self::unreachable()))
    }

    async fn vote(
        &mut self,
        _request: VoteRequest<Group>,
        _option: RPCOption,
    ) -> Result<VoteResponse<Group>, RPCError<Group>> {
        Err(RPCError::Unreachable(Self::unreachable()))
    }

    async fn pre_vote(
        &mut self,
        _request: VoteRequest<Group>,
        _option: RPCOption,
    ) -> Result<VoteResponse<Group>, RPCError<Group>> {
        Err(RPCError::Unreachable(Self::unreachable()))
    }

    async fn full_snapshot(
        &mut self,
        _vote: VoteOf<Group>,
        _snapshot: SnapshotOf<Group, Copy>,
        _cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<Group>, StreamingError<Group>> {
        Err(StreamingError::Unreachable(Self::unreachable()))
    }
}

/// A storage failure in the engine's words.
pub(crate) fn io_error(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::other(error)
}

/// How long a start may take to recover what the log holds beyond the state.
pub(crate) const RECOVERY: Duration = Duration::from_secs(60);
