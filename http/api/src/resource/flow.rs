//! Ring groups, menus, call flows and mailboxes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Destination;

/// In which order the members of a ring group ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupStrategy {
    /// All at once.
    #[default]
    RingAll,
    /// One after the other, in list order.
    Sequential,
}

const fn twenty() -> u32 {
    20
}

/// Extensions that ring together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RingGroup {
    /// Its number; never changes.
    pub number: String,
    /// Its name, 1 to 63 characters.
    pub name: String,
    /// In which order they ring.
    #[serde(default)]
    pub strategy: GroupStrategy,
    /// How long all ring, or each of them when they ring one after the other.
    #[serde(default = "twenty")]
    pub ring_timeout_secs: u32,
    /// The extensions, in list order; 1 to 50.
    pub members: Vec<String>,
    /// Where callers go whom nobody answers.
    #[serde(default)]
    pub failover: Destination,
}

const fn five() -> u32 {
    5
}

const fn three_secs() -> u32 {
    3
}

const fn three_times() -> u8 {
    3
}

/// A menu: a prompt, and where each key leads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ivr {
    /// Its number; never changes.
    pub number: String,
    /// Its name, 1 to 63 characters.
    pub name: String,
    /// The prompt that tells the keys, a name in the library.
    pub prompt: String,
    /// Where each key leads: 0 to 9, `*`, `#`.
    #[serde(default)]
    pub keys: BTreeMap<String, Destination>,
    /// Whether callers may dial an extension's number.
    #[serde(default)]
    pub dial_by_extension: bool,
    /// How long a caller may think after the prompt.
    #[serde(default = "five")]
    pub timeout_secs: u32,
    /// How long a caller may think between two digits of a number.
    #[serde(default = "three_secs")]
    pub digit_timeout_secs: u32,
    /// How often the prompt is played to who presses nothing or a wrong key, 1 to 9.
    #[serde(default = "three_times")]
    pub max_tries: u8,
    /// Where callers go who press nothing.
    #[serde(default)]
    pub timeout: Destination,
    /// Played after a wrong key; empty: the system's.
    #[serde(default)]
    pub invalid_prompt: String,
    /// Where callers go who press wrong keys.
    #[serde(default)]
    pub invalid: Destination,
}

/// Hours of some days of the week. An end before the begin is on the next day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
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

/// When a step of a call flow is done; all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Conditions {
    /// The call came within these hours.
    pub hours: Option<Hours>,
    /// The caller's number matches one of these patterns; empty: any.
    pub caller: Vec<String>,
    /// The digits that were collected last match one of these patterns; empty: any, or none.
    pub digits: Vec<String>,
}

/// What a step of a call flow does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum FlowAction {
    /// Plays a prompt.
    Play {
        /// The prompt's name in the library.
        prompt: String,
    },
    /// Plays a prompt and takes digits; `#` ends them.
    Collect {
        /// The prompt's name in the library.
        prompt: String,
        /// How many digits at most, 1 to 32.
        max_digits: u8,
        /// How long the caller may think before each digit.
        timeout_secs: u32,
    },
    /// Hands the call on; nothing comes after it.
    Go {
        /// Where to.
        destination: Destination,
    },
}

/// A step of a call flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowStep {
    /// When it is done; otherwise it is passed over.
    #[serde(default)]
    pub when: Conditions,
    /// What it does.
    pub action: FlowAction,
}

/// A call flow: steps in their order. Its version is its revision, the ETag's value; a call goes
/// on with the version that it began with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallFlow {
    /// Its number; never changes.
    pub number: String,
    /// Its name, 1 to 63 characters.
    pub name: String,
    /// The steps, 1 to 100.
    pub steps: Vec<FlowStep>,
}

/// How a mailbox works, of an extension or of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MailboxOptions {
    /// Opens it by phone, 4 to 10 digits; without one it can not be opened by phone. Left out
    /// when a mailbox is changed, the PIN stays.
    #[serde(skip_serializing)]
    #[schema(write_only)]
    pub pin: Option<String>,
    /// What callers hear, a name in the library; empty: the system's greeting.
    pub greeting: String,
    /// Addresses that get each message as a file.
    pub email: Vec<String>,
    /// The longest message, 5 to 1800.
    pub max_message_secs: u32,
    /// How many messages it holds, 1 to 999.
    pub max_messages: u32,
}

impl Default for MailboxOptions {
    fn default() -> Self {
        Self {
            pin: None,
            greeting: String::new(),
            email: Vec::new(),
            max_message_secs: 180,
            max_messages: 100,
        }
    }
}

/// The voicemail of an extension.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExtensionVoicemail {
    /// Whether callers whom the extension does not answer can leave a message.
    pub enabled: bool,
    /// How the mailbox works.
    pub mailbox: MailboxOptions,
}

/// A group voicemail: one mailbox for several extensions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupVoicemail {
    /// Its number; never changes.
    pub number: String,
    /// Its name, 1 to 63 characters.
    pub name: String,
    /// The extensions that may listen to it.
    #[serde(default)]
    pub members: Vec<String>,
    /// How the mailbox works.
    #[serde(default)]
    pub mailbox: MailboxOptions,
}
