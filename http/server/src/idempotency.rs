//! The same POST twice is done once: its reply is kept for a day under the client's key.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tandem_kernel::Timestamp;

use crate::operation::Json;
use crate::problem::{Code, Problem};

/// How long a reply is kept.
const KEPT: Duration = Duration::from_secs(86_400);
/// Replies that are kept at most; the oldest makes room.
const ENTRIES: usize = 10_000;
/// The longest key.
const KEY_BYTES: usize = 255;

/// What a key stands for: who used it, on what, and the key.
pub(crate) type Key = (String, String, String);

/// How a request ended.
pub(crate) type Outcome = Result<Json, Problem>;

/// The kept replies.
#[derive(Clone, Default)]
pub(crate) struct Repeats(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    entries: HashMap<Key, Entry>,
    order: VecDeque<(Timestamp, Key)>,
}

struct Entry {
    body: blake3::Hash,
    began: Timestamp,
    /// None while the first request runs.
    outcome: Option<Outcome>,
}

/// The first request of a key. If it is dropped before it ended, the key is free again.
pub(crate) struct First {
    repeats: Repeats,
    key: Key,
    ended: bool,
}

/// What a request with a key is.
pub(crate) enum Turn {
    First(First),
    Again(Outcome),
}

/// A key that fits in the table.
pub(crate) fn check(key: &str) -> Result<(), Problem> {
    let fits = (1..=KEY_BYTES).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    let wrong = || Problem::parameter("Idempotency-Key", "1 to 255 visible ASCII characters");
    fits.then_some(()).ok_or_else(wrong)
}

impl Repeats {
    /// Takes a key, or gives what it has led to.
    pub(crate) fn begin(
        &self,
        now: Timestamp,
        key: Key,
        body: blake3::Hash,
    ) -> Result<Turn, Problem> {
        let mut table = self.0.lock();
        table.forget(now);
        if let Some(entry) = table.entries.get(&key) {
            if entry.body != body {
                let detail = "the Idempotency-Key was used with another body";
                return Err(Problem::new(Code::KeyReused, detail));
            }
            return entry.outcome.clone().map(Turn::Again).ok_or_else(|| {
                Problem::new(Code::StillRunning, "the first request with this key still runs")
            });
        }
        table.entries.insert(key.clone(), Entry { body, began: now, outcome: None });
        table.order.push_back((now, key.clone()));
        Ok(Turn::First(First { repeats: self.clone(), key, ended: false }))
    }
}

impl Table {
    fn forget(&mut self, now: Timestamp) {
        while let Some((began, key)) = self.order.front() {
            let old = now.since(*began) >= KEPT || self.order.len() > ENTRIES;
            if !old {
                return;
            }
            // The key may have been freed and taken again since.
            if self.entries.get(key).is_some_and(|entry| entry.began == *began) {
                self.entries.remove(key);
            }
            self.order.pop_front();
        }
    }
}

impl First {
    /// Keeps the outcome, unless trying again may end better.
    pub(crate) fn end(mut self, outcome: &Outcome) {
        let again = matches!(outcome, Err(problem)
            if problem.code.status().is_server_error() || problem.code == Code::TooMany);
        if again {
            return;
        }
        self.ended = true;
        if let Some(entry) = self.repeats.0.lock().entries.get_mut(&self.key) {
            entry.outcome = Some(outcome.clone());
        }
    }
}

impl Drop for First {
    fn drop(&mut self) {
        if !self.ended {
            self.repeats.0.lock().entries.remove(&self.key);
        }
    }
}
