//! The clocks of members, compared: timers move with the queues from one member to another, so
//! all of them must mean the same moment.

use std::sync::Arc;
use std::time::Duration;

use quinn::Connection;
use tandem_kernel::Timestamp;
use tandem_telemetry::metric;

use crate::control::{Answer, Question};
use crate::link::{self, Link};
use crate::mesh::{Inner, Mesh};

/// Clocks that differ by more are wrong.
const APART: Duration = Duration::from_secs(2);

/// How far a clock is ahead of ours, in microseconds: it was read between the two moments.
fn ahead(asked: Timestamp, theirs: Timestamp, answered: Timestamp) -> i64 {
    let micros = |at: Timestamp| i64::try_from(at.as_micros()).unwrap_or(i64::MAX);
    let middle = micros(asked) + (micros(answered) - micros(asked)) / 2;
    micros(theirs) - middle
}

/// Whether a difference in microseconds is one to tell people of.
fn is_apart(ahead: i64) -> bool {
    Duration::from_micros(ahead.unsigned_abs()) > APART
}

/// Such a difference in whole seconds.
pub(crate) fn secs_apart(ahead: i64) -> Option<i64> {
    is_apart(ahead).then_some(ahead / 1_000_000)
}

/// The middle one: one wrong clock of three does not decide.
fn middle(mut clocks: Vec<i64>) -> Option<i64> {
    clocks.sort_unstable();
    clocks.get(clocks.len() / 2).copied()
}

impl Link {
    /// Asks what time it is there. A member of an older build does not answer.
    pub(crate) async fn compare_clocks(&self, mesh: &Arc<Inner>, connection: &Connection) {
        let asked = mesh.now();
        let Ok(Answer::Clock(theirs)) = link::control(connection, &Question::Clock).await else {
            return;
        };
        let ahead = ahead(asked, theirs, mesh.now());
        let known = self.clock.lock().replace(ahead);
        let (peer, millis) = (self.peer.to_string(), ahead.unsigned_abs() / 1_000);
        metric::CLUSTER_CLOCKS_APART.set_with("member", peer, millis);
        if let Some(secs) = secs_apart(ahead).filter(|_| !known.is_some_and(is_apart)) {
            tracing::error!(peer = self.peer, secs, "the peer's clock is ahead (below 0: behind)");
        }
    }
}

impl Mesh {
    /// How far the clocks of the others are ahead of this node's, in microseconds, when that is
    /// more than clocks may differ: the middle one of those that have answered.
    #[must_use]
    pub fn ahead_micros(&self) -> Option<i64> {
        middle(self.clocks()).filter(|ahead| is_apart(*ahead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_read_in_the_middle_of_question_and_answer() {
        let at = Timestamp::from_micros;
        assert_eq!(ahead(at(1_000), at(1_100), at(1_200)), 0);
        assert_eq!(ahead(at(1_000), at(3_601_000_100), at(1_200)), 3_600_999_000);
        assert_eq!(ahead(at(5_000_000), at(1_000_000), at(5_000_000)), -4_000_000);
    }

    #[test]
    fn one_wrong_clock_of_three_does_not_decide() {
        assert_eq!(middle(vec![]), None);
        assert_eq!(middle(vec![7]), Some(7));
        assert_eq!(middle(vec![3_600_000_000, 4, -3]), Some(4));
        assert!(is_apart(-3_600_000_000) && is_apart(2_000_001) && !is_apart(-2_000_000));
    }
}
