//! Outbound codes at work: what an agent may use, how digits are read, what was used.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A trunk of a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CodeTrunk {
    /// Its name.
    pub name: String,
    /// `up`, `in_use` or `down`.
    pub state: String,
}

/// An outbound code as the dial-pad shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsableCode {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its digits.
    pub code: String,
    /// What it is for.
    pub description: String,
    /// Its channel category.
    pub category: String,
    /// `ready`, `no_route`, `no_trunk`, `trunk_down` or `disabled`.
    pub state: String,
    /// The number that the customer will see; empty: the extension's or the trunk's.
    pub caller_id: String,
    /// Whether that number leads back into the same channel category.
    pub leads_back: bool,
    /// Its trunks in the order in which they are tried.
    pub trunks: Vec<CodeTrunk>,
}

/// The outbound codes of an extension, or all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsableCodes {
    /// In the order of their ids.
    pub codes: Vec<UsableCode>,
}

/// Digits that are to be read, not dialled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    /// The extension that would dial.
    pub extension: String,
    /// What it would dial.
    pub dialled: String,
    /// The code that it would pick.
    #[serde(default)]
    pub code_id: Option<String>,
    /// `dialled` is what was typed: a picked code in front of it is taken off once.
    #[serde(default)]
    pub is_typed: bool,
    /// The caller ID that it would choose.
    #[serde(default)]
    pub caller_id: Option<String>,
}

/// A line that would be tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlannedLine {
    /// The trunk.
    pub trunk: String,
    /// The number that it is sent.
    pub number: String,
    /// The caller ID; empty: the trunk's own.
    pub caller_id: String,
}

/// How digits would be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Resolved {
    /// `emergency`, `feature`, `internal`, `code`, `route` or `nothing`.
    pub step: String,
    /// What they lead to: `extension`, `queue`, `ring_group`, `ivr`, `call_flow`, `voicemail`,
    /// `outside`, `prompt`, `test`, `feature` or `refused`.
    pub target: String,
    /// The number or name that they lead to, where there is one.
    pub number: Option<String>,
    /// The id of the outbound code.
    pub code_id: Option<String>,
    /// Whether the code's own route would be used.
    pub code_applied: bool,
    /// The code's channel category.
    pub category: Option<String>,
    /// The outbound route.
    pub route: Option<String>,
    /// The lines in the order in which they would be tried.
    pub lines: Vec<PlannedLine>,
    /// The rule that keeps the call in, or the SIP status of the refusal.
    pub refusal: Option<String>,
    /// The refusal in words.
    pub why: Option<String>,
}

/// What is said about a code and where it belongs: the part that needs no technician.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeDescription {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Its channel category.
    #[serde(default)]
    pub category: String,
}

/// The figures of one outbound code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CodeUsage {
    /// Its id.
    pub id: String,
    /// Its name at the last use.
    pub name: String,
    /// Its digits at the last use.
    pub code: String,
    /// Calls.
    pub attempts: u64,
    /// Answered ones.
    pub answered: u64,
    /// Time talked.
    pub talk_secs: f64,
    /// What they cost, in thousandths of the currency unit.
    pub cost: u64,
    /// Unanswered ones by outcome.
    pub failures: BTreeMap<String, u64>,
    /// Uses while the code had no route of its own.
    pub unrouted: u64,
}

/// The figures of all outbound codes that were used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CodeUsages {
    /// In the order of their ids.
    pub codes: Vec<CodeUsage>,
}
