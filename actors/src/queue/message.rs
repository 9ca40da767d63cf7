//! What a queue's actor, and the supervisor of all queues, can be told.

use std::time::Duration;

use ractor::RpcReplyPort;
use tandem_config::resource::Queue;
use tandem_journal::AppendError;
use tandem_kernel::{CallId, Timestamp};

use super::machine::{Refused, TimerId};
use super::request::Word;
use super::{CallSink, Exit, OfferEnd, OfferId, Party};
use crate::agent::FromAgent;
use crate::leases::Lease;
use crate::office::{CallbackView, QueueStatus};

/// Messages of a queue's actor. Local to a node.
pub enum QueueMsg {
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
        /// The way back.
        reply_to: CallSink,
    },
    /// A waiting caller hung up.
    CallerGone {
        /// The call.
        call: CallId,
    },
    /// A waiting caller left by key, or by a manager's command.
    CallerLeft {
        /// The call.
        call: CallId,
        /// `KeyExit`, `ManagerRedirect`, `ManagerHangup` …
        reason: Exit,
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
    /// An agent answered.
    OfferAnswered {
        /// The call.
        call: CallId,
        /// The offer.
        offer: OfferId,
        /// When.
        at: Timestamp,
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
    /// An answered call is over for the agent (also by a transfer, Q-490).
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
    /// A call's word about a callback.
    Callback {
        /// The call, or the call whose place the request keeps.
        call: CallId,
        /// The word.
        word: Word,
    },
    /// Takes a request back; answered after the commit.
    CancelCallback {
        /// The call whose place the request keeps.
        call: CallId,
        /// Or why not.
        reply: RpcReplyPort<Result<(), Refused>>,
    },
    /// Asks for the requests that are open.
    Callbacks(RpcReplyPort<Vec<CallbackView>>),
    /// The queue was edited.
    Configure(Box<Queue>),
    /// The queue was deleted: the callers leave, then the actor ends.
    Remove,
    /// Asks for the states that must pass by themselves.
    Leases(RpcReplyPort<Vec<Lease>>),
    /// Asks for the picture of the queue.
    View(RpcReplyPort<QueueStatus>),
    /// A timer went off. It may be late.
    Timer(TimerId),
    /// A fact was not taken by the journal.
    NotRecorded(AppendError),
}

impl ractor::Message for QueueMsg {}

/// Messages of the supervisor of all queues.
#[derive(Debug)]
pub enum QueuesMsg {
    /// A queue was added or edited.
    Configure(Box<Queue>),
    /// A queue was deleted.
    Remove {
        /// Its number.
        number: String,
    },
    /// Starts a failed queue again.
    Restart {
        /// Its number.
        number: String,
    },
}

impl ractor::Message for QueuesMsg {}
