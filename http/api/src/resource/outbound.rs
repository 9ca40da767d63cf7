//! Calling out: outbound codes, the categories that lead them to a route, and the policy for all
//! calls to the outside.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Hours, yes};

/// A short code that picks the line of an outside call, and with it the number that the customer
/// sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutboundCode {
    /// What it is found by, 1 to 63 letters, digits, `-` and `_`.
    pub id: String,
    /// Its name, 1 to 50 characters, unique.
    pub name: String,
    /// The digits in front of the number, 1 to 7, unique.
    pub code: String,
    /// What it is for, at most 500 characters.
    #[serde(default)]
    pub description: String,
    /// The channel category whose route it takes.
    #[serde(default)]
    pub category: String,
    /// The representative number that is shown; empty: the chosen one's, else the route's.
    #[serde(default)]
    pub caller_id: String,
    /// Extensions that may use it; with `queues` empty as well: all.
    #[serde(default)]
    pub extensions: Vec<String>,
    /// Queues whose agents may use it.
    #[serde(default)]
    pub queues: Vec<String>,
    /// It is known that numbers of the house begin with it: those win when typed.
    #[serde(default)]
    pub prefix_confirmed: bool,
    /// The digits of a disabled code mean nothing.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// When a step of a category's flow decides; all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DialConditions {
    /// The call begins within these hours.
    pub hours: Option<Hours>,
    /// One of these extensions dials; empty: any.
    pub extensions: Vec<String>,
    /// The number without the code matches one of these patterns; empty: any.
    pub number: Vec<String>,
}

/// What a step of a category's flow says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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

/// A step of a category's flow: the first whose conditions hold decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DialStep {
    /// When it decides.
    #[serde(default)]
    pub when: DialConditions,
    /// What it says.
    pub action: DialAction,
}

/// A channel category: which route its codes take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelCategory {
    /// Its name, 1 to 63 characters.
    pub name: String,
    /// The outbound route; none: its codes are unrouted.
    #[serde(default)]
    pub route: Option<String>,
    /// Steps that are asked before `route`.
    #[serde(default)]
    pub flow: Vec<DialStep>,
    /// Numbers that belong to it, for callbacks within the category.
    #[serde(default)]
    pub numbers: Vec<String>,
}

/// What becomes of a call through a code without a working route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnUnrouted {
    /// The code is taken off and the ordinary route is used.
    #[default]
    DefaultRoute,
    /// The call is refused.
    Reject,
}

/// A span of the day on some days of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OutboundPolicy {
    /// Whether outbound codes are interpreted at all.
    pub codes_enabled: bool,
    /// Codes at most.
    pub max_codes: u32,
    /// What becomes of a code without a route.
    pub on_unrouted: OnUnrouted,
    /// So many digits must follow a typed code.
    pub min_remainder: u8,
    /// Numbers that always go out.
    pub emergency_numbers: Vec<String>,
    /// The trunks that emergency calls try first.
    pub emergency_trunks: Vec<String>,
    /// The code that is used when none was chosen, by extension.
    pub default_code_by_extension: BTreeMap<String, String>,
    /// The same by queue, for its agents.
    pub default_code_by_queue: BTreeMap<String, String>,
    /// The same for everybody; empty: none.
    pub default_code: String,
    /// Caller IDs that an agent may choose for a call.
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
