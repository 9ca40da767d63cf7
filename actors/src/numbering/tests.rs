#![allow(clippy::unwrap_used)]
use serde_json::json;
use tandem_config::Resource;
use tandem_kernel::Timestamp;

use super::{Origin, Target};
use crate::call::machine::TestNumber;
use crate::office::Stored;
use crate::outbound::{Occasion, Plan, Rule};
use crate::provisioning::Directory;

fn directory(resources: &[serde_json::Value]) -> Directory {
    let mut directory = Directory::default();
    for json in resources {
        let resource: Resource = serde_json::from_value(json.clone()).unwrap();
        directory.put(Stored { resource, revision: 1, changed_at: Timestamp::default() });
    }
    directory
}

fn office() -> Directory {
    directory(&[
        json!({"kind": "extension", "number": "1000", "password": "12345678",
               "outbound_caller_id": "555100"}),
        json!({"kind": "extension", "number": "1001", "password": "12345678"}),
        json!({"kind": "extension", "number": "1009", "password": "12345678", "enabled": false}),
        json!({"kind": "queue", "number": "6400", "name": "sales"}),
        json!({"kind": "trunk", "name": "main", "host": "192.0.2.1"}),
        json!({"kind": "trunk", "name": "spare", "host": "192.0.2.2"}),
        json!({"kind": "outbound-route", "name": "city", "priority": 1, "trunks": ["main", "spare"],
               "rules": [{"pattern": "9X.", "strip": 1, "prepend": "0"}]}),
        json!({"kind": "outbound-route", "name": "world", "priority": 2, "trunks": ["main"],
               "caller_id": "555000", "extensions": ["1001"],
               "rules": [{"pattern": "00."}]}),
        json!({"kind": "inbound-route", "name": "vip", "priority": 1, "did": ["5551"],
               "caller": ["0999!"], "destination": {"type": "extension", "number": "1001"}}),
        json!({"kind": "inbound-route", "name": "all", "priority": 2, "did": ["555X"],
               "destination": {"type": "queue", "number": "6400"}}),
    ])
}

fn dialled(directory: &Directory, origin: Origin<'_>, number: &str) -> Target {
    super::dialled(directory, origin, number, &Occasion::plain(Timestamp::default(), 0))
}

fn from(extension: &str, number: &str) -> Target {
    dialled(&office(), Origin::Extension(extension), number)
}

fn from_outside(caller: &str, number: &str) -> Target {
    dialled(&office(), Origin::Trunk { name: "main", caller }, number)
}

#[test]
fn internal_numbers_are_matched_exactly() {
    assert_eq!(from("1000", "1001"), Target::Extension("1001".into()));
    assert_eq!(from("1000", "6400"), Target::Queue("6400".into()));
    assert!(matches!(from("1000", "1009"), Target::Refused(480, _)));
    assert!(matches!(from("1000", "10011"), Target::Refused(404, _)));
}

#[test]
fn test_numbers_and_feature_codes_come_before_routes() {
    assert_eq!(from("1000", "*43"), Target::Test(TestNumber::Echo));
    assert_eq!(from("1000", "*76400"), Target::Code("*76400".into()));
    assert_eq!(from("1000", "*077"), Target::Code("*077".into()));
}

#[test]
fn digits_are_stripped_and_put_in_front_on_every_trunk_in_order() {
    let Target::Outside(plan) = from("1000", "91234") else { panic!("no lines") };
    let Plan { lines, .. } = *plan;

    let sent: Vec<(&str, &str, &str)> = lines
        .iter()
        .map(|line| (line.trunk.as_str(), line.number.as_str(), line.caller_id.as_str()))
        .collect();
    assert_eq!(sent, [("main", "01234", "555100"), ("spare", "01234", "555100")]);
}

#[test]
fn a_route_is_for_its_extensions_only() {
    let Target::Barred(barred) = from("1000", "0044123") else { panic!("let out") };
    assert_eq!(barred.rule, Rule::RouteNotPermitted);
    assert!(matches!(from("1001", "0044123"), Target::Outside(_)));
}

#[test]
fn inbound_routes_match_number_and_caller_by_priority() {
    assert_eq!(from_outside("0999123", "5551"), Target::Extension("1001".into()));
    assert_eq!(from_outside("0888", "5551"), Target::Queue("6400".into()));
    assert!(matches!(from_outside("0888", "4441"), Target::Refused(404, _)));
}

#[test]
fn a_trunk_reaches_neither_extensions_nor_outside_numbers_by_itself() {
    assert!(matches!(from_outside("0888", "1001"), Target::Refused(404, _)));
    assert!(matches!(from_outside("0888", "91234"), Target::Refused(404, _)));
}
