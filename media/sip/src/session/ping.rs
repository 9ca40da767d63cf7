//! Whether a peer is there: OPTIONS out of any dialog (RFC 3261 11), sans-IO.

use std::time::{Duration, Instant};

use super::effect::{RequestRef, TimerId};
use super::input::Identity;
use crate::message::{Draft, Method, Name};
use crate::net::{Target, TuEvent, TxnId};
use crate::value::{NameAddr, Uri};

/// Whom to ask, and how often.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The request URI.
    pub target: Uri,
    /// Where it goes.
    pub next_hop: Target,
    /// Who asks.
    pub from: NameAddr,
    /// A Call-ID that nobody has used.
    pub call_id: String,
    /// Our tag.
    pub from_tag: String,
    /// From one answer to the next question.
    pub every: Duration,
    /// How many questions in a row without a good answer mean that the peer is gone.
    pub patience: u32,
}

/// What a ping is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// From the endpoint.
    Wire(TuEvent),
    /// The transaction that a [`Effect::Request`] was given.
    Sent {
        /// The effect's.
        id: RequestRef,
        /// The endpoint's.
        txn: TxnId,
    },
    /// An armed timer has run out.
    Timer(TimerId),
}

/// What the shell of a ping has to do.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "it is handed over once and not kept")]
pub enum Effect {
    /// Send a request; report its transaction by [`Input::Sent`] before anything else.
    Request {
        /// For the report.
        id: RequestRef,
        /// The request.
        draft: Draft,
        /// Where to.
        target: Target,
    },
    /// Report [`Input::Timer`] after this time.
    Arm {
        /// Which.
        timer: TimerId,
        /// From now.
        after: Duration,
    },
    /// The peer answers, for the first time or again.
    Reachable {
        /// From the question to the answer.
        round_trip: Duration,
    },
    /// The peer has stopped to answer, or says that it is out of service (503).
    Unreachable {
        /// The last status, or 408 or 503 in its place.
        status: u16,
    },
}

/// A peer that is asked again and again.
#[derive(Debug)]
pub struct Ping {
    peer: Peer,
    identity: Identity,
    cseq: u32,
    asked: Option<(RequestRef, Option<TxnId>, Instant)>,
    timer: u32,
    misses: u32,
    is_reachable: Option<bool>,
}

impl Ping {
    /// Asks for the first time.
    #[must_use]
    pub fn new(now: Instant, peer: Peer, identity: &Identity) -> (Self, Vec<Effect>) {
        let identity = identity.clone();
        let mut ping =
            Self { peer, identity, cseq: 0, asked: None, timer: 0, misses: 0, is_reachable: None };
        let question = ping.ask(now);
        (ping, vec![question])
    }

    /// Takes one input.
    pub fn step(&mut self, now: Instant, input: Input) -> Vec<Effect> {
        match input {
            Input::Timer(timer) if timer.0 == self.timer => vec![self.ask(now)],
            Input::Timer(_) => Vec::new(),
            Input::Sent { id, txn } => {
                if let Some(asked) = self.asked.as_mut().filter(|asked| asked.0 == id) {
                    asked.1 = Some(txn);
                }
                Vec::new()
            }
            Input::Wire(TuEvent::Response { txn, response, .. }) => {
                let status = response.status().unwrap_or(0);
                if status < 200 { Vec::new() } else { self.answered(now, txn, status, true) }
            }
            Input::Wire(TuEvent::Timeout { txn }) => self.answered(now, txn, 408, false),
            Input::Wire(TuEvent::TransportFailed { txn, .. }) => {
                self.answered(now, txn, 503, false)
            }
            Input::Wire(_) => Vec::new(),
        }
    }

    fn ask(&mut self, now: Instant) -> Effect {
        self.cseq += 1;
        let peer = &self.peer;
        let mut draft = Draft::request(Method::Options, peer.target.to_string());
        let from = peer.from.clone().with_tag(&peer.from_tag);
        draft.push(Name::From, from.to_string());
        draft.push(Name::To, NameAddr::new(peer.target.clone()).to_string());
        draft.push(Name::CallId, peer.call_id.as_str());
        draft.push(Name::CSeq, format!("{} OPTIONS", self.cseq));
        draft.push(Name::Accept, "application/sdp");
        self.identity.sign(&mut draft);
        let id = RequestRef(self.cseq);
        self.asked = Some((id, None, now));
        Effect::Request { id, draft, target: peer.next_hop.clone() }
    }

    /// Any answer of the peer shows that it is there, except that it is out of service.
    fn answered(&mut self, now: Instant, txn: TxnId, status: u16, by_peer: bool) -> Vec<Effect> {
        let Some((_, _, since)) = self.asked.take_if(|asked| asked.1 == Some(txn)) else {
            return Vec::new();
        };
        self.timer += 1;
        let mut out = vec![Effect::Arm { timer: TimerId(self.timer), after: self.peer.every }];
        if by_peer && status != 503 {
            self.misses = 0;
            if self.is_reachable.replace(true) != Some(true) {
                out.push(Effect::Reachable { round_trip: now.saturating_duration_since(since) });
            }
            return out;
        }
        self.misses += 1;
        let is_gone = self.misses >= self.peer.patience.max(1);
        if is_gone && self.is_reachable.replace(false) != Some(false) {
            out.push(Effect::Unreachable { status });
        }
        out
    }
}
