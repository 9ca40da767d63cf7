//! Provisional answers that are acknowledged (RFC 3262), and UPDATE before the answer.

use super::*;

fn reliable_world(dial: Dial) -> World {
    let mut world = World::new();
    world.ends[A].identity.reliable = true;
    world.ends[B].identity.reliable = true;
    world.dial(dial);
    world.run(DELAY * 2);
    world
}

#[test]
fn early_media_is_acknowledged_and_settles_the_exchange() {
    let mut world = reliable_world(dial());
    world.ok(B, Command::Progress { answer: sdp("early") });
    world.run(millis(200));
    assert_eq!(world.events(A), [Event::EarlyMedia { answer: sdp("early") }]);
    assert_eq!((world.count(A, "PRACK"), world.count(B, "200 PRACK")), (1, 1));
    world.run(secs(10));
    assert_eq!(world.count(B, "183 INVITE"), 1);

    world.answer();

    assert!(world.last(B, "200 INVITE").body().is_empty());
    let answered = Event::Answered { sdp: Some(sdp("early")) };
    assert_eq!(world.events(A), [answered, Event::Confirmed]);
}

#[test]
fn a_lost_provisional_answer_is_repeated_until_its_prack() {
    let mut world = reliable_world(dial());
    let mut seen = 0;
    world.sieve = Box::new(move |_, message| {
        seen += usize::from(message.status() == Some(180));
        message.status() != Some(180) || seen > 2
    });

    world.ok(B, Command::Ring { headers: Vec::new() });
    world.run(secs(10));

    assert_eq!(world.count(B, "180 INVITE"), 3);
    assert_eq!(world.count(A, "PRACK"), 1);
    assert_eq!(world.events(A), [Event::Ringing { status: 180 }]);
}

#[test]
fn provisional_answers_wait_for_each_other_and_count_up() {
    let mut world = reliable_world(dial());
    world.ok(B, Command::Ring { headers: Vec::new() });
    world.ok(B, Command::Progress { answer: sdp("early") });
    assert_eq!(world.count(B, "183 INVITE"), 0);

    world.run(millis(200));

    let first = world.last(B, "180 INVITE").number(Name::RSeq).unwrap();
    assert_eq!(world.last(B, "183 INVITE").number(Name::RSeq), Some(first + 1));
    assert_eq!(world.count(A, "PRACK"), 2);
}

#[test]
fn the_answer_waits_for_the_prack_of_a_description() {
    let mut world = reliable_world(dial());
    world.ok(B, Command::Progress { answer: sdp("early") });
    world.ok(B, Command::Answer { answer: sdp("early"), headers: Vec::new() });
    assert_eq!(world.count(B, "200 INVITE"), 0);

    world.run(millis(200));

    assert_eq!(world.count(B, "200 INVITE"), 1);
    assert_eq!(world.events(B), [Event::Confirmed]);
}

#[test]
fn without_a_prack_the_invite_is_refused() {
    let mut world = reliable_world(dial());
    world.sieve = Box::new(|_, message| message.method() != Some(Method::Prack));

    world.ok(B, Command::Ring { headers: Vec::new() });
    world.run(secs(40));

    assert_eq!(world.cause(B).status, Some(504));
    assert_eq!(world.cause(A).status, Some(504));
    assert!(world.is_closed(A) && world.is_closed(B));
}

#[test]
fn a_prack_of_nothing_is_refused() {
    let mut world = reliable_world(dial());
    world.ok(B, Command::Ring { headers: Vec::new() });
    let prack = bench::draft_of_a(&mut world, Method::Prack, 2).with(Name::RAck, "1 1 INVITE");
    world.deliver(B, prack.encode());
    assert_eq!(world.count(B, "481 PRACK"), 1);
}

#[test]
fn a_callee_that_is_not_asked_for_reliability_sends_plain_answers() {
    let mut world = World::new();
    world.ends[B].identity.reliable = true;
    world.dial(dial());
    world.run(DELAY * 2);
    world.ok(B, Command::Ring { headers: Vec::new() });
    world.run(millis(100));
    assert_eq!(world.last(B, "180 INVITE").header(Name::RSeq), None);
    assert_eq!(world.count(A, "PRACK"), 0);
}

#[test]
fn a_caller_that_requires_reliability_gets_it() {
    let headers = vec![(Name::Require, "100rel".to_owned())];
    let mut world = World::called_with(Dial { headers, ..dial() });
    world.ok(B, Command::Ring { headers: Vec::new() });
    world.run(millis(100));
    assert!(world.last(B, "180 INVITE").header(Name::RSeq).is_some());
    assert_eq!(world.count(B, "200 PRACK"), 1);
}

#[test]
fn an_offer_in_a_reliable_answer_is_answered_in_the_prack() {
    let mut world = reliable_world(Dial { offer: None, ..dial() });
    world.ok(B, Command::Progress { answer: sdp("offer-b") });
    world.run(millis(100));
    let events = world.events(A);
    assert!(events.contains(&Event::Offered { sdp: Some(sdp("offer-b")) }), "{events:?}");
    assert_eq!(world.count(A, "PRACK"), 0);

    world.ok(A, Command::AnswerOffer { sdp: sdp("answer-a") });
    world.run(millis(100));
    assert_eq!(world.events(B), [Event::OfferAnswered { sdp: sdp("answer-a") }]);
    world.ok(B, Command::Answer { answer: sdp("offer-b"), headers: Vec::new() });
    world.run(millis(100));

    assert_eq!(world.count(A, "ACK"), 1);
    assert_eq!(world.events(A), [Event::Answered { sdp: None }, Event::Confirmed]);
}

#[test]
fn early_media_without_an_offer_takes_reliability() {
    let mut world = World::called_with(Dial { offer: None, ..dial() });
    let progress = Command::Progress { answer: sdp("offer-b") };
    assert_eq!(world.command(B, progress), Err(Refused::Unsupported));
}

#[test]
fn the_callee_may_offer_again_by_update_before_it_answers() {
    let mut world = reliable_world(dial());
    assert_eq!(world.command(B, Command::Offer { sdp: sdp("x") }), Err(Refused::NotNow));
    world.ok(B, Command::Progress { answer: sdp("early") });
    world.run(millis(200));
    world.forget();

    world.ok(B, Command::Offer { sdp: sdp("moved") });
    world.run(millis(100));
    assert_eq!(world.events(A), [Event::Offered { sdp: Some(sdp("moved")) }]);
    world.ok(A, Command::AnswerOffer { sdp: sdp("fine") });
    world.run(millis(100));

    assert_eq!(world.events(B), [Event::OfferAnswered { sdp: sdp("fine") }]);
    assert_eq!(world.count(B, "UPDATE"), 1);
}

#[test]
fn the_caller_may_offer_again_by_update_before_the_answer() {
    let mut world = reliable_world(dial());
    world.ok(B, Command::Progress { answer: sdp("early") });
    world.run(millis(200));

    world.ok(A, Command::Offer { sdp: sdp("moved") });
    world.run(millis(100));
    world.ok(B, Command::AnswerOffer { sdp: sdp("fine") });
    world.run(millis(100));

    assert_eq!(world.count(A, "UPDATE"), 1);
    assert!(world.events(A).contains(&Event::OfferAnswered { sdp: sdp("fine") }));
}

#[test]
fn an_update_before_the_first_answer_collides() {
    let mut world = World::called();
    let update = bench::draft_of_a(&mut world, Method::Update, 2)
        .with_body("application/sdp", sdp("early-bird"));
    world.deliver(B, update.encode());
    assert!(world.last(B, "500 UPDATE").number(Name::RetryAfter).is_some());
}

#[test]
fn an_offer_in_a_prack_is_answered_in_its_answer() {
    let mut world = reliable_world(dial());
    world.ok(B, Command::Progress { answer: sdp("early") });
    let rack = format!("{} 1 INVITE", world.last(B, "183 INVITE").header(Name::RSeq).unwrap());
    let prack = bench::draft_of_a(&mut world, Method::Prack, 2)
        .with(Name::RAck, rack)
        .with_body("application/sdp", sdp("again"));
    world.deliver(B, prack.encode());
    assert_eq!(world.events(B), [Event::Offered { sdp: Some(sdp("again")) }]);

    world.ok(B, Command::AnswerOffer { sdp: sdp("fine") });

    assert_eq!(world.last(B, "200 PRACK").body(), &sdp("fine"));
}
