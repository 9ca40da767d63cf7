use serde_json::json;

use super::*;

fn line(trunk: &str, number: &str, caller_id: &str) -> (String, String, String) {
    (trunk.into(), number.into(), caller_id.into())
}

#[test]
fn o_016_o_029_o_030_o_031_a_typed_code_picks_line_and_caller_id_and_is_not_sent() {
    let office = office();

    for (code, trunk) in [("81", "service"), ("82", "sales"), ("83", "vip")] {
        let (step, target) = dial(&office, &format!("{code}0912345678"));

        assert_eq!(step, Step::Code);
        assert_eq!(first((step, target)), line(trunk, "0912345678", &format!("555{code}")));
    }
}

#[test]
fn o_015_o_017_a_picked_code_and_a_typed_one_are_the_same_request() {
    let office = office();

    let typed = plan(dial(&office, "820912345678"));
    let chosen = plan(ask(&office, "1000", "0912345678", &picked("sales")));

    assert_eq!(typed.lines, chosen.lines);
    assert_eq!(typed.outgoing.code, chosen.outgoing.code);
    assert_eq!(typed.outgoing.number, chosen.outgoing.number);
}

#[test]
fn o_017_a_picked_code_is_never_doubled_when_the_digits_are_what_was_typed() {
    let office = office();
    let typed = Wish { is_typed: true, ..picked("sales") };

    let (_, number, _) = first(ask(&office, "1000", "820912345678", &typed));
    let (_, from_record, _) = first(ask(&office, "1000", "820912345678", &picked("sales")));

    assert_eq!(number, "0912345678");
    assert_eq!(from_record, "820912345678");
}

#[test]
fn o_001_without_the_switch_no_prefix_is_interpreted() {
    let office = with(&[json!({ "kind": "settings", "outbound": { "codes_enabled": false } })]);

    assert!(matches!(dial(&office, "820912345678"), (Step::Nothing, Target::Refused(404, _))));
    assert_eq!(barred(ask(&office, "1000", "0912345678", &picked("sales"))), Rule::CodeUnknown);
}

#[test]
fn o_012_the_digits_of_a_disabled_code_mean_nothing() {
    let mut off = code("sales", "82", "sales");
    off["enabled"] = json!(false);
    let office = with(&[off]);

    assert!(matches!(dial(&office, "820912345678").1, Target::Refused(404, _)));
    assert_eq!(barred(ask(&office, "1000", "0912345678", &picked("sales"))), Rule::CodeUnknown);
}

#[test]
fn o_013_who_may_not_use_a_code_is_refused_and_not_sent_another_way() {
    let mut limited = code("sales", "82", "sales");
    limited["queues"] = json!(["6400"]);
    let office = with(&[limited]);

    let refused = barred(dial(&office, "820912345678"));
    let by_member = ask(&office, "1001", "820912345678", &Wish::default());

    assert_eq!(refused, Rule::CodeNotPermitted);
    assert_eq!(first(by_member).0, "sales");
}

#[test]
fn o_019_a_default_code_is_the_agents_then_the_queues_then_the_systems() {
    let defaults = settings(json!({
        "default_code_by_extension": { "1000": "service" },
        "default_code_by_queue": { "6400": "sales" },
        "default_code": "vip",
    }));
    let office = with(&[defaults]);

    let trunk = |who: &str| first(ask(&office, who, "0912345678", &Wish::default())).0;

    assert_eq!(trunk("1000"), "service");
    assert_eq!(trunk("1001"), "sales");
    assert_eq!(trunk("8101"), "vip");
    // A code that is typed wins over a default one.
    assert_eq!(first(dial(&office, "830912345678")).0, "vip");
}

#[test]
fn o_021_what_people_write_between_digits_is_dropped_and_letters_are_refused() {
    let office = office();

    let (_, number, _) = first(dial(&office, "82 (09) 12-345.678"));
    let (_, abroad, _) = first(dial(&office, "82+886912345678"));

    assert_eq!(number, "0912345678");
    assert_eq!(abroad, "+886912345678");
    assert_eq!(barred(dial(&office, "82 CALL-ME")), Rule::NotANumber);
}

#[test]
fn o_022_the_order_is_emergency_feature_house_code_route_nothing() {
    let office = office();
    let step = |number: &str| dial(&office, number).0;

    assert_eq!(step("110"), Step::Emergency);
    assert_eq!(step("*43"), Step::Feature);
    assert_eq!(step("6400"), Step::Internal);
    assert_eq!(step("820912345678"), Step::Code);
    assert_eq!(step("0912345678"), Step::Route);
    assert_eq!(step("912345678"), Step::Nothing);
}

#[test]
fn o_023_the_longest_code_wins() {
    let office = with(&[code("short", "8", "vip")]);

    assert_eq!(first(dial(&office, "8102345")), line("service", "02345", "55581"));
    assert_eq!(first(dial(&office, "8402345")), line("vip", "402345", "5558"));
}

#[test]
fn o_024_a_number_of_the_house_beats_a_typed_code_but_not_a_picked_one() {
    let office = office();

    let typed = dial(&office, "8101");
    let chosen = ask(&office, "1000", "8101", &picked("sales"));

    assert_eq!(typed, (Step::Internal, Target::Extension("8101".into())));
    assert_eq!(first(chosen), line("sales", "8101", "55582"));
}

#[test]
fn o_024_a_picked_code_does_not_skip_an_emergency_number() {
    let office = office();

    let (step, target) = ask(&office, "1000", "119", &picked("sales"));

    assert_eq!(step, Step::Emergency);
    assert_eq!(plan((step, target)).outgoing.code, None);
}

#[test]
fn o_025_a_typed_code_matches_only_with_enough_digits_behind_it() {
    let strict = with(&[settings(json!({ "min_remainder": 5 }))]);

    assert!(matches!(dial(&office(), "8212").1, Target::Refused(404, _)));
    assert_eq!(first(dial(&office(), "82123")).1, "123");
    assert!(matches!(dial(&strict, "82123").1, Target::Refused(404, _)));
}

#[test]
fn o_026_a_code_alone_is_refused_and_nothing_is_sent() {
    let office = office();

    assert_eq!(barred(dial(&office, "82")), Rule::NumberMissing);
    assert_eq!(barred(ask(&office, "1000", "", &picked("sales"))), Rule::NumberMissing);
    let typed = Wish { is_typed: true, ..picked("sales") };
    assert_eq!(barred(ask(&office, "1000", "82", &typed)), Rule::NumberMissing);
}

#[test]
fn o_036_o_037_a_code_without_a_route_falls_back_without_its_digits_and_is_marked() {
    let office = with(&[code("bare", "84", "bare")]);

    let plan = plan(dial(&office, "840912345678"));

    assert_eq!(plan.lines[0].trunk, "main");
    assert_eq!(plan.lines[0].number, "0912345678");
    // The ordinary route's caller ID, not the code's.
    assert_eq!(plan.lines[0].caller_id, "5551000");
    assert!(!plan.outgoing.is_code_applied);
    assert_eq!(plan.outgoing.code.unwrap().id, "bare");
}

#[test]
fn o_037_or_is_refused_where_the_tenant_wants_that() {
    let office = with(&[code("bare", "84", "bare"), settings(json!({ "on_unrouted": "reject" }))]);

    assert_eq!(barred(dial(&office, "840912345678")), Rule::CodeUnrouted);
}

#[test]
fn o_038_a_code_shows_why_it_does_not_work() {
    use crate::outbound::state::{CodeState, of};
    let mut no_trunk = json!({ "kind": "trunk", "name": "vip", "host": "192.0.2.3" });
    no_trunk["enabled"] = json!(false);
    let mut off = code("service", "81", "service");
    off["enabled"] = json!(false);
    let office = with(&[code("bare", "84", "bare"), no_trunk, off]);
    let state = |id: &str, is_up: bool| of(&office, office.outbound_code(id).unwrap(), |_| is_up);

    assert_eq!(state("sales", true), CodeState::Ready);
    assert_eq!(state("sales", false), CodeState::TrunkDown);
    assert_eq!(state("vip", true), CodeState::NoTrunk);
    assert_eq!(state("bare", true), CodeState::NoRoute);
    assert_eq!(state("service", true), CodeState::Disabled);
}

#[test]
fn o_044_o_045_the_record_keeps_what_was_dialled_and_the_bare_number() {
    let office = with(&[settings(json!({ "home_country": "886" }))]);

    let outgoing = plan(dial(&office, "82-0912 345 678")).outgoing;

    assert_eq!(outgoing.dialled, "82-0912 345 678");
    assert_eq!(outgoing.number, "886912345678");
    assert_eq!(outgoing.caller_id, "55582");
    assert_eq!(outgoing.route, "to-sales");
    assert_eq!(outgoing.category.as_deref(), Some("sales"));
    assert!(outgoing.is_code_applied);
    let code = outgoing.code.unwrap();
    assert_eq!((code.id.as_str(), code.code.as_str()), ("sales", "82"));
}

#[test]
fn o_050_a_transfer_uses_the_code_of_the_call_unless_one_is_typed() {
    let office = office();
    let inherited = Wish { inherited: Some("vip".into()), ..Wish::default() };

    let by_original = first(ask(&office, "1000", "0912345678", &inherited));
    let by_typed = first(ask(&office, "1000", "810912345678", &inherited));
    let inside = ask(&office, "1000", "6400", &inherited);

    assert_eq!(by_original.0, "vip");
    assert_eq!(by_typed.0, "service");
    assert_eq!(inside.1, Target::Queue("6400".into()));
}

#[test]
fn o_049_digits_are_read_well_within_fifty_milliseconds_among_a_hundred_codes() {
    let mut office = office();
    for n in 0..97 {
        put(&mut office, code(&format!("c{n}"), &format!("7{n:02}"), "sales"));
    }

    let from = std::time::Instant::now();
    for _ in 0..100 {
        assert_eq!(dial(&office, "7960912345678").0, Step::Code);
    }

    let each = from.elapsed() / 100;
    assert!(each < std::time::Duration::from_millis(50), "{each:?}");
}

#[test]
fn o_041_the_first_step_of_a_categorys_flow_that_holds_gives_route_number_and_caller_id() {
    let flow = json!([
        { "when": { "number": ["00X."] }, "action": { "type": "reject", "reason": "abroad" } },
        { "when": { "extensions": ["1001"] },
          "action": { "type": "dial", "route": "to-vip", "prepend": "9", "caller_id": "5550000" } },
        { "when": { "hours": { "zone": "UTC", "days": ["mon"], "from": "08:00", "to": "10:00" } },
          "action": { "type": "dial", "route": "to-service" } },
    ]);
    let category = |hours: &str| {
        let mut flow = flow.clone();
        flow[2]["when"]["hours"]["to"] = json!(hours);
        json!({ "kind": "channel-category", "name": "sales", "route": "to-sales", "flow": flow })
    };
    let office = with(&[category("10:00")]);

    assert_eq!(barred(dial(&office, "820012345")), Rule::Flow);
    let by_1001 = first(ask(&office, "1001", "820912345678", &Wish::default()));
    assert_eq!(by_1001, ("vip".into(), "90912345678".into(), "5550000".into()));
    let in_hours = first(dial(&office, "820912345678"));
    assert_eq!(in_hours, ("service".into(), "0912345678".into(), "55582".into()));
    let later = first(dial(&with(&[category("09:00")]), "820912345678"));
    assert_eq!(later, ("sales".into(), "0912345678".into(), "55582".into()));
}

#[test]
fn o_037_o_041_a_flow_that_leads_to_a_route_that_is_off_is_unrouted() {
    let flow = json!([{ "action": { "type": "dial", "route": "to-vip" } }]);
    let category = json!({ "kind": "channel-category", "name": "sales", "flow": flow });
    let mut off = route("to-vip", "vip");
    off["enabled"] = json!(false);
    let office = with(&[category, off]);

    let outgoing = plan(dial(&office, "820912345678")).outgoing;

    assert_eq!((outgoing.route.as_str(), outgoing.is_code_applied), ("ordinary", false));
}
