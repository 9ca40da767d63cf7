//! SIP over WebSocket (RFC 7118): one message in each WebSocket message, subprotocol `sip`.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message as Piece, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config, client_async_with_config};

use super::config::{Limits, Transport};
use super::endpoint::Endpoint;
use super::receive::Arrived;
use super::stream::{Io, Opened};

const PROTOCOL: &str = "Sec-WebSocket-Protocol";

/// A peer that takes nothing for so long is gone.
const WRITE: Duration = Duration::from_secs(10);

/// Answers the opening handshake of a client that asks for `sip` from an allowed origin.
pub(super) async fn accept<S: Io>(stream: S, limits: &Limits) -> Result<WebSocketStream<S>, Error> {
    let origins = limits.origins.clone();
    // The error type is the library's, and large.
    #[allow(clippy::result_large_err)]
    let check = move |request: &Request, mut response: Response| {
        if !allows(&origins, request.headers()) {
            return Err(refusal(StatusCode::FORBIDDEN));
        }
        if !offers_sip(request.headers()) {
            return Err(refusal(StatusCode::BAD_REQUEST));
        }
        response.headers_mut().insert(PROTOCOL, HeaderValue::from_static("sip"));
        Ok(response)
    };
    accept_hdr_async_with_config(stream, check, Some(settings(limits))).await
}

fn allows(origins: &[String], headers: &HeaderMap) -> bool {
    // Only browsers send an Origin; what else connects is no cross-site request.
    let Some(origin) = headers.get("Origin") else { return true };
    let given = origin.to_str().unwrap_or_default();
    origins.is_empty() || origins.iter().any(|origin| origin.eq_ignore_ascii_case(given))
}

fn offers_sip(headers: &HeaderMap) -> bool {
    headers
        .get_all(PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|name| name.trim().eq_ignore_ascii_case("sip"))
}

fn refusal(status: StatusCode) -> ErrorResponse {
    let mut response = ErrorResponse::new(None);
    *response.status_mut() = status;
    response
}

fn settings(limits: &Limits) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4_096)
        .write_buffer_size(0)
        .max_write_buffer_size(1024 * 1024)
        .max_message_size(Some(limits.message_bytes))
        .max_frame_size(Some(limits.message_bytes))
}

/// Does the client's part of the handshake.
pub(super) async fn connect<S: Io>(
    stream: S,
    at: Arrived,
    name: &str,
    limits: &Limits,
) -> io::Result<WebSocketStream<S>> {
    let scheme = if at.transport == Transport::Wss { "wss" } else { "ws" };
    let host = if name.contains(':') && !name.starts_with('[') {
        format!("[{name}]")
    } else {
        name.to_owned()
    };
    let url = format!("{scheme}://{host}:{}/", at.flow.remote().port());
    let mut request = url.into_client_request().map_err(io::Error::other)?;
    request.headers_mut().insert(PROTOCOL, HeaderValue::from_static("sip"));
    let opened = client_async_with_config(request, stream, Some(settings(limits))).await;
    let (socket, response) = opened.map_err(io::Error::other)?;
    match offers_sip(response.headers()) {
        true => Ok(socket),
        false => Err(io::Error::other("the peer does not speak SIP over WebSocket")),
    }
}

enum Wake {
    Read(Option<Result<Piece, Error>>),
    Write(Option<Bytes>),
    Silence,
}

/// Runs a connection until it ends.
pub(super) async fn run<S: Io>(
    endpoint: Arc<Endpoint>,
    mut socket: WebSocketStream<S>,
    mut opened: Opened,
) {
    let mut heard = Instant::now();
    loop {
        let until = heard + endpoint.patience(&opened.proven);
        let wake = tokio::select! {
            piece = socket.next() => Wake::Read(piece),
            bytes = opened.queue.recv() => Wake::Write(bytes),
            () = sleep_until(until) => Wake::Silence,
        };
        let answer = match wake {
            Wake::Read(Some(Ok(piece))) => match deal_with(&endpoint, piece, &opened, &mut heard) {
                Next::Nothing => continue,
                Next::Answer(piece) => piece,
                Next::Close => break,
            },
            Wake::Write(Some(bytes)) => piece_of(bytes),
            // The connection may have been proven while we waited.
            Wake::Silence if Instant::now() < heard + endpoint.patience(&opened.proven) => continue,
            Wake::Read(_) | Wake::Write(None) | Wake::Silence => break,
        };
        if !matches!(timeout(WRITE, socket.send(answer)).await, Ok(Ok(()))) {
            break;
        }
    }
    endpoint.gone(opened.at.flow);
    opened.queue.close();
    while let Ok(bytes) = opened.queue.try_recv() {
        if !matches!(timeout(WRITE, socket.send(piece_of(bytes))).await, Ok(Ok(()))) {
            break;
        }
    }
    let _ = timeout(WRITE, socket.close(None)).await;
}

enum Next {
    Nothing,
    Answer(Piece),
    Close,
}

fn deal_with(endpoint: &Arc<Endpoint>, piece: Piece, opened: &Opened, heard: &mut Instant) -> Next {
    let raw = match piece {
        Piece::Text(text) => Bytes::from(text),
        Piece::Binary(raw) => raw,
        // The library answers pings when it is polled next.
        Piece::Ping(_) | Piece::Pong(_) | Piece::Frame(_) => {
            if opened.proven.load(Ordering::Relaxed) {
                *heard = Instant::now();
            }
            return Next::Nothing;
        }
        Piece::Close(_) => return Next::Close,
    };
    // RFC 7118 6: the keep-alive of RFC 5626 in a message of its own.
    if raw.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
        if opened.proven.load(Ordering::Relaxed) {
            *heard = Instant::now();
        }
        return match raw.len() {
            4.. => Next::Answer(Piece::Text(Utf8Bytes::from_static("\r\n"))),
            _ => Next::Nothing,
        };
    }
    *heard = Instant::now();
    match endpoint.receive(raw, opened.at) {
        true => Next::Nothing,
        false => Next::Close,
    }
}

/// RFC 7118 5.2 leaves the choice; browsers' stacks read text best.
fn piece_of(bytes: Bytes) -> Piece {
    match Utf8Bytes::try_from(bytes.clone()) {
        Ok(text) => Piece::Text(text),
        Err(_) => Piece::Binary(bytes),
    }
}
