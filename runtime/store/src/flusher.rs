//! The group commit: one thread syncs for all who wait, and writes what was gathered.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use crate::StoreError;
use crate::database::described;
use crate::gather::Gathering;
use crate::large::LargePages;

/// Called once when the sync that it waits for is over.
pub type Synced = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

// More waiters than any caller has writes in flight; a full queue makes the next one wait.
const WAITING: usize = 4096;

enum Request {
    Sync(Synced),
    /// Batches have begun to gather.
    SettleSoon,
}

pub(crate) struct Flusher {
    requests: SyncSender<Request>,
    thread: JoinHandle<()>,
}

impl Flusher {
    /// What gathers is written after `within` at the latest.
    pub(crate) fn start(
        db: Arc<Gathering>,
        file: File,
        dir: PathBuf,
        within: Duration,
    ) -> Result<Self, StoreError> {
        let (requests, waiting) = sync_channel(WAITING);
        let place = dir.clone();
        let thread = std::thread::Builder::new()
            .name("store-flush".into())
            .spawn(move || {
                let large = LargePages::new(&dir);
                Disk { db, file, large, dir, within, failure: None }.serve(&waiting);
            })
            .map_err(|e| StoreError::io("start a thread for", place, &e))?;
        Ok(Self { requests, thread })
    }

    pub(crate) fn request(&self, synced: Synced) {
        if let Err(refused) = self.requests.send(Request::Sync(synced))
            && let Request::Sync(synced) = refused.0
        {
            synced(Err(StoreError::Closed));
        }
    }

    pub(crate) fn settle_soon(&self) {
        // With a full queue the next sync does it.
        let _ = self.requests.try_send(Request::SettleSoon);
    }

    /// Waits for the syncs that were asked for.
    pub(crate) fn stop(self) {
        drop(self.requests);
        if self.thread.thread().id() == std::thread::current().id() {
            // The last owner went away inside a callback; the thread ends behind it.
            return;
        }
        // A panic of the thread has already failed its callers, whose callbacks were dropped.
        let _ = self.thread.join();
    }
}

struct Disk {
    db: Arc<Gathering>,
    file: File,
    large: LargePages,
    dir: PathBuf,
    within: Duration,
    // A kernel reports a failed write-back once and then forgets it, so we do not.
    failure: Option<StoreError>,
}

impl Disk {
    fn serve(mut self, waiting: &Receiver<Request>) {
        let mut group = Vec::new();
        let mut due = None;
        while let Some(first) = self.next(waiting, &mut due) {
            for request in std::iter::once(first).chain(waiting.try_iter().take(WAITING)) {
                match request {
                    Request::Sync(synced) => group.push(synced),
                    Request::SettleSoon => due = due.or(Some(Instant::now() + self.within)),
                }
            }
            if !group.is_empty() {
                let outcome = self.sync();
                due = None;
                for synced in group.drain(..) {
                    synced(outcome.clone());
                }
            }
        }
        self.settle();
    }

    /// The next request; writes what gathers when its time has come. None: nobody asks any more.
    fn next(&mut self, waiting: &Receiver<Request>, due: &mut Option<Instant>) -> Option<Request> {
        loop {
            let Some(at) = *due else { return waiting.recv().ok() };
            match waiting.recv_timeout(at.saturating_duration_since(Instant::now())) {
                Ok(request) => return Some(request),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    *due = None;
                    self.settle();
                }
            }
        }
    }

    fn settle(&mut self) {
        if let Err(error) = self.db.settle() {
            self.failure = Some(described(&self.dir, &error));
        }
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let outcome = self.sync_all();
        self.failure = outcome.as_ref().err().cloned();
        outcome
    }

    /// The large pages go first: none is durable that names one which is not. The database's own
    /// flush ends at the page cache (`sync_file_range`), hence `fdatasync`.
    fn sync_all(&mut self) -> Result<(), StoreError> {
        let db = self.db.settled().map_err(|error| described(&self.dir, &error))?;
        let files = self.db.quietly(|| self.large.new_ones(SystemTime::now()))?;
        self.large.sync(&files)?;
        db.flush().map_err(|error| described(&self.dir, &error))?;
        self.file.sync_data().map_err(|e| StoreError::io("sync", self.dir.join("db"), &e))
    }
}
