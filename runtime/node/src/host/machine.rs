//! What the machine under a node means for it. Pure.

use std::time::Duration;

use tandem_kernel::Timestamp;

/// More than this is no drift: somebody set the clock.
const SET: Duration = Duration::from_secs(2);

/// How much room there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Room {
    /// Enough.
    #[default]
    Enough,
    /// Somebody should look soon.
    Scarce,
    /// What is left is for what goes on.
    Full,
}

/// From `was` to what so many free bytes are. Who is full takes new work again when a quarter
/// more than the reserve is free, so that it does not change its mind with each file.
pub(crate) fn room(was: Room, free: u64, reserve: u64) -> Room {
    let enough = if was == Room::Full { reserve + reserve / 4 } else { reserve };
    if free < enough {
        Room::Full
    } else if free < reserve.saturating_mul(8) {
        Room::Scarce
    } else {
        Room::Enough
    }
}

/// How far the system's clock is from where the node's own has got, if it was set meanwhile: in
/// seconds, above zero when it was set forth. `before` is the difference of the start.
pub(crate) fn set_by(node: Timestamp, system: Timestamp, before: i64) -> Option<i64> {
    let by = apart(node, system) - before;
    (Duration::from_micros(by.unsigned_abs()) > SET).then_some(by / 1_000_000)
}

/// How far the second is ahead of the first, in microseconds.
pub(crate) fn apart(node: Timestamp, system: Timestamp) -> i64 {
    let micros = |at: Timestamp| i64::try_from(at.as_micros()).unwrap_or(i64::MAX);
    micros(system) - micros(node)
}
