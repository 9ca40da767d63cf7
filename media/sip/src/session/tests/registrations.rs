//! Accounts at a provider, and asking whether a peer is there.

use super::*;
use crate::digest::Credentials;
use crate::session::ping::{self, Peer, Ping};
use crate::session::registration::{self, Account, Client};

/// A registration with the other end played by hand.
struct Desk {
    client: Client,
    now: Instant,
    requests: Vec<(TxnId, Draft)>,
    events: Vec<registration::Event>,
    armed: Option<(TimerId, Duration)>,
}

fn account() -> Account {
    let registrar = Uri::parse("sip:provider.example").unwrap();
    Account {
        registrar: registrar.clone(),
        address: NameAddr::parse("<sip:100@provider.example>").unwrap(),
        route: Vec::new(),
        next_hop: Target::of(registrar),
        credentials: Some(Credentials {
            username: "100".to_owned(),
            password: "secret".to_owned(),
            realm: None,
        }),
        expires: secs(600),
        call_id: "register-1".to_owned(),
        from_tag: "r-tag".to_owned(),
        outbound: None,
    }
}

const CHALLENGE: (Name, &str) =
    (Name::WwwAuthenticate, "Digest realm=\"p\", nonce=\"n1\", qop=\"auth\", algorithm=MD5");

impl Desk {
    fn new(account: Account) -> Self {
        let client = Client::new(account, &identity(A));
        let now = Instant::now();
        Self { client, now, requests: Vec::new(), events: Vec::new(), armed: None }
    }

    fn registering(account: Account) -> Self {
        let mut desk = Self::new(account);
        desk.step(registration::Input::Register);
        desk
    }

    fn step(&mut self, input: registration::Input) {
        for effect in self.client.step(self.now, input) {
            match effect {
                registration::Effect::Request { id, draft, .. } => {
                    let txn = TxnId::from_u64(self.requests.len() as u64 + 1);
                    self.requests.push((txn, draft));
                    self.step(registration::Input::Sent { id, txn });
                }
                registration::Effect::Arm { timer, after } => self.armed = Some((timer, after)),
                registration::Effect::Emit(event) => self.events.push(event),
            }
        }
    }

    /// Answers the last REGISTER.
    fn answer(&mut self, status: u16, headers: &[(Name, &str)]) {
        let (txn, draft) = self.requests.last().unwrap().clone();
        let response = response(&draft, status, headers);
        let flow = FlowId::datagram(0, address(B));
        self.step(registration::Input::Wire(TuEvent::Response { txn, response, flow }));
    }

    fn wait(&mut self) {
        let (timer, after) = self.armed.take().unwrap();
        self.now += after;
        self.step(registration::Input::Timer(timer));
    }

    fn last(&self) -> &Draft {
        &self.requests.last().unwrap().1
    }
}

fn response(draft: &Draft, status: u16, headers: &[(Name, &str)]) -> Message {
    let mut request = draft.clone();
    request.push_front(Name::Via, via(A, "z9hG4bKr"));
    let request = Message::parse(request.encode()).unwrap();
    let mut answer = Draft::response(&request, status);
    answer.set_to_tag("p-tag");
    for (name, value) in headers {
        answer.push(*name, *value);
    }
    Message::parse(answer.encode()).unwrap()
}

fn granted(seconds: u64) -> (Name, String) {
    let own = format!("<sip:user@192.0.2.1:5060>;expires={seconds}");
    (Name::Contact, format!("<sip:other@192.0.2.77>;expires=7, {own}"))
}

#[test]
fn an_account_is_challenged_registered_and_refreshed_in_time() {
    let mut desk = Desk::registering(account());
    assert_eq!(desk.last().header(Name::Authorization), None);
    desk.answer(401, &[CHALLENGE]);
    let (name, contact) = granted(300);
    desk.answer(200, &[(name, &contact), (Name::ServiceRoute, "<sip:edge.example;lr>")]);

    let registered = registration::Event::Registered {
        expires: secs(300),
        service_route: vec!["<sip:edge.example;lr>".to_owned()],
        flow: FlowId::datagram(0, address(B)),
    };
    assert_eq!(desk.events, [registered]);
    let (_, after) = desk.armed.unwrap();
    assert!(after >= secs(240) && after <= secs(270), "{after:?}");

    // The refresh answers the challenge before it is made.
    desk.wait();
    let proof = desk.last().header(Name::Authorization).unwrap();
    assert!(proof.contains("nc=00000002"), "{proof}");
    assert_eq!(desk.last().header(Name::CSeq), Some("3 REGISTER"));
    assert_eq!(desk.last().header(Name::CallId), Some("register-1"));
}

#[test]
fn a_lifetime_that_is_too_short_is_raised() {
    let mut desk = Desk::registering(Account { expires: secs(60), ..account() });
    assert_eq!(desk.last().header(Name::Expires), Some("60"));
    desk.answer(423, &[(Name::MinExpires, "1800")]);
    assert_eq!(desk.last().header(Name::Expires), Some("1800"));
    desk.answer(423, &[(Name::MinExpires, "1800")]);
    assert!(matches!(desk.events[..], [registration::Event::Failed { status: 423, .. }]));
}

#[test]
fn a_wrong_password_is_tried_once_and_then_rarely() {
    let mut desk = Desk::registering(account());
    let mut waits = Vec::new();
    for _ in 0..8 {
        desk.answer(401, &[CHALLENGE]);
        let asked = desk.requests.len();
        desk.answer(401, &[CHALLENGE]);
        assert_eq!(desk.requests.len(), asked);
        waits.push(desk.armed.unwrap().1);
        desk.wait();
    }
    assert!(waits[0] >= secs(15) && waits[0] <= secs(30), "{waits:?}");
    assert!(waits[3] >= secs(120) && waits[3] <= secs(240), "{waits:?}");
    assert!(waits[7] >= secs(900) && waits[7] <= secs(1800), "{waits:?}");
}

#[test]
fn a_busy_registrar_is_left_alone_for_as_long_as_it_asks() {
    let mut desk = Desk::registering(account());
    desk.answer(503, &[(Name::RetryAfter, "120")]);
    let failed = registration::Event::Failed { status: 503, retry_after: secs(120) };
    assert_eq!(desk.events, [failed]);
}

#[test]
fn silence_and_broken_connections_are_failures_and_a_new_connection_registers_at_once() {
    let mut desk = Desk::registering(account());
    let (txn, _) = desk.requests[0];
    desk.step(registration::Input::Wire(TuEvent::Timeout { txn }));
    assert!(matches!(desk.events[..], [registration::Event::Failed { status: 408, .. }]));
    let old = desk.armed.unwrap().0;

    desk.step(registration::Input::Register);
    let (txn, _) = desk.requests[1];
    desk.step(registration::Input::Timer(old));
    assert_eq!(desk.requests.len(), 2);
    let why = "reset".to_owned();
    desk.step(registration::Input::Wire(TuEvent::TransportFailed { txn, why }));
    assert!(matches!(desk.events[1], registration::Event::Failed { status: 503, .. }));
}

#[test]
fn an_account_that_is_not_wanted_any_more_is_removed() {
    let mut desk = Desk::registering(account());
    desk.answer(200, &[]);
    desk.step(registration::Input::Unregister);
    assert_eq!(desk.last().header(Name::Expires), Some("0"));
    assert!(desk.last().header(Name::Contact).unwrap().ends_with(";expires=0"));
    desk.answer(200, &[]);
    assert_eq!(desk.events.last(), Some(&registration::Event::Unregistered));
}

#[test]
fn an_outbound_flow_is_named() {
    let instance = "urn:uuid:00000000-0000-1000-8000-000A95A0E128".to_owned();
    let mut desk = Desk::registering(Account { outbound: Some((instance, 1)), ..account() });
    let contact = desk.last().header(Name::Contact).unwrap().to_owned();
    assert!(contact.contains("+sip.instance=\"<urn:uuid:") && contact.contains("reg-id=1"));
    // The registrar may write our address differently; the flow is still ours.
    let echoed = contact.replace("192.0.2.1", "nat.example").replace("expires=600", "expires=90");
    desk.answer(200, &[(Name::Contact, &echoed)]);
    let expires = secs(90);
    assert!(
        matches!(desk.events[0], registration::Event::Registered { expires: e, .. } if e == expires)
    );
}

/// A ping with the other end played by hand.
struct Watch {
    ping: Ping,
    now: Instant,
    question: Option<(TxnId, Draft)>,
    armed: Option<TimerId>,
    news: Vec<String>,
}

impl Watch {
    fn new(patience: u32) -> Self {
        let target = Uri::parse("sip:provider.example").unwrap();
        let peer = Peer {
            target: target.clone(),
            next_hop: Target::of(target.clone()),
            from: NameAddr::new(target),
            call_id: "ping-1".to_owned(),
            from_tag: "p".to_owned(),
            every: secs(30),
            patience,
        };
        let now = Instant::now();
        let (ping, effects) = Ping::new(now, peer, &identity(A));
        let mut watch = Self { ping, now, question: None, armed: None, news: Vec::new() };
        watch.take(effects);
        watch
    }

    fn take(&mut self, effects: Vec<ping::Effect>) {
        for effect in effects {
            match effect {
                ping::Effect::Request { id, draft, .. } => {
                    let txn = TxnId::from_u64(u64::from(id.0));
                    self.question = Some((txn, draft));
                    let effects = self.ping.step(self.now, ping::Input::Sent { id, txn });
                    self.take(effects);
                }
                ping::Effect::Arm { timer, after } => {
                    assert_eq!(after, secs(30));
                    self.armed = Some(timer);
                }
                ping::Effect::Reachable { round_trip } => {
                    self.news.push(format!("up after {} ms", round_trip.as_millis()));
                }
                ping::Effect::Unreachable { status } => self.news.push(format!("down: {status}")),
            }
        }
    }

    fn step(&mut self, input: ping::Input) {
        let effects = self.ping.step(self.now, input);
        self.take(effects);
    }

    fn answer(&mut self, status: u16) {
        let (txn, draft) = self.question.take().unwrap();
        self.now += millis(12);
        let response = response(&draft, status, &[]);
        let flow = FlowId::datagram(0, address(B));
        self.step(ping::Input::Wire(TuEvent::Response { txn, response, flow }));
    }

    fn silence(&mut self) {
        let (txn, _) = self.question.take().unwrap();
        self.step(ping::Input::Wire(TuEvent::Timeout { txn }));
    }

    fn again(&mut self) {
        let timer = self.armed.take().unwrap();
        self.step(ping::Input::Timer(timer));
    }
}

#[test]
fn a_peer_goes_down_after_some_silence_and_comes_back() {
    let mut watch = Watch::new(2);
    watch.answer(404);
    watch.again();
    watch.answer(200);
    watch.again();
    watch.silence();
    assert_eq!(watch.news, ["up after 12 ms"]);
    watch.again();
    watch.answer(503);
    watch.again();
    watch.silence();
    watch.again();
    watch.answer(200);
    assert_eq!(watch.news, ["up after 12 ms", "down: 503", "up after 12 ms"]);
}
