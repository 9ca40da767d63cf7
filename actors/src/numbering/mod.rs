//! Where a number leads. A pure function of the directory, the origin and the digits.
//!
//! An extension's digits are read in this order (O-022): emergency number, feature code, number of
//! the house, outbound code, ordinary outbound route; else they lead nowhere.
//!
//! | Concern                                | Owner          |
//! |----------------------------------------|----------------|
//! | Codes, routes, caller IDs, limits      | `outbound`     |
//! | Which phones an extension has          | the registrar  |
//! | Whether a trunk is up                  | the trunks     |
//! | What a feature code does               | the agent      |

#[cfg(test)]
mod tests;

use tandem_config::resource::{Destination, InboundRoute, Settings};

use crate::agent::codes;
use crate::call::machine::TestNumber;
use crate::outbound::choose::choose;
use crate::outbound::lines::{NoRoute, emergency, plan};
use crate::outbound::{Barred, Occasion, Plan, Rule, numbers};
use crate::provisioning::Directory;

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
    Outside(Box<Plan>),
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
    /// To whoever is parked on a slot.
    Slot(u16),
    /// To a test number.
    Test(TestNumber),
    /// To a queue feature code.
    Code(String),
    /// Nowhere: SIP status and why.
    Refused(u16, String),
    /// Not let out.
    Barred(Barred),
}

/// Which step of the order gave the digits their meaning (O-022, O-039).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// An emergency number.
    Emergency,
    /// A feature code or a test number.
    Feature,
    /// A number of the house.
    Internal,
    /// An outbound code, typed, picked or by default.
    Code,
    /// The ordinary outbound route.
    Route,
    /// None.
    Nothing,
}

/// What a dialled number means (internal numbers are matched exactly and before patterns).
#[must_use]
pub fn dialled(
    directory: &Directory,
    origin: Origin<'_>,
    number: &str,
    occasion: &Occasion<'_>,
) -> Target {
    match origin {
        Origin::Extension(extension) => interpret(directory, extension, number, occasion).1,
        Origin::Trunk { name, caller } => from_trunk(directory, name, caller, number, occasion),
    }
}

/// What a configured destination means; `extension` is whose rights an outside number needs,
/// none for the system's own.
#[must_use]
pub fn destination(
    directory: &Directory,
    wanted: &Destination,
    extension: Option<&str>,
    occasion: &Occasion<'_>,
) -> Target {
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
        Destination::ExternalNum { number } => outside(directory, extension, number, occasion).1,
        Destination::PlayGreeting { prompt, times } => Target::Prompt(prompt.clone(), *times),
    }
}

/// What an extension's digits mean, and by which step. A picked code skips the feature codes and
/// the numbers of the house (O-024).
#[must_use]
pub fn interpret(
    directory: &Directory,
    extension: &str,
    dialled: &str,
    occasion: &Occasion<'_>,
) -> (Step, Target) {
    let cleaned = numbers::cleaned(dialled);
    let number = cleaned.as_deref().unwrap_or(dialled);
    if directory.settings().outbound.emergency_numbers.iter().any(|it| it == number) {
        let target = emergency(directory, Some(extension), number)
            .map_or_else(|| unknown(number), |plan| Target::Outside(Box::new(plan)));
        return (Step::Emergency, target);
    }
    if occasion.wish.code.is_none() {
        if let Some(target) = feature(directory, extension, number) {
            return (Step::Feature, target);
        }
        if let Some(target) = internal(directory, number).or_else(|| slot(directory, number)) {
            return (Step::Internal, target);
        }
    }
    outside(directory, Some(extension), dialled, occasion)
}

fn feature(directory: &Directory, extension: &str, number: &str) -> Option<Target> {
    let settings = directory.settings();
    let tests = &settings.test_numbers;
    for (code, test) in [
        (&tests.echo, TestNumber::Echo),
        (&tests.tone, TestNumber::Tone),
        (&tests.music, TestNumber::Music),
    ] {
        if !code.is_empty() && code == number {
            return Some(Target::Test(test));
        }
    }
    let code = || codes::parse(settings, number).map(|_| Target::Code(number.to_owned()));
    code().or_else(|| voicemail_code(settings, extension, number))
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

fn from_trunk(
    directory: &Directory,
    trunk: &str,
    caller: &str,
    number: &str,
    occasion: &Occasion<'_>,
) -> Target {
    match inbound_route(directory, trunk, caller, number) {
        Some(route) => destination(directory, &route.destination, None, occasion),
        None => unknown(number),
    }
}

/// The inbound route of a call from a trunk.
#[must_use]
pub fn inbound_route<'a>(
    directory: &'a Directory,
    trunk: &str,
    caller: &str,
    number: &str,
) -> Option<&'a InboundRoute> {
    let mut routes: Vec<&InboundRoute> =
        directory.inbound_routes().filter(|route| route.enabled).collect();
    routes.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
    let matches = |route: &&InboundRoute| {
        (route.trunks.is_empty() || route.trunks.iter().any(|name| name == trunk))
            && (route.did.is_empty() || route.did.iter().any(|did| did.matches(number)))
            && (route.caller.is_empty() || route.caller.iter().any(|it| it.matches(caller)))
    };
    routes.into_iter().find(matches)
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

/// Slots are for those of the house, and stand behind its numbers.
fn slot(directory: &Directory, number: &str) -> Option<Target> {
    let slot: u16 = number.parse().ok()?;
    let slots = &directory.settings().parking;
    (slots.first..=slots.last).contains(&slot).then_some(Target::Slot(slot))
}

fn outside(
    directory: &Directory,
    extension: Option<&str>,
    dialled: &str,
    occasion: &Occasion<'_>,
) -> (Step, Target) {
    let Some(number) = numbers::cleaned(dialled) else {
        let barred = Barred::new(Rule::NotANumber, format!("{dialled} is not a number"));
        return (Step::Nothing, Target::Barred(barred));
    };
    let choice = match choose(directory, extension, &number, occasion.wish) {
        Ok(choice) => choice,
        Err(barred) => return (Step::Code, Target::Barred(barred)),
    };
    let step = if choice.code.is_some() { Step::Code } else { Step::Route };
    match plan(directory, extension, dialled, &choice, occasion) {
        Ok(Ok(plan)) => (step, Target::Outside(Box::new(plan))),
        Ok(Err(NoRoute)) => (Step::Nothing, unknown(dialled)),
        Err(barred) => (step, Target::Barred(barred)),
    }
}

fn unknown(number: &str) -> Target {
    Target::Refused(404, format!("{number} leads nowhere"))
}
