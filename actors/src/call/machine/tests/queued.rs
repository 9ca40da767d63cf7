//! Words between a call and its queue that are lost, late or for somebody else.

use tandem_config::resource::Diversion;

use super::*;

fn timer_of(effects: &[Effect], span: Duration) -> TimerId {
    let armed = effects.iter().find_map(|it| match it {
        Effect::Arm(timer, after) if *after == span => Some(*timer),
        _ => None,
    });
    armed.unwrap()
}

fn told(effects: &[Effect], act: QueueAct) -> bool {
    effects.contains(&Effect::Queue("6400".into(), act))
}

fn strayed(call: &mut Call, secs: u64, stay: u32) -> Vec<Effect> {
    call.step(at(secs), Input::Strayed { queue: "6400".into(), stay: Some(stay) }).unwrap()
}

const ASKS: Duration = Duration::from_millis(500);

#[test]
fn a_join_without_an_answer_is_asked_again_until_the_queue_takes_the_caller_in() {
    let (mut call, effects) = begun(Route::Queue { number: "6400".into() });

    let again = call.step(at(2), Input::Timer(timer_of(&effects, ASKS))).unwrap();
    assert!(told(&again, QueueAct::Join { stay: 1 }), "the same stay");
    call.step(at(3), Input::QueueJoined).unwrap();

    let late = call.step(at(4), Input::Timer(timer_of(&again, ASKS))).unwrap();
    assert_eq!(late, [], "taken in: nothing more to ask");
}

#[test]
fn a_queue_that_takes_nobody_in_does_not_hold_the_caller_for_ever() {
    let (mut call, mut effects) = begun(Route::Queue { number: "6400".into() });
    for asked in 1..=60 {
        assert!(!call.is_over(), "asked {asked} times");
        let timer = timer_of(&effects, ASKS);
        effects = call.step(at(2 * asked), Input::Timer(timer)).unwrap();
    }

    assert!(call.is_over());
    assert_eq!(last_fact(&effects).0, "missed");
}

#[test]
fn an_offer_that_a_call_can_not_use_is_answered_by_caller_gone() {
    let mut call = queued();
    assert_eq!(strayed(&mut call, 1, 1), [], "it waits there");
    let earlier = strayed(&mut call, 1, 9);
    assert!(told(&earlier, QueueAct::CallerGone), "another stay than this one");
    leg(&mut call, 2, 0, bye());
    assert!(call.is_over());

    let effects = strayed(&mut call, 3, 1);

    assert_eq!(effects, [Effect::Queue("6400".into(), QueueAct::CallerGone)]);
}

#[test]
fn a_queue_that_lost_the_word_of_an_answer_hears_it_again() {
    let mut call = queued();
    offer(&mut call, 1, 7, "1001");
    leg(&mut call, 2, 1, LegEvent::Answered);

    let effects = strayed(&mut call, 3, 1);

    assert!(told(&effects, QueueAct::OfferAnswered(OfferId(7))));
}

#[test]
fn q_131_a_caller_who_is_told_to_leave_says_so_at_once() {
    let mut call = queued();
    let failover = Destination::EndCall;

    let effects = call.step(at(60), Input::QueueLeft { exit: Exit::MaxWait, failover }).unwrap();

    assert!(told(&effects, QueueAct::CallerLeft(Exit::MaxWait)));
}

#[test]
fn q_112_a_waiting_caller_s_keys_reach_the_queue_however_they_are_pressed() {
    let presses = [Input::Digit(0, '1'), Input::Leg(0, LegEvent::Dtmf('1'))];
    for press in presses {
        let mut call = queued();
        let effects = call.step(at(2), press).unwrap();
        assert!(told(&effects, QueueAct::Digit('1')));
    }
    let mut call = queued();
    offer(&mut call, 1, 7, "1001");
    assert_eq!(
        call.step(at(2), Input::Digit(1, '1')).unwrap(),
        [],
        "an agent's phone is no caller"
    );
    leg(&mut call, 2, 1, LegEvent::Answered);
    let effects = call.step(at(3), Input::Digit(0, '1')).unwrap();
    assert!(!told(&effects, QueueAct::Digit('1')), "Q-111: answered");
}

#[test]
fn q_126_keys_lead_on_however_often_they_are_pressed() {
    let (mut call, _) = begun(Route::Queue { number: "6400".into() });
    for hop in 1..=30 {
        call.step(at(hop), Input::QueueJoined).unwrap();
        let failover = Destination::Queue { number: "6400".into() };
        let left = call.step(at(hop), Input::QueueLeft { exit: Exit::KeyExit, failover }).unwrap();
        assert!(left.iter().any(|it| matches!(it, Effect::RouteDestination { .. })), "{hop}");
        let request = u32::try_from(hop).unwrap();
        let route = Route::Queue { number: "6400".into() };
        call.step(at(hop), Input::Routed { request, route }).unwrap();
    }
    assert!(!call.is_over());
}

fn closed(prompt: Option<&str>) -> Route {
    let diversion = Diversion {
        destination: Destination::Extension { number: "1003".into() },
        prompt: prompt.map(str::to_owned),
        why: "holiday Day".into(),
    };
    Route::Diverted { queue: "6400".into(), diversion: Box::new(diversion) }
}

fn noted_step(effects: &[Effect]) -> Option<(&str, &str, &str)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Record(CallEvent::Stepped { kind, key, detail, .. }) => {
            Some((kind.as_str(), key.as_str(), detail.as_str()))
        }
        _ => None,
    })
}

fn goes_on_to_1003(effects: &[Effect]) -> bool {
    let wanted = Destination::Extension { number: "1003".into() };
    effects.iter().any(|effect| {
        matches!(effect, Effect::RouteDestination { destination, .. } if *destination == wanted)
    })
}

#[test]
fn q_042_q_046_a_closed_queue_hands_the_caller_on_and_hears_nothing_of_it() {
    let (_, effects) = begun(closed(None));

    assert!(goes_on_to_1003(&effects), "{effects:?}");
    assert_eq!(noted_step(&effects), Some(("time_condition", "6400", "holiday Day")));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Queue(..))));
    assert!(!effects.contains(&Effect::Answer(0)), "where it goes decides on the answer");
}

#[test]
fn q_045_the_prompt_of_the_holiday_is_heard_before_the_call_goes_on() {
    let (mut call, effects) = begun(closed(Some("custom/closed")));
    let played = effects.iter().find_map(|effect| match effect {
        Effect::Play(player, Sound::Prompt { file }) if file == "custom/closed" => Some(*player),
        _ => None,
    });
    assert!(effects.contains(&Effect::Answer(0)) && !goes_on_to_1003(&effects));

    assert!(goes_on_to_1003(&call.step(at(3), Input::Played(played.unwrap())).unwrap()));

    let (mut call, _) = begun(closed(Some("custom/closed")));
    leg(&mut call, 1, 0, bye());
    assert!(call.is_over(), "hung up meanwhile");
}

#[test]
fn q_046_queues_that_are_closed_and_lead_to_each_other_end_the_call() {
    let (mut call, mut effects) = begun(closed(None));
    for _ in 0..20 {
        let request = effects.iter().find_map(|effect| match effect {
            Effect::RouteDestination { request, .. } => Some(*request),
            _ => None,
        });
        let Some(request) = request else { break };
        effects = call.step(at(1), Input::Routed { request, route: closed(None) }).unwrap();
    }
    assert!(call.is_over());
    assert_eq!(last_fact(&effects).0, "failed");
}

#[test]
fn q_487_a_redirected_caller_leaves_the_queue_as_missed_and_the_record_keeps_who_did_it() {
    let mut call = queued();
    let to = Destination::Extension { number: "1002".into() };

    let command = CallCommand::Redirect { to: to.clone(), by: "user:lin".into() };
    let effects = call.step(at(9), Input::Command(command)).unwrap();

    assert!(told(&effects, QueueAct::CallerLeft(Exit::ManagerRedirect)));
    let goes_on = |it: &&Effect| matches!(it, Effect::RouteDestination { destination, .. } if *destination == to);
    assert!(effects.iter().find(goes_on).is_some(), "{effects:?}");
    let noted = effects.iter().any(|it| {
        matches!(it, Effect::Record(CallEvent::Stepped { kind, detail, .. })
            if kind == "redirect" && detail == "moved by user:lin to 1002")
    });
    assert!(noted, "{effects:?}");
}

#[test]
fn q_506_a_caller_whom_an_agent_has_answered_is_not_redirected() {
    let mut call = queued();
    offer(&mut call, 1, 7, "1001");
    leg(&mut call, 2, 1, LegEvent::Answered);

    let to = Destination::Extension { number: "1002".into() };
    let command = CallCommand::Redirect { to, by: "user:lin".into() };

    assert_eq!(call.step(at(3), Input::Command(command)), Err(Refused::NotWaiting));
    assert!(!call.is_over(), "the talk goes on");
}
