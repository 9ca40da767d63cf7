//! The signalling of both legs of a call through us: 6 messages in, 7 out.
//!
//! What the phones say is made beforehand from what the sessions once sent; a second run with the
//! same tags takes the same messages.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use divan::Bencher;
use tandem_sip::message::{Draft, Message, Method, Name};
use tandem_sip::net::{FlowId, Inbound, Target, Transport, TuEvent, TxnId};
use tandem_sip::session::{Command, Dial, Effect, Identity, Input, Session};
use tandem_sip::value::{NameAddr, Uri};

use crate::invite;

const OUR_TAG: &str = "5f0c3b1d9e8a7746";
const VIA: &str = "SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK0123456789abcdef01234567";

#[divan::bench]
fn whole_call(bencher: Bencher<'_, '_>) {
    let mut said = Said { invite: invite(), ..Said::default() };
    // Each run gets one message further, because the next is made of what was sent.
    for _ in 0..6 {
        let sent = Legs::begin(&said).run(&said);
        said.learn(&sent);
    }
    let last = Legs::begin(&said).run(&said);
    assert_eq!(last.len(), 7, "100, 180, 200, 200 to the caller; INVITE, ACK, BYE to the agent");
    bencher.bench(|| Legs::begin(&said).run(&said));
}

/// What the phones say, in wire form; empty while it is not known.
#[derive(Default)]
struct Said {
    invite: Bytes,
    ringing: Bytes,
    answer: Bytes,
    ack: Bytes,
    bye: Bytes,
    bye_answer: Bytes,
}

impl Said {
    fn learn(&mut self, sent: &[Bytes]) {
        let parsed: Vec<Message> =
            sent.iter().map(|raw| Message::parse(raw.clone()).unwrap()).collect();
        let request =
            |method: Method| parsed.iter().find(|sent| sent.method() == Some(method.clone()));
        if let Some(invite) = request(Method::Invite) {
            let mut ringing = Draft::response(invite, 180);
            ringing.set_to_tag("agent-tag");
            self.ringing = ringing.with(Name::Contact, "<sip:1001@192.0.2.18:5060>").encode();
            let mut answer = Draft::response(invite, 200);
            answer.set_to_tag("agent-tag");
            let answer = answer.with(Name::Contact, "<sip:1001@192.0.2.18:5060>");
            let body = Message::parse(self.invite.clone()).unwrap().body().clone();
            self.answer = answer.with_body("application/sdp", body).encode();
        }
        if parsed.iter().any(|sent| sent.status() == Some(200)) {
            self.ack = self.of_caller(Method::Ack, 20_713);
            self.bye = self.of_caller(Method::Bye, 20_714);
        }
        if let Some(bye) = request(Method::Bye) {
            self.bye_answer = Draft::response(bye, 200).encode();
        }
    }

    fn of_caller(&self, method: Method, cseq: u32) -> Bytes {
        let invite = Message::parse(self.invite.clone()).unwrap();
        let header = |name| invite.header(name).unwrap().to_owned();
        Draft::request(method.clone(), "sip:6400@192.0.2.1:5060")
            .with(Name::Via, "SIP/2.0/UDP 192.0.2.17:5060;rport;branch=z9hG4bKPjanother1")
            .with(Name::MaxForwards, "70")
            .with(Name::From, header(Name::From))
            .with(Name::To, format!("{};tag={OUR_TAG}", header(Name::To)))
            .with(Name::CallId, invite.call_id().to_owned())
            .with(Name::CSeq, format!("{cseq} {}", method.as_str()))
            .encode()
    }
}

struct Legs {
    now: Instant,
    caller: Session,
    agent: Session,
    /// The transactions of our requests, by their order.
    transactions: u64,
    sent: Vec<Bytes>,
}

fn address(host: u8) -> SocketAddr {
    ([192, 0, 2, host], 5060).into()
}

fn inbound(number: u64, request: Message) -> Inbound {
    Inbound {
        txn: TxnId::from_u64(number),
        request,
        flow: FlowId::datagram(0, address(17)),
        transport: Transport::Udp,
        source: address(17),
        local: address(1),
    }
}

impl Legs {
    /// The caller's INVITE and ours to the agent.
    fn begin(said: &Said) -> Self {
        let now = Instant::now();
        let identity = Identity::new("sip:192.0.2.1:5060");
        let request = Message::parse(said.invite.clone()).unwrap();
        let offer = request.body().clone();
        let invite = inbound(1, request);
        let (caller, mut effects) =
            Session::incoming(now, &invite, &identity, OUR_TAG.to_owned()).unwrap();
        let target = Uri::parse("sip:1001@192.0.2.18:5060").unwrap();
        let dial = Dial {
            target: target.clone(),
            route: Vec::new(),
            next_hop: Target::of(target.clone()),
            from: NameAddr::parse("\"Alice Example\" <sip:1000@192.0.2.1>").unwrap(),
            to: NameAddr::new(target),
            call_id: "7d1b0c9e-agent".to_owned(),
            from_tag: OUR_TAG.to_owned(),
            headers: Vec::new(),
            offer: Some(offer),
            second_offer: None,
            credentials: None,
            give_up_after: Duration::from_secs(30),
            other_flows: Vec::new(),
            cancel_reason: None,
        };
        let (agent, dialled) = Session::outgoing(now, dial, &identity);
        let mut legs = Self { now, caller, agent, transactions: 100, sent: Vec::new() };
        effects.extend(legs.caller.step(now, Input::Command(Command::Trying)).unwrap());
        legs.carry_out(effects);
        legs.carry_out(dialled);
        legs
    }

    fn run(mut self, said: &Said) -> Vec<Bytes> {
        if said.ringing.is_empty() {
            return self.sent;
        }
        let invite = self.transactions;
        self.answered(invite, &said.ringing);
        self.by_caller(Input::Command(Command::Ring { headers: Vec::new() }));
        let answer = self.answered(invite, &said.answer);
        let answer = Command::Answer { answer, headers: Vec::new() };
        self.by_caller(Input::Command(answer));
        if said.ack.is_empty() {
            return self.sent;
        }
        let ack = Message::parse(said.ack.clone()).unwrap();
        self.by_caller(Input::Wire(TuEvent::Ack(ack)));
        let bye = inbound(2, Message::parse(said.bye.clone()).unwrap());
        self.by_caller(Input::Wire(TuEvent::Request(bye)));
        let effects = self.agent.step(self.now, Input::Command(Command::HangUp { reason: None }));
        self.carry_out(effects.unwrap());
        if !said.bye_answer.is_empty() {
            self.answered(self.transactions, &said.bye_answer);
        }
        self.sent
    }

    fn by_caller(&mut self, input: Input) {
        let effects = self.caller.step(self.now, input).unwrap();
        self.carry_out(effects);
    }

    /// An answer of the agent's phone; gives its body.
    fn answered(&mut self, txn: u64, raw: &Bytes) -> Bytes {
        let response = Message::parse(raw.clone()).unwrap();
        let body = response.body().clone();
        let (txn, flow) = (TxnId::from_u64(txn), FlowId::datagram(0, address(18)));
        let input = Input::Wire(TuEvent::Response { txn, response, flow });
        let effects = self.agent.step(self.now, input).unwrap();
        self.carry_out(effects);
        body
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Request { id, mut draft, .. } => {
                    draft.push_front(Name::Via, VIA);
                    self.sent.push(draft.encode());
                    self.transactions += 1;
                    let txn = TxnId::from_u64(self.transactions);
                    let effects = self.agent.step(self.now, Input::Sent { id, txn }).unwrap();
                    self.carry_out(effects);
                }
                Effect::Ack { mut draft, .. } => {
                    draft.push_front(Name::Via, VIA);
                    self.sent.push(draft.encode());
                }
                Effect::Respond { draft, .. } => self.sent.push(draft.encode()),
                Effect::Attach { .. } | Effect::Arm { .. } | Effect::Emit(_) | Effect::Closed => {}
            }
        }
    }
}
