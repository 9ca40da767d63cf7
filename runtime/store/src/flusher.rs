//! The group commit: one thread syncs for all who wait.

use std::fs::File;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::StoreError;
use crate::database::described;

/// Called once when the sync that it waits for is over.
pub type Synced = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

// More waiters than any caller has writes in flight; a full queue makes the next one wait.
const WAITING: usize = 4096;

pub(crate) struct Flusher {
    requests: SyncSender<Synced>,
    thread: JoinHandle<()>,
}

impl Flusher {
    pub(crate) fn start(db: sled::Db, file: File, dir: PathBuf) -> Result<Self, StoreError> {
        let (requests, waiting) = sync_channel(WAITING);
        let place = dir.clone();
        let thread = std::thread::Builder::new()
            .name("store-flush".into())
            .spawn(move || Disk { db, file, dir, failure: None }.serve(&waiting))
            .map_err(|e| StoreError::io("start a thread for", place, &e))?;
        Ok(Self { requests, thread })
    }

    pub(crate) fn request(&self, synced: Synced) {
        if let Err(refused) = self.requests.send(synced) {
            (refused.0)(Err(StoreError::Closed));
        }
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
    db: sled::Db,
    file: File,
    dir: PathBuf,
    // A kernel reports a failed write-back once and then forgets it, so we do not.
    failure: Option<StoreError>,
}

impl Disk {
    fn serve(mut self, waiting: &Receiver<Synced>) {
        let mut group = Vec::new();
        while let Ok(first) = waiting.recv() {
            group.push(first);
            group.extend(waiting.try_iter().take(WAITING));
            let outcome = self.sync();
            for synced in group.drain(..) {
                synced(outcome.clone());
            }
        }
    }

    /// The database's own flush ends at the page cache (`sync_file_range`), hence `fdatasync`.
    fn sync(&mut self) -> Result<(), StoreError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let outcome = match self.db.flush() {
            Ok(_) => {
                self.file.sync_data().map_err(|e| StoreError::io("sync", self.dir.join("db"), &e))
            }
            Err(error) => Err(described(&self.dir, &error)),
        };
        self.failure = outcome.as_ref().err().cloned();
        outcome
    }
}
