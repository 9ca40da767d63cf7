//! What can be subscribed to, and what a subscribed-to number means.

use tandem_config::resource::Settings;

use crate::agent::{Command, Facts, codes};
use crate::call::machine::LegIndex;
use tandem_kernel::CallId;

/// Something whose state a phone watches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Watched {
    /// The calls of an extension (RFC 4235).
    Calls {
        /// The extension.
        extension: String,
    },
    /// Whether an agent is logged in to a queue.
    Login {
        /// The agent.
        agent: String,
        /// The queue.
        queue: String,
    },
    /// Whether an agent is paused in a queue; with a reason, for just that.
    Pause {
        /// The agent.
        agent: String,
        /// The queue.
        queue: String,
        /// The reason code.
        reason: Option<String>,
    },
    /// The messages that wait for an extension (RFC 3842).
    Mailbox {
        /// The extension.
        extension: String,
    },
}

impl Watched {
    /// The agent whose state it is.
    #[must_use]
    pub fn agent(&self) -> Option<&str> {
        match self {
            Self::Login { agent, .. } | Self::Pause { agent, .. } => Some(agent),
            Self::Calls { .. } | Self::Mailbox { .. } => None,
        }
    }
}

/// How far a call of an extension has come (RFC 4235 3.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Asked for; nobody is alerted.
    Trying,
    /// Its phone rings.
    Early,
    /// It talks.
    Confirmed,
}

/// One call of an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Talk {
    /// How far it has come.
    pub progress: Progress,
    /// The extension called; else it is called.
    pub is_initiator: bool,
    /// The number of the other party.
    pub remote: String,
    /// The other party is on hold.
    pub is_held: bool,
}

/// A lamp beside a key, as BLF phones show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lamp {
    /// Steady green: logged in; not paused.
    Green,
    /// Steady red: logged out; in the pause that is watched.
    Red,
    /// Flashing red: paused.
    Flashing,
}

/// What waits in a mailbox: new and old messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    /// Not yet heard.
    pub new: u32,
    /// Heard and kept.
    pub old: u32,
}

/// The state of something that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The calls of an extension, by call and leg.
    Calls(Vec<((CallId, LegIndex), Talk)>),
    /// An agent's lamp.
    Lamp(Lamp),
    /// A mailbox.
    Mail(Mail),
}

/// What a number means that an extension subscribes to the calls of: an extension, or the lamp
/// of a feature code. None: neither.
#[must_use]
pub fn dialogs_of(settings: &Settings, subscriber: &str, number: &str) -> Option<Watched> {
    let own = || subscriber.to_owned();
    match codes::parse(settings, number) {
        Some(Command::ToggleLogin(queue)) => return Some(Watched::Login { agent: own(), queue }),
        Some(Command::TogglePause(queue, reason)) => {
            return Some(Watched::Pause { agent: own(), queue, reason });
        }
        Some(_) => return None,
        None => {}
    }
    if let Some(watched) = pause_of_another(settings, number) {
        return Some(watched);
    }
    Some(Watched::Calls { extension: number.to_owned() })
}

/// `*07<extension>*<queue><reason code>`.
fn pause_of_another(settings: &Settings, number: &str) -> Option<Watched> {
    let code = &settings.code_queue_pause;
    let rest = number.strip_prefix(code.as_str()).filter(|_| !code.is_empty())?;
    let (agent, rest) = rest.split_once('*')?;
    let (queue, reason) = rest.split_at(rest.find('*')?);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(agent) || !digits(queue) || !digits(&reason[1..]) {
        return None;
    }
    let (agent, queue) = (agent.to_owned(), queue.to_owned());
    Some(Watched::Pause { agent, queue, reason: Some(reason.to_owned()) })
}

/// The lamp of something that is watched of an agent; none if the agent has no part in the
/// queue, or nothing of an agent is watched.
#[must_use]
pub fn lamp(watched: &Watched, facts: &Facts) -> Option<Lamp> {
    match watched {
        Watched::Login { queue, .. } => {
            let seat = facts.seats.get(queue)?;
            Some(if seat.logged_in.is_some() { Lamp::Green } else { Lamp::Red })
        }
        Watched::Pause { queue, reason: None, .. } => {
            let seat = facts.seats.get(queue)?;
            Some(if seat.pause.is_some() { Lamp::Flashing } else { Lamp::Green })
        }
        Watched::Pause { queue, reason, .. } => {
            let seat = facts.seats.get(queue)?;
            let is_in = seat.pause.as_ref().is_some_and(|pause| pause.reason == *reason);
            Some(if is_in { Lamp::Red } else { Lamp::Green })
        }
        Watched::Calls { .. } | Watched::Mailbox { .. } => None,
    }
}
