//! The operations of each kind, with what is documented of them.

mod flow;

use axum::http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tandem_api::resource as api;
use tandem_config::Kind;
use utoipa::ToSchema;

use crate::cursor;
use crate::operation::{Operation, Shape, handler};
use crate::rights::Permission;

struct Entry {
    kind: Kind,
    path: &'static str,
    /// In an operation's id: one, many.
    names: (&'static str, &'static str),
    /// In a sentence: one, many.
    words: (&'static str, &'static str),
    written: Shape,
    read: Shape,
    page: Shape,
    patch: Value,
}

/// The field and path parameter that is a kind's key.
pub(super) const fn parameter_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Extension
        | Kind::Queue
        | Kind::RingGroup
        | Kind::Ivr
        | Kind::CallFlow
        | Kind::GroupVoicemail => "number",
        Kind::Trunk
        | Kind::InboundRoute
        | Kind::OutboundRoute
        | Kind::ChannelCategory
        | Kind::TimeProfile
        | Kind::Wallboard
        | Kind::Console
        | Kind::User => "name",
        Kind::ApiToken | Kind::OutboundCode | Kind::Contact => "id",
        Kind::Settings => "",
    }
}

fn shapes<T: ToSchema + DeserializeOwned>(written: Value, read: &Value) -> (Shape, Shape, Shape) {
    let page = json!({ "items": [read], "next_cursor": null });
    (Shape::of::<T>(written), Shape::of::<T>(read.clone()), Shape::page::<T>(page))
}

fn extensions() -> Entry {
    let read = json!({
        "number": "1001", "name": "Chen", "outbound_caller_id": "", "max_contacts": 3,
        "codecs": ["pcmu", "pcma", "g722", "opus"], "dtmf": "auto", "encryption": "optional",
        "ring_timeout_secs": 60, "enabled": true, "email": "chen@example.net",
        "voicemail": {
            "enabled": true,
            "mailbox": {
                "greeting": "", "email": [], "max_message_secs": 180, "max_messages": 100,
            },
        },
    });
    let written = json!({ "number": "1001", "name": "Chen", "password": "correct horse battery" });
    let (written, read, page) = shapes::<api::Extension>(written, &read);
    Entry {
        kind: Kind::Extension,
        path: "extensions",
        names: ("Extension", "Extensions"),
        words: ("an extension", "extensions"),
        written,
        read,
        page,
        patch: json!({ "name": "Lin" }),
    }
}

fn trunks() -> Entry {
    let read = json!({
        "name": "carrier", "mode": "register", "host": "sip.example.net", "port": 5060,
        "transport": "udp", "accept_from": [], "auth": { "username": "tandem" },
        "codecs": ["pcma", "pcmu"], "dtmf": "auto", "encryption": "off", "max_calls": 30,
        "calls_per_second": 5, "calls_per_minute": 0, "spend_per_day": 0,
        "caller_id": "0225550100", "caller_ids": ["02255501XX"], "withholding": false,
        "options_interval_secs": 30, "trusted_identity": false, "enabled": true,
    });
    let written = json!({
        "name": "carrier", "mode": "register", "host": "sip.example.net",
        "auth": { "username": "tandem", "password": "correct horse" },
    });
    let (written, read, page) = shapes::<api::Trunk>(written, &read);
    Entry {
        kind: Kind::Trunk,
        path: "trunks",
        names: ("Trunk", "Trunks"),
        words: ("a trunk", "trunks"),
        written,
        read,
        page,
        patch: json!({ "max_calls": 60 }),
    }
}

fn inbound_routes() -> Entry {
    let read = json!({
        "name": "sales line", "priority": 10, "trunks": ["carrier"], "did": ["0225550100"],
        "caller": [], "destination": { "type": "queue", "number": "6400" }, "callback": null,
        "enabled": true,
    });
    let (written, read, page) = shapes::<api::InboundRoute>(read.clone(), &read);
    Entry {
        kind: Kind::InboundRoute,
        path: "inbound-routes",
        names: ("InboundRoute", "InboundRoutes"),
        words: ("an inbound route", "inbound routes"),
        written,
        read,
        page,
        patch: json!({ "enabled": false }),
    }
}

fn outbound_routes() -> Entry {
    let read = json!({
        "name": "national", "priority": 10,
        "rules": [{ "prefix": "", "pattern": "0ZX.", "strip": 1, "prepend": "+886" }],
        "trunks": ["carrier"], "caller_id": "", "extensions": [], "callers": [],
        "weights": {}, "codes_only": false, "price_per_minute": 0, "enabled": true,
    });
    let (written, read, page) = shapes::<api::OutboundRoute>(read.clone(), &read);
    Entry {
        kind: Kind::OutboundRoute,
        path: "outbound-routes",
        names: ("OutboundRoute", "OutboundRoutes"),
        words: ("an outbound route", "outbound routes"),
        written,
        read,
        page,
        patch: json!({ "priority": 20 }),
    }
}

fn outbound_codes() -> Entry {
    let read = json!({
        "id": "sales", "name": "Sales line", "code": "82", "description": "New customers",
        "category": "sales", "caller_id": "0225550102", "extensions": [], "queues": ["6400"],
        "prefix_confirmed": false, "enabled": true,
    });
    let (written, read, page) = shapes::<api::OutboundCode>(read.clone(), &read);
    Entry {
        kind: Kind::OutboundCode,
        path: "outbound-codes",
        names: ("OutboundCode", "OutboundCodes"),
        words: ("an outbound code", "outbound codes"),
        written,
        read,
        page,
        patch: json!({ "enabled": false }),
    }
}

fn channel_categories() -> Entry {
    let step = json!({
        "when": { "hours": null, "extensions": ["1000"], "number": ["09X."] },
        "action": { "type": "dial", "route": "mobile", "prepend": "", "caller_id": "0225550102" },
    });
    let read = json!({
        "name": "sales", "route": "national", "flow": [step], "numbers": ["0225550102"],
    });
    let (written, read, page) = shapes::<api::ChannelCategory>(read.clone(), &read);
    Entry {
        kind: Kind::ChannelCategory,
        path: "channel-categories",
        names: ("ChannelCategory", "ChannelCategories"),
        words: ("a channel category", "channel categories"),
        written,
        read,
        page,
        patch: json!({ "route": null }),
    }
}

fn queues() -> Entry {
    let empty = json!({ "enabled": false, "scenarios": ["all_unregistered", "all_paused"] });
    let read = json!({
        "number": "6400", "name": "Sales", "ring_strategy": "ring_all",
        "skill_based_routing": false, "max_wait_secs": 300,
        "failover": { "type": "extension", "number": "1000" }, "max_callers": 20,
        "leave_empty": empty, "join_empty": empty, "weight": 0, "acceleration_secs": 0,
        "key_events": { "1": { "type": "ext_vm", "number": "1000" } },
        "time_condition": {
            "enabled": true, "time_profile": "taipei",
            "out_of_hours_destination": { "type": "ext_vm", "number": "1000" },
            "holiday_destination": { "type": "end_call" }, "ignore_holiday": false,
            "play_holiday_prompt": true,
        },
        "agent": {
            "ring_timeout_secs": 15, "retry_interval_secs": 5, "wrap_up_secs": 10,
            "ring_in_use": false, "auto_pause": { "enabled": false, "missed_calls": 3 },
            "announce_id": false,
            "announcement": "",
            "phone_shows_missed": false,
        },
        "callback": {
            "enabled": true, "method": "by_key", "key": "2", "trigger_timeout_secs": 0,
            "outbound_prefix": "9", "timeout_secs": 0,
        },
        "prompts": {
            "join": "", "ring_after_join": false, "waiting_audio": "", "hold_music": "",
            "announcement": "", "announcement_interval_secs": 60, "position": true,
            "estimate": true, "thanks": false, "position_interval_secs": 60, "language": "",
        },
        "alert_info": "queue-ring", "daily_reset_zone": "Asia/Taipei",
        "survey": { "prompt": "survey", "end_prompt": "", "scores": { "1": 1, "2": 0 } },
        "managers": ["1000"],
        "notifications": {
            "missed_call": true, "abandoned_call": false, "callback_requested": true,
            "callback_failed": true, "sla_alarm": true,
        },
        "sla": {
            "time_secs": 60, "evaluation_interval_mins": 30, "alarm_threshold_percent": 80,
        },
        "permissions": {
            "manager": { "rights": ["panel", "agent_state", "missed_calls"] },
            "agent": {
                "rights": ["panel"],
                "call_log": { "enabled": true, "agents": [], "scope": "all" },
            },
        },
        "members": [{ "extension": "1001", "membership": "dynamic", "skill_level": 1 }],
    });
    let written = json!({
        "number": "6400", "name": "Sales", "max_wait_secs": 300,
        "members": [{ "extension": "1001", "membership": "dynamic" }],
    });
    let (written, read, page) = shapes::<api::Queue>(written, &read);
    Entry {
        kind: Kind::Queue,
        path: "queues",
        names: ("Queue", "Queues"),
        words: ("a queue", "queues"),
        written,
        read,
        page,
        patch: json!({ "ring_strategy": "linear", "agent": { "wrap_up_secs": 30 } }),
    }
}

fn users() -> Entry {
    let read = json!({
        "name": "alice", "role": "manager", "extension": "1000", "disabled": false,
    });
    let written = json!({
        "name": "alice", "password": "correct horse battery", "role": "manager",
        "extension": "1000",
    });
    let (written, read, page) = shapes::<api::User>(written, &read);
    Entry {
        kind: Kind::User,
        path: "users",
        names: ("User", "Users"),
        words: ("a user", "users"),
        written,
        read,
        page,
        patch: json!({ "disabled": true }),
    }
}

fn tokens() -> Entry {
    let read = json!({
        "id": "5f0c3b1d9e8a7746", "name": "wallboard", "role": "manager", "extension": null,
        "expires_at": "2027-01-01T00:00:00Z",
    });
    let (written, read, page) = shapes::<api::ApiToken>(read.clone(), &read);
    Entry {
        kind: Kind::ApiToken,
        path: "api-tokens",
        names: ("ApiToken", "ApiTokens"),
        words: ("an API token", "API tokens"),
        written,
        read,
        page,
        patch: json!({ "expires_at": "2027-06-01T00:00:00Z" }),
    }
}

/// (to read, to write) of a kind.
const fn permissions(kind: Kind) -> (Permission, Permission) {
    match kind {
        Kind::User | Kind::ApiToken | Kind::Console => {
            (Permission::AccountsRead, Permission::AccountsWrite)
        }
        Kind::Wallboard => (Permission::WallboardsRead, Permission::WallboardsWrite),
        Kind::Contact => (Permission::ContactsRead, Permission::ContactsWrite),
        Kind::Extension
        | Kind::Trunk
        | Kind::InboundRoute
        | Kind::OutboundRoute
        | Kind::Queue
        | Kind::RingGroup
        | Kind::Ivr
        | Kind::CallFlow
        | Kind::GroupVoicemail
        | Kind::OutboundCode
        | Kind::ChannelCategory
        | Kind::TimeProfile
        | Kind::Settings => (Permission::ConfigRead, Permission::ConfigWrite),
    }
}

/// The operations of the provisioned resources.
pub(crate) fn operations() -> Vec<Operation> {
    let kinds = [
        extensions(),
        trunks(),
        inbound_routes(),
        outbound_routes(),
        channel_categories(),
        outbound_codes(),
        queues(),
        users(),
        tokens(),
    ];
    let kinds = kinds.into_iter().chain(flow::entries());
    let mut operations: Vec<Operation> = kinds.flat_map(crud).collect();
    operations.extend(members());
    operations.extend(settings());
    operations.extend(super::console::operations());
    operations.push(super::import::operation());
    operations
}

fn crud(entry: Entry) -> Vec<Operation> {
    let Entry { kind, path, names: (one, many), words: (a, all), .. } = entry;
    let (reading, writing) = permissions(kind);
    let whole = format!("/api/v1/{path}");
    let single = format!("{whole}/{{{}}}", parameter_of(kind));
    let op = |id: String, method: Method, path: &str, summary: String, handler| {
        Operation::new(id, method, path, summary, handler).tag(path_tag(kind)).kind(kind)
    };
    let list = handler!(super::list);
    let patched = Shape { example: entry.patch, ..entry.written.clone() };
    let saved = super::warnings::shape(kind, &entry.read);
    vec![
        op(format!("list{many}"), Method::GET, &whole, format!("List {all}"), list)
            .needs(reading)
            .query(cursor::QUERY)
            .ok(entry.page),
        created(op, kind, one, &whole, a, &entry.written, &saved).needs(writing),
        op(format!("get{one}"), Method::GET, &single, format!("Show {a}"), handler!(super::show))
            .needs(reading)
            .ok(entry.read.clone()),
        op(
            format!("replace{one}"),
            Method::PUT,
            &single,
            format!("Write {a} anew"),
            handler!(super::replace),
        )
        .needs(writing)
        .conditional()
        .body(entry.written)
        .ok(saved.clone()),
        op(
            format!("change{one}"),
            Method::PATCH,
            &single,
            format!("Change fields of {a} (JSON merge patch)"),
            handler!(super::patch),
        )
        .needs(writing)
        .conditional()
        .body(patched)
        .ok(saved),
        op(
            format!("delete{one}"),
            Method::DELETE,
            &single,
            format!("Delete {a}"),
            handler!(super::remove),
        )
        .needs(writing)
        .conditional(),
    ]
}

fn created(
    op: impl Fn(String, Method, &str, String, crate::operation::Handler) -> Operation,
    kind: Kind,
    one: &str,
    path: &str,
    a: &str,
    written: &Shape,
    read: &Shape,
) -> Operation {
    let (id, summary) = (format!("create{one}"), format!("Make {a}"));
    if kind != Kind::ApiToken {
        return op(id, Method::POST, path, summary, handler!(super::create))
            .body(written.clone())
            .created(read.clone());
    }
    let wish = json!({ "name": "wallboard", "role": "manager" });
    let told = json!({
        "id": "5f0c3b1d9e8a7746", "name": "wallboard", "role": "manager", "extension": null,
        "expires_at": null, "token": "tandem_5f0c3b1d9e8a7746_0f1e2d3c",
    });
    op(id, Method::POST, path, summary, handler!(super::create_token))
        .body(Shape::of::<api::ApiToken>(wish))
        .created(Shape::of::<api::ApiTokenCreated>(told))
        .secret()
}

const fn path_tag(kind: Kind) -> &'static str {
    match kind {
        Kind::User | Kind::ApiToken | Kind::Console => "accounts",
        Kind::Extension
        | Kind::Trunk
        | Kind::InboundRoute
        | Kind::OutboundRoute
        | Kind::Queue
        | Kind::RingGroup
        | Kind::Ivr
        | Kind::CallFlow
        | Kind::GroupVoicemail
        | Kind::OutboundCode
        | Kind::ChannelCategory
        | Kind::TimeProfile
        | Kind::Wallboard
        | Kind::Contact
        | Kind::Settings => "configuration",
    }
}

fn members() -> Vec<Operation> {
    let path = "/api/v1/queues/{number}/members";
    let example = json!({
        "members": [
            { "extension": "1001", "membership": "static", "skill_level": 1 },
            { "extension": "1002", "membership": "dynamic", "skill_level": 1 },
        ],
    });
    let shape = Shape::of::<api::Members>(example);
    let show = handler!(super::show_members);
    let replace = handler!(super::replace_members);
    vec![
        Operation::new("getQueueMembers", Method::GET, path, "Show the agents of a queue", show)
            .tag("configuration")
            .needs(Permission::ConfigRead)
            .kind(Kind::Queue)
            .ok(shape.clone()),
        Operation::new(
            "replaceQueueMembers",
            Method::PUT,
            path,
            "Write the agents of a queue anew",
            replace,
        )
        .tag("configuration")
        .needs(Permission::ConfigWrite)
        .kind(Kind::Queue)
        .conditional()
        .body(shape.clone())
        .ok(shape),
    ]
}

fn settings() -> Vec<Operation> {
    let path = "/api/v1/settings";
    let example = serde_json::to_value(api::Settings::default()).unwrap_or_default();
    let shape = Shape::of::<api::Settings>(example);
    let patched = Shape { example: json!({ "shared_wrap_up": true }), ..shape.clone() };
    let op = |id, method, summary, handler| {
        Operation::new(id, method, path, summary, handler)
            .tag("configuration")
            .kind(Kind::Settings)
            .ok(shape.clone())
    };
    let (show, replace) = (handler!(super::show), handler!(super::replace));
    let some = "Change some of the system's options (JSON merge patch)";
    vec![
        op("getSettings", Method::GET, "Show the system's options", show)
            .needs(Permission::ConfigRead),
        op("replaceSettings", Method::PUT, "Write the system's options anew", replace)
            .needs(Permission::ConfigWrite)
            .conditional()
            .body(shape.clone()),
        op("changeSettings", Method::PATCH, some, handler!(super::patch))
            .needs(Permission::ConfigWrite)
            .conditional()
            .body(patched),
    ]
}
