//! Datagrams: what a phone sees, written by hand.

use super::*;

#[tokio::test]
async fn an_answer_goes_to_the_port_that_asked_with_rport() {
    let mut node = Node::listening(Transport::Udp).await;
    let phone = Phone::new(node.addr(Transport::Udp)).await;
    // A NAT: the phone believes in another address.
    phone.send(raw_request("OPTIONS", "a", "10.9.9.9:5060", "UDP")).await;
    let got = node.next().await;
    node.answer(&got, 200, "far");

    let answer = phone.receive().await;

    let via = answer.header(Name::Via).unwrap();
    assert!(via.contains(&format!("rport={}", phone.port())), "{via}");
    assert!(via.contains("received=127.0.0.1"), "{via}");
    assert_eq!(answer.status(), Some(200));
}

#[tokio::test]
async fn without_rport_the_answer_goes_to_the_port_of_the_via() {
    let mut node = Node::listening(Transport::Udp).await;
    let addr = node.addr(Transport::Udp);
    let (asker, listener) = (Phone::new(addr).await, Phone::new(addr).await);
    asker.send(listener.request("OPTIONS", "a").replace(";rport", "")).await;
    let got = node.next().await;
    node.answer(&got, 200, "far");

    assert_eq!(listener.receive().await.status(), Some(200));
    assert!(asker.hears_nothing().await);
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_answer_and_reaches_no_user() {
    let mut node = Node::listening(Transport::Udp).await;
    let phone = Phone::new(node.addr(Transport::Udp)).await;
    let raw = phone.request("OPTIONS", "a");
    phone.send(&raw).await;
    let got = node.next().await;
    node.answer(&got, 200, "far");
    let first = phone.receive().await;

    phone.send(&raw).await;
    let second = phone.receive().await;

    assert_eq!(first.raw(), second.raw());
    assert!(node.hears_nothing().await);
    let stats = node.handle.stats();
    assert_eq!(stats.retransmissions_received, 1);
    assert_eq!(stats.retransmissions_sent, 1);
    assert_eq!(counted(&stats.requests_received, "OPTIONS"), 2);
    assert_eq!(stats.responses_sent[1], 2);
}

#[tokio::test]
async fn a_silent_user_makes_a_100() {
    let mut node = Node::listening(Transport::Udp).await;
    let phone = Phone::new(node.addr(Transport::Udp)).await;
    phone.send(phone.request("INVITE", "a")).await;
    node.next().await;

    assert_eq!(phone.receive().await.status(), Some(100));
}

#[tokio::test]
async fn blank_datagrams_are_no_offence() {
    let mut node = Node::listening(Transport::Udp).await;
    let phone = Phone::new(node.addr(Transport::Udp)).await;
    for blank in ["\r\n\r\n", "\0", "\r\n", ""] {
        phone.send(blank).await;
    }
    phone.send(phone.request("OPTIONS", "a")).await;
    node.next().await;

    assert_eq!(node.handle.stats().malformed, 0);
    assert!(phone.hears_nothing().await);
}

/// RFC 5389 15.2; vector made by hand: the address is ours, XORed with the cookie.
#[tokio::test]
async fn a_stun_keep_alive_is_answered_to_known_peers_only() {
    let mut binding = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    binding.extend([7; 12]);
    let node = Node::listening(Transport::Udp).await;
    let phone = Phone::new(node.addr(Transport::Udp)).await;
    phone.send(&binding).await;
    let mut buffer = [0; 64];
    let (length, _) =
        timeout(PATIENCE, phone.socket.recv_from(&mut buffer)).await.unwrap().unwrap();
    assert_eq!(length, 32);
    assert_eq!(buffer[..2], [1, 1]);
    assert_eq!(buffer[8..20], [7; 12]);
    assert_eq!(u16::from_be_bytes([buffer[26], buffer[27]]) ^ 0x2112, phone.port());
    assert_eq!(buffer[28..32], [127 ^ 0x21, 0x12, 0xa4, 1 ^ 0x42]);

    let mut stranger = config(&[Transport::Udp]);
    stranger.limits.exempt_loopback = false;
    let node = Node::start(stranger).await;
    let phone = Phone::new(node.addr(Transport::Udp)).await;
    phone.send(&binding).await;
    assert!(phone.hears_nothing().await);
}

#[tokio::test]
async fn an_advertised_name_stands_in_the_via() {
    let mut named = config(&[Transport::Udp]);
    named.listeners[0].advertised = Some(("sip.example.com".to_owned(), 5070));
    let near = Node::start(named).await;
    let phone = Phone::new(near.addr(Transport::Udp)).await;
    let to = SocketAddr::new(LOCALHOST, phone.port());
    let (events, _) = sink();

    near.handle.request(draft(Method::Options, "one"), towards(to, Transport::Udp), events);

    let via = phone.receive().await.header(Name::Via).unwrap().to_owned();
    assert!(via.starts_with("SIP/2.0/UDP sip.example.com:5070;branch=z9hG4bK"), "{via}");
    let reached = near.handle.reachable_at(Transport::Udp, LOCALHOST);
    assert_eq!(reached.as_deref(), Some("sip.example.com:5070"));
}

#[tokio::test]
async fn an_unspecified_address_is_written_as_the_peer_sees_it() {
    let mut open = config(&[Transport::Udp]);
    open.listeners[0].bind = "0.0.0.0:0".parse().unwrap();
    let mut near = Node::start(open).await;
    let port = near.addr(Transport::Udp).port();
    let phone = Phone::new(SocketAddr::new(LOCALHOST, port)).await;
    phone.send(phone.request("OPTIONS", "a")).await;

    let got = near.next().await;

    assert_eq!(got.local, SocketAddr::new(LOCALHOST, port));
    let reached = near.handle.reachable_at(Transport::Udp, LOCALHOST);
    assert_eq!(reached, Some(format!("127.0.0.1:{port}")));
}

#[tokio::test]
async fn the_tap_sees_every_message_both_ways() {
    let (seen, records) = std::sync::mpsc::channel();
    let mut tapped = config(&[Transport::Udp]);
    let seen = parking_lot::Mutex::new(seen);
    tapped.tap = Some(Arc::new(move |record| {
        let call_id = record.call_id.to_owned();
        let _ = seen.lock().send((record.direction, record.raw.clone(), record.flow, call_id));
    }));
    let mut node = Node::start(tapped).await;
    let phone = Phone::new(node.addr(Transport::Udp)).await;
    phone.send(phone.request("OPTIONS", "tapped")).await;
    let got = node.next().await;
    node.answer(&got, 200, "far");
    let answer = phone.receive().await;

    let records: Vec<_> = records.try_iter().collect();

    assert_eq!(records.len(), 2);
    assert_eq!(records[0].0, Direction::Received);
    assert_eq!(&records[0].1, got.request.raw());
    assert_eq!(records[1].0, Direction::Sent);
    assert_eq!(&records[1].1, answer.raw());
    assert!(records.iter().all(|(_, _, flow, call)| call == "tapped" && *flow == got.flow));
}
