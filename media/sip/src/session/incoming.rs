//! An incoming call until the ACK of its 2xx (RFC 3261 13.3, 8.2).

use std::time::{Duration, Instant};

use bytes::Bytes;
use smallvec::SmallVec;

use super::chance::Chance;
use super::dialog::{Dialog, content_type, description, not_understood};
use super::effect::{Effect, Refused};
use super::offer::Exchange;
use super::refer::Transfers;
use super::refresh::Refresh;
use super::reliable::{Reliability, Reliable};
use super::timer::{Repeat, T2, Timer, Timers};
use super::{Cause, Event, Identity, Party, Session, State, cause};
use crate::message::{Draft, Message, Method, Name};
use crate::net::{Inbound, TxnId};
use crate::value::{NameAddr, Reason, Replaces};

/// An INVITE of the peer without a final answer.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) txn: TxnId,
    pub(super) invite: Message,
    pub(super) cseq: u32,
    pub(super) has_offer: bool,
    pub(super) reliable: Reliable,
    reliability: Reliability,
    /// The last provisional answer, to be repeated each minute.
    ringing: Option<Draft>,
    /// The 2xx that waits for a PRACK.
    held: Option<(Bytes, Vec<(Name, String)>)>,
}

/// A 2xx of ours without its ACK.
#[derive(Debug)]
pub(super) struct Unacked {
    txn: TxnId,
    cseq: u32,
    draft: Draft,
    repeat: Repeat,
    is_first: bool,
    /// The owner has hung up; the BYE waits for the ACK (15).
    pub(super) parting: Option<Option<Reason>>,
}

/// RFC 3261 13.3.1.1: how often a ringing phone says so.
const RINGING: Duration = Duration::from_secs(60);

impl Session {
    /// Looks at an INVITE out of any dialog. The tag is ours: random, at least 64 bits. What
    /// a Replaces means is the business of whoever knows all dialogs ([`Session::replaces`]).
    ///
    /// # Errors
    /// The final answer, if the INVITE cannot be taken: 400, 405, 415, 420, 422 or 481.
    pub fn incoming(
        now: Instant,
        inbound: &Inbound,
        identity: &Identity,
        tag: String,
    ) -> Result<(Self, Vec<Effect>), Box<Draft>> {
        let invite = &inbound.request;
        let refuse = |status: u16| {
            let mut draft = Draft::response(invite, status);
            draft.set_to_tag(&tag);
            identity.name(&mut draft);
            Box::new(draft)
        };
        check(invite, identity, &refuse)?;
        let mut refresh = Refresh::default();
        if let Some(min_se) = refresh.is_too_small(identity, invite) {
            return Err(Box::new(refuse(422).with(Name::MinSe, min_se.to_string())));
        }
        refresh.note_peer(invite);
        let Some(dialog) = Dialog::of_invite(inbound, &tag) else { return Err(refuse(400)) };
        let cseq = dialog.remote_cseq.unwrap_or(1);
        let mut session = Self {
            identity: Box::new(identity.clone()),
            chance: Chance::of(invite.call_id(), &tag),
            call_id: invite.call_id().to_owned(),
            local_tag: tag,
            is_caller: false,
            credentials: None,
            state: State::Closed,
            dialogs: vec![dialog],
            asked: SmallVec::new(),
            next_request: 0,
            timers: Timers::default(),
            exchange: Exchange::first(None),
            unacked: None,
            acks: SmallVec::new(),
            refresh,
            transfers: Transfers::default(),
            is_over: false,
            now,
            out: Vec::new(),
        };
        let offer = description(invite);
        if let Some(offer) = &offer {
            session.exchange.heard(offer);
        }
        session.state = State::Called(Box::new(Called {
            txn: inbound.txn,
            invite: invite.clone(),
            cseq,
            has_offer: offer.is_some(),
            reliability: session.reliability(invite),
            reliable: Reliable::default(),
            ringing: None,
            held: None,
        }));
        let (call_id, local_tag) = (session.call_id.clone(), session.local_tag.clone());
        Ok((session, vec![Effect::Attach { call_id, local_tag }]))
    }

    /// The INVITE, until it is answered.
    #[must_use]
    pub fn invite(&self) -> Option<&Message> {
        match &self.state {
            State::Called(called) => Some(&called.invite),
            _ => None,
        }
    }

    /// The dialog that an incoming INVITE wants to take the place of (RFC 3891). Its form was
    /// checked. Whoever finds no such dialog refuses the INVITE with 481.
    #[must_use]
    pub fn replaces(&self) -> Option<Replaces> {
        Replaces::parse(self.invite()?.header(Name::Replaces)?).ok()
    }

    /// An answer to the INVITE that was called with.
    fn answer_draft(&self, status: u16) -> Option<(TxnId, Draft)> {
        let State::Called(called) = &self.state else { return None };
        let invite = &called.invite;
        let mut draft = Draft::response(invite, status);
        if status > 100 {
            draft.set_to_tag(&self.local_tag);
        }
        if (101..300).contains(&status) {
            // 12.1.1.
            for route in invite.headers(Name::RecordRoute) {
                draft.push(Name::RecordRoute, route);
            }
            self.identity.sign(&mut draft);
        } else {
            self.identity.name(&mut draft);
        }
        Some((called.txn, draft))
    }

    pub(super) fn send_trying(&mut self) -> Result<(), Refused> {
        let (txn, draft) = self.answer_draft(100).ok_or(Refused::NotNow)?;
        self.respond(txn, draft);
        Ok(())
    }

    pub(super) fn ring(&mut self, headers: Vec<(Name, String)>) -> Result<(), Refused> {
        let (_, mut draft) = self.answer_draft(180).ok_or(Refused::NotNow)?;
        for (name, value) in headers {
            draft.push(name, value);
        }
        self.send_provisional(draft, None);
        Ok(())
    }

    pub(super) fn send_progress(&mut self, sdp: Bytes) -> Result<(), Refused> {
        let State::Called(called) = &self.state else { return Err(Refused::NotNow) };
        let is_reliable = called.reliability != Reliability::None;
        if !called.has_offer && !is_reliable {
            // RFC 3261 13.2.1: an offer has to be in an answer that surely arrives.
            return Err(Refused::Unsupported);
        }
        let (_, draft) = self.answer_draft(183).ok_or(Refused::NotNow)?;
        self.send_provisional(draft, Some(sdp));
        Ok(())
    }

    fn send_provisional(&mut self, mut draft: Draft, sdp: Option<Bytes>) {
        let State::Called(called) = &self.state else { return };
        let (txn, has_offer, reliability) = (called.txn, called.has_offer, called.reliability);
        if called.held.is_some() {
            return;
        }
        let is_first = !self.exchange.is_idle() && !self.exchange.is_sent();
        // RFC 3262 5: without an offer in the INVITE the first reliable answer has to make one.
        let cannot = !has_offer && is_first && sdp.is_none();
        if reliability == Reliability::None || cannot {
            if let Some(sdp) = sdp {
                draft = draft.with_body("application/sdp", sdp);
            }
            if reliability == Reliability::Required {
                return;
            }
            self.repeat_each_minute(draft.clone());
            return self.respond(txn, draft);
        }
        if let Some(sdp) = sdp.filter(|_| is_first) {
            if has_offer {
                self.exchange.answer_with(&sdp);
            } else {
                self.exchange.propose(&sdp);
            }
            draft = draft.with_body("application/sdp", sdp);
        }
        self.send_reliable(draft);
    }

    fn repeat_each_minute(&mut self, draft: Draft) {
        if let State::Called(called) = &mut self.state {
            called.ringing = Some(draft);
            self.arm(Timer::RepeatRinging, RINGING);
        }
    }

    pub(super) fn repeat_ringing(&mut self) {
        let State::Called(called) = &self.state else { return };
        let (txn, Some(draft)) = (called.txn, called.ringing.clone()) else { return };
        self.respond(txn, draft);
        self.arm(Timer::RepeatRinging, RINGING);
    }

    pub(super) fn accept(
        &mut self,
        sdp: Bytes,
        headers: Vec<(Name, String)>,
    ) -> Result<(), Refused> {
        let State::Called(called) = &mut self.state else { return Err(Refused::NotNow) };
        if called.held.is_some() {
            return Err(Refused::NotNow);
        }
        called.held = Some((sdp, headers));
        self.accept_held();
        Ok(())
    }

    /// Sends the 2xx unless it has to wait for a PRACK.
    pub(super) fn accept_held(&mut self) {
        let State::Called(called) = &mut self.state else { return };
        if called.reliable.holds_answer() {
            return;
        }
        let Some((sdp, headers)) = called.held.take() else { return };
        let (cseq, has_offer, invite) = (called.cseq, called.has_offer, called.invite.clone());
        let Some((txn, mut draft)) = self.answer_draft(200) else { return };
        for (name, value) in headers {
            draft.push(name, value);
        }
        // RFC 3262 5: what a reliable provisional answer has settled is not said again.
        let is_settled = self.exchange.is_idle();
        if !is_settled {
            if has_offer {
                self.exchange.answer_with(&sdp);
            } else {
                self.exchange.propose(&sdp);
            }
            draft = draft.with_body("application/sdp", sdp);
        }
        self.disarm_all();
        self.state = State::Up;
        self.refresh_granted(&invite, &mut draft);
        self.answer_until_ack(txn, cseq, draft, true);
    }

    /// Sends a 2xx to an INVITE, again and again until its ACK (13.3.1.4).
    pub(super) fn answer_until_ack(&mut self, txn: TxnId, cseq: u32, draft: Draft, is_first: bool) {
        let repeat = Repeat::new(self.now, T2);
        self.respond(txn, draft.clone());
        let parting = None;
        self.unacked = Some(Box::new(Unacked { txn, cseq, draft, repeat, is_first, parting }));
        self.arm(Timer::RepeatAnswer, Repeat::first());
    }

    pub(super) fn repeat_answer(&mut self) {
        let now = self.now;
        let Some(unacked) = &mut self.unacked else { return };
        if let Some(next) = unacked.repeat.next(now) {
            let (txn, draft) = (unacked.txn, unacked.draft.clone());
            self.respond(txn, draft);
            return self.arm(Timer::RepeatAnswer, next);
        }
        // 13.3.1.4: it is answered but nobody is there.
        let parting = self.unacked.take().and_then(|unacked| unacked.parting);
        self.end(Cause::status(Party::Timeout, 408));
        self.part(parting.flatten());
    }

    pub(super) fn ack_came(&mut self, ack: &Message) {
        let Ok((cseq, _)) = ack.cseq() else { return };
        // The ACK of an earlier INVITE does not confirm this one.
        if self.unacked.as_ref().is_none_or(|unacked| unacked.cseq != cseq) {
            return;
        }
        self.answer_came(ack);
        let parting = self.acknowledged();
        if let Some(reason) = parting {
            return self.part(reason);
        }
        self.offer_waiting();
    }

    /// Our 2xx need not be sent any more. What the owner wanted to say at the end, if it has
    /// hung up meanwhile.
    pub(super) fn acknowledged(&mut self) -> Option<Option<Reason>> {
        let unacked = self.unacked.take()?;
        self.disarm(Timer::RepeatAnswer);
        if unacked.is_first {
            self.emit(Event::Confirmed);
        }
        unacked.parting
    }

    /// Whether the dialog waits for its first ACK.
    pub(super) fn is_unconfirmed(&self) -> bool {
        self.unacked.as_ref().is_some_and(|unacked| unacked.is_first)
    }

    pub(super) fn reject(
        &mut self,
        status: u16,
        reason: Option<Reason>,
        headers: Vec<(Name, String)>,
    ) -> Result<(), Refused> {
        if !(300..700).contains(&status) {
            return Err(Refused::BadStatus);
        }
        if !matches!(self.state, State::Called(_)) {
            return Err(Refused::NotNow);
        }
        let cause = Cause { status: Some(status), ..Cause::because(Party::Local, reason.clone()) };
        self.end(cause);
        self.refuse_invite(status, reason.as_ref(), headers);
        Ok(())
    }

    /// Gives the INVITE its final answer; the transaction sees to its ACK.
    pub(super) fn refuse_invite(
        &mut self,
        status: u16,
        reason: Option<&Reason>,
        headers: Vec<(Name, String)>,
    ) {
        let Some((txn, mut draft)) = self.answer_draft(status) else { return };
        cause::write(&mut draft, reason);
        for (name, value) in headers {
            draft.push(name, value);
        }
        self.respond(txn, draft);
        self.rest();
    }

    /// The peer takes its INVITE back.
    pub(super) fn cancelled(&mut self, invite: TxnId, cancel: &Message) {
        let is_it = matches!(&self.state, State::Called(called) if called.txn == invite);
        if !is_it {
            return self.offer_cancelled(invite);
        }
        self.end(Cause { status: Some(487), ..Cause::told(Party::Remote, cancel) });
        self.refuse_invite(487, None, Vec::new());
    }

    /// The endpoint has given the INVITE up.
    pub(super) fn server_gone(&mut self, txn: TxnId) {
        if matches!(&self.state, State::Called(called) if called.txn == txn) {
            self.end(Cause::status(Party::Timeout, 408));
            self.rest();
        }
    }
}

/// What an INVITE has to fulfil before anything else is asked of it (8.2.1 to 8.2.3).
fn check(
    invite: &Message,
    identity: &Identity,
    refuse: &dyn Fn(u16) -> Box<Draft>,
) -> Result<(), Box<Draft>> {
    if invite.method_ref() != Some(&Method::Invite) {
        return Err(Box::new(refuse(405).with(Name::Allow, identity.allow.as_str())));
    }
    if invite.to_tag().is_some() {
        return Err(refuse(481));
    }
    let contact = invite.header(Name::Contact).map(NameAddr::parse);
    if !matches!(contact, Some(Ok(_))) || invite.cseq().is_err() || invite.from_tag().is_none() {
        return Err(refuse(400));
    }
    let unknown = not_understood(invite);
    if !unknown.is_empty() {
        return Err(Box::new(refuse(420).with(Name::Unsupported, unknown.join(", "))));
    }
    let mut replaces = invite.headers(Name::Replaces);
    if let Some(value) = replaces.next() {
        // RFC 3891 3: one, well formed, and not together with Join.
        let is_single = replaces.next().is_none() && invite.header(Name::Join).is_none();
        if !is_single || Replaces::parse(value).is_err() {
            return Err(refuse(400));
        }
    }
    let has_body = !invite.body().is_empty();
    let is_sdp = content_type(invite).is_none_or(|kind| kind == "application/sdp");
    if has_body && (!is_sdp || invite.header(Name::ContentEncoding).is_some()) {
        return Err(Box::new(refuse(415).with(Name::Accept, "application/sdp")));
    }
    Ok(())
}
