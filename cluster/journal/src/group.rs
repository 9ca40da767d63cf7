//! The consensus group: its types and how it runs.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use openraft::{BasicNode, Config, SnapshotPolicy};
use serde::{Deserialize, Serialize};

use crate::error::AppendError;
use crate::format::Proposal;
use crate::handle::Timing;
use crate::record::Appended;

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

impl Batch {
    /// An upper bound of its bytes.
    pub(crate) fn cost(&self) -> usize {
        self.proposals.iter().map(Proposal::cost).sum()
    }
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
pub(crate) fn config(timing: &Timing, is_alone: bool) -> Config {
    // Nobody waits for a sign of life of a node that is alone, but each costs it time.
    let heartbeat = if is_alone { timing.election_min / 2 } else { timing.heartbeat };
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Config {
        cluster_name: "journal".to_owned(),
        heartbeat_interval: millis(heartbeat),
        election_timeout_min: millis(timing.election_min),
        election_timeout_max: millis(timing.election_max),
        enable_pre_vote: Some(true),
        // The others may hold, and have committed, what a leader said last and lost before its own
        // sync. If it went on in the same term, other entries would get the same ids.
        enable_leader_restore: Some(is_alone),
        // A snapshot is a sync of the state and frees the log before it, so it may be frequent.
        snapshot_policy: SnapshotPolicy::LogsSinceLast(2_000),
        max_in_snapshot_log_to_keep: 1_000,
        purge_batch_size: 256,
        ..Config::default()
    }
}

/// A storage failure in the engine's words.
pub(crate) fn io_error(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::other(error)
}

/// How long a start may take to recover what the log holds beyond the state.
pub(crate) const RECOVERY: Duration = Duration::from_secs(60);
