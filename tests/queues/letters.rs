//! What the managers of a queue are told by e-mail, taken by a real SMTP server.

use serde_json::{Value, json};
use tandem_tests::{Office, Smtp};
use tokio::time::{Duration, sleep};

use crate::{members, set};

#[tokio::test]
async fn q_265_q_271_managers_get_letters_of_missed_and_abandoned_calls_once_each() {
    let folder = tempfile::tempdir().unwrap();
    // The first attempt is refused.
    let smtp = Smtp::start(folder.path(), 1).await;
    let port = format!("mail.port={}", smtp.port);
    let office = Office::open_with(&["mail.host=127.0.0.1", &port, "mail.security=none"]).await;
    let address = json!({ "email": "boss@example.net" });
    office.api.patch("/api/v1/extensions/1002", address).await;
    let queue = json!({
        "members": members("static", &["1001"]), "max_wait_secs": 2,
        // One of them has no address.
        "managers": ["1003", "1002"],
        "notifications": { "missed_call": true, "abandoned_call": true },
    });
    set(&office, queue).await;
    let mut caller = office.phone("1000", 0, Value::Null).await;

    caller.call("6400").await;
    caller.expect_end().await;
    let missed = smtp.letter(1).await;
    caller.forget();
    caller.call("6400").await;
    caller.expect_state("CONFIRMED").await;
    sleep(Duration::from_millis(500)).await;
    caller.hang_up().await;
    let abandoned = smtp.letter(2).await;

    assert!(missed.contains("X-Envelope-To: boss@example.net"), "{missed}");
    assert!(missed.contains("Subject: Missed call in queue 6400"), "{missed}");
    assert!(missed.contains("Caller: 1000") && missed.contains("Reason: max_wait"), "{missed}");
    assert!(abandoned.contains("Subject: Abandoned call in queue 6400"), "{abandoned}");
    sleep(Duration::from_millis(500)).await;
    assert_eq!(smtp.count(), 2);
}

#[tokio::test]
async fn q_273_a_letter_is_written_by_the_template_of_the_settings_until_that_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(folder.path(), 0).await;
    let port = format!("mail.port={}", smtp.port);
    let office = Office::open_with(&["mail.host=127.0.0.1", &port, "mail.security=none"]).await;
    let address = json!({ "email": "boss@example.net" });
    office.api.patch("/api/v1/extensions/1002", address).await;
    let queue = json!({
        "members": members("static", &["1001"]), "max_wait_secs": 1, "managers": ["1002"],
        "notifications": { "missed_call": true },
    });
    set(&office, queue).await;
    let letter = json!({
        "event": "queue_missed_call", "language": "en",
        "subject": "{{ caller_number }} was not served",
        "text": "{% if waiting_time < 30 %}a short wait, {{ reason }}{% endif %}\n",
    });
    office.api.patch("/api/v1/settings", json!({ "letters": [letter] })).await;
    let mut caller = office.phone("1000", 0, Value::Null).await;

    caller.call("6400").await;
    caller.expect_end().await;
    let own = smtp.letter(1).await;
    office.api.patch("/api/v1/settings", json!({ "letters": [] })).await;
    caller.forget();
    caller.call("6400").await;
    caller.expect_end().await;
    let house = smtp.letter(2).await;

    assert!(own.contains("Subject: 1000 was not served"), "{own}");
    assert!(own.contains("a short wait, max_wait"), "{own}");
    assert!(house.contains("Subject: Missed call in queue 6400"), "{house}");
}
