//! Queues that are closed by the clock.

use serde_json::{Value, json};
use tandem_tests::Office;
use tandem_tests::sound::Recording;
use tokio::time::{Duration, sleep};

use crate::{members, set};

/// Office hours of every day in UTC, from and to so many minutes after now.
fn hours(from: i64, to: i64) -> Value {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_secs() / 60).unwrap();
    let clock = |offset: i64| {
        let minute = (now + offset).rem_euclid(24 * 60);
        format!("{:02}:{:02}", minute / 60, minute % 60)
    };
    json!([{ "from": clock(from), "to": clock(to) }])
}

/// A profile with these hours, and the queue goes by it.
async fn office(hours: Value, holidays: Value, more: Value) -> Office {
    let office = Office::open().await;
    let profile = json!({ "name": "office", "zone": "UTC", "hours": hours, "holidays": holidays });
    office.api.post("/api/v1/time-profiles", profile).await;
    let mut times = json!({
        "enabled": true, "time_profile": "office",
        "out_of_hours_destination": { "type": "extension", "number": "1003" },
        "holiday_destination": { "type": "extension", "number": "1004" },
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        times[key] = value.clone();
    }
    set(&office, json!({ "members": members("static", &["1001"]), "time_condition": times })).await;
    office
}

async fn steps(office: &Office) -> Vec<(String, String)> {
    let record = office.api.record("number=1000").await;
    let text = |step: &Value, field: &str| step[field].as_str().unwrap_or_default().to_owned();
    let steps = record["steps"].as_array().cloned().unwrap_or_default();
    steps.iter().map(|step| (text(step, "kind"), text(step, "detail"))).collect()
}

#[tokio::test]
async fn q_042_q_046_a_queue_closed_by_hours_hands_its_callers_on_and_counts_none_of_them() {
    let office = office(hours(-90, -30), json!([]), Value::Null).await;
    let mut agent = office.phone("1001", 0, Value::Null).await;
    let mut night = office.phone("1003", 900, json!({ "auto_answer": true })).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    night.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(2)).await;
    caller.hang_up().await;
    night.expect_end().await;
    caller.expect_end().await;

    let expected = ("time_condition".to_owned(), "outside office hours".to_owned());
    assert_eq!(steps(&office).await, [expected]);
    let record = office.api.record("number=1000").await;
    assert_eq!(record["answered_by"], "1003", "{record}");
    assert!(record["queue"].is_null(), "it never entered: {record}");
    let status = office.api.get("/api/v1/queues/6400/status").await;
    assert_eq!(status["total"], 0, "{status}");
    assert!(!agent.sees("incoming", Duration::from_millis(200)).await);
    assert!(Recording::read(&caller.recording(1)).first(900.0).is_some(), "no talk");
}

#[tokio::test]
async fn q_040_q_046_in_office_hours_it_takes_callers_and_keeps_them_when_it_closes() {
    let office = office(hours(-30, 30), json!([]), Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    caller.call("6400").await;
    let waits = |status: &Value| status["waiting"].as_array().is_some_and(|it| it.len() == 1);
    office.api.wait_for("/api/v1/queues/6400/status", waits).await;

    let closed = json!({ "hours": hours(-90, -30) });
    office.api.patch("/api/v1/time-profiles/office", closed).await;
    let mut agent = office.phone("1001", 900, json!({ "auto_answer": true })).await;
    agent.expect_state("CONFIRMED").await;
    caller.hang_up().await;
    caller.expect_end().await;

    let record = office.api.record("queue=6400").await;
    assert_eq!(record["queue"]["exit"], "answered", "{record}");
}

#[tokio::test]
async fn q_043_q_045_on_a_holiday_its_prompt_is_heard_before_the_holiday_s_destination() {
    // All days of each year, so that no midnight comes in between.
    let holiday = json!([{
        "name": "Festival", "from": "2026-01-01", "to": "2026-12-31", "every_year": true,
        "prompt": "custom/festival",
    }]);
    let office = office(hours(-30, 30), holiday, json!({ "play_holiday_prompt": true })).await;
    office.api.upload_tone("festival", 1_800.0, 2.0).await;
    let mut other = office.phone("1004", 900, json!({ "auto_answer": true })).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    other.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(2)).await;
    caller.hang_up().await;
    other.expect_end().await;
    caller.expect_end().await;
    sleep(Duration::from_millis(300)).await;

    let expected = ("time_condition".to_owned(), "holiday Festival".to_owned());
    assert_eq!(steps(&office).await, [expected]);
    let heard = Recording::read(&caller.recording(1));
    let (prompt, talk) = (heard.first(1_800.0), heard.first(900.0));
    assert!(prompt.is_some() && prompt < talk, "{prompt:?} before {talk:?}");
}
