//! Callers: how they join, wait and leave.

use std::collections::BTreeSet;
use std::time::Duration;

use tandem_config::resource::Destination;
use tandem_kernel::{CallId, Timestamp};

use super::talks::silence;
use super::{
    Caller, Due, Effect, GREETING_WITHIN, LEAVE_GRACE, OfferStage, Queue, Refused, Stage, TimerId,
};
use crate::agent::{Standing, ToAgent};
use crate::queue::event::{QueueEvent, RingEnd};
use crate::queue::{Exit, OfferId, Party, QueueNotice};

impl Queue {
    /// The actor begins: whoever can still be reached keeps the place; rings of before are
    /// taken back, for nobody knows how they stand.
    pub(super) fn opened(
        &mut self,
        now: Timestamp,
        seed: u64,
        alive: &BTreeSet<CallId>,
        out: &mut Vec<Effect>,
    ) {
        let stopped_at = self.facts.last_at;
        self.record(QueueEvent::Opened { at: now }, out);
        self.chance = super::Chance(seed);
        for agent in self.members.keys() {
            out.push(Effect::Tell { agent: agent.clone(), message: ToAgent::Hello });
        }
        let waiting: Vec<_> = self.facts.waiting.values().map(|it| it.call).collect();
        for call in waiting {
            self.callers.insert(call, Caller::new());
            self.want(call);
            if alive.contains(&call) {
                self.arm_deadline(now, call, out);
                self.arm_callback_offer(now, call, out);
            }
        }
        self.ask_whether_they_wait(alive, out);
        for (offer, ring) in self.facts.rings.clone() {
            let (call, agent) = (ring.call, ring.agent);
            if let Some(caller) = self.callers.get_mut(&call) {
                caller.withdrawn.insert(offer, agent.clone());
                let notice = QueueNotice::Withdraw { offer, elsewhere: false };
                out.push(Effect::Notify { call, notice });
            }
            out.push(Effect::Tell { agent: agent.clone(), message: ToAgent::Release { offer } });
            let why = RingEnd::Cut;
            self.record(QueueEvent::RingEnded { at: now, call, offer, agent, why }, out);
        }
        self.reopen_requests(now, alive, out);
        let dead = |call: &&CallId| !alive.contains(call);
        let lost = |call: &&CallId| dead(call) && !self.is_request(**call);
        for call in self.callers.keys().filter(lost).copied().collect::<Vec<_>>() {
            self.lose(now, call, out);
        }
        for call in self.facts.active.keys().filter(dead).copied().collect::<Vec<_>>() {
            self.talk_lost(now, call, stopped_at, out);
        }
    }

    /// A caller's last word may have been lost with the actor of before, as may what it wrote down
    /// last: what rings for them by now it alone knows.
    fn ask_whether_they_wait(&self, alive: &BTreeSet<CallId>, out: &mut Vec<Effect>) {
        for (position, waiting) in (1..).zip(self.facts.waiting.values()) {
            let call = waiting.call;
            if !alive.contains(&call) {
                continue;
            }
            if !self.is_request(call) {
                silence(call, out);
            }
            out.push(Effect::Notify { call, notice: QueueNotice::Joined { position } });
        }
    }

    pub(super) fn join(
        &mut self,
        now: Timestamp,
        call: CallId,
        stay: u32,
        caller: String,
        caller_name: String,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        if self.callers.contains_key(&call) {
            return self.joined_already(call, out);
        }
        if !self.came.note(now, call, stay) {
            return Err(Refused::StayIsOver);
        }
        if let Some(reason) = self.barrier() {
            self.record(QueueEvent::Refused { at: now, call, reason }, out);
            let failover = self.config.failover.clone();
            let notice = QueueNotice::Refused { reason, failover };
            out.push(Effect::Notify { call, notice });
            out.push(Effect::Forget(call));
            return Ok(());
        }
        let number = caller.clone();
        self.record(QueueEvent::Joined { at: now, call, caller, caller_name }, out);
        self.callers.insert(call, Caller::new());
        if self.facts.generation > 1 {
            // The actor before may have let phones ring for them by what the journal has refused.
            silence(call, out);
        }
        // Who waits talks no more, whatever became of the word: a call that its member's heir goes
        // on with begins anew where the answer was lost with the member.
        self.talk_lost(now, call, now, out);
        let is_merged = self.merge(now, call, &number, out);
        self.want(call);
        self.unexplained.insert(call);
        let last = || u32::try_from(self.staying()).unwrap_or(u32::MAX);
        let position = if is_merged { self.position_of(call) } else { last() };
        // Until the journal has the place, the call goes on asking: another member may run the
        // queue by then, which knows what is in the journal.
        out.push(Effect::NotifyKept { call, notice: QueueNotice::Joined { position } });
        self.arm_deadline(now, call, out);
        self.arm_callback_offer(now, call, out);
        self.greet(call, out);
        Ok(())
    }

    /// agents ring when the caller has heard the join announcement.
    fn greet(&mut self, call: CallId, out: &mut Vec<Effect>) {
        let prompts = &self.config.prompts;
        if !prompts.ring_after_join || prompts.join.is_empty() {
            return;
        }
        self.arm(Due::Greeting(call), GREETING_WITHIN, out);
        if let Some(caller) = self.callers.get_mut(&call) {
            caller.stage = Stage::Greeting;
        }
    }

    pub(super) fn greeted(&mut self, call: CallId) -> Result<(), Refused> {
        let caller = self.callers.get(&call).ok_or(Refused::UnknownCaller)?;
        if matches!(caller.stage, Stage::Greeting) {
            self.want(call);
            self.unexplained.insert(call);
        }
        Ok(())
    }

    /// how many wait ahead, and for how long.
    pub(super) fn tell_place(&self, call: CallId, out: &mut Vec<Effect>) -> Result<(), Refused> {
        let place = self.facts.place_of(call).ok_or(Refused::UnknownCaller)?;
        if !self.is_staying(call) {
            return Err(Refused::Leaving);
        }
        let before = self.facts.waiting.range(..place);
        let ahead = before.filter(|(_, it)| !self.leaving.contains(&it.call)).count();
        let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
        let notice = QueueNotice::Place { ahead, wait: self.pace.wait(ahead, self.staff()) };
        out.push(Effect::Notify { call, notice });
        Ok(())
    }

    /// The call asks again: its place is kept.
    fn joined_already(&mut self, call: CallId, out: &mut Vec<Effect>) -> Result<(), Refused> {
        if !self.is_staying(call) && !self.found_again(call) {
            return Err(Refused::Leaving);
        }
        let position = self.position_of(call);
        out.push(Effect::NotifyKept { call, notice: QueueNotice::Joined { position } });
        Ok(())
    }

    fn position_of(&self, call: CallId) -> u32 {
        let line = self.facts.waiting.values().filter(|it| self.is_staying(it.call));
        (1..).zip(line).find(|(_, it)| it.call == call).map_or(1, |(at, _)| at)
    }

    /// Why a caller may not join.
    fn barrier(&self) -> Option<Exit> {
        let limit = usize::try_from(self.config.max_callers).unwrap_or(usize::MAX);
        if self.removed {
            return Some(Exit::QueueRemoved);
        }
        if limit > 0 && self.staying() - self.requests() >= limit {
            return Some(Exit::MaxCallers);
        }
        let rule = &self.config.join_empty;
        (rule.enabled && self.is_empty(rule)).then_some(Exit::JoinEmpty)
    }

    /// The callers who wait and were not told to leave.
    pub(super) fn staying(&self) -> usize {
        self.callers.len() - self.leaving.len()
    }

    /// The agents who take calls, now or when they are through with one.
    pub(super) fn staff(&self) -> u32 {
        let standings = self.members.values().filter_map(|member| member.standing.as_ref());
        let works = |it: &&Standing| it.logged_in.is_some() && it.paused.is_none() && it.registered;
        u32::try_from(standings.filter(works).count()).unwrap_or(u32::MAX)
    }

    /// The caller takes part in the next distribution.
    pub(super) fn want(&mut self, call: CallId) {
        if let (Some(caller), Some(place)) =
            (self.callers.get_mut(&call), self.facts.place_of(call))
        {
            caller.stage = Stage::Waiting;
            self.wanting.insert(place, call);
        }
    }

    pub(super) fn is_staying(&self, call: CallId) -> bool {
        let caller = self.callers.get(&call);
        caller.is_some_and(|it| !matches!(it.stage, Stage::Leaving { .. }))
    }

    /// counted from the entry, also over a restart and an edit.
    pub(super) fn arm_deadline(&mut self, now: Timestamp, call: CallId, out: &mut Vec<Effect>) {
        let timer = self
            .deadline_of(call)
            .map(|deadline| self.arm(Due::MaxWait(call), deadline.since(now), out));
        if let Some(caller) = self.callers.get_mut(&call) {
            caller.deadline = timer;
        }
    }

    pub(super) fn waited_long_enough(
        &mut self,
        now: Timestamp,
        call: CallId,
        timer: TimerId,
        out: &mut Vec<Effect>,
    ) {
        let own = |caller: &&Caller| caller.deadline == Some(timer);
        let stage = self.callers.get(&call).filter(own).map(|caller| &caller.stage);
        // An agent has answered: the wait ends with the announcement.
        if stage.is_some() && self.is_announcing(call) {
            return;
        }
        // who is being asked for a number may finish.
        if stage.is_some_and(|stage| !matches!(stage, Stage::Registering { .. })) {
            self.leave(now, call, Exit::MaxWait, out);
        }
    }

    /// When the caller has waited as long as they may.
    pub(super) fn deadline_of(&self, call: CallId) -> Option<Timestamp> {
        if let Some(deadline) = self.request_deadline(call) {
            return deadline;
        }
        let limit = Duration::from_secs(u64::from(self.config.max_wait_secs));
        let waiting = self.facts.waiting_for(call)?;
        (!limit.is_zero()).then(|| waiting.joined_at + limit)
    }

    pub(super) fn gone(
        &mut self,
        now: Timestamp,
        call: CallId,
        reason: Exit,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        if reason == Exit::Answered {
            return Err(Refused::NotAnExit);
        }
        if self.request_gone(now, call, reason, out).is_some() {
            return Ok(());
        }
        if self.may_be_found(call, reason) {
            self.lose(now, call, out);
            return Ok(());
        }
        let caller = self.callers.get(&call).ok_or(Refused::UnknownCaller)?;
        let left_at = match caller.stage {
            // The call does what it was told: it waited until then.
            Stage::Leaving { reason: told, since } if told == reason => since,
            _ => now,
        };
        // The call ends its rings by itself.
        self.cut_offers(now, call, out);
        self.exit(now, call, reason, left_at, out);
        Ok(())
    }

    /// Tells a caller to leave unanswered. The exit is open until the call says how it left: an
    /// answer or the caller's own hang-up may be on its way, and what the call says counts.
    pub(super) fn leave(
        &mut self,
        now: Timestamp,
        call: CallId,
        reason: Exit,
        out: &mut Vec<Effect>,
    ) {
        self.leave_to(now, call, reason, self.config.failover.clone(), out);
    }

    fn leave_to(
        &mut self,
        now: Timestamp,
        call: CallId,
        reason: Exit,
        to: Destination,
        out: &mut Vec<Effect>,
    ) {
        if !self.is_staying(call) {
            return;
        }
        if self.is_request(call) {
            return self.request_leaves(now, call, reason, out);
        }
        for offer in self.cut_offers(now, call, out) {
            let notice = QueueNotice::Withdraw { offer, elsewhere: false };
            out.push(Effect::Notify { call, notice });
        }
        let notice = QueueNotice::Leave { reason, failover: to };
        out.push(Effect::Notify { call, notice });
        let Some(caller) = self.callers.get_mut(&call) else { return };
        caller.stage = Stage::Leaving { reason, since: now };
        self.leaving.insert(call);
        self.arm(Due::Leave(call), LEAVE_GRACE, out);
    }

    /// a key with a destination leads out of the queue; other keys mean nothing.
    pub(super) fn digit(
        &mut self,
        now: Timestamp,
        call: CallId,
        digit: char,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        if !self.callers.contains_key(&call) {
            return Err(Refused::UnknownCaller);
        }
        if !self.is_staying(call) {
            return Err(Refused::Leaving);
        }
        if let Some(to) = self.config.key_events.get(digit.encode_utf8(&mut [0; 4])).cloned() {
            self.leave_to(now, call, Exit::KeyExit, to, out);
        } else {
            self.callback_key(now, call, digit, out);
        }
        Ok(())
    }

    pub(super) fn leave_completed(&mut self, now: Timestamp, call: CallId, out: &mut Vec<Effect>) {
        if let Some(Caller { stage: Stage::Leaving { reason, since }, .. }) =
            self.callers.get(&call)
        {
            let (reason, since) = (*reason, *since);
            self.exit(now, call, reason, since, out);
        }
    }

    /// Ends all offers for a caller who leaves; gives back those that ring.
    pub(super) fn cut_offers(
        &mut self,
        now: Timestamp,
        call: CallId,
        out: &mut Vec<Effect>,
    ) -> Vec<OfferId> {
        let Some(caller) = self.callers.get_mut(&call) else { return Vec::new() };
        let Stage::Attempt(attempt) = std::mem::replace(&mut caller.stage, Stage::Waiting) else {
            return Vec::new();
        };
        let mut ringing = Vec::new();
        for id in attempt.offers {
            let Some(offer) = self.drop_offer(id, out) else { continue };
            if offer.stage == OfferStage::Asked {
                continue;
            }
            ringing.push(id);
            if let Some(caller) = self.callers.get_mut(&call) {
                caller.withdrawn.insert(id, offer.agent.clone());
            }
            let (agent, why) = (offer.agent, RingEnd::Cut);
            self.record(QueueEvent::RingEnded { at: now, call, offer: id, agent, why }, out);
        }
        ringing
    }

    /// The one way out unanswered.
    pub(super) fn exit(
        &mut self,
        now: Timestamp,
        call: CallId,
        reason: Exit,
        left_at: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let joined_at = self.facts.waiting_for(call).map_or(left_at, |it| it.joined_at);
        self.forget(now, call);
        if let Some(place) = self.facts.place_of(call) {
            self.wanting.remove(&place);
        }
        let waited = left_at.since(joined_at);
        self.pace.gave_up(waited, self.staying() > 0);
        let wait_us = micros(waited);
        self.record(QueueEvent::Exited { at: now, call, reason, wait_us }, out);
        out.push(Effect::Forget(call));
    }

    /// The call does not answer: it is taken for dead.
    pub(super) fn give_up(&mut self, now: Timestamp, call: CallId, out: &mut Vec<Effect>) {
        self.leave(now, call, Exit::System, out);
    }

    /// callers whom nobody rings for leave when no agent is there.
    pub(super) fn leave_when_empty(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let rule = &self.config.leave_empty;
        if !rule.enabled || self.callers.is_empty() || !self.is_empty(rule) {
            return;
        }
        let idle = |caller: &Caller| {
            matches!(caller.stage, Stage::Greeting | Stage::Waiting | Stage::Resting { .. })
        };
        let waiting = self.callers.iter().filter(|(_, caller)| idle(caller));
        for call in waiting.map(|(call, _)| *call).collect::<Vec<_>>() {
            self.leave(now, call, Exit::LeaveEmpty, out);
        }
    }

    /// waiting callers go to the failover destination.
    pub(super) fn remove(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.removed = true;
        for call in self.callers.keys().copied().collect::<Vec<_>>() {
            self.leave(now, call, Exit::QueueRemoved, out);
        }
    }

    pub(super) fn close_when_removed(&mut self, out: &mut Vec<Effect>) {
        let is_over = self.removed && self.callers.is_empty() && self.facts.active.is_empty();
        if is_over && !std::mem::replace(&mut self.closed, true) {
            out.push(Effect::Closed);
        }
    }

    pub(super) fn call_ended(
        &mut self,
        now: Timestamp,
        call: CallId,
        agent: &str,
        by: Party,
        talk: Duration,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let active = self.facts.active.get(&call).ok_or(Refused::UnknownCall)?;
        if active.agent != agent {
            return Err(Refused::UnknownCall);
        }
        self.talk_over(now, call, by, talk, out);
        Ok(())
    }

    /// A talk of which nobody told the end: it lasted until `last_known` at least.
    pub(super) fn talk_lost(
        &mut self,
        now: Timestamp,
        call: CallId,
        last_known: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if let Some(active) = self.facts.active.get(&call) {
            let talk = last_known.since(active.since);
            self.talk_over(now, call, Party::System, talk, out);
        }
    }

    fn talk_over(
        &mut self,
        now: Timestamp,
        call: CallId,
        by: Party,
        talk: Duration,
        out: &mut Vec<Effect>,
    ) {
        let Some(active) = self.facts.active.get(&call) else { return };
        let agent = active.agent.clone();
        let talk_us = micros(talk);
        let event = QueueEvent::Ended { at: now, call, agent: agent.clone(), by, talk_us };
        self.record(event, out);
        let message = ToAgent::Finished { call, wrap_up: self.wrap_up() };
        out.push(Effect::Tell { agent, message });
        if !self.callers.contains_key(&call) {
            out.push(Effect::Forget(call));
        }
    }

    pub(super) fn wrap_up(&self) -> Duration {
        Duration::from_secs(u64::from(self.config.agent.wrap_up_secs))
    }
}

pub(super) fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
