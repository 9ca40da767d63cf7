//! Leaving a message: the greeting, a beep, the recording, and a word when it is kept.

use std::time::Duration;

use tandem_config::resource::MailboxOptions;

use super::{Act, Clip, Cue, Saved};

/// The beep: hertz and milliseconds.
const BEEP: Clip = Clip::Tone(850, 400);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The greeting, or the beep after a key, is played.
    Greeting,
    Recording,
    Saving,
    /// The last word.
    Leaving,
}

/// A caller who leaves a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leave {
    pub(super) mailbox: String,
    greeting: String,
    limit: Duration,
    is_full: bool,
    stage: Stage,
}

impl Leave {
    /// A caller who reaches a mailbox.
    #[must_use]
    pub fn new(mailbox: String, options: &MailboxOptions, is_full: bool) -> Self {
        let greeting = match options.greeting.as_str() {
            "" => "vm-greeting",
            own => own,
        };
        Self {
            mailbox,
            greeting: greeting.to_owned(),
            limit: Duration::from_secs(u64::from(options.max_message_secs)),
            is_full,
            stage: Stage::Greeting,
        }
    }

    pub(super) fn cue(&mut self, cue: &Cue) -> Vec<Act> {
        match (self.stage, cue) {
            (Stage::Greeting, Cue::Begin) if self.is_full => {
                self.leave("the mailbox is full", "vm-full")
            }
            (Stage::Greeting, Cue::Begin) => {
                let note = Act::Note("greeted".to_owned());
                vec![note, Act::Play(vec![Clip::File(self.greeting.clone()), BEEP])]
            }
            (Stage::Greeting, Cue::Digit(_)) => vec![Act::Play(vec![BEEP])],
            (Stage::Greeting, Cue::Played) => {
                self.stage = Stage::Recording;
                let mailbox = self.mailbox.clone();
                vec![Act::Silence, Act::Record { mailbox }, Act::Wait(self.limit)]
            }
            (Stage::Recording, Cue::Digit('#') | Cue::TimedOut) => {
                self.stage = Stage::Saving;
                vec![Act::EndRecording]
            }
            (Stage::Saving, Cue::Saved(saved)) => match saved {
                Saved::Kept => self.leave("the message is kept", "vm-saved"),
                Saved::TooShort => self.leave("nothing was said", "vm-too-short"),
                Saved::Failed => self.leave("the message could not be kept", "error"),
            },
            (Stage::Leaving, Cue::Played) => vec![Act::HangUp],
            _ => Vec::new(),
        }
    }

    fn leave(&mut self, note: &str, prompt: &str) -> Vec<Act> {
        self.stage = Stage::Leaving;
        vec![Act::Note(note.to_owned()), Act::Play(vec![Clip::file(prompt)])]
    }
}
