//! Calls from and to trunks, with SIPp as the far end.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::ports::free_port;
use tandem_tests::sound::assert_heard;
use tandem_tests::{Office, Sipp};
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep};

/// An outbound route for numbers after a 9.
async fn outbound(office: &Office, trunks: &[&str]) {
    let route = json!({
        "name": "out", "rules": [{ "pattern": "9.", "strip": 1 }], "trunks": trunks,
        "caller_id": "5550100",
    });
    office.api.post("/api/v1/outbound-routes", route).await;
}

#[tokio::test]
async fn a_trunk_calls_a_did_into_the_queue_and_an_agent_answers() {
    let office = Office::open().await;
    let port = free_port("127.0.0.2");
    office.trunk("carrier", "127.0.0.2", port).await;
    office.inbound("sales", "5550100", json!({ "type": "queue", "number": "6400" })).await;
    let mut agent = office.phone("1001", 1100, json!({ "codecs": ["PCMU/8000/1"] })).await;

    let node = office.node.sip("udp").to_owned();
    let keys = ["-key", "did", "5550100", "-key", "caller", "4930", "-m", "1", "-d", "9000"];
    let more = [&keys[..], &["-rtp_echo"]].concat();
    let mut trunk =
        Sipp::start_at("trunk_call", "127.0.0.2", port, &node, office.dir(), &more).await;
    agent.expect("incoming").await;
    sleep(Duration::from_secs(2)).await;
    agent.answer().await;
    agent.expect_state("CONFIRMED").await;
    assert!(trunk.finish(Duration::from_secs(20)).await);
    agent.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    // The trunk sends back what it hears: the agent's own tone has gone both ways, and between
    // PCMU and PCMA both times.
    assert_heard(&agent.recording(1), 1100.0, 5.0);
    let record = office.api.record("queue=6400").await;
    assert_eq!(record["direction"], "inbound", "{record}");
    assert_eq!(record["trunk"], "carrier", "{record}");
    assert_eq!(record["from"], "49301", "{record}");
    assert_eq!(record["to"], "5550100", "{record}");
    assert_eq!(record["outcome"], "answered", "{record}");
    assert_eq!(record["queue"]["agent"], "1001", "{record}");
}

#[tokio::test]
async fn a_stranger_without_a_trunk_or_a_password_is_asked_for_one() {
    let office = Office::open().await;
    office.inbound("sales", "5550100", json!({ "type": "queue", "number": "6400" })).await;

    let wire = tandem_tests::Wire::open("127.0.0.9", office.node.sip("udp")).await;
    let invite = wire.request("INVITE", "5550100", "stranger", "Content-Length: 0\r\n\r\n");
    wire.send(invite.as_bytes()).await;
    let is_final = |message: &str| tandem_tests::wire::status(message) >= 200;
    let answer = wire.expect(Duration::from_secs(3), is_final).await.expect("an answer");

    assert_eq!(tandem_tests::wire::status(&answer), 401, "{answer}");
}

#[tokio::test]
async fn an_unknown_did_is_answered_404() {
    let office = Office::open().await;
    let wire = tandem_tests::Wire::open("127.0.0.3", office.node.sip("udp")).await;
    office.trunk("carrier", "127.0.0.3", wire.local.port()).await;
    sleep(Duration::from_millis(300)).await;

    let invite = wire.request("INVITE", "5550177", "unknown-did", "Content-Length: 0\r\n\r\n");
    wire.send(invite.as_bytes()).await;
    let is_final = |message: &str| tandem_tests::wire::status(message) >= 200;
    let answer = wire.expect(Duration::from_secs(3), is_final).await.expect("an answer");

    assert_eq!(tandem_tests::wire::status(&answer), 404, "{answer}");
}

#[tokio::test]
async fn an_extension_calls_out_over_the_next_trunk_when_the_first_is_dead_or_refuses() {
    let office = Office::open().await;
    let (dead, refusing, living) =
        (free_port("127.0.0.2"), free_port("127.0.0.3"), free_port("127.0.0.4"));
    office.trunk("dead", "127.0.0.2", dead).await;
    office.trunk("refusing", "127.0.0.3", refusing).await;
    office.trunk("living", "127.0.0.4", living).await;
    outbound(&office, &["dead", "refusing", "living"]).await;
    let node = office.node.sip("udp").to_owned();
    let dir = office.dir();
    let refuse = ["-m", "1"];
    let mut second =
        Sipp::start_at("trunk_refuse", "127.0.0.3", refusing, &node, dir, &refuse).await;
    let answer = ["-m", "1", "-rtp_echo"];
    let mut third = Sipp::start_at("trunk_answer", "127.0.0.4", living, &node, dir, &answer).await;
    let mut phone = office.phone("1000", 700, Value::Null).await;

    phone.call("90301234").await;
    phone.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(5)).await;
    phone.hang_up().await;
    phone.expect_end().await;
    assert!(second.finish(Duration::from_secs(10)).await);
    assert!(third.finish(Duration::from_secs(10)).await);
    sleep(Duration::from_millis(200)).await;

    assert_heard(&phone.recording(1), 700.0, 3.0);
    let called = third.logged().join("\n");
    assert!(called.contains("sip:0301234@"), "{called}");
    assert!(called.contains("sip:5550100@"), "{called}");
    let record = office.api.record("number=1000").await;
    assert_eq!(record["direction"], "outbound", "{record}");
    assert_eq!(record["trunk"], "living", "{record}");
    assert_eq!(record["outcome"], "answered", "{record}");
}

#[tokio::test]
async fn a_trunk_that_is_silent_is_given_up_before_the_caller_gives_up() {
    let office = Office::open().await;
    let silent = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    let living = free_port("127.0.0.4");
    office.trunk("silent", "127.0.0.2", silent.local_addr().unwrap().port()).await;
    office.trunk("living", "127.0.0.4", living).await;
    outbound(&office, &["silent", "living"]).await;
    let node = office.node.sip("udp").to_owned();
    let mut far =
        Sipp::start_at("trunk_answer", "127.0.0.4", living, &node, office.dir(), &["-m", "1"])
            .await;
    let mut phone = office.phone("1000", 700, Value::Null).await;

    let from = Instant::now();
    phone.call("90301234").await;
    phone.expect_state("CONFIRMED").await;
    let took = from.elapsed();
    phone.hang_up().await;

    assert!(far.finish(Duration::from_secs(10)).await);
    assert!(took < Duration::from_secs(12), "the next trunk answered after {took:?}");
}

#[tokio::test]
async fn a_redirection_by_a_trunk_is_followed() {
    let office = Office::open().await;
    let (first, second) = (free_port("127.0.0.2"), free_port("127.0.0.4"));
    office.trunk("carrier", "127.0.0.2", first).await;
    outbound(&office, &["carrier"]).await;
    let node = office.node.sip("udp").to_owned();
    let contact = format!("sip:0309999@127.0.0.4:{second}");
    let redirect = ["-key", "contact", &contact, "-m", "1"];
    let dir = office.dir();
    let mut near =
        Sipp::start_at("trunk_redirect", "127.0.0.2", first, &node, dir, &redirect).await;
    let mut far =
        Sipp::start_at("trunk_answer", "127.0.0.4", second, &node, dir, &["-m", "1"]).await;
    let mut phone = office.phone("1000", 700, Value::Null).await;

    phone.call("90301234").await;
    phone.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(1)).await;
    phone.hang_up().await;

    assert!(near.finish(Duration::from_secs(10)).await);
    assert!(far.finish(Duration::from_secs(10)).await);
    let called = far.logged().join("\n");
    assert!(called.contains("sip:0309999@"), "{called}");
}

#[tokio::test]
async fn the_node_registers_at_a_carrier_that_asks_for_a_password() {
    let office = Office::open().await;
    let port = free_port("127.0.0.2");
    let node = office.node.sip("udp").to_owned();
    let mut carrier =
        Sipp::start_at("registrar", "127.0.0.2", port, &node, office.dir(), &["-m", "1"]).await;

    let trunk = json!({
        "name": "carrier", "mode": "register", "host": "127.0.0.2", "port": port,
        "auth": { "username": "alice", "password": "wonderland" }, "options_interval_secs": 0,
    });
    office.api.post("/api/v1/trunks", trunk).await;

    assert!(carrier.finish(Duration::from_secs(10)).await);
}
