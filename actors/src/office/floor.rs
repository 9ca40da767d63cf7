//! What the office shows of queues and agents.

use serde::{Deserialize, Serialize};
use tandem_kernel::{CallId, Timestamp};

/// An agent's state in one queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipView {
    /// The queue.
    pub queue: String,
    /// Static or dynamic.
    pub membership: tandem_config::resource::Membership,
    /// Logged in; always true for static agents.
    pub logged_in: bool,
    /// Since when logged in or out; none for static agents.
    pub login_changed_at: Option<Timestamp>,
    /// Paused, and why (reason code).
    pub paused: Option<Option<String>>,
}

/// What an agent is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activity {
    /// Nothing that keeps them from a call.
    Idle,
    /// Promised to a queue, or ringing for it.
    Ringing,
    /// In a call.
    Talking,
    /// Resting after a call.
    WrapUp,
}

/// An agent over all queues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentView {
    /// The agent's extension.
    pub extension: String,
    /// What they are doing.
    pub activity: Activity,
    /// Since when.
    pub since: Timestamp,
    /// Whether one of their phones is registered.
    pub registered: bool,
    /// Their queues.
    pub memberships: Vec<MembershipView>,
}

/// A caller who waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingView {
    /// The call.
    pub call: CallId,
    /// The caller's number.
    pub caller: String,
    /// From 1.
    pub position: u32,
    /// When they joined.
    pub joined_at: Timestamp,
    /// Agents that ring for them now.
    pub ringing: Vec<String>,
    /// A request for a callback keeps the place.
    pub is_callback: bool,
}

/// A call of a queue that an agent talks with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveView {
    /// The call.
    pub call: CallId,
    /// The agent.
    pub agent: String,
    /// Since when.
    pub since: Timestamp,
    /// The customer was called back.
    pub is_callback: bool,
}

/// How many of a queue's callers were answered in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelView {
    /// Answered in time.
    pub in_time: u64,
    /// All who have left.
    pub total: u64,
    /// In time: after less than so many seconds.
    pub within_secs: u32,
    /// Below so many percent is an alarm.
    pub threshold_percent: u8,
}

/// A queue as it is now, with its counters since the counters were last reset (section 30.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueStatus {
    /// Its number.
    pub number: String,
    /// Its name.
    pub name: String,
    /// Who waits, first first.
    pub waiting: Vec<WaitingView>,
    /// Calls that agents of the queue are talking with.
    pub active: Vec<ActiveView>,
    /// Its agents in list order.
    pub agents: Vec<AgentView>,
    /// All calls that reached the queue and left it.
    pub total: u64,
    /// Answered.
    pub answered: u64,
    /// Missed.
    pub missed: u64,
    /// Abandoned.
    pub abandoned: u64,
    /// The service level.
    pub level: LevelView,
}
