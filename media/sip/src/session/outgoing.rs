//! An outgoing call until its 2xx: forks, provisional answers, CANCEL, redirection.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use smallvec::SmallVec;

use super::asked::{Asked, Kind, Outcome};
use super::chance::{Chance, fingerprint};
use super::dialog::{Dialog, description};
use super::effect::Effect;
use super::ending::PATIENCE;
use super::offer::{Exchange, Offered};
use super::refer::Transfers;
use super::refresh::Refresh;
use super::timer::{LONG, Timer, Timers};
use super::{Cause, Dial, Event, Identity, OtherFlow, Party, Session, State, cause};
use crate::message::{Draft, Message, Method, Name};
use crate::net::{FlowId, Target};
use crate::value::{NameAddr, Reason, Uri};

/// An INVITE of ours under way.
#[derive(Debug)]
pub(super) struct Calling {
    pub(super) cseq: u32,
    /// The path that was pinned for the whole dialog.
    pub(super) flow: Option<FlowId>,
    /// What is tried when that has failed.
    pub(super) other_flows: VecDeque<OtherFlow>,
    pub(super) has_offer: bool,
    cancel: Cancel,
    pub(super) is_proceeding: bool,
    /// What the owner was last told, so that repetitions are kept from it.
    pub(super) last_status: u16,
    pub(super) last_media: u64,
    /// How often the session interval was raised (422).
    raised: u8,
    /// What is offered if the first offer is refused.
    second_offer: Option<Bytes>,
    /// Why, in each CANCEL.
    cancel_reason: Option<Reason>,
}

/// RFC 3261 9.1: a CANCEL waits for a provisional answer.
#[derive(Debug)]
enum Cancel {
    No,
    Wanted(Option<Reason>),
    Sent,
}

/// An ACK of ours, for a 2xx that comes again.
#[derive(Debug)]
pub(super) struct SentAck {
    pub(super) cseq: u32,
    remote_tag: String,
    draft: Draft,
    target: Target,
}

impl Session {
    /// Places a call.
    #[must_use]
    pub fn outgoing(now: Instant, dial: Dial, identity: &Identity) -> (Self, Vec<Effect>) {
        let cseq = 1;
        let calling = Calling {
            cseq,
            flow: dial.next_hop.flow,
            has_offer: dial.offer.is_some(),
            cancel: Cancel::No,
            cancel_reason: dial.cancel_reason.clone(),
            is_proceeding: false,
            last_status: 0,
            last_media: 0,
            raised: 0,
            second_offer: dial.second_offer.clone(),
            other_flows: dial.other_flows.clone().into(),
        };
        let mut session = Self {
            identity: Box::new(identity.clone()),
            chance: Chance::of(&dial.call_id, &dial.from_tag),
            call_id: dial.call_id.clone(),
            local_tag: dial.from_tag.clone(),
            is_caller: true,
            credentials: dial.credentials.clone().map(Box::new),
            state: State::Calling(Box::new(calling)),
            dialogs: Vec::new(),
            asked: SmallVec::new(),
            next_request: 0,
            timers: Timers::default(),
            exchange: Exchange::first(dial.offer.clone()),
            unacked: None,
            acks: SmallVec::new(),
            refresh: Refresh::default(),
            transfers: Transfers::default(),
            is_over: false,
            now,
            out: Vec::new(),
        };
        let (call_id, local_tag) = (dial.call_id.clone(), dial.from_tag.clone());
        session.out.push(Effect::Attach { call_id, local_tag });
        let give_up_after = dial.give_up_after;
        let (draft, target) = invite(dial, identity, cseq);
        session.ask(Kind::Invite, draft, target);
        session.arm(Timer::GiveUp, give_up_after);
        session.watch_flow();
        let out = std::mem::take(&mut session.out);
        (session, out)
    }

    /// The INVITE rang out.
    pub(super) fn give_up(&mut self) {
        if !matches!(self.state, State::Calling(_)) || self.is_over {
            return;
        }
        self.end(Cause::status(Party::Timeout, 408));
        self.cancel(None);
    }

    /// Takes the INVITE back, at once or as soon as the peer has shown that it has it.
    pub(super) fn cancel(&mut self, reason: Option<Reason>) {
        self.disarm(Timer::GiveUp);
        // 9.1: a final answer that does not come for 64 T1 is not waited for.
        self.arm(Timer::Guard, PATIENCE);
        let State::Calling(calling) = &mut self.state else { return };
        if !matches!(calling.cancel, Cancel::No) {
            return;
        }
        let reason = calling.cancel_reason.clone().or(reason);
        if !calling.is_proceeding {
            calling.cancel = Cancel::Wanted(reason);
            return;
        }
        calling.cancel = Cancel::Sent;
        self.send_cancel(Kind::Invite, reason.as_ref());
    }

    /// Sends the CANCEL of an INVITE or re-INVITE of ours, if it is under way.
    pub(super) fn send_cancel(&mut self, kind: Kind, reason: Option<&Reason>) {
        let Some(invite) = self.asked.iter().find(|asked| asked.kind == kind) else { return };
        let sent = &invite.draft;
        let mut draft = Draft::request(Method::Cancel, sent.uri());
        for name in [Name::Route, Name::From, Name::To, Name::CallId] {
            for value in sent.headers(name) {
                draft.push(name, value);
            }
        }
        let cseq = sent.header(Name::CSeq).and_then(|cseq| cseq.split(' ').next());
        draft.push(Name::CSeq, format!("{} CANCEL", cseq.unwrap_or("1")));
        cause::write(&mut draft, reason);
        self.identity.name(&mut draft);
        let target = invite.target.clone();
        self.ask(Kind::Cancel, draft, target);
    }

    pub(super) fn provisional(&mut self, response: &Message) {
        let State::Calling(calling) = &mut self.state else { return };
        calling.is_proceeding = true;
        if let Cancel::Wanted(reason) = &mut calling.cancel {
            let reason = reason.take();
            calling.cancel = Cancel::Sent;
            self.arm(Timer::Guard, PATIENCE);
            self.send_cancel(Kind::Invite, reason.as_ref());
            return;
        }
        let status = response.status().unwrap_or(100);
        if status == 100 || self.is_over {
            return;
        }
        let Some(tag) = self.fork(response) else {
            self.ringing(status);
            return;
        };
        let is_reliable = response.lists(Name::Require, "100rel");
        if is_reliable && !self.reliable_came(&tag, response) {
            return;
        }
        let media = description(response);
        let is_answer = matches!(&self.state, State::Calling(calling) if calling.has_offer);
        if status != 183 || media.is_none() {
            self.ringing(status);
        }
        let Some(media) = media.filter(|_| is_answer) else { return };
        self.answered_early(&tag, &media, is_reliable);
        self.early_media(media);
    }

    /// A provisional answer has described a fork's media.
    fn answered_early(&mut self, tag: &str, media: &Bytes, is_reliable: bool) {
        let Some(at) = self.dialogs.iter().position(|fork| fork.remote_tag == tag) else { return };
        self.dialogs[at].answer = Some(media.clone());
        if is_reliable {
            self.exchange.answered();
            self.exchange.heard(media);
            // An UPDATE goes to the fork that the exchange was settled with.
            self.dialogs.swap(0, at);
        }
    }

    /// Finds or opens the early dialog of a provisional answer; `None` if it opens none.
    fn fork(&mut self, response: &Message) -> Option<String> {
        /// A peer cannot make us keep more forks than this.
        const MAX_FORKS: usize = 16;
        let tag = response.to_tag()?.to_owned();
        if let Some(dialog) = self.dialog_with(&tag) {
            dialog.refresh_target(response);
            return Some(tag);
        }
        let State::Calling(calling) = &self.state else { return None };
        let (cseq, flow) = (calling.cseq, calling.flow);
        let dialog = Dialog::of_answer(cseq, response, flow, self.invite_uri())?;
        if self.dialogs.len() < MAX_FORKS {
            self.dialogs.push(dialog);
            return Some(tag);
        }
        None
    }

    fn invite_uri(&self) -> Option<&str> {
        let invite = self.asked.iter().find(|asked| asked.kind == Kind::Invite)?;
        Some(invite.draft.uri())
    }

    fn ringing(&mut self, status: u16) {
        let State::Calling(calling) = &mut self.state else { return };
        if std::mem::replace(&mut calling.last_status, status) != status {
            self.emit(Event::Ringing { status });
        }
    }

    fn early_media(&mut self, answer: Bytes) {
        let State::Calling(calling) = &mut self.state else { return };
        let media = fingerprint(&answer);
        if std::mem::replace(&mut calling.last_media, media) != media {
            self.emit(Event::EarlyMedia { answer });
        }
    }

    /// The INVITE has its final answer.
    pub(super) fn invite_concluded(&mut self, asked: Asked, outcome: Outcome<'_>) {
        match outcome.answer {
            Some(answer) if outcome.status < 300 => {
                self.disarm(Timer::GiveUp);
                self.success(&asked, answer);
            }
            Some(answer) if outcome.status == 422 && self.raise_interval(answer) => {
                let mut asked = asked;
                self.refresh.ask(&self.identity, &mut asked.draft);
                self.send_anew(asked);
            }
            Some(_) if matches!(outcome.status, 488 | 606) => self.media_refused(asked, outcome),
            _ if self.may_try_next_flow(outcome) => self.try_next_flow(asked),
            _ => self.failure(outcome),
        }
    }

    /// RFC 4028 7.3: the session interval that we asked for is too short for the peer.
    fn raise_interval(&mut self, answer: &Message) -> bool {
        let State::Calling(calling) = &mut self.state else { return false };
        if self.is_over || calling.raised >= 2 {
            return false;
        }
        calling.raised += 1;
        self.refresh.raise(answer)
    }

    /// The callee takes none of our media: the second offer, if there is one, is its last word.
    fn media_refused(&mut self, mut asked: Asked, outcome: Outcome<'_>) {
        let State::Calling(calling) = &mut self.state else { return };
        let Some(offer) = calling.second_offer.take().filter(|_| !self.is_over) else {
            return self.failure(outcome);
        };
        calling.is_proceeding = false;
        calling.last_media = 0;
        self.exchange = Exchange::first(Some(offer.clone()));
        asked.draft = asked.draft.with_body("application/sdp", offer);
        self.emit(Event::OfferedAgain);
        self.send_anew(asked);
    }

    fn failure(&mut self, outcome: Outcome<'_>) {
        self.disarm(Timer::GiveUp);
        if let (300..=399, Some(answer)) = (outcome.status, outcome.answer) {
            self.emit(Event::Redirected { contacts: contacts(answer) });
        }
        self.end(outcome.cause());
        self.rest();
    }

    fn success(&mut self, asked: &Asked, answer: &Message) {
        let State::Calling(calling) = &self.state else { return };
        let (cseq, has_offer) = (calling.cseq, calling.has_offer);
        let Some(dialog) = self.settle_fork(cseq, asked, answer) else {
            // Neither a tag nor a Contact: there is nothing to speak to.
            self.end(Cause::status(Party::Remote, 502));
            self.rest();
            return;
        };
        let earlier = dialog.answer.take();
        self.state = State::Up;
        if self.is_over {
            // 9.1: the CANCEL came too late.
            self.acknowledge(cseq, Some(&asked.draft), None);
            self.part(None);
            return;
        }
        self.disarm(Timer::Guard);
        self.refresh_agreed(answer);
        // What a reliable answer has settled stands. A callee that says nothing more means
        // what it said before.
        let media = match (self.exchange.is_idle(), description(answer)) {
            (false, Some(media)) => Some(media),
            (true, last) => earlier.or(last),
            (false, None) => earlier,
        };
        if let Some(media) = &media {
            self.exchange.heard(media);
        }
        let sdp = media.clone();
        let must_answer = !has_offer && !self.exchange.is_idle();
        if let (true, Some(_)) = (must_answer, &media) {
            let auth = credentials(&asked.draft);
            self.exchange.take(Offered::InAnswer { cseq, auth });
            self.emit(Event::Answered { sdp });
            return;
        }
        self.exchange.answered();
        self.acknowledge(cseq, Some(&asked.draft), None);
        self.emit(Event::Answered { sdp });
        self.emit(Event::Confirmed);
    }

    /// Makes the fork that answered the only dialog.
    fn settle_fork(&mut self, cseq: u32, asked: &Asked, answer: &Message) -> Option<&mut Dialog> {
        let tag = answer.to_tag().unwrap_or_default().to_owned();
        let mut forks = std::mem::take(&mut self.dialogs);
        let known = forks.iter().position(|fork| fork.remote_tag == tag);
        let dialog = match known {
            Some(at) => {
                let mut dialog = forks.swap_remove(at);
                dialog.refresh_target(answer);
                dialog.take_route(answer);
                dialog
            }
            None => Dialog::of_answer(cseq, answer, asked.target.flow, Some(asked.draft.uri()))?,
        };
        self.dialogs = Vec::with_capacity(1);
        self.dialogs.push(dialog);
        self.dialogs.first_mut()
    }

    /// Sends the ACK to a 2xx within the dialog, and keeps it for a while.
    pub(super) fn acknowledge(&mut self, cseq: u32, invite: Option<&Draft>, body: Option<Bytes>) {
        let auth = invite.map(credentials).unwrap_or_default();
        self.acknowledge_with(cseq, auth, body);
    }

    pub(super) fn acknowledge_with(
        &mut self,
        cseq: u32,
        auth: Vec<(Name, String)>,
        body: Option<Bytes>,
    ) {
        let Some(dialog) = self.dialogs.first() else { return };
        let mut draft = dialog.ack(&self.call_id, cseq);
        // 13.2.2.4: the credentials of the INVITE.
        for (name, value) in auth {
            draft.push(name, value);
        }
        self.identity.name(&mut draft);
        if let Some(body) = body {
            draft = draft.with_body("application/sdp", body);
        }
        let Some(target) = dialog.next_hop() else { return };
        let remote_tag = dialog.remote_tag.clone();
        self.keep_ack(SentAck { cseq, remote_tag, draft, target });
    }

    fn keep_ack(&mut self, ack: SentAck) {
        let (draft, target) = (ack.draft.clone(), ack.target.clone());
        self.out.push(Effect::Ack { draft, target });
        self.arm(Timer::ForgetAck(ack.cseq), LONG);
        self.acks.push(Box::new(ack));
    }

    /// A 2xx to an INVITE that has had its final answer: it comes again, or from another fork.
    pub(super) fn stray_success(&mut self, answer: &Message, status: u16) {
        let Ok((cseq, Method::Invite)) = answer.cseq() else { return };
        if !(200..300).contains(&status) {
            return;
        }
        let tag = answer.to_tag().unwrap_or_default();
        let sent = self.acks.iter().find(|ack| ack.cseq == cseq && ack.remote_tag == tag);
        if let Some(ack) = sent {
            let (draft, target) = (ack.draft.clone(), ack.target.clone());
            self.out.push(Effect::Ack { draft, target });
            return;
        }
        if self.dialogs.iter().any(|dialog| dialog.remote_tag == tag) {
            // Its ACK waits for our answer; or a re-INVITE was answered while we hung up.
            if !matches!(self.state, State::Up) {
                self.acknowledge(cseq, None, None);
            }
            return;
        }
        // 13.2.2.4: another fork was answered too.
        let pinned = self.dialogs.first().and_then(|dialog| dialog.flow);
        let Some(dialog) = Dialog::of_answer(cseq, answer, pinned, None) else { return };
        let draft = dialog.ack(&self.call_id, cseq);
        let Some(target) = dialog.next_hop() else { return };
        self.keep_ack(SentAck { cseq, remote_tag: tag.to_owned(), draft, target });
        self.dismiss(dialog);
    }
}

fn invite(dial: Dial, identity: &Identity, cseq: u32) -> (Draft, Target) {
    let mut draft = Draft::request(Method::Invite, dial.target.to_string());
    for route in dial.route {
        draft.push(Name::Route, route);
    }
    draft.push(Name::From, dial.from.with_tag(&dial.from_tag).to_string());
    draft.push(Name::To, dial.to.to_string());
    draft.push(Name::CallId, dial.call_id);
    draft.push(Name::CSeq, format!("{cseq} INVITE"));
    identity.sign(&mut draft);
    Refresh::default().ask(identity, &mut draft);
    for (name, value) in dial.headers {
        draft.push(name, value);
    }
    if let Some(offer) = dial.offer {
        draft = draft.with_body("application/sdp", offer);
    }
    (draft, dial.next_hop)
}

/// The credentials that a request carries.
pub(super) fn credentials(request: &Draft) -> Vec<(Name, String)> {
    let names = [Name::Authorization, Name::ProxyAuthorization];
    names.into_iter().filter_map(|name| Some((name, request.header(name)?.to_owned()))).collect()
}

/// The Contacts of a redirection, best first (RFC 3261 20.10: q is 0 to 1, 1 if absent).
fn contacts(answer: &Message) -> Vec<Uri> {
    let mut found: Vec<(u32, Uri)> = Vec::new();
    for value in answer.headers(Name::Contact) {
        let Ok(contact) = value.parse::<NameAddr>() else { continue };
        let given = contact.param("q").and_then(|q| q.parse::<f32>().ok());
        let q = given.map_or(1.0, |q| q.clamp(0.0, 1.0));
        found.push((1000 - (q * 1000.0) as u32, contact.uri));
    }
    found.sort_by_key(|(order, _)| *order);
    found.into_iter().map(|(_, uri)| uri).collect()
}
