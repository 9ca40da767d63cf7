//! Batches that wait in memory until they are written together.
//!
//! A batch costs the database two writes to its file and a wake-up of all its writers for each,
//! however small it is: with several batches for each fact, that was a fifth of a node's time. So
//! batches that need no sync are made one. They become visible at once, and durable with the
//! next sync, as before; after a crash a beginning of them is there, each as a whole.

use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::sync::OnceLock;

use parking_lot::Mutex;
use sled::IVec;

use crate::database::Writes;

/// Of so many keys one batch holds up who reads beside it for a millisecond or two.
const MOST: usize = 256;
const MOST_BYTES: usize = 256 * 1024;

/// A key and its value; none removes.
type Write = (IVec, Option<IVec>);

/// The database, and what it has not been given yet.
pub(crate) struct Gathering {
    db: sled::Db,
    /// None: each batch is written as it comes.
    waiting: Option<Mutex<Waiting>>,
    /// The first write that failed. Some such writes keep their place in the database's buffer
    /// (a page whose own file can not be written): a later flush waits for them without end, and
    /// with it every database of the process, which share a lock. So nobody comes to it again.
    failure: OnceLock<sled::Error>,
    writing: Mutex<()>,
}

#[derive(Default)]
struct Waiting {
    /// The last write of each key; none removes.
    writes: HashMap<IVec, Option<IVec>>,
    bytes: usize,
}

impl Gathering {
    pub(crate) fn new(db: sled::Db, gathers: bool) -> Self {
        let waiting = gathers.then(Mutex::default);
        Self { db, waiting, failure: OnceLock::new(), writing: Mutex::default() }
    }

    pub(crate) fn get(&self, key: &[u8]) -> sled::Result<Option<IVec>> {
        if let Some(waiting) = &self.waiting
            && let Some(written) = waiting.lock().writes.get(key)
        {
            return Ok(written.clone());
        }
        self.usable()?.get(key)
    }

    /// Makes a batch visible. True: it is the first that waits, and somebody is to settle it.
    pub(crate) fn apply(&self, writes: Writes) -> sled::Result<bool> {
        self.usable()?;
        let given = writes.into_iter().map(|(key, value)| (key.into(), value.map(IVec::from)));
        let Some(waiting) = &self.waiting else {
            self.write(given)?;
            return Ok(false);
        };
        let mut waiting = waiting.lock();
        let is_first = waiting.writes.is_empty();
        for (key, value) in given {
            waiting.bytes += key.len() + value.as_ref().map_or(0, |value| value.len());
            waiting.writes.insert(key, value);
        }
        if waiting.writes.len() >= MOST || waiting.bytes >= MOST_BYTES {
            self.empty(&mut waiting)?;
            return Ok(false);
        }
        Ok(is_first && !waiting.writes.is_empty())
    }

    /// Gives the database what waits.
    pub(crate) fn settle(&self) -> sled::Result<()> {
        self.waiting.as_ref().map_or(Ok(()), |waiting| self.empty(&mut waiting.lock()))
    }

    /// The database with all that was written.
    pub(crate) fn settled(&self) -> sled::Result<&sled::Db> {
        self.settle()?;
        self.usable()
    }

    /// Does something while nobody writes.
    pub(crate) fn quietly<T>(&self, something: impl FnOnce() -> T) -> T {
        let _writing = self.writing.lock();
        something()
    }

    fn empty(&self, waiting: &mut Waiting) -> sled::Result<()> {
        if waiting.writes.is_empty() {
            return Ok(());
        }
        self.write(waiting.writes.iter().map(|(key, value)| (key.clone(), value.clone())))?;
        *waiting = Waiting::default();
        Ok(())
    }

    fn write(&self, writes: impl ExactSizeIterator<Item = Write>) -> sled::Result<()> {
        let _writing = self.writing.lock();
        write(self.usable()?, writes).inspect_err(|error| {
            // None but the first matters.
            let _ = self.failure.set(error.clone());
        })
    }

    fn usable(&self) -> sled::Result<&sled::Db> {
        self.failure.get().map_or(Ok(&self.db), |error| Err(error.clone()))
    }
}

impl Drop for Gathering {
    fn drop(&mut self) {
        if self.failure.get().is_some() {
            // The database flushes when its last owner goes; so this one never does.
            let _owner = ManuallyDrop::new(self.db.clone());
        }
    }
}

fn write(db: &sled::Db, mut writes: impl ExactSizeIterator<Item = Write>) -> sled::Result<()> {
    if writes.len() == 1 {
        let Some((key, value)) = writes.next() else { return Ok(()) };
        // By itself it is as whole as a batch, and a third of its work.
        return match value {
            Some(value) => db.insert(key, value).map(|_| ()),
            None => db.remove(key).map(|_| ()),
        };
    }
    let mut batch = sled::Batch::default();
    for (key, value) in writes {
        match value {
            Some(value) => batch.insert(key, value),
            None => batch.remove(key),
        }
    }
    db.apply_batch(batch)
}
