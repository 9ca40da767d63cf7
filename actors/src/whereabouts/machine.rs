//! Who has a phone and is in a call, at this member and at the others. Pure.

use std::collections::{BTreeMap, BTreeSet};

use tandem_kernel::CallId;

use crate::gateway::words::Floor;

/// This member, among those that tell of their floors; no member has this number.
pub const OWN: u64 = 0;

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
struct Told {
    calls: BTreeSet<(String, CallId)>,
    browsers: BTreeSet<String>,
}

/// What an extension's agent is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Whether a phone can ring.
    Reachable(bool),
    /// The same, because a browser came or went: calls that have lost it look for it.
    Browser(bool),
    /// It is in a call.
    InCall(CallId),
    /// It is not any more.
    OutOfCall(CallId),
}

/// News of an extension.
pub type Change = (String, News);

/// All floors, as far as this member knows.
#[derive(Clone, Debug, Default)]
pub struct Floors {
    seen: BTreeMap<String, Seen>,
    members: BTreeMap<u64, Told>,
}

impl Floors {
    /// What is known of an extension.
    #[must_use]
    pub fn seen(&self, extension: &str) -> Seen {
        self.seen.get(extension).cloned().unwrap_or_default()
    }

    /// An extension's first phone came or its last one went.
    pub fn registered(&mut self, extension: &str, registered: bool) -> Change {
        let is_reachable = self.change_phones(extension, |seen| seen.registered = registered);
        (extension.to_owned(), News::Reachable(is_reachable))
    }

    /// A browser became an extension's phone here or is it no more.
    pub fn browser(&mut self, extension: &str, there: bool) -> Change {
        let is_reachable = self.change_phones(extension, |seen| seen.browser = there);
        (extension.to_owned(), News::Browser(is_reachable))
    }

    /// The same at another member.
    pub fn browser_at(&mut self, member: u64, extension: &str, there: bool) -> Change {
        let browsers = &mut self.members.entry(member).or_default().browsers;
        if there {
            browsers.insert(extension.to_owned())
        } else {
            browsers.remove(extension)
        };
        let is_reachable = self.change_phones(extension, |seen| {
            if there {
                seen.browsers.insert(member)
            } else {
                seen.browsers.remove(&member)
            };
        });
        (extension.to_owned(), News::Browser(is_reachable))
    }

    /// Gives whether a phone can ring then.
    fn change_phones(&mut self, extension: &str, change: impl FnOnce(&mut Seen)) -> bool {
        let seen = self.entry(extension);
        change(seen);
        let is_reachable = seen.is_reachable();
        self.tidy(extension);
        is_reachable
    }

    /// Another member at which a browser is the extension's phone.
    #[must_use]
    pub fn browser_member(&self, extension: &str) -> Option<u64> {
        self.seen.get(extension)?.browsers.first().copied()
    }

    /// An extension is in a call of a member.
    pub fn in_call_at(&mut self, member: u64, extension: &str, call: CallId) -> Change {
        let place = (extension.to_owned(), call);
        self.members.entry(member).or_default().calls.insert(place);
        self.entry(extension).calls.insert(call);
        (extension.to_owned(), News::InCall(call))
    }

    /// It is not any more; none: a call that was taken over is known by two members for a moment.
    pub fn out_of_call_at(&mut self, member: u64, extension: &str, call: CallId) -> Option<Change> {
        let place = (extension.to_owned(), call);
        self.members.entry(member).or_default().calls.remove(&place);
        if self.members.values().any(|other| other.calls.contains(&place)) {
            return None;
        }
        self.entry(extension).calls.remove(&call);
        self.tidy(extension);
        Some((extension.to_owned(), News::OutOfCall(call)))
    }

    /// Who is in calls of this member, and which browsers are phones here.
    #[must_use]
    pub fn own(&self) -> Floor {
        let calls = self.members.get(&OWN).map(|own| own.calls.clone()).unwrap_or_default();
        let browsers = self.seen.iter().filter(|(_, seen)| seen.browser);
        let browsers = browsers.map(|(extension, _)| extension.clone()).collect();
        Floor { calls: calls.into_iter().collect(), browsers }
    }

    /// All that a member knows of its floor, instead of what it told before.
    pub fn floor_at(&mut self, member: u64, floor: &Floor) -> Vec<Change> {
        let mut changes = Vec::new();
        for (extension, call) in &floor.calls {
            changes.push(self.in_call_at(member, extension, *call));
        }
        for extension in &floor.browsers {
            changes.push(self.browser_at(member, extension, true));
        }
        let known = self.members.get(&member).cloned().unwrap_or_default();
        for (extension, call) in known.calls.iter().filter(|it| !floor.calls.contains(it)) {
            changes.extend(self.out_of_call_at(member, extension, *call));
        }
        for extension in known.browsers.iter().filter(|it| !floor.browsers.contains(it)) {
            changes.push(self.browser_at(member, extension, false));
        }
        changes
    }

    /// A member died. Its calls are taken over in a moment; until then nobody who was in one is
    /// given another. Gives the name under which they are kept until they are forgotten.
    pub fn bury(&mut self, member: u64) -> (u64, Vec<Change>) {
        let grave = member | GRAVE;
        let last = self.members.remove(&member).unwrap_or_default();
        self.members.entry(grave).or_default().calls.extend(last.calls);
        let browsers = last.browsers.into_iter();
        (grave, browsers.map(|it| self.browser_at(member, &it, false)).collect())
    }

    /// A member is none any more.
    pub fn forget(&mut self, member: u64) -> Vec<Change> {
        let changes = self.floor_at(member, &Floor::default());
        self.members.remove(&member);
        changes
    }

    /// Only these are members beside this one.
    pub fn forget_others(&mut self, members: &[u64]) -> Vec<Change> {
        let is_there = |it: &u64| *it == OWN || *it & GRAVE > 0 || members.contains(it);
        let gone: Vec<u64> = self.members.keys().copied().filter(|it| !is_there(it)).collect();
        gone.into_iter().flat_map(|member| self.forget(member)).collect()
    }

    /// Takes an extension that is registered and in no call for one.
    pub fn claim(&mut self, extension: &str, call: CallId) -> bool {
        let Some(entry) = self.seen.get_mut(extension) else { return false };
        entry.registered && entry.calls.is_empty() && entry.calls.insert(call)
    }

    fn entry(&mut self, extension: &str) -> &mut Seen {
        self.seen.entry(extension.to_owned()).or_default()
    }

    fn tidy(&mut self, extension: &str) {
        if self.seen.get(extension).is_some_and(|seen| *seen == Seen::default()) {
            self.seen.remove(extension);
        }
    }
}
