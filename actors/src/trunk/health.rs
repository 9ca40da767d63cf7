//! Whether a trunk is usable, from its answers to OPTIONS and from calls that failed on it.

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

#[cfg(test)]
mod tests {
    use super::Health;

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
