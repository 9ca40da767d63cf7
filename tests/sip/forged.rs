//! Requests within a dialog from somebody who is not its peer (S16).

use std::time::Duration;

use serde_json::Value;
use tandem_tests::api::items;
use tandem_tests::ports::free_port;
use tandem_tests::wire::{header, status};
use tandem_tests::{Office, Wire};

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.3\r\ns=-\r\nc=IN IP4 127.0.0.3\r\nt=0 0\r\n\
    m=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

/// A dialog as one of its ends sees it.
struct Dialog {
    call_id: String,
    own: String,
    other: String,
}

impl Dialog {
    /// A request within it from a socket, and the status that answers it.
    async fn send(&self, wire: &Wire, method: &str, cseq: u32) -> u16 {
        let refer = if method == "REFER" { "Refer-To: <sip:1005@127.0.0.1>\r\n" } else { "" };
        let body = if method == "INVITE" { SDP } else { "" };
        // With one branch for two dialogs the second INVITE were a retransmission of the first,
        // which the node swallows once that was acknowledged.
        let dialog: String = self.call_id.chars().filter(char::is_ascii_alphanumeric).collect();
        let branch = format!("{dialog}{method}{cseq}{port}", port = wire.local.port());
        let request = format!(
            "{method} sip:node@{node} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {local};rport;branch=z9hG4bK{branch}\r\n\
             Max-Forwards: 70\r\nFrom: {own}\r\nTo: {other}\r\nCall-ID: {call_id}\r\n\
             CSeq: {cseq} {method}\r\nContact: <sip:far@{local}>\r\n{refer}\
             Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}",
            node = wire.node(),
            local = wire.local,
            own = self.own,
            other = self.other,
            call_id = self.call_id,
            length = body.len(),
        );
        wire.send(request.as_bytes()).await;
        let cseq = format!("{cseq} {method}");
        let ours = |it: &str| status(it) >= 200 && header(it, "CSeq") == Some(&cseq);
        let answer = wire.expect(Duration::from_secs(3), ours).await.expect("an answer");
        if method == "INVITE" {
            let ack = request
                .replace("INVITE sip", "ACK sip")
                .replace(&cseq, &cseq.replace("INVITE", "ACK"));
            wire.send(ack.as_bytes()).await;
        }
        status(&answer)
    }
}

#[tokio::test]
async fn s16_who_knows_a_phones_dialog_can_not_end_divert_or_transfer_its_call() {
    let office = Office::open().await;
    let mut one = office.phone("1000", 700, Value::Null).await;
    let mut two = office.phone("1001", 1100, serde_json::json!({ "auto_answer": true })).await;
    one.call("1001").await;
    one.expect_state("CONFIRMED").await;
    two.expect_state("CONFIRMED").await;
    let call = items(&office.api.get("/api/v1/calls").await).remove(0);
    let path = format!("/api/v1/calls/{}/trace", call["id"].as_str().unwrap());
    let trace = items(&office.api.get(&path).await);
    let answers = trace.iter().filter(|it| it["summary"] == "SIP/2.0 200 OK");
    let dialogs: Vec<Dialog> = answers
        .map(|it| {
            let text = it["text"].as_str().unwrap();
            let [from, to] = ["From", "To"].map(|name| header(text, name).unwrap().to_owned());
            let is_callee = it["received"] == true;
            let (own, other) = if is_callee { (to, from) } else { (from, to) };
            Dialog { call_id: header(text, "Call-ID").unwrap().to_owned(), own, other }
        })
        .collect();
    assert_eq!(dialogs.len(), 2, "{trace:?}");

    // From another host, and from another port of the same host.
    for address in ["127.0.0.9", "127.0.0.1"] {
        let stranger = Wire::open(address, office.node.sip("udp")).await;
        for dialog in &dialogs {
            for (method, cseq) in [("BYE", 60_001), ("REFER", 60_002), ("INVITE", 60_003)] {
                assert_eq!(dialog.send(&stranger, method, cseq).await, 401, "{method}");
            }
        }
    }

    assert!(!one.sees("nothing", Duration::from_secs(1)).await);
    assert_eq!(one.count_where("state", |event| event["state"] == "DISCONNECTED"), 0);
    two.hang_up().await;
    one.expect_end().await;
    let record = office.api.record("number=1000").await;
    assert_eq!(record["outcome"], "answered", "{record}");
}

#[tokio::test]
async fn s16_a_trunks_call_is_ended_by_the_trunk_and_by_nobody_else() {
    let office = Office::open().await;
    office.trunk("carrier", "127.0.0.3", free_port("127.0.0.3")).await;
    office
        .inbound("sales", "5550100", serde_json::json!({ "type": "queue", "number": "6400" }))
        .await;
    let trunk = Wire::open("127.0.0.3", office.node.sip("udp")).await;
    let body =
        format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}", SDP.len());
    trunk.send(trunk.request("INVITE", "5550100", "theirs", &body).as_bytes()).await;
    let is_final = |message: &str| status(message) >= 200;
    let answer = trunk.expect(Duration::from_secs(3), is_final).await.expect("an answer");
    assert_eq!(status(&answer), 200, "{answer}");
    let dialog = Dialog {
        call_id: "theirs".to_owned(),
        own: header(&answer, "From").unwrap().to_owned(),
        other: header(&answer, "To").unwrap().to_owned(),
    };

    let stranger = Wire::open("127.0.0.9", office.node.sip("udp")).await;
    let other_port = Wire::open("127.0.0.3", office.node.sip("udp")).await;

    assert_eq!(dialog.send(&stranger, "BYE", 2).await, 403);
    assert_eq!(items(&office.api.get("/api/v1/calls").await).len(), 1);
    assert_eq!(dialog.send(&other_port, "BYE", 3).await, 200);
    office.quiet().await;
}
