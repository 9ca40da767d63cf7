use std::time::{Duration, Instant};

use axum::body::{Body, BodyDataStream};
use axum::http::{Method, Request, StatusCode};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tandem_actors::entity;
use tandem_actors::event::ResourceEvent;
use tandem_actors::provisioning::entity_of;
use tandem_api::event::close;
use tandem_config::Kind;
use tandem_config::resource::Role;
use tandem_journal::Append;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tower::ServiceExt;

use super::{Node, generous};
use crate::Limits;

/// Server-sent events as they come.
struct Stream {
    body: BodyDataStream,
    text: String,
}

impl Stream {
    async fn open(node: &Node, token: &str, last: Option<&str>) -> Self {
        Self::open_at(node, "/api/v1/events/stream", token, last).await
    }

    async fn open_at(node: &Node, path: &str, token: &str, last: Option<&str>) -> Self {
        let mut request = Request::builder()
            .uri(path)
            .header("accept", "text/event-stream")
            .header("authorization", format!("Bearer {token}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response =
            node.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The fields `id` and `data` of the next event.
    async fn next(&mut self) -> Option<(String, String)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.unwrap_or_default().trim().to_owned()
                };
                let found = (field("id:"), field("data:"));
                self.text = rest.to_owned();
                if !found.0.is_empty() {
                    return Some(found);
                }
                continue;
            }
            let chunk = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

#[tokio::test]
async fn a_cut_off_stream_resumes_without_gap_or_double() {
    let node = Node::start().await;
    let mut stream = Stream::open(&node, &node.admin, None).await;
    let (mut last, _) = stream.next().await.unwrap();
    let begin = node.journal.head().index;
    assert_eq!(last, node.journal.head().to_string());
    let mut keys = Vec::new();
    for round in 0..4 {
        for number in 0..10 {
            node.extension(&format!("2{round}{number}")).await;
        }
        // Cut off after seven of ten; the rest, and the next ten, come after the resumption.
        for _ in 0..7 {
            let (id, data) = stream.next().await.unwrap();
            let event: Value = serde_json::from_str(&data).unwrap();
            assert_eq!(event["position"], id);
            keys.push(event["key"].as_str().unwrap().to_owned());
            last = id;
        }
        drop(stream);
        stream = Stream::open(&node, &node.admin, Some(&last)).await;
        assert_eq!(stream.next().await.unwrap().0, last);
    }
    while keys.len() < 40 {
        let (id, data) = stream.next().await.unwrap();
        keys.push(serde_json::from_str::<Value>(&data).unwrap()["key"].as_str().unwrap().into());
        last = id;
    }
    let wanted: Vec<String> = (0..40).map(|n| format!("2{}{}", n / 10, n % 10)).collect();
    assert_eq!(keys, wanted);
    assert_eq!(last, format!("0:{}", begin + 40));
}

#[tokio::test]
async fn the_events_are_a_stream_for_who_accepts_one_and_a_socket_for_who_does_not() {
    let node = Node::start().await;
    let path = "/api/v1/events";

    let mut stream = Stream::open_at(&node, path, &node.admin, None).await;
    assert_eq!(stream.next().await.unwrap().1, "{}", "the first one is a greeting");
    node.extension("1001").await;

    assert!(stream.next().await.unwrap().1.contains("1001"));
    let bearer = format!("Bearer {}", node.admin);
    let headers = [("authorization", bearer.as_str()), ("accept", "*/*")];
    let answered = node.ask(Method::GET, path, &headers, None).await;
    assert_eq!(answered.status, StatusCode::BAD_REQUEST, "no upgrade was asked for");
}

#[tokio::test]
async fn a_stream_tells_only_what_the_role_may_see() {
    let node = Node::start().await;
    let manager = node.token(Role::Manager, None).await;
    let from = node.journal.head().to_string();
    let body = json!({ "name": "alice", "password": "correct horse", "role": "manager" });
    node.post("/api/v1/users", body).await;
    node.extension("1001").await;

    let mut stream = Stream::open(&node, &manager, Some(&from)).await;
    stream.next().await.unwrap();

    let (_, data) = stream.next().await.unwrap();
    let event: Value = serde_json::from_str(&data).unwrap();
    assert_eq!((&event["kind"], &event["key"]), (&json!("extension"), &json!("1001")));
}

#[tokio::test]
async fn draining_ends_the_streams() {
    let node = Node::start().await;
    let mut stream = Stream::open(&node, &node.admin, None).await;
    stream.next().await.unwrap();

    node.edge.drain();

    assert_eq!(stream.next().await, None);
    assert!(node.get("/readyz").await.text.contains("draining"));
}

pub(super) type Socket = WebSocketStream<TcpStream>;

/// A listener for the node, and a socket to it.
pub(super) async fn socket(node: &Node, token: &str, origin: Option<&str>) -> Result<Socket, u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tandem_kernel::spawn("http", crate::serve(listener, node.edge.clone(), std::future::pending()));
    let mut request = format!("ws://{address}/api/v1/events").into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    if let Some(origin) = origin {
        headers.insert("origin", origin.parse().unwrap());
    }
    let stream = TcpStream::connect(address).await.unwrap();
    match tokio_tungstenite::client_async(request, stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(tokio_tungstenite::tungstenite::Error::Http(response)) => {
            Err(response.status().as_u16())
        }
        Err(error) => panic!("{error}"),
    }
}

pub(super) async fn heard(socket: &mut Socket) -> Value {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Close(frame) => {
                return json!({ "type": "close", "code": u16::from(frame.unwrap().code) });
            }
            _ => {}
        }
    }
}

pub(super) async fn say(socket: &mut Socket, message: &Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

#[tokio::test]
async fn a_socket_resumes_without_gap_or_double() {
    let node = Node::start().await;
    let mut first = socket(&node, &node.admin, None).await.unwrap();
    let hello = heard(&mut first).await;
    assert_eq!(hello["type"], "hello");
    let from = hello["position"].clone();
    say(&mut first, &json!({ "type": "subscribe", "from": from, "kinds": ["extension"] })).await;
    assert_eq!(heard(&mut first).await, json!({ "type": "subscribed", "from": from }));
    let mut keys = Vec::new();
    let mut last = Value::Null;
    for number in 200..210 {
        node.extension(&number.to_string()).await;
    }
    for _ in 0..6 {
        let event = heard(&mut first).await;
        assert_eq!(event["type"], "event");
        keys.push(event["key"].as_str().unwrap().to_owned());
        last = event["position"].clone();
    }
    drop(first);
    for number in 210..220 {
        node.extension(&number.to_string()).await;
    }

    let mut second = socket(&node, &node.admin, None).await.unwrap();
    heard(&mut second).await;
    say(&mut second, &json!({ "type": "subscribe", "from": last })).await;
    heard(&mut second).await;
    while keys.len() < 20 {
        keys.push(heard(&mut second).await["key"].as_str().unwrap().to_owned());
    }

    assert_eq!(keys, (200..220).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_socket_says_what_it_did_not_understand_and_stays() {
    let node = Node::start().await;
    let mut socket = socket(&node, &node.admin, None).await.unwrap();
    heard(&mut socket).await;
    let cases = [
        (json!({ "type": "subscribe", "from": "0:99999999" }), "invalid-parameter"),
        (json!({ "type": "subscribe", "from": "yesterday" }), "invalid-parameter"),
        (json!({ "type": "dance" }), "invalid-fields"),
        (json!({ "type": "subscribe", "colour": "red" }), "invalid-fields"),
    ];
    for (message, code) in cases {
        say(&mut socket, &message).await;
        let answer = heard(&mut socket).await;
        assert_eq!(
            (&answer["type"], &answer["problem"]["code"]),
            (&json!("problem"), &json!(code))
        );
    }
    say(&mut socket, &json!({ "type": "subscribe" })).await;
    assert_eq!(heard(&mut socket).await["type"], "subscribed");
}

#[tokio::test]
async fn strangers_and_pages_of_other_sites_get_no_socket() {
    let node = Node::start().await;
    assert_eq!(socket(&node, "tandem_0_0", None).await.err(), Some(401));
    let elsewhere = socket(&node, &node.admin, Some("https://example.org")).await;
    assert_eq!(elsewhere.err(), Some(403));
}

#[tokio::test]
async fn a_socket_is_closed_with_the_reason() {
    let limits = Limits { ping_interval: Duration::from_millis(50), ..generous() };
    let node = Node::with(limits).await;
    let token = node.token(Role::Manager, None).await;
    let mut revoked = socket(&node, &token, None).await.unwrap();
    let mut drained = socket(&node, &node.admin, None).await.unwrap();
    heard(&mut revoked).await;
    heard(&mut drained).await;

    let id = token.split('_').nth(1).unwrap();
    let path = format!("/api/v1/api-tokens/{id}");
    node.ask(Method::DELETE, &path, &[("if-match", "*")], None).await;
    assert_eq!(heard(&mut revoked).await["code"], close::UNAUTHENTICATED);

    node.edge.drain();
    assert_eq!(heard(&mut drained).await["code"], close::DRAINING);
}

/// More than the kernel keeps for a connection whose other end does not read.
async fn flood(node: &Node) -> u64 {
    let events = 256;
    for number in 0..events {
        let key = number.to_string();
        let event =
            ResourceEvent::Removed { kind: Kind::Trunk, key: key.clone(), by: "x".repeat(50_000) };
        let append = Append {
            entity: entity_of(Kind::Trunk, &key),
            expected: None,
            epoch: 0,
            op_id: None,
            events: vec![entity::encode(&event)],
        };
        node.journal.append(append).await.unwrap();
    }
    events
}

/// S38: over SSE the connection itself is cut; one that is read lives on by its keep-alives.
#[tokio::test]
async fn a_stream_that_is_not_read_is_cut_off_and_a_quiet_one_is_not() {
    let quiet = Duration::from_millis(500);
    let ping_interval = Duration::from_millis(100);
    let node = Node::with(Limits { quiet, ping_interval, ..generous() }).await;
    let free = node.edge.event_clients.available_permits();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let forever = std::future::pending();
    tandem_kernel::spawn("http", crate::serve(listener, node.edge.clone(), forever));
    let request = format!(
        "GET /api/v1/events/stream HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\r\n",
        node.admin
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let begin = Instant::now();
    let mut heard = [0; 1024];
    while begin.elapsed() < quiet * 2 {
        assert_ne!(stream.read(&mut heard).await.unwrap(), 0, "the quiet stream was cut off");
    }
    assert_eq!(node.edge.event_clients.available_permits(), free - 1);

    flood(&node).await;
    while node.edge.event_clients.available_permits() < free {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off_and_resumes() {
    let limits = Limits { event_patience: Duration::from_millis(200), ..generous() };
    let node = Node::with(limits).await;
    let from = node.journal.head();
    let free = node.edge.event_clients.available_permits();
    let mut slow = socket(&node, &node.admin, None).await.unwrap();
    heard(&mut slow).await;
    say(&mut slow, &json!({ "type": "subscribe" })).await;
    heard(&mut slow).await;

    let events = flood(&node).await;
    while node.edge.event_clients.available_permits() < free {
        tokio::task::yield_now().await;
    }
    let mut last = from;
    while let Some(Ok(message)) = slow.next().await {
        let Message::Text(text) = message else { continue };
        let event: Value = serde_json::from_str(&text).unwrap();
        last.index += 1;
        assert_eq!(event["position"], last.to_string());
    }
    assert!(last.index < from.index + events, "the slow client got everything");

    let mut again = socket(&node, &node.admin, None).await.unwrap();
    heard(&mut again).await;
    say(&mut again, &json!({ "type": "subscribe", "from": last.to_string() })).await;
    heard(&mut again).await;
    while last.index < from.index + events {
        last.index += 1;
        assert_eq!(heard(&mut again).await["position"], last.to_string());
    }
}
