//! Replies that a client may ask for again with the same Idempotency-Key: a fold over their
//! events, so that a request that is sent again after a restart of the node is not done twice.
//!
//! That a request began stands in the journal before anything that it does. A node that ends
//! between the two can not tell whether it was done, and says so.

pub mod event;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tandem_journal::{Append, Entity, Journal, PendingAppend};
use tandem_kernel::{Clock, Timestamp};

pub use self::event::{Kept, RepeatEvent};
use crate::entity;

/// How long a reply is kept.
pub const KEPT: Duration = Duration::from_secs(86_400);
/// Replies that are kept at most; the oldest makes room.
const ENTRIES: usize = 10_000;
/// The longest reply that is kept.
const LONGEST: usize = 32 * 1024;

/// BLAKE3 of who asked, for what, with which key.
pub type RepeatKey = [u8; 32];

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// BLAKE3 of the first request's body.
    pub body: [u8; 32],
    /// How it ended; none: it is not known whether it was done.
    pub kept: Option<Kept>,
}

/// The replies of a node. Cheap to clone.
#[derive(Clone)]
pub struct Repeats {
    inner: Arc<Inner>,
}

struct Inner {
    table: Mutex<Table>,
    journal: Journal,
    clock: Clock,
}

/// The kept replies as a fold.
#[derive(Default)]
struct Table {
    entries: HashMap<RepeatKey, (Timestamp, Known)>,
    order: VecDeque<(Timestamp, RepeatKey)>,
}

impl Table {
    fn evolve(&mut self, at: Timestamp, key: RepeatKey, event: &RepeatEvent) {
        self.forget(at);
        match event {
            // A member of a cluster hears of its own again.
            RepeatEvent::Began { .. } if self.entries.contains_key(&key) => {}
            RepeatEvent::Began { body } => {
                self.entries.insert(key, (at, Known { body: *body, kept: None }));
                self.order.push_back((at, key));
            }
            RepeatEvent::Ended(kept) => {
                if let Some((_, known)) = self.entries.get_mut(&key) {
                    known.kept = Some(kept.clone());
                }
            }
            RepeatEvent::Freed => {
                self.entries.remove(&key);
            }
        }
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some((began, key)) = self.order.front() {
            let old = now.since(*began) >= KEPT || self.order.len() > ENTRIES;
            if !old {
                return;
            }
            // The key may have been freed and taken again since.
            if self.entries.get(key).is_some_and(|(at, _)| at == began) {
                self.entries.remove(key);
            }
            self.order.pop_front();
        }
    }
}

impl Repeats {
    /// Replies whose events are replayed with [`Repeats::replay`].
    #[must_use]
    pub fn new(journal: Journal, clock: Clock) -> Self {
        Self { inner: Arc::new(Inner { table: Mutex::default(), journal, clock }) }
    }

    /// Takes an event from the journal in, at the start.
    ///
    /// # Errors
    /// When the bytes are no such event.
    pub fn replay(
        &self,
        at: Timestamp,
        key: &str,
        event: &Bytes,
    ) -> Result<(), tandem_wire::WireError> {
        let event = entity::decode(event)?;
        match blake3::Hash::from_hex(key) {
            Ok(key) => self.inner.table.lock().evolve(at, *key.as_bytes(), &event),
            Err(error) => tracing::error!(key, %error, "a repeat has no such key"),
        }
        Ok(())
    }

    /// What is known of a key.
    #[must_use]
    pub fn find(&self, now: Timestamp, key: &RepeatKey) -> Option<Known> {
        let mut table = self.inner.table.lock();
        table.forget(now);
        table.entries.get(key).map(|(_, known)| known.clone())
    }

    /// A request begins. What it does is appended behind this, so nobody has to wait.
    pub fn begin(&self, now: Timestamp, key: &RepeatKey, body: [u8; 32]) {
        drop(self.tell(now, key, &RepeatEvent::Began { body }));
    }

    /// It was not done, so it may be tried again.
    pub fn free(&self, key: &RepeatKey) {
        drop(self.tell(self.inner.clock.now(), key, &RepeatEvent::Freed));
    }

    /// It was done. Durable when this returns, unless the journal is down; then a repeat is told
    /// that the outcome is not known.
    pub async fn end(&self, key: &RepeatKey, mut kept: Kept) {
        let length = kept.body.as_ref().map_or(0, String::len);
        if length > LONGEST {
            (kept.body, kept.is_withheld) = (None, true);
        }
        if let Err(error) = self.tell(self.inner.clock.now(), key, &RepeatEvent::Ended(kept)).await
        {
            tracing::warn!(%error, "a reply is not kept beyond a restart");
        }
    }

    fn tell(&self, now: Timestamp, key: &RepeatKey, event: &RepeatEvent) -> PendingAppend {
        self.inner.table.lock().evolve(now, *key, event);
        let entity = Entity::new(entity::REPEAT, blake3::Hash::from(*key).to_hex().as_str());
        let events = vec![entity::encode(event)];
        self.inner.journal.append(Append { entity, expected: None, epoch: 0, op_id: None, events })
    }
}
