//! Call flows (通话流程): steps in order, conditions on hours, caller and digits, versions.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::Office;
use tokio::time::sleep;

use crate::{hears, press, steps};

/// Hours in UTC from so many minutes after now to so many minutes after now.
fn hours(from: i64, to: i64) -> Value {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let minute = i64::try_from(now.as_secs() / 60).unwrap();
    let clock = |offset: i64| {
        let minute = (minute + offset).rem_euclid(24 * 60);
        format!("{:02}:{:02}", minute / 60, minute % 60)
    };
    json!({ "zone": "UTC", "days": [], "from": clock(from), "to": clock(to) })
}

fn go(extension: &str) -> Value {
    let destination = json!({ "type": "extension", "number": extension });
    json!({ "type": "go", "destination": destination })
}

#[tokio::test]
async fn q_026_a_call_flow_goes_by_hours_caller_and_digits() {
    let office = Office::open().await;
    let welcome = office.api.upload_tone("welcome", 600.0, 1.0).await;
    let closed = office.api.upload_tone("closed", 1_800.0, 1.0).await;
    let ask = office.api.upload_tone("ask", 1_200.0, 1.0).await;
    let collect = json!({ "type": "collect", "prompt": ask, "max_digits": 4, "timeout_secs": 3 });
    let flow = json!({ "number": "6600", "name": "orders", "steps": [
        { "when": { "hours": hours(-90, -30) }, "action": { "type": "play", "prompt": closed } },
        { "when": { "hours": hours(-30, 30) }, "action": { "type": "play", "prompt": welcome } },
        { "when": { "caller": ["2XXX"] }, "action": go("1003") },
        { "action": collect },
        { "when": { "digits": ["9XXX"] }, "action": go("1001") },
        { "action": go("1002") },
    ] });
    office.api.post("/api/v1/call-flows", flow).await;
    let mut one = office.phone("1001", 0, Value::Null).await;
    let mut two = office.phone("1002", 0, Value::Null).await;
    let mut caller = office.phone("1000", 0, Value::Null).await;

    caller.call("6600").await;
    caller.expect_state("CONFIRMED").await;
    hears(&caller, 1, 600.0).await;
    hears(&caller, 1, 1_200.0).await;
    press(&mut caller, "9042").await;
    one.expect("incoming").await;
    caller.hang_up().await;
    one.expect_end().await;
    caller.expect_end().await;

    assert_eq!(
        steps(&office, "1000").await,
        [
            "call_flow 6600: entered version 1".to_owned(),
            format!("call_flow 6600: step 2: prompt {welcome}"),
            format!("call_flow 6600: step 4: collect after {ask}"),
            "call_flow 6600: collected 9042".to_owned(),
            "call_flow 6600: step 5: to extension 1001".to_owned(),
        ]
    );
    caller.forget();
    caller.call("6600").await;
    caller.expect_state("CONFIRMED").await;
    hears(&caller, 2, 1_200.0).await;
    press(&mut caller, "17#").await;
    two.expect("incoming").await;
    caller.hang_up().await;
    two.expect_end().await;
}

#[tokio::test]
async fn q_026_a_call_goes_on_with_the_version_of_the_flow_that_it_began_with() {
    let office = Office::open().await;
    let ask = office.api.upload_tone("ask", 1_200.0, 1.0).await;
    let collect = json!({ "type": "collect", "prompt": ask, "max_digits": 1, "timeout_secs": 9 });
    let steps_to = |extension: &str| json!([{ "action": collect }, { "action": go(extension) }]);
    let flow = json!({ "number": "6600", "name": "orders", "steps": steps_to("1001") });
    office.api.post("/api/v1/call-flows", flow).await;
    let mut one = office.phone("1001", 0, Value::Null).await;
    let mut two = office.phone("1002", 0, Value::Null).await;
    let mut caller = office.phone("1000", 0, Value::Null).await;
    caller.call("6600").await;
    caller.expect_state("CONFIRMED").await;

    office.api.patch("/api/v1/call-flows/6600", json!({ "steps": steps_to("1002") })).await;
    sleep(Duration::from_millis(300)).await;
    press(&mut caller, "5").await;
    one.expect("incoming").await;
    caller.hang_up().await;
    one.expect_end().await;
    caller.expect_end().await;

    assert_eq!(steps(&office, "1000").await[0], "call_flow 6600: entered version 1");
    caller.forget();
    caller.call("6600").await;
    caller.expect_state("CONFIRMED").await;
    sleep(Duration::from_millis(300)).await;
    press(&mut caller, "5").await;
    two.expect("incoming").await;
    caller.hang_up().await;
    two.expect_end().await;
}
