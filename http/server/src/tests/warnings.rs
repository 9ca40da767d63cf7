//! What the answer of a write says beside the resource, and how letters read
//!

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Node;

/// The warnings of a queue after this was written into it: field and code.
async fn warned(node: &Node, patch: Value) -> Vec<(String, String)> {
    let headers = [("if-match", "*")];
    let saved = node.ask(Method::PATCH, "/api/v1/queues/6400", &headers, Some(patch)).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.text);
    let warnings = saved.json()["warnings"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    warnings.iter().map(|it| (text(&it["pointer"]), text(&it["code"]))).collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned())).collect()
}

/// A queue of the agents 1001 and 1002, and routes: one for 1001 alone by 9, one for all by 0.
async fn node() -> Node {
    let node = Node::start().await;
    for extension in ["1001", "1002", "1003"] {
        node.extension(extension).await;
    }
    let trunk = json!({ "name": "carrier", "mode": "peer", "host": "192.0.2.1" });
    assert_eq!(node.post("/api/v1/trunks", trunk).await.status, StatusCode::CREATED);
    let routes = [("nine", "9", json!(["1001"])), ("zero", "0", json!([]))];
    for (priority, (name, prefix, extensions)) in routes.into_iter().enumerate() {
        let route = json!({
            "name": name, "priority": priority, "trunks": ["carrier"], "extensions": extensions,
            "rules": [{ "prefix": prefix, "pattern": "X.", "strip": 0, "prepend": "" }],
        });
        let made = node.post("/api/v1/outbound-routes", route).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    }
    let member = |extension| json!({ "extension": extension, "membership": "static" });
    let queue = json!({
        "number": "6400", "name": "Sales", "members": [member("1001"), member("1002")],
    });
    let made = node.post("/api/v1/queues", queue).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_eq!(made.json()["warnings"], json!([]));
    node
}

#[tokio::test]
async fn q_153_agents_who_may_not_use_the_route_of_a_callback_are_named_when_it_is_saved() {
    let node = node().await;
    let callback = |prefix: &str| json!({ "callback": { "enabled": true, "key": "2", "outbound_prefix": prefix } });

    let barred = pairs(&[("/members/1/extension", "route-not-permitted")]);
    assert_eq!(warned(&node, callback("9")).await, barred);
    assert_eq!(warned(&node, callback("90")).await, barred, "more digits than the rule's");
    assert_eq!(warned(&node, callback("0")).await, []);
    assert_eq!(warned(&node, callback("")).await, [], "one of the routes is open to each");
    let nowhere = pairs(&[("/callback/outbound_prefix", "no-route")]);
    assert_eq!(warned(&node, callback("8")).await, nowhere);
    assert_eq!(warned(&node, json!({ "callback": { "enabled": false } })).await, []);
    let shown = node.get("/api/v1/queues/6400").await.json();
    assert_eq!(shown["warnings"], Value::Null, "what is read can be written again: {shown}");
}

#[tokio::test]
async fn q_192_q_271_managers_without_an_address_are_named_when_the_queue_is_saved() {
    let node = node().await;
    let headers = [("if-match", "*")];
    let address = json!({ "email": "chen@example.net" });
    let path = "/api/v1/extensions/1003";
    node.ask(Method::PATCH, path, &headers, Some(address)).await;

    let found = warned(&node, json!({ "managers": ["1003", "1002"] })).await;

    assert_eq!(found, pairs(&[("/managers/1", "no-address")]));
}

async fn with_letters(node: &Node, letters: Value) -> (StatusCode, Value) {
    let patch = json!({ "letters": letters });
    let headers = [("if-match", "*")];
    let set = node.ask(Method::PATCH, "/api/v1/settings", &headers, Some(patch)).await;
    (set.status, set.json()["errors"].clone())
}

fn letter(subject: &str, text: &str) -> Value {
    json!({ "event": "queue_sla_alarm", "language": "en", "subject": subject, "text": text })
}

#[tokio::test]
async fn q_273_a_template_is_tried_when_it_is_saved_and_its_fault_told_by_field_and_line() {
    let node = Node::start().await;
    let good = letter("{{ queue_name }}", "{{ sla_value }}% of {{ sla_threshold }}%");

    assert_eq!(with_letters(&node, json!([good])).await.0, StatusCode::OK);
    let (status, errors) = with_letters(&node, json!([letter("{{ x }}", "a\n{% if %}")])).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let found = |index: usize| (errors[index]["pointer"].clone(), errors[index]["code"].clone());
    assert_eq!(found(0), (json!("/letters/0/subject"), json!("bad-template")), "{errors}");
    assert_eq!(found(1), (json!("/letters/0/text"), json!("bad-template")), "{errors}");
    assert!(errors[1]["detail"].as_str().unwrap().starts_with("line 2"), "{errors}");
    let (_, errors) = with_letters(&node, json!([good, good])).await;
    assert_eq!(errors[0]["code"], "duplicate", "{errors}");
}

#[tokio::test]
async fn q_273_a_letter_is_read_before_it_is_saved_and_the_house_s_own_words_are_known() {
    let node = Node::start().await;
    let path = "/api/v1/letters/preview";

    let read = node.post(path, letter("SLA of {{ queue_number }}", "{{ sla_value }}%\n")).await;
    assert_eq!(read.status, StatusCode::OK, "{}", read.text);
    assert_eq!(read.json(), json!({ "subject": "SLA of 6400", "text": "38.46%\n" }));
    let refused = node.post(path, letter("{{ nobody }}", "x")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.json()["errors"][0]["pointer"], "/subject");

    let letters = node.get("/api/v1/letters").await.json();
    let defaults = letters["defaults"].as_array().unwrap();
    assert_eq!(defaults.len(), 6);
    for default in defaults {
        let template = json!({
            "event": default["event"], "language": "en", "subject": default["subject"],
            "text": default["text"],
        });
        assert_eq!(node.post(path, template).await.status, StatusCode::OK, "{default}");
    }
    let variables = letters["variables"].as_array().unwrap();
    assert!(variables.contains(&json!("missed_calls")), "{variables:?}");
}
