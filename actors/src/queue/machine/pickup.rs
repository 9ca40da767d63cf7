//! A call that rings is picked up: it rings at another phone instead of at the agents',
//! and is back at its place in the line when nobody answers there.
//!
//! To the agents it is a ring that was taken back, which nobody missed. Who picks up need not be
//! an agent; one who is gets no other call of a queue meanwhile.

use std::time::Duration;

use tandem_kernel::{CallId, Timestamp};

use super::{Attempt, Due, Effect, Offer, OfferStage, Queue, RING_GRACE, Refused, Stage};
use crate::agent::ToAgent;
use crate::queue::event::QueueEvent;
use crate::queue::{Decision, OfferId, QueueNotice};

impl Queue {
    pub(super) fn pick_up(
        &mut self,
        now: Timestamp,
        call: CallId,
        by: String,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let ringing = self.may_be_picked_up(call)?;
        if ringing.contains(&by) {
            return Err(Refused::RingsThere);
        }
        let ring_for = self.pick_up_time(now, call).ok_or(Refused::Leaving)?;
        self.take_away(now, call, &ringing, out);
        let id = self.fresh_offer();
        let stage = OfferStage::Ringing { since: now, heard: false };
        self.offers.insert(id, Offer { call, agent: by.clone(), stage, is_pick_up: true });
        if let Some(caller) = self.callers.get_mut(&call) {
            let until = Some(now + ring_for);
            caller.stage =
                Stage::Attempt(Attempt { offers: [id].into(), until, ..Attempt::default() });
        }
        self.record(QueueEvent::PickedUp { at: now, call, offer: id, by: by.clone() }, out);
        let lease = ring_for + RING_GRACE * 2;
        let message = ToAgent::Seize { offer: id, call, lease };
        out.push(Effect::Tell { agent: by.clone(), message });
        let detail = format!("picks the call up, rings for {} s", ring_for.as_secs());
        let decision = Decision { agent: by.clone(), code: "picked-up", detail };
        out.push(Effect::Decide(call, decision));
        let notice = QueueNotice::Offer { offer: id, agent: by, ring_for };
        out.push(Effect::Notify { call, notice });
        self.arm(Due::Ring(id), ring_for + RING_GRACE, out);
        Ok(())
    }

    /// Those at whose phones the call rings now.
    fn may_be_picked_up(&self, call: CallId) -> Result<Vec<String>, Refused> {
        if !self.callers.contains_key(&call) {
            return Err(Refused::UnknownCaller);
        }
        if !self.is_staying(call) {
            return Err(Refused::Leaving);
        }
        let ringing = self.ringing_for(call);
        // A request has no caller on the line whom one could talk with; who hears the announcement
        // has answered.
        if ringing.is_empty() || self.is_request(call) || self.is_announcing(call) {
            return Err(Refused::NotRinging);
        }
        Ok(ringing)
    }

    /// Never past the maximum wait; none: not at all.
    fn pick_up_time(&self, now: Timestamp, call: CallId) -> Option<Duration> {
        let full = Duration::from_secs(u64::from(self.config.agent.ring_timeout_secs.max(1)));
        let left = self.deadline_of(call).map_or(full, |deadline| deadline.since(now).min(full));
        (!left.is_zero()).then_some(left)
    }

    /// Who rang may ring again in this pass when the call comes back: it was not their fault.
    fn take_away(
        &mut self,
        now: Timestamp,
        call: CallId,
        ringing: &[String],
        out: &mut Vec<Effect>,
    ) {
        for offer in self.cut_offers(now, call, out) {
            let notice = QueueNotice::Withdraw { offer, elsewhere: true };
            out.push(Effect::Notify { call, notice });
        }
        if let Some(caller) = self.callers.get_mut(&call) {
            caller.tried.retain(|agent| !ringing.contains(agent));
        }
    }

    /// Whether it is no agent's turn.
    pub(super) fn is_picked_up(&self, attempt: &Attempt) -> bool {
        let is_it = |id: &OfferId| self.offers.get(id).is_some_and(|offer| offer.is_pick_up);
        attempt.offers.iter().any(is_it)
    }
}
