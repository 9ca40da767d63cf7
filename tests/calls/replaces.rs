//! A party's place goes to another phone: INVITE with Replaces (RFC 3891), and attended transfers
//! to where nobody talks yet (RFC 5589).

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::sound::{assert_heard, assert_music};
use tandem_tests::{Office, Phone};
use tokio::time::sleep;

async fn connect(caller: &mut Phone, callee: &mut Phone, number: &str) {
    caller.call(number).await;
    callee.expect("incoming").await;
    callee.answer().await;
    caller.expect_state("CONFIRMED").await;
    callee.expect_state("CONFIRMED").await;
}

/// Places a call that is to take the place of another one, and says how it was answered.
async fn replace(phone: &mut Phone, value: &str) -> u64 {
    let headers = json!({ "Replaces": value, "Require": "replaces" });
    phone.tell(json!({ "do": "call", "to": "1000", "headers": headers })).await;
    phone.expect_end().await
}

#[tokio::test]
async fn another_phone_of_the_extension_takes_the_talk_over_and_nobody_else_can() {
    let office = Office::open().await;
    let mut desk = office.phone("1000", 700, Value::Null).await;
    let mut mobile = office.phone("1000", 900, Value::Null).await;
    let mut callee = office.phone("1001", 1100, Value::Null).await;
    let mut foreign = office.phone("1002", 1500, Value::Null).await;
    connect(&mut desk, &mut callee, "1001").await;
    let dialog = desk.expect("dialog").await;
    let part = |name: &str| dialog[name].as_str().unwrap().to_owned();
    let (id, desk_tag, our_tag) = (part("id"), part("local"), part("remote"));
    let right = format!("{id};to-tag={our_tag};from-tag={desk_tag}");

    assert_eq!(replace(&mut foreign, &right).await, 403, "it is not theirs");
    let turned = format!("{id};to-tag={desk_tag};from-tag={our_tag}");
    assert_eq!(replace(&mut mobile, &turned).await, 481, "the tags are the other way round");
    let unknown = format!("x{right}");
    assert_eq!(replace(&mut mobile, &unknown).await, 481, "no such Call-ID");
    assert_eq!(replace(&mut mobile, &format!("{right};early-only")).await, 486);
    assert_eq!(replace(&mut mobile, &id).await, 400, "no tags at all");
    let untouched = callee.record("untouched").await;
    sleep(Duration::from_millis(2_500)).await;

    let headers = json!({ "Replaces": right, "Require": "replaces" });
    mobile.tell(json!({ "do": "call", "to": "1000", "headers": headers })).await;
    mobile.expect_state("CONFIRMED").await;
    desk.expect_end().await;
    let (by_mobile, by_callee) = (mobile.record("over").await, callee.record("over").await);
    sleep(Duration::from_millis(4_000)).await;
    mobile.hang_up().await;
    callee.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    assert_heard(&untouched, 700.0, 2.0);
    assert_heard(&by_mobile, 1100.0, 3.0);
    assert_heard(&by_callee, 900.0, 3.0);
    office.quiet().await;
    let record = office.api.record("number=1001").await;
    assert_eq!(record["from"], "1000", "{record}");
    assert_eq!(record["answered_by"], "1001", "{record}");
}

#[tokio::test]
async fn an_attended_transfer_into_a_queue_leaves_the_caller_waiting_there() {
    let office = Office::open().await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let mut desk = office.phone("1004", 1100, Value::Null).await;
    connect(&mut caller, &mut desk, "1004").await;
    desk.tell(json!({ "do": "hold" })).await;
    desk.expect_where("media", |event| event["status"] == "local_hold").await;
    desk.call("6400").await;
    desk.expect_where("state", |it| it["call"] == 2 && it["state"] == "CONFIRMED").await;

    // Alone in a queue there is nobody whom a transfer could move.
    desk.tell(json!({ "do": "transfer", "call": 2, "to": "1005" })).await;
    desk.expect_where("transfer", |it| it["status"] == 491 && it["final"] == true).await;
    desk.tell(json!({ "do": "attended", "call": 1, "with": 2 })).await;
    desk.expect_where("transfer", |it| it["status"] == 200 && it["final"] == true).await;
    desk.expect_end().await;
    desk.expect_end().await;
    sleep(Duration::from_millis(500)).await;
    let waiting = caller.record("waiting").await;
    sleep(Duration::from_millis(3_000)).await;
    let mut agent = office.phone("1001", 1500, Value::Null).await;
    agent.expect("incoming").await;
    agent.answer().await;
    agent.expect_state("CONFIRMED").await;
    let served = caller.record("served").await;
    sleep(Duration::from_millis(3_500)).await;
    caller.hang_up().await;
    agent.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    assert_music(&waiting);
    assert_heard(&served, 1500.0, 2.5);
    assert_heard(&agent.recording(1), 700.0, 2.5);
    office.quiet().await;
    let records = office.api.records(2, "").await;
    let to = |number: &str| records.iter().find(|it| it["to"] == number).unwrap().clone();
    assert_eq!(to("6400")["answered_by"], "1001", "{records:?}");
    let step = &to("1004")["steps"][0];
    assert_eq!((&step["kind"], &step["key"]), (&json!("transfer"), &json!("6400")), "{records:?}");
}

#[tokio::test]
async fn a_transfer_to_a_phone_that_still_rings_connects_when_it_is_answered() {
    let office = Office::open().await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let mut desk = office.phone("1001", 1100, Value::Null).await;
    let mut third = office.phone("1002", 1500, Value::Null).await;
    connect(&mut caller, &mut desk, "1001").await;
    desk.tell(json!({ "do": "hold" })).await;
    desk.expect_where("media", |event| event["status"] == "local_hold").await;
    desk.call("1002").await;
    third.expect("incoming").await;
    desk.expect_where("state", |it| it["call"] == 2 && it["state"] == "EARLY").await;

    desk.tell(json!({ "do": "attended", "call": 1, "with": 2 })).await;
    desk.expect_end().await;
    desk.expect_end().await;
    sleep(Duration::from_millis(500)).await;
    let ringing = caller.record("ringing").await;
    sleep(Duration::from_millis(3_000)).await;
    third.answer().await;
    third.expect_state("CONFIRMED").await;
    let together = caller.record("together").await;
    sleep(Duration::from_millis(3_500)).await;
    third.hang_up().await;
    caller.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    assert!(tandem_tests::sound::Recording::read(&ringing).secs() > 2.0);
    assert_heard(&together, 1500.0, 2.5);
    assert_heard(&third.recording(1), 700.0, 2.5);
    office.quiet().await;
    let records = office.api.records(2, "").await;
    let to = |number: &str| records.iter().find(|it| it["to"] == number).unwrap().clone();
    assert_eq!(to("1002")["answered_by"], "1002", "{records:?}");
}
