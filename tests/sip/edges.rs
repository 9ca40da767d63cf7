//! Phones behind an edge proxy, which stands in the Path of their registrations (RFC 3327).

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::sound::assert_heard;
use tandem_tests::{Edge, Office, Phone};
use tokio::time::sleep;

#[tokio::test]
async fn a_phone_behind_a_proxy_is_called_by_the_path_of_its_registration() {
    let office = Office::open().await;
    let node = office.node.sip("udp");
    let edge = Edge::start("127.0.0.5", node, office.dir()).await;
    let mut inside = office.phone("1000", 700, Value::Null).await;
    let password = office.node.password("1001");
    let options = json!({ "tone": 1100, "bound": "127.0.0.6" });
    let mut behind =
        Phone::registered(&edge.address, "1001", password, office.dir(), options).await;

    // The proxy sends on what names it in a Route, and nothing else.
    inside.call("1001").await;
    behind.expect("incoming").await;
    behind.answer().await;
    inside.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(2)).await;
    inside.hang_up().await;
    behind.expect_end().await;
    let (invited, parted) = (edge.routes_down("INVITE"), edge.routes_down("BYE"));
    let route = format!("<sip:{}@{};lr;ob>", behind.address.replace(':', "-"), edge.address);
    assert_eq!(invited, [route.as_str()], "by the Path of the REGISTER");
    assert_eq!(parted, [route.as_str()], "by the Record-Route of the INVITE");

    // The other way round: the one behind the proxy calls, and is hung up.
    behind.forget();
    behind.call("1000").await;
    inside.expect("incoming").await;
    inside.answer().await;
    behind.expect_state("CONFIRMED").await;
    inside.hang_up().await;
    behind.expect_end().await;
    assert_eq!(edge.routes_down("BYE"), [route.as_str(); 2], "to a caller, too");
    office.quiet().await;
    sleep(Duration::from_millis(200)).await;
    assert_heard(&inside.recording(1), 1100.0, 1.0);
    assert_heard(&behind.recording(1), 700.0, 1.0);
}
