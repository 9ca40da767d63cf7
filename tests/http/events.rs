//! The event stream, cut off and taken up again, over WebSocket and as server-sent events.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tandem_tests::Office;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

struct Socket {
    stream: WebSocketStream<TcpStream>,
}

impl Socket {
    async fn open(office: &Office, from: Option<&str>) -> Self {
        let address = &office.node.listening.http;
        let mut request = format!("ws://{address}/api/v1/events").into_client_request().unwrap();
        let token = format!("Bearer {}", office.node.demo.token);
        request.headers_mut().insert("authorization", token.parse().unwrap());
        let tcp = TcpStream::connect(address).await.unwrap();
        let (stream, _) = tokio_tungstenite::client_async(request, tcp).await.unwrap();
        let mut socket = Self { stream };
        assert_eq!(socket.next().await["type"], "hello");
        let subscribe = json!({ "type": "subscribe", "from": from });
        socket.stream.send(Message::text(subscribe.to_string())).await.unwrap();
        assert_eq!(socket.next().await["type"], "subscribed");
        socket
    }

    async fn next(&mut self) -> Value {
        loop {
            let message = timeout(Duration::from_secs(10), self.stream.next()).await;
            match message.expect("a message in time").expect("open").expect("a sound stream") {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// All events until there has been silence for a second.
    async fn drain(&mut self) -> Vec<Value> {
        let mut events = Vec::new();
        while let Ok(Some(Ok(message))) = timeout(Duration::from_secs(1), self.stream.next()).await
        {
            if let Message::Text(text) = message {
                let event: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(event["type"], "event", "{event}");
                events.push(event);
            }
        }
        events
    }
}

fn positions(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["position"].as_str().unwrap().to_owned()).collect()
}

async fn rename(office: &Office, times: std::ops::Range<u32>) {
    for time in times {
        office.api.patch("/api/v1/queues/6400", json!({ "name": format!("name {time}") })).await;
    }
}

#[tokio::test]
async fn a_client_that_was_cut_off_resumes_without_gap_or_double() {
    let office = Office::open().await;
    let mut steady = Socket::open(&office, None).await;
    let mut cut = Socket::open(&office, None).await;
    rename(&office, 0..5).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(cut.next().await);
    }
    drop(cut);

    let mut phone = office.phone("1000", 700, Value::Null).await;
    phone.call("*44").await;
    phone.expect_state("CONFIRMED").await;
    rename(&office, 5..40).await;
    sleep(Duration::from_secs(2)).await;
    phone.hang_up().await;
    phone.expect_end().await;
    let last = seen.last().unwrap()["position"].as_str().unwrap().to_owned();
    let mut again = Socket::open(&office, Some(&last)).await;
    rename(&office, 40..45).await;
    seen.extend(again.drain().await);

    let all = steady.drain().await;
    assert!(all.len() >= 45, "only {} events", all.len());
    assert_eq!(positions(&seen), positions(&all));
    let names: Vec<&str> = all.iter().map(|event| event["name"].as_str().unwrap()).collect();
    for name in ["call.started", "call.ended", "registration.bound"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
}

#[tokio::test]
async fn server_sent_events_resume_after_the_last_event_id() {
    let office = Office::open().await;
    let mut steady = Socket::open(&office, None).await;
    rename(&office, 0..10).await;
    let all = positions(&steady.drain().await);

    let url = format!("http://{}/api/v1/events/stream", office.node.listening.http);
    let answer = reqwest::Client::new()
        .get(url)
        .bearer_auth(&office.node.demo.token)
        .header("last-event-id", &all[3])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["content-type"].to_str().unwrap(), "text/event-stream");
    let mut bytes = answer.bytes_stream();
    let mut text = String::new();
    let deadline = Instant::now() + Duration::from_secs(2);
    while let Ok(Some(Ok(part))) = timeout_at(deadline, bytes.next()).await {
        text += &String::from_utf8_lossy(&part);
    }

    // The first event is the greeting; it names the position from which the stream goes on.
    let (hello, facts) = text.split_once("\n\n").expect("a greeting");
    assert!(hello.contains("hello"), "{hello}");
    let ids: Vec<&str> =
        facts.lines().filter_map(|line| line.strip_prefix("id:")).map(str::trim).collect();
    assert_eq!(ids, all[4..].iter().map(String::as_str).collect::<Vec<_>>());
}
