//! Offers within a call (RFC 3264, 6337): one at a time, whoever makes it, and what happens when
//! both do (RFC 3261 14.1, RFC 6141).

use std::time::Duration;

use bytes::Bytes;

use super::asked::{Asked, Kind, Outcome};
use super::chance::fingerprint;
use super::dialog::description;
use super::effect::Refused;
use super::timer::{LONG, Timer};
use super::{Cause, Event, Party, Session, State};
use crate::message::{Message, Method, Name};
use crate::net::{Inbound, TxnId};

/// The exchange of offer and answer under way, and what the last one left.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    stage: Stage,
    /// Our offer under way.
    proposed: Option<Bytes>,
    /// Our description that stands.
    pub(super) local: Option<Bytes>,
    /// Fingerprint of the peer's description that stands.
    remote: u64,
    /// An offer that waits until something else is over.
    waiting: Option<Bytes>,
    collisions: u8,
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Idle,
    /// The exchange that the first INVITE began.
    First,
    /// Our offer waits for the peer's answer.
    Sent,
    /// The peer's offer waits for our owner's answer.
    Received(Offered),
}

/// Where an offer of the peer came, and so where its answer goes.
#[derive(Debug)]
pub(super) enum Offered {
    /// In a re-INVITE, UPDATE or PRACK.
    Request { txn: TxnId, request: Message },
    /// A re-INVITE that asks for our offer.
    Offerless { txn: TxnId, request: Message },
    /// In the 2xx to our INVITE; the answer goes in the ACK.
    InAnswer { cseq: u32, auth: Vec<(Name, String)> },
    /// In a reliable provisional answer; the answer goes in the PRACK.
    InProvisional { tag: String, rack: String },
}

/// How often an offer is tried again after a collision.
const MAX_COLLISIONS: u8 = 6;

impl Exchange {
    /// Of a call that begins, with our offer if we are the caller and make one.
    pub(super) fn first(proposed: Option<Bytes>) -> Self {
        Self { stage: Stage::First, proposed, ..Self::default() }
    }

    /// Of a call that stands.
    pub(super) fn standing(local: Option<Bytes>, remote: u64) -> Self {
        Self { local, remote, ..Self::default() }
    }

    /// The offer under way was answered.
    pub(super) fn answered(&mut self) {
        self.stage = Stage::Idle;
        if let Some(proposed) = self.proposed.take() {
            self.local = Some(proposed);
        }
    }

    /// The peer refused our offer, or we take it back.
    pub(super) fn withdraw(&mut self) {
        self.stage = Stage::Idle;
        self.proposed = None;
    }

    /// Our description goes out as an answer.
    pub(super) fn answer_with(&mut self, local: &Bytes) {
        self.stage = Stage::Idle;
        self.proposed = None;
        self.local = Some(local.clone());
    }

    /// Our description goes out as an offer.
    pub(super) fn propose(&mut self, offer: &Bytes) {
        self.stage = Stage::Sent;
        self.proposed = Some(offer.clone());
    }

    /// An offer of the peer is put before the owner.
    pub(super) fn take(&mut self, offered: Offered) {
        self.stage = Stage::Received(offered);
    }

    /// Takes note of the peer's description; false if it is the one that stands.
    pub(super) fn heard(&mut self, remote: &[u8]) -> bool {
        let remote = fingerprint(remote);
        std::mem::replace(&mut self.remote, remote) != remote
    }

    pub(super) const fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    pub(super) const fn is_sent(&self) -> bool {
        matches!(self.stage, Stage::Sent)
    }

    pub(super) const fn remote(&self) -> u64 {
        self.remote
    }

    fn take_offered(&mut self) -> Option<Offered> {
        if !matches!(self.stage, Stage::Received(_)) {
            return None;
        }
        match std::mem::take(&mut self.stage) {
            Stage::Received(offered) => Some(offered),
            Stage::Idle | Stage::First | Stage::Sent => None,
        }
    }

    fn is_received_in_invite(&self) -> bool {
        match &self.stage {
            Stage::Received(Offered::Request { request, .. }) => {
                request.method() == Some(Method::Invite)
            }
            Stage::Received(Offered::Offerless { .. }) => true,
            _ => false,
        }
    }
}

impl Session {
    /// The owner offers.
    pub(super) fn offer(&mut self, sdp: Bytes) -> Result<(), Refused> {
        if matches!(self.exchange.stage, Stage::Received(_)) {
            return Err(Refused::OfferPending);
        }
        if matches!(self.state, State::Up) {
            self.exchange.waiting = Some(sdp);
            if !self.is_armed(Timer::Glare) {
                self.offer_waiting();
            }
            return Ok(());
        }
        // RFC 3311 5.1: before the final answer only UPDATE can offer, once the first
        // exchange is complete.
        let can_update = self.dialog().is_some_and(|dialog| dialog.allows.update);
        match self.exchange.stage {
            Stage::Idle if can_update => {
                self.exchange.waiting = Some(sdp);
                self.offer_waiting();
                Ok(())
            }
            Stage::Sent if can_update => {
                self.exchange.waiting = Some(sdp);
                Ok(())
            }
            _ => Err(Refused::NotNow),
        }
    }

    /// Sends the offer that waits, if nothing stands in its way any more.
    pub(super) fn offer_waiting(&mut self) {
        let is_asking = [Kind::Reinvite, Kind::Update, Kind::Refresh]
            .into_iter()
            .any(|kind| self.is_asking(kind));
        let may = !self.is_over
            && self.exchange.is_idle()
            && self.unacked.is_none()
            && !is_asking
            && !self.is_armed(Timer::Glare);
        if !may {
            return;
        }
        let Some(sdp) = self.exchange.waiting.take() else { return };
        let (method, kind) = match self.state {
            State::Up => (Method::Invite, Kind::Reinvite),
            _ => (Method::Update, Kind::Update),
        };
        let Some(mut draft) = self.draft(method) else { return };
        self.identity.sign(&mut draft);
        self.refresh.offer(&mut draft);
        self.exchange.propose(&sdp);
        let draft = draft.with_body("application/sdp", sdp);
        self.ask_peer(kind, draft);
        self.arm(Timer::OfferGuard, LONG * 2);
    }

    /// Our re-INVITE was taken but never answered.
    pub(super) fn offer_overdue(&mut self) {
        self.send_cancel(Kind::Reinvite, None);
    }

    /// Our offer has its final answer.
    pub(super) fn offer_concluded(&mut self, asked: Asked, outcome: Outcome<'_>) {
        self.disarm(Timer::OfferGuard);
        match (outcome.status, outcome.answer) {
            (200..=299, Some(answer)) => self.offer_accepted(&asked, answer),
            (422, Some(answer)) if self.refresh.raise(answer) => {
                let mut asked = asked;
                self.refresh.offer(&mut asked.draft);
                self.arm(Timer::OfferGuard, LONG * 2);
                self.send_anew(asked);
                return;
            }
            (491, _) => self.collided(),
            _ if outcome.is_lost_dialog() && matches!(self.state, State::Up) => {
                return self.lost(outcome);
            }
            _ => {
                self.exchange.withdraw();
                self.refused_offer(outcome.status);
            }
        }
        self.offer_waiting();
    }

    fn offer_accepted(&mut self, asked: &Asked, answer: &Message) {
        self.target_refreshed(answer);
        if asked.kind == Kind::Reinvite {
            self.acknowledge_invite(asked, answer);
        }
        self.refresh_agreed(answer);
        self.exchange.collisions = 0;
        let Some(sdp) = description(answer) else {
            // RFC 3264 5: an offer must be answered; without it everything stays as it was.
            self.exchange.withdraw();
            return self.refused_offer(488);
        };
        self.exchange.answered();
        self.exchange.heard(&sdp);
        self.emit(Event::OfferAnswered { sdp });
    }

    /// Acknowledges the 2xx to a re-INVITE of ours.
    pub(super) fn acknowledge_invite(&mut self, asked: &Asked, answer: &Message) {
        if let Ok((cseq, _)) = answer.cseq() {
            self.acknowledge(cseq, Some(&asked.draft), None);
        }
    }

    pub(super) fn target_refreshed(&mut self, answer: &Message) {
        if let Some(dialog) = self.dialog() {
            dialog.refresh_target(answer);
        }
    }

    /// RFC 3261 14.1: both have offered. The caller waits longer than the callee.
    fn collided(&mut self) {
        let proposed = self.exchange.proposed.take();
        self.exchange.stage = Stage::Idle;
        self.exchange.collisions += 1;
        if self.exchange.collisions > MAX_COLLISIONS {
            self.exchange.collisions = 0;
            return self.refused_offer(491);
        }
        if self.exchange.waiting.is_none() {
            self.exchange.waiting = proposed;
        }
        let after = self.collision_wait();
        self.arm(Timer::Glare, after);
    }

    pub(super) fn collision_wait(&mut self) -> Duration {
        let tens =
            if self.is_caller { 210 + self.chance.below(191) } else { self.chance.below(201) };
        Duration::from_millis(tens * 10)
    }

    /// A re-INVITE of the peer (14.2).
    pub(super) fn reinvite_came(&mut self, inbound: &Inbound) {
        let request = &inbound.request;
        if matches!(self.state, State::Called(_)) || self.exchange.is_received_in_invite() {
            return self.refuse_later(inbound);
        }
        let is_busy = !matches!(self.state, State::Up)
            || !self.exchange.is_idle()
            || self.is_asking(Kind::Reinvite)
            || (self.is_asking(Kind::Refresh) && self.exchange.is_sent());
        if is_busy {
            return self.refuse(inbound, 491);
        }
        if let Some(draft) = self.interval_too_small(request) {
            return self.respond(inbound.txn, draft);
        }
        // A peer that sends a further INVITE has had our 2xx to the one before (RFC 5407 3.1).
        self.acknowledged();
        self.target_refreshed(request);
        let (txn, request) = (inbound.txn, request.clone());
        let sdp = description(&request);
        self.exchange.take(match sdp {
            Some(_) => Offered::Request { txn, request },
            None => Offered::Offerless { txn, request },
        });
        self.emit(Event::Offered { sdp });
    }

    /// An UPDATE of the peer (RFC 3311 5.2).
    pub(super) fn update_came(&mut self, inbound: &Inbound) {
        let request = &inbound.request;
        if let Some(draft) = self.interval_too_small(request) {
            return self.respond(inbound.txn, draft);
        }
        let Some(sdp) = description(request) else {
            self.refresh_peer_target(request);
            let mut draft = self.reply(request, 200);
            self.identity.sign(&mut draft);
            self.refresh_granted(request, &mut draft);
            return self.respond(inbound.txn, draft);
        };
        match (&self.exchange.stage, &self.state) {
            (Stage::Idle, _) => {}
            (Stage::Received(_), _) | (Stage::First, State::Called(_)) => {
                return self.refuse_later(inbound);
            }
            (Stage::Sent | Stage::First, _) => return self.refuse(inbound, 491),
        }
        self.refresh_peer_target(request);
        self.exchange.take(Offered::Request { txn: inbound.txn, request: request.clone() });
        self.emit(Event::Offered { sdp: Some(sdp) });
    }

    fn refresh_peer_target(&mut self, request: &Message) {
        let tag = request.from_tag().unwrap_or_default();
        if let Some(dialog) = self.dialog_with(tag) {
            dialog.refresh_target(request);
        }
    }

    /// The owner answers the peer's offer.
    pub(super) fn answer_offer(&mut self, sdp: Bytes) -> Result<(), Refused> {
        let offered = self.exchange.take_offered().ok_or(Refused::NoOffer)?;
        match offered {
            Offered::Request { txn, request } => {
                if let Some(remote) = description(&request) {
                    self.exchange.heard(&remote);
                }
                self.exchange.answer_with(&sdp);
                self.accept_request(txn, &request, sdp);
            }
            Offered::Offerless { txn, request } => {
                self.exchange.propose(&sdp);
                self.accept_request(txn, &request, sdp);
            }
            Offered::InAnswer { cseq, auth } => {
                self.exchange.answer_with(&sdp);
                self.acknowledge_with(cseq, auth, Some(sdp));
                self.emit(Event::Confirmed);
            }
            Offered::InProvisional { tag, rack } => {
                self.exchange.answer_with(&sdp);
                self.send_prack(&tag, &rack, Some(sdp));
            }
        }
        if self.exchange.waiting.take().is_some() {
            // It was made before the peer's; the owner has to think again.
            self.disarm(Timer::Glare);
            self.refused_offer(491);
        }
        Ok(())
    }

    fn accept_request(&mut self, txn: TxnId, request: &Message, sdp: Bytes) {
        let mut draft = self.reply(request, 200);
        if request.method() != Some(Method::Prack) {
            self.identity.sign(&mut draft);
            self.refresh_granted(request, &mut draft);
        }
        let draft = draft.with_body("application/sdp", sdp);
        if request.method() == Some(Method::Invite) {
            let cseq = request.cseq().map_or(0, |(cseq, _)| cseq);
            self.answer_until_ack(txn, cseq, draft, false);
            return;
        }
        self.respond(txn, draft);
    }

    /// The owner refuses the peer's offer.
    pub(super) fn refuse_offer(&mut self, status: u16) -> Result<(), Refused> {
        if !(400..700).contains(&status) {
            return Err(Refused::BadStatus);
        }
        let offered = self.exchange.take_offered().ok_or(Refused::NoOffer)?;
        match offered {
            Offered::Request { txn, request } | Offered::Offerless { txn, request } => {
                let draft = self.reply(&request, status);
                self.respond(txn, draft);
                self.offer_waiting();
            }
            Offered::InAnswer { cseq, auth } => {
                self.acknowledge_with(cseq, auth, None);
                self.end(Cause::status(Party::Local, status));
                self.part(None);
            }
            Offered::InProvisional { tag, rack } => {
                self.send_prack(&tag, &rack, None);
                self.end(Cause::status(Party::Local, status));
                self.cancel(None);
            }
        }
        Ok(())
    }

    /// The session ends while an offer of the peer is before the owner.
    pub(super) fn abandon_offer(&mut self) {
        match self.exchange.take_offered() {
            Some(Offered::Request { txn, request } | Offered::Offerless { txn, request }) => {
                let is_invite = request.method() == Some(Method::Invite);
                let draft = self.reply(&request, if is_invite { 487 } else { 481 });
                self.respond(txn, draft);
            }
            Some(Offered::InAnswer { cseq, auth }) => self.acknowledge_with(cseq, auth, None),
            Some(Offered::InProvisional { .. }) | None => {}
        }
    }

    /// The peer takes its re-INVITE back (RFC 3261 9.2, RFC 6141).
    pub(super) fn offer_cancelled(&mut self, invite: TxnId) {
        let is_it = match &self.exchange.stage {
            Stage::Received(Offered::Request { txn, .. } | Offered::Offerless { txn, .. }) => {
                *txn == invite
            }
            _ => false,
        };
        if is_it {
            self.abandon_offer();
            self.emit(Event::OfferWithdrawn);
            self.offer_waiting();
        }
    }

    /// The ACK of a 2xx that held our offer.
    pub(super) fn answer_came(&mut self, ack: &Message) {
        if !self.exchange.is_sent() {
            return;
        }
        let Some(sdp) = description(ack) else {
            self.exchange.withdraw();
            return self.refused_offer(488);
        };
        self.exchange.answered();
        self.exchange.heard(&sdp);
        self.emit(Event::OfferAnswered { sdp });
    }
}
