//! The service level of a queue: how many of its callers were answered in time (section 14).
//! Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_kernel::Timestamp;

use super::{Class, Exit};
use crate::figures::Share;

/// Callers who have left, those who were answered by how long they had waited. It is kept by
/// whole seconds, which is exact because the limit is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    answered: BTreeMap<u32, u64>,
    total: u64,
}

impl Level {
    /// Counts a caller who has left.
    pub(super) fn count(&mut self, exit: Exit, wait_us: u64) {
        self.total += 1;
        if exit.class() == Class::Answered {
            let secs = u32::try_from(wait_us / 1_000_000).unwrap_or(u32::MAX);
            *self.answered.entry(secs).or_default() += 1;
        }
    }

    /// All who have left: answered, missed and abandoned.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Those who were answered after less than so many seconds.
    #[must_use]
    pub fn in_time(&self, within_secs: u32) -> u64 {
        self.answered.range(..within_secs).map(|(_, count)| count).sum()
    }

    /// Their share.
    #[must_use]
    pub fn share(&self, within_secs: u32) -> Share {
        Share::of(self.in_time(within_secs), self.total)
    }
}

/// The callers who have left since the last evaluation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// When the first of them left.
    since: Timestamp,
    level: Level,
}

impl Window {
    /// Counts a caller who has left.
    pub(super) fn count(&mut self, at: Timestamp, exit: Exit, wait_us: u64) {
        if self.level.total == 0 {
            self.since = at;
        }
        self.level.count(exit, wait_us);
    }

    /// What is to be evaluated, when the interval in which they left is over. Intervals begin at
    /// whole multiples of their length since midnight UTC, so that they are the same after a
    /// restart. Without callers there is no evaluation.
    #[must_use]
    pub fn due(&self, now: Timestamp, interval: Duration) -> Option<&Level> {
        let slot = |at: Timestamp| u128::from(at.as_micros()).checked_div(interval.as_micros());
        let is_over = self.level.total > 0 && slot(self.since) < slot(now);
        is_over.then_some(&self.level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(waits_ms: &[u64], unanswered: u64) -> Level {
        let mut level = Level::default();
        for wait in waits_ms {
            level.count(Exit::Answered, wait * 1_000);
        }
        (0..unanswered).for_each(|_| level.count(Exit::CallerHangup, 1));
        level
    }

    #[test]
    fn q_240_vector_3_answered_in_time_of_all_who_entered() {
        let waits = [1_000, 2_000, 59_999, 10, 0, 60_000, 61_000, 90_000, 100_000];
        let level = level(&waits, 4);

        assert_eq!((level.in_time(60), level.total()), (5, 13));
        assert_eq!(level.share(60).to_string(), "38.46%");
    }

    #[test]
    fn q_241_a_wait_of_exactly_the_limit_is_not_in_time() {
        assert_eq!(level(&[60_000], 0).in_time(60), 0);
        assert_eq!(level(&[59_999], 0).in_time(60), 1);
        assert_eq!(level(&[60_000], 0).in_time(61), 1, "the limit may be changed afterwards");
    }

    #[test]
    fn q_246_vector_5_a_queue_without_calls_is_at_zero() {
        assert_eq!(Level::default().share(60).to_string(), "0%");
    }

    #[test]
    fn q_244_an_evaluation_is_due_when_the_interval_of_its_calls_is_over() {
        let half_an_hour = Duration::from_secs(1_800);
        let at = |secs: u64| Timestamp::from_secs(18_000 + secs);
        let mut window = Window::default();
        assert_eq!(window.due(at(3_600), half_an_hour), None, "no calls, no evaluation");

        window.count(at(1_799), Exit::MaxWait, 5);
        assert_eq!(window.due(at(1_799), half_an_hour), None);
        assert_eq!(window.due(at(1_800), half_an_hour).map(Level::total), Some(1));
    }
}
