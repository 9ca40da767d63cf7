//! A phone with two flows: its INVITE goes along the other one when the first has failed.

use super::bench::Caller;
use super::*;

const OTHER: &str = "sip:bob@192.0.2.9:5062";
const EDGE: &str = "<sip:192.0.2.7;lr>";

fn other() -> OtherFlow {
    OtherFlow {
        target: Uri::parse(OTHER).unwrap(),
        route: vec![EDGE.to_owned()],
        next_hop: Target { flow: Some(other_flow()), ..Target::of(Uri::parse(OTHER).unwrap()) },
        local_contact: "sip:user@192.0.2.1:5081".to_owned(),
    }
}

fn other_flow() -> FlowId {
    FlowId::datagram(7, "192.0.2.9:5062".parse().unwrap())
}

fn caller() -> Caller {
    Caller::new(Dial { other_flows: vec![other()], ..dial() }, &identity(A))
}

/// The timer that looks whether the flow says anything.
fn silence(caller: &Caller) -> TimerId {
    let armed = caller.effects.iter().rev().find_map(|effect| match effect {
        Effect::Arm { timer, after } if *after == secs(4) => Some(*timer),
        _ => None,
    });
    armed.unwrap()
}

fn invites(caller: &Caller) -> usize {
    caller.methods().iter().filter(|method| **method == "INVITE").count()
}

fn last_target(caller: &Caller) -> Target {
    let sent = caller.effects.iter().rev().find_map(|effect| match effect {
        Effect::Request { target, .. } => Some(target.clone()),
        _ => None,
    });
    sent.unwrap()
}

fn fails(caller: &mut Caller, at: usize) {
    let txn = caller.requests[at].0;
    caller.step(Input::Wire(TuEvent::TransportFailed { txn, why: "closed".to_owned() }));
}

#[test]
fn a_failed_flow_is_followed_by_the_other_one() {
    let mut caller = caller();
    caller.answer(0, 430, "edge", &[], "");

    let again = &caller.requests[1].1;
    assert_eq!(again.uri(), OTHER);
    assert_eq!(again.header(Name::Route), Some(EDGE));
    assert_eq!(again.header(Name::Contact), Some("<sip:user@192.0.2.1:5081>"));
    assert_eq!(again.header(Name::CSeq), Some("2 INVITE"));
    assert_eq!(again.header(Name::CallId), caller.requests[0].1.header(Name::CallId));
    assert_eq!(again.body(), &sdp("offer-a"));
    assert_eq!(last_target(&caller).flow, Some(other_flow()));
    assert_eq!(caller.events(), [Event::NextFlow]);

    caller.answer(1, 200, "phone", &[], "v=0");
    assert!(caller.session.is_up());
    assert_eq!(caller.session.flow(), Some(other_flow()));
}

#[test]
fn a_flow_that_is_gone_is_followed_by_the_other_one() {
    let mut caller = caller();
    fails(&mut caller, 0);
    assert_eq!(caller.requests[1].1.uri(), OTHER);
}

#[test]
fn the_phones_own_answer_stands_for_all_of_its_flows() {
    for status in [404, 480, 486, 487, 500, 503, 603] {
        let mut caller = caller();
        caller.answer(0, status, "phone", &[], "");
        assert_eq!(caller.methods(), ["INVITE"], "{status}");
        assert!(matches!(caller.events()[..], [Event::Ended { .. }]), "{status}");
    }
}

#[test]
fn a_phone_that_rang_out_is_not_rung_by_its_other_flow() {
    let mut caller = caller();
    caller.answer(0, 180, "phone", &[], "");
    caller.answer(0, 408, "phone", &[], "");
    assert_eq!(caller.methods(), ["INVITE"]);
}

#[test]
fn when_all_flows_have_failed_the_last_failure_is_told() {
    let mut caller = caller();
    caller.answer(0, 430, "edge", &[], "");
    caller.events();
    fails(&mut caller, 1);
    let events = caller.events();
    assert!(matches!(&events[..], [Event::Ended { cause }] if cause.by == Party::Transport));
    assert_eq!(caller.methods(), ["INVITE", "INVITE"]);
}

#[test]
fn a_silent_flow_is_given_up_before_the_caller_gives_up() {
    let mut caller = caller();
    let timer = silence(&caller);
    caller.step(Input::Timer(timer));
    assert_eq!(caller.requests[1].1.uri(), OTHER);

    // It was only slow: its ringing is taken back, once, as a call that was taken elsewhere.
    caller.answer(0, 180, "slow", &[], "");
    caller.answer(0, 180, "slow", &[], "");
    assert_eq!(caller.methods(), ["INVITE", "INVITE", "CANCEL"]);
    let cancel = &caller.requests[2].1;
    assert_eq!(cancel.header(Name::CSeq), Some("1 CANCEL"));
    assert!(cancel.header(Name::Reason).unwrap().contains("cause=200"));
    caller.answer(0, 487, "slow", &[], "");
    assert_eq!(caller.events(), [Event::NextFlow]);

    caller.answer(1, 200, "phone", &[], "v=0");
    assert!(caller.session.is_up());
}

#[test]
fn a_silent_flow_that_answers_all_the_same_is_hung_up() {
    let mut caller = caller();
    let timer = silence(&caller);
    caller.step(Input::Timer(timer));

    caller.answer(0, 200, "slow", &[], "v=0");

    assert_eq!(caller.methods(), ["INVITE", "INVITE", "BYE"]);
    assert_eq!(caller.acks().len(), 1);
    assert_eq!(caller.events(), [Event::NextFlow]);
    caller.answer(1, 200, "phone", &[], "v=0");
    assert!(caller.session.is_up());
}

#[test]
fn a_flow_that_has_said_anything_is_not_silent() {
    let mut caller = caller();
    let timer = silence(&caller);
    caller.answer(0, 100, "", &[], "");
    caller.step(Input::Timer(timer));
    assert_eq!(caller.methods(), ["INVITE"]);
}

#[test]
fn who_has_hung_up_rings_no_other_flow() {
    let mut silent = caller();
    let timer = silence(&silent);
    silent.step(Input::Command(Command::HangUp { reason: None }));
    silent.step(Input::Timer(timer));
    assert_eq!(invites(&silent), 1);

    let mut failed = caller();
    failed.step(Input::Command(Command::HangUp { reason: None }));
    failed.answer(0, 430, "edge", &[], "");
    assert_eq!(invites(&failed), 1);
}

#[test]
fn a_phone_of_one_flow_is_waited_for_as_long_as_a_transaction_lasts() {
    let caller = Caller::new(dial(), &identity(A));
    let is_short = |it: &Effect| matches!(it, Effect::Arm { after, .. } if *after == secs(4));
    assert!(!caller.effects.iter().any(is_short));
}
