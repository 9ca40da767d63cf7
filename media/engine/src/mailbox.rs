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
    Rename { leg: LegId, to: u16 },
    Close { leg: LegId, told: Option<LastStats> },
    CloseCall { call: CallId },
}

/// Wakes the thread of a worker.
pub(crate) type Wake = Box<dyn Fn() + Send + Sync>;

/// The worker's side and the handle's side share it.
pub(crate) struct Mailbox {
    waiting: Mutex<Waiting>,
    wake: Wake,
    stopped: AtomicBool,
    pub(crate) counts: Counts,
}

#[derive(Default)]
struct Waiting {
    commands: VecDeque<Command>,
    /// The worker looks by itself, within a slice.
    is_ticking: bool,
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
        self.waiting.lock().commands.len()
    }

    pub(crate) fn post(&self, command: Command) {
        let is_asleep = {
            let mut waiting = self.waiting.lock();
            waiting.commands.push_back(command);
            waiting.commands.len() == 1 && !waiting.is_ticking
        };
        if is_asleep {
            (self.wake)();
        }
    }

    /// The worker is about to wait: for its next slice at most, or for a wake only. True when it
    /// must not, because something was posted while it ticked.
    pub(crate) fn rest(&self, is_ticking: bool) -> bool {
        let mut waiting = self.waiting.lock();
        waiting.is_ticking = is_ticking;
        !is_ticking && !waiting.commands.is_empty()
    }

    /// Takes all that waits.
    pub(crate) fn take(&self) -> VecDeque<Command> {
        std::mem::take(&mut self.waiting.lock().commands)
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
            | Self::Rename { leg, .. }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_ticks_is_not_woken_and_forgets_nothing_when_it_ends_to_tick() {
        let woken = Arc::new(AtomicUsize::new(0));
        let wakes = Arc::clone(&woken);
        let mailbox = Mailbox::new(Box::new(move || {
            wakes.fetch_add(1, Ordering::Relaxed);
        }));
        let close = || Command::CloseCall { call: CallId::fresh() };

        mailbox.post(close());
        mailbox.post(close());
        assert_eq!(woken.load(Ordering::Relaxed), 1);
        assert_eq!(mailbox.take().len(), 2);
        assert!(!mailbox.rest(true));
        mailbox.post(close());
        assert_eq!(woken.load(Ordering::Relaxed), 1);
        assert!(mailbox.rest(false), "it may not sleep");
        assert_eq!(mailbox.take().len(), 1);
        assert!(!mailbox.rest(false));
        mailbox.post(close());
        assert_eq!(woken.load(Ordering::Relaxed), 2);
    }
}
