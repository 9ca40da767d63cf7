//! What a waiting caller hears from the queue.

use serde_json::{Value, json};
use tandem_tests::api::secs;
use tandem_tests::sound::{Recording, tone};
use tandem_tests::{Office, Phone};
use tokio::time::{Duration, sleep};

use crate::{members, set};

/// An office whose queue greets by 600 Hz for so long and repeats 1050 Hz for 1 s every 3 s.
async fn office(greeting_secs: f64, after: bool) -> Office {
    let office = Office::open().await;
    let join = office.api.upload_tone("welcome", 600.0, greeting_secs).await;
    let keys = office.api.upload_tone("keys", 1_050.0, 1.0).await;
    let prompts = json!({
        "join": join, "ring_after_join": after,
        "announcement": keys, "announcement_interval_secs": 3,
    });
    set(&office, json!({ "members": members("static", &["1001"]), "prompts": prompts })).await;
    office
}

/// The spans in which a tone rules, in seconds.
fn spans(recording: &Recording, hertz: f64) -> Vec<(f64, f64)> {
    let mut spans: Vec<(f64, f64)> = Vec::new();
    let steps = (recording.secs() / 0.1) as usize;
    for from in (0..steps).map(|step| step as f64 * 0.1) {
        let rules = recording.share(hertz, from, from + 0.1) > 0.7
            && recording.level(from, from + 0.1) > 200.0;
        match spans.last_mut() {
            Some(last) if rules && from - last.1 < 0.15 => last.1 = from + 0.1,
            _ if rules => spans.push((from, from + 0.1)),
            _ => {}
        }
    }
    spans.retain(|(from, to)| to - from > 0.4);
    spans
}

async fn wait_and_listen(caller: &mut Phone, secs: u64) -> Recording {
    caller.call("6400").await;
    caller.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(secs)).await;
    caller.hang_up().await;
    caller.expect_end().await;
    sleep(Duration::from_millis(300)).await;
    Recording::read(&caller.recording(1))
}

/// Whether a tone rules for so long.
fn lasts(recording: &Recording, hertz: f64, secs: f64) -> bool {
    spans(recording, hertz).iter().any(|(from, to)| to - from > secs)
}

#[tokio::test]
async fn q_100_q_104_q_105_a_caller_is_greeted_once_and_hears_the_announcement_again_and_again() {
    let office = office(2.0, false).await;
    let mut caller = office.phone("1000", 0, Value::Null).await;

    let heard = wait_and_listen(&mut caller, 12).await;

    let welcome = spans(&heard, 600.0);
    let keys = spans(&heard, 1_050.0);
    assert_eq!(welcome.len(), 1, "{welcome:?}");
    assert!((1.6..2.3).contains(&(welcome[0].1 - welcome[0].0)), "{welcome:?}");
    assert!((2..=3).contains(&keys.len()), "{keys:?}");
    assert!((2.7..4.5).contains(&(keys[0].0 - welcome[0].1)), "{welcome:?} {keys:?}");
    assert!((2.7..4.5).contains(&(keys[1].0 - keys[0].1)), "{keys:?}");
}

#[tokio::test]
async fn q_101_q_111_agents_ring_after_the_greeting_or_at_once_and_then_cut_it() {
    for after in [true, false] {
        let office = office(4.0, after).await;
        let mut agent = office.phone("1001", 900, Value::Null).await;
        let mut caller = office.phone("1000", 700, Value::Null).await;
        let begun = tokio::time::Instant::now();
        caller.call("6400").await;
        agent.expect("incoming").await;
        let rang_after = begun.elapsed().as_secs_f64();
        agent.answer().await;
        agent.expect_state("CONFIRMED").await;
        sleep(Duration::from_secs(4)).await;
        caller.hang_up().await;
        caller.expect_end().await;
        sleep(Duration::from_millis(300)).await;

        let heard = Recording::read(&caller.recording(1));
        let welcome: f64 = spans(&heard, 600.0).iter().map(|(from, to)| to - from).sum();
        assert_eq!(rang_after > 3.8, after, "rang after {rang_after} s");
        assert_eq!(welcome > 3.6, after, "{welcome} s of the greeting");
        assert!(spans(&heard, 1_050.0).is_empty(), "announced to an answered caller");
        assert!(spans(&heard, 900.0).iter().any(|(from, to)| to - from > 2.0), "no talk");
    }
}

/// Replaces prompts of the system in a language by tones.
pub(crate) fn say_by_tones(office: &Office, language: &str, prompts: &[(&str, f64)]) {
    let folder = office.dir().join("data/prompts").join(language);
    for (name, hertz) in prompts {
        std::fs::write(folder.join(format!("{name}.wav")), tone(*hertz, 0.8)).unwrap();
    }
}

/// Which tones are heard, one after the other.
pub(crate) fn order(recording: &Recording, tones: &[f64]) -> Vec<f64> {
    let mut heard: Vec<(f64, f64)> = Vec::new();
    for hertz in tones {
        heard.extend(spans(recording, *hertz).into_iter().map(|(from, _)| (from, *hertz)));
    }
    heard.sort_by(|one, other| one.0.total_cmp(&other.0));
    heard.into_iter().map(|(_, hertz)| hertz).collect()
}

#[tokio::test]
async fn q_106_to_q_110_callers_hear_their_place_in_the_queue_s_language_then_the_announcement() {
    const NEXT: f64 = 700.0;
    const AHEAD: f64 = 1_200.0;
    const ONE: f64 = 1_500.0;
    const THANKS: f64 = 1_900.0;
    const KEYS: f64 = 2_300.0;
    let office = Office::open().await;
    let words =
        [("queue-next", NEXT), ("queue-position", AHEAD), ("1", ONE), ("queue-thanks", THANKS)];
    say_by_tones(&office, "zh-hans", &words);
    let keys = office.api.upload_tone("keys", KEYS, 0.8).await;
    let prompts = json!({
        "language": "zh-hans", "position": true, "estimate": true, "thanks": true,
        "position_interval_secs": 3, "announcement": keys, "announcement_interval_secs": 3,
    });
    set(&office, json!({ "members": members("static", &["1001"]), "prompts": prompts })).await;
    let mut first = office.phone("1000", 0, Value::Null).await;
    let mut second = office.phone("1004", 0, Value::Null).await;
    first.call("6400").await;
    first.expect_state("CONFIRMED").await;

    let heard = wait_and_listen(&mut second, 12).await;

    let tones = [NEXT, AHEAD, ONE, THANKS, KEYS];
    let told = order(&heard, &tones);
    assert!(told.starts_with(&[AHEAD, ONE, THANKS, KEYS, AHEAD]), "{told:?}");
    first.hang_up().await;
    first.expect_end().await;
    sleep(Duration::from_millis(300)).await;
    let told = order(&Recording::read(&first.recording(1)), &tones);
    assert!(told.starts_with(&[NEXT, THANKS, KEYS, NEXT]), "{told:?}");
}

#[tokio::test]
async fn q_102_a_queue_without_music_lets_its_callers_hear_the_ringing_tone() {
    let office = Office::open().await;
    let prompts = json!({ "waiting_audio": "tone/ring-back" });
    set(&office, json!({ "members": members("static", &["1001"]), "prompts": prompts })).await;
    let mut caller = office.phone("1000", 0, Value::Null).await;

    let heard = wait_and_listen(&mut caller, 12).await;

    let rings = spans(&heard, 425.0);
    assert!((2..=3).contains(&rings.len()), "{rings:?}");
    assert!(rings.iter().all(|(from, to)| (0.7..1.4).contains(&(to - from))), "{rings:?}");
    let pauses = rings.windows(2).map(|pair| pair[1].0 - pair[0].1);
    assert!(pauses.clone().all(|pause| (3.5..4.5).contains(&pause)), "{rings:?}");
}

#[tokio::test]
async fn q_089_caller_and_agent_hear_the_agent_s_number_when_the_call_is_answered() {
    const SERVED: f64 = 1_200.0;
    const ONE: f64 = 1_500.0;
    const ZERO: f64 = 1_900.0;
    let office = Office::open().await;
    say_by_tones(&office, "zh-hant", &[("agent-number", SERVED), ("1", ONE), ("0", ZERO)]);
    let queue = json!({
        "members": members("static", &["1001"]), "prompts": { "language": "zh-hant" },
        "agent": { "announce_id": true },
    });
    set(&office, queue).await;
    let mut agent = office.phone("1001", 0, json!({ "auto_answer": true })).await;
    let mut caller = office.phone("1000", 0, Value::Null).await;

    caller.call("6400").await;
    agent.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(6)).await;
    let told = |heard: &Recording| order(heard, &[SERVED, ONE, ZERO]);
    for phone in [&caller, &agent] {
        Recording::once(&phone.recording(1), |heard| told(heard).len() >= 4).await;
    }
    caller.hang_up().await;
    agent.expect_end().await;
    caller.expect_end().await;
    sleep(Duration::from_millis(300)).await;

    for phone in [&caller, &agent] {
        // 1001: the two zeros are one tone.
        assert_eq!(told(&Recording::read(&phone.recording(1))), [SERVED, ONE, ZERO, ONE]);
    }
    let record = office.api.record("queue=6400").await;
    assert!(record["talk_secs"].as_f64().is_some_and(|talk| talk > 5.0), "{record}");
}

/// An office whose agents hear 600 Hz for so long before the caller.
async fn with_agent_announcement(secs: f64, agents: &[&str]) -> Office {
    let office = Office::open().await;
    let words = office.api.upload_tone("for-agents", 600.0, secs).await;
    let queue = json!({
        "ring_strategy": "linear", "members": members("static", agents),
        "agent": { "announcement": words, "retry_interval_secs": 1 },
    });
    set(&office, queue).await;
    office
}

#[tokio::test]
async fn q_084_the_agent_hears_the_announcement_and_the_caller_music_then_they_talk() {
    let office = with_agent_announcement(4.0, &["1001"]).await;
    let mut agent = office.phone("1001", 900, json!({ "auto_answer": true })).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    agent.expect_state("CONFIRMED").await;
    Recording::once(&caller.recording(1), |heard| lasts(heard, 900.0, 3.0)).await;
    caller.hang_up().await;
    agent.expect_end().await;
    caller.expect_end().await;
    sleep(Duration::from_millis(300)).await;

    let (to_agent, to_caller) =
        (Recording::read(&agent.recording(1)), Recording::read(&caller.recording(1)));
    let told = spans(&to_agent, 600.0);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!((3.5..4.4).contains(&(told[0].1 - told[0].0)), "{told:?}");
    let talks = spans(&to_agent, 700.0);
    assert!(talks.first().is_some_and(|talk| talk.0 > told[0].1 - 0.2), "{talks:?} {told:?}");
    // The music of the house is two tones that are neither of these.
    let heard = spans(&to_caller, 900.0);
    assert!(heard.first().is_some_and(|talk| talk.0 > 3.5), "the agent came early: {heard:?}");
    assert!(to_caller.level(1.0, 3.5) > 200.0, "no music while the agent is told");
    assert!(spans(&to_caller, 600.0).is_empty(), "the caller hears what is for the agent");
    let record = office.api.record("queue=6400").await;
    assert!(secs(&record["queue"], "wait_secs") > 3.5, "the wait ends with it: {record}");
    assert!((2.5..6.0).contains(&secs(&record, "talk_secs")), "{record}");
}

#[tokio::test]
async fn q_084_an_agent_who_hangs_up_meanwhile_has_missed_the_call_and_the_next_one_talks() {
    let office = with_agent_announcement(3.0, &["1001", "1002"]).await;
    let mut first = office.phone("1001", 900, json!({ "auto_answer": true })).await;
    let mut second = office.phone("1002", 1_100, json!({ "auto_answer": true })).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    first.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(1)).await;
    first.hang_up().await;
    first.expect_end().await;
    second.expect_state("CONFIRMED").await;
    Recording::once(&caller.recording(1), |heard| lasts(heard, 1_100.0, 1.5)).await;
    caller.hang_up().await;
    second.expect_end().await;
    caller.expect_end().await;
    sleep(Duration::from_millis(300)).await;

    let heard = Recording::read(&caller.recording(1));
    assert!(spans(&heard, 900.0).is_empty(), "the first agent was never put through");
    assert!(lasts(&heard, 1_100.0, 1.5));
    let record = office.api.record("queue=6400").await;
    assert_eq!(record["queue"]["agent"], "1002", "{record}");
}

#[tokio::test]
async fn q_084_a_caller_who_hangs_up_meanwhile_has_abandoned_and_the_agent_is_free_again() {
    let office = with_agent_announcement(6.0, &["1001"]).await;
    let mut agent = office.phone("1001", 900, json!({ "auto_answer": true })).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    agent.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(1)).await;
    caller.hang_up().await;
    caller.expect_end().await;
    agent.expect_end().await;

    let record = office.api.record("queue=6400").await;
    assert_eq!(record["outcome"], "abandoned", "{record}");
    caller.call("6400").await;
    agent.expect_state("CONFIRMED").await;
    caller.hang_up().await;
}
