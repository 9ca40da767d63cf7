//! What a waiting caller hears from the queue.

use serde_json::{Value, json};
use tandem_tests::sound::Recording;
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
