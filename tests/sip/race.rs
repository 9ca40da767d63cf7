//! CANCEL and answer on the way at the same time: each call ends for both, with one record.

use std::time::Duration;

use serde_json::json;
use tandem_tests::Office;
use tandem_tests::wire::{Wire, header, status};
use tokio::time::sleep;

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.3\r\ns=-\r\nc=IN IP4 127.0.0.3\r\nt=0 0\r\n\
    m=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

/// What became of the INVITE.
#[derive(Debug, PartialEq)]
enum Outcome {
    Answered,
    Cancelled,
}

/// Calls, cancels after a while, and does what RFC 3261 9.1 asks of a caller whose CANCEL came
/// too late: ACK and BYE.
async fn call_and_cancel(wire: &Wire, call_id: &str, after: Duration) -> Outcome {
    let body =
        format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}", SDP.len());
    let invite = wire.request("INVITE", "5550100", call_id, &body);
    wire.send(invite.as_bytes()).await;
    // Even an empty sleep waits for the next tick of the timer.
    if !after.is_zero() {
        sleep(after).await;
    }
    let branch = format!("z9hG4bK{call_id}INVITE");
    let cancel = wire
        .request("CANCEL", "5550100", call_id, "Content-Length: 0\r\n\r\n")
        .replace(&format!("z9hG4bK{call_id}CANCEL"), &branch);
    wire.send(cancel.as_bytes()).await;
    let of_invite = |message: &str| {
        header(message, "Call-ID") == Some(call_id)
            && header(message, "CSeq") == Some("1 INVITE")
            && status(message) >= 200
    };
    let last = wire.expect(Duration::from_secs(5), of_invite).await.expect("a final answer");
    let to = header(&last, "To").unwrap();
    let in_dialog = |method: &str, seq: u32| {
        let fresh =
            if status(&last) == 200 { format!("{branch}{seq}{method}") } else { branch.clone() };
        wire.request(method, "5550100", call_id, "Content-Length: 0\r\n\r\n")
            .replace(&format!("z9hG4bK{call_id}{method}"), &fresh)
            .replace(&format!("To: <sip:5550100@{}>", wire.node()), &format!("To: {to}"))
            .replace(&format!("CSeq: 1 {method}"), &format!("CSeq: {seq} {method}"))
    };
    wire.send(in_dialog("ACK", 1).as_bytes()).await;
    if status(&last) == 487 {
        return Outcome::Cancelled;
    }
    assert_eq!(status(&last), 200, "{last}");
    wire.send(in_dialog("BYE", 2).as_bytes()).await;
    let of_bye = |message: &str| header(message, "CSeq") == Some("2 BYE") && status(message) > 0;
    let ended = wire.expect(Duration::from_secs(5), of_bye).await.expect("an answer to BYE");
    assert_eq!(status(&ended), 200, "{ended}");
    Outcome::Answered
}

#[tokio::test]
async fn a_cancel_that_races_the_answer_ends_the_call_for_both_sides() {
    let office = Office::open().await;
    let wire = Wire::open("127.0.0.3", office.node.sip("udp")).await;
    office.trunk("carrier", "127.0.0.3", wire.local.port()).await;
    office.inbound("direct", "5550100", json!({ "type": "extension", "number": "1001" })).await;
    let mut phone = office.phone("1001", 0, json!({ "auto_answer": true })).await;

    // How long the phone takes to answer is the machine's business: each round comes closer to
    // it, from the side that the last one showed.
    let mut after = Duration::from_millis(8);
    let (mut answered, mut cancelled) = (0, 0);
    for round in 0..24 {
        match call_and_cancel(&wire, &format!("race{round}"), after).await {
            Outcome::Answered => {
                answered += 1;
                after = Duration::from_millis(u64::try_from(after.as_millis() / 2).unwrap());
            }
            Outcome::Cancelled => {
                cancelled += 1;
                after += after / 4 + Duration::from_millis(1);
            }
        }
    }

    office.quiet().await;
    // The phone has no call left either.
    let rung = phone.count("incoming", Duration::from_millis(500)).await;
    let ended = phone.count_where("state", |event| event["state"] == "DISCONNECTED");
    assert_eq!(rung, ended, "a call is still up on the phone");
    assert_eq!(answered + cancelled, 24);
    assert!(answered > 0 && cancelled > 0, "no race: {answered} answered, {cancelled} cancelled");
    let records = office.api.records(24, "limit=100").await;
    assert_eq!(records.len(), 24, "{records:?}");
    let said = |outcome: &str| records.iter().filter(|it| it["outcome"] == outcome).count();
    assert!(said("cancelled") >= cancelled - said("answered").min(cancelled), "{records:?}");
}
