//! More than two in a call: three-way, and a manager who listens, whispers and barges in.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::api::items;
use tandem_tests::sound::{Recording, assert_heard, assert_music, profile};
use tandem_tests::{Office, Phone};
use tokio::time::sleep;

/// Each party's tone, in hertz.
const CUSTOMER: f64 = 700.0;
const AGENT: f64 = 1_100.0;
const THIRD: f64 = 1_500.0;

/// Asserts that of the three tones just these are heard in a recording of three seconds. Frames
/// that a busy machine lost may be missing.
fn assert_tones(path: &Path, heard: &[f64]) {
    let recording = Recording::read(path);
    let shown = path.file_name().unwrap_or_default().to_string_lossy();
    assert!(recording.secs() > 2.5, "{shown}: only {:.1} s", recording.secs());
    let windows: Vec<f64> = (6..25).map(|tenth| f64::from(tenth) * 0.1).collect();
    for tone in [CUSTOMER, AGENT, THIRD] {
        let with = |from: &&f64| recording.share(tone, **from, **from + 0.1) > 0.1;
        let share = windows.iter().filter(with).count() as f64 / windows.len() as f64;
        let is_right = if heard.contains(&tone) { share > 0.85 } else { share < 0.1 };
        let wanted = if heard.contains(&tone) { "all" } else { "none" };
        assert!(
            is_right,
            "{shown}: {tone} Hz in {:.0} % of the time, {wanted} expected{}",
            share * 100.0,
            profile(&recording)
        );
    }
}

#[tokio::test]
async fn q_492_a_parked_caller_hears_music_and_is_fetched_by_whoever_dials_the_slot() {
    let office = Office::open().await;
    let mut customer = office.phone("1000", CUSTOMER as u32, Value::Null).await;
    let mut agent = office.phone("1001", AGENT as u32, Value::Null).await;
    let mut third = office.phone("1002", THIRD as u32, Value::Null).await;
    connect(&mut customer, &mut agent, "1001").await;
    let call = call_to(&office, "1001").await;

    let at = office.api.post(&format!("/api/v1/calls/{call}/park"), json!({})).await;
    let waiting = customer.record("parked").await;
    assert_eq!(at["slot"], "6000", "{at}");
    // The slot's number has been said.
    agent.expect_end().await;
    sleep(Duration::from_secs(2)).await;
    third.call("6000").await;
    third.expect_state("CONFIRMED").await;
    sleep(Duration::from_millis(500)).await;
    let fetched = customer.record("fetched").await;
    sleep(Duration::from_millis(4_500)).await;
    customer.hang_up().await;
    third.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    assert_music(&waiting);
    assert_heard(&fetched, THIRD, 3.0);
    assert_heard(&third.recording(1), CUSTOMER, 3.0);
    office.quiet().await;
    third.call("6000").await;
    assert_eq!(third.expect_end().await, 404, "the slot is free again");
    let records = office.api.records(3, "").await;
    let parked = records.iter().find(|it| it["id"] == call.as_str()).unwrap();
    assert_eq!(parked["steps"][0]["kind"], "park", "{parked}");
    assert_eq!(parked["outcome"], "answered", "{parked}");
}

#[tokio::test]
async fn q_492_a_caller_whom_nobody_fetches_rings_where_they_were_parked_from() {
    let office = Office::open().await;
    let soon = json!({ "parking": { "timeout_secs": 5 } });
    office.api.patch("/api/v1/settings", soon).await;
    let mut customer = office.phone("1000", CUSTOMER as u32, Value::Null).await;
    let mut agent = office.phone("1001", AGENT as u32, Value::Null).await;
    connect(&mut customer, &mut agent, "1001").await;
    let call = call_to(&office, "1001").await;

    office.api.post(&format!("/api/v1/calls/{call}/park"), json!({})).await;
    agent.expect_end().await;
    agent.expect("incoming").await;
    agent.answer().await;
    agent.expect_state("CONFIRMED").await;
    let back = customer.record("back").await;
    sleep(Duration::from_millis(4_500)).await;
    customer.hang_up().await;
    agent.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    assert_heard(&back, AGENT, 3.0);
    office.quiet().await;
}

/// What all hear for three seconds from now on.
async fn listen(phones: &mut [&mut Phone], name: &str) -> Vec<PathBuf> {
    // What was under way has been played.
    sleep(Duration::from_millis(700)).await;
    let mut paths = Vec::new();
    for phone in phones.iter_mut() {
        paths.push(phone.record(name).await);
    }
    sleep(Duration::from_millis(3_300)).await;
    for phone in phones.iter_mut() {
        phone.record(&format!("{name}-after")).await;
    }
    sleep(Duration::from_millis(300)).await;
    paths
}

async fn connect(caller: &mut Phone, callee: &mut Phone, number: &str) {
    caller.call(number).await;
    callee.expect("incoming").await;
    callee.answer().await;
    caller.expect_state("CONFIRMED").await;
    callee.expect_state("CONFIRMED").await;
}

async fn call_to(office: &Office, number: &str) -> String {
    let calls = office.api.get("/api/v1/calls").await;
    let call = items(&calls).iter().find(|call| call["to"] == number).cloned();
    call.expect("the call is up")["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn three_who_were_merged_hear_the_two_others_and_two_go_on_when_the_merger_leaves() {
    let office = Office::open().await;
    let mut customer = office.phone("1000", CUSTOMER as u32, Value::Null).await;
    let mut agent = office.phone("1001", AGENT as u32, Value::Null).await;
    let alaw = json!({ "codecs": ["PCMA/8000/1"] });
    let mut third = office.phone("1002", THIRD as u32, alaw).await;
    connect(&mut customer, &mut agent, "1001").await;
    let first = call_to(&office, "1001").await;
    office.api.post(&format!("/api/v1/calls/{first}/hold"), Value::Null).await;
    connect(&mut agent, &mut third, "1002").await;
    let second = call_to(&office, "1002").await;

    office.api.post(&format!("/api/v1/calls/{first}/merge"), json!({ "with": second })).await;
    agent.expect_end().await;
    // The agent's first call is the one that goes on.
    let agent_hears = office.dir().join("agent-together.wav");
    sleep(Duration::from_millis(700)).await;
    agent.tell(json!({ "do": "record", "call": 1, "path": agent_hears })).await;
    let paths = listen(&mut [&mut customer, &mut third], "together").await;
    assert_tones(&paths[0], &[AGENT, THIRD]);
    assert_tones(&paths[1], &[CUSTOMER, AGENT]);
    let call = office.api.get(&format!("/api/v1/calls/{first}")).await;
    assert_eq!(call["legs"].as_array().unwrap().len(), 3, "{call}");
    let path = format!("/api/v1/calls/{first}/merge");
    let again = office.api.send(Method::POST, &path, &json!({ "with": first })).await;
    assert_eq!(again.status(), 404, "a call is not merged with itself");

    agent.tell(json!({ "do": "hangup", "call": 1 })).await;
    agent.expect_end().await;
    sleep(Duration::from_millis(300)).await;
    assert_tones(&agent_hears, &[CUSTOMER, THIRD]);
    let heard_by_customer = customer.record("left").await;
    let heard_by_third = third.record("left").await;
    sleep(Duration::from_millis(4_500)).await;
    customer.hang_up().await;
    third.expect_end().await;
    sleep(Duration::from_millis(200)).await;
    assert_heard(&heard_by_customer, THIRD, 3.0);
    assert_heard(&heard_by_third, CUSTOMER, 3.0);
    office.quiet().await;
    let records = office.api.records(2, "").await;
    let of = |id: &str| records.iter().find(|it| it["id"] == id).expect("one for each call");
    assert_eq!(of(&first)["answered_by"], "1002", "as after an attended transfer");
    let steps = of(&first)["steps"].as_array().unwrap().clone();
    let kinds: Vec<_> = steps.iter().map(|step| step["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["merge", "leave", "transfer"], "{steps:?}");
    assert_eq!(of(&second)["outcome"], "answered");
    assert_eq!(of(&second)["from"], "1001");
}

#[tokio::test]
async fn q_494_a_manager_listens_unheard_whispers_to_the_agent_and_barges_in() {
    let office = Office::open().await;
    let mut customer = office.phone("1000", CUSTOMER as u32, Value::Null).await;
    let mut agent = office.phone("1001", AGENT as u32, Value::Null).await;
    let mut manager = office.phone("1002", THIRD as u32, Value::Null).await;
    connect(&mut customer, &mut agent, "1001").await;
    let call = call_to(&office, "1001").await;
    let path = format!("/api/v1/calls/{call}/monitor");
    let wish = |mode: &str| json!({ "mode": mode, "extension": "1002" });

    office.api.post(&path, wish("listen")).await;
    manager.expect("incoming").await;
    manager.answer().await;
    manager.expect_state("CONFIRMED").await;
    let mut all = [&mut customer, &mut agent, &mut manager];
    let heard = listen(&mut all, "listen").await;
    assert_tones(&heard[0], &[AGENT]);
    assert_tones(&heard[1], &[CUSTOMER]);
    assert_tones(&heard[2], &[CUSTOMER, AGENT]);

    office.api.post(&path, wish("whisper")).await;
    let heard = listen(&mut all, "whisper").await;
    assert_tones(&heard[0], &[AGENT]);
    assert_tones(&heard[1], &[CUSTOMER, THIRD]);
    assert_tones(&heard[2], &[CUSTOMER, AGENT]);

    office.api.post(&path, wish("barge")).await;
    let heard = listen(&mut all, "barge").await;
    assert_tones(&heard[0], &[AGENT, THIRD]);
    assert_tones(&heard[1], &[CUSTOMER, THIRD]);
    assert_tones(&heard[2], &[CUSTOMER, AGENT]);
    let view = office.api.get(&format!("/api/v1/calls/{call}")).await;
    let modes: Vec<_> =
        view["legs"].as_array().unwrap().iter().map(|it| &it["supervises"]).collect();
    assert_eq!(modes, [&Value::Null, &Value::Null, &json!("barge")], "{view}");

    // the manager's hang-up leaves the talk alone; the talk's end takes the manager along.
    manager.hang_up().await;
    manager.expect_end().await;
    let mut two = [&mut customer, &mut agent];
    let heard = listen(&mut two, "alone").await;
    assert_tones(&heard[0], &[AGENT]);
    assert_tones(&heard[1], &[CUSTOMER]);
    office.api.post(&path, wish("barge")).await;
    manager.expect("incoming").await;
    manager.answer().await;
    manager.expect_state("CONFIRMED").await;
    customer.hang_up().await;
    agent.expect_end().await;
    manager.expect_end().await;
    office.quiet().await;

    let record = office.api.record("number=1000").await;
    assert_eq!(record["answered_by"], "1001", "Q-496: the manager is no party: {record}");
    let steps = record["steps"].as_array().unwrap();
    let noted: Vec<_> = steps.iter().map(|step| step["detail"].as_str().unwrap()).collect();
    let expected = ["listen: 1001", "whisper: 1001", "barge: 1001", "barge: 1001"];
    assert_eq!(noted, expected, "Q-496: marked in the record");
}
