//! Ring groups, menus, call flows, group voicemails and time profiles, as they are documented.

use serde_json::json;
use tandem_api::resource as api;
use tandem_config::Kind;

use super::{Entry, shapes};

pub(super) fn entries() -> [Entry; 8] {
    [
        ring_groups(),
        ivrs(),
        call_flows(),
        group_voicemails(),
        time_profiles(),
        wallboards(),
        contacts(),
        consoles(),
    ]
}

fn ring_groups() -> Entry {
    let read = json!({
        "number": "6300", "name": "Support", "strategy": "sequential", "ring_timeout_secs": 15,
        "members": ["1001"], "failover": { "type": "end_call" },
    });
    let (written, read, page) = shapes::<api::RingGroup>(read.clone(), &read);
    Entry {
        kind: Kind::RingGroup,
        path: "ring-groups",
        names: ("RingGroup", "RingGroups"),
        words: ("a ring group", "ring groups"),
        written,
        read,
        page,
        patch: json!({ "strategy": "ring_all" }),
    }
}

fn ivrs() -> Entry {
    let read = json!({
        "number": "6500", "name": "Main menu", "prompt": "custom/welcome",
        "keys": {
            "0": { "type": "extension", "number": "1001" },
            "9": { "type": "play_greeting", "prompt": "custom/directions", "times": 1 },
        },
        "dial_by_extension": true, "timeout_secs": 5, "digit_timeout_secs": 3, "max_tries": 3,
        "timeout": { "type": "extension", "number": "1001" }, "invalid_prompt": "",
        "invalid": { "type": "end_call" },
    });
    let (written, read, page) = shapes::<api::Ivr>(read.clone(), &read);
    Entry {
        kind: Kind::Ivr,
        path: "ivrs",
        names: ("Ivr", "Ivrs"),
        words: ("a menu", "menus"),
        written,
        read,
        page,
        patch: json!({ "max_tries": 2 }),
    }
}

fn call_flows() -> Entry {
    let hours = json!({
        "zone": "Asia/Taipei", "days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00",
        "to": "18:00",
    });
    let read = json!({
        "number": "6600", "name": "Orders",
        "steps": [
            {
                "when": { "hours": hours, "caller": [], "digits": [] },
                "action": {
                    "type": "collect", "prompt": "custom/order-number", "max_digits": 6,
                    "timeout_secs": 5,
                },
            },
            {
                "when": { "hours": null, "caller": [], "digits": ["9XXXXX"] },
                "action": {
                    "type": "go", "destination": { "type": "extension", "number": "1001" },
                },
            },
        ],
    });
    let (written, read, page) = shapes::<api::CallFlow>(read.clone(), &read);
    Entry {
        kind: Kind::CallFlow,
        path: "call-flows",
        names: ("CallFlow", "CallFlows"),
        words: ("a call flow", "call flows"),
        written,
        read,
        page,
        patch: json!({ "name": "Orders and questions" }),
    }
}

fn group_voicemails() -> Entry {
    let mut read = json!({
        "number": "6700", "name": "Sales voicemail", "members": ["1001"],
        "mailbox": {
            "greeting": "custom/sales-closed", "email": ["sales@example.net"],
            "max_message_secs": 180, "max_messages": 100,
        },
    });
    let shown = read.clone();
    read["mailbox"]["pin"] = json!("4711");
    let (written, read, page) = shapes::<api::GroupVoicemail>(read, &shown);
    Entry {
        kind: Kind::GroupVoicemail,
        path: "group-voicemails",
        names: ("GroupVoicemail", "GroupVoicemails"),
        words: ("a group voicemail", "group voicemails"),
        written,
        read,
        page,
        patch: json!({ "members": [] }),
    }
}

fn time_profiles() -> Entry {
    let days = ["mon", "tue", "wed", "thu", "fri"];
    let read = json!({
        "name": "taipei", "zone": "Asia/Taipei",
        "hours": [{ "days": days, "from": "09:00", "to": "18:00" }],
        "holidays": [{
            "name": "National Day", "from": "2026-10-10", "to": "2026-10-10", "every_year": true,
            "prompt": "custom/national-day",
        }],
    });
    let (written, read, page) = shapes::<api::TimeProfile>(read.clone(), &read);
    Entry {
        kind: Kind::TimeProfile,
        path: "time-profiles",
        names: ("TimeProfile", "TimeProfiles"),
        words: ("a time profile", "time profiles"),
        written,
        read,
        page,
        patch: json!({ "zone": "Asia/Tokyo" }),
    }
}

fn wallboards() -> Entry {
    let tile = |figure: &str, column: u8| {
        json!({
            "figure": figure, "column": column, "row": 0, "width": 3, "height": 2,
            "locked": false, "description": "",
        })
    };
    let read = json!({
        "name": "sales", "all": [tile("waiting", 0), tile("answered_rate", 3)],
        "single": [], "rotation_secs": 30,
    });
    let (written, read, page) = shapes::<api::Wallboard>(read.clone(), &read);
    Entry {
        kind: Kind::Wallboard,
        path: "wallboards",
        names: ("Wallboard", "Wallboards"),
        words: ("a wallboard", "wallboards"),
        written,
        read,
        page,
        patch: json!({ "rotation_secs": 60 }),
    }
}

fn consoles() -> Entry {
    let read = crate::resources::console::example();
    let (written, read, page) = shapes::<api::Console>(read.clone(), &read);
    Entry {
        kind: Kind::Console,
        path: "consoles",
        names: ("Console", "Consoles"),
        words: ("a user's own arrangement of the panel", "users' arrangements of the panel"),
        written,
        read,
        page,
        patch: json!({ "alarm_threshold_percent": 90 }),
    }
}

fn contacts() -> Entry {
    let read = json!({
        "id": "chen-mei", "name": "Chen Mei", "company": "Acme", "numbers": ["0912-345-678"],
    });
    let (written, read, page) = shapes::<api::Contact>(read.clone(), &read);
    Entry {
        kind: Kind::Contact,
        path: "contacts",
        names: ("Contact", "Contacts"),
        words: ("a contact", "contacts"),
        written,
        read,
        page,
        patch: json!({ "company": "Acme Ltd." }),
    }
}
