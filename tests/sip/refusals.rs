//! What the other end is told when a call comes to nothing: status and Reason (RFC 3326, 3398).

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::ports::free_port;
use tandem_tests::{Office, Sipp};

/// Calls an extension from a trunk and gives the status and the Reason's cause.
async fn refused(office: &Office, port: u16, extension: &str) -> String {
    let node = office.node.sip("udp").to_owned();
    let keys = ["-key", "did", extension, "-key", "caller", "4930", "-m", "1"];
    let mut trunk =
        Sipp::start_at("trunk_refused", "127.0.0.2", port, &node, office.dir(), &keys).await;
    assert!(trunk.finish(Duration::from_secs(20)).await, "the call to {extension}");
    trunk.logged().pop().unwrap_or_default()
}

#[tokio::test]
async fn an_absent_a_silent_an_idle_and_a_busy_phone_are_told_apart() {
    let office = Office::open().await;
    let port = free_port("127.0.0.2");
    office.trunk("carrier", "127.0.0.2", port).await;
    for extension in ["1001", "1002", "1003", "1004"] {
        let to = json!({ "type": "extension", "number": extension });
        office.inbound(extension, extension, to).await;
    }
    for extension in ["1002", "1003"] {
        let path = format!("/api/v1/extensions/{extension}");
        office.api.patch(&path, json!({ "ring_timeout_secs": 3 })).await;
    }
    // Killed, so that its binding stands and nobody answers there.
    drop(office.phone("1002", 0, Value::Null).await);
    let _idle = office.phone("1003", 0, Value::Null).await;
    let _busy = office.phone("1004", 0, json!({ "refuse": 486 })).await;

    assert_eq!(refused(&office, port, "1001").await, "refused 480 cause=20");
    assert_eq!(refused(&office, port, "1002").await, "refused 408 cause=18");
    assert_eq!(refused(&office, port, "1003").await, "refused 480 cause=19");
    assert_eq!(refused(&office, port, "1004").await, "refused 486 cause=17");
    // A route that leads to nobody.
    assert_eq!(refused(&office, port, "1099").await, "refused 404 cause=1");
}
