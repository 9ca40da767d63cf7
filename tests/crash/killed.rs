//! kill -9 in the middle of calls: what was acknowledged is there afterwards.
//!
//! What may be demanded: each call that a caller was told is answered has exactly one record; a
//! call whose answer the event stream told, so that it was durable, is recorded as answered;
//! each API write that was acknowledged is there. The last milliseconds before the kill may be
//! missing in a record (call set-up does not wait for the disk), never the record.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::api::items;
use tandem_tests::ports::free_port;
use tandem_tests::{Api, Node, Sipp};
use tokio::time::{Instant, sleep};

use crate::{said, tandem};

/// Calls a second, how long each lasts, and how many are up when the node is killed.
const RATE: &str = "40";
const TALK_MS: &str = "9000";
const UP: usize = 200;

fn rounds() -> u32 {
    std::env::var("TANDEM_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// Writes to the API until the node is gone; gives the extensions whose creation was
/// acknowledged.
async fn write_until_gone(base: String, token: String, round: u32) -> Vec<String> {
    let client = reqwest::Client::new();
    let mut acknowledged = Vec::new();
    for index in 0.. {
        let number = format!("7{round:03}{index:05}");
        let body = json!({ "number": number, "password": "not so secret" });
        let request = client.request(Method::POST, format!("{base}/api/v1/extensions"));
        match request.bearer_auth(&token).json(&body).send().await {
            Ok(answer) if answer.status().is_success() => acknowledged.push(number),
            Ok(answer) => panic!("{}: {:?}", answer.status(), answer.text().await),
            Err(_) => break,
        }
        sleep(Duration::from_millis(5)).await;
    }
    acknowledged
}

/// The calls whose answer the event stream told until the node was gone.
async fn answers_until_gone(base: String, token: String) -> BTreeSet<String> {
    let url = format!("{base}/api/v1/events/stream?kinds=call");
    let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
    let mut parts = answer.bytes_stream();
    let mut text = String::new();
    while let Some(Ok(part)) = parts.next().await {
        text += &String::from_utf8_lossy(&part);
    }
    let events = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let events = events.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let answers = events.filter(|event| event["name"] == "call.answered");
    answers.map(|event| event["key"].as_str().unwrap().to_owned()).collect()
}

/// The callers who were told that their call is answered, by SIPp's own log.
fn answered(trunk: &Sipp) -> Vec<String> {
    let caller = |line: &String| {
        let mut words = line.split_whitespace();
        let is_whole = words.next() == Some("answered") && words.clone().count() == 2;
        words.next().filter(|_| is_whole).map(str::to_owned)
    };
    trunk.logged().iter().filter_map(caller).collect()
}

/// Everything of a list, page after page.
async fn all(api: &Api, path: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = api.get(&format!("{path}?limit=500{cursor}")).await;
        found.extend(items(&page));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

async fn extensions(api: &Api) -> BTreeSet<String> {
    let extensions = all(api, "/api/v1/extensions").await;
    extensions.iter().map(|it| it["number"].as_str().unwrap().to_owned()).collect()
}

/// The outcomes of all calls that have ended, by caller and by id.
async fn outcomes(api: &Api) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let (mut by_caller, mut by_id) = (BTreeMap::new(), BTreeMap::new());
    for record in all(api, "/api/v1/call-records").await {
        assert!(record["ended_at"].is_string(), "{record}");
        let text = |name: &str| record[name].as_str().unwrap().to_owned();
        let before = by_caller.insert(text("from"), text("outcome"));
        assert_eq!(before, None, "two records of one call: {record}");
        by_id.insert(text("id"), text("outcome"));
    }
    (by_caller, by_id)
}

async fn provision(node: &Node, near: u16, far: u16) {
    let api = node.api();
    for (name, host, port) in [("near", "127.0.0.2", near), ("far", "127.0.0.4", far)] {
        let trunk = json!({ "name": name, "host": host, "port": port, "options_interval_secs": 0 });
        api.post("/api/v1/trunks", trunk).await;
    }
    let out = json!({ "name": "out", "rules": [{ "pattern": "0." }], "trunks": ["far"] });
    api.post("/api/v1/outbound-routes", out).await;
    let destination = json!({ "type": "external_num", "number": "0301234" });
    let route = json!({ "name": "in", "did": ["5550100"], "destination": destination });
    api.post("/api/v1/inbound-routes", route).await;
}

/// A node under load with 200 calls up, and what it told others until it was killed.
struct Told {
    writes: Vec<String>,
    answers: BTreeSet<String>,
    callers: Vec<String>,
}

async fn until_killed(dir: &Path, round: u32, near: u16, far: u16) -> Told {
    let mut node = Node::start(dir).await;
    if round == 0 {
        provision(&node, near, far).await;
    }
    let sip = node.sip("udp").to_owned();
    let mut answering = Sipp::start_at("trunk_answer", "127.0.0.4", far, &sip, dir, &[]).await;
    let base = format!("http://{}", node.listening.http);
    let token = node.demo.token.clone();
    let answers = tokio::spawn(answers_until_gone(base.clone(), token.clone()));
    let caller = format!("49{round:02}");
    let keys = ["-key", "did", "5550100", "-key", "caller", &caller];
    let more = [&keys[..], &["-r", RATE, "-d", TALK_MS, "-l", "400"]].concat();
    let mut calling = Sipp::start_at("trunk_call", "127.0.0.2", near, &sip, dir, &more).await;
    let writer = tokio::spawn(write_until_gone(base, token, round));

    let deadline = Instant::now() + Duration::from_secs(20);
    let api = node.api();
    while items(&api.get("/api/v1/calls?limit=500").await).len() < UP {
        assert!(Instant::now() < deadline, "fewer than {UP} calls are up");
        sleep(Duration::from_millis(50)).await;
    }
    sleep(Duration::from_millis(u64::from(round) * 137 % 1_000)).await;
    node.kill().await;
    calling.kill().await;
    answering.kill().await;
    let writes = writer.await.unwrap();
    Told { writes, answers: answers.await.unwrap(), callers: answered(&calling) }
}

async fn one_round(dir: &Path, round: u32, near: u16, far: u16) -> usize {
    let told = until_killed(dir, round, near, far).await;
    let checked = tandem(dir, "verify").await;
    assert!(checked.status.success(), "round {round}: {}", said(&checked));
    let mut node = Node::start(dir).await;
    let api = node.api();
    let stored = extensions(&api).await;
    let (by_caller, by_id) = outcomes(&api).await;
    node.kill().await;

    let lost: Vec<&String> = told.writes.iter().filter(|it| !stored.contains(*it)).collect();
    assert!(lost.is_empty(), "round {round}: {lost:?} were acknowledged and are lost");
    let lost: Vec<&String> =
        told.callers.iter().filter(|it| !by_caller.contains_key(*it)).collect();
    assert!(lost.is_empty(), "round {round}: no record of {lost:?} of {}", told.callers.len());
    let is_answered = |id: &&String| by_id.get(*id).is_some_and(|it| it == "answered");
    let lost: Vec<&String> = told.answers.iter().filter(|id| !is_answered(id)).collect();
    assert!(lost.is_empty(), "round {round}: {lost:?} were answered, their records are not");
    assert!(told.callers.len() >= UP, "only {} calls were answered", told.callers.len());
    assert!(told.answers.len() >= UP / 2, "only {} answers were told", told.answers.len());
    assert!(!told.writes.is_empty(), "no write was acknowledged");
    told.callers.len()
}

#[tokio::test]
async fn a_node_that_was_killed_has_every_acknowledged_write_and_every_answered_call() {
    let dir = tempfile::tempdir().unwrap();
    let (near, far) = (free_port("127.0.0.2"), free_port("127.0.0.4"));
    let mut answered = 0;

    for round in 0..rounds() {
        answered += one_round(dir.path(), round, near, far).await;
    }

    println!("{} rounds, {answered} answered calls, each has its record", rounds());
}
