//! A menu: the prompt, the keys, and extensions dialled by their numbers.

use std::time::Duration;

use tandem_config::resource::{Destination, Ivr};

use super::{Act, Clip, Cue, in_words};

/// A caller in a menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Menu {
    ivr: Ivr,
    /// How often the prompt may still be played.
    tries: u8,
    /// What was pressed since the prompt began.
    digits: String,
    /// The digits so far are an extension's number.
    is_extension: bool,
    /// The caller has said with `#` that no more digits come.
    is_whole: bool,
}

impl Menu {
    /// A caller who enters.
    #[must_use]
    pub fn new(ivr: Ivr) -> Self {
        let tries = ivr.max_tries;
        Self { ivr, tries, digits: String::new(), is_extension: false, is_whole: false }
    }

    pub(super) fn number(&self) -> &str {
        &self.ivr.number
    }

    pub(super) fn cue(&mut self, cue: Cue) -> Vec<Act> {
        match cue {
            Cue::Begin => {
                let mut acts = vec![Act::Note("entered".to_owned())];
                acts.extend(self.ask(None));
                acts
            }
            Cue::Played => vec![wait(self.ivr.timeout_secs)],
            Cue::Digit(digit) => self.pressed(digit),
            Cue::LookedUp { is_extension, is_open } => self.looked_up(is_extension, is_open),
            Cue::TimedOut if self.digits.is_empty() => self.nothing_pressed(),
            Cue::TimedOut => self.decide(),
            Cue::Saved(_) | Cue::Changed(_) => Vec::new(),
        }
    }

    fn ask(&mut self, before: Option<Clip>) -> Vec<Act> {
        self.tries = self.tries.saturating_sub(1);
        self.digits.clear();
        self.is_extension = false;
        self.is_whole = false;
        let prompt = Clip::File(self.ivr.prompt.clone());
        vec![Act::Play(before.into_iter().chain([prompt]).collect())]
    }

    fn pressed(&mut self, digit: char) -> Vec<Act> {
        if digit == '#' && !self.digits.is_empty() {
            self.is_whole = true;
        } else {
            self.digits.push(digit);
        }
        let mut acts = vec![Act::Silence];
        if self.is_whole || !self.ivr.dial_by_extension {
            acts.extend(self.decide());
        } else {
            acts.push(Act::LookUp(self.digits.clone()));
        }
        acts
    }

    fn looked_up(&mut self, is_extension: bool, is_open: bool) -> Vec<Act> {
        self.is_extension = is_extension;
        if is_open {
            return vec![wait(self.ivr.digit_timeout_secs)];
        }
        self.decide()
    }

    /// No more digits come: a key, an extension, or nothing that is known.
    fn decide(&mut self) -> Vec<Act> {
        let pressed = format!("pressed {}", self.digits);
        if let Some(destination) = self.ivr.keys.get(&self.digits) {
            return go(&pressed, destination.clone());
        }
        if self.is_extension {
            let number = self.digits.clone();
            return go(&pressed, Destination::Extension { number });
        }
        if self.tries == 0 {
            return go(&format!("{pressed}, which leads nowhere"), self.ivr.invalid.clone());
        }
        let invalid = match self.ivr.invalid_prompt.as_str() {
            "" => "invalid-number",
            own => own,
        };
        let invalid = Clip::file(invalid);
        let mut acts = vec![Act::Note(format!("{pressed}, which leads nowhere"))];
        acts.extend(self.ask(Some(invalid)));
        acts
    }

    fn nothing_pressed(&mut self) -> Vec<Act> {
        if self.tries == 0 {
            return go("nothing was pressed", self.ivr.timeout.clone());
        }
        self.ask(None)
    }
}

fn wait(secs: u32) -> Act {
    Act::Wait(Duration::from_secs(u64::from(secs)))
}

fn go(why: &str, destination: Destination) -> Vec<Act> {
    vec![Act::Note(format!("{why}: to {}", in_words(&destination))), Act::Go(destination)]
}
