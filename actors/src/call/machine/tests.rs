#![allow(clippy::unwrap_used)]

mod agent_words;
mod circle;
mod meeting;
mod park;
mod picture;
mod queued;
mod replaced;
mod returning;
mod voice;

use std::time::Duration;

use tandem_config::resource::Destination;
use tandem_kernel::{CallId, Timestamp};

use super::*;
use crate::call::event::CallEvent;
use crate::callback::Outcome;
use crate::outbound::{Barred, Rule};
use crate::queue::{Exit, OfferEnd, OfferId};

const RING: Duration = Duration::from_secs(30);

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_000 + secs)
}

fn extension(number: &str) -> Party {
    Party::Extension { number: number.into(), name: String::new() }
}

fn device(number: &str, binding: &str) -> Device {
    Device { extension: number.into(), name: String::new(), binding: binding.into() }
}

fn devices(number: &str, count: usize) -> Route {
    Route::Devices {
        extension: number.into(),
        devices: (0..count).map(|n| device(number, &format!("{number}-{n}"))).collect(),
        ring_for: RING,
    }
}

fn line(trunk: &str) -> Line {
    Line {
        trunk: trunk.into(),
        number: "5551".into(),
        caller_id: String::new(),
        uri: None,
        is_emergency: false,
        price_per_minute: 0,
    }
}

fn lines(trunks: &[&str]) -> Route {
    Route::Lines {
        number: "5551".into(),
        lines: trunks.iter().map(|trunk| line(trunk)).collect(),
        outgoing: Box::default(),
    }
}

fn begun(route: Route) -> (Call, Vec<Effect>) {
    let mut call = Call::new(CallId::from_u128(1), at(0));
    let input = Input::Begin { caller: extension("1000"), dialled: "x".into(), route };
    let effects = call.step(at(0), input).unwrap();
    (call, effects)
}

fn leg(call: &mut Call, secs: u64, leg: LegIndex, event: LegEvent) -> Vec<Effect> {
    call.step(at(secs), Input::Leg(leg, event)).unwrap()
}

fn to_lines(lines: Vec<Line>) -> LegEvent {
    LegEvent::Redirected(Redirect::Lines(lines))
}

fn to_number(number: &str) -> LegEvent {
    LegEvent::Redirected(Redirect::Number(number.into()))
}

fn ended(status: u16) -> LegEvent {
    LegEvent::Ended(LegEnd::status(status, "test"))
}

fn bye() -> LegEvent {
    LegEvent::Ended(LegEnd { status: None, by_party: true, why: "bye".into() })
}

fn last_fact(effects: &[Effect]) -> (&str, u64, u64) {
    effects
        .iter()
        .find_map(|effect| match effect {
            Effect::Record(CallEvent::Ended { outcome, talk_us, hold_us, .. }) => {
                Some((outcome.as_str(), *talk_us, *hold_us))
            }
            _ => None,
        })
        .expect("the call ended")
}

/// The status and cause that the caller's leg is refused with.
fn told(effects: &[Effect]) -> (u16, u16) {
    effects
        .iter()
        .find_map(|effect| match effect {
            Effect::HangUp(0, how) => Some((how.status, how.cause)),
            _ => None,
        })
        .expect("the caller is told")
}

fn talking() -> Call {
    let (mut call, _) = begun(devices("1001", 1));
    leg(&mut call, 1, 1, LegEvent::Ringing);
    leg(&mut call, 2, 1, LegEvent::Answered);
    call
}

fn queued() -> Call {
    let (call, effects) = begun(Route::Queue { number: "6400".into() });
    assert!(effects.contains(&Effect::Answer(0)));
    assert!(effects.contains(&Effect::Queue("6400".into(), QueueAct::Join { stay: 1 })));
    call
}

fn offer(call: &mut Call, secs: u64, id: u64, agent: &str) -> Vec<Effect> {
    let input = Input::Offered {
        offer: OfferId(id),
        agent: agent.into(),
        devices: vec![device(agent, agent)],
        ring_for: RING,
    };
    call.step(at(secs), input).unwrap()
}

#[test]
fn all_phones_of_an_extension_ring_and_the_first_to_answer_wins() {
    let (mut call, effects) = begun(devices("1001", 2));
    assert_eq!(effects.iter().filter(|it| matches!(it, Effect::Dial { .. })).count(), 2);

    assert!(leg(&mut call, 1, 1, LegEvent::Ringing).contains(&Effect::Ring(0)));
    assert!(!leg(&mut call, 1, 2, LegEvent::Ringing).contains(&Effect::Ring(0)));
    let effects = leg(&mut call, 2, 2, LegEvent::Answered);

    assert!(effects.contains(&Effect::Answer(0)));
    assert!(effects.contains(&Effect::HangUp(1, HangUp::ELSEWHERE)));
    assert!(effects.contains(&Effect::Hear(0, vec![Heard::Leg(2)])));
    assert!(effects.contains(&Effect::Hear(2, vec![Heard::Leg(0)])));
}

#[test]
fn an_extension_without_a_phone_is_unavailable() {
    let (call, effects) = begun(devices("1001", 0));

    assert!(call.is_over());
    assert_eq!(told(&effects), (480, 20));
    assert_eq!(last_fact(&effects).0, "no_answer");
}

#[test]
fn an_extension_whose_phones_can_not_be_reached_is_unavailable() {
    let (mut call, _) = begun(devices("1001", 1));

    let lost = LegEvent::Ended(LegEnd::unreachable("the connection broke"));
    let effects = leg(&mut call, 1, 1, lost);

    assert_eq!(told(&effects), (480, 20));
}

#[test]
fn a_busy_phone_makes_the_caller_busy() {
    let (mut call, _) = begun(devices("1001", 1));

    let effects = leg(&mut call, 1, 1, ended(486));

    assert!(effects.iter().any(|it| matches!(it, Effect::HangUp(0, how) if how.status == 486)));
    assert_eq!(last_fact(&effects).0, "busy");
}

fn unanswered(events: &[LegEvent]) -> Vec<Effect> {
    let (mut call, effects) = begun(devices("1001", 1));
    let timer = effects.iter().find_map(|it| match it {
        Effect::Arm(timer, after) if *after == RING => Some(*timer),
        _ => None,
    });
    for event in events {
        leg(&mut call, 1, 1, event.clone());
    }
    call.step(at(30), Input::Timer(timer.unwrap())).unwrap()
}

#[test]
fn a_phone_that_nobody_answers_in_time_is_told_from_one_that_is_silent() {
    let rung = unanswered(&[LegEvent::Trying, LegEvent::Ringing]);
    let silent = unanswered(&[]);

    assert!(rung.contains(&Effect::HangUp(1, HangUp::NORMAL)));
    assert_eq!((told(&rung), told(&silent)), ((480, 19), (408, 18)));
    assert_eq!((last_fact(&rung).0, last_fact(&silent).0), ("no_answer", "no_answer"));
}

#[test]
fn the_caller_hangs_up_while_it_rings() {
    let (mut call, _) = begun(devices("1001", 1));

    let effects = leg(&mut call, 1, 0, ended(487));

    assert!(effects.contains(&Effect::HangUp(1, HangUp::NORMAL)));
    assert_eq!(last_fact(&effects).0, "cancelled");
}

#[test]
fn a_dead_trunk_is_followed_by_the_next() {
    let (mut call, _) = begun(lines(&["a", "b"]));

    let effects = leg(&mut call, 1, 1, ended(503));

    let dials_b = |it: &Effect| matches!(it, Effect::Dial { to: Dialled::Line(line), .. } if line.trunk == "b");
    assert!(effects.iter().any(dials_b));
}

fn silence_timer(effects: &[Effect]) -> TimerId {
    let armed = effects.iter().find_map(|it| match it {
        Effect::Arm(timer, after) if *after == Duration::from_secs(4) => Some(*timer),
        _ => None,
    });
    armed.unwrap()
}

#[test]
fn a_silent_trunk_is_followed_by_the_next_within_four_seconds() {
    let (mut call, effects) = begun(lines(&["a", "b"]));

    let effects = call.step(at(4), Input::Timer(silence_timer(&effects))).unwrap();

    assert!(effects.contains(&Effect::HangUp(1, HangUp::NORMAL)));
    assert!(effects.iter().any(|it| matches!(it, Effect::Dial { leg: 2, .. })));
}

#[test]
fn a_trunk_that_says_trying_is_given_its_time() {
    let (mut call, effects) = begun(lines(&["a", "b"]));
    leg(&mut call, 1, 1, LegEvent::Trying);

    assert_eq!(call.step(at(4), Input::Timer(silence_timer(&effects))).unwrap(), []);
}

#[test]
fn a_busy_number_is_not_tried_on_the_next_trunk() {
    let (mut call, _) = begun(lines(&["a", "b"]));

    leg(&mut call, 1, 1, ended(486));

    assert!(call.is_over());
}

#[test]
fn a_redirect_is_followed_but_not_for_ever() {
    let (mut call, _) = begun(lines(&["a"]));
    for hop in 1..=5 {
        leg(&mut call, 1, hop, to_lines(vec![line("a")]));
    }

    leg(&mut call, 1, 6, to_lines(vec![line("a")]));

    assert!(call.is_over());
}

#[test]
fn a_line_that_redirects_to_nowhere_is_followed_by_the_next_one() {
    let (mut call, _) = begun(lines(&["a", "b"]));

    let effects = leg(&mut call, 1, 1, to_lines(Vec::new()));

    assert!(!call.is_over(), "{effects:?}");
    leg(&mut call, 2, 2, LegEvent::Answered);
    assert_eq!(last_fact(&leg(&mut call, 5, 0, bye())), ("answered", 3_000_000, 0));
}

#[test]
fn a_phone_that_points_elsewhere_leaves_the_others_ringing() {
    let (mut call, _) = begun(devices("1001", 2));

    let effects = leg(&mut call, 1, 1, to_number("1005"));
    assert!(!effects.iter().any(|it| matches!(it, Effect::HangUp(..))), "{effects:?}");
    leg(&mut call, 2, 2, LegEvent::Answered);
    let effects = leg(&mut call, 5, 0, bye());

    assert_eq!(last_fact(&effects), ("answered", 3_000_000, 0));
}

#[test]
fn a_call_goes_where_the_last_phone_points_by_the_rights_of_its_extension() {
    let (mut call, _) = begun(devices("1001", 1));

    let effects = leg(&mut call, 1, 1, to_number("5551"));

    let asked = effects.iter().find_map(|it| match it {
        Effect::Route { request, dialled, by, .. } => Some((*request, dialled.as_str(), by)),
        _ => None,
    });
    let (request, dialled, by) = asked.unwrap();
    assert_eq!((dialled, by), ("5551", &extension("1001")));
    let effects = call.step(at(1), Input::Routed { request, route: lines(&["a"]) }).unwrap();
    let goes_out =
        |it: &Effect| matches!(it, Effect::Record(CallEvent::Outgoing { by, .. }) if by == "1001");
    assert!(effects.iter().any(goes_out), "{effects:?}");
    leg(&mut call, 3, 2, LegEvent::Answered);
    assert_eq!(last_fact(&leg(&mut call, 5, 0, bye())), ("answered", 2_000_000, 0));
}

#[test]
fn a_feature_code_is_carried_out_for_nobody_whose_call_was_forwarded_or_transferred() {
    let is_code = |it: &Effect| matches!(it, Effect::Code { .. });
    let code = || Route::Code { code: "*07".into() };
    let (mut call, _) = begun(devices("1001", 1));
    leg(&mut call, 1, 1, to_number("*07"));
    let effects = call.step(at(1), Input::Routed { request: 1, route: code() }).unwrap();
    assert!(!effects.iter().any(is_code), "{effects:?}");
    assert_eq!(told(&effects).0, 403);

    let mut call = talking();
    leg(&mut call, 5, 1, LegEvent::Referred { refer: 7, to: "*07".into() });
    let effects = call.step(at(5), Input::Routed { request: 1, route: code() }).unwrap();
    assert!(!effects.iter().any(is_code), "{effects:?}");
    let refused = Effect::TransferProgress { leg: 1, refer: 7, status: 403, last: true };
    assert!(effects.contains(&refused) && !call.is_over(), "{effects:?}");

    let (_, effects) = begun(code());
    assert!(effects.iter().any(is_code), "who dials it themselves");
}

#[test]
fn phones_that_point_at_each_other_end_the_call_as_a_circle() {
    let (mut call, _) = begun(devices("1001", 1));
    for hop in 1.. {
        let effects = leg(&mut call, 1, hop, to_number("1001"));
        if call.is_over() {
            assert_eq!((told(&effects), hop), ((482, 25), 11));
            return;
        }
        let route = devices("1001", 1);
        call.step(at(1), Input::Routed { request: u32::from(hop), route }).unwrap();
    }
}

#[test]
fn a_phone_of_a_ring_group_hands_nobody_on_and_one_without_a_number_neither() {
    let group = Route::Group {
        number: "6200".into(),
        rounds: vec![vec![device("1001", "a")]],
        ring_for: RING,
        failover: Destination::EndCall,
    };
    let (mut call, _) = begun(group);
    let effects = leg(&mut call, 1, 1, to_number("5551"));
    assert!(!effects.iter().any(|it| matches!(it, Effect::Route { .. })), "{effects:?}");

    let with_mailbox = Route::Group {
        number: "1001".into(),
        rounds: vec![vec![device("1001", "a")]],
        ring_for: RING,
        failover: Destination::ExtVm { number: "1001".into() },
    };
    let (mut call, _) = begun(with_mailbox);
    let effects = leg(&mut call, 1, 1, to_number("5551"));
    assert!(effects.iter().any(|it| matches!(it, Effect::Route { .. })), "{effects:?}");

    let (mut call, _) = begun(devices("1001", 1));
    assert_eq!(told(&leg(&mut call, 1, 1, to_number(""))).0, 480);
    assert!(call.is_over());
}

#[test]
fn early_media_of_a_trunk_reaches_the_caller() {
    let (mut call, _) = begun(lines(&["a"]));

    let effects = leg(&mut call, 1, 1, LegEvent::EarlyMedia);

    assert!(effects.contains(&Effect::Progress(0)));
    assert!(effects.contains(&Effect::Hear(0, vec![Heard::Leg(1)])));
}

#[test]
fn the_held_party_hears_music_and_the_hold_time_is_counted() {
    let mut call = talking();

    let effects = leg(&mut call, 10, 1, LegEvent::Held);
    assert!(effects.iter().any(|it| matches!(it, Effect::Play(_, Sound::Hold { .. }))));
    let effects = leg(&mut call, 15, 1, LegEvent::Resumed);
    assert!(effects.contains(&Effect::Hear(0, vec![Heard::Leg(1)])));
    let effects = leg(&mut call, 22, 0, bye());

    assert_eq!(last_fact(&effects), ("answered", 20_000_000, 5_000_000));
}

#[test]
fn a_blind_transfer_moves_the_other_party() {
    let mut call = talking();
    let effects = leg(&mut call, 5, 1, LegEvent::Referred { refer: 7, to: "1002".into() });
    let request = effects.iter().find_map(|it| match it {
        Effect::Route { request, .. } => Some(*request),
        _ => None,
    });
    let routed = Input::Routed { request: request.unwrap(), route: devices("1002", 1) };
    call.step(at(5), routed).unwrap();

    let effects = leg(&mut call, 6, 2, LegEvent::Ringing);
    let told = Effect::TransferProgress { leg: 1, refer: 7, status: 180, last: false };
    assert!(effects.contains(&told));
    let effects = leg(&mut call, 7, 2, LegEvent::Answered);

    let told = Effect::TransferProgress { leg: 1, refer: 7, status: 200, last: true };
    assert!(effects.contains(&told));
    assert!(effects.contains(&Effect::HangUp(1, HangUp::NORMAL)));
    assert!(effects.contains(&Effect::Hear(0, vec![Heard::Leg(2)])));
}

fn transfer_to_a_busy_phone(transferor_leaves: bool) -> (Call, Vec<Effect>) {
    let mut call = talking();
    leg(&mut call, 5, 1, LegEvent::Referred { refer: 7, to: "1002".into() });
    call.step(at(5), Input::Routed { request: 1, route: devices("1002", 1) }).unwrap();
    if transferor_leaves {
        leg(&mut call, 6, 1, bye());
    }
    let effects = leg(&mut call, 7, 2, ended(486));
    (call, effects)
}

#[test]
fn a_failed_transfer_gives_the_party_back() {
    let (_, effects) = transfer_to_a_busy_phone(false);

    let told = Effect::TransferProgress { leg: 1, refer: 7, status: 486, last: true };
    assert!(effects.contains(&told));
    assert!(effects.contains(&Effect::Hear(0, vec![Heard::Leg(1)])));
}

#[test]
fn a_failed_transfer_rings_a_transferor_who_has_hung_up() {
    let (mut call, effects) = transfer_to_a_busy_phone(true);
    assert!(
        effects.iter().any(|it| matches!(it, Effect::Route { dialled, .. } if dialled == "1001"))
    );
    call.step(at(8), Input::Routed { request: 2, route: devices("1001", 1) }).unwrap();

    let effects = leg(&mut call, 9, 3, LegEvent::Answered);

    assert!(effects.contains(&Effect::Hear(0, vec![Heard::Leg(3)])));
}

#[test]
fn an_attended_transfer_takes_the_far_end_of_the_other_call() {
    let mut call = talking();
    let taken = call.reserve_leg();

    let event = LegEvent::Joined { refer: 3, taken, party: extension("1002") };
    let effects = leg(&mut call, 9, 1, event);

    assert!(effects.contains(&Effect::HangUp(1, HangUp::NORMAL)));
    assert!(effects.contains(&Effect::Hear(0, vec![Heard::Leg(taken)])));
    assert!(!call.is_over());
}

#[test]
fn q_050_an_agent_answers_and_the_record_has_wait_and_talk() {
    let mut call = queued();
    offer(&mut call, 1, 1, "1001");
    let effects = leg(&mut call, 2, 1, LegEvent::Ringing);
    assert!(effects.contains(&Effect::Queue("6400".into(), QueueAct::OfferRinging(OfferId(1)))));

    let effects = leg(&mut call, 7, 1, LegEvent::Answered);

    assert!(effects.contains(&Effect::Queue("6400".into(), QueueAct::OfferAnswered(OfferId(1)))));
    assert!(effects.iter().any(|it| matches!(
        it,
        Effect::Record(CallEvent::QueueLeft { wait_us: 7_000_000, agent: Some(agent), .. })
            if agent == "1001"
    )));
    let effects = leg(&mut call, 17, 0, bye());
    assert!(effects.contains(&Effect::Queue(
        "6400".into(),
        QueueAct::CallEnded {
            agent: "1001".into(),
            by: crate::queue::Party::Caller,
            talk: Duration::from_secs(10)
        }
    )));
    assert_eq!(last_fact(&effects), ("answered", 10_000_000, 0));
}

#[test]
fn q_061_a_rejected_offer_ends_at_once() {
    let mut call = queued();
    offer(&mut call, 1, 1, "1001");

    let effects = leg(&mut call, 2, 1, ended(603));

    let told = QueueAct::OfferEnded(OfferId(1), OfferEnd::Rejected);
    assert!(effects.contains(&Effect::Queue("6400".into(), told)));
}

#[test]
fn q_132_a_caller_who_hangs_up_while_agents_ring_has_abandoned() {
    let mut call = queued();
    offer(&mut call, 1, 1, "1001");

    let effects = leg(&mut call, 4, 0, bye());

    assert!(effects.contains(&Effect::Queue("6400".into(), QueueAct::CallerGone)));
    assert!(effects.contains(&Effect::HangUp(1, HangUp::NORMAL)));
    assert_eq!(last_fact(&effects).0, "abandoned");
}

#[test]
fn q_025_after_the_maximum_wait_the_caller_goes_to_the_failover_destination() {
    let mut call = queued();
    let failover = Destination::Extension { number: "1005".into() };

    let effects = call.step(at(60), Input::QueueLeft { exit: Exit::MaxWait, failover }).unwrap();
    assert!(effects.iter().any(|it| matches!(it, Effect::RouteDestination { .. })));
    call.step(at(60), Input::Routed { request: 1, route: devices("1005", 1) }).unwrap();
    let effects = leg(&mut call, 61, 1, LegEvent::Ringing);

    assert!(effects.iter().any(|it| matches!(it, Effect::Play(_, Sound::RingBack))));
}

#[test]
fn q_051_all_other_phones_stop_when_one_agent_answers() {
    let mut call = queued();
    offer(&mut call, 1, 1, "1001");
    offer(&mut call, 1, 2, "1002");

    let effects = leg(&mut call, 2, 2, LegEvent::Answered);

    assert!(effects.contains(&Effect::HangUp(1, HangUp::NORMAL)));
}

#[test]
fn a_late_timer_has_no_effect() {
    let mut call = talking();

    assert_eq!(call.step(at(30), Input::Timer(TimerId(1))).unwrap(), []);
}

#[test]
fn nothing_happens_after_the_end() {
    let mut call = talking();
    leg(&mut call, 9, 0, bye());

    assert_eq!(call.step(at(9), Input::Played(Player(1))), Err(Refused::Over));
}

#[test]
fn each_sound_that_was_started_is_stopped() {
    let mut call = queued();
    let mut effects = offer(&mut call, 1, 1, "1001");
    effects.extend(leg(&mut call, 2, 1, LegEvent::Answered));
    effects.extend(leg(&mut call, 3, 1, LegEvent::Held));
    effects.extend(leg(&mut call, 4, 1, bye()));

    let started = effects.iter().filter(|it| matches!(it, Effect::Play(..))).count();
    let stopped = effects.iter().filter(|it| matches!(it, Effect::StopPlaying(_))).count();

    // The waiting music was started before.
    assert_eq!(stopped, started + 1);
}

fn menu() -> Route {
    let ivr = serde_json::json!({
        "number": "6500", "name": "m", "prompt": "p",
        "keys": { "1": { "type": "extension", "number": "1001" } },
    });
    let ivr = serde_json::from_value(ivr).unwrap();
    Route::Script(Box::new(crate::flow::Script::Menu(crate::flow::Menu::new(ivr))))
}

#[test]
fn q_026_a_digit_in_a_menu_hands_the_call_on_however_it_was_pressed() {
    let presses = [Input::Digit(0, '1'), Input::Leg(0, LegEvent::Dtmf('1'))];
    for press in presses {
        let (mut call, effects) = begun(menu());
        assert!(effects.contains(&Effect::Answer(0)));

        let effects = call.step(at(2), press).unwrap();

        let leads = effects.iter().any(|it| {
            matches!(it, Effect::RouteDestination { destination, .. }
                if *destination == Destination::Extension { number: "1001".into() })
        });
        assert!(leads, "{effects:?}");
        let routed = Input::Routed { request: 1, route: devices("1001", 1) };
        assert!(call.step(at(2), routed).unwrap().iter().any(is_dial));
    }
}

fn is_dial(effect: &Effect) -> bool {
    matches!(effect, Effect::Dial { .. })
}

fn message() -> Route {
    let options = tandem_config::resource::MailboxOptions::default();
    let leave = crate::flow::Leave::new("1001".into(), &options, false);
    Route::Script(Box::new(crate::flow::Script::Leave(leave)))
}

#[test]
fn q_026_a_caller_who_hangs_up_while_recorded_ends_the_recording() {
    let (mut call, effects) = begun(message());
    let player = effects.iter().find_map(|it| match it {
        Effect::Play(player, _) => Some(*player),
        _ => None,
    });
    let recording = call.step(at(3), Input::Played(player.unwrap())).unwrap();
    assert!(recording.iter().any(|it| matches!(it, Effect::RecordMessage { leg: 0, .. })));

    let effects = leg(&mut call, 9, 0, bye());

    assert!(effects.contains(&Effect::EndRecording(0)));
    assert_eq!(last_fact(&effects).0, "voicemail");
}

#[test]
fn q_026_a_round_of_phones_follows_the_other_and_then_the_failover() {
    let rounds = vec![vec![device("1001", "a")], Vec::new(), vec![device("1002", "b")]];
    let failover = Destination::ExtVm { number: "1001".into() };
    let route =
        Route::Group { number: "6300".into(), rounds, ring_for: RING, failover: failover.clone() };
    let (mut call, effects) = begun(route);
    assert_eq!(effects.iter().filter(|it| is_dial(it)).count(), 1);

    let second = leg(&mut call, 1, 1, ended(486));
    assert_eq!(second.iter().filter(|it| is_dial(it)).count(), 1, "the next round");
    let last = leg(&mut call, 2, 2, ended(486));

    let leads = last.iter().any(
        |it| matches!(it, Effect::RouteDestination { destination, .. } if *destination == failover),
    );
    assert!(leads && !call.is_over(), "{last:?}");
}

fn played(effects: &[Effect]) -> Player {
    let sound = effects.iter().find_map(|it| match it {
        Effect::Play(player, Sound::Prompt { .. } | Sound::Busy) => Some(*player),
        _ => None,
    });
    sound.unwrap()
}

#[test]
fn a_call_that_is_not_let_out_hears_why_before_it_is_refused() {
    let barred = Barred { rule: Rule::Country, why: "barred".into() };
    let (mut call, effects) = begun(Route::Barred { number: "00123".into(), barred });

    assert!(effects.contains(&Effect::Progress(0)));
    let is_fact = |it: &Effect| matches!(it, Effect::Record(CallEvent::Barred { rule: Rule::Country, by, .. }) if by == "1000");
    assert!(effects.iter().any(is_fact), "{effects:?}");
    let effects = call.step(at(3), Input::Played(played(&effects))).unwrap();

    assert!(
        effects.contains(&Effect::HangUp(0, HangUp { status: 403, cause: 21, elsewhere: false }))
    );
    assert_eq!(last_fact(&effects).0, "rejected");
}

#[test]
fn each_line_that_fails_leaves_its_cause_in_plain_words() {
    let (mut call, _) = begun(lines(&["a", "b"]));

    let effects = leg(&mut call, 1, 1, ended(503));

    let failed = effects.iter().find_map(|it| match it {
        Effect::Record(CallEvent::LineFailed { trunk, status, meaning, .. }) => {
            Some((trunk.as_str(), *status, meaning.as_str()))
        }
        _ => None,
    });
    assert_eq!(failed, Some(("a", 503, "the line is not available")));
}

#[test]
fn d_027_a_phone_that_was_rung_first_hears_that_the_other_end_was_not_reached() {
    let mut call = Call::new(CallId::from_u128(1), at(0));
    let input = Input::Originate {
        caller: extension("1000"),
        devices: vec![device("1000", "a"), device("1000", "b")],
        dialled: "5551".into(),
        ring_for: RING,
        errand: Box::new(Errand { auto_answer: Some("b".into()), ..Errand::default() }),
    };
    let effects = call.step(at(0), input).unwrap();
    // D-029: one of the phones is asked to answer by itself.
    let intercoms = effects.iter().filter(|it| {
        matches!(it, Effect::Dial { to: Dialled::Intercom(device), .. } if device.binding == "b")
    });
    assert_eq!(intercoms.count(), 1);
    let effects = leg(&mut call, 1, 0, LegEvent::Answered);
    let request = effects.iter().find_map(|it| match it {
        Effect::Route { request, .. } => Some(*request),
        _ => None,
    });
    let routed = Input::Routed { request: request.unwrap(), route: lines(&["a"]) };
    call.step(at(1), routed).unwrap();

    let effects = leg(&mut call, 2, 2, ended(486));
    let timer = effects.iter().find_map(|it| match it {
        Effect::Arm(timer, after) if *after == Duration::from_secs(10) => Some(*timer),
        _ => None,
    });
    played(&effects);
    assert!(!call.is_over());
    let effects = call.step(at(12), Input::Timer(timer.unwrap())).unwrap();

    assert_eq!(last_fact(&effects).0, "busy");
}

fn callback(is_agent_only: bool) -> Route {
    Route::Callback(Box::new(Callback {
        agent: "1001".into(),
        is_agent_only,
        outbound_call: CallId::from_u128(7),
        outbound_at: at(0),
        prompt: "unavailable".into(),
        announcement: None,
        grace: Duration::ZERO,
        ring_for: RING,
        otherwise: devices("1000", 1),
    }))
}

fn called_back(route: Route) -> (Call, u32) {
    let mut call = Call::new(CallId::from_u128(1), at(0));
    let caller =
        Party::Outside { trunk: "carrier".into(), number: "0912".into(), name: String::new() };
    let input = Input::Begin { caller, dialled: "5550100".into(), route };
    let effects = call.step(at(0), input).unwrap();
    let claim = effects.iter().find_map(|it| match it {
        Effect::Claim { request, extension, .. } if extension == "1001" => Some(*request),
        _ => None,
    });
    (call, claim.unwrap())
}

fn outcome_of(effects: &[Effect]) -> Option<(Outcome, bool)> {
    effects.iter().find_map(|it| match it {
        Effect::Record(CallEvent::CalledBack { note, .. }) => Some((note.outcome, note.fell_back)),
        _ => None,
    })
}

#[test]
fn c_027_in_mode_one_an_agent_who_is_not_free_means_the_prompt_and_the_end() {
    let (mut call, request) = called_back(callback(true));

    let effects = call.step(at(1), Input::Claimed { request, devices: None }).unwrap();

    assert_eq!(outcome_of(&effects), Some((Outcome::AgentUnavailable, false)));
    assert!(effects.contains(&Effect::Answer(0)));
    let effects = call.step(at(4), Input::Played(played(&effects))).unwrap();
    assert!(effects.contains(&Effect::HangUp(0, HangUp::NORMAL)));
    assert_eq!(last_fact(&effects).0, "callback_agent_unavailable");
}

#[test]
fn c_028_in_mode_two_the_call_goes_where_the_number_leads_without_the_prompt() {
    let (mut call, request) = called_back(callback(false));

    let effects = call.step(at(1), Input::Claimed { request, devices: None }).unwrap();

    assert_eq!(outcome_of(&effects), Some((Outcome::AgentUnavailable, true)));
    let rings = |it: &Effect| matches!(it, Effect::Dial { to: Dialled::Device(device), .. } if device.extension == "1000");
    assert!(effects.iter().any(rings), "{effects:?}");
}

#[test]
fn c_023_an_agent_who_does_not_answer_counts_as_not_available() {
    let (mut call, request) = called_back(callback(false));
    let devices = Some(vec![device("1001", "a")]);
    let effects = call.step(at(1), Input::Claimed { request, devices }).unwrap();
    let ring = effects.iter().find_map(|it| match it {
        Effect::Arm(timer, after) if *after == RING => Some(*timer),
        _ => None,
    });

    let effects = call.step(at(31), Input::Timer(ring.unwrap())).unwrap();

    assert_eq!(outcome_of(&effects), Some((Outcome::NotAnswered, true)));
    assert!(effects.contains(&Effect::OutOfCall("1001".into())), "{effects:?}");
}

#[test]
fn c_031_a_customer_who_hangs_up_while_it_rings_has_abandoned_the_callback() {
    let (mut call, request) = called_back(callback(true));
    let devices = Some(vec![device("1001", "a")]);
    call.step(at(1), Input::Claimed { request, devices }).unwrap();

    let effects = leg(&mut call, 2, 0, ended(487));

    assert_eq!(outcome_of(&effects), Some((Outcome::Abandoned, false)));
    assert_eq!(last_fact(&effects).0, "abandoned");
}

#[test]
fn c_039_c_040_an_agent_who_answers_has_an_ordinary_call_and_the_fact_says_so() {
    let (mut call, request) = called_back(callback(true));
    let devices = Some(vec![device("1001", "a")]);
    call.step(at(1), Input::Claimed { request, devices }).unwrap();

    let effects = leg(&mut call, 2, 1, LegEvent::Answered);
    assert_eq!(outcome_of(&effects), Some((Outcome::Answered, false)));
    let effects = leg(&mut call, 9, 0, bye());

    assert_eq!(last_fact(&effects).0, "answered");
}
