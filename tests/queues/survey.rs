//! Callers who are asked what the talk was like.

use serde_json::{Value, json};
use tandem_tests::sound::Recording;
use tandem_tests::{Office, Phone};
use tokio::time::{Duration, sleep};

use crate::announcements::{order, say_by_tones};
use crate::{members, set};

const QUESTION: f64 = 1_200.0;
const THANKS: f64 = 1_900.0;

/// An office whose queue asks in Chinese, by tones.
async fn office() -> (Office, Phone, Phone) {
    let office = Office::open().await;
    say_by_tones(&office, "zh-hant", &[("survey", QUESTION), ("survey-thanks", THANKS)]);
    let queue = json!({
        "members": members("static", &["1001"]), "prompts": { "language": "zh-hant" },
        "survey": { "prompt": "survey", "scores": { "0": -3, "5": 2 } },
    });
    set(&office, queue).await;
    let mut agent = office.phone("1001", 0, json!({ "auto_answer": true })).await;
    let mut caller = office.phone("1000", 0, Value::Null).await;
    caller.call("6400").await;
    agent.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(1)).await;
    (office, agent, caller)
}

#[tokio::test]
async fn q_250_q_253_q_255_a_caller_keys_a_score_in_the_queue_s_language_and_it_is_recorded() {
    let (office, mut agent, mut caller) = office().await;

    agent.hang_up().await;
    agent.expect_end().await;
    sleep(Duration::from_secs(2)).await;
    for key in ["7", "5", "0"] {
        caller.tell(json!({ "do": "dtmf", "digits": key })).await;
        sleep(Duration::from_millis(600)).await;
    }
    caller.expect_end().await;
    sleep(Duration::from_millis(300)).await;

    let heard = order(&Recording::read(&caller.recording(1)), &[QUESTION, THANKS]);
    assert_eq!(heard, [QUESTION, THANKS]);
    let record = office.api.record("queue=6400").await;
    let rating = json!({ "queue": "6400", "agent": "1001", "key": "5", "score": 2 });
    assert_eq!(record["rating"], rating, "the first key with a score");
    assert_eq!(record["outcome"], "answered");
    let talk = record["talk_secs"].as_f64().unwrap();
    let whole = |name: &str| record[name].as_str().unwrap().to_owned();
    assert!(
        (0.5..3.0).contains(&talk),
        "talk {talk} s of {} to {}",
        whole("answered_at"),
        whole("ended_at")
    );
}

#[tokio::test]
async fn q_250_a_caller_who_hangs_up_first_is_not_asked_and_nothing_is_recorded() {
    let (office, mut agent, mut caller) = office().await;

    caller.hang_up().await;
    caller.expect_end().await;
    agent.expect_end().await;

    let record = office.api.record("queue=6400").await;
    assert_eq!(record["rating"], Value::Null);
}
