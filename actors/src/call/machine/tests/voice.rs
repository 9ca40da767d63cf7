//! What a waiting caller hears, and when.

use super::*;
use crate::flow::{Clip, SurveyWords};
use crate::queue::request::Order;

const INTERVAL: Duration = Duration::from_secs(60);

fn words(join: Option<&str>, periodic: Option<&str>) -> Input {
    let periodic = periodic.map(|file| (file.to_owned(), INTERVAL));
    Input::Announce(Announcements {
        join: join.map(str::to_owned),
        periodic,
        place: None,
        to_agent: None,
        introduction: None,
        survey: None,
    })
}

/// A prompt that begins.
fn says(effects: &[Effect], wanted: &str) -> Option<Player> {
    effects.iter().find_map(|effect| match effect {
        Effect::Play(player, Sound::Prompt { file }) if file == wanted => Some(*player),
        _ => None,
    })
}

fn goes_on_waiting(effects: &[Effect]) -> bool {
    let waiting = |effect: &Effect| matches!(effect, Effect::Play(_, Sound::Waiting { .. }));
    effects.iter().any(waiting)
}

fn next(effects: &[Effect]) -> Option<TimerId> {
    effects.iter().find_map(|effect| match effect {
        Effect::Arm(timer, after) if *after == INTERVAL => Some(*timer),
        _ => None,
    })
}

fn greeted(effects: &[Effect]) -> bool {
    effects.contains(&Effect::Queue("6400".into(), QueueAct::Greeted))
}

fn heard(call: &mut Call, secs: u64, input: Input) -> Vec<Effect> {
    call.step(at(secs), input).unwrap()
}

#[test]
fn q_100_q_104_q_105_the_caller_is_greeted_once_and_then_told_again_and_again() {
    let mut call = queued();
    let first = heard(&mut call, 1, words(Some("welcome"), Some("keys")));
    let welcome = says(&first, "welcome").unwrap();
    assert!(!greeted(&first) && next(&first).is_none());

    let over = heard(&mut call, 4, Input::Played(welcome));
    assert!(greeted(&over) && goes_on_waiting(&over));
    let mut timer = next(&over).unwrap();
    for round in 1..=3 {
        let told = heard(&mut call, 60 * round, Input::Timer(timer));
        let keys = says(&told, "keys").unwrap();
        assert_eq!(next(&told), None, "the interval begins with the end of the announcement");
        let over = heard(&mut call, 60 * round + 5, Input::Played(keys));
        assert!(goes_on_waiting(&over) && !greeted(&over));
        timer = next(&over).unwrap();
    }
}

#[test]
fn q_101_a_queue_without_a_join_announcement_greets_at_once() {
    let mut call = queued();

    let effects = heard(&mut call, 1, words(None, None));

    assert!(greeted(&effects));
    assert_eq!(next(&effects), None, "and says nothing later");
}

#[test]
fn q_028_words_that_come_again_do_not_begin_again_but_count_for_the_next_time() {
    let mut call = queued();
    let first = heard(&mut call, 1, words(None, Some("old")));
    let again = heard(&mut call, 2, words(Some("welcome"), Some("new")));
    assert_eq!(again, []);

    let told = heard(&mut call, 61, Input::Timer(next(&first).unwrap()));

    assert!(says(&told, "new").is_some());
}

#[test]
fn q_111_an_answer_ends_a_half_played_announcement() {
    let mut call = queued();
    let first = heard(&mut call, 1, words(Some("welcome"), Some("keys")));
    let welcome = says(&first, "welcome").unwrap();
    offer(&mut call, 2, 7, "1001");

    let answered = leg(&mut call, 3, 1, LegEvent::Answered);

    assert!(answered.contains(&Effect::StopPlaying(welcome)), "{answered:?}");
    assert_eq!(heard(&mut call, 4, Input::Played(welcome)), []);
}

fn place_words() -> PlaceWords {
    let language = "zh-hant".to_owned();
    PlaceWords { language, position: true, estimate: true, thanks: true, interval: INTERVAL }
}

/// A call whose queue tells the place like that, and the timer of the first time.
fn told_of_place(place: PlaceWords, periodic: Option<&str>) -> (Call, Vec<TimerId>) {
    let mut call = queued();
    let periodic = periodic.map(|file| (file.to_owned(), INTERVAL));
    let words = Announcements {
        join: None,
        periodic,
        place: Some(place),
        to_agent: None,
        introduction: None,
        survey: None,
    };
    let effects = heard(&mut call, 0, Input::Announce(words));
    let timers = effects.iter().filter_map(|effect| match effect {
        Effect::Arm(timer, after) if *after == INTERVAL => Some(*timer),
        _ => None,
    });
    (call, timers.collect())
}

fn asks(effects: &[Effect]) -> bool {
    effects.contains(&Effect::Queue("6400".into(), QueueAct::Place))
}

/// What is spoken, and by which player.
fn spoken(effects: &[Effect]) -> Option<(Player, Vec<&str>)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Play(player, Sound::Clips(clips)) => {
            let files = clips.iter().map(|clip| match clip {
                Clip::File(file) => file.as_str(),
                other => panic!("{other:?}"),
            });
            Some((*player, files.collect()))
        }
        _ => None,
    })
}

fn place(ahead: u32, minutes: f64) -> Input {
    Input::Place { ahead, wait: Some(Duration::from_secs_f64(minutes * 60.0)) }
}

#[test]
fn q_106_to_q_110_the_place_is_told_in_the_queue_s_language_as_often_as_wanted() {
    let (mut call, timers) = told_of_place(place_words(), None);

    assert!(asks(&heard(&mut call, 60, Input::Timer(timers[0]))));
    let told = heard(&mut call, 60, place(12, 3.4));

    let (player, files) = spoken(&told).unwrap();
    let words = ["queue-position", "1", "2", "queue-wait", "3", "queue-thanks"];
    assert_eq!(files, words.map(|word| format!("zh-hant/{word}")));
    let over = heard(&mut call, 70, Input::Played(player));
    assert!(goes_on_waiting(&over));
    let again = next(&over).expect("Q-109: from the end to the next beginning");
    assert!(asks(&heard(&mut call, 130, Input::Timer(again))));
}

#[test]
fn q_106_q_107_the_first_is_next_and_less_than_a_minute_is_not_told() {
    let (mut call, timers) = told_of_place(place_words(), None);
    heard(&mut call, 60, Input::Timer(timers[0]));

    let told = heard(&mut call, 60, place(0, 0.98));

    let (_, files) = spoken(&told).unwrap();
    assert_eq!(files, ["zh-hant/queue-next", "zh-hant/queue-thanks"]);
}

#[test]
fn q_107_with_nothing_to_tell_the_waiting_audio_goes_on_until_the_next_time() {
    let words = PlaceWords { position: false, thanks: false, ..place_words() };
    let (mut call, timers) = told_of_place(words, None);
    heard(&mut call, 60, Input::Timer(timers[0]));

    let told = heard(&mut call, 60, Input::Place { ahead: 3, wait: None });

    assert_eq!(spoken(&told), None);
    assert!(asks(&heard(&mut call, 120, Input::Timer(next(&told).unwrap()))));
}

#[test]
fn q_109_of_what_falls_due_together_the_place_comes_before_the_announcement() {
    for first in [0, 1] {
        let (mut call, timers) = told_of_place(place_words(), Some("keys"));
        let mut effects = heard(&mut call, 60, Input::Timer(timers[first]));
        effects.extend(heard(&mut call, 60, Input::Timer(timers[1 - first])));
        assert!(asks(&effects) && says(&effects, "keys").is_none(), "{effects:?}");

        let (player, _) = spoken(&heard(&mut call, 60, place(1, 2.0))).unwrap();
        let over = heard(&mut call, 66, Input::Played(player));

        assert!(says(&over, "keys").is_some(), "at once after the place");
    }
}

#[test]
fn q_109_a_queue_that_does_not_tell_the_place_holds_up_no_announcement() {
    let (mut call, timers) = told_of_place(place_words(), Some("keys"));
    let asked = heard(&mut call, 60, Input::Timer(timers[0]));
    heard(&mut call, 60, Input::Timer(timers[1]));
    let within = |effect: &Effect| match effect {
        Effect::Arm(timer, after) if *after == Duration::from_secs(2) => Some(*timer),
        _ => None,
    };
    let silence = asked.iter().find_map(within).unwrap();

    let told = heard(&mut call, 62, Input::Timer(silence));

    assert!(says(&told, "keys").is_some());
    assert_eq!(heard(&mut call, 63, place(1, 2.0)), [], "an answer that comes too late");
}

#[test]
fn q_111_an_answer_ends_a_half_told_place() {
    let (mut call, timers) = told_of_place(place_words(), None);
    heard(&mut call, 60, Input::Timer(timers[0]));
    let (player, _) = spoken(&heard(&mut call, 60, place(1, 2.0))).unwrap();
    offer(&mut call, 61, 7, "1001");

    let answered = leg(&mut call, 62, 1, LegEvent::Answered);

    assert!(answered.contains(&Effect::StopPlaying(player)));
}

fn offered(call: &mut Call, secs: u64) -> (Player, Vec<Effect>) {
    let effects = heard(call, secs, Input::Callback(Order::Offer));
    (says(&effects, "callback-offer").unwrap(), effects)
}

#[test]
fn q_146_an_offer_that_cuts_an_announcement_off_is_followed_by_the_next_one_in_its_time() {
    let mut call = queued();
    let first = heard(&mut call, 0, words(None, Some("keys")));
    let told = heard(&mut call, 60, Input::Timer(next(&first).unwrap()));
    let keys = says(&told, "keys").unwrap();

    let (offer, effects) = offered(&mut call, 61);
    assert!(effects.contains(&Effect::StopPlaying(keys)), "{effects:?}");
    let over = heard(&mut call, 65, Input::Played(offer));

    assert!(goes_on_waiting(&over) && next(&over).is_some(), "{over:?}");
}

#[test]
fn q_146_a_place_that_is_told_in_an_offer_waits_for_its_end() {
    let (mut call, timers) = told_of_place(place_words(), None);
    assert!(asks(&heard(&mut call, 60, Input::Timer(timers[0]))));
    let (offer, _) = offered(&mut call, 60);

    assert_eq!(heard(&mut call, 61, place(3, 2.0)), []);
    let over = heard(&mut call, 64, Input::Played(offer));

    assert!(asks(&over), "{over:?}");
    assert!(spoken(&heard(&mut call, 64, place(2, 2.0))).is_some());
}

/// An agent has answered whose number is told.
fn introduced() -> (Call, Vec<Effect>) {
    let mut call = queued();
    let introduction = Some("en".to_owned());
    let words = Announcements { introduction, ..Announcements::default() };
    heard(&mut call, 0, Input::Announce(words));
    offer(&mut call, 1, 7, "1001");
    let answered = leg(&mut call, 2, 1, LegEvent::Answered);
    (call, answered)
}

#[test]
fn q_089_both_sides_hear_the_agent_s_number_over_their_talk() {
    let (mut call, answered) = introduced();

    let (player, files) = spoken(&answered).unwrap();
    assert_eq!(files, ["en/agent-number", "en/1", "en/0", "en/0", "en/1"]);
    for (one, other) in [(0, 1), (1, 0)] {
        let both = vec![Heard::Leg(other), Heard::Player(player)];
        assert!(answered.contains(&Effect::Hear(one, both)), "{answered:?}");
    }
    let over = heard(&mut call, 6, Input::Played(player));
    assert!(over.contains(&Effect::Hear(0, vec![Heard::Leg(1)])), "{over:?}");
    assert!(over.contains(&Effect::Hear(1, vec![Heard::Leg(0)])), "{over:?}");
}

#[test]
fn q_089_putting_the_caller_on_hold_ends_it() {
    let (mut call, answered) = introduced();
    let (player, _) = spoken(&answered).unwrap();

    let held = leg(&mut call, 3, 1, LegEvent::Held);

    assert!(held.contains(&Effect::StopPlaying(player)), "{held:?}");
    assert_eq!(heard(&mut call, 4, Input::Played(player)), [], "an end that comes too late");
}

/// A caller of a queue that asks is talking with agent 1001.
fn to_be_asked() -> Call {
    let mut call = queued();
    let queue = r#"{"number": "6400", "name": "Q", "survey": {"prompt": "survey"}}"#;
    let survey = SurveyWords::of(&serde_json::from_str(queue).unwrap());
    heard(&mut call, 0, Input::Announce(Announcements { survey, ..Announcements::default() }));
    offer(&mut call, 1, 7, "1001");
    leg(&mut call, 2, 1, LegEvent::Answered);
    call
}

#[test]
fn q_250_q_255_when_the_agent_hangs_up_the_caller_is_asked_and_the_answer_recorded() {
    let mut call = to_be_asked();

    let asked = leg(&mut call, 12, 1, bye());
    let (_, files) = spoken(&asked).unwrap();
    assert_eq!(files, ["survey"]);
    assert!(asked.iter().any(|it| matches!(it, Effect::Queue(_, QueueAct::CallEnded { .. }))));
    assert!(!call.is_over());
    let rated = leg(&mut call, 15, 0, LegEvent::Dtmf('2'));
    let (thanks, _) = spoken(&rated).unwrap();
    let fact = CallEvent::Rated {
        at: at(15),
        queue: "6400".into(),
        agent: "1001".into(),
        key: '2',
        score: 0,
    };
    assert!(rated.contains(&Effect::Record(fact)), "{rated:?}");
    let over = heard(&mut call, 18, Input::Played(thanks));

    assert!(call.is_over());
    let (outcome, talk_us, _) = last_fact(&over);
    assert_eq!((outcome, talk_us), ("answered", 10_000_000), "the question is no talk");
}

#[test]
fn q_250_a_caller_who_hangs_up_first_is_not_asked() {
    let mut call = to_be_asked();

    let over = leg(&mut call, 12, 0, bye());

    assert!(call.is_over());
    assert!(spoken(&over).is_none());
}

#[test]
fn a_call_lacks_the_words_of_its_queue_until_it_is_told_them() {
    let mut call = queued();
    assert!(call.lacks_words(), "an offer may come before the journal has the place");

    heard(&mut call, 0, words(None, None));

    assert!(!call.lacks_words());
    assert!(!talking().lacks_words());
}
