//! What the agent's desk lets its user choose.

use serde_json::{Value, json};

use crate::agent_in_a_browser;

#[tokio::test]
async fn the_softphone_rings_at_the_device_that_was_chosen_for_it_and_keeps_the_choice() {
    let (office, mut agent) = agent_in_a_browser().await;
    agent.text("Available").await;
    // Opens the choice of devices.
    agent.tell(json!({ "do": "haul", "from": "details > summary", "x": 0, "y": 0 })).await;
    let wanted = json!({ "do": "choose", "label": "Ring", "value": "Fake Audio Output 1" });
    agent.tell(wanted).await;
    agent.assert_accessible("the choice of devices").await;
    agent.tell(json!({ "do": "reload" })).await;
    agent.text("Audio connected").await;

    let mut caller = office.phone("1000", 700, Value::Null).await;
    caller.call("6400").await;
    agent.button("Answer").await;

    let rings = json!({ "do": "data", "of": "[data-rings-at]", "name": "rings-at" });
    let at = agent.tell(rings.clone()).await["value"].as_str().unwrap().to_owned();
    assert!(at.len() > 8 && at != "default", "rings at {at:?}");
    agent.press("Answer").await;
    agent.button("Hold").await;
    agent.assert_hears(700.0).await;
    agent.press("Hang up").await;
    caller.expect_end().await;
    agent.assert_clean().await;
}
