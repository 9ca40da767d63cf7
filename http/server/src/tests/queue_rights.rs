//! What each queue lets its managers and agents do, at the API (section 18).

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tandem_config::resource::Role;

use super::Node;

const ALLOWED: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
const REFUSED: StatusCode = StatusCode::FORBIDDEN;

async fn queue(node: &Node, number: &str, more: Value) {
    let mut body = json!({ "number": number, "name": format!("Queue {number}") });
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    let made = node.post("/api/v1/queues", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
}

/// Two queues: 1003 manages the first, which grants what is said, and 1004 the second.
async fn floor(manager: &[&str], agent: &[&str]) -> Node {
    let node = Node::start().await;
    for extension in ["1001", "1002", "1003", "1004"] {
        node.extension(extension).await;
    }
    let member = |extension| json!({ "extension": extension, "membership": "dynamic" });
    let rights = json!({ "manager": { "rights": manager }, "agent": { "rights": agent } });
    let first = json!({
        "managers": ["1003"], "members": [member("1001"), member("1003")],
        "permissions": rights,
    });
    queue(&node, "6400", first).await;
    let second = json!({ "managers": ["1004"], "members": [member("1002")] });
    queue(&node, "6401", second).await;
    node
}

async fn status(node: &Node, token: &str, method: Method, path: &str, body: Value) -> StatusCode {
    let bearer = format!("Bearer {token}");
    let body = (!body.is_null()).then_some(body);
    node.ask(method, path, &[("authorization", bearer.as_str())], body).await.status
}

/// The telephony does not run here: what is allowed is answered with 503.
async fn pause(node: &Node, token: &str, agent: &str, queue: Option<&str>) -> StatusCode {
    let path = format!("/api/v1/agents/{agent}/pause");
    status(node, token, Method::POST, &path, json!({ "queue": queue })).await
}

#[tokio::test]
async fn q_280_q_283_q_284_q_288_states_are_set_by_who_may_in_the_queue() {
    let node = floor(&["agent_state"], &["panel"]).await;
    let first = node.token(Role::Manager, Some("1003")).await;
    let by_queue = node.token(Role::Agent, Some("1003")).await;
    let second = node.token(Role::Manager, Some("1004")).await;
    let agent = node.token(Role::Agent, Some("1001")).await;
    let house = node.token(Role::Manager, None).await;

    let rows = [
        // Who, whose state, in which queue; none: in all of theirs.
        (&first, "1001", Some("6400"), ALLOWED),
        (&first, "1001", None, ALLOWED),
        (&first, "1002", Some("6401"), REFUSED),
        (&first, "1002", None, REFUSED),
        (&by_queue, "1001", Some("6400"), ALLOWED),
        (&by_queue, "1002", Some("6401"), REFUSED),
        (&second, "1001", Some("6400"), REFUSED),
        (&second, "1002", Some("6401"), ALLOWED),
        (&agent, "1001", Some("6400"), ALLOWED),
        (&agent, "1001", None, ALLOWED),
        (&agent, "1003", Some("6400"), REFUSED),
        (&house, "1001", None, ALLOWED),
        (&node.admin, "1002", None, ALLOWED),
    ];
    for (row, (token, whose, queue, wanted)) in rows.into_iter().enumerate() {
        assert_eq!(pause(&node, token, whose, queue).await, wanted, "row {row}");
    }
}

#[tokio::test]
async fn q_284_q_288_the_right_to_record_is_not_the_right_to_set_states() {
    let node = floor(&["recording", "panel"], &[]).await;
    let manager = node.token(Role::Manager, Some("1003")).await;

    assert_eq!(pause(&node, &manager, "1001", Some("6400")).await, REFUSED);
    assert_eq!(pause(&node, &manager, "1003", Some("6400")).await, ALLOWED, "Q-283: the own");
}

#[tokio::test]
async fn q_285_q_286_a_change_holds_at_once_and_who_is_both_has_the_union() {
    let node = floor(&["agent_state"], &["panel"]).await;
    let both = node.token(Role::Agent, Some("1003")).await;
    let path = "/api/v1/queues/6400/status";
    let set = async |rights: Value| {
        let headers = [("if-match", "*")];
        let changed = node.ask(Method::PATCH, "/api/v1/queues/6400", &headers, Some(rights)).await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
    };

    // The panel as an agent, states as a manager.
    assert_eq!(status(&node, &both, Method::GET, path, Value::Null).await, ALLOWED);
    assert_eq!(pause(&node, &both, "1001", Some("6400")).await, ALLOWED);
    set(json!({ "permissions": { "agent": { "rights": [] } } })).await;
    assert_eq!(status(&node, &both, Method::GET, path, Value::Null).await, REFUSED);
    assert_eq!(pause(&node, &both, "1001", Some("6400")).await, ALLOWED);
    set(json!({ "permissions": { "manager": { "rights": ["panel"] } } })).await;
    assert_eq!(status(&node, &both, Method::GET, path, Value::Null).await, ALLOWED);
    assert_eq!(pause(&node, &both, "1001", Some("6400")).await, REFUSED);
}

#[tokio::test]
async fn q_280_q_287_queues_are_seen_by_those_who_were_granted_their_panel_or_wallboard() {
    let node = floor(&["monitor"], &["wallboard"]).await;
    let statuses = [
        (Role::Manager, Some("1004"), REFUSED),
        (Role::Manager, Some("1003"), ALLOWED),
        (Role::Agent, Some("1001"), ALLOWED),
        (Role::Agent, Some("1002"), REFUSED),
        (Role::Wallboard, None, ALLOWED),
    ];
    for (role, extension, wanted) in statuses {
        let token = node.token(role, extension).await;
        let path = "/api/v1/queues/6400/status";
        let found = status(&node, &token, Method::GET, path, Value::Null).await;
        assert_eq!(found, wanted, "{role:?} {extension:?}");
    }
    // Callers are moved by who may distribute calls.
    let call = "019b2f6e-8f6a-7c3a-9d50-2f6f0e6f7a10";
    for (queue, wanted) in [("6400", REFUSED), ("6401", REFUSED)] {
        let path = format!("/api/v1/queues/{queue}/callbacks/{call}");
        let token = node.token(Role::Manager, Some("1003")).await;
        let found = status(&node, &token, Method::DELETE, &path, Value::Null).await;
        assert_eq!(found, wanted, "{queue}");
    }
}

#[tokio::test]
async fn q_021_a_new_queue_is_proposed_the_first_number_of_the_range_that_nothing_has() {
    let node = Node::start().await;
    let proposed = async || node.get("/api/v1/next-queue-number").await.json()["number"].clone();
    assert_eq!(proposed().await, "6400");
    queue(&node, "6400", Value::Null).await;
    node.extension("6401").await;
    assert_eq!(proposed().await, "6402");

    let range = json!({ "queue_numbers": { "first": 6_400, "last": 6_401 } });
    let headers = [("if-match", "*")];
    let set = node.ask(Method::PATCH, "/api/v1/settings", &headers, Some(range)).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text);
    assert_eq!(proposed().await, Value::Null);
}
