//! Calls that agents miss in a row, until they are paused for it.
//!
//! The count is an agent's in this queue and lives no longer than the actor. It begins again when
//! the agent answers a call of the queue, is paused, or logs out.

use tandem_config::resource::RingStrategy;

use super::{Effect, Member, OfferStage, Queue};
use crate::agent::{Standing, ToAgent};
use crate::queue::event::RingEnd;
use crate::queue::{OfferEnd, OfferId};

impl Queue {
    /// Counts a ring that the agent let pass or declined.
    pub(super) fn note_miss(&mut self, id: OfferId, why: OfferEnd, out: &mut Vec<Effect>) {
        let rule = self.config.agent.auto_pause;
        // with `ring_all` everybody but one misses every call.
        let counts = rule.enabled && self.config.ring_strategy != RingStrategy::RingAll;
        let offer = self.offers.get(&id).filter(|it| it.stage != OfferStage::Asked);
        let offer = offer.filter(|it| !it.is_pick_up);
        let Some(offer) = offer.filter(|_| counts && RingEnd::Ended(why).is_missed()) else {
            return;
        };
        let works = |member: &&mut Member| member.standing.as_ref().is_some_and(takes_calls);
        let Some(member) = self.members.get_mut(&offer.agent).filter(works) else { return };
        member.missed.push(offer.call);
        if member.missed.len() >= usize::from(rule.missed_calls) {
            let message = ToAgent::Missed { calls: std::mem::take(&mut member.missed) };
            out.push(Effect::Tell { agent: offer.agent.clone(), message });
        }
    }

    pub(super) fn forget_misses(&mut self, agent: &str) {
        if let Some(member) = self.members.get_mut(agent) {
            member.missed.clear();
        }
    }

    /// Misses of before do not count when auto-pause is switched on again.
    pub(super) fn forget_misses_if_off(&mut self) {
        if !self.config.agent.auto_pause.enabled {
            self.members.values_mut().for_each(|member| member.missed.clear());
        }
    }
}

impl Member {
    /// Takes from a new standing what it means for the count.
    pub(super) fn follow(&mut self, standing: &Standing) {
        if !takes_calls(standing) {
            self.missed.clear();
        }
    }
}

fn takes_calls(standing: &Standing) -> bool {
    standing.logged_in.is_some() && standing.paused.is_none()
}
