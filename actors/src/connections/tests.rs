#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tandem_kernel::{Clock, Timestamp};
use tandem_sip::message::{Draft, Message, Method, Name};
use tandem_sip::net::{
    Config, FlowId, Handle, Inbound, Limits, Listener, RemoteFlow, Sink, Target, Transport, TuEvent,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::words::FlowWord;
use crate::call::Calls;
use crate::copies::Copies;
use crate::gateway::words::{Letter, Word};
use crate::gateway::{Carried, Carrier as Letters, Gateway};
use crate::live::Live;
use crate::softphone::Softphones;
use crate::trace::Traces;
use crate::whereabouts::Whereabouts;

const PATIENCE: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(150);

/// A member whose build knows of no flows.
const OLDER: u64 = 8;

type Members = Arc<Mutex<BTreeMap<u64, Gateway>>>;

/// The links of one member, which can be cut.
struct Post {
    own: u64,
    members: Members,
    is_cut: Arc<AtomicBool>,
}

impl Letters for Post {
    fn carry(&self, member: u64, letter: Bytes, _deadline: Duration) -> Carried {
        let other = self.members.lock().get(&member).cloned();
        let (own, is_cut) = (self.own, self.is_cut.load(Ordering::Relaxed));
        Box::pin(async move {
            match other.filter(|_| !is_cut) {
                Some(other) => Some(other.take(own, letter).await),
                None => None,
            }
        })
    }

    fn carry_bulk(&self, member: u64, letter: Bytes, deadline: Duration) -> Carried {
        self.carry(member, letter, deadline)
    }

    fn level(&self, member: u64) -> u16 {
        if member == OLDER { 1 } else { 2 }
    }

    fn settled(&self) -> u16 {
        1
    }
}

struct Member {
    gateway: Gateway,
    sip: Handle,
    requests: mpsc::Receiver<Inbound>,
    is_cut: Arc<AtomicBool>,
    _files: TempDir,
}

impl Member {
    async fn start(own: u64, members: &Members) -> Self {
        let local = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let listeners = vec![Listener::new(Transport::Tcp, local)];
        let limits = Limits { exempt_loopback: true, ..Limits::default() };
        let config = Config { listeners, limits, ..Config::default() };
        let (sip, requests) = tandem_sip::net::start(config).await.unwrap();
        let (clock, files) = (Clock::start(), TempDir::new().unwrap());
        let calls = Calls::start(10, 0).await.unwrap();
        let live = Live::new(calls, Arc::new(Traces::new(clock)));
        let copies = Copies::new(files.path().join("a"), files.path().join("b"), true);
        let is_cut = Arc::new(AtomicBool::new(false));
        let post = Arc::new(Post { own, members: members.clone(), is_cut: is_cut.clone() });
        let placed = Arc::new(Whereabouts::default());
        let gateway = Gateway::new(post, placed, live, (copies, Softphones::default()));
        gateway.lend_flows(own, &sip, clock);
        members.lock().insert(own, gateway.clone());
        Self { gateway, sip, requests, is_cut, _files: files }
    }
}

/// Two members and a phone that is connected to the second.
struct Two {
    one: Member,
    two: Member,
    phone: TcpStream,
    there: FlowId,
    flow: FlowId,
}

impl Two {
    async fn start() -> Self {
        let members = Members::default();
        let (one, mut two) = (Member::start(1, &members).await, Member::start(2, &members).await);
        one.gateway.set_members(&[2, OLDER]);
        two.gateway.set_members(&[1]);
        let at = two.sip.bound()[0].local;
        let mut phone = TcpStream::connect(at).await.unwrap();
        let hello = "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP phone;branch=z9hG4bKhello\r\n\
                     From: <sip:a@b>;tag=a\r\nTo: <sip:x>\r\nCall-ID: hello\r\n\
                     CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
        phone.write_all(hello.as_bytes()).await.unwrap();
        let there = timeout(PATIENCE, two.requests.recv()).await.unwrap().unwrap().flow;
        let address = two.sip.reachable_on(there).unwrap();
        let transport = Transport::Tcp;
        let flow = one.sip.through(RemoteFlow { member: 2, flow: there, transport, address });
        Self { one, two, phone, there, flow }
    }

    /// The first member asks the phone.
    fn ask(&self, call: &str) -> mpsc::UnboundedReceiver<TuEvent> {
        let request = Draft::request(Method::Options, "sip:phone@127.0.0.1")
            .with(Name::From, "<sip:a@b>;tag=near")
            .with(Name::To, "<sip:phone@b>")
            .with(Name::CallId, call)
            .with(Name::CSeq, "1 OPTIONS");
        let uri = "sip:phone@127.0.0.1".parse().unwrap();
        let target = Target { flow: Some(self.flow), ..Target::of(uri) };
        let (sender, events) = mpsc::unbounded_channel();
        let sink: Sink = Arc::new(move |event| drop(sender.send(event)));
        self.one.sip.request(request, target, sink);
        events
    }

    async fn heard(&mut self) -> Message {
        let mut buffer = vec![0; 65_536];
        let length = timeout(PATIENCE, self.phone.read(&mut buffer)).await.unwrap().unwrap();
        buffer.truncate(length);
        Message::parse(buffer.into()).unwrap()
    }

    async fn hears_nothing(&mut self) -> bool {
        timeout(SHORT, self.phone.read(&mut [0; 16])).await.is_err()
    }

    async fn answers(&mut self) {
        let asked = self.heard().await;
        let mut draft = Draft::response(&asked, 200);
        draft.set_to_tag("far");
        self.phone.write_all(&draft.encode()).await.unwrap();
    }

    /// A letter of the first member to the second, as it came.
    async fn said(&self, words: Vec<Word>) {
        let letter = Letter::Words { session: 77, first: 0, words };
        self.two.gateway.take(1, tandem_wire::encode(&letter).into()).await;
    }
}

async fn event(events: &mut mpsc::UnboundedReceiver<TuEvent>) -> TuEvent {
    timeout(PATIENCE, events.recv()).await.unwrap().unwrap()
}

async fn assert_answered(two: &mut Two, call: &str) {
    let mut events = two.ask(call);
    two.answers().await;
    match event(&mut events).await {
        TuEvent::Response { response, .. } => assert_eq!(response.status(), Some(200)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_message_and_its_answer_go_through_the_member_that_has_the_connection() {
    let mut two = Two::start().await;

    assert_answered(&mut two, "one").await;
    assert_answered(&mut two, "two").await;
}

#[tokio::test]
async fn who_uses_a_connection_that_was_closed_is_told_so() {
    let two = Two::start().await;
    two.two.sip.close(two.there);

    let mut events = two.ask("late");

    let failed = event(&mut events).await;
    assert!(matches!(failed, TuEvent::TransportFailed { .. }), "{failed:?}");
    assert_eq!(two.one.sip.path(two.flow), None);
}

#[tokio::test]
async fn the_death_of_the_connections_member_fails_what_waits() {
    let mut two = Two::start().await;
    let mut events = two.ask("unanswered");
    two.heard().await;

    two.one.gateway.died(2);

    let failed = event(&mut events).await;
    assert!(matches!(failed, TuEvent::TransportFailed { .. }), "{failed:?}");
}

#[tokio::test]
async fn words_that_are_late_long_or_nonsense_do_no_harm() {
    let mut two = Two::start().await;
    let (now, there) = (Clock::start().now(), two.there);
    let foreign = two.flow;
    let put = |flow, message: &[u8], at| {
        Word::Flow(FlowWord::Put { flow, message: Bytes::copy_from_slice(message), at })
    };
    let came = |message: &[u8], at, address: &str| {
        let (message, address) = (Bytes::copy_from_slice(message), address.to_owned());
        let transport = Transport::Udp;
        Word::Flow(FlowWord::Came { flow: there, transport, address, message, at })
    };
    two.said(vec![
        put(there, b"late", now - Duration::from_secs(20)),
        put(there, b"older than time", Timestamp::default()),
        put(there, &[b'x'; 70_000], now),
        put(foreign, b"not a flow of its own", now),
        put(FlowId::stream(1, there.remote()), b"of another run", now),
        came(b"", now, ""),
        came(b"INVITE", now, "\r\nVia: x"),
        came(&[0xff; 3_000], now, "host"),
        came(b"BYE sip:member-1@x SIP/2.0\r\n\r\n", now, "host"),
        Word::Flow(FlowWord::Lost { flow: there }),
        Word::Flow(FlowWord::Lost { flow: foreign }),
    ])
    .await;

    assert!(two.hears_nothing().await);
    assert_answered(&mut two, "after").await;
}

#[tokio::test]
async fn no_more_messages_wait_for_a_member_than_a_bound() {
    let two = Two::start().await;
    two.one.is_cut.store(true, Ordering::Relaxed);
    let word = || FlowWord::Lost { flow: two.there };

    let taken = (0..5_000).take_while(|_| two.one.gateway.tell_of_flow(2, word())).count();

    assert!((1_000..=1_024).contains(&taken), "{taken}");
    assert!(!two.one.gateway.tell_of_flow(9, word()), "there is no such member");
    assert!(!two.one.gateway.tell_of_flow(OLDER, word()), "it would not read it");
    let mut events = two.ask("refused");
    assert!(matches!(event(&mut events).await, TuEvent::TransportFailed { .. }));
}

#[test]
fn the_bytes_of_words_about_flows_are_for_ever() {
    let flow = FlowId::datagram(3, "192.0.2.1:5060".parse().unwrap());
    let (at, message) = (Timestamp::from_micros(250), Bytes::from_static(b"hi"));
    let words = [
        FlowWord::Put { flow, message: message.clone(), at },
        FlowWord::Came { flow, transport: Transport::Tls, address: "b:1".into(), message, at },
        FlowWord::Lost { flow },
    ];

    let bytes = words.map(|word| tandem_wire::encode(&Word::Flow(word)));

    let flow = [3, 0, 192, 0, 2, 1, 251, 196, 19];
    let put = [&[9, 0], &flow[..], &[2, b'h', b'i', 250]].concat();
    let came = [&[9, 1], &flow[..], &[2, 3, b'b', b':', b'1', 2, b'h', b'i', 250]].concat();
    let lost = [&[9, 2], &flow[..]].concat();
    assert_eq!(bytes, [put, came, lost]);
}
