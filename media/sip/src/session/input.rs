//! What a session is told: the wire, the clock and the owner.

use std::time::Duration;

use bytes::Bytes;

use super::effect::{ReferId, RequestRef, TimerId};
use crate::digest::Credentials;
use crate::message::Name;
use crate::net::{Target, TuEvent, TxnId};
use crate::value::{NameAddr, Reason, Uri};

/// How we present ourselves to this peer.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// The URI of our Contact, as this peer reaches us: `sip:host:port;transport=tls`.
    pub local_contact: String,
    /// User-Agent and Server; empty leaves it to the endpoint.
    pub user_agent: String,
    /// The methods that we take, as an Allow value (RFC 3261 20.5).
    pub allow: String,
    /// The session interval that we ask for (RFC 4028); `None` runs a timer only if the peer asks.
    pub session_expires: Option<Duration>,
    /// The shortest session interval that we accept; never below 90 s (RFC 4028 4).
    pub min_se: Duration,
    /// Whether provisional answers are to be acknowledged where the peer can (RFC 3262).
    pub reliable: bool,
}

impl Identity {
    /// The methods a session understands.
    pub const ALLOW: &'static str =
        "INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, INFO, REFER, NOTIFY, OPTIONS";

    /// The usual manners behind a Contact URI: a session timer of half an hour, no PRACK.
    #[must_use]
    pub fn new(local_contact: impl Into<String>) -> Self {
        Self {
            local_contact: local_contact.into(),
            user_agent: String::new(),
            allow: Self::ALLOW.to_owned(),
            session_expires: Some(Duration::from_secs(1800)),
            min_se: Duration::from_secs(90),
            reliable: false,
        }
    }
}

/// A call to be placed.
#[derive(Clone, Debug)]
pub struct Dial {
    /// The request URI.
    pub target: Uri,
    /// Route values to be put before it (RFC 3261 8.1.2), also a learned Path or Service-Route.
    pub route: Vec<String>,
    /// Where the INVITE goes. A flow given here is kept for the whole dialog (RFC 5626).
    pub next_hop: Target,
    /// The caller, without a tag.
    pub from: NameAddr,
    /// The callee, without a tag.
    pub to: NameAddr,
    /// A Call-ID that nobody has used.
    pub call_id: String,
    /// Our tag: random, at least 64 bits. Further chance (cnonce, glare) is drawn from it.
    pub from_tag: String,
    /// More headers of the INVITE: P-Asserted-Identity, Diversion, Replaces…
    pub headers: Vec<(Name, String)>,
    /// Our offer; `None` asks the peer for one.
    pub offer: Option<Bytes>,
    /// Offered once in place of the first offer if the peer refuses that with 488 or 606: what
    /// a peer of the other policy on encryption takes (RFC 3261 21.4.26).
    pub second_offer: Option<Bytes>,
    /// What answers a 401 or 407 with; for our own trunk accounts only.
    pub credentials: Option<Credentials>,
    /// How long it may ring before the INVITE is cancelled.
    pub give_up_after: Duration,
    /// Tried one after the other when the flow of `next_hop` has failed (RFC 5626 7): it is gone,
    /// says nothing for 4 s, or its proxy answers 430.
    pub other_flows: Vec<OtherFlow>,
    /// Why, in each CANCEL of the INVITE (RFC 3326), whatever ends it; `None`: what the ending
    /// says.
    pub cancel_reason: Option<Reason>,
}

/// Another flow of a phone that is called: of the same instance, to the same extension.
#[derive(Clone, Debug)]
pub struct OtherFlow {
    /// The request URI.
    pub target: Uri,
    /// Route values to be put before it: the flow's Path (RFC 3327).
    pub route: Vec<String>,
    /// Where the INVITE goes. A flow given here is kept for the whole dialog.
    pub next_hop: Target,
    /// The URI of our Contact, as the phone reaches us along this flow.
    pub local_contact: String,
}

/// Whatever a session may be told.
#[derive(Clone, Debug)]
pub enum Input {
    /// From the endpoint.
    Wire(TuEvent),
    /// The transaction that a [`Request`](super::Effect::Request) effect was given.
    Sent {
        /// The effect's.
        id: RequestRef,
        /// The endpoint's.
        txn: TxnId,
    },
    /// An armed timer has run out. One that is not awaited any more is ignored.
    Timer(TimerId),
    /// From the owner.
    Command(Command),
}

/// What the owner of a leg may ask for.
#[derive(Clone, Debug)]
pub enum Command {
    /// Answer 100.
    Trying,
    /// Answer 180.
    Ring {
        /// More headers, such as Alert-Info.
        headers: Vec<(Name, String)>,
    },
    /// Answer 183 with a description: early media. For an INVITE without an offer it is ours,
    /// which takes a peer with 100rel.
    Progress {
        /// The description.
        answer: Bytes,
    },
    /// Answer 200.
    Answer {
        /// The answer, or our offer if the INVITE had none.
        answer: Bytes,
        /// More headers.
        headers: Vec<(Name, String)>,
    },
    /// Refuse the INVITE.
    Reject {
        /// 300 to 699.
        status: u16,
        /// For a Reason header (RFC 6432).
        reason: Option<Reason>,
        /// More headers: Contact of a redirection, Retry-After.
        headers: Vec<(Name, String)>,
    },
    /// End it, however far it has come: CANCEL, refusal or BYE.
    HangUp {
        /// For a Reason header (RFC 3326).
        reason: Option<Reason>,
    },
    /// Offer a new description. Sent at once or when the exchange under way is over; a later
    /// offer takes the place of one that waits.
    Offer {
        /// The description.
        sdp: Bytes,
    },
    /// Answer what was [`Offered`](super::Event::Offered), or the offer in an answer to our
    /// INVITE without one.
    AnswerOffer {
        /// The answer, or our offer if there was none.
        sdp: Bytes,
    },
    /// Refuse what was offered; the session goes on as before.
    RefuseOffer {
        /// Usually 488.
        status: u16,
    },
    /// Ask the peer to call somebody (RFC 3515).
    Refer {
        /// The URI of whom to call.
        to: String,
        /// The dialog to take over there (RFC 5589 attended transfer), as a Replaces value.
        replaces: Option<String>,
        /// Referred-By (RFC 3892).
        referred_by: Option<String>,
    },
    /// Take a transfer upon us: 202, and 100 by NOTIFY.
    AcceptRefer {
        /// Which.
        id: ReferId,
    },
    /// Refuse a transfer.
    RefuseRefer {
        /// Which.
        id: ReferId,
        /// Usually 603.
        status: u16,
    },
    /// Tell the transferor how it goes.
    ReferProgress {
        /// Which.
        id: ReferId,
        /// The status that the new call has come to.
        status: u16,
        /// Whether this is the last word on it.
        is_final: bool,
    },
    /// Send an INFO.
    Info {
        /// Its Content-Type.
        content_type: String,
        /// Its body.
        body: Bytes,
    },
}
