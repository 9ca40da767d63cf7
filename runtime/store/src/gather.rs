//! Batches that wait in memory until they are written together.
//!
//! A batch costs the database two writes to its file and a wake-up of all its writers for each,
//! however small it is: with several batches for each fact, that was a fifth of a node's time. So
//! batches that need no sync are made one. They become visible at once, and durable with the
//! next sync, as before; after a crash a beginning of them is there, each as a whole.

use std::collections::HashMap;

use parking_lot::Mutex;
use sled::IVec;

use crate::database::Writes;

/// Of so many keys one batch holds up who reads beside it for a millisecond or two.
const MOST: usize = 256;
const MOST_BYTES: usize = 256 * 1024;

/// The database, and what it has not been given yet.
pub(crate) struct Gathering {
    db: sled::Db,
    /// None: each batch is written as it comes.
    waiting: Option<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    /// The last write of each key; none removes.
    writes: HashMap<Vec<u8>, Option<IVec>>,
    bytes: usize,
}

impl Gathering {
    pub(crate) fn new(db: sled::Db, gathers: bool) -> Self {
        Self { db, waiting: gathers.then(Mutex::default) }
    }

    pub(crate) fn get(&self, key: &[u8]) -> sled::Result<Option<IVec>> {
        if let Some(waiting) = &self.waiting
            && let Some(written) = waiting.lock().writes.get(key)
        {
            return Ok(written.clone());
        }
        self.db.get(key)
    }

    /// Makes a batch visible. True: it is the first that waits, and somebody is to settle it.
    pub(crate) fn apply(&self, writes: Writes) -> sled::Result<bool> {
        let given = writes.into_iter().map(|(key, value)| (key, value.map(IVec::from)));
        let Some(waiting) = &self.waiting else {
            write(&self.db, given)?;
            return Ok(false);
        };
        let mut waiting = waiting.lock();
        let is_first = waiting.writes.is_empty();
        for (key, value) in given {
            waiting.bytes += key.len() + value.as_ref().map_or(0, |value| value.len());
            waiting.writes.insert(key, value);
        }
        if waiting.writes.len() >= MOST || waiting.bytes >= MOST_BYTES {
            waiting.settle(&self.db)?;
            return Ok(false);
        }
        Ok(is_first && !waiting.writes.is_empty())
    }

    /// Gives the database what waits.
    pub(crate) fn settle(&self) -> sled::Result<()> {
        self.waiting.as_ref().map_or(Ok(()), |waiting| waiting.lock().settle(&self.db))
    }

    /// The database with all that was written.
    pub(crate) fn settled(&self) -> sled::Result<&sled::Db> {
        self.settle()?;
        Ok(&self.db)
    }
}

impl Waiting {
    fn settle(&mut self, db: &sled::Db) -> sled::Result<()> {
        if self.writes.is_empty() {
            return Ok(());
        }
        let all = self.writes.iter().map(|(key, value)| (key.clone(), value.clone()));
        write(db, all)?;
        *self = Self::default();
        Ok(())
    }
}

fn write(
    db: &sled::Db,
    mut writes: impl ExactSizeIterator<Item = (Vec<u8>, Option<IVec>)>,
) -> sled::Result<()> {
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
