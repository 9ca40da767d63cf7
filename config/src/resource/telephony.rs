//! Extensions, trunks and destinations.

use serde::{Deserialize, Serialize};

use super::ExtensionVoicemail;
use crate::Pattern;

fn yes() -> bool {
    true
}

/// How DTMF digits travel on a leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DtmfMode {
    /// RFC 4733 where the peer offers it, else in-band detection; SIP INFO is always heard.
    #[default]
    Auto,
    /// RFC 4733 telephone-event only.
    Rfc4733,
    /// SIP INFO only.
    Info,
    /// Tones in the audio only.
    Inband,
}

/// Whether a leg's audio is encrypted (SDES-SRTP).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// Plain RTP only.
    Off,
    /// SRTP when the peer offers or demands it; offered first over TLS.
    #[default]
    Optional,
    /// SRTP or no call.
    Required,
}

/// A telephone of the house.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// Its number, 1 to 15 digits.
    pub number: String,
    /// The person's or the room's name, shown to who is called.
    #[serde(default)]
    pub name: String,
    /// The SIP password, at least 8 characters. Write-only at the API.
    pub password: String,
    /// Caller ID for calls to the outside; empty: the route's.
    #[serde(default)]
    pub outbound_caller_id: String,
    /// How many registered contacts it may have, 1 to 10.
    #[serde(default = "Extension::default_max_contacts")]
    pub max_contacts: u8,
    /// Codecs in order of preference.
    #[serde(default = "default_codecs")]
    pub codecs: Vec<String>,
    /// DTMF transport.
    #[serde(default)]
    pub dtmf: DtmfMode,
    /// Audio encryption.
    #[serde(default)]
    pub encryption: Encryption,
    /// How long a call to it rings before it counts as unanswered, in seconds.
    #[serde(default = "Extension::default_ring_timeout")]
    pub ring_timeout_secs: u32,
    /// Its voicemail.
    #[serde(default)]
    pub voicemail: ExtensionVoicemail,
    /// Where its owner gets letters of the system, e.g. after an auto-pause; empty: none.
    #[serde(default)]
    pub email: String,
    /// A disabled extension can neither register nor be called.
    #[serde(default = "yes")]
    pub enabled: bool,
}

impl Extension {
    fn default_max_contacts() -> u8 {
        3
    }

    fn default_ring_timeout() -> u32 {
        60
    }
}

/// The codecs of a new extension or trunk.
#[must_use]
pub(crate) fn default_codecs() -> Vec<String> {
    ["pcmu", "pcma", "g722", "opus"].map(str::to_owned).to_vec()
}

/// How a trunk's far end is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrunkMode {
    /// By its address: it needs no password from us and we none from it.
    #[default]
    Peer,
    /// We register to it with a user name and password.
    Register,
}

/// The transport to a trunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Plain UDP.
    #[default]
    Udp,
    /// Plain TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

/// Credentials towards a trunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrunkAuth {
    /// Digest user name.
    pub username: String,
    /// Digest password. Write-only at the API.
    pub password: String,
}

/// A line to another telephone system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trunk {
    /// Its name, 1 to 63 letters, digits, `-` and `_`.
    pub name: String,
    /// Peer (by address) or register.
    #[serde(default)]
    pub mode: TrunkMode,
    /// Host name or address of the far end.
    pub host: String,
    /// Its port; 0: by DNS, else 5060 (5061 for TLS).
    #[serde(default)]
    pub port: u16,
    /// Transport to it.
    #[serde(default)]
    pub transport: Transport,
    /// Further addresses from which its calls come.
    #[serde(default)]
    pub accept_from: Vec<String>,
    /// Credentials; required in register mode.
    #[serde(default)]
    pub auth: Option<TrunkAuth>,
    /// Codecs in order of preference.
    #[serde(default = "default_codecs")]
    pub codecs: Vec<String>,
    /// DTMF transport.
    #[serde(default)]
    pub dtmf: DtmfMode,
    /// Audio encryption.
    #[serde(default)]
    pub encryption: Encryption,
    /// At most so many calls at once; 0: no limit.
    #[serde(default)]
    pub max_calls: u32,
    /// New calls to it in a second; 0: no limit.
    #[serde(default)]
    pub calls_per_second: u32,
    /// New calls to it in a minute; 0: no limit.
    #[serde(default)]
    pub calls_per_minute: u32,
    /// What calls over it may cost in a day, in thousandths of the currency unit; 0: no limit.
    #[serde(default)]
    pub spend_per_day: u64,
    /// Caller ID of calls that bring none of their own; empty: the caller's number (O-030).
    #[serde(default)]
    pub caller_id: String,
    /// Caller IDs that the far end takes; others become `caller_id`. Empty: all.
    #[serde(default)]
    pub caller_ids: Vec<Pattern>,
    /// Whether calls may go out without a caller ID (RFC 3323).
    #[serde(default)]
    pub withholding: bool,
    /// Seconds between OPTIONS pings; 0: no health check.
    #[serde(default = "Trunk::default_ping")]
    pub options_interval_secs: u32,
    /// Whether P-Asserted-Identity from it is believed and sent to it (RFC 3325).
    #[serde(default)]
    pub trusted_identity: bool,
    /// A disabled trunk takes and makes no calls.
    #[serde(default = "yes")]
    pub enabled: bool,
}

impl Trunk {
    fn default_ping() -> u32 {
        30
    }
}

/// Where a call can be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Destination {
    /// Hang up.
    #[default]
    EndCall,
    /// Ring an extension.
    Extension {
        /// Its number.
        number: String,
    },
    /// Join a queue.
    Queue {
        /// Its number.
        number: String,
    },
    /// Dial an outside number through the outbound routes.
    ExternalNum {
        /// The number as one would dial it.
        number: String,
    },
    /// Play a prompt, then hang up.
    PlayGreeting {
        /// The prompt's name in the library.
        prompt: String,
        /// How often it is played, 1 to 5.
        #[serde(default = "once")]
        times: u8,
    },
    /// Leave a message for an extension.
    ExtVm {
        /// The extension's number.
        number: String,
    },
    /// Leave a message in a group voicemail.
    GroupVm {
        /// Its number.
        number: String,
    },
    /// Enter a menu.
    Ivr {
        /// Its number.
        number: String,
    },
    /// Enter a call flow.
    CallFlow {
        /// Its number.
        number: String,
    },
    /// Ring a ring group.
    RingGroup {
        /// Its number.
        number: String,
    },
}

fn once() -> u8 {
    1
}
