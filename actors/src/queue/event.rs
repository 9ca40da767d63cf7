//! The facts of a queue (section 30.4). A queue's state is their fold ([`super::Facts`]).

use serde::{Deserialize, Serialize};
use tandem_kernel::{CallId, Timestamp};

use super::request::CallbackFailure;
use super::{Exit, OfferEnd, OfferId, Party};

/// How an agent came to ring, for the memory of `rrmemory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Turn {
    /// As a static agent.
    Static,
    /// As a dynamic agent.
    Dynamic {
        /// Logged in since.
        since: Timestamp,
    },
}

/// How a ring ended without an answer by this agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RingEnd {
    /// The call said so.
    Ended(OfferEnd),
    /// Another agent answered first.
    Lost,
    /// The caller was gone, left the queue, or was picked up.
    Cut,
}

impl RingEnd {
    /// Whether it counts as missed by the agent (section 30.3).
    #[must_use]
    pub const fn is_missed(self) -> bool {
        match self {
            Self::Lost => true,
            Self::Ended(why) => {
                matches!(why, OfferEnd::TimedOut | OfferEnd::Busy | OfferEnd::Rejected)
            }
            Self::Cut => false,
        }
    }
}

/// A fact about one queue. Append-only; see `event.rs` of the crate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueueEvent {
    /// The queue's actor began, for the first time or again.
    Opened {
        /// When.
        at: Timestamp,
    },
    /// A caller joined.
    Joined {
        /// When.
        at: Timestamp,
        /// The call.
        call: CallId,
        /// The caller's number.
        caller: String,
        /// The caller's name; may be empty.
        caller_name: String,
    },
    /// A caller was not taken in.
    Refused {
        /// When.
        at: Timestamp,
        /// The call.
        call: CallId,
        /// Why.
        reason: Exit,
    },
    /// An agent was reserved and their phones are to ring.
    Ringing {
        /// When.
        at: Timestamp,
        /// The call.
        call: CallId,
        /// The offer.
        offer: OfferId,
        /// The agent.
        agent: String,
        /// Where the memory of `rrmemory` stands now.
        turn: Turn,
    },
    /// A ring came to nothing.
    RingEnded {
        /// When.
        at: Timestamp,
        /// The call.
        call: CallId,
        /// The offer.
        offer: OfferId,
        /// The agent.
        agent: String,
        /// Why.
        why: RingEnd,
    },
    /// An agent answered; the caller has left the queue.
    Answered {
        /// When.
        at: Timestamp,
        /// The call.
        call: CallId,
        /// The offer.
        offer: OfferId,
        /// The agent.
        agent: String,
        /// Time waited, in microseconds.
        wait_us: u64,
    },
    /// The talk with the agent is over.
    Ended {
        /// When.
        at: Timestamp,
        /// The call.
        call: CallId,
        /// The agent.
        agent: String,
        /// Who ended it.
        by: Party,
        /// In microseconds.
        talk_us: u64,
    },
    /// The caller left unanswered.
    Exited {
        /// When.
        at: Timestamp,
        /// The call.
        call: CallId,
        /// Why.
        reason: Exit,
        /// Time waited, in microseconds.
        wait_us: u64,
    },
    /// A caller has asked to be called back and keeps the place.
    CallbackRegistered {
        /// When.
        at: Timestamp,
        /// The call.
        call: CallId,
        /// The number to call.
        number: String,
    },
    /// An agent has answered and the customer is dialled, once.
    CallbackStarted {
        /// When.
        at: Timestamp,
        /// The call whose place the request keeps.
        call: CallId,
        /// The offer.
        offer: OfferId,
        /// The agent.
        agent: String,
        /// The call that dials.
        callback: CallId,
    },
    /// The customer has answered.
    CallbackSucceeded {
        /// When.
        at: Timestamp,
        /// The call whose place the request kept.
        call: CallId,
        /// The call that goes on.
        callback: CallId,
        /// The agent.
        agent: String,
        /// From the entry to the answer, in microseconds.
        wait_us: u64,
    },
    /// A callback came to nothing.
    CallbackFailed {
        /// When.
        at: Timestamp,
        /// The call whose place the request kept.
        call: CallId,
        /// Why.
        reason: CallbackFailure,
        /// From the entry to the failure, in microseconds.
        wait_us: u64,
    },
    /// The customer has called again and stands in the place of the request.
    CallbackMerged {
        /// When.
        at: Timestamp,
        /// The call that kept the place.
        call: CallId,
        /// The customer's new call.
        by: CallId,
    },
    /// The customer who had called again hung up unanswered: the request stands again.
    CallbackResumed {
        /// When.
        at: Timestamp,
        /// The call whose place the request keeps.
        call: CallId,
    },
    /// The service level of the interval that has ended.
    LevelEvaluated {
        /// When.
        at: Timestamp,
        /// Callers who were answered in time.
        in_time: u64,
        /// All who have left in the interval.
        total: u64,
        /// In time: after less than so many seconds.
        within_secs: u32,
        /// Below so many percent it is an alarm.
        threshold_percent: u8,
        /// The length of the interval, in minutes.
        interval_mins: u32,
    },
    /// A ringing call rings at the phone of somebody who picks it up, instead.
    PickedUp {
        /// When.
        at: Timestamp,
        /// The call.
        call: CallId,
        /// The offer.
        offer: OfferId,
        /// The extension that rings.
        by: String,
    },
}

impl QueueEvent {
    /// Whether it is an evaluation below the threshold.
    #[must_use]
    pub fn is_alarm(&self) -> bool {
        let Self::LevelEvaluated { in_time, total, threshold_percent, .. } = self else {
            return false;
        };
        // Not rounded: 79.999 percent are below 80.
        u128::from(*in_time) * 100 < u128::from(*total) * u128::from(*threshold_percent)
    }

    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Opened { at }
            | Self::Joined { at, .. }
            | Self::Refused { at, .. }
            | Self::Ringing { at, .. }
            | Self::RingEnded { at, .. }
            | Self::Answered { at, .. }
            | Self::Ended { at, .. }
            | Self::Exited { at, .. }
            | Self::CallbackRegistered { at, .. }
            | Self::CallbackStarted { at, .. }
            | Self::CallbackSucceeded { at, .. }
            | Self::CallbackFailed { at, .. }
            | Self::CallbackMerged { at, .. }
            | Self::CallbackResumed { at, .. }
            | Self::LevelEvaluated { at, .. }
            | Self::PickedUp { at, .. } => *at,
        }
    }

    /// How somebody left the queue by it (section 30.3).
    #[must_use]
    pub const fn exit(&self) -> Option<Exit> {
        match self {
            Self::Refused { reason, .. } | Self::Exited { reason, .. } => Some(*reason),
            Self::Answered { .. } | Self::CallbackSucceeded { .. } => Some(Exit::Answered),
            Self::CallbackFailed { .. } => Some(Exit::CallbackRequested),
            _ => None,
        }
    }

    /// How long somebody who left the queue by it had waited, in microseconds; 0 where
    /// nobody left, or was not taken in.
    #[must_use]
    pub const fn wait_us(&self) -> u64 {
        match self {
            Self::Answered { wait_us, .. }
            | Self::Exited { wait_us, .. }
            | Self::CallbackSucceeded { wait_us, .. }
            | Self::CallbackFailed { wait_us, .. } => *wait_us,
            _ => 0,
        }
    }

    /// The name in the event stream (section 30.4).
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "queue.opened",
            Self::Joined { .. } => "call.joined",
            Self::Refused { .. } | Self::Exited { .. } => "call.exited",
            Self::Ringing { .. } => "call.ringing",
            Self::RingEnded { why: RingEnd::Ended(OfferEnd::TimedOut), .. } => "call.ring_timeout",
            Self::RingEnded { .. } => "call.ring_ended",
            Self::Answered { .. } => "call.answered",
            Self::Ended { .. } => "call.ended",
            Self::CallbackRegistered { .. } => "callback.registered",
            Self::CallbackStarted { .. } => "callback.started",
            Self::CallbackSucceeded { .. } => "callback.succeeded",
            Self::CallbackFailed { .. } => "callback.failed",
            Self::CallbackMerged { .. } => "callback.merged",
            Self::CallbackResumed { .. } => "callback.resumed",
            Self::LevelEvaluated { .. } if self.is_alarm() => "sla.alarm",
            Self::LevelEvaluated { .. } => "sla.evaluated",
            Self::PickedUp { .. } => "call.picked_up",
        }
    }
}
