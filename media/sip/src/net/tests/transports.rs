//! The same conversation over every transport, on real sockets.

use super::*;

const ALL: [Transport; 5] =
    [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];

/// Two endpoints that trust the same certificate.
async fn pair(transport: Transport) -> (Node, Node) {
    let both = config(&[transport]);
    (Node::start(both.clone()).await, Node::start(both).await)
}

#[tokio::test]
async fn a_request_and_its_answer_travel_over_every_transport() {
    for transport in ALL {
        let (near, mut far) = pair(transport).await;
        let target = towards(far.addr(transport), transport);
        let (to, mut events) = sink();

        near.handle.request(draft(Method::Options, "one"), target, to);
        let got = far.next().await;
        far.answer(&got, 200, "far");

        assert_eq!(status(&mut events).await, 200, "{transport}");
        assert_eq!(got.transport, transport);
        assert_eq!(got.local, far.addr(transport));
        let via = got.request.header(Name::Via).unwrap();
        assert!(via.starts_with(&format!("SIP/2.0/{transport} 127.0.0.1:")), "{via}");
        assert_eq!(got.request.max_forwards(), Some(70));
    }
}

#[tokio::test]
async fn a_connection_is_used_again_in_both_directions() {
    for transport in &ALL[1..] {
        let (mut near, mut far) = pair(*transport).await;
        let (to, mut events) = sink();
        let mut flows = Vec::new();
        for call in ["one", "two"] {
            let target = towards(far.addr(*transport), *transport);
            near.handle.request(draft(Method::Options, call), target, to.clone());
            let got = far.next().await;
            far.answer(&got, 200, "far");
            assert_eq!(status(&mut events).await, 200);
            flows.push(got.flow);
        }
        assert_eq!(flows[0], flows[1], "{transport}");

        // RFC 5626: back along the flow on which the peer came.
        let back = Target { flow: Some(flows[0]), ..towards(any_port(), *transport) };
        let (to, mut events) = sink();
        far.handle.request(draft(Method::Notify, "back"), back, to);
        let got = near.next().await;
        near.answer(&got, 202, "near");

        assert_eq!(status(&mut events).await, 202, "{transport}");
        assert_eq!(near.handle.stats().connections, 1);
        assert_eq!(far.handle.stats().connections, 1);
    }
}

#[tokio::test]
async fn a_call_is_set_up_acknowledged_and_ended_over_every_transport() {
    for transport in ALL {
        let (near, mut far) = pair(transport).await;
        let target = towards(far.addr(transport), transport);
        let (to, mut events) = sink();
        near.handle.request(draft(Method::Invite, "call"), target.clone(), to);
        let invite = far.next().await;
        let (dialog, mut in_dialog) = sink();
        let attachment = far.handle.attach("call", "far", dialog);
        far.answer(&invite, 180, "far");
        far.answer(&invite, 200, "far");
        assert_eq!(status(&mut events).await, 180);
        assert_eq!(status(&mut events).await, 200);

        let within = |method, cseq: &str| {
            let mut draft = draft(method, "call");
            draft.set_to_tag("far");
            draft.remove(Name::CSeq);
            draft.with(Name::CSeq, cseq)
        };
        near.handle.send_ack(within(Method::Ack, "1 ACK"), target.clone());
        assert!(matches!(event(&mut in_dialog).await, TuEvent::Ack(_)), "{transport}");
        let (to, mut events) = sink();
        near.handle.request(within(Method::Bye, "2 BYE"), target, to);
        let TuEvent::Request(bye) = event(&mut in_dialog).await else { panic!("no BYE") };
        far.handle.respond(bye.txn, Draft::response(&bye.request, 200));

        assert_eq!(status(&mut events).await, 200, "{transport}");
        assert!(far.hears_nothing().await);
        drop(attachment);
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let (near, far) =
        (Node::listening(Transport::Tls).await, Node::listening(Transport::Tls).await);
    let (to, mut events) = sink();

    let target = towards(far.addr(Transport::Tls), Transport::Tls);
    near.handle.request(draft(Method::Options, "one"), target, to);

    assert!(matches!(event(&mut events).await, TuEvent::TransportFailed { .. }));
}

#[tokio::test]
async fn a_connection_that_is_refused_fails_the_request() {
    let near = Node::listening(Transport::Tcp).await;
    let free = std::net::TcpListener::bind(any_port()).unwrap().local_addr().unwrap();
    let (to, mut events) = sink();

    let txn = near.handle.request(draft(Method::Options, "one"), towards(free, Transport::Tcp), to);

    match event(&mut events).await {
        TuEvent::TransportFailed { txn: failed, .. } => assert_eq!(failed, txn),
        other => panic!("{other:?}"),
    }
    assert_eq!(near.handle.stats().transactions, 0);
}

#[tokio::test]
async fn a_closed_flow_fails_at_once() {
    let (near, mut far) = pair(Transport::Tcp).await;
    let (to, mut events) = sink();
    let target = towards(far.addr(Transport::Tcp), Transport::Tcp);
    near.handle.request(draft(Method::Options, "one"), target, to.clone());
    let got = far.next().await;
    far.answer(&got, 200, "far");
    assert_eq!(status(&mut events).await, 200);

    far.handle.close(got.flow);
    let back = Target { flow: Some(got.flow), ..towards(any_port(), Transport::Tcp) };
    far.handle.request(draft(Method::Notify, "back"), back, to);

    assert!(matches!(event(&mut events).await, TuEvent::TransportFailed { .. }));
}

#[tokio::test]
async fn a_burst_to_one_peer_shares_one_connection() {
    let (near, mut far) = pair(Transport::Tcp).await;
    let (to, _events) = sink();
    for number in 0..20 {
        let target = towards(far.addr(Transport::Tcp), Transport::Tcp);
        near.handle.request(draft(Method::Options, &format!("c{number}")), target, to.clone());
    }
    for _ in 0..20 {
        far.next().await;
    }
    assert_eq!(far.handle.stats().connections, 1);
}

/// RFC 3261 18.1.1.
#[tokio::test]
async fn a_long_request_goes_over_tcp_if_the_peer_has_it() {
    // The same port for both, as a peer that keeps the rule has it.
    let mut far = loop {
        let first = Node::listening(Transport::Udp).await;
        let mut both = config(&[Transport::Udp, Transport::Tcp]);
        let port = first.addr(Transport::Udp).port();
        first.handle.stop();
        drop(first);
        tokio::time::sleep(Duration::from_millis(20)).await;
        for listener in &mut both.listeners {
            listener.bind.set_port(port);
        }
        if let Ok((handle, inbound)) = start(both).await {
            break Node { handle, inbound };
        }
    };
    let near = Node::start(config(&[Transport::Udp, Transport::Tcp])).await;
    let (to, mut events) = sink();
    let long = draft(Method::Message, "long").with_body("text/plain", vec![b'x'; 2_000]);

    near.handle.request(long, towards(far.addr(Transport::Udp), Transport::Udp), to);
    let got = far.next().await;
    far.answer(&got, 200, "far");

    assert_eq!(got.transport, Transport::Tcp);
    assert_eq!(got.request.body().len(), 2_000);
    assert_eq!(status(&mut events).await, 200);
}

#[tokio::test]
async fn a_long_request_stays_on_udp_if_the_peer_has_no_tcp() {
    let near = Node::start(config(&[Transport::Udp, Transport::Tcp])).await;
    let mut far = Node::listening(Transport::Udp).await;
    let (to, _events) = sink();
    let long = draft(Method::Message, "long").with_body("text/plain", vec![b'x'; 9_000]);

    near.handle.request(long, towards(far.addr(Transport::Udp), Transport::Udp), to);
    let got = far.next().await;

    assert_eq!(got.transport, Transport::Udp);
    assert_eq!(got.request.body().len(), 9_000);
    assert_eq!(got.request.headers(Name::Via).count(), 1);
}
