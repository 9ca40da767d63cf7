//! Callers who talk with the house, or wait where somebody put them, when their member dies.

use serde_json::json;
use tandem_tests::sound::assert_heard;
use tokio::time::{Duration, sleep};

use crate::calls::call_at;
use crate::queues::{phone, placed, talking};

/// The menu's prompt, in Hz.
const PROMPT: f64 = 500.0;

#[tokio::test]
async fn a_caller_in_a_menu_hears_it_again_at_another_member_and_chooses() {
    let mut three = placed().await;
    let prompt = three.api(1).upload_tone("choose", PROMPT, 20.0).await;
    let menu = json!({
        "number": "6500", "name": "choose", "prompt": prompt,
        "keys": { "1": { "type": "extension", "number": "1001" } },
    });
    three.api(1).post("/api/v1/ivrs", menu).await;
    let mut callee = phone(&three, 1, "1001", 1100).await;
    let mut caller = phone(&three, 0, "1000", 700).await;
    sleep(Duration::from_secs(1)).await;
    caller.call("6500").await;
    caller.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(2)).await;
    let (_, before) = call_at(&three, &[0]).await;

    three.kill(0).await;
    let (member, after) = call_at(&three, &[1, 2]).await;
    assert_eq!(after["id"], before["id"]);
    sleep(Duration::from_secs(1)).await;
    let again = caller.record("again").await;
    sleep(Duration::from_secs(2)).await;
    caller.tell(json!({ "do": "dtmf", "digits": "1" })).await;
    callee.expect("incoming").await;
    assert_heard(&again, PROMPT, 1.5);
    callee.answer().await;
    sleep(Duration::from_secs(1)).await;
    let heard = [caller.record("talk").await, callee.record("talk").await];
    sleep(Duration::from_secs(3)).await;
    caller.hang_up().await;
    caller.expect_end().await;
    callee.expect_end().await;

    assert_heard(&heard[0], 1100.0, 2.0);
    assert_heard(&heard[1], 700.0, 2.0);
    let record = three.api(member).record("number=1000").await;
    assert_eq!((&record["id"], &record["outcome"]), (&before["id"], &json!("answered")));
}

#[tokio::test]
async fn q_492_a_parked_caller_rings_where_they_were_parked_when_their_member_dies() {
    let mut three = placed().await;
    let (mut caller, mut callee) = talking(&three, [0, 1]).await;
    let (_, call) = call_at(&three, &[0]).await;
    let park = format!("/api/v1/calls/{}/park", call["id"].as_str().unwrap());
    three.api(0).post(&park, json!({ "party": "1000" })).await;
    callee.expect_end().await;
    sleep(Duration::from_secs(1)).await;

    three.kill(0).await;
    callee.expect("incoming").await;
    callee.answer().await;
    sleep(Duration::from_secs(1)).await;
    let heard = [caller.record("back").await, callee.record("back").await];
    sleep(Duration::from_secs(3)).await;
    callee.hang_up().await;
    callee.expect_end().await;
    caller.expect_end().await;

    assert_heard(&heard[0], 1100.0, 2.0);
    assert_heard(&heard[1], 700.0, 2.0);
    let record = three.api(1).record("number=1000").await;
    assert_eq!((&record["id"], &record["outcome"]), (&call["id"], &json!("answered")));
}
