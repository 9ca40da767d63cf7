//! The compatibility door: the dial-out API of the UC series at `/api/v0.0.1` (section D), for
//! programs that were written for it. Off unless the node's file opens it.
//!
//! | Concern                                  | Owner       |
//! |------------------------------------------|-------------|
//! | JSON and XML, in and out                 | `form`, `xml` |
//! | Log-in, tokens, lock-out                 | `door`      |
//! | What the actions do                      | `actions`   |
//! | Error numbers                            | `errno`     |
//!
//! Invariants: what was understood is answered 200 and says `Success` or `Failed`; every answer
//! carries the two documented headers; nobody is let in by a cookie.

mod actions;
mod door;
mod errno;
mod form;
#[cfg(test)]
mod tests;
mod xml;

use std::net::IpAddr;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use self::door::Door;
use self::errno::Errno;
use self::form::{Fields, Kind, Value};
use crate::edge::Edge;
use crate::limits::network;
use crate::listener::Peer;

/// The longest body, in bytes (D-018).
const MOST: usize = 64 * 1024;
const PREFIXES: [&str; 2] = ["/api/v0.0.1", "/api/v1.1.0"];

/// An account of the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub username: String,
    /// The MD5 of its password, 32 lower-case hex digits (D-041).
    pub password_md5: String,
    /// Extensions that it may use; empty: all (D-039).
    pub extensions: Vec<String>,
}

/// How the door is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Who may log in.
    pub accounts: Vec<Account>,
    /// The origin that browsers are told; `*` unless an operator narrows it (D-052).
    pub origin: String,
}

/// The open door.
pub(crate) struct Compat {
    pub(crate) door: Door,
    origin: HeaderValue,
}

impl Compat {
    pub(crate) fn new(settings: Settings) -> Self {
        let origin = HeaderValue::from_str(&settings.origin).ok();
        let any = HeaderValue::from_static("*");
        let origin = origin.filter(|origin| !origin.is_empty()).unwrap_or(any);
        Self { door: Door::new(settings.accounts), origin }
    }
}

/// The routes of the door; none while it is closed.
pub(crate) fn router(edge: &Edge) -> Router {
    let mut router = Router::new();
    if edge.compat.is_none() {
        return router;
    }
    for prefix in PREFIXES {
        let edge = edge.clone();
        let run = move |request: Request| run(edge.clone(), request);
        router = router.route(&format!("{prefix}/{{*action}}"), any(run));
    }
    router
}

/// A request as the actions see it.
struct Asked<'a> {
    edge: &'a Edge,
    compat: &'a Compat,
    action: &'a str,
    query: &'a [(String, String)],
    headers: &'a HeaderMap,
    peer: Option<IpAddr>,
    fields: Fields,
}

impl Asked<'_> {
    fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The token of the query, or the bearer (D-049).
    fn token(&self) -> Option<&str> {
        let bearer = self.headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
        let bearer = bearer.and_then(|value| value.strip_prefix("Bearer "));
        self.query("token").filter(|token| !token.is_empty()).or(bearer)
    }
}

async fn run(edge: Edge, request: Request) -> Response {
    let Some(compat) = edge.compat.as_ref() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = answer(&edge, compat, request).await;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, compat.origin.clone());
    let methods = HeaderValue::from_static("GET, POST, OPTIONS, PUT, DELETE");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    response
}

/// D-050: what a browser asks before it sends JSON from another origin.
fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let allowed = HeaderValue::from_static("Content-Type, Authorization");
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    let age = HeaderValue::from_static("600");
    response.headers_mut().insert(header::ACCESS_CONTROL_MAX_AGE, age);
    response
}

async fn answer(edge: &Edge, compat: &Compat, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if head.method == Method::OPTIONS {
        return preflight();
    }
    let query = form::query(head.uri.query().unwrap_or_default());
    let (kind, is_known_kind) = Kind::of(&query);
    let path = head.uri.path();
    let action = PREFIXES.iter().find_map(|prefix| path.strip_prefix(prefix)).unwrap_or_default();
    let action = action.trim_start_matches('/');
    if !actions::is_known(action) {
        let body = form::failed(kind, Errno::NotSupported);
        return (StatusCode::NOT_FOUND, reply(kind, body)).into_response();
    }
    if head.method != Method::POST {
        return reply(kind, form::failed(kind, Errno::OnlyPost));
    }
    if !is_known_kind {
        return reply(kind, form::failed(kind, Errno::NotSupported));
    }
    let Ok(bytes) = axum::body::to_bytes(body, MOST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let fields = match form::read(kind, &bytes) {
        Ok(fields) => fields,
        Err(errno) => return reply(kind, form::failed(kind, errno)),
    };
    let peer = head.extensions.get::<ConnectInfo<Peer>>().map(|peer| peer.0.0);
    let headers = &head.headers;
    let asked = Asked { edge, compat, action, query: &query, headers, peer, fields };
    perform(kind, asked, &bytes).await
}

/// Token, rate, the action itself, and the same answer to the same key.
async fn perform(kind: Kind, asked: Asked<'_>, bytes: &Bytes) -> Response {
    let now = asked.edge.now();
    let address = asked.peer.map(network);
    if asked.action == "login" {
        return said(kind, asked.compat.door.log_in(now, address, &asked.fields));
    }
    let Some(token) = asked.token() else {
        return reply(kind, form::failed(kind, Errno::TokenEmpty));
    };
    let Some(account) = asked.compat.door.account(now, token) else {
        // Guesses of tokens are slowed down by address.
        if address.is_some_and(|from| asked.edge.strangers.take(now, &from).is_err()) {
            return too_many(1);
        }
        return reply(kind, form::failed(kind, Errno::NoSuchToken));
    };
    if let Err(wait) = asked.compat.door.take(now, &account.username) {
        return too_many(wait);
    }
    let key = asked.headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let key = key.map(|key| (account.username.clone(), format!("{} {key}", asked.action)));
    if let Some(key) = &key
        && let Some((hash, body)) = asked.compat.door.repeated(now, key)
    {
        // Another body under the same key is another request.
        if hash == blake3::hash(bytes) {
            return reply(kind, body);
        }
    }
    let door = &asked.compat.door;
    let body = match actions::perform(&asked, &account).await {
        Ok(fields) => form::success(kind, fields),
        Err(Errno::Unavailable) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Err(errno) => form::failed(kind, errno),
    };
    if let Some(key) = key {
        door.remember(now, key, blake3::hash(bytes), body.clone());
    }
    reply(kind, body)
}

fn said(kind: Kind, outcome: Result<Vec<(String, Value)>, Errno>) -> Response {
    reply(kind, outcome.map_or_else(|no| form::failed(kind, no), |it| form::success(kind, it)))
}

fn too_many(wait_secs: u64) -> Response {
    let wait = HeaderValue::from(wait_secs.max(1));
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, wait)]).into_response()
}

fn reply(kind: Kind, body: String) -> Response {
    let kind = HeaderValue::from_static(kind.media_type());
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}
