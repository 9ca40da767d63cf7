//! Agents and queues as they are now.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::resource::Membership;

/// What an agent is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
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

/// An agent's state in one queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgentMembership {
    /// The queue's number.
    pub queue: String,
    /// Static or dynamic.
    pub membership: Membership,
    /// Whether logged in; always true for static agents.
    pub logged_in: bool,
    /// Since when logged in or out; none for static agents.
    pub login_changed_at: Option<String>,
    /// Whether paused.
    pub paused: bool,
    /// The reason code of the pause.
    pub pause_reason: Option<String>,
}

/// An agent over all queues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Agent {
    /// The agent's extension.
    pub extension: String,
    /// What they are doing.
    pub activity: Activity,
    /// Since when.
    pub since: String,
    /// Whether one of their phones is registered.
    pub registered: bool,
    /// Their queues.
    pub memberships: Vec<AgentMembership>,
}

/// Which queue a log-in, log-out or resume is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QueueChoice {
    /// The queue's number; none: all queues of the agent.
    pub queue: Option<String>,
}

/// A pause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pause {
    /// The queue's number; none: all queues of the agent.
    pub queue: Option<String>,
    /// A reason code of the settings, e.g. `*02`.
    pub reason: Option<String>,
}

/// The reasons for a pause: names by code, from the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PauseReasons(pub BTreeMap<String, String>);

/// A caller who waits in a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitingCaller {
    /// The call.
    pub call: String,
    /// The caller's number.
    pub caller: String,
    /// The place in the queue, from 1.
    pub position: u32,
    /// When they joined.
    pub joined_at: String,
    /// Agents that ring for them now.
    pub ringing: Vec<String>,
    /// The caller has hung up and will be called back (QCB, Q-459).
    #[serde(default)]
    pub is_callback: bool,
}

/// A call of a queue that an agent talks with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActiveCall {
    /// The call.
    pub call: String,
    /// The agent's extension.
    pub agent: String,
    /// Since when.
    pub since: String,
    /// The customer was called back (QCB, Q-459).
    #[serde(default)]
    pub is_callback: bool,
}

/// How far a request for a callback has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallbackRequestState {
    /// For a free agent.
    Waiting,
    /// Agents ring.
    Ringing,
    /// An agent has answered and the customer is dialled.
    Dialling,
    /// The customer has called again and waits in person.
    Online,
}

/// A request for a callback that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallbackRequest {
    /// The call whose place in the queue it keeps.
    pub call: String,
    /// The number that called.
    pub caller: String,
    /// The number to call.
    pub number: String,
    /// The place in the queue, from 1.
    pub position: u32,
    /// When the caller joined.
    pub joined_at: String,
    /// When the callback was asked for.
    pub registered_at: String,
    /// When it fails for want of an agent; null: never.
    pub expires_at: Option<String>,
    /// How far it has come.
    pub state: CallbackRequestState,
    /// Agents that ring for it now, or the one who has answered.
    pub agents: Vec<String>,
}

/// The requests for a callback that are open in a queue, in the order of its line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallbackRequests {
    /// The requests.
    pub items: Vec<CallbackRequest>,
}

/// How many of a queue's callers were answered in time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServiceLevel {
    /// Answered in time, in percent of all; 0 without calls.
    pub percent: f64,
    /// Answered in time.
    pub in_time: u64,
    /// All who have left.
    pub total: u64,
    /// In time: after less than so many seconds.
    pub within_secs: u32,
    /// Below so many percent is an alarm.
    pub threshold_percent: u8,
}

/// A queue as it is now, with its counters (section 30.3 of the specification).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QueueStatus {
    /// Its number.
    pub number: String,
    /// Its name.
    pub name: String,
    /// Who waits, in order.
    pub waiting: Vec<WaitingCaller>,
    /// Who is being talked with.
    pub active: Vec<ActiveCall>,
    /// Its agents in list order.
    pub agents: Vec<Agent>,
    /// Calls that reached the queue and left it.
    pub total: u64,
    /// Answered.
    pub answered: u64,
    /// Missed.
    pub missed: u64,
    /// Abandoned.
    pub abandoned: u64,
    /// The service level.
    pub service_level: ServiceLevel,
}

/// The number that a new queue is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueNumber {
    /// The first of the range of the settings that nothing has; null: all are taken.
    pub number: Option<String>,
}

/// All queues as they are now, in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QueueStatuses {
    /// The queues.
    pub items: Vec<QueueStatus>,
}
