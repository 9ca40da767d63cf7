//! What goes wrong at the API has a status, a code and words.

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use tandem_tests::Office;

/// A request with headers of the test's own; the body goes out as it is.
async fn raw(
    office: &Office,
    method: Method,
    path: &str,
    headers: &[(&'static str, &str)],
    body: &str,
) -> Response {
    let mut map = HeaderMap::new();
    map.insert("content-type", "application/json".parse().unwrap());
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    let url = format!("http://{}{path}", office.node.listening.http);
    Client::new().request(method, url).headers(map).body(body.to_owned()).send().await.unwrap()
}

fn bearer(office: &Office) -> String {
    format!("Bearer {}", office.node.demo.token)
}

async fn assert_problem(answer: Response, status: u16) -> Value {
    assert_eq!(answer.status().as_u16(), status);
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("application/problem+json"), "{kind}");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["status"], status, "{problem}");
    for field in ["type", "title", "detail", "code"] {
        let said = problem[field].as_str().is_some_and(|text| !text.is_empty());
        assert!(said, "{field} is missing: {problem}");
    }
    problem
}

#[tokio::test]
async fn each_wrong_request_gets_the_right_clear_error() {
    let office = Office::open().await;
    let token = bearer(&office);
    let auth = ("authorization", token.as_str());
    let queue = "/api/v1/queues/6400";

    let malformed = raw(&office, Method::POST, "/api/v1/queues", &[auth], "{\"number\": ").await;
    assert_problem(malformed, 400).await;

    let body = json!({ "number": "64x0", "name": "", "max_callers": 10_000 }).to_string();
    let invalid = raw(&office, Method::POST, "/api/v1/queues", &[auth], &body).await;
    let problem = assert_problem(invalid, 400).await;
    let pointers: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["/number", "/name", "/max_callers"], "{problem}");

    let unknown = raw(&office, Method::GET, "/api/v1/queues/9999", &[auth], "").await;
    assert_problem(unknown, 404).await;
    let nowhere = raw(&office, Method::GET, "/api/v1/nowhere", &[auth], "").await;
    assert_problem(nowhere, 404).await;

    let anonymous = raw(&office, Method::GET, "/api/v1/queues", &[], "").await;
    assert_problem(anonymous, 401).await;
    let forged = [("authorization", "Bearer no.such.token")];
    assert_problem(raw(&office, Method::GET, "/api/v1/queues", &forged, "").await, 401).await;

    let body = json!({ "number": "6400", "name": "again" }).to_string();
    let twice = raw(&office, Method::POST, "/api/v1/queues", &[auth], &body).await;
    assert_problem(twice, 409).await;

    let patch = json!({ "name": "renamed" }).to_string();
    let kind = ("content-type", "application/merge-patch+json");
    let stale = [auth, kind, ("if-match", "\"4711\"")];
    assert_problem(raw(&office, Method::PATCH, queue, &stale, &patch).await, 412).await;
    let blind = [auth, kind];
    assert_problem(raw(&office, Method::PATCH, queue, &blind, &patch).await, 428).await;

    let name = office.api.get(queue).await["name"].clone();
    assert_eq!(name, "Demo queue");
}

#[tokio::test]
async fn two_writers_of_one_revision_do_not_overwrite_each_other() {
    let office = Office::open().await;
    let token = bearer(&office);
    let queue = "/api/v1/queues/6400";
    let auth = ("authorization", token.as_str());
    let read = raw(&office, Method::GET, queue, &[auth], "").await;
    let etag = read.headers()["etag"].to_str().unwrap().to_owned();
    let headers =
        [auth, ("if-match", etag.as_str()), ("content-type", "application/merge-patch+json")];

    let first = raw(&office, Method::PATCH, queue, &headers, r#"{"name":"first"}"#).await;
    let second = raw(&office, Method::PATCH, queue, &headers, r#"{"name":"second"}"#).await;

    assert!(first.status().is_success(), "{}", first.status());
    assert_ne!(first.headers()["etag"].to_str().unwrap(), etag);
    assert_problem(second, 412).await;
    assert_eq!(office.api.get(queue).await["name"], "first");
}

#[tokio::test]
async fn a_request_that_is_repeated_with_its_idempotency_key_is_carried_out_once() {
    let office = Office::open().await;
    let token = bearer(&office);
    let headers = [("authorization", token.as_str()), ("idempotency-key", "4f6b0f3e-once")];
    let body = json!({ "number": "6410", "name": "once" }).to_string();

    let first = raw(&office, Method::POST, "/api/v1/queues", &headers, &body).await;
    let again = raw(&office, Method::POST, "/api/v1/queues", &headers, &body).await;

    assert_eq!(first.status().as_u16(), 201);
    assert_eq!(again.status().as_u16(), 201);
    let (first, again): (Value, Value) = (first.json().await.unwrap(), again.json().await.unwrap());
    assert_eq!(first, again);
}

#[tokio::test]
async fn passwords_and_token_secrets_never_leave_by_the_api() {
    let office = Office::open().await;

    for path in ["/api/v1/extensions", "/api/v1/api-tokens", "/api/v1/users"] {
        let text = office.api.get(path).await.to_string();
        assert!(!text.contains(office.node.password("1001")), "{path}: {text}");
        assert!(!text.contains("secret_hash"), "{path}: {text}");
        assert!(!text.contains("password_hash"), "{path}: {text}");
    }
}

#[tokio::test]
async fn the_document_of_the_api_describes_every_route() {
    let office = Office::open().await;
    let document = office.api.get("/api/openapi.json").await;

    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let methods = ["get", "post", "put", "patch", "delete"];
    let mut routes = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if !methods.contains(&method.as_str()) {
                continue;
            }
            routes += 1;
            // What neither takes nor gives a body has nothing to show.
            let has_body = operation["requestBody"].is_object()
                || operation["responses"]["200"]["content"].is_object()
                || operation["responses"]["201"]["content"].is_object();
            let text = operation.to_string();
            assert!(!has_body || text.contains("example"), "{method} {path} has no example");
            let permission = operation["x-permission"].is_string();
            assert!(permission, "{method} {path} does not say its permission");
        }
    }
    assert!(routes > 35, "only {routes} routes");
}

#[tokio::test]
async fn q_021_new_queues_have_a_number_of_the_range_and_those_outside_of_it_go_on() {
    let office = Office::open().await;
    let token = bearer(&office);
    let auth = [("authorization", token.as_str())];
    let create = async |number: &str| {
        let body = json!({ "number": number, "name": "new" }).to_string();
        raw(&office, Method::POST, "/api/v1/queues", &auth, &body).await
    };
    let refused = async |number: &str, range: &str| {
        let problem = assert_problem(create(number).await, 400).await;
        assert_eq!(problem["code"], "invalid-fields", "{problem}");
        let errors = problem["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{problem}");
        assert_eq!(errors[0]["pointer"], "/number", "{problem}");
        assert_eq!(errors[0]["code"], "out-of-range", "{problem}");
        assert!(errors[0]["detail"].as_str().unwrap().contains(range), "{problem}");
    };

    for number in ["6399", "6500", "06400", "64000000000000"] {
        refused(number, "from 6400 to 6499").await;
    }
    assert_eq!(create("6499").await.status().as_u16(), 201);

    // The queues 6400 and 6499 are outside of the range from here on.
    let range = json!({ "queue_numbers": { "first": 6_500, "last": 6_599 } });
    office.api.patch("/api/v1/settings", range).await;
    refused("6498", "from 6500 to 6599").await;
    assert_eq!(create("6500").await.status().as_u16(), 201);
    assert_eq!(office.api.get("/api/v1/next-queue-number").await["number"], "6501");
    let queue = json!({
        "name": "renamed", "members": [{ "extension": "1001", "membership": "static" }],
    });
    office.api.patch("/api/v1/queues/6400", queue).await;
    assert_eq!(office.api.get("/api/v1/queues/6400").await["name"], "renamed");
    let mut agent = office.phone("1001", 0, json!({ "auto_answer": true })).await;
    let mut caller = office.phone("1000", 0, Value::Null).await;
    caller.call("6400").await;
    agent.expect_state("CONFIRMED").await;
    caller.hang_up().await;
    caller.expect_end().await;
}
