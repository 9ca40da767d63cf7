use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Node;

/// What each kind is made of in these tests, in the order of their references.
fn kinds() -> Vec<(&'static str, &'static str, Value, Value)> {
    let mut kinds = phones_and_queues();
    kinds.extend(ways_of_calls());
    kinds.extend(routes_and_users());
    kinds
}

fn phones_and_queues() -> Vec<(&'static str, &'static str, Value, Value)> {
    let password = "CANARY-correct-horse";
    vec![
        (
            "extensions",
            "1001",
            json!({ "number": "1001", "password": password }),
            json!({ "name": "Lin" }),
        ),
        (
            "trunks",
            "carrier",
            json!({
                "name": "carrier", "host": "sip.example.net", "mode": "register",
                "auth": { "username": "tandem", "password": password },
            }),
            json!({ "max_calls": 7 }),
        ),
        (
            "queues",
            "6400",
            json!({
                "number": "6400", "name": "Sales",
                "members": [{ "extension": "1001", "membership": "static" }],
            }),
            json!({ "agent": { "wrap_up_secs": 9 } }),
        ),
    ]
}

/// What calls pass through.
fn ways_of_calls() -> Vec<(&'static str, &'static str, Value, Value)> {
    vec![
        (
            "ring-groups",
            "6300",
            json!({ "number": "6300", "name": "Support", "members": ["1001"] }),
            json!({ "strategy": "sequential" }),
        ),
        (
            "group-voicemails",
            "6700",
            json!({ "number": "6700", "name": "Sales", "mailbox": { "pin": "47114711" } }),
            json!({ "members": ["1001"] }),
        ),
        (
            "ivrs",
            "6500",
            json!({
                "number": "6500", "name": "Menu", "prompt": "custom/menu",
                "keys": { "1": { "type": "ring_group", "number": "6300" } },
            }),
            json!({ "max_tries": 2 }),
        ),
        (
            "call-flows",
            "6600",
            json!({
                "number": "6600", "name": "Flow",
                "steps": [{ "action": {
                    "type": "go", "destination": { "type": "group_vm", "number": "6700" },
                } }],
            }),
            json!({ "name": "Another" }),
        ),
    ]
}

fn routes_and_users() -> Vec<(&'static str, &'static str, Value, Value)> {
    let password = "CANARY-correct-horse";
    vec![
        (
            "time-profiles",
            "taipei",
            json!({
                "name": "taipei", "zone": "Asia/Taipei",
                "hours": [{ "days": ["mon"], "from": "09:00", "to": "18:00" }],
                "holidays": [{ "name": "Day", "from": "2026-10-10", "to": "2026-10-10" }],
            }),
            json!({ "zone": "Asia/Tokyo" }),
        ),
        (
            "wallboards",
            "sales",
            json!({
                "name": "sales",
                "all": [{
                    "figure": "waiting", "column": 0, "row": 0, "width": 3, "height": 2,
                }],
            }),
            json!({ "rotation_secs": 60 }),
        ),
        (
            "consoles",
            "alice",
            json!({
                "name": "alice",
                "groups": [{ "name": "Front", "queues": ["6400", "6499"] }],
            }),
            json!({ "alarm_threshold_percent": 70 }),
        ),
        (
            "inbound-routes",
            "main",
            json!({
                "name": "main", "did": ["02X."],
                "destination": { "type": "queue", "number": "6400" },
            }),
            json!({ "enabled": false }),
        ),
        (
            "outbound-routes",
            "out",
            json!({
                "name": "out", "rules": [{ "pattern": "0." }], "trunks": ["carrier"],
            }),
            json!({ "priority": 3 }),
        ),
        (
            "users",
            "alice",
            json!({
                "name": "alice", "password": password, "role": "agent", "extension": "1001",
            }),
            json!({ "disabled": true }),
        ),
    ]
}

#[tokio::test]
async fn every_kind_is_made_read_changed_written_and_deleted() {
    let node = Node::start().await;
    for (path, key, body, patch) in kinds() {
        let whole = format!("/api/v1/{path}");
        let single = format!("{whole}/{key}");
        let made = node.post(&whole, body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{path}: {}", made.text);
        assert_eq!(made.header("location"), single);
        assert_eq!(made.header("etag"), "\"1\"");

        let read = node.get(&single).await;
        let mut kept = made.json();
        if path == "queues" {
            assert_eq!(kept.as_object_mut().unwrap().remove("warnings"), Some(json!([])));
        }
        assert_eq!(read.json(), kept, "{path}");

        let tag = [("if-match", "\"1\"")];
        let changed = node.ask(Method::PATCH, &single, &tag, Some(patch)).await;
        assert_eq!(changed.status, StatusCode::OK, "{path}: {}", changed.text);
        assert_ne!(changed.json(), made.json());

        // What was answered can be written as it is: secrets that are left out stay.
        let tag = [("if-match", "\"2\"")];
        let written = node.ask(Method::PUT, &single, &tag, Some(made.json())).await;
        assert_eq!(written.status, StatusCode::OK, "{path}: {}", written.text);
        assert_eq!(written.json(), made.json());
        assert_eq!(written.header("etag"), "\"3\"");
    }
    for (path, key, ..) in kinds().into_iter().rev() {
        let single = format!("/api/v1/{path}/{key}");
        let tag = [("if-match", "*")];
        let gone = node.ask(Method::DELETE, &single, &tag, None).await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT, "{path}: {}", gone.text);
        assert_eq!(node.get(&single).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn secrets_go_in_and_never_come_out() {
    let node = Node::start().await;
    let mut said = String::new();
    for (path, key, body, patch) in kinds() {
        let whole = format!("/api/v1/{path}");
        said += &node.post(&whole, body).await.text;
        said += &node.get(&whole).await.text;
        let single = format!("{whole}/{key}");
        said += &node.ask(Method::PATCH, &single, &[("if-match", "*")], Some(patch)).await.text;
    }
    said += &node.get("/api/v1/api-tokens").await.text;

    for secret in ["CANARY", "argon2", "password", "secret", "hash", "47114711"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
    let directory = node.edge.office.provisioning().directory();
    assert_eq!(directory.extension("1001").unwrap().password, "CANARY-correct-horse");
    assert_eq!(directory.group_voicemail("6700").unwrap().mailbox.pin, "47114711");
    assert!(directory.user("alice").unwrap().password_hash.starts_with("$argon2id$"));
}

#[tokio::test]
async fn a_write_needs_the_revision_that_it_changes() {
    let node = Node::start().await;
    node.extension("1001").await;
    let path = "/api/v1/extensions/1001";
    let patch = || Some(json!({ "name": "Lin" }));

    let without = node.ask(Method::PATCH, path, &[], patch()).await;
    assert_eq!(without.status, StatusCode::PRECONDITION_REQUIRED);
    for stale in ["\"7\"", "W/\"1\"", "1", "\"2\", \"3\""] {
        let refused = node.ask(Method::PATCH, path, &[("if-match", stale)], patch()).await;
        assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED, "{stale}");
    }
    let done = node.ask(Method::PATCH, path, &[("if-match", "\"9\", \"1\"")], patch()).await;
    assert_eq!(done.status, StatusCode::OK);

    let fresh = node.ask(Method::GET, path, &[("if-none-match", "\"2\"")], None).await;
    assert_eq!(fresh.status, StatusCode::NOT_MODIFIED);
    let old = node.ask(Method::GET, path, &[("if-none-match", "\"1\"")], None).await;
    assert_eq!(old.status, StatusCode::OK);
}

#[tokio::test]
async fn settings_are_there_before_they_were_written() {
    let node = Node::start().await;
    let path = "/api/v1/settings";
    let read = node.get(path).await;
    assert_eq!((read.status, read.header("etag")), (StatusCode::OK, "\"0\""));

    let patch = json!({ "pause_reasons": { "*01": null, "*09": "Training" } });
    let changed = node.ask(Method::PATCH, path, &[("if-match", "\"0\"")], Some(patch)).await;

    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
    let reasons = changed.json()["pause_reasons"].clone();
    assert_eq!(reasons, json!({ "*02": "Break", "*03": "Wrap up", "*09": "Training" }));
    assert_eq!(changed.header("etag"), "\"1\"");
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_double() {
    let node = Node::start().await;
    for number in 1000..1025 {
        node.extension(&number.to_string()).await;
    }
    let mut numbers = Vec::new();
    let mut path = "/api/v1/extensions?limit=10".to_owned();
    let mut pages = 0;
    loop {
        let page = node.get(&path).await.json();
        pages += 1;
        for item in page["items"].as_array().unwrap() {
            numbers.push(item["number"].as_str().unwrap().parse::<u32>().unwrap());
        }
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/extensions?limit=10&cursor={next}");
    }
    assert_eq!(pages, 3);
    assert_eq!(numbers, (1000..1025).collect::<Vec<_>>());
    for wrong in ["limit=0", "limit=501", "limit=x", "cursor=%21"] {
        let refused = node.get(&format!("/api/v1/extensions?{wrong}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn the_members_of_a_queue_are_written_by_themselves() {
    let node = Node::start().await;
    node.extension("1001").await;
    node.post("/api/v1/queues", json!({ "number": "6400", "name": "Sales" })).await;
    let path = "/api/v1/queues/6400/members";
    let member = json!({ "extension": "1001", "membership": "dynamic", "skill_level": 2 });
    let members = json!({ "members": [member] });

    let done = node.ask(Method::PUT, path, &[("if-match", "\"1\"")], Some(members.clone())).await;

    assert_eq!((done.status, done.json()), (StatusCode::OK, members.clone()), "{}", done.text);
    assert_eq!(done.header("etag"), "\"2\"");
    assert_eq!(node.get("/api/v1/queues/6400").await.json()["members"], members["members"]);
    let unknown = json!({ "members": [{ "extension": "1009", "membership": "dynamic" }] });
    let refused = node.ask(Method::PUT, path, &[("if-match", "\"2\"")], Some(unknown)).await;
    assert_eq!(refused.json()["errors"][0]["pointer"], "/members/0/extension");
}

#[tokio::test]
async fn a_key_never_changes() {
    let node = Node::start().await;
    node.extension("1001").await;
    let patch = Some(json!({ "number": "1002" }));
    let path = "/api/v1/extensions/1001";

    let refused = node.ask(Method::PATCH, path, &[("if-match", "\"1\"")], patch).await;

    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.json()["errors"][0]["code"], "read-only");
}

/// The cases of RFC 7396 appendix A whose patch is an object.
#[test]
fn merge_patches_do_what_rfc_7396_says() {
    let cases = [
        (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"a":null}"#, r"{}"),
        (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
        (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
        (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
        (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
        (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
        (r#"[1,2]"#, r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
        (r"{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
    ];
    for (target, patch, result) in cases {
        let mut value: Value = serde_json::from_str(target).unwrap();
        crate::resources::form::merge(&mut value, serde_json::from_str(patch).unwrap());
        assert_eq!(value, serde_json::from_str::<Value>(result).unwrap(), "{target} + {patch}");
    }
}

#[tokio::test]
async fn a_token_is_told_once_and_works() {
    let node = Node::start().await;
    let wish = json!({ "name": "board", "role": "manager", "expires_at": "2099-01-01T00:00:00Z" });
    let made = node.post("/api/v1/api-tokens", wish).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let (text, id) = (made.json()["token"].clone(), made.json()["id"].clone());
    let (text, id) = (text.as_str().unwrap(), id.as_str().unwrap());
    let bearer = format!("Bearer {text}");
    let auth = [("authorization", bearer.as_str())];

    let who = node.ask(Method::GET, "/api/v1/session", &auth, None).await;
    assert_eq!(who.json()["name"], format!("token:{id}"));
    let path = format!("/api/v1/api-tokens/{id}");
    let past = Some(json!({ "expires_at": "2020-01-01T00:00:00Z" }));
    let ended = node.ask(Method::PATCH, &path, &[("if-match", "*")], past).await;
    assert_eq!(ended.status, StatusCode::OK, "{}", ended.text);

    let refused = node.ask(Method::GET, "/api/v1/session", &auth, None).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_import_of_a_thousand_extensions_is_one_request() {
    let node = Node::with(crate::Limits::default()).await;
    let item = |number: u32| {
        // Together they are longer than the body of any other request may be.
        let name = "\u{20bb7}".repeat(63);
        let extension =
            json!({ "number": number.to_string(), "name": name, "password": "correct horse" });
        json!({ "kind": "extension", "resource": extension })
    };
    let mut items: Vec<Value> = (1_000..1_998).map(item).collect();
    items.push(item(1_000));
    items.push(json!({ "kind": "user", "resource": {} }));
    let imported = node.post("/api/v1/import", json!({ "items": items })).await;
    assert_eq!(imported.status, StatusCode::OK, "{}", imported.text);
    let done = imported.json();
    assert_eq!(done["created"], 998);
    let refused = done["refused"].as_array().unwrap();
    let refused: Vec<_> = refused.iter().map(|it| (&it["index"], &it["problem"]["code"])).collect();
    assert_eq!(
        refused,
        [(&json!(998), &json!("already-exists")), (&json!(999), &json!("invalid-fields"))]
    );

    let changed = json!({ "number": "1000", "name": "Chen" });
    let items = [json!({ "kind": "extension", "resource": changed })];
    let again = node.post("/api/v1/import", json!({ "items": items, "overwrite": true })).await;
    assert_eq!(again.json()["replaced"], 1, "{}", again.text);
    assert_eq!(node.get("/api/v1/extensions/1000").await.json()["name"], "Chen");
}
