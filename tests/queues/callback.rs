//! Callers who ask to be called back (section 9): the customer's phone stands behind a trunk.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::api::{items, secs};
use tandem_tests::sound::assert_heard;
use tandem_tests::{Node, Office, Phone, Smtp};
use tokio::time::sleep;

use crate::{members, set};

pub(crate) const CALLBACKS: &str = "/api/v1/queues/6400/callbacks";
const STATUS: &str = "/api/v1/queues/6400/status";
pub(crate) const CUSTOMER: &str = "5550199";
const ANOTHER: &str = "5550188";
const DID: &str = "5550100";
/// How long it is looked whether something happens that must not.
pub(crate) const MOMENT: Duration = Duration::from_millis(1_500);

pub(crate) fn by_key() -> Value {
    json!({ "enabled": true, "method": "by_key", "key": "5", "outbound_prefix": "9" })
}

fn by_timeout() -> Value {
    json!({
        "enabled": true, "method": "by_timeout", "trigger_timeout_secs": 2,
        "outbound_prefix": "9",
    })
}

/// A queue whose agent's phone is not there yet, and the customer's phone behind a trunk that
/// leads in to the queue and out by 9.
pub(crate) async fn office(callback: Value) -> (Office, Phone) {
    office_with(callback, &[]).await
}

/// The same with more `--set key=value`.
async fn office_with(callback: Value, more: &[&str]) -> (Office, Phone) {
    let office = Office::open_with(more).await;
    let queue = json!({ "members": members("static", &["1001"]), "callback": callback });
    set(&office, queue).await;
    let more = json!({ "tone": 700, "codecs": ["PCMU/8000/1"] });
    let customer = office.outside_phone(CUSTOMER, "127.0.0.2", more).await;
    let port = customer.address.rsplit(':').next().unwrap().parse().unwrap();
    office.trunk("carrier", "127.0.0.2", port).await;
    office.inbound("queue", DID, json!({ "type": "queue", "number": "6400" })).await;
    let route = json!({
        "name": "out", "rules": [{ "pattern": "9.", "strip": 1 }], "trunks": ["carrier"],
        "caller_id": DID,
    });
    office.api.post("/api/v1/outbound-routes", route).await;
    (office, customer)
}

/// Presses keys one by one: RFC 4733, or `info` or `tones`.
pub(crate) async fn press(phone: &mut Phone, keys: &str, by: &str) {
    for key in keys.chars() {
        phone.tell(json!({ "do": "dtmf", "digits": key.to_string(), "by": by })).await;
        sleep(Duration::from_millis(450)).await;
    }
}

/// The customer calls, presses these keys and is let go.
pub(crate) async fn asks(customer: &mut Phone, keys: &str, by: &str) {
    customer.call(DID).await;
    customer.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(1)).await;
    press(customer, keys, by).await;
    customer.expect_end().await;
    customer.forget();
}

/// The one request that is open.
pub(crate) async fn request(office: &Office) -> Value {
    let one = |found: &Value| items(found).len() == 1;
    items(&office.api.wait_for(CALLBACKS, one).await).remove(0)
}

/// The names of the queue's events, as the stream tells them.
fn follow(office: &Office) -> Arc<Mutex<Vec<String>>> {
    let names: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&names);
    let url = format!("http://{}/api/v1/events/stream?kinds=queue", office.node.listening.http);
    let token = office.node.demo.token.clone();
    tokio::spawn(async move {
        let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
        let mut parts = answer.bytes_stream();
        let mut text = String::new();
        while let Some(Ok(part)) = parts.next().await {
            text += &String::from_utf8_lossy(&part);
            while let Some((line, rest)) = text.split_once('\n') {
                let event = line.strip_prefix("data:").map(serde_json::from_str::<Value>);
                if let Some(Ok(event)) = event
                    && let Some(name) = event["name"].as_str()
                {
                    heard.lock().unwrap().push(name.to_owned());
                }
                text = rest.to_owned();
            }
        }
    });
    names
}

/// The events of the callback, once it is over.
async fn told(names: &Arc<Mutex<Vec<String>>>, last: &str) -> Vec<String> {
    for _ in 0..100 {
        let all = names.lock().unwrap().clone();
        if all.iter().any(|name| name == last) {
            return all.into_iter().filter(|name| name.starts_with("callback.")).collect();
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("no {last} in {:?}", names.lock().unwrap());
}

#[tokio::test]
async fn q_142_q_151_by_key_the_agent_rings_first_then_the_customer_and_they_talk() {
    let (office, mut customer) = office(by_key()).await;
    let names = follow(&office);

    asks(&mut customer, "51", "rfc4733").await;

    let open = request(&office).await;
    assert_eq!(open["number"], CUSTOMER, "{open}");
    assert_eq!(open["state"], "waiting", "{open}");
    let status = office.api.get(STATUS).await;
    assert_eq!(status["waiting"][0]["is_callback"], true, "{status}");
    assert_eq!(status["total"], 0, "Q-158: {status}");
    let record = office.api.record("direction=inbound").await;
    assert_eq!(record["queue"]["exit"], "callback_requested", "{record}");
    assert_eq!(record["outcome"], "callback_requested", "{record}");

    let mut agent = office.phone("1001", 1100, Value::Null).await;
    let rung = agent.expect("incoming").await;
    assert!(rung["remote"].as_str().unwrap().contains(CUSTOMER), "{rung}");
    assert!(!customer.sees("incoming", MOMENT).await, "the agent comes first");
    agent.answer().await;
    customer.expect("incoming").await;
    customer.answer().await;
    customer.expect_state("CONFIRMED").await;
    let status = office.api.wait_for(STATUS, |status| status["answered"] == 1).await;
    assert_eq!(status["active"][0]["is_callback"], true, "Q-156: {status}");
    assert_eq!(status["waiting"], json!([]), "{status}");
    sleep(Duration::from_secs(5)).await;
    customer.hang_up().await;
    agent.expect_end().await;
    office.quiet().await;

    assert_heard(&customer.recording(2), 1100.0, 4.0);
    assert_heard(&agent.recording(1), 700.0, 4.0);
    let record = office.api.record("direction=outbound").await;
    assert_eq!(record["outcome"], "answered", "{record}");
    assert_eq!(record["to"], CUSTOMER, "{record}");
    assert_eq!(record["queue"]["exit"], "answered", "{record}");
    assert_eq!(record["queue"]["agent"], "1001", "{record}");
    assert!(secs(&record["queue"], "wait_secs") > 3.0, "from the entry: {record}");
    let step = record["steps"][0]["detail"].as_str().unwrap();
    assert!(step.contains(open["call"].as_str().unwrap()), "{record}");
    let names = told(&names, "callback.succeeded").await;
    assert_eq!(names, ["callback.registered", "callback.started", "callback.succeeded"]);
}

#[tokio::test]
async fn q_143_q_154_by_timeout_a_customer_who_does_not_answer_is_missed_and_not_dialled_again() {
    let (office, mut customer) = office(by_timeout()).await;
    let names = follow(&office);

    customer.call(DID).await;
    customer.expect_state("CONFIRMED").await;
    press(&mut customer, "1", "rfc4733").await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(items(&office.api.get(CALLBACKS).await).len(), 0, "not offered yet: no key");
    press(&mut customer, "11", "rfc4733").await;
    customer.expect_end().await;
    customer.forget();
    request(&office).await;
    let mut agent = office.phone("1001", 1100, json!({ "auto_answer": true })).await;
    agent.expect("incoming").await;
    customer.expect("incoming").await;
    customer.tell(json!({ "do": "hangup", "status": 486 })).await;

    let names = told(&names, "callback.failed").await;
    assert_eq!(names, ["callback.registered", "callback.started", "callback.failed"]);
    agent.hang_up().await;
    agent.expect_end().await;
    office.quiet().await;
    let status = office.api.get(STATUS).await;
    assert_eq!((&status["total"], &status["missed"]), (&json!(1), &json!(1)), "{status}");
    let record = office.api.record("direction=outbound").await;
    assert_eq!(record["outcome"], "busy", "{record}");
    assert_eq!(record["queue"]["exit"], "callback_requested", "{record}");
    assert!(!agent.sees("incoming", MOMENT).await, "Q-155");
}

async fn another_number(by: &str) {
    let (office, mut customer) = office(by_key()).await;
    if by == "tones" {
        office.api.patch("/api/v1/trunks/carrier", json!({ "dtmf": "inband" })).await;
    }

    asks(&mut customer, &format!("52{ANOTHER}#1"), by).await;

    let open = request(&office).await;
    assert_eq!(open["number"], ANOTHER, "{open}");
    assert_eq!(open["caller"], CUSTOMER, "{open}");
    let mut agent = office.phone("1001", 1100, json!({ "auto_answer": true })).await;
    customer.expect("incoming").await;
    customer.answer().await;
    customer.expect_state("CONFIRMED").await;
    agent.hang_up().await;
    customer.expect_end().await;
    office.quiet().await;
    let record = office.api.record("direction=outbound").await;
    assert_eq!(record["outgoing"]["number"], ANOTHER, "{record}");
    assert_eq!(record["outcome"], "answered", "{record}");
}

#[tokio::test]
async fn q_147_another_number_is_typed_by_rfc_4733() {
    another_number("rfc4733").await;
}

#[tokio::test]
async fn q_147_another_number_is_typed_by_sip_info() {
    another_number("info").await;
}

#[tokio::test]
async fn q_147_another_number_is_typed_in_band() {
    another_number("tones").await;
}

#[tokio::test]
async fn q_148_q_160_a_customer_who_calls_again_has_the_place_and_is_not_dialled() {
    let (office, mut customer) = office(by_key()).await;
    asks(&mut customer, "51", "rfc4733").await;
    let open = request(&office).await;
    let mut other = office.phone("1000", 900, Value::Null).await;
    other.call("6400").await;
    office.api.wait_for(STATUS, |status| status["waiting"].as_array().unwrap().len() == 2).await;

    customer.call(DID).await;
    let online = |found: &Value| items(found).iter().any(|it| it["state"] == "online");
    let found = office.api.wait_for(CALLBACKS, online).await;
    assert_eq!(items(&found)[0]["position"], 1, "{found}");
    assert_eq!(items(&found)[0]["joined_at"], open["joined_at"], "{found}");
    let mut agent = office.phone("1001", 1100, json!({ "auto_answer": true })).await;
    agent.expect_state("CONFIRMED").await;

    let status = office.api.wait_for(STATUS, |status| status["answered"] == 1).await;
    assert_eq!(status["waiting"][0]["caller"], "1000", "{status}");
    assert_eq!(office.api.get(CALLBACKS).await, json!({ "items": [] }));
    customer.hang_up().await;
    customer.expect_end().await;
    assert!(!customer.sees("incoming", MOMENT).await, "the customer was served");
}

/// The node is killed and starts again; the customer's phone stays.
async fn killed(office: &mut Office) {
    office.node.kill().await;
    let dir = office.dir().to_owned();
    office.node = Node::start(&dir).await;
    office.api = office.node.api();
}

#[tokio::test]
async fn q_161_a_request_outlives_kill_9_and_the_customer_is_dialled_once() {
    let (mut office, mut customer) = office(by_key()).await;
    // The customer's phone calls the port of before; after the kill it is only called.
    asks(&mut customer, "51", "rfc4733").await;
    let before = request(&office).await;

    killed(&mut office).await;

    let after = request(&office).await;
    assert_eq!(after["call"], before["call"]);
    assert_eq!(after["joined_at"], before["joined_at"]);
    assert_eq!(after["number"], CUSTOMER);
    let more = json!({ "auto_answer": true, "instance": 1 });
    let mut agent = office.phone("1001", 1100, more).await;
    customer.expect("incoming").await;
    customer.answer().await;
    customer.expect_state("CONFIRMED").await;
    let status = office.api.wait_for(STATUS, |status| status["answered"] == 1).await;
    assert_eq!(status["total"], 1, "{status}");
    customer.hang_up().await;
    agent.expect_end().await;
    assert!(!customer.sees("incoming", MOMENT).await, "once");
}

#[tokio::test]
async fn q_155_q_161_a_node_that_is_killed_while_it_dials_settles_the_request_and_dials_no_more() {
    let (mut office, mut customer) = office(by_key()).await;
    asks(&mut customer, "51", "rfc4733").await;
    request(&office).await;
    let agent = office.phone("1001", 1100, json!({ "auto_answer": true })).await;
    customer.expect("incoming").await;

    killed(&mut office).await;
    drop(agent);

    let status = office.api.wait_for(STATUS, |status| status["total"] == 1).await;
    assert_eq!(status["missed"], 1, "{status}");
    let log = office.api.get("/api/v1/queue-log").await;
    assert_eq!(items(&log)[0]["callback_failure"], "interrupted", "Q-154: {log}");
    assert_eq!(office.api.get(CALLBACKS).await, json!({ "items": [] }));
    customer.forget();
    let more = json!({ "auto_answer": true, "instance": 1 });
    let mut agent = office.phone("1001", 1100, more).await;
    assert!(!agent.sees("incoming", MOMENT).await, "nobody rings for it any more");
    assert!(!customer.sees("incoming", MOMENT).await, "Q-155");
}

#[tokio::test]
async fn q_140_a_request_is_taken_back_at_the_api() {
    let (office, mut customer) = office(by_key()).await;
    asks(&mut customer, "51", "rfc4733").await;
    let open = request(&office).await;

    let path = format!("{CALLBACKS}/{}", open["call"].as_str().unwrap());
    let answer = office.api.send(Method::DELETE, &path, &Value::Null).await;
    assert!(answer.status().is_success(), "{}", answer.status());

    assert_eq!(office.api.get(CALLBACKS).await, json!({ "items": [] }));
    let status = office.api.get(STATUS).await;
    assert_eq!(status["missed"], 1, "{status}");
}

#[tokio::test]
async fn q_268_q_269_managers_get_letters_of_a_callback_that_is_asked_for_and_of_one_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(folder.path(), 0).await;
    let port = format!("mail.port={}", smtp.port);
    let mail = ["mail.host=127.0.0.1", &port, "mail.security=none"];
    let (office, mut customer) = office_with(by_key(), &mail).await;
    let address = json!({ "email": "boss@example.net" });
    office.api.patch("/api/v1/extensions/1002", address).await;
    let notifications = json!({ "callback_requested": true, "callback_failed": true });
    set(&office, json!({ "managers": ["1002"], "notifications": notifications })).await;

    asks(&mut customer, "51", "rfc4733").await;
    let asked = smtp.letter(1).await;
    let call = request(&office).await["call"].as_str().unwrap().to_owned();
    let path = format!("{CALLBACKS}/{call}");
    let answer = office.api.send(Method::DELETE, &path, &Value::Null).await;
    assert!(answer.status().is_success(), "{}", answer.status());
    let failed = smtp.letter(2).await;

    assert!(asked.contains("Subject: Callback requested in queue 6400"), "{asked}");
    assert!(asked.contains(&format!("Number to call: {CUSTOMER}")), "{asked}");
    assert!(failed.contains("Subject: Callback failed in queue 6400"), "{failed}");
    assert!(failed.contains("Reason: cancelled"), "{failed}");
    assert!(failed.contains(&format!("Caller: {CUSTOMER}")), "{failed}");
}
