//! What a queue lets people do with its calls, while a real caller waits.

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::api::items;

use crate::log::client;
use crate::{members, set};
use tandem_tests::{Api, Office};

async fn act(api: &Api, call: &str, verb: &str, body: Value) -> u16 {
    let path = format!("/api/v1/calls/{call}/{verb}");
    api.send(Method::POST, &path, &body).await.status().as_u16()
}

#[tokio::test]
async fn q_281_q_284_q_285_a_waiting_caller_is_moved_by_who_may_and_from_the_moment_they_may() {
    let office = Office::open().await;
    let queue = json!({
        "members": members("static", &["1001"]), "managers": ["1003"],
        "permissions": { "manager": { "rights": ["panel"] } },
    });
    set(&office, queue).await;
    let (boss, stranger, agent) = (
        client(&office, "manager", "1003").await,
        client(&office, "manager", "1004").await,
        client(&office, "agent", "1001").await,
    );
    let mut caller = office.phone("1000", 0, Value::Null).await;
    let mut friend = office.phone("1002", 0, Value::Null).await;
    caller.call("6400").await;
    caller.expect_state("CONFIRMED").await;
    let call = office.api.call().await["id"].as_str().unwrap().to_owned();
    let to = || json!({ "to": "1002" });

    assert_eq!(items(&boss.get("/api/v1/calls").await).len(), 1);
    assert!(items(&stranger.get("/api/v1/calls").await).is_empty(), "Q-280");
    assert_eq!(act(&boss, &call, "redirect", to()).await, 403);
    assert_eq!(act(&boss, &call, "hangup", Value::Null).await, 403);
    assert_eq!(act(&stranger, &call, "redirect", to()).await, 404);
    assert_eq!(act(&agent, &call, "redirect", to()).await, 404);
    set(&office, json!({ "permissions": { "agent": { "rights": ["distribution"] } } })).await;
    assert_eq!(act(&agent, &call, "hangup", Value::Null).await, 404, "that was not granted");
    assert_eq!(act(&agent, &call, "redirect", to()).await, 204);

    friend.expect("incoming").await;
    caller.hang_up().await;
    office.quiet().await;
}
