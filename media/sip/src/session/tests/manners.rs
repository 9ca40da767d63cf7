//! What an INVITE has to fulfil, and what else a peer may ask within a call.

use super::*;

fn refused(headers: &[(Name, &str)], body: &str) -> Draft {
    let inbound = bench::invite(headers, body);
    let result = Session::incoming(Instant::now(), &inbound, &identity(B), "b-tag".to_owned());
    *result.expect_err("it is refused")
}

#[test]
fn an_extension_that_is_not_understood_is_refused_by_name() {
    let draft = refused(&[(Name::Require, "timer, foo, 100rel, bar")], "v=0");
    assert_eq!(draft.status(), Some(420));
    assert_eq!(draft.header(Name::Unsupported), Some("foo, bar"));
    assert!(draft.header(Name::To).unwrap().ends_with(";tag=b-tag"));
}

#[test]
fn an_invite_without_a_usable_contact_is_a_bad_request() {
    assert_eq!(refused(&[(Name::Contact, "<>")], "v=0").status(), Some(400));
}

#[test]
fn an_invite_within_an_unknown_dialog_is_refused() {
    let draft = refused(&[(Name::To, "<sip:bob@192.0.2.2>;tag=old")], "v=0");
    assert_eq!(draft.status(), Some(481));
}

#[test]
fn a_body_that_is_no_description_is_refused() {
    let draft = refused(&[(Name::ContentType, "text/plain")], "hello");
    assert_eq!(draft.status(), Some(415));
    assert_eq!(draft.header(Name::Accept), Some("application/sdp"));
    assert_eq!(refused(&[(Name::ContentEncoding, "gzip")], "v=0").status(), Some(415));
}

#[test]
fn a_session_interval_below_our_least_is_refused() {
    let short = [(Name::SessionExpires, "60"), (Name::Supported, "timer")];
    let draft = refused(&short, "v=0");
    assert_eq!((draft.status(), draft.header(Name::MinSe)), (Some(422), Some("90")));
}

#[test]
fn a_malformed_replaces_is_refused_and_a_good_one_is_shown() {
    assert_eq!(refused(&[(Name::Replaces, "abc;to-tag=1")], "v=0").status(), Some(400));

    let good = [(Name::Replaces, "other@x;to-tag=1;from-tag=2;early-only")];
    let inbound = bench::invite(&good, "v=0");
    let (session, _) =
        Session::incoming(Instant::now(), &inbound, &identity(B), "t".to_owned()).unwrap();
    let replaces = session.replaces().unwrap();
    assert_eq!((replaces.call_id.as_str(), replaces.early_only), ("other@x", true));
    assert_eq!(session.invite().unwrap().body().as_ref(), b"v=0");
}

#[test]
fn the_answer_copies_the_record_route_and_says_who_we_are() {
    let headers = [(Name::RecordRoute, "<sip:p1;lr>, <sip:p2;lr>")];
    let inbound = bench::invite(&headers, "v=0");
    let now = Instant::now();
    let (mut session, _) =
        Session::incoming(now, &inbound, &identity(B), "b-tag".to_owned()).unwrap();
    let answer = Command::Answer {
        answer: sdp("x"),
        headers: vec![(Name::PAssertedIdentity, "<sip:queue@example.com>".to_owned())],
    };
    let effects = session.step(now, Input::Command(answer)).unwrap();
    let draft = bench::answer(&effects);
    let routes: Vec<&str> = draft.headers(Name::RecordRoute).collect();
    assert_eq!(routes.join(", "), "<sip:p1;lr>, <sip:p2;lr>");
    assert_eq!(draft.header(Name::Contact), Some("<sip:user@192.0.2.2:5060>"));
    assert_eq!(draft.header(Name::PAssertedIdentity), Some("<sip:queue@example.com>"));
    assert!(draft.header(Name::Allow).unwrap().contains("UPDATE"));
}

#[test]
fn requests_out_of_order_are_refused() {
    let mut world = World::speaking();
    let later = bench::request_of_a(&mut world, Method::Options, 5);
    world.deliver(B, later);
    let earlier = bench::request_of_a(&mut world, Method::Options, 4);
    world.deliver(B, earlier);
    assert_eq!((world.count(B, "200 OPTIONS"), world.count(B, "500 OPTIONS")), (1, 1));
}

#[test]
fn a_request_of_another_dialog_is_refused() {
    let mut world = World::speaking();
    let mut draft = bench::draft_of_a(&mut world, Method::Bye, 5);
    draft.set(Name::From, "<sip:alice@example.com>;tag=somebody-else");
    world.deliver(B, draft.encode());
    assert_eq!(world.count(B, "481 BYE"), 1);
    assert!(world.session(B).is_up());
}

#[test]
fn what_is_not_understood_within_a_call_is_answered() {
    let mut world = World::speaking();
    let requests = [
        (Method::Message, (Name::Subject, "x"), "405 MESSAGE"),
        (Method::parse("FOO"), (Name::Subject, "x"), "501 FOO"),
        (Method::Info, (Name::Require, "foo"), "420 INFO"),
        (Method::Info, (Name::ContentType, "text/html"), "415 INFO"),
        (Method::Notify, (Name::Event, "presence"), "489 NOTIFY"),
        (Method::Notify, (Name::Event, "refer"), "481 NOTIFY"),
        (Method::Refer, (Name::Subject, "x"), "400 REFER"),
        (Method::Prack, (Name::Subject, "x"), "400 PRACK"),
    ];
    for (at, (method, (name, value), expected)) in requests.into_iter().enumerate() {
        let mut draft = bench::draft_of_a(&mut world, method, at as u32 + 2).with(name, value);
        if name == Name::ContentType {
            draft = draft.with_body(value, "x");
        }
        world.deliver(B, draft.encode());
        assert_eq!(world.count(B, expected), 1, "{expected}");
    }
    assert!(world.session(B).is_up());
}

#[test]
fn digits_come_by_info_in_both_forms() {
    let bodies = [
        ("application/dtmf-relay", "Signal=5\r\nDuration=240\r\n", ('5', 240)),
        ("application/dtmf-relay; charset=x", "Signal = #\r\nDuration = 1\r\n", ('#', 1)),
        ("application/dtmf-relay", "Signal=11\r\n", ('#', 160)),
        ("application/dtmf-relay", "Signal=16\r\nDuration=99999\r\n", ('!', 10_000)),
        ("application/dtmf", "d", ('D', 160)),
    ];
    for (kind, body, (digit, duration_ms)) in bodies {
        let mut world = World::speaking();
        world.events(B);
        let draft = bench::draft_of_a(&mut world, Method::Info, 2).with_body(kind, body);
        world.deliver(B, draft.encode());
        assert_eq!(world.events(B), [Event::Dtmf { digit, duration_ms }]);
        assert_eq!(world.count(B, "200 INFO"), 1);
    }
}

#[test]
fn a_digit_that_is_none_is_refused() {
    for body in ["Signal=", "Signal=99", "Signal=x\r\n", "\u{1F600}"] {
        let mut world = World::speaking();
        world.events(B);
        let draft = bench::draft_of_a(&mut world, Method::Info, 2);
        world.deliver(B, draft.with_body("application/dtmf-relay", body).encode());
        assert_eq!(world.events(B), []);
        assert_eq!(world.count(B, "400 INFO"), 1);
    }
}

#[test]
fn an_info_of_ours_goes_out() {
    let mut world = World::speaking();
    world.events(B);
    let body = Bytes::from("Signal=7\r\nDuration=100\r\n");
    world.ok(A, Command::Info { content_type: "application/dtmf-relay".into(), body });
    world.run(millis(100));
    assert_eq!(world.events(B), [Event::Dtmf { digit: '7', duration_ms: 100 }]);
}

#[test]
fn a_phone_that_changes_its_connection_is_answered_there() {
    let mut world = World::speaking();
    let draft = bench::draft_of_a(&mut world, Method::Options, 2);
    let message = Message::parse(draft.encode()).unwrap();
    let flow = FlowId::stream(9, address(A));
    let inbound = Inbound { flow, ..inbound(B, TxnId::from_u64(99), message) };
    world.step(B, Input::Wire(TuEvent::Request(inbound)));

    let now = world.now;
    let hang_up = Input::Command(Command::HangUp { reason: None });
    let effects = world.session(B).step(now, hang_up).unwrap();

    let request = effects.iter().find_map(|effect| match effect {
        Effect::Request { target, .. } => Some(target.flow),
        _ => None,
    });
    assert_eq!(request, Some(Some(flow)));
}

#[test]
fn a_confirmed_session_is_small() {
    let mut world = World::speaking();
    world.run(secs(60));
    let session = world.session(B);
    let dialog = format!("{:?}", session.dialogs).len();
    let size = size_of::<Session>() + size_of::<Identity>() + dialog + session.call_id.len() * 2;
    assert!(size < 3072, "{size}");
    assert!(session.asked.is_empty() && session.acks.is_empty() && session.unacked.is_none());
    assert!(session.out.capacity() == 0);
}
