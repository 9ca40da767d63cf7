#![allow(clippy::unwrap_used)]
mod codes;
mod properties;
mod routes;
mod tolls;

use serde_json::{Value, json};
use tandem_config::Resource;
use tandem_kernel::Timestamp;

use super::{Occasion, Plan, Rule, Wish};
use crate::numbering::{Step, Target, interpret};
use crate::office::Stored;
use crate::provisioning::Directory;

fn put(directory: &mut Directory, json: Value) {
    let resource: Resource = serde_json::from_value(json).unwrap();
    assert_eq!(resource.validate(), []);
    directory.put(Stored { resource, revision: 1, changed_at: Timestamp::default() });
}

fn directory(resources: &[Value]) -> Directory {
    let mut directory = Directory::default();
    for json in resources {
        put(&mut directory, json.clone());
    }
    directory
}

/// A resource of the office below, by kind and key.
fn with(more: &[Value]) -> Directory {
    let mut directory = office();
    for json in more {
        put(&mut directory, json.clone());
    }
    directory
}

fn settings(outbound: Value) -> Value {
    let mut policy = json!({ "codes_enabled": true });
    for (key, value) in outbound.as_object().unwrap() {
        policy[key] = value.clone();
    }
    json!({ "kind": "settings", "outbound": policy })
}

fn code(id: &str, digits: &str, category: &str) -> Value {
    json!({ "kind": "outbound-code", "id": id, "name": id, "code": digits, "category": category,
            "caller_id": format!("555{digits}"), "prefix_confirmed": true })
}

fn route(name: &str, trunk: &str) -> Value {
    json!({ "kind": "outbound-route", "name": name, "trunks": [trunk], "codes_only": true,
            "rules": [{ "pattern": "!" }] })
}

/// The seed's example: 81, 82, 83 to three trunks; an ordinary route for the rest.
fn office() -> Directory {
    directory(&[
        settings(json!({})),
        json!({ "kind": "extension", "number": "1000", "password": "12345678",
                "outbound_caller_id": "5551000" }),
        json!({ "kind": "extension", "number": "1001", "password": "12345678" }),
        json!({ "kind": "extension", "number": "8101", "password": "12345678" }),
        json!({ "kind": "queue", "number": "6400", "name": "sales",
                "members": [{ "extension": "1001", "membership": "static" }] }),
        json!({ "kind": "trunk", "name": "service", "host": "192.0.2.1" }),
        json!({ "kind": "trunk", "name": "sales", "host": "192.0.2.2" }),
        json!({ "kind": "trunk", "name": "vip", "host": "192.0.2.3" }),
        json!({ "kind": "trunk", "name": "main", "host": "192.0.2.4" }),
        route("to-service", "service"),
        route("to-sales", "sales"),
        route("to-vip", "vip"),
        json!({ "kind": "outbound-route", "name": "ordinary", "trunks": ["main"],
                "rules": [{ "pattern": "0X." }, { "pattern": "+X." }] }),
        json!({ "kind": "channel-category", "name": "service", "route": "to-service" }),
        json!({ "kind": "channel-category", "name": "sales", "route": "to-sales" }),
        json!({ "kind": "channel-category", "name": "vip", "route": "to-vip" }),
        json!({ "kind": "channel-category", "name": "bare" }),
        code("service", "81", "service"),
        code("sales", "82", "sales"),
        code("vip", "83", "vip"),
    ])
}

fn ask(directory: &Directory, who: &str, number: &str, wish: &Wish) -> (Step, Target) {
    // Monday, 2026-01-05, 09:00 UTC.
    let now = Timestamp::from_secs(1_767_603_600);
    interpret(directory, who, number, &Occasion { now, draw: 0, wish })
}

fn dial(directory: &Directory, number: &str) -> (Step, Target) {
    ask(directory, "1000", number, &Wish::default())
}

fn picked(id: &str) -> Wish {
    Wish { code: Some(id.into()), ..Wish::default() }
}

#[track_caller]
fn plan(answer: (Step, Target)) -> Plan {
    match answer.1 {
        Target::Outside(plan) => *plan,
        other => panic!("not outside: {other:?}"),
    }
}

#[track_caller]
fn barred(answer: (Step, Target)) -> Rule {
    match answer.1 {
        Target::Barred(barred) => barred.rule,
        other => panic!("not barred: {other:?}"),
    }
}

/// Trunk, number sent and caller ID of the first line.
#[track_caller]
fn first(answer: (Step, Target)) -> (String, String, String) {
    let line = plan(answer).lines.remove(0);
    (line.trunk, line.number, line.caller_id)
}
