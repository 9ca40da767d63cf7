//! A disk in memory that can lose power: what was not synced when it does is gone, or gone but
//! for its first part, as on a real disk. For simulations in virtual time, where a thread that
//! syncs for real would not be waited for.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::StoreError;
use crate::database::Writes;

type Work = Box<dyn FnOnce() + Send>;
type Entry = (sled::IVec, sled::IVec);

/// Runs a sync when the simulated disk has done it.
pub type Delay = Arc<dyn Fn(Work) + Send + Sync>;

/// A disk with the stores on it. Clones share it.
#[derive(Clone)]
pub struct Disk {
    volumes: Arc<Mutex<HashMap<PathBuf, Arc<Volume>>>>,
    delay: Delay,
}

impl Disk {
    /// An empty disk; `delay` is handed each sync and runs it when it is time.
    #[must_use]
    pub fn new(delay: Delay) -> Self {
        Self { volumes: Arc::default(), delay }
    }

    /// The power goes and comes back: each store keeps what was synced and of the batches
    /// behind it the first `kept`. Stores that were open do nothing any more.
    pub fn lose_power(&self, kept: usize) {
        for volume in self.volumes.lock().values_mut() {
            let after = volume.after_power_loss(kept);
            std::mem::replace(volume, Arc::new(after)).lose();
        }
    }

    pub(crate) fn volume(&self, dir: &Path) -> Arc<Volume> {
        Arc::clone(self.volumes.lock().entry(dir.to_owned()).or_default())
    }

    pub(crate) fn later(&self, work: Work) {
        (self.delay)(work);
    }
}

/// The entries of one store.
#[derive(Default)]
pub(crate) struct Volume(Mutex<State>);

#[derive(Default)]
struct State {
    live: BTreeMap<sled::IVec, sled::IVec>,
    durable: BTreeMap<sled::IVec, sled::IVec>,
    unsynced: Vec<Vec<(sled::IVec, Option<sled::IVec>)>>,
    // Batches that were synced so far, to tell what a late sync covers.
    synced: u64,
    // The power has gone: whoever still has this volume open is dead and does not know it.
    is_lost: bool,
}

impl Volume {
    pub(crate) fn get(&self, key: &[u8]) -> Option<sled::IVec> {
        self.0.lock().live.get(key).cloned()
    }

    pub(crate) fn apply(&self, writes: Writes) {
        let mut state = self.0.lock();
        let batch: Vec<_> = writes
            .into_iter()
            .map(|(key, value)| (sled::IVec::from(key), value.map(sled::IVec::from)))
            .collect();
        write(&mut state.live, &batch);
        state.unsynced.push(batch);
    }

    /// The first entry of a range from its front or its back.
    pub(crate) fn end(&self, range: (Bound<&[u8]>, Bound<&[u8]>), is_last: bool) -> Option<Entry> {
        let state = self.0.lock();
        let mut entries = state.live.range::<[u8], _>(range);
        let found = if is_last { entries.next_back() } else { entries.next() };
        found.map(|(key, value)| (key.clone(), value.clone()))
    }

    /// How many batches were ever applied: what a sync from now on covers.
    pub(crate) fn reach(&self) -> u64 {
        let state = self.0.lock();
        state.synced + u64::try_from(state.unsynced.len()).unwrap_or(u64::MAX)
    }

    /// Makes the first `reach` batches durable.
    ///
    /// # Errors
    ///
    /// When the power has gone.
    pub(crate) fn sync(&self, reach: u64) -> Result<(), StoreError> {
        let mut state = self.0.lock();
        if state.is_lost {
            return Err(StoreError::Closed);
        }
        let count = usize::try_from(reach.saturating_sub(state.synced)).unwrap_or(usize::MAX);
        let count = count.min(state.unsynced.len());
        let batches: Vec<_> = state.unsynced.drain(..count).collect();
        for batch in &batches {
            write(&mut state.durable, batch);
        }
        state.synced = state.synced.max(reach);
        Ok(())
    }

    fn lose(&self) {
        self.0.lock().is_lost = true;
    }

    pub(crate) fn size(&self) -> u64 {
        let state = self.0.lock();
        let bytes: usize = state.live.iter().map(|(key, value)| key.len() + value.len()).sum();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    fn after_power_loss(&self, kept: usize) -> Self {
        let state = self.0.lock();
        let mut durable = state.durable.clone();
        for batch in state.unsynced.iter().take(kept) {
            write(&mut durable, batch);
        }
        Self(Mutex::new(State { live: durable.clone(), durable, ..State::default() }))
    }
}

fn write(
    entries: &mut BTreeMap<sled::IVec, sled::IVec>,
    batch: &[(sled::IVec, Option<sled::IVec>)],
) {
    for (key, value) in batch {
        match value {
            Some(value) => entries.insert(key.clone(), value.clone()),
            None => entries.remove(key),
        };
    }
}
