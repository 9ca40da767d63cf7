//! Offers within a call: re-INVITE, UPDATE, collisions, late ACKs.

use super::*;

fn offer(name: &str) -> Command {
    Command::Offer { sdp: sdp(name) }
}

#[test]
fn a_reinvite_is_answered_and_acknowledged() {
    let mut world = World::speaking();
    world.forget();

    world.ok(B, offer("hold"));
    world.run(millis(100));
    assert_eq!(world.events(A), [Event::Offered { sdp: Some(sdp("hold")) }]);
    world.ok(A, Command::AnswerOffer { sdp: sdp("held") });
    world.run(millis(100));

    assert_eq!(world.events(B), [Event::OfferAnswered { sdp: sdp("held") }]);
    assert_eq!(world.events(A), []);
    assert_eq!(world.count(B, "ACK"), 1);
    world.run(secs(5));
    assert_eq!(world.count(A, "200 INVITE"), 1);
}

#[test]
fn a_refused_offer_leaves_the_session_as_it_was() {
    let mut world = World::speaking();
    world.forget();

    world.ok(A, offer("video"));
    world.run(millis(100));
    world.ok(B, Command::RefuseOffer { status: 488 });
    world.run(millis(100));
    assert_eq!(world.events(A), [Event::OfferRefused { status: 488 }]);

    world.ok(A, offer("audio"));
    world.run(millis(100));
    assert!(world.session(B).is_up());
    assert_eq!(world.events(B).last(), Some(&Event::Offered { sdp: Some(sdp("audio")) }));
}

#[test]
fn offers_that_collide_are_tried_again_the_callees_first() {
    let mut world = World::speaking();
    world.forget();

    world.ok(A, offer("from-a"));
    world.ok(B, offer("from-b"));
    world.run(millis(100));
    assert_eq!(world.count(A, "491 INVITE") + world.count(B, "491 INVITE"), 2);
    assert_eq!(world.events(A), []);

    world.run(millis(2050));
    assert_eq!(world.events(A), [Event::Offered { sdp: Some(sdp("from-b")) }]);
    world.ok(A, Command::AnswerOffer { sdp: sdp("answer-a") });
    world.run(secs(5));

    // A's own offer was made for a state of things that has passed.
    assert_eq!(world.events(A), [Event::OfferRefused { status: 491 }]);
    assert_eq!(world.events(B), [Event::OfferAnswered { sdp: sdp("answer-a") }]);
}

#[test]
fn the_caller_tries_again_after_more_than_two_seconds() {
    let mut world = World::speaking();
    world.forget();
    let mut collisions = 1;
    world.sieve = Box::new(move |_, _| true);

    world.ok(A, offer("from-a"));
    world.ok(B, offer("from-b"));
    world.run(millis(2050));
    while let Some(Event::Offered { .. }) = world.events(A).first() {
        world.ok(A, Command::RefuseOffer { status: 488 });
        collisions += 1;
        world.run(millis(50));
    }
    world.run(secs(3));

    assert_eq!(collisions, 2);
    assert_eq!(world.count(A, "INVITE"), 3);
    let times: Vec<Duration> = world
        .sent
        .iter()
        .filter(|(end, _, what)| *end == A && what == "INVITE")
        .map(|(_, at, _)| *at)
        .collect();
    let wait = times[2] - times[1];
    assert!(wait >= millis(2100) && wait <= millis(4100), "{wait:?}");
}

#[test]
fn an_offer_before_the_first_ack_waits_for_it() {
    let mut world = World::called();
    world.ok(B, Command::Answer { answer: sdp("answer-b"), headers: Vec::new() });
    world.ok(B, offer("more"));
    assert_eq!(world.count(B, "INVITE"), 0);

    world.run(millis(200));

    assert_eq!(world.count(B, "INVITE"), 1);
    assert!(world.events(A).contains(&Event::Offered { sdp: Some(sdp("more")) }));
}

#[test]
fn a_later_offer_takes_the_place_of_one_that_waits() {
    let mut world = World::speaking();
    world.forget();
    world.ok(A, offer("first"));
    world.ok(A, offer("second"));
    world.ok(A, offer("third"));
    world.run(millis(100));
    world.ok(B, Command::AnswerOffer { sdp: sdp("yes") });
    world.run(millis(100));
    world.ok(B, Command::AnswerOffer { sdp: sdp("yes-yes") });
    world.run(millis(100));

    assert_eq!(
        world.events(B),
        ["first", "third"].map(|name| Event::Offered { sdp: Some(sdp(name)) })
    );
}

#[test]
fn a_reinvite_without_an_offer_asks_for_ours() {
    let mut world = World::speaking();
    world.forget();
    let contact = "<sip:alice@192.0.2.1:5062>";
    let reinvite = bench::draft_of_a(&mut world, Method::Invite, 2).with(Name::Contact, contact);
    world.deliver(B, reinvite.encode());
    assert_eq!(world.events(B), [Event::Offered { sdp: None }]);

    world.ok(B, Command::AnswerOffer { sdp: sdp("offer-b") });
    let ack =
        bench::draft_of_a(&mut world, Method::Ack, 2).with_body("application/sdp", sdp("answer-a"));
    world.deliver(B, ack.encode());

    assert_eq!(world.last(B, "200 INVITE").body(), &sdp("offer-b"));
    assert_eq!(world.events(B), [Event::OfferAnswered { sdp: sdp("answer-a") }]);
    // The target was refreshed.
    world.hang_up(B);
    assert_eq!(world.last(B, "BYE").uri(), Some("sip:alice@192.0.2.1:5062"));
}

#[test]
fn the_late_ack_of_an_earlier_invite_does_not_confirm_a_later_one() {
    let mut world = World::speaking();
    let reinvite = bench::draft_of_a(&mut world, Method::Invite, 2)
        .with(Name::Contact, "<sip:alice@192.0.2.1>")
        .with_body("application/sdp", sdp("again"));
    world.deliver(B, reinvite.encode());
    world.ok(B, Command::AnswerOffer { sdp: sdp("yes") });
    let before = world.count(B, "200 INVITE");

    let late = bench::request_of_a(&mut world, Method::Ack, 1);
    world.deliver(B, late);
    world.run(secs(2));
    assert!(world.count(B, "200 INVITE") > before);

    let ack = bench::request_of_a(&mut world, Method::Ack, 2);
    world.deliver(B, ack);
    let before = world.count(B, "200 INVITE");
    world.run(secs(10));
    assert_eq!(world.count(B, "200 INVITE"), before);
}

#[test]
fn a_reinvite_that_overtakes_the_first_ack_confirms_the_call() {
    let mut world = World::called();
    world.sieve = Box::new(|_, message| message.method() != Some(Method::Ack));
    world.answer();
    assert_eq!(world.events(B), []);

    world.ok(A, offer("quick"));
    world.run(millis(60));

    let offered = Event::Offered { sdp: Some(sdp("quick")) };
    assert_eq!(world.events(B), [Event::Confirmed, offered]);
}

#[test]
fn a_second_reinvite_before_the_first_is_answered_is_put_off() {
    let mut world = World::speaking();
    for cseq in [2, 3] {
        let reinvite = bench::draft_of_a(&mut world, Method::Invite, cseq)
            .with(Name::Contact, "<sip:alice@192.0.2.1>")
            .with_body("application/sdp", sdp("x"));
        world.deliver(B, reinvite.encode());
    }
    assert!(world.last(B, "500 INVITE").number(Name::RetryAfter).unwrap() <= 10);
}

#[test]
fn a_reinvite_that_is_taken_back_is_told_and_refused() {
    let mut world = World::speaking();
    world.forget();
    world.ok(A, offer("never-mind"));
    // Nobody answers at B: A gives up.
    world.run(secs(70));

    let offered = Event::Offered { sdp: Some(sdp("never-mind")) };
    assert_eq!(world.events(B), [offered, Event::OfferWithdrawn]);
    assert_eq!(world.events(A), [Event::OfferRefused { status: 487 }]);
    assert!(world.session(A).is_up() && world.session(B).is_up());
}

#[test]
fn a_bye_while_an_offer_is_open_ends_both_sides() {
    let mut world = World::speaking();
    world.ok(A, offer("x"));
    world.run(millis(50));

    world.hang_up(B);
    world.run(secs(1));

    assert_eq!(world.count(B, "487 INVITE"), 1);
    assert!(world.is_closed(A) && world.is_closed(B));
}

#[test]
fn a_peer_that_has_lost_the_dialog_ends_it() {
    let mut world = World::speaking();
    world.ends[B].session = None;
    world.sieve = Box::new(|_, _| true);
    world.ok(A, Command::Info { content_type: "text/plain".into(), body: Bytes::from("x") });
    let info = world.last(A, "INFO");
    let flow = FlowId::datagram(0, address(B));
    let response = Message::parse(Draft::response(&info, 481).encode()).unwrap();
    let mut out = Vec::new();
    let now = world.now;
    world.ends[A].layer.response(now, &response, flow, &mut out);
    world.take(A, out);

    let cause = world.cause(A);
    assert_eq!((cause.by, cause.status), (Party::Remote, Some(481)));
    assert_eq!(world.count(A, "BYE"), 1);
}

#[test]
fn a_reinvite_that_nobody_answers_ends_the_call() {
    let mut world = World::speaking();
    world.sieve = Box::new(|_, _| false);
    world.ok(A, offer("x"));
    world.run(secs(33));
    assert_eq!(world.cause(A).by, Party::Timeout);
    world.run(secs(33));
    assert!(world.is_closed(A));
}

#[test]
fn an_update_offers_in_a_call_as_well() {
    let mut world = World::speaking();
    world.forget();
    let update = bench::draft_of_a(&mut world, Method::Update, 2)
        .with(Name::Contact, "<sip:alice@192.0.2.1>")
        .with_body("application/sdp", sdp("update"));
    world.deliver(B, update.encode());
    assert_eq!(world.events(B), [Event::Offered { sdp: Some(sdp("update")) }]);

    world.ok(B, Command::AnswerOffer { sdp: sdp("updated") });

    assert_eq!(world.last(B, "200 UPDATE").body(), &sdp("updated"));
}

#[test]
fn an_update_without_an_offer_is_answered_at_once() {
    let mut world = World::speaking();
    world.forget();
    let update = bench::request_of_a(&mut world, Method::Update, 2);
    world.deliver(B, update);
    assert_eq!(world.count(B, "200 UPDATE"), 1);
    assert_eq!(world.events(B), []);
}

#[test]
fn a_callee_that_refuses_the_media_is_offered_the_second_description_once() {
    let second = Some(sdp("offer-2"));
    let mut world = World::called_with(Dial { second_offer: second, ..dial() });
    let refuse = || Command::Reject { status: 488, reason: None, headers: Vec::new() };
    world.ok(B, refuse());
    world.ends[B].session = None;
    world.run(millis(200));
    assert_eq!(world.events(A), [Event::OfferedAgain]);
    assert_eq!(world.last(A, "INVITE").body(), &sdp("offer-2"));
    assert_eq!(world.last(A, "INVITE").cseq().unwrap().0, 2);

    world.ok(B, refuse());
    world.run(millis(200));

    let status = |event: &Event| match event {
        Event::Ended { cause } => cause.status,
        _ => None,
    };
    assert_eq!(world.events(A).iter().map(status).collect::<Vec<_>>(), [Some(488)]);
}
