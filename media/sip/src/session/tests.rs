#![allow(clippy::unwrap_used)]

mod bench;
mod calls;
mod chaos;
mod flows;
mod forks;
mod manners;
mod moved;
mod offers;
mod provisional;
mod refreshing;
mod registrations;
mod snapshots;
mod transfers;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::*;
use crate::message::{Draft, Message, Method, Name};
use crate::net::{Inbound, Target, Transport};
use crate::transaction::{Arrival, FlowId, Keys, Layer, Output, Sending, TxnId};
use crate::value::{NameAddr, Reason, Uri};

/// The caller's end.
const A: usize = 0;
/// The callee's end.
const B: usize = 1;
/// One way.
const DELAY: Duration = Duration::from_millis(20);

/// One end: a session on a real transaction layer.
struct End {
    identity: Identity,
    session: Option<Session>,
    layer: Layer<()>,
    timers: Vec<(Instant, TimerId)>,
    events: Vec<Event>,
    closed: usize,
    /// Effects after [`Effect::Closed`] that are no 481.
    late: usize,
    /// Refusals of INVITEs that no session was made for.
    refused: Vec<u16>,
}

/// What a message is judged by on its way: who sent it, what it is.
type Sieve = Box<dyn FnMut(usize, &Message) -> bool>;

/// Two ends and the network between them, on a clock of their own.
struct World {
    ends: [End; 2],
    start: Instant,
    now: Instant,
    wire: Vec<(Instant, usize, Bytes)>,
    /// False drops the message.
    sieve: Sieve,
    /// First lines of all that was sent, also of what was lost: sender, time, method or status.
    sent: Vec<(usize, Duration, String)>,
    /// All messages that were sent.
    messages: Vec<(usize, Message)>,
}

fn address(end: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, end as u8 + 1], 5060))
}

fn identity(end: usize) -> Identity {
    Identity::new(format!("sip:user@{}", address(end)))
}

fn dial() -> Dial {
    let target = Uri::parse("sip:bob@192.0.2.2:5060").unwrap();
    Dial {
        target: target.clone(),
        route: Vec::new(),
        next_hop: Target::of(target.clone()),
        from: NameAddr::parse("\"Alice\" <sip:alice@example.com>").unwrap(),
        to: NameAddr::new(target),
        call_id: "call-1@192.0.2.1".to_owned(),
        from_tag: "a-tag".to_owned(),
        headers: Vec::new(),
        offer: Some(sdp("offer-a")),
        second_offer: None,
        credentials: None,
        give_up_after: Duration::from_secs(60),
        cancel_reason: None,
        other_flows: Vec::new(),
    }
}

fn sdp(name: &str) -> Bytes {
    Bytes::from(format!("v=0\r\ns={name}\r\n"))
}

impl End {
    fn new(end: usize) -> Self {
        Self {
            identity: identity(end),
            session: None,
            layer: Layer::new(0, crate::transaction::Timers::default(), Keys::fresh()),
            timers: Vec::new(),
            events: Vec::new(),
            closed: 0,
            late: 0,
            refused: Vec::new(),
        }
    }
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            ends: [End::new(A), End::new(B)],
            start: now,
            now,
            wire: Vec::new(),
            sieve: Box::new(|_, _| true),
            sent: Vec::new(),
            messages: Vec::new(),
        }
    }

    /// A world in which A has called B, and B's session has the INVITE.
    fn called() -> Self {
        Self::called_with(dial())
    }

    fn called_with(dial: Dial) -> Self {
        let mut world = Self::new();
        world.dial(dial);
        world.run(DELAY * 2);
        world
    }

    /// A world in which A and B speak.
    fn speaking() -> Self {
        let mut world = Self::called();
        world.answer();
        world
    }

    fn answer(&mut self) {
        self.ok(B, Command::Answer { answer: sdp("answer-b"), headers: Vec::new() });
        self.run(DELAY * 3);
    }

    fn dial(&mut self, dial: Dial) {
        let identity = self.ends[A].identity.clone();
        let (session, effects) = Session::outgoing(self.now, dial, &identity);
        self.ends[A].session = Some(session);
        self.act(A, effects);
    }

    fn command(&mut self, end: usize, command: Command) -> Result<(), Refused> {
        let effects =
            self.ends[end].session.as_mut().unwrap().step(self.now, Input::Command(command))?;
        self.act(end, effects);
        Ok(())
    }

    fn ok(&mut self, end: usize, command: Command) {
        self.command(end, command).unwrap();
    }

    fn hang_up(&mut self, end: usize) {
        self.ok(end, Command::HangUp { reason: None });
    }

    fn step(&mut self, end: usize, input: Input) {
        let Some(session) = self.ends[end].session.as_mut() else { return };
        let effects = session.step(self.now, input).unwrap();
        self.act(end, effects);
    }

    /// Does what a session asks for, as a shell would.
    fn act(&mut self, end: usize, effects: Vec<Effect>) {
        for effect in effects {
            let is_late = self.ends[end].closed > 0;
            let is_481 =
                matches!(&effect, Effect::Respond { draft, .. } if draft.status() == Some(481));
            if is_late && !is_481 {
                self.ends[end].late += 1;
            }
            match effect {
                Effect::Request { id, draft, .. } => self.request(end, id, draft),
                Effect::Ack { draft, .. } => {
                    let mut draft = draft;
                    let via = via(end, &format!("z9hG4bKack{}", self.messages.len()));
                    draft.push_front(Name::Via, via);
                    self.transmit(end, draft.encode());
                }
                Effect::Respond { txn, draft } => {
                    let mut out = Vec::new();
                    let status = draft.status().unwrap();
                    let layer = &mut self.ends[end].layer;
                    let _ = layer.respond(self.now, txn, status, draft.encode(), &mut out);
                    self.take(end, out);
                }
                Effect::Attach { .. } => {}
                Effect::Arm { timer, after } => {
                    self.ends[end].timers.push((self.now + after, timer));
                }
                Effect::Emit(event) => self.ends[end].events.push(event),
                Effect::Closed => {
                    self.ends[end].closed += 1;
                }
            }
        }
    }

    fn request(&mut self, end: usize, id: RequestRef, mut draft: Draft) {
        let method = draft.method().unwrap().clone();
        let call_id = draft.header(Name::CallId).unwrap().to_owned();
        let cseq = draft.header(Name::CSeq).unwrap().split(' ').next().unwrap().parse().unwrap();
        let mut out = Vec::new();
        let flow = FlowId::datagram(0, address(1 - end));
        let layer = &mut self.ends[end].layer;
        let txn = if method == Method::Cancel {
            match layer.open_cancel(self.now, &call_id, cseq, ()) {
                Ok(path) => {
                    draft.push_front(Name::Via, path.via);
                    let bytes = draft.encode();
                    let sending = Sending { call_id: &call_id, cseq, bytes };
                    layer.send(self.now, path.txn, flow, sending, &mut out).unwrap();
                    path.txn
                }
                Err(_) => TxnId::from_u64(u64::MAX),
            }
        } else {
            let (txn, branch) = layer.open(self.now, &method, ());
            draft.push_front(Name::Via, via(end, &branch));
            let sending = Sending { call_id: &call_id, cseq, bytes: draft.encode() };
            layer.send(self.now, txn, flow, sending, &mut out).unwrap();
            txn
        };
        self.step(end, Input::Sent { id, txn });
        self.take(end, out);
    }

    /// Does what a transaction layer asks for.
    fn take(&mut self, end: usize, out: Vec<Output<()>>) {
        for output in out {
            let event = match output {
                Output::Send { bytes, .. } => {
                    self.transmit(end, bytes);
                    continue;
                }
                Output::Response { txn, response, flow, .. } => {
                    TuEvent::Response { txn, response, flow }
                }
                Output::Timeout { txn, .. } => TuEvent::Timeout { txn },
                Output::Failed { txn, why, .. } => TuEvent::TransportFailed { txn, why },
                Output::Gone { txn, .. } => TuEvent::ServerGone { txn },
            };
            self.step(end, Input::Wire(event));
        }
    }

    fn transmit(&mut self, end: usize, bytes: Bytes) {
        let message = Message::parse(bytes.clone()).unwrap();
        self.sent.push((end, self.now - self.start, name(&message)));
        self.messages.push((end, message.clone()));
        if (self.sieve)(end, &message) {
            self.wire.push((self.now + DELAY, 1 - end, bytes));
        }
    }

    fn deliver(&mut self, end: usize, raw: Bytes) {
        let message = Message::parse(raw).unwrap();
        let flow = FlowId::datagram(0, address(1 - end));
        let mut out = Vec::new();
        if !message.is_request() {
            self.ends[end].layer.response(self.now, &message, flow, &mut out);
            return self.take(end, out);
        }
        let arrival = self.ends[end].layer.request(self.now, &message, flow, &mut out);
        self.take(end, out);
        match arrival {
            Arrival::New(txn) => self.new_request(end, inbound(end, txn, message)),
            Arrival::Ack => self.step(end, Input::Wire(TuEvent::Ack(message))),
            Arrival::Cancel { txn, invite } => {
                let status = if invite.is_some() { 200 } else { 481 };
                let draft = Draft::response(&message, status);
                self.act_bare(end, txn, draft);
                if let Some((invite, true)) = invite {
                    let cancel = message;
                    self.step(end, Input::Wire(TuEvent::Cancelled { invite, cancel }));
                }
            }
            Arrival::Merged(txn) => self.act_bare(end, txn, Draft::response(&message, 482)),
            Arrival::Absorbed | Arrival::Unusable => {}
        }
    }

    fn act_bare(&mut self, end: usize, txn: TxnId, draft: Draft) {
        let mut out = Vec::new();
        let status = draft.status().unwrap();
        let _ = self.ends[end].layer.respond(self.now, txn, status, draft.encode(), &mut out);
        self.take(end, out);
    }

    fn new_request(&mut self, end: usize, inbound: Inbound) {
        if self.ends[end].session.is_some() {
            return self.step(end, Input::Wire(TuEvent::Request(inbound)));
        }
        let identity = self.ends[end].identity.clone();
        let tag = format!("{}-tag", ["a", "b"][end]);
        match Session::incoming(self.now, &inbound, &identity, tag) {
            Ok((session, effects)) => {
                self.ends[end].session = Some(session);
                self.act(end, effects);
            }
            Err(draft) => {
                self.ends[end].refused.push(draft.status().unwrap());
                self.act_bare(end, inbound.txn, *draft);
            }
        }
    }

    /// Lets time pass.
    fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(next) = self.next().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.tick();
        }
        self.now = end;
    }

    fn next(&self) -> Option<Instant> {
        let wire = self.wire.iter().map(|(at, ..)| *at);
        let timers = self.ends.iter().flat_map(|end| end.timers.iter().map(|(at, _)| *at));
        let layers = self.ends.iter().filter_map(|end| end.layer.due());
        wire.chain(timers).chain(layers).min()
    }

    fn tick(&mut self) {
        let now = self.now;
        let (due, later) = self.wire.drain(..).partition(|(at, ..)| *at <= now);
        self.wire = later;
        let due: Vec<(Instant, usize, Bytes)> = due;
        for (_, end, raw) in due {
            self.deliver(end, raw);
        }
        for end in [A, B] {
            let timers = &mut self.ends[end].timers;
            let due: Vec<TimerId> =
                timers.iter().filter(|(at, _)| *at <= now).map(|(_, id)| *id).collect();
            timers.retain(|(at, _)| *at > now);
            for id in due {
                self.step(end, Input::Timer(id));
            }
            let mut out = Vec::new();
            self.ends[end].layer.fire(now, &mut out);
            self.take(end, out);
        }
    }

    /// Takes the events that an end was told since the last time.
    fn events(&mut self, end: usize) -> Vec<Event> {
        std::mem::take(&mut self.ends[end].events)
    }

    /// Leaves aside what both ends were told up to now.
    fn forget(&mut self) {
        self.ends.iter_mut().for_each(|end| end.events.clear());
    }

    fn cause(&mut self, end: usize) -> Cause {
        let ended = self.events(end).into_iter().find_map(|event| match event {
            Event::Ended { cause } => Some(cause),
            _ => None,
        });
        ended.expect("the session has ended")
    }

    /// How often an end sent something of this name.
    fn count(&self, end: usize, name: &str) -> usize {
        self.sent.iter().filter(|(by, _, what)| *by == end && what == name).count()
    }

    /// The last message of this name that an end sent.
    fn last(&self, end: usize, what: &str) -> Message {
        let mut found = self.messages.iter().rev();
        let found = found.find(|(by, message)| *by == end && name(message) == what);
        found.unwrap_or_else(|| panic!("no {what}")).1.clone()
    }

    fn is_closed(&self, end: usize) -> bool {
        self.ends[end].closed == 1
    }

    fn session(&mut self, end: usize) -> &mut Session {
        self.ends[end].session.as_mut().unwrap()
    }
}

/// `INVITE`, or `200 INVITE` for an answer.
fn name(message: &Message) -> String {
    match (message.method(), message.status()) {
        (Some(method), _) => method.as_str().to_owned(),
        (None, status) => {
            format!("{} {}", status.unwrap_or(0), message.cseq().unwrap().1.as_str())
        }
    }
}

fn via(end: usize, branch: &str) -> String {
    format!("SIP/2.0/UDP {};rport;branch={branch}", address(end))
}

fn inbound(end: usize, txn: TxnId, request: Message) -> Inbound {
    Inbound {
        txn,
        request,
        flow: FlowId::datagram(0, address(1 - end)),
        transport: Transport::Udp,
        source: address(1 - end),
        local: address(end),
    }
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
