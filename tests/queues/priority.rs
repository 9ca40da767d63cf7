//! Two queues that share an agent.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::{Office, Phone};

use crate::{members, set};

/// The number that an agent's next ring shows.
async fn ring(agent: &mut Phone) -> String {
    let ring = agent.expect("incoming").await;
    ring["remote"].as_str().unwrap().to_owned()
}

async fn waits(office: &Office, caller: &mut Phone, queue: &str, waiting: usize) {
    caller.call(queue).await;
    let status = format!("/api/v1/queues/{queue}/status");
    let in_line = |it: &Value| it["waiting"].as_array().is_some_and(|line| line.len() == waiting);
    office.api.wait_for(&status, in_line).await;
}

/// The agent takes the ring; the caller hangs up.
async fn serve(agent: &mut Phone, caller: &mut Phone) {
    agent.answer().await;
    agent.expect_state("CONFIRMED").await;
    caller.hang_up().await;
    caller.expect_end().await;
    agent.expect_end().await;
}

/// The worked example with a period of 10 s in place of 60: after one and a half periods
/// Support weighs 1 + 1.5, rounded to 3, and VIP 2.
#[tokio::test]
async fn q_174_the_heavier_queue_is_first_until_the_other_call_has_waited_long_enough() {
    let office = Office::open().await;
    let one = members("static", &["1001"]);
    set(&office, json!({ "members": one, "weight": 1, "acceleration_secs": 10 })).await;
    let vip = json!({ "number": "6401", "name": "Support-VIP", "weight": 2, "members": one });
    office.api.post("/api/v1/queues", vip).await;
    let mut agent = office.phone("1001", 0, Value::Null).await;
    let mut before = office.phone("1000", 0, Value::Null).await;
    let mut first = office.phone("1002", 0, Value::Null).await;
    let mut second = office.phone("1003", 0, Value::Null).await;
    let mut third = office.phone("1004", 0, Value::Null).await;
    before.call("6400").await;
    ring(&mut agent).await;
    agent.answer().await;
    agent.expect_state("CONFIRMED").await;

    waits(&office, &mut second, "6400", 1).await;
    waits(&office, &mut first, "6401", 1).await;
    before.hang_up().await;
    agent.expect_end().await;
    assert!(ring(&mut agent).await.contains("1002"), "case 1: 2 > 1, VIP first");
    agent.answer().await;
    agent.expect_state("CONFIRMED").await;
    tokio::time::sleep(Duration::from_secs(16)).await;
    waits(&office, &mut third, "6401", 1).await;
    first.hang_up().await;
    agent.expect_end().await;

    assert!(ring(&mut agent).await.contains("1003"), "case 2: 3 > 2, Support first");
    serve(&mut agent, &mut second).await;
    assert!(ring(&mut agent).await.contains("1004"), "and then VIP");
    serve(&mut agent, &mut third).await;
}
