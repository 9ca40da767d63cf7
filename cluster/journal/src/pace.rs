//! How long appends collect before the next entry is begun.

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

// An entry costs some 1.5 ms of CPU in all threads together and an append in it a hundredth of
// that, so entries keep a distance in which appends collect. The first after it goes at once.
//
// While somebody waits for an append it is longer the more of them came: a client that writes one
// append after the other waits the shortest.
const REST: Duration = Duration::from_millis(2);
const LONGEST_REST: Duration = Duration::from_millis(8);
// While nobody does. A phone that is answered so much later has heard nothing amiss.
const GATHERED: Duration = Duration::from_millis(24);
// With so many waiting there is nothing to wait for: they fill an entry.
const ENOUGH: usize = 192;

/// The distance to the next entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rest {
    awaited: Instant,
    gathered: Instant,
}

impl Rest {
    /// After an entry of so many appends, begun at `now`; after none there is no distance.
    pub(crate) fn after(now: Instant, appends: usize) -> Self {
        let factor = u32::try_from(appends).unwrap_or(u32::MAX);
        let awaited = now + REST.saturating_mul(factor).min(LONGEST_REST);
        let gathered = if appends == 0 { now } else { now + GATHERED };
        Self { awaited, gathered }
    }
}

/// Whether those who wait in a queue, this many, are not to wait for more.
pub(crate) const fn is_enough(waiting: usize) -> bool {
    waiting >= ENOUGH
}

/// Takes what waits into `taken`, at most `most` requests and at least one; none when nobody can
/// ask any more. `hurry` is told when an append that somebody waits for was queued, and when it
/// [`is_enough`]; once too often costs one short rest.
pub(crate) async fn take<T>(
    requests: &mut mpsc::Receiver<T>,
    taken: &mut Vec<T>,
    most: usize,
    rest: Rest,
    hurry: &Notify,
) -> usize {
    if !is_enough(requests.len()) {
        sleep_until(rest.awaited).await;
        tokio::select! {
            () = sleep_until(rest.gathered) => {}
            () = hurry.notified() => {}
        }
    }
    requests.recv_many(taken, most).await
}
