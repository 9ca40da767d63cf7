//! Browsers take all that the machine has while they start, and what is timed then is their wait
//! for a core: as many tests have some at once as there are cores, however many tests run.

use std::cell::RefCell;
use std::sync::LazyLock;
use std::thread::available_parallelism;

use tokio::sync::{Semaphore, SemaphorePermit};

static TURNS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, usize::from)));

thread_local! {
    // A test has a thread of its own, and the turn goes back with it: by test, not by browser,
    // since tests with several browsers would wait for each other.
    static TURN: RefCell<Option<SemaphorePermit<'static>>> = const { RefCell::new(None) };
}

/// Waits until this test may have browsers.
pub(crate) async fn turn() {
    if TURN.with_borrow(Option::is_some) {
        return;
    }
    let turn = TURNS.acquire().await.expect("nobody closes it");
    TURN.set(Some(turn));
}
