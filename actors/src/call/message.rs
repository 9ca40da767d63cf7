//! What a call actor can be told.

use std::time::Duration;

use ractor::RpcReplyPort;
use tandem_engine::MediaEvent;
use tandem_kernel::CallId;
use tandem_kernel::port::Slot;
use tandem_sip::net::{Inbound, TuEvent};
use tandem_sip::session::TimerId as SipTimerId;
use tandem_sip::value::Replaces;

use super::leg::SipLeg;
use super::machine::{Device, LegIndex, Party, TimerId};
use crate::flow::Cue;
use crate::office::{CallCommand, CallView, Refusal, TraceItem};
use crate::queue::{OfferId, QueueNotice};
use crate::softphone::Line;
use crate::softphone::words::FromPhone;

/// A leg on its way from one call to another (attended transfer).
pub struct Surrender {
    /// Who is on it.
    pub party: Party,
    /// The leg itself.
    pub(crate) leg: SipLeg,
}

/// What a call gives for a party who wants to be replaced in it (RFC 5589).
pub enum Given {
    /// Whom the party talks with; the call ends here.
    FarEnd(Box<Surrender>),
    /// Its place: whoever comes there goes on where the call stands.
    Place,
}

/// Whose leg of a call is meant, by who.
pub struct Claim {
    /// The leg.
    pub leg: LegIndex,
    /// Its dialog, as its peer knows it.
    pub dialog: Replaces,
    /// Who says so.
    pub by: Party,
}

/// Messages of a call actor. Local to a node.
pub enum CallMsg {
    /// From the SIP endpoint, for a leg. Peers cause these, so their number is bounded.
    Sip {
        /// The leg.
        leg: LegIndex,
        /// The event.
        event: TuEvent,
        /// Its place in the inbox.
        slot: Slot,
    },
    /// A session's timer went off.
    SipTimer {
        /// The leg.
        leg: LegIndex,
        /// The timer.
        timer: SipTimerId,
    },
    /// A timer of the call's machine went off. It may be late.
    Timer(TimerId),
    /// From the media engine.
    Media(MediaEvent),
    /// The call's first fact is durable, or was waited for long enough.
    Begun,
    /// From a queue.
    Queue {
        /// Its number.
        queue: String,
        /// To which of the call's stays; none: the queue does not know.
        stay: Option<u32>,
        /// What it says.
        notice: QueueNotice,
    },
    /// A queue's offer, and the agent's phones as far as they are known here.
    Offered {
        /// Its number.
        queue: String,
        /// To which of the call's stays; none: the queue does not know.
        stay: Option<u32>,
        /// The offer, the agent, and how long their phones ring.
        offered: (OfferId, String, Duration),
        /// The phones.
        devices: Vec<Device>,
    },
    /// Who goes on with the call may be another member now.
    TakenOver,
    /// Looks whether anybody has answered here since the call was taken over.
    GiveBack {
        /// The member that had it.
        to: u64,
    },
    /// Asks the far ends whether they still have the call: one may have hung up unheard.
    OfferAgain,
    /// A feature code was carried out.
    CodeDone {
        /// The prompt that says so.
        prompt: String,
    },
    /// The answer to what a script asked for.
    Cue(Cue),
    /// From the phone in a browser that a leg rings at.
    Browser {
        /// The leg.
        leg: LegIndex,
        /// The leg's number on the phone.
        line: Line,
        /// What it says.
        said: FromPhone,
    },
    /// The browser of an extension may be at another member now, or at none.
    PhoneAt {
        /// The extension.
        extension: String,
    },
    /// Looks whether a browser that was lost has come back.
    PhoneGone {
        /// The leg.
        leg: LegIndex,
        /// The leg's number on the phone.
        line: Line,
    },
    /// The phone of a leg is registered by another path than before, or its member is back.
    PhoneMoved {
        /// The leg.
        leg: LegIndex,
    },
    /// Whether an agent was free for this call.
    Claimed {
        /// The request's number.
        request: u32,
        /// The agent.
        extension: String,
        /// Their phones; none: not free.
        devices: Option<Vec<Device>>,
    },
    /// From the API.
    Command {
        /// What to do.
        command: CallCommand,
        /// Answered at once.
        reply: RpcReplyPort<Result<(), Refusal>>,
    },
    /// Asks for the picture of the call.
    View(RpcReplyPort<CallView>),
    /// Asks for media statistics of the live legs.
    MediaFigures(RpcReplyPort<Vec<TraceItem>>),
    /// Another call wants the far end of a party's talk, or the party's place (RFC 5589).
    TakeOver {
        /// The transferor's leg here.
        claim: Claim,
        /// Which call asks; a SIP status when the claim is not justified.
        reply: RpcReplyPort<Result<Given, u16>>,
    },
    /// What [`CallMsg::TakeOver`] brought, at the call that asked.
    Taken {
        /// The transferor's leg here.
        by: LegIndex,
        /// The REFER.
        refer: u32,
        /// The transferor's other call, and their leg there.
        from: (CallId, LegIndex),
        /// What it gives, or a SIP status.
        given: Result<Given, u16>,
    },
    /// Another call puts a party in the place of one here.
    PutIn {
        /// The place.
        leg: LegIndex,
        /// Who comes.
        moved: Box<Surrender>,
        /// The number that was dialled here, or who can not be taken in.
        reply: RpcReplyPort<Result<String, Box<Surrender>>>,
    },
    /// What became of [`CallMsg::PutIn`], at the call that asked.
    HandedIn {
        /// The transferor's leg here.
        by: LegIndex,
        /// The REFER.
        refer: u32,
        /// The leg that was to be put there.
        gone: LegIndex,
        /// The number that it was put to, or the leg itself; none: nothing was said.
        outcome: Option<Result<String, Box<Surrender>>>,
    },
    /// A party brings the far end of another call of theirs, to talk with all.
    Merge {
        /// The party's leg here.
        by: LegIndex,
        /// Their other call, and their leg there.
        with: (CallId, LegIndex),
        /// None: the party's own phone asks, and is told of a failure as of a transfer's.
        reply: Option<RpcReplyPort<Result<(), Refusal>>>,
    },
    /// Another call wants the far end of this leg's talk beside its own parties.
    Lend {
        /// The leg here of who brings it.
        leg: LegIndex,
        /// Which call asks.
        reply: RpcReplyPort<Result<Box<Surrender>, Refusal>>,
    },
    /// What [`CallMsg::Lend`] brought, at the call that asked.
    Lent {
        /// The party's leg here.
        by: LegIndex,
        /// The other call.
        from: CallId,
        /// The leg.
        lent: Result<Box<Surrender>, Refusal>,
        /// See [`CallMsg::Merge`].
        reply: Option<RpcReplyPort<Result<(), Refusal>>>,
    },
    /// Another call wants the party that waits on a slot.
    Unpark(RpcReplyPort<Option<Surrender>>),
    /// What [`CallMsg::Unpark`] brought, at the call that asked.
    Fetched {
        /// The request's number.
        request: u32,
        /// The leg; none when nobody was there.
        parked: Option<Box<Surrender>>,
    },
    /// An INVITE with Replaces for a leg here (RFC 3891).
    Replace {
        /// The leg that is replaced.
        claim: Claim,
        /// The INVITE.
        inbound: Box<Inbound>,
    },
}

impl ractor::Message for CallMsg {}
