//! Links that are cut while everybody lives. Each test runs in a network namespace of its own,
//! where packets between members can be dropped without touching anything else.

use serde_json::{Value, json};
use tandem_tests::sound::Recording;
use tandem_tests::{Machine, Phone};
use tokio::process::Command;
use tokio::time::{Duration, Instant, sleep};

use crate::queues::{placed, talking};
use crate::{Three, apart};

async fn nft(rules: &str) {
    let mut process = Command::new("nft");
    let output = process.arg(rules).output().await.expect("nft is there: install nftables");
    assert!(output.status.success(), "{rules}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Cuts the links of the third member: packets from it, and to it if it is cut both ways.
async fn cut(is_both_ways: bool) {
    nft("add table ip cut").await;
    nft("add chain ip cut out { type filter hook output priority 0 ; }").await;
    nft("add rule ip cut out ip saddr 127.0.0.3 ip daddr 127.0.0.1-127.0.0.2 drop").await;
    if is_both_ways {
        nft("add rule ip cut out ip daddr 127.0.0.3 ip saddr 127.0.0.1-127.0.0.2 drop").await;
    }
}

/// What these nodes send by SIP is lost.
async fn silence(three: &Three, members: &[usize]) {
    for member in members {
        let port = three.node(*member).sip("udp").rsplit_once(':').unwrap().1;
        nft(&format!("add rule ip cut out udp sport {port} drop")).await;
    }
}

async fn heal() {
    nft("delete table ip cut").await;
}

/// The members that have the call themselves.
async fn holders(three: &Three) -> Vec<usize> {
    let mut holders = Vec::new();
    for member in 0..3 {
        if three.has_call(member).await {
            holders.push(member);
        }
    }
    holders
}

async fn until_held_by(three: &Three, what: &str, fits: impl Fn(&[usize]) -> bool) {
    let began = Instant::now();
    loop {
        let holders = holders(three).await;
        if fits(&holders) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{what}: {holders:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

async fn linked_again(machine: &Machine) {
    machine.sees("a majority", |status| status["group"]["has_quorum"] == json!(true)).await;
}

async fn refused(three: &Three, member: usize, number: &str) {
    let body = json!({ "number": number, "password": "not so secret" });
    let answer = three.api(member).send(reqwest::Method::POST, "/api/v1/extensions", &body).await;
    let status = answer.status();
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(status, 503, "{problem}");
}

/// Hangs up and looks at the audio of both, and at the record as these members show it.
pub(crate) async fn ended(
    three: &Three,
    members: &[usize],
    mut caller: Phone,
    mut callee: Phone,
    gap: f64,
) {
    caller.hang_up().await;
    caller.expect_end().await;
    callee.expect_end().await;
    sleep(Duration::from_millis(500)).await;
    for (file, hertz) in [(caller.recording(1), 1100.0), (callee.recording(1), 700.0)] {
        let longest = Recording::read(&file).longest_gap(hertz);
        println!("longest gap {longest:.2} s");
        assert!(longest < gap, "{}: silent for {longest} s", file.display());
    }
    for member in members {
        let record = three.api(*member).record("number=1000").await;
        assert_eq!(record["outcome"], "answered", "{record}");
    }
}

#[tokio::test]
#[ignore = "runs in a network of its own, by the test of the same name"]
async fn inside_a_minority_whose_phones_reach_all_is_relieved_of_its_calls() {
    let three = placed().await;
    let (caller, callee) = talking(&three, [2, 2]).await;

    cut(true).await;
    until_held_by(&three, "a majority's", |it| it.iter().any(|member| *member < 2)).await;
    refused(&three, 2, "2001").await;
    three
        .api(0)
        .post("/api/v1/extensions", json!({ "number": "2002", "password": "secret 1" }))
        .await;
    heal().await;
    linked_again(&three.machines[2]).await;
    until_held_by(&three, "one member's", |it| it.len() == 1 && it[0] < 2).await;
    three.api(2).wait_for_found("/api/v1/extensions/2002").await;

    ended(&three, &[0, 1, 2], caller, callee, 3.0).await;
}

#[tokio::test]
async fn a_minority_whose_phones_reach_all_is_relieved_of_its_calls() {
    apart("partitions::inside_a_minority_whose_phones_reach_all_is_relieved_of_its_calls").await;
}

#[tokio::test]
#[ignore = "runs in a network of its own, by the test of the same name"]
async fn inside_a_minority_whose_phones_reach_only_it_keeps_its_calls() {
    let three = placed().await;
    let (caller, callee) = talking(&three, [2, 2]).await;

    cut(true).await;
    silence(&three, &[0, 1]).await;
    until_held_by(&three, "a majority's", |it| it.iter().any(|member| *member < 2)).await;
    until_held_by(&three, "given back", |it| it == [2]).await;
    heal().await;
    linked_again(&three.machines[2]).await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(holders(&three).await, [2]);

    ended(&three, &[0, 1, 2], caller, callee, 1.0).await;
}

#[tokio::test]
async fn a_minority_whose_phones_reach_only_it_keeps_its_calls() {
    apart("partitions::inside_a_minority_whose_phones_reach_only_it_keeps_its_calls").await;
}

#[tokio::test]
#[ignore = "runs in a network of its own, by the test of the same name"]
async fn inside_a_member_that_hears_and_is_not_heard_stops_nobody() {
    let three = placed().await;

    cut(false).await;
    sleep(Duration::from_secs(3)).await;
    for number in ["2001", "2002", "2003"] {
        let body = json!({ "number": number, "password": "not so secret" });
        three.api(0).post("/api/v1/extensions", body).await;
    }
    assert_ne!(three.owner_of("6400").await, 2);
    three.api(1).wait_for("/api/v1/queues/6400/status", |it| it["number"] == "6400").await;
    heal().await;
    linked_again(&three.machines[2]).await;
    three.api(2).wait_for_found("/api/v1/extensions/2003").await;
}

#[tokio::test]
async fn a_member_that_hears_and_is_not_heard_stops_nobody() {
    apart("partitions::inside_a_member_that_hears_and_is_not_heard_stops_nobody").await;
}
