//! A waiting caller who asks to be called back: asked for the number, then let go.

use std::time::Duration;

use tandem_kernel::Timestamp;

use super::Stage;
use super::announce::Parting;
use super::effect::{Effect, HangUp, QueueAct, Sound};
use super::facts::Facts;
use super::queued::Passage;
use super::types::{Input, Player, TimerId};
use crate::flow::{Act, Cue, Register, Registered, Said};
use crate::queue::request::Word;
use crate::queue::{Exit, OfferEnd};

/// How long the queue may take to keep a request; then it is told again.
const KEPT_WITHIN: Duration = Duration::from_secs(2);
/// How often it is told.
const MAX_TELLS: u8 = 15;

/// How far a caller has come.
#[derive(Debug)]
pub(super) enum Registration {
    /// Is asked for the number.
    Asked { script: Register, player: Option<Player>, timer: Option<TimerId> },
    /// Waits until the request is kept.
    Keeping { number: String, timer: TimerId, tells: u8 },
}

impl Passage {
    /// The queue lets the caller register.
    pub(super) fn register(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Stage {
        if self.registration.is_none() {
            let script = Register::new(facts.party(self.caller).number());
            self.registration = Some(Registration::Asked { script, player: None, timer: None });
            return self.cue(facts, now, &Cue::Begin, out);
        }
        Stage::Queued(self)
    }

    /// What happens while the caller registers.
    pub(super) fn registering(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        input: Input,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let cue = match (&mut self.registration, input) {
            (Some(Registration::Asked { player, .. }), Input::Played(done))
                if *player == Some(done) =>
            {
                *player = None;
                Cue::Played
            }
            (Some(Registration::Asked { timer, .. }), Input::Timer(late))
                if *timer == Some(late) =>
            {
                *timer = None;
                Cue::TimedOut
            }
            (Some(Registration::Asked { .. }), Input::Digit(leg, digit)) if leg == self.caller => {
                Cue::Digit(digit)
            }
            (Some(Registration::Keeping { timer, .. }), Input::Timer(late)) if *timer == late => {
                return self.tell_again(facts, now, out);
            }
            // The queue begins again and does not know.
            (Some(Registration::Asked { .. }), Input::QueueJoined) => {
                self.tell(QueueAct::Callback(Word::Registering), out);
                return Stage::Queued(self);
            }
            (Some(Registration::Keeping { number, .. }), Input::QueueJoined) => {
                let word = Word::Registered(Some(number.clone()));
                self.tell(QueueAct::Callback(word), out);
                return Stage::Queued(self);
            }
            (_, Input::Offered { offer, .. }) => {
                self.tell(QueueAct::OfferEnded(offer, OfferEnd::Unreachable), out);
                self.tell(QueueAct::Callback(Word::Registering), out);
                return Stage::Queued(self);
            }
            // What belongs to the waiting: an announcement, its interval.
            _ => return Stage::Queued(self),
        };
        self.cue(facts, now, &cue, out)
    }

    fn cue(mut self, facts: &mut Facts, now: Timestamp, cue: &Cue, out: &mut Vec<Effect>) -> Stage {
        let Some(Registration::Asked { script, player, timer }) = &mut self.registration else {
            return Stage::Queued(self);
        };
        let acts = match script.cue(cue) {
            Said::Acts(acts) => acts,
            Said::Over(registered) => return self.registered(facts, now, registered, out),
        };
        for act in acts {
            match act {
                Act::Play(clips) => {
                    *timer = None;
                    *player = Some(facts.let_hear(self.caller, Sound::Clips(clips), out));
                }
                Act::Silence => {
                    *player = None;
                    facts.hear(self.caller, Vec::new(), out);
                }
                Act::Wait(span) => {
                    let fresh = facts.fresh_timer();
                    *timer = Some(fresh);
                    out.push(Effect::Arm(fresh, span));
                }
                // A caller who is asked for a number has nothing else.
                _ => {}
            }
        }
        Stage::Queued(self)
    }

    fn registered(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        registered: Registered,
        out: &mut Vec<Effect>,
    ) -> Stage {
        // Somebody who presses keys does not go in a circle by mistake.
        facts.forget_hops();
        match registered {
            Registered::Number(number) => {
                facts.hear(self.caller, Vec::new(), out);
                self.keep(facts, number, 1, out);
                Stage::Queued(self)
            }
            Registered::Nothing => {
                self.tell(QueueAct::Callback(Word::Registered(None)), out);
                self.part(facts, now, "invalid-number", out)
            }
            Registered::Cancelled => {
                self.registration = None;
                self.tell(QueueAct::Callback(Word::NotRegistered), out);
                if self.voice.resume(facts, now, out) {
                    self.tell(QueueAct::Greeted, out);
                }
                Stage::Queued(self)
            }
        }
    }

    fn keep(&mut self, facts: &mut Facts, number: String, tells: u8, out: &mut Vec<Effect>) {
        self.tell(QueueAct::Callback(Word::Registered(Some(number.clone()))), out);
        let timer = facts.fresh_timer();
        out.push(Effect::Arm(timer, KEPT_WITHIN));
        self.registration = Some(Registration::Keeping { number, timer, tells });
    }

    fn tell_again(mut self, facts: &mut Facts, now: Timestamp, out: &mut Vec<Effect>) -> Stage {
        match self.registration.take() {
            Some(Registration::Keeping { number, tells, .. }) if tells < MAX_TELLS => {
                self.keep(facts, number, tells + 1, out);
                Stage::Queued(self)
            }
            _ => self.part(facts, now, "call-cannot-be-completed", out),
        }
    }

    /// The request will outlive the node: the caller is told so and let go.
    pub(super) fn kept(self, facts: &mut Facts, now: Timestamp, out: &mut Vec<Effect>) -> Stage {
        if matches!(self.registration, Some(Registration::Keeping { .. })) {
            return self.part(facts, now, "callback-kept", out);
        }
        Stage::Queued(self)
    }

    fn part(self, facts: &mut Facts, now: Timestamp, prompt: &str, out: &mut Vec<Effect>) -> Stage {
        let exit = Exit::CallbackRequested;
        self.tell(QueueAct::CallerLeft(exit), out);
        self.record(facts, now, exit, None, out);
        facts.outcome_if_none(exit.as_str(), "asked to be called back");
        let file = prompt.to_owned();
        let player = facts.let_hear(self.caller, Sound::Prompt { file }, out);
        Stage::Parting(Parting { leg: self.caller, player, timer: None, how: HangUp::NORMAL })
    }
}
