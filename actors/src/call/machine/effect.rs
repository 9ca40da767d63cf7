//! What a call asks for.

use std::time::Duration;

use tandem_config::resource::Destination;

use super::types::{Device, LegIndex, Line, Party, Player, TimerId};
use crate::call::event::CallEvent;
use crate::flow::{Clip, MessageChange};
use crate::outbound::Wish;
use crate::queue::request::Word;
use crate::queue::{Exit, OfferEnd, OfferId};

/// What is played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sound {
    /// Ring-back tone.
    RingBack,
    /// Busy tone.
    Busy,
    /// Music while waiting in a queue.
    Waiting {
        /// The queue.
        queue: String,
    },
    /// Music on hold.
    Hold {
        /// The queue by which the call was answered.
        queue: Option<String>,
    },
    /// A prompt, once.
    Prompt {
        /// Its name in the library.
        file: String,
    },
    /// Prompts, tones and messages, one after the other.
    Clips(Vec<Clip>),
    /// A sine, in Hz.
    Tone(u16),
    /// The system's music.
    Music,
}

/// What a leg hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Another leg, or itself.
    Leg(LegIndex),
    /// A sound.
    Player(Player),
}

/// What a queue is told by a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueAct {
    /// Takes the caller in, or asks again because no answer came.
    Join {
        /// Which of the call's stays in queues.
        stay: u32,
    },
    /// The call goes on at another node; what rang for it there rings no more.
    Moved,
    /// The caller hung up.
    CallerGone,
    /// The caller left as the queue said, or was taken out by somebody else.
    CallerLeft(Exit),
    /// The caller has heard the join announcement, or there is none.
    Greeted,
    /// The caller wants to know their place.
    Place,
    /// About a callback.
    Callback(Word),
    /// The caller pressed a key.
    Digit(char),
    /// An agent's phone rings.
    OfferRinging(OfferId),
    /// An agent answered, and hears the announcement before the caller.
    OfferAnnouncing(OfferId),
    /// An agent is put through.
    OfferAnswered(OfferId),
    /// An offer came to nothing.
    OfferEnded(OfferId, OfferEnd),
    /// The talk with the agent is over.
    CallEnded {
        /// The agent.
        agent: String,
        /// Who ended it.
        by: crate::queue::Party,
        /// How long they talked.
        talk: Duration,
    },
}

/// What must be dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialled {
    /// A phone of an extension.
    Device(Device),
    /// A phone of an agent, for a call of a queue.
    Agent {
        /// The phone.
        device: Device,
        /// The queue's number.
        queue: String,
    },
    /// A phone that is asked to answer by itself (D-060).
    Intercom(Device),
    /// A number over a trunk.
    Line(Line),
}

impl Dialled {
    /// Who is there.
    #[must_use]
    pub fn party(&self) -> Party {
        match self {
            Self::Device(device) | Self::Intercom(device) | Self::Agent { device, .. } => {
                device.party()
            }
            Self::Line(line) => line.party(),
        }
    }
}

/// How a leg is hung up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HangUp {
    /// For an incoming leg that was not answered: the final status.
    pub status: u16,
    /// Q.850 cause.
    pub cause: u16,
    /// Answered elsewhere: phones log no missed call.
    pub elsewhere: bool,
}

impl HangUp {
    /// The ordinary end.
    pub const NORMAL: Self = Self { status: 480, cause: 16, elsewhere: false };
    /// Another phone of the same extension won.
    pub const ELSEWHERE: Self = Self { status: 480, cause: 26, elsewhere: true };
}

/// What a call asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Sends an INVITE on a new leg.
    Dial {
        /// The new leg.
        leg: LegIndex,
        /// To where.
        to: Dialled,
        /// The leg on whose behalf: its party is shown and its codec preferred.
        for_leg: Option<LegIndex>,
        /// Who is shown as caller.
        caller: Party,
        /// How long until it counts as unanswered.
        give_up: Duration,
    },
    /// 180 on the caller's leg.
    Ring(LegIndex),
    /// 183 with our media on the caller's leg.
    Progress(LegIndex),
    /// 200 on the caller's leg.
    Answer(LegIndex),
    /// Ends a leg, whatever its state.
    HangUp(LegIndex, HangUp),
    /// A row of the hearing matrix.
    Hear(LegIndex, Vec<Heard>),
    /// Starts a sound.
    Play(Player, Sound),
    /// Stops it.
    StopPlaying(Player),
    /// Sends a digit to a leg.
    SendDtmf(LegIndex, char),
    /// Finds out where a number leads for a party; answered by [`Input::Routed`].
    Route {
        /// The request's number.
        request: u32,
        /// What was dialled.
        dialled: String,
        /// For whom.
        by: Party,
        /// Code and caller ID.
        wish: Box<Wish>,
    },
    /// Finds out where a destination leads; answered by [`Input::Routed`].
    RouteDestination {
        /// The request's number.
        request: u32,
        /// The destination.
        destination: Destination,
        /// For whom.
        by: Party,
    },
    /// Takes an agent for this call if they are free; answered by [`Input::Claimed`].
    Claim {
        /// The request's number.
        request: u32,
        /// The agent.
        extension: String,
        /// How long they are waited for.
        grace: Duration,
    },
    /// Asks for the party on a slot; answered by [`Input::Fetched`](super::Input::Fetched).
    Fetch {
        /// The request's number.
        request: u32,
        /// The slot.
        slot: u16,
    },
    /// Nobody is on the slot any more.
    FreeSlot(u16),
    /// Tells a queue.
    Queue(String, QueueAct),
    /// Tells the agent of an extension that it entered or left this call.
    InCall(String),
    /// See [`Effect::InCall`].
    OutOfCall(String),
    /// Carries out a queue feature code; answered by [`Input::CodeDone`].
    Code {
        /// Who dialled it.
        extension: String,
        /// As dialled.
        code: String,
    },
    /// Finds out what digits are; answered by [`Cue::LookedUp`](crate::flow::Cue::LookedUp).
    LookUp(String),
    /// Records a leg for a mailbox. However the leg ends, what was said is kept.
    RecordMessage {
        /// The leg.
        leg: LegIndex,
        /// The mailbox.
        mailbox: String,
    },
    /// Ends the recording; answered by [`Cue::Saved`](crate::flow::Cue::Saved) after the commit.
    EndRecording(LegIndex),
    /// Changes a message; answered by [`Cue::Changed`](crate::flow::Cue::Changed) after the
    /// commit.
    ChangeMessage {
        /// The mailbox.
        mailbox: String,
        /// The message.
        id: String,
        /// What is done to it.
        change: MessageChange,
    },
    /// Says how a transfer goes on (NOTIFY, RFC 3515).
    TransferProgress {
        /// The transferor's leg.
        leg: LegIndex,
        /// The REFER.
        refer: u64,
        /// SIP status of the new leg.
        status: u16,
        /// No more to come.
        last: bool,
    },
    /// Arms a timer.
    Arm(TimerId, Duration),
    /// Appends a fact.
    Record(CallEvent),
    /// Notes for the trace.
    Decide(&'static str, String),
    /// The call is over.
    Over,
}
