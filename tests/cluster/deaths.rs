//! The leader is killed while all members are written to: what was acknowledged is there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Method;
use serde_json::json;
use tandem_tests::Api;
use tandem_tests::api::items;
use tokio::time::{Duration, Instant, sleep};

use crate::Three;

/// Rounds of one run; `TANDEM_ROUNDS=n` does more.
fn rounds() -> u32 {
    std::env::var("TANDEM_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// What one writer was told.
#[derive(Default)]
struct Told {
    acknowledged: Vec<String>,
    /// The longest time between two acknowledged writes.
    gap: Duration,
    refused: u32,
}

/// Writes to one member until it is told to stop or the member is gone.
async fn write(base: String, token: String, prefix: String, stop: Arc<AtomicBool>) -> Told {
    let client = reqwest::Client::new();
    let (mut told, mut last) = (Told::default(), Instant::now());
    for index in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let number = format!("{prefix}{index:04}");
        let body = json!({ "number": number, "password": "not so secret" });
        let request = client.request(Method::POST, format!("{base}/api/v1/extensions"));
        match request.bearer_auth(&token).json(&body).send().await {
            Ok(answer) if answer.status().is_success() => {
                told.gap = told.gap.max(last.elapsed());
                last = Instant::now();
                told.acknowledged.push(number);
            }
            Ok(answer) => {
                assert_eq!(answer.status(), 503, "{:?}", answer.text().await);
                told.refused += 1;
            }
            Err(_) => break,
        }
        sleep(Duration::from_millis(5)).await;
    }
    told
}

async fn extensions(api: &Api) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = api.get(&format!("/api/v1/extensions?limit=500{cursor}")).await;
        found.extend(items(&page).iter().map(|it| it["number"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn a_killed_leader_loses_no_acknowledged_write_and_comes_back_to_all_of_them() {
    let mut three = Three::start().await;
    let mut acknowledged = BTreeSet::new();
    let mut gaps = Vec::new();
    for round in 0..rounds() {
        let leader = three.leader().await;
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..3)
            .map(|member| {
                let base = format!("http://{}", three.node(member).listening.http);
                let prefix = format!("7{round:02}{member}");
                let token = three.demo.token.clone();
                tokio::spawn(write(base, token, prefix, Arc::clone(&stop)))
            })
            .collect();
        sleep(Duration::from_secs(2)).await;
        three.kill(leader).await;
        sleep(Duration::from_secs(4)).await;
        stop.store(true, Ordering::Relaxed);
        for (member, writer) in writers.into_iter().enumerate() {
            let told = writer.await.unwrap();
            assert!(!told.acknowledged.is_empty(), "round {round}: member {member} took nothing");
            if member != leader {
                gaps.push(told.gap);
                println!(
                    "round {round}: leader {leader} killed; at member {member} {} acknowledged, \
                     {} refused, longest gap {:?}",
                    told.acknowledged.len(),
                    told.refused,
                    told.gap,
                );
            }
            acknowledged.extend(told.acknowledged);
        }
        three.start_again(leader).await;
    }

    for member in 0..3 {
        let mut missing = acknowledged.clone();
        for _ in 0..100 {
            let found = extensions(&three.api(member)).await;
            let distinct: BTreeSet<_> = found.iter().cloned().collect();
            assert_eq!(found.len(), distinct.len(), "member {member} has one twice");
            missing = acknowledged.difference(&distinct).cloned().collect();
            if missing.is_empty() {
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
        assert!(missing.is_empty(), "member {member} lacks {missing:?}");
    }
    gaps.sort();
    println!("{} acknowledged, 0 lost; gaps {gaps:?}", acknowledged.len());
    // Detection, election and a busy machine; without a new leader it would be for ever.
    assert!(gaps.last().is_some_and(|gap| *gap < Duration::from_secs(4)), "{gaps:?}");
}

#[tokio::test]
async fn a_member_that_was_thrown_out_is_no_voter_any_more() {
    let three = Three::start().await;

    three.machines[0].done(&["cluster", "remove", "node-3"]).await;

    let voters = |status: &serde_json::Value| status["group"]["voters"] == json!([1, 2]);
    three.machines[0].sees("two voters", voters).await;
    let extension = json!({ "number": "2001", "password": "not so secret" });
    three.api(1).post("/api/v1/extensions", extension).await;
    three.api(0).wait_for_found("/api/v1/extensions/2001").await;
}
