//! The router, the outermost layers, and the listener.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodFilter, get, on};
use tandem_telemetry::metric;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;
use utoipa_swagger_ui::SwaggerUi;
use uuid::Uuid;

use crate::compat;
use crate::document;
use crate::edge::Edge;
use crate::listener::{Bounded, Peer};
use crate::manual;
use crate::panel;
use crate::pipeline::{self, RequestId};
use crate::problem::{Code, Problem};
use crate::table;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How long requests that run may take to end after the shutdown began.
const GRACE: Duration = Duration::from_secs(10);

/// What the system keeps of what a client has not read: it would keep up to 4 MiB for each, and
/// who reads nothing would be noticed after minutes, with no room left to tell why it is closed.
const UNREAD_BYTES: u32 = 256 * 1024;
/// Connections that wait to be taken.
const BACKLOG: u32 = 1_024;

/// Opens the listener.
///
/// # Errors
/// When the address can not be had.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    // Those who are taken inherit it.
    socket.set_send_buffer_size(UNREAD_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Everything that the edge serves, out of the one table of operations.
pub fn router(edge: &Edge) -> Router {
    let mut router = Router::new();
    for operation in table::operations() {
        let Ok(filter) = MethodFilter::try_from(operation.method.clone()) else { continue };
        let state = edge.clone();
        let run = move |request: Request| pipeline::run(state.clone(), operation, request);
        router = router.route(&operation.path, on(filter, run));
    }
    let page = SwaggerUi::new("/api/docs")
        .external_url_unchecked("/api/openapi.json", document::document());
    router
        .merge(compat::router(edge))
        .merge(page)
        .merge(manual::routes())
        .route("/", get(panel::door))
        .route("/panel", get(panel::door))
        .route(panel::ROOT, get(panel::file))
        .route("/panel/{*file}", get(panel::file))
        .method_not_allowed_fallback(wrong_method)
        .fallback(no_route)
        .layer(middleware::from_fn(outermost))
}

/// Serves until `shutdown`, then drains the event streams and lets running requests end.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    edge: Edge,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = Bounded::new(listener, edge.limits.connections, edge.limits.quiet);
    let service = router(&edge).into_make_service_with_connect_info::<Peer>();
    let (stopping, stopped) = oneshot::channel::<()>();
    let stop = async move {
        shutdown.await;
        edge.drain();
        // The other end is there until the server has ended.
        let _unheard = stopping.send(());
    };
    let serving = axum::serve(listener, service).with_graceful_shutdown(stop);
    let late = async move {
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = serving => ended,
        () = late => Ok(()),
    }
}

async fn wrong_method(request: Request) -> Response {
    let allowed = table::methods_of(request.uri().path());
    let detail = format!("the route does not take {}", request.method());
    let mut problem = Problem::new(Code::WrongMethod, detail);
    if let Ok(value) = HeaderValue::from_str(&allowed.join(", ")) {
        problem = problem.with(header::ALLOW, value);
    }
    problem.response(&id_of(&request))
}

async fn no_route(request: Request) -> Response {
    Problem::new(Code::NoRoute, "there is no such route").response(&id_of(&request))
}

fn id_of(request: &Request) -> String {
    request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

/// Request id, log line, security headers.
async fn outermost(mut request: Request, next: Next) -> Response {
    let given = request.headers().get(&REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let id = match given.filter(plain) {
        Some(id) => id.to_owned(),
        None => Uuid::now_v7().to_string(),
    };
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let served = Served::of(request.uri().path());
    let mut response = next.run(request).await;
    let status = response.status();
    metric::HTTP_REQUESTS.increment_with("class", class(status.as_u16()));
    // Paths hold numbers of people, so they are not logged.
    tracing::debug!(request = %id, %method, status = status.as_u16(), "http request");
    secure(&mut response, served, &method);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

const fn class(status: u16) -> &'static str {
    match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

/// What a path is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Served {
    /// The page of the document, or of the manual.
    Document,
    Panel,
    Data,
}

impl Served {
    fn of(path: &str) -> Self {
        match path {
            _ if path.starts_with("/api/docs") || path.starts_with("/manual") => Self::Document,
            _ if path.starts_with(panel::ROOT) => Self::Panel,
            _ => Self::Data,
        }
    }
}

fn secure(response: &mut Response, served: Served, method: &Method) {
    let policy = match served {
        // These pages style themselves in line.
        Served::Document => {
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
             frame-ancestors 'none'"
        }
        Served::Panel => panel::POLICY,
        Served::Data => "default-src 'none'; frame-ancestors 'none'",
    };
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if served != Served::Document || method != Method::GET {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
}
