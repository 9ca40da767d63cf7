//! Carriers: an account at one, one that falls silent, none that is left.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::ports::free_port;
use tandem_tests::{Office, Sipp};
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep};

/// Waits until the metrics say of a trunk that it takes calls, or that it takes none.
async fn wait_until(office: &Office, trunk: &str, is_up: bool) {
    let wanted = format!("tandem_trunk_up{{trunk=\"{trunk}\"}} {}", u8::from(is_up));
    for _ in 0..200 {
        let metrics = office.api.bytes("/metrics").await;
        if String::from_utf8_lossy(&metrics).lines().any(|line| line == wanted) {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("never {wanted}");
}

/// A trunk that is asked each second whether it is there.
async fn pinged(office: &Office, name: &str, host: &str, port: u16) {
    let trunk = json!({ "name": name, "host": host, "port": port, "options_interval_secs": 1 });
    office.api.post("/api/v1/trunks", trunk).await;
}

async fn outbound(office: &Office, trunks: &[&str]) {
    let rules = json!([{ "pattern": "9.", "strip": 1 }]);
    let route = json!({ "name": "out", "rules": rules, "trunks": trunks });
    office.api.post("/api/v1/outbound-routes", route).await;
}

#[tokio::test]
async fn an_account_at_a_carrier_takes_calls_and_makes_them_by_its_password() {
    let office = Office::open().await;
    let (port, node) = (free_port("127.0.0.2"), office.node.sip("udp").to_owned());
    let twice = ["-m", "2"];
    let mut carrier =
        Sipp::start_at("carrier", "127.0.0.2", port, &node, office.dir(), &twice).await;
    let trunk = json!({
        "name": "carrier", "mode": "register", "host": "127.0.0.2", "port": port,
        "auth": { "username": "alice", "password": "wonderland" }, "options_interval_secs": 0,
    });
    office.api.post("/api/v1/trunks", trunk).await;
    outbound(&office, &["carrier"]).await;
    office.inbound("sales", "5550100", json!({ "type": "extension", "number": "1001" })).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let mut callee = office.phone("1001", 1100, json!({ "auto_answer": true })).await;
    wait_until(&office, "carrier", true).await;

    caller.call("90301234").await;
    caller.expect_state("CONFIRMED").await;
    caller.hang_up().await;
    assert!(carrier.finish(Duration::from_secs(10)).await);
    let said = carrier.logged();
    let contact = said.iter().find_map(|line| line.strip_prefix("registered ")).unwrap();
    // It calls what was registered; which of its numbers was dialled stands in To.
    let keys = ["-key", "contact", contact, "-key", "did", "5550100", "-key", "caller", "4930"];
    let more = [&keys[..], &["-m", "1", "-d", "500"]].concat();
    let mut back = Sipp::start("carrier_call", "127.0.0.2", &node, office.dir(), &more).await;
    callee.expect_state("CONFIRMED").await;
    assert!(back.finish(Duration::from_secs(10)).await);

    assert!(contact.starts_with("sip:alice@127.0.0.1"), "{contact}");
    assert!(said.contains(&"refreshed".to_owned()), "{said:?}");
    let called = said.iter().find(|line| line.starts_with("called ")).unwrap();
    assert!(called.contains("sip:0301234@127.0.0.2"), "{called}");
    assert!(called.contains("from sip:alice@"), "{called}");
    let inbound = office.api.record("number=1001").await;
    assert_eq!(inbound["trunk"], "carrier", "{inbound}");
    assert_eq!(inbound["to"], "5550100", "{inbound}");
    assert_eq!(inbound["outcome"], "answered", "{inbound}");
}

#[tokio::test]
async fn o_035_a_trunk_that_falls_silent_is_passed_over_until_it_answers_again() {
    let office = Office::open().await;
    let (first, second) = (free_port("127.0.0.2"), free_port("127.0.0.3"));
    let (node, dir) = (office.node.sip("udp").to_owned(), office.dir());
    let mut near = Sipp::start_at("trunk_pinged", "127.0.0.2", first, &node, dir, &[]).await;
    let once = ["-m", "1"];
    let mut far = Sipp::start_at("trunk_answer", "127.0.0.3", second, &node, dir, &once).await;
    pinged(&office, "near", "127.0.0.2", first).await;
    office.trunk("far", "127.0.0.3", second).await;
    outbound(&office, &["near", "far"]).await;
    let mut phone = office.phone("1000", 700, Value::Null).await;
    wait_until(&office, "near", true).await;

    near.kill().await;
    // The port stays taken, so that nothing tells but the silence.
    let silent = UdpSocket::bind(("127.0.0.2", first)).await.unwrap();
    wait_until(&office, "near", false).await;
    let from = Instant::now();
    phone.call("90301234").await;
    phone.expect_state("CONFIRMED").await;
    let took = from.elapsed();
    phone.hang_up().await;
    phone.expect_end().await;
    assert!(far.finish(Duration::from_secs(10)).await);
    drop(silent);
    let _near = Sipp::start_at("trunk_pinged", "127.0.0.2", first, &node, dir, &[]).await;
    wait_until(&office, "near", true).await;
    phone.call("90301235").await;
    phone.expect_state("CONFIRMED").await;
    phone.hang_up().await;
    phone.expect_end().await;

    // A call that had to find out by itself would wait for four seconds.
    assert!(took < Duration::from_secs(3), "the next trunk answered after {took:?}");
    office.quiet().await;
    let records = office.api.records(2, "number=1000").await;
    assert_eq!(records[0]["trunk"], "near", "{records:?}");
    assert_eq!(records[1]["trunk"], "far", "{records:?}");
}

#[tokio::test]
async fn a_caller_whose_every_trunk_is_dead_is_told_503_and_why() {
    let office = Office::open().await;
    let (port, refusing) = (free_port("127.0.0.2"), free_port("127.0.0.4"));
    let (node, dir) = (office.node.sip("udp").to_owned(), office.dir());
    let silent = UdpSocket::bind("127.0.0.3:0").await.unwrap();
    office.trunk("carrier", "127.0.0.2", port).await;
    pinged(&office, "silent", "127.0.0.3", silent.local_addr().unwrap().port()).await;
    office.trunk("refusing", "127.0.0.4", refusing).await;
    // Nobody listens at all.
    let closed = free_port("127.0.0.5");
    let trunk = json!({
        "name": "closed", "host": "127.0.0.5", "port": closed, "transport": "tcp",
        "options_interval_secs": 0,
    });
    office.api.post("/api/v1/trunks", trunk).await;
    outbound(&office, &["silent", "refusing", "closed"]).await;
    office.inbound("on", "5550100", json!({ "type": "external_num", "number": "90301234" })).await;
    let twice = ["-m", "2"];
    let mut far = Sipp::start_at("trunk_refuse", "127.0.0.4", refusing, &node, dir, &twice).await;
    let mut phone = office.phone("1000", 700, Value::Null).await;
    wait_until(&office, "silent", false).await;

    phone.call("90301234").await;
    let status = phone.expect_end().await;
    let keys = ["-key", "did", "5550100", "-key", "caller", "4930", "-m", "1"];
    let mut outside = Sipp::start_at("trunk_refused", "127.0.0.2", port, &node, dir, &keys).await;
    assert!(outside.finish(Duration::from_secs(10)).await);

    assert_eq!(status, 503);
    assert_eq!(outside.logged(), ["refused 503 cause=41"]);
    assert!(far.finish(Duration::from_secs(5)).await, "the second trunk was asked each time");
    let record = office.api.record("number=1000").await;
    assert_eq!(record["outcome"], "failed", "{record}");
}
