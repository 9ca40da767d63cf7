//! How an agent and a queue reserve: the words of both directions.
//!
//! ```text
//!   agent                              queue
//!     │ Standing { ready, round } ───────▶│   "I am free: who bids?"
//!     │◀─────────── Reserve { bid, round }│   or Pass { round }
//!     │ Granted / Denied { offer } ──────▶│   the highest bid of the round
//!     │◀──────── Release / Answered{offer}│   each reservation ends once
//!     │◀────────── Finished{call, wrap_up}│
//!     │◀─────────────── Seize{offer, call}│   picked up: held without a question
//! ```
//!
//! An agent who is free without a round running grants a `Reserve` at once. Messages between
//! one agent and one queue stay in order; nothing else is assumed.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_config::resource::Membership;
use tandem_kernel::{CallId, Timestamp};

use crate::office::Activity;
use crate::queue::OfferId;

/// A round of bids, counted by the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Round(pub u64);

/// What a queue bids for an agent: the heavier wins, then who waits longer, then the lower
/// queue number (Q-175, Q-176).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bid {
    /// What the call weighs at this moment (Q-171, Q-173).
    pub weight: u32,
    /// Since when the caller waits.
    pub waiting_since: Timestamp,
}

impl Bid {
    /// Whether this bid of `queue` wins over another one.
    #[must_use]
    pub fn beats(self, queue: &str, other: Self, other_queue: &str) -> bool {
        let key = |bid: Self, queue: &str| {
            (std::cmp::Reverse(bid.weight), bid.waiting_since, queue.len(), queue.to_owned())
        };
        key(self, queue) < key(other, other_queue)
    }
}

/// How an agent stands in one queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Static or dynamic.
    pub membership: Membership,
    /// Logged in since; for static agents: added at. None: logged out.
    pub logged_in: Option<Timestamp>,
    /// The last log-in or log-out; none for static agents (Q-442).
    pub login_changed_at: Option<Timestamp>,
    /// Paused, and why (reason code).
    pub paused: Option<Option<String>>,
    /// Whether one of the agent's phones is registered.
    pub registered: bool,
    /// What the agent is doing, as far as this queue is concerned.
    pub activity: Activity,
    /// Since when.
    pub since: Timestamp,
    /// Whether the agent takes a call of this queue now.
    pub ready: bool,
    /// Calls of this queue that the agent talks with.
    pub talking: Vec<CallId>,
}

impl Standing {
    /// Rings or talks (Q-124).
    #[must_use]
    pub const fn is_in_use(&self) -> bool {
        matches!(self.activity, Activity::Ringing | Activity::Talking)
    }
}

/// Why an agent does not take a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Denial {
    /// Not a member, logged out, paused, unregistered, in a call or in wrap-up.
    #[error("not ready")]
    NotReady,
    /// Reserved for another call (Q-060).
    #[error("reserved for another call")]
    Reserved,
    /// A heavier call was there at the same time (Q-170).
    #[error("a heavier call came first")]
    Outbid,
}

/// From an agent to one of its queues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromAgent {
    /// How the agent stands now.
    Standing {
        /// The picture.
        standing: Standing,
        /// The agent is free and waits for a bid or a pass of this round.
        round: Option<Round>,
        /// The agent's actor has just begun and knows of no reservation.
        fresh: bool,
    },
    /// The reservation holds.
    Granted {
        /// Which one.
        offer: OfferId,
    },
    /// It does not.
    Denied {
        /// Which one.
        offer: OfferId,
        /// Why.
        why: Denial,
    },
    /// A granted reservation has run out.
    Revoked {
        /// Which one.
        offer: OfferId,
    },
}

/// From a queue to one of its agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToAgent {
    /// The queue has begun: how do you stand?
    Hello,
    /// Asks for a reservation.
    Reserve {
        /// Its name.
        offer: OfferId,
        /// For this call.
        call: CallId,
        /// What the call is worth.
        bid: Bid,
        /// How long the reservation holds at most.
        lease: Duration,
        /// Which round it answers.
        round: Option<Round>,
    },
    /// No bid in this round.
    Pass {
        /// Which one.
        round: Round,
    },
    /// The reservation, or the wish for one, is over without an answer.
    Release {
        /// Which one.
        offer: OfferId,
    },
    /// The agent answered.
    Answered {
        /// Which reservation.
        offer: OfferId,
        /// The call.
        call: CallId,
        /// The rest that follows (Q-077).
        wrap_up: Duration,
    },
    /// The agent missed as many calls in a row as the queue allows (Q-085).
    Missed {
        /// The calls, the oldest first.
        calls: Vec<CallId>,
    },
    /// The queue call is over for the agent.
    Finished {
        /// The call.
        call: CallId,
        /// The rest that follows (Q-077).
        wrap_up: Duration,
    },
    /// The agent picks a call up (Q-482): it rings already, in whatever state the agent is. Who
    /// is reserved stays so, for the other call.
    Seize {
        /// The name of the reservation.
        offer: OfferId,
        /// For this call.
        call: CallId,
        /// How long it holds at most.
        lease: Duration,
    },
    /// The agent has answered and hears an announcement first: the reservation holds longer.
    Prolong {
        /// Which reservation.
        offer: OfferId,
        /// From now on, at most.
        lease: Duration,
    },
}
