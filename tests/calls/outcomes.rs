//! Calls that nobody answers, and what their records say.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::sound::assert_heard;
use tandem_tests::{Node, Office, Phone};
use tokio::time::sleep;

#[tokio::test]
async fn each_call_that_fails_has_its_status_and_its_record() {
    let office = Office::open().await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let mut busy = office.phone("1001", 0, json!({ "refuse": 486 })).await;
    let mut idle = office.phone("1002", 0, Value::Null).await;

    caller.call("1001").await;
    busy.expect("incoming").await;
    assert_eq!(caller.expect_end().await, 486);
    let record = office.api.record("number=1001").await;
    assert_eq!(record["outcome"], "busy", "{record}");

    caller.call("7777").await;
    assert_eq!(caller.expect_end().await, 404);

    caller.call("1005").await;
    assert_eq!(caller.expect_end().await, 480);
    let record = office.api.record("number=1005").await;
    assert_eq!(record["outcome"], "no_answer", "{record}");

    caller.call("1002").await;
    idle.expect("incoming").await;
    caller.expect_state("EARLY").await;
    caller.hang_up().await;
    assert_eq!(caller.expect_end().await, 487);
    idle.expect_end().await;
    let record = office.api.record("number=1002").await;
    assert_eq!(record["outcome"], "cancelled", "{record}");
    assert!(record["answered_at"].is_null(), "{record}");
    office.quiet().await;
}

#[tokio::test]
async fn a_phone_that_is_forwarded_hands_the_call_on_and_two_that_point_at_each_other_end_it() {
    let office = Office::open().await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let to = |number: &str| json!({ "refuse": 302, "refuse_with": { "Contact": format!("<sip:{number}@tandem>") } });
    let mut away = office.phone("1001", 0, to("1002")).await;
    let mut there = office.phone("1002", 1100, Value::Null).await;
    let mut circle = office.phone("1003", 0, to("1003")).await;

    caller.call("1001").await;
    away.expect("incoming").await;
    there.expect("incoming").await;
    there.answer().await;
    caller.expect_state("CONFIRMED").await;
    sleep(Duration::from_millis(3_500)).await;
    caller.hang_up().await;
    caller.expect_end().await;
    there.expect_end().await;
    caller.call("1003").await;
    circle.expect("incoming").await;
    assert_eq!(caller.expect_end().await, 482);

    assert_heard(&there.recording(1), 700.0, 2.5);
    let record = office.api.record("number=1001").await;
    assert_eq!(record["answered_by"], "1002", "{record}");
    let step = &record["steps"][0];
    assert_eq!((&step["kind"], &step["key"]), (&json!("forward"), &json!("1001")), "{record}");
    office.quiet().await;
}

#[tokio::test]
async fn a_call_that_nobody_answers_ends_after_the_ring_timeout() {
    let office = Office::open().await;
    office.api.patch("/api/v1/extensions/1002", json!({ "ring_timeout_secs": 2 })).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let mut idle = office.phone("1002", 0, Value::Null).await;

    caller.call("1002").await;
    idle.expect("incoming").await;

    let status = caller.expect_end().await;
    assert!([408, 480].contains(&status), "{status}");
    idle.expect_end().await;
    let record = office.api.record("number=1002").await;
    assert_eq!(record["outcome"], "no_answer", "{record}");
}

#[tokio::test]
async fn a_node_that_ends_says_goodbye_to_the_calls_that_are_left() {
    let set = ["node.drain_secs=1"];
    let mut office = Office::open_with(&set).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let mut callee = office.phone("1001", 1100, json!({ "auto_answer": true })).await;
    caller.call("1001").await;
    caller.expect_state("CONFIRMED").await;

    office.node.stop().await;

    // A BYE: without one the phones would go on talking to nobody.
    assert_eq!((caller.expect_end().await, callee.expect_end().await), (200, 200));
    office.node = Node::start_with(office.dir(), &set).await;
    let record = office.node.api().record("number=1001").await;
    assert_eq!(record["outcome"], "answered", "{record}");
}

#[tokio::test]
async fn a_phone_with_a_wrong_password_is_not_registered() {
    let office = Office::open().await;
    let wrong = json!({ "password": "not the right one" });
    let mut phone = Phone::start(office.node.sip("udp"), "1000", office.dir(), wrong).await;

    let refused = phone.expect("not_registered").await;

    assert!([401, 403].contains(&refused["code"].as_u64().unwrap()), "{refused}");
}

#[tokio::test]
async fn a_phone_of_an_unknown_extension_learns_no_more_than_a_wrong_password() {
    let office = Office::open().await;
    let stranger = json!({ "password": "whatever it is" });
    let mut phone = Phone::start(office.node.sip("udp"), "4711", office.dir(), stranger).await;

    let refused = phone.expect("not_registered").await;

    assert!([401, 403].contains(&refused["code"].as_u64().unwrap()), "{refused}");
}

#[tokio::test]
async fn a_phone_that_signed_off_is_not_rung() {
    let office = Office::open().await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let mut gone = office.phone("1001", 0, Value::Null).await;
    gone.tell(json!({ "do": "unregister" })).await;
    sleep(Duration::from_millis(500)).await;

    caller.call("1001").await;

    assert_eq!(caller.expect_end().await, 480);
    assert!(!gone.sees("incoming", Duration::from_millis(300)).await);
}
