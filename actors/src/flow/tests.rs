#![allow(clippy::unwrap_used)]
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use tandem_config::resource::{CallFlow, Destination, Ivr, MailboxOptions};

use super::*;

fn ivr(more: serde_json::Value) -> Ivr {
    let mut body = json!({
        "number": "6500", "name": "menu", "prompt": "custom/menu", "max_tries": 2,
        "keys": {
            "1": { "type": "extension", "number": "1002" },
            "#": { "type": "queue", "number": "6400" },
        },
        "timeout": { "type": "extension", "number": "1003" },
        "invalid": { "type": "extension", "number": "1004" },
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    serde_json::from_value(body).unwrap()
}

fn menu(more: serde_json::Value) -> Script {
    let mut script = Script::Menu(Menu::new(ivr(more)));
    script.cue(Cue::Begin);
    script
}

fn goes(acts: &[Act]) -> Option<Destination> {
    acts.iter().find_map(|act| match act {
        Act::Go(destination) => Some(destination.clone()),
        _ => None,
    })
}

fn extension(number: &str) -> Option<Destination> {
    Some(Destination::Extension { number: number.to_owned() })
}

const fn looked_up(is_extension: bool, is_open: bool) -> Cue {
    Cue::LookedUp { is_extension, is_open }
}

#[test]
fn a_key_of_a_menu_works_at_once_and_during_the_prompt() {
    assert_eq!(goes(&menu(json!({})).cue(Cue::Digit('1'))), extension("1002"));
}

#[test]
fn a_menu_asks_again_as_often_as_it_may_and_then_goes_on() {
    let mut menu = menu(json!({}));
    assert_eq!(menu.cue(Cue::Played), [Act::Wait(Duration::from_secs(5))]);
    assert_eq!(menu.cue(Cue::TimedOut), [Act::Play(vec![Clip::file("custom/menu")])]);
    menu.cue(Cue::Played);
    assert_eq!(goes(&menu.cue(Cue::TimedOut)), extension("1003"));
}

#[test]
fn wrong_keys_are_told_and_then_lead_to_the_destination_for_wrong_keys() {
    let mut menu = menu(json!({}));
    let again = menu.cue(Cue::Digit('7'));
    let told = vec![Clip::file("invalid-number"), Clip::file("custom/menu")];
    assert!(again.contains(&Act::Play(told)), "{again:?}");
    assert_eq!(goes(&menu.cue(Cue::Digit('8'))), extension("1004"));
}

#[test]
fn an_extension_is_dialled_digit_by_digit_and_needs_no_pause_when_it_is_whole() {
    let mut menu = menu(json!({ "dial_by_extension": true }));
    for digit in "100".chars() {
        assert!(goes(&menu.cue(Cue::Digit(digit))).is_none());
        assert_eq!(menu.cue(looked_up(false, true)), [Act::Wait(Duration::from_secs(3))]);
    }
    menu.cue(Cue::Digit('1'));
    assert_eq!(goes(&menu.cue(looked_up(true, false))), extension("1001"));
}

#[test]
fn a_key_that_begins_a_number_works_after_a_pause_and_a_hash_ends_a_number() {
    let mut script = menu(json!({ "dial_by_extension": true }));
    script.cue(Cue::Digit('1'));
    script.cue(looked_up(false, true));
    assert_eq!(goes(&script.cue(Cue::TimedOut)), extension("1002"));
    let mut script = menu(json!({ "dial_by_extension": true }));
    for digit in "10".chars() {
        script.cue(Cue::Digit(digit));
        script.cue(looked_up(digit == '0', true));
    }
    assert_eq!(goes(&script.cue(Cue::Digit('#'))), extension("10"));
}

fn flow(steps: serde_json::Value) -> CallFlow {
    serde_json::from_value(json!({ "number": "6600", "name": "f", "steps": steps })).unwrap()
}

#[test]
fn a_flow_passes_over_steps_whose_conditions_do_not_hold() {
    let flow = flow(json!([
        { "when": { "caller": ["2XXX"] }, "action": { "type": "play", "prompt": "a" } },
        { "action": { "type": "collect", "prompt": "b", "max_digits": 2, "timeout_secs": 4 } },
        { "when": { "digits": ["1X"] }, "action": { "type": "play", "prompt": "c" } },
        { "when": { "digits": ["2X"] }, "action": { "type": "play", "prompt": "d" } },
    ]));
    let now = "2026-03-29T00:59:00Z".parse().unwrap();
    let mut script = Script::Steps(Steps::new(&flow, 7, now, "1000"));

    let begun = script.cue(Cue::Begin);
    assert!(begun.contains(&Act::Note("entered version 7".into())));
    assert!(begun.contains(&Act::Play(vec![Clip::file("b")])), "{begun:?}");
    assert_eq!(script.cue(Cue::Played), [Act::Wait(Duration::from_secs(4))]);
    script.cue(Cue::Digit('2'));
    let second = script.cue(Cue::Digit('5'));
    assert!(second.contains(&Act::Play(vec![Clip::file("d")])), "{second:?}");
    assert!(script.cue(Cue::Played).contains(&Act::HangUp));
}

/// Hours of two zones, over midnight and across the change of the clocks in Berlin on
/// 29 March 2026 (02:00 becomes 03:00).
#[test]
fn q_043_hours_follow_the_clocks_of_their_zone() {
    let plays = |hours: serde_json::Value, at: &str| {
        let play = json!({ "type": "play", "prompt": "open" });
        let flow = flow(json!([{ "when": { "hours": hours }, "action": play }]));
        let mut script = Script::Steps(Steps::new(&flow, 1, at.parse().unwrap(), "1000"));
        script.cue(Cue::Begin).contains(&Act::Play(vec![Clip::file("open")]))
    };
    let berlin = json!({ "zone": "Europe/Berlin", "from": "09:00", "to": "18:00" });
    assert!(!plays(berlin.clone(), "2026-03-28T07:59:59Z"));
    assert!(plays(berlin.clone(), "2026-03-28T08:00:00Z"));
    assert!(!plays(berlin.clone(), "2026-03-29T06:59:59Z"));
    assert!(plays(berlin.clone(), "2026-03-29T07:00:00Z"), "an hour earlier after the change");
    assert!(!plays(berlin, "2026-03-29T16:00:00Z"));
    let night = json!({ "zone": "Asia/Taipei", "days": ["fri"], "from": "22:00", "to": "06:00" });
    assert!(plays(night.clone(), "2026-01-16T14:00:00Z"), "Friday, 22:00");
    assert!(plays(night.clone(), "2026-01-16T21:59:59Z"), "Saturday, 05:59:59");
    assert!(!plays(night.clone(), "2026-01-16T22:00:00Z"), "Saturday, 06:00");
    assert!(!plays(night, "2026-01-15T21:00:00Z"), "Friday, 05:00 belongs to Thursday");
}

fn leave(is_full: bool) -> Script {
    Script::Leave(Leave::new("1001".into(), &MailboxOptions::default(), is_full))
}

#[test]
fn a_message_is_recorded_after_the_beep_and_the_caller_is_told_when_it_is_kept() {
    let mut script = leave(false);
    script.cue(Cue::Begin);
    let recording = script.cue(Cue::Played);
    assert!(recording.contains(&Act::Record { mailbox: "1001".into() }), "{recording:?}");
    assert_eq!(script.cue(Cue::Digit('#')), [Act::EndRecording]);
    let told = script.cue(Cue::Saved(Saved::Kept));
    assert!(told.contains(&Act::Play(vec![Clip::file("vm-saved")])), "{told:?}");
    assert_eq!(script.cue(Cue::Played), [Act::HangUp]);
}

#[test]
fn a_full_mailbox_takes_no_message_and_a_failed_one_is_not_called_kept() {
    let told = leave(true).cue(Cue::Begin);
    assert!(told.contains(&Act::Play(vec![Clip::file("vm-full")])), "{told:?}");
    let mut script = leave(false);
    script.cue(Cue::Begin);
    script.cue(Cue::Played);
    script.cue(Cue::TimedOut);
    let told = script.cue(Cue::Saved(Saved::Failed));
    assert!(told.contains(&Act::Play(vec![Clip::file("error")])), "{told:?}");
}

fn listen(count: usize) -> Script {
    let message = |index: usize| Message { id: format!("m{index}"), is_new: index > 0 };
    let messages = (0..count).map(message).collect();
    Script::Listen(Listen::new("1001".into(), Pin("4711".into()), messages))
}

fn unlock(script: &mut Script) -> Vec<Act> {
    script.cue(Cue::Begin);
    for digit in "4711".chars() {
        script.cue(Cue::Digit(digit));
    }
    script.cue(Cue::Digit('#'))
}

fn plays_message(acts: &[Act], wanted: &str) -> bool {
    acts.iter().any(|act| match act {
        Act::Play(clips) => clips.iter().any(|clip| match clip {
            Clip::Message { id, .. } => id == wanted,
            _ => false,
        }),
        _ => false,
    })
}

#[test]
fn new_messages_come_first_and_are_heard_when_they_were_played_to_their_end() {
    let mut script = listen(2);
    assert!(plays_message(&unlock(&mut script), "m1"));
    let heard = script.cue(Cue::Played);
    let change = MessageChange::Heard;
    let wanted = Act::Change { mailbox: "1001".into(), id: "m1".into(), change };
    assert!(heard.contains(&wanted), "{heard:?}");
    assert!(plays_message(&script.cue(Cue::Digit('6')), "m0"));
}

#[test]
fn a_message_is_gone_only_after_the_commit() {
    let mut script = listen(2);
    unlock(&mut script);
    let change = MessageChange::Deleted;
    let wanted = Act::Change { mailbox: "1001".into(), id: "m1".into(), change };
    assert!(script.cue(Cue::Digit('7')).contains(&wanted));
    assert!(script.cue(Cue::Digit('5')).is_empty(), "nothing is done meanwhile");
    assert!(plays_message(&script.cue(Cue::Changed(true)), "m0"));
}

#[test]
fn a_pin_is_tried_three_times_and_is_never_shown() {
    let mut script = listen(1);
    script.cue(Cue::Begin);
    for _ in 0..2 {
        script.cue(Cue::Digit('1'));
        assert!(!script.cue(Cue::Digit('#')).contains(&Act::HangUp));
    }
    script.cue(Cue::Digit('#'));
    assert_eq!(script.cue(Cue::Played), [Act::HangUp]);
    assert!(!format!("{script:?}").contains("4711"));
    let mut open = Script::Listen(Listen::new("1".into(), Pin(String::new()), Vec::new()));
    open.cue(Cue::Begin);
    assert!(!open.cue(Cue::TimedOut).iter().any(|act| matches!(act, Act::Note(_))), "no PIN");
}

fn any_cue() -> impl Strategy<Value = Cue> {
    prop_oneof![
        Just(Cue::Played),
        Just(Cue::TimedOut),
        "[0-9*#]".prop_map(|text| Cue::Digit(text.chars().next().unwrap())),
        (any::<bool>(), any::<bool>()).prop_map(|(one, two)| looked_up(one, two)),
        any::<bool>().prop_map(Cue::Changed),
        Just(Cue::Saved(Saved::Kept)),
    ]
}

proptest! {
    /// Whatever comes in whatever order, a script neither panics nor records twice at once.
    #[test]
    fn no_order_of_cues_confuses_a_script(cues in prop::collection::vec(any_cue(), 0..60)) {
        let scripts = [
            menu(json!({ "dial_by_extension": true })),
            menu(json!({})),
            leave(false),
            listen(3),
        ];
        for mut script in scripts {
            let mut is_recording = false;
            script.cue(Cue::Begin);
            'script: for cue in &cues {
                for act in script.cue(cue.clone()) {
                    match act {
                        Act::Record { .. } => {
                            prop_assert!(!is_recording);
                            is_recording = true;
                        }
                        Act::EndRecording => {
                            prop_assert!(is_recording);
                            is_recording = false;
                        }
                        Act::Go(_) | Act::HangUp => break 'script,
                        _ => {}
                    }
                }
            }
        }
    }
}

fn presses(register: &mut Register, keys: &str) -> Said {
    let mut said = Said::Acts(Vec::new());
    for key in keys.chars() {
        said = register.cue(&Cue::Digit(key));
    }
    said
}

fn files(said: &Said) -> Vec<String> {
    let Said::Acts(acts) = said else { return Vec::new() };
    let clips = acts.iter().flat_map(|act| match act {
        Act::Play(clips) => clips.clone(),
        _ => Vec::new(),
    });
    let file = |clip| match clip {
        Clip::File(file) => Some(file),
        _ => None,
    };
    clips.filter_map(file).collect()
}

fn number(digits: &str) -> Said {
    Said::Over(Registered::Number(digits.to_owned()))
}

#[test]
fn q_147_the_own_number_is_read_out_and_taken_with_1() {
    let mut register = Register::new("0912");

    let said = register.cue(&Cue::Begin);

    assert_eq!(files(&said), ["callback-number", "0", "9", "1", "2", "callback-confirm"]);
    assert_eq!(presses(&mut register, "1"), number("0912"), "a short own number is one");
}

#[test]
fn q_147_another_number_is_typed_read_back_and_confirmed() {
    let mut register = Register::new("0912000111");
    register.cue(&Cue::Begin);
    assert_eq!(files(&presses(&mut register, "2")), ["callback-enter"]);

    let said = presses(&mut register, "55501#");

    let read = ["callback-number", "5", "5", "5", "0", "1", "callback-confirm"];
    assert_eq!(files(&said), read);
    assert_eq!(presses(&mut register, "1"), number("55501"));
}

#[test]
fn q_147_digits_that_stop_are_as_good_as_a_hash() {
    let mut register = Register::new("0912000111");
    register.cue(&Cue::Begin);
    presses(&mut register, "255501");

    assert_eq!(files(&register.cue(&Cue::TimedOut))[0], "callback-number");
}

#[test]
fn q_147_vector_20_a_number_with_4_digits_is_rejected_and_the_third_one_ends_it() {
    let mut register = Register::new("0912000111");
    register.cue(&Cue::Begin);
    for keys in ["25550#", "5550#"] {
        let said = presses(&mut register, keys);
        assert_eq!(files(&said), ["invalid-number", "callback-enter"]);
    }

    assert_eq!(presses(&mut register, "5550#"), Said::Over(Registered::Nothing));
}

#[test]
fn q_147_who_shows_no_number_is_asked_for_one() {
    for own in ["", "anonymous"] {
        let mut register = Register::new(own);
        assert_eq!(files(&register.cue(&Cue::Begin)), ["callback-enter"], "{own}");
    }
}

#[test]
fn q_162_a_star_or_silence_goes_back_to_waiting() {
    let cancelled = Said::Over(Registered::Cancelled);
    let mut register = Register::new("0912000111");
    register.cue(&Cue::Begin);
    assert_eq!(presses(&mut register.clone(), "*"), cancelled);
    assert_eq!(presses(&mut register.clone(), "2555*"), cancelled);

    for _ in 0..2 {
        assert_eq!(register.cue(&Cue::Played), Said::Acts(vec![Act::Wait(PAUSE)]));
        assert_eq!(files(&register.cue(&Cue::TimedOut))[0], "callback-number");
    }
    assert_eq!(register.cue(&Cue::TimedOut), cancelled);
}

const PAUSE: Duration = Duration::from_secs(5);

proptest! {
    #[test]
    fn q_147_a_dialogue_ends_whatever_is_pressed(keys in "[0-9*#]{0,60}") {
        let mut register = Register::new("0912000111");
        register.cue(&Cue::Begin);
        for key in keys.chars() {
            if let Said::Over(over) = register.cue(&Cue::Digit(key)) {
                if let Registered::Number(number) = over {
                    prop_assert!(number == "0912000111" || (5..=20).contains(&number.len()));
                }
                return Ok(());
            }
        }
        // Silence ends it in a bounded time.
        let silent = (0..16).any(|_| matches!(register.cue(&Cue::TimedOut), Said::Over(_)));
        prop_assert!(silent);
    }
}

/// A survey of the queue 6400 with these options, which has asked.
fn survey(more: serde_json::Value) -> Script {
    let mut queue = json!({ "number": "6400", "name": "Q", "survey": { "prompt": "survey" } });
    for (key, value) in more.as_object().into_iter().flatten() {
        queue[key] = value.clone();
    }
    let queue = serde_json::from_value(queue).unwrap();
    let words = SurveyWords::of(&queue).unwrap();
    let mut script = Script::Survey(Box::new(Survey::new("6400", "1001", words)));
    script.cue(Cue::Begin);
    script
}

fn rated(key: char, score: i8) -> Act {
    Act::Rate { queue: "6400".into(), agent: "1001".into(), key, score }
}

#[test]
fn q_250_q_251_q_252_a_survey_asks_notes_the_key_thanks_and_hangs_up() {
    let mut survey = survey(json!({}));

    let acts = survey.cue(Cue::Digit('1'));
    let thanks = Act::Play(vec![Clip::file("survey-thanks")]);

    assert_eq!(acts, [rated('1', 1), thanks]);
    assert_eq!(survey.cue(Cue::Played), [Act::HangUp]);
}

#[test]
fn q_253_vector_6_keys_have_the_scores_of_the_queue_and_others_are_ignored() {
    let options = json!({
        "prompt": "custom/ask", "end_prompt": "custom/end",
        "scores": { "0": -3, "1": -2, "3": 0, "5": 2 },
    });
    let of_key = |key| survey(json!({ "survey": options })).cue(Cue::Digit(key)).first().cloned();
    let scores = [('0', -3), ('1', -2), ('3', 0), ('5', 2)];
    for (key, score) in scores {
        assert_eq!(of_key(key), Some(rated(key, score)));
    }
    assert_eq!([of_key('2'), of_key('*')], [None, None]);
    // Vector 6 of appendix I: one press each.
    let sum: i32 = scores.iter().map(|(_, score)| i32::from(*score)).sum();
    assert_eq!((sum, f64::from(sum) / 4.0), (-3, -0.75));
}

#[test]
fn q_254_the_first_valid_key_wins_and_silence_hangs_up_without_a_record() {
    let mut silent = survey(json!({}));
    assert_eq!(silent.cue(Cue::Played), [Act::Wait(Duration::from_secs(10))]);
    assert_eq!(silent.cue(Cue::Digit('7')), [], "no score");
    assert_eq!(silent.cue(Cue::TimedOut), [Act::HangUp]);
    let mut twice = survey(json!({}));
    twice.cue(Cue::Digit('2'));
    assert_eq!(twice.cue(Cue::Digit('1')), []);
}

#[test]
fn q_250_a_queue_without_a_survey_prompt_asks_nothing_and_prompts_are_of_its_language() {
    let queue = json!({ "number": "6400", "name": "Q" });
    assert_eq!(SurveyWords::of(&serde_json::from_value(queue).unwrap()), None);
    let mut script = survey(json!({ "prompts": { "language": "zh-hant" } }));
    assert_eq!(script.cue(Cue::Begin), [Act::Play(vec![Clip::file("zh-hant/survey")])]);
}
