//! kill -9 in the middle of calls: what was acknowledged is there afterwards.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::api::items;
use tandem_tests::sipp::free_port;
use tandem_tests::{Api, Node, Sipp};
use tokio::time::{Instant, sleep};

use crate::{said, tandem};

/// Calls a second, and how long each lasts: about 100 at once.
const RATE: &str = "25";
const TALK_MS: &str = "4000";

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

/// The callers whose calls were answered before a moment, by SIPp's own log.
fn answered_before(trunk: &Sipp, moment: Duration) -> Vec<String> {
    let line = |line: &String| {
        let mut words = line.split_whitespace().skip(1);
        let (caller, tick) = (words.next()?.to_owned(), words.next()?.parse::<u64>().ok()?);
        (Duration::from_millis(tick) < moment).then_some(caller)
    };
    trunk.logged().iter().filter_map(line).collect()
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

/// The callers of all calls that were answered and have ended, each once.
async fn callers_with_a_record(api: &Api) -> BTreeSet<String> {
    let mut callers = BTreeSet::new();
    for record in all(api, "/api/v1/call-records").await {
        if record["outcome"] == "answered" && record["ended_at"].is_string() {
            let fresh = callers.insert(record["from"].as_str().unwrap().to_owned());
            assert!(fresh, "two records of one call: {record}");
        }
    }
    callers
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

async fn one_round(dir: &Path, round: u32, near: u16, far: u16) -> usize {
    let mut node = Node::start(dir).await;
    if round == 0 {
        provision(&node, near, far).await;
    }
    let sip = node.sip("udp").to_owned();
    let mut answering = Sipp::start_at("trunk_answer", "127.0.0.4", far, &sip, dir, &[]).await;
    let caller = format!("49{round:02}");
    let keys = ["-key", "did", "5550100", "-key", "caller", &caller];
    let more = [&keys[..], &["-r", RATE, "-d", TALK_MS, "-l", "400"]].concat();
    let begun = Instant::now();
    let mut calling = Sipp::start_at("trunk_call", "127.0.0.2", near, &sip, dir, &more).await;
    let base = format!("http://{}", node.listening.http);
    let writer = tokio::spawn(write_until_gone(base, node.demo.token.clone(), round));

    sleep(Duration::from_millis(5_500 + u64::from(round) * 137 % 1_000)).await;
    let up = items(&node.api().get("/api/v1/calls").await).len();
    let moment = begun.elapsed();
    node.kill().await;
    calling.kill().await;
    answering.kill().await;
    let acknowledged = writer.await.unwrap();
    assert!(up >= 50, "only {up} calls were up");

    let checked = tandem(dir, "verify").await;
    assert!(checked.status.success(), "round {round}: {}", said(&checked));
    let mut node = Node::start(dir).await;
    let api = node.api();
    let stored = extensions(&api).await;
    let missing: Vec<&String> = acknowledged.iter().filter(|it| !stored.contains(*it)).collect();
    assert!(missing.is_empty(), "round {round}: {missing:?} were acknowledged and are lost");
    let answered = answered_before(&calling, moment.saturating_sub(Duration::from_secs(1)));
    let recorded = callers_with_a_record(&api).await;
    let lost: Vec<&String> = answered.iter().filter(|it| !recorded.contains(*it)).collect();
    assert!(lost.is_empty(), "round {round}: no record of {lost:?} of {}", answered.len());
    assert!(answered.len() >= 60, "only {} calls were answered", answered.len());
    assert!(!acknowledged.is_empty(), "no write was acknowledged");
    node.kill().await;
    answered.len()
}

#[tokio::test]
#[ignore = "fails: a call answered just before the kill had no record in one run; open"]
async fn a_node_that_was_killed_has_every_acknowledged_write_and_every_answered_call() {
    let dir = tempfile::tempdir().unwrap();
    let (near, far) = (free_port("127.0.0.2"), free_port("127.0.0.4"));
    let mut answered = 0;

    for round in 0..rounds() {
        answered += one_round(dir.path(), round, near, far).await;
    }

    println!("{} rounds, {answered} answered calls, each has its record", rounds());
}
