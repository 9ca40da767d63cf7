//! No stuck state: each state of an agent or of a call in a queue that must pass by itself has an
//! owner, a lease and a timer. A standing auditor asks all owners again and again and tells of
//! each state that outlives its lease.
//!
//! | Concern                                  | Owner              |
//! |------------------------------------------|--------------------|
//! | Which states there are                   | this module        |
//! | What is overdue, once each               | [`machine`] (pure) |
//! | Asking the actors, telling of it         | [`auditor`]        |

pub mod auditor;
pub mod event;
pub mod machine;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tandem_kernel::Timestamp;

/// Who has a state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A queue, by its number.
    Queue(String),
    /// An agent, by the extension.
    Agent(String),
}

impl Owner {
    /// `queue/6400`, `agent/1001`.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Queue(number) => format!("queue/{number}"),
            Self::Agent(extension) => format!("agent/{extension}"),
        }
    }
}

/// A state that must pass by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// A caller hears the join announcement.
    Greeting,
    /// A caller whose agents did not answer waits for the next attempt.
    Resting,
    /// An agent was asked for a reservation.
    Asked,
    /// An agent's phones ring.
    Ringing,
    /// An agent who has answered hears the announcement before the caller.
    Announcing,
    /// A caller is asked for the number to call back.
    Registering,
    /// A customer is dialled for a callback.
    Dialling,
    /// A caller was told to leave.
    Leaving,
    /// A talk that its agent does not know of.
    Unconfirmed,
    /// An agent asks the queues who bids.
    Bidding,
    /// An agent is reserved for a call.
    Reserved,
    /// An agent rests after a call.
    WrapUp,
    /// An actor does not answer.
    Silent,
}

impl State {
    /// The stable code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Greeting => "greeting",
            Self::Resting => "resting",
            Self::Asked => "asked",
            Self::Ringing => "ringing",
            Self::Announcing => "announcing",
            Self::Registering => "registering",
            Self::Dialling => "dialling",
            Self::Leaving => "leaving",
            Self::Unconfirmed => "unconfirmed",
            Self::Bidding => "bidding",
            Self::Reserved => "reserved",
            Self::WrapUp => "wrap_up",
            Self::Silent => "silent",
        }
    }
}

/// The end of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Until {
    /// A timer goes off then.
    At(Timestamp),
    /// So long after the auditor has seen it first.
    Within(Duration),
}

impl Until {
    /// By a timer; a state that should have one and has none is overdue from the beginning.
    #[must_use]
    pub fn by(timer: Option<Timestamp>) -> Self {
        timer.map_or(Self::Within(Duration::ZERO), Self::At)
    }
}

/// A state that must pass by itself, as its owner tells of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lease {
    /// Whose it is.
    pub owner: Owner,
    /// Which state.
    pub state: State,
    /// What it is about: a call, a queue; may be empty.
    pub subject: String,
    /// When it is over at the latest.
    pub until: Until,
}
