//! When this member last heard from a leader whom a quorum follows.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// The moment of the last entry, heartbeat or copy that was taken from the leader.
#[derive(Debug, Default)]
pub(crate) struct Contact(Mutex<Option<Instant>>);

impl Contact {
    pub(crate) fn note(&self) {
        *self.0.lock() = Some(Instant::now());
    }

    pub(crate) fn age(&self) -> Option<Duration> {
        self.0.lock().map(|at| at.elapsed())
    }
}
