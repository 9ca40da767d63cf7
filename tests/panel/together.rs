//! Three-way in the browser, and managers who attend a talk.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::Browser;
use tandem_tests::sound::{Recording, assert_heard, profile};
use tokio::time::sleep;

use crate::{MICROPHONE, agent_in_a_browser, signed_in};

/// Asserts that two tones are heard at once nearly all of the time, and a third is not.
fn assert_both(path: &Path, heard: [f64; 2], own: f64) {
    let recording = Recording::read(path);
    let windows: Vec<f64> = (5..25).map(|tenth| f64::from(tenth) * 0.1).collect();
    let share = |tone: f64| {
        let with = windows.iter().filter(|&&from| recording.share(tone, from, from + 0.1) > 0.1);
        with.count() as f64 / windows.len() as f64
    };
    for tone in heard {
        assert!(share(tone) > 0.8, "{tone} Hz is missing{}", profile(&recording));
    }
    assert!(share(own) < 0.1, "the own tone of {own} Hz comes back{}", profile(&recording));
}

#[tokio::test]
async fn an_agent_makes_one_call_of_two_and_leaves_the_others_together() {
    let (office, mut agent) = agent_in_a_browser().await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let mut third = office.phone("1002", 900, Value::Null).await;
    caller.call("6400").await;
    agent.button("Answer").await;
    agent.press("Answer").await;
    agent.button("Hold").await;
    agent.press("Transfer").await;
    agent.tell(json!({ "do": "fill", "label": "Transfer to", "text": "1002" })).await;
    agent.press("Ask first").await;
    third.expect("incoming").await;
    third.answer().await;
    third.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(1)).await;

    agent.press("Three-way with Phone 1000").await;
    agent.text("with 1002").await;
    sleep(Duration::from_millis(1_500)).await;
    let heard_by_caller = caller.record("together").await;
    let heard_by_third = third.record("together").await;
    sleep(Duration::from_secs(3)).await;
    third.tell(json!({ "do": "tone", "hertz": 0 })).await;
    sleep(Duration::from_millis(500)).await;
    agent.assert_hears(700.0).await;
    caller.tell(json!({ "do": "tone", "hertz": 0 })).await;
    third.tell(json!({ "do": "tone", "hertz": 900 })).await;
    sleep(Duration::from_millis(500)).await;
    agent.assert_hears(900.0).await;
    caller.tell(json!({ "do": "tone", "hertz": 700 })).await;

    agent.press("Hang up").await;
    agent.text("No call").await;
    agent.text("Wrap-up").await;
    let left_to_caller = caller.record("left").await;
    let left_to_third = third.record("left").await;
    sleep(Duration::from_millis(4_500)).await;
    caller.hang_up().await;
    third.expect_end().await;
    sleep(Duration::from_millis(300)).await;

    assert_both(&heard_by_caller, [900.0, f64::from(MICROPHONE)], 700.0);
    assert_both(&heard_by_third, [700.0, f64::from(MICROPHONE)], 900.0);
    assert_heard(&left_to_caller, 900.0, 3.0);
    assert_heard(&left_to_third, 700.0, 3.0);
    let record = office.api.record("queue=6400").await;
    assert_eq!(record["queue"]["agent"], "1001", "{record}");
    assert_eq!(record["answered_by"], "1002", "{record}");
    agent.assert_clean().await;
}

/// Opens the menu of the one talk by keyboard and takes its entry of a name.
async fn choose(manager: &mut Browser, entry: &str, down: usize) {
    manager.tell(json!({ "do": "tab", "name": "Actions: 1000" })).await;
    manager.key("Enter").await;
    manager.tell(json!({ "do": "wait", "role": "menuitem", "name": entry })).await;
    manager.assert_accessible("the menu of a talk").await;
    for _ in 0..down {
        manager.key("ArrowDown").await;
    }
    manager.key("Enter").await;
}

#[tokio::test]
async fn q_495_a_manager_listens_and_whispers_from_the_queue_panel_by_keyboard() {
    let office = crate::office().await;
    let mut agent = office.phone("1001", 1_100, json!({ "auto_answer": true })).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let mut desk_phone = office.phone("1002", 1_500, Value::Null).await;
    let mut manager = signed_in(&office, "manager", "1002").await;
    manager.tell(json!({ "do": "open", "path": "/panel/#/queues" })).await;
    caller.call("6400").await;
    agent.expect_state("CONFIRMED").await;
    manager.text("Talking (1)").await;

    choose(&mut manager, "Listen", 2).await;
    desk_phone.expect("incoming").await;
    desk_phone.answer().await;
    desk_phone.expect_state("CONFIRMED").await;
    manager.text("1002 listens").await;
    let heard = desk_phone.record("listens").await;
    sleep(Duration::from_millis(3_300)).await;

    choose(&mut manager, "Whisper to the agent", 3).await;
    manager.text("1002 whispers").await;
    let whispered = agent.record("whispered").await;
    sleep(Duration::from_millis(3_300)).await;
    caller.hang_up().await;
    desk_phone.expect_end().await;
    sleep(Duration::from_millis(300)).await;

    assert_both(&heard, [700.0, 1_100.0], 1_500.0);
    assert_both(&whispered, [700.0, 1_500.0], 1_100.0);
    let status = office.api.get("/api/v1/queues/6400/status").await;
    assert_eq!((&status["total"], &status["answered"]), (&json!(1), &json!(1)), "Q-496: {status}");
    manager.assert_clean().await;
}
