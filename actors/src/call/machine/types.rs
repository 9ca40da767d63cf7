//! What a call is told, and its words for parties and routes.

use std::time::Duration;

use tandem_config::resource::{Destination, Diversion};
use tandem_kernel::{CallId, Timestamp};

pub use super::party::{Device, Line, Party};
use super::voice::Announcements;
use crate::flow::{Cue, Script};
use crate::office::{CallCommand, Direction, Supervision};
use crate::outbound::{Barred, Outgoing, Wish};
use crate::queue::request::{Order, ReturnCall};
use crate::queue::{Exit, OfferId};

/// A leg's number within its call, counted from 0.
pub type LegIndex = u16;

/// A timer of this call. A number never comes back, so a late timer is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimerId(pub u64);

/// A sound that is being played to the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Player(pub u32);

/// A customer who calls back: whom they reach, and what comes otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// The agent.
    pub agent: String,
    /// Nobody else may take it (C-007).
    pub is_agent_only: bool,
    /// The call that is being returned.
    pub outbound_call: CallId,
    /// When that one began.
    pub outbound_at: Timestamp,
    /// What is played when it fails.
    pub prompt: String,
    /// What is played before the agent rings.
    pub announcement: Option<String>,
    /// How long an agent who is not free is waited for.
    pub grace: Duration,
    /// How long the agent's phones ring.
    pub ring_for: Duration,
    /// Where the number leads.
    pub otherwise: Route,
}

/// What a call from the API brings along.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errand {
    /// Code and caller ID.
    pub wish: Wish,
    /// Who asked, e.g. `token:crm`.
    pub by: String,
    /// What the asker knows it by.
    pub correlation_id: Option<String>,
    /// What the first phone shows; none: the digits.
    pub shown: Option<String>,
    /// The binding of the phone that is asked to answer by itself (D-060).
    pub auto_answer: Option<String>,
}

/// Where a dialled number or a destination leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To the phones of an extension; none when none is registered.
    Devices {
        /// The extension.
        extension: String,
        /// Its phones.
        devices: Vec<Device>,
        /// How long they ring.
        ring_for: Duration,
    },
    /// To the outside, over the first line that works.
    Lines {
        /// The number as dialled.
        number: String,
        /// In the order in which they are tried.
        lines: Vec<Line>,
        /// How it goes out, for the record (O-044).
        outgoing: Box<Outgoing>,
    },
    /// To a queue.
    Queue {
        /// Its number.
        number: String,
    },
    /// Not into a queue, which is closed at this time.
    Diverted {
        /// The queue's number.
        queue: String,
        /// Where to instead, and why.
        diversion: Box<Diversion>,
    },
    /// To phones, one round after the other, and to another destination when nobody answers: a
    /// ring group, or an extension with voicemail.
    Group {
        /// The number of the group or the extension.
        number: String,
        /// The phones that ring together, round by round.
        rounds: Vec<Vec<Device>>,
        /// How long each round rings.
        ring_for: Duration,
        /// Where the caller goes when nobody answers.
        failover: Destination,
    },
    /// Into a script.
    Script(Box<Script>),
    /// To a prompt, and then the end.
    Prompt {
        /// Its name in the library.
        file: String,
        /// How often it is played.
        times: u8,
    },
    /// To whoever waits on a slot.
    Slot(u16),
    /// To a test number.
    Test(TestNumber),
    /// To a queue feature code.
    Code {
        /// As dialled.
        code: String,
    },
    /// Nowhere.
    Refused {
        /// The SIP status that says why.
        status: u16,
        /// In words, for the record and the trace.
        why: String,
    },
    /// To the agent whom the caller returns a call of (C-004).
    Callback(Box<Callback>),
    /// Not let out: a prompt says so.
    Barred {
        /// As dialled.
        number: String,
        /// Why.
        barred: Barred,
    },
}

/// The numbers that test a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestNumber {
    /// Hears itself.
    Echo,
    /// Hears 1 kHz.
    Tone,
    /// Hears the music on hold.
    Music,
}

/// Why a leg ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegEnd {
    /// The SIP status that ended an unanswered leg; none after a BYE, and where the far end
    /// could not be reached.
    pub status: Option<u16>,
    /// True when the far end did it; false for time-outs and lost transports.
    pub by_party: bool,
    /// In words.
    pub why: String,
}

impl LegEnd {
    /// An end with a status.
    #[must_use]
    pub fn status(status: u16, why: &str) -> Self {
        Self { status: Some(status), by_party: true, why: why.to_owned() }
    }

    /// The far end could not be reached.
    #[must_use]
    pub fn unreachable(why: &str) -> Self {
        Self { status: None, by_party: false, why: why.to_owned() }
    }
}

/// What happens on a leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LegEvent {
    /// The far end has given a first answer of any kind, be it 100.
    Trying,
    /// 180.
    Ringing,
    /// Media before the answer.
    EarlyMedia,
    /// 200, or for the caller's leg: our answer was confirmed.
    Answered,
    /// The party put us on hold.
    Held,
    /// The party took us back.
    Resumed,
    /// A digit by SIP INFO or from a leg whose digits the engine does not relay.
    Dtmf(char),
    /// REFER without Replaces: the party transfers the other one blindly.
    Referred {
        /// The REFER's number in the session.
        refer: u64,
        /// The number to dial.
        to: String,
    },
    /// REFER with Replaces whose other dialog's far end has been handed to this call as `taken`.
    Joined {
        /// The REFER's number in the session.
        refer: u64,
        /// The leg that came over.
        taken: LegIndex,
        /// Who it is.
        party: Party,
    },
    /// 3xx.
    Redirected(Redirect),
    /// The leg is gone.
    Ended(LegEnd),
}

/// What a call is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// An INVITE came: the caller is leg 0.
    Begin {
        /// Who calls.
        caller: Party,
        /// What was dialled.
        dialled: String,
        /// Where it leads.
        route: Route,
    },
    /// Ring these phones first, then dial for them.
    Originate {
        /// The extension that rings first.
        caller: Party,
        /// Its phones.
        devices: Vec<Device>,
        /// What to dial.
        dialled: String,
        /// How long the phones ring.
        ring_for: Duration,
        /// What the asker wants beside the number.
        errand: Box<Errand>,
    },
    /// A queue wants a customer called who asked for it.
    Return {
        /// What is to be done.
        wanted: ReturnCall,
        /// What is dialled when an agent is there.
        dialled: String,
    },
    /// What a queue says about a callback.
    Callback(Order),
    /// Something happened on a leg.
    Leg(LegIndex, LegEvent),
    /// The answer to [`Effect::Route`].
    Routed {
        /// The request's number.
        request: u32,
        /// Where it leads.
        route: Route,
    },
    /// The answer to [`Effect::Claim`]: the agent's phones, when they are free.
    Claimed {
        /// The request's number.
        request: u32,
        /// None: not free.
        devices: Option<Vec<Device>>,
    },
    /// The queue took the caller in.
    QueueJoined,
    /// What the queue says to those who wait; the first one begins.
    Announce(Announcements),
    /// The caller's place in the queue, as it was asked for.
    Place {
        /// How many wait ahead.
        ahead: u32,
        /// How long it will take; none: nobody knows yet.
        wait: Option<Duration>,
    },
    /// The queue refused, or let the caller go unanswered.
    QueueLeft {
        /// Why.
        exit: Exit,
        /// Where the caller goes.
        failover: Destination,
    },
    /// A queue confirms, or offers, a caller who does not wait there any more: a word of the call
    /// was lost.
    Strayed {
        /// The queue.
        queue: String,
        /// The stay; none: the queue does not know.
        stay: Option<u32>,
    },
    /// The queue offers the caller to an agent.
    Offered {
        /// The offer.
        offer: OfferId,
        /// The agent.
        agent: String,
        /// The agent's phones.
        devices: Vec<Device>,
        /// How long they ring.
        ring_for: Duration,
    },
    /// The queue takes an offer back.
    Withdrawn {
        /// The offer.
        offer: OfferId,
    },
    /// A feature code was carried out; the caller hears this.
    CodeDone {
        /// The prompt.
        prompt: String,
    },
    /// A leg pressed a key: by RFC 4733, or by a tone in its audio.
    Digit(LegIndex, char),
    /// The answer to what a script asked for.
    Cue(Cue),
    /// A sound came to its end.
    Played(Player),
    /// A timer went off; it may be late.
    Timer(TimerId),
    /// Somebody at the API wants something.
    Command(CallCommand),
    /// A leg of this call was handed to another call (attended transfer).
    Surrendered {
        /// The leg that went away.
        gone: LegIndex,
        /// What the other call had dialled, when this one is what was transferred.
        to: Option<String>,
    },
    /// The far end of a party's other call was handed to this one, to talk with all.
    Merged {
        /// The party's leg here.
        by: LegIndex,
        /// The leg that came over, by a number that was reserved.
        taken: LegIndex,
        /// Who it is.
        party: Party,
        /// The other call.
        from: CallId,
    },
    /// The answer to [`Effect::Fetch`](super::Effect::Fetch).
    Fetched {
        /// The request's number.
        request: u32,
        /// The leg, by a number that was reserved, and who it is; none: nobody is there.
        taken: Option<(LegIndex, Party)>,
    },
    /// Somebody has taken the place of who was on a leg (RFC 3891, RFC 5589), and is there.
    Replaced {
        /// The leg.
        leg: LegIndex,
        /// Who is on it.
        party: Party,
    },
}

/// Where a 3xx leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// A trunk's: the same number by these lines.
    Lines(Vec<Line>),
    /// A phone's: the number that it is forwarded to; empty: it says none.
    Number(String),
}

/// The input can not be had in this state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The call is over.
    #[error("the call is over")]
    Over,
    /// There is nobody to hold, resume or transfer.
    #[error("the call is not connected")]
    NotConnected,
    /// The caller does not wait in a queue.
    #[error("the caller does not wait in a queue")]
    NotWaiting,
    /// A transfer is under way.
    #[error("a transfer is under way")]
    Transferring,
    /// More than two talk.
    #[error("more than two talk")]
    Meeting,
    /// No more can take part.
    #[error("no more can take part in the call")]
    Full,
    /// The talk belongs to a queue and stays with its call.
    #[error("the talk belongs to a queue and stays with its call")]
    Serving,
    /// Who wants to attend the talk is a party of it.
    #[error("the extension is a party of the call")]
    Party,
    /// No such leg.
    #[error("there is no leg {0}")]
    NoLeg(LegIndex),
}

/// A leg as the machine sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Who is there.
    pub party: Party,
    /// Answered.
    pub up: bool,
    /// Has given any answer.
    pub heard: bool,
    /// Ringing.
    pub ringing: bool,
    /// The party put us on hold.
    pub holds: bool,
    /// When its state changed.
    pub since: Timestamp,
    /// A manager's, who attends the talk of others so.
    pub supervises: Option<Supervision>,
}

/// The direction as the record says it, from who calls and where it goes.
#[must_use]
pub fn direction(caller: &Party, route: &Route) -> Direction {
    match (caller, route) {
        (Party::Outside { .. }, _) => Direction::Inbound,
        (Party::Extension { .. }, Route::Lines { .. } | Route::Barred { .. }) => {
            Direction::Outbound
        }
        (Party::Extension { .. }, _) => Direction::Internal,
    }
}
