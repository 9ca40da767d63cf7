//! What a queue's machine takes and asks for.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_kernel::CallId;

use crate::agent::{FromAgent, ToAgent};
use crate::queue::event::QueueEvent;
use crate::queue::request::{ReturnCall, Word};
use crate::queue::{AgentTalk, Decision, Exit, OfferEnd, OfferId, Party, QueueNotice};

/// The number of a timer. It never comes back, so that a late timer touches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(pub u64);

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The actor begins; the first input of all.
    Opened {
        /// The seed of the strategy `random`.
        seed: u64,
        /// The calls of this queue that can still be reached.
        alive: BTreeSet<CallId>,
        /// How long it may take until somebody tells what became of the others.
        patience: Duration,
    },
    /// A caller comes, or asks again because no answer came.
    Join {
        /// The call.
        call: CallId,
        /// Which of the call's stays in queues; a later one has a higher number.
        stay: u32,
        /// The caller's number.
        caller: String,
        /// The caller's name.
        caller_name: String,
    },
    /// A waiting caller is gone, by an exit of the call's own (hang-up, key, manager).
    Gone {
        /// The call.
        call: CallId,
        /// How.
        reason: Exit,
    },
    /// A waiting caller's call goes on at another member of the cluster, or there anew.
    Moved {
        /// The call.
        call: CallId,
    },
    /// A caller has heard the join announcement to its end.
    Greeted {
        /// The call.
        call: CallId,
    },
    /// A waiting caller wants to know their place.
    Place {
        /// The call.
        call: CallId,
    },
    /// A waiting caller pressed a key.
    Digit {
        /// The call.
        call: CallId,
        /// Which key.
        digit: char,
    },
    /// The agent's phones ring.
    OfferRinging {
        /// The call.
        call: CallId,
        /// The offer.
        offer: OfferId,
    },
    /// An agent answered and hears the announcement before the caller.
    OfferAnnouncing {
        /// The call.
        call: CallId,
        /// The offer.
        offer: OfferId,
    },
    /// An agent was put through. The call decides who was first; this is a fact.
    OfferAnswered {
        /// The call.
        call: CallId,
        /// The offer.
        offer: OfferId,
    },
    /// An offer came to nothing.
    OfferEnded {
        /// The call.
        call: CallId,
        /// The offer.
        offer: OfferId,
        /// Why.
        why: OfferEnd,
    },
    /// An answered call is over for the agent.
    CallEnded {
        /// The call.
        call: CallId,
        /// The agent.
        agent: String,
        /// Who ended it.
        by: Party,
        /// How long they talked.
        talk: Duration,
    },
    /// A call tells of a talk that the queue may know nothing of.
    Talks(Box<AgentTalk>),
    /// Word from an agent.
    Agent {
        /// The agent's extension.
        agent: String,
        /// The word.
        message: FromAgent,
    },
    /// An agent's actor is gone for good.
    AgentLost {
        /// The agent's extension.
        agent: String,
    },
    /// An agent's actor runs at another member of the cluster from now on.
    AgentMoved {
        /// The agent's extension.
        agent: String,
    },
    /// A call's word about a callback.
    Callback {
        /// The call, or the call whose place the request keeps.
        call: CallId,
        /// The word.
        word: Word,
    },
    /// Takes a request for a callback back.
    CancelCallback {
        /// The call whose place the request keeps.
        call: CallId,
    },
    /// Lets a ringing call ring at somebody else's phone.
    PickUp {
        /// The call.
        call: CallId,
        /// The extension that picks it up.
        by: String,
    },
    /// A minute of the clock is over: an interval of the service level may be.
    Minute,
    /// The queue was edited.
    Configure(Box<tandem_config::resource::Queue>),
    /// The queue was deleted.
    Remove,
    /// A timer went off. It may be late.
    Timer(TimerId),
}

/// What must be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Append a fact. The machine has taken it in.
    Record(QueueEvent),
    /// Tell a call.
    Notify {
        /// Which.
        call: CallId,
        /// What.
        notice: QueueNotice,
    },
    /// Tell a call when the facts of this step are durable, whatever becomes of the actor.
    NotifyKept {
        /// Which.
        call: CallId,
        /// What.
        notice: QueueNotice,
    },
    /// Start a call for this wanted; what [`Effect::Notify`] says to the place goes there.
    CallBack(ReturnCall),
    /// The way back to a call is known by another call's id from now on.
    Rename {
        /// The call whose place the request kept.
        from: CallId,
        /// The call that goes on.
        to: CallId,
    },
    /// Tell an agent.
    Tell {
        /// Which.
        agent: String,
        /// What.
        message: ToAgent,
    },
    /// Send [`Input::Timer`] later.
    Arm {
        /// Its number.
        timer: TimerId,
        /// When.
        after: Duration,
    },
    /// Note for the call's trace.
    Decide(CallId, Decision),
    /// The call is not the queue's business any more.
    Forget(CallId),
    /// The queue was removed and everybody has left.
    Closed,
}

/// Why an input was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Refused {
    /// The call was told to leave.
    #[error("the call is on its way out")]
    Leaving,
    /// The stay for which the call asks again is over.
    #[error("the stay is over already")]
    StayIsOver,
    /// The call does not wait here.
    #[error("no such caller waits")]
    UnknownCaller,
    /// The offer is not, or no longer, the call's.
    #[error("no such offer")]
    UnknownOffer,
    /// The call is with no agent of this queue.
    #[error("no such call goes on")]
    UnknownCall,
    /// The agent is not of this queue.
    #[error("not an agent of this queue")]
    NotAMember,
    /// No such request for a callback is open.
    #[error("no such callback is open")]
    NoRequest,
    /// The customer is being dialled.
    #[error("the customer is being dialled")]
    Dialling,
    /// A caller who waits can not have gone that way.
    #[error("not a way out of a queue")]
    NotAnExit,
    /// The configuration is another queue's.
    #[error("the number of a queue never changes")]
    WrongQueue,
    /// No agent rings for the call.
    #[error("no agent rings for the call")]
    NotRinging,
    /// Who wants the call has it ringing already.
    #[error("the call rings there already")]
    RingsThere,
}
