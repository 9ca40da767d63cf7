//! Offers: reservations that are asked for, hold, ring and end.

use std::time::Duration;

use tandem_kernel::{CallId, Timestamp};

use super::callers::micros;
use super::{
    Attempt, Caller, Due, Effect, Offer, OfferStage, Queue, RING_GRACE, Refused, SHORTEST_PAUSE,
    SILENT_OFFERS, Stage, TALK_GRACE,
};
use crate::agent::{Denial, Round, Standing, ToAgent};
use crate::queue::event::{QueueEvent, RingEnd, Turn};
use crate::queue::{Decision, OfferEnd, OfferId, QueueNotice};
use tandem_config::resource::Membership;

impl Queue {
    /// How an agent stands now. A fresh agent knows of no reservation and no call, as does one that
    /// was moved.
    pub(super) fn stands(
        &mut self,
        now: Timestamp,
        agent: String,
        standing: Standing,
        round: Option<Round>,
        fresh: bool,
        out: &mut Vec<Effect>,
    ) {
        let Some(member) = self.members.get_mut(&agent) else { return };
        let fresh = std::mem::take(&mut member.is_another) || fresh;
        let offer = member.offer.filter(|_| fresh);
        let talking = standing.talking.clone();
        member.round = round;
        if round.is_some() {
            self.asking.insert(agent.clone());
        }
        member.follow(&standing);
        member.standing = Some(standing);
        if let Some(offer) = offer {
            self.withdraw(offer, false, out);
            self.ring_over(now, offer, OfferEnd::AgentGone, out);
        }
        self.compare_talks(&agent, &talking, fresh, out);
        self.set_free(&agent);
    }

    /// Both must know the same talks. A fresh agent is told of them; a talk that another agent
    /// does not know of is suspect, unless word of it is on its way.
    fn compare_talks(
        &mut self,
        agent: &str,
        talking: &[CallId],
        fresh: bool,
        out: &mut Vec<Effect>,
    ) {
        let wrap_up = self.wrap_up();
        let tell = |message| Effect::Tell { agent: agent.to_owned(), message };
        for call in talking.iter().filter(|call| !self.facts.active.contains_key(call)) {
            out.push(tell(ToAgent::Finished { call: *call, wrap_up }));
        }
        let own = self.facts.active.iter().filter(|(_, active)| active.agent == agent);
        let unknown = own.map(|(call, _)| *call).filter(|call| !talking.contains(call));
        for call in unknown.collect::<Vec<_>>() {
            if fresh {
                let offer = OfferId(0);
                out.push(tell(ToAgent::Answered { offer, call, wrap_up }));
            } else if self.suspects.insert(call) {
                self.arm(Due::Talk(call), TALK_GRACE, out);
            }
        }
    }

    /// Ends a talk that the agent does not know of and of which the call does not tell.
    pub(super) fn check_talk(&mut self, now: Timestamp, call: CallId, out: &mut Vec<Effect>) {
        self.suspects.remove(&call);
        let Some(active) = self.facts.active.get(&call) else { return };
        let member = self.members.get(&active.agent);
        let standing = member.and_then(|member| member.standing.as_ref());
        if standing.is_some_and(|standing| !standing.talking.contains(&call)) {
            self.talk_lost(now, call, now, out);
        }
    }

    pub(super) fn agent_lost(
        &mut self,
        now: Timestamp,
        agent: &str,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let member = self.members.get_mut(agent).ok_or(Refused::NotAMember)?;
        if let Some(standing) = &mut member.standing {
            standing.registered = false;
        }
        self.let_agent_be(now, agent, out);
        Ok(())
    }

    /// What was said to the actor at the member before is lost, and the new one knows nothing of
    /// what that one granted: it may ring for another queue by now. It is asked how it stands; what
    /// it said when it began may have been heard before, and it was answered elsewhere.
    pub(super) fn agent_moved(
        &mut self,
        now: Timestamp,
        agent: String,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        self.members.get_mut(&agent).ok_or(Refused::NotAMember)?.is_another = true;
        self.let_agent_be(now, &agent, out);
        out.push(Effect::Tell { agent, message: ToAgent::Hello });
        Ok(())
    }

    /// Nothing is offered to an agent until they say how they stand.
    fn let_agent_be(&mut self, now: Timestamp, agent: &str, out: &mut Vec<Effect>) {
        let Some(member) = self.members.get_mut(agent) else { return };
        member.round = None;
        let offer = member.offer;
        self.not_ready(agent);
        self.free.remove(agent);
        if let Some(offer) = offer {
            self.withdraw(offer, false, out);
            self.ring_over(now, offer, OfferEnd::AgentGone, out);
        }
    }

    /// Keeps `free` in step with what is known of a member.
    pub(super) fn set_free(&mut self, agent: &str) {
        let is_free = self.members.get(agent).is_some_and(|member| {
            member.offer.is_none() && member.standing.as_ref().is_some_and(|it| it.ready)
        });
        if is_free {
            self.free.insert(agent.to_owned());
        } else {
            self.free.remove(agent);
        }
    }

    pub(super) fn is_offer_to(&self, offer: OfferId, agent: &str) -> bool {
        self.offers.get(&offer).is_some_and(|it| it.agent == agent)
    }

    pub(super) fn granted(
        &mut self,
        now: Timestamp,
        agent: String,
        id: OfferId,
        out: &mut Vec<Effect>,
    ) {
        let asked = self.offers.get(&id).filter(|it| it.agent == agent);
        let Some(call) = asked.map(|offer| offer.call) else {
            // The caller is gone, or the grant came too late.
            out.push(Effect::Tell { agent, message: ToAgent::Release { offer: id } });
            return;
        };
        let Some(ring_for) = self.ring_time(now, call) else {
            self.ask_over(now, id, true, out);
            return;
        };
        let Some(offer) = self.offers.get_mut(&id) else { return };
        if offer.stage != OfferStage::Asked {
            return;
        }
        offer.stage = OfferStage::Ringing { since: now, heard: false };
        if let Some(Caller { stage: Stage::Attempt(attempt), tried, .. }) =
            self.callers.get_mut(&call)
        {
            attempt.until.get_or_insert(now + ring_for);
            attempt.rang.insert(agent.clone());
            tried.insert(agent.clone());
        }
        let turn = self.turn(&agent);
        let event = QueueEvent::Ringing { at: now, call, offer: id, agent: agent.clone(), turn };
        self.record(event, out);
        let detail = format!("rings for {} s", ring_for.as_secs());
        let decision = Decision { agent: agent.clone(), code: "agent-offered", detail };
        out.push(Effect::Decide(call, decision));
        self.send_for(call, out);
        let notice = QueueNotice::Offer { offer: id, agent, ring_for };
        out.push(Effect::Notify { call, notice });
        self.arm(Due::Ring(id), ring_for + RING_GRACE, out);
    }

    /// How long a ring that begins now may last: never past the maximum wait, and never
    /// past the rings of the same attempt. None: not at all.
    fn ring_time(&self, now: Timestamp, call: CallId) -> Option<Duration> {
        let Stage::Attempt(attempt) = &self.callers.get(&call)?.stage else { return None };
        let full = Duration::from_secs(u64::from(self.config.agent.ring_timeout_secs.max(1)));
        let ends = [attempt.until, self.deadline_of(call)];
        let left = ends.into_iter().flatten().map(|end| end.since(now));
        let ring_for = left.fold(full, Duration::min);
        (!ring_for.is_zero()).then_some(ring_for)
    }

    fn turn(&self, agent: &str) -> Turn {
        let standing = self.members.get(agent).and_then(|member| member.standing.as_ref());
        match standing {
            Some(Standing { membership: Membership::Dynamic, logged_in, .. }) => {
                Turn::Dynamic { since: logged_in.unwrap_or_default() }
            }
            _ => Turn::Static,
        }
    }

    pub(super) fn denied(
        &mut self,
        now: Timestamp,
        agent: &str,
        id: OfferId,
        why: Denial,
        out: &mut Vec<Effect>,
    ) {
        if !self.is_offer_to(id, agent) {
            return;
        }
        if let Some(offer) = self.offers.get(&id) {
            let (agent, detail) = (agent.to_owned(), why.to_string());
            let decision = Decision { agent, code: "agent-denied", detail };
            out.push(Effect::Decide(offer.call, decision));
        }
        self.not_ready(agent);
        self.ask_over(now, id, false, out);
    }

    /// The agent did not answer: as good as denied, but a late grant must be undone.
    pub(super) fn ask_overdue(&mut self, now: Timestamp, id: OfferId, out: &mut Vec<Effect>) {
        let asked = self.offers.get(&id).filter(|it| it.stage == OfferStage::Asked);
        let Some(agent) = asked.map(|offer| offer.agent.clone()) else { return };
        self.not_ready(&agent);
        self.ask_over(now, id, true, out);
    }

    /// The next standing of the agent says otherwise.
    fn not_ready(&mut self, agent: &str) {
        if let Some(standing) = self.members.get_mut(agent).and_then(|it| it.standing.as_mut()) {
            standing.ready = false;
        }
    }

    /// Ends an offer that never rang.
    pub(super) fn ask_over(
        &mut self,
        now: Timestamp,
        id: OfferId,
        release: bool,
        out: &mut Vec<Effect>,
    ) {
        let Some(offer) = self.take_offer(id) else { return };
        if release {
            let message = ToAgent::Release { offer: id };
            out.push(Effect::Tell { agent: offer.agent, message });
        }
        self.attempt_lost(now, offer.call, id, out);
    }

    pub(super) fn offer_rings(&mut self, call: CallId, id: OfferId) -> Result<(), Refused> {
        let offer = self.offers.get_mut(&id).filter(|offer| offer.call == call);
        match offer.map(|offer| &mut offer.stage) {
            Some(OfferStage::Ringing { heard, .. }) => {
                *heard = true;
                Ok(())
            }
            Some(OfferStage::Asked | OfferStage::Announcing) | None => Err(Refused::UnknownOffer),
        }
    }

    /// The call is with this agent now, also when the queue had given the ring up.
    pub(super) fn offer_answered(
        &mut self,
        now: Timestamp,
        call: CallId,
        id: OfferId,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        if self.is_request(call) {
            // Its agents answer for the call that dials.
            return Err(Refused::UnknownOffer);
        }
        let agent = self.answering(call, id)?;
        self.take_answered(call, id);
        self.losers(now, call, out);
        let joined_at = self.facts.waiting_for(call).map_or(now, |waiting| waiting.joined_at);
        self.served(now, (call, id), agent, now.since(joined_at), out);
        Ok(())
    }

    /// The one way out to an agent.
    pub(super) fn served(
        &mut self,
        now: Timestamp,
        (call, offer): (CallId, OfferId),
        agent: String,
        waited: Duration,
        out: &mut Vec<Effect>,
    ) {
        let wait_us = micros(waited);
        let event = QueueEvent::Answered { at: now, call, offer, agent: agent.clone(), wait_us };
        self.record(event, out);
        self.forget(now, call);
        self.pace.answered(now, waited, self.staff(), self.staying() > 0);
        self.forget_misses(&agent);
        let message = ToAgent::Answered { offer, call, wrap_up: self.wrap_up() };
        out.push(Effect::Tell { agent, message });
    }

    /// The other agents who ring for an answered call.
    pub(super) fn losers(&mut self, now: Timestamp, call: CallId, out: &mut Vec<Effect>) {
        let Some(Caller { stage: Stage::Attempt(attempt), .. }) = self.callers.get_mut(&call)
        else {
            return;
        };
        for id in std::mem::take(&mut attempt.offers) {
            let Some(offer) = self.drop_offer(id, out) else { continue };
            if offer.stage == OfferStage::Asked {
                continue;
            }
            let notice = QueueNotice::Withdraw { offer: id, elsewhere: true };
            out.push(Effect::Notify { call, notice });
            // Who picks a call up that its agent has answered misses nothing.
            let why = if offer.is_pick_up { RingEnd::Cut } else { RingEnd::Lost };
            let agent = offer.agent;
            self.record(QueueEvent::RingEnded { at: now, call, offer: id, agent, why }, out);
        }
    }

    pub(super) fn offer_ended(
        &mut self,
        now: Timestamp,
        call: CallId,
        id: OfferId,
        why: OfferEnd,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let Some(offer) = self.offers.get(&id).filter(|offer| offer.call == call) else {
            let caller = self.callers.get_mut(&call).ok_or(Refused::UnknownOffer)?;
            // The call ended what the queue had withdrawn: no answer will come.
            return caller.withdrawn.remove(&id).map(|_| ()).ok_or(Refused::UnknownOffer);
        };
        if offer.stage == OfferStage::Asked {
            return Err(Refused::UnknownOffer);
        }
        if let Some(caller) = self.callers.get_mut(&call) {
            caller.silent = 0;
        }
        self.ring_over(now, id, why, out);
        Ok(())
    }

    /// The call should have ended this ring by itself.
    pub(super) fn ring_overdue(&mut self, now: Timestamp, id: OfferId, out: &mut Vec<Effect>) {
        let rings = |offer: &&Offer| matches!(offer.stage, OfferStage::Ringing { .. });
        if self.offers.get(&id).filter(rings).is_some() {
            self.silent(now, id, OfferEnd::TimedOut, out);
        }
    }

    /// The call has not ended an offer in its time.
    pub(super) fn silent(
        &mut self,
        now: Timestamp,
        id: OfferId,
        why: OfferEnd,
        out: &mut Vec<Effect>,
    ) {
        let Some(offer) = self.offers.get(&id) else { return };
        let call = offer.call;
        self.withdraw(id, false, out);
        self.ring_over(now, id, why, out);
        let Some(caller) = self.callers.get_mut(&call) else { return };
        caller.silent += 1;
        if caller.silent >= SILENT_OFFERS {
            self.give_up(now, call, out);
        }
    }

    /// What rang for a call that goes on elsewhere, or anew, rings no more. It is told so: what it
    /// was offered before may reach it only now.
    pub(super) fn caller_moved(&mut self, now: Timestamp, call: CallId, out: &mut Vec<Effect>) {
        let rings = self.offers.iter();
        let rings = rings.filter(|(_, it)| it.call == call && it.stage != OfferStage::Asked);
        for id in rings.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.withdraw(id, false, out);
            self.ring_over(now, id, OfferEnd::AgentGone, out);
        }
    }

    /// Tells the call to stop ringing. Its answer may be on its way.
    pub(super) fn withdraw(&mut self, id: OfferId, elsewhere: bool, out: &mut Vec<Effect>) {
        let Some(offer) = self.offers.get(&id) else { return };
        if offer.stage == OfferStage::Asked {
            return;
        }
        let (call, agent) = (offer.call, offer.agent.clone());
        if let Some(caller) = self.callers.get_mut(&call) {
            caller.withdrawn.insert(id, agent);
        }
        out.push(Effect::Notify { call, notice: QueueNotice::Withdraw { offer: id, elsewhere } });
    }

    /// Ends an offer, whether it rang or not.
    pub(super) fn ring_over(
        &mut self,
        now: Timestamp,
        id: OfferId,
        why: OfferEnd,
        out: &mut Vec<Effect>,
    ) {
        // Before the release, so that who is let go is paused already.
        self.note_miss(id, why, out);
        let Some(offer) = self.drop_offer(id, out) else { return };
        let (call, ended) = (offer.call, why);
        if offer.stage != OfferStage::Asked {
            let why = if offer.is_pick_up { RingEnd::Cut } else { RingEnd::Ended(why) };
            let agent = offer.agent;
            self.record(QueueEvent::RingEnded { at: now, call, offer: id, agent, why }, out);
        }
        self.attempt_lost(now, call, id, out);
        if offer.stage == OfferStage::Announcing {
            // The maximum wait may have gone by meanwhile.
            self.arm_deadline(now, call, out);
        }
        self.declined(now, call, ended, out);
    }

    /// An attempt lost one of its offers; with the last one it is over.
    fn attempt_lost(&mut self, now: Timestamp, call: CallId, id: OfferId, out: &mut Vec<Effect>) {
        let Some(caller) = self.callers.get_mut(&call) else { return };
        let Stage::Attempt(attempt) = &mut caller.stage else { return };
        attempt.offers.remove(&id);
        if !attempt.offers.is_empty() {
            return;
        }
        let Attempt { rang, until, .. } = std::mem::take(attempt);
        if rang.is_empty() {
            self.want(call);
            return;
        }
        let retry = Duration::from_secs(u64::from(self.config.agent.retry_interval_secs));
        // Rings that were over before their time: at least a short rest.
        let early = until.is_some_and(|until| now < until);
        let pause = if early { retry.max(SHORTEST_PAUSE) } else { retry };
        if pause.is_zero() {
            self.want(call);
            return;
        }
        let timer = self.arm(Due::Retry(call), pause, out);
        if let Some(caller) = self.callers.get_mut(&call) {
            caller.stage = Stage::Resting { timer };
        }
    }

    /// Forgets an offer and lets the agent go.
    pub(super) fn drop_offer(&mut self, id: OfferId, out: &mut Vec<Effect>) -> Option<Offer> {
        let offer = self.take_offer(id)?;
        let message = ToAgent::Release { offer: id };
        out.push(Effect::Tell { agent: offer.agent.clone(), message });
        Some(offer)
    }

    /// Forgets an offer. Its agent is ready again when they say so.
    pub(super) fn take_offer(&mut self, id: OfferId) -> Option<Offer> {
        let offer = self.offers.remove(&id)?;
        if let Some(member) = self.members.get_mut(&offer.agent) {
            member.offer.take_if(|own| *own == id);
        }
        self.set_free(&offer.agent);
        Some(offer)
    }
}
