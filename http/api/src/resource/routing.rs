//! Inbound and outbound routes, and the system-wide options.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::LetterTemplate;
use super::{CallbackPolicy, ContactMatch, Destination, OutboundPolicy, yes};

/// Where calls from trunks go. Routes are tried by ascending `priority`, then by name; the first
/// that matches trunk, dialled number and caller wins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InboundRoute {
    /// Its name, 1 to 63 characters; never changes.
    pub name: String,
    /// Lower is tried first.
    #[serde(default)]
    pub priority: i32,
    /// Trunks it applies to; empty: all.
    #[serde(default)]
    pub trunks: Vec<String>,
    /// Patterns of the dialled number (X Z N [] . !); empty: any.
    #[serde(default)]
    pub did: Vec<String>,
    /// Patterns of the caller's number; empty: any.
    #[serde(default)]
    pub caller: Vec<String>,
    /// Where the call goes.
    pub destination: Destination,
    /// Whether customers who call back reach their last agent; none: as the settings say.
    #[serde(default)]
    pub callback: Option<bool>,
    /// A disabled route is skipped.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// One dial pattern of an outbound route and what is done to the number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DialRule {
    /// Digits that stand before the pattern and are taken away.
    #[serde(default)]
    pub prefix: String,
    /// What the dialled number must match behind the prefix (X Z N [] . !).
    pub pattern: String,
    /// Leading digits to take away behind the prefix.
    #[serde(default)]
    pub strip: u8,
    /// Digits to put in front afterwards.
    #[serde(default)]
    pub prepend: String,
}

/// Which trunk a dialled number takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutboundRoute {
    /// Its name, 1 to 63 characters; never changes.
    pub name: String,
    /// Lower is tried first.
    #[serde(default)]
    pub priority: i32,
    /// The patterns; the first that matches rules.
    pub rules: Vec<DialRule>,
    /// Trunks in the order in which they are tried.
    pub trunks: Vec<String>,
    /// Caller ID to show; empty: the extension's, else the trunk's user.
    #[serde(default)]
    pub caller_id: String,
    /// Extensions that may use it; empty: all.
    #[serde(default)]
    pub extensions: Vec<String>,
    /// Patterns of the calling extension's number; empty: any.
    #[serde(default)]
    pub callers: Vec<String>,
    /// Shares of the calls by trunk; empty: the trunks are tried in their order.
    #[serde(default)]
    pub weights: BTreeMap<String, u16>,
    /// Only outbound codes lead here, dialled numbers do not.
    #[serde(default)]
    pub codes_only: bool,
    /// What a begun minute costs, in thousandths of the currency unit.
    #[serde(default)]
    pub price_per_minute: u32,
    /// A disabled route is skipped.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// Numbers that test a phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TestNumbers {
    /// Sends back what it hears.
    pub echo: String,
    /// Plays 1 kHz.
    pub tone: String,
    /// Plays the music on hold.
    pub music: String,
}

impl Default for TestNumbers {
    fn default() -> Self {
        Self { echo: "*43".into(), tone: "*44".into(), music: "*45".into() }
    }
}

/// Slots on which callers are parked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parking {
    /// The first slot's number.
    pub first: u16,
    /// The last slot's number.
    pub last: u16,
    /// After how many seconds a parked caller rings where they were parked from.
    pub timeout_secs: u32,
}

impl Default for Parking {
    fn default() -> Self {
        Self { first: 6000, last: 6099, timeout_secs: 60 }
    }
}

/// Numbers from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberRange {
    /// The first.
    pub first: u32,
    /// The last.
    pub last: u32,
}

/// Whether missed calls of the same caller and queue are processed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResultSync {
    /// The switch.
    pub enabled: bool,
    /// How far back, in hours, 1 to 24.
    pub within_hours: u8,
}

impl Default for ResultSync {
    fn default() -> Self {
        Self { enabled: false, within_hours: 2 }
    }
}

/// System-wide options. Fields that are left out get their defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Wrap-up of one queue holds for all queues of the agent.
    pub shared_wrap_up: bool,
    /// Whether a dynamic agent is logged in when added to a queue.
    pub dynamic_agents_start_logged_in: bool,
    /// Pause reasons by their feature-code suffix, at most 20.
    pub pause_reasons: BTreeMap<String, String>,
    /// Tags of notes on calls: names by id.
    pub call_tags: BTreeMap<String, String>,
    /// The numbers that new queues are proposed.
    pub queue_numbers: NumberRange,
    /// Missed calls of one caller that are processed together.
    pub result_sync: ResultSync,
    /// When a caller's number is that of a contact.
    pub contact_match: ContactMatch,
    /// Log in to or out of one queue; empty: off.
    pub code_queue_login: String,
    /// Pause or resume in one queue.
    pub code_queue_pause: String,
    /// Log in to all queues.
    pub code_login_all: String,
    /// Log in to the last queues.
    pub code_login_last: String,
    /// Log out of all queues.
    pub code_logout_all: String,
    /// Opens the own mailbox, with a number behind it that mailbox; empty: off.
    pub code_voicemail: String,
    /// With a mailbox's number behind it, leaves a message there; empty: off.
    pub code_leave_message: String,
    /// Numbers that test a phone.
    pub test_numbers: TestNumbers,
    /// Slots on which callers are parked.
    pub parking: Parking,
    /// Language of prompts: `en`, `zh-hant` or `zh-hans`.
    pub language: String,
    /// Music on hold, a name in the library.
    pub hold_music: String,
    /// Calls to the outside.
    pub outbound: OutboundPolicy,
    /// Customers who call back.
    pub callback: CallbackPolicy,
    /// Letters that are written in other words than the house's own.
    pub letters: Vec<LetterTemplate>,
}

impl Default for Settings {
    fn default() -> Self {
        let reasons = [("*01", "Lunch"), ("*02", "Break"), ("*03", "Wrap up")];
        Self {
            shared_wrap_up: false,
            dynamic_agents_start_logged_in: false,
            pause_reasons: reasons.map(|(code, name)| (code.into(), name.into())).into(),
            call_tags: BTreeMap::new(),
            queue_numbers: NumberRange { first: 6_400, last: 6_499 },
            result_sync: ResultSync::default(),
            contact_match: ContactMatch::default(),
            code_queue_login: "*7".into(),
            code_queue_pause: "*07".into(),
            code_login_all: "*77".into(),
            code_login_last: "*78".into(),
            code_logout_all: "*077".into(),
            code_voicemail: "*2".into(),
            code_leave_message: "#".into(),
            test_numbers: TestNumbers::default(),
            parking: Parking::default(),
            language: "en".into(),
            hold_music: "music/default".into(),
            outbound: OutboundPolicy::default(),
            callback: CallbackPolicy::default(),
            letters: Vec::new(),
        }
    }
}
