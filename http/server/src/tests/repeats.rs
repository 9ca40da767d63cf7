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

#[test]
fn a_key_is_taken_while_it_runs_free_when_it_fails_and_forgotten_after_a_day() {
    let repeats = Repeats::default();
    let begin = Timestamp::from_secs(1_000_000);
    let key = || ("p".to_owned(), "op".to_owned(), "k".to_owned());
    let body = blake3::hash(b"{}");
    let done = Json { status: StatusCode::CREATED, headers: Vec::new(), body: None };

    let Ok(Turn::First(first)) = repeats.begin(begin, key(), body) else { panic!("not first") };
    let Err(running) = repeats.begin(begin, key(), body) else { panic!("not running") };
    assert_eq!(running.code, Code::StillRunning);
    drop(first);

    let Ok(Turn::First(first)) = repeats.begin(begin, key(), body) else { panic!("not free") };
    first.end(&Ok(done.clone()));
    let almost = begin + Duration::from_secs(86_399);
    assert!(
        matches!(repeats.begin(almost, key(), body), Ok(Turn::Again(Ok(kept))) if kept == done)
    );

    let later = begin + Duration::from_secs(86_401);
    assert!(matches!(repeats.begin(later, key(), body), Ok(Turn::First(_))));
}
