//! Two members and a phone that is connected to the second one: the first one uses its flow.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::*;

/// The links between members, without a network.
struct Links {
    own: u64,
    others: Arc<Mutex<BTreeMap<u64, Handle>>>,
}

impl Carrier for Links {
    fn own(&self) -> u64 {
        self.own
    }

    fn put(&self, member: u64, flow: FlowId, message: bytes::Bytes) -> Result<(), String> {
        let other = self.others.lock().get(&member).cloned().ok_or("nobody")?;
        other.put(flow, message)
    }

    fn hand(&self, member: u64, from: RemoteFlow, message: bytes::Bytes) -> bool {
        let Some(other) = self.others.lock().get(&member).cloned() else { return false };
        other.came(from, message);
        true
    }
}

struct Three {
    /// Has the call.
    one: Node,
    /// Has the connection.
    two: Node,
    phone: Node,
    /// The phone's flow, at its own member.
    there: FlowId,
    /// The same as the first member knows it.
    flow: FlowId,
    transport: Transport,
}

impl Three {
    async fn start(transport: Transport) -> Self {
        // All trust the same certificate.
        let config = config(&[transport]);
        let one = Node::start(config.clone()).await;
        let mut two = Node::start(config.clone()).await;
        let phone = Node::start(config).await;
        let others = Arc::new(Mutex::new(BTreeMap::new()));
        for (own, node) in [(1, &one), (2, &two)] {
            others.lock().insert(own, node.handle.clone());
            node.handle.carried_by(Arc::new(Links { own, others: others.clone() }));
        }
        let (sink, mut events) = sink();
        let target = towards(two.addr(transport), transport);
        phone.handle.request(draft(Method::Options, "hello"), target, sink);
        let hello = two.next().await;
        two.answer(&hello, 200, "two");
        assert_eq!(status(&mut events).await, 200);
        let there = hello.flow;
        let address = two.handle.reachable_on(there).unwrap();
        let flow = one.handle.through(RemoteFlow { member: 2, flow: there, transport, address });
        Self { one, two, phone, there, flow, transport }
    }

    /// The first member calls the phone.
    fn invite(&self, call: &str) -> mpsc::UnboundedReceiver<TuEvent> {
        let contact = self.one.handle.contact_through(self.flow).unwrap();
        let invite = draft(Method::Invite, call).with(Name::Contact, format!("<{contact}>"));
        let (sink, events) = sink();
        self.one.handle.request(invite, self.target(), sink);
        events
    }

    fn target(&self) -> Target {
        Target { flow: Some(self.flow), ..towards(self.phone.addr(self.transport), self.transport) }
    }

    /// What the phone asks within the call, where it was told to.
    fn within(&self, method: Method, invite: &Inbound) -> mpsc::UnboundedReceiver<TuEvent> {
        let contact = invite.request.header(Name::Contact).unwrap();
        let target = contact.trim_matches(['<', '>']);
        let cseq = format!("2 {}", method.as_str());
        let request = Draft::request(method, target)
            .with(Name::From, "<sip:bob@example.com>;tag=far")
            .with(Name::To, "<sip:alice@example.com>;tag=near")
            .with(Name::CallId, invite.request.call_id())
            .with(Name::CSeq, cseq);
        let (sink, events) = sink();
        self.phone.handle.request(request, Target::of(uri(target)), sink);
        events
    }
}

#[tokio::test]
async fn a_call_goes_by_the_connection_of_another_member_both_ways() {
    for transport in [Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Udp] {
        let mut three = Three::start(transport).await;
        let mut answers = three.invite("call");
        let invite = three.phone.next().await;
        let via = invite.request.header(Name::Via).unwrap();
        let seen = three.two.addr(transport);
        assert!(via.contains(&format!("{seen};")) && via.contains(";member=1"), "{via}");
        assert_eq!(invite.source, seen, "it comes from where the phone is connected to");
        three.phone.answer(&invite, 180, "far");
        three.phone.answer(&invite, 200, "far");

        assert_eq!(status(&mut answers).await, 180);
        match event(&mut answers).await {
            TuEvent::Response { response, flow, .. } => {
                assert_eq!((response.status(), flow), (Some(200), three.flow));
            }
            other => panic!("{other:?}"),
        }
        let (dialog, mut asked) = sink();
        let _attached = three.one.handle.attach("call", "near", dialog);
        for method in [Method::Invite, Method::Info, Method::Refer, Method::Bye] {
            let mut told = three.within(method, &invite);
            let TuEvent::Request(request) = event(&mut asked).await else { panic!() };
            assert_eq!((request.flow, request.transport), (three.flow, transport));
            assert_eq!(request.source, three.there.remote(), "who the phone is to its member");
            three.one.answer(&request, 200, "near");
            assert_eq!(status(&mut told).await, 200, "{transport}");
        }
    }
}

#[tokio::test]
async fn the_ack_of_a_refusal_and_a_cancel_find_their_transaction_at_the_other_member() {
    let mut three = Three::start(Transport::Tcp).await;
    let mut answers = three.invite("call");
    let invite = three.phone.next().await;
    let (dialog, mut asked) = sink();
    let _attached = three.one.handle.attach("call", "near", dialog);

    let mut told = three.within(Method::Invite, &invite);
    let TuEvent::Request(again) = event(&mut asked).await else { panic!() };
    let cancel = Draft::request(Method::Cancel, again.request.uri().unwrap())
        .with(Name::From, "<sip:bob@example.com>;tag=far")
        .with(Name::To, "<sip:alice@example.com>;tag=near")
        .with(Name::CallId, "call")
        .with(Name::CSeq, "2 CANCEL");
    let (sink, mut cancelled) = sink();
    three.phone.handle.request(cancel, Target::of(uri(again.request.uri().unwrap())), sink);
    assert_eq!(status(&mut cancelled).await, 200);
    let TuEvent::Cancelled { invite: taken_back, .. } = event(&mut asked).await else { panic!() };
    assert_eq!(taken_back, again.txn);
    three.one.answer(&again, 487, "near");
    assert_eq!(status(&mut told).await, 487);

    three.phone.answer(&invite, 486, "far");
    assert_eq!(status(&mut answers).await, 486);
    let acknowledged = async {
        while counted(&three.one.handle.stats().requests_received, "ACK") == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, acknowledged).await.unwrap();
    assert!(three.two.hears_nothing().await, "nothing of it is the second member's");
}

#[tokio::test]
async fn what_nobody_is_there_for_or_a_stranger_sends_is_refused_as_before() {
    let mut three = Three::start(Transport::Tcp).await;
    let _answers = three.invite("call");
    let invite = three.phone.next().await;
    let (sink, mut told) = sink();
    let target = uri(&format!("sip:member-9@{};transport=tcp", three.two.addr(Transport::Tcp)));
    let bye = Draft::request(Method::Bye, target.to_string())
        .with(Name::From, "<sip:bob@example.com>;tag=far")
        .with(Name::To, "<sip:alice@example.com>;tag=near")
        .with(Name::CallId, "call")
        .with(Name::CSeq, "2 BYE");
    three.phone.handle.request(bye, Target::of(target), sink);
    assert_eq!(status(&mut told).await, 481, "there is no such member");

    let mut told = three.within(Method::Bye, &invite);
    assert_eq!(status(&mut told).await, 481, "the member has no such dialog");

    let mut config = config(&[Transport::Tcp]);
    config.limits.exempt_loopback = false;
    let strict = Node::start(config).await;
    let all = three.one.handle.clone();
    let others = Arc::new(Mutex::new(BTreeMap::from([(1, all)])));
    strict.handle.carried_by(Arc::new(Links { own: 3, others }));
    let before = three.one.handle.stats().requests_received;
    let (sink, mut told) = super::sink();
    let target = uri(&format!("sip:member-1@{};transport=tcp", strict.addr(Transport::Tcp)));
    let bye = Draft::request(Method::Bye, target.to_string())
        .with(Name::From, "<sip:bob@example.com>;tag=far")
        .with(Name::To, "<sip:alice@example.com>;tag=near")
        .with(Name::CallId, "call")
        .with(Name::CSeq, "2 BYE");
    three.phone.handle.request(bye, Target::of(target), sink);
    assert_eq!(status(&mut told).await, 481, "it has proved nothing");
    assert_eq!(three.one.handle.stats().requests_received, before);
}

#[tokio::test]
async fn a_connection_that_is_lost_fails_what_waits_on_it() {
    let mut three = Three::start(Transport::Tcp).await;
    let mut answers = three.invite("call");
    three.phone.next().await;

    three.one.handle.lost(2, three.there);
    let failed = event(&mut answers).await;
    assert!(matches!(failed, TuEvent::TransportFailed { .. }), "{failed:?}");
    assert_eq!(three.one.handle.path(three.flow), None);
    let mut again = three.one_more();
    assert!(matches!(event(&mut again).await, TuEvent::TransportFailed { .. }));

    let mut three = Three::start(Transport::Tcp).await;
    let mut answers = three.invite("call");
    three.phone.next().await;
    three.one.handle.member_lost(2);
    assert!(matches!(event(&mut answers).await, TuEvent::TransportFailed { .. }));
    assert_eq!(three.one.handle.remote(three.flow), None);
}

impl Three {
    fn one_more(&self) -> mpsc::UnboundedReceiver<TuEvent> {
        let (sink, events) = sink();
        self.one.handle.request(draft(Method::Options, "more"), self.target(), sink);
        events
    }
}

#[tokio::test]
async fn a_flow_keeps_its_name_and_another_member_has_another() {
    let three = Three::start(Transport::Tcp).await;
    let there = three.one.handle.remote(three.flow).unwrap();
    assert_eq!(three.one.handle.through(there.clone()), three.flow);
    let moved = RemoteFlow { member: 3, ..there };
    let other = three.one.handle.through(moved);

    assert_ne!(other, three.flow);
    assert!(other.is_remote() && other.is_reliable());
    let datagram = RemoteFlow {
        member: 2,
        flow: FlowId::datagram(0, any_port()),
        transport: Transport::Udp,
        address: "edge.example:5060".to_owned(),
    };
    let datagram = three.one.handle.through(datagram);
    assert!(datagram.is_remote() && !datagram.is_reliable());
    let contact = three.one.handle.contact_through(datagram);
    assert_eq!(contact.as_deref(), Some("sip:member-1@edge.example:5060"));
    assert_eq!(three.one.handle.contact_through(three.there), None, "it is no flow of another");
}

#[tokio::test]
async fn garbage_and_late_words_do_no_harm() {
    let mut three = Three::start(Transport::Tcp).await;
    let there = three.one.handle.remote(three.flow).unwrap();
    let mut garbage: Vec<Vec<u8>> = vec![Vec::new(), vec![0; 70_000], b"\r\n\r\n".to_vec()];
    garbage.push(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP x;member=2;member=\r\n\r\n".to_vec());
    garbage.push(b"BYE sip:member-@x SIP/2.0\r\n\r\n".to_vec());
    let answer = "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKx;member=2\r\n\
                  From: <sip:a@b>;tag=a\r\nTo: <sip:a@b>;tag=b\r\nCall-ID: none\r\n\
                  CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
    garbage.push(answer.as_bytes().to_vec());
    for seed in 0..200_u32 {
        let noise = (0..seed).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8);
        garbage.push(noise.collect());
    }
    for raw in garbage {
        three.one.handle.came(there.clone(), raw.into());
    }
    let stale = FlowId::stream(7, three.there.remote());
    assert!(
        three.two.handle.put(stale, bytes::Bytes::from_static(b"x")).is_err(),
        "not this run's"
    );
    assert!(three.two.handle.put(three.flow, bytes::Bytes::from_static(b"x")).is_err());
    three.one.handle.lost(2, stale);
    three.one.handle.lost(9, three.there);
    three.one.handle.member_lost(9);

    let mut answers = three.invite("call");
    let invite = three.phone.next().await;
    three.phone.answer(&invite, 200, "far");
    assert_eq!(status(&mut answers).await, 200, "all goes on");
}
