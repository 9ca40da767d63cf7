//! More than two who talk, and managers who attend.

use super::*;
use crate::office::{Monitor, Supervision};

fn merged(call: &mut Call, secs: u64, by: LegIndex, who: &str) -> (LegIndex, Vec<Effect>) {
    let taken = call.reserve_leg();
    let from = CallId::from_u128(2);
    let input = Input::Merged { by, taken, party: extension(who), from };
    (taken, call.step(at(secs), input).unwrap())
}

/// The last row of each leg.
fn row(effects: &[Effect], leg: LegIndex) -> Option<Vec<Heard>> {
    effects.iter().rev().find_map(|effect| match effect {
        Effect::Hear(it, heard) if *it == leg => Some(heard.clone()),
        _ => None,
    })
}

fn legs(of: &[LegIndex]) -> Option<Vec<Heard>> {
    Some(of.iter().copied().map(Heard::Leg).collect())
}

fn served() -> Call {
    let mut call = queued();
    offer(&mut call, 1, 1, "1001");
    leg(&mut call, 2, 1, LegEvent::Answered);
    call
}

fn talk_ended(effects: &[Effect]) -> Option<crate::queue::Party> {
    effects.iter().find_map(|effect| match effect {
        Effect::Queue(_, QueueAct::CallEnded { by, .. }) => Some(*by),
        _ => None,
    })
}

fn monitor(call: &mut Call, secs: u64, by: &str, mode: Supervision) -> Vec<Effect> {
    try_monitor(call, secs, by, mode).unwrap()
}

fn try_monitor(
    call: &mut Call,
    secs: u64,
    by: &str,
    mode: Supervision,
) -> Result<Vec<Effect>, Refused> {
    let devices = vec![device(by, "a"), device(by, "b")];
    let wish = Monitor { by: extension(by), devices, agent: None, mode };
    call.step(at(secs), Input::Command(CallCommand::Monitor(Box::new(wish))))
}

#[test]
fn a_third_party_that_is_brought_hears_both_and_is_heard_by_both() {
    let mut call = talking();

    let (third, effects) = merged(&mut call, 10, 1, "1002");

    assert_eq!(row(&effects, 0), legs(&[1, third]));
    assert_eq!(row(&effects, 1), legs(&[0, third]));
    assert_eq!(row(&effects, third), legs(&[0, 1]));
    let is_noted = |effect: &Effect| {
        matches!(effect, Effect::Record(CallEvent::Merged { by, party, .. })
            if by == "1001" && party == "1002")
    };
    assert!(effects.iter().any(is_noted));
    assert!(effects.contains(&Effect::InCall("1002".into())));
}

#[test]
fn who_brought_the_third_party_and_leaves_leaves_the_others_together() {
    let mut call = talking();
    let (third, _) = merged(&mut call, 10, 1, "1002");

    let effects = leg(&mut call, 20, 1, bye());

    assert_eq!(row(&effects, 0), legs(&[third]));
    assert_eq!(row(&effects, third), legs(&[0]));
    let is_transfer = |effect: &Effect| {
        matches!(effect, Effect::Record(CallEvent::Transferred { by, to, .. })
            if by == "1001" && to == "1002")
    };
    assert!(effects.iter().any(is_transfer), "{effects:?}");
    assert!(!call.is_over());

    let effects = leg(&mut call, 30, third, bye());

    assert_eq!(last_fact(&effects).0, "answered");
    assert!(call.is_over());
}

#[test]
fn a_third_party_that_leaves_leaves_an_ordinary_talk() {
    let mut call = served();
    let (third, _) = merged(&mut call, 10, 1, "1002");

    let effects = leg(&mut call, 20, third, bye());

    assert_eq!(row(&effects, 0), legs(&[1]));
    assert_eq!(row(&effects, 1), legs(&[0]));
    assert_eq!(talk_ended(&effects), None, "the agent still talks with the customer");
    assert_eq!(talk_ended(&leg(&mut call, 30, 0, bye())), Some(crate::queue::Party::Caller));
}

#[test]
fn the_queues_talk_ends_once_with_the_agent_or_the_customer_who_leaves_a_meeting() {
    for (leaves, by) in [(1, crate::queue::Party::Agent), (0, crate::queue::Party::Caller)] {
        let mut call = served();
        let (third, _) = merged(&mut call, 10, 1, "1002");

        assert_eq!(talk_ended(&leg(&mut call, 20, leaves, bye())), Some(by));
        assert_eq!(talk_ended(&leg(&mut call, 30, third, bye())), None);
        assert!(call.is_over());
    }
}

#[test]
fn who_holds_is_out_of_a_meeting_until_they_resume() {
    let mut call = talking();
    let (third, _) = merged(&mut call, 10, 1, "1002");

    let effects = leg(&mut call, 11, 1, LegEvent::Held);

    assert_eq!(row(&effects, 0), legs(&[third]));
    assert_eq!(row(&effects, third), legs(&[0]));
    assert_eq!(row(&effects, 1), Some(Vec::new()));

    let effects = leg(&mut call, 12, 0, LegEvent::Held);

    assert!(matches!(row(&effects, third).as_deref(), Some([Heard::Player(_)])), "music");

    leg(&mut call, 13, 0, LegEvent::Resumed);
    let effects = leg(&mut call, 14, 1, LegEvent::Resumed);

    assert_eq!(row(&effects, third), legs(&[0, 1]));
}

#[test]
fn a_meeting_can_grow_to_eight_and_refuses_a_blind_transfer() {
    let mut call = talking();
    for extra in 2..8 {
        call.may_merge(1).unwrap();
        merged(&mut call, extra, 1, "1005");
    }

    assert_eq!(call.may_merge(1), Err(Refused::Full));
    let transfer = Input::Command(CallCommand::Transfer { to: "1009".into() });
    assert_eq!(call.step(at(20), transfer), Err(Refused::Meeting));
    let refer = LegEvent::Referred { refer: 7, to: "1009".into() };
    let told = Effect::TransferProgress { leg: 1, refer: 7, status: 491, last: true };
    assert!(leg(&mut call, 21, 1, refer).contains(&told));
}

#[test]
fn a_talk_of_a_queue_is_not_lent_to_another_call() {
    assert_eq!(served().may_lend(1), Err(Refused::Serving));
    assert_eq!(talking().may_lend(1), Ok(()));
    assert_eq!(queued().may_lend(0), Err(Refused::NotConnected));
}

#[test]
fn a_far_end_that_comes_too_late_is_not_left_in_the_dark() {
    let mut call = talking();
    leg(&mut call, 10, 0, bye());
    let taken = call.reserve_leg();
    let from = CallId::from_u128(2);

    let input = Input::Merged { by: 1, taken, party: extension("1002"), from };

    assert_eq!(call.step(at(11), input), Err(Refused::Over));
}

#[test]
fn a_meeting_goes_on_at_another_node() {
    let mut call = served();
    let (third, _) = merged(&mut call, 10, 1, "1002");
    let bytes = tandem_wire::encode(&call.picture().unwrap());
    let picture: Picture = tandem_wire::decode(&bytes, 65_536).unwrap();

    let (mut heir, effects) = Call::restore(CallId::from_u128(1), at(20), picture);

    assert_eq!(row(&effects, third), legs(&[0, 1]));
    assert_eq!(talk_ended(&leg(&mut heir, 30, 1, bye())), Some(crate::queue::Party::Agent));
}

/// the rows of the talk with a manager in each mode.
#[test]
fn a_manager_hears_both_and_is_heard_as_the_mode_says() {
    let mut call = served();
    let effects = monitor(&mut call, 10, "1009", Supervision::Listen);
    let rung = effects.iter().filter(|it| matches!(it, Effect::Dial { .. })).count();
    assert_eq!(rung, 2, "all phones of the manager ring");
    assert_eq!(row(&effects, 0), legs(&[1]), "nothing changes while they ring");

    let effects = leg(&mut call, 12, 3, LegEvent::Answered);

    assert!(effects.contains(&Effect::HangUp(2, HangUp::ELSEWHERE)));
    assert_eq!(row(&effects, 3), legs(&[0, 1]));
    assert_eq!(row(&effects, 0), legs(&[1]));
    assert_eq!(row(&effects, 1), legs(&[0]));

    let effects = monitor(&mut call, 20, "1009", Supervision::Whisper);
    assert_eq!(row(&effects, 1), legs(&[0, 3]), "the agent hears the whisper");
    assert_eq!(row(&effects, 0), legs(&[1]), "the customer does not");
    assert_eq!(row(&effects, 3), legs(&[0, 1]));

    let effects = monitor(&mut call, 30, "1009", Supervision::Barge);
    assert_eq!(row(&effects, 1), legs(&[0, 3]));
    assert_eq!(row(&effects, 0), legs(&[1, 3]));

    let effects = leg(&mut call, 40, 3, bye());
    assert_eq!(row(&effects, 0), legs(&[1]), "the talk goes on without the manager");
    assert_eq!(row(&effects, 1), legs(&[0]));
    assert_eq!(talk_ended(&effects), None);
    let is_end = |it: &Effect| matches!(it, Effect::Record(CallEvent::MonitorEnded { by, .. }) if by == "1009");
    assert!(effects.iter().any(is_end));
}

#[test]
fn a_manager_leaves_with_the_talk_and_is_in_no_count() {
    let mut call = served();
    monitor(&mut call, 10, "1009", Supervision::Barge);
    let effects = leg(&mut call, 12, 2, LegEvent::Answered);
    assert!(!effects.iter().any(|it| matches!(it, Effect::Record(CallEvent::Answered { .. }))));

    let effects = leg(&mut call, 20, 0, bye());

    assert!(effects.contains(&Effect::HangUp(2, HangUp::NORMAL)));
    assert!(call.is_over());
    assert_eq!(last_fact(&effects).0, "answered");
}

#[test]
fn a_manager_who_does_not_answer_changes_nothing() {
    let mut call = served();
    monitor(&mut call, 10, "1009", Supervision::Listen);

    leg(&mut call, 40, 2, ended(408));
    let effects = leg(&mut call, 40, 3, ended(408));

    assert!(effects.iter().all(|it| !matches!(it, Effect::Hear(..) | Effect::Record(_))));
    assert_eq!(call.view().legs.len(), 2);
}

#[test]
fn a_party_does_not_attend_itself_and_nobody_attends_where_nobody_talks() {
    let mode = Supervision::Listen;
    assert_eq!(try_monitor(&mut served(), 10, "1001", mode), Err(Refused::Party));
    assert_eq!(try_monitor(&mut queued(), 10, "1009", mode), Err(Refused::NotConnected));
    let mut call = served();
    for manager in ["1011", "1012", "1013", "1014"] {
        monitor(&mut call, 10, manager, mode);
    }
    assert_eq!(try_monitor(&mut call, 10, "1015", mode), Err(Refused::Full));
}

#[test]
fn what_is_said_to_somebody_on_hold_is_not_overheard() {
    let mut call = served();
    monitor(&mut call, 10, "1009", Supervision::Barge);
    leg(&mut call, 11, 2, LegEvent::Answered);

    let effects = leg(&mut call, 20, 1, LegEvent::Held);

    assert!(matches!(row(&effects, 0).as_deref(), Some([Heard::Player(_)])));
    assert_eq!(row(&effects, 2), legs(&[1]), "only the agent, not the customer on hold");
}

#[test]
fn a_transfer_ends_the_monitoring() {
    let mut call = served();
    monitor(&mut call, 10, "1009", Supervision::Barge);
    leg(&mut call, 11, 2, LegEvent::Answered);

    let transfer = Input::Command(CallCommand::Transfer { to: "1005".into() });
    let effects = call.step(at(20), transfer).unwrap();

    assert!(effects.contains(&Effect::HangUp(2, HangUp::NORMAL)));
}

#[test]
fn a_manager_attends_a_meeting_too() {
    let mut call = served();
    monitor(&mut call, 10, "1009", Supervision::Whisper);
    leg(&mut call, 11, 2, LegEvent::Answered);

    let (third, effects) = merged(&mut call, 20, 1, "1002");

    assert_eq!(row(&effects, 2), legs(&[0, third, 1]));
    assert_eq!(row(&effects, 1), legs(&[0, third, 2]));
    assert_eq!(row(&effects, 0), legs(&[1, third]));

    let effects = leg(&mut call, 30, 1, bye());

    assert!(effects.contains(&Effect::HangUp(2, HangUp::NORMAL)), "whom they attended is gone");
}
