//! Requests to the HTTP API of a node.

use reqwest::{Client, Method, Response};
use serde_json::Value;

/// A client with a bearer token.
#[derive(Clone, Debug)]
pub struct Api {
    client: Client,
    base: String,
    token: String,
}

impl Api {
    /// A client for a node.
    #[must_use]
    pub fn new(base: &str, token: &str) -> Self {
        Self { client: Client::new(), base: base.to_owned(), token: token.to_owned() }
    }

    /// Sends a request; `body` null sends none.
    ///
    /// # Panics
    /// When the node does not answer.
    pub async fn send(&self, method: Method, path: &str, body: &Value) -> Response {
        let mut request =
            self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        if !body.is_null() {
            request = request.json(body);
        }
        request.send().await.expect("the node answers")
    }

    /// Reads JSON.
    ///
    /// # Panics
    /// When the answer is no success.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.send(Method::GET, path, &Value::Null).await;
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or(Value::Null);
        assert!(status.is_success(), "GET {path}: {status} {body}");
        body
    }

    /// Posts JSON.
    ///
    /// # Panics
    /// When the answer is no success.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.send(Method::POST, path, &body).await;
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        assert!(status.is_success(), "POST {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Merges a patch into a resource at its newest revision.
    ///
    /// # Panics
    /// When the answer is no success.
    pub async fn patch(&self, path: &str, patch: Value) -> Value {
        let before = self.send(Method::GET, path, &Value::Null).await;
        let etag = before.headers()["etag"].clone();
        let answer = self
            .client
            .patch(format!("{}{path}", self.base))
            .bearer_auth(&self.token)
            .header("if-match", etag)
            .header("content-type", "application/merge-patch+json")
            .body(patch.to_string())
            .send()
            .await
            .expect("the node answers");
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        assert!(status.is_success(), "PATCH {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Polls a path until the JSON fits, at most 20 s.
    ///
    /// # Panics
    /// When it never does.
    pub async fn wait_for(&self, path: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..200 {
            last = self.get(path).await;
            if fits(&last) {
                return last;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("{path} never became what was waited for: {last}");
    }
}
