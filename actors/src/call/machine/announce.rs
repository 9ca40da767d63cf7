//! What a single leg is told: a prompt, a test, why its call goes nowhere.

use std::time::Duration;

use tandem_kernel::Timestamp;

use super::effect::{Effect, HangUp, Heard, Sound};
use super::facts::Facts;
use super::types::{Input, LegIndex, Player, TestNumber, TimerId};
use super::{Stage, q850};
use crate::flow::Clip;
use crate::outbound::Barred;

/// How long a phone hears that the other end was not reached (D-027).
const BUSY_FOR: Duration = Duration::from_secs(10);

/// The only leg is told why the call goes nowhere, and hung up then.
#[derive(Debug)]
pub(super) struct Parting {
    pub(super) leg: LegIndex,
    pub(super) player: Player,
    /// The end of a sound that has none of its own.
    pub(super) timer: Option<TimerId>,
    pub(super) how: HangUp,
}

impl Parting {
    pub(super) fn input(self, facts: &mut Facts, input: &Input, out: &mut Vec<Effect>) -> Stage {
        let is_over = match (self.timer, input) {
            (None, Input::Played(done)) => self.player == *done,
            (Some(timer), Input::Timer(late)) => timer == *late,
            _ => false,
        };
        if !is_over {
            return Stage::Parting(self);
        }
        facts.hang_up(self.leg, self.how, out);
        Stage::Over
    }
}

impl Facts {
    /// Tells a caller by a prompt why the call is not let out; before the answer as early media.
    pub(super) fn part(
        &mut self,
        now: Timestamp,
        leg: LegIndex,
        dialled: String,
        barred: &Barred,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let by = self.party(leg);
        self.barred(now, &by, dialled, barred, out);
        self.outcome_if_none("rejected", &barred.why);
        if !self.is_up(leg) {
            out.push(Effect::Progress(leg));
        }
        let file = barred.rule.prompt().to_owned();
        let player = self.let_hear(leg, Sound::Prompt { file }, out);
        let status = barred.rule.status();
        let how = HangUp { status, cause: q850(status), elsewhere: false };
        Stage::Parting(Parting { leg, player, timer: None, how })
    }

    /// Lets a phone that was rung first hear that the other end was not reached (D-027).
    pub(super) fn say_busy(&mut self, leg: LegIndex, how: HangUp, out: &mut Vec<Effect>) -> Stage {
        let player = self.let_hear(leg, Sound::Busy, out);
        let timer = self.fresh_timer();
        out.push(Effect::Arm(timer, BUSY_FOR));
        Stage::Parting(Parting { leg, player, timer: Some(timer), how })
    }

    pub(super) fn announce(
        &mut self,
        leg: LegIndex,
        file: String,
        times: u8,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let clips = vec![Clip::File(file); usize::from(times)];
        let player = self.let_hear(leg, Sound::Clips(clips), out);
        Stage::Playing { leg, player: Some(player) }
    }

    pub(super) fn test(
        &mut self,
        now: Timestamp,
        leg: LegIndex,
        test: TestNumber,
        out: &mut Vec<Effect>,
    ) -> Stage {
        self.answer(now, leg, out);
        let player = match test {
            TestNumber::Echo => {
                out.push(Effect::Hear(leg, vec![Heard::Leg(leg)]));
                None
            }
            TestNumber::Tone => Some(self.let_hear(leg, Sound::Tone(1000), out)),
            TestNumber::Music => Some(self.let_hear(leg, Sound::Music, out)),
        };
        Stage::Playing { leg, player }
    }
}
