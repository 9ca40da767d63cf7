//! A queue has one owner, and outlives it.

use serde_json::{Value, json};
use tandem_tests::sound::assert_heard;
use tandem_tests::{Api, Phone};
use tokio::time::{Duration, Instant, sleep};

use crate::Three;

pub(crate) const STATUS: &str = "/api/v1/queues/6400/status";

pub(crate) async fn phone(three: &Three, member: usize, extension: &str, tone: u32) -> Phone {
    let password = &three.demo.passwords[extension];
    let (server, dir) = (three.node(member).sip("udp"), three.machines[member].dir.path());
    Phone::registered(server, extension, password, dir, json!({ "tone": tone })).await
}

/// Who waits: calls in their order and when they joined.
pub(crate) fn line(status: &Value) -> Vec<(String, String)> {
    let waiting = status["waiting"].as_array().unwrap();
    let shown = |it: &Value, name: &str| it[name].as_str().unwrap_or_default().to_owned();
    waiting.iter().map(|it| (shown(it, "call"), shown(it, "joined_at"))).collect()
}

/// All members once every one of them has shards.
pub(crate) async fn placed() -> Three {
    until_placed(Three::start().await).await
}

/// These members once every one of them has shards.
pub(crate) async fn until_placed(three: Three) -> Three {
    for member in 0..3 {
        let has = |text: &str| {
            let line = text.lines().find(|line| line.starts_with("tandem_placement_shards "));
            line.is_some_and(|line| !line.ends_with(" 0"))
        };
        for _ in 0..200 {
            let metrics = three.api(member).bytes("/metrics").await;
            if has(&String::from_utf8_lossy(&metrics)) {
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
    three
}

/// 1000 at one member talks with 1001 at another.
pub(crate) async fn talking(three: &Three, members: [usize; 2]) -> (Phone, Phone) {
    let mut caller = phone(three, members[0], "1000", 700).await;
    let mut callee = phone(three, members[1], "1001", 1100).await;
    sleep(Duration::from_millis(500)).await;
    caller.call("1001").await;
    callee.expect("incoming").await;
    callee.answer().await;
    caller.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(2)).await;
    (caller, callee)
}

/// 1000 at one member, then 1004 at another, wait in the queue; and how it shows itself then.
pub(crate) async fn two_wait(three: &Three, one: usize, other: usize) -> (Phone, Phone, Value) {
    let mut first = phone(three, one, "1000", 700).await;
    let mut second = phone(three, other, "1004", 900).await;
    sleep(Duration::from_millis(500)).await;
    let api = three.api(one);
    first.call("6400").await;
    first.expect_state("CONFIRMED").await;
    api.wait_for(STATUS, |status| line(status).len() == 1).await;
    second.call("6400").await;
    second.expect_state("CONFIRMED").await;
    let before = api.wait_for(STATUS, |status| line(status).len() == 2).await;
    (first, second, before)
}

/// The queue as soon as somebody runs it.
async fn soon(api: &Api) -> Value {
    loop {
        let answer = api.send(reqwest::Method::GET, STATUS, &Value::Null).await;
        if answer.status().is_success() {
            return answer.json().await.unwrap();
        }
    }
}

#[tokio::test]
async fn callers_keep_their_place_when_the_member_that_runs_their_queue_dies() {
    let mut three = placed().await;
    let owner = three.owner_of("6400").await;
    let (one, other) = ((owner + 1) % 3, (owner + 2) % 3);
    let (mut first, mut second, before) = two_wait(&three, one, other).await;
    for member in 0..3 {
        let seen = three.api(member).get(STATUS).await;
        assert_eq!(line(&seen), line(&before), "all members show the one queue");
    }

    three.kill(owner).await;
    let killed = Instant::now();
    let api = three.api(one);
    let after = soon(&api).await;
    println!("the queue answered again after {:?}", killed.elapsed());
    assert_eq!(line(&after), line(&before));
    assert_ne!(three.owner_of("6400").await, owner);

    let mut agent = phone(&three, other, "1001", 1100).await;
    agent.expect("incoming").await;
    agent.answer().await;
    let left = api.wait_for(STATUS, |status| line(status).len() == 1).await;
    assert_eq!(line(&left), line(&before)[1..], "who came first is served first");
    sleep(Duration::from_secs(3)).await;
    first.hang_up().await;
    first.expect_end().await;
    second.hang_up().await;
    second.expect_end().await;
    sleep(Duration::from_millis(300)).await;
    assert_heard(&agent.recording(1), 700.0, 2.0);
    let record = api.record("number=1000").await;
    assert_eq!(record["queue"]["exit"], "answered", "{record}");
    assert_eq!(record["queue"]["agent"], "1001", "{record}");
    let counted = api.wait_for(STATUS, |status| status["total"] == 2).await;
    let figures = ["answered", "missed", "abandoned"].map(|name| counted[name].clone());
    assert_eq!(json!(figures), json!([1, 0, 1]), "{counted}");
}

/// How long an owner is frozen; `TANDEM_FREEZE=30` for longer.
fn freeze() -> Duration {
    let secs = std::env::var("TANDEM_FREEZE").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(secs.unwrap_or(4))
}

#[tokio::test]
async fn an_owner_that_was_frozen_rings_nobody_and_counts_nothing_when_it_is_back() {
    let three = placed().await;
    let owner = three.owner_of("6400").await;
    let (one, other) = ((owner + 1) % 3, (owner + 2) % 3);
    let (mut first, mut second, before) = two_wait(&three, one, other).await;
    let api = three.api(one);

    three.node(owner).signal("STOP").await;
    let after = api.wait_for(STATUS, |status| line(status).len() == 2).await;
    assert_eq!(line(&after), line(&before));
    let mut agent = phone(&three, other, "1001", 1100).await;
    agent.expect("incoming").await;
    agent.answer().await;
    api.wait_for(STATUS, |status| line(status).len() == 1).await;
    sleep(freeze()).await;
    three.node(owner).signal("CONT").await;
    sleep(Duration::from_secs(4)).await;

    for member in 0..3 {
        let seen = three.api(member).wait_for(STATUS, |it| line(it).len() == 1).await;
        assert_eq!(line(&seen), line(&before)[1..], "member {member}");
        assert_eq!(seen["active"].as_array().map(Vec::len), Some(1), "member {member}: {seen}");
    }
    assert_eq!(agent.count("incoming", Duration::from_secs(1)).await, 0, "no second ring");
    first.hang_up().await;
    first.expect_end().await;
    second.hang_up().await;
    second.expect_end().await;
    let counted = api.wait_for(STATUS, |status| status["total"] == 2).await;
    let figures = ["answered", "missed", "abandoned"].map(|name| counted[name].clone());
    assert_eq!(json!(figures), json!([1, 0, 1]), "{counted}");
    sleep(Duration::from_millis(300)).await;
    assert_heard(&agent.recording(1), 700.0, 2.0);
}
