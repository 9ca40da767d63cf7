//! Who does not belong to the cluster is told so, by a line, an exit code, a log and a metric.

use std::time::Duration;

use tandem_tests::members::{is_linked, said};
use tandem_tests::{Machine, Node};

use crate::{REFUSED, founder, joined};

async fn refusals(node: &Node, reason: &str) -> bool {
    let address = format!("http://{}/metrics", node.listening.http);
    let text = reqwest::get(address).await.unwrap().text().await.unwrap();
    text.contains(&format!("tandem_cluster_refused_total{{reason=\"{reason}\"}}"))
}

async fn refused_join(machine: &Machine, host: &str, token: &str, why: &str) {
    let output = machine.tandem(&["run", "--join", host, "--token", token]).await;
    assert_eq!(output.status.code(), REFUSED, "{}", said(&output));
    assert!(said(&output).contains(why), "{}", said(&output));
}

#[tokio::test]
async fn a_used_token_a_taken_name_and_another_clusters_token_are_refused() {
    let machines = [1, 2, 3].map(Machine::new);
    let stranger = Machine::new(4);
    stranger.done(&["cluster", "init"]).await;
    let one = founder(&machines[0]).await;
    let host = one.listening.cluster.clone().unwrap();
    let token = machines[0].done(&["cluster", "token"]).await;
    let _two = machines[1].start(&["--join", &host, "--token", &token]).await;

    refused_join(&machines[2], &host, &token, "the token was used before").await;
    assert!(refusals(&one, "token_used").await);
    let token = machines[0].done(&["cluster", "token"]).await;
    let impostor = Machine::new(5).with("node.name=node-2");
    refused_join(&impostor, &host, &token, "the name is taken").await;
    assert!(refusals(&one, "name_taken").await);
    assert!(machines[0].log().contains("token_used"), "{}", machines[0].log());
    let token = stranger.done(&["cluster", "token"]).await;
    let why = "not signed by this cluster's authority";
    refused_join(&machines[2], &host, &token, why).await;
}

#[tokio::test]
async fn an_expired_certificate_is_refused_and_a_new_token_repairs_it() {
    let founding = Machine::new(1).with("cluster.certificate_secs=6");
    let late = Machine::new(2);
    let one = founder(&founding).await;
    let mut two = joined(&founding, &one, &late).await;
    two.kill().await;
    // A certificate expires by the clock on the wall.
    tokio::time::sleep(Duration::from_secs(7)).await;

    let output = late.tandem(&["run"]).await;

    assert_eq!(output.status.code(), REFUSED, "{}", said(&output));
    assert!(said(&output).contains("the certificate has expired"), "{}", said(&output));
    assert!(refusals(&one, "expired").await);
    founding.done(&["cluster", "remove", "node-2"]).await;
    std::fs::remove_dir_all(late.file("")).unwrap();
    let _two = joined(&founding, &one, &late).await;
    founding.sees("the repaired member", |status| is_linked(status, "node-2")).await;
}

#[tokio::test]
async fn a_removed_member_is_told_at_once_and_refused_at_its_next_start() {
    let machines = [1, 2].map(Machine::new);
    let one = founder(&machines[0]).await;
    let mut two = joined(&machines[0], &one, &machines[1]).await;
    machines[0].sees("the second member", |status| is_linked(status, "node-2")).await;

    machines[0].done(&["cluster", "remove", "node-2"]).await;
    machines[1].sees("the refusal", |status| !is_linked(status, "node-1")).await;
    assert!(machines[1].log().contains("the node was removed from the cluster"));
    two.kill().await;
    let output = machines[1].tandem(&["run"]).await;

    assert_eq!(output.status.code(), REFUSED, "{}", said(&output));
    assert!(said(&output).contains("the node was removed from the cluster"));
    assert!(refusals(&one, "removed").await);
}

#[tokio::test]
async fn a_node_that_never_heard_of_clusters_starts_alone() {
    let machine = Machine::new(1);
    let node = machine.start(&["--demo"]).await;

    assert_eq!(node.listening.cluster, None);
    let output = machine.tandem(&["cluster", "status"]).await;
    assert!(!output.status.success());
    let output = machine.tandem(&["cluster", "token"]).await;
    assert_eq!(output.status.code(), REFUSED, "{}", said(&output));
}
