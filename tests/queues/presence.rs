//! Agents whose state follows what their users are doing.

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::Office;
use tandem_tests::api::items;

use crate::{members, set};

const PRESENCE: &str = "/api/v1/agents/1001/presence";

async fn put(office: &Office, path: &str, body: Value) -> (u16, Value) {
    let answer = office.api.send(Method::PUT, path, &body).await;
    (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
}

async fn becomes(office: &Office, status: &str) {
    let (code, body) = put(office, PRESENCE, json!({ "status": status })).await;
    assert_eq!((code, &body["status"]), (200, &json!(status)), "{body}");
}

/// Whether the agent is logged in to the queue, and why they are paused.
async fn state(office: &Office) -> (bool, Option<Value>) {
    let agents = items(&office.api.get("/api/v1/agents").await);
    let agent = agents.iter().find(|agent| agent["extension"] == "1001").unwrap();
    let here = &agent["memberships"][0];
    let reason = (here["paused"] == true).then(|| here["pause_reason"].clone());
    (here["logged_in"] == true, reason)
}

#[tokio::test]
async fn q_230_to_q_235_a_dynamic_agent_logs_in_pauses_and_logs_out_as_the_user_comes_and_goes() {
    let mut office = Office::open().await;
    set(&office, json!({ "members": members("dynamic", &["1001"]) })).await;
    let path = format!("{PRESENCE}-actions");
    let actions = json!({ "actions": {
        "available": { "action": "log_in" },
        "lunch_break": { "action": "pause", "reason": "*01" },
        "do_not_disturb": { "action": "nothing" },
        "off_work": { "action": "log_out" },
        "business_trip": { "action": "log_in_last" },
    } });
    assert_eq!(put(&office, &path, actions).await.0, 200);
    let unknown = json!({ "actions": { "away": { "action": "pause", "reason": "*99" } } });
    assert_eq!(put(&office, &path, unknown).await.0, 400);
    assert_eq!(state(&office).await, (false, None));

    becomes(&office, "away").await;
    assert_eq!(state(&office).await, (false, None), "Q-234");
    becomes(&office, "available").await;
    assert_eq!(state(&office).await, (true, None));
    becomes(&office, "lunch_break").await;
    assert_eq!(state(&office).await, (true, Some(json!("*01"))), "Q-235");
    let resume = json!({ "queue": "6400" });
    office.api.post("/api/v1/agents/1001/resume", resume).await;
    becomes(&office, "lunch_break").await;
    assert_eq!(state(&office).await, (true, None), "Q-231: the status has not changed");
    becomes(&office, "do_not_disturb").await;
    assert_eq!(state(&office).await, (true, None));
    becomes(&office, "off_work").await;
    assert_eq!(state(&office).await, (false, None));
    becomes(&office, "business_trip").await;
    assert_eq!(state(&office).await, (true, None), "the queues of before");

    let dir = office.dir().to_owned();
    office.node.kill().await;
    office.node = tandem_tests::Node::start(&dir).await;
    office.api = office.node.api();
    let kept = office.api.get(PRESENCE).await;
    assert_eq!(kept["status"], "business_trip", "{kept}");
    assert_eq!(kept["actions"]["lunch_break"]["reason"], "*01", "{kept}");
}

#[tokio::test]
async fn q_233_a_static_agent_is_resumed_where_a_dynamic_one_logs_in() {
    let office = Office::open().await;
    set(&office, json!({ "members": members("static", &["1001"]) })).await;
    let actions = json!({ "actions": {
        "available": { "action": "log_in" }, "away": { "action": "pause" },
        "off_work": { "action": "log_out" },
    } });
    put(&office, &format!("{PRESENCE}-actions"), actions).await;

    becomes(&office, "away").await;
    assert_eq!(state(&office).await, (true, Some(Value::Null)));
    becomes(&office, "available").await;
    assert_eq!(state(&office).await, (true, None));
    becomes(&office, "off_work").await;
    assert_eq!(state(&office).await, (true, None), "a static agent can not log out");
}
