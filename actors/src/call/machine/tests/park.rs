//! Slots.

use super::*;
use crate::office::Park;

const BACK_AFTER: Duration = Duration::from_secs(60);

fn try_park(call: &mut Call, secs: u64, party: Option<&str>) -> Result<Vec<Effect>, Refused> {
    let party = party.map(str::to_owned);
    let wish = Park { slot: 6000, party, back_after: BACK_AFTER };
    call.step(at(secs), Input::Command(CallCommand::Park(wish)))
}

fn played(effects: &[Effect], sound: &Sound) -> Player {
    let player = effects.iter().find_map(|it| match it {
        Effect::Play(player, played) if played == sound => Some(*player),
        _ => None,
    });
    player.unwrap()
}

fn armed(effects: &[Effect]) -> TimerId {
    let timer = effects.iter().find_map(|it| match it {
        Effect::Arm(timer, BACK_AFTER) => Some(*timer),
        _ => None,
    });
    timer.unwrap()
}

#[test]
fn q_492_the_parked_party_hears_music_and_the_other_one_the_slot_and_goes() {
    let mut call = talking();

    let effects = try_park(&mut call, 10, None).unwrap();

    let music = played(&effects, &Sound::Music);
    assert!(effects.contains(&Effect::Hear(0, vec![Heard::Player(music)])));
    let number = played(&effects, &Sound::Clips(vec![crate::flow::Clip::Digits(6000)]));
    assert!(effects.contains(&Effect::Hear(1, vec![Heard::Player(number)])));
    let effects = call.step(at(12), Input::Played(number)).unwrap();
    assert!(effects.contains(&Effect::HangUp(1, HangUp::NORMAL)));
    assert_eq!(call.parked().map(|(leg, _)| leg), Some(0));
}

#[test]
fn the_party_that_is_named_is_parked() {
    let mut call = talking();

    try_park(&mut call, 10, Some("1001")).unwrap();

    assert_eq!(call.parked(), Some((1, extension("1001"))));
    assert_eq!(try_park(&mut talking(), 10, Some("1007")), Err(Refused::NotConnected));
    assert_eq!(try_park(&mut queued(), 10, None), Err(Refused::NotConnected));
}

#[test]
fn a_parked_party_that_is_fetched_leaves_the_call_and_its_slot() {
    let mut call = talking();
    try_park(&mut call, 10, None).unwrap();

    let effects = call.step(at(20), Input::Surrendered { gone: 0, to: None }).unwrap();

    assert!(effects.contains(&Effect::FreeSlot(6000)));
    assert!(effects.contains(&Effect::HangUp(1, HangUp::NORMAL)), "also who still hears it");
    assert_eq!(last_fact(&effects), ("answered", 18_000_000, 10_000_000));
    assert!(call.is_over());
}

#[test]
fn whom_nobody_fetches_rings_where_they_were_parked_from() {
    let mut call = talking();
    let timer = armed(&try_park(&mut call, 10, None).unwrap());
    leg(&mut call, 12, 1, bye());

    let effects = call.step(at(70), Input::Timer(timer)).unwrap();

    assert!(effects.contains(&Effect::FreeSlot(6000)));
    let request = effects.iter().find_map(|it| match it {
        Effect::Route { request, dialled, .. } if dialled == "1001" => Some(*request),
        _ => None,
    });
    let routed = Input::Routed { request: request.unwrap(), route: devices("1001", 1) };
    let effects = call.step(at(70), routed).unwrap();
    assert!(effects.iter().any(|it| matches!(it, Effect::Dial { leg: 2, .. })));
    let effects = leg(&mut call, 75, 2, LegEvent::Answered);
    assert!(effects.contains(&Effect::Hear(0, vec![Heard::Leg(2)])));
}

#[test]
fn a_parked_party_that_hangs_up_frees_the_slot_and_the_queue_s_talk_ended_before() {
    let mut call = queued();
    offer(&mut call, 1, 1, "1001");
    leg(&mut call, 2, 1, LegEvent::Answered);

    let effects = try_park(&mut call, 10, None).unwrap();

    let is_end = |it: &Effect| matches!(it, Effect::Queue(_, QueueAct::CallEnded { agent, .. }) if agent == "1001");
    assert!(effects.iter().any(is_end), "the agent rests and takes others");
    let effects = leg(&mut call, 20, 0, bye());
    assert!(effects.contains(&Effect::FreeSlot(6000)));
    assert!(!effects.iter().any(is_end));
    assert!(call.is_over());
}

#[test]
fn who_dials_a_slot_talks_with_whom_they_find_there() {
    let (mut call, effects) = begun(Route::Slot(6000));
    assert!(effects.contains(&Effect::Fetch { request: 1, slot: 6000 }));
    let taken = call.reserve_leg();

    let fetched = Input::Fetched { request: 1, taken: Some((taken, extension("1005"))) };
    let effects = call.step(at(1), fetched).unwrap();

    assert!(effects.contains(&Effect::Answer(0)));
    assert!(effects.contains(&Effect::Hear(0, vec![Heard::Leg(taken)])));
    assert!(effects.contains(&Effect::Hear(taken, vec![Heard::Leg(0)])));
}

#[test]
fn a_slot_with_nobody_on_it_is_not_found() {
    let (mut call, _) = begun(Route::Slot(6000));

    let effects = call.step(at(1), Input::Fetched { request: 1, taken: None }).unwrap();

    assert_eq!(told(&effects), (404, 1));
    assert!(call.is_over());
}

#[test]
fn who_hangs_up_before_the_party_comes_leaves_nobody_in_the_dark() {
    let (mut call, _) = begun(Route::Slot(6000));
    leg(&mut call, 1, 0, bye());
    assert!(call.is_over());
    let taken = call.reserve_leg();

    let late = Input::Fetched { request: 1, taken: Some((taken, extension("1005"))) };

    assert_eq!(call.step(at(2), late), Err(Refused::Over));
}
