//! Who has a phone and is in a call, at this member and at the others.

use std::collections::BTreeSet;

use tandem_kernel::CallId;

use super::Whereabouts;
use crate::agent::AgentMsg;
use crate::gateway::words::{Floor, Word};

/// This member, among those that tell of their floors; no member has this number.
const OWN: u64 = 0;

/// Added to the number of a member that died.
const GRAVE: u64 = 1 << 63;

/// What is known of an extension without its agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whether a phone is registered.
    pub registered: bool,
    /// Whether a browser is its phone.
    pub browser: bool,
    /// The calls that it is in.
    pub calls: BTreeSet<CallId>,
    /// Members at which a browser is its phone.
    browsers: BTreeSet<u64>,
}

impl Seen {
    /// Whether a phone of any kind can ring.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        self.registered || self.browser || !self.browsers.is_empty()
    }
}

/// What a member told of its calls and browsers.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    calls: BTreeSet<(String, CallId)>,
    browsers: BTreeSet<String>,
}

impl Whereabouts {
    /// An extension's first phone came or its last one went.
    pub fn registered(&self, extension: &str, registered: bool) {
        self.note_phones(extension, |seen| seen.registered = registered);
    }

    /// A browser became an extension's phone or is it no more.
    pub fn browser(&self, extension: &str, there: bool) {
        self.note_phones(extension, |seen| seen.browser = there);
        self.phone_at(extension);
        self.tell_all(&Word::Browser { extension: extension.to_owned(), there });
    }

    /// An extension is in a call.
    pub fn in_call(&self, extension: &str, call: CallId) {
        self.in_call_at(OWN, extension, call);
        self.tell_all(&Word::InCall { extension: extension.to_owned(), call });
    }

    /// An extension is not in a call any more.
    pub fn out_of_call(&self, extension: &str, call: CallId) {
        self.out_of_call_at(OWN, extension, call);
        self.tell_all(&Word::OutOfCall { extension: extension.to_owned(), call });
    }

    fn tell_all(&self, word: &Word) {
        if let Some(gateway) = self.gateway() {
            gateway.tell_all(word);
        }
    }

    /// Who is in calls of this member, and which browsers are phones here.
    pub(crate) fn floor(&self) -> Floor {
        let own = self.members.read().get(&OWN).map(|own| own.calls.clone()).unwrap_or_default();
        let seen = self.seen.read();
        let browsers = seen.iter().filter(|(_, seen)| seen.browser);
        let browsers = browsers.map(|(extension, _)| extension.clone()).collect();
        Floor { calls: own.into_iter().collect(), browsers }
    }

    pub(crate) fn in_call_at(&self, member: u64, extension: &str, call: CallId) {
        let place = (extension.to_owned(), call);
        self.members.write().entry(member).or_default().calls.insert(place);
        self.note_call(extension, call, true);
    }

    /// A call that was taken over is known by two members for a moment.
    pub(crate) fn out_of_call_at(&self, member: u64, extension: &str, call: CallId) {
        let place = (extension.to_owned(), call);
        let mut members = self.members.write();
        members.entry(member).or_default().calls.remove(&place);
        if members.values().any(|other| other.calls.contains(&place)) {
            return;
        }
        drop(members);
        self.note_call(extension, call, false);
    }

    pub(crate) fn browser_at(&self, member: u64, extension: &str, there: bool) {
        let mut members = self.members.write();
        let browsers = &mut members.entry(member).or_default().browsers;
        if there {
            browsers.insert(extension.to_owned())
        } else {
            browsers.remove(extension)
        };
        drop(members);
        self.note_phones(extension, |seen| {
            if there {
                seen.browsers.insert(member)
            } else {
                seen.browsers.remove(&member)
            };
        });
        self.phone_at(extension);
    }

    /// Another member at which a browser is the extension's phone.
    pub(crate) fn browser_member(&self, extension: &str) -> Option<u64> {
        self.seen.read().get(extension)?.browsers.first().copied()
    }

    fn phone_at(&self, extension: &str) {
        let Some(gateway) = self.gateway() else { return };
        let seen = self.seen.read().get(extension).cloned().unwrap_or_default();
        gateway.phone_at(extension, seen.calls);
    }

    /// All that a member knows of its floor, instead of what it told before.
    pub(crate) fn floor_at(&self, member: u64, floor: &Floor) {
        for (extension, call) in &floor.calls {
            self.in_call_at(member, extension, *call);
        }
        for extension in &floor.browsers {
            self.browser_at(member, extension, true);
        }
        let known = self.members.read().get(&member).cloned().unwrap_or_default();
        for (extension, call) in known.calls.iter().filter(|it| !floor.calls.contains(it)) {
            self.out_of_call_at(member, extension, *call);
        }
        for extension in known.browsers.iter().filter(|it| !floor.browsers.contains(it)) {
            self.browser_at(member, extension, false);
        }
    }

    /// A member died. Its calls are taken over in a moment; until then nobody who was in one is
    /// given another. Gives the name under which they are kept until they are forgotten.
    pub(crate) fn bury_floor(&self, member: u64) -> u64 {
        let grave = member | GRAVE;
        let mut members = self.members.write();
        let last = members.remove(&member).unwrap_or_default();
        let kept = members.entry(grave).or_default();
        kept.calls.extend(last.calls);
        drop(members);
        for extension in last.browsers {
            self.browser_at(member, &extension, false);
        }
        grave
    }

    /// A member is none any more.
    pub(crate) fn forget_floor(&self, member: u64) {
        self.floor_at(member, &Floor::default());
        self.members.write().remove(&member);
    }

    /// Only these are members beside this one.
    pub(crate) fn forget_floors(&self, members: &[u64]) {
        let known: Vec<u64> = self.members.read().keys().copied().collect();
        let is_there = |it: &u64| *it == OWN || *it & GRAVE > 0 || members.contains(it);
        for member in known.into_iter().filter(|it| !is_there(it)) {
            self.forget_floor(member);
        }
    }

    fn note_call(&self, extension: &str, call: CallId, is_in: bool) {
        self.note(extension, |seen| {
            if is_in {
                seen.calls.insert(call);
                return AgentMsg::InCall(call);
            }
            seen.calls.remove(&call);
            AgentMsg::OutOfCall(call)
        });
    }

    fn note_phones(&self, extension: &str, change: impl FnOnce(&mut Seen)) {
        self.note(extension, |seen| {
            change(seen);
            AgentMsg::Registered(seen.is_reachable())
        });
    }

    /// Takes an extension for a call that it asked for itself: one that is in no call, whatever
    /// its agent's state. The agent is told.
    pub fn take(&self, extension: &str, call: CallId) -> bool {
        let is_taken = self.claim_phone(extension, call);
        if is_taken {
            self.in_call(extension, call);
        }
        is_taken
    }

    pub(super) fn claim_phone(&self, extension: &str, call: CallId) -> bool {
        let mut seen = self.seen.write();
        let Some(entry) = seen.get_mut(extension) else { return false };
        entry.registered && entry.calls.is_empty() && entry.calls.insert(call)
    }

    /// The lock is held while the message is sent, so that a new actor misses none.
    fn note(&self, extension: &str, change: impl FnOnce(&mut Seen) -> AgentMsg) {
        let mut seen = self.seen.write();
        let entry = seen.entry(extension.to_owned()).or_default();
        let message = change(entry);
        if *entry == Seen::default() {
            seen.remove(extension);
        }
        if let Some(agent) = self.agent(extension) {
            // An actor that has just ended: the next one reads what was noted.
            let _gone = agent.cast(message);
        }
    }
}
