//! Where a number leads. A pure function of the directory, the origin and the digits.
//!
//! | Concern                                | Owner          |
//! |----------------------------------------|----------------|
//! | Which phones an extension has          | the registrar  |
//! | Whether a trunk is up                  | the trunks     |
//! | What a feature code does               | the agent      |

#[cfg(test)]
mod tests;

use tandem_config::resource::{Destination, InboundRoute, OutboundRoute, Settings};

use crate::agent::codes;
use crate::call::machine::{Line, TestNumber};
use crate::provisioning::Directory;

/// How many trunks one call tries at most.
const MAX_LINES: usize = 8;

/// Who dials.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a> {
    /// An extension.
    Extension(&'a str),
    /// Somebody behind a trunk.
    Trunk {
        /// The trunk.
        name: &'a str,
        /// Their number.
        caller: &'a str,
    },
}

/// Where the number leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// To an extension.
    Extension(String),
    /// To a queue.
    Queue(String),
    /// To the outside.
    Lines(Vec<Line>),
    /// To a prompt, so many times, and the end.
    Prompt(String, u8),
    /// To a ring group.
    RingGroup(String),
    /// Into a menu.
    Ivr(String),
    /// Into a call flow.
    CallFlow(String),
    /// To leave a message in a mailbox.
    Leave(String),
    /// To listen to the messages of a mailbox.
    Listen(String),
    /// To a test number.
    Test(TestNumber),
    /// To a queue feature code.
    Code(String),
    /// Nowhere: SIP status and why.
    Refused(u16, String),
}

/// What a dialled number means (internal numbers are matched exactly and before patterns).
#[must_use]
pub fn dialled(directory: &Directory, origin: Origin<'_>, number: &str) -> Target {
    match origin {
        Origin::Extension(extension) => from_extension(directory, extension, number),
        Origin::Trunk { name, caller } => from_trunk(directory, name, caller, number),
    }
}

/// What a configured destination means; `extension` is whose rights an outside number needs,
/// none for the system's own.
#[must_use]
pub fn destination(directory: &Directory, wanted: &Destination, extension: Option<&str>) -> Target {
    match wanted {
        Destination::EndCall => Target::Refused(480, "the destination is to hang up".into()),
        Destination::Extension { number } => {
            internal(directory, number).unwrap_or_else(|| unknown(number))
        }
        Destination::Queue { number }
        | Destination::GroupVm { number }
        | Destination::Ivr { number }
        | Destination::CallFlow { number }
        | Destination::RingGroup { number } => {
            internal(directory, number).unwrap_or_else(|| unknown(number))
        }
        Destination::ExtVm { number } => Target::Leave(number.clone()),
        Destination::ExternalNum { number } => outside(directory, extension, number),
        Destination::PlayGreeting { prompt, times } => Target::Prompt(prompt.clone(), *times),
    }
}

fn from_extension(directory: &Directory, extension: &str, number: &str) -> Target {
    let settings = directory.settings();
    let tests = &settings.test_numbers;
    for (code, test) in [
        (&tests.echo, TestNumber::Echo),
        (&tests.tone, TestNumber::Tone),
        (&tests.music, TestNumber::Music),
    ] {
        if !code.is_empty() && code == number {
            return Target::Test(test);
        }
    }
    if codes::parse(settings, number).is_some() {
        return Target::Code(number.to_owned());
    }
    let voicemail = || voicemail_code(settings, extension, number);
    let inside = voicemail().or_else(|| internal(directory, number));
    inside.unwrap_or_else(|| outside(directory, Some(extension), number))
}

/// `*2`, `*2<mailbox>` and `#<mailbox>` (settings `code_voicemail`, `code_leave_message`).
pub(crate) fn voicemail_code(
    settings: &Settings,
    extension: &str,
    dialled: &str,
) -> Option<Target> {
    let after = |code: &str| match code {
        "" => None,
        code => dialled.strip_prefix(code),
    };
    let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if after(&settings.code_voicemail) == Some("") {
        return Some(Target::Listen(extension.to_owned()));
    }
    let listen = after(&settings.code_voicemail).filter(is_number);
    let leave = after(&settings.code_leave_message).filter(is_number);
    let listen = listen.map(|mailbox| Target::Listen(mailbox.to_owned()));
    listen.or_else(|| leave.map(|mailbox| Target::Leave(mailbox.to_owned())))
}

fn from_trunk(directory: &Directory, trunk: &str, caller: &str, number: &str) -> Target {
    let mut routes: Vec<&InboundRoute> =
        directory.inbound_routes().filter(|route| route.enabled).collect();
    routes.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
    let matches = |route: &&InboundRoute| {
        (route.trunks.is_empty() || route.trunks.iter().any(|name| name == trunk))
            && (route.did.is_empty() || route.did.iter().any(|did| did.matches(number)))
            && (route.caller.is_empty() || route.caller.iter().any(|it| it.matches(caller)))
    };
    match routes.into_iter().find(matches) {
        Some(route) => destination(directory, &route.destination, None),
        None => unknown(number),
    }
}

fn internal(directory: &Directory, number: &str) -> Option<Target> {
    if let Some(extension) = directory.extension(number) {
        return Some(if extension.enabled {
            Target::Extension(number.to_owned())
        } else {
            Target::Refused(480, format!("extension {number} is disabled"))
        });
    }
    let target = |known: bool, make: fn(String) -> Target| known.then(|| make(number.to_owned()));
    target(directory.queue(number).is_some(), Target::Queue)
        .or_else(|| target(directory.ring_group(number).is_some(), Target::RingGroup))
        .or_else(|| target(directory.ivr(number).is_some(), Target::Ivr))
        .or_else(|| target(directory.call_flow(number).is_some(), Target::CallFlow))
        .or_else(|| target(directory.group_voicemail(number).is_some(), Target::Leave))
}

fn outside(directory: &Directory, extension: Option<&str>, number: &str) -> Target {
    let mut routes: Vec<&OutboundRoute> =
        directory.outbound_routes().filter(|route| route.enabled).collect();
    routes.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
    let mut lines = Vec::new();
    let mut forbidden = false;
    for route in routes {
        let Some(rule) = route.rules.iter().find(|rule| rule.pattern.matches(number)) else {
            continue;
        };
        let allowed =
            |who: &str| route.extensions.is_empty() || route.extensions.iter().any(|it| it == who);
        if extension.is_some_and(|who| !allowed(who)) {
            forbidden = true;
            continue;
        }
        let stripped: String = number.chars().skip(usize::from(rule.strip)).collect();
        for trunk in &route.trunks {
            lines.push(Line {
                trunk: trunk.clone(),
                number: format!("{}{stripped}", rule.prepend),
                caller_id: caller_id(directory, route, extension),
                uri: None,
            });
        }
    }
    lines.truncate(MAX_LINES);
    match (lines.is_empty(), forbidden) {
        (false, _) => Target::Lines(lines),
        (true, true) => Target::Refused(403, format!("no permission to dial {number}")),
        (true, false) => unknown(number),
    }
}

/// The route's caller ID, else the extension's own, else empty: the trunk decides.
fn caller_id(directory: &Directory, route: &OutboundRoute, extension: Option<&str>) -> String {
    if !route.caller_id.is_empty() {
        return route.caller_id.clone();
    }
    extension
        .and_then(|number| directory.extension(number))
        .map(|extension| extension.outbound_caller_id.clone())
        .unwrap_or_default()
}

fn unknown(number: &str) -> Target {
    Target::Refused(404, format!("{number} leads nowhere"))
}
