use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Answered, Node, generous};
use crate::{Limits, Rate};

fn request(node: &Node, method: Method, path: &str, media_type: &str, body: &str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {}", node.admin))
        .header("content-type", media_type)
        .body(Body::from(body.to_owned()))
        .unwrap()
}

fn is_problem(answered: &Answered, status: u16, code: &str) {
    assert_eq!(answered.status.as_u16(), status, "{}", answered.text);
    assert_eq!(answered.header("content-type"), "application/problem+json");
    let body = answered.json();
    assert_eq!(body["code"], code, "{body}");
    assert_eq!(body["status"], status);
    assert_eq!(body["type"], format!("/manual/problems/{code}"));
    assert_eq!(body["instance"], answered.header("x-request-id"));
}

#[tokio::test]
async fn every_refusal_is_a_problem() {
    let node = Node::start().await;
    let json = "application/json";
    let path = "/api/v1/extensions";
    let cases = [
        (Method::POST, path, json, "{\"number\":", 400, "malformed-json"),
        (Method::POST, path, json, "[]", 400, "invalid-fields"),
        (Method::POST, path, "text/plain", "{}", 415, "wrong-media-type"),
        (Method::DELETE, path, json, "", 405, "wrong-method"),
        (Method::GET, "/api/v1/nothing", json, "", 404, "no-route"),
        (Method::GET, "/api/v1/extensions/9", json, "", 404, "not-found"),
        (Method::GET, "/api/v1/extensions?colour=red", json, "", 400, "invalid-parameter"),
        (Method::GET, "/api/v1/calls/junk", json, "", 404, "not-found"),
        (Method::GET, "/api/v1/call-records?since=noon", json, "", 400, "invalid-parameter"),
    ];
    for (method, path, media_type, body, status, code) in cases {
        let answered = node.send(request(&node, method, path, media_type, body)).await;
        is_problem(&answered, status, code);
    }
    let large = format!("\"{}\"", "x".repeat(300_000));
    is_problem(
        &node.send(request(&node, Method::POST, path, json, &large)).await,
        413,
        "too-large",
    );
}

#[tokio::test]
async fn wrong_fields_are_named_by_pointer() {
    let node = Node::start().await;
    let cases = [
        (
            json!({ "number": "1001", "password": "correct horse", "colour": "red" }),
            "/colour",
            "unknown-field",
        ),
        (json!({ "password": "correct horse" }), "", "missing-field"),
        (json!({ "number": "1001" }), "/password", "required"),
        (json!({ "number": "1001", "password": "short" }), "/password", "weak-password"),
        (
            json!({ "number": "1001", "password": "correct horse", "codecs": ["pcmu", 7] }),
            "/codecs/1",
            "wrong-value",
        ),
        (
            json!({ "number": "1001", "password": "correct horse", "codecs": ["gsm"] }),
            "/codecs/0",
            "unknown-codec",
        ),
    ];
    for (body, pointer, code) in cases {
        let answered = node.post("/api/v1/extensions", body.clone()).await;
        is_problem(&answered, 400, "invalid-fields");
        let error = &answered.json()["errors"][0];
        assert_eq!((&error["pointer"], &error["code"]), (&json!(pointer), &json!(code)), "{body}");
    }
}

#[tokio::test]
async fn a_refused_method_names_the_allowed_ones() {
    let node = Node::start().await;
    let answered = node.ask(Method::DELETE, "/api/v1/extensions", &[], None).await;
    assert_eq!(answered.header("allow"), "GET, POST");
}

#[tokio::test]
async fn without_a_valid_token_nothing_is_told() {
    let node = Node::start().await;
    let wrong = format!("Bearer tandem_{}", "0".repeat(40));
    for value in ["Bearer x", "Basic eA==", wrong.as_str(), "Bearer session_0", "\u{7f}"] {
        let auth = [("authorization", value)];
        let Ok(_) = axum::http::HeaderValue::from_str(value) else { continue };
        let answered = node.ask(Method::GET, "/api/v1/extensions", &auth, None).await;
        is_problem(&answered, 401, "unauthenticated");
        assert!(answered.header("www-authenticate").starts_with("Bearer"));
    }
}

#[tokio::test]
async fn the_actors_refusals_keep_their_codes() {
    let node = Node::start().await;
    node.extension("1001").await;
    let again = json!({ "number": "1001", "password": "correct horse" });
    is_problem(&node.post("/api/v1/extensions", again).await, 409, "already-exists");
    let call = json!({ "from": "1001", "to": "1002" });
    let answered = node.post("/api/v1/calls", call).await;
    is_problem(&answered, 503, "unavailable");
    assert!(!answered.header("retry-after").is_empty());
}

#[tokio::test]
async fn too_many_requests_of_one_principal_are_put_off() {
    let rate = Rate { burst: 3, per_sec: 1 };
    let node = Node::with(Limits { principal: rate, ..generous() }).await;
    for left in [2, 1, 0] {
        let answered = node.get("/api/v1/extensions").await;
        assert_eq!(answered.status, StatusCode::OK);
        assert_eq!(answered.header("ratelimit-policy"), "\"principal\";q=3;w=3");
        let now = format!("\"principal\";r={left};t={}", 3 - left);
        assert_eq!(answered.header("ratelimit"), now);
    }
    let answered = node.get("/api/v1/extensions").await;
    is_problem(&answered, 429, "too-many-requests");
    assert_eq!(answered.header("retry-after"), "1");
    assert_eq!(answered.header("ratelimit"), "\"principal\";r=0;t=3");
}

#[tokio::test]
async fn every_answer_has_an_id_and_the_security_headers() {
    let node = Node::start().await;
    let given = [("x-request-id", "ticket-42")];
    let answered = node.ask(Method::GET, "/livez", &given, None).await;
    assert_eq!(answered.status, StatusCode::OK);
    assert_eq!(answered.header("x-request-id"), "ticket-42");
    assert_eq!(answered.header("x-content-type-options"), "nosniff");
    assert_eq!(answered.header("cache-control"), "no-store");
    assert!(answered.header("content-security-policy").starts_with("default-src 'none'"));
    let junk = [("x-request-id", "a b")];
    let own = node.ask(Method::GET, "/livez", &junk, None).await;
    assert_eq!(own.header("x-request-id").len(), 36);
}

#[tokio::test]
async fn readiness_names_what_is_missing() {
    let node = Node::start().await;
    let answered = node.get("/readyz").await;
    is_problem(&answered, 503, "not-ready");
    let errors = answered.json()["errors"].clone();
    assert!(errors.as_array().unwrap().iter().any(|error| error["pointer"] == "/sip"), "{errors}");
}

/// JSON of any kind, with the names of real fields among its names.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    let name = prop_oneof![
        "[a-z]{1,4}",
        Just("number".into()),
        Just("auth".into()),
        Just("members".into()),
        Just("destination".into()),
        Just("name".into())
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_body_makes_the_server_fail(body in any_json()) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let node = Node::start().await;
            for operation in crate::table::operations() {
                if operation.body.is_none() || operation.path.contains('{') {
                    continue;
                }
                let given = [("if-match", "*")];
                let method = operation.method.clone();
                let answered =
                    node.ask(method, &operation.path, &given, Some(body.clone())).await;
                let failed = answered.status == StatusCode::INTERNAL_SERVER_ERROR;
                assert!(!failed, "{} {body} {}", operation.id, answered.text);
            }
        });
    }
}

/// An administrator's script that makes a thousand extensions one by one is no attack; who has no
/// valid token is slowed down after a few.
#[tokio::test]
async fn a_thousand_quick_requests_of_an_administrator_pass_and_forty_of_a_stranger_do_not() {
    let node = Node::with(Limits::default()).await;
    for _ in 0..1_000 {
        assert_eq!(node.get("/api/v1/session").await.status, StatusCode::OK);
    }
    let mut refused = Vec::new();
    for _ in 0..60 {
        let request = Request::builder()
            .uri("/api/v1/session")
            .header("authorization", "Bearer tandem_0_0")
            .extension(axum::extract::ConnectInfo(crate::listener::Peer([192, 0, 2, 1].into())))
            .body(Body::empty())
            .unwrap();
        refused.push(node.send(request).await.status.as_u16());
    }
    assert_eq!(refused[..40], [401; 40]);
    assert_eq!(refused[59], 429);
}
