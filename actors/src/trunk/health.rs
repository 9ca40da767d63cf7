//! Whether a trunk is usable, from its answers to OPTIONS and from calls that failed on it.

use tandem_sip::net::TxnId;

/// So many probes in a row without an answer take a trunk out (O-035).
const DOWN_AFTER: u8 = 3;
/// So many answered ones in a row bring it back.
const UP_AFTER: u8 = 2;

/// The health of one trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    up: bool,
    streak: u8,
}

impl Default for Health {
    /// A trunk counts as up until it has failed.
    fn default() -> Self {
        Self { up: true, streak: 0 }
    }
}

impl Health {
    /// Whether calls are sent over it.
    #[must_use]
    pub const fn is_up(self) -> bool {
        self.up
    }

    /// Takes the outcome of a probe; true when the trunk changed.
    pub fn probed(&mut self, answered: bool) -> bool {
        if answered == self.up {
            self.streak = 0;
            return false;
        }
        self.streak += 1;
        let enough = if self.up { DOWN_AFTER } else { UP_AFTER };
        if self.streak < enough {
            return false;
        }
        self.up = answered;
        self.streak = 0;
        true
    }
}

/// The probe that waits for its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting(Option<TxnId>);

impl Waiting {
    /// A probe goes out; true when the one before is lost. It had time until now: with the
    /// transaction's own 32 s (timer F, RFC 3261 17.1.2.2) a trunk that is asked each second
    /// would be taken out after a minute and a half.
    pub const fn ask(&mut self, probe: TxnId) -> bool {
        self.0.replace(probe).is_some()
    }

    /// Takes the end of a transaction; false where that is not the probe that waits.
    pub fn settle(&mut self, ended: TxnId) -> bool {
        let is_it = self.0 == Some(ended);
        if is_it {
            self.0 = None;
        }
        is_it
    }
}

#[cfg(test)]
mod tests {
    use tandem_sip::net::TxnId;

    use super::{Health, Waiting};

    #[test]
    fn a_probe_without_an_answer_is_lost_when_the_next_one_goes_out() {
        let (first, second) = (TxnId::from_u64(1), TxnId::from_u64(2));
        let mut waiting = Waiting::default();

        assert!(!waiting.ask(first));
        assert!(waiting.ask(second), "the first had no answer");
        assert!(!waiting.settle(first), "it comes too late");
        assert!(waiting.settle(second));
        assert!(!waiting.ask(first), "the second had its answer");
    }

    #[test]
    fn one_lost_probe_is_no_failure() {
        let mut health = Health::default();

        assert!(!health.probed(false));
        assert!(!health.probed(true));
        assert!(!health.probed(false));

        assert!(health.is_up());
    }

    #[test]
    fn o_035_three_in_a_row_take_it_out_and_two_bring_it_back() {
        let mut health = Health::default();
        assert!(!health.probed(false));
        assert!(!health.probed(false));

        assert!(health.probed(false) && !health.is_up());
        assert!(!health.probed(true));
        assert!(health.probed(true) && health.is_up());
    }
}
