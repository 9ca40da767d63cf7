//! One type of destination for all who hand a call on: queues, inbound routes, circles.

use serde_json::{Value, json};
use tandem_tests::{Office, Sipp};

use crate::voicemail::{leave, messages};
use crate::{hears, press, steps, voicemail};

/// What each kind of destination leads to, and the tone that tells it.
async fn destinations(office: &Office) -> Vec<(Value, f64)> {
    let greeting = office.api.upload_tone("greeting", 600.0, 1.0).await;
    voicemail(office, "1002", &greeting).await;
    let group_greeting = office.api.upload_tone("group", 750.0, 1.0).await;
    let mailbox = json!({ "pin": "4711", "greeting": group_greeting });
    let group = json!({ "number": "6700", "name": "sales", "mailbox": mailbox });
    office.api.post("/api/v1/group-voicemails", group).await;
    let menu = office.api.upload_tone("menu", 1_050.0, 1.0).await;
    let ivr = json!({ "number": "6500", "name": "menu", "prompt": menu });
    office.api.post("/api/v1/ivrs", ivr).await;
    let play =
        json!({ "type": "play", "prompt": office.api.upload_tone("flow", 1_350.0, 1.0).await });
    let flow = json!({ "number": "6600", "name": "flow", "steps": [{ "action": play }] });
    office.api.post("/api/v1/call-flows", flow).await;
    let ring = json!({ "number": "6300", "name": "ring", "members": ["1003"] });
    office.api.post("/api/v1/ring-groups", ring).await;
    let prompt = office.api.upload_tone("closed", 1_800.0, 1.0).await;
    vec![
        (json!({ "type": "ext_vm", "number": "1002" }), 600.0),
        (json!({ "type": "group_vm", "number": "6700" }), 750.0),
        (json!({ "type": "ivr", "number": "6500" }), 1_050.0),
        (json!({ "type": "call_flow", "number": "6600" }), 1_350.0),
        (json!({ "type": "ring_group", "number": "6300" }), 1_600.0),
        (json!({ "type": "extension", "number": "1003" }), 1_600.0),
        (json!({ "type": "play_greeting", "prompt": prompt }), 1_800.0),
    ]
}

#[tokio::test]
async fn q_026_a_queue_fails_over_to_each_kind_of_destination() {
    let office = Office::open().await;
    let destinations = destinations(&office).await;
    let members = json!([{ "extension": "1001", "membership": "static" }]);
    let queue = json!({ "members": members, "max_wait_secs": 1 });
    office.api.patch("/api/v1/queues/6400", queue).await;
    let _answers = office.phone("1003", 1_600, json!({ "auto_answer": true })).await;
    let mut caller = office.phone("1000", 0, Value::Null).await;

    for (call, (destination, hertz)) in (1..).zip(destinations) {
        // A merge patch keeps what it does not name.
        let mut failover = json!({ "number": null, "prompt": null, "times": null });
        for (key, value) in destination.as_object().unwrap() {
            failover[key] = value.clone();
        }
        let patch = json!({ "failover": failover });
        office.api.patch("/api/v1/queues/6400", patch).await;
        caller.forget();
        caller.call("6400").await;
        caller.expect_state("CONFIRMED").await;
        hears(&caller, call, hertz).await;
        caller.hang_up().await;
        caller.expect_end().await;
        office.quiet().await;
        let last = office.api.wait_for("/api/v1/call-records?queue=6400", |answer| {
            tandem_tests::api::items(answer).len() == call as usize
        });
        let last = tandem_tests::api::items(&last.await)[0].clone();
        assert_eq!(last["queue"]["exit"], "max_wait", "{destination} {last}");
    }
}

#[tokio::test]
async fn q_026_an_inbound_route_leads_to_a_menu_and_from_there_into_a_queue() {
    let office = Office::open().await;
    let prompt = office.api.upload_tone("menu", 600.0, 1.0).await;
    let ivr = json!({
        "number": "6500", "name": "menu", "prompt": prompt,
        "keys": { "1": { "type": "queue", "number": "6400" } },
    });
    office.api.post("/api/v1/ivrs", ivr).await;
    let members = json!([{ "extension": "1001", "membership": "static" }]);
    office.api.patch("/api/v1/queues/6400", json!({ "members": members })).await;
    office.trunk("carrier", "127.0.0.2", 5_060).await;
    office.inbound("in", "5550100", json!({ "type": "ivr", "number": "6500" })).await;
    let mut agent = office.phone("1001", 900, json!({ "auto_answer": true })).await;
    let mut caller = office.outside_phone("0912000111", "127.0.0.2", json!({ "tone": 700 })).await;

    caller.call("5550100").await;
    caller.expect_state("CONFIRMED").await;
    hears(&caller, 1, 600.0).await;
    press(&mut caller, "1").await;
    agent.expect_state("CONFIRMED").await;
    hears(&caller, 1, 900.0).await;
    hears(&agent, 1, 700.0).await;
    caller.hang_up().await;
    agent.expect_end().await;

    let record = office.api.record("queue=6400").await;
    assert_eq!(record["direction"], "inbound", "{record}");
    assert_eq!(record["queue"]["exit"], "answered", "{record}");
    assert_eq!(record["answered_by"], "1001", "{record}");
}

#[tokio::test]
async fn q_026_a_busy_extension_sends_its_callers_to_its_voicemail() {
    let office = Office::open().await;
    voicemail(&office, "1001", "").await;
    let _busy = office.phone("1001", 0, json!({ "refuse": 486 })).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    leave(&mut caller, "1001", 1).await;
    press(&mut caller, "#").await;
    caller.expect_end().await;

    assert_eq!(messages(&office, "1001", 1).await[0]["from"], "1000");
}

#[tokio::test]
async fn q_026_a_call_that_goes_in_a_circle_ends_after_ten_hops() {
    let office = Office::open().await;
    let to = |number: &str| json!({ "type": "ring_group", "number": number });
    let group = |number: &str, failover: Value| json!({ "number": number, "name": "g", "members": ["1001"], "failover": failover });
    office.api.post("/api/v1/ring-groups", group("6300", json!({ "type": "end_call" }))).await;
    office.api.post("/api/v1/ring-groups", group("6301", to("6300"))).await;
    let circle = json!({ "failover": to("6301") });
    office.api.patch("/api/v1/ring-groups/6300", circle).await;
    let mut caller = office.phone("1000", 0, Value::Null).await;

    caller.call("6300").await;
    caller.expect_end().await;

    let record = office.api.record("number=1000").await;
    assert_eq!(record["outcome"], "failed", "{record}");
    assert_eq!(record["cause"], "the call went in a circle", "{record}");
    assert_eq!(steps(&office, "1000").await.len(), 11);
}

/// Ways of pressing a key: RFC 4733, SIP INFO, tones in the audio.
const WAYS: [&str; 3] = ["rfc4733", "info", "tones"];

/// A queue whose keys 1 to 9 lead to each kind of destination and 0 to the end.
async fn queue_with_keys(office: &Office, destinations: &[(Value, f64)]) {
    let second = json!([{ "extension": "1004", "membership": "static" }]);
    let queue = json!({ "number": "6401", "name": "second", "members": second });
    office.api.post("/api/v1/queues", queue).await;
    let mut keys = json!({ "0": { "type": "end_call" } });
    for (key, (destination, _)) in (1..).zip(destinations) {
        keys[key.to_string()] = destination.clone();
    }
    let members = json!([{ "extension": "1001", "membership": "static" }]);
    let queue = json!({ "members": members, "key_events": keys });
    office.api.patch("/api/v1/queues/6400", queue).await;
}

#[tokio::test]
async fn q_126_q_127_a_waiting_caller_leaves_by_key_to_each_kind_of_destination() {
    let office = Office::open().await;
    let mut destinations = destinations(&office).await;
    destinations.push((json!({ "type": "queue", "number": "6401" }), 1_700.0));
    queue_with_keys(&office, &destinations).await;
    let _answers = office.phone("1003", 1_600, json!({ "auto_answer": true })).await;
    let _second = office.phone("1004", 1_700, json!({ "auto_answer": true })).await;

    let mut left = 0;
    for (way, by) in WAYS.into_iter().enumerate() {
        let mode = if by == "tones" { "inband" } else { "auto" };
        office.api.patch("/api/v1/extensions/1000", json!({ "dtmf": mode })).await;
        let instance = json!({ "codecs": ["PCMU/8000/1"], "instance": way });
        let mut caller = office.phone("1000", 0, instance).await;
        // Each kind of destination by one way, and each way with several of them.
        let mine = (1..).zip(&destinations).filter(|(key, _)| key % WAYS.len() == way);
        for (call, (key, (destination, hertz))) in (1..).zip(mine) {
            caller.forget();
            caller.call("6400").await;
            caller.expect_state("CONFIRMED").await;
            tokio::time::sleep(std::time::Duration::from_millis(700)).await;
            let press = json!({ "do": "dtmf", "digits": key.to_string(), "by": by });
            caller.tell(press).await;
            hears(&caller, call, *hertz).await;
            caller.hang_up().await;
            caller.expect_end().await;
            left += 1;
            let all = |answer: &Value| tandem_tests::api::items(answer).len() == left;
            let records = office.api.wait_for("/api/v1/call-records?number=1000", all).await;
            let queue = &records["items"][0]["queue"];
            // A record names the last queue; who went on to another one is counted below.
            let exit = if queue["queue"] == "6401" { "answered" } else { "key_exit" };
            assert_eq!(queue["exit"], exit, "{by} {destination} {records}");
        }
    }
    let status = office.api.get("/api/v1/queues/6400/status").await;
    let figures = [&status["total"], &status["missed"], &status["abandoned"]];
    assert_eq!(figures, [&json!(8), &json!(8), &json!(0)], "{status}");
}

#[tokio::test]
async fn q_126_a_key_can_lead_to_a_number_outside_or_to_the_end() {
    let office = Office::open().await;
    queue_with_keys(&office, &[(json!({ "type": "external_num", "number": "95551" }), 0.0)]).await;
    let far = tandem_tests::ports::free_port("127.0.0.3");
    office.trunk("far", "127.0.0.3", far).await;
    let route = json!({
        "name": "out", "rules": [{ "pattern": "9.", "strip": 1 }], "trunks": ["far"],
        "caller_id": "5550100",
    });
    office.api.post("/api/v1/outbound-routes", route).await;
    let node = office.node.sip("udp").to_owned();
    let more = ["-m", "1", "-rtp_echo"];
    let mut trunk =
        Sipp::start_at("trunk_answer", "127.0.0.3", far, &node, office.dir(), &more).await;
    let mut caller = office.phone("1000", 700, json!({ "codecs": ["PCMU/8000/1"] })).await;

    caller.call("6400").await;
    caller.expect_state("CONFIRMED").await;
    press(&mut caller, "1").await;
    // The far end sends back what it hears.
    hears(&caller, 1, 700.0).await;
    caller.hang_up().await;
    caller.expect_end().await;
    assert!(trunk.finish(std::time::Duration::from_secs(20)).await);
    office.quiet().await;
    caller.forget();
    caller.call("6400").await;
    caller.expect_state("CONFIRMED").await;
    press(&mut caller, "0").await;
    caller.expect_end().await;

    office.quiet().await;
    for record in office.api.records(2, "queue=6400").await {
        assert_eq!(record["queue"]["exit"], "key_exit", "{record}");
    }
}
