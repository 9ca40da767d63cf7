//! The day of a queue's figures: at midnight of a time zone they begin anew. Pure.
//!
//! No fact says so: the moments of the facts tell it, so that figures are the same after a restart
//! and at the queue's next owner.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use tandem_kernel::Timestamp;

/// When the figures begin anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DailyReset(Option<TimeZone>);

impl DailyReset {
    /// At midnight of a time zone by its IANA name; empty: never. A zone that is not known, which
    /// validation has refused, has no midnight.
    #[must_use]
    pub fn at_midnight_of(zone: &str) -> Self {
        Self(Some(zone).filter(|zone| !zone.is_empty()).and_then(|zone| TimeZone::get(zone).ok()))
    }

    /// Whether a midnight lies between two moments, the later one included. A clock that was put
    /// back begins no day.
    #[must_use]
    pub fn is_between(&self, earlier: Timestamp, later: Timestamp) -> bool {
        let Some(zone) = &self.0 else { return false };
        date(zone, earlier) < date(zone, later)
    }
}

/// The day by the calendar of a zone, in which the clocks may leave a midnight out.
fn date(zone: &TimeZone, at: Timestamp) -> Option<Date> {
    let micros = i64::try_from(at.as_micros()).ok()?;
    Some(jiff::Timestamp::from_microsecond(micros).ok()?.to_zoned(zone.clone()).date())
}

#[cfg(test)]
mod tests;
