//! Requests for a callback: what the queue remembers of them, and the words about them
//! (Q-140 to Q-162). Not to be confused with `crate::callback`, by which a customer who calls
//! back reaches the agent who called last.
//!
//! ```text
//!   key, confirmed ──▶ open ──agent answers──▶ dialling ──customer answers──▶ (with the agent)
//!                      │  ▲                       └──────▶ failed
//!     customer calls   ▼  │ hung up unanswered
//!                     online ──answered, left──▶ (closed: the customer was there)
//! ```
//!
//! A request is named by the call whose place in the line it keeps. That the dialling begins is a
//! fact before it does, so that no customer is dialled twice.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tandem_kernel::{CallId, Timestamp};

use super::OfferId;
use crate::flow::SurveyWords;

/// The shortest number that a caller may give instead of the own one, in digits (Q-147).
pub const SHORTEST_NUMBER: usize = 5;
/// The longest number that is dialled (E.164 and a prefix).
pub const LONGEST_NUMBER: usize = 20;

/// Why a callback came to nothing (Q-154). Append-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CallbackFailure {
    /// The agent answered, the customer's leg failed.
    CustomerNoAnswer,
    /// No agent became free in time.
    NoIdleAgent,
    /// The agent declined, or hung up before the customer answered.
    AgentHungUp,
    /// The number is missing, or leads nowhere.
    InvalidNumber,
    /// Somebody took the request back.
    Cancelled,
    /// A later request asked for the same number (Q-160).
    Replaced,
    /// The queue was deleted.
    QueueRemoved,
    /// The node stopped while the customer was dialled.
    Interrupted,
}

impl CallbackFailure {
    /// The stable code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CustomerNoAnswer => "customer_no_answer",
            Self::NoIdleAgent => "no_idle_agent",
            Self::AgentHungUp => "agent_hung_up",
            Self::InvalidNumber => "invalid_number",
            Self::Cancelled => "cancelled",
            Self::Replaced => "replaced",
            Self::QueueRemoved => "queue_removed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A request that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The number to call.
    pub number: String,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// The customer is being dialled.
    pub dialling: Option<Dialling>,
    /// The customer has called again and waits in their place, since then.
    pub online: Option<Timestamp>,
}

/// A dialling that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialling {
    /// The call that dials.
    pub callback: CallId,
    /// The agent.
    pub agent: String,
}

/// The figures of Q-345 and Q-424: requested = succeeded + failed + merged + open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackTally {
    /// Requests.
    pub requested: u64,
    /// The customer was called and talked with an agent.
    pub succeeded: u64,
    /// Came to nothing.
    pub failed: u64,
    /// The customer called again, and that call closed the request.
    pub merged: u64,
}

/// What a queue remembers of requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// By the call whose place they keep.
    pub open: BTreeMap<CallId, Request>,
    /// Callbacks among the calls that go on with an agent.
    pub active: BTreeSet<CallId>,
    /// The figures.
    pub tally: CallbackTally,
}

impl Requests {
    pub(super) fn register(&mut self, call: CallId, number: &str, at: Timestamp) {
        let request =
            Request { number: number.to_owned(), registered_at: at, dialling: None, online: None };
        // Somebody who called again and asked again has one request.
        if self.open.insert(call, request).is_none() {
            self.tally.requested += 1;
        }
    }

    pub(super) fn begin(&mut self, call: CallId, dialling: Dialling) {
        if let Some(request) = self.open.get_mut(&call) {
            request.dialling = Some(dialling);
        }
    }

    pub(super) fn succeed(&mut self, call: CallId, callback: CallId) {
        self.open.remove(&call);
        self.active.insert(callback);
        self.tally.succeeded += 1;
    }

    pub(super) fn fail(&mut self, call: CallId) {
        // One with a number that can not be called was never open (Q-147).
        if self.open.remove(&call).is_none() {
            self.tally.requested += 1;
        }
        self.tally.failed += 1;
    }

    pub(super) fn merge(&mut self, call: CallId, by: CallId, at: Timestamp) {
        if let Some(mut request) = self.open.remove(&call) {
            request.online = Some(at);
            self.open.insert(by, request);
        }
    }

    pub(super) fn resume(&mut self, call: CallId) {
        if let Some(request) = self.open.get_mut(&call) {
            request.online = None;
        }
    }

    /// The customer left the line in person.
    pub(super) fn close(&mut self, call: CallId) {
        if self.open.remove(&call).is_some() {
            self.tally.merged += 1;
        }
    }
}

/// Whether a number can be called back: the one that the caller called from, or one of at least
/// 5 digits (Q-147).
#[must_use]
pub fn is_callable(number: &str, own: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or(number);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let long = digits.len() >= SHORTEST_NUMBER || number == own;
    plain && long && digits.len() <= LONGEST_NUMBER
}

/// What a call tells its queue about a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word {
    /// The caller is asked for the number (Q-162).
    Registering,
    /// The caller has confirmed a number; none: gave none that can be called (Q-147).
    Registered(Option<String>),
    /// The caller goes on waiting.
    NotRegistered,
    /// An agent has answered: may the customer be dialled?
    AgentReached {
        /// By which offer.
        offer: OfferId,
        /// The call that will dial.
        callback: CallId,
    },
    /// The customer has answered.
    Connected {
        /// The call that dialled.
        callback: CallId,
    },
    /// It came to nothing.
    Over {
        /// The call that rang the agents, or dialled.
        callback: CallId,
        /// Why.
        why: CallbackFailure,
    },
}

impl Word {
    /// Whether it is said for the place in the line for which its call was made.
    #[must_use]
    pub const fn is_of_place(&self) -> bool {
        match self {
            Self::AgentReached { .. } | Self::Connected { .. } | Self::Over { .. } => true,
            Self::Registering | Self::Registered(_) | Self::NotRegistered => false,
        }
    }
}

/// What a queue tells a call about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Offer a callback to the caller (Q-146).
    Offer,
    /// Ask the caller for the number (Q-147).
    Register,
    /// The request is kept, durably: the caller may hang up.
    Kept,
    /// Dial the customer: that it begins is kept, durably.
    Dial,
}

/// A call that a queue wants made: agents first, then the customer (Q-151).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnCall {
    /// The queue.
    pub queue: String,
    /// The call whose place in the line it stands for.
    pub place: CallId,
    /// The customer's number.
    pub number: String,
    /// Put before it to choose the route (Q-152).
    pub prefix: String,
    /// When the customer's call came in.
    pub joined_at: Timestamp,
    /// What the customer is asked when the agent has hung up (Q-256).
    pub survey: Option<SurveyWords>,
}
