//! Callers who register for a callback, and the calls that are made for them.

use super::*;
use crate::flow::SurveyWords;
use crate::queue::request::{CallbackFailure, Order, ReturnCall, Word};

const CUSTOMER: &str = "5550199";
/// A queue that asks what the talk was like.
const ASKS: &str = r#"{"number": "6400", "name": "Q", "survey": {"prompt": "survey"}}"#;

fn told(effects: &[Effect], word: Word) -> bool {
    effects.contains(&Effect::Queue("6400".into(), QueueAct::Callback(word)))
}

fn says(effects: &[Effect], wanted: &str) -> Option<Player> {
    effects.iter().find_map(|effect| match effect {
        Effect::Play(player, Sound::Prompt { file }) if file == wanted => Some(*player),
        Effect::Play(player, Sound::Clips(clips)) => {
            let file = crate::flow::Clip::File(wanted.to_owned());
            clips.contains(&file).then_some(*player)
        }
        _ => None,
    })
}

fn step(call: &mut Call, secs: u64, input: Input) -> Vec<Effect> {
    call.step(at(secs), input).unwrap()
}

fn press(call: &mut Call, secs: u64, digit: char) -> Vec<Effect> {
    step(call, secs, Input::Digit(0, digit))
}

/// A caller who is asked for a number.
fn registering() -> Call {
    let mut call = queued();
    let asked = step(&mut call, 5, Input::Callback(Order::Register));
    assert!(says(&asked, "callback-confirm").is_some(), "{asked:?}");
    call
}

/// A call that was made for a request, with the agent's phone ringing.
fn returning() -> Call {
    let mut call = Call::new(CallId::from_u128(9), at(30));
    let wanted = ReturnCall {
        queue: "6400".into(),
        place: CallId::from_u128(1),
        number: CUSTOMER.into(),
        prefix: "9".into(),
        joined_at: at(0),
        survey: SurveyWords::of(&serde_json::from_str(ASKS).unwrap()),
    };
    let dialled = format!("9{CUSTOMER}");
    step(&mut call, 30, Input::Return { wanted, dialled });
    let effects = offer(&mut call, 30, 7, "1001");
    let shown = effects.iter().find_map(|effect| match effect {
        Effect::Dial { caller, .. } => Some(caller.clone()),
        _ => None,
    });
    assert_eq!(shown, Some(Party::Extension { number: CUSTOMER.into(), name: "QCB".into() }));
    call
}

/// The agent has answered and the queue was asked.
fn reached() -> Call {
    let mut call = returning();
    let effects = leg(&mut call, 33, 0, LegEvent::Answered);
    let callback = CallId::from_u128(9);
    assert!(told(&effects, Word::AgentReached { offer: OfferId(7), callback }));
    let dials = |effect: &Effect| matches!(effect, Effect::Dial { .. } | Effect::Route { .. });
    assert!(!effects.iter().any(dials), "nobody is dialled without the queue's order");
    call
}

/// The customer rings.
fn dialling(route: Route) -> (Call, Vec<Effect>) {
    let mut call = reached();
    let ordered = step(&mut call, 34, Input::Callback(Order::Dial));
    let asked = ordered.iter().find_map(|effect| match effect {
        Effect::Route { request, dialled, by, .. } => {
            assert_eq!(by.extension(), Some("1001"), "Q-153: by the agent's rights");
            assert_eq!(dialled, "95550199", "Q-152");
            Some(*request)
        }
        _ => None,
    });
    let again = step(&mut call, 34, Input::Callback(Order::Dial));
    assert_eq!(again, [], "once");
    let effects = step(&mut call, 35, Input::Routed { request: asked.unwrap(), route });
    (call, effects)
}

fn over(why: CallbackFailure) -> Word {
    Word::Over { callback: CallId::from_u128(9), why }
}

fn left(effects: &[Effect]) -> Option<(String, u64, Option<String>)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Record(CallEvent::QueueLeft { exit, wait_us, agent, .. }) => {
            Some((exit.clone(), wait_us / 1_000_000, agent.clone()))
        }
        _ => None,
    })
}

#[test]
fn q_147_q_158_the_caller_is_let_go_when_the_request_is_kept() {
    let mut call = registering();
    let confirmed = press(&mut call, 9, '1');
    assert!(told(&confirmed, Word::Registered(Some("1000".into()))));
    assert!(says(&confirmed, "callback-kept").is_none(), "not before the commit");

    let kept = step(&mut call, 10, Input::Callback(Order::Kept));

    assert_eq!(left(&kept), Some(("callback_requested".into(), 10, None)));
    let player = says(&kept, "callback-kept").unwrap();
    let ended = step(&mut call, 14, Input::Played(player));
    assert_eq!(last_fact(&ended).0, "callback_requested");
}

#[test]
fn a_word_that_is_lost_is_said_again_until_the_request_is_kept() {
    let mut call = registering();
    let mut effects = press(&mut call, 9, '1');
    for secs in 10..14 {
        let timer = effects.iter().find_map(|effect| match effect {
            Effect::Arm(timer, _) => Some(*timer),
            _ => None,
        });
        effects = step(&mut call, secs, Input::Timer(timer.unwrap()));
        assert!(told(&effects, Word::Registered(Some("1000".into()))));
    }
    let asked = step(&mut call, 15, Input::QueueJoined);
    assert!(told(&asked, Word::Registered(Some("1000".into()))), "a queue that begins again");
}

#[test]
fn q_162_who_cancels_hears_the_waiting_audio_again() {
    let mut call = registering();
    assert_eq!(press(&mut call, 6, '7').len(), 3, "keys are the dialogue's, not the queue's");

    let effects = press(&mut call, 7, '*');

    assert!(told(&effects, Word::NotRegistered));
    let waits = |effect: &Effect| matches!(effect, Effect::Play(_, Sound::Waiting { .. }));
    assert!(effects.iter().any(waits));
    let key = Effect::Queue("6400".into(), QueueAct::Digit('7'));
    assert!(press(&mut call, 8, '7').contains(&key));
}

#[test]
fn q_132_who_hangs_up_in_the_dialogue_is_gone() {
    let mut call = registering();

    let effects = leg(&mut call, 8, 0, bye());

    assert!(effects.contains(&Effect::Queue("6400".into(), QueueAct::CallerGone)));
    assert_eq!(last_fact(&effects).0, "abandoned");
}

#[test]
fn q_147_who_gives_no_number_that_can_be_called_is_told_and_let_go() {
    let mut call = registering();
    let mut effects = Vec::new();
    for key in "212#12#12#".chars() {
        effects = press(&mut call, 9, key);
    }

    assert!(told(&effects, Word::Registered(None)));
    assert!(says(&effects, "invalid-number").is_some());
}

#[test]
fn q_162_an_offer_that_crosses_the_dialogue_is_given_back() {
    let mut call = registering();

    let effects = offer(&mut call, 6, 7, "1001");

    let back = QueueAct::OfferEnded(OfferId(7), OfferEnd::Unreachable);
    assert!(effects.contains(&Effect::Queue("6400".into(), back)));
    assert!(told(&effects, Word::Registering));
}

#[test]
fn q_146_an_offered_callback_interrupts_the_waiting_audio_for_a_moment() {
    let mut call = queued();
    let offered = step(&mut call, 20, Input::Callback(Order::Offer));
    let player = says(&offered, "callback-offer").unwrap();

    let over = step(&mut call, 25, Input::Played(player));

    let waits = |effect: &Effect| matches!(effect, Effect::Play(_, Sound::Waiting { .. }));
    assert!(over.iter().any(waits));
}

#[test]
fn q_151_q_159_agent_and_customer_talk_and_the_wait_counts_from_the_entry() {
    let (mut call, _) = dialling(lines(&["carrier"]));
    leg(&mut call, 36, 1, LegEvent::Ringing);

    let effects = leg(&mut call, 40, 1, LegEvent::Answered);

    assert!(told(&effects, Word::Connected { callback: CallId::from_u128(9) }));
    assert_eq!(left(&effects), Some(("answered".into(), 40, Some("1001".into()))));
    assert!(effects.contains(&Effect::Hear(0, vec![Heard::Leg(1)])));
    assert!(effects.contains(&Effect::Hear(1, vec![Heard::Leg(0)])));
    let ended = leg(&mut call, 60, 1, bye());
    let talk = ended.iter().find_map(|effect| match effect {
        Effect::Queue(_, QueueAct::CallEnded { agent, by, talk }) => {
            Some((agent.clone(), *by, talk.as_secs()))
        }
        _ => None,
    });
    assert_eq!(talk, Some(("1001".into(), crate::queue::Party::Caller, 20)));
    assert_eq!(last_fact(&ended).0, "answered");
}

#[test]
fn q_256_a_customer_who_was_called_back_is_asked_when_the_agent_hangs_up() {
    let (mut call, _) = dialling(lines(&["carrier"]));
    leg(&mut call, 40, 1, LegEvent::Answered);

    let asked = leg(&mut call, 60, 0, bye());
    assert!(says(&asked, "survey").is_some(), "{asked:?}");
    let rated = leg(&mut call, 63, 1, LegEvent::Dtmf('1'));

    let fact = |effect: &Effect| match effect {
        Effect::Record(CallEvent::Rated { queue, agent, key, score, .. }) => {
            Some((queue.clone(), agent.clone(), *key, *score))
        }
        _ => None,
    };
    let expected = ("6400".into(), "1001".into(), '1', 1);
    assert_eq!(rated.iter().find_map(fact), Some(expected));
}

#[test]
fn q_154_a_customer_who_does_not_answer_is_the_reason() {
    let (mut call, _) = dialling(lines(&["carrier"]));

    let effects = leg(&mut call, 50, 1, ended(486));

    assert!(told(&effects, over(CallbackFailure::CustomerNoAnswer)));
    let busy = |effect: &Effect| matches!(effect, Effect::Play(_, Sound::Busy));
    assert!(effects.iter().any(busy), "the agent hears so");
    assert_eq!(left(&effects), Some(("callback_requested".into(), 50, Some("1001".into()))));
}

#[test]
fn q_154_an_agent_who_hangs_up_first_is_the_reason_and_the_customer_stops_ringing() {
    let (mut call, _) = dialling(lines(&["carrier"]));
    let dialling = leg(&mut call, 37, 0, bye());
    let mut call = reached();
    let asking = leg(&mut call, 34, 0, bye());

    assert!(told(&dialling, over(CallbackFailure::AgentHungUp)));
    assert!(dialling.iter().any(|effect| matches!(effect, Effect::HangUp(1, _))));
    assert!(told(&asking, over(CallbackFailure::AgentHungUp)));
}

#[test]
fn q_154_a_number_that_leads_nowhere_is_the_reason() {
    let nowhere = Route::Refused { status: 404, why: "leads nowhere".into() };
    let (_, effects) = dialling(nowhere);

    assert!(told(&effects, over(CallbackFailure::InvalidNumber)));
}

#[test]
fn q_153_an_agent_who_may_not_use_the_route_is_seen_in_the_record() {
    let barred = Barred { rule: Rule::RouteNotPermitted, why: "not for this extension".into() };
    let (_, effects) = dialling(Route::Barred { number: "95550199".into(), barred });

    assert!(told(&effects, over(CallbackFailure::CustomerNoAnswer)));
    let noted = |effect: &Effect| matches!(effect, Effect::Record(CallEvent::Barred { .. }));
    assert!(effects.iter().any(noted));
}

#[test]
fn an_agent_is_let_go_when_the_queue_takes_the_callback_back() {
    let mut call = reached();

    let left = Input::QueueLeft { exit: Exit::CallbackRequested, failover: Destination::EndCall };
    let effects = step(&mut call, 34, left);

    assert!(effects.iter().any(|effect| matches!(effect, Effect::HangUp(0, _))));
    assert!(call.is_over());
}

#[test]
fn what_became_of_a_callback_is_said_again_to_a_queue_that_asks() {
    let (mut call, _) = dialling(lines(&["carrier"]));
    let asked =
        |call: &mut Call| step(call, 38, Input::Strayed { queue: "6400".into(), stay: Some(0) });
    assert_eq!(asked(&mut call), [], "it is not known yet");
    leg(&mut call, 37, 1, LegEvent::Answered);

    let effects = asked(&mut call);

    assert!(told(&effects, Word::Connected { callback: CallId::from_u128(9) }));
}
