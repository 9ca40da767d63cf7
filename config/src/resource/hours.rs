//! Hours of the week, office hours and holidays, all by the clocks of a time zone.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use super::Destination;

/// Hours of some days of the week. An end before the begin is on the next day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// The time zone by its IANA name, such as `Asia/Taipei`.
    pub zone: String,
    /// The days on which it begins: `mon` to `sun`; empty: every day.
    #[serde(default)]
    pub days: Vec<String>,
    /// When it begins, `HH:MM`.
    pub from: String,
    /// When it ends, `HH:MM`; the same as the begin: after 24 hours.
    pub to: String,
}

impl Hours {
    /// Whether a moment lies within them, by the clocks of the zone. Hours that can not be read
    /// never hold; validation has refused them.
    #[must_use]
    pub fn hold_at(&self, at: Timestamp) -> bool {
        let zone = TimeZone::get(&self.zone);
        zone.is_ok_and(|zone| span(&self.days, &self.from, &self.to).holds(&at.to_zoned(zone)))
    }

    /// What is wrong, by field.
    pub(super) fn problems(&self) -> Vec<(&'static str, &'static str)> {
        let mut problems = Vec::new();
        problems.extend(zone_problem(&self.zone));
        problems.extend(span(&self.days, &self.from, &self.to).problems());
        problems
    }
}

/// Office hours of a time profile. An end before the begin is on the next day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficeHours {
    /// The days on which they begin: `mon` to `sun`; empty: every day.
    #[serde(default)]
    pub days: Vec<String>,
    /// When they begin, `HH:MM`.
    pub from: String,
    /// When they end, `HH:MM`; the same as the begin: after 24 hours.
    pub to: String,
}

impl OfficeHours {
    /// What is wrong, by field.
    pub(super) fn problems(&self) -> Vec<(&'static str, &'static str)> {
        span(&self.days, &self.from, &self.to).problems()
    }
}

/// Days on which the office is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// Its name, 1 to 63 characters.
    pub name: String,
    /// The first day, `YYYY-MM-DD`.
    pub from: String,
    /// The last day, `YYYY-MM-DD`.
    pub to: String,
    /// It comes again each year on the same days.
    #[serde(default)]
    pub every_year: bool,
    /// Played to callers, where their queue wants it; empty: none.
    #[serde(default)]
    pub prompt: String,
}

impl Holiday {
    fn holds(&self, today: Date) -> bool {
        let (Some(from), Some(to)) = (date(&self.from), date(&self.to)) else { return false };
        if !self.every_year {
            return from <= today && today <= to;
        }
        let day = |date: Date| (date.month(), date.day());
        let (from, to, today) = (day(from), day(to), day(today));
        if from <= to {
            return from <= today && today <= to;
        }
        // Over the turn of the year.
        from <= today || today <= to
    }

    /// What is wrong, by field.
    pub(super) fn problems(&self) -> Vec<(&'static str, &'static str)> {
        let (from, to) = (date(&self.from), date(&self.to));
        let mut problems = Vec::new();
        if from.is_none() {
            problems.push(("from", "a day such as 2026-10-10"));
        }
        if to.is_none() {
            problems.push(("to", "a day such as 2026-10-10"));
        }
        if from > to {
            problems.push(("to", "not before the first day"));
        }
        problems
    }
}

/// The office hours and holidays of one time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeProfile {
    /// What it is found by, 1 to 63 letters, digits, `-` and `_`.
    pub name: String,
    /// The time zone by its IANA name, such as `Asia/Taipei`.
    pub zone: String,
    /// The office hours; none: the office is never open.
    #[serde(default)]
    pub hours: Vec<OfficeHours>,
    /// The holidays.
    #[serde(default)]
    pub holidays: Vec<Holiday>,
}

impl TimeProfile {
    /// Whether the office is open at a moment, holidays aside.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        let open = |local: Zoned| {
            let spans = self.hours.iter().map(|own| span(&own.days, &own.from, &own.to));
            spans.into_iter().any(|span| span.holds(&local))
        };
        self.local(at).is_some_and(open)
    }

    /// The holiday at a moment; the first in the list where there are several.
    #[must_use]
    pub fn holiday(&self, at: Timestamp) -> Option<&Holiday> {
        let today = self.local(at)?.date();
        self.holidays.iter().find(|holiday| holiday.holds(today))
    }

    fn local(&self, at: Timestamp) -> Option<Zoned> {
        Some(at.to_zoned(TimeZone::get(&self.zone).ok()?))
    }
}

/// Whether and how a queue goes by the clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeCondition {
    /// The switch; off: the queue always takes callers.
    pub enabled: bool,
    /// The time profile.
    pub time_profile: String,
    /// Where callers go outside of office hours.
    pub out_of_hours_destination: Destination,
    /// Where callers go on a holiday.
    pub holiday_destination: Destination,
    /// A holiday is a day like any other.
    pub ignore_holiday: bool,
    /// The holiday's prompt is played first.
    pub play_holiday_prompt: bool,
}

/// Where a caller goes whom a queue does not take in at this time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diversion {
    /// Where to.
    pub destination: Destination,
    /// What is played before.
    pub prompt: Option<String>,
    /// In words, for the record.
    pub why: String,
}

impl TimeCondition {
    /// Where a caller goes who comes at a moment; none: into the queue. A holiday comes first,
    /// then the office hours.
    #[must_use]
    pub fn divert(&self, profile: &TimeProfile, at: Timestamp) -> Option<Diversion> {
        if !self.enabled {
            return None;
        }
        if let Some(holiday) = profile.holiday(at).filter(|_| !self.ignore_holiday) {
            let prompt =
                Some(&holiday.prompt).filter(|it| self.play_holiday_prompt && !it.is_empty());
            return Some(Diversion {
                destination: self.holiday_destination.clone(),
                prompt: prompt.cloned(),
                why: format!("holiday {}", holiday.name),
            });
        }
        if profile.is_open(at) {
            return None;
        }
        let destination = self.out_of_hours_destination.clone();
        Some(Diversion { destination, prompt: None, why: "outside office hours".to_owned() })
    }
}

/// A span of the day on some days of the week.
struct Span<'a> {
    days: &'a [String],
    from: Option<Time>,
    to: Option<Time>,
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

fn span<'a>(days: &'a [String], from: &str, to: &str) -> Span<'a> {
    Span { days, from: time(from), to: time(to) }
}

impl Span<'_> {
    fn holds(&self, local: &Zoned) -> bool {
        let (Some(from), Some(to)) = (self.from, self.to) else { return false };
        let (now, today) = (local.time(), local.weekday());
        if from < to {
            return from <= now && now < to && self.begins_on(today);
        }
        (now >= from && self.begins_on(today)) || (now < to && self.begins_on(today.previous()))
    }

    fn begins_on(&self, day: Weekday) -> bool {
        let name = DAYS.iter().find(|(_, known)| *known == day).map_or("", |(name, _)| name);
        self.days.is_empty() || self.days.iter().any(|wanted| wanted == name)
    }

    fn problems(&self) -> Vec<(&'static str, &'static str)> {
        let mut problems = Vec::new();
        if self.days.iter().any(|day| !DAYS.iter().any(|(known, _)| known == day)) {
            problems.push(("days", "mon, tue, wed, thu, fri, sat or sun"));
        }
        if self.from.is_none() {
            problems.push(("from", "a time such as 09:00"));
        }
        if self.to.is_none() {
            problems.push(("to", "a time such as 18:00"));
        }
        problems
    }
}

/// What is wrong with a time zone.
pub(super) fn zone_problem(zone: &str) -> Option<(&'static str, &'static str)> {
    let wrong = TimeZone::get(zone).is_err();
    wrong.then_some(("zone", "an IANA time zone such as Asia/Taipei"))
}

fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn date(text: &str) -> Option<Date> {
    let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
