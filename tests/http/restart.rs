//! kill -9: who has signed in stays so, a request that is sent again is not done twice, and the
//! audit log tells of all that was acknowledged.

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tandem_tests::{Node, api};

struct Caller<'a> {
    node: &'a Node,
    token: &'a str,
}

impl Caller<'_> {
    /// The status and the body of an answer.
    async fn ask(&self, method: Method, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let url = format!("http://{}{path}", self.node.listening.http);
        let mut request = Client::new().request(method, url).bearer_auth(self.token);
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }
}

#[tokio::test]
async fn sessions_keys_and_the_audit_outlive_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut node = Node::start(dir.path()).await;
    let admin = node.demo.token.clone();
    let user = json!({ "name": "alice", "password": "correct horse", "role": "admin" });
    node.api().post("/api/v1/users", user).await;
    let sign_in = json!({ "name": "alice", "password": "correct horse" });
    let opened = node.api().post("/api/v1/session", sign_in).await;
    let session = opened["token"].as_str().unwrap().to_owned();
    let trunk = |index: u32| json!({ "name": format!("trunk-{index}"), "host": "192.0.2.1" });
    let caller = Caller { node: &node, token: &session };
    let mut first = Vec::new();
    for index in 0..20 {
        let key = format!("key-{index}");
        first.push(caller.ask(Method::POST, "/api/v1/trunks", &key, &trunk(index)).await);
    }
    assert!(first.iter().all(|(status, _)| *status == 201), "{first:?}");
    node.kill().await;

    let mut node = Node::start(dir.path()).await;
    let caller = Caller { node: &node, token: &session };
    let (status, who) = caller.ask(Method::GET, "/api/v1/session", "", &Value::Null).await;
    assert_eq!((status, &who["name"]), (200, &json!("user:alice")));
    for (index, before) in (0..).zip(&first) {
        let key = format!("key-{index}");
        let again = caller.ask(Method::POST, "/api/v1/trunks", &key, &trunk(index)).await;
        assert_eq!(&again, before);
    }
    let trunks = node.api().get("/api/v1/trunks?limit=100").await;
    assert_eq!(api::items(&trunks).len(), 20);
    let query = "/api/v1/audit?by=user:alice&limit=100";
    let (_, forbidden) =
        Caller { node: &node, token: "" }.ask(Method::GET, query, "", &Value::Null).await;
    assert_eq!(forbidden["code"], "unauthenticated");
    let Caller { node: _, token: _ } = caller;
    let log = node.api().wait_for(query, |log| api::items(log).len() >= 21).await;
    let told: Vec<String> = api::items(&log)
        .iter()
        .map(|entry| format!("{} {}", entry["action"].as_str().unwrap(), entry["key"]))
        .collect();
    assert_eq!(told.len(), 21, "{told:?}");
    assert!(told[..20].iter().all(|it| it.starts_with("created \"trunk-")), "{told:?}");
    assert_eq!(told[20], "signed-in \"alice\"");
    assert_eq!(admin, node.demo.token);
    node.stop().await;
}
