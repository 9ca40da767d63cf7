//! Trunks over TCP and over TLS, both ways, with pjsua2 as the far end.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::sound::Recording;
use tandem_tests::{Office, Phone};
use tokio::time::sleep;

/// How long each talk lasts.
const TALK: Duration = Duration::from_millis(2_500);

/// A telephone that is a trunk's far end.
async fn far_end(office: &Office, transport: &str, address: &str, more: Value) -> Phone {
    let mut options = json!({
        "register": false, "bound": address, "transport": transport, "auto_answer": true,
        "tone": 1100,
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        options[key] = value.clone();
    }
    Phone::start(office.node.sip(transport), &format!("far-{address}"), office.dir(), options).await
}

/// A trunk to it.
async fn trunk(office: &Office, name: &str, transport: &str, far: &Phone, encryption: &str) {
    let (host, port) = far.address.split_once(':').unwrap();
    let trunk = json!({
        "name": name, "host": host, "port": port.parse::<u16>().unwrap(),
        "transport": transport, "encryption": encryption, "options_interval_secs": 0,
    });
    office.api.post("/api/v1/trunks", trunk).await;
}

async fn routes(office: &Office, trunks: &[&str]) {
    let rules = json!([{ "pattern": "9.", "strip": 1 }]);
    let route = json!({ "name": "out", "rules": rules, "trunks": trunks });
    office.api.post("/api/v1/outbound-routes", route).await;
    office.inbound("in", "5550100", json!({ "type": "extension", "number": "1000" })).await;
}

/// One call out over the trunk and one in, each with a talk.
async fn both_ways(phone: &mut Phone, far: &mut Phone) {
    phone.call("90301234").await;
    phone.expect_state("CONFIRMED").await;
    sleep(TALK).await;
    phone.hang_up().await;
    far.expect_end().await;
    phone.expect_end().await;
    far.call("5550100").await;
    far.expect_state("CONFIRMED").await;
    sleep(TALK).await;
    far.hang_up().await;
    phone.expect_end().await;
    sleep(Duration::from_millis(200)).await;
}

/// Each heard the other for a good part of both talks.
fn assert_talks(phone: &Phone, far: &Phone) {
    for call in [1, 2] {
        for (recording, hertz) in [(phone.recording(call), 1100.0), (far.recording(call), 700.0)] {
            let recording = Recording::read(&recording);
            let from = recording.first(hertz).expect("the other is heard");
            let share = recording.frames_with(hertz, from, from + 1.5);
            assert!(share > 0.85, "call {call}: {hertz} Hz in {share:.2} of the time");
        }
    }
}

#[tokio::test]
async fn a_trunk_over_tcp_carries_calls_both_ways() {
    let office = Office::open().await;
    let mut far = far_end(&office, "tcp", "127.0.0.1", Value::Null).await;
    trunk(&office, "carrier", "tcp", &far, "off").await;
    routes(&office, &["carrier"]).await;
    let mut phone = office.phone("1000", 700, json!({ "auto_answer": true })).await;

    both_ways(&mut phone, &mut far).await;

    assert_talks(&phone, &far);
    office.quiet().await;
    let records = office.api.records(2, "number=1000").await;
    assert!(records.iter().all(|record| record["trunk"] == "carrier"), "{records:?}");
    assert_eq!(records[0]["direction"], "inbound", "{records:?}");
}

#[tokio::test]
async fn a_trunk_over_tls_is_called_by_the_name_in_its_certificate_and_with_srtp() {
    let office = Office::open().await;
    let tls = office.node.dir.join("data/tls");
    let files = json!({
        "certificate": tls.join("certificate.pem"), "private_key": tls.join("private-key.pem"),
        "srtp": true,
    });
    // The certificate that the node trusts names one of the two addresses alone.
    let mut other = far_end(&office, "tls", "127.0.0.2", files.clone()).await;
    let mut far = far_end(&office, "tls", "127.0.0.1", files).await;
    trunk(&office, "other", "tls", &other, "required").await;
    trunk(&office, "carrier", "tls", &far, "required").await;
    routes(&office, &["other", "carrier"]).await;
    let mut phone = office.phone("1000", 700, json!({ "auto_answer": true })).await;

    both_ways(&mut phone, &mut far).await;

    assert_talks(&phone, &far);
    assert!(!other.sees("incoming", Duration::from_millis(100)).await, "another was called");
    office.quiet().await;
    let records = office.api.records(2, "number=1000").await;
    assert!(records.iter().all(|record| record["trunk"] == "carrier"), "{records:?}");
}
