//! The edge over a real journal, without telephony.
#![allow(clippy::unwrap_used)]

mod audit;
mod console;
mod document;
mod events;
mod manual;
mod pages;
mod panel;
mod problems;
mod queue_rights;
mod repeats;
mod resources;
mod rights;
mod serving;
mod sessions;
mod warnings;
mod wire;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tandem_actors::audit::Audit;
use tandem_actors::entity;
use tandem_actors::office::{Office, Parts, Principal};
use tandem_actors::provisioning::Provisioning;
use tandem_actors::repeats::Repeats;
use tandem_actors::sessions::Sessions;
use tandem_config::Resource;
use tandem_config::resource::Role;
use tandem_journal::{Config, Journal};
use tandem_kernel::{Clock, Position};
use tandem_store::{Options, Store};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::{Cost, Edge, Limits, Passwords, Rate, router, tokens};

/// A node's edge with an administrator's token.
struct Node {
    edge: Edge,
    router: Router,
    journal: Journal,
    admin: String,
    dir: TempDir,
}

struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answered {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn generous() -> Limits {
    let rate = Rate { burst: 100_000, per_sec: 100_000 };
    Limits {
        principal: rate,
        stranger: rate,
        event_patience: Duration::from_secs(2),
        ..Limits::default()
    }
}

/// The audit log of a journal, in a folder that goes with the test.
fn audit_of(journal: &Journal) -> Audit {
    let dir = tempfile::tempdir().unwrap();
    let audit = Audit::new(Store::open(dir.path(), &Options::default()).unwrap());
    let (taken, mut subscription) = (audit.clone(), journal.subscribe(Position::START));
    tandem_kernel::spawn("audit", async move {
        let _dir = dir;
        while let Ok(record) = subscription.next().await {
            taken.apply(&record);
        }
    });
    audit
}

impl Node {
    async fn start() -> Self {
        Self::with(generous()).await
    }

    async fn with(limits: Limits) -> Self {
        let mut node = Self::open(tempfile::tempdir().unwrap(), limits).await;
        node.admin = node.token(Role::Admin, None).await;
        node
    }

    /// The same folder after the node ended.
    async fn restarted(self) -> Self {
        let Self { edge, router, journal, admin, dir } = self;
        drop((edge, router));
        journal.close().await.unwrap();
        let mut node = Self::open(dir, generous()).await;
        node.admin = admin;
        node
    }

    async fn open(dir: TempDir, limits: Limits) -> Self {
        let clock = Clock::start();
        let journal = Journal::open(Config::new(dir.path(), clock)).await.unwrap();
        let provisioning = Provisioning::new(journal.clone(), clock);
        let sessions = Sessions::new(provisioning.clone(), journal.clone(), clock);
        let repeats = Repeats::new(journal.clone(), clock);
        for record in journal.read(Position::START, 10_000).await.unwrap() {
            let (at, key, event) = (record.at, &record.entity.key, &record.event);
            match record.entity.kind {
                entity::RESOURCE => provisioning.replay(at, record.version, event).unwrap(),
                entity::SESSION => sessions.replay(at, key, event).unwrap(),
                entity::REPEAT => repeats.replay(at, key, event).unwrap(),
                _ => {}
            }
        }
        let audit = audit_of(&journal);
        let office = Office::new(Parts {
            sessions,
            repeats,
            provisioning,
            journal: journal.clone(),
            records: None,
            audit: Some(audit),
            exchange: None,
            folders: tandem_actors::backup::Folders::default(),
            spare: std::env::temp_dir(),
        });
        let passwords = Passwords::new(Cost { memory_kib: 64, passes: 1 }).unwrap();
        let edge = Edge::new(office, None, clock, passwords, limits);
        let router = router(&edge);
        Self { edge, router, journal, admin: String::new(), dir }
    }

    async fn token(&self, role: Role, extension: Option<&str>) -> String {
        let (mut token, text) = tokens::fresh("test", role).unwrap();
        token.extension = extension.map(str::to_owned);
        let by = Principal::system();
        let provisioning = self.edge.office.provisioning();
        provisioning.create(&by, Resource::ApiToken(token)).await.unwrap();
        text
    }

    async fn send(&self, request: Request<Body>) -> Answered {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answered { status: head.status, headers: head.headers, text }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answered {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.admin));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    async fn get(&self, path: &str) -> Answered {
        self.ask(Method::GET, path, &[], None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answered {
        self.ask(Method::POST, path, &[], Some(body)).await
    }

    async fn extension(&self, number: &str) {
        let body = json!({ "number": number, "password": "correct horse" });
        let made = self.post("/api/v1/extensions", body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    }
}
