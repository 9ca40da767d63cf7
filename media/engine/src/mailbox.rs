//! What a worker is told: a queue with a way to wake the worker.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use tandem_kernel::{CallId, LegId};
use tandem_sdp::Agreement;
use tokio::sync::oneshot;

use crate::library::Track;
use crate::ports::PortPair;
use crate::recording::Tape;
use crate::types::{LastStats, LegStats, MediaEvent, MediaSink, PlayerId, Source};

/// Commands that may wait before new legs are refused: a second of set-up at 2,000 calls/s.
/// Commands about legs that are open are always taken; their number is bounded by the legs.
const LIMIT: usize = 16_384;

/// One command to a worker.
pub(crate) enum Command {
    Open { leg: LegId, sink: MediaSink, ports: PortPair },
    Connect { leg: LegId, agreement: Box<Agreement> },
    Hear { leg: LegId, sources: Vec<Source> },
    Play { call: CallId, player: PlayerId, track: Track, sink: MediaSink },
    Stop { call: CallId, player: PlayerId },
    SendDtmf { leg: LegId, digits: String },
    Record { leg: LegId, tape: Tape },
    EndRecording { leg: LegId },
    Stats { leg: LegId, reply: oneshot::Sender<LegStats> },
    Close { leg: LegId, told: Option<LastStats> },
    CloseCall { call: CallId },
}

/// Wakes the thread of a worker.
pub(crate) type Wake = Box<dyn Fn() + Send + Sync>;

/// The worker's side and the handle's side share it.
pub(crate) struct Mailbox {
    waiting: Mutex<VecDeque<Command>>,
    wake: Wake,
    stopped: AtomicBool,
    pub(crate) counts: Counts,
}

/// Counters that the handle reads without asking the worker.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) legs: AtomicUsize,
    pub(crate) packets_in: AtomicU64,
    pub(crate) packets_out: AtomicU64,
    pub(crate) send_failures: AtomicU64,
    pub(crate) late_packets: AtomicU64,
    pub(crate) skipped_slices: AtomicU64,
}

/// Adds to a counter that only one thread writes.
pub(crate) fn count(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

impl Mailbox {
    pub(crate) fn new(wake: Wake) -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::default(),
            wake,
            stopped: AtomicBool::new(false),
            counts: Counts::default(),
        })
    }

    pub(crate) fn is_full(&self) -> bool {
        self.waiting() >= LIMIT
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.lock().len()
    }

    pub(crate) fn post(&self, command: Command) {
        let was_empty = {
            let mut waiting = self.waiting.lock();
            waiting.push_back(command);
            waiting.len() == 1
        };
        if was_empty {
            (self.wake)();
        }
    }

    /// Takes all that waits.
    pub(crate) fn take(&self) -> VecDeque<Command> {
        std::mem::take(&mut *self.waiting.lock())
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        (self.wake)();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}

impl Command {
    /// The call it is about.
    pub(crate) fn call(&self) -> CallId {
        match self {
            Self::Open { leg, .. }
            | Self::Connect { leg, .. }
            | Self::Hear { leg, .. }
            | Self::SendDtmf { leg, .. }
            | Self::Record { leg, .. }
            | Self::EndRecording { leg }
            | Self::Stats { leg, .. }
            | Self::Close { leg, .. } => leg.call,
            Self::Play { call, .. } | Self::Stop { call, .. } | Self::CloseCall { call } => *call,
        }
    }

    /// Answers a command about a call that has no leg, where somebody waits for an answer.
    pub(crate) fn refuse(self) {
        if let Self::Play { call, player, sink, track: _ } = self {
            let why = "the call has no leg".into();
            sink(MediaEvent::NotPlayed { call, player, why });
            sink(MediaEvent::Finished { call, player });
        }
    }
}
