//! What happens within a call of a carrier's: session timers (RFC 4028), provisional answers that
//! are acknowledged (RFC 3262), offers that collide (RFC 3261 14.1), hold by UPDATE (RFC 3311).

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::api::secs;
use tandem_tests::ports::free_port;
use tandem_tests::sound::{Recording, assert_music, profile};
use tandem_tests::{Office, Phone, Sipp};
use tokio::time::sleep;

/// Long enough for each scenario here.
const PATIENCE: Duration = Duration::from_secs(15);

/// An office with a trunk that calls extension 1001, by a scenario.
async fn called_by(scenario: &str, does_answer: bool, more: &[&str]) -> (Office, Sipp, Phone) {
    let office = Office::open().await;
    let port = free_port("127.0.0.2");
    office.trunk("carrier", "127.0.0.2", port).await;
    office.inbound("in", "5550100", json!({ "type": "extension", "number": "1001" })).await;
    let phone = office.phone("1001", 1100, json!({ "auto_answer": does_answer })).await;
    let node = office.node.sip("udp").to_owned();
    let keys = ["-key", "did", "5550100", "-key", "caller", "4930", "-m", "1", "-rtp_echo"];
    let more = [&keys[..], more].concat();
    let sipp = Sipp::start_at(scenario, "127.0.0.2", port, &node, office.dir(), &more).await;
    (office, sipp, phone)
}

/// The number that a scenario logged behind a word.
fn number(sipp: &Sipp, word: &str) -> u64 {
    let said = sipp.logged();
    let logged = said.iter().find_map(|line| line.strip_prefix(word)).expect("it was logged");
    logged.trim().parse().expect("a number")
}

#[tokio::test]
async fn a_session_interval_that_is_too_short_gets_422_and_refreshes_are_answered() {
    let (office, mut trunk, mut phone) = called_by("timer_call", true, &[]).await;

    assert!(trunk.finish(PATIENCE).await);

    assert_eq!(trunk.logged(), ["refreshed"]);
    phone.expect_end().await;
    let record = office.api.record("number=1001").await;
    assert_eq!(record["outcome"], "answered", "{record}");
}

#[tokio::test]
async fn a_callee_that_wants_a_longer_session_interval_gets_it() {
    let office = Office::open().await;
    let port = free_port("127.0.0.2");
    office.trunk("carrier", "127.0.0.2", port).await;
    let rules = json!([{ "pattern": "9.", "strip": 1 }]);
    let route = json!({ "name": "out", "rules": rules, "trunks": ["carrier"] });
    office.api.post("/api/v1/outbound-routes", route).await;
    let node = office.node.sip("udp").to_owned();
    let once = ["-m", "1"];
    let mut far =
        Sipp::start_at("timer_answer", "127.0.0.2", port, &node, office.dir(), &once).await;
    let mut phone = office.phone("1000", 700, Value::Null).await;

    phone.call("90301234").await;
    phone.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(1)).await;
    phone.hang_up().await;

    assert!(far.finish(PATIENCE).await);
    assert_eq!(far.logged(), ["refreshed after 1800"]);
}

#[tokio::test]
async fn a_caller_that_demands_100rel_gets_ringing_that_it_acknowledges() {
    let (office, mut trunk, mut phone) = called_by("prack_call", false, &["-d", "300"]).await;

    phone.expect("incoming").await;
    // The answer comes when the PRACKs are over.
    sleep(Duration::from_millis(800)).await;
    phone.answer().await;

    assert!(trunk.finish(PATIENCE).await);
    assert_eq!(trunk.logged(), ["acknowledged"]);
    let record = office.api.record("number=1001").await;
    assert_eq!(record["outcome"], "answered", "{record}");
}

#[tokio::test]
async fn offers_that_cross_are_both_refused_and_the_nodes_comes_again_first() {
    let more = ["-d", "2500"];
    let (office, mut trunk, mut phone) = called_by("glare_call", true, &more).await;
    let mut other = office.phone("1002", 700, Value::Null).await;
    phone.expect_state("CONFIRMED").await;
    let call = office.api.call().await["id"].as_str().unwrap().to_owned();

    // Whoever fetches a parked caller has them in another call, which offers them its audio.
    let at = office.api.post(&format!("/api/v1/calls/{call}/park"), json!({})).await;
    phone.expect_end().await;
    other.call(at["slot"].as_str().unwrap()).await;
    other.expect_state("CONFIRMED").await;

    assert!(trunk.finish(PATIENCE).await);
    let (collided, offered) = (number(&trunk, "collided "), number(&trunk, "offered "));
    // The node did not begin the call: it waits for 2 s at most, the other for more.
    assert!(offered - collided < 2_400, "offered again after {} ms", offered - collided);
    assert!(trunk.logged().contains(&"settled".to_owned()));
    other.expect_end().await;
    sleep(Duration::from_millis(200)).await;
    // The trunk sends back what it hears.
    let heard = Recording::read(&other.recording(1));
    let share = heard.frames_with(700.0, heard.secs() - 1.8, heard.secs() - 0.3);
    assert!(share > 0.8, "{share:.2}{}", profile(&heard));
}

#[tokio::test]
async fn a_trunk_holds_its_party_by_update_and_takes_it_back() {
    let (office, mut trunk, mut phone) = called_by("hold_call", true, &[]).await;

    assert!(trunk.finish(PATIENCE).await);
    phone.expect_end().await;
    sleep(Duration::from_millis(200)).await;

    let path = phone.recording(1);
    let heard = Recording::read(&path);
    let first = heard.first(1100.0).expect("the trunk sends back what it hears");
    assert!(first < 2.0, "the echo begins at {first:.1} s");
    let end = heard.secs();
    let share = heard.frames_with(1100.0, end - 1.8, end - 0.3);
    assert!(share > 0.8, "{share:.2}{}", profile(&heard));
    assert_music(&path);
    let record = office.api.record("number=1001").await;
    let held = secs(&record, "hold_secs");
    assert!((2.0..4.0).contains(&held), "{record}");
}
