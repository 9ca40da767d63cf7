//! A phone that registers over two flows (RFC 5626): it is rung by one of them at a time.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::ports::free_port;
use tandem_tests::{Office, Phone, Sipp};
use tokio::time::Instant;

const EXTENSION: &str = "1001";
const INSTANCE: &str = "+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-000000001001>\"";

/// Where a flow of the phone comes from. The scenarios of its far end follow each other there.
struct Flow<'a> {
    office: &'a Office,
    ip: &'a str,
    port: u16,
}

impl<'a> Flow<'a> {
    async fn registered(office: &'a Office, ip: &'a str, reg_id: u32) -> Self {
        let flow = Self { office, ip, port: free_port(ip) };
        let password = office.node.password(EXTENSION);
        let account = format!(
            "SEQUENTIAL\n{EXTENSION};[authentication username={EXTENSION} password={password}]\n"
        );
        std::fs::write(office.dir().join("account.csv"), account).unwrap();
        let contact = format!("{INSTANCE};reg-id={reg_id}");
        let more = ["-inf", "account.csv", "-m", "1", "-key", "flow", &contact];
        let mut registering = flow.runs("flow_register", &more).await;
        assert!(registering.finish(Duration::from_secs(10)).await, "flow {reg_id} is registered");
        flow
    }

    async fn runs(&self, scenario: &str, more: &[&str]) -> Sipp {
        let node = self.office.node.sip("udp");
        Sipp::start_at(scenario, self.ip, self.port, node, self.office.dir(), more).await
    }
}

async fn answered(caller: &mut Phone) -> Duration {
    let from = Instant::now();
    caller.call(EXTENSION).await;
    caller.expect_state("CONFIRMED").await;
    let took = from.elapsed();
    caller.hang_up().await;
    caller.expect_end().await;
    took
}

/// How many INVITEs a far end was sent, repetitions not counted.
fn calls(far_end: &Sipp) -> usize {
    far_end.logged().iter().filter(|line| line.contains("called ")).count()
}

#[tokio::test]
async fn a_phone_is_rung_by_its_newest_flow_and_by_the_other_one_only_when_that_fails() {
    // SIPp knows no other digest.
    let office = Office::open_with(&[r#"sip.digest=["md5"]"#]).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let one = Flow::registered(&office, "127.0.0.2", 1).await;
    let two = Flow::registered(&office, "127.0.0.3", 2).await;
    let first = one.runs("trunk_answer", &[]).await;
    let mut second = two.runs("trunk_answer", &[]).await;

    answered(&mut caller).await;
    assert_eq!((calls(&first), calls(&second)), (0, 1), "only the newest flow is rung");

    // The proxy in front of the newest flow has lost the phone.
    second.kill().await;
    let mut failed = two.runs("flow_failed", &[]).await;
    let took = answered(&mut caller).await;
    assert_eq!((calls(&first), calls(&failed)), (1, 1), "430 leads to the other flow");
    assert!(took < Duration::from_secs(2), "at once, not after {took:?}");

    // Nobody is there any more, and nobody says so.
    failed.kill().await;
    let took = answered(&mut caller).await;
    assert_eq!(calls(&first), 2, "silence leads to the other flow");
    assert!(took < Duration::from_secs(8), "before the caller gives up, not after {took:?}");

    office.quiet().await;
    let records = office.api.records(3, "number=1000").await;
    assert!(records.iter().all(|it| it["outcome"] == json!("answered")), "{records:?}");
}
