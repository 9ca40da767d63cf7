//! Blind and attended transfer (RFC 5589), and what happens when they fail.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::sound::assert_heard;
use tandem_tests::{Office, Phone};
use tokio::time::sleep;

async fn connect(caller: &mut Phone, callee: &mut Phone, number: &str) {
    caller.call(number).await;
    callee.expect("incoming").await;
    callee.answer().await;
    caller.expect_state("CONFIRMED").await;
    callee.expect_state("CONFIRMED").await;
}

#[tokio::test]
async fn a_blind_transfer_connects_the_caller_with_the_third_party() {
    let office = Office::open().await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let mut agent = office.phone("1001", 1100, Value::Null).await;
    let mut third = office.phone("1002", 1500, Value::Null).await;
    connect(&mut caller, &mut agent, "1001").await;

    agent.tell(json!({ "do": "transfer", "to": "1002" })).await;
    third.expect("incoming").await;
    third.answer().await;
    third.expect_state("CONFIRMED").await;
    agent.expect_end().await;
    let heard_by_caller = caller.record("transferred").await;
    sleep(Duration::from_millis(4_500)).await;
    caller.hang_up().await;
    third.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    assert_heard(&heard_by_caller, 1500.0, 3.0);
    assert_heard(&third.recording(1), 700.0, 3.0);
    let record = office.api.record("number=1000").await;
    assert_eq!(record["outcome"], "answered", "{record}");
    assert_eq!(record["answered_by"], "1002", "{record}");
    office.quiet().await;
}

#[tokio::test]
async fn an_attended_transfer_connects_both_far_ends() {
    let office = Office::open().await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let mut agent = office.phone("1001", 1100, Value::Null).await;
    let mut third = office.phone("1002", 1500, Value::Null).await;
    connect(&mut caller, &mut agent, "1001").await;
    agent.tell(json!({ "do": "hold" })).await;
    agent.expect_where("media", |event| event["status"] == "local_hold").await;
    connect(&mut agent, &mut third, "1002").await;
    sleep(Duration::from_secs(1)).await;

    agent.tell(json!({ "do": "attended", "call": 1, "with": 2 })).await;
    agent.expect_end().await;
    agent.expect_end().await;
    let heard_by_caller = caller.record("transferred").await;
    let heard_by_third = third.record("transferred").await;
    sleep(Duration::from_millis(4_500)).await;
    caller.hang_up().await;
    third.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    assert_heard(&heard_by_caller, 1500.0, 3.0);
    assert_heard(&heard_by_third, 700.0, 3.0);
    office.quiet().await;
    let records = office.api.records(2, "").await;
    assert!(records.iter().all(|record| record["outcome"] == "answered"), "{records:?}");
}

#[tokio::test]
async fn a_transfer_that_fails_leaves_the_two_parties_together() {
    let office = Office::open().await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let mut agent = office.phone("1001", 1100, Value::Null).await;
    let mut busy = office.phone("1002", 0, json!({ "refuse": 486 })).await;
    connect(&mut caller, &mut agent, "1001").await;

    for target in ["1002", "1005"] {
        agent.tell(json!({ "do": "transfer", "to": target })).await;
        if target == "1002" {
            busy.expect("incoming").await;
        }
        let told = agent
            .expect_where("transfer", |event| event["status"].as_u64().unwrap_or(0) >= 300)
            .await;
        assert!([480, 486].contains(&told["status"].as_u64().unwrap()), "{told}");
    }
    sleep(Duration::from_millis(300)).await;
    let (heard_by_caller, heard_by_agent) =
        (caller.record("after").await, agent.record("after").await);
    sleep(Duration::from_millis(4_500)).await;
    caller.hang_up().await;
    agent.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    assert_heard(&heard_by_caller, 1100.0, 3.0);
    assert_heard(&heard_by_agent, 700.0, 3.0);
    let record = office.api.record("number=1000").await;
    assert_eq!(record["answered_by"], "1001", "{record}");
}

#[tokio::test]
async fn who_transferred_and_left_is_called_back_when_the_third_party_does_not_take_the_call() {
    let office = Office::open().await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let mut agent = office.phone("1001", 1100, Value::Null).await;
    let mut third = office.phone("1002", 0, Value::Null).await;
    connect(&mut caller, &mut agent, "1001").await;

    agent.tell(json!({ "do": "transfer", "to": "1002" })).await;
    third.expect("incoming").await;
    agent.hang_up().await;
    agent.expect_end().await;
    third.tell(json!({ "do": "hangup", "status": 486 })).await;
    agent.expect("incoming").await;
    agent.answer().await;
    agent.expect_state("CONFIRMED").await;
    let heard_by_caller = caller.record("recalled").await;
    let heard_by_agent = agent.record("recalled").await;
    sleep(Duration::from_millis(4_500)).await;
    caller.hang_up().await;
    agent.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    assert_heard(&heard_by_caller, 1100.0, 3.0);
    assert_heard(&heard_by_agent, 700.0, 3.0);
    let record = office.api.record("number=1000").await;
    assert_eq!(record["outcome"], "answered", "{record}");
    assert_eq!(record["answered_by"], "1001", "{record}");
    office.quiet().await;
}
