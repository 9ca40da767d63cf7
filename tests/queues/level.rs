//! The service level of a real queue, and the letter when it is too low.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::{Office, Smtp};
use tokio::time::sleep;

use crate::{members, set};

const STATUS: &str = "/api/v1/queues/6400/status";

#[tokio::test]
async fn q_240_q_246_q_267_one_of_two_in_time_is_half_and_below_the_threshold_a_letter() {
    let folder = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(folder.path(), 0).await;
    let port = format!("mail.port={}", smtp.port);
    let office = Office::open_with(&["mail.host=127.0.0.1", &port, "mail.security=none"]).await;
    let address = json!({ "email": "boss@example.net" });
    office.api.patch("/api/v1/extensions/1002", address).await;
    let queue = json!({
        "members": members("static", &["1001"]), "managers": ["1002"],
        "notifications": { "sla_alarm": true },
        "sla": { "time_secs": 60, "evaluation_interval_mins": 1, "alarm_threshold_percent": 80 },
    });
    set(&office, queue).await;
    let level = office.api.get(STATUS).await["service_level"].clone();
    assert_eq!((&level["percent"], &level["total"]), (&json!(0.0), &json!(0)), "Q-246");
    let _agent = office.phone("1001", 1_100, json!({ "auto_answer": true })).await;
    let mut caller = office.phone("1000", 0, Value::Null).await;

    // One interval holds both calls.
    let into = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    if into.as_secs() % 60 > 30 {
        sleep(Duration::from_secs(61 - into.as_secs() % 60)).await;
    }
    caller.call("6400").await;
    caller.expect_state("CONFIRMED").await;
    office.api.wait_for(STATUS, |status| status["answered"] == 1).await;
    caller.hang_up().await;
    office.quiet().await;
    caller.forget();
    let pause = json!({ "queue": "6400" });
    office.api.post("/api/v1/agents/1001/pause", pause).await;
    caller.call("6400").await;
    caller.expect_state("CONFIRMED").await;
    caller.hang_up().await;
    let both = |status: &Value| status["total"] == 2;
    let level = office.api.wait_for(STATUS, both).await["service_level"].clone();
    assert_eq!((&level["percent"], &level["in_time"]), (&json!(50.0), &json!(1)), "{level}");

    for _ in 0..90 {
        if smtp.count() > 0 {
            break;
        }
        sleep(Duration::from_secs(1)).await;
    }
    let letter = smtp.letter(1).await;
    assert!(letter.contains("Subject: SLA alarm in queue 6400"), "{letter}");
    assert!(letter.contains("SLA: 50% of 2 calls in 1 min"), "{letter}");
    assert!(letter.contains("Threshold: 80%"), "{letter}");
}
