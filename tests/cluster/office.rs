//! One journal for all members: what one of them is told, the others know.

use serde_json::{Value, json};
use tandem_tests::Machine;
use tandem_tests::api::items;
use tandem_tests::sound::assert_heard;
use tokio::time::{Duration, sleep};

use crate::queues::{phone, talking};
use crate::{Three, api_of};

/// Whether the agent 1002 is there, logged in to a queue or not.
fn is_logged_in(agents: &Value, wanted: bool) -> bool {
    let agents = items(agents);
    let agent = agents.iter().find(|agent| agent["extension"] == "1002");
    let memberships = agent.and_then(|agent| agent["memberships"].as_array());
    memberships.is_some_and(|all| all.iter().any(|it| it["logged_in"] == wanted))
}

#[tokio::test]
async fn what_one_member_is_told_all_know_and_phones_of_two_members_talk() {
    let three = Three::start().await;

    // Provisioned at a follower, read and changed at another, refused as a double at a third.
    let extension = json!({ "number": "2001", "password": "not so secret" });
    three.api(1).post("/api/v1/extensions", extension.clone()).await;
    let path = "/api/v1/extensions/2001";
    three.api(2).wait_for_found(path).await;
    three.api(2).patch(path, json!({ "name": "Moved" })).await;
    three.api(0).wait_for_found(path).await;
    three.api(0).wait_for(path, |it| it["name"] == "Moved").await;
    let twice = three.api(0).send(reqwest::Method::POST, "/api/v1/extensions", &extension).await;
    assert_eq!(twice.status(), 409);

    // An agent who logs in at one member is logged in at all.
    let member = json!({ "members": [{ "extension": "1002", "membership": "dynamic" }] });
    three.api(0).patch("/api/v1/queues/6400", member).await;
    let agents = "/api/v1/agents";
    for member in 0..3 {
        three.api(member).wait_for(agents, |all| is_logged_in(all, false)).await;
    }
    three.api(1).post("/api/v1/agents/1002/login", json!({ "queue": "6400" })).await;
    for member in 0..3 {
        three.api(member).wait_for(agents, |all| is_logged_in(all, true)).await;
    }

    // A phone at one member reaches a phone that is registered at another.
    let (mut caller, mut callee) = talking(&three, [0, 1]).await;
    sleep(Duration::from_secs(1)).await;
    caller.hang_up().await;
    caller.expect_end().await;
    callee.expect_end().await;
    sleep(Duration::from_millis(200)).await;
    assert_heard(&caller.recording(1), 1100.0, 2.0);
    assert_heard(&callee.recording(1), 700.0, 2.0);
    for member in 0..3 {
        let record = three.api(member).record("number=1000").await;
        assert_eq!(record["outcome"], "answered", "{record}");
    }
}

#[tokio::test]
async fn a_member_without_a_majority_refuses_writes_and_keeps_its_calls_and_their_records() {
    let mut three = Three::start().await;
    let mut caller = phone(&three, 2, "1000", 700).await;
    caller.call("*43").await;
    caller.expect_state("CONFIRMED").await;

    three.kill(0).await;
    three.kill(1).await;
    let body = json!({ "number": "2002", "password": "not so secret" });
    let refused = three.api(2).send(reqwest::Method::POST, "/api/v1/extensions", &body).await;
    let status = refused.status();
    let problem: Value = refused.json().await.unwrap();
    sleep(Duration::from_secs(2)).await;
    caller.hang_up().await;
    caller.expect_end().await;
    sleep(Duration::from_millis(200)).await;
    let shown = three.machines[2].done(&["cluster", "status"]).await;

    assert_eq!(status, 503, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("quorum"), "{problem}");
    assert!(shown.contains("no majority is within reach"), "{shown}");
    // The five seconds that the write waited, and more.
    assert_heard(&caller.recording(1), 700.0, 6.0);

    three.start_again(1).await;
    let record = three.api(2).record("number=1000").await;
    assert_eq!(record["outcome"], "completed", "{record}");
    let after = json!({ "number": "2003", "password": "not so secret" });
    three.api(2).post("/api/v1/extensions", after).await;
    three.api(1).wait_for_found("/api/v1/extensions/2003").await;
    assert_eq!(three.api(1).record("number=1000").await["outcome"], "completed");
}

#[tokio::test]
async fn a_node_that_was_alone_founds_a_cluster_and_who_joins_gets_what_it_has() {
    let machines = [1, 2].map(Machine::new);
    let mut one = machines[0].start(&["--demo"]).await;
    one.api().post("/api/v1/extensions", json!({ "number": "2001", "password": "secret 1" })).await;
    one.stop().await;
    let demo = one.demo.clone();

    let founder = crate::founder(&machines[0]).await;
    let second = crate::joined(&machines[0], &founder, &machines[1]).await;

    let number = api_of(&second, &demo).get("/api/v1/extensions/2001").await["number"].clone();
    assert_eq!(number, "2001");
    let status = machines[1].status().await;
    assert_eq!(status["group"]["voters"], json!([1]), "of two one votes: {status}");
}
