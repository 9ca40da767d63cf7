//! The queue call log as people work with it.

use serde_json::{Value, json};
use tandem_tests::api::items;

use crate::{office, signed_in};

const LOG: &str = "/api/v1/queue-log";

#[tokio::test]
async fn q_525_q_526_q_528_q_539_a_missed_call_is_claimed_called_and_processed_in_the_panel() {
    let office = office().await;
    let queue = json!({ "max_wait_secs": 1, "managers": ["1002"] });
    office.api.patch("/api/v1/queues/6400", queue).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let mut desk = office.phone("1002", 900, json!({ "auto_answer": true })).await;
    caller.call("6400").await;
    caller.expect_end().await;
    caller.forget();
    office.api.wait_for(LOG, |log| items(log).len() == 1).await;

    let mut manager = signed_in(&office, "manager", "1002").await;
    manager.tell(json!({ "do": "open", "path": "/panel/#/missed" })).await;
    manager.button("Call 1000").await;
    manager.assert_accessible("the queue call log").await;
    manager.press("Call 1000").await;
    desk.expect_state("CONFIRMED").await;
    caller.expect("incoming").await;
    caller.answer().await;
    caller.expect_state("CONFIRMED").await;
    let claimed = |log: &Value| items(log)[0]["state"] == "processing";
    let log = office.api.wait_for(LOG, claimed).await;
    assert_eq!(items(&log)[0]["changes"][0]["by"], "user:manager-1002", "{log}");
    caller.hang_up().await;
    desk.expect_end().await;

    manager.text("manager-1002 (1002)").await;
    let label = "Processing of the call of 1000";
    manager.tell(json!({ "do": "choose", "label": label, "value": "processed" })).await;
    let done = |log: &Value| items(log)[0]["state"] == "processed";
    office.api.wait_for(LOG, done).await;
    manager.assert_clean().await;
}
