//! Is the journal whole? Asked at every open, and by whoever doubts.

use std::path::Path;

use openraft::alias::LogIdOf;
use serde::{Deserialize, Serialize};
use tandem_store::{Batch, Options, Problem, Store, StoreError};
use tandem_wire::{Schema, decode_versioned, encode_versioned};

use crate::error::OpenError;
use crate::format::{self, Applied, CHUNKS, INSTALLED, Installed, LIMIT, MARKS, STATE};
use crate::group::Group;
use crate::log::{Log, LogCheck};
use crate::records::read_chunk;
use crate::referee::{Operations, operation_of};
use crate::state::stored_applied;
use crate::transfer;

const OWNER: &[u8] = b"owner";

/// Set beside the files when the journal has been open: one that is empty afterwards has lost
/// everything, its votes with it. Damage at the right place looks to the database like a fresh
/// file.
const BEGUN: &str = "begun";

/// What a full scan of a journal found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Entries that the log still holds.
    pub entries: u64,
    /// Records that were read and are whole.
    pub records: u64,
    /// What is wrong, where; empty when the journal is whole.
    pub problems: Vec<Problem>,
}

/// The two databases of a journal, whole.
pub(crate) struct Opened {
    pub(crate) log: Store,
    pub(crate) state: Store,
    pub(crate) applied: Applied,
    /// Entries that the log holds.
    pub(crate) entries: u64,
    pub(crate) operations: Operations,
}

/// The number of the node that wrote a log.
#[derive(Serialize, Deserialize)]
struct Owner(u64);

impl Schema for Owner {
    const VERSION: u16 = 1;
}

/// Opens both databases in `dir` and verifies them.
pub(crate) fn open(dir: &Path, node: u64, cache_bytes: u64) -> Result<Opened, OpenError> {
    let (log, state) = open_stores(dir, cache_bytes)?;
    let opened = open_on(dir, node, log, state)?;
    match emptied(dir, &opened.applied, opened.entries) {
        Some(Problem { what, place }) => Err(OpenError::Damaged { what, place }),
        None => Ok(opened),
    }
}

/// A state that is gone is made again as long as there is a log.
fn emptied(dir: &Path, applied: &Applied, entries: u64) -> Option<Problem> {
    let what = "nothing is left of what was written".to_owned();
    let is_emptied = applied.log_id.is_none() && entries == 0 && dir.join(BEGUN).exists();
    is_emptied.then(|| Problem { what, place: dir.display().to_string() })
}

/// Notes that a journal has been open in `dir`.
pub(crate) fn mark(dir: &Path) -> Result<(), OpenError> {
    let marker = dir.join(BEGUN);
    if marker.exists() {
        return Ok(());
    }
    std::fs::write(&marker, b"").map_err(|error| StoreError::Io {
        doing: "mark",
        place: marker.clone(),
        why: error.to_string(),
    })?;
    Ok(tandem_store::sync_dir(dir)?)
}

/// Verifies two databases that are open.
pub(crate) fn open_on(
    dir: &Path,
    node: u64,
    log: Store,
    state: Store,
) -> Result<Opened, OpenError> {
    claim(dir, &log, node)?;
    let incoming = transfer::incoming_of(&state);
    if incoming.exists() {
        // The process ended while a copy was being installed.
        transfer::install(&state, &incoming, &mut Operations::default())?;
    }
    align(&log, &state)?;
    let scanned = scan(&log, &state)?;
    if let Some(problem) = scanned.report.problems.first() {
        let Problem { what, place } = problem.clone();
        return Err(OpenError::Damaged { what, place });
    }
    let Scanned { report, applied, operations } = scanned;
    Ok(Opened { log, state, applied, entries: report.entries, operations })
}

/// Verifies the journal in `dir`, which must not be open.
///
/// # Errors
///
/// When it is in use or the disk fails. Damage is no error here but part of the report.
pub(crate) fn verify(dir: &Path) -> Result<Report, OpenError> {
    let (log, state) = match open_stores(dir, Options::default().cache_bytes) {
        Ok(stores) => stores,
        Err(OpenError::Damaged { what, place }) => {
            let problems = vec![Problem { what, place }];
            return Ok(Report { problems, ..Report::default() });
        }
        Err(other) => return Err(other),
    };
    let scanned = scan(&log, &state);
    log.close()?;
    state.close()?;
    let mut scanned = scanned?;
    scanned.report.problems.extend(emptied(dir, &scanned.applied, scanned.report.entries));
    Ok(scanned.report)
}

pub(crate) fn open_stores(dir: &Path, cache_bytes: u64) -> Result<(Store, Store), OpenError> {
    // The log is synced by every group; the state is made again from the log.
    let log = Options { cache_bytes: cache_bytes / 4, flush_every_ms: None };
    let state = Options { cache_bytes: cache_bytes - cache_bytes / 4, flush_every_ms: Some(500) };
    let log = Store::open(&dir.join("log"), &log)?;
    let state = Store::open(&dir.join("state"), &state)?;
    Ok((log, state))
}

/// A copy that was installed last is in the state and not in the log; the engine may not have
/// come to tell the log so.
pub(crate) fn align(log: &Store, state: &Store) -> Result<(), StoreError> {
    let applied = stored_applied(state)?.log_id;
    match applied {
        Some(applied) if stored_installed(state)? == Some(applied) => {
            Log::new(log.clone())?.begin_after(applied)
        }
        _ => Ok(()),
    }
}

fn stored_installed(state: &Store) -> Result<Option<LogIdOf<Group>>, StoreError> {
    let Some(bytes) = state.get(MARKS, INSTALLED)? else { return Ok(None) };
    let installed: Installed =
        decode_versioned(&bytes, LIMIT).map_err(|error| StoreError::Damaged {
            what: error.to_string(),
            place: format!("{}, table marks, key installed", state.dir().display()),
        })?;
    Ok(installed.0)
}

pub(crate) fn claim(dir: &Path, log: &Store, node: u64) -> Result<(), OpenError> {
    let Some(bytes) = log.get(format::log::MARKS, OWNER)? else {
        let mut batch = Batch::default();
        batch.put(format::log::MARKS, OWNER, &encode_versioned(&Owner(node)));
        log.apply(batch)?;
        return Ok(log.sync()?);
    };
    let owner: Owner = decode_versioned(&bytes, LIMIT).map_err(|error| OpenError::Damaged {
        what: error.to_string(),
        place: format!("{}, table marks, key owner", log.dir().display()),
    })?;
    if owner.0 == node {
        return Ok(());
    }
    Err(OpenError::WrongNode { dir: dir.to_owned(), owner: owner.0 })
}

struct Scanned {
    report: Report,
    applied: Applied,
    operations: Operations,
}

fn scan(log: &Store, state: &Store) -> Result<Scanned, StoreError> {
    let mut entries = LogCheck::default();
    let log_report = log.verify(&format::log::ALL, |table, key, bytes| {
        if table == format::log::ENTRIES { entries.entry(key, bytes) } else { Ok(()) }
    })?;
    let mut chunks = ChunkCheck { next: 1, operations: Operations::default() };
    let state_report =
        state.verify(
            &STATE,
            |table, key, bytes| {
                if table == CHUNKS { chunks.chunk(key, bytes) } else { Ok(()) }
            },
        )?;
    let mut report = Report {
        entries: entries.count(),
        records: chunks.next - 1,
        problems: log_report.problems,
    };
    report.problems.extend(state_report.problems);
    let mut applied = Applied::default();
    if report.problems.is_empty() {
        applied = stored_applied(state)?;
        report.problems.extend(compare(log, &entries, state, &chunks, &applied)?);
    }
    Ok(Scanned { report, applied, operations: chunks.operations })
}

/// What only both databases together show: a database may recover to an earlier moment without
/// a word, but never both to one that fits.
fn compare(
    log: &Store,
    entries: &LogCheck,
    state: &Store,
    chunks: &ChunkCheck,
    applied: &Applied,
) -> Result<Option<Problem>, StoreError> {
    let found = |store: &Store, what: String| {
        Some(Problem { what, place: store.dir().join("db").display().to_string() })
    };
    let head = chunks.next - 1;
    if head != applied.head {
        let what = format!("records end at {head} and not at {}", applied.head);
        return Ok(found(state, what));
    }
    let purged = Log::new(log.clone())?.purged()?.map(|id| id.index);
    let done = applied.log_id.map(|id| id.index);
    if purged > done {
        let what = format!("the state ends at entry {done:?}, the log begins after {purged:?}");
        return Ok(found(state, what));
    }
    let last = entries.next().map(|next| next - 1).or(purged);
    if done > last {
        let what = format!("the log ends at entry {last:?}, the state has applied {done:?}");
        return Ok(found(log, what));
    }
    Ok(None)
}

struct ChunkCheck {
    next: u64,
    operations: Operations,
}

impl ChunkCheck {
    fn chunk(&mut self, key: &[u8], bytes: &[u8]) -> Result<(), String> {
        let first = format::number_of(key).ok_or("a key that is no index")?;
        let expected = self.next;
        for (record, index) in read_chunk(key, bytes).map_err(|error| error.to_string())? {
            if let Some((op_id, appended)) = operation_of(&record, index) {
                self.operations.note(op_id, appended);
            }
            self.next = index + 1;
        }
        if first != expected {
            return Err(format!("records {expected} to {first} are missing or double"));
        }
        Ok(())
    }
}
