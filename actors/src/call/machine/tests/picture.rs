//! What another member goes on with.

use super::*;
use crate::call::machine::Picture;
use crate::office::Park;

/// The call at another member, from its picture as the journal gives it back.
fn moved(call: &Call, secs: u64) -> (Call, Vec<Effect>) {
    let picture = call.picture().unwrap();
    let bytes = tandem_wire::encode(&picture);
    let read: Picture = tandem_wire::decode(&bytes, 65_536).unwrap();
    assert_eq!(read, picture);
    Call::restore(call.facts.id(), at(secs), read)
}

#[test]
fn two_who_talk_hear_each_other_at_another_member_and_the_record_is_one() {
    let (mut call, effects) = moved(&talking(), 30);

    assert!(effects.contains(&Effect::Hear(0, vec![Heard::Leg(1)])), "{effects:?}");
    assert!(effects.contains(&Effect::Hear(1, vec![Heard::Leg(0)])), "{effects:?}");
    assert!(!effects.iter().any(|it| matches!(it, Effect::Record(_))), "nothing has happened");
    let effects = leg(&mut call, 60, 1, bye());
    assert_eq!(last_fact(&effects).0, "answered");
    let untouched = {
        let mut call = talking();
        leg(&mut call, 60, 1, bye())
    };
    assert_eq!(last_fact(&effects), last_fact(&untouched));
}

#[test]
fn a_hold_goes_on_at_another_member() {
    let mut call = talking();
    leg(&mut call, 5, 1, LegEvent::Held);

    let (mut call, effects) = moved(&call, 30);

    assert!(effects.iter().any(|it| matches!(it, Effect::Play(_, Sound::Hold { .. }))));
    let effects = leg(&mut call, 40, 1, LegEvent::Resumed);
    assert!(effects.contains(&Effect::Hear(0, vec![Heard::Leg(1)])), "{effects:?}");
}

#[test]
fn q_059_a_caller_asks_at_another_member_for_the_place_that_they_had() {
    let (mut call, effects) = moved(&queued(), 30);

    let told: Vec<_> = effects.iter().filter(|it| matches!(it, Effect::Queue(..))).collect();
    let acts = [QueueAct::Moved, QueueAct::Greeted, QueueAct::Join { stay: 1 }];
    let expected: Vec<_> = acts.map(|act| Effect::Queue("6400".into(), act)).into();
    assert_eq!(told, expected.iter().collect::<Vec<_>>());
    assert!(effects.iter().any(|it| matches!(it, Effect::Play(_, Sound::Waiting { .. }))));
    assert_eq!(call.waits_in(), Some(("6400", 1)));
    let rung = offer(&mut call, 31, 7, "1001");
    assert!(rung.iter().any(is_dial), "an agent rings from there");
}

#[test]
fn an_agent_s_talk_is_over_for_the_queue_wherever_it_ends() {
    let mut call = queued();
    offer(&mut call, 1, 7, "1001");
    leg(&mut call, 2, 1, LegEvent::Answered);

    let (mut call, effects) = moved(&call, 30);
    assert!(effects.contains(&Effect::InCall("1001".into())), "{effects:?}");
    let effects = leg(&mut call, 62, 0, bye());

    let ended = effects.iter().find_map(|it| match it {
        Effect::Queue(queue, QueueAct::CallEnded { agent, talk, .. }) => {
            Some((queue.as_str(), agent.as_str(), talk.as_secs()))
        }
        _ => None,
    });
    assert_eq!(ended, Some(("6400", "1001", 60)));
}

#[test]
fn what_is_only_on_its_way_is_not_kept() {
    let (ringing, _) = begun(devices("1001", 2));
    assert_eq!(ringing.picture(), None);
    let mut over = talking();
    leg(&mut over, 60, 1, bye());
    assert_eq!(over.picture(), None);
}

/// The destination that is looked up next.
fn sent(effects: &[Effect]) -> Option<&Destination> {
    effects.iter().find_map(|it| match it {
        Effect::RouteDestination { destination, .. } => Some(destination),
        _ => None,
    })
}

#[test]
fn a_caller_in_a_menu_hears_it_anew_at_another_member() {
    let (call, _) = begun(menu());

    let (mut call, effects) = moved(&call, 30);

    assert_eq!(sent(&effects), Some(&Destination::Ivr { number: "6500".into() }));
    assert_eq!(call.picture(), None, "until it is found");
    let effects = leg(&mut call, 60, 0, bye());
    assert!(call.is_over());
    assert_eq!(last_fact(&effects), ("cancelled", 0, 0), "it ended before it was found");
}

#[test]
fn who_was_sent_on_by_a_menu_is_sent_there_anew_while_nobody_has_answered() {
    let (mut call, _) = begun(menu());
    let effects = call.step(at(1), Input::Digit(0, '1')).unwrap();
    let wanted = sent(&effects).cloned().unwrap();
    call.step(at(2), Input::Routed { request: 1, route: devices("1001", 1) }).unwrap();

    let (_, effects) = moved(&call, 30);

    assert_eq!(sent(&effects), Some(&wanted));
}

#[test]
fn a_parked_caller_comes_back_to_who_parked_them_from_another_member() {
    let mut call = talking();
    let wish = Park { slot: 6000, party: None, back_after: Duration::from_secs(60) };
    call.step(at(10), Input::Command(CallCommand::Park(wish))).unwrap();

    let (_, effects) = moved(&call, 30);

    let unparked =
        |it: &Effect| matches!(it, Effect::Record(CallEvent::Unparked { slot: 6000, .. }));
    assert!(effects.iter().any(unparked), "{effects:?}");
    let rung = effects.iter().find_map(|it| match it {
        Effect::Route { dialled, .. } => Some(dialled.as_str()),
        _ => None,
    });
    assert_eq!(rung, Some("1001"));
}

#[test]
fn what_an_older_build_does_not_read_is_of_the_second_level() {
    let (menu, _) = begun(menu());

    let levels = [talking(), queued(), menu].map(|call| call.picture().unwrap().since());

    assert_eq!(levels, [1, 1, 2]);
}
