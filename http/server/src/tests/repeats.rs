use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tandem_kernel::Timestamp;

use super::Node;
use crate::idempotency::{Repeats, Turn};
use crate::operation::Json;
use crate::problem::Code;

fn extension(number: &str) -> Option<Value> {
    Some(json!({ "number": number, "password": "correct horse" }))
}

#[tokio::test]
async fn the_same_post_twice_is_done_once() {
    let node = Node::start().await;
    let key = [("idempotency-key", "order-1")];
    let path = "/api/v1/extensions";
    let first = node.ask(Method::POST, path, &key, extension("1001")).await;
    let head = node.journal.head();

    let again = node.ask(Method::POST, path, &key, extension("1001")).await;

    assert_eq!((again.status, &again.text), (StatusCode::CREATED, &first.text));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(first.header("idempotency-replayed"), "");
    assert_eq!(node.journal.head(), head);
}

#[tokio::test]
async fn a_key_belongs_to_its_body_its_operation_and_its_principal() {
    let node = Node::start().await;
    let key = [("idempotency-key", "order-1")];
    let path = "/api/v1/extensions";
    node.ask(Method::POST, path, &key, extension("1001")).await;

    let other = node.ask(Method::POST, path, &key, extension("1002")).await;
    assert_eq!(
        (other.status, other.code().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "key-reused")
    );
    let token = node.token(tandem_config::resource::Role::Admin, None).await;
    let bearer = format!("Bearer {token}");
    let colleague = [("idempotency-key", "order-1"), ("authorization", bearer.as_str())];
    let done = node.ask(Method::POST, path, &colleague, extension("1003")).await;
    assert_eq!(done.status, StatusCode::CREATED);
    let long = "k".repeat(256);
    let refused = node.ask(Method::POST, path, &[("idempotency-key", &long)], extension("1")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_key_is_taken_while_it_runs_free_when_it_fails_and_forgotten_after_a_day() {
    let node = Node::start().await;
    let repeats = Repeats::new(node.edge.office.repeats().clone());
    let begin = Timestamp::from_secs(1_000_000);
    let key = || ("p".to_owned(), "op".to_owned(), "k".to_owned());
    let body = blake3::hash(b"{}");
    let done = Json { status: StatusCode::CREATED, headers: Vec::new(), body: None };

    let Ok(Turn::First(first)) = repeats.begin(begin, key(), body) else { panic!("not first") };
    let Err(running) = repeats.begin(begin, key(), body) else { panic!("not running") };
    assert_eq!(running.code, Code::StillRunning);
    drop(first);

    let Ok(Turn::First(first)) = repeats.begin(begin, key(), body) else { panic!("not free") };
    first.end(Ok(done.clone()), false).await;
    let almost = begin + Duration::from_secs(86_399);
    assert!(
        matches!(repeats.begin(almost, key(), body), Ok(Turn::Again(Ok(kept))) if kept == done)
    );

    let later = begin + Duration::from_secs(86_401);
    assert!(matches!(repeats.begin(later, key(), body), Ok(Turn::First(_))));
}

#[tokio::test]
async fn after_a_restart_a_reply_is_given_again_unless_it_holds_a_secret_or_is_not_known() {
    let node = Node::start().await;
    let key = [("idempotency-key", "order-1")];
    let path = "/api/v1/extensions";
    let first = node.ask(Method::POST, path, &key, extension("1001")).await;
    let refused = node.ask(Method::POST, path, &[("idempotency-key", "2")], extension("x")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let token = Some(json!({ "name": "wallboard", "role": "manager" }));
    let made = node.ask(Method::POST, "/api/v1/api-tokens", &key, token.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);

    let node = node.restarted().await;
    let again = node.ask(Method::POST, path, &key, extension("1001")).await;
    assert_eq!((again.status, again.json()), (StatusCode::CREATED, first.json()));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.header("location"), first.header("location"));
    let other = node.ask(Method::POST, path, &key, extension("1002")).await;
    assert_eq!(other.code(), "key-reused");
    let withheld = node.ask(Method::POST, "/api/v1/api-tokens", &key, token).await;
    assert_eq!(withheld.code(), "answer-not-kept");
    // What was refused changed nothing: the key is free.
    let second = [("idempotency-key", "2")];
    let done = node.ask(Method::POST, path, &second, extension("1002")).await;
    assert_eq!(done.status, StatusCode::CREATED);
    // A node that is killed at work can not tell.
    let who = node.get("/api/v1/session").await.json()["name"].as_str().unwrap().to_owned();
    let repeats = Repeats::new(node.edge.office.repeats().clone());
    let place = (who, "createExtension ".to_owned(), "3".to_owned());
    let body = blake3::hash(extension("1003").unwrap().to_string().as_bytes());
    // The request never ends.
    Box::leak(Box::new(repeats.begin(node.edge.now(), place, body).unwrap()));
    let node = node.restarted().await;
    let third = [("idempotency-key", "3")];
    let unknown = node.ask(Method::POST, path, &third, extension("1003")).await;
    assert_eq!((unknown.status.as_u16(), unknown.code().as_str()), (409, "outcome-unknown"));
}
