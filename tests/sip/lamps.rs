//! Subscriptions of IP phones: BLF (RFC 4235), the keys of agents (Q-225 to Q-228), mailboxes.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::{Office, Sipp};
use tokio::time::{Instant, sleep};

/// SIPp knows no SHA-256.
const MD5: &str = r#"sip.digest=["md5"]"#;

/// A phone of an extension that watches a number.
struct Key {
    sipp: Sipp,
    seen: usize,
}

impl Key {
    async fn subscribe(office: &Office, own: &str, target: &str, event: &str) -> Self {
        let node = office.node.sip("udp").to_owned();
        let keys = ["-key", "own", own, "-key", "target", target, "-key", "event", event];
        let account = ["-au", own, "-ap", office.node.password(own), "-key", "expires", "300"];
        // The digest is for the URI that is asked for, user included.
        let (at, auth_uri) = (&node, format!("{target}@{node}"));
        let more = [&keys[..], &account, &["-auth_uri", &auth_uri, "-m", "1"]].concat();
        let sipp = Sipp::start("subscribe", "127.0.0.1", at, office.dir(), &more).await;
        Self { sipp, seen: 0 }
    }

    /// The next NOTIFY: how the subscription stands, version, state, and the other party.
    async fn next(&mut self) -> String {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let logged = self.sipp.logged();
            if let Some(line) = logged.get(self.seen) {
                self.seen += 1;
                let words: Vec<&str> = line.split_whitespace().collect();
                // The party of an earlier NOTIFY says nothing about a call that is over.
                let is_over = words.get(2) == Some(&"terminated");
                return words[..if is_over { 3 } else { words.len() }].join(" ");
            }
            assert!(Instant::now() < deadline, "no NOTIFY after {logged:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The next NOTIFY, and that it came within the 200 ms that an agent may wait for a lamp.
    async fn at_once(&mut self) -> String {
        let from = Instant::now();
        let line = self.next().await;
        assert!(from.elapsed() < Duration::from_millis(200), "{line} took {:?}", from.elapsed());
        line
    }
}

#[tokio::test]
async fn a_blf_key_shows_a_call_that_rings_is_answered_and_ends() {
    let office = Office::open_with(&[MD5]).await;
    let mut one = office.phone("1000", 700, Value::Null).await;
    let mut two = office.phone("1001", 1100, Value::Null).await;
    let mut callee = Key::subscribe(&office, "1002", "1001", "dialog").await;
    let mut caller = Key::subscribe(&office, "1003", "1000", "dialog").await;
    assert_eq!(callee.next().await, "active 0 terminated");
    assert_eq!(caller.next().await, "active 0 terminated");

    one.call("1001").await;
    two.expect("incoming").await;
    assert_eq!(caller.next().await, "active 1 trying 1001");
    let mut shown = callee.next().await;
    if shown == "active 1 trying 1000" {
        shown = callee.next().await;
    }
    assert!(shown.ends_with(" early 1000"), "{shown}");
    two.answer().await;
    assert!(callee.next().await.ends_with(" confirmed 1000"));
    assert_eq!(caller.next().await, "active 2 confirmed 1001");
    // Who subscribes in the middle of a call sees it.
    let mut late = Key::subscribe(&office, "1004", "1001", "dialog").await;
    assert_eq!(late.next().await, "active 0 confirmed 1000");
    one.hang_up().await;
    two.expect_end().await;

    assert!(callee.next().await.ends_with(" terminated"));
    assert_eq!(caller.next().await, "active 3 terminated");
    assert_eq!(late.next().await, "active 1 terminated");
}

#[tokio::test]
async fn q_225_q_226_q_228_the_keys_of_an_agent_follow_log_in_pause_and_its_reason() {
    let office = Office::open_with(&[MD5]).await;
    let member = json!([{ "extension": "1001", "membership": "dynamic" }]);
    office.api.patch("/api/v1/queues/6400", json!({ "members": member })).await;
    let mut phone = office.phone("1001", 700, Value::Null).await;
    let mut login = Key::subscribe(&office, "1001", "*76400", "dialog").await;
    let mut pause = Key::subscribe(&office, "1001", "*076400", "dialog").await;
    let mut lunch = Key::subscribe(&office, "1005", "*071001*6400*01", "dialog").await;
    assert_eq!(login.next().await, "active 0 confirmed");
    assert_eq!(pause.next().await, "active 0 terminated");
    assert_eq!(lunch.next().await, "active 0 terminated");

    // The key toggles: it dials what it watches.
    press(&mut phone, "*76400").await;
    assert_eq!(login.next().await, "active 1 terminated");
    press(&mut phone, "*076400").await;
    assert_eq!(pause.next().await, "active 1 early");
    press(&mut phone, "*076400").await;
    assert_eq!(pause.next().await, "active 2 terminated");

    // By the API, with a reason; the lamps follow within 200 ms.
    let agent = "/api/v1/agents/1001";
    let why = json!({ "queue": "6400", "reason": "*01" });
    office.api.post(&format!("{agent}/pause"), why).await;
    assert_eq!(lunch.at_once().await, "active 1 confirmed");
    assert_eq!(pause.at_once().await, "active 3 early");
    office.api.post(&format!("{agent}/resume"), json!({ "queue": "6400" })).await;
    assert_eq!(lunch.at_once().await, "active 2 terminated");
    assert_eq!(pause.at_once().await, "active 4 terminated");
    office.api.post(&format!("{agent}/logout"), json!({ "queue": "6400" })).await;
    assert_eq!(login.at_once().await, "active 2 confirmed");
}

/// Dials a code and hears its confirmation out.
async fn press(phone: &mut tandem_tests::Phone, code: &str) {
    phone.call(code).await;
    phone.expect_end().await;
}

#[tokio::test]
async fn what_nobody_may_or_can_watch_is_refused() {
    let office = Office::open_with(&[MD5]).await;

    let mut unknown = Key::subscribe(&office, "1001", "4711", "dialog").await;
    let mut no_member = Key::subscribe(&office, "1005", "*76400", "dialog").await;
    let mut presence = Key::subscribe(&office, "1001", "1002", "presence").await;

    assert_eq!(unknown.next().await, "refused 404");
    assert_eq!(no_member.next().await, "refused 404");
    assert_eq!(presence.next().await, "refused 489");
}

#[tokio::test]
async fn a_phone_asks_for_its_messages_and_a_restart_lets_it_subscribe_anew() {
    let mut office = Office::open_with(&[MD5]).await;
    let mut phone = office.phone("1000", 0, json!({ "mwi": true })).await;
    let told = phone.expect("mwi").await;
    assert!(told["body"].as_str().unwrap().starts_with("Messages-Waiting: no"), "{told}");
    let mut before = Key::subscribe(&office, "1002", "1001", "dialog").await;
    assert_eq!(before.next().await, "active 0 terminated");

    office.node.stop().await;

    // The node that goes says so, that phones subscribe anew at once.
    assert_eq!(before.next().await, "terminated 1 terminated");
}
