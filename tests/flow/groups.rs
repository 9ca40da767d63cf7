//! Ring groups, and what becomes of callers whom nobody answers.

use serde_json::{Value, json};
use tandem_tests::Office;

use crate::{hears, steps};

#[tokio::test]
async fn q_026_all_phones_of_a_ring_group_ring_and_the_first_to_answer_has_the_call() {
    let office = Office::open().await;
    let group = json!({ "number": "6300", "name": "support", "members": ["1001", "1002"] });
    office.api.post("/api/v1/ring-groups", group).await;
    let mut one = office.phone("1001", 0, Value::Null).await;
    let mut two = office.phone("1002", 900, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6300").await;
    one.expect("incoming").await;
    two.expect("incoming").await;
    two.answer().await;
    one.expect_end().await;
    caller.expect_state("CONFIRMED").await;
    hears(&caller, 1, 900.0).await;
    hears(&two, 1, 700.0).await;
    caller.hang_up().await;
    two.expect_end().await;

    let record = office.api.record("number=1000").await;
    assert_eq!(record["answered_by"], "1002", "{record}");
    assert_eq!(record["outcome"], "answered", "{record}");
    assert_eq!(steps(&office, "1000").await, ["ring 6300: 2 phones in 1 rounds"]);
}

#[tokio::test]
async fn q_026_members_ring_one_after_the_other_and_then_the_caller_hears_the_prompt() {
    let office = Office::open().await;
    let prompt = office.api.upload_tone("nobody", 1_300.0, 1.0).await;
    let failover = json!({ "type": "play_greeting", "prompt": prompt, "times": 2 });
    let group = json!({
        "number": "6300", "name": "support", "members": ["1001", "1002"],
        "strategy": "sequential", "ring_timeout_secs": 2, "failover": failover,
    });
    office.api.post("/api/v1/ring-groups", group).await;
    let mut one = office.phone("1001", 0, Value::Null).await;
    let mut two = office.phone("1002", 0, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6300").await;
    let first = one.expect("incoming").await["t"].as_f64().unwrap();
    let second = two.expect("incoming").await["t"].as_f64().unwrap();
    one.expect_end().await;
    two.expect_end().await;
    caller.expect_state("CONFIRMED").await;
    hears(&caller, 1, 1_300.0).await;
    caller.expect_end().await;

    assert!((1.8..3.0).contains(&(second - first)), "{:.1} s", second - first);
    let record = office.api.record("number=1000").await;
    assert_eq!(record["outcome"], "completed", "{record}");
    let length = tandem_tests::sound::Recording::read(&caller.recording(1));
    assert!((1.7..3.0).contains(&length.secs()), "played {:.1} s", length.secs());
    let expected = [
        "ring 6300: 2 phones in 2 rounds".to_owned(),
        format!("prompt {prompt}: played, then hung up"),
    ];
    assert_eq!(steps(&office, "1000").await, expected);
}

#[tokio::test]
async fn q_006_a_prompt_in_use_is_not_deleted_and_one_that_is_no_audio_is_refused() {
    let office = Office::open().await;
    let prompt = office.api.upload_tone("busy", 1_300.0, 1.0).await;
    let ivr = json!({ "number": "6500", "name": "menu", "prompt": prompt });
    office.api.post("/api/v1/ivrs", ivr).await;

    let delete = reqwest::Method::DELETE;
    let refused = office.api.send(delete.clone(), "/api/v1/prompts/busy", &Value::Null).await;
    assert_eq!(refused.status().as_u16(), 409, "{:?}", refused.text().await);
    let put = reqwest::Method::PUT;
    let wrong = office.api.send(put, "/api/v1/prompts/text", &json!({})).await;
    assert_eq!(wrong.status().as_u16(), 415);
    let listed = office.api.get("/api/v1/prompts").await;
    assert_eq!(listed["items"][0]["name"], "custom/busy", "{listed}");
    assert_eq!(listed["items"][0]["length_secs"], 1.0, "{listed}");
    let audio = office.api.bytes("/api/v1/prompts/busy/audio").await;
    assert_eq!(audio, tandem_tests::sound::tone(1_300.0, 1.0));
    office.api.remove("/api/v1/ivrs/6500").await;
    let gone = office.api.send(delete, "/api/v1/prompts/busy", &Value::Null).await;
    assert_eq!(gone.status().as_u16(), 204);
}
