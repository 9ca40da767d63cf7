//! How long a caller will wait (Q-107).
//!
//! While somebody waits, each agent takes callers at a steady pace, and each caller gives up with
//! the same chance at every moment. A caller with `k` ahead moves up at the rate of the answers and
//! of those ahead who give up:
//!
//! ```text
//! wait(k) = Σ 1 / (agents/round + i·loss), i = 0..k
//!         ≈ ln(1 + (k + 1)·round/agents·loss) / loss
//! ```
//!
//! `round`, the time between two answers times the agents who are there, holds all that an agent's
//! round takes: talk, wrap-up, ringing. Until the line was ever busy it is unknown, and the mean
//! wait of those who were answered is said instead.

use std::time::Duration;

use tandem_kernel::Timestamp;

/// Of so many samples a mean is made; older ones fade.
const SAMPLES: f64 = 128.0;

/// What a queue knows of its pace. It begins anew with the queue's actor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pace {
    /// The last answer, when somebody waited ever since.
    last: Option<Timestamp>,
    rounds: Mean,
    waits: Mean,
    /// Callers who gave up, fading.
    lost: f64,
    /// The seconds that all waited, fading alike.
    waited: f64,
}

/// A mean that follows; in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Mean {
    samples: f64,
    mean: f64,
}

impl Mean {
    fn take(&mut self, sample: Duration) {
        self.samples = (self.samples + 1.0).min(SAMPLES);
        self.mean += (sample.as_secs_f64() - self.mean) / self.samples;
    }

    fn known(self) -> Option<f64> {
        (self.samples > 0.0).then_some(self.mean)
    }
}

impl Pace {
    /// A caller was answered, by one of so many agents; whether others wait on.
    pub fn answered(&mut self, now: Timestamp, waited: Duration, agents: u32, others_wait: bool) {
        if let Some(last) = self.last {
            self.rounds.take(now.since(last) * agents);
        }
        self.waits.take(waited);
        self.left(waited, 0.0);
        self.last = others_wait.then_some(now);
    }

    /// A caller left unanswered.
    pub fn gave_up(&mut self, waited: Duration, others_wait: bool) {
        self.left(waited, 1.0);
        self.last = self.last.filter(|_| others_wait);
    }

    fn left(&mut self, waited: Duration, lost: f64) {
        let keep = 1.0 - 1.0 / SAMPLES;
        self.lost = self.lost * keep + lost;
        self.waited = self.waited * keep + waited.as_secs_f64();
    }

    /// How long a caller with so many ahead waits for so many agents from now on; unknown before
    /// anybody was answered, and while no agent is there.
    #[must_use]
    pub fn wait(&self, ahead: u32, agents: u32) -> Option<Duration> {
        if agents == 0 {
            return None;
        }
        let Some(round) = self.rounds.known() else {
            return self.waits.known().and_then(|wait| Duration::try_from_secs_f64(wait).ok());
        };
        let turns = f64::from(ahead) + 1.0;
        let loss = if self.waited > 0.0 { self.lost / self.waited } else { 0.0 };
        let steady = turns * round / f64::from(agents);
        // Below this the logarithm and the plain product are the same.
        let wait = if steady * loss < 1e-6 { steady } else { (steady * loss).ln_1p() / loss };
        Duration::try_from_secs_f64(wait).ok()
    }
}

#[cfg(test)]
mod tests;
