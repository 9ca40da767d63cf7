#![allow(clippy::unwrap_used)]
use std::time::Duration;

use serde_json::json;

use super::{Console, Queue, Resource};
use crate::Pattern;

fn resource(json: serde_json::Value) -> Resource {
    serde_json::from_value(json).unwrap()
}

fn pointers(json: serde_json::Value) -> Vec<String> {
    resource(json).validate().into_iter().map(|field| field.pointer).collect()
}

#[test]
fn a_resource_of_defaults_is_valid() {
    let empty: Vec<String> = Vec::new();
    assert_eq!(
        pointers(json!({"kind": "extension", "number": "1001", "password": "12345678"})),
        empty
    );
    assert_eq!(pointers(json!({"kind": "queue", "number": "6400", "name": "sales"})), empty);
    assert_eq!(pointers(json!({"kind": "trunk", "name": "carrier", "host": "192.0.2.1"})), empty);
    assert_eq!(pointers(json!({"kind": "settings"})), empty);
}

#[test]
fn every_wrong_field_is_named() {
    let wrong = json!({
        "kind": "extension", "number": "10a1", "password": "short", "max_contacts": 0,
        "codecs": ["g729"], "ring_timeout_secs": 0
    });

    assert_eq!(
        pointers(wrong),
        ["/number", "/password", "/max_contacts", "/codecs/0", "/ring_timeout_secs"]
    );
}

#[test]
fn q_185_an_extension_is_a_member_once() {
    let twice = json!({"kind": "queue", "number": "6400", "name": "q", "members": [
        {"extension": "1001", "membership": "static"},
        {"extension": "1001", "membership": "dynamic"}
    ]});

    assert_eq!(pointers(twice), ["/members/1/extension"]);
}

#[test]
fn unknown_fields_are_refused() {
    let unknown = json!({"kind": "queue", "number": "6400", "name": "q", "colour": "red"});

    assert!(serde_json::from_value::<Resource>(unknown).is_err());
}

#[test]
fn what_would_reach_a_phone_or_a_file_is_checked() {
    let prompt = |prompt: &str| {
        json!({"kind": "inbound-route", "name": "main",
            "destination": {"type": "play_greeting", "prompt": prompt}})
    };
    for good in ["closed", "zh-hant/office closed", "歡迎"] {
        assert!(pointers(prompt(good)).is_empty(), "{good}");
    }
    for bad in ["", "../secret", "/etc/passwd", "music/../../x", "a//b", ".", "a\u{0}b"] {
        assert_eq!(pointers(prompt(bad)), ["/destination/prompt"], "{bad}");
    }
    let trunk = json!({"kind": "trunk", "name": "t", "host": "192.0.2.1", "mode": "register",
        "accept_from": ["192.0.2.0/24", "2001:db8::1"],
        "auth": {"username": "", "password": "a\r\nb"}});
    assert_eq!(pointers(trunk), ["/accept_from/0", "/auth/username", "/auth/password"]);
    let extension = json!({"kind": "extension", "number": "1", "password": "12345678",
        "name": "a\r\nX: y", "outbound_caller_id": "a b"});
    assert_eq!(pointers(extension), ["/name", "/outbound_caller_id"]);
    let queue = json!({"kind": "queue", "number": "6400", "name": "q",
        "failover": {"type": "external_num", "number": "02-123"},
        "prompts": {"join": "../x"}});
    assert_eq!(pointers(queue), ["/failover/number", "/prompts/join"]);
}

#[test]
fn q_210_and_q_219_codes_have_a_form_and_one_meaning_each() {
    let empty: Vec<String> = Vec::new();
    let off = json!({"kind": "settings", "code_login_all": "", "code_login_last": ""});
    assert_eq!(pointers(off), empty);
    let wrong = json!({"kind": "settings", "code_queue_pause": "*7", "code_login_all": "*1234567",
        "code_login_last": "*7a", "test_numbers": {"echo": "*077"},
        "pause_reasons": {"*01": "", "1": "Lunch"}, "hold_music": ""});
    assert_eq!(
        pointers(wrong),
        [
            "/pause_reasons/*01",
            "/pause_reasons/1",
            "/hold_music",
            "/code_queue_pause",
            "/code_login_all",
            "/code_login_last",
            "/test_numbers/echo"
        ]
    );
}

#[test]
fn patterns_match_as_a_dialler_expects() {
    let cases = [
        ("9NXXXXXX", "92345678", true),
        ("9NXXXXXX", "91345678", false),
        ("00.", "00", false),
        ("00.", "001", true),
        ("00!", "00", true),
        ("[13-5]X", "39", true),
        ("[13-5]X", "29", false),
        ("1001", "1001", true),
        ("1001", "10011", false),
        ("+49Z!", "+4930", true),
    ];
    for (pattern, number, fits) in cases {
        let parsed: Pattern = pattern.parse().unwrap();
        assert_eq!(parsed.matches(number), fits, "{pattern} {number}");
    }
}

#[test]
fn bad_patterns_are_refused() {
    for bad in ["", "12a", "[12", "[]", ".1", "[2-1]"] {
        assert!(bad.parse::<Pattern>().is_err(), "{bad}");
    }
}

fn queue(json: serde_json::Value) -> Queue {
    let mut whole = json!({"number": "6400", "name": "Support"});
    whole.as_object_mut().unwrap().extend(json.as_object().unwrap().clone());
    serde_json::from_value(whole).unwrap()
}

fn weighs(weight: u16, period: u32, waited_millis: u64) -> u32 {
    let queue = queue(json!({"weight": weight, "acceleration_secs": period}));
    queue.effective_weight(Duration::from_millis(waited_millis))
}

#[test]
fn q_174_vectors_1_and_2_of_appendix_i() {
    let (support, vip) = (weighs(1, 60, 120_000), weighs(2, 0, 0));

    assert_eq!(support, 3);
    assert!(support > vip, "the call that has waited is served first");
    assert!(weighs(1, 60, 0) < vip, "at the same time the heavier queue is first");
}

#[test]
fn q_173_the_weight_is_rounded_half_up() {
    let table = [
        (1, 60, 0, 1),
        (1, 60, 29_999, 1),
        (1, 60, 30_000, 2),
        (1, 60, 89_999, 2),
        (1, 60, 90_000, 3),
        (999, 10, 5_000, 1_000),
        (1, 1_800, 899_999, 1),
        (1, 1_800, 900_000, 2),
        (7, 0, 3_600_000, 7),
        (0, 0, 3_600_000, 0),
    ];
    for (weight, period, waited, expected) in table {
        assert_eq!(weighs(weight, period, waited), expected, "{weight} {period} {waited}");
    }
    let longest = queue(json!({"weight": 999, "acceleration_secs": 10}));
    assert_eq!(longest.effective_weight(Duration::MAX), u32::MAX);
}

#[test]
fn q_172_a_period_is_10_to_1800_seconds_and_needs_a_weight() {
    let wrong = |weight: u32, period: u32| {
        pointers(json!({"kind": "queue", "number": "6400", "name": "q",
            "weight": weight, "acceleration_secs": period}))
    };
    for right in [(1, 10), (999, 1_800), (0, 0), (5, 0)] {
        assert!(wrong(right.0, right.1).is_empty(), "{right:?}");
    }
    assert_eq!(wrong(1, 9), ["/acceleration_secs"]);
    assert_eq!(wrong(1, 1_801), ["/acceleration_secs"]);
    assert_eq!(wrong(0, 60), ["/weight"]);
}

#[test]
fn q_085_an_agent_is_paused_after_1_to_10_missed_calls() {
    let wrong = |missed: u8| {
        let agent = json!({"auto_pause": {"enabled": true, "missed_calls": missed}});
        pointers(json!({"kind": "queue", "number": "6400", "name": "q", "agent": agent}))
    };
    assert!(wrong(1).is_empty() && wrong(10).is_empty());
    assert_eq!(wrong(0), ["/agent/auto_pause/missed_calls"]);
    assert_eq!(wrong(11), ["/agent/auto_pause/missed_calls"]);
    assert_eq!(queue(json!({})).agent.auto_pause.missed_calls, 3);
    let extension = json!({"kind": "extension", "number": "1", "password": "12345678",
        "email": "a\r\nBcc: b@c"});
    assert_eq!(pointers(extension), ["/email"]);
}

#[test]
fn q_253_scores_are_minus_99_to_99_for_the_keys_0_to_9() {
    let with = |survey: serde_json::Value| {
        pointers(json!({"kind": "queue", "number": "6400", "name": "S", "survey": survey}))
    };
    assert_eq!(with(json!({"scores": {"0": -99, "9": 99}})), Vec::<String>::new());
    let wrong = with(json!({"scores": {"1": 100, "*": 1, "10": 0}}));
    assert_eq!(wrong, ["/survey/scores/*", "/survey/scores/1", "/survey/scores/10"]);
}

#[test]
fn q_260_the_label_of_alert_info_can_not_leave_its_header() {
    let with = |info: &str| {
        pointers(json!({"kind": "queue", "number": "6400", "name": "S", "alert_info": info}))
    };
    assert_eq!(with("sales-ring.1_2"), Vec::<String>::new());
    for bad in ["a b", "a;b", "a\r\nX: y", "\"", &"a".repeat(64)] {
        assert_eq!(with(bad), ["/alert_info"], "{bad:?}");
    }
}

#[test]
fn q_192_a_manager_is_named_once_and_need_be_no_agent() {
    let with = |managers: serde_json::Value| {
        pointers(json!({"kind": "queue", "number": "6400", "name": "S", "managers": managers}))
    };
    assert_eq!(with(json!(["1000", "1001"])), Vec::<String>::new());
    assert_eq!(with(json!(["1000", "1000"])), ["/managers/1"]);
}

#[test]
fn q_065_a_skill_level_is_1_to_100_and_1_by_default() {
    let wrong = |level: u8| {
        let member = json!({"extension": "1001", "membership": "static", "skill_level": level});
        pointers(json!({"kind": "queue", "number": "6400", "name": "q", "members": [member]}))
    };
    assert!(wrong(1).is_empty() && wrong(100).is_empty());
    assert_eq!(wrong(0), ["/members/0/skill_level"]);
    assert_eq!(wrong(101), ["/members/0/skill_level"]);
    let plain = queue(json!({"members": [{"extension": "1001", "membership": "static"}]}));
    assert_eq!(plain.members[0].skill_level, 1);
}

#[test]
fn q_126_a_key_event_is_one_key_of_a_telephone_and_leads_somewhere() {
    let wrong = |key: &str, to: serde_json::Value| {
        pointers(json!({"kind": "queue", "number": "6400", "name": "q", "key_events": {key: to}}))
    };
    for key in ["0", "9", "*", "#"] {
        assert!(wrong(key, json!({"type": "end_call"})).is_empty(), "{key}");
    }
    for key in ["", "10", "a", "٣"] {
        assert_eq!(wrong(key, json!({"type": "end_call"})), [format!("/key_events/{key}")]);
    }
    let nowhere = json!({"type": "extension", "number": "x"});
    assert_eq!(wrong("1", nowhere), ["/key_events/1/number"]);
}

#[test]
fn q_041_a_time_profile_has_a_zone_hours_and_days_that_can_be_read() {
    let profile = json!({"kind": "time-profile", "name": "a b", "zone": "Mars/Base",
        "hours": [{"days": ["mon"], "from": "09:00", "to": "18:00"},
                  {"days": ["day"], "from": "9", "to": "24:00"}],
        "holidays": [{"name": "", "from": "2026-02-30", "to": "2026-03-01"},
                     {"name": "x", "from": "2026-03-02", "to": "2026-03-01"}]});
    let fields = [
        "/name",
        "/zone",
        "/hours/1/days",
        "/hours/1/from",
        "/hours/1/to",
        "/holidays/0/name",
        "/holidays/0/from",
        "/holidays/1/to",
    ];
    assert_eq!(pointers(profile), fields);
}

#[test]
fn q_110_a_queue_s_prompts_are_of_a_language_that_is_installed() {
    let of = |language: &str| {
        pointers(json!({"kind": "queue", "number": "6400", "name": "q",
            "prompts": {"language": language, "position_interval_secs": 10_000_000}}))
    };
    assert_eq!(of("zh-hans"), ["/prompts/position_interval_secs"]);
    assert_eq!(of(""), ["/prompts/position_interval_secs"]);
    assert_eq!(of("tlh"), ["/prompts/position_interval_secs", "/prompts/language"]);
}

#[test]
fn q_105_the_announcement_is_repeated_after_60_seconds_by_default() {
    let prompts = queue(json!({"prompts": {"announcement": "custom/keys"}})).prompts;
    assert_eq!(prompts.announcement_interval_secs, 60);
    let wrong = json!({"kind": "queue", "number": "6400", "name": "q",
        "prompts": {"announcement": "../x", "announcement_interval_secs": 10_000_000}});
    let fields = ["/prompts/announcement", "/prompts/announcement_interval_secs"];
    assert_eq!(pointers(wrong), fields);
}

#[test]
fn q_140_to_q_149_the_rules_of_callback() {
    let wrong = |max_wait: u32, callback: serde_json::Value| {
        let leads = json!({"1": {"type": "end_call"}});
        pointers(json!({"kind": "queue", "number": "6400", "name": "q",
            "max_wait_secs": max_wait, "key_events": leads, "callback": callback}))
    };
    let by_key = |key: &str| json!({"enabled": true, "key": key});
    assert!(wrong(0, by_key("2")).is_empty() && wrong(0, by_key("#")).is_empty());
    assert_eq!(wrong(0, by_key("1")), ["/callback/key"], "Q-144");
    for key in ["", "22", "a"] {
        assert_eq!(wrong(0, by_key(key)), ["/callback/key"]);
    }
    assert!(wrong(0, json!({"key": "1"})).is_empty(), "the switch is off");
    let by_timeout = |trigger: u32| json!({"enabled": true, "method": "by_timeout", "trigger_timeout_secs": trigger});
    assert_eq!(wrong(0, by_timeout(5)), ["/callback/method"], "the prompt names key 1");
    let both = ["/callback/trigger_timeout_secs", "/callback/method"];
    assert_eq!(wrong(60, by_timeout(0)), both);
    assert_eq!(wrong(60, by_timeout(61)), both, "Q-145");
    assert_eq!(wrong(60, json!({"timeout_secs": 60})), ["/callback/timeout_secs"], "Q-149");
    assert!(wrong(60, json!({"timeout_secs": 59})).is_empty());
    assert!(wrong(0, json!({"timeout_secs": 600})).is_empty(), "Q-145, Q-149: no limit");
    assert_eq!(wrong(0, json!({"outbound_prefix": "9a"})), ["/callback/outbound_prefix"]);
    let secs = |max_wait, kept| {
        let callback = json!({"timeout_secs": kept});
        queue(json!({"max_wait_secs": max_wait, "callback": callback})).callback_timeout()
    };
    assert_eq!(secs(300, 0), Duration::from_secs(300));
    assert_eq!(secs(300, 120), Duration::from_secs(120));
}

#[test]
fn q_446_tiles_stay_within_the_grid_and_do_not_cover_each_other() {
    let tile = |column: u8, row: u8, width: u8| {
        json!({
            "figure": "waiting", "column": column, "row": row, "width": width, "height": 2,
        })
    };
    let board = |tiles: serde_json::Value| json!({ "kind": "wallboard", "name": "sales", "all": tiles, "rotation_secs": 5 });

    assert_eq!(pointers(board(json!([tile(0, 0, 3), tile(3, 0, 9), tile(0, 2, 12)]))).len(), 0);
    assert_eq!(pointers(board(json!([tile(0, 0, 3), tile(2, 1, 3)]))), ["/all/1"]);
    assert_eq!(pointers(board(json!([tile(10, 0, 3)]))), ["/all/0"]);
    assert_eq!(pointers(board(json!([tile(250, 0, 250)]))), ["/all/0"]);
    let quick = json!({ "kind": "wallboard", "name": "sales", "rotation_secs": 4 });
    assert_eq!(pointers(quick), ["/rotation_secs"]);
}

#[test]
fn q_452_groups_of_queues_are_few_have_names_of_their_own_and_a_threshold() {
    let group = |name: &str, queues: &[&str], threshold: u8| json!({ "name": name, "queues": queues, "alarm_threshold_percent": threshold });
    let console = |groups: Vec<serde_json::Value>| json!({ "kind": "console", "name": "alice", "groups": groups });
    let many = |count: usize| (0..count).map(|n| group(&n.to_string(), &["6400"], 80)).collect();

    assert_eq!(pointers(console(many(20))).len(), 0);
    assert_eq!(pointers(console(many(21))), ["/groups"]);
    let twice = vec![group("Front", &["6400"], 80), group("Front", &["6401"], 80)];
    assert_eq!(pointers(console(twice)), ["/groups/1/name"]);
    assert_eq!(pointers(console(vec![group("Front", &[], 80)])), ["/groups/0/queues"]);
    let again = vec![group("Front", &["6400", "6400"], 80)];
    assert_eq!(pointers(console(again)), ["/groups/0/queues/1"]);
    for threshold in [0, 101] {
        let wrong = console(vec![group("Front", &["6400"], threshold)]);
        assert_eq!(pointers(wrong), ["/groups/0/alarm_threshold_percent"]);
    }
    let plain = json!({ "name": "Front", "queues": ["6400"] });
    let read: Console = serde_json::from_value(json!({ "name": "a", "groups": [plain] })).unwrap();
    assert_eq!(read.groups[0].alarm_threshold_percent, 80);
    assert_eq!(read.alarm_threshold_percent, 80);
}

#[test]
fn a_wall_screen_has_a_token_and_is_no_user() {
    let user = json!({
        "kind": "user", "name": "wall", "password_hash": "x", "role": "wallboard",
    });
    let token = json!({
        "kind": "api-token", "id": "a1", "name": "wall", "secret_hash": "x", "role": "wallboard",
    });

    assert_eq!(pointers(user), ["/role"]);
    assert_eq!(pointers(token).len(), 0);
}

#[test]
fn q_545_the_tags_of_notes_have_plain_ids() {
    let tags = json!({ "offer": "Offer", "not plain": "x", "empty": "" });

    let wrong = pointers(json!({ "kind": "settings", "call_tags": tags }));

    assert_eq!(wrong, ["/call_tags/empty", "/call_tags/not plain"]);
}

#[test]
fn q_280_q_281_rights_are_per_queue_and_those_of_a_manager_who_is_an_agent_are_the_union() {
    use crate::resource::{CallLogScope, ManagerRight as R};
    let queue = queue(json!({
        "number": "6400", "name": "Sales", "managers": ["1003", "1002"],
        "members": [
            { "extension": "1001", "membership": "static" },
            { "extension": "1002", "membership": "static" },
        ],
        "permissions": {
            "manager": { "rights": ["monitor"] },
            "agent": {
                "rights": ["panel", "park"],
                "call_log": { "enabled": true, "agents": ["1002"], "scope": "missed" },
            },
        },
    }));
    let missed = Some(CallLogScope::Missed);
    let rows: [(&str, &[R], Option<CallLogScope>); 4] = [
        ("1001", &[R::Panel, R::Park], None),
        ("1002", &[R::Panel, R::Monitor, R::Park], missed),
        ("1003", &[R::Monitor], None),
        ("1004", &[], None),
    ];
    for (extension, rights, call_log) in rows {
        let grants = queue.grants(extension);
        assert!(grants.rights.iter().eq(rights), "{extension} {grants:?}");
        assert_eq!(grants.call_log, call_log, "{extension}");
    }
}

#[test]
fn q_281_managers_have_everything_and_agents_the_panel_unless_it_is_said_otherwise() {
    use crate::resource::ManagerRight;
    let queue = queue(json!({
        "number": "6400", "name": "Sales", "managers": ["1003"],
        "members": [{ "extension": "1001", "membership": "static" }],
    }));

    assert!(queue.grants("1003").rights.iter().eq(&ManagerRight::ALL));
    assert!(queue.grants("1001").rights.iter().eq(&[ManagerRight::Panel]));
    assert_eq!(queue.grants("1001").call_log, None);
}

#[test]
fn q_535_results_are_synchronised_within_1_to_24_hours() {
    let at = |hours: u8| {
        let sync = json!({ "enabled": true, "within_hours": hours });
        pointers(json!({ "kind": "settings", "result_sync": sync }))
    };
    assert_eq!(at(0), ["/result_sync/within_hours"]);
    assert_eq!(at(25), ["/result_sync/within_hours"]);
    assert!(at(1).is_empty() && at(24).is_empty());
}

#[test]
fn q_241_q_242_q_243_the_service_level_has_defaults_and_limits() {
    let kept = queue(json!({ "number": "6400", "name": "Sales" })).sla;
    assert_eq!((kept.time_secs, kept.alarm_threshold_percent), (60, 80));
    assert_eq!(kept.evaluation_interval_mins, 30);
    let wrong =
        |sla| pointers(json!({ "kind": "queue", "number": "6400", "name": "S", "sla": sla }));
    assert_eq!(wrong(json!({ "time_secs": 0 })), ["/sla/time_secs"]);
    for mins in [0, 1_441] {
        let at = ["/sla/evaluation_interval_mins"];
        assert_eq!(wrong(json!({ "evaluation_interval_mins": mins })), at);
    }
    let over = json!({ "alarm_threshold_percent": 101 });
    assert_eq!(wrong(over), ["/sla/alarm_threshold_percent"]);
}

#[test]
fn q_053_a_daily_reset_names_a_time_zone_and_is_not_written_where_there_is_none() {
    let wrong = |zone: &str| {
        pointers(json!({ "kind": "queue", "number": "6400", "name": "S",
            "daily_reset_zone": zone }))
    };
    assert!(wrong("Asia/Taipei").is_empty() && wrong("").is_empty());
    assert_eq!(wrong("Asia/Nowhere"), ["/daily_reset_zone"]);

    let plain = serde_json::to_value(queue(json!({ "number": "6400", "name": "S" }))).unwrap();
    assert_eq!(plain.get("daily_reset_zone"), None, "a member of an earlier build reads it");
}
