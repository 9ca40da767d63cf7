//! What is underneath the tables: the database on the disk, or a simulated disk.

use std::ops::Bound;
use std::sync::Arc;

use crate::database::Writes;
use crate::gather::Gathering;
use crate::memory::Volume;

/// A key and its value as they are stored.
pub(crate) type Entry = (sled::IVec, sled::IVec);

#[derive(Clone)]
pub(crate) enum Backend {
    Sled(Arc<Gathering>),
    Memory(Arc<Volume>),
}

impl Backend {
    pub(crate) fn get(&self, key: &[u8]) -> sled::Result<Option<sled::IVec>> {
        match self {
            Self::Sled(db) => db.get(key),
            Self::Memory(volume) => Ok(volume.get(key)),
        }
    }

    /// True: something waits now to be settled.
    pub(crate) fn apply(&self, writes: Writes) -> sled::Result<bool> {
        match self {
            Self::Sled(db) => db.apply(writes),
            Self::Memory(volume) => {
                volume.apply(writes);
                Ok(false)
            }
        }
    }

    pub(crate) fn first(
        &self,
        low: Bound<&[u8]>,
        high: Bound<&[u8]>,
    ) -> sled::Result<Option<Entry>> {
        match self {
            Self::Sled(db) => db.settled()?.range::<&[u8], _>((low, high)).next().transpose(),
            Self::Memory(volume) => Ok(volume.end((low, high), false)),
        }
    }

    pub(crate) fn last(
        &self,
        low: Bound<&[u8]>,
        high: Bound<&[u8]>,
    ) -> sled::Result<Option<Entry>> {
        match self {
            Self::Sled(db) => db.settled()?.range::<&[u8], _>((low, high)).next_back().transpose(),
            Self::Memory(volume) => Ok(volume.end((low, high), true)),
        }
    }

    /// The entries of a range in order. The first error is the last item that makes sense.
    pub(crate) fn range(
        &self,
        low: Bound<Vec<u8>>,
        high: Bound<Vec<u8>>,
    ) -> Box<dyn Iterator<Item = sled::Result<Entry>>> {
        let volume = match self {
            Self::Sled(db) => match db.settled() {
                Ok(db) => return Box::new(db.range((low, high))),
                Err(error) => return Box::new(std::iter::once(Err(error))),
            },
            Self::Memory(volume) => Arc::clone(volume),
        };
        let mut low = low;
        Box::new(std::iter::from_fn(move || {
            let entry = volume.end((as_slice(&low), as_slice(&high)), false)?;
            low = Bound::Excluded(entry.0.to_vec());
            Some(Ok(entry))
        }))
    }

    pub(crate) fn size(&self) -> sled::Result<u64> {
        match self {
            Self::Sled(db) => db.settled()?.size_on_disk(),
            Self::Memory(volume) => Ok(volume.size()),
        }
    }
}

fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    match bound {
        Bound::Included(key) => Bound::Included(key),
        Bound::Excluded(key) => Bound::Excluded(key),
        Bound::Unbounded => Bound::Unbounded,
    }
}
