//! The same POST twice is done once: its reply is kept for a day under the client's key. What
//! outlives a restart is kept by `actors::repeats`; what was refused changed nothing and does not.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, StatusCode};
use parking_lot::Mutex;
use tandem_actors::repeats::{self, KEPT, Kept, Known, RepeatKey};
use tandem_kernel::Timestamp;

use crate::operation::Json;
use crate::problem::{Code, Problem};

/// Replies that are kept at most; the oldest makes room.
const ENTRIES: usize = 10_000;
/// The longest key.
const KEY_BYTES: usize = 255;

/// What a key stands for: who used it, on what, and the key.
pub(crate) type Key = (String, String, String);

/// How a request ended.
pub(crate) type Outcome = Result<Json, Problem>;

/// The kept replies.
#[derive(Clone)]
pub(crate) struct Repeats {
    table: Arc<Mutex<Table>>,
    journalled: repeats::Repeats,
}

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
    place: RepeatKey,
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
    pub(crate) fn new(journalled: repeats::Repeats) -> Self {
        Self { table: Arc::default(), journalled }
    }

    /// Takes a key, or gives what it has led to.
    pub(crate) fn begin(
        &self,
        now: Timestamp,
        key: Key,
        body: blake3::Hash,
    ) -> Result<Turn, Problem> {
        let mut table = self.table.lock();
        table.forget(now);
        if let Some(entry) = table.entries.get(&key) {
            if entry.body != body {
                return Err(reused());
            }
            return entry.outcome.clone().map(Turn::Again).ok_or_else(|| {
                Problem::new(Code::StillRunning, "the first request with this key still runs")
            });
        }
        let place = place_of(&key);
        if let Some(known) = self.journalled.find(now, &place) {
            return before_restart(known, body).map(|json| Turn::Again(Ok(json)));
        }
        self.journalled.begin(now, &place, *body.as_bytes());
        table.entries.insert(key.clone(), Entry { body, began: now, outcome: None });
        table.order.push_back((now, key.clone()));
        Ok(Turn::First(First { repeats: self.clone(), key, place, ended: false }))
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
    /// Keeps the outcome, unless trying again may end better. A secret is not written to the disk.
    pub(crate) async fn end(mut self, outcome: Outcome, is_secret: bool) {
        let again = matches!(&outcome, Err(problem)
            if problem.code.status().is_server_error() || problem.code == Code::TooMany);
        if again {
            return;
        }
        self.ended = true;
        if let Some(entry) = self.repeats.table.lock().entries.get_mut(&self.key) {
            entry.outcome = Some(outcome.clone());
        }
        let journalled = self.repeats.journalled.clone();
        match outcome {
            Ok(json) => journalled.end(&self.place, kept(&json, is_secret)).await,
            Err(_) => journalled.free(&self.place),
        }
    }
}

impl Drop for First {
    fn drop(&mut self) {
        if !self.ended {
            self.repeats.table.lock().entries.remove(&self.key);
            self.repeats.journalled.free(&self.place);
        }
    }
}

fn reused() -> Problem {
    Problem::new(Code::KeyReused, "the Idempotency-Key was used with another body")
}

fn place_of((who, what, key): &Key) -> RepeatKey {
    let mut hasher = blake3::Hasher::new();
    for part in [who, what, key] {
        hasher.update(&part.len().to_le_bytes()).update(part.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

fn kept(json: &Json, is_secret: bool) -> Kept {
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = json.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
    Kept {
        status: json.status.as_u16(),
        headers: headers.collect(),
        body: json.body.as_ref().filter(|_| !is_secret).map(ToString::to_string),
        is_withheld: is_secret,
    }
}

/// What a request that was begun before the node's last start has led to.
fn before_restart(known: Known, body: blake3::Hash) -> Result<Json, Problem> {
    if body != known.body {
        return Err(reused());
    }
    let Some(kept) = known.kept else {
        let detail = "the node ended while it did the first request with this key";
        return Err(Problem::new(Code::OutcomeUnknown, detail));
    };
    let unreadable = || Problem::new(Code::AnswerNotKept, "the first request was done");
    if kept.is_withheld {
        return Err(unreadable());
    }
    let status = StatusCode::from_u16(kept.status).map_err(|_| unreadable())?;
    let headers = kept.headers.iter().filter_map(|(name, value)| {
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
    });
    let body = kept.body.map(|text| serde_json::from_str(&text)).transpose();
    let body = body.map_err(|_| unreadable())?;
    Ok(Json { status, headers: headers.collect(), body })
}
