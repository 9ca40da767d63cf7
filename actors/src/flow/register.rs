//! Asking a waiting caller for the number to call back.

use std::time::Duration;

use super::{Act, Clip, Cue};
use crate::queue::request::{LONGEST_NUMBER, is_callable};

/// How long the caller may think after a prompt, and between two digits.
const THINKS_FOR: Duration = Duration::from_secs(5);
/// How often a number may be given that can not be called.
const TRIES: u8 = 3;
/// How often nothing that means something may be pressed.
const SILENCES: u8 = 3;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The caller has confirmed this number.
    Number(String),
    /// The caller gave no number that can be called.
    Nothing,
    /// The caller would rather wait.
    Cancelled,
}

/// A step of the dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It goes on.
    Acts(Vec<Act>),
    /// It is over.
    Over(Registered),
}

/// A caller who is asked.
///
/// The number is read out: 1 takes it, 2 asks for another one, `*` goes back to waiting. Of
/// another number `#` is the end, and it is read out in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    own: String,
    /// What is read out, or was typed so far.
    number: String,
    is_typing: bool,
    tries: u8,
    silences: u8,
}

impl Register {
    /// A caller who called from this number; empty or a word: it is not shown.
    #[must_use]
    pub fn new(own: &str) -> Self {
        let is_known = is_callable(own, own);
        Self {
            own: own.to_owned(),
            number: if is_known { own.to_owned() } else { String::new() },
            is_typing: !is_known,
            tries: 0,
            silences: 0,
        }
    }

    /// Takes a cue and says what is to be done.
    pub fn cue(&mut self, cue: &Cue) -> Said {
        match cue {
            Cue::Begin => self.ask(),
            Cue::Played => Said::Acts(vec![Act::Wait(THINKS_FOR)]),
            Cue::TimedOut if self.is_typing && !self.number.is_empty() => self.typed(),
            Cue::TimedOut => self.nothing(),
            Cue::Digit('*') => Said::Over(Registered::Cancelled),
            Cue::Digit(digit) if self.is_typing => self.types(*digit),
            Cue::Digit('1') => Said::Over(Registered::Number(self.number.clone())),
            Cue::Digit('2') => self.ask_for_another(None),
            Cue::Digit(_) => self.nothing(),
            Cue::LookedUp { .. } | Cue::Saved(_) | Cue::Changed(_) => Said::Acts(Vec::new()),
        }
    }

    fn ask(&mut self) -> Said {
        if self.is_typing {
            return self.ask_for_another(None);
        }
        let digits = self.number.chars().filter(char::is_ascii_digit);
        let digits = digits.map(|digit| Clip::File(digit.to_string()));
        let clips = [Clip::file("callback-number")].into_iter().chain(digits);
        Said::Acts(vec![Act::Play(clips.chain([Clip::file("callback-confirm")]).collect())])
    }

    fn ask_for_another(&mut self, before: Option<Clip>) -> Said {
        self.is_typing = true;
        self.number.clear();
        let clips = before.into_iter().chain([Clip::file("callback-enter")]);
        Said::Acts(vec![Act::Play(clips.collect())])
    }

    fn types(&mut self, digit: char) -> Said {
        if digit == '#' {
            return self.typed();
        }
        if self.number.len() <= LONGEST_NUMBER && digit.is_ascii_digit() {
            self.number.push(digit);
        }
        Said::Acts(vec![Act::Silence, Act::Wait(THINKS_FOR)])
    }

    /// No more digits come.
    fn typed(&mut self) -> Said {
        if is_callable(&self.number, &self.own) {
            self.is_typing = false;
            return self.ask();
        }
        self.tries += 1;
        if self.tries >= TRIES {
            return Said::Over(Registered::Nothing);
        }
        self.ask_for_another(Some(Clip::file("invalid-number")))
    }

    fn nothing(&mut self) -> Said {
        self.silences += 1;
        if self.silences >= SILENCES {
            return Said::Over(Registered::Cancelled);
        }
        self.ask()
    }
}
