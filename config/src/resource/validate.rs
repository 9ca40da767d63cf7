//! What makes a resource valid by itself. Rules between resources are the provisioning's.

mod console;
mod contact;
mod flow;
mod hours;
mod letter;
mod queue;
mod wallboard;

use super::{
    ApiToken, Destination, Extension, InboundRoute, OutboundRoute, Resource, Role, Settings, Trunk,
    TrunkMode, User,
};

/// Pause reasons at most.
const MAX_PAUSE_REASONS: usize = 20;
/// Most tags of notes.
const MAX_CALL_TAGS: usize = 100;
/// Longest time that can be set, in seconds (the public product's limit).
const MAX_SECS: u32 = 9_999_999;
/// Longest feature code.
const MAX_CODE: usize = 7;
/// Longest number that is dialled or shown.
const MAX_DIALLED: usize = 32;

/// A field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer to the field (RFC 6901).
    pub pointer: String,
    /// Stable code.
    pub code: &'static str,
    /// For people.
    pub detail: String,
}

/// Collects what is wrong.
#[derive(Default)]
pub(super) struct Wrong(Vec<FieldError>);

impl Wrong {
    pub(super) fn unless(&mut self, right: bool, pointer: &str, code: &'static str, detail: &str) {
        if !right {
            let (pointer, detail) = (pointer.to_owned(), detail.to_owned());
            self.0.push(FieldError { pointer, code, detail });
        }
    }

    pub(super) fn number(&mut self, number: &str, pointer: &str) {
        let right = (1..=15).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        self.unless(right, pointer, "not-a-number", "1 to 15 digits");
    }

    pub(super) fn name(&mut self, name: &str, pointer: &str) {
        let right = (1..=63).contains(&name.chars().count()) && !name.chars().any(char::is_control);
        self.unless(right, pointer, "bad-name", "1 to 63 characters");
    }

    /// Text for people without control characters.
    pub(super) fn text(&mut self, text: &str, least: usize, most: usize, pointer: &str) {
        let count = text.chars().count();
        let plain = !text.chars().any(|c| c.is_control() && c != '\n');
        let right = plain && (least..=most).contains(&count);
        self.unless(right, pointer, "bad-text", &format!("{least} to {most} characters"));
    }

    pub(super) fn key(&mut self, name: &str, pointer: &str) {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let right = (1..=63).contains(&name.len()) && name.chars().all(plain);
        self.unless(right, pointer, "bad-name", "1 to 63 letters, digits, - and _");
    }

    /// A number as it is dialled.
    pub(super) fn dialled(&mut self, number: &str, pointer: &str) {
        let digits = number.bytes().all(|b| b.is_ascii_digit() || b"+*#".contains(&b));
        let right = digits && (1..=MAX_DIALLED).contains(&number.len());
        self.unless(right, pointer, "not-a-number", "1 to 32 digits, +, * and #");
    }

    /// What a called party is shown; it becomes the user of a SIP URI. Empty: none.
    pub(super) fn caller_id(&mut self, id: &str, pointer: &str) {
        let right = id.len() <= MAX_DIALLED && id.bytes().all(|b| b.is_ascii_graphic());
        self.unless(right, pointer, "bad-caller-id", "at most 32 visible ASCII characters");
    }

    fn host(&mut self, host: &str, pointer: &str) {
        let right = (1..=253).contains(&host.len())
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._[]:".contains(&b));
        self.unless(right, pointer, "bad-host", "a host name or an IP address");
    }

    /// Part of digest credentials.
    fn credential(&mut self, text: &str, pointer: &str) {
        let right = (1..=128).contains(&text.len()) && !text.chars().any(char::is_control);
        self.unless(right, pointer, "bad-credential", "1 to 128 characters");
    }

    /// The name of a file in the library, which it can not leave.
    pub(super) fn prompt(&mut self, name: &str, pointer: &str) {
        let plain = |c: char| c.is_alphanumeric() || "-_. ".contains(c);
        let part = |part: &str| !["", ".", ".."].contains(&part) && part.chars().all(plain);
        let right = name.len() <= 128 && name.split('/').all(part);
        self.unless(right, pointer, "bad-prompt", "a name in the library such as music/default");
    }

    pub(super) fn prompt_if_any(&mut self, name: &str, pointer: &str) {
        if !name.is_empty() {
            self.prompt(name, pointer);
        }
    }

    fn destination(&mut self, destination: &Destination, pointer: &str) {
        match destination {
            Destination::EndCall => {}
            Destination::Extension { number }
            | Destination::Queue { number }
            | Destination::ExtVm { number }
            | Destination::GroupVm { number }
            | Destination::Ivr { number }
            | Destination::CallFlow { number }
            | Destination::RingGroup { number } => {
                self.number(number, &format!("{pointer}/number"));
            }
            Destination::ExternalNum { number } => {
                self.dialled(number, &format!("{pointer}/number"));
            }
            Destination::PlayGreeting { prompt, times } => {
                self.prompt(prompt, &format!("{pointer}/prompt"));
                let right = (1..=5).contains(times);
                self.unless(right, &format!("{pointer}/times"), "out-of-range", "1 to 5");
            }
        }
    }

    fn codecs(&mut self, codecs: &[String]) {
        let known = |name: &String| ["pcmu", "pcma", "g722", "opus"].contains(&name.as_str());
        self.unless(!codecs.is_empty(), "/codecs", "empty", "at least one codec");
        for (index, codec) in codecs.iter().enumerate() {
            let pointer = format!("/codecs/{index}");
            self.unless(known(codec), &pointer, "unknown-codec", "pcmu, pcma, g722 or opus");
        }
    }

    /// A language of the system's prompts.
    fn language(&mut self, language: &str, pointer: &str) {
        let known = ["en", "zh-hant", "zh-hans"].contains(&language);
        self.unless(known, pointer, "unknown-language", "en, zh-hant or zh-hans");
    }

    pub(super) fn secs(&mut self, secs: u32, least: u32, pointer: &str) {
        let right = (least..=MAX_SECS).contains(&secs);
        self.unless(right, pointer, "out-of-range", &format!("{least} to {MAX_SECS} seconds"));
    }
}

impl Resource {
    /// Everything that is wrong with it, by field.
    #[must_use]
    pub fn validate(&self) -> Vec<FieldError> {
        let mut wrong = Wrong::default();
        match self {
            Self::Extension(extension) => extension.check(&mut wrong),
            Self::Trunk(trunk) => trunk.check(&mut wrong),
            Self::InboundRoute(route) => route.check(&mut wrong),
            Self::OutboundRoute(route) => route.check(&mut wrong),
            Self::Queue(queue) => queue.check(&mut wrong),
            Self::User(user) => user.check(&mut wrong),
            Self::ApiToken(token) => token.check(&mut wrong),
            Self::Settings(settings) => settings.check(&mut wrong),
            Self::RingGroup(group) => group.check(&mut wrong),
            Self::Ivr(ivr) => ivr.check(&mut wrong),
            Self::CallFlow(flow) => flow.check(&mut wrong),
            Self::GroupVoicemail(voicemail) => voicemail.check(&mut wrong),
            Self::OutboundCode(code) => code.check(&mut wrong),
            Self::ChannelCategory(category) => category.check(&mut wrong),
            Self::TimeProfile(profile) => profile.check(&mut wrong),
            Self::Wallboard(wallboard) => wallboard.check(&mut wrong),
            Self::Contact(contact) => contact.check(&mut wrong),
            Self::Console(console) => console.check(&mut wrong),
        }
        wrong.0
    }
}

impl Extension {
    fn check(&self, wrong: &mut Wrong) {
        wrong.number(&self.number, "/number");
        let shown = self.name.chars().count() <= 63 && !self.name.chars().any(char::is_control);
        wrong.unless(shown, "/name", "bad-name", "at most 63 characters");
        wrong.caller_id(&self.outbound_caller_id, "/outbound_caller_id");
        let long = (8..=128).contains(&self.password.len());
        wrong.unless(long, "/password", "weak-password", "8 to 128 characters");
        let contacts = (1..=10).contains(&self.max_contacts);
        wrong.unless(contacts, "/max_contacts", "out-of-range", "1 to 10");
        wrong.codecs(&self.codecs);
        wrong.secs(self.ring_timeout_secs, 1, "/ring_timeout_secs");
        wrong.mailbox(&self.voicemail.mailbox, "/voicemail/mailbox");
        if !self.email.is_empty() {
            wrong.address(&self.email, "/email");
        }
    }
}

impl Trunk {
    fn check(&self, wrong: &mut Wrong) {
        wrong.key(&self.name, "/name");
        wrong.host(&self.host, "/host");
        for (index, host) in self.accept_from.iter().enumerate() {
            wrong.host(host, &format!("/accept_from/{index}"));
        }
        let signs_in = self.mode == TrunkMode::Peer || self.auth.is_some();
        wrong.unless(signs_in, "/auth", "required", "register mode needs a user and a password");
        if let Some(auth) = &self.auth {
            wrong.credential(&auth.username, "/auth/username");
            wrong.credential(&auth.password, "/auth/password");
        }
        wrong.secs(self.options_interval_secs, 0, "/options_interval_secs");
        wrong.caller_id(&self.caller_id, "/caller_id");
        wrong.codecs(&self.codecs);
    }
}

impl InboundRoute {
    fn check(&self, wrong: &mut Wrong) {
        wrong.name(&self.name, "/name");
        wrong.destination(&self.destination, "/destination");
    }
}

impl OutboundRoute {
    fn check(&self, wrong: &mut Wrong) {
        wrong.name(&self.name, "/name");
        wrong.caller_id(&self.caller_id, "/caller_id");
        wrong.unless(!self.rules.is_empty(), "/rules", "empty", "at least one rule");
        wrong.unless(!self.trunks.is_empty(), "/trunks", "empty", "at least one trunk");
        for (index, rule) in self.rules.iter().enumerate() {
            let digits = rule.prepend.len() <= MAX_DIALLED
                && rule.prepend.bytes().all(|b| b.is_ascii_digit() || b"+*#".contains(&b));
            let pointer = format!("/rules/{index}/prepend");
            wrong.unless(digits, &pointer, "not-a-number", "digits, +, * and #");
            if !rule.prefix.is_empty() {
                wrong.dialled(&rule.prefix, &format!("/rules/{index}/prefix"));
            }
        }
        for trunk in self.weights.keys() {
            let known = self.trunks.contains(trunk);
            wrong.unless(known, "/weights", "unknown-reference", "a trunk of the route");
        }
    }
}

impl User {
    fn check(&self, wrong: &mut Wrong) {
        wrong.key(&self.name, "/name");
        let owned = self.role != Role::Agent || self.extension.is_some();
        wrong.unless(owned, "/extension", "required", "an agent has an extension");
        let person = self.role != Role::Wallboard;
        wrong.unless(person, "/role", "not-a-person", "a wall screen has a token");
    }
}

impl ApiToken {
    fn check(&self, wrong: &mut Wrong) {
        wrong.key(&self.id, "/id");
        wrong.name(&self.name, "/name");
        let owned = self.role != Role::Agent || self.extension.is_some();
        wrong.unless(owned, "/extension", "required", "an agent's token has an extension");
    }
}

impl Settings {
    fn check(&self, wrong: &mut Wrong) {
        self.check_reasons(wrong);
        self.check_tags(wrong);
        let range = self.queue_numbers;
        let right = range.first <= range.last && range.last - range.first < 10_000;
        wrong.unless(right, "/queue_numbers", "out-of-range", "first to last, at most 10000");
        let hours = u32::from(self.result_sync.within_hours);
        wrong.between(hours, 1, 24, "/result_sync/within_hours");
        self.contact_match.check(wrong);
        letter::check_all(&self.letters, wrong);
        wrong.language(&self.language, "/language");
        wrong.prompt(&self.hold_music, "/hold_music");
        self.outbound.check(wrong);
        self.callback.check(wrong);
        let slots = &self.parking;
        let right = slots.first > 0 && slots.first <= slots.last;
        wrong.unless(right, "/parking/last", "bad-range", "not below the first slot");
        let right = (5..=3_600).contains(&slots.timeout_secs);
        wrong.unless(right, "/parking/timeout_secs", "out-of-range", "5 to 3600 seconds");
        let codes = self.codes();
        for (index, (pointer, code)) in codes.iter().enumerate() {
            let dialled = code.bytes().all(|b| b.is_ascii_digit() || b"*#".contains(&b));
            let right = dialled && code.len() <= MAX_CODE;
            wrong.unless(right, pointer, "bad-code", "at most 7 digits, * and #; empty: off");
            let again = codes[..index].iter().find(|(_, other)| other == code);
            // no dial string may be ambiguous.
            wrong.unless(
                again.is_none() || code.is_empty(),
                pointer,
                "ambiguous",
                "two codes are the same",
            );
        }
    }

    /// What is dialled for the settings' own sake, by pointer.
    fn codes(&self) -> [(&'static str, &str); 10] {
        [
            ("/code_queue_login", &self.code_queue_login),
            ("/code_queue_pause", &self.code_queue_pause),
            ("/code_login_all", &self.code_login_all),
            ("/code_login_last", &self.code_login_last),
            ("/code_logout_all", &self.code_logout_all),
            ("/code_voicemail", &self.code_voicemail),
            ("/code_leave_message", &self.code_leave_message),
            ("/test_numbers/echo", &self.test_numbers.echo),
            ("/test_numbers/tone", &self.test_numbers.tone),
            ("/test_numbers/music", &self.test_numbers.music),
        ]
    }

    fn check_tags(&self, wrong: &mut Wrong) {
        let few = self.call_tags.len() <= MAX_CALL_TAGS;
        wrong.unless(few, "/call_tags", "too-many", "at most 100 tags");
        for (id, name) in &self.call_tags {
            let pointer = format!("/call_tags/{}", id.replace('~', "~0").replace('/', "~1"));
            wrong.key(id, &pointer);
            wrong.name(name, &pointer);
        }
    }

    fn check_reasons(&self, wrong: &mut Wrong) {
        let few = self.pause_reasons.len() <= MAX_PAUSE_REASONS;
        wrong.unless(few, "/pause_reasons", "too-many", "at most 20 pause reasons (Q-196)");
        for (code, name) in &self.pause_reasons {
            let right = code.len() <= MAX_CODE
                && code.strip_prefix('*').is_some_and(|digits| {
                    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
                });
            let pointer = format!("/pause_reasons/{}", code.replace('~', "~0").replace('/', "~1"));
            wrong.unless(right, &pointer, "bad-code", "a code is * and 1 to 6 digits");
            wrong.name(name, &pointer);
        }
    }
}
