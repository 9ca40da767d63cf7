//! What agents did with the calls that rang at their phones, out of a queue's facts (Q-363 to
//!

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_kernel::CallId;

use super::Share;
use crate::queue::QueueEvent;

/// The figures of one agent in one queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentFigures {
    /// Calls answered.
    pub answered: u64,
    /// Rings missed: each ring counts, also where another answered first.
    pub missed: u64,
    /// How long the answered callers had waited, all together.
    pub waited: Duration,
    /// The longest of these waits.
    pub longest_wait: Duration,
    /// Talks that are over, all together.
    pub talked: Duration,
}

impl AgentFigures {
    /// Calls that rang the agent.
    #[must_use]
    pub const fn rings(&self) -> u64 {
        self.answered + self.missed
    }

    /// The share of missed rings.
    #[must_use]
    pub fn missed_rate(&self) -> Share {
        Share::of(self.missed, self.rings())
    }

    /// The average wait of the answered callers.
    #[must_use]
    pub fn average_wait(&self) -> Duration {
        mean(self.waited, self.answered)
    }

    /// The average talk.
    #[must_use]
    pub fn average_talk(&self) -> Duration {
        mean(self.talked, self.answered)
    }
}

/// Exact to a nanosecond; nothing of nothing.
pub(super) fn mean(sum: Duration, count: u64) -> Duration {
    let nanos = sum.as_nanos().checked_div(u128::from(count)).unwrap_or_default();
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// The figures of a queue's agents, by extension.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rings {
    agents: BTreeMap<String, AgentFigures>,
    /// Who talks.
    talks: BTreeMap<CallId, String>,
}

impl Rings {
    /// The figures that a queue's facts tell of.
    #[must_use]
    pub fn of<'a>(facts: impl IntoIterator<Item = &'a QueueEvent>) -> Self {
        let mut rings = Self::default();
        for fact in facts {
            rings.take(fact);
        }
        rings
    }

    /// Takes a fact in.
    pub fn take(&mut self, fact: &QueueEvent) {
        match fact {
            QueueEvent::RingEnded { agent, why, .. } if why.is_missed() => {
                self.agents.entry(agent.clone()).or_default().missed += 1;
            }
            QueueEvent::Answered { call, agent, wait_us, .. }
            | QueueEvent::CallbackSucceeded { callback: call, agent, wait_us, .. } => {
                let wait = Duration::from_micros(*wait_us);
                let figures = self.agents.entry(agent.clone()).or_default();
                figures.answered += 1;
                figures.waited += wait;
                figures.longest_wait = figures.longest_wait.max(wait);
                self.talks.insert(*call, agent.clone());
            }
            QueueEvent::Ended { call, talk_us, .. } => {
                // A talk that began before the first fact counts for nobody.
                let Some(agent) = self.talks.remove(call) else { return };
                let talk = Duration::from_micros(*talk_us);
                self.agents.entry(agent).or_default().talked += talk;
            }
            _ => {}
        }
    }

    /// An agent's figures.
    #[must_use]
    pub fn agent(&self, extension: &str) -> AgentFigures {
        self.agents.get(extension).cloned().unwrap_or_default()
    }
}
