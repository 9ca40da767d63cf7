//! What a waiting caller hears: the join announcement, then the waiting audio with the queue's
//! announcement in between. An answer ends all of it.

use super::effect::{Effect, Sound};
use super::facts::Facts;
use super::types::{Announcements, Input, LegIndex, Player, TimerId};

/// The voice of a queue in the ear of one caller.
#[derive(Debug)]
pub(super) struct Voice {
    caller: LegIndex,
    queue: String,
    /// None until the queue has taken the caller in.
    words: Option<Announcements>,
    /// The prompt that is being played.
    speaks: Option<Player>,
    /// The next announcement.
    next: Option<TimerId>,
    greeted: bool,
}

impl Voice {
    /// The waiting audio, until the queue has more to say.
    pub(super) fn begin(
        facts: &mut Facts,
        caller: LegIndex,
        queue: String,
        out: &mut Vec<Effect>,
    ) -> Self {
        facts.let_hear(caller, Sound::Waiting { queue: queue.clone() }, out);
        Self { caller, queue, words: None, speaks: None, next: None, greeted: false }
    }

    /// True once: when the caller has heard the join announcement, or there is none.
    pub(super) fn input(&mut self, facts: &mut Facts, input: Input, out: &mut Vec<Effect>) -> bool {
        match input {
            Input::Announce(words) => return self.announce(facts, words, out),
            Input::Played(player) if self.speaks == Some(player) => {
                self.speaks = None;
                facts.let_hear(self.caller, Sound::Waiting { queue: self.queue.clone() }, out);
                return self.listen(facts, out);
            }
            Input::Timer(timer) if self.next == Some(timer) => {
                self.next = None;
                let periodic = self.words.as_ref().and_then(|words| words.periodic.as_ref());
                if let Some((file, _)) = periodic {
                    self.say(facts, file.clone(), out);
                }
            }
            // The end of a sound or a pause that is over.
            _ => {}
        }
        false
    }

    /// The first words begin; later ones count from the next announcement on.
    fn announce(&mut self, facts: &mut Facts, words: Announcements, out: &mut Vec<Effect>) -> bool {
        let join = words.join.clone();
        if self.words.replace(words).is_some() {
            return false;
        }
        match join {
            Some(file) => {
                self.say(facts, file, out);
                false
            }
            None => self.listen(facts, out),
        }
    }

    fn say(&mut self, facts: &mut Facts, file: String, out: &mut Vec<Effect>) {
        self.speaks = Some(facts.let_hear(self.caller, Sound::Prompt { file }, out));
    }

    /// The waiting audio is heard until the next announcement.
    fn listen(&mut self, facts: &mut Facts, out: &mut Vec<Effect>) -> bool {
        let periodic = self.words.as_ref().and_then(|words| words.periodic.as_ref());
        if let Some((_, interval)) = periodic {
            let timer = facts.fresh_timer();
            self.next = Some(timer);
            out.push(Effect::Arm(timer, *interval));
        }
        !std::mem::replace(&mut self.greeted, true)
    }
}
