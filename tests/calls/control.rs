//! Calls that the API makes and steers, and what it tells about them.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::Office;
use tandem_tests::api::items;
use tandem_tests::sound::{assert_heard, assert_music};
use tokio::time::sleep;

#[tokio::test]
async fn the_api_makes_a_call_holds_it_transfers_it_and_ends_it() {
    let office = Office::open().await;
    let api = &office.api;
    let mut one = office.phone("1000", 700, Value::Null).await;
    let mut two = office.phone("1001", 1100, Value::Null).await;
    let mut three = office.phone("1002", 1500, Value::Null).await;

    let made = api.post("/api/v1/calls", json!({ "from": "1000", "to": "1001" })).await;
    let call = made["id"].as_str().expect("the call has an id").to_owned();
    one.expect("incoming").await;
    one.answer().await;
    two.expect("incoming").await;
    two.answer().await;
    two.expect_state("CONFIRMED").await;
    one.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(4)).await;

    let path = |act: &str| format!("/api/v1/calls/{call}/{act}");
    // A command acts for the inside leg that was called last: 1001 holds 1000.
    api.post(&path("hold"), Value::Null).await;
    let held = one.record("held").await;
    sleep(Duration::from_secs(3)).await;
    api.post(&path("resume"), Value::Null).await;
    sleep(Duration::from_millis(500)).await;
    let resumed = one.record("resumed").await;
    sleep(Duration::from_millis(3_500)).await;

    api.post(&path("transfer"), json!({ "to": "1002" })).await;
    three.expect("incoming").await;
    three.answer().await;
    three.expect_state("CONFIRMED").await;
    two.expect_end().await;
    let transferred = one.record("transferred").await;
    sleep(Duration::from_millis(3_500)).await;

    api.post(&path("hangup"), Value::Null).await;
    one.expect_end().await;
    three.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    assert_heard(&two.recording(1), 700.0, 3.0);
    assert_music(&held);
    assert_heard(&resumed, 1100.0, 2.5);
    assert_heard(&transferred, 1500.0, 2.5);
    office.quiet().await;
    let record = api.record("number=1002").await;
    assert_eq!(record["id"], call.as_str(), "{record}");
    assert_eq!(record["outcome"], "answered", "{record}");
    let gone = api.send(Method::POST, &path("hangup"), &Value::Null).await;
    assert!([404, 409].contains(&gone.status().as_u16()), "{}", gone.status());
}

#[tokio::test]
async fn the_trace_of_a_call_holds_its_sip_ladder() {
    let office = Office::open().await;
    let mut one = office.phone("1000", 700, Value::Null).await;
    let mut two = office.phone("1001", 1100, json!({ "auto_answer": true })).await;
    one.call("1001").await;
    one.expect_state("CONFIRMED").await;
    two.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(1)).await;
    let live = office.api.call().await;
    assert_eq!(live["from"], "1000", "{live}");
    assert_eq!(live["to"], "1001", "{live}");
    let id = live["id"].as_str().unwrap().to_owned();
    one.hang_up().await;
    two.expect_end().await;
    office.quiet().await;

    let trace = office.api.get(&format!("/api/v1/calls/{id}/trace")).await;

    let text = trace.to_string();
    for step in ["INVITE sip:", "100 Trying", "180 Ringing", "200 OK", "ACK sip:", "BYE sip:"] {
        assert!(text.contains(step), "{step} is not in the trace: {text}");
    }
    assert!(items(&trace).len() >= 10 || trace["items"].is_null(), "{text}");
    assert!(!text.contains("response=\\\""), "credentials are in the trace");
}
