//! Requests to the HTTP API of a node.

use reqwest::{Client, Method, Response};
use serde_json::Value;

/// The elements of a list, whatever envelope it comes in.
#[must_use]
pub fn items(answer: &Value) -> Vec<Value> {
    let list = answer.as_array().or_else(|| answer["items"].as_array());
    list.cloned().unwrap_or_default()
}

/// A span of a record in seconds.
#[must_use]
pub fn secs(record: &Value, name: &str) -> f64 {
    record[name].as_f64().unwrap_or(f64::NAN)
}

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

    /// Uploads a prompt of a tone and gives its name in the library.
    ///
    /// # Panics
    /// When the answer is no success.
    pub async fn upload_tone(&self, name: &str, hertz: f64, secs: f64) -> String {
        let url = format!("{}/api/v1/prompts/{name}", self.base);
        let request = self.client.put(url).bearer_auth(&self.token);
        let request = request.header("content-type", "audio/wav");
        let answer = request.body(crate::sound::tone(hertz, secs)).send().await.unwrap();
        let status = answer.status();
        assert!(status.is_success(), "PUT {name}: {status} {:?}", answer.text().await);
        format!("custom/{name}")
    }

    /// Reads bytes.
    ///
    /// # Panics
    /// When the answer is no success.
    pub async fn bytes(&self, path: &str) -> Vec<u8> {
        let answer = self.send(Method::GET, path, &Value::Null).await;
        assert!(answer.status().is_success(), "GET {path}: {}", answer.status());
        answer.bytes().await.unwrap().into()
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

    /// Writes a resource anew at its newest revision and gives the answer, be it a refusal.
    ///
    /// # Panics
    /// When the node does not answer.
    pub async fn put(&self, path: &str, body: &Value) -> Value {
        let before = self.send(Method::GET, path, &Value::Null).await;
        let etag = before.headers()["etag"].clone();
        let request = self.client.put(format!("{}{path}", self.base)).bearer_auth(&self.token);
        let answer = request.header("if-match", etag).json(body).send().await;
        answer.expect("the node answers").json().await.unwrap_or(Value::Null)
    }

    /// Removes a resource at its newest revision.
    ///
    /// # Panics
    /// When the answer is no success.
    pub async fn remove(&self, path: &str) {
        let before = self.send(Method::GET, path, &Value::Null).await;
        let etag = before.headers()["etag"].clone();
        let request = self.client.delete(format!("{}{path}", self.base)).bearer_auth(&self.token);
        let answer = request.header("if-match", etag).send().await.expect("the node answers");
        assert!(answer.status().is_success(), "DELETE {path}: {}", answer.status());
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

    /// Polls a path until it is there, at most 20 s.
    ///
    /// # Panics
    /// When it never is.
    pub async fn wait_for_found(&self, path: &str) {
        for _ in 0..200 {
            if self.send(Method::GET, path, &Value::Null).await.status().is_success() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("{path} never came");
    }

    /// Waits for so many call records that fit a query such as `number=1001`, and gives all that
    /// do. A record is written a little after its call has ended.
    pub async fn records(&self, count: usize, query: &str) -> Vec<Value> {
        let path = format!("/api/v1/call-records?{query}");
        items(&self.wait_for(&path, |answer| items(answer).len() >= count).await)
    }

    /// Waits for the one record that fits a query.
    pub async fn record(&self, query: &str) -> Value {
        let path = format!("/api/v1/call-records?{query}");
        let found = self.wait_for(&path, |answer| !items(answer).is_empty()).await;
        items(&found)[0].clone()
    }

    /// Waits for the one live call and gives its view.
    pub async fn call(&self) -> Value {
        let found = self.wait_for("/api/v1/calls", |answer| !items(answer).is_empty()).await;
        items(&found)[0].clone()
    }
}
