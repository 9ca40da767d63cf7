//! Telephones over SIP-over-WebSocket (RFC 7118) that are no browsers of ours.

use serde_json::Value;
use tandem_tests::{Office, WsPhone};

#[tokio::test]
async fn a_foreign_phone_registers_is_called_and_calls_over_a_websocket() {
    // libre knows no other digest.
    let office = Office::open_with(&[r#"sip.digest=["md5"]"#]).await;
    let server = office.node.sip("ws");
    let mut other = office.phone("1000", 700, Value::Null).await;

    let mut called = WsPhone::registered(server, "1001", office.node.password("1001"), None).await;
    other.call("1001").await;
    called.expect("incoming").await;
    other.expect_state("CONFIRMED").await;
    called.expect("up").await;
    other.hang_up().await;
    called.expect("ended").await;
    other.expect_end().await;

    let password = office.node.password("1002");
    let mut caller = WsPhone::registered(server, "1002", password, Some("1000")).await;
    other.expect("incoming").await;
    other.answer().await;
    caller.expect("up").await;
    other.expect_state("CONFIRMED").await;
    other.hang_up().await;
    caller.expect("ended").await;
    office.quiet().await;
    let records = office.api.records(2, "number=1000").await;
    assert!(records.iter().all(|it| it["outcome"] == "answered"), "{records:?}");
}
