//! A mailbox by phone: the PIN, the messages one by one, and what is done with them.
//!
//! Keys: 4 the one before, 5 again, 6 the next, 7 delete, `*` to end.

use std::fmt;
use std::time::Duration;

use super::{Act, Clip, Cue, MessageChange};

/// How long a caller may think.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a PIN may be tried in one call.
const PIN_TRIES: u8 = 3;
/// How often the keys are told to somebody who presses none.
const ASKED: u8 = 3;

/// What opens a mailbox; it is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(pub String);

impl fmt::Debug for Pin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("…")
    }
}

/// A message as a listener knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// Nobody has heard it yet.
    pub is_new: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Pin,
    /// A message, or what comes before it, is played.
    Playing,
    /// The keys are told, or a key is waited for.
    Asking,
    Deleting,
    Leaving,
}

/// Somebody who listens to a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    pub(super) mailbox: String,
    pin: Pin,
    /// Oldest first, new ones before those that were heard.
    messages: Vec<Message>,
    at: usize,
    typed: Pin,
    tries: u8,
    asked: u8,
    stage: Stage,
}

impl Listen {
    /// Somebody who opens a mailbox.
    #[must_use]
    pub fn new(mailbox: String, pin: Pin, mut messages: Vec<Message>) -> Self {
        messages.sort_by_key(|message| !message.is_new);
        Self {
            mailbox,
            pin,
            messages,
            at: 0,
            typed: Pin(String::new()),
            tries: PIN_TRIES,
            asked: 0,
            stage: Stage::Pin,
        }
    }

    pub(super) fn cue(&mut self, cue: Cue) -> Vec<Act> {
        match (self.stage, cue) {
            (Stage::Pin, Cue::Begin) => vec![play("vm-password")],
            (Stage::Pin, Cue::Played) => vec![Act::Wait(PATIENCE)],
            (Stage::Pin, Cue::Digit('#') | Cue::TimedOut) => self.check(),
            (Stage::Pin, Cue::Digit(digit)) => {
                self.typed.0.push(digit);
                vec![Act::Silence, Act::Wait(PATIENCE)]
            }
            (Stage::Playing, Cue::Played) => self.heard(),
            (Stage::Playing | Stage::Asking, Cue::Digit(key)) => self.key(key),
            (Stage::Asking, Cue::Played) => vec![Act::Wait(PATIENCE)],
            (Stage::Asking, Cue::TimedOut) => self.ask(),
            (Stage::Deleting, Cue::Changed(true)) => self.deleted(),
            (Stage::Deleting, Cue::Changed(false)) => self.leave("not deleted", "error"),
            (Stage::Leaving, Cue::Played) => vec![Act::HangUp],
            _ => Vec::new(),
        }
    }

    fn check(&mut self) -> Vec<Act> {
        let typed = std::mem::replace(&mut self.typed, Pin(String::new()));
        if typed == self.pin && !self.pin.0.is_empty() {
            return self.open();
        }
        self.tries -= 1;
        if self.tries == 0 {
            return self.leave("wrong PIN", "goodbye");
        }
        vec![Act::Play(vec![Clip::file("vm-wrong-pin"), Clip::file("vm-password")])]
    }

    fn open(&mut self) -> Vec<Act> {
        let fresh = self.messages.iter().filter(|message| message.is_new).count();
        let all = self.messages.len();
        let note = Act::Note(format!("opened: {fresh} of {all} messages are new"));
        if all == 0 {
            return vec![note].into_iter().chain(self.leave("empty", "vm-no-messages")).collect();
        }
        let fresh = u32::try_from(fresh).unwrap_or(u32::MAX);
        let told = [Clip::file("vm-new-messages"), Clip::Digits(fresh)];
        vec![note].into_iter().chain(self.play(&told)).collect()
    }

    fn play(&mut self, before: &[Clip]) -> Vec<Act> {
        let Some(message) = self.messages.get(self.at) else {
            return self.leave("no more messages", "vm-no-more-messages");
        };
        self.stage = Stage::Playing;
        self.asked = 0;
        let sound = Clip::Message { mailbox: self.mailbox.clone(), id: message.id.clone() };
        vec![Act::Play(before.iter().cloned().chain([sound]).collect())]
    }

    /// A message that was played to its end is not new any more.
    fn heard(&mut self) -> Vec<Act> {
        let mut acts = Vec::new();
        if let Some(message) = self.messages.get_mut(self.at)
            && std::mem::replace(&mut message.is_new, false)
        {
            acts.push(change(&self.mailbox, &message.id, MessageChange::Heard));
            acts.push(Act::Note(format!("message {} heard", message.id)));
        }
        acts.extend(self.ask());
        acts
    }

    fn ask(&mut self) -> Vec<Act> {
        self.stage = Stage::Asking;
        self.asked += 1;
        if self.asked > ASKED {
            return self.leave("nothing was pressed", "goodbye");
        }
        vec![play("vm-keys")]
    }

    fn key(&mut self, key: char) -> Vec<Act> {
        match key {
            '4' => {
                self.at = self.at.saturating_sub(1);
                self.play(&[])
            }
            '5' => self.play(&[]),
            '6' => {
                self.at += 1;
                self.play(&[])
            }
            '7' => self.delete(),
            '*' => self.leave("ended by the listener", "goodbye"),
            _ => self.ask(),
        }
    }

    fn delete(&mut self) -> Vec<Act> {
        let Some(message) = self.messages.get(self.at) else { return Vec::new() };
        self.stage = Stage::Deleting;
        vec![Act::Silence, change(&self.mailbox, &message.id, MessageChange::Deleted)]
    }

    fn deleted(&mut self) -> Vec<Act> {
        let gone = self.messages.remove(self.at);
        let note = Act::Note(format!("message {} deleted", gone.id));
        let next = self.play(&[Clip::file("vm-deleted")]);
        vec![note].into_iter().chain(next).collect()
    }

    fn leave(&mut self, note: &str, prompt: &str) -> Vec<Act> {
        self.stage = Stage::Leaving;
        vec![Act::Note(note.to_owned()), play(prompt)]
    }
}

fn play(prompt: &str) -> Act {
    Act::Play(vec![Clip::file(prompt)])
}

fn change(mailbox: &str, id: &str, change: MessageChange) -> Act {
    Act::Change { mailbox: mailbox.to_owned(), id: id.to_owned(), change }
}
