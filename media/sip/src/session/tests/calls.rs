//! The life of a call: answering, refusing, cancelling, hanging up, and what is lost on the way.

use super::*;

#[test]
fn a_call_rings_is_answered_and_is_hung_up_by_the_caller() {
    let mut world = World::called();
    world.ok(B, Command::Ring { headers: vec![(Name::AlertInfo, "<urn:a>".to_owned())] });
    world.run(millis(100));
    assert_eq!(world.events(A), [Event::Ringing { status: 180 }]);
    assert_eq!(world.last(B, "180 INVITE").header(Name::AlertInfo), Some("<urn:a>"));

    world.answer();
    let sdp = Some(sdp("answer-b"));
    assert_eq!(world.events(A), [Event::Answered { sdp }, Event::Confirmed]);
    assert_eq!(world.events(B), [Event::Confirmed]);

    world.hang_up(A);
    world.run(millis(100));
    assert_eq!(world.cause(A).by, Party::Local);
    assert_eq!(world.cause(B).by, Party::Remote);
    assert!(world.is_closed(A) && world.is_closed(B));
    assert_eq!(world.count(A, "BYE"), 1);
}

#[test]
fn the_callee_hangs_up_with_a_reason() {
    let mut world = World::speaking();
    let reason = Reason::q850(16, "Normal call clearing");

    world.ok(B, Command::HangUp { reason: Some(reason.clone()) });
    world.run(millis(100));

    assert_eq!(world.cause(A).reason, [reason]);
    assert!(world.is_closed(A) && world.is_closed(B));
}

#[test]
fn a_refusal_reaches_the_caller_with_its_reason() {
    let mut world = World::called();
    let reason = Some(Reason::q850(17, "User busy"));

    world.ok(B, Command::Reject { status: 486, reason, headers: Vec::new() });
    world.run(millis(100));

    let cause = world.cause(A);
    assert_eq!((cause.by, cause.status), (Party::Remote, Some(486)));
    assert_eq!(cause.reason[0].cause, Some(17));
    assert!(world.is_closed(A) && world.is_closed(B));
}

#[test]
fn hanging_up_an_unanswered_incoming_call_maps_the_reason_to_a_status() {
    let cases = [
        (None, 480),
        (Some(Reason::q850(17, "")), 486),
        (Some(Reason::q850(34, "")), 503),
        (Some(Reason::sip(603, "Decline")), 603),
        (Some(Reason::sip(200, "Call completed elsewhere")), 480),
    ];
    for (reason, status) in cases {
        let mut world = World::called();
        world.ok(B, Command::HangUp { reason });
        world.run(millis(100));
        assert_eq!(world.cause(A).status, Some(status));
    }
}

#[test]
fn a_redirection_is_told_best_first() {
    let mut world = World::called();
    let contact = "<sip:second@example.com>;q=0.5, <sip:first@example.com>;q=0.9".to_owned();

    let headers = vec![(Name::Contact, contact)];
    world.ok(B, Command::Reject { status: 302, reason: None, headers });
    world.run(millis(100));

    let events = world.events(A);
    let Event::Redirected { contacts } = &events[0] else { panic!("{events:?}") };
    let contacts: Vec<String> = contacts.iter().map(ToString::to_string).collect();
    assert_eq!(contacts, ["sip:first@example.com", "sip:second@example.com"]);
    assert!(matches!(&events[1], Event::Ended { cause } if cause.status == Some(302)));
}

#[test]
fn a_ringing_call_is_cancelled_with_the_reason() {
    let mut world = World::called();
    world.ok(B, Command::Ring { headers: Vec::new() });
    world.run(millis(100));

    let reason = Some(Reason::sip(200, "Call completed elsewhere"));
    world.ok(A, Command::HangUp { reason });
    world.run(millis(100));

    let cause = world.cause(B);
    assert_eq!((cause.by, cause.status), (Party::Remote, Some(487)));
    assert!(cause.elsewhere);
    assert!(world.is_closed(A) && world.is_closed(B));
    assert_eq!(world.count(A, "BYE"), 0);
}

#[test]
fn a_cancel_waits_for_a_provisional_answer() {
    let mut world = World::called();
    world.hang_up(A);
    assert_eq!(world.cause(A).by, Party::Local);
    world.run(millis(90));
    assert_eq!(world.count(A, "CANCEL"), 0);

    world.ok(B, Command::Trying);
    world.run(millis(100));

    assert_eq!(world.count(A, "CANCEL"), 1);
    assert!(world.is_closed(A) && world.is_closed(B));
}

#[test]
fn an_answer_that_crosses_the_cancel_is_acknowledged_and_ended_by_bye() {
    let mut world = World::called();
    world.ok(B, Command::Ring { headers: Vec::new() });
    world.run(millis(100));

    world.hang_up(A);
    world.ok(B, Command::Answer { answer: sdp("late"), headers: Vec::new() });
    world.run(secs(1));

    assert_eq!(world.count(A, "ACK"), 1);
    assert_eq!(world.count(A, "BYE"), 1);
    assert_eq!(world.cause(B).by, Party::Remote);
    assert!(world.is_closed(A) && world.is_closed(B));
}

#[test]
fn a_cancel_that_nobody_answers_closes_in_the_end() {
    let mut world = World::called();
    world.ok(B, Command::Ring { headers: Vec::new() });
    world.run(millis(100));
    world.sieve = Box::new(|_, _| false);

    world.hang_up(A);
    world.run(secs(45));

    assert!(world.is_closed(A));
}

#[test]
fn a_call_that_rings_out_is_cancelled() {
    let mut world = World::called_with(Dial { give_up_after: secs(20), ..dial() });
    world.ok(B, Command::Ring { headers: Vec::new() });

    world.run(secs(21));

    let cause = world.cause(A);
    assert_eq!((cause.by, cause.status), (Party::Timeout, Some(408)));
    assert_eq!(world.cause(B).by, Party::Remote);
    assert!(world.is_closed(A) && world.is_closed(B));
}

#[test]
fn a_call_may_have_a_reason_of_its_own_for_each_cancel() {
    let reason = Some(Reason::elsewhere());
    for rings_out in [true, false] {
        let ring = Dial { give_up_after: secs(20), cancel_reason: reason.clone(), ..dial() };
        let mut world = World::called_with(ring);
        world.ok(B, Command::Ring { headers: Vec::new() });
        world.run(secs(1));

        if !rings_out {
            world.ok(A, Command::HangUp { reason: Some(Reason::q850(16, "")) });
        }
        world.run(secs(21));

        assert!(world.cause(B).elsewhere, "rings out: {rings_out}");
    }
}

#[test]
fn a_callee_that_cannot_be_reached_is_a_timeout() {
    let mut world = World::new();
    world.sieve = Box::new(|_, _| false);
    world.dial(dial());

    world.run(secs(40));

    let cause = world.cause(A);
    assert_eq!((cause.by, cause.status), (Party::Timeout, Some(408)));
    assert!(world.is_closed(A));
}

#[test]
fn a_lost_ack_is_sent_again_when_the_answer_comes_again() {
    let mut world = World::called();
    let mut lost = 0;
    world.sieve = Box::new(move |_, message| {
        let is_ack = message.method() == Some(Method::Ack);
        lost += usize::from(is_ack);
        !is_ack || lost > 2
    });

    world.answer();
    world.run(secs(5));

    assert_eq!(world.count(B, "200 INVITE"), 3);
    assert_eq!(world.count(A, "ACK"), 3);
    assert_eq!(world.events(B), [Event::Confirmed]);
    assert!(!world.is_closed(B));
}

#[test]
fn an_answer_without_ack_is_repeated_and_ended_by_bye_after_64_t1() {
    let mut world = World::called();
    world.sieve = Box::new(|_, message| message.method() != Some(Method::Ack));

    world.answer();
    world.run(secs(31));
    assert_eq!(world.count(B, "BYE"), 0);
    world.run(secs(3));

    let sent = world.sent.iter().filter(|(end, _, what)| *end == B && what == "200 INVITE");
    let times: Vec<u128> = sent.map(|(_, at, _)| at.as_millis() / 100).collect();
    let gaps: Vec<u128> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps[..5], [5, 10, 20, 40, 40]);
    assert_eq!(world.count(B, "BYE"), 1);
    let cause = world.cause(B);
    assert_eq!((cause.by, cause.status), (Party::Timeout, Some(408)));
    assert!(world.is_closed(A) && world.is_closed(B));
}

#[test]
fn a_callee_that_hangs_up_before_the_ack_waits_for_it() {
    let mut world = World::called();
    let mut acks = 0;
    world.sieve = Box::new(move |_, message| {
        acks += usize::from(message.method() == Some(Method::Ack));
        message.method() != Some(Method::Ack) || acks > 1
    });
    world.answer();

    world.hang_up(B);
    world.run(millis(100));
    assert_eq!(world.count(B, "BYE"), 0);
    assert!(matches!(world.events(B)[..], [Event::Ended { .. }]));
    world.run(secs(2));

    assert_eq!(world.count(B, "BYE"), 1);
    assert!(world.is_closed(A) && world.is_closed(B));
}

#[test]
fn byes_that_cross_end_both_sides_cleanly() {
    let mut world = World::speaking();

    world.hang_up(A);
    world.hang_up(B);
    world.run(secs(1));

    assert_eq!(world.count(A, "200 BYE") + world.count(A, "481 BYE"), 1);
    assert!(world.is_closed(A) && world.is_closed(B));
}

#[test]
fn a_bye_that_nobody_answers_closes_after_the_transaction() {
    let mut world = World::speaking();
    world.sieve = Box::new(|_, _| false);

    world.hang_up(A);
    world.run(secs(31));
    assert!(!world.is_closed(A));
    world.run(secs(2));

    assert!(world.is_closed(A));
}

#[test]
fn a_caller_may_end_an_early_dialog_by_bye() {
    let mut world = World::called();
    world.ok(B, Command::Ring { headers: Vec::new() });
    world.run(millis(100));
    let bye = bench::request_of_a(&mut world, Method::Bye, 2);

    world.deliver(B, bye);
    world.run(secs(1));

    assert_eq!(world.count(B, "200 BYE"), 1);
    assert_eq!(world.count(B, "487 INVITE"), 1);
    assert_eq!(world.cause(A).status, Some(487));
    assert!(world.is_closed(B));
}

#[test]
fn a_retransmitted_invite_after_the_final_answer_starts_nothing() {
    let mut world = World::speaking();
    let invite = world.messages[0].1.raw().clone();

    world.deliver(B, invite);
    world.run(secs(1));

    assert_eq!(world.count(B, "200 INVITE"), 1);
    assert!(world.events(B).iter().all(|event| *event == Event::Confirmed));
}

#[test]
fn a_call_without_an_offer_gets_one_and_answers_it_in_the_ack() {
    let mut world = World::called_with(Dial { offer: None, ..dial() });
    world.ok(B, Command::Answer { answer: sdp("offer-b"), headers: Vec::new() });
    world.run(millis(200));
    assert_eq!(world.events(A), [Event::Answered { sdp: Some(sdp("offer-b")) }]);
    assert_eq!(world.count(A, "ACK"), 0);

    world.ok(A, Command::AnswerOffer { sdp: sdp("answer-a") });
    world.run(millis(100));

    assert_eq!(world.last(A, "ACK").body(), &sdp("answer-a"));
    assert_eq!(world.events(A), [Event::Confirmed]);
    let sdp = sdp("answer-a");
    assert_eq!(world.events(B), [Event::OfferAnswered { sdp }, Event::Confirmed]);
}

#[test]
fn ringing_is_repeated_each_minute() {
    let mut world = World::called_with(Dial { give_up_after: secs(300), ..dial() });
    world.ok(B, Command::Ring { headers: Vec::new() });

    world.run(secs(190));

    assert_eq!(world.count(B, "180 INVITE"), 4);
    assert_eq!(world.events(A), [Event::Ringing { status: 180 }]);
}

#[test]
fn unreliable_early_media_is_told_once() {
    let mut world = World::called();
    world.ok(B, Command::Progress { answer: sdp("early") });
    world.ok(B, Command::Progress { answer: sdp("early") });
    world.run(millis(100));
    assert_eq!(world.events(A), [Event::EarlyMedia { answer: sdp("early") }]);
}

#[test]
fn commands_that_do_not_fit_are_refused_and_change_nothing() {
    let mut world = World::speaking();
    let ring = Command::Ring { headers: Vec::new() };
    assert_eq!(world.command(B, ring), Err(Refused::NotNow));
    let answer = Command::AnswerOffer { sdp: sdp("x") };
    assert_eq!(world.command(A, answer), Err(Refused::NoOffer));
    world.hang_up(A);
    let offer = Command::Offer { sdp: sdp("x") };
    assert_eq!(world.command(A, offer), Err(Refused::Ended));
}

#[test]
fn an_answer_without_a_description_means_the_early_one() {
    let mut caller = bench::Caller::new(dial(), &identity(A));
    caller.answer(0, 183, "b", &[], "v=0 early");
    caller.answer(0, 200, "b", &[], "");
    let early = || Bytes::from("v=0 early");
    let answered = Event::Answered { sdp: Some(early()) };
    let events = [Event::EarlyMedia { answer: early() }, answered, Event::Confirmed];
    assert_eq!(caller.events(), events);
}

#[test]
fn a_closed_session_answers_nothing_but_481() {
    let mut world = World::speaking();
    world.hang_up(A);
    world.run(secs(1));
    for method in [Method::Bye, Method::Options, Method::Invite] {
        let request = bench::request_of_a(&mut world, method, 9);
        world.deliver(B, request);
    }
    assert_eq!(world.count(B, "481 BYE") + world.count(B, "481 OPTIONS"), 2);
    assert_eq!((world.ends[B].closed, world.ends[B].late), (1, 0));
    let command = Command::HangUp { reason: None };
    assert_eq!(world.command(B, command), Err(Refused::Ended));
}

#[test]
fn a_reinvite_that_is_answered_while_we_hang_up_is_acknowledged() {
    let mut world = World::speaking();
    world.ok(A, Command::Offer { sdp: sdp("x") });
    world.run(millis(50));
    world.ok(B, Command::AnswerOffer { sdp: sdp("y") });
    let acks = world.count(A, "ACK");

    world.hang_up(A);
    world.run(secs(1));

    assert_eq!(world.count(A, "ACK"), acks + 1);
    assert!(world.is_closed(A) && world.is_closed(B));
}
