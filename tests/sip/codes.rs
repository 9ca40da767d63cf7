//! Outbound codes: the seed's three lines, dialled on a phone, typed and picked at the API.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::ports::free_port;
use tandem_tests::{Baresip, Office, Sipp};
use tokio::time::sleep;

/// (code, trunk, address, caller ID) of the seed's example.
const LINES: [(&str, &str, &str, &str); 3] = [
    ("81", "service", "127.0.0.2", "5550181"),
    ("82", "sales", "127.0.0.3", "5550182"),
    ("83", "vip", "127.0.0.4", "5550183"),
];

async fn enable(office: &Office, more: Value) {
    let mut outbound = json!({ "codes_enabled": true });
    for (key, value) in more.as_object().unwrap() {
        outbound[key] = value.clone();
    }
    office.api.patch("/api/v1/settings", json!({ "outbound": outbound })).await;
}

/// A trunk, a route to it, a category and a code.
async fn line(office: &Office, (code, name, ip, shown): (&str, &str, &str, &str), port: u16) {
    let api = &office.api;
    let trunk = json!({
        "name": name, "host": ip, "port": port, "options_interval_secs": 0,
        "trusted_identity": true,
    });
    api.post("/api/v1/trunks", trunk).await;
    let route = json!({
        "name": name, "trunks": [name], "codes_only": true, "rules": [{ "pattern": "!" }],
    });
    api.post("/api/v1/outbound-routes", route).await;
    api.post("/api/v1/channel-categories", json!({ "name": name, "route": name })).await;
    let code = json!({
        "id": name, "name": name, "code": code, "category": name, "caller_id": shown,
    });
    api.post("/api/v1/outbound-codes", code).await;
}

/// The three lines, each with its SIPp that takes `calls` calls.
async fn lines(office: &Office, calls: u32) -> Vec<Sipp> {
    enable(office, json!({})).await;
    let node = office.node.sip("udp").to_owned();
    let mut far = Vec::new();
    for one in LINES {
        let port = free_port(one.2);
        line(office, one, port).await;
        let count = calls.to_string();
        let more = ["-m", &count];
        far.push(Sipp::start_at("trunk_answer", one.2, port, &node, office.dir(), &more).await);
    }
    far
}

/// The number arrived bare, in the request URI and in To, from and as the representative number.
fn assert_arrived(sipp: &Sipp, number: &str, shown: &str, code: &str) {
    let said = sipp.logged().join("\n");
    for wanted in [
        format!("called sip:{number}@"),
        format!("from sip:{shown}@"),
        format!("as sip:{shown}@"),
        format!("to sip:{number}@"),
    ] {
        assert!(said.contains(&wanted), "{wanted}: {said}");
    }
    assert!(!said.contains(&format!("sip:{code}{number}")), "{said}");
}

async fn hang_up(office: &Office) {
    let calls = office.api.wait_for("/api/v1/calls", |calls| {
        tandem_tests::api::items(calls).iter().any(|call| !call["answered_at"].is_null())
    });
    let id = tandem_tests::api::items(&calls.await)[0]["id"].as_str().unwrap().to_owned();
    office.api.post(&format!("/api/v1/calls/{id}/hangup"), Value::Null).await;
    office.quiet().await;
}

#[tokio::test]
async fn o_016_o_031_o_032_a_code_dialled_by_hand_reaches_its_line_bare_and_as_its_number() {
    let office = Office::open().await;
    let mut far = lines(&office, 1).await;
    let server = office.node.sip("udp").to_owned();
    let secret = office.node.password("1000");
    let mut phone =
        Baresip::registered(&server, "1000", secret, 700, "PCMA/8000/1", office.dir()).await;

    for (sipp, (code, _, _, shown)) in far.iter_mut().zip(LINES) {
        phone.command("dial", &format!("{code}0912345678")).await;
        phone.expect("CALL_ESTABLISHED").await;
        phone.command("hangup", "").await;
        phone.expect("CALL_CLOSED").await;
        assert!(sipp.finish(Duration::from_secs(10)).await);
        assert_arrived(sipp, "0912345678", shown, code);
    }

    // O-044: the record keeps both.
    office.quiet().await;
    let records = office.api.records(3, "direction=outbound").await;
    assert_eq!(records.len(), 3, "{records:?}");
    let newest = &records[0]["outgoing"];
    assert_eq!(newest["dialled"], "830912345678", "{newest}");
    assert_eq!(newest["number"], "0912345678", "{newest}");
    assert_eq!(newest["outbound_code"]["code"], "83", "{newest}");
    assert_eq!(newest["outbound_code_applied"], true, "{newest}");
    assert_eq!(newest["caller_id"], "5550183", "{newest}");
    assert_eq!(records[0]["trunk"], "vip", "{records:?}");
}

#[tokio::test]
async fn o_015_o_017_o_018_a_code_typed_or_picked_at_the_api_reaches_its_line() {
    let office = Office::open().await;
    let mut far = lines(&office, 2).await;
    let mut phone = office.phone("1000", 700, json!({ "auto_answer": true })).await;

    for (code, id, _, _) in LINES {
        for wish in [
            json!({ "from": "1000", "to": format!("{code}0912345678"), "correlation_id": "t" }),
            json!({ "from": "1000", "to": "0912345678", "code_id": id, "correlation_id": "p" }),
        ] {
            office.api.post("/api/v1/calls", wish).await;
            phone.expect_state("CONFIRMED").await;
            hang_up(&office).await;
            phone.expect_end().await;
        }
    }

    for (sipp, (code, _, _, shown)) in far.iter_mut().zip(LINES) {
        assert!(sipp.finish(Duration::from_secs(10)).await);
        assert_arrived(sipp, "0912345678", shown, code);
    }
    let records = office.api.records(6, "direction=outbound").await;
    assert_eq!(records.len(), 6, "{records:?}");
    assert_eq!(records[0]["correlation_id"], "p", "{records:?}");
    assert_eq!(records[0]["requested_by"], records[1]["requested_by"], "{records:?}");
    // O-046: what each code was used for.
    let usage = office.api.get("/api/v1/outbound/usage").await;
    assert_eq!(usage["codes"].as_array().unwrap().len(), 3, "{usage}");
    assert_eq!(usage["codes"][0]["attempts"], 2, "{usage}");
    assert_eq!(usage["codes"][0]["answered"], 2, "{usage}");
}

#[tokio::test]
async fn o_034_a_full_trunk_gives_way_to_the_next_and_the_event_says_so() {
    let office = Office::open().await;
    let (full, free) = (free_port("127.0.0.2"), free_port("127.0.0.3"));
    office.trunk("full", "127.0.0.2", full).await;
    office.trunk("free", "127.0.0.3", free).await;
    office.api.patch("/api/v1/trunks/full", json!({ "calls_per_minute": 1 })).await;
    let route = json!({
        "name": "out", "rules": [{ "pattern": "9.", "strip": 1 }], "trunks": ["full", "free"],
    });
    office.api.post("/api/v1/outbound-routes", route).await;
    let node = office.node.sip("udp").to_owned();
    let dir = office.dir();
    let mut first =
        Sipp::start_at("trunk_answer", "127.0.0.2", full, &node, dir, &["-m", "1"]).await;
    let mut second =
        Sipp::start_at("trunk_answer", "127.0.0.3", free, &node, dir, &["-m", "1"]).await;
    let mut phone = office.phone("1000", 700, Value::Null).await;

    for _ in 0..2 {
        phone.call("90301234").await;
        phone.expect_state("CONFIRMED").await;
        phone.hang_up().await;
        phone.expect_end().await;
        office.quiet().await;
    }

    assert!(first.finish(Duration::from_secs(10)).await);
    assert!(second.finish(Duration::from_secs(10)).await);
    let records = office.api.records(2, "number=1000").await;
    assert_eq!(records[0]["trunk"], "free", "{records:?}");
    assert_eq!(records[1]["trunk"], "full", "{records:?}");
}

#[tokio::test]
async fn a_call_that_is_not_let_out_hears_a_prompt_and_leaves_an_event() {
    let office = Office::open().await;
    let _far = lines(&office, 1).await;
    enable(&office, json!({ "home_country": "886", "allowed_countries": ["886"] })).await;
    let mut phone = office.phone("1000", 700, Value::Null).await;

    phone.call("82+79161234567").await;
    phone.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    let record = office.api.record("number=1000").await;
    assert_eq!(record["outcome"], "rejected", "{record}");
    assert_eq!(record["direction"], "outbound", "{record}");
    let read = json!({ "extension": "1000", "dialled": "82+79161234567" });
    let reading = office.api.post("/api/v1/outbound/resolve", read).await;
    assert_eq!(reading["refusal"], "country-not-allowed", "{reading}");
}

#[tokio::test]
async fn o_022_an_emergency_call_goes_out_though_nothing_else_may() {
    let office = Office::open().await;
    let port = free_port("127.0.0.2");
    office.trunk("carrier", "127.0.0.2", port).await;
    enable(
        &office,
        json!({
            "hours": [{ "days": [1], "from_minute": 0, "until_minute": 1 },
                      { "days": [3], "from_minute": 0, "until_minute": 1 }],
            "extension_calls_per_minute": 1, "extension_spend_per_day": 1,
        }),
    )
    .await;
    let node = office.node.sip("udp").to_owned();
    let more = ["-m", "1"];
    let mut far =
        Sipp::start_at("trunk_answer", "127.0.0.2", port, &node, office.dir(), &more).await;
    let mut phone = office.phone("1000", 700, Value::Null).await;

    phone.call("119").await;
    phone.expect_state("CONFIRMED").await;
    phone.hang_up().await;

    assert!(far.finish(Duration::from_secs(10)).await);
    assert!(far.logged().join("\n").contains("called sip:119@"));
    office.quiet().await;
    let record = office.api.record("number=1000").await;
    assert_eq!(record["outgoing"]["is_emergency"], true, "{record}");
}
