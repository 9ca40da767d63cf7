//! Agents who let calls ring are paused by the system and get a letter.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::{Office, Phone, Smtp};

use crate::agents::membership;
use crate::{members, set};

async fn office(smtp: &Smtp, strategy: &str) -> Office {
    let port = format!("mail.port={}", smtp.port);
    let office = Office::open_with(&["mail.host=127.0.0.1", &port, "mail.security=none"]).await;
    let address = json!({ "email": "chen@example.net" });
    office.api.patch("/api/v1/extensions/1001", address).await;
    let agent = json!({
        "ring_timeout_secs": 1, "retry_interval_secs": 1,
        "auto_pause": { "enabled": true, "missed_calls": 2 },
    });
    let one = members("static", &["1001"]);
    set(&office, json!({ "ring_strategy": strategy, "members": one, "agent": agent })).await;
    office
}

async fn rings_out(agent: &mut Phone) {
    agent.expect("incoming").await;
    agent.expect_end().await;
}

#[tokio::test]
async fn q_085_an_agent_who_misses_two_calls_in_a_row_is_paused_and_gets_a_letter() {
    let folder = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(folder.path(), 1).await;
    let office = office(&smtp, "linear").await;
    let mut agent = office.phone("1001", 0, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    rings_out(&mut agent).await;
    agent.expect("incoming").await;
    agent.answer().await;
    agent.expect_state("CONFIRMED").await;
    agent.hang_up().await;
    caller.expect_end().await;
    office.quiet().await;
    assert_eq!(membership(&office, "1001").await["paused"], false, "an answer between");
    agent.forget();
    caller.forget();
    caller.call("6400").await;
    rings_out(&mut agent).await;
    rings_out(&mut agent).await;

    // The server refuses it once.
    let letter = smtp.letter(1).await;
    assert!(letter.contains("X-Envelope-To: chen@example.net"), "{letter}");
    assert!(letter.contains("Subject: Paused in queue 6400 after 2 missed calls"), "{letter}");
    let paused = membership(&office, "1001").await;
    assert_eq!(paused["paused"], true, "{paused}");
    assert!(!agent.sees("incoming", Duration::from_secs(3)).await, "rang while paused");
    caller.hang_up().await;
    caller.expect_end().await;
    assert_eq!(smtp.count(), 1);
}

#[tokio::test]
async fn q_086_ring_all_pauses_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(folder.path(), 0).await;
    let office = office(&smtp, "ring_all").await;
    let mut agent = office.phone("1001", 0, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    for _ in 0..4 {
        rings_out(&mut agent).await;
    }

    assert_eq!(membership(&office, "1001").await["paused"], false);
    assert_eq!(smtp.count(), 0);
}
