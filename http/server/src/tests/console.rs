use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tandem_config::resource::Role;

use super::{Answered, Node};

const OWN: &str = "/api/v1/session/console";

/// Signs a new manager in.
async fn manager(node: &Node, name: &str) -> String {
    let password = "correct horse";
    let user = json!({ "name": name, "password": password, "role": "manager" });
    assert_eq!(node.post("/api/v1/users", user).await.status, StatusCode::CREATED);
    let wish = Some(json!({ "name": name, "password": password }));
    let opened = node.ask(Method::POST, "/api/v1/session", &[("authorization", "")], wish).await;
    format!("Bearer {}", opened.json()["token"].as_str().unwrap())
}

async fn shown(node: &Node, bearer: &str) -> Answered {
    node.ask(Method::GET, OWN, &[("authorization", bearer)], None).await
}

async fn write(node: &Node, bearer: &str, tag: &str, body: Value) -> Answered {
    let headers = [("authorization", bearer), ("if-match", tag)];
    node.ask(Method::PUT, OWN, &headers, Some(body)).await
}

#[tokio::test]
async fn q_448_q_452_each_user_arranges_the_panel_for_themselves_and_keeps_it() {
    let node = Node::start().await;
    let (alice, bob) = (manager(&node, "alice").await, manager(&node, "bob").await);
    let usual = shown(&node, &alice).await;
    assert_eq!(usual.json()["name"], "alice", "{}", usual.text);
    assert_eq!(usual.json()["alarm_threshold_percent"], 80);
    assert_eq!((&usual.json()["groups"], usual.header("etag")), (&json!([]), "\"0\""));

    let group = json!({ "name": "Front", "queues": ["6400"], "alarm_threshold_percent": 70 });
    let wanted = json!({ "name": "alice", "groups": [group], "alarm_threshold_percent": 90 });
    let written = write(&node, &alice, "\"0\"", wanted.clone()).await;
    assert_eq!(written.status, StatusCode::OK, "{}", written.text);

    // Two windows of one user do not overwrite each other.
    let late = write(&node, &alice, "\"0\"", wanted.clone()).await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED, "{}", late.text);
    let others = write(&node, &bob, "\"0\"", wanted).await;
    assert_eq!(others.status, StatusCode::BAD_REQUEST, "the name is another's");
    assert_eq!(shown(&node, &bob).await.json()["groups"], json!([]));
    let node = node.restarted().await;
    let kept = shown(&node, &alice).await;
    assert_eq!(kept.json()["groups"][0]["name"], "Front", "{}", kept.text);
    assert_eq!(kept.header("etag"), written.header("etag"));
    // An administrator sees and mends them all.
    let listed = node.get("/api/v1/consoles").await.json();
    assert_eq!(listed["items"][0]["name"], "alice", "{listed}");
}

#[tokio::test]
async fn a_token_is_no_user_and_has_no_arrangement_of_its_own() {
    let node = Node::start().await;
    for role in [Role::Admin, Role::Wallboard] {
        let bearer = format!("Bearer {}", node.token(role, None).await);
        assert_eq!(shown(&node, &bearer).await.status, StatusCode::NOT_FOUND, "{role:?}");
    }
}
