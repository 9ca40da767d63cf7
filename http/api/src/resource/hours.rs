//! Office hours and holidays.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Destination;

/// Office hours. An end before the begin is on the next day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
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

/// Days on which the office is closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
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

/// The office hours and holidays of one time zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
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

/// Whether and how a queue goes by the clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
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
