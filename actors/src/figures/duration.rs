//! Lengths of time as people read them.

use std::fmt;
use std::time::Duration;

/// A length of time as `HH:MM:SS`; a day has no end. Parts of a second are dropped
///
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown(pub Duration);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0.as_secs();
        write!(f, "{:02}:{:02}:{:02}", secs / 3_600, secs / 60 % 60, secs % 60)
    }
}
