//! Callers whom the house knows are shown by the name that it has for them.

use serde_json::{Value, json};
use tandem_tests::ports::free_port;
use tandem_tests::{Office, Wire};

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.3\r\ns=-\r\nc=IN IP4 127.0.0.3\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

async fn contact(office: &Office, id: &str, name: &str, number: &str) {
    let contact = json!({ "id": id, "name": name, "numbers": [number] });
    office.api.post("/api/v1/contacts", contact).await;
}

#[tokio::test]
async fn q_555_q_556_q_558_a_caller_is_shown_by_the_contacts_name_that_was_written_last() {
    let office = Office::open().await;
    let trunk = Wire::open("127.0.0.3", office.node.sip("udp")).await;
    office.trunk("carrier", "127.0.0.3", free_port("127.0.0.3")).await;
    let destination = json!({ "type": "extension", "number": "1001" });
    office.inbound("sales", "5550100", destination).await;
    contact(&office, "older", "Somebody", "0912-345-678").await;
    contact(&office, "newer", "Chen Mei", "+886 912 345 678").await;
    contact(&office, "other", "Lin Wei", "0912-345-679").await;
    let mut phone = office.phone("1001", 0, Value::Null).await;
    let body =
        format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}", SDP.len());
    let invite = trunk.request("INVITE", "5550100", "known", &body);
    let from = invite.lines().find(|line| line.starts_with("From:")).unwrap().to_owned();
    let known = "From: \"carrier\" <sip:0912345678@127.0.0.3>;tag=known";
    trunk.send(invite.replace(&from, known).as_bytes()).await;

    phone.expect("incoming").await;
    let remote = phone.expect_state("EARLY").await["remote"].to_string();
    let call = office.api.call().await;

    assert!(remote.contains("Chen Mei") && remote.contains("0912345678"), "{remote}");
    assert_eq!(call["from"], "0912345678", "{call}");
}
