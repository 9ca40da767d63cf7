//! What a call can pass through on its way to somebody: ring groups, menus, call flows, and the
//! mailboxes that take a message.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Destination, Hours};
use crate::Pattern;

/// In which order the members of a ring group ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupStrategy {
    /// All at once.
    #[default]
    RingAll,
    /// One after the other, in list order.
    Sequential,
}

/// Extensions that ring together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RingGroup {
    /// Its number; never changes.
    pub number: String,
    /// Its name, 1 to 63 characters.
    pub name: String,
    /// In which order they ring.
    #[serde(default)]
    pub strategy: GroupStrategy,
    /// How long all ring, or each of them when they ring one after the other, in seconds.
    #[serde(default = "RingGroup::default_ring")]
    pub ring_timeout_secs: u32,
    /// The extensions, in list order.
    pub members: Vec<String>,
    /// Where callers go whom nobody answers.
    #[serde(default)]
    pub failover: Destination,
}

impl RingGroup {
    fn default_ring() -> u32 {
        20
    }
}

/// A menu: a prompt, and where each key leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ivr {
    /// Its number; never changes.
    pub number: String,
    /// Its name, 1 to 63 characters.
    pub name: String,
    /// The prompt that tells the keys.
    pub prompt: String,
    /// Where each key leads: 0 to 9, `*`, `#`.
    #[serde(default)]
    pub keys: BTreeMap<String, Destination>,
    /// Whether callers may dial an extension's number.
    #[serde(default)]
    pub dial_by_extension: bool,
    /// How long a caller may think after the prompt, in seconds.
    #[serde(default = "Ivr::default_timeout")]
    pub timeout_secs: u32,
    /// How long a caller may think between two digits of a number, in seconds.
    #[serde(default = "Ivr::default_digit_timeout")]
    pub digit_timeout_secs: u32,
    /// How often the prompt is played to who presses nothing or a wrong key, 1 to 9.
    #[serde(default = "Ivr::default_tries")]
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

impl Ivr {
    fn default_timeout() -> u32 {
        5
    }

    fn default_digit_timeout() -> u32 {
        3
    }

    fn default_tries() -> u8 {
        3
    }
}

/// When a step of a call flow is done; all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conditions {
    /// The call came within these hours.
    pub hours: Option<Hours>,
    /// The caller's number matches one of these; empty: any.
    pub caller: Vec<Pattern>,
    /// The digits that were collected last match one of these; empty: any, or none.
    pub digits: Vec<Pattern>,
}

/// What a step of a call flow does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
        /// How long the caller may think before each digit, in seconds.
        timeout_secs: u32,
    },
    /// Hands the call on; nothing comes after it.
    Go {
        /// Where to.
        destination: Destination,
    },
}

/// A step of a call flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowStep {
    /// When it is done; otherwise it is passed over.
    #[serde(default)]
    pub when: Conditions,
    /// What it does.
    pub action: FlowAction,
}

/// A call flow (通话流程): steps in their order. Its version is the resource's revision; a call
/// goes on with the version that it began with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallFlow {
    /// Its number; never changes.
    pub number: String,
    /// Its name, 1 to 63 characters.
    pub name: String,
    /// The steps.
    pub steps: Vec<FlowStep>,
}

/// How a mailbox works, of an extension or of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailboxOptions {
    /// Opens it by phone, 4 to 10 digits; empty: it can not be opened by phone. Write-only at
    /// the API.
    pub pin: String,
    /// What callers hear; empty: the system's greeting.
    pub greeting: String,
    /// Addresses that get each message as a file.
    pub email: Vec<String>,
    /// The longest message, in seconds, 5 to 1800.
    pub max_message_secs: u32,
    /// How many messages it holds, 1 to 999.
    pub max_messages: u32,
}

impl Default for MailboxOptions {
    fn default() -> Self {
        Self {
            pin: String::new(),
            greeting: String::new(),
            email: Vec::new(),
            max_message_secs: 180,
            max_messages: 100,
        }
    }
}

/// The voicemail of an extension (分机语音信箱).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExtensionVoicemail {
    /// Whether callers whom the extension does not answer can leave a message.
    pub enabled: bool,
    /// How the mailbox works.
    pub mailbox: MailboxOptions,
}

/// A group voicemail (群语音信箱): one mailbox for several extensions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
