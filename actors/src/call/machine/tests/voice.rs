//! What a waiting caller hears, and when.

use super::*;

const INTERVAL: Duration = Duration::from_secs(60);

fn words(join: Option<&str>, periodic: Option<&str>) -> Input {
    let periodic = periodic.map(|file| (file.to_owned(), INTERVAL));
    Input::Announce(Announcements { join: join.map(str::to_owned), periodic })
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
