//! Calls in the browser: who hears what, by mouse and by keyboard.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::sound::{Recording, assert_heard};
use tandem_tests::{Baresip, Browser, Office};
use tokio::time::sleep;

use crate::{MICROPHONE, agent_in_a_browser};

/// The queue's offer in the trace of the one call, in ms since 1970.
async fn joined_at(office: &Office) -> u64 {
    let status = office.api.get("/api/v1/queues/6400/status").await;
    let joined = status["waiting"][0]["joined_at"].as_str().unwrap().to_owned();
    // RFC 3339 in UTC with milliseconds; only the part within the hour counts here.
    let parts: Vec<f64> = joined[14..23].split(':').map(|part| part.parse().unwrap()).collect();
    ((parts[0] * 60.0 + parts[1]) * 1000.0) as u64
}

const HOUR_MS: u64 = 3_600_000;

/// Whether the note on the call with the customer stands open, to be written at once.
async fn notes(agent: &mut Browser) -> bool {
    let named = |role: &str, name: &str| json!({ "do": "count", "role": role, "name": name });
    let title = agent.tell(named("heading", "Note on the call with Phone 1000")).await;
    let field = agent.tell(named("textbox", "Note")).await;
    assert_eq!(title["count"], field["count"], "{title} {field}");
    title["count"] == 1
}

#[tokio::test]
async fn an_agent_takes_a_queue_call_holds_resumes_transfers_attended_and_rests() {
    let (office, mut agent) = agent_in_a_browser().await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let server = office.node.sip("udp").to_owned();
    let password = office.node.password("1002");
    let mut third =
        Baresip::registered(&server, "1002", password, 900, "PCMA/8000/1", office.dir()).await;

    assert!(!notes(&mut agent).await, "a note without a call");
    caller.call("6400").await;
    let rang = agent.button("Answer").await;
    let offered = joined_at(&office).await;
    let late = (rang % HOUR_MS + HOUR_MS - offered) % HOUR_MS;
    assert!(late < 300, "the panel rang {late} ms after the caller had joined the queue");
    agent.press("Answer").await;
    agent.button("Hold").await;
    sleep(Duration::from_secs(1)).await;
    agent.assert_hears(700.0).await;
    agent.press("Hold").await;
    agent.button("Resume").await;
    sleep(Duration::from_secs(1)).await;
    agent.assert_hears_not(700.0).await;
    agent.press("Resume").await;
    agent.button("Hold").await;
    sleep(Duration::from_millis(500)).await;
    agent.assert_hears(700.0).await;

    consult(&mut agent, &mut third, "1002").await;
    agent.assert_hears(900.0).await;
    agent.press("Connect with Phone 1000").await;
    agent.text("No call").await;
    agent.text("Wrap-up").await;
    // The customer goes on talking; the note is the agent's, and nobody has opened it.
    assert!(notes(&mut agent).await, "no note in the wrap-up");
    agent.tell(json!({ "do": "fill", "label": "Note", "text": "Wants an offer by Friday" })).await;
    agent.tell(json!({ "do": "tick", "label": "Offer" })).await;
    agent.press("Save the note").await;
    agent.text("Saved.").await;
    sleep(Duration::from_secs(6)).await;
    agent.text("Available").await;
    assert!(notes(&mut agent).await, "the note ended with the wrap-up");
    caller.hang_up().await;
    caller.expect_end().await;
    third.expect("CALL_CLOSED").await;
    sleep(Duration::from_millis(300)).await;

    assert_heard(&caller.recording(1), 900.0, 5.0);
    assert_heard(&third.recording(), 700.0, 5.0);
    let heard = Recording::read(&caller.recording(1));
    assert!(heard.first(f64::from(MICROPHONE)).is_some(), "the caller heard the agent");
    let record = office.api.record("queue=6400").await;
    assert_eq!(record["outcome"], "answered", "{record}");
    assert_eq!(record["queue"]["agent"], "1001", "{record}");
    assert_eq!(record["note"]["text"], "Wants an offer by Friday", "{record}");
    assert_eq!(record["note"]["tags"], json!(["offer"]), "{record}");
    assert_eq!(record["note"]["by"], "user:agent-1001", "{record}");
    agent.assert_clean().await;
}

async fn consult(agent: &mut Browser, third: &mut Baresip, number: &str) {
    agent.press("Transfer").await;
    agent.tell(json!({ "do": "fill", "label": "Transfer to", "text": number })).await;
    agent.press("Ask first").await;
    third.expect("CALL_INCOMING").await;
    third.command("accept", "").await;
    third.expect("CALL_ESTABLISHED").await;
    sleep(Duration::from_secs(1)).await;
}

#[tokio::test]
#[ignore = "counts single frames: needs an idle machine; run with --ignored"]
async fn tone_goes_both_ways_without_a_gap_in_each_codec_of_the_browser() {
    for codec in ["opus", "pcma", "pcmu"] {
        let (office, mut agent) = {
            let office = Office::open().await;
            let codecs = json!({ "codecs": [codec] });
            office.api.patch("/api/v1/extensions/1001", codecs).await;
            let mut browser = crate::signed_in(&office, "agent", "1001").await;
            browser.go_on_duty().await;
            (office, browser)
        };
        let mut caller = office.phone("1000", 700, Value::Null).await;

        caller.call("1001").await;
        agent.button("Answer").await;
        agent.press("Answer").await;
        caller.expect_state("CONFIRMED").await;
        sleep(Duration::from_secs(5)).await;
        agent.assert_hears(700.0).await;
        agent.press("Hang up").await;
        caller.expect_end().await;
        sleep(Duration::from_millis(300)).await;

        assert_heard(&caller.recording(1), f64::from(MICROPHONE), 4.0);
    }
}

#[tokio::test]
async fn the_keyboard_alone_dials_sends_digits_transfers_blindly_answers_and_hangs_up() {
    let (office, mut agent) = agent_in_a_browser().await;
    let mut callee = office.phone("1000", 700, json!({ "auto_answer": true })).await;
    let mut third = office.phone("1002", 900, json!({ "auto_answer": true })).await;

    agent.key("Alt+Shift+KeyD").await;
    agent.tell(json!({ "do": "type", "text": "1000" })).await;
    agent.key("Enter").await;
    callee.expect_state("CONFIRMED").await;
    agent.tell(json!({ "do": "tab", "name": "Keypad" })).await;
    agent.key("Enter").await;
    agent.tell(json!({ "do": "wait", "role": "button", "name": "5" })).await;
    agent.key("5").await;
    let digit = callee.expect("dtmf").await;
    agent.key("Escape").await;
    agent.tell(json!({ "do": "tab", "name": "Transfer" })).await;
    agent.key("Enter").await;
    agent.tell(json!({ "do": "wait", "role": "textbox", "name": "Transfer to" })).await;
    agent.tell(json!({ "do": "type", "text": "1002" })).await;
    agent.key("Enter").await;
    third.expect_state("CONFIRMED").await;
    agent.text("No call").await;
    third.hang_up().await;
    callee.expect_end().await;

    callee.forget();
    callee.call("1001").await;
    agent.button("Answer").await;
    agent.key("Alt+Shift+KeyA").await;
    callee.expect_state("CONFIRMED").await;
    agent.button("Hold").await;
    agent.key("Alt+Shift+KeyH").await;
    agent.button("Resume").await;
    agent.key("Alt+Shift+KeyH").await;
    agent.button("Hold").await;
    agent.key("Alt+Shift+KeyX").await;
    callee.expect_end().await;
    agent.text("No call").await;
    agent.key("Alt+Shift+KeyN").await;
    agent.tell(json!({ "do": "type", "text": "Rang twice" })).await;
    agent.tell(json!({ "do": "tab", "name": "Save the note" })).await;
    agent.key("Enter").await;
    agent.text("Saved.").await;

    let record = office.api.record("number=1000&since=2026-01-01T00:00:00Z").await;
    assert_eq!(record["note"]["text"], "Rang twice", "{record}");
    assert_eq!(digit["digit"], "5", "{digit}");
    agent.assert_clean().await;
}

#[tokio::test]
async fn a_declined_call_leaves_the_agent_and_a_second_page_takes_the_phone_over() {
    let (office, mut first) = agent_in_a_browser().await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("1001").await;
    first.button("Decline").await;
    first.press("Decline").await;
    let status = caller.expect_end().await;
    let mut second = Browser::start(&office, MICROPHONE + 300).await;
    second.sign_in("agent-1001", crate::PASSWORD).await;
    second.go_on_duty().await;

    assert_eq!(status, 486);
    first.text("Another tab is your phone now.").await;
    caller.forget();
    caller.call("1001").await;
    second.button("Answer").await;
}
