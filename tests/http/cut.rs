//! Clients of the event stream whose network freezes or breaks for half a minute while events
//! flow: over WebSocket and as server-sent events, each fact comes once and in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tandem_tests::{Office, Relay};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// How long a client is away.
const AWAY: Duration = Duration::from_secs(30);

/// What a client speaks.
#[derive(Clone, Copy, Debug)]
enum Speech {
    WebSocket,
    ServerSent,
}

/// A client that connects again whenever its connection ends, after the last position it has.
struct Client {
    address: String,
    token: String,
    position: String,
    connects: Arc<AtomicU32>,
    heard: mpsc::UnboundedSender<String>,
}

struct Running {
    name: String,
    task: JoinHandle<()>,
    connects: Arc<AtomicU32>,
    heard: mpsc::UnboundedReceiver<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Running {
    fn start(name: &str, speech: Speech, address: String, office: &Office, from: &str) -> Self {
        let (heard, hearing) = mpsc::unbounded_channel();
        let connects = Arc::<AtomicU32>::default();
        let token = office.node.demo.token.clone();
        let (position, counted) = (from.to_owned(), connects.clone());
        let mut client = Client { address, token, position, connects: counted, heard };
        let task = tokio::spawn(async move {
            loop {
                let _ended = match speech {
                    Speech::WebSocket => client.web_socket().await,
                    Speech::ServerSent => client.server_sent().await,
                };
                sleep(Duration::from_millis(200)).await;
            }
        });
        Self { name: format!("{name} {speech:?}"), task, connects, heard: hearing }
    }

    /// All positions up to one, and whatever comes in the second after it.
    async fn until(&mut self, last: &str) -> Vec<String> {
        let mut all = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(20);
        while all.last().is_none_or(|it| it != last) {
            let next = tokio::time::timeout_at(deadline, self.heard.recv()).await;
            let Ok(Some(position)) = next else { break };
            all.push(position);
        }
        while let Ok(Some(more)) = timeout(Duration::from_secs(1), self.heard.recv()).await {
            all.push(more);
        }
        all
    }
}

impl Client {
    fn take(&mut self, position: &str) {
        position.clone_into(&mut self.position);
        self.heard.send(position.to_owned()).unwrap();
    }

    /// Ends when the connection does.
    async fn web_socket(&mut self) -> Option<()> {
        let url = format!("ws://{}/api/v1/events", self.address);
        let mut request = url.into_client_request().unwrap();
        let token = format!("Bearer {}", self.token).parse().unwrap();
        request.headers_mut().insert("authorization", token);
        let tcp = TcpStream::connect(&self.address).await.ok()?;
        let (mut stream, _) = tokio_tungstenite::client_async(request, tcp).await.ok()?;
        let subscribe = json!({ "type": "subscribe", "from": self.position });
        stream.send(Message::text(subscribe.to_string())).await.ok()?;
        self.connects.fetch_add(1, Ordering::SeqCst);
        loop {
            if let Message::Text(text) = stream.next().await?.ok()? {
                let said: Value = serde_json::from_str(&text).unwrap();
                match said["type"].as_str().unwrap() {
                    "event" => self.take(said["position"].as_str().unwrap()),
                    "hello" | "subscribed" => {}
                    other => panic!("{other}: {said}"),
                }
            }
        }
    }

    /// Ends when the connection does.
    async fn server_sent(&mut self) -> Option<()> {
        let url = format!("http://{}/api/v1/events/stream", self.address);
        let request = reqwest::Client::new().get(url).bearer_auth(&self.token);
        let answer = request.header("last-event-id", &self.position).send().await.ok()?;
        assert_eq!(answer.status(), 200);
        self.connects.fetch_add(1, Ordering::SeqCst);
        let mut bytes = answer.bytes_stream();
        let mut text = String::new();
        loop {
            text += std::str::from_utf8(&bytes.next().await?.ok()?).unwrap();
            while let Some((event, rest)) = text.split_once("\n\n") {
                let field = |name| event.lines().find_map(|line| line.strip_prefix(name));
                // What has a name of its own is the greeting, not a fact.
                let id = field("id:").filter(|_| field("event:").is_none());
                let id = id.map(|id| id.trim().to_owned());
                text = rest.to_owned();
                id.iter().for_each(|id| self.take(id));
            }
        }
    }
}

/// Renames a queue until the time is over; gives how often.
async fn rename(office: &Office, times: &mut u32, until: Instant) {
    while Instant::now() < until {
        *times += 1;
        let name = json!({ "name": format!("name {times}") });
        office.api.patch("/api/v1/queues/6400", name).await;
        sleep(Duration::from_millis(40)).await;
    }
}

/// Issue 2, must-show 10.
#[tokio::test]
async fn clients_cut_off_for_thirty_seconds_resume_without_gap_or_double() {
    let office = Office::open().await;
    let node = office.node.listening.http.clone();
    let (frozen, broken) = (Relay::to(&node).await, Relay::to(&node).await);
    let from = head(&office).await;
    let start = |name, speech, at| Running::start(name, speech, at, &office, &from);
    let mut steady = start("steady", Speech::WebSocket, node.clone());
    let mut away = Vec::new();
    for (name, relay) in [("frozen", &frozen), ("broken", &broken)] {
        for speech in [Speech::WebSocket, Speech::ServerSent] {
            away.push(start(name, speech, relay.address()));
        }
    }
    let mut times = 0;
    rename(&office, &mut times, Instant::now() + Duration::from_secs(2)).await;

    // First nobody is told; after half of the time one of the networks breaks.
    let before = times;
    for relay in [&frozen, &broken] {
        relay.freeze();
    }
    let mut phone = office.phone("1000", 700, Value::Null).await;
    phone.call("*44").await;
    phone.expect_state("CONFIRMED").await;
    rename(&office, &mut times, Instant::now() + AWAY / 2).await;
    broken.break_off();
    phone.hang_up().await;
    phone.expect_end().await;
    rename(&office, &mut times, Instant::now() + AWAY / 2).await;
    let missed = times - before;
    for relay in [&frozen, &broken] {
        relay.mend();
    }
    rename(&office, &mut times, Instant::now() + Duration::from_secs(2)).await;

    let last = head(&office).await;
    let all = steady.until(&last).await;
    println!("{} events, {missed} writes and a call while the clients were away", all.len());
    assert!(all.len() > usize::try_from(times).unwrap() && missed > 100, "{missed} {times}");
    for mut client in away {
        let seen = client.until(&last).await;
        assert!(seen == all, "{}: {} of {}: {seen:?}", client.name, seen.len(), all.len());
        let again = client.connects.load(Ordering::SeqCst);
        println!("{}: {} events over {again} connections", client.name, seen.len());
        assert_eq!(again > 1, client.name.starts_with("broken"), "{}: {again}", client.name);
    }
}

/// The position of the newest fact.
async fn head(office: &Office) -> String {
    let node = &office.node;
    let url = format!("http://{}/api/v1/events/stream", node.listening.http);
    let request = reqwest::Client::new().get(url).bearer_auth(&node.demo.token);
    let mut bytes = request.send().await.unwrap().bytes_stream();
    let hello = bytes.next().await.unwrap().unwrap();
    let hello = std::str::from_utf8(&hello).unwrap();
    let id = hello.lines().find_map(|line| line.strip_prefix("id:"));
    id.unwrap().trim().to_owned()
}
