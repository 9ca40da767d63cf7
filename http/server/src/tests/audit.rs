use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tandem_config::resource::Role;

use super::Node;

/// The log, once it holds so many entries of a question.
async fn asked(node: &Node, query: &str, count: usize) -> Vec<Value> {
    for _ in 0..500 {
        let page = node.get(&format!("/api/v1/audit?{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let items = page.json()["items"].as_array().unwrap().clone();
        if items.len() >= count {
            return items;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{query}: never {count} entries");
}

#[tokio::test]
async fn each_change_stands_in_the_audit_log_with_who_and_what_and_without_secrets() {
    let node = Node::start().await;
    node.extension("1001").await;
    let path = "/api/v1/extensions/1001";
    let patch = Some(json!({ "name": "Chen", "password": "another horse" }));
    let any = [("if-match", "*")];
    assert_eq!(node.ask(Method::PATCH, path, &any, patch).await.status, StatusCode::OK);
    assert_eq!(node.ask(Method::DELETE, path, &any, None).await.status, StatusCode::NO_CONTENT);
    let who = node.get("/api/v1/session").await.json()["name"].clone();

    let items = asked(&node, "kind=extension&key=1001", 3).await;

    let told = |entry: &Value| (entry["action"].clone(), entry["fields"].clone());
    let wanted = [
        (json!("removed"), json!([])),
        (json!("changed"), json!(["name", "password"])),
        (json!("created"), json!([])),
    ];
    assert_eq!(items.iter().map(told).collect::<Vec<_>>(), wanted);
    assert!(items.iter().all(|entry| entry["by"] == who && entry["at"].is_string()));
    assert!(!format!("{items:?}").contains("horse"));
    let page = node.get("/api/v1/audit?kind=extension&limit=2").await.json();
    let next = page["next_cursor"].as_str().unwrap();
    let rest = node.get(&format!("/api/v1/audit?kind=extension&cursor={next}")).await.json();
    assert_eq!(rest["items"].as_array().unwrap()[0], items[2]);
}

#[tokio::test]
async fn sign_ins_stand_in_the_audit_log_which_only_administrators_read() {
    let node = Node::start().await;
    let user = json!({ "name": "alice", "password": "correct horse", "role": "manager" });
    assert_eq!(node.post("/api/v1/users", user).await.status, StatusCode::CREATED);
    let body = Some(json!({ "name": "alice", "password": "correct horse" }));
    let none = [("authorization", "")];
    let opened = node.ask(Method::POST, "/api/v1/session", &none, body).await;
    let bearer = format!("Bearer {}", opened.json()["token"].as_str().unwrap());
    let auth = [("authorization", bearer.as_str())];
    let refused = node.ask(Method::GET, "/api/v1/audit", &auth, None).await;
    assert_eq!(refused.code(), "forbidden");
    node.ask(Method::DELETE, "/api/v1/session", &auth, None).await;

    let items = asked(&node, "by=user:alice&kind=session", 2).await;

    assert_eq!(
        (&items[0]["action"], &items[1]["action"]),
        (&json!("signed-out"), &json!("signed-in"))
    );
    node.extension("1001").await;
    let agent = node.token(Role::Agent, Some("1001")).await;
    let bearer = format!("Bearer {agent}");
    let agent = [("authorization", bearer.as_str())];
    assert_eq!(node.ask(Method::GET, "/api/v1/audit", &agent, None).await.code(), "forbidden");
    for wrong in ["since=yesterday", "cursor=x", "colour=red"] {
        let answered = node.get(&format!("/api/v1/audit?{wrong}")).await;
        assert_eq!(answered.code(), "invalid-parameter", "{wrong}");
    }
}
