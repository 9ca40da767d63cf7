//! The session timer, both roles (RFC 4028).

use super::*;

fn world(caller: Identity, callee: Identity) -> World {
    let mut world = World::new();
    world.ends[A].identity = caller;
    world.ends[B].identity = callee;
    world.dial(dial());
    world.run(DELAY * 2);
    world.answer();
    world
}

fn every(end: usize, seconds: u64) -> Identity {
    Identity { session_expires: Some(secs(seconds)), ..identity(end) }
}

#[test]
fn the_caller_refreshes_at_half_of_the_interval() {
    let mut world = world(every(A, 1800), every(B, 600));
    let answer = world.last(B, "200 INVITE");
    assert_eq!(answer.header(Name::SessionExpires), Some("600;refresher=uac"));
    assert!(answer.lists(Name::Require, "timer"));

    world.run(secs(299));
    assert_eq!(world.count(A, "UPDATE"), 0);
    world.run(secs(2));
    assert_eq!(world.count(A, "UPDATE"), 1);
    let update = world.last(A, "UPDATE");
    assert_eq!(update.header(Name::SessionExpires), Some("600;refresher=uac"));
    assert!(update.body().is_empty());

    world.run(secs(3600));
    assert_eq!(world.count(A, "UPDATE"), 13);
    assert!(world.session(A).is_up() && world.session(B).is_up());
}

#[test]
fn the_callee_refreshes_for_a_caller_that_does_not_know_how() {
    let inbound = bench::invite(&[(Name::Allow, "INVITE, ACK, BYE")], "v=0");
    let now = Instant::now();
    let (mut session, _) =
        Session::incoming(now, &inbound, &every(B, 600), "b-tag".to_owned()).unwrap();
    let answer = Command::Answer { answer: sdp("ours"), headers: Vec::new() };
    let effects = session.step(now, Input::Command(answer)).unwrap();
    let draft = bench::answer(&effects);
    assert_eq!(draft.header(Name::SessionExpires), Some("600;refresher=uas"));
    assert_eq!(draft.header(Name::Require), None);

    // It does not know UPDATE either: the description is sent again.
    let ack = Draft::request(Method::Ack, "sip:x").with(Name::CSeq, "7 ACK");
    let ack = Message::parse(ack.encode()).unwrap();
    session.step(now, Input::Wire(TuEvent::Ack(ack))).unwrap();
    let due = effects.iter().find_map(|effect| match effect {
        Effect::Arm { timer, after } if *after == secs(300) => Some(*timer),
        _ => None,
    });
    let effects = session.step(now + secs(300), Input::Timer(due.unwrap())).unwrap();
    let Some(Effect::Request { draft, .. }) = effects.first() else { panic!("{effects:?}") };
    assert_eq!(draft.method(), Some(&Method::Invite));
    assert_eq!(draft.body(), &sdp("ours"));
    assert_eq!(draft.header(Name::SessionExpires), Some("600;refresher=uac"));
}

#[test]
fn a_session_that_is_not_refreshed_ends_on_both_sides() {
    let mut world = world(every(A, 600), every(B, 600));
    world.sieve = Box::new(|_, _| false);

    world.run(secs(299));
    assert!(world.session(A).is_up() && world.session(B).is_up());
    world.run(secs(400));

    // The refresher gets no answer; the other side's time runs out.
    assert_eq!(world.cause(A).by, Party::Timeout);
    let cause = world.cause(B);
    assert_eq!((cause.by, cause.status), (Party::Timeout, Some(408)));
    assert!(world.is_closed(A) && world.is_closed(B));
}

#[test]
fn the_side_that_only_waits_ends_a_little_before_the_interval() {
    let mut world = world(every(A, 600), every(B, 600));
    world.ends[A].timers.clear();

    world.run(secs(567));
    assert_eq!(world.count(B, "BYE"), 0);
    world.run(secs(2));
    assert_eq!(world.count(B, "BYE"), 1);
    let bye = world.last(B, "BYE");
    assert!(bye.header(Name::Reason).unwrap().starts_with("SIP;cause=408"));
}

#[test]
fn a_reinvite_refreshes_as_well() {
    let mut world = world(every(A, 600), every(B, 600));
    world.run(secs(290));
    world.ok(A, Command::Offer { sdp: sdp("hold") });
    world.run(millis(100));
    world.ok(B, Command::AnswerOffer { sdp: sdp("held") });
    world.run(secs(200));
    assert_eq!(world.count(A, "UPDATE"), 0);
    world.run(secs(110));
    assert_eq!(world.count(A, "UPDATE"), 1);
}

#[test]
fn without_anybodys_wish_there_is_no_timer() {
    let none = |end| Identity { session_expires: None, ..identity(end) };
    let mut world = world(none(A), none(B));
    assert_eq!(world.last(B, "200 INVITE").header(Name::SessionExpires), None);
    world.run(secs(100_000));
    assert!(world.session(A).is_up() && world.session(B).is_up());
    assert_eq!(world.count(A, "UPDATE") + world.count(B, "UPDATE"), 0);
}

#[test]
fn a_refresh_with_too_short_an_interval_is_refused() {
    let mut world = world(every(A, 600), every(B, 600));
    let update = bench::draft_of_a(&mut world, Method::Update, 2)
        .with(Name::Supported, "timer")
        .with(Name::SessionExpires, "30");
    world.deliver(B, update.encode());
    assert_eq!(world.last(B, "422 UPDATE").header(Name::MinSe), Some("90"));
}
