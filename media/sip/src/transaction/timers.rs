//! How long things take, and the one table of what is due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use super::TxnId;

/// The base values of RFC 3261 17.1.1.1; every timer from A to M is made of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Estimate of the round trip. Timers A, E and G start with it; B, F, H, J, L and M are 64
    /// of it.
    pub t1: Duration,
    /// Longest interval between repeated non-INVITE requests and INVITE answers.
    pub t2: Duration,
    /// How long a message can stay in the network: timers I and K.
    pub t4: Duration,
    /// Timer D: how long repeated final answers to an INVITE are acknowledged over UDP.
    pub d: Duration,
    /// An INVITE whose user is silent for so long is answered 100 (RFC 3261 17.2.1).
    pub trying: Duration,
    /// An INVITE that is neither answered nor refused for so long is given up, so that a lost
    /// user cannot hold memory for ever. Not an RFC timer; the ring timeout is the user's.
    pub stale: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            d: Duration::from_secs(32),
            trying: Duration::from_millis(200),
            stale: Duration::from_secs(3 * 60 * 60),
        }
    }
}

impl Timers {
    /// 64 times T1: timers B, F, H, J, L and M.
    #[must_use]
    pub fn long(&self) -> Duration {
        self.t1 * 64
    }
}

/// What is due when. An entry whose transaction has gone is skipped when its time comes, so
/// cancelling costs nothing.
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<(Instant, TxnId)>>,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self { heap: BinaryHeap::new() }
    }

    pub(super) fn push(&mut self, at: Instant, txn: TxnId) {
        self.heap.push(Reverse((at, txn)));
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(Instant, TxnId)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }
}
