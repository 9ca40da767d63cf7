//! A backup of a running cluster, and a machine that is made from it.

use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::members::said;
use tandem_tests::{Api, Machine};
use tokio::time::{Duration, sleep};

use crate::api_of;
use crate::queues::{STATUS, placed};

/// Takes a backup; gives the position that it says it ends at.
async fn backup(api: &Api, into: &Path) -> String {
    let answer = api.send(Method::GET, "/api/v1/backup", &Value::Null).await;
    assert_eq!(answer.status(), 200);
    let position = answer.headers()["tandem-position"].to_str().unwrap().to_owned();
    std::fs::write(into, answer.bytes().await.unwrap()).unwrap();
    position
}

async fn numbers(api: &Api) -> Vec<Value> {
    let queues = api.get("/api/v1/queues?limit=200").await;
    queues["items"].as_array().unwrap().iter().map(|queue| queue["number"].clone()).collect()
}

/// The table of who runs what names members that are none any more: the leader changes it first.
async fn assert_queue_runs(api: &Api) {
    for _ in 0..200 {
        let answer = api.send(Method::GET, STATUS, &Value::Null).await;
        if answer.status().is_success() {
            let status: Value = answer.json().await.unwrap();
            if status["agents"].as_array().is_some_and(|all| all.len() == 3) {
                return;
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("the queue does not run");
}

fn with_a_flipped_bit(backup: &Path) -> PathBuf {
    let mut bytes = std::fs::read(backup).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    let damaged = backup.with_extension("damaged");
    std::fs::write(&damaged, bytes).unwrap();
    damaged
}

#[tokio::test]
async fn a_backup_of_a_running_cluster_makes_one_machine_that_founds_it_anew() {
    let three = placed().await;
    let (writer, taker) = (three.api(1), three.api(2));
    writer.upload_tone("greeting", 440.0, 1.0).await;
    writer.post("/api/v1/queues", json!({ "number": "6401", "name": "before" })).await;
    let is_copied = |page: &Value| page["items"] != json!([]);
    let prompts = taker.wait_for("/api/v1/prompts", is_copied).await;
    // A copy holds what the member has that is asked for it.
    taker.wait_for_found("/api/v1/queues/6401").await;
    let machine = Machine::new(7);
    let [first, second] = ["first", "second"].map(|name| three.machines[2].dir.path().join(name));
    let position = backup(&taker, &first).await;
    writer.post("/api/v1/queues", json!({ "number": "6402", "name": "after" })).await;
    taker.wait_for_found("/api/v1/queues/6402").await;
    backup(&taker, &second).await;
    let names = [&with_a_flipped_bit(&second), &second].map(|path| path.display().to_string());

    let damaged = machine.tandem(&["restore", &names[0]]).await;
    assert!(!damaged.status.success() && said(&damaged).contains("damaged"), "{}", said(&damaged));
    machine.done(&["restore", &names[1], "--until", &position]).await;
    let again = machine.tandem(&["restore", &names[1]]).await;
    assert!(said(&again).contains("empty data directory"), "{}", said(&again));
    machine.done(&["cluster", "init"]).await;
    let node = machine.start(&[]).await;

    let restored = api_of(&node, &three.demo);
    assert_eq!(numbers(&restored).await, [json!("6400"), json!("6401")]);
    assert_eq!(restored.get("/api/v1/prompts").await, prompts);
    assert_queue_runs(&restored).await;
    restored.post("/api/v1/queues", json!({ "number": "6403", "name": "anew" })).await;
    let joining = Machine::new(8);
    let other = crate::joined(&machine, &node, &joining).await;
    assert_eq!(numbers(&api_of(&other, &three.demo)).await.len(), 3);
}
