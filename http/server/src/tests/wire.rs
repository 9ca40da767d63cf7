use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tandem_config::resource::Role;

use super::Node;
use super::events::{Socket, heard, say, socket};

/// The next message of a type.
async fn next(socket: &mut Socket, kind: &str) -> Value {
    loop {
        let message = heard(socket).await;
        if message["type"] == kind {
            return message;
        }
    }
}

async fn reply(socket: &mut Socket, id: u64, command: Value) -> Value {
    let mut command = command;
    command["type"] = "command".into();
    command["id"] = id.into();
    say(socket, &command).await;
    let reply = next(socket, "reply").await;
    assert_eq!(reply["id"], id);
    reply
}

#[tokio::test]
async fn a_command_does_what_its_operation_does_and_gets_one_reply() {
    let node = Node::start().await;
    let mut socket = socket(&node, &node.admin, None).await.unwrap();
    let body = json!({ "number": "1001", "password": "correct horse" });
    let create = json!({ "operation": "createExtension", "body": body });

    let made = reply(&mut socket, 1, create.clone()).await;
    assert_eq!((&made["status"], &made["body"]["number"]), (&json!(201), &json!("1001")));
    let again = reply(&mut socket, 2, create).await;
    assert_eq!(again["problem"]["code"], "already-exists");
    assert_eq!(again["problem"]["type"], "/manual/problems/already-exists");
    let path = json!({ "number": "1001" });
    let blind = json!({ "operation": "changeExtension", "path": path, "body": { "name": "Lin" } });
    let unmatched = reply(&mut socket, 3, blind.clone()).await;
    assert_eq!(unmatched["problem"]["code"], "match-required");
    let mut matched = blind;
    matched["if_match"] = made["etag"].clone();
    let changed = reply(&mut socket, 4, matched).await;
    assert_eq!(changed["body"]["name"], "Lin", "{changed}");
    let listed = reply(&mut socket, 5, json!({ "operation": "listExtensions", "query": {} })).await;
    assert_eq!(listed["body"]["items"][0]["name"], "Lin");
}

#[tokio::test]
async fn a_command_that_is_none_or_not_allowed_gets_its_problem() {
    let node = Node::start().await;
    node.extension("1001").await;
    let agent = node.token(Role::Agent, Some("1001")).await;
    let mut socket = socket(&node, &agent, None).await.unwrap();
    let cases = [
        (json!({ "operation": "dance" }), "invalid-fields"),
        (json!({ "operation": "openEvents" }), "invalid-fields"),
        (json!({ "operation": "signIn", "body": {} }), "invalid-fields"),
        (json!({ "operation": "getExtension" }), "forbidden"),
        (json!({ "operation": "pauseAgent" }), "invalid-fields"),
        (json!({ "operation": "pauseAgent", "path": { "extension": "1002" } }), "forbidden"),
        (json!({ "operation": "listAgents", "query": { "colour": "red" } }), "invalid-parameter"),
    ];
    for (id, (command, code)) in (1..).zip(cases) {
        let refused = reply(&mut socket, id, command).await;
        assert_eq!(refused["problem"]["code"], code, "{refused}");
        assert_eq!(refused["status"], refused["problem"]["status"]);
    }
}

#[tokio::test]
async fn what_is_watched_comes_at_once_as_far_as_the_role_allows() {
    let node = Node::start().await;
    let body = json!({ "number": "6400", "name": "sales" });
    assert_eq!(node.post("/api/v1/queues", body).await.status, StatusCode::CREATED);
    node.extension("1001").await;
    let mut admin = socket(&node, &node.admin, None).await.unwrap();
    say(&mut admin, &json!({ "type": "watch", "topics": ["agents", "calls"] })).await;
    let mut topics = Vec::new();
    for _ in 0..2 {
        let snapshot = next(&mut admin, "snapshot").await;
        assert!(snapshot["position"].is_string() && snapshot["state"].is_object(), "{snapshot}");
        topics.push(snapshot["topic"].as_str().unwrap().to_owned());
    }
    topics.sort();
    assert_eq!(topics, ["agents", "calls"]);
    for (topics, code) in [(["queue:9"], "not-found"), (["weather"], "invalid-fields")] {
        say(&mut admin, &json!({ "type": "watch", "topics": topics })).await;
        assert_eq!(next(&mut admin, "problem").await["problem"]["code"], code);
    }

    let agent = node.token(Role::Agent, Some("1001")).await;
    let mut own = socket(&node, &agent, None).await.unwrap();
    for topic in ["agents", "calls", "queue:6400"] {
        say(&mut own, &json!({ "type": "watch", "topics": [topic] })).await;
        assert_eq!(next(&mut own, "problem").await["problem"]["code"], "forbidden", "{topic}");
    }
}

#[tokio::test]
async fn a_ticket_opens_one_stream() {
    let node = Node::start().await;
    let issued = node.post("/api/v1/ws-tickets", Value::Null).await;
    assert_eq!(issued.status, StatusCode::CREATED, "{}", issued.text);
    let path =
        format!("/api/v1/events/stream?ticket={}", issued.json()["ticket"].as_str().unwrap());
    let open = || {
        let request = axum::http::Request::builder().method(Method::GET).uri(&path);
        request.body(axum::body::Body::empty()).unwrap()
    };

    let first = tower::ServiceExt::oneshot(node.router.clone(), open()).await.unwrap();
    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!(node.send(open()).await.code(), "unauthenticated");
    // It is no token for anything else.
    let elsewhere = path.replace("/events/stream", "/session");
    let request = axum::http::Request::builder().uri(elsewhere);
    let request = request.body(axum::body::Body::empty()).unwrap();
    assert_eq!(node.send(request).await.code(), "unauthenticated");
}
