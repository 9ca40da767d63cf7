//! Agents who log in, pause and come back, by API and by feature code.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::{Office, Phone};

use crate::{members, set};

/// Dials a feature code and waits until the confirmation has been played.
async fn dial(phone: &mut Phone, code: &str) {
    phone.forget();
    phone.call(code).await;
    phone.expect_end().await;
    phone.forget();
}

pub(crate) async fn membership(office: &Office, extension: &str) -> Value {
    let status = office.api.get("/api/v1/queues/6400/status").await;
    let agents = status["agents"].as_array().unwrap();
    let agent = agents.iter().find(|agent| agent["extension"] == extension).unwrap();
    let of_queue = |it: &&Value| it["queue"] == "6400";
    agent["memberships"].as_array().unwrap().iter().find(of_queue).unwrap().clone()
}

async fn assert_rings(office: &Office, caller: &mut Phone, agent: &mut Phone) {
    caller.call("6400").await;
    agent.expect("incoming").await;
    caller.hang_up().await;
    caller.expect_end().await;
    agent.expect_end().await;
    office.quiet().await;
}

async fn assert_silent(office: &Office, caller: &mut Phone, agent: &mut Phone) {
    caller.call("6400").await;
    caller.expect_state("CONFIRMED").await;
    assert!(!agent.sees("incoming", Duration::from_millis(1_500)).await, "the agent rang");
    caller.hang_up().await;
    caller.expect_end().await;
    office.quiet().await;
}

#[tokio::test]
async fn q_211_q_213_feature_codes_log_an_agent_in_pause_and_resume_it() {
    let office = Office::open().await;
    set(&office, json!({ "members": members("dynamic", &["1001"]) })).await;
    let mut agent = office.phone("1001", 0, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    assert_silent(&office, &mut caller, &mut agent).await;
    dial(&mut agent, "*76400").await;
    assert_eq!(membership(&office, "1001").await["logged_in"], true);
    assert_rings(&office, &mut caller, &mut agent).await;
    dial(&mut agent, "*076400").await;
    assert_silent(&office, &mut caller, &mut agent).await;
    dial(&mut agent, "*076400").await;
    assert_rings(&office, &mut caller, &mut agent).await;
    dial(&mut agent, "*76400").await;
    assert_eq!(membership(&office, "1001").await["logged_in"], false);
    assert_silent(&office, &mut caller, &mut agent).await;
}

#[tokio::test]
async fn q_198_the_api_logs_an_agent_in_and_pauses_it_with_a_reason() {
    let office = Office::open().await;
    set(&office, json!({ "members": members("dynamic", &["1001"]) })).await;
    let mut agent = office.phone("1001", 0, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let act = async |what: &str, wish: Value| {
        office.api.post(&format!("/api/v1/agents/1001/{what}"), wish).await
    };

    act("login", json!({ "queue": "6400" })).await;
    assert_rings(&office, &mut caller, &mut agent).await;
    act("pause", json!({ "queue": "6400", "reason": "*02" })).await;
    let paused = membership(&office, "1001").await;
    assert!(paused.to_string().contains("*02"), "{paused}");
    assert_silent(&office, &mut caller, &mut agent).await;
    act("resume", json!({ "queue": "6400" })).await;
    assert_rings(&office, &mut caller, &mut agent).await;
    act("logout", json!({ "queue": "6400" })).await;
    assert_silent(&office, &mut caller, &mut agent).await;
}

#[tokio::test]
async fn a_caller_who_waits_rings_the_agent_who_logs_in() {
    let office = Office::open().await;
    set(&office, json!({ "members": members("dynamic", &["1001"]) })).await;
    let mut agent = office.phone("1001", 0, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    caller.call("6400").await;
    caller.expect_state("CONFIRMED").await;
    assert!(!agent.sees("incoming", Duration::from_millis(500)).await);

    office.api.post("/api/v1/agents/1001/login", json!({ "queue": "6400" })).await;

    assert!(agent.sees("incoming", Duration::from_millis(500)).await, "no ring within 0.5 s");
    caller.hang_up().await;
    caller.expect_end().await;
}

#[tokio::test]
async fn q_083_an_agent_in_another_call_is_not_rung() {
    let office = Office::open().await;
    set(&office, json!({ "members": members("static", &["1001"]) })).await;
    let mut agent = office.phone("1001", 0, Value::Null).await;
    let mut friend = office.phone("1004", 0, json!({ "auto_answer": true })).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    agent.call("1004").await;
    friend.expect_state("CONFIRMED").await;

    assert_silent_for(&mut caller, &mut agent).await;
    friend.hang_up().await;

    agent.expect("incoming").await;
    caller.hang_up().await;
    caller.expect_end().await;
}

async fn assert_silent_for(caller: &mut Phone, agent: &mut Phone) {
    caller.call("6400").await;
    caller.expect_state("CONFIRMED").await;
    assert!(!agent.sees("incoming", Duration::from_secs(1)).await, "the agent rang");
}
