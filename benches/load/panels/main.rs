//! How a node serves many panels: clients on its event stream, and agents who pause and resume.
//!
//! `tandem-panel-load ADDRESS TOKEN CLIENTS EVENTS_PER_SEC SECS PID`
//!
//! ADDRESS and TOKEN are the HTTP listener and a token of a node whose process is PID. Each client
//! counts what it hears; a latency is from the `at` of an event, milliseconds of the same clock,
//! to the read of its frame. In the second half of the time one more client, which asks for the
//! whole history and reads nothing, is among them. Prints what was sent, heard and missed, the
//! latency of both halves, the node's processor time, and what became of the slow one.

// The one who runs it reads the line.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod slow;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

type Socket = WebSocketStream<TcpStream>;

/// A connection takes 600 messages between two pings.
const WRITERS: usize = 8;
/// The agents of the demo office.
const AGENTS: [&str; 3] = ["1001", "1002", "1003"];
/// What is on its way when the last event was asked for.
const AFTERWARDS: Duration = Duration::from_secs(3);

struct Wanted {
    address: String,
    token: String,
    clients: usize,
    rate: u32,
    secs: u64,
    pid: u32,
}

/// What one client heard.
#[derive(Default)]
struct Heard {
    events: u64,
    /// The place of the last event.
    last: u64,
    /// Milliseconds of each event, without the slow client and with it.
    latencies: [Vec<u16>; 2],
    /// Events that did not come behind the one before.
    disordered: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("tandem-panel-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn wanted() -> Result<Wanted> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, token, clients, rate, secs, pid] = <[String; 6]>::try_from(args)
        .map_err(|_| "tandem-panel-load ADDRESS TOKEN CLIENTS EVENTS_PER_SEC SECS PID")?;
    Ok(Wanted {
        address,
        token,
        clients: clients.parse()?,
        rate: rate.parse()?,
        secs: secs.parse()?,
        pid: pid.parse()?,
    })
}

async fn run() -> Result<String> {
    let wanted = Arc::new(wanted()?);
    let (is_over, with_slow) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let mut clients = JoinSet::new();
    for _ in 0..wanted.clients {
        let socket = subscribed(&wanted).await?;
        clients.spawn(listen(socket, is_over.clone(), with_slow.clone()));
    }
    let (cpu, began) = (cpu_secs(wanted.pid)?, SystemTime::now());
    let alone = write(&wanted).await?;
    with_slow.store(true, Ordering::Relaxed);
    let slow = tokio::spawn(slow::run(wanted.clone(), is_over.clone()));
    let beside = write(&wanted).await?;
    let (asked, refused) = (alone.0 + beside.0, alone.1 + beside.1);
    let passed = began.elapsed()?.as_secs_f64();
    sleep(AFTERWARDS).await;
    let spent = cpu_secs(wanted.pid)? - cpu;
    is_over.store(true, Ordering::Relaxed);
    let mut all = Vec::new();
    while let Some(heard) = clients.join_next().await {
        all.push(heard?);
    }
    let share = spent / (passed + AFTERWARDS.as_secs_f64());
    let last = all.iter().map(|heard| heard.last).max().unwrap_or(0);
    let slow = slow.await??.told(last);
    Ok(format!("{}\n{slow}", line(&wanted, &all, (asked, refused), share)))
}

async fn open(wanted: &Wanted) -> Result<Socket> {
    let mut request = format!("ws://{}/api/v1/events", wanted.address).into_client_request()?;
    let bearer = format!("Bearer {}", wanted.token);
    request.headers_mut().insert("authorization", bearer.parse()?);
    let tcp = TcpStream::connect(&wanted.address).await?;
    tcp.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(4 * 1024);
    Ok(client_async_with_config(request, tcp, Some(config)).await?.0)
}

async fn subscribed(wanted: &Wanted) -> Result<Socket> {
    let mut socket = open(wanted).await?;
    let subscribe = json!({ "type": "subscribe", "from": null });
    socket.send(Message::text(subscribe.to_string())).await?;
    loop {
        if said(&mut socket).await?["type"] == "subscribed" {
            return Ok(socket);
        }
    }
}

async fn said(socket: &mut Socket) -> Result<Value> {
    loop {
        match socket.next().await.ok_or("the node hung up")?? {
            Message::Text(text) => return Ok(serde_json::from_str(&text)?),
            Message::Close(why) => return Err(format!("the node closed: {why:?}").into()),
            _ => {}
        }
    }
}

async fn listen(mut socket: Socket, is_over: Arc<AtomicBool>, with_slow: Arc<AtomicBool>) -> Heard {
    let mut heard = Heard::default();
    while !is_over.load(Ordering::Relaxed) {
        // The end is looked for now and then, whether anything comes or not.
        let Ok(next) = timeout(Duration::from_millis(200), socket.next()).await else { continue };
        let Some(Ok(Message::Text(text))) = next else {
            if matches!(next, Some(Ok(Message::Ping(_)))) {
                continue;
            }
            break;
        };
        let now = millis();
        let Ok(event) = serde_json::from_str::<Value>(&text) else { break };
        heard.take(&event, now, usize::from(with_slow.load(Ordering::Relaxed)));
    }
    heard
}

impl Heard {
    fn take(&mut self, event: &Value, now: u64, half: usize) {
        let position = place(event);
        let at = event["at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
        let (Some(position), Some(at)) = (position, at) else { return };
        self.disordered += u64::from(position <= self.last);
        self.last = position;
        self.events += 1;
        let at = u64::try_from(at.as_millisecond()).unwrap_or(0);
        self.latencies[half].push(u16::try_from(now.saturating_sub(at)).unwrap_or(u16::MAX));
    }
}

/// The place of an event in the journal.
fn place(event: &Value) -> Option<u64> {
    event["position"].as_str()?.split_once(':')?.1.parse().ok()
}

/// Pauses and resumes agents at the rate for half of the time; gives how many commands were sent and refused.
async fn write(wanted: &Wanted) -> Result<(u64, u64)> {
    let mut writers = Vec::new();
    for _ in 0..WRITERS {
        writers.push(open(wanted).await?);
    }
    let mut ticks = interval(Duration::from_secs(1) / wanted.rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (asked, mut refused) = (u64::from(wanted.rate) * wanted.secs / 2, 0);
    for count in 0..asked {
        ticks.tick().await;
        let index = usize::try_from(count)?;
        let is_pause = (index / AGENTS.len()).is_multiple_of(2);
        let command = json!({
            "type": "command",
            "id": count,
            "operation": if is_pause { "pauseAgent" } else { "resumeAgent" },
            "path": { "extension": AGENTS[index % AGENTS.len()] },
            "body": {},
        });
        let writer = &mut writers[index % WRITERS];
        writer.send(Message::text(command.to_string())).await?;
        // What the writer was told so far; it is not waited for.
        while let Ok(Some(Ok(Message::Text(text)))) =
            timeout(Duration::from_micros(50), writer.next()).await
        {
            let reply: Value = serde_json::from_str(&text)?;
            let is_refusal = reply["status"].as_u64().is_some_and(|status| status >= 300);
            if is_refusal && refused == 0 {
                eprintln!("the first refusal: {reply}");
            }
            refused += u64::from(is_refusal);
        }
    }
    Ok((asked, refused))
}

fn line(wanted: &Wanted, all: &[Heard], (asked, refused): (u64, u64), share: f64) -> String {
    let most = all.iter().map(|heard| heard.events).max().unwrap_or(0);
    let missed: u64 = all.iter().map(|heard| most - heard.events).sum();
    let disordered: u64 = all.iter().map(|heard| heard.disordered).sum();
    let halves = [0, 1].map(|half| latency(all, half));
    format!(
        "{} clients, {asked} commands ({refused} refused) in {} s: {most} events each, {missed} \
         missed, {disordered} out of order; at to read {}; with a slow client {}; the node used \
         {:.0} % of a core",
        wanted.clients,
        wanted.secs,
        halves[0],
        halves[1],
        share * 100.0,
    )
}

fn latency(all: &[Heard], half: usize) -> String {
    let mut latencies: Vec<u16> =
        all.iter().flat_map(|heard| heard.latencies[half].iter().copied()).collect();
    latencies.sort_unstable();
    let at = |share: f64| {
        let place = (share * latencies.len() as f64) as usize;
        latencies.get(place.min(latencies.len().saturating_sub(1))).copied().unwrap_or(0)
    };
    format!("p50 {} ms, p99 {} ms, most {} ms", at(0.5), at(0.99), at(1.0))
}

fn millis() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// User and system time of a process; the kernel counts in ticks of 10 ms.
fn cpu_secs(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit_once(')').ok_or("no stat")?.1.split_whitespace().collect();
    let [user, system] = [11, 12].map(|at| fields.get(at).and_then(|it| it.parse::<f64>().ok()));
    Ok((user.ok_or("no user time")? + system.ok_or("no system time")?) / 100.0)
}
