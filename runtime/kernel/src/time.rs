//! Time as a parameter: machines take a [`Timestamp`], shells read it from the node's [`Clock`].

use std::fmt;
use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize, Serializer};

/// A moment, in microseconds since the Unix epoch (UTC). Taken from a [`Clock`] it never goes
/// back within one run of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct Timestamp(u64);

/// RFC 3339 where people read it, microseconds where they do not. JSON is written only, never
/// read back.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&self.rfc3339())
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl Timestamp {
    /// A moment from microseconds since the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// A moment from whole seconds since the Unix epoch.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1_000_000)
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Milliseconds since the Unix epoch, cut.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }

    /// The moment as RFC 3339 in UTC with milliseconds.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let secs = self.0 / 1_000_000;
        let (day, second) = (secs / 86_400, secs % 86_400);
        // Days to a date of the Gregorian calendar, in eras of 400 years from 0000-03-01.
        let shifted = day + 719_468;
        let (era, of_era) = (shifted / 146_097, shifted % 146_097);
        let of_year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_days = of_era - (365 * of_year + of_year / 4 - of_year / 100);
        let month = (5 * of_days + 2) / 153;
        let date = of_days - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = of_year + era * 400 + u64::from(month <= 2);
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        let millis = self.0 / 1_000 % 1_000;
        let second = second % 60;
        format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }

    /// How long after `earlier` this is; zero if it is not after.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    /// Seconds with microseconds, for logs; the API writes RFC 3339.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// The node's clock: wall time read once at the start, then carried on by the monotonic clock,
/// so that an operator who sets the system's time disturbs no timer. It stands still with
/// tokio's paused time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    wall: Timestamp,
    anchor: tokio::time::Instant,
}

impl Clock {
    /// A clock that is right now.
    #[must_use]
    pub fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = u64::try_from(wall.as_micros()).unwrap_or(u64::MAX);
        Self { wall: Timestamp(micros), anchor: tokio::time::Instant::now() }
    }

    /// The same clock, put forward (or back) by so many microseconds.
    #[must_use]
    pub const fn shifted(self, micros: i64) -> Self {
        let wall = Timestamp(self.wall.0.saturating_add_signed(micros));
        Self { wall, anchor: self.anchor }
    }

    /// The moment that it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.wall + self.anchor.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn moments_are_written_as_rfc_3339() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_767_225_599, "2025-12-31T23:59:59.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ];
        for (secs, text) in cases {
            assert_eq!(Timestamp::from_secs(secs).rfc3339(), text);
        }
    }
}
