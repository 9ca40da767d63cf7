//! Calling out: outbound codes, the categories that lead them to a route, and the policy for all
//! calls to the outside.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Hours;
use super::validate::Wrong;
use crate::Pattern;

fn yes() -> bool {
    true
}

/// Longest code value (O-004).
const MAX_CODE: usize = 7;
/// Steps of a category's flow at most.
const MAX_STEPS: usize = 100;
/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// A short code that picks the line of an outside call, and with it the number that the customer
/// sees (O-001 to O-014).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboundCode {
    /// What it is found by, 1 to 63 letters, digits, `-` and `_`.
    pub id: String,
    /// Its name, 1 to 50 characters, unique (O-003).
    pub name: String,
    /// The digits in front of the number, 1 to 7, unique (O-004).
    pub code: String,
    /// What it is for, at most 500 characters (O-005).
    #[serde(default)]
    pub description: String,
    /// The channel category whose route it takes (O-006).
    #[serde(default)]
    pub category: String,
    /// The representative number that is shown; empty: see O-030.
    #[serde(default)]
    pub caller_id: String,
    /// Extensions that may use it; with `queues` empty as well: all (O-013).
    #[serde(default)]
    pub extensions: Vec<String>,
    /// Queues whose agents may use it.
    #[serde(default)]
    pub queues: Vec<String>,
    /// It is known that numbers of the house begin with it: those win when typed (O-014, O-024).
    #[serde(default)]
    pub prefix_confirmed: bool,
    /// The digits of a disabled code mean nothing (O-012).
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// When a step of a category's flow decides; all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DialConditions {
    /// The call begins within these hours.
    pub hours: Option<Hours>,
    /// One of these extensions dials; empty: any.
    pub extensions: Vec<String>,
    /// The number without the code matches one of these; empty: any.
    pub number: Vec<Pattern>,
}

/// What a step of a category's flow says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum DialAction {
    /// The call goes over a route.
    Dial {
        /// The outbound route.
        route: String,
        /// What is put in front of the number, before the route looks at it.
        #[serde(default)]
        prepend: String,
        /// The caller ID; empty: as without a flow.
        #[serde(default)]
        caller_id: String,
    },
    /// The call is rejected.
    Reject {
        /// Why, 1 to 200 characters.
        reason: String,
    },
}

/// A step of a category's flow: the first whose conditions hold decides (O-041).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DialStep {
    /// When it decides.
    #[serde(default)]
    pub when: DialConditions,
    /// What it says.
    pub action: DialAction,
}

/// A channel category: which route its codes take (O-006, O-029).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelCategory {
    /// Its name, 1 to 63 characters.
    pub name: String,
    /// The outbound route; none: its codes are unrouted (O-036).
    #[serde(default)]
    pub route: Option<String>,
    /// Steps that are asked before `route`.
    #[serde(default)]
    pub flow: Vec<DialStep>,
    /// Numbers that belong to it, for callbacks within the category (O-042, C-018).
    #[serde(default)]
    pub numbers: Vec<String>,
}

/// What becomes of a call through a code without a working route (O-037).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnrouted {
    /// The code is taken off and the ordinary route is used.
    #[default]
    DefaultRoute,
    /// The call is refused.
    Reject,
}

/// A span of the day on some days of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DialHours {
    /// Days from 1, Monday, to 7, Sunday.
    pub days: Vec<u8>,
    /// First minute of the day, from 0.
    pub from_minute: u16,
    /// First minute that is outside again, at most 1440.
    pub until_minute: u16,
}

/// The policy for calls to the outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutboundPolicy {
    /// Whether outbound codes are interpreted at all (O-001).
    pub codes_enabled: bool,
    /// Codes at most (O-009).
    pub max_codes: u32,
    /// What becomes of a code without a route.
    pub on_unrouted: OnUnrouted,
    /// So many digits must follow a typed code (O-025).
    pub min_remainder: u8,
    /// Numbers that always go out (O-022 step 1).
    pub emergency_numbers: Vec<String>,
    /// The trunks that emergency calls try first.
    pub emergency_trunks: Vec<String>,
    /// The code that is used when none was chosen, by extension (O-019).
    pub default_code_by_extension: BTreeMap<String, String>,
    /// The same by queue, for its agents.
    pub default_code_by_queue: BTreeMap<String, String>,
    /// The same for everybody; empty: none.
    pub default_code: String,
    /// Caller IDs that an agent may choose for a call (O-030).
    pub caller_ids: Vec<String>,
    /// The own country code, digits only; empty: numbers are compared as they are.
    pub home_country: String,
    /// What is dialled before a country code, e.g. `00`.
    pub international_prefix: String,
    /// What is dialled before a national number, e.g. `0`.
    pub national_prefix: String,
    /// Country codes that may be called; empty: all.
    pub allowed_countries: Vec<String>,
    /// When outside calls are allowed; empty: always.
    pub hours: Vec<DialHours>,
    /// Minutes that the local time of `hours` is ahead of UTC.
    pub utc_offset_minutes: i16,
    /// Outside calls of one extension in a minute; 0: no limit.
    pub extension_calls_per_minute: u32,
    /// What one extension may spend in a day, in thousandths of the currency unit; 0: no limit.
    pub extension_spend_per_day: u64,
}

impl Default for OutboundPolicy {
    fn default() -> Self {
        Self {
            codes_enabled: false,
            max_codes: 100,
            on_unrouted: OnUnrouted::DefaultRoute,
            min_remainder: 3,
            emergency_numbers: ["110", "112", "119"].map(str::to_owned).to_vec(),
            emergency_trunks: Vec::new(),
            default_code_by_extension: BTreeMap::new(),
            default_code_by_queue: BTreeMap::new(),
            default_code: String::new(),
            caller_ids: Vec::new(),
            home_country: String::new(),
            international_prefix: "00".into(),
            national_prefix: "0".into(),
            allowed_countries: Vec::new(),
            hours: Vec::new(),
            utc_offset_minutes: 0,
            extension_calls_per_minute: 0,
            extension_spend_per_day: 0,
        }
    }
}

impl DialHours {
    /// Whether its days and minutes exist.
    pub(super) fn is_sound(&self) -> bool {
        let days = self.days.iter().all(|day| (1..=7).contains(day));
        days && self.from_minute < self.until_minute && self.until_minute <= DAY
    }
}

impl OutboundCode {
    pub(super) fn check(&self, wrong: &mut Wrong) {
        wrong.key(&self.id, "/id");
        wrong.text(&self.name, 1, 50, "/name");
        let digits = self.code.bytes().all(|b| b.is_ascii_digit());
        let right = digits && (1..=MAX_CODE).contains(&self.code.len());
        wrong.unless(right, "/code", "bad-code", "1 to 7 digits");
        wrong.text(&self.description, 0, 500, "/description");
        wrong.caller_id(&self.caller_id, "/caller_id");
        if !self.category.is_empty() {
            wrong.name(&self.category, "/category");
        }
    }
}

impl ChannelCategory {
    pub(super) fn check(&self, wrong: &mut Wrong) {
        wrong.name(&self.name, "/name");
        for (index, number) in self.numbers.iter().enumerate() {
            wrong.dialled(number, &format!("/numbers/{index}"));
        }
        let few = self.flow.len() <= MAX_STEPS;
        wrong.unless(few, "/flow", "out-of-range", "at most 100 steps");
        for (index, step) in self.flow.iter().enumerate() {
            step.check(&format!("/flow/{index}"), wrong);
        }
    }
}

impl DialStep {
    fn check(&self, pointer: &str, wrong: &mut Wrong) {
        for (field, rule) in self.when.hours.iter().flat_map(Hours::problems) {
            wrong.unless(false, &format!("{pointer}/when/hours/{field}"), "bad-hours", rule);
        }
        match &self.action {
            DialAction::Dial { prepend, caller_id, .. } => {
                let dialled = prepend.bytes().all(|b| b.is_ascii_digit() || b"+*#".contains(&b));
                let field = format!("{pointer}/action/prepend");
                wrong.unless(dialled, &field, "not-a-number", "digits, +, * and #");
                wrong.caller_id(caller_id, &format!("{pointer}/action/caller_id"));
            }
            DialAction::Reject { reason } => {
                wrong.text(reason, 1, 200, &format!("{pointer}/action/reason"));
            }
        }
    }
}

impl OutboundPolicy {
    pub(super) fn check(&self, wrong: &mut Wrong) {
        let some = self.min_remainder >= 1;
        wrong.unless(some, "/outbound/min_remainder", "out-of-range", "at least 1");
        for (index, number) in self.emergency_numbers.iter().enumerate() {
            wrong.dialled(number, &format!("/outbound/emergency_numbers/{index}"));
        }
        for (index, number) in self.caller_ids.iter().enumerate() {
            wrong.caller_id(number, &format!("/outbound/caller_ids/{index}"));
        }
        let digits = |text: &String| text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit());
        let fields = [
            ("/outbound/home_country", &self.home_country),
            ("/outbound/international_prefix", &self.international_prefix),
            ("/outbound/national_prefix", &self.national_prefix),
        ];
        for (pointer, text) in fields {
            wrong.unless(digits(text), pointer, "not-a-number", "at most 5 digits");
        }
        for (index, country) in self.allowed_countries.iter().enumerate() {
            let pointer = format!("/outbound/allowed_countries/{index}");
            let right = digits(country) && !country.is_empty();
            wrong.unless(right, &pointer, "not-a-number", "1 to 5 digits");
        }
        let offset = (-14 * 60..=14 * 60).contains(&self.utc_offset_minutes);
        wrong.unless(offset, "/outbound/utc_offset_minutes", "out-of-range", "-840 to 840");
        for (index, hours) in self.hours.iter().enumerate() {
            let pointer = format!("/outbound/hours/{index}");
            wrong.unless(hours.is_sound(), &pointer, "bad-hours", "days 1 to 7, from before until");
        }
    }
}

/// Whether a list of patterns lets a caller ID through; an empty list lets all.
#[must_use]
pub fn shows(allowed: &[Pattern], caller_id: &str) -> bool {
    allowed.is_empty() || allowed.iter().any(|pattern| pattern.matches(caller_id))
}
