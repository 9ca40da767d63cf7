//! A manager picks up a call that rings for a queue.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::api::items;
use tandem_tests::sound::{assert_heard, assert_music};
use tandem_tests::{Api, Baresip, Office};
use tokio::time::sleep;

const STATUS: &str = "/api/v1/queues/6400/status";

/// An office whose queue has one agent, 1001, who is to be asked again soon.
async fn office() -> Office {
    let office = Office::open().await;
    let queue = json!({
        "members": [{ "extension": "1001", "membership": "static" }],
        "agent": { "wrap_up_secs": 0, "ring_timeout_secs": 6, "retry_interval_secs": 1 },
    });
    office.api.patch("/api/v1/queues/6400", queue).await;
    office
}

async fn waiting(office: &Office) -> String {
    let status = office.api.wait_for(STATUS, |status| !items(&status["waiting"]).is_empty()).await;
    status["waiting"][0]["call"].as_str().unwrap().to_owned()
}

/// Waits until the call rings at this extension and at no other.
async fn rings_at(office: &Office, extension: &str) {
    let wanted = json!([extension]);
    office.api.wait_for(STATUS, |status| status["waiting"][0]["ringing"] == wanted).await;
}

async fn refused(office: &Office, call: &str, body: Value) -> (u16, String) {
    let path = format!("/api/v1/calls/{call}/pickup");
    let answer = office.api.send(Method::POST, &path, &body).await;
    let status = answer.status().as_u16();
    let problem: Value = answer.json().await.unwrap_or_default();
    (status, problem["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn q_482_a_ringing_call_is_picked_up_at_a_desk_phone_and_the_agent_has_missed_nothing() {
    let office = office().await;
    let server = office.node.sip("udp").to_owned();
    let password = office.node.password("1002");
    let mut operator =
        Baresip::registered(&server, "1002", password, 1_500, "PCMU/8000/1", office.dir()).await;
    let mut agent = office.phone("1001", 1_100, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    caller.call("6400").await;
    caller.expect_state("CONFIRMED").await;
    agent.expect("incoming").await;
    rings_at(&office, "1001").await;
    let call = waiting(&office).await;

    let path = format!("/api/v1/calls/{call}/pickup");
    office.api.post(&path, json!({ "extension": "1002" })).await;

    operator.expect("CALL_INCOMING").await;
    agent.expect_end().await;
    rings_at(&office, "1002").await;
    sleep(Duration::from_secs(1)).await;
    operator.command("accept", "").await;
    operator.expect("CALL_ESTABLISHED").await;
    let talk = caller.record("talk").await;
    sleep(Duration::from_millis(4_500)).await;
    let status = office.api.get(STATUS).await;
    assert_eq!(status["active"][0]["agent"], "1002", "{status}");
    caller.hang_up().await;
    operator.expect("CALL_CLOSED").await;
    sleep(Duration::from_millis(500)).await;

    assert_music(&caller.recording(1));
    assert_heard(&talk, 1_500.0, 3.0);
    assert_heard(&operator.recording(), 700.0, 3.0);
    let record = office.api.record("queue=6400").await;
    assert_eq!(record["answered_by"], "1002", "{record}");
    assert_eq!(record["queue"]["exit"], "answered", "{record}");
    assert_eq!(record["queue"]["agent"], "1002", "{record}");
    let status = office.api.get(STATUS).await;
    let figures = ["total", "answered", "missed", "abandoned"].map(|it| status[it].as_u64());
    assert_eq!(figures, [Some(1), Some(1), Some(0), Some(0)], "{status}");
    let trace = office.api.get(&format!("/api/v1/calls/{call}/trace")).await.to_string();
    assert!(trace.contains("cause=200"), "the agent's phone lists no missed call: {trace}");
}

#[tokio::test]
async fn q_482_nobody_answers_the_pick_up_and_the_caller_is_back_at_their_place() {
    let office = office().await;
    let mut agent = office.phone("1001", 1_100, Value::Null).await;
    let mut operator = office.phone("1002", 1_500, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    caller.call("6400").await;
    agent.expect("incoming").await;
    rings_at(&office, "1001").await;
    let call = waiting(&office).await;

    let path = format!("/api/v1/calls/{call}/pickup");
    office.api.post(&path, json!({ "extension": "1002" })).await;
    operator.expect("incoming").await;
    agent.expect_end().await;
    agent.forget();
    let again = refused(&office, &call, json!({ "extension": "1002" })).await;
    assert_eq!(again, (409, "call-rings-there".into()));
    let nowhere = refused(&office, &call, json!({ "extension": "1003" })).await;
    assert_eq!(nowhere, (409, "extension-not-registered".into()));
    // The operator lets it ring.
    operator.expect_end().await;
    agent.expect("incoming").await;
    agent.answer().await;
    agent.expect_state("CONFIRMED").await;
    let talk = caller.record("talk").await;
    sleep(Duration::from_millis(4_500)).await;
    let answered = refused(&office, &call, json!({ "extension": "1002" })).await;
    assert_eq!(answered, (409, "call-not-ringing".into()));
    caller.hang_up().await;
    agent.expect_end().await;
    sleep(Duration::from_millis(300)).await;

    assert_heard(&talk, 1_100.0, 3.0);
    assert_heard(&agent.recording(2), 700.0, 3.0);
    let record = office.api.record("queue=6400").await;
    assert_eq!(record["queue"]["agent"], "1001", "{record}");
    let gone = refused(&office, &call, json!({ "extension": "1002" })).await;
    assert_eq!(gone.0, 404);
}

#[tokio::test]
async fn q_281_an_agent_picks_up_where_the_queue_grants_it_and_at_the_own_phone_only() {
    let office = office().await;
    let granted = json!({ "permissions": { "agent": { "rights": ["panel"] } } });
    let both = json!([
        { "extension": "1001", "membership": "static" },
        { "extension": "1002", "membership": "static" },
    ]);
    office.api.patch("/api/v1/queues/6400", json!({ "members": both })).await;
    office.api.patch("/api/v1/queues/6400", granted).await;
    office.api.post("/api/v1/agents/1002/pause", json!({})).await;
    let wish = json!({ "name": "of-1002", "role": "agent", "extension": "1002" });
    let token = office.api.post("/api/v1/api-tokens", wish).await;
    let base = format!("http://{}", office.node.listening.http);
    let own = Api::new(&base, token["token"].as_str().unwrap());
    let mut agent = office.phone("1001", 1_100, Value::Null).await;
    let mut colleague = office.phone("1002", 1_500, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    caller.call("6400").await;
    agent.expect("incoming").await;
    rings_at(&office, "1001").await;
    let call = waiting(&office).await;
    let path = format!("/api/v1/calls/{call}/pickup");
    let status = async |body: Value| own.send(Method::POST, &path, &body).await.status().as_u16();

    assert_eq!(status(json!({})).await, 404, "that was not granted");
    let granted = json!({ "permissions": { "agent": { "rights": ["panel", "pick_up"] } } });
    office.api.patch("/api/v1/queues/6400", granted).await;
    assert_eq!(status(json!({ "extension": "1003" })).await, 403);
    assert_eq!(status(json!({})).await, 204);

    colleague.expect("incoming").await;
    colleague.answer().await;
    colleague.expect_state("CONFIRMED").await;
    agent.expect_end().await;
    let talking = |it: &Value| it["active"][0]["agent"] == "1002";
    office.api.wait_for(STATUS, talking).await;
    caller.hang_up().await;
    colleague.expect_end().await;
    office.quiet().await;
    // Who picks up while paused is paused all the same.
    let agents = items(&office.api.get("/api/v1/agents").await);
    let colleague = agents.iter().find(|it| it["extension"] == "1002").unwrap();
    assert_eq!(colleague["memberships"][0]["paused"], true, "{colleague}");
}
