//! What a session asks of its shell and tells its owner.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::message::Draft;
use crate::net::{Target, TxnId};
use crate::value::{Reason, ReferTo, Uri};

/// A timer of one session. Never given twice, so that a late one is told apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TimerId(pub u32);

/// A request effect, until the endpoint has given it a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RequestRef(pub u32);

/// A transfer within one session: the CSeq number of its REFER (RFC 3515 2.4.6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct ReferId(pub u32);

/// What the shell has to do, in this order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send a request; report its transaction by [`Input::Sent`](super::Input::Sent) before
    /// anything else.
    Request {
        /// For the report.
        id: RequestRef,
        /// The request.
        draft: Draft,
        /// Where to.
        target: Target,
    },
    /// Send the ACK to a 2xx.
    Ack {
        /// The ACK.
        draft: Draft,
        /// Where to.
        target: Target,
    },
    /// Answer a request.
    Respond {
        /// The request's transaction.
        txn: TxnId,
        /// The answer.
        draft: Draft,
    },
    /// Take the requests of this dialog from now on, until [`Effect::Closed`].
    Attach {
        /// Its Call-ID.
        call_id: String,
        /// Our tag.
        local_tag: String,
    },
    /// Report [`Input::Timer`](super::Input::Timer) after this time.
    Arm {
        /// Which.
        timer: TimerId,
        /// From now.
        after: Duration,
    },
    /// Tell the owner.
    Emit(Event),
    /// Nothing will happen any more: the session can be dropped and its dialog detached.
    Closed,
}

/// What the owner of a leg learns.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The callee is alerted, or the call goes on: 180, 181, 182, 183 without a description.
    Ringing {
        /// The provisional status.
        status: u16,
    },
    /// The callee refused our first offer; the second one of the [`Dial`](super::Dial) is on
    /// its way, and answers that come from now on are answers to it.
    OfferedAgain,
    /// A flow to the callee has failed; the INVITE goes along the next one of the
    /// [`Dial`](super::Dial).
    NextFlow,
    /// A provisional answer described the callee's media. A later one takes its place.
    EarlyMedia {
        /// The description.
        answer: Bytes,
    },
    /// The callee answered.
    Answered {
        /// The answer; or, if we offered nothing, the callee's offer, to be answered by
        /// [`Command::AnswerOffer`](super::Command::AnswerOffer).
        sdp: Option<Bytes>,
    },
    /// The ACK has been sent or seen: the dialog stands.
    Confirmed,
    /// The peer offers a new description, to be answered or refused.
    Offered {
        /// The offer; `None` asks for ours.
        sdp: Option<Bytes>,
    },
    /// The peer took its offer back before it was answered.
    OfferWithdrawn,
    /// The peer answered our offer.
    OfferAnswered {
        /// The answer.
        sdp: Bytes,
    },
    /// The peer refused our offer; everything stays as it was.
    OfferRefused {
        /// The status; 491 if a collision could not be resolved.
        status: u16,
    },
    /// A digit by INFO.
    Dtmf {
        /// 0 to 9, `*`, `#`, A to D, or `!` for a hook flash.
        digit: char,
        /// How long the key was held, in ms.
        duration_ms: u32,
    },
    /// The peer asks us to call somebody.
    Referred {
        /// For the answer.
        id: ReferId,
        /// Whom; with the dialog to take over for an attended transfer.
        to: Box<ReferTo>,
        /// Referred-By.
        referred_by: Option<String>,
    },
    /// How a transfer that we asked for goes; 202 is only its acceptance.
    ReferStatus {
        /// The status that the new call has come to.
        status: u16,
        /// Whether this is the last word on it.
        is_final: bool,
    },
    /// The callee is to be found elsewhere (3xx). Followed by [`Event::Ended`].
    Redirected {
        /// Where, best first.
        contacts: Vec<Uri>,
    },
    /// It is over. Comes once; what is left on the wire is the session's business.
    Ended {
        /// Why.
        cause: Cause,
    },
}

/// Who or what ended a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Party {
    /// The peer.
    Remote,
    /// The owner.
    Local,
    /// Nobody answered in time.
    Timeout,
    /// The peer could not be reached.
    Transport,
}

/// Why a session ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// By whom.
    pub by: Party,
    /// The final answer to the INVITE, or what takes its place (408, 503).
    pub status: Option<u16>,
    /// The Reason headers (RFC 3326).
    pub reason: Vec<Reason>,
    /// Somebody else has taken the call (RFC 3326: SIP;cause=200).
    pub elsewhere: bool,
    /// What a refusal asked us to wait (Retry-After).
    pub retry_after: Option<Duration>,
}

impl Cause {
    pub(super) const fn by(by: Party) -> Self {
        Self { by, status: None, reason: Vec::new(), elsewhere: false, retry_after: None }
    }

    pub(super) const fn status(by: Party, status: u16) -> Self {
        Self { by, status: Some(status), reason: Vec::new(), elsewhere: false, retry_after: None }
    }
}

/// A command that does not fit the state of the session. Nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Refused {
    /// The session is over.
    #[error("the session has ended")]
    Ended,
    /// Only an incoming call that is not answered can be answered, or only an outgoing one.
    #[error("the session is not in a state for this")]
    NotNow,
    /// There is no offer to be answered or refused.
    #[error("there is no offer to be answered")]
    NoOffer,
    /// An offer of the peer has to be answered first.
    #[error("an offer of the peer is not answered yet")]
    OfferPending,
    /// The status cannot be used for this.
    #[error("the status does not fit the answer")]
    BadStatus,
    /// The URI of whom to call, or the dialog to replace, is malformed.
    #[error("the target of the transfer is malformed")]
    BadTarget,
    /// There is no such transfer.
    #[error("there is no such transfer")]
    UnknownRefer,
    /// The peer does not take this method (its Allow).
    #[error("the peer does not support this")]
    Unsupported,
}

impl fmt::Display for TimerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timer-{}", self.0)
    }
}
