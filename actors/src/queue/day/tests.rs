#![allow(clippy::unwrap_used)]

use super::*;

fn at(text: &str) -> Timestamp {
    let moment: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_micros(u64::try_from(moment.as_microsecond()).unwrap())
}

fn is_between(zone: &str, earlier: &str, later: &str) -> bool {
    DailyReset::at_midnight_of(zone).is_between(at(earlier), at(later))
}

#[test]
fn q_053_a_day_begins_at_midnight_of_the_zone_and_not_of_another() {
    // Taipei is eight hours before UTC.
    assert!(!is_between("Asia/Taipei", "2026-03-01T00:00:00Z", "2026-03-01T15:59:59Z"));
    assert!(is_between("Asia/Taipei", "2026-03-01T15:59:59Z", "2026-03-01T16:00:00Z"));
    assert!(!is_between("UTC", "2026-03-01T15:59:59Z", "2026-03-01T16:00:00Z"));
    assert!(is_between("UTC", "2026-03-01T23:59:59Z", "2026-03-04T12:00:00Z"), "several at once");
}

#[test]
fn q_053_days_follow_the_clocks_when_they_change() {
    // The longest day of 2026 in Berlin has 25 hours: it begins and ends at local midnight.
    assert!(is_between("Europe/Berlin", "2026-10-24T21:59:59Z", "2026-10-24T22:00:00Z"));
    assert!(!is_between("Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z"));
    assert!(is_between("Europe/Berlin", "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z"));
    // In Beirut the clocks are put forward at midnight, which there is not on that day.
    assert!(is_between("Asia/Beirut", "2025-03-29T21:59:59Z", "2025-03-29T22:00:00Z"));
}

#[test]
fn q_053_without_a_zone_and_by_a_clock_that_was_put_back_no_day_begins() {
    assert!(!is_between("", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"));
    assert!(!is_between("Mars/Olympus", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"));
    assert!(!is_between("UTC", "2026-03-02T00:00:00Z", "2026-03-01T23:59:59Z"));
}
