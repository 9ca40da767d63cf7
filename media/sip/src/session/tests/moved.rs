//! A peer that is found by another path while something is under way.

use super::*;

/// A world in which what A sends is lost from now on, after it has offered.
fn offering() -> World {
    let mut world = World::speaking();
    world.forget();
    world.sieve = Box::new(|end, _| end == B);
    world.ok(A, Command::Offer { sdp: sdp("moved") });
    world.run(millis(100));
    world
}

fn ask_anew(world: &mut World, end: usize) {
    let now = world.now;
    let effects = world.session(end).ask_anew(now);
    world.act(end, effects);
}

#[test]
fn an_offer_that_was_lost_is_sent_anew_and_the_first_one_is_forgotten() {
    let mut world = offering();
    let first = world.last(A, "INVITE").cseq().unwrap().0;

    world.sieve = Box::new(move |_, it| it.cseq().is_ok_and(|(cseq, _)| cseq != first));
    ask_anew(&mut world, A);
    world.run(millis(100));

    assert_eq!(world.last(A, "INVITE").cseq().unwrap().0, first + 1);
    assert_eq!(world.events(B), [Event::Offered { sdp: Some(sdp("moved")) }]);
    world.ok(B, Command::AnswerOffer { sdp: sdp("fine") });
    // Longer than the first one waits for an answer.
    world.run(Duration::from_secs(40));
    assert_eq!(world.events(A), [Event::OfferAnswered { sdp: sdp("fine") }]);
    assert!(world.session(A).is_up() && world.session(B).is_up());
}

#[test]
fn a_late_answer_to_the_first_offer_is_acknowledged_and_changes_nothing() {
    let mut world = World::speaking();
    world.forget();
    world.ok(A, Command::Offer { sdp: sdp("moved") });
    world.run(DELAY + millis(1));
    let first = world.last(A, "INVITE").cseq().unwrap().0;
    assert_eq!(world.events(B), [Event::Offered { sdp: Some(sdp("moved")) }]);

    // The answer and the second offer meet on their way.
    world.ok(B, Command::AnswerOffer { sdp: sdp("fine") });
    ask_anew(&mut world, A);
    world.run(Duration::from_secs(4));

    let acks = world.messages.iter().filter(|(end, it)| {
        let is_first = it.cseq().is_ok_and(|(cseq, _)| cseq == first);
        *end == A && it.method() == Some(Method::Ack) && is_first
    });
    assert!(acks.count() > 0, "the first answer has its ACK");
    assert!(world.session(A).is_up() && world.session(B).is_up());
}

#[test]
fn a_bye_that_was_lost_is_sent_anew() {
    let mut world = World::speaking();
    world.sieve = Box::new(|_, _| false);
    world.hang_up(A);
    world.run(millis(700));

    world.sieve = Box::new(|_, _| true);
    ask_anew(&mut world, A);
    world.run(millis(100));

    assert!(world.is_closed(A) && world.is_closed(B));
}

#[test]
fn nothing_is_sent_anew_where_all_is_answered_or_nobody_has_answered_yet() {
    let mut speaking = World::speaking();
    let now = speaking.now;
    assert_eq!(speaking.session(A).ask_anew(now).len(), 0);

    let mut called = World::called();
    let now = called.now;
    assert_eq!(called.session(A).ask_anew(now).len(), 0);
}

#[test]
fn a_peer_is_told_by_which_contact_it_finds_us() {
    let mut world = World::speaking();
    world.forget();
    let flow = FlowId::datagram(0, address(B));
    assert_eq!(world.session(A).flow(), None);
    world.session(A).pin(flow, "sip:member-1@192.0.2.1:5060");
    assert_eq!(world.session(A).flow(), Some(flow));

    let now = world.now;
    let effects = world.session(A).refresh_contact(now);
    world.act(A, effects);
    world.run(millis(100));
    world.hang_up(B);
    world.run(millis(100));

    let bye = world.last(B, "BYE");
    assert_eq!(bye.uri(), Some("sip:member-1@192.0.2.1:5060"));
    assert!(world.is_closed(A) && world.is_closed(B));
}

#[test]
fn timers_that_the_owner_lost_ring_when_they_would_have_rung() {
    let mut world = World::speaking();
    let to = "sip:carol@example.com".to_owned();
    world.ok(A, Command::Refer { to, replaces: None, referred_by: None });
    world.run(secs(1));
    world.events(A);
    let before = world.ends[A].timers.clone();

    world.ends[A].timers.clear();
    let now = world.now;
    let effects = world.session(A).rearm(now);
    world.act(A, effects);

    let armed = &world.ends[A].timers;
    assert!(!armed.is_empty() && armed.iter().all(|it| before.contains(it)), "{armed:?}");
}
