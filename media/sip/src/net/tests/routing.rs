//! Who gets what: dialogs, CANCEL, and what nobody wants.

use super::*;

async fn phone() -> (Node, Phone) {
    let node = Node::listening(Transport::Udp).await;
    let phone = Phone::new(node.addr(Transport::Udp)).await;
    (node, phone)
}

fn within(raw: &str, tag: &str) -> String {
    raw.replace("To: <sip:bob@127.0.0.1>", &format!("To: <sip:bob@127.0.0.1>;tag={tag}"))
}

#[tokio::test]
async fn a_request_in_an_unknown_dialog_gets_a_481_and_an_ack_nothing() {
    let (mut node, phone) = phone().await;

    phone.send(within(&phone.request("BYE", "a"), "gone")).await;
    assert_eq!(phone.receive().await.status(), Some(481));
    phone.send(within(&phone.request("ACK", "a"), "gone")).await;

    assert!(phone.hears_nothing().await);
    assert!(node.hears_nothing().await);
    assert_eq!(node.handle.stats().transactions, 0);
}

#[tokio::test]
async fn a_request_goes_to_the_dialog_of_its_tag() {
    let (node, phone) = phone().await;
    let (first, mut to_first) = sink();
    let (second, mut to_second) = sink();
    let _one = node.handle.attach("a", "one", first);
    let _two = node.handle.attach("a", "two", second);

    phone.send(within(&phone.request("INFO", "a"), "two")).await;

    let TuEvent::Request(info) = event(&mut to_second).await else { panic!("no request") };
    assert_eq!(info.request.to_tag(), Some("two"));
    assert!(to_first.try_recv().is_err());
}

#[tokio::test]
async fn a_dropped_attachment_gets_nothing_more() {
    let (node, phone) = phone().await;
    let (to, mut events) = sink();
    drop(node.handle.attach("a", "one", to));

    phone.send(within(&phone.request("BYE", "a"), "one")).await;

    assert_eq!(phone.receive().await.status(), Some(481));
    assert!(events.try_recv().is_err());
}

#[tokio::test]
async fn a_cancel_reaches_the_user_who_took_the_call() {
    let (mut node, phone) = phone().await;
    phone.send(phone.request("INVITE", "a")).await;
    let invite = node.next().await;
    let (to, mut events) = sink();
    let _attachment = node.handle.attach("a", "far", to);
    node.answer(&invite, 180, "far");
    assert_eq!(phone.receive().await.status(), Some(180));

    let cancel = phone.request("CANCEL", "a").replace("z9hG4bK-a-CANCEL", "z9hG4bK-a-INVITE");
    phone.send(&cancel).await;

    assert_eq!(phone.receive().await.status(), Some(200));
    match event(&mut events).await {
        TuEvent::Cancelled { invite: txn, cancel } => {
            assert_eq!(txn, invite.txn);
            assert_eq!(cancel.method(), Some(Method::Cancel));
        }
        other => panic!("{other:?}"),
    }
    node.answer(&invite, 487, "far");
    assert_eq!(phone.receive().await.status(), Some(487));
}

#[tokio::test]
async fn a_cancel_that_comes_before_anybody_took_the_call_is_kept() {
    let (mut node, phone) = phone().await;
    phone.send(phone.request("INVITE", "a")).await;
    let invite = node.next().await;
    phone.send(phone.request("CANCEL", "a").replace("a-CANCEL", "a-INVITE")).await;
    assert_eq!(phone.receive().await.status(), Some(200));

    let (to, mut events) = sink();
    let _attachment = node.handle.attach("a", "far", to);

    let cancelled = event(&mut events).await;
    assert!(matches!(cancelled, TuEvent::Cancelled { invite: txn, .. } if txn == invite.txn));
}

#[tokio::test]
async fn a_cancel_of_nothing_gets_a_481() {
    let (_node, phone) = phone().await;
    phone.send(phone.request("CANCEL", "a")).await;
    assert_eq!(phone.receive().await.status(), Some(481));
}

#[tokio::test]
async fn a_cancel_of_ours_follows_the_invite() {
    let near = Node::listening(Transport::Udp).await;
    let mut far = Node::listening(Transport::Udp).await;
    let target = towards(far.addr(Transport::Udp), Transport::Udp);
    let (to, mut events) = sink();
    near.handle.request(draft(Method::Invite, "call"), target.clone(), to);
    let invite = far.next().await;
    let (dialog, mut in_dialog) = sink();
    let _attachment = far.handle.attach("call", "far", dialog);
    far.answer(&invite, 180, "far");
    assert_eq!(status(&mut events).await, 180);

    let (to, mut cancelled) = sink();
    near.handle.request(draft(Method::Cancel, "call"), target, to);

    assert_eq!(status(&mut cancelled).await, 200);
    assert!(matches!(event(&mut in_dialog).await, TuEvent::Cancelled { .. }));
    far.answer(&invite, 487, "far");
    assert_eq!(status(&mut events).await, 487);
}

#[tokio::test]
async fn a_cancel_of_ours_without_an_invite_fails() {
    let near = Node::listening(Transport::Udp).await;
    let (to, mut events) = sink();
    let target = towards("127.0.0.1:9".parse().unwrap(), Transport::Udp);

    near.handle.request(draft(Method::Cancel, "call"), target, to);

    assert!(matches!(event(&mut events).await, TuEvent::TransportFailed { .. }));
}

#[tokio::test]
async fn the_last_hop_is_483_but_an_options_may_ask_this_one() {
    let (mut node, phone) = phone().await;
    let last = |raw: String| raw.replace("Max-Forwards: 70", "Max-Forwards: 0");

    phone.send(last(phone.request("INVITE", "a"))).await;
    assert_eq!(phone.receive().await.status(), Some(483));
    phone.send(last(phone.request("OPTIONS", "b"))).await;

    assert_eq!(node.next().await.request.method(), Some(Method::Options));
}

#[tokio::test]
async fn an_invite_of_ours_that_comes_round_on_its_last_hop_is_483() {
    let mut node = Node::listening(Transport::Udp).await;
    let (to, mut events) = sink();
    let last = draft(Method::Invite, "round").with(Name::MaxForwards, "0");

    node.handle.request(last, towards(node.addr(Transport::Udp), Transport::Udp), to);

    assert_eq!(status(&mut events).await, 483);
    assert!(node.hears_nothing().await);
}

#[tokio::test]
async fn an_unknown_method_is_501_with_what_is_allowed() {
    let (mut node, phone) = phone().await;
    phone.send(phone.request("NEWMETHOD", "a")).await;

    let answer = phone.receive().await;

    assert_eq!(answer.status(), Some(501));
    assert!(answer.headers(Name::Allow).any(|allowed| allowed.contains("INVITE")));
    assert!(node.hears_nothing().await);
}

#[tokio::test]
async fn the_same_request_by_two_paths_is_482() {
    let (mut node, phone) = phone().await;
    phone.send(phone.request("INVITE", "a")).await;
    let first = node.next().await;
    node.answer(&first, 180, "far");
    assert_eq!(phone.receive().await.status(), Some(180));

    phone.send(phone.request("INVITE", "a").replace("z9hG4bK-a", "z9hG4bK-b")).await;

    assert_eq!(phone.receive().await.status(), Some(482));
    assert!(node.hears_nothing().await);
}

#[tokio::test]
async fn what_the_user_does_not_take_is_503_while_dialogs_go_on() {
    let mut small = config(&[Transport::Udp]);
    small.limits.inbound = 2;
    let node = Node::start(small).await;
    let phone = Phone::new(node.addr(Transport::Udp)).await;
    let (to, mut events) = sink();
    let _attachment = node.handle.attach("known", "far", to);
    for call in ["a", "b", "c"] {
        phone.send(phone.request("OPTIONS", call)).await;
    }

    let answer = phone.receive().await;
    assert_eq!(answer.status(), Some(503));
    assert_eq!(answer.call_id(), "c");
    assert_eq!(answer.header(Name::RetryAfter), Some("5"));

    phone.send(within(&phone.request("BYE", "known"), "far")).await;
    assert!(matches!(event(&mut events).await, TuEvent::Request(_)));
    let stats = node.handle.stats();
    assert_eq!(stats.overloaded, 1);
    assert_eq!(stats.transactions, 3);
}

#[tokio::test]
async fn a_refusal_that_is_never_acknowledged_is_told_to_the_user() {
    let mut quick = config(&[Transport::Udp]);
    quick.timers.t1 = Duration::from_millis(5);
    quick.timers.t2 = Duration::from_millis(40);
    let mut node = Node::start(quick).await;
    let phone = Phone::new(node.addr(Transport::Udp)).await;
    phone.send(phone.request("INVITE", "a")).await;
    let invite = node.next().await;
    let (to, mut events) = sink();
    let _attachment = node.handle.attach("a", "far", to);

    node.answer(&invite, 486, "far");

    let gone = event(&mut events).await;
    assert!(matches!(gone, TuEvent::ServerGone { txn } if txn == invite.txn));
    assert!(node.handle.stats().retransmissions_sent >= 5);
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_a_timeout() {
    let mut quick = config(&[Transport::Udp]);
    quick.timers.t1 = Duration::from_millis(5);
    let node = Node::start(quick).await;
    let silent = Phone::new(node.addr(Transport::Udp)).await;
    let target = towards(SocketAddr::new(LOCALHOST, silent.port()), Transport::Udp);
    let (to, mut events) = sink();

    let txn = node.handle.request(draft(Method::Options, "a"), target, to);

    let timeout = event(&mut events).await;
    assert!(matches!(timeout, TuEvent::Timeout { txn: late } if late == txn));
}
