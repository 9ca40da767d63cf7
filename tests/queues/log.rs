//! The queue call log: who sees which of its calls, and who takes care of the missed ones
//! (section 25).

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::api::items;
use tandem_tests::{Api, Node, Office, Phone};

use crate::{members, set};

const LOG: &str = "/api/v1/queue-log";

/// A client with a token of a role, bound to an extension.
pub(crate) async fn client(office: &Office, role: &str, extension: &str) -> Api {
    let wish = json!({ "name": role, "role": role, "extension": extension });
    let made = office.api.post("/api/v1/api-tokens", wish).await;
    let base = format!("http://{}", office.node.listening.http);
    Api::new(&base, made["token"].as_str().unwrap())
}

/// Calls that one caller gives up, one after the other.
async fn missed(office: &Office, caller: &mut Phone, count: usize) {
    let before = items(&office.api.get(LOG).await).len();
    for index in 1..=count {
        caller.call("6400").await;
        caller.expect_end().await;
        caller.forget();
        office.api.wait_for(LOG, |log| items(log).len() == before + index).await;
    }
}

fn path(entry: &Value) -> String {
    format!("{LOG}/{}", entry["id"].as_str().unwrap())
}

async fn mark(api: &Api, entry: &Value, wish: Value) -> (u16, Value) {
    let answer = api.send(Method::PATCH, &path(entry), &wish).await;
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn delete(api: &Api, entry: &Value) -> u16 {
    api.send(Method::DELETE, &path(entry), &Value::Null).await.status().as_u16()
}

fn states(log: &Value) -> Vec<Value> {
    items(log).iter().map(|entry| entry["state"].clone()).collect()
}

#[tokio::test]
async fn q_520_to_q_539_a_missed_call_is_claimed_once_and_the_claim_survives_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let mut node = Node::start(dir.path()).await;
    let mut api = node.api();
    let queue = json!({ "members": members("static", &["1001"]), "max_wait_secs": 1 });
    api.patch("/api/v1/queues/6400", queue).await;
    let sync = json!({ "result_sync": { "enabled": true, "within_hours": 1 } });
    api.patch("/api/v1/settings", sync).await;
    let (sip, password) = (node.sip("udp"), node.password("1000"));
    let options = json!({ "tone": 700 });
    let mut caller = Phone::registered(sip, "1000", password, dir.path(), options).await;
    for count in 1..=2 {
        caller.call("6400").await;
        caller.expect_end().await;
        caller.forget();
        api.wait_for(LOG, |log| items(log).len() == count).await;
    }
    let log = api.get(LOG).await;
    let (newest, older) = (&items(&log)[0], &items(&log)[1]);
    assert_eq!(states(&log), ["unprocessed", "unprocessed"]);
    assert_eq!((&newest["caller"], &newest["queue"]), (&json!("1000"), &json!("6400")));
    let name = &api.get("/api/v1/extensions/1000").await["name"];
    assert!(!name.as_str().unwrap().is_empty());
    assert_eq!(&newest["caller_name"], name);

    let claim = json!({ "state": "processing", "from": "unprocessed" });
    let (first, marked) = mark(&api, newest, claim.clone()).await;
    let (second, refused) = mark(&api, newest, claim).await;
    assert_eq!((first, second), (200, 409), "{refused}");
    assert_eq!(refused["code"], "already-processed");
    assert_eq!(marked["changes"][0]["to"], "processing");

    node.kill().await;
    node = Node::start(dir.path()).await;
    api = node.api();
    let log = api.get(LOG).await;
    assert_eq!(states(&log), ["processing", "processing"]);
    let synced = api.get(&path(older)).await;
    assert_eq!(synced["changes"][0]["auto_sync"], true, "{synced}");
    assert_eq!(api.get(&path(newest)).await["changes"][0], marked["changes"][0]);
    // Back by hand, and that one only.
    let (status, _) = mark(&api, newest, json!({ "state": "unprocessed" })).await;
    assert_eq!(status, 200);
    assert_eq!(states(&api.get(LOG).await), ["unprocessed", "processing"]);
}

#[tokio::test]
async fn q_523_q_525_q_527_managers_and_agents_see_and_delete_what_their_queue_grants() {
    let office = Office::open().await;
    let queue = json!({
        "members": members("static", &["1001", "1002"]), "max_wait_secs": 1,
        "agent": { "ring_timeout_secs": 10 }, "ring_strategy": "linear",
        "managers": ["1003"],
        "permissions": {
            "manager": { "rights": ["missed_calls"] },
            "agent": { "rights": [], "call_log": { "enabled": true, "agents": ["1001"] } },
        },
    });
    set(&office, queue).await;
    let (boss, agent, other) = (
        client(&office, "manager", "1003").await,
        client(&office, "agent", "1001").await,
        client(&office, "agent", "1002").await,
    );
    let mut caller = office.phone("1000", 700, Value::Null).await;
    missed(&office, &mut caller, 1).await;
    let phone = office.phone("1001", 1_100, json!({ "auto_answer": true })).await;
    set(&office, json!({ "max_wait_secs": 30 })).await;
    caller.call("6400").await;
    caller.expect_state("CONFIRMED").await;
    let answered = |log: &Value| items(log).iter().any(|it| it["outcome"] == "answered");
    office.api.wait_for(LOG, answered).await;
    caller.hang_up().await;
    let talked = |log: &Value| items(log).iter().any(|it| it["talk_secs"].is_number());
    let all = items(&office.api.wait_for(LOG, talked).await);
    drop(phone);

    let outcomes = async |api: &Api| -> Vec<Value> {
        items(&api.get(LOG).await).iter().map(|entry| entry["outcome"].clone()).collect()
    };
    assert_eq!(outcomes(&office.api).await, ["answered", "missed"]);
    assert_eq!(outcomes(&boss).await, ["missed"]);
    assert_eq!(outcomes(&agent).await, ["answered", "missed"]);
    assert!(outcomes(&other).await.is_empty());
    let inbound = format!("{LOG}?kind=inbound&search=1000&queue=6400");
    assert_eq!(items(&office.api.get(&inbound).await).len(), 1);

    let (talk, lost) = (&all[0], &all[1]);
    // Who may not see it can not tell that it is there.
    assert_eq!(mark(&other, lost, json!({ "state": "processed" })).await.0, 404);
    assert_eq!(mark(&agent, talk, json!({ "state": "processed" })).await.1["code"], "was-answered");
    assert_eq!(mark(&agent, lost, json!({ "state": "processed" })).await.0, 200);
    assert_eq!(boss.get(&path(lost)).await["changes"][0]["extension"], "1001");
    // The manager may see but not delete, and the agent may not either, until it is granted.
    assert_eq!((delete(&boss, lost).await, delete(&agent, lost).await), (403, 403));
    let granted = json!({
        "permissions": { "manager": { "rights": ["missed_calls", "delete_missed_calls"] } },
    });
    set(&office, granted).await;
    assert_eq!((delete(&agent, talk).await, delete(&boss, lost).await), (204, 204));
    assert!(outcomes(&agent).await.is_empty());
    assert_eq!(outcomes(&office.api).await, ["answered"], "hidden from the agent only");
    let counts = office.api.get("/api/v1/queues/6400/status").await;
    assert_eq!((&counts["total"], &counts["missed"]), (&json!(2), &json!(1)));
}
