//! Customers who call back reach the agent who called them last.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::wire::{header, status};
use tandem_tests::{Node, Office, Phone, Wire};

const AGENT: &str = "1001";
const OTHER: &str = "1002";
const DID: &str = "5550100";
/// What the harness's bare SIP calls itself.
const CUSTOMER: &str = "5550199";

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\n\
                   t=0 0\r\nm=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n";

/// A carrier, an outbound route that shows a DID, and that DID, which leads to a menu.
async fn office(callback: Value) -> (Office, Wire) {
    let office = Office::open().await;
    let wire = Wire::open("127.0.0.2", office.node.sip("udp")).await;
    office.trunk("carrier", "127.0.0.2", wire.local.port()).await;
    let route = json!({
        "name": "out", "rules": [{ "pattern": "9.", "strip": 1 }], "trunks": ["carrier"],
        "caller_id": DID,
    });
    office.api.post("/api/v1/outbound-routes", route).await;
    let prompt = office.api.upload_tone("menu", 600.0, 5.0).await;
    let menu = json!({ "number": "6500", "name": "menu", "prompt": prompt });
    office.api.post("/api/v1/ivrs", menu).await;
    office.inbound("menu", DID, json!({ "type": "ivr", "number": "6500" })).await;
    let mut policy = json!({ "enabled": true });
    for (key, value) in callback.as_object().unwrap() {
        policy[key] = value.clone();
    }
    office.api.patch("/api/v1/settings", json!({ "callback": policy })).await;
    (office, wire)
}

async fn request(wire: &Wire, method: &str) -> String {
    let fits = |message: &str| message.starts_with(&format!("{method} "));
    wire.expect(Duration::from_secs(10), fits).await.unwrap_or_else(|| panic!("no {method}"))
}

/// The agent calls the customer, whose phone rings in vain.
async fn rings_in_vain(office: &Office, wire: &Wire, agent: &mut Phone) {
    agent.call(&format!("9{CUSTOMER}")).await;
    let invite = request(wire, "INVITE").await;
    wire.respond(&invite, 180, "").await;
    agent.expect_state("EARLY").await;
    agent.hang_up().await;
    let cancel = request(wire, "CANCEL").await;
    wire.respond(&cancel, 200, "").await;
    wire.respond(&invite, 487, "").await;
    agent.expect_end().await;
    office.quiet().await;
    let path = format!("/api/v1/routing/callback/lookup?number={CUSTOMER}");
    let agent = agent.user.clone();
    office.api.wait_for(&path, |found| found["last_call"]["placed_by"] == *agent).await;
}

/// The customer calls the DID; gives the INVITE.
async fn calls_back(wire: &Wire, call_id: &str) -> String {
    let body =
        format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}", SDP.len());
    let invite = wire.request("INVITE", DID, call_id, &body);
    wire.send(invite.as_bytes()).await;
    invite
}

async fn cancels(wire: &Wire, invite: &str) {
    let head = invite.split("Content-Type").next().unwrap();
    let cancel = head.replacen("INVITE sip", "CANCEL sip", 1).replace("1 INVITE", "1 CANCEL");
    wire.send(format!("{cancel}Content-Length: 0\r\n\r\n").as_bytes()).await;
}

async fn record(office: &Office) -> Value {
    office.quiet().await;
    office.api.record("direction=inbound").await
}

/// The node answers the customer's call; gives the To header of the dialog.
async fn is_answered(wire: &Wire, call_id: &str) -> String {
    let answered = wire.expect(Duration::from_secs(5), |message| status(message) == 200).await;
    let to = header(&answered.expect("a 200"), "To").unwrap().to_owned();
    within_dialog(wire, "ACK", call_id, &to).await;
    to
}

async fn within_dialog(wire: &Wire, method: &str, call_id: &str, to: &str) {
    let number = if method == "ACK" { 1 } else { 2 };
    let request = wire
        .request(method, DID, call_id, "Content-Length: 0\r\n\r\n")
        .replace(&format!("CSeq: 1 {method}"), &format!("CSeq: {number} {method}"));
    let plain = header(&request, "To").unwrap().to_owned();
    wire.send(request.replace(&format!("To: {plain}"), &format!("To: {to}")).as_bytes()).await;
}

/// Whether the call was in the menu.
fn was_in_menu(record: &Value) -> bool {
    record["steps"].as_array().unwrap().iter().any(|step| step["kind"] == "ivr")
}

async fn rings(phone: &mut Phone) -> bool {
    phone.sees("incoming", Duration::from_millis(500)).await
}

#[tokio::test]
async fn c_001_c_004_a_customer_who_was_rung_in_vain_reaches_that_agent_past_the_menu() {
    let (office, wire) = office(json!({})).await;
    let mut agent = office.phone(AGENT, 700, Value::Null).await;
    rings_in_vain(&office, &wire, &mut agent).await;

    let invite = calls_back(&wire, "back-1").await;
    agent.expect("incoming").await;
    cancels(&wire, &invite).await;

    let record = record(&office).await;
    assert!(!was_in_menu(&record), "{record}");
    assert_eq!(record["callback"]["agent"], AGENT, "{record}");
    assert_eq!(record["callback"]["result"], "abandoned", "{record}");
    assert_eq!(record["outcome"], "abandoned", "{record}");
}

#[tokio::test]
async fn c_007_c_027_in_mode_one_a_busy_agent_means_the_prompt_and_the_end() {
    let (office, wire) = office(json!({ "mode": "agent_only" })).await;
    let mut agent = office.phone(AGENT, 700, Value::Null).await;
    rings_in_vain(&office, &wire, &mut agent).await;
    agent.call("*44").await;
    agent.expect_state("CONFIRMED").await;

    calls_back(&wire, "back-2").await;
    is_answered(&wire, "back-2").await;
    // The prompt is played to its end; then the node hangs up.
    let bye = |message: &str| message.starts_with("BYE ");
    let bye = wire.expect(Duration::from_secs(30), bye).await.expect("a BYE");
    wire.respond(&bye, 200, "").await;
    agent.hang_up().await;

    let record = record(&office).await;
    assert!(!was_in_menu(&record), "{record}");
    assert_eq!(record["callback"]["result"], "agent_unavailable", "{record}");
    assert_eq!(record["callback"]["fell_back"], false, "{record}");
    assert_eq!(record["outcome"], "callback_agent_unavailable", "{record}");
}

#[tokio::test]
async fn c_008_c_028_in_mode_two_a_busy_agent_means_the_menu() {
    let (office, wire) = office(json!({ "mode": "agent_first" })).await;
    let mut agent = office.phone(AGENT, 700, Value::Null).await;
    rings_in_vain(&office, &wire, &mut agent).await;
    agent.call("*44").await;
    agent.expect_state("CONFIRMED").await;

    calls_back(&wire, "back-3").await;
    let to = is_answered(&wire, "back-3").await;
    within_dialog(&wire, "BYE", "back-3", &to).await;
    agent.hang_up().await;

    let record = record(&office).await;
    assert!(was_in_menu(&record), "{record}");
    assert_eq!(record["callback"]["fell_back"], true, "{record}");
    assert_eq!(record["callback"]["agent"], AGENT, "{record}");
}

#[tokio::test]
async fn c_015_c_042_the_last_agent_is_right_after_the_node_was_killed() {
    let (mut office, wire) = office(json!({})).await;
    let mut first = office.phone(AGENT, 700, Value::Null).await;
    let mut last = office.phone(OTHER, 800, Value::Null).await;
    rings_in_vain(&office, &wire, &mut first).await;
    rings_in_vain(&office, &wire, &mut last).await;
    drop((first, last));

    office.node.kill().await;
    let dir = office.dir().to_owned();
    office.node = Node::start(&dir).await;
    office.api = office.node.api();
    // The far end has a new port, so the trunk is told.
    let wire = Wire::open("127.0.0.2", office.node.sip("udp")).await;
    let port = json!({ "port": wire.local.port() });
    office.api.patch("/api/v1/trunks/carrier", port).await;
    let mut first = office.phone(AGENT, 700, json!({ "instance": 1 })).await;
    let mut last = office.phone(OTHER, 800, json!({ "instance": 1 })).await;
    let invite = calls_back(&wire, "back-4").await;
    last.expect("incoming").await;

    assert!(!rings(&mut first).await, "the wrong agent rang");
    cancels(&wire, &invite).await;
}

#[tokio::test]
async fn c_046_a_number_that_was_forgotten_reaches_the_menu() {
    let (office, wire) = office(json!({})).await;
    let mut agent = office.phone(AGENT, 700, Value::Null).await;
    rings_in_vain(&office, &wire, &mut agent).await;

    let path = format!("/api/v1/routing/callback/numbers/{CUSTOMER}");
    let gone = office.api.send(reqwest::Method::DELETE, &path, &Value::Null).await;
    assert!(gone.status().is_success(), "{}", gone.status());
    calls_back(&wire, "back-5").await;
    let to = is_answered(&wire, "back-5").await;
    assert!(!rings(&mut agent).await, "the agent rang");
    within_dialog(&wire, "BYE", "back-5", &to).await;

    let record = record(&office).await;
    assert!(was_in_menu(&record), "{record}");
    assert!(record["callback"].is_null(), "{record}");
}
