use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::outbound::lines::{in_order, is_open};
use crate::outbound::numbers::{e164, is_country_allowed};

#[test]
fn o_027_prefix_pattern_prepend_caller_and_trunks_make_what_is_sent() {
    let route = json!({
        "kind": "outbound-route", "name": "to-pbx", "priority": 1, "trunks": ["vip", "main"],
        "rules": [{ "prefix": "16", "pattern": "X.", "prepend": "0" }], "callers": ["10XX"],
    });
    let office = with(&[route]);

    let plan = plan(dial(&office, "16103"));
    let other = ask(&office, "8101", "16103", &Wish::default());

    let sent: Vec<_> = plan.lines.iter().map(|it| (&*it.trunk, &*it.number)).collect();
    assert_eq!(sent, [("vip", "0103"), ("main", "0103")]);
    assert!(matches!(other.1, Target::Refused(404, _)));
}

#[test]
fn d_035_o_033_only_the_first_route_that_the_extension_may_use_gives_lines() {
    let second = json!({ "kind": "outbound-route", "name": "second", "priority": 5,
        "trunks": ["vip"], "rules": [{ "pattern": "0X." }] });
    let barred_route = json!({ "kind": "outbound-route", "name": "ordinary", "priority": 0,
        "trunks": ["main"], "rules": [{ "pattern": "0X." }], "extensions": ["1001"] });
    let office = with(&[second, barred_route]);

    let own = plan(dial(&office, "0912345678"));
    let first = plan(ask(&office, "1001", "0912345678", &Wish::default()));

    assert_eq!(own.lines.iter().map(|it| &*it.trunk).collect::<Vec<_>>(), ["vip"]);
    assert_eq!(first.lines.iter().map(|it| &*it.trunk).collect::<Vec<_>>(), ["main"]);
}

#[test]
fn d_033_a_route_that_is_not_for_the_extension_is_a_refusal_of_its_own() {
    let route = json!({ "kind": "outbound-route", "name": "ordinary", "trunks": ["main"],
        "rules": [{ "pattern": "0X." }], "extensions": ["1001"] });
    let office = with(&[route]);

    assert_eq!(barred(dial(&office, "0912345678")), Rule::RouteNotPermitted);
}

#[test]
fn o_030_the_caller_id_is_the_codes_then_the_chosen_then_the_extensions_then_the_trunks() {
    let trunk = json!({ "kind": "trunk", "name": "main", "host": "192.0.2.4",
        "caller_id": "5559999", "caller_ids": ["555XXXX"] });
    let office = with(&[trunk, settings(json!({ "caller_ids": ["5557777"] }))]);
    let chosen = Wish { caller_id: Some("5557777".into()), ..Wish::default() };
    let shown = |who: &str, number: &str, wish: &Wish| first(ask(&office, who, number, wish)).2;

    assert_eq!(shown("1000", "820912345678", &chosen), "55582");
    assert_eq!(shown("1000", "0912345678", &chosen), "5557777");
    assert_eq!(shown("1000", "0912345678", &Wish::default()), "5551000");
    assert_eq!(shown("1001", "0912345678", &Wish::default()), "5559999");
}

#[test]
fn o_030_a_caller_id_that_is_not_offered_can_not_be_chosen() {
    let wish = Wish { caller_id: Some("0800000".into()), ..Wish::default() };

    assert_eq!(barred(ask(&office(), "1000", "0912345678", &wish)), Rule::CallerIdNotAllowed);
}

#[test]
fn o_030_a_number_is_withheld_only_where_the_trunk_allows_it() {
    let trunk = |withholding: bool| {
        json!({ "kind": "trunk", "name": "main", "host": "192.0.2.4", "caller_id": "5559999",
                "withholding": withholding })
    };
    let wish = Wish { caller_id: Some("anonymous".into()), ..Wish::default() };
    let shown = |office: &Directory| first(ask(office, "1000", "0912345678", &wish)).2;

    assert_eq!(shown(&with(&[trunk(true)])), "anonymous");
    assert_eq!(shown(&with(&[trunk(false)])), "5559999");
}

#[test]
fn d_038_emergency_calls_go_over_every_trunk_whatever_the_rights_and_limits() {
    let closed = settings(json!({
        "emergency_trunks": ["vip"], "allowed_countries": ["1"], "home_country": "886",
        "hours": [{ "days": [7], "from_minute": 0, "until_minute": 1 }],
    }));
    let route = json!({ "kind": "outbound-route", "name": "ordinary", "trunks": ["main"],
        "rules": [{ "pattern": "0X." }], "extensions": ["1001"] });
    let office = with(&[closed, route]);

    let plan = plan(dial(&office, "110"));

    let trunks: Vec<&str> = plan.lines.iter().map(|line| &*line.trunk).collect();
    assert_eq!(trunks, ["vip", "main", "sales", "service"]);
    assert!(plan.lines.iter().all(|line| line.number == "110" && line.is_emergency));
    assert!(plan.outgoing.is_emergency);
}

#[test]
fn a_country_that_is_not_allowed_is_barred_however_it_is_written() {
    let policy = json!({ "home_country": "886", "allowed_countries": ["886", "44"] });
    let office = with(&[settings(policy)]);

    assert_eq!(barred(dial(&office, "82+79161234567")), Rule::Country);
    assert_eq!(barred(dial(&office, "820079161234567")), Rule::Country);
    assert_eq!(first(dial(&office, "820912345678")).1, "0912345678");
    assert_eq!(first(dial(&office, "82+442071234567")).1, "+442071234567");
}

#[test]
fn a_number_is_known_by_its_e164_form_where_the_country_is_known() {
    let office = with(&[settings(json!({ "home_country": "886" }))]);
    let policy = &office.settings().outbound;
    let form = |number: &str| e164(policy, number);

    for same in ["+886912345678", "00886912345678", "0912345678", "886912345678", "912345678"] {
        assert_eq!(form(same).as_deref(), Some("886912345678"), "{same}");
    }
    assert_eq!(form("anonymous"), None);
    assert_eq!(form(""), None);
    assert_eq!(form("+1234567890123456"), None);
    assert!(is_country_allowed(policy, "+7916"));
}

#[test]
fn outside_calls_are_let_out_in_the_hours_of_the_policy_only() {
    let hours = json!({ "hours": [{ "days": [1], "from_minute": 540, "until_minute": 545 }] });
    let late = json!({
        "hours": [{ "days": [1], "from_minute": 540, "until_minute": 545 }],
        "utc_offset_minutes": 60,
    });

    // It is Monday, 09:00 UTC.
    assert_eq!(first(dial(&with(&[settings(hours)]), "0912345678")).0, "main");
    assert_eq!(barred(dial(&with(&[settings(late)]), "0912345678")), Rule::Hours);
}

#[test]
fn hours_are_of_the_local_day_of_the_week() {
    let office = with(&[settings(json!({
        "hours": [{ "days": [5], "from_minute": 0, "until_minute": 1440 }],
        "utc_offset_minutes": 480,
    }))]);
    let policy = &office.settings().outbound;
    // Thursday, 1970-01-01: 15:59 and 16:00 UTC, midnight of Friday in Taipei.
    let is_open =
        |secs| is_open(&policy.hours, policy.utc_offset_minutes, Timestamp::from_secs(secs));
    assert!(!is_open(15 * 3_600 + 59 * 60));
    assert!(is_open(16 * 3_600));
}

#[test]
fn calls_are_spread_over_the_trunks_of_a_group_by_their_shares() {
    let route = json!({
        "kind": "outbound-route", "name": "group", "trunks": ["main", "vip", "sales"],
        "rules": [{ "pattern": "!" }], "weights": { "main": 3, "vip": 1 },
    });
    let office = with(&[route]);
    let group = office.outbound_route("group").unwrap();
    let mut firsts: BTreeMap<&str, u32> = BTreeMap::new();

    for draw in 0..400_u64 {
        let order = in_order(group, draw.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        assert_eq!(order.len(), 3);
        assert_eq!(order[2], "sales", "a trunk without a share comes last");
        *firsts.entry(order[0]).or_default() += 1;
    }

    let (main, vip) = (firsts["main"], firsts["vip"]);
    assert!((250..=350).contains(&main) && (50..=150).contains(&vip), "{firsts:?}");
}
