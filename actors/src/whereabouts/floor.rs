//! Who has a phone and is in a call: the shell, which tells the agents.

use tandem_kernel::CallId;

use super::Whereabouts;
use super::machine::{Change, News, OWN};
use crate::agent::AgentMsg;
use crate::gateway::words::{Floor, Word};

impl Whereabouts {
    /// An extension's first phone came or its last one went.
    pub fn registered(&self, extension: &str, registered: bool) {
        let mut floors = self.floors.write();
        let change = floors.registered(extension, registered);
        self.pass_on([&change]);
    }

    /// A browser became an extension's phone or is it no more.
    pub fn browser(&self, extension: &str, there: bool) {
        let mut floors = self.floors.write();
        let change = floors.browser(extension, there);
        self.pass_on([&change]);
        drop(floors);
        self.look_for_phones(&[change]);
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
        self.floors.read().own()
    }

    pub(crate) fn in_call_at(&self, member: u64, extension: &str, call: CallId) {
        let mut floors = self.floors.write();
        let change = floors.in_call_at(member, extension, call);
        self.pass_on([&change]);
    }

    pub(crate) fn out_of_call_at(&self, member: u64, extension: &str, call: CallId) {
        let mut floors = self.floors.write();
        let change = floors.out_of_call_at(member, extension, call);
        self.pass_on(&change);
    }

    pub(crate) fn browser_at(&self, member: u64, extension: &str, there: bool) {
        let mut floors = self.floors.write();
        let change = floors.browser_at(member, extension, there);
        self.pass_on([&change]);
        drop(floors);
        self.look_for_phones(&[change]);
    }

    /// Another member at which a browser is the extension's phone.
    pub(crate) fn browser_member(&self, extension: &str) -> Option<u64> {
        self.floors.read().browser_member(extension)
    }

    /// All that a member knows of its floor, instead of what it told before.
    pub(crate) fn floor_at(&self, member: u64, floor: &Floor) {
        let mut floors = self.floors.write();
        let changes = floors.floor_at(member, floor);
        self.pass_on(&changes);
        drop(floors);
        self.look_for_phones(&changes);
    }

    /// A member died. Its calls are taken over in a moment; until then nobody who was in one is
    /// given another. Gives the name under which they are kept until they are forgotten.
    pub(crate) fn bury_floor(&self, member: u64) -> u64 {
        let mut floors = self.floors.write();
        let (grave, changes) = floors.bury(member);
        self.pass_on(&changes);
        drop(floors);
        self.look_for_phones(&changes);
        grave
    }

    /// A member is none any more.
    pub(crate) fn forget_floor(&self, member: u64) {
        let mut floors = self.floors.write();
        let changes = floors.forget(member);
        self.pass_on(&changes);
        drop(floors);
        self.look_for_phones(&changes);
    }

    /// Only these are members beside this one.
    pub(crate) fn forget_floors(&self, members: &[u64]) {
        let mut floors = self.floors.write();
        let changes = floors.forget_others(members);
        self.pass_on(&changes);
        drop(floors);
        self.look_for_phones(&changes);
    }

    /// Takes an extension for a call that it asked for itself: one that is in no call, whatever
    /// its agent's state. The agent is told.
    pub fn take(&self, extension: &str, call: CallId) -> bool {
        let is_taken = self.floors.write().claim(extension, call);
        if is_taken {
            self.in_call(extension, call);
        }
        is_taken
    }

    /// The lock is held while the messages are sent, so that a new actor misses none.
    fn pass_on<'a>(&self, changes: impl IntoIterator<Item = &'a Change>) {
        for (extension, news) in changes {
            let Some(agent) = self.agent(extension) else { continue };
            let message = match news {
                News::Reachable(it) | News::Browser(it) => AgentMsg::Registered(*it),
                News::InCall(call) => AgentMsg::InCall(*call),
                News::OutOfCall(call) => AgentMsg::OutOfCall(*call),
            };
            // An actor that has just ended: the next one reads what was noted.
            let _gone = agent.cast(message);
        }
    }

    /// Calls that have lost their browser look for it where it is now.
    fn look_for_phones(&self, changes: &[Change]) {
        let Some(gateway) = self.gateway() else { return };
        for (extension, news) in changes {
            if matches!(news, News::Browser(_)) {
                let calls = self.floors.read().seen(extension).calls;
                gateway.phone_at(extension, calls);
            }
        }
    }
}
