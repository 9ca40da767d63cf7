//! A client that asks for the whole history and then reads nothing for longer than the node is
//! patient; it reads what came, is told why it was closed, and goes on from where it was.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::{Result, Socket, Wanted, place};

/// The node is patient for 10 s and then tries for one more to say why it closes.
const SLEEPS_FOR: Duration = Duration::from_millis(10_500);
/// What the system keeps for who does not read; the less, the sooner the node notices.
const WINDOW_BYTES: u32 = 4 * 1024;

/// What became of it.
pub(super) struct Slow {
    closed_with: Option<u16>,
    after: Duration,
    /// Events that were read before it was closed.
    before: u64,
    /// Places of all events, in the order in which they were read.
    places: Vec<u64>,
}

impl Slow {
    pub(super) fn told(&self, last: u64) -> String {
        let in_order = self.places.windows(2).all(|pair| pair[0] < pair[1]);
        let has_all = self.places.last() == Some(&last);
        format!(
            "the slow client: closed with {:?} after {:.1} s and {} events, resumed and read {} \
             more; in order and none twice: {in_order}, up to the last: {has_all}",
            self.closed_with,
            self.after.as_secs_f64(),
            self.before,
            self.places.len() as u64 - self.before,
        )
    }
}

async fn open(wanted: &Wanted, from: &str) -> Result<Socket> {
    let mut request = format!("ws://{}/api/v1/events", wanted.address).into_client_request()?;
    request.headers_mut().insert("authorization", format!("Bearer {}", wanted.token).parse()?);
    let tcp = TcpSocket::new_v4()?;
    tcp.set_recv_buffer_size(WINDOW_BYTES)?;
    let tcp = tcp.connect(wanted.address.parse()?).await?;
    let mut socket = client_async_with_config(request, tcp, None).await?.0;
    let subscribe = json!({ "type": "subscribe", "from": from });
    socket.send(Message::text(subscribe.to_string())).await?;
    Ok(socket)
}

pub(super) async fn run(wanted: Arc<Wanted>, is_over: Arc<AtomicBool>) -> Result<Slow> {
    let began = Instant::now();
    let mut socket = open(&wanted, "0:0").await?;
    sleep(SLEEPS_FOR).await;
    let mut places = Vec::new();
    let closed_with = read(&mut socket, &mut places, &is_over).await?;
    let (after, before) = (began.elapsed(), places.len() as u64);
    // As a page does: after the last event that it has read.
    let mut socket = open(&wanted, &format!("0:{}", places.last().copied().unwrap_or(0))).await?;
    let again = read(&mut socket, &mut places, &is_over).await?;
    if again.is_some() {
        return Err(format!("closed a second time: {again:?}").into());
    }
    Ok(Slow { closed_with, after, before, places })
}

/// Reads until the node closes or all is over; gives the code.
async fn read(
    socket: &mut Socket,
    places: &mut Vec<u64>,
    is_over: &AtomicBool,
) -> Result<Option<u16>> {
    loop {
        let next = timeout(Duration::from_millis(200), socket.next()).await;
        match next {
            Ok(Some(Ok(Message::Text(text)))) => {
                let event: Value = serde_json::from_str(&text)?;
                if event["type"] == "event" {
                    places.extend(place(&event));
                }
            }
            Ok(Some(Ok(Message::Close(why)))) => return Ok(why.map(|it| it.code.into())),
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(error))) => return Err(error.into()),
            Ok(None) => return Ok(None),
            Err(_) if is_over.load(Ordering::Relaxed) => return Ok(None),
            Err(_) => {}
        }
    }
}
