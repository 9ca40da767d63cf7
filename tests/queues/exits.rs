//! Each caller leaves a queue by exactly one outcome (section 30.2, 30.3).

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::Office;
use tandem_tests::api::secs;
use tokio::time::sleep;

use crate::{members, set};

async fn assert_left(office: &Office, exit: &str, outcome: &str, counter: &str) {
    let record = office.api.record("queue=6400").await;
    assert_eq!(record["queue"]["exit"], exit, "{record}");
    assert_eq!(record["outcome"], outcome, "{record}");
    // A caller who is told to leave counts when the way back can not be crossed any more: 1 s.
    let counted = |status: &Value| status["total"] == 1;
    let status = office.api.wait_for("/api/v1/queues/6400/status", counted).await;
    assert_eq!(status[counter], 1, "{status}");
}

#[tokio::test]
async fn q_132_a_caller_who_hangs_up_while_waiting_is_abandoned() {
    let office = Office::open().await;
    set(&office, json!({ "members": members("static", &["1001"]) })).await;
    let mut agent = office.phone("1001", 0, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    agent.expect("incoming").await;
    sleep(Duration::from_secs(2)).await;
    caller.hang_up().await;
    caller.expect_end().await;
    agent.expect_end().await;

    assert_left(&office, "caller_hangup", "abandoned", "abandoned").await;
    let record = office.api.record("queue=6400").await;
    assert!((1.9..3.0).contains(&secs(&record["queue"], "wait_secs")), "{record}");
    office.quiet().await;
}

#[tokio::test]
async fn q_025_a_caller_who_waited_too_long_goes_to_the_failover() {
    let office = Office::open().await;
    let failover = json!({ "type": "extension", "number": "1004" });
    let queue = json!({
        "members": members("static", &["1001"]), "max_wait_secs": 2, "failover": failover,
    });
    set(&office, queue).await;
    let mut agent = office.phone("1001", 0, Value::Null).await;
    let mut other = office.phone("1004", 900, json!({ "auto_answer": true })).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    let from = agent.expect("incoming").await["t"].as_f64().unwrap();
    let to = other.expect("incoming").await["t"].as_f64().unwrap();
    other.expect_state("CONFIRMED").await;
    agent.expect_end().await;
    sleep(Duration::from_secs(1)).await;
    caller.hang_up().await;
    other.expect_end().await;

    assert!((1.8..2.6).contains(&(to - from)), "after {:.2} s", to - from);
    let record = office.api.record("queue=6400").await;
    assert_eq!(record["queue"]["exit"], "max_wait", "{record}");
    assert_eq!(record["answered_by"], "1004", "{record}");
}

#[tokio::test]
async fn q_120_a_full_queue_takes_no_more_callers() {
    let office = Office::open().await;
    set(&office, json!({ "members": members("static", &["1001"]), "max_callers": 1 })).await;
    let mut agent = office.phone("1001", 0, Value::Null).await;
    let mut one = office.phone("1000", 700, Value::Null).await;
    let mut two = office.phone("1004", 700, Value::Null).await;
    one.call("6400").await;
    agent.expect("incoming").await;

    two.call("6400").await;
    two.expect_end().await;

    assert_left(&office, "max_callers", "missed", "missed").await;
    one.hang_up().await;
    one.expect_end().await;
}

#[tokio::test]
async fn q_123_nobody_joins_a_queue_without_agents() {
    let office = Office::open().await;
    let rule = json!({ "enabled": true, "scenarios": ["all_unregistered", "all_paused"] });
    set(&office, json!({ "members": members("static", &["1001"]), "join_empty": rule })).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    caller.expect_end().await;

    assert_left(&office, "join_empty", "missed", "missed").await;
}

#[tokio::test]
async fn q_122_who_waits_leaves_when_the_last_agent_pauses() {
    let office = Office::open().await;
    let rule = json!({ "enabled": true, "scenarios": ["all_unregistered", "all_paused"] });
    set(&office, json!({ "members": members("static", &["1001"]), "leave_empty": rule })).await;
    let mut agent = office.phone("1001", 0, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    caller.call("6400").await;
    agent.expect("incoming").await;

    let wish = json!({ "queue": "6400" });
    office.api.post("/api/v1/agents/1001/pause", wish).await;
    agent.tell(json!({ "do": "hangup", "status": 486 })).await;
    caller.expect_end().await;

    assert_left(&office, "leave_empty", "missed", "missed").await;
}

#[tokio::test]
async fn q_029_the_callers_of_a_removed_queue_leave_it() {
    let office = Office::open().await;
    let queue =
        json!({ "number": "6401", "name": "short", "members": members("static", &["1001"]) });
    office.api.post("/api/v1/queues", queue).await;
    let mut agent = office.phone("1001", 0, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    caller.call("6401").await;
    agent.expect("incoming").await;

    office.api.remove("/api/v1/queues/6401").await;
    caller.expect_end().await;
    agent.expect_end().await;

    let record = office.api.record("queue=6401").await;
    assert_eq!(record["queue"]["exit"], "queue_removed", "{record}");
}
