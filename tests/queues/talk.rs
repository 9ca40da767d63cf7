//! The way of a caller to an agent, and what each hears.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::api::{items, secs};
use tandem_tests::sound::{Recording, assert_heard, assert_music};
use tandem_tests::{Baresip, Office};
use tokio::time::sleep;

use crate::{agents, members, set};

#[tokio::test]
async fn a_caller_hears_music_until_an_agent_answers_and_then_the_agent() {
    let office = Office::open().await;
    set(&office, json!({ "members": members("static", &["1001"]) })).await;
    let mut agent = office.phone("1001", 1100, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    caller.expect_state("CONFIRMED").await;
    agent.expect("incoming").await;
    sleep(Duration::from_secs(4)).await;
    agent.answer().await;
    agent.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(11)).await;
    agent.hang_up().await;
    caller.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    assert_music(&caller.recording(1));
    let heard = Recording::read(&caller.recording(1));
    assert!(heard.first(1100.0).is_some_and(|at| at > 3.0), "the agent is heard before the answer");
    assert_heard(&caller.recording(1), 1100.0, 10.0);
    assert_heard(&agent.recording(1), 700.0, 10.0);
    let record = office.api.record("queue=6400").await;
    assert_eq!(record["outcome"], "answered", "{record}");
    assert_eq!(record["answered_by"], "1001", "{record}");
    assert_eq!(record["queue"]["exit"], "answered", "{record}");
    assert_eq!(record["queue"]["agent"], "1001", "{record}");
    assert!((3.9..5.5).contains(&secs(&record["queue"], "wait_secs")), "{record}");
    assert!((10.9..12.5).contains(&secs(&record, "talk_secs")), "{record}");
    let status = office.api.get("/api/v1/queues/6400/status").await;
    assert_eq!(status["answered"], 1, "{status}");
    assert_eq!(status["total"], 1, "{status}");
}

#[tokio::test]
async fn two_baresip_phones_meet_in_the_queue() {
    let office = Office::open().await;
    set(&office, json!({ "members": members("static", &["1001"]) })).await;
    let server = office.node.sip("udp").to_owned();
    let (dir, one, two) =
        (office.dir(), office.node.password("1001"), office.node.password("1000"));
    let mut agent = Baresip::registered(&server, "1001", one, 1100, "PCMA/8000/1", dir).await;
    let mut caller = Baresip::registered(&server, "1000", two, 700, "PCMU/8000/1", dir).await;

    caller.command("dial", "6400").await;
    caller.expect("CALL_ESTABLISHED").await;
    agent.expect("CALL_INCOMING").await;
    sleep(Duration::from_secs(3)).await;
    agent.command("accept", "").await;
    agent.expect("CALL_ESTABLISHED").await;
    sleep(Duration::from_secs(11)).await;
    caller.command("hangup", "").await;
    agent.expect("CALL_CLOSED").await;
    sleep(Duration::from_millis(500)).await;

    assert_music(&caller.recording());
    assert_heard(&caller.recording(), 1100.0, 10.0);
    assert_heard(&agent.recording(), 700.0, 10.0);
    let record = office.api.record("queue=6400").await;
    assert_eq!(record["outcome"], "answered", "{record}");
    assert_eq!(record["answered_by"], "1001", "{record}");
    assert!((2.9..4.5).contains(&secs(&record["queue"], "wait_secs")), "{record}");
    assert!((10.9..12.5).contains(&secs(&record, "talk_secs")), "{record}");
}

#[tokio::test]
async fn q_077_an_agent_rests_after_a_call_before_the_next_one_rings() {
    let office = Office::open().await;
    let options = json!({ "wrap_up_secs": 3, "ring_timeout_secs": 15, "retry_interval_secs": 1 });
    set(&office, json!({ "members": members("static", &["1001"]), "agent": options })).await;
    let mut agent = office.phone("1001", 1100, json!({ "auto_answer": true })).await;
    let mut one = office.phone("1000", 700, Value::Null).await;
    let mut two = office.phone("1004", 900, Value::Null).await;
    one.call("6400").await;
    agent.expect_state("CONFIRMED").await;
    two.call("6400").await;
    two.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(1)).await;

    agent.forget();
    one.hang_up().await;
    let ended = agent.expect_state("DISCONNECTED").await["t"].as_f64().unwrap();
    let rung = agent.expect("incoming").await["t"].as_f64().unwrap();

    let rest = rung - ended;
    assert!((2.9..3.6).contains(&rest), "the next call rang after {rest:.2} s");
}

#[tokio::test]
async fn q_059_two_callers_ring_two_agents_at_once_the_oldest_first() {
    let office = Office::open().await;
    let wanted = json!({
        "members": members("static", &["1001", "1002"]), "ring_strategy": "linear",
    });
    set(&office, wanted).await;
    let mut one = office.phone("1000", 700, Value::Null).await;
    let mut two = office.phone("1004", 900, Value::Null).await;
    let mut phones = agents(&office, &["1001", "1002"], Value::Null).await;

    one.call("6400").await;
    let first = phones[0].expect("incoming").await;
    two.call("6400").await;
    let second = phones[1].expect("incoming").await;

    assert!(first["remote"].as_str().unwrap().contains("1000"), "{first}");
    assert!(second["remote"].as_str().unwrap().contains("1004"), "{second}");
}

#[tokio::test]
async fn q_051_the_phones_that_lost_the_race_list_no_missed_call() {
    let office = Office::open().await;
    set(&office, json!({ "ring_strategy": "ring_all" })).await;
    let mut phones = agents(&office, &["1001", "1002", "1003"], Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    for phone in &mut phones {
        phone.expect("incoming").await;
    }
    phones[1].answer().await;
    phones[1].expect_state("CONFIRMED").await;
    phones[0].expect_end().await;
    phones[2].expect_end().await;

    let live = office.api.call().await;
    let id = live["id"].as_str().unwrap();
    let trace = office.api.get(&format!("/api/v1/calls/{id}/trace")).await.to_string();
    let elsewhere = trace.matches("cause=200").count();
    assert!(elsewhere >= 2, "CANCEL names no answer elsewhere (RFC 3326): {trace}");
    caller.hang_up().await;
    phones[1].expect_end().await;
}

/// How many CANCELs of the only call named an answer elsewhere (RFC 3326), and how many there were.
async fn cancels(office: &Office) -> (usize, usize) {
    let call = office.api.call().await;
    let path = format!("/api/v1/calls/{}/trace", call["id"].as_str().unwrap());
    let trace = items(&office.api.get(&path).await);
    let texts = trace.iter().filter_map(|it| it["text"].as_str());
    let cancels: Vec<&str> = texts.filter(|it| it.starts_with("CANCEL")).collect();
    let elsewhere = cancels.iter().filter(|it| it.contains("SIP;cause=200")).count();
    (elsewhere, cancels.len())
}

#[tokio::test]
async fn q_088_rings_that_rang_out_are_listed_by_the_phones_only_if_the_queue_wants_it() {
    for shows in [false, true] {
        let office = Office::open().await;
        let agent = json!({ "phone_shows_missed": shows, "ring_timeout_secs": 2 });
        set(&office, json!({ "members": members("static", &["1001"]), "agent": agent })).await;
        let mut agent = office.phone("1001", 0, Value::Null).await;
        let mut caller = office.phone("1000", 0, Value::Null).await;

        caller.call("6400").await;
        agent.expect("incoming").await;
        agent.expect_end().await;

        assert_eq!(cancels(&office).await, (usize::from(!shows), 1), "shows missed: {shows}");
        caller.hang_up().await;
        caller.expect_end().await;
    }
}

#[tokio::test]
async fn q_088_phones_that_lost_the_race_list_it_if_the_queue_wants_it() {
    let office = Office::open().await;
    let queue = json!({
        "ring_strategy": "ring_all", "members": members("static", &["1001", "1002"]),
        "agent": { "phone_shows_missed": true },
    });
    set(&office, queue).await;
    let mut phones = agents(&office, &["1001", "1002"], Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    for phone in &mut phones {
        phone.expect("incoming").await;
    }
    phones[1].answer().await;
    phones[1].expect_state("CONFIRMED").await;
    phones[0].expect_end().await;

    assert_eq!(cancels(&office).await, (0, 1));
    caller.hang_up().await;
    phones[1].expect_end().await;
}

#[tokio::test]
async fn q_260_agents_phones_are_told_by_alert_info_how_to_ring_for_a_queue() {
    for (info, sent) in [("sales-ring", true), ("", false)] {
        let office = Office::open().await;
        let queue = json!({ "members": members("static", &["1001"]), "alert_info": info });
        set(&office, queue).await;
        let mut agent = office.phone("1001", 0, Value::Null).await;
        let mut caller = office.phone("1000", 0, Value::Null).await;

        caller.call("6400").await;
        agent.expect("incoming").await;

        let call = office.api.call().await;
        let path = format!("/api/v1/calls/{}/trace", call["id"].as_str().unwrap());
        let trace = items(&office.api.get(&path).await);
        let invite = trace.iter().find(|it| {
            it["received"] == false
                && it["text"].as_str().is_some_and(|it| it.starts_with("INVITE"))
        });
        let text = invite.unwrap()["text"].as_str().unwrap();
        let header = format!("Alert-Info: <http://127.0.0.1>;info={info}\r\n");
        assert_eq!(text.contains("Alert-Info"), sent, "{text}");
        assert_eq!(text.contains(&header), sent, "{text}");
    }
}
