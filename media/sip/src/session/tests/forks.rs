//! One INVITE that reaches several phones, challenges, and answers out of the ordinary.

use super::bench::Caller;
use super::*;
use crate::digest::Credentials;

fn caller() -> Caller {
    Caller::new(dial(), &identity(A))
}

fn account() -> Dial {
    let credentials =
        Credentials { username: "trunk".to_owned(), password: "secret".to_owned(), realm: None };
    Dial { credentials: Some(credentials), ..dial() }
}

const CHALLENGE: (Name, &str) =
    (Name::WwwAuthenticate, "Digest realm=\"p\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-256");

#[test]
fn several_phones_ring_and_one_answers() {
    let mut caller = caller();
    caller.answer(0, 180, "one", &[], "");
    caller.answer(0, 180, "two", &[], "");
    assert_eq!(caller.session.dialog_ids().count(), 2);

    caller.answer(0, 200, "two", &[], "v=0");

    let ids: Vec<_> = caller.session.dialog_ids().collect();
    assert_eq!(ids, [("call-1@192.0.2.1", "a-tag", "two")]);
    assert!(caller.session.is_dialog("call-1@192.0.2.1", "a-tag", "two"));
    assert_eq!(caller.acks()[0].uri(), "sip:two@192.0.2.9:5060");
}

#[test]
fn a_second_phone_that_answers_is_acknowledged_and_sent_home() {
    let mut caller = caller();
    caller.answer(0, 200, "one", &[], "v=0");
    caller.events();

    caller.answer(0, 200, "two", &[(Name::RecordRoute, "<sip:192.0.2.5;lr>")], "v=0");

    assert_eq!(caller.acks().len(), 2);
    assert_eq!(caller.acks()[1].uri(), "sip:two@192.0.2.9:5060");
    let (_, bye) = caller.requests.last().unwrap();
    assert_eq!(bye.method(), Some(&Method::Bye));
    assert_eq!(bye.header(Name::To), Some("<sip:bob@192.0.2.2:5060>;tag=two"));
    assert_eq!(bye.header(Name::Route), Some("<sip:192.0.2.5;lr>"));
    assert_eq!(caller.events(), []);
    assert!(caller.session.is_up());

    // Its repetition gets the ACK again and no second BYE.
    caller.answer(0, 200, "two", &[], "v=0");
    assert_eq!((caller.acks().len(), caller.requests.len()), (3, 2));
}

#[test]
fn a_fork_that_answers_after_the_cancel_is_ended_too() {
    let mut caller = caller();
    caller.answer(0, 180, "one", &[], "");
    caller.step(Input::Command(Command::HangUp { reason: None }));
    caller.answer(0, 200, "one", &[], "v=0");
    caller.answer(0, 200, "two", &[], "v=0");
    assert_eq!(caller.methods(), ["INVITE", "CANCEL", "BYE", "BYE"]);
    assert_eq!(caller.acks().len(), 2);
}

#[test]
fn requests_follow_the_route_set_and_the_contact() {
    let mut caller = caller();
    let routes = [
        (Name::RecordRoute, "<sip:near.example.com;lr>"),
        (Name::RecordRoute, "<sip:far.example.com;lr>"),
    ];
    caller.answer(0, 200, "one", &routes, "v=0");
    caller.step(Input::Command(Command::HangUp { reason: None }));
    let (_, bye) = &caller.requests[1];
    let route: Vec<&str> = bye.headers(Name::Route).collect();
    assert_eq!(route, ["<sip:far.example.com;lr>", "<sip:near.example.com;lr>"]);
    assert_eq!(bye.uri(), "sip:one@192.0.2.9:5060");
    let Some(Effect::Request { target, .. }) =
        caller.effects.iter().rfind(|effect| matches!(effect, Effect::Request { .. }))
    else {
        panic!("no request")
    };
    assert_eq!(target.uri.host, "far.example.com");
}

#[test]
fn a_strict_router_becomes_the_request_uri() {
    let mut caller = caller();
    caller.answer(0, 200, "one", &[(Name::RecordRoute, "<sip:old.example.com>")], "v=0");
    caller.step(Input::Command(Command::HangUp { reason: None }));
    let (_, bye) = &caller.requests[1];
    assert_eq!(bye.uri(), "sip:old.example.com");
    assert_eq!(bye.header(Name::Route), Some("<sip:one@192.0.2.9:5060>"));
}

#[test]
fn the_flow_of_a_phone_is_kept_for_the_whole_dialog() {
    let flow = FlowId::stream(7, address(B));
    let mut dial = dial();
    dial.next_hop.flow = Some(flow);
    let mut caller = Caller::new(dial, &identity(A));
    caller.answer(0, 180, "one", &[], "");
    caller.answer(0, 200, "one", &[], "v=0");
    caller.step(Input::Command(Command::HangUp { reason: None }));
    for effect in &caller.effects {
        if let Effect::Request { target, .. } | Effect::Ack { target, .. } = effect {
            assert_eq!(target.flow, Some(flow));
        }
    }
    // When it has broken, the Contact is tried.
    let (txn, _) = caller.requests[1];
    let why = "closed".to_owned();
    caller.step(Input::Wire(TuEvent::TransportFailed { txn, why }));
    let Some(Effect::Request { target, draft, .. }) =
        caller.effects.iter().rfind(|effect| matches!(effect, Effect::Request { .. }))
    else {
        panic!("no request")
    };
    assert_eq!((target.flow, draft.header(Name::CSeq)), (None, Some("3 BYE")));
}

#[test]
fn a_challenge_is_answered_once() {
    let mut caller = Caller::new(account(), &identity(A));
    caller.answer(0, 401, "x", &[CHALLENGE], "");
    let (_, second) = &caller.requests[1];
    assert_eq!(second.header(Name::CSeq), Some("2 INVITE"));
    let proof = second.header(Name::Authorization).unwrap();
    assert!(proof.contains("username=\"trunk\"") && proof.contains("nc=00000001"), "{proof}");
    assert_eq!(second.body(), &sdp("offer-a"));

    caller.answer(1, 401, "x", &[CHALLENGE], "");

    assert_eq!(caller.requests.len(), 2);
    assert!(caller.is_closed());
}

#[test]
fn a_stale_nonce_is_answered_again() {
    let mut caller = Caller::new(account(), &identity(A));
    let stale = (
        Name::ProxyAuthenticate,
        "Digest realm=\"p\", nonce=\"n2\", qop=\"auth\", algorithm=MD5, stale=true",
    );
    caller.answer(0, 407, "x", &[stale], "");
    caller.answer(1, 407, "x", &[stale], "");
    assert_eq!(caller.requests.len(), 3);
    assert_eq!(caller.requests[2].1.headers(Name::ProxyAuthorization).count(), 1);
}

#[test]
fn the_ack_carries_the_credentials_and_a_challenged_bye_is_answered() {
    let mut caller = Caller::new(account(), &identity(A));
    caller.answer(0, 401, "x", &[CHALLENGE], "");
    caller.answer(1, 200, "one", &[], "v=0");
    let proof = caller.requests[1].1.header(Name::Authorization);
    assert_eq!(caller.acks()[0].header(Name::Authorization), proof);
    assert_eq!(caller.acks()[0].header(Name::CSeq), Some("2 ACK"));

    caller.step(Input::Command(Command::HangUp { reason: None }));
    caller.answer(2, 401, "one", &[CHALLENGE], "");

    let (_, bye) = &caller.requests[3];
    assert!(bye.header(Name::Authorization).is_some());
    assert_eq!(bye.header(Name::CSeq), Some("4 BYE"));
    caller.answer(3, 200, "one", &[], "");
    assert!(caller.is_closed());
}

#[test]
fn a_challenge_without_credentials_ends_the_call() {
    let mut caller = caller();
    caller.answer(0, 407, "x", &[CHALLENGE], "");
    let events = caller.events();
    assert!(matches!(&events[..], [Event::Ended { cause }] if cause.status == Some(407)));
}

#[test]
fn a_session_interval_that_is_too_short_is_raised() {
    let identity = Identity { session_expires: Some(secs(120)), ..identity(A) };
    let mut caller = Caller::new(dial(), &identity);
    assert_eq!(caller.requests[0].1.header(Name::SessionExpires), Some("120"));
    caller.answer(0, 422, "x", &[(Name::MinSe, "600")], "");
    let (_, second) = &caller.requests[1];
    assert_eq!(second.header(Name::SessionExpires), Some("600"));
    assert_eq!(second.header(Name::MinSe), Some("600"));
    caller.answer(1, 422, "x", &[(Name::MinSe, "600")], "");
    assert!(caller.is_closed());
}

#[test]
fn retry_after_reaches_the_owner() {
    let mut caller = caller();
    caller.answer(0, 503, "x", &[(Name::RetryAfter, "18 (maintenance)")], "");
    let events = caller.events();
    let Event::Ended { cause } = &events[0] else { panic!("{events:?}") };
    assert_eq!(cause.retry_after, Some(secs(18)));
}

#[test]
fn reliable_answers_out_of_order_are_left_aside() {
    let mut caller = caller();
    let reliable = |rseq| [(Name::Require, "100rel"), (Name::RSeq, rseq)];
    caller.answer(0, 183, "one", &reliable("10"), "v=0 a");
    caller.answer(0, 183, "one", &reliable("12"), "v=0 c");
    caller.answer(0, 183, "one", &reliable("10"), "v=0 a");
    assert_eq!(caller.methods(), ["INVITE", "PRACK"]);
    assert_eq!(caller.requests[1].1.header(Name::RAck), Some("10 1 INVITE"));
    caller.answer(0, 180, "one", &reliable("11"), "");
    assert_eq!(caller.methods(), ["INVITE", "PRACK", "PRACK"]);
    // Another fork counts for itself.
    caller.answer(0, 183, "two", &reliable("500"), "v=0 b");
    assert_eq!(caller.requests[3].1.header(Name::RAck), Some("500 1 INVITE"));
}

#[test]
fn a_failed_transport_is_told() {
    let mut caller = caller();
    let (txn, why) = (caller.requests[0].0, "refused".to_owned());
    caller.step(Input::Wire(TuEvent::TransportFailed { txn, why }));
    let events = caller.events();
    let Event::Ended { cause } = &events[0] else { panic!("{events:?}") };
    assert_eq!((cause.by, cause.status), (Party::Transport, Some(503)));
    assert!(caller.is_closed());
}
