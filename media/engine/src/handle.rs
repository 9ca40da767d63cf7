//! The engine's handle: reserves ports and routes commands to the worker that owns the call.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::RngCore;
use tandem_kernel::{CallId, LegId};
use tandem_sdp::{Agreement, Codec};
use tokio::sync::oneshot;

use crate::library::Library;
use crate::mailbox::{Command, Mailbox};
use crate::ports::PortPool;
use crate::recording::{RecordedLater, Recorder};
use crate::shell;
use crate::types::{
    Config, EngineError, LastStats, LegStats, Load, LocalMedia, MediaSink, PlayerId, Programme,
    Source,
};
use crate::webrtc::{Browser, BrowserError, Jack, LinkSink, Place, loopback};

/// Starts the workers.
///
/// # Errors
/// When the port range holds no pair or the system refuses a thread.
pub fn start(config: Config) -> Result<Handle, EngineError> {
    let ports = Arc::new(PortPool::new(config.bind, &config.ports)?);
    let library = Library::open(config.library.clone())?;
    let recorder = Recorder::start()?;
    let inside = reachable(config.bind);
    let addr = config.advertised.unwrap_or(inside);
    let place = Place {
        bind: config.bind,
        advertised: config.advertised,
        reachable: addr,
        ports: Arc::clone(&ports),
    };
    let workers = (0..config.workers.max(1))
        .map(|number| shell::spawn(number, config.backend))
        .collect::<Result<Vec<_>, _>>()?;
    let jacks = AtomicU64::new(0);
    let inner = Inner { ports, library, recorder, addr, inside, place, jacks, workers };
    Ok(Handle { inner: Arc::new(inner) })
}

/// The engine, for those who set up calls. Cheap to clone; the workers end with the last clone.
#[derive(Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

struct Inner {
    ports: Arc<PortPool>,
    library: Library,
    recorder: Recorder,
    addr: IpAddr,
    inside: IpAddr,
    place: Place,
    jacks: AtomicU64,
    workers: Vec<Arc<Mailbox>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        for worker in &self.workers {
            worker.stop();
        }
    }
}

/// An SDES master key and salt (RFC 4568) that nobody has had.
#[must_use]
pub fn fresh_key() -> [u8; 30] {
    let mut key = [0; 30];
    rand::rng().fill_bytes(&mut key);
    key
}

impl Handle {
    /// Reserves a port pair for a leg, now. Nothing is sent before [`Handle::connect`].
    ///
    /// # Errors
    /// When no port is free or the worker does not keep up.
    pub fn open(&self, leg: LegId, sink: MediaSink) -> Result<LocalMedia, EngineError> {
        let worker = self.worker(leg.call);
        if worker.is_full() {
            return Err(EngineError::Overloaded);
        }
        let ports = self.inner.ports.reserve()?;
        let local = LocalMedia { addr: self.inner.addr, port: ports.lease.port, key: fresh_key() };
        worker.post(Command::Open { leg, sink, ports });
        Ok(local)
    }

    /// Sets what the leg sends and receives; may be repeated after each offer and answer.
    pub fn connect(&self, leg: LegId, agreement: Agreement) {
        self.post(leg.call, Command::Connect { leg, agreement: Box::new(agreement) });
    }

    /// Sets whom the leg hears: its row of the hearing matrix. No source is silence.
    pub fn hear(&self, leg: LegId, sources: Vec<Source>) {
        self.post(leg.call, Command::Hear { leg, sources });
    }

    /// Starts a player; one of the same number is replaced.
    pub fn play(&self, call: CallId, player: PlayerId, programme: Programme, sink: MediaSink) {
        let track = self.inner.library.track(programme);
        self.post(call, Command::Play { call, player, track, sink });
    }

    /// Stops a player without a report.
    pub fn stop(&self, call: CallId, player: PlayerId) {
        self.post(call, Command::Stop { call, player });
    }

    /// Records what a leg says into a WAV file, until [`Handle::end_recording`] or the leg's
    /// end, and then tells what became of it.
    #[must_use]
    pub fn record(&self, leg: LegId, path: PathBuf) -> RecordedLater {
        let (tape, later) = self.inner.recorder.tape(path);
        self.post(leg.call, Command::Record { leg, tape });
        later
    }

    /// Ends the recording of a leg, if there is one.
    pub fn end_recording(&self, leg: LegId) {
        self.post(leg.call, Command::EndRecording { leg });
    }

    /// Sends digits to the leg: telephone-events where they are agreed, otherwise tones.
    /// Characters that are no DTMF digit are left out.
    pub fn send_dtmf(&self, leg: LegId, digits: String) {
        self.post(leg.call, Command::SendDtmf { leg, digits });
    }

    /// Asks for the leg's figures; the receiver fails when there is no such leg.
    #[must_use]
    pub fn stats(&self, leg: LegId) -> oneshot::Receiver<LegStats> {
        let (reply, answer) = oneshot::channel();
        self.post(leg.call, Command::Stats { leg, reply });
        answer
    }

    /// Gives a leg another number in its call, so that one in its place can be opened while the
    /// call's players go on. Who hears the number hears the new one.
    pub fn rename(&self, leg: LegId, to: u16) {
        self.post(leg.call, Command::Rename { leg, to });
    }

    /// Ends a leg and frees its ports.
    pub fn close(&self, leg: LegId) {
        self.post(leg.call, Command::Close { leg, told: None });
    }

    /// The same, and its last figures; they come on the worker's thread and must be put away
    /// quickly. Nothing is told of a leg that is not there.
    pub fn close_told(&self, leg: LegId, told: LastStats) {
        self.post(leg.call, Command::Close { leg, told: Some(told) });
    }

    /// Ends all legs and players of a call.
    pub fn close_call(&self, call: CallId) {
        self.post(call, Command::CloseCall { call });
    }

    /// Answers a browser's offer; the answer is complete, so that nothing need be trickled.
    ///
    /// # Errors
    /// When the offer can not be answered or no port is free.
    pub async fn browser(
        &self,
        offer: String,
        codec: Codec,
        sink: LinkSink,
    ) -> Result<(Browser, String), BrowserError> {
        Box::pin(Browser::connect(self.inner.place.clone(), offer, codec, sink)).await
    }

    /// The end of a leg at a browser, for a leg of this node or, where `peer` is its
    /// [`inside`](Self::inside), of another. Must be called on the runtime that browsers live on.
    ///
    /// # Errors
    /// When no port is free.
    pub fn jack(&self, peer: Option<IpAddr>) -> Result<Jack, EngineError> {
        let number = self.inner.jacks.fetch_add(1, Ordering::Relaxed);
        match peer {
            None => Jack::open(loopback(self.inner.place.bind), number),
            Some(peer) => Jack::at(&self.inner.ports, (self.inside(), peer), number),
        }
    }

    /// Where other nodes of a cluster reach this one's audio.
    #[must_use]
    pub fn inside(&self) -> IpAddr {
        self.inner.inside
    }

    /// How busy the engine is.
    #[must_use]
    pub fn load(&self) -> Load {
        let mut load = Load::default();
        for worker in &self.inner.workers {
            let counts = &worker.counts;
            load.waiting_commands += worker.waiting();
            load.legs += counts.legs.load(Ordering::Relaxed);
            load.packets_in += counts.packets_in.load(Ordering::Relaxed);
            load.packets_out += counts.packets_out.load(Ordering::Relaxed);
            load.send_failures += counts.send_failures.load(Ordering::Relaxed);
            load.late_packets += counts.late_packets.load(Ordering::Relaxed);
            load.skipped_slices += counts.skipped_slices.load(Ordering::Relaxed);
        }
        load
    }

    fn post(&self, call: CallId, command: Command) {
        self.worker(call).post(command);
    }

    fn worker(&self, call: CallId) -> &Arc<Mailbox> {
        // The low half of a UUIDv7 is random; the multiplication spreads ids made by hand.
        let spread = (call.as_u128() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        &self.inner.workers[spread as usize % self.inner.workers.len()]
    }
}

/// The address others reach us at when sockets are bound to all: that of the default route.
/// Connecting a UDP socket sends nothing.
fn reachable(bind: IpAddr) -> IpAddr {
    if !bind.is_unspecified() {
        return bind;
    }
    let outside = match bind {
        IpAddr::V4(_) => SocketAddr::from(([192, 0, 2, 1], 9)),
        IpAddr::V6(_) => SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 9)),
    };
    UdpSocket::bind((bind, 0))
        .and_then(|socket| {
            socket.connect(outside)?;
            socket.local_addr()
        })
        .map_or(bind, |addr| addr.ip())
}
