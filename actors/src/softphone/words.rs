//! What a leg and the phone in a browser say to each other. They may be at two members of a
//! cluster: variants are only added at the end.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tandem_kernel::LegId;
use tandem_sip::session::{Cause, Event, Party, ReferId};
use tandem_sip::value::{NameAddr, ReferTo, Replaces, Uri};

/// An invitation to ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// The leg.
    pub id: LegId,
    /// The leg's name among dialogs.
    pub dialog: String,
    /// What audio it offers.
    pub offer: Bytes,
    /// The caller's number.
    pub number: String,
    /// The caller's name; may be empty.
    pub name: String,
    /// How long it rings.
    pub give_up: Duration,
}

/// An answered leg that looks for its phone again: its member or the phone's was lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    /// The leg.
    pub id: LegId,
    /// The leg's name among dialogs.
    pub dialog: String,
    /// What audio it offers.
    pub offer: Bytes,
    /// The other party's number.
    pub number: String,
    /// The other party's name; may be empty.
    pub name: String,
    /// Whether the user dialled it.
    pub outgoing: bool,
    /// Whether the user put the other party on hold.
    pub held: bool,
}

/// What a leg wants of its phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToPhone {
    /// It rings.
    Invite(Box<Invitation>),
    /// It is over.
    End,
    /// It is in another call now, or its audio moved.
    Offer {
        /// The leg.
        id: LegId,
        /// Its audio.
        sdp: Bytes,
    },
    /// The answer to the phone's own offer.
    Accept(Bytes),
    /// How a transfer goes.
    Transfer {
        /// A SIP status.
        status: u16,
    },
    /// It is talked with, and may be known to the phone or not.
    Return(Box<Return>),
}

/// Who ended a leg at its phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndedBy {
    /// The user.
    User,
    /// It rang in vain.
    Timeout,
    /// The node: there is no audio.
    Node,
    /// The page is gone.
    Page,
}

/// What a phone says to a leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromPhone {
    /// It rings.
    Ringing,
    /// The user took the call.
    Answered(Bytes),
    /// The user holds or resumes.
    Offered(Bytes),
    /// The answer to the leg's offer.
    OfferAnswered(Bytes),
    /// The user transfers the other party.
    Refer {
        /// The transfer's number on the phone.
        id: u32,
        /// As one would dial it.
        to: String,
        /// The dialog of the user's other call that is joined.
        replaces: Option<String>,
    },
    /// The user joins the other party of another call.
    Merge(LegId),
    /// It is over.
    Ended {
        /// By whom.
        by: EndedBy,
        /// A SIP status; none once it was answered.
        status: Option<u16>,
    },
}

impl FromPhone {
    /// As a session would tell it; none for what is no session's.
    pub(crate) fn event(self, realm: &str) -> Option<Event> {
        Some(match self {
            Self::Ringing => Event::Ringing { status: 180 },
            Self::Answered(sdp) => Event::Answered { sdp: Some(sdp) },
            Self::Offered(sdp) => Event::Offered { sdp: Some(sdp) },
            Self::OfferAnswered(sdp) => Event::OfferAnswered { sdp },
            Self::Refer { id, to, replaces } => refer(id, &to, replaces, realm),
            Self::Ended { by, status } => ended(by, status),
            Self::Merge(_) => return None,
        })
    }
}

fn refer(id: u32, to: &str, replaces: Option<String>, realm: &str) -> Event {
    let replaces = replaces.map(|call_id| Replaces {
        call_id,
        to_tag: String::new(),
        from_tag: String::new(),
        early_only: false,
    });
    let to = ReferTo { target: NameAddr::new(Uri::sip(to, realm)), replaces };
    Event::Referred { id: ReferId(id), to: Box::new(to), referred_by: None }
}

fn ended(by: EndedBy, status: Option<u16>) -> Event {
    let by = match by {
        EndedBy::User => Party::Remote,
        EndedBy::Timeout => Party::Timeout,
        EndedBy::Node => Party::Local,
        EndedBy::Page => Party::Transport,
    };
    let cause = Cause { by, status, reason: Vec::new(), elsewhere: false, retry_after: None };
    Event::Ended { cause }
}

/// Where the audio of a leg of another member is: not always where its description says, which
/// is meant for phones outside.
pub type Host = Option<IpAddr>;
