//! The words that a queue shares with calls and with the log of decisions.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_config::resource::Destination;
use tandem_kernel::CallId;

use super::request::Order;

/// One agent's ring for one caller, and the reservation behind it. Unique among those of its
/// queue that the journal knows: the upper half counts the starts of the queue's actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OfferId(pub u64);

impl OfferId {
    /// No offer has this name. A call from which it is withdrawn is offered nobody: an actor that
    /// begins does not know of rings that the one before had no time to write down.
    pub const EVERY: Self = Self(0);
}

/// Why an offer came to nothing, as the call saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OfferEnd {
    /// The agent's phones are busy (486).
    Busy,
    /// The agent declined (603).
    Rejected,
    /// Nobody answered in time.
    TimedOut,
    /// None of the agent's phones could be reached.
    Unreachable,
    /// The agent's reservation was lost.
    AgentGone,
}

/// Who ended an answered call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Party {
    /// The caller.
    Caller,
    /// The agent.
    Agent,
    /// We did.
    System,
}

/// How a caller left a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Exit {
    /// An agent answered.
    Answered,
    /// The caller hung up while waiting.
    CallerHangup,
    /// The maximum waiting time was over.
    MaxWait,
    /// The queue was full.
    MaxCallers,
    /// No agent was there to join for.
    JoinEmpty,
    /// No agent was there any more.
    LeaveEmpty,
    /// The caller pressed a key.
    KeyExit,
    /// A manager moved the caller.
    ManagerRedirect,
    /// A manager hung up.
    ManagerHangup,
    /// The caller asked for a callback.
    CallbackRequested,
    /// The queue was deleted.
    QueueRemoved,
    /// We lost the call.
    System,
}

/// Which of the three figures an exit counts for: total = answered + missed + abandoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Answered.
    Answered,
    /// Left unanswered, not by the caller's hang-up.
    Missed,
    /// The caller hung up.
    Abandoned,
}

impl Exit {
    /// All exits, in the order of Q-133.
    pub const ALL: [Self; 12] = [
        Self::Answered,
        Self::CallerHangup,
        Self::MaxWait,
        Self::MaxCallers,
        Self::JoinEmpty,
        Self::LeaveEmpty,
        Self::KeyExit,
        Self::ManagerRedirect,
        Self::ManagerHangup,
        Self::CallbackRequested,
        Self::QueueRemoved,
        Self::System,
    ];

    /// The stable code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::CallerHangup => "caller_hangup",
            Self::MaxWait => "max_wait",
            Self::MaxCallers => "max_callers",
            Self::JoinEmpty => "join_empty",
            Self::LeaveEmpty => "leave_empty",
            Self::KeyExit => "key_exit",
            Self::ManagerRedirect => "manager_redirect",
            Self::ManagerHangup => "manager_hangup",
            Self::CallbackRequested => "callback_requested",
            Self::QueueRemoved => "queue_removed",
            Self::System => "system",
        }
    }

    /// What it counts for (section 30.3).
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::Answered => Class::Answered,
            Self::CallerHangup => Class::Abandoned,
            Self::MaxWait
            | Self::MaxCallers
            | Self::JoinEmpty
            | Self::LeaveEmpty
            | Self::KeyExit
            | Self::ManagerRedirect
            | Self::ManagerHangup
            | Self::CallbackRequested
            | Self::QueueRemoved
            | Self::System => Class::Missed,
        }
    }
}

/// A talk with an agent, by what is kept of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentTalk {
    /// The call.
    pub call: CallId,
    /// Which of the call's stays in queues.
    pub stay: u32,
    /// The caller's number.
    pub caller: String,
    /// The caller's name.
    pub caller_name: String,
    /// The agent.
    pub agent: String,
    /// How long the caller had waited.
    pub wait: Duration,
    /// The queue's facts have that the caller left.
    pub is_counted: bool,
    /// How long it lasted; none: it goes on.
    pub over: Option<Duration>,
}

/// What a queue tells a call that came to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum QueueNotice {
    /// The caller waits; also the answer to a call that asks again, and the question of a
    /// queue that begins again. A call that does not wait there says so.
    Joined {
        /// From 1.
        position: u32,
    },
    /// The caller was not taken in.
    Refused {
        /// `MaxCallers`, `JoinEmpty` or `QueueRemoved`.
        reason: Exit,
        /// Where the caller goes.
        #[serde(with = "crate::entity::as_json")]
        failover: Destination,
    },
    /// Where a caller stands who asked for it.
    Place {
        /// How many wait ahead.
        ahead: u32,
        /// How long it will take; none: nobody knows yet.
        wait: Option<Duration>,
    },
    /// Ring this agent's phones; several offers at once are one attempt of `ring_all`.
    Offer {
        /// To be named in the answer.
        offer: OfferId,
        /// The agent's extension.
        agent: String,
        /// How long; the call ends the offer by itself.
        ring_for: Duration,
    },
    /// Stop ringing.
    Withdraw {
        /// Which offer.
        offer: OfferId,
        /// Another agent answered: phones list no missed call.
        elsewhere: bool,
    },
    /// About a callback.
    Callback(Order),
    /// The caller leaves unanswered. A call that was answered in the meantime ignores it.
    Leave {
        /// Why.
        reason: Exit,
        /// Where the caller goes; by key: where the key leads.
        #[serde(with = "crate::entity::as_json")]
        failover: Destination,
    },
}

/// The way back to a call; false when the call is gone. It outlives the queue's actor.
pub type CallSink = Arc<dyn Fn(QueueNotice) -> bool + Send + Sync>;

/// Why an agent does or does not ring for a caller, for the trace of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The agent's extension.
    pub agent: String,
    /// Stable code: `agent-offered`, `agent-paused`, `agent-in-call` …
    pub code: &'static str,
    /// In words.
    pub detail: String,
}

/// Where decisions go.
pub type DecisionSink = Arc<dyn Fn(CallId, Decision) + Send + Sync>;
