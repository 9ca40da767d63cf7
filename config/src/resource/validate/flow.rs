//! The rules of ring groups, menus, call flows and mailboxes.

use super::Wrong;
use crate::resource::{
    CallFlow, Destination, FlowAction, GroupVoicemail, Ivr, MailboxOptions, RingGroup,
};

/// Members of a ring group at most: each phone of each is a leg of one call.
const MAX_MEMBERS: usize = 50;
/// Steps of a call flow at most.
const MAX_STEPS: usize = 100;

impl Wrong {
    fn members(&mut self, members: &[String]) {
        for (index, member) in members.iter().enumerate() {
            let once = !members[..index].contains(member);
            let pointer = format!("/members/{index}");
            self.unless(once, &pointer, "duplicate", "an extension is a member once");
        }
    }

    pub(super) fn between(&mut self, value: u32, least: u32, most: u32, pointer: &str) {
        let right = (least..=most).contains(&value);
        self.unless(right, pointer, "out-of-range", &format!("{least} to {most}"));
    }

    /// A key of a telephone, and where it leads.
    pub(super) fn key_to(&mut self, key: &str, destination: &Destination, list: &str) {
        let pointer = format!("{list}/{}", key.replace('~', "~0").replace('/', "~1"));
        let right = key.len() == 1 && key.bytes().all(|b| b.is_ascii_digit() || b"*#".contains(&b));
        self.unless(right, &pointer, "bad-key", "a key is 0 to 9, * or #");
        self.destination(destination, &pointer);
    }

    pub(super) fn address(&mut self, address: &str, pointer: &str) {
        self.unless(is_address(address), pointer, "bad-address", "an e-mail address");
    }

    pub(super) fn mailbox(&mut self, mailbox: &MailboxOptions, pointer: &str) {
        let pin = &mailbox.pin;
        let digits = pin.bytes().all(|b| b.is_ascii_digit());
        let right = pin.is_empty() || (digits && (4..=10).contains(&pin.len()));
        self.unless(right, &format!("{pointer}/pin"), "bad-pin", "4 to 10 digits");
        self.prompt_if_any(&mailbox.greeting, &format!("{pointer}/greeting"));
        for (index, address) in mailbox.email.iter().enumerate() {
            self.address(address, &format!("{pointer}/email/{index}"));
        }
        self.between(mailbox.max_message_secs, 5, 1_800, &format!("{pointer}/max_message_secs"));
        self.between(mailbox.max_messages, 1, 999, &format!("{pointer}/max_messages"));
    }
}

/// Enough of an address that no header can be broken with it; the mailer parses it in full.
fn is_address(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && !b"<>,;\"".contains(&b))
    };
    text.len() <= 254 && text.split_once('@').is_some_and(|(user, host)| plain(user) && plain(host))
}

impl RingGroup {
    pub(super) fn check(&self, wrong: &mut Wrong) {
        wrong.number(&self.number, "/number");
        wrong.name(&self.name, "/name");
        wrong.between(self.ring_timeout_secs, 1, 3_600, "/ring_timeout_secs");
        let few = (1..=MAX_MEMBERS).contains(&self.members.len());
        wrong.unless(few, "/members", "out-of-range", "1 to 50 members");
        wrong.members(&self.members);
        wrong.destination(&self.failover, "/failover");
        let itself = Destination::RingGroup { number: self.number.clone() };
        let leaves = self.failover != itself;
        wrong.unless(leaves, "/failover/number", "loop", "a group does not fail over to itself");
    }
}

impl Ivr {
    pub(super) fn check(&self, wrong: &mut Wrong) {
        wrong.number(&self.number, "/number");
        wrong.name(&self.name, "/name");
        wrong.prompt(&self.prompt, "/prompt");
        for (key, destination) in &self.keys {
            wrong.key_to(key, destination, "/keys");
        }
        wrong.between(self.timeout_secs, 1, 120, "/timeout_secs");
        wrong.between(self.digit_timeout_secs, 1, 30, "/digit_timeout_secs");
        wrong.between(u32::from(self.max_tries), 1, 9, "/max_tries");
        wrong.destination(&self.timeout, "/timeout");
        wrong.prompt_if_any(&self.invalid_prompt, "/invalid_prompt");
        wrong.destination(&self.invalid, "/invalid");
    }
}

impl CallFlow {
    pub(super) fn check(&self, wrong: &mut Wrong) {
        wrong.number(&self.number, "/number");
        wrong.name(&self.name, "/name");
        let few = (1..=MAX_STEPS).contains(&self.steps.len());
        wrong.unless(few, "/steps", "out-of-range", "1 to 100 steps");
        for (index, step) in self.steps.iter().enumerate() {
            let pointer = format!("/steps/{index}");
            for (field, detail) in step.when.hours.iter().flat_map(super::super::Hours::problems) {
                let pointer = format!("{pointer}/when/hours/{field}");
                wrong.unless(false, &pointer, "wrong-value", detail);
            }
            wrong.action(&step.action, &format!("{pointer}/action"));
        }
    }
}

impl Wrong {
    fn action(&mut self, action: &FlowAction, pointer: &str) {
        match action {
            FlowAction::Play { prompt } => self.prompt(prompt, &format!("{pointer}/prompt")),
            FlowAction::Collect { prompt, max_digits, timeout_secs } => {
                self.prompt(prompt, &format!("{pointer}/prompt"));
                let most = u32::from(*max_digits);
                self.between(most, 1, 32, &format!("{pointer}/max_digits"));
                self.between(*timeout_secs, 1, 120, &format!("{pointer}/timeout_secs"));
            }
            FlowAction::Go { destination } => {
                self.destination(destination, &format!("{pointer}/destination"));
            }
        }
    }
}

impl GroupVoicemail {
    pub(super) fn check(&self, wrong: &mut Wrong) {
        wrong.number(&self.number, "/number");
        wrong.name(&self.name, "/name");
        wrong.members(&self.members);
        wrong.mailbox(&self.mailbox, "/mailbox");
    }
}
