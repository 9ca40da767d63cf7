//! Ringing one or several legs for one that waits: phones of an extension at once, lines of a
//! route one after the other.

mod lines;

use std::collections::VecDeque;
use std::time::Duration;

use tandem_config::resource::Destination;
use tandem_kernel::Timestamp;

use super::Stage;
use super::bridge::Bridge;
use super::effect::{Dialled, Effect, HangUp, Heard, Sound};
use super::facts::Facts;
use super::picture::Scene;
use super::purpose::Purpose;
use super::types::{Device, LegEnd, LegEvent, LegIndex, Line, Party, Redirect, TimerId};
use super::verdict::{is_final, outcome, verdict, weight};
use crate::callback::Outcome;
use crate::queue::request::CallbackFailure;

/// How many 3xx in a row are followed (RFC 3261 8.1.3.4 asks for a limit).
const MAX_REDIRECTS: u8 = 5;

/// Legs that ring, and what is left to try.
#[derive(Debug)]
pub(super) struct Hunt {
    pub(super) waiting: Option<LegIndex>,
    shown: Party,
    ringing: Vec<LegIndex>,
    lines: VecDeque<Line>,
    /// Phones that ring after those that ring now, round by round.
    rounds: VecDeque<Vec<Dialled>>,
    /// How long a round rings.
    ring_for: Duration,
    /// Where the waiting one goes when nobody answers.
    failover: Destination,
    /// The line that is being tried.
    line: Option<Line>,
    /// Its far end has rung.
    has_rung: bool,
    redirects: u8,
    /// The leg whose early media the waiting one hears.
    pub(super) early: Option<LegIndex>,
    told_ringing: bool,
    /// Somebody gave an answer of any kind.
    heard: bool,
    /// Phones of an extension ring, not lines.
    is_for_phones: bool,
    /// The phones are of several who share a number.
    is_for_group: bool,
    worst: Option<LegEnd>,
    timer: Option<TimerId>,
    /// Goes off when the line has not answered at all.
    silence: Option<TimerId>,
    /// Where a phone has pointed: the number, and whose phone it was.
    forward: Option<Box<(String, Party)>>,
    pub(super) purpose: Purpose,
}

impl Hunt {
    fn new(waiting: Option<LegIndex>, shown: Party, purpose: Purpose) -> Self {
        Self {
            waiting,
            shown,
            ringing: Vec::new(),
            lines: VecDeque::new(),
            rounds: VecDeque::new(),
            ring_for: Duration::ZERO,
            failover: Destination::EndCall,
            line: None,
            has_rung: false,
            redirects: 0,
            early: None,
            told_ringing: false,
            heard: false,
            is_for_phones: false,
            is_for_group: false,
            worst: None,
            timer: None,
            silence: None,
            forward: None,
            purpose,
        }
    }

    /// Where the caller is sent, if the house has answered them before: another node rings anew.
    pub(super) fn scene(&self, facts: &Facts) -> Option<Scene> {
        let (Purpose::Caller, Some(caller)) = (&self.purpose, self.waiting) else { return None };
        Some(Scene::Sent { caller, to: facts.sent_to.clone()? })
    }

    /// Rings all phones of an extension at once.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn devices(
        facts: &mut Facts,
        now: Timestamp,
        waiting: Option<LegIndex>,
        shown: Party,
        devices: Vec<Device>,
        ring_for: Duration,
        purpose: Purpose,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let phones = devices.into_iter().map(Dialled::Device).collect();
        Self::phones(facts, now, waiting, shown, phones, ring_for, purpose, out)
    }

    /// The same where a phone may be asked to answer by itself.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn phones(
        facts: &mut Facts,
        now: Timestamp,
        waiting: Option<LegIndex>,
        shown: Party,
        phones: Vec<Dialled>,
        ring_for: Duration,
        purpose: Purpose,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let mut hunt = Self::new(waiting, shown, purpose);
        hunt.is_for_phones = true;
        hunt.ring_for = ring_for;
        hunt.rounds.push_back(phones);
        hunt.next_round(facts, now, out)
    }

    /// Rings one round of phones after the other.
    pub(super) fn group(
        facts: &mut Facts,
        now: Timestamp,
        waiting: LegIndex,
        rounds: Vec<Vec<Device>>,
        ring_for: Duration,
        failover: Destination,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let mut hunt = Self::new(Some(waiting), facts.party(waiting), Purpose::Caller);
        hunt.is_for_phones = true;
        // An extension with a mailbox rings alike.
        let own = |device: &Device| Destination::ExtVm { number: device.extension.clone() };
        hunt.is_for_group = !rounds.iter().flatten().all(|device| own(device) == failover);
        let phones = |round: Vec<Device>| round.into_iter().map(Dialled::Device).collect();
        hunt.rounds = rounds.into_iter().map(phones).collect();
        hunt.ring_for = ring_for;
        hunt.failover = failover;
        hunt.next_round(facts, now, out)
    }

    /// Rings the next phones; a round without any is passed over.
    fn next_round(mut self, facts: &mut Facts, now: Timestamp, out: &mut Vec<Effect>) -> Stage {
        while let Some(phones) = self.rounds.pop_front() {
            for phone in phones {
                let party = phone.party();
                self.dial(facts, now, party, phone, self.ring_for, out);
            }
            if !self.ringing.is_empty() {
                let timer = facts.fresh_timer();
                self.timer = Some(timer);
                out.push(Effect::Arm(timer, self.ring_for));
                return Stage::Hunting(self);
            }
        }
        self.worst.get_or_insert_with(|| LegEnd::unreachable("no phone is registered"));
        self.failed(facts, now, out)
    }

    fn dial(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        party: Party,
        to: Dialled,
        give_up: Duration,
        out: &mut Vec<Effect>,
    ) {
        let leg = facts.add_leg(now, party);
        self.ringing.push(leg);
        let caller = self.shown.clone();
        out.push(Effect::Dial { leg, to, for_leg: self.waiting, caller, give_up });
    }

    pub(super) fn leg(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        leg: LegIndex,
        event: LegEvent,
        out: &mut Vec<Effect>,
    ) -> Stage {
        if self.waiting == Some(leg) {
            return self.waiting_leg(facts, now, &event, out);
        }
        if !self.ringing.contains(&leg) {
            return self.bystander(facts, leg, &event);
        }
        self.heard |= !matches!(&event, LegEvent::Ended(end) if !end.by_party);
        match event {
            LegEvent::Ringing => {
                self.note_ringing(now, out);
                self.tell_ringing(facts, out);
            }
            LegEvent::EarlyMedia => {
                self.note_ringing(now, out);
                self.let_early_media(facts, leg, out);
            }
            LegEvent::Answered => {
                self.note_ringing(now, out);
                return self.won(facts, now, leg, out);
            }
            // A phone that points elsewhere is not there; the others go on ringing.
            LegEvent::Redirected(Redirect::Number(to)) => {
                self.forwarded(facts, leg, to);
                let end = LegEnd::status(480, "redirected");
                facts.remove(leg, out);
                return self.lost(facts, now, leg, end, out);
            }
            LegEvent::Redirected(Redirect::Lines(lines)) if self.redirects < MAX_REDIRECTS => {
                self.redirects += 1;
                self.drop_ringing(leg);
                facts.remove(leg, out);
                for line in lines.into_iter().rev() {
                    self.lines.push_front(line);
                }
                return self.next_line(facts, now, out);
            }
            LegEvent::Redirected(Redirect::Lines(_)) => {
                let end = LegEnd::status(482, "redirected too often");
                facts.remove(leg, out);
                return self.lost(facts, now, leg, end, out);
            }
            LegEvent::Ended(end) => return self.lost(facts, now, leg, end, out),
            LegEvent::Trying
            | LegEvent::Held
            | LegEvent::Resumed
            | LegEvent::Dtmf(_)
            | LegEvent::Referred { .. }
            | LegEvent::Joined { .. } => {}
        }
        Stage::Hunting(self)
    }

    /// The leg that waits: only its end matters.
    fn waiting_leg(
        self,
        facts: &mut Facts,
        now: Timestamp,
        event: &LegEvent,
        out: &mut Vec<Effect>,
    ) -> Stage {
        if !matches!(event, LegEvent::Ended(_)) {
            return Stage::Hunting(self);
        }
        match self.purpose {
            Purpose::Transfer(transfer) => transfer.waiting_party_gone(facts, now, out),
            Purpose::Callback(callback) => {
                facts.note_callback(now, &callback, Outcome::Abandoned, false, out);
                facts.outcome_if_none("abandoned", "hung up before the agent answered");
            }
            Purpose::Return(reached) => {
                reached.failed(facts, now, CallbackFailure::AgentHungUp, out);
            }
            Purpose::Caller | Purpose::Originate { .. } => {}
        }
        facts.caller_gone(event);
        Stage::Over
    }

    /// A leg that neither waits nor rings: the transferor of a transfer.
    fn bystander(mut self, facts: &Facts, leg: LegIndex, event: &LegEvent) -> Stage {
        if let (Purpose::Transfer(transfer), LegEvent::Ended(_)) = (&mut self.purpose, event) {
            transfer.transferor_gone(leg);
        }
        debug_assert!(facts.legs.len() < 64, "a call has few legs");
        Stage::Hunting(self)
    }

    fn tell_ringing(&mut self, facts: &mut Facts, out: &mut Vec<Effect>) {
        if let Purpose::Transfer(transfer) = &self.purpose {
            transfer.progress(180, false, out);
        }
        let Some(waiting) = self.waiting else { return };
        if self.told_ringing || self.early.is_some() {
            return;
        }
        self.told_ringing = true;
        if facts.is_up(waiting) {
            facts.let_hear(waiting, Sound::RingBack, out);
        } else {
            out.push(Effect::Ring(waiting));
        }
    }

    /// Early media is let through when nobody else rings.
    fn let_early_media(&mut self, facts: &mut Facts, leg: LegIndex, out: &mut Vec<Effect>) {
        let Some(waiting) = self.waiting else { return };
        if self.ringing.len() > 1 {
            return self.tell_ringing(facts, out);
        }
        if self.early.replace(leg) == Some(leg) {
            return;
        }
        if !facts.is_up(waiting) {
            out.push(Effect::Progress(waiting));
        }
        facts.hear(waiting, vec![Heard::Leg(leg)], out);
        out.push(Effect::Hear(leg, vec![Heard::Leg(waiting)]));
    }

    /// The first to answer wins; the others are told that it was answered elsewhere.
    fn won(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        leg: LegIndex,
        out: &mut Vec<Effect>,
    ) -> Stage {
        self.drop_ringing(leg);
        for other in self.ringing {
            facts.hang_up(other, HangUp::ELSEWHERE, out);
        }
        facts.enter(leg, out);
        match self.purpose {
            Purpose::Originate { caller, dialled, wish } => {
                facts.let_hear(leg, Sound::RingBack, out);
                let request = facts.fresh_request();
                out.push(Effect::Route { request, dialled, by: caller, wish });
                Stage::Routing { request, waiting: leg }
            }
            Purpose::Callback(callback) => {
                facts.note_callback(now, &callback, Outcome::Answered, false, out);
                let Some(waiting) = self.waiting else { return Stage::Over };
                facts.answer(now, waiting, out);
                facts.answered(now, leg, out);
                Stage::Bridged(Bridge::join(facts, now, waiting, leg, out))
            }
            Purpose::Caller => {
                let Some(waiting) = self.waiting else { return Stage::Over };
                facts.answer(now, waiting, out);
                facts.answered(now, leg, out);
                Stage::Bridged(Bridge::join(facts, now, waiting, leg, out))
            }
            Purpose::Return(reached) => facts.returned(now, reached, leg, out),
            Purpose::Transfer(transfer) => transfer.won(facts, now, leg, out),
        }
    }

    /// A leg came to nothing.
    fn lost(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        leg: LegIndex,
        end: LegEnd,
        out: &mut Vec<Effect>,
    ) -> Stage {
        self.drop_ringing(leg);
        if self.early == Some(leg) {
            self.early = None;
        }
        self.note_failure(now, &end, out);
        let fatal = is_final(&end, &self.shown);
        if self.worst.as_ref().is_none_or(|worst| weight(&end) > weight(worst)) {
            self.worst = Some(end);
        }
        if !self.ringing.is_empty() {
            return Stage::Hunting(self);
        }
        if !self.rounds.is_empty() {
            return self.next_round(facts, now, out);
        }
        if fatal || self.lines.is_empty() {
            return self.failed(facts, now, out);
        }
        out.push(Effect::Decide("next_line", "the line failed; the next one is tried".to_owned()));
        self.next_line(facts, now, out)
    }

    pub(super) fn timer(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        timer: TimerId,
        out: &mut Vec<Effect>,
    ) -> Stage {
        if self.silence == Some(timer) {
            return self.line_is_silent(facts, now, out);
        }
        if self.timer != Some(timer) {
            return Stage::Hunting(self);
        }
        for leg in std::mem::take(&mut self.ringing) {
            facts.hang_up(leg, HangUp::NORMAL, out);
        }
        self.worst = Some(LegEnd { status: Some(408), by_party: false, why: "no answer".into() });
        self.next_round(facts, now, out)
    }

    /// Nobody is left to try.
    fn failed(self, facts: &mut Facts, now: Timestamp, out: &mut Vec<Effect>) -> Stage {
        let none = || LegEnd::status(503, "no line is available");
        let end = self.worst.clone().unwrap_or_else(none);
        let (status, cause) = verdict(&end, self.heard, self.is_for_phones);
        let purpose = match self.purpose {
            Purpose::Transfer(transfer) => return transfer.failed(facts, now, status, out),
            Purpose::Return(reached) => {
                reached.failed(facts, now, CallbackFailure::CustomerNoAnswer, out);
                Purpose::Caller
            }
            purpose => purpose,
        };
        if let (Purpose::Caller, Some(waiting), Some(forward)) =
            (&purpose, self.waiting, self.forward)
        {
            let (to, by) = *forward;
            return facts.forward(now, waiting, to, by, out);
        }
        if let (Purpose::Callback(callback), Some(waiting)) = (purpose, self.waiting) {
            return facts.not_called_back(now, waiting, *callback, Outcome::NotAnswered, out);
        }
        if let (Some(waiting), false) = (self.waiting, self.failover == Destination::EndCall) {
            out.push(Effect::Decide("nobody_answered", end.why));
            return facts.send_on(waiting, self.failover, out);
        }
        facts.outcome_if_none(outcome(status), &end.why);
        let Some(waiting) = self.waiting else { return Stage::Over };
        let how = HangUp { status, cause, elsewhere: false };
        let is_outside = self.line.is_some() || facts.party(waiting).extension().is_some();
        if facts.is_up(waiting) && is_outside {
            return facts.say_busy(waiting, how, out);
        }
        facts.hang_up(waiting, how, out);
        Stage::Over
    }

    fn drop_ringing(&mut self, leg: LegIndex) {
        self.ringing.retain(|ringing| *ringing != leg);
    }
}
