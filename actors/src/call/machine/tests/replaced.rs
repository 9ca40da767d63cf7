//! Somebody else on a leg (RFC 3891, RFC 5589).

use super::*;
use crate::office::{Monitor, Supervision};

fn replaced(call: &mut Call, secs: u64, leg: LegIndex, who: &str) -> Vec<Effect> {
    call.step(at(secs), Input::Replaced { leg, party: extension(who) }).unwrap()
}

fn transferred(effects: &[Effect], by: &str, to: &str) -> bool {
    effects.iter().any(|effect| {
        matches!(effect, Effect::Record(CallEvent::Transferred { by: from, to: now, .. })
            if from == by && now == to)
    })
}

fn talk_ended(effects: &[Effect]) -> bool {
    let is_end = |act: &QueueAct| matches!(act, QueueAct::CallEnded { .. });
    effects.iter().any(|effect| matches!(effect, Effect::Queue(_, act) if is_end(act)))
}

fn served() -> Call {
    let mut call = queued();
    offer(&mut call, 1, 1, "1001");
    leg(&mut call, 2, 1, LegEvent::Answered);
    call
}

#[test]
fn who_takes_the_place_of_a_waiting_caller_waits_on_and_is_served() {
    let mut call = queued();

    let effects = replaced(&mut call, 5, 0, "1005");

    assert!(transferred(&effects, "1000", "1005"), "{effects:?}");
    assert!(effects.contains(&Effect::InCall("1005".into())));
    assert!(effects.contains(&Effect::OutOfCall("1000".into())));
    assert_eq!(call.waits_in().map(|(queue, _)| queue.to_owned()), Some("6400".to_owned()));
    offer(&mut call, 6, 1, "1001");
    let effects = leg(&mut call, 8, 1, LegEvent::Answered);
    assert!(effects.contains(&Effect::Hear(0, vec![Heard::Leg(1)])));
    let answers = |effect: &&Effect| matches!(effect, Effect::Record(CallEvent::Answered { .. }));
    assert_eq!(effects.iter().filter(answers).count(), 1);
}

#[test]
fn another_phone_of_the_same_agent_goes_on_with_the_queue_s_talk() {
    let mut call = served();

    let effects = replaced(&mut call, 10, 1, "1001");

    assert!(!talk_ended(&effects), "{effects:?}");
    assert!(!effects.iter().any(|it| matches!(it, Effect::Record(_))), "{effects:?}");
    assert!(talk_ended(&leg(&mut call, 20, 0, bye())));
}

#[test]
fn q_490_another_agent_ends_the_queue_s_talk_and_another_customer_does_not() {
    let mut call = served();

    assert!(!talk_ended(&replaced(&mut call, 10, 0, "1005")), "the customer has changed");
    let effects = replaced(&mut call, 11, 1, "1002");

    assert!(talk_ended(&effects), "the agent has changed");
    let answered =
        |it: &Effect| matches!(it, Effect::Record(CallEvent::Answered { by, .. }) if by == "1002");
    assert!(effects.iter().any(answered), "{effects:?}");
    assert!(!call.is_over());
}

#[test]
fn whoever_held_the_others_does_not_any_more() {
    let mut call = talking();
    call.step(at(5), Input::Command(CallCommand::Hold)).unwrap();

    let effects = replaced(&mut call, 6, 1, "1002");

    assert!(effects.contains(&Effect::Hear(0, vec![Heard::Leg(1)])), "{effects:?}");
}

#[test]
fn who_comes_while_the_far_end_rings_hears_it_ring() {
    let (mut call, _) = begun(devices("1001", 1));
    leg(&mut call, 1, 1, LegEvent::Ringing);

    let effects = replaced(&mut call, 2, 0, "1005");

    assert!(effects.iter().any(|it| matches!(it, Effect::Play(_, Sound::RingBack))));
    let effects = leg(&mut call, 3, 1, LegEvent::Answered);
    assert!(!effects.contains(&Effect::Answer(0)), "who came is answered already");
    assert!(effects.contains(&Effect::Hear(0, vec![Heard::Leg(1)])));
}

#[test]
fn a_party_of_a_meeting_is_replaced_in_it() {
    let mut call = talking();
    let third = call.reserve_leg();
    let from = CallId::from_u128(2);
    let merged = Input::Merged { by: 1, taken: third, party: extension("1002"), from };
    call.step(at(5), merged).unwrap();

    let effects = replaced(&mut call, 6, 1, "1005");

    assert!(transferred(&effects, "1001", "1005"), "{effects:?}");
    assert_eq!(call.standing(1), Ok(Standing::Meets));
    let heard = vec![Heard::Leg(0), Heard::Leg(third)];
    assert!(effects.contains(&Effect::Hear(1, heard)), "{effects:?}");
}

#[test]
fn nobody_attends_a_talk_in_a_manager_s_place() {
    let mut call = talking();
    let devices = vec![device("1009", "a")];
    let wish = Monitor { by: extension("1009"), devices, agent: None, mode: Supervision::Listen };
    let effects = call.step(at(5), Input::Command(CallCommand::Monitor(Box::new(wish)))).unwrap();
    let dialled = effects.iter().find_map(|it| match it {
        Effect::Dial { leg, .. } => Some(*leg),
        _ => None,
    });
    let manager = dialled.unwrap();
    leg(&mut call, 6, manager, LegEvent::Answered);

    assert!(call.may_replace(manager, &extension("1005")).is_err());
    assert_eq!(call.may_replace(manager, &extension("1009")), Ok(()));
}

#[test]
fn a_refer_of_a_party_that_talks_with_nobody_is_answered_at_once() {
    let mut call = queued();

    let event = LegEvent::Referred { refer: 7, to: "1002".into() };
    let effects = leg(&mut call, 5, 0, event);

    let told = Effect::TransferProgress { leg: 0, refer: 7, status: 491, last: true };
    assert_eq!(effects, [told]);
    assert!(call.waits_in().is_some());
}

#[test]
fn a_call_whose_party_went_to_another_one_says_where_and_is_over() {
    let mut call = talking();
    assert_eq!(call.standing(1), Ok(Standing::Talks(0, extension("1000"))));

    let input = Input::Surrendered { gone: 0, to: Some("6400".into()) };
    let effects = call.step(at(9), input).unwrap();

    assert!(transferred(&effects, "1001", "6400"), "{effects:?}");
    assert!(effects.contains(&Effect::HangUp(1, HangUp::NORMAL)));
    assert!(call.is_over());
}
