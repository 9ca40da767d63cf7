//! From digits and destinations to phones, lines and queues.

use std::time::Duration;

use tandem_config::Kind;
use tandem_config::resource::{Destination, GroupStrategy};
use tandem_sip::value::NameAddr;

use super::CallState;
use crate::call::machine::{Callback, Device, LegIndex, Line, Party, Redirect, Route};
use crate::callback::{Inbound, Match, applies, decide};
use crate::exchange::Exchange;
use crate::flow::{Leave, Listen, Menu, Message, Pin, Script, Steps};
use crate::numbering::{self, Origin, Target};
use crate::outbound::{Occasion, Wish, numbers};
use crate::softphone::{self, PhoneWay};

/// Now, with a fresh draw and no wish.
fn occasion(exchange: &Exchange) -> Occasion<'static> {
    Occasion::plain(exchange.clock.now(), rand::random())
}

/// Where a number leads for a party.
pub(crate) fn resolve(exchange: &Exchange, by: &Party, dialled: &str, wish: &Wish) -> Route {
    let directory = exchange.provisioning.directory();
    let occasion = Occasion { wish, ..occasion(exchange) };
    let origin = match by {
        Party::Extension { number, .. } => Origin::Extension(number),
        Party::Outside { trunk, number, .. } => {
            // A party from outside that is sent back to an extension (recall) may reach it;
            // anything else goes by the inbound routes.
            if directory.extension(dialled).is_some() {
                return route(exchange, by, Target::Extension(dialled.to_owned()), dialled);
            }
            Origin::Trunk { name: trunk, caller: number }
        }
    };
    let target = numbering::dialled(&directory, origin, dialled, &occasion);
    route(exchange, by, target, dialled)
}

/// Where a number leads that a trunk's caller dialled: by the inbound routes only.
pub(crate) fn from_trunk(exchange: &Exchange, trunk: &str, caller: &str, dialled: &str) -> Route {
    let directory = exchange.provisioning.directory();
    let origin = Origin::Trunk { name: trunk, caller };
    let by =
        Party::Outside { trunk: trunk.to_owned(), number: caller.to_owned(), name: String::new() };
    let occasion = occasion(exchange);
    let target = numbering::dialled(&directory, origin, dialled, &occasion);
    let inbound = Inbound { trunk, did: dialled, now: occasion.now };
    let settled = numbering::inbound_route(&directory, trunk, caller, dialled);
    // C-033: a number that is closed stays closed.
    let is_closed = settled.is_some_and(|it| it.destination == Destination::EndCall);
    let otherwise = route(exchange, &by, target, dialled);
    if is_closed || !applies(directory.settings(), settled, inbound.now) {
        return otherwise;
    }
    let number = numbers::e164(&directory.settings().outbound, caller);
    let last = number.and_then(|number| exchange.callbacks.last(&number));
    match decide(&directory, &inbound, last) {
        Some(found) => Route::Callback(Box::new(callback(exchange, found, otherwise))),
        None => otherwise,
    }
}

fn callback(exchange: &Exchange, found: Match, otherwise: Route) -> Callback {
    let directory = exchange.provisioning.directory();
    let policy = &directory.settings().callback;
    Callback {
        agent: found.agent,
        is_agent_only: found.is_agent_only,
        outbound_call: found.entry.call,
        outbound_at: found.entry.at,
        prompt: policy.prompt.clone(),
        announcement: Some(policy.announcement.clone()).filter(|name| !name.is_empty()),
        grace: Duration::from_secs(u64::from(policy.grace_secs)),
        ring_for: Duration::from_secs(u64::from(policy.ring_timeout_secs)),
        otherwise,
    }
}

/// Where a configured destination leads.
pub(super) fn destination(exchange: &Exchange, by: &Party, wanted: &Destination) -> Route {
    let directory = exchange.provisioning.directory();
    let target = numbering::destination(&directory, wanted, by.extension(), &occasion(exchange));
    let shown = match wanted {
        Destination::ExternalNum { number } => number.as_str(),
        _ => "",
    };
    route(exchange, by, target, shown)
}

/// The registered phones of an extension, each once, and the one in a browser.
pub(crate) fn devices(exchange: &Exchange, extension: &str) -> Vec<Device> {
    let directory = exchange.provisioning.directory();
    let name = directory.extension(extension).map(|it| it.name.clone()).unwrap_or_default();
    let contacts = exchange.location.phones(extension).into_iter().map(|binding| binding.key);
    let browser = PhoneWay::find(exchange, extension).place();
    let browser = browser.map(|_| softphone::BINDING.to_owned());
    contacts
        .chain(browser)
        .map(|binding| Device { extension: extension.to_owned(), name: name.clone(), binding })
        .collect()
}

fn route(exchange: &Exchange, by: &Party, target: Target, dialled: &str) -> Route {
    match target {
        Target::Extension(extension) => to_extension(exchange, extension),
        Target::Queue(number) => to_queue(exchange, number),
        Target::Outside(plan) => Route::Lines {
            number: dialled.to_owned(),
            lines: plan.lines,
            outgoing: Box::new(plan.outgoing),
        },
        Target::Barred(barred) => Route::Barred { number: dialled.to_owned(), barred },
        Target::Prompt(file, times) => Route::Prompt { file, times },
        Target::Slot(slot) => Route::Slot(slot),
        Target::Test(test) => Route::Test(test),
        Target::Code(code) => Route::Code { code },
        Target::Refused(status, why) => Route::Refused { status, why },
        Target::RingGroup(number) => to_group(exchange, by, number),
        Target::Ivr(number) => {
            let directory = exchange.provisioning.directory();
            let menu = directory.ivr(&number).map(|ivr| Script::Menu(Menu::new(ivr.clone())));
            script(menu, &number)
        }
        Target::CallFlow(number) => script(steps(exchange, by, &number), &number),
        Target::Leave(number) => script(leave(exchange, &number), &number),
        Target::Listen(number) => listen(exchange, by, &number),
    }
}

fn script(script: Option<Script>, number: &str) -> Route {
    let none = || Route::Refused { status: 404, why: format!("{number} leads nowhere") };
    script.map_or_else(none, |script| Route::Script(Box::new(script)))
}

/// The phones of an extension; its voicemail takes whom nobody answers.
fn to_extension(exchange: &Exchange, extension: String) -> Route {
    let directory = exchange.provisioning.directory();
    let secs = directory.extension(&extension).map_or(60, |it| it.ring_timeout_secs);
    let ring_for = Duration::from_secs(u64::from(secs));
    let devices = devices(exchange, &extension);
    if directory.mailbox(&extension).is_none() {
        return Route::Devices { devices, extension, ring_for };
    }
    let failover = Destination::ExtVm { number: extension.clone() };
    Route::Group { number: extension, rounds: vec![devices], ring_for, failover }
}

/// The phones of a ring group; who calls does not ring.
fn to_group(exchange: &Exchange, by: &Party, number: String) -> Route {
    let directory = exchange.provisioning.directory();
    let Some(group) = directory.ring_group(&number) else { return script(None, &number) };
    let enabled = |member: &&String| directory.extension(member).is_some_and(|it| it.enabled);
    let members = group.members.iter().filter(enabled);
    let members = members.filter(|member| by.extension() != Some(member.as_str()));
    let each = members.map(|member| devices(exchange, member));
    let rounds = match group.strategy {
        GroupStrategy::RingAll => vec![each.flatten().collect()],
        GroupStrategy::Sequential => each.collect(),
    };
    let ring_for = Duration::from_secs(u64::from(group.ring_timeout_secs));
    let failover = group.failover.clone();
    Route::Group { number, rounds, ring_for, failover }
}

/// Into a queue, unless it is closed at this time. Who waits already stays: it
/// is asked here only, at the entry.
fn to_queue(exchange: &Exchange, number: String) -> Route {
    let directory = exchange.provisioning.directory();
    let times = directory.queue(&number).map(|queue| &queue.time_condition);
    let profile = times.and_then(|times| directory.time_profile(&times.time_profile));
    let diversion =
        times.zip(profile).and_then(|(times, profile)| times.divert(profile, now(exchange)));
    match diversion {
        Some(diversion) => Route::Diverted { queue: number, diversion: Box::new(diversion) },
        None => Route::Queue { number },
    }
}

fn now(exchange: &Exchange) -> jiff::Timestamp {
    let micros = i64::try_from(exchange.clock.now().as_micros()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX)
}

fn steps(exchange: &Exchange, by: &Party, number: &str) -> Option<Script> {
    let directory = exchange.provisioning.directory();
    let version = directory.find(Kind::CallFlow, number)?.revision;
    let flow = directory.call_flow(number)?;
    Some(Script::Steps(Steps::new(flow, version, now(exchange), by.number())))
}

fn leave(exchange: &Exchange, number: &str) -> Option<Script> {
    let directory = exchange.provisioning.directory();
    let options = directory.mailbox(number)?;
    let kept = exchange.voicemail.messages(number).len();
    let is_full = kept >= usize::try_from(options.max_messages).unwrap_or(usize::MAX);
    Some(Script::Leave(Leave::new(number.to_owned(), options, is_full)))
}

/// A group's mailbox is opened by its members only.
fn listen(exchange: &Exchange, by: &Party, number: &str) -> Route {
    let directory = exchange.provisioning.directory();
    let Some(options) = directory.mailbox(number) else { return script(None, number) };
    let group = directory.group_voicemail(number);
    let is_member = |member: &String| by.extension() == Some(member.as_str());
    if group.is_some_and(|group| !group.members.iter().any(is_member)) {
        let why = format!("not a member of group voicemail {number}");
        return Route::Refused { status: 403, why };
    }
    let message = |message: crate::voicemail::Message| Message {
        is_new: message.heard_at.is_none(),
        id: message.id,
    };
    let messages = exchange.voicemail.messages(number).into_iter().map(message).collect();
    let listen = Listen::new(number.to_owned(), Pin(options.pin.clone()), messages);
    Route::Script(Box::new(Script::Listen(listen)))
}

impl CallState {
    /// A trunk's 3xx is followed over the trunk that sent it; a phone's names a number.
    pub(super) fn redirect(&self, leg: LegIndex, uris: &[String]) -> Redirect {
        let Some(Party::Outside { trunk, number, .. }) = self.call.party_of(leg) else {
            let first = uris.first().and_then(|uri| NameAddr::parse(uri).ok());
            return Redirect::Number(first.and_then(|to| to.uri.user_text()).unwrap_or_default());
        };
        let line = |uri: &String| Line {
            trunk: trunk.clone(),
            number: number.clone(),
            caller_id: String::new(),
            uri: Some(uri.clone()),
            is_emergency: false,
            price_per_minute: 0,
        };
        Redirect::Lines(uris.iter().map(line).collect())
    }
}
