//! Junk by the thousand: its source is blocked, and calls go on (reliability S18).

use std::time::Duration;

use serde_json::Value;
use tandem_tests::sound::assert_heard;
use tandem_tests::{Office, Wire};
use tokio::time::{MissedTickBehavior, interval, sleep};

/// 1,500 REGISTERs a second for some seconds, each for another user, as sipvicious sends them.
async fn flood(wire: &Wire, secs: u32) {
    let mut tick = interval(Duration::from_millis(10));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for round in 0..secs * 100 {
        tick.tick().await;
        for index in 0..15 {
            let call_id = format!("junk{round}x{index}");
            let user = format!("{}", 100 + (round * 15 + index) % 9_000);
            let request = wire.request("REGISTER", &user, &call_id, "Content-Length: 0\r\n\r\n");
            wire.send(request.as_bytes()).await;
        }
    }
}

#[tokio::test]
async fn a_flood_of_junk_registers_blocks_its_source_and_leaves_calls_untouched() {
    let office = Office::open_with(&["sip.trust_loopback=false"]).await;
    let mut one = office.phone("1000", 700, Value::Null).await;
    let mut two = office.phone("1001", 1100, Value::Null).await;
    let junk = Wire::open("127.0.0.66", office.node.sip("udp")).await;
    let other = Wire::open("127.0.0.67", office.node.sip("udp")).await;
    one.call("1001").await;
    two.expect("incoming").await;
    two.answer().await;
    one.expect_state("CONFIRMED").await;
    two.expect_state("CONFIRMED").await;

    flood(&junk, 8).await;
    let blocked = !junk.is_answered("am-i-blocked", Duration::from_secs(1)).await;
    let free = other.is_answered("am-i-free", Duration::from_secs(2)).await;
    one.hang_up().await;
    one.expect_end().await;
    two.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    assert!(blocked, "the source of the flood is still answered");
    assert!(free, "another source is not answered");
    assert_heard(&one.recording(1), 1100.0, 7.5);
    assert_heard(&two.recording(1), 700.0, 7.5);
    // A new call is possible during the ban as well.
    one.call("1001").await;
    two.expect("incoming").await;
    one.hang_up().await;
    one.expect_end().await;
}
