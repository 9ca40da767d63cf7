//! The shared middle of an endpoint: the shards of the transaction layer, the alarm clock of
//! their timers, and what their outputs set off.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use super::config::{Config, Direction, Limits, Tap, TapRecord};
use super::dialogs::Dialogs;
use super::event::{Inbound, Sink, TuEvent};
use super::guard::Guard;
use super::links::{Links, UdpLink};
use super::resolve::Names;
use super::stats::Counters;
use crate::message::{Draft, Message};
use crate::transaction::{FlowId, Keys, Layer, Output, TxnId};

/// The layer is cut by Call-ID, so that sockets do not wait for each other.
const SHARDS: usize = 8;
/// How late a timer may be, in microseconds; the shortest takes 200 ms.
const GRAIN: u64 = 20_000;

/// One cut of the layer with the dialogs of the same Call-IDs.
pub(super) struct Shard {
    pub(super) layer: Layer<Sink>,
    pub(super) dialogs: Dialogs,
}

type Outputs = Vec<Output<Sink>>;

/// Everything that the tasks and handles of one endpoint share.
pub(super) struct Endpoint {
    pub(super) user_agent: String,
    pub(super) limits: Limits,
    pub(super) tls_client: Option<Arc<rustls::ClientConfig>>,
    tap: Option<Tap>,
    pub(super) keys: Keys,
    shards: Box<[Mutex<Shard>]>,
    pub(super) links: Links,
    pub(super) guard: Mutex<Guard>,
    pub(super) counters: Counters,
    pub(super) names: Names,
    pub(super) inbound: mpsc::Sender<Inbound>,
    alarm: Alarm,
    serials: AtomicU64,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Endpoint {
    pub(super) fn new(
        config: Config,
        udp: Vec<UdpLink>,
        bound: Vec<super::BoundListener>,
        inbound: mpsc::Sender<Inbound>,
    ) -> Self {
        let keys = Keys::fresh();
        let shards = (0..SHARDS as u8).map(|shard| {
            let layer = Layer::new(shard, config.timers.clone(), keys.clone());
            Mutex::new(Shard { layer, dialogs: Dialogs::default() })
        });
        Self {
            user_agent: config.user_agent,
            tls_client: config.tls_client,
            tap: config.tap,
            keys: keys.clone(),
            shards: shards.collect(),
            links: Links::new(udp, bound, config.limits.clone()),
            guard: Mutex::new(Guard::new(config.limits.clone())),
            counters: Counters::default(),
            names: Names::new(config.name_servers),
            inbound,
            alarm: Alarm::new(now()),
            serials: AtomicU64::new(first_serial()),
            tasks: Mutex::new(Vec::new()),
            limits: config.limits,
        }
    }

    /// A number for a connection or an attachment, not given before, also not by an earlier
    /// run of this node: a flow that was stored must not reach a stranger.
    pub(super) fn serial(&self) -> u64 {
        self.serials.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn own(&self, task: JoinHandle<()>) {
        self.tasks.lock().push(task);
    }

    /// Stops listening and closes every connection.
    pub(super) fn stop(&self) {
        for task in self.tasks.lock().drain(..) {
            task.abort();
        }
        self.links.close_all();
    }

    pub(super) fn transactions(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().layer.len()).sum()
    }

    /// Runs one step on the shard of a Call-ID and then does what came out of it.
    pub(super) fn step<R>(
        &self,
        call: u64,
        work: impl FnOnce(&mut Shard, Instant, &mut Outputs) -> R,
    ) -> R {
        self.step_at(shard_of(call), work)
    }

    /// The same on the shard of a transaction.
    pub(super) fn step_txn<R>(
        &self,
        txn: TxnId,
        work: impl FnOnce(&mut Shard, Instant, &mut Outputs) -> R,
    ) -> R {
        self.step_at(txn.shard() % SHARDS, work)
    }

    fn step_at<R>(
        &self,
        at: usize,
        work: impl FnOnce(&mut Shard, Instant, &mut Outputs) -> R,
    ) -> R {
        let mut outputs = Outputs::new();
        let (result, due) = {
            let mut shard = self.shards[at].lock();
            let result = work(&mut shard, now(), &mut outputs);
            (result, shard.layer.due())
        };
        if let Some(due) = due {
            self.alarm.set(due);
        }
        self.perform(at, outputs);
        result
    }

    fn perform(&self, at: usize, outputs: Outputs) {
        for output in outputs {
            match output {
                Output::Send { txn, flow, bytes, again } => {
                    if again {
                        self.counters.retransmissions_sent.add();
                    }
                    if let Err(why) = self.transmit(flow, bytes) {
                        self.step_at(at, |shard, _, out| shard.layer.failed(txn, &why, out));
                    }
                }
                Output::Response { owner, txn, response, flow } => {
                    owner(TuEvent::Response { txn, response, flow });
                }
                Output::Timeout { owner, txn } => owner(TuEvent::Timeout { txn }),
                Output::Failed { owner, txn, why } => {
                    owner(TuEvent::TransportFailed { txn, why });
                }
                Output::Gone { txn, call } => {
                    let sinks = {
                        let mut shard = self.shards[at].lock();
                        shard.dialogs.settled(call, txn);
                        shard.dialogs.all(call)
                    };
                    for sink in sinks {
                        sink(TuEvent::ServerGone { txn });
                    }
                }
            }
        }
    }

    /// Puts a message on a flow.
    pub(super) fn transmit(&self, flow: FlowId, bytes: Bytes) -> Result<(), String> {
        self.counters.sent(&bytes);
        self.tapped(Direction::Sent, flow, &bytes, None);
        let sent = self.links.send(flow, bytes);
        if sent.is_err() {
            self.counters.send_failures.add();
        }
        sent
    }

    /// Shows a message to the tap, if there is one.
    pub(super) fn tapped(
        &self,
        direction: Direction,
        flow: FlowId,
        raw: &Bytes,
        parsed: Option<&Message>,
    ) {
        let Some(tap) = &self.tap else { return };
        let Some(path) = self.links.path(flow) else { return };
        let call_id = match (parsed, direction) {
            (Some(message), _) => message.call_id(),
            (None, Direction::Sent) => Draft::call_id_in(raw),
            (None, Direction::Received) => "",
        };
        tap(&TapRecord {
            direction,
            flow,
            transport: path.transport,
            local: path.local,
            raw,
            at: now(),
            call_id,
        });
    }

    /// A connection has gone.
    pub(super) fn stream_closed(&self, flow: FlowId) {
        for at in 0..SHARDS {
            self.step_at(at, |shard, _, out| shard.layer.stream_closed(flow, out));
        }
    }

    /// Runs the timers until the endpoint stops.
    pub(super) async fn keep_time(self: Arc<Self>) {
        loop {
            self.alarm.wait().await;
            for at in 0..SHARDS {
                self.step_at(at, |shard, now, out| shard.layer.fire(now, out));
            }
        }
    }

    /// Whether a source may be heard at all.
    pub(super) fn is_banned(&self, source: IpAddr) -> bool {
        self.guard.lock().is_banned(source, now())
    }
}

/// The clock of the shell; under tokio's paused time it is the virtual one.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

const fn shard_of(call: u64) -> usize {
    (call >> 32) as usize % SHARDS
}

/// Seconds since 1970 in the high bits: a later run starts above all numbers of an earlier one.
fn first_serial() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(1, |since| since.as_secs() << 28) & !(3 << 62)
}

/// Wakes the timer task at the earliest moment that any shard waits for, and for all that is due
/// soon after at once: a call leaves half a dozen timers of half a second and more behind it, and
/// to wake for each would cost more than they do.
struct Alarm {
    start: Instant,
    /// Microseconds after `start`.
    at: AtomicU64,
    changed: Notify,
}

impl Alarm {
    fn new(start: Instant) -> Self {
        Self { start, at: AtomicU64::new(u64::MAX), changed: Notify::new() }
    }

    fn set(&self, due: Instant) {
        let micros = due.saturating_duration_since(self.start).as_micros();
        // Rounded up: a timer never fires before its time.
        let micros = u64::try_from(micros).unwrap_or(u64::MAX - GRAIN).next_multiple_of(GRAIN);
        if self.at.fetch_min(micros, Ordering::AcqRel) > micros {
            self.changed.notify_one();
        }
    }

    /// Returns when the time has come. Every shard sets the alarm anew when it is asked.
    async fn wait(&self) {
        loop {
            let micros = self.at.load(Ordering::Acquire);
            let changed = self.changed.notified();
            if micros == u64::MAX {
                changed.await;
                continue;
            }
            let due = self.start + Duration::from_micros(micros);
            if tokio::time::timeout_at(due.into(), changed).await.is_err() {
                self.at.store(u64::MAX, Ordering::Release);
                return;
            }
        }
    }
}
