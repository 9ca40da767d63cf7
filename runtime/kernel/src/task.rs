//! Tasks that are not actors: each has a name, is counted, and has an owner that awaits it.

use std::collections::BTreeMap;
use std::future::Future;

use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tracing::Instrument;

static RUNNING: Mutex<BTreeMap<&'static str, usize>> = Mutex::new(BTreeMap::new());

/// Starts a task. The name is a word or two, the same for all tasks of the kind.
pub fn spawn<F>(name: &'static str, future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let counted = Counted::new(name);
    let body = async move {
        let _counted = counted;
        future.await
    };
    tokio::spawn(body.instrument(tracing::debug_span!("task", name)))
}

/// How many tasks run, by name.
#[must_use]
pub fn running() -> Vec<(&'static str, usize)> {
    RUNNING.lock().iter().map(|(name, count)| (*name, *count)).collect()
}

struct Counted(&'static str);

impl Counted {
    fn new(name: &'static str) -> Self {
        *RUNNING.lock().entry(name).or_default() += 1;
        Self(name)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(count) = RUNNING.lock().get_mut(self.0) {
            *count -= 1;
        }
    }
}
