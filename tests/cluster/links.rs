//! Nodes that belong together find each other, and find each other again.

use tandem_tests::Machine;
use tandem_tests::members::{is_linked, member};

use crate::{founder, joined};

#[tokio::test]
async fn three_processes_make_a_cluster_and_each_sees_the_others() {
    let machines = [1, 2, 3].map(Machine::new);
    let one = founder(&machines[0]).await;
    let _two = joined(&machines[0], &one, &machines[1]).await;
    let _three = joined(&machines[0], &one, &machines[2]).await;

    for (own, machine) in machines.iter().enumerate() {
        let others = |status: &serde_json::Value| {
            (1..=3).filter(|n| n - 1 != own).all(|n| is_linked(status, &format!("node-{n}")))
        };
        let status = machine.sees("links to both others", others).await;
        assert_eq!(status["node"], own + 1);
        assert_eq!(status["members"].as_array().unwrap().len(), 3);
    }
    let shown = machines[2].done(&["cluster", "status"]).await;
    assert!(shown.contains("node-1") && shown.contains("127.0.0.2:"), "{shown}");
}

#[tokio::test]
async fn a_killed_member_is_missed_and_comes_back_as_itself_without_a_token() {
    let machines = [1, 2].map(Machine::new);
    let one = founder(&machines[0]).await;
    let mut two = joined(&machines[0], &one, &machines[1]).await;
    machines[0].sees("the second member", |status| is_linked(status, "node-2")).await;

    two.kill().await;
    machines[0].sees("its death", |status| !is_linked(status, "node-2")).await;
    let _two = machines[1].start(&[]).await;

    let status = machines[0].sees("its return", |status| is_linked(status, "node-2")).await;
    assert_eq!(member(&status, "node-2")["node"], 2);
}

#[tokio::test]
async fn a_killed_founder_comes_back_and_lets_in_with_a_token_of_before() {
    let machines = [1, 2].map(Machine::new);
    let mut one = founder(&machines[0]).await;
    let token = machines[0].done(&["cluster", "token", "--for", "node-2"]).await;
    one.kill().await;

    let one = machines[0].start(&["--demo"]).await;
    let host = one.listening.cluster.clone().unwrap();
    let _two = machines[1].start(&["--join", &host, "--token", &token]).await;

    machines[0].sees("the second member", |status| is_linked(status, "node-2")).await;
}

#[tokio::test]
async fn a_drain_is_seen_by_all_and_ends_with_the_next_start() {
    let machines = [1, 2].map(Machine::new);
    let one = founder(&machines[0]).await;
    let mut two = joined(&machines[0], &one, &machines[1]).await;
    let state = |status: &serde_json::Value| member(status, "node-2")["state"].clone();

    machines[0].sees("the second member", |status| is_linked(status, "node-2")).await;
    machines[1].done(&["cluster", "drain", "node-2"]).await;
    for machine in &machines {
        machine.sees("the drain", |status| state(status) == "draining").await;
    }
    two.stop().await;
    let _two = machines[1].start(&[]).await;

    machines[0].sees("its return", |status| state(status) == "up").await;
}
