//! One leg as the shell holds it: its signalling, its offer and answer, and its media.
//!
//! | Concern                                   | Owner                         |
//! |-------------------------------------------|-------------------------------|
//! | Dialog, transactions' users, timers       | `tandem_sip::session`         |
//! | The same for the phone in a browser       | `browser`, `softphone`        |
//! | The flow to a phone of another member     | `way`, the registrar          |
//! | What is said and agreed about audio       | `audio`                       |
//! | What it means for the call                | the call's machine            |

mod address;
mod audio;
mod browser;
mod dial;
mod forwards;
mod kept;
mod peer;
mod place;
mod refer;
mod signalling;
mod way;

pub(crate) use audio::capabilities;
pub(crate) use browser::{KeptBrowser, Shown};
pub(crate) use forwards::Inherited;
pub(crate) use kept::KeptLeg;
pub(crate) use refer::Referral;

use std::time::Instant;

use bytes::Bytes;
use ractor::ActorRef;
use tandem_kernel::{Alarms, LegId};
use tandem_sdp::{Capabilities, Codec};
use tandem_sip::message::{Draft, Name};
use tandem_sip::net::{Attachment, Inbound, Target, TuEvent};
use tandem_sip::session::{Cause, Command, Effect, Event, Input, Party, ReferId, Session};
use tandem_sip::value::Reason;
use tandem_telemetry::metric;

use self::address::Address;
use self::audio::Audio;
use self::forwards::MaxForwards;
use self::peer::Peer;
use self::signalling::Signalling;
use self::way::Way;
use super::machine::{HangUp, LegEnd, LegEvent, Party as Who};
use super::message::CallMsg;
use crate::exchange::Exchange;

/// What happened on a leg, for the actor to pass on.
#[derive(Debug)]
pub(crate) enum Happening {
    /// For the machine.
    Event(LegEvent),
    /// REFER: the actor finds out whom it means.
    Referred(Referral),
    /// 3xx: the actor turns the URIs into lines.
    Redirected(Vec<String>),
}

/// A leg.
pub(crate) struct SipLeg {
    pub(super) id: LegId,
    session: Signalling,
    address: Address,
    attachments: Vec<Attachment>,
    peer: Peer,
    way: Way,
    /// The SIP Call-ID of its dialog.
    pub(super) call_id: String,
    audio: Audio,
    /// What its INVITE had.
    forwards: MaxForwards,
    closed: bool,
    ended: bool,
    /// The far end has given a first answer.
    heard: bool,
    /// Of the session.
    alarms: Alarms,
}

impl SipLeg {
    /// The leg of an INVITE that came in. The call actor has not answered anything yet.
    ///
    /// # Errors
    /// The final response that refuses the INVITE.
    pub(crate) fn incoming(
        exchange: &Exchange,
        id: LegId,
        inbound: &Inbound,
        (who, caps): (&Who, Capabilities),
        myself: &ActorRef<CallMsg>,
    ) -> Result<Self, Box<Draft>> {
        let identity = exchange.identity(inbound.transport, inbound.source.ip());
        let tag = exchange.fresh_tag();
        let (session, effects) = Session::incoming(Instant::now(), inbound, &identity, tag)?;
        let offer = inbound.request.body().clone();
        let audio = Audio::open(exchange, id, caps, myself)
            .and_then(|audio| audio.with_offer(&offer))
            .map_err(|status| Box::new(refusal(inbound, status)))?;
        let mut leg = Self {
            id,
            session: Signalling::Sip(Box::new(session)),
            address: Address::new(myself, id.index),
            attachments: Vec::new(),
            peer: Peer::calling(who.clone(), inbound),
            way: Way::of_session(),
            call_id: inbound.request.call_id().to_owned(),
            audio,
            forwards: MaxForwards::of(&inbound.request),
            closed: false,
            ended: false,
            heard: true,
            alarms: exchange.alarms.alarms(),
        };
        // Nothing is emitted by a session's birth; a happening would be a retransmission's.
        leg.run(exchange, myself, effects);
        Ok(leg)
    }

    /// Tells the session something and carries out what it asks for.
    pub(crate) fn step(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
        input: Input,
    ) -> Vec<Happening> {
        let mut is_first = false;
        match &input {
            Input::Wire(TuEvent::Response { flow, .. }) => {
                self.peer.answered(*flow);
                is_first = !std::mem::replace(&mut self.heard, true);
            }
            Input::Wire(TuEvent::Request(inbound)) => {
                if let Err(answer) = self.peer.judge(exchange, inbound) {
                    metric::SIP_FOREIGN_REQUESTS.increment();
                    exchange.sip.respond(inbound.txn, *answer);
                    return Vec::new();
                }
            }
            _ => {}
        }
        match self.session.step(Instant::now(), input) {
            Ok(effects) => {
                let mut happenings = self.run(exchange, myself, effects);
                if is_first {
                    happenings.insert(0, Happening::Event(LegEvent::Trying));
                }
                happenings
            }
            Err(refused) => {
                tracing::debug!(leg = %self.id, %refused, "session refused an input");
                Vec::new()
            }
        }
    }

    fn command(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
        command: Command,
    ) -> Vec<Happening> {
        self.step(exchange, myself, Input::Command(command))
    }

    fn run(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
        effects: Vec<Effect>,
    ) -> Vec<Happening> {
        let mut happenings = Vec::new();
        for effect in effects {
            match effect {
                Effect::Request { id, mut draft, mut target } => {
                    self.lead(exchange, &mut draft, &mut target);
                    let txn = exchange.sip.request(draft, target, self.address.sink());
                    happenings.extend(self.step(exchange, myself, Input::Sent { id, txn }));
                }
                Effect::Ack { mut draft, mut target } => {
                    self.lead(exchange, &mut draft, &mut target);
                    exchange.sip.send_ack(draft, target);
                }
                Effect::Respond { txn, draft } => exchange.sip.respond(txn, draft),
                Effect::Attach { call_id, local_tag } => {
                    let sink = self.address.sink();
                    self.attachments.push(exchange.sip.attach(&call_id, &local_tag, sink));
                }
                Effect::Arm { timer, after } => {
                    let leg = self.id.index;
                    self.alarms.set(myself, after, move || CallMsg::SipTimer { leg, timer });
                }
                Effect::Emit(event) => {
                    happenings.extend(self.told(exchange, myself, event));
                }
                Effect::Closed => {
                    self.closed = true;
                    self.attachments.clear();
                }
            }
        }
        happenings
    }

    /// Lets a request go by the flow that the phone's registration has now.
    fn lead(&mut self, exchange: &Exchange, draft: &mut Draft, target: &mut Target) {
        if let Some(flow) = self.way.flow(exchange).filter(|flow| target.flow != Some(*flow)) {
            let contact = way::contact(exchange, flow);
            way::turn(draft, target, flow, &contact);
            self.session.pin(flow, &contact);
        }
    }

    fn told(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
        event: Event,
    ) -> Vec<Happening> {
        let told = |event| vec![Happening::Event(event)];
        match event {
            Event::Ringing { .. } => told(LegEvent::Ringing),
            Event::NextFlow => self.turn_to_next_flow(exchange, myself),
            Event::OfferedAgain => {
                self.audio.offered_again();
                Vec::new()
            }
            Event::EarlyMedia { answer } => match self.audio.accept(exchange, self.id, &answer) {
                Ok(_) => told(LegEvent::EarlyMedia),
                Err(_) => told(LegEvent::Ringing),
            },
            Event::Answered { sdp } => self.answered(exchange, myself, sdp),
            Event::Offered { sdp } => self.offered(exchange, myself, sdp),
            Event::OfferAnswered { sdp } => match self.audio.accept(exchange, self.id, &sdp) {
                Ok(change) => self.hold_change(change),
                Err(status) => self.broken(exchange, myself, status),
            },
            Event::Confirmed | Event::OfferWithdrawn | Event::OfferRefused { .. } => Vec::new(),
            Event::Dtmf { digit, .. } => told(LegEvent::Dtmf(digit)),
            Event::Referred { id, to, referred_by: _ } => refer::parse(id, &to),
            Event::ReferStatus { .. } => Vec::new(),
            Event::Redirected { contacts } => {
                vec![Happening::Redirected(contacts.iter().map(ToString::to_string).collect())]
            }
            Event::Ended { cause } => {
                self.ended = true;
                told(LegEvent::Ended(leg_end(&cause)))
            }
        }
    }

    fn answered(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
        sdp: Option<Bytes>,
    ) -> Vec<Happening> {
        if let Some(sdp) = sdp
            && let Err(status) = self.audio.accept(exchange, self.id, &sdp)
        {
            return self.broken(exchange, myself, status);
        }
        vec![Happening::Event(LegEvent::Answered)]
    }

    /// A re-INVITE or UPDATE: hold, resume, another codec, or a question for our offer.
    fn offered(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
        sdp: Option<Bytes>,
    ) -> Vec<Happening> {
        let Some(sdp) = sdp else {
            let sdp = self.audio.offer();
            return self.command(exchange, myself, Command::AnswerOffer { sdp });
        };
        match self.audio.answer_again(exchange, self.id, &sdp) {
            Ok((answer, change)) => {
                let command = Command::AnswerOffer { sdp: answer };
                let mut happenings = self.command(exchange, myself, command);
                happenings.extend(self.hold_change(change));
                happenings
            }
            Err(status) => self.command(exchange, myself, Command::RefuseOffer { status }),
        }
    }

    fn hold_change(&self, change: Option<bool>) -> Vec<Happening> {
        match change {
            Some(true) => vec![Happening::Event(LegEvent::Held)],
            Some(false) => vec![Happening::Event(LegEvent::Resumed)],
            None => Vec::new(),
        }
    }

    /// The two sides can not agree: the leg ends.
    fn broken(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
        status: u16,
    ) -> Vec<Happening> {
        let mut happenings = self.command(exchange, myself, Command::HangUp { reason: None });
        if !std::mem::replace(&mut self.ended, true) {
            let end =
                LegEnd { status: Some(status), by_party: false, why: "no common media".into() };
            happenings.push(Happening::Event(LegEvent::Ended(end)));
        }
        happenings
    }

    /// 180.
    pub(crate) fn ring(&mut self, exchange: &Exchange, myself: &ActorRef<CallMsg>) {
        self.command(exchange, myself, Command::Ring { headers: Vec::new() });
    }

    /// 183 with our answer, so that the caller hears what we play or relay.
    pub(crate) fn progress(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
        prefer: Option<Codec>,
    ) -> Vec<Happening> {
        match self.audio.first_answer(exchange, self.id, prefer) {
            Ok(answer) => self.command(exchange, myself, Command::Progress { answer }),
            Err(status) => self.refuse(exchange, myself, status),
        }
    }

    /// 200 with our answer, or with our offer where the INVITE had none.
    pub(crate) fn answer(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
        prefer: Option<Codec>,
    ) -> Vec<Happening> {
        match self.audio.first_answer(exchange, self.id, prefer) {
            Ok(answer) => {
                let command = Command::Answer { answer, headers: Vec::new() };
                self.command(exchange, myself, command)
            }
            Err(status) => self.refuse(exchange, myself, status),
        }
    }

    fn refuse(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
        status: u16,
    ) -> Vec<Happening> {
        let command = Command::Reject { status, reason: None, headers: Vec::new() };
        let mut happenings = self.command(exchange, myself, command);
        if !std::mem::replace(&mut self.ended, true) {
            let end =
                LegEnd { status: Some(status), by_party: false, why: "no common media".into() };
            happenings.push(Happening::Event(LegEvent::Ended(end)));
        }
        happenings
    }

    /// Ends the leg, whatever its state. Its media are for the owner to end.
    pub(crate) fn hang_up(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
        how: &HangUp,
        retry_after: Option<u32>,
    ) {
        self.ended = true;
        let reason = if how.elsewhere {
            Reason::elsewhere()
        } else {
            Reason::q850(how.cause, cause_text(how.cause))
        };
        let status = how.status;
        let mut headers = Vec::new();
        if let Some(secs) = retry_after {
            headers.push((Name::RetryAfter, secs.to_string()));
        }
        let reject = Command::Reject { status, reason: Some(reason.clone()), headers };
        let now = Instant::now();
        let effects = self
            .session
            .step(now, Input::Command(reject))
            .or_else(|_| {
                self.session.step(now, Input::Command(Command::HangUp { reason: Some(reason) }))
            })
            .unwrap_or_default();
        self.run(exchange, myself, effects);
    }

    /// Takes a transfer upon us.
    pub(crate) fn accept_refer(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
        id: ReferId,
    ) {
        self.command(exchange, myself, Command::AcceptRefer { id });
    }

    /// Refuses a transfer.
    pub(crate) fn refuse_refer(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
        id: ReferId,
        status: u16,
    ) {
        self.command(exchange, myself, Command::RefuseRefer { id, status });
    }

    /// Tells the transferor how it goes.
    pub(crate) fn refer_progress(
        &mut self,
        exchange: &Exchange,
        myself: &ActorRef<CallMsg>,
        (id, status, is_final): (ReferId, u16, bool),
    ) {
        self.command(exchange, myself, Command::ReferProgress { id, status, is_final });
    }

    /// True when nothing more will happen on the wire.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }
}

fn refusal(inbound: &Inbound, status: u16) -> Draft {
    Draft::response(&inbound.request, status)
}

fn leg_end(cause: &Cause) -> LegEnd {
    let why = cause.reason.first().map_or_else(
        || cause.status.map_or_else(|| "normal call clearing".into(), |code| format!("SIP {code}")),
        ToString::to_string,
    );
    let status = cause.status.filter(|_| cause.by != Party::Transport);
    LegEnd { status, by_party: cause.by == Party::Remote, why }
}

/// The usual words for the Q.850 causes that we send.
const fn cause_text(cause: u16) -> &'static str {
    match cause {
        1 => "Unallocated number",
        16 => "Normal call clearing",
        17 => "User busy",
        18 => "No user responding",
        19 => "No answer from user",
        20 => "Subscriber absent",
        21 => "Call rejected",
        25 => "Exchange routing error",
        26 => "Non-selected user clearing",
        28 => "Invalid number format",
        38 => "Network out of order",
        41 => "Temporary failure",
        88 => "Incompatible destination",
        102 => "Recovery on timer expiry",
        _ => "Normal, unspecified",
    }
}
