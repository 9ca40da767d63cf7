//! A manager takes a ringing call to the own phone from the queue panel.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::sound::assert_heard;
use tokio::time::sleep;

use crate::{MICROPHONE, signed_in};

#[tokio::test]
async fn q_482_a_manager_picks_up_by_keyboard_and_talks_in_the_browser() {
    let office = crate::office().await;
    let mut agent = office.phone("1001", 1_100, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let mut manager = signed_in(&office, "manager", "1002").await;
    manager.go_on_duty().await;
    manager.tell(json!({ "do": "open", "path": "/panel/#/queues" })).await;
    caller.call("6400").await;
    agent.expect("incoming").await;
    manager.text("rings at 1001").await;

    manager.tell(json!({ "do": "tab", "name": "Actions: 1000" })).await;
    manager.key("Enter").await;
    manager.tell(json!({ "do": "wait", "role": "menuitem", "name": "Pick up" })).await;
    manager.assert_accessible("the menu of a ringing caller").await;
    manager.key("ArrowDown").await;
    manager.key("Enter").await;
    manager.text("The call of 1000 rings at your phone.").await;
    manager.button("Answer").await;
    agent.expect_end().await;
    manager.text("rings at 1002").await;
    manager.press("Answer").await;
    manager.button("Hold").await;
    manager.text("Talking (1)").await;
    let talk = caller.record("talk").await;
    sleep(Duration::from_millis(4_500)).await;
    manager.assert_hears(700.0).await;
    caller.hang_up().await;
    manager.text("Talking (0)").await;
    sleep(Duration::from_millis(300)).await;

    assert_heard(&talk, f64::from(MICROPHONE), 3.0);
    let record = office.api.record("queue=6400").await;
    assert_eq!(record["queue"]["agent"], "1002", "{record}");
    manager.assert_clean().await;
}
