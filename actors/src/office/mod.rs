//! The one door to the actors: commands in, views out. The HTTP edge knows nothing else of them.
//!
//! | Concern                                  | Owner               |
//! |------------------------------------------|---------------------|
//! | Rights of a principal                    | the HTTP edge       |
//! | Provisioned resources                    | `provisioning`      |
//! | Live calls, agents, queues               | their actors        |
//! | Call records, the event feed             | projections         |

mod view;

pub use view::*;

use std::sync::Arc;

use futures::stream::BoxStream;
use tandem_kernel::{CallId, Position};

use crate::provisioning::Provisioning;

/// A condition that a working node fulfils.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// `journal`, `sip`, `media` …
    pub name: &'static str,
    /// What is wrong; none: nothing.
    pub problem: Option<String>,
}

/// The handle to everything that the node does. Cheap to clone.
#[derive(Clone)]
pub struct Office {
    parts: Arc<Parts>,
}

/// What the office is made of.
pub struct Parts {
    /// The provisioned resources.
    pub provisioning: Provisioning,
}

impl Office {
    /// An office over its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// The provisioned resources.
    #[must_use]
    pub fn provisioning(&self) -> &Provisioning {
        &self.parts.provisioning
    }

    /// The live calls that answered within the deadline, in the order in which they began.
    pub async fn calls(&self) -> Vec<CallView> {
        Vec::new()
    }

    /// One live call.
    pub async fn call(&self, _id: CallId) -> Option<CallView> {
        None
    }

    /// Rings an extension and, when it answers, dials for it.
    ///
    /// # Errors
    /// `NotFound` for an unknown extension, `Conflict` when none of its phones is registered.
    pub async fn originate(&self, _by: &Principal, _wish: Originate) -> Result<CallId, Refusal> {
        Err(not_running())
    }

    /// Does something to a live call.
    ///
    /// # Errors
    /// `NotFound` when there is no such live call, `Conflict` when its state does not allow it.
    pub async fn command(
        &self,
        _by: &Principal,
        _call: CallId,
        _command: CallCommand,
    ) -> Result<(), Refusal> {
        Err(not_running())
    }

    /// The trace of a live call or of one that ended not long ago.
    pub async fn trace(&self, _call: CallId) -> Option<Vec<TraceItem>> {
        None
    }

    /// Changes an agent's state; answered after the commit.
    ///
    /// # Errors
    /// `NotFound` for an extension that is no agent, `Conflict` for a static agent's log-out.
    pub async fn agent_command(
        &self,
        _by: &Principal,
        _extension: &str,
        _command: AgentCommand,
    ) -> Result<AgentView, Refusal> {
        Err(not_running())
    }

    /// All agents in the order of their extensions.
    pub async fn agents(&self) -> Vec<AgentView> {
        Vec::new()
    }

    /// A queue as it is now.
    pub async fn queue_status(&self, _number: &str) -> Option<QueueStatus> {
        None
    }

    /// Records of ended calls, newest first, beginning before the given place.
    pub async fn call_records(
        &self,
        _filter: &RecordFilter,
        _before: Option<Position>,
        _limit: usize,
    ) -> Vec<CallRecord> {
        Vec::new()
    }

    /// The events after a position (none: from now on), gap-free, and then as they come.
    pub fn feed(&self, _from: Option<Position>) -> BoxStream<'static, FeedItem> {
        Box::pin(futures::stream::pending())
    }

    /// The conditions of a working node.
    pub async fn readiness(&self) -> Vec<Check> {
        Vec::new()
    }
}

fn not_running() -> Refusal {
    Refusal::Unavailable { detail: "the telephony actors are not running".into() }
}
