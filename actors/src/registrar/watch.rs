//! Who wants to hear when a phone registers by another path.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// Told of a change; never waits.
pub(super) type Told = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Inner {
    last: u64,
    all: BTreeMap<(String, u64), Told>,
}

/// All who watch, by extension.
#[derive(Clone, Default)]
pub(super) struct Watches(Arc<Mutex<Inner>>);

/// Somebody watches as long as this lives.
pub(crate) struct Watch {
    watches: Watches,
    place: (String, u64),
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watches.0.lock().all.remove(&self.place);
    }
}

impl Watches {
    pub(super) fn add(&self, extension: &str, told: Told) -> Watch {
        let mut inner = self.0.lock();
        inner.last += 1;
        let place = (extension.to_owned(), inner.last);
        inner.all.insert(place.clone(), told);
        Watch { watches: self.clone(), place }
    }

    /// The lock is not held while they are told.
    pub(super) fn tell(&self, extension: &str) {
        let all = (extension.to_owned(), 0)..=(extension.to_owned(), u64::MAX);
        let told: Vec<Told> = self.0.lock().all.range(all).map(|it| it.1.clone()).collect();
        for tell in told {
            tell();
        }
    }
}
