//! Lines of a route, one after the other, and a phone that points elsewhere.

use std::time::Duration;

use tandem_kernel::Timestamp;

use super::super::Stage;
use super::super::effect::{Dialled, Effect};
use super::super::facts::Facts;
use super::super::purpose::Purpose;
use super::super::types::{LegEnd, LegIndex, Line};
use super::HangUp;
use super::Hunt;
use crate::call::event::CallEvent;
use crate::outbound::cause;

/// How long one line of a route may stay without an answer.
const LINE_RINGS_FOR: Duration = Duration::from_secs(120);

/// How long a line may stay without any answer, not even 100, before the next one is tried:
/// the transaction's own 32 s (timer B) are longer than callers wait.
const LINE_ANSWERS_WITHIN: Duration = Duration::from_secs(4);

impl Hunt {
    /// Tries lines one after the other.
    pub(in crate::call::machine) fn lines(
        facts: &mut Facts,
        now: Timestamp,
        waiting: LegIndex,
        lines: Vec<Line>,
        purpose: Purpose,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let mut hunt = Self::new(Some(waiting), facts.party(waiting), purpose);
        hunt.lines = lines.into();
        hunt.next_line(facts, now, out)
    }

    pub(super) fn next_line(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let Some(line) = self.lines.pop_front() else { return self.failed(facts, now, out) };
        let party = line.party();
        self.line = Some(line.clone());
        self.has_rung = false;
        self.dial(facts, now, party, Dialled::Line(line), LINE_RINGS_FOR, out);
        let timer = facts.fresh_timer();
        self.silence = Some(timer);
        out.push(Effect::Arm(timer, LINE_ANSWERS_WITHIN));
        Stage::Hunting(self)
    }

    /// The customer's side was reached (C-012), once a line.
    pub(super) fn note_ringing(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(line) = self.line.as_ref().filter(|_| !self.has_rung) else { return };
        out.push(Effect::Record(CallEvent::LineRang {
            at: now,
            trunk: line.trunk.clone(),
            number: line.number.clone(),
            caller_id: line.caller_id.clone(),
        }));
        self.has_rung = true;
    }

    /// What a line said, in words for people.
    pub(super) fn note_failure(&mut self, now: Timestamp, end: &LegEnd, out: &mut Vec<Effect>) {
        let Some(line) = self.line.take() else { return };
        let status = end.status.unwrap_or(480);
        out.push(Effect::Record(CallEvent::LineFailed {
            at: now,
            trunk: line.trunk,
            status,
            meaning: cause::meaning(status).to_owned(),
            why: end.why.clone(),
        }));
    }

    pub(super) fn line_is_silent(
        self,
        facts: &mut Facts,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let silent = |leg: &&LegIndex| facts.legs.get(leg).is_some_and(|leg| !leg.heard);
        let Some(leg) = self.ringing.iter().find(silent).copied() else {
            return Stage::Hunting(self);
        };
        facts.hang_up(leg, HangUp::NORMAL, out);
        let end =
            LegEnd { status: Some(503), by_party: false, why: "the line does not answer".into() };
        self.lost(facts, now, leg, end, out)
    }

    /// A phone of the extension that was dialled points elsewhere: the caller goes there when no
    /// other one rings any more. Of a group, and of an agent, nothing is handed on by a phone.
    pub(super) fn forwarded(&mut self, facts: &Facts, leg: LegIndex, to: String) {
        let by = facts.party(leg);
        if !to.is_empty() && !self.is_for_group {
            self.forward.get_or_insert(Box::new((to, by)));
        }
    }
}
