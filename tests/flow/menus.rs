//! Menus: keys by every way that digits travel, time-out, wrong keys, levels, extensions.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::Office;
use tokio::time::sleep;

use crate::{hears, press, steps};

/// A menu of 600 Hz whose key 2 leads to one of 1,200 Hz whose key 1 leads to 1001.
async fn two_levels(office: &Office) {
    let (top, low) = (
        office.api.upload_tone("top", 600.0, 2.0).await,
        office.api.upload_tone("low", 1_200.0, 2.0).await,
    );
    let low = json!({
        "number": "6501", "name": "low", "prompt": low,
        "keys": { "1": { "type": "extension", "number": "1001" } },
    });
    office.api.post("/api/v1/ivrs", low).await;
    let top = json!({
        "number": "6500", "name": "top", "prompt": top,
        "keys": { "2": { "type": "ivr", "number": "6501" } },
    });
    office.api.post("/api/v1/ivrs", top).await;
    let back = json!({ "keys": { "*": { "type": "ivr", "number": "6500" } } });
    office.api.patch("/api/v1/ivrs/6501", back).await;
}

/// Goes down, up and down again by a way of pressing keys, and talks to 1001.
async fn through_two_levels(by: &str, options: Value) {
    let office = Office::open().await;
    two_levels(&office).await;
    if by == "tones" {
        office.api.patch("/api/v1/extensions/1000", json!({ "dtmf": "inband" })).await;
    }
    let mut callee = office.phone("1001", 900, json!({ "auto_answer": true })).await;
    let mut caller = office.phone("1000", 0, options).await;

    caller.call("6500").await;
    caller.expect_state("CONFIRMED").await;
    hears(&caller, 1, 600.0).await;
    caller.tell(json!({ "do": "dtmf", "digits": "2", "by": by })).await;
    hears(&caller, 1, 1_200.0).await;
    caller.tell(json!({ "do": "dtmf", "digits": "*", "by": by })).await;
    sleep(Duration::from_millis(1_500)).await;
    caller.tell(json!({ "do": "dtmf", "digits": "2", "by": by })).await;
    sleep(Duration::from_millis(1_500)).await;
    caller.tell(json!({ "do": "dtmf", "digits": "1", "by": by })).await;
    callee.expect_state("CONFIRMED").await;
    hears(&caller, 1, 900.0).await;
    caller.hang_up().await;
    callee.expect_end().await;

    let record = office.api.record("number=1000").await;
    assert_eq!(record["answered_by"], "1001", "{record}");
    let expected = [
        "ivr 6500: entered",
        "ivr 6500: pressed 2: to menu 6501",
        "ivr 6501: entered",
        "ivr 6501: pressed *: to menu 6500",
        "ivr 6500: entered",
        "ivr 6500: pressed 2: to menu 6501",
        "ivr 6501: entered",
        "ivr 6501: pressed 1: to extension 1001",
    ];
    assert_eq!(steps(&office, "1000").await, expected);
}

#[tokio::test]
async fn q_026_a_menu_two_levels_deep_by_rfc_4733() {
    through_two_levels("events", Value::Null).await;
}

#[tokio::test]
async fn q_026_a_menu_two_levels_deep_by_sip_info() {
    through_two_levels("info", Value::Null).await;
}

#[tokio::test]
async fn q_026_a_menu_two_levels_deep_by_tones_in_the_audio() {
    through_two_levels("tones", json!({ "codecs": ["PCMU/8000/1"] })).await;
}

#[tokio::test]
async fn q_026_an_extension_is_dialled_in_a_menu_and_a_key_that_begins_it_still_works() {
    let office = Office::open().await;
    let prompt = office.api.upload_tone("top", 600.0, 1.0).await;
    let ivr = json!({
        "number": "6500", "name": "top", "prompt": prompt, "dial_by_extension": true,
        "digit_timeout_secs": 1,
        "keys": { "1": { "type": "extension", "number": "1002" } },
    });
    office.api.post("/api/v1/ivrs", ivr).await;
    let mut one = office.phone("1001", 0, Value::Null).await;
    let mut two = office.phone("1002", 0, Value::Null).await;
    let mut caller = office.phone("1000", 0, Value::Null).await;

    caller.call("6500").await;
    caller.expect_state("CONFIRMED").await;
    sleep(Duration::from_millis(300)).await;
    press(&mut caller, "1001").await;
    one.expect("incoming").await;
    caller.hang_up().await;
    one.expect_end().await;
    caller.expect_end().await;
    caller.forget();
    caller.call("6500").await;
    caller.expect_state("CONFIRMED").await;
    sleep(Duration::from_millis(300)).await;
    press(&mut caller, "1").await;
    two.expect("incoming").await;
    caller.hang_up().await;
    two.expect_end().await;
}

#[tokio::test]
async fn q_026_who_presses_nothing_and_who_presses_wrong_keys_goes_where_the_menu_says() {
    let office = Office::open().await;
    let prompt = office.api.upload_tone("top", 600.0, 0.5).await;
    let wrong = office.api.upload_tone("wrong", 1_500.0, 0.5).await;
    let ivr = json!({
        "number": "6500", "name": "top", "prompt": prompt, "timeout_secs": 1, "max_tries": 2,
        "invalid_prompt": wrong,
        "timeout": { "type": "extension", "number": "1001" },
        "invalid": { "type": "extension", "number": "1002" },
    });
    office.api.post("/api/v1/ivrs", ivr).await;
    let mut one = office.phone("1001", 0, Value::Null).await;
    let mut two = office.phone("1002", 0, Value::Null).await;
    let mut caller = office.phone("1000", 0, Value::Null).await;

    caller.call("6500").await;
    one.expect("incoming").await;
    caller.hang_up().await;
    caller.expect_end().await;
    assert_eq!(
        steps(&office, "1000").await,
        ["ivr 6500: entered", "ivr 6500: nothing was pressed: to extension 1001"]
    );
    caller.forget();
    caller.call("6500").await;
    caller.expect_state("CONFIRMED").await;
    press(&mut caller, "8").await;
    hears(&caller, 2, 1_500.0).await;
    sleep(Duration::from_millis(500)).await;
    press(&mut caller, "9").await;
    two.expect("incoming").await;
    caller.hang_up().await;
    two.expect_end().await;
}
