//! Floods and bans.

use std::time::Instant;

use super::*;
use crate::net::guard::{Guard, Verdict};

fn guard() -> (Guard, Instant) {
    (Guard::new(Limits::default()), Instant::now())
}

fn addr(text: &str) -> IpAddr {
    text.parse().unwrap()
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn thirty_requests_are_heard_and_the_next_one_bans() {
    let (mut guard, now) = guard();
    let source = addr("192.0.2.1");
    for _ in 0..30 {
        assert_eq!(guard.count(source, now), Verdict::Heard);
    }
    assert_eq!(guard.count(source, now), Verdict::Banned);
    assert!(guard.is_banned(source, now + secs(299)));
    assert!(!guard.is_banned(source, now + secs(300)));
    assert!(!guard.is_banned(addr("192.0.2.2"), now));
}

#[test]
fn a_steady_peer_below_the_rate_is_always_heard() {
    let (mut guard, mut now) = guard();
    for _ in 0..10_000 {
        now += Duration::from_millis(70);
        assert_eq!(guard.count(addr("192.0.2.1"), now), Verdict::Heard);
    }
}

#[test]
fn each_ban_is_twice_as_long_up_to_a_day() {
    let (mut guard, mut now) = guard();
    let source = addr("192.0.2.1");
    let mut lengths = Vec::new();
    for _ in 0..11 {
        guard.ban(source, now);
        let ban = guard.bans(now).remove(0);
        lengths.push(ban.remaining.as_secs() / 60);
        now += ban.remaining;
    }
    assert_eq!(lengths, [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 1_440, 1_440]);
}

#[test]
fn a_pardon_ends_a_ban() {
    let (mut guard, now) = guard();
    guard.ban(addr("192.0.2.1"), now);
    guard.pardon(addr("192.0.2.1"));
    assert!(!guard.is_banned(addr("192.0.2.1"), now));
    assert!(guard.bans(now).is_empty());
}

#[test]
fn a_mapped_address_and_a_whole_64_are_one_source() {
    let (mut guard, now) = guard();
    guard.ban(addr("192.0.2.1"), now);
    guard.ban(addr("2001:db8:1:2::1"), now);
    assert!(guard.is_banned(addr("::ffff:192.0.2.1"), now));
    assert!(guard.is_banned(addr("2001:db8:1:2:ffff::9"), now));
    assert!(!guard.is_banned(addr("2001:db8:1:3::1"), now));
}

#[test]
fn a_proven_source_may_send_more_and_is_shed_but_never_banned() {
    let (mut guard, now) = guard();
    let source = addr("192.0.2.1");
    guard.prove(source, now);
    let heard = (0..1_000).filter(|_| guard.count(source, now) == Verdict::Heard).count();
    assert_eq!(heard, 600);
    assert_eq!(guard.count(source, now), Verdict::Shed);
    assert!(!guard.is_banned(source, now));
}

#[test]
fn an_allowed_source_is_never_limited() {
    let (mut guard, now) = guard();
    guard.set_allowed(vec!["198.51.100.0/24".parse().unwrap()]);
    for _ in 0..1_000 {
        assert_eq!(guard.count(addr("198.51.100.77"), now), Verdict::Heard);
    }
}

#[test]
fn wrong_passwords_use_the_bucket_up_sooner() {
    let (mut guard, now) = guard();
    let source = addr("192.0.2.1");
    let tries = (0..100)
        .position(|_| guard.report(source, Offence::BadCredentials, now) == Verdict::Banned);
    assert_eq!(tries, Some(10));
}

#[test]
fn the_table_forgets_whom_it_has_not_seen_longest() {
    let limits = Limits { sources: 3, ..Limits::default() };
    let (mut guard, now) = (Guard::new(limits), Instant::now());
    for last in 1..=3 {
        guard.ban(addr(&format!("192.0.2.{last}")), now);
    }
    guard.count(addr("192.0.2.1"), now);
    guard.count(addr("192.0.2.9"), now);

    assert!(guard.is_banned(addr("192.0.2.1"), now));
    assert!(!guard.is_banned(addr("192.0.2.2"), now));
    assert!(guard.is_banned(addr("192.0.2.3"), now));
}

#[test]
fn prefixes_are_read_and_matched() {
    let prefix: Prefix = "10.0.0.0/8".parse().unwrap();
    assert!(prefix.contains(addr("10.255.1.1")) && !prefix.contains(addr("11.0.0.1")));
    let all: Prefix = "0.0.0.0/0".parse().unwrap();
    assert!(all.contains(addr("203.0.113.9")) && !all.contains(addr("::1")));
    let one: Prefix = "2001:db8::1".parse().unwrap();
    assert!(one.contains(addr("2001:db8::1")) && !one.contains(addr("2001:db8::2")));
    for wrong in ["", "10.0.0.0/33", "x/8", "10.0.0.0/-1", "10.0.0.0/"] {
        assert!(wrong.parse::<Prefix>().is_err(), "{wrong}");
    }
}

async fn strict() -> Node {
    let mut config = config(&[Transport::Udp]);
    config.limits.exempt_loopback = false;
    Node::start(config).await
}

#[tokio::test]
async fn a_flood_is_banned_and_not_answered_any_more() {
    let mut node = strict().await;
    let phone = Phone::new(node.addr(Transport::Udp)).await;
    for call in 0..40 {
        phone.send(phone.request("REGISTER", &format!("c{call}"))).await;
    }
    for _ in 0..30 {
        node.next().await;
    }

    assert!(node.hears_nothing().await);
    let bans = node.handle.bans();
    assert_eq!(bans.len(), 1);
    assert_eq!(bans[0].source, LOCALHOST);
    assert!(phone.hears_nothing().await);
    assert!(node.handle.stats().banned >= 9);

    node.handle.pardon(LOCALHOST);
    phone.send(phone.request("REGISTER", "again")).await;
    node.next().await;
}

#[tokio::test]
async fn a_dialog_of_an_unknown_peer_is_not_counted() {
    let node = strict().await;
    let phone = Phone::new(node.addr(Transport::Udp)).await;
    let (to, mut events) = sink();
    let _attachment = node.handle.attach("a", "far", to);
    for number in 0..60 {
        let raw =
            phone.request("INFO", "a").replace("To: <sip:bob@127.0.0.1>", "To: <sip:b@c>;tag=far");
        phone.send(raw.replace("z9hG4bK", &format!("z9hG4bK{number}"))).await;
        assert!(matches!(event(&mut events).await, TuEvent::Request(_)));
    }
    assert!(node.handle.bans().is_empty());
}

/// S21.
#[tokio::test]
async fn a_stateless_answer_is_never_much_longer_than_the_request() {
    let node = strict().await;
    let phone = Phone::new(node.addr(Transport::Udp)).await;
    for raw in [
        phone.request("BYE", "a"),
        phone.request("STRANGE", "b"),
        phone.request("INVITE", "c").replace("Max-Forwards: 70", "Max-Forwards: 0"),
    ] {
        phone.send(&raw).await;
        let answer = phone.receive().await;
        assert!(answer.raw().len() * 2 <= raw.len() * 3, "{answer:?}");
    }
}

#[tokio::test]
async fn a_refusal_for_a_stranger_is_without_ornament() {
    let mut node = strict().await;
    let phone = Phone::new(node.addr(Transport::Udp)).await;
    for (call, proven) in [("a", false), ("b", true)] {
        phone.send(phone.request("REGISTER", call)).await;
        let got = node.next().await;
        if proven {
            node.handle.prove(got.flow);
        }
        let mut draft = Draft::response(&got.request, 401).with(Name::Allow, "X".repeat(400));
        draft.set_to_tag("far");
        node.handle.respond(got.txn, draft);

        let answer = phone.receive().await;
        assert_eq!(answer.header(Name::Server).is_some(), proven);
        assert_eq!(answer.header(Name::Allow).is_some(), proven);
    }
}
