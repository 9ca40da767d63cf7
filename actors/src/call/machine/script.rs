//! A script that runs on the caller's leg: its acts become effects, what happens becomes cues.

use tandem_config::resource::Destination;
use tandem_kernel::Timestamp;

use super::Stage;
use super::effect::{Effect, HangUp, Sound};
use super::facts::Facts;
use super::picture::Scene;
use super::types::{Input, LegEvent, LegIndex, Player, TimerId};
use crate::call::event::CallEvent;
use crate::flow::{Act, Cue, Script};

/// A caller in a script.
#[derive(Debug)]
pub(super) struct Running {
    leg: LegIndex,
    script: Script,
    player: Option<Player>,
    timer: Option<TimerId>,
    /// The caller is being recorded.
    is_recording: bool,
    /// The caller was recorded once.
    has_recorded: bool,
}

impl Running {
    pub(super) fn begin(
        facts: &mut Facts,
        now: Timestamp,
        leg: LegIndex,
        script: Script,
        out: &mut Vec<Effect>,
    ) -> Stage {
        facts.answer(now, leg, out);
        let running = Self {
            leg,
            script,
            player: None,
            timer: None,
            is_recording: false,
            has_recorded: false,
        };
        running.cue(facts, now, Cue::Begin, out)
    }

    pub(super) fn input(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        input: Input,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let cue = match input {
            Input::Played(player) if self.player == Some(player) => {
                self.player = None;
                Cue::Played
            }
            Input::Timer(timer) if self.timer == Some(timer) => {
                self.timer = None;
                Cue::TimedOut
            }
            Input::Digit(leg, digit) if leg == self.leg => Cue::Digit(digit),
            Input::Cue(cue) => cue,
            // What belongs to a prompt or a pause that is over.
            _ => return Stage::Scripted(self),
        };
        self.cue(facts, now, cue, out)
    }

    pub(super) fn leg(
        self,
        facts: &mut Facts,
        now: Timestamp,
        leg: LegIndex,
        event: &LegEvent,
        out: &mut Vec<Effect>,
    ) -> Stage {
        match event {
            LegEvent::Dtmf(digit) if leg == self.leg => {
                self.cue(facts, now, Cue::Digit(*digit), out)
            }
            LegEvent::Ended(_) if leg == self.leg => {
                if self.is_recording {
                    out.push(Effect::EndRecording(leg));
                }
                self.conclude(facts, "hung up by the caller");
                Stage::Over
            }
            _ => Stage::Scripted(self),
        }
    }

    /// Where the caller would begin anew. One who types a PIN, or says what a talk was like, does
    /// not.
    pub(super) fn scene(&self, facts: &Facts) -> Option<Scene> {
        let number = self.script.key().to_owned();
        let to = match &self.script {
            Script::Menu(_) => Destination::Ivr { number },
            Script::Steps(_) => Destination::CallFlow { number },
            Script::Leave(_) => facts.sent_to.clone()?,
            Script::Listen(_) | Script::Survey(_) => return None,
        };
        Some(Scene::Sent { caller: self.leg, to })
    }

    /// Ended by command: what was said so far is kept.
    pub(super) fn abort(&self, out: &mut Vec<Effect>) {
        if self.is_recording {
            out.push(Effect::EndRecording(self.leg));
        }
    }

    fn conclude(&self, facts: &mut Facts, why: &str) {
        let outcome = if self.has_recorded { "voicemail" } else { "completed" };
        facts.outcome_if_none(outcome, why);
    }

    fn cue(mut self, facts: &mut Facts, now: Timestamp, cue: Cue, out: &mut Vec<Effect>) -> Stage {
        if matches!(cue, Cue::Digit(_)) {
            // Somebody who presses keys does not go in a circle by mistake.
            facts.forget_hops();
        }
        for act in self.script.cue(cue) {
            match act {
                Act::Go(destination) => return facts.send_on(self.leg, destination, out),
                Act::HangUp => {
                    self.conclude(facts, "the script ended");
                    facts.hang_up(self.leg, HangUp::NORMAL, out);
                    return Stage::Over;
                }
                act => self.act(facts, now, act, out),
            }
        }
        Stage::Scripted(self)
    }

    fn act(&mut self, facts: &mut Facts, now: Timestamp, act: Act, out: &mut Vec<Effect>) {
        match act {
            Act::Play(clips) => {
                self.timer = None;
                self.player = Some(facts.let_hear(self.leg, Sound::Clips(clips), out));
            }
            Act::Silence => {
                self.player = None;
                facts.hear(self.leg, Vec::new(), out);
            }
            Act::Wait(span) => {
                let timer = facts.fresh_timer();
                self.timer = Some(timer);
                out.push(Effect::Arm(timer, span));
            }
            Act::LookUp(digits) => out.push(Effect::LookUp(digits)),
            Act::Record { mailbox } => {
                self.is_recording = true;
                self.has_recorded = true;
                out.push(Effect::RecordMessage { leg: self.leg, mailbox });
            }
            Act::EndRecording => {
                self.timer = None;
                self.is_recording = false;
                out.push(Effect::EndRecording(self.leg));
            }
            Act::Change { mailbox, id, change } => {
                out.push(Effect::ChangeMessage { mailbox, id, change });
            }
            Act::Rate { queue, agent, key, score } => {
                out.push(Effect::Record(CallEvent::Rated { at: now, queue, agent, key, score }));
            }
            Act::Note(detail) => {
                let (kind, key) = (self.script.kind(), self.script.key().to_owned());
                facts.note_step(now, kind, &key, detail, out);
            }
            Act::Go(_) | Act::HangUp => {}
        }
    }
}
