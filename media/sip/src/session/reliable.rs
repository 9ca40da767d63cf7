//! Provisional answers that are acknowledged by PRACK, both sides (RFC 3262).

use std::collections::VecDeque;

use bytes::Bytes;

use super::asked::{Kind, Outcome};
use super::dialog::description;
use super::offer::Offered;
use super::timer::{LONG, Repeat, Timer};
use super::{Cause, Event, Party, Session, State};
use crate::message::{Draft, Message, Method, Name};
use crate::net::Inbound;
use crate::value::RAck;

/// The reliable provisional answers of an incoming call.
#[derive(Debug, Default)]
pub(super) struct Reliable {
    last: u32,
    /// Sent and not acknowledged; the next one waits for it (section 3).
    current: Option<Current>,
    queue: VecDeque<Draft>,
}

#[derive(Debug)]
struct Current {
    rseq: u32,
    draft: Draft,
    repeat: Repeat,
}

/// A peer that never acknowledges cannot make us keep more than this.
const MAX_QUEUE: usize = 8;

impl Reliable {
    /// Whether the 2xx has to wait (section 5: a description is not acknowledged yet).
    pub(super) fn holds_answer(&self) -> bool {
        let is_described = |draft: &Draft| draft.header(Name::ContentType).is_some();
        self.current.as_ref().is_some_and(|current| is_described(&current.draft))
            || self.queue.iter().any(is_described)
    }
}

impl Session {
    /// Sends a provisional answer so that it is acknowledged.
    pub(super) fn send_reliable(&mut self, draft: Draft) {
        let first = 1 + u32::try_from(self.chance.below(1 << 30)).unwrap_or(0);
        let now = self.now;
        let State::Called(called) = &mut self.state else { return };
        let reliable = &mut called.reliable;
        if reliable.current.is_some() {
            if reliable.queue.len() < MAX_QUEUE {
                reliable.queue.push_back(draft);
            }
            return;
        }
        let rseq = if reliable.last == 0 { first } else { reliable.last + 1 };
        reliable.last = rseq;
        let mut draft = draft;
        draft.push(Name::Require, "100rel");
        draft.push(Name::RSeq, rseq.to_string());
        let repeat = Repeat::new(now, LONG);
        reliable.current = Some(Current { rseq, draft: draft.clone(), repeat });
        let txn = called.txn;
        self.respond(txn, draft);
        self.arm(Timer::RepeatReliable, Repeat::first());
    }

    pub(super) fn repeat_reliable(&mut self) {
        let now = self.now;
        let State::Called(called) = &mut self.state else { return };
        let Some(current) = &mut called.reliable.current else { return };
        let Some(next) = current.repeat.next(now) else {
            // Section 3: no PRACK for 64 T1 refuses the INVITE.
            self.end(Cause::status(Party::Timeout, 504));
            return self.refuse_invite(504, None, Vec::new());
        };
        let (txn, draft) = (called.txn, current.draft.clone());
        self.respond(txn, draft);
        self.arm(Timer::RepeatReliable, next);
    }

    /// A PRACK of the caller.
    pub(super) fn prack_came(&mut self, inbound: &Inbound) {
        let request = &inbound.request;
        let rack = request.header(Name::RAck).and_then(|value| value.parse::<RAck>().ok());
        let Some(rack) = rack else { return self.refuse(inbound, 400) };
        if matches!(self.state, State::Up) {
            // Our 2xx was faster; it needs no PRACK any more.
            return self.refuse(inbound, 200);
        }
        let State::Called(called) = &mut self.state else { return self.refuse(inbound, 481) };
        let is_it = called.reliable.current.as_ref().is_some_and(|current| {
            rack.rseq == current.rseq && rack.cseq == called.cseq && rack.method == Method::Invite
        });
        if !is_it {
            return self.refuse(inbound, 481);
        }
        let was_described = called.reliable.holds_answer();
        called.reliable.current = None;
        let is_offerless = !called.has_offer;
        let next = called.reliable.queue.pop_front();
        self.disarm(Timer::RepeatReliable);
        self.described(inbound, is_offerless && was_described);
        if let Some(draft) = next {
            self.send_reliable(draft);
        }
        self.accept_held();
    }

    /// What the PRACK says about media: an answer to our offer, or an offer (section 5).
    fn described(&mut self, inbound: &Inbound, awaits_answer: bool) {
        let request = &inbound.request;
        let media = description(request);
        let accept = self.reply(request, 200);
        match media {
            Some(sdp) if awaits_answer && self.exchange.is_sent() => {
                self.exchange.answered();
                self.exchange.heard(&sdp);
                self.respond(inbound.txn, accept);
                self.emit(Event::OfferAnswered { sdp });
            }
            Some(sdp) if self.exchange.is_idle() => {
                let (txn, request) = (inbound.txn, request.clone());
                self.exchange.take(Offered::Request { txn, request });
                self.emit(Event::Offered { sdp: Some(sdp) });
            }
            Some(_) => self.refuse(inbound, 488),
            None => self.respond(inbound.txn, accept),
        }
    }

    /// A reliable provisional answer to our INVITE. False if it must not be looked at: it came
    /// before, or one before it is missing (section 4).
    pub(super) fn reliable_came(&mut self, tag: &str, response: &Message) -> bool {
        let rseq = response.header(Name::RSeq).and_then(|value| value.trim().parse::<u32>().ok());
        let Some(rseq) = rseq else { return true };
        let State::Calling(calling) = &self.state else { return false };
        let has_offer = calling.has_offer;
        let rack = format!("{rseq} {} INVITE", calling.cseq);
        let Some(dialog) = self.dialog_with(tag) else { return false };
        let is_next = dialog.rseq == 0 || rseq == dialog.rseq.wrapping_add(1);
        if !is_next {
            return false;
        }
        dialog.rseq = rseq;
        let offer = description(response).filter(|_| !has_offer && !self.exchange.is_idle());
        if let Some(sdp) = offer {
            let tag = tag.to_owned();
            self.exchange.heard(&sdp);
            self.exchange.take(Offered::InProvisional { tag, rack });
            self.emit(Event::Offered { sdp: Some(sdp) });
            return true;
        }
        self.send_prack(tag, &rack, None);
        true
    }

    pub(super) fn send_prack(&mut self, tag: &str, rack: &str, answer: Option<Bytes>) {
        let call_id = self.call_id.clone();
        let Some(dialog) = self.dialog_with(tag) else { return };
        let mut draft = dialog.request(Method::Prack, &call_id);
        let Some(target) = dialog.next_hop() else { return };
        draft.push(Name::RAck, rack);
        self.identity.name(&mut draft);
        if let Some(answer) = answer {
            draft = draft.with_body("application/sdp", answer);
        }
        self.ask(Kind::Prack, draft, target);
    }

    /// A PRACK that fails changes nothing: the callee repeats its answer or gives up.
    pub(super) fn prack_concluded(&self, outcome: Outcome<'_>) {
        if outcome.status >= 300 {
            tracing::debug!(status = outcome.status, "a PRACK was refused");
        }
    }

    /// Whether provisional answers to this INVITE are to be acknowledged, must be, or cannot.
    pub(super) fn reliability(&self, invite: &Message) -> Reliability {
        if invite.lists(Name::Require, "100rel") {
            return Reliability::Required;
        }
        if self.identity.reliable && invite.lists(Name::Supported, "100rel") {
            return Reliability::Wanted;
        }
        Reliability::None
    }
}

/// What an INVITE says about 100rel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reliability {
    None,
    Wanted,
    Required,
}
