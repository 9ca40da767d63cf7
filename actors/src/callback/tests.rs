#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};
use tandem_config::Resource;
use tandem_kernel::{CallId, Timestamp};

use super::{Inbound, Index, applies, decide};
use crate::call::event::CallEvent;
use crate::office::{Direction, Stored};
use crate::outbound::Outgoing;
use crate::provisioning::Directory;

const CUSTOMER: &str = "886912345678";
const HOUR: u64 = 3_600;

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_767_603_600 + secs)
}

fn directory(callback: Value, more: &[Value]) -> Directory {
    let mut policy = json!({ "enabled": true });
    for (key, value) in callback.as_object().unwrap() {
        policy[key] = value.clone();
    }
    let settings = json!({ "kind": "settings", "callback": policy,
        "outbound": { "home_country": "886" } });
    let mut directory = Directory::default();
    for json in more.iter().chain([&settings]) {
        let resource: Resource = serde_json::from_value(json.clone()).unwrap();
        directory.put(Stored { resource, revision: 1, changed_at: Timestamp::default() });
    }
    directory
}

struct Called<'a> {
    call: u128,
    secs: u64,
    by: &'a str,
    shown: &'a str,
    rang: bool,
}

impl Default for Called<'_> {
    fn default() -> Self {
        Self { call: 1, secs: 0, by: "1001", shown: "0225550102", rang: true }
    }
}

fn facts(called: &Called<'_>) -> Vec<CallEvent> {
    let Called { secs, by, shown, rang, .. } = *called;
    let outgoing =
        Outgoing { number: CUSTOMER.into(), category: Some("sales".into()), ..Outgoing::default() };
    let mut facts = vec![
        CallEvent::Started {
            at: at(secs),
            direction: Direction::Outbound,
            from: by.into(),
            from_name: String::new(),
            to: "0912345678".into(),
            trunk: None,
        },
        CallEvent::Outgoing { at: at(secs), by: by.into(), outgoing },
    ];
    if rang {
        facts.push(CallEvent::LineRang {
            at: at(secs + 3),
            trunk: "carrier".into(),
            number: "0912345678".into(),
            caller_id: shown.into(),
        });
    }
    facts
}

fn ended(secs: u64) -> CallEvent {
    CallEvent::Ended {
        at: at(secs),
        outcome: "no_answer".into(),
        cause: String::new(),
        talk_us: 0,
        hold_us: 0,
    }
}

fn index(calls: &[Called<'_>]) -> Index {
    let mut index = Index::default();
    for called in calls {
        for fact in facts(called) {
            index.call(CallId::from_u128(called.call), &fact);
        }
    }
    index
}

fn agent(directory: &Directory, index: &Index, did: &str, secs: u64) -> Option<String> {
    let inbound = Inbound { trunk: "carrier", did, now: at(secs) };
    decide(directory, &inbound, index.last(CUSTOMER).cloned()).map(|found| found.agent)
}

#[test]
fn c_001_c_010_c_012_a_call_that_only_rang_counts_and_one_that_failed_before_does_not() {
    let office = directory(json!({}), &[]);

    let rang = index(&[Called::default()]);
    let failed = index(&[Called { rang: false, ..Called::default() }]);

    assert_eq!(agent(&office, &rang, "0225550102", 60).as_deref(), Some("1001"));
    assert_eq!(agent(&office, &failed, "0225550102", 60), None);
}

#[test]
fn c_005_c_016_the_window_is_72_hours_from_the_start_of_the_outbound_call() {
    let (office, index) = (directory(json!({}), &[]), index(&[Called::default()]));

    assert!(agent(&office, &index, "0225550102", 72 * HOUR).is_some());
    assert!(agent(&office, &index, "0225550102", 72 * HOUR + 1).is_none());
    let short = directory(json!({ "window_hours": 1 }), &[]);
    assert!(agent(&short, &index, "0225550102", HOUR + 1).is_none());
}

#[test]
fn c_015_c_043_the_call_that_began_later_wins_in_whatever_order_they_are_heard_of() {
    let office = directory(json!({}), &[]);
    let first = || Called { call: 1, by: "1001", ..Called::default() };
    let later = || Called { call: 2, secs: 60, by: "1002", ..Called::default() };

    for calls in [[first(), later()], [later(), first()]] {
        assert_eq!(agent(&office, &index(&calls), "0225550102", 90).as_deref(), Some("1002"));
    }
}

#[test]
fn c_014_after_a_transfer_the_placing_agent_is_meant_or_the_last_one() {
    let mut index = index(&[Called::default()]);
    let transferred = CallEvent::Transferred { at: at(9), by: "1001".into(), to: "1002".into() };
    index.call(CallId::from_u128(1), &transferred);
    let talked = directory(json!({ "target": "last_talked" }), &[]);

    let placed = agent(&directory(json!({}), &[]), &index, "0225550102", 60);

    assert_eq!(placed.as_deref(), Some("1001"));
    assert_eq!(agent(&talked, &index, "0225550102", 60).as_deref(), Some("1002"));
}

#[test]
fn c_018_c_019_the_called_number_is_the_one_shown_of_its_category_or_any() {
    let index = index(&[Called::default()]);
    let category = json!({ "kind": "channel-category", "name": "sales",
        "numbers": ["0225550103"] });
    let scope =
        |scope: &str| directory(json!({ "did_scope": scope }), std::slice::from_ref(&category));
    let found = |office: &Directory, did: &str| agent(office, &index, did, 60).is_some();

    assert!(found(&scope("same_number"), "+886225550102"));
    assert!(!found(&scope("same_number"), "0225550103"));
    assert!(found(&scope("same_category"), "0225550103"));
    assert!(!found(&scope("same_category"), "0225550199"));
    assert!(found(&scope("any"), "0225550199"));
}

#[test]
fn c_018_where_the_trunk_shows_its_own_number_the_trunk_itself_is_compared() {
    let index = index(&[Called { shown: "", ..Called::default() }]);
    let office = directory(json!({}), &[]);
    let other = Inbound { trunk: "other", did: "0225550102", now: at(60) };

    assert!(agent(&office, &index, "0225550102", 60).is_some());
    assert_eq!(decide(&office, &other, index.last(CUSTOMER).cloned()), None);
}

#[test]
fn c_003_c_034_c_045_it_applies_as_the_settings_the_route_and_the_hours_say() {
    let route = |callback: Value| {
        let json = json!({ "kind": "inbound-route", "name": "main",
            "destination": { "type": "end_call" }, "callback": callback });
        match serde_json::from_value(json).unwrap() {
            Resource::InboundRoute(route) => route,
            _ => unreachable!(),
        }
    };
    let on = directory(json!({}), &[]);
    let off = directory(json!({ "enabled": false }), &[]);
    let hours = [{ json!({ "days": [1], "from_minute": 540, "until_minute": 600 }) }];
    let timed = directory(json!({ "hours": hours }), &[]);
    let applies = |office: &Directory, callback: Value, secs| {
        applies(office.settings(), Some(&route(callback)), at(secs))
    };

    assert!(applies(&on, Value::Null, 0));
    assert!(!applies(&on, json!(false), 0));
    assert!(!applies(&off, Value::Null, 0));
    assert!(applies(&off, json!(true), 0));
    // Monday, 09:00 and 10:00 UTC.
    assert!(applies(&timed, Value::Null, 0));
    assert!(!applies(&timed, Value::Null, HOUR));
}

#[test]
fn c_046_a_number_that_is_forgotten_is_forgotten_in_calls_that_go_on_as_well() {
    let mut index = index(&[Called::default()]);
    let open = Called { call: 2, secs: 9, rang: false, ..Called::default() };
    for fact in facts(&open) {
        index.call(CallId::from_u128(2), &fact);
    }

    index.forget(CUSTOMER);
    let rang = facts(&Called { rang: true, ..open }).pop().unwrap();
    index.call(CallId::from_u128(2), &rang);

    assert_eq!(index.last(CUSTOMER), None);
}

#[test]
fn c_042_a_call_that_has_ended_is_still_known() {
    let mut index = index(&[Called::default()]);

    index.call(CallId::from_u128(1), &ended(30));

    assert!(index.last(CUSTOMER).is_some());
}

#[test]
fn c_012_calls_of_the_system_and_emergency_calls_bring_nobody_back() {
    let system = index(&[Called { by: "", ..Called::default() }]);
    let mut index = Index::default();
    let mut emergency = facts(&Called::default());
    if let CallEvent::Outgoing { outgoing, .. } = &mut emergency[1] {
        outgoing.is_emergency = true;
    }
    for fact in emergency {
        index.call(CallId::from_u128(1), &fact);
    }

    assert_eq!(system.last(CUSTOMER), None);
    assert_eq!(index.last(CUSTOMER), None);
}
