//! How long a queue's callers waited and talked, out of its facts.

use std::time::Duration;

use super::rings::mean;
use crate::queue::{Exit, QueueEvent};

/// The lengths of time of a queue's calls, to which those of other queues and days are added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handling {
    /// All callers who have left.
    pub total: u64,
    /// Those of them who were answered.
    pub answered: u64,
    /// How long all had waited, from the entry until they left, all together.
    pub waited: Duration,
    /// How long those had waited who were answered, all together.
    pub waited_until_answered: Duration,
    /// The longest wait of any caller.
    pub longest_wait: Duration,
    /// Talks that are over, all together.
    pub talked: Duration,
}

impl Handling {
    /// The figures that a queue's facts tell of.
    #[must_use]
    pub fn of<'a>(facts: impl IntoIterator<Item = &'a QueueEvent>) -> Self {
        let mut handling = Self::default();
        for fact in facts {
            handling.take(fact);
        }
        handling
    }

    /// Takes a fact in.
    pub fn take(&mut self, fact: &QueueEvent) {
        if let QueueEvent::Ended { talk_us, .. } = fact {
            self.talked += Duration::from_micros(*talk_us);
        }
        let Some(exit) = fact.exit() else { return };
        let wait = Duration::from_micros(fact.wait_us());
        self.total += 1;
        self.waited += wait;
        self.longest_wait = self.longest_wait.max(wait);
        if exit == Exit::Answered {
            self.answered += 1;
            self.waited_until_answered += wait;
        }
    }

    /// These calls and others: sums are added and a maximum stays one.
    #[must_use]
    pub fn with(self, other: &Self) -> Self {
        Self {
            total: self.total + other.total,
            answered: self.answered + other.answered,
            waited: self.waited + other.waited,
            waited_until_answered: self.waited_until_answered + other.waited_until_answered,
            longest_wait: self.longest_wait.max(other.longest_wait),
            talked: self.talked + other.talked,
        }
    }

    /// The average handling time: the wait and the talk of the answered calls. The wrap-up of the
    /// agents is no part of it, other than is usual in the trade.
    #[must_use]
    pub fn average_handling(&self) -> Duration {
        mean(self.waited_until_answered + self.talked, self.answered)
    }

    /// The average wait of the answered callers.
    #[must_use]
    pub fn average_wait_of_answered(&self) -> Duration {
        mean(self.waited_until_answered, self.answered)
    }

    /// The average wait of all callers.
    #[must_use]
    pub fn average_wait(&self) -> Duration {
        mean(self.waited, self.total)
    }

    /// The average talk.
    #[must_use]
    pub fn average_talk(&self) -> Duration {
        mean(self.talked, self.answered)
    }
}
