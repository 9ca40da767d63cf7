//! What a queue's actor, and the supervisor of all queues, can be told.

use std::time::Duration;

use ractor::RpcReplyPort;
use serde::{Deserialize, Serialize};
use tandem_config::resource::Queue;
use tandem_journal::AppendError;
use tandem_kernel::CallId;

use super::machine::{Input, Refused, TimerId};
use super::request::Word;
use super::{AgentTalk, CallSink, Exit, Facts, OfferEnd, OfferId, Party};
use crate::agent::FromAgent;
use crate::leases::Lease;
use crate::office::{CallbackView, QueueStatus};

/// What calls and agents tell a queue, wherever in the cluster they and it are. It crosses
/// nodes: variants are only added at the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum QueueWord {
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
    /// A waiting caller's call goes on at another member: what rang for them rings no more.
    Moved {
        /// The call.
        call: CallId,
    },
    /// A call ended of which nobody could tell: its member died.
    CallLost {
        /// The call.
        call: CallId,
    },
    /// An agent answered and hears the announcement before the caller.
    OfferAnnouncing {
        /// The call.
        call: CallId,
        /// The offer.
        offer: OfferId,
    },
}

impl QueueWord {
    /// The call of which it says that it waits, or that its wait, a ring or a talk is over: only
    /// the member that has the call may say so. What is not said again when it is not heard is
    /// heard from everybody.
    #[must_use]
    pub const fn speaks_for(&self) -> Option<CallId> {
        match self {
            Self::Join { call, .. }
            | Self::CallerGone { call }
            | Self::CallerLeft { call, .. }
            | Self::OfferAnnouncing { call, .. }
            | Self::OfferAnswered { call, .. }
            | Self::OfferEnded { call, .. }
            | Self::CallEnded { call, .. } => Some(*call),
            Self::Greeted { .. }
            | Self::Place { .. }
            | Self::Digit { .. }
            | Self::OfferRinging { .. }
            | Self::Agent { .. }
            | Self::AgentLost { .. }
            | Self::Callback { .. }
            | Self::Moved { .. }
            | Self::CallLost { .. } => None,
        }
    }

    /// What it means for the machine that has these facts.
    #[must_use]
    pub fn inputs(self, facts: &Facts) -> Vec<Input> {
        let input = match self {
            Self::Join { call, stay, caller, caller_name } => {
                Input::Join { call, stay, caller, caller_name }
            }
            Self::CallerGone { call } => Input::Gone { call, reason: Exit::CallerHangup },
            Self::CallerLeft { call, reason } => Input::Gone { call, reason },
            Self::Greeted { call } => Input::Greeted { call },
            Self::Place { call } => Input::Place { call },
            Self::Digit { call, digit } => Input::Digit { call, digit },
            Self::OfferRinging { call, offer } => Input::OfferRinging { call, offer },
            Self::OfferAnnouncing { call, offer } => Input::OfferAnnouncing { call, offer },
            Self::OfferAnswered { call, offer } => Input::OfferAnswered { call, offer },
            Self::OfferEnded { call, offer, why } => Input::OfferEnded { call, offer, why },
            Self::CallEnded { call, agent, by, talk } => Input::CallEnded { call, agent, by, talk },
            Self::Agent { agent, message } => Input::Agent { agent, message },
            Self::AgentLost { agent } => Input::AgentLost { agent },
            Self::Callback { call, word } => Input::Callback { call, word },
            Self::Moved { call } => Input::Moved { call },
            Self::CallLost { call } => return lost(facts, call),
        };
        vec![input]
    }
}

/// A caller who waits is gone, a talk is over as long as it is known to have lasted.
fn lost(facts: &Facts, call: CallId) -> Vec<Input> {
    let request = facts.requests.open.get(&call);
    if request.is_some_and(|request| request.online.is_none()) {
        // Who asked to be called back has hung up, as was to be. The call that was started for
        // them in their place has another id, and goes on.
        return Vec::new();
    }
    if facts.waiting_for(call).is_some() {
        return vec![Input::Gone { call, reason: Exit::System }];
    }
    let active = facts.active.get(&call);
    let ended = active.map(|active| {
        let (agent, talk) = (active.agent.clone(), facts.last_at.since(active.since));
        Input::CallEnded { call, agent, by: Party::System, talk }
    });
    ended.into_iter().collect()
}

/// Messages of a queue's actor. Local to a node.
pub enum QueueMsg {
    /// From a call or an agent.
    Heard {
        /// What it says.
        word: QueueWord,
        /// With [`QueueWord::Join`]: the way back.
        reply_to: Option<CallSink>,
    },
    /// Takes a request back; answered after the commit.
    CancelCallback {
        /// The call whose place the request keeps.
        call: CallId,
        /// Or why not.
        reply: RpcReplyPort<Result<(), Refused>>,
    },
    /// Lets a ringing call ring at somebody else's phone; answered after the commit.
    PickUp {
        /// The call.
        call: CallId,
        /// The extension that picks it up.
        by: String,
        /// Or why not.
        reply: RpcReplyPort<Result<(), Refused>>,
    },
    /// Asks for the requests that are open.
    Callbacks(RpcReplyPort<Vec<CallbackView>>),
    /// The journal has of a call what the queue's facts have not.
    Talks(Box<AgentTalk>),
    /// The queue was edited.
    Configure(Box<Queue>),
    /// The queue was deleted: the callers leave, then the actor ends.
    Remove,
    /// Asks for the states that must pass by themselves.
    Leases(RpcReplyPort<Vec<Lease>>),
    /// Asks for the picture of the queue.
    View(RpcReplyPort<QueueStatus>),
    /// A minute of the clock is over.
    Minute,
    /// Other members run agents than before, maybe.
    Placed,
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
    /// What this member owns has changed.
    Placed,
}

impl ractor::Message for QueuesMsg {}
