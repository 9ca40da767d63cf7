//! Calls to the outside: which code and route a number takes, what is sent and as whom, and
//! what is not let out. Pure but for [`Tolls`], which the calls of a node share.
//!
//! | Concern                                    | Owner                |
//! |--------------------------------------------|----------------------|
//! | Which code, which bare number              | [`choose`]           |
//! | Which route a code's category gives         | [`category`]         |
//! | From a route to lines with caller IDs      | [`lines`]            |
//! | Who may not go out with a prefix           | [`permission`]       |
//! | Country of a number, its E.164 form        | [`numbers`]          |
//! | What may be spent and how often            | [`tolls`]            |
//! | What was spent before a restart            | [`history`]          |
//! | Whether a code works                       | [`state`]            |
//! | What a code was used for                   | [`usage`]            |
//! | A SIP status in plain words                | [`cause`]            |
//! | The order in which digits are interpreted  | `numbering`          |

pub mod category;
pub mod cause;
pub mod choose;
pub mod history;
pub mod lines;
pub mod numbers;
pub mod permission;
pub mod state;
#[cfg(test)]
mod tests;
pub mod tolls;
pub mod usage;

use serde::{Deserialize, Serialize};
use tandem_kernel::Timestamp;

use crate::call::machine::Line;

pub use tolls::{Tolls, UsedToll};

/// What somebody asks for beside the digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// The id of the code that was picked (O-015).
    pub code: Option<String>,
    /// The digits are what was typed, so a picked code that stands before them is taken off
    /// once (O-017).
    pub is_typed: bool,
    /// The caller ID that was chosen (O-030).
    pub caller_id: Option<String>,
    /// The code of the call that is being transferred (O-050).
    pub inherited: Option<String>,
}

/// When and how something is dialled: all that is not in the directory.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// Now.
    pub now: Timestamp,
    /// A number by chance, for routes that spread their calls.
    pub draw: u64,
    /// What was asked for.
    pub wish: &'a Wish,
}

impl Occasion<'static> {
    /// Digits alone.
    #[must_use]
    pub fn plain(now: Timestamp, draw: u64) -> Self {
        static NOTHING: Wish =
            Wish { code: None, is_typed: false, caller_id: None, inherited: None };
        Self { now, draw, wish: &NOTHING }
    }
}

/// A code as it was when the call began (O-044).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedCode {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its digits.
    pub code: String,
}

/// How a call goes out: what the record keeps (O-044).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// As it was dialled.
    pub dialled: String,
    /// The number without a code; E.164 when it can be normalised.
    pub number: String,
    /// The code.
    pub code: Option<UsedCode>,
    /// Whether the code's own route is used (O-037).
    pub is_code_applied: bool,
    /// The code's channel category.
    pub category: Option<String>,
    /// The route; empty for emergency calls.
    pub route: String,
    /// The caller ID of the first line; empty: the trunk's.
    pub caller_id: String,
    /// An emergency number: nothing holds it up.
    pub is_emergency: bool,
    /// What a begun minute costs, in thousandths of the currency unit.
    pub price_per_minute: u32,
}

/// A call to the outside: how it goes out, and the lines in the order in which they are tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// For the record.
    pub outgoing: Outgoing,
    /// At least one.
    pub lines: Vec<Line>,
}

/// Why a call is not let out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// A code without a number behind it (O-026).
    NumberMissing,
    /// A letter in the number (O-021).
    NotANumber,
    /// The picked code does not exist or is switched off (O-012).
    CodeUnknown,
    /// Not for this extension (O-013).
    CodeNotPermitted,
    /// The code has no route, and calls without one are refused (O-037).
    CodeUnrouted,
    /// The code's route does not take the number.
    NumberNotTaken,
    /// The chosen caller ID is not allowed (O-030).
    CallerIdNotAllowed,
    /// The extension may not use the route (D-033).
    RouteNotPermitted,
    /// Its country is not allowed.
    Country,
    /// Not at this time.
    Hours,
    /// Too many calls of this extension in a minute.
    CallsPerMinute,
    /// The extension has spent what it may in a day.
    Spend,
    /// The flow of the code's category rejects it (O-041).
    Flow,
}

impl Rule {
    /// Stable code for events, records and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NumberMissing => "number-missing",
            Self::NotANumber => "not-a-number",
            Self::CodeUnknown => "code-unknown",
            Self::CodeNotPermitted => "code-not-permitted",
            Self::CodeUnrouted => "code-unrouted",
            Self::NumberNotTaken => "number-not-taken",
            Self::CallerIdNotAllowed => "caller-id-not-allowed",
            Self::RouteNotPermitted => "route-not-permitted",
            Self::Country => "country-not-allowed",
            Self::Hours => "outside-hours",
            Self::CallsPerMinute => "too-many-calls",
            Self::Spend => "spend-limit",
            Self::Flow => "rejected-by-flow",
        }
    }

    /// The SIP status that a refused caller gets.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::NumberMissing | Self::NotANumber => 484,
            Self::CodeUnknown | Self::NumberNotTaken => 404,
            Self::CodeNotPermitted
            | Self::CallerIdNotAllowed
            | Self::RouteNotPermitted
            | Self::Country
            | Self::Hours
            | Self::Flow
            | Self::Spend => 403,
            Self::CodeUnrouted | Self::CallsPerMinute => 503,
        }
    }

    /// The prompt that the caller hears before the end.
    #[must_use]
    pub const fn prompt(self) -> &'static str {
        match self {
            Self::NumberMissing | Self::NotANumber | Self::CodeUnknown | Self::NumberNotTaken => {
                "invalid-number"
            }
            Self::CodeNotPermitted
            | Self::CallerIdNotAllowed
            | Self::RouteNotPermitted
            | Self::Country
            | Self::Flow
            | Self::Hours => "no-permission",
            Self::CodeUnrouted | Self::CallsPerMinute | Self::Spend => "call-cannot-be-completed",
        }
    }
}

/// A call that is not let out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Barred {
    /// Which rule.
    pub rule: Rule,
    /// For people.
    pub why: String,
}

impl Barred {
    pub(crate) fn new(rule: Rule, why: impl Into<String>) -> Self {
        Self { rule, why: why.into() }
    }
}
