//! A call that a carrier, or another exchange, leads back to us: it ends by Max-Forwards.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::api::items;
use tandem_tests::sound::assert_heard;
use tandem_tests::wire::{header, status};
use tandem_tests::{Office, Wire};
use tokio::time::sleep;

const DID: &str = "5550100";

/// Two trunks that lead back to the node itself, and a number that it sends out again.
async fn circle(office: &Office) {
    let own: SocketAddr = office.node.sip("udp").parse().unwrap();
    let trunks = ["there", "back"];
    for trunk in trunks {
        office.trunk(trunk, &own.ip().to_string(), own.port()).await;
    }
    let route = json!({
        "name": "out", "rules": [{ "pattern": "9.", "strip": 1 }], "trunks": trunks,
        "caller_id": "5550177",
    });
    office.api.post("/api/v1/outbound-routes", route).await;
    let again = json!({ "type": "external_num", "number": format!("9{DID}") });
    office.inbound("again", DID, again).await;
}

async fn figure(office: &Office, name: &str) -> u64 {
    let text = office.api.bytes("/metrics").await;
    let text = String::from_utf8(text).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.and_then(|value| value.trim().parse().ok()).unwrap()
}

#[tokio::test]
async fn a_call_that_comes_back_again_and_again_ends_with_483_and_harms_no_other() {
    let office = Office::open().await;
    circle(&office).await;
    let mut one = office.phone("1001", 700, Value::Null).await;
    let mut two = office.phone("1002", 1100, Value::Null).await;
    one.call("1002").await;
    two.expect("incoming").await;
    two.answer().await;
    one.expect_state("CONFIRMED").await;
    let carrier = Wire::open("127.0.0.2", office.node.sip("udp")).await;
    office.trunk("carrier", "127.0.0.2", carrier.local.port()).await;
    sleep(Duration::from_millis(300)).await;

    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\n\
               m=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n";
    let body =
        format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}", sdp.len());
    let invite = carrier.request("INVITE", DID, "circle", &body);
    carrier.send(invite.as_bytes()).await;
    let is_final = |message: &str| status(message) >= 200;
    let answer = carrier.expect(Duration::from_secs(10), is_final).await.expect("an answer");
    let reason = header(&answer, "Reason").unwrap_or_default().to_owned();

    // 70 hops, of which each is one call; the last INVITE has none left.
    assert_eq!(status(&answer), 483, "{answer}");
    assert!(reason.contains("cause=25"), "{answer}");
    let query = format!("number={DID}&limit=200");
    let records = office.api.records(70, &query).await;
    assert_eq!(records.len(), 70, "each hop is a call, tried over one trunk");
    let live = |calls: &Value| items(calls).len() == 1;
    office.api.wait_for("/api/v1/calls", live).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(figure(&office, "tandem_media_legs").await, 2, "the two who talk, and nobody else");
    one.hang_up().await;
    two.expect_end().await;
    office.quiet().await;
    assert_heard(&one.recording(1), 1100.0, 1.0);
    assert_heard(&two.recording(1), 700.0, 1.0);
}
