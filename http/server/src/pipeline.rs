//! A request's way to its operation and back: query, identity, rights, rate, body, repeats,
//! deadline. Each step that refuses answers with a problem.

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, FromRequestParts, Query, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::edge::Edge;
use crate::idempotency::{self, Turn};
use crate::identity::{self, Caller, Credential};
use crate::limits::{Left, network};
use crate::listener::Peer;
use crate::operation::{Answer, Call, Json, Operation, Reply};
use crate::problem::{Code, Problem};
use crate::rights::{Permission, Scope, authorize};
use crate::table;

const KEY: &str = "idempotency-key";
const REPLAYED: &str = "idempotency-replayed";

/// How much longer than others the body of a bulk operation may be.
const BULK: usize = 16;
/// How much longer than others it may take; below the time after which a connection is cut.
const BULK_TIME: u32 = 3;

/// The id of a request, as the outermost layer has set it.
#[derive(Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// Does an operation for a request.
pub(crate) async fn run(edge: Edge, operation: &'static Operation, request: Request) -> Response {
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let deadline = edge.limits.timeout * if operation.is_bulk { BULK_TIME } else { 1 };
    let mut left = None;
    let work = perform(edge.clone(), operation, request, &mut left);
    let outcome = tokio::time::timeout(deadline, work).await;
    let mut response = match outcome.unwrap_or_else(|_| late()) {
        Ok(Reply::Raw(response)) => response,
        Ok(Reply::Json(json)) => json.into_response(),
        Err(problem) => problem.response(&id),
    };
    if let Some(left) = left {
        tell_rate(&mut response, &edge, left);
    }
    response
}

fn late<T>() -> Result<T, Problem> {
    let detail = "the node did not answer in time; a change may still be made";
    Err(Problem::unavailable(Code::TimedOut, detail))
}

/// What is left of the caller's requests (draft-ietf-httpapi-ratelimit-headers-10).
fn tell_rate(response: &mut Response, edge: &Edge, left: Left) {
    let rate = edge.limits.principal;
    let policy = format!("\"principal\";q={};w={}", rate.burst, rate.window_secs());
    let now = format!("\"principal\";r={};t={}", left.requests, left.full_in_secs);
    for (name, text) in [("ratelimit-policy", policy), ("ratelimit", now)] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(name, value);
        }
    }
}

async fn perform(
    edge: Edge,
    operation: &'static Operation,
    request: Request,
    left: &mut Option<Left>,
) -> Result<Reply, Problem> {
    let (mut head, body) = request.into_parts();
    let peer = head.extensions.get::<ConnectInfo<Peer>>().map(|peer| peer.0.0);
    let query = query(operation, &head);
    let ticket = ticket(operation, query.as_ref().ok());
    let (caller, scope) = admit(&edge, operation, &head.headers, peer, ticket, left)?;
    let query = query?;
    let path = path(&mut head).await?;
    let bytes = body_of(&edge, operation, &head.headers, body).await?;
    let body = parse(operation, &bytes)?;
    let headers = head.headers.clone();
    let audio = if operation.is_audio { bytes.clone() } else { Bytes::new() };
    let upgrade = matches!(operation.answer, Answer::WebSocket | Answer::Events).then_some(head);
    let call = Call {
        edge,
        operation,
        caller,
        scope,
        path,
        query,
        headers,
        body,
        audio,
        peer,
        head: upgrade,
    };
    if operation.method == Method::GET {
        return (operation.handler)(call).await;
    }
    change(call, &bytes).await
}

/// The ticket of a page that can not send a token.
fn ticket<'a>(operation: &Operation, query: Option<&'a Vec<(String, String)>>) -> Option<&'a str> {
    let takes_one =
        matches!(operation.answer, Answer::WebSocket | Answer::EventStream | Answer::Events);
    let found = query?.iter().find(|(name, _)| takes_one && name == "ticket");
    found.map(|(_, ticket)| ticket.as_str())
}

/// Rights and rate. A stranger is slowed down by address, a principal by name.
fn admit(
    edge: &Edge,
    operation: &Operation,
    headers: &HeaderMap,
    peer: Option<IpAddr>,
    ticket: Option<&str>,
    left: &mut Option<Left>,
) -> Result<(Option<Caller>, Scope), Problem> {
    let stranger = |refused: Problem| {
        let Some(from) = peer.map(network) else { return refused };
        match edge.strangers.take(edge.now(), &from) {
            Err(wait) => Problem::too_many("too many requests without a valid token", wait),
            Ok(_) => refused,
        }
    };
    let Some(permission) = operation.permission else { return Ok((None, Scope::All)) };
    if operation.is_open_here && is_here(headers, peer) {
        return Ok((None, Scope::All));
    }
    let caller = match ticket {
        Some(ticket) if !headers.contains_key(header::AUTHORIZATION) => {
            identity::by_ticket(edge, ticket)
        }
        _ => identity::of(edge, headers),
    };
    let caller = caller.map_err(stranger)?;
    let (scope, rest) = allow(edge, &caller, permission);
    let full_in_secs = u64::from(edge.limits.principal.window_secs());
    *left = Some(rest.as_ref().copied().unwrap_or(Left { requests: 0, full_in_secs }));
    rest?;
    Ok((Some(caller), scope?))
}

/// How far a caller may go, and how many requests are left.
fn allow(
    edge: &Edge,
    caller: &Caller,
    permission: Permission,
) -> (Result<Scope, Problem>, Result<Left, Problem>) {
    let too_many = |wait| Problem::too_many("too many requests of this principal", wait);
    let left = edge.principals.take(edge.now(), &caller.principal.name).map_err(too_many);
    let scope = match authorize(caller.principal.role, permission) {
        Scope::Nothing => {
            let detail = format!("the role lacks the permission {}", permission.as_str());
            Err(Problem::new(Code::Forbidden, detail))
        }
        scope => Ok(scope),
    };
    (scope, left)
}

/// An operation that is asked for over the event socket.
pub(crate) struct Wish {
    pub(crate) operation: String,
    pub(crate) path: BTreeMap<String, String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: Option<Value>,
    pub(crate) if_match: Option<String>,
}

/// How it ended.
pub(crate) struct Done {
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    pub(crate) body: Option<Value>,
}

/// Does an operation for a client of the event socket, with the same rights and rate as by HTTP.
pub(crate) async fn command(
    edge: Edge,
    credential: Credential,
    peer: Option<IpAddr>,
    wish: Wish,
) -> Result<Done, Problem> {
    let principal = identity::again(&edge, &credential)
        .ok_or_else(|| Problem::unauthenticated("the token is not valid any more"))?;
    let caller = Caller { principal, credential };
    let (operation, permission) = commanded(&wish.operation)?;
    let (scope, left) = allow(&edge, &caller, permission);
    left?;
    let scope = scope?;
    let (path, query, headers) = of_wish(operation, &wish)?;
    let body = match (&operation.body, wish.body) {
        (None, _) => None,
        (Some(shape), None) if shape.is_optional => Some(Value::Object(serde_json::Map::new())),
        (Some(_), body) => Some(body.unwrap_or_default()),
    };
    let deadline = edge.limits.timeout * if operation.is_bulk { BULK_TIME } else { 1 };
    let call = Call {
        edge,
        operation,
        caller: Some(caller),
        scope,
        path,
        query,
        headers,
        body,
        audio: Bytes::new(),
        peer,
        head: None,
    };
    let outcome = tokio::time::timeout(deadline, change(call, &Bytes::new())).await;
    match outcome.unwrap_or_else(|_| late())? {
        Reply::Json(Json { status, headers, body }) => {
            let etag = headers.iter().find(|(name, _)| *name == header::ETAG);
            let etag = etag.and_then(|(_, value)| Some(value.to_str().ok()?.to_owned()));
            Ok(Done { status: status.as_u16(), etag, body })
        }
        Reply::Raw(_) => Err(Problem::new(Code::Internal, "the operation answers no JSON")),
    }
}

/// The operation of a name. Public ones, streams, sound and plain text are for HTTP alone.
fn commanded(id: &str) -> Result<(&'static Operation, Permission), Problem> {
    let found = table::operations().iter().find(|operation| operation.id == id);
    let fits = |operation: &&Operation| {
        !operation.is_audio && matches!(operation.answer, Answer::Json(..) | Answer::Nothing)
    };
    let found = found.filter(fits);
    let unknown = || Problem::field("/operation", "unknown-operation", "no such operation");
    let operation = found.ok_or_else(unknown)?;
    Ok((operation, operation.permission.ok_or_else(unknown)?))
}

type Parameters = Vec<(String, String)>;

fn of_wish(
    operation: &Operation,
    wish: &Wish,
) -> Result<(Parameters, Parameters, HeaderMap), Problem> {
    let braces = |part: &str| part.strip_prefix('{')?.strip_suffix('}').map(str::to_owned);
    for name in operation.path.split('/').filter_map(braces) {
        if !wish.path.contains_key(&name) {
            let detail = "the operation's path has this parameter";
            return Err(Problem::field(&format!("/path/{name}"), "missing-field", detail));
        }
    }
    let query: Parameters = wish.query.clone().into_iter().collect();
    known(operation, &query)?;
    let mut headers = HeaderMap::new();
    if let Some(tag) = &wish.if_match {
        let value = HeaderValue::from_str(tag)
            .map_err(|_| Problem::field("/if_match", "wrong-value", "not an ETag"))?;
        headers.insert(header::IF_MATCH, value);
    }
    Ok((wish.path.clone().into_iter().collect(), query, headers))
}

/// Whether the request comes from the node's own host, not through a proxy there.
fn is_here(headers: &HeaderMap, peer: Option<IpAddr>) -> bool {
    let forwarded = ["forwarded", "x-forwarded-for"].iter().any(|name| headers.contains_key(*name));
    let strange = forwarded || headers.contains_key(header::AUTHORIZATION);
    !strange && peer.is_some_and(|peer| peer.is_loopback())
}

fn query(operation: &Operation, head: &Parts) -> Result<Vec<(String, String)>, Problem> {
    let Ok(Query(query)) = Query::<Vec<(String, String)>>::try_from_uri(&head.uri) else {
        return Err(Problem::parameter("query", "not a query string"));
    };
    known(operation, &query)?;
    Ok(query)
}

fn known(operation: &Operation, query: &[(String, String)]) -> Result<(), Problem> {
    for (name, _) in query {
        if !operation.query.iter().any(|known| known.name == name) {
            let detail = "the operation has no such parameter";
            return Err(Problem::parameter(&name.chars().take(64).collect::<String>(), detail));
        }
    }
    Ok(())
}

async fn path(head: &mut Parts) -> Result<Vec<(String, String)>, Problem> {
    let params = RawPathParams::from_request_parts(head, &())
        .await
        .map_err(|_| Problem::parameter("path", "not valid UTF-8"))?;
    Ok(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

async fn body_of(
    edge: &Edge,
    operation: &Operation,
    headers: &HeaderMap,
    body: Body,
) -> Result<Bytes, Problem> {
    let usual = edge.limits.body_bytes;
    let (shape, most) = match &operation.body {
        _ if operation.is_audio => (None, edge.limits.audio_bytes),
        Some(shape) if operation.is_bulk => (Some(shape), usual * BULK),
        Some(shape) => (Some(shape), usual),
        None => return Ok(Bytes::new()),
    };
    let large = || Problem::new(Code::TooLarge, format!("a body has at most {most} bytes"));
    if body.size_hint().lower() > most as u64 {
        return Err(large());
    }
    let bytes = axum::body::to_bytes(body, most).await.map_err(|_| large())?;
    if !(bytes.is_empty() && shape.is_some_and(|shape| shape.is_optional)) {
        media_type(operation, headers)?;
    }
    Ok(bytes)
}

fn media_type(operation: &Operation, headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = given.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let patch = operation.method == Method::PATCH
        && essence.eq_ignore_ascii_case("application/merge-patch+json");
    let right = match operation.is_audio {
        true => ["audio/wav", "audio/x-wav"].iter().any(|it| essence.eq_ignore_ascii_case(it)),
        false => essence.eq_ignore_ascii_case("application/json") || patch,
    };
    if right {
        return Ok(());
    }
    let wanted = match operation.method {
        _ if operation.is_audio => "audio/wav",
        Method::PATCH => "application/merge-patch+json",
        _ => "application/json",
    };
    Err(Problem::new(Code::WrongMediaType, format!("the body must be {wanted}")))
}

fn parse(operation: &Operation, bytes: &Bytes) -> Result<Option<Value>, Problem> {
    if operation.body.is_none() {
        return Ok(None);
    }
    if bytes.is_empty() && operation.body.as_ref().is_some_and(|shape| shape.is_optional) {
        return Ok(Some(Value::Object(serde_json::Map::new())));
    }
    let parsed = serde_json::from_slice(bytes);
    parsed.map(Some).map_err(|error| Problem::new(Code::MalformedJson, error.to_string()))
}

/// A change runs to its end even if the client goes away, and once for each key.
async fn change(call: Call, bytes: &Bytes) -> Result<Reply, Problem> {
    let first = match turn(&call, bytes)? {
        Some(Turn::Again(outcome)) => return replay(outcome),
        Some(Turn::First(first)) => Some(first),
        None => None,
    };
    let is_secret = call.operation.is_secret;
    let work = async move {
        let outcome = (call.operation.handler)(call).await;
        if let (Some(first), Some(kept)) = (first, kept(&outcome)) {
            first.end(kept, is_secret).await;
        }
        outcome
    };
    let done = tandem_kernel::spawn("http change", work).await;
    done.unwrap_or_else(|error| Err(Problem::new(Code::Internal, error.to_string())))
}

fn turn(call: &Call, bytes: &Bytes) -> Result<Option<Turn>, Problem> {
    let Some(caller) = call.caller.as_ref().filter(|_| call.operation.method == Method::POST)
    else {
        return Ok(None);
    };
    let Some(value) = call.headers.get(KEY) else { return Ok(None) };
    let key = value.to_str().unwrap_or_default();
    idempotency::check(key)?;
    let values: Vec<&str> = call.path.iter().map(|(_, value)| value.as_str()).collect();
    let target = format!("{} {}", call.operation.id, values.join("/"));
    let key = (caller.principal.name.clone(), target, key.to_owned());
    call.edge.repeats.begin(call.edge.now(), key, blake3::hash(bytes)).map(Some)
}

/// The outcome as it can be given again.
fn kept(outcome: &Result<Reply, Problem>) -> Option<idempotency::Outcome> {
    match outcome {
        Ok(Reply::Json(json)) => Some(Ok(json.clone())),
        Err(problem) => Some(Err(problem.clone())),
        // A stream is no answer that could be given again.
        Ok(Reply::Raw(_)) => None,
    }
}

fn replay(outcome: idempotency::Outcome) -> Result<Reply, Problem> {
    let name = header::HeaderName::from_static(REPLAYED);
    match outcome {
        Ok(json) => Ok(Reply::Json(json).with(name, "true")),
        Err(problem) => Err(problem.with(name, HeaderValue::from_static("true"))),
    }
}

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            None => self.status.into_response(),
            Some(body) => (self.status, axum::Json(body)).into_response(),
        };
        response.headers_mut().extend(self.headers);
        response
    }
}
