//! Agents whose phones ring for a queue: by offer, until one answers.

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_kernel::Timestamp;

use super::effect::{Dialled, Effect, HangUp, QueueAct};
use super::facts::Facts;
use super::types::{Device, LegEnd, LegEvent, LegIndex, Party};
use crate::queue::{OfferEnd, OfferId};

#[derive(Debug)]
struct Offer {
    agent: String,
    legs: Vec<LegIndex>,
    told_ringing: bool,
    worst: OfferEnd,
}

/// Who is to ring.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) queue: String,
    pub(super) offer: OfferId,
    pub(super) agent: String,
    pub(super) devices: Vec<Device>,
    pub(super) ring_for: Duration,
}

/// What an event on a leg means for the offers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ring {
    /// The queue is to be told.
    Told(QueueAct),
    /// An agent has answered.
    Answered(OfferId),
    /// Nothing.
    Nothing,
}

/// The offers that ring.
#[derive(Debug, Default)]
pub(super) struct Offers(BTreeMap<OfferId, Offer>);

impl Offers {
    /// Rings an agent's phones, on which `shown` calls; says so when there are none.
    pub(super) fn ring(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        (for_leg, shown): (Option<LegIndex>, &Party),
        wanted: Wanted,
        out: &mut Vec<Effect>,
    ) -> Option<QueueAct> {
        let Wanted { queue, offer, agent, devices, ring_for } = wanted;
        if devices.is_empty() {
            return Some(QueueAct::OfferEnded(offer, OfferEnd::Unreachable));
        }
        let mut legs = Vec::with_capacity(devices.len());
        for device in devices {
            let party = Party::Extension { number: agent.clone(), name: device.name.clone() };
            let leg = facts.add_leg(now, party);
            legs.push(leg);
            let to = Dialled::Agent { device, queue: queue.clone() };
            let caller = shown.clone();
            out.push(Effect::Dial { leg, to, for_leg, caller, give_up: ring_for });
        }
        let worst = OfferEnd::Unreachable;
        self.0.insert(offer, Offer { agent, legs, told_ringing: false, worst });
        None
    }

    /// What happens on a leg that rings.
    pub(super) fn leg(
        &mut self,
        facts: &mut Facts,
        leg: LegIndex,
        event: &LegEvent,
        out: &mut Vec<Effect>,
    ) -> Ring {
        let found = self.0.iter().find(|(_, offer)| offer.legs.contains(&leg));
        let Some(id) = found.map(|(id, _)| *id) else { return Ring::Nothing };
        match event {
            LegEvent::Ringing | LegEvent::EarlyMedia => self.rings(id),
            LegEvent::Answered => Ring::Answered(id),
            LegEvent::Ended(end) => self.ended(id, leg, end),
            LegEvent::Redirected(_) => {
                facts.remove(leg, out);
                self.ended(id, leg, &LegEnd::status(480, "redirected"))
            }
            LegEvent::Trying
            | LegEvent::Held
            | LegEvent::Resumed
            | LegEvent::Dtmf(_)
            | LegEvent::Referred { .. }
            | LegEvent::Joined { .. } => Ring::Nothing,
        }
    }

    fn rings(&mut self, id: OfferId) -> Ring {
        let Some(offer) = self.0.get_mut(&id) else { return Ring::Nothing };
        if std::mem::replace(&mut offer.told_ringing, true) {
            return Ring::Nothing;
        }
        Ring::Told(QueueAct::OfferRinging(id))
    }

    /// a rejected or busy phone ends the attempt at once, when it was the agent's last.
    fn ended(&mut self, id: OfferId, leg: LegIndex, end: &LegEnd) -> Ring {
        let Some(offer) = self.0.get_mut(&id) else { return Ring::Nothing };
        offer.legs.retain(|ringing| *ringing != leg);
        let why = match end.status {
            Some(486 | 600) => OfferEnd::Busy,
            Some(403 | 603) => OfferEnd::Rejected,
            Some(408 | 480 | 487) => OfferEnd::TimedOut,
            _ => OfferEnd::Unreachable,
        };
        if offer.worst == OfferEnd::Unreachable {
            offer.worst = why;
        }
        if !offer.legs.is_empty() {
            return Ring::Nothing;
        }
        let worst = offer.worst;
        self.0.remove(&id);
        Ring::Told(QueueAct::OfferEnded(id, worst))
    }

    /// The agent who has answered; all other phones stop ringing. What other agents' phones
    /// list is the queue's to say; the agent's own have missed nothing.
    pub(super) fn won(
        &mut self,
        facts: &mut Facts,
        id: OfferId,
        leg: LegIndex,
        out: &mut Vec<Effect>,
    ) -> Option<String> {
        let won = self.0.remove(&id)?;
        for other in won.legs.into_iter().filter(|other| *other != leg) {
            facts.hang_up(other, HangUp::ELSEWHERE, out);
        }
        for other in std::mem::take(&mut self.0).into_values().flat_map(|offer| offer.legs) {
            facts.hang_up(other, HangUp::NORMAL, out);
        }
        Some(won.agent)
    }

    /// The queue takes an offer back.
    pub(super) fn withdraw(&mut self, facts: &mut Facts, id: OfferId, out: &mut Vec<Effect>) {
        if id == OfferId::EVERY {
            return self.end(facts, out);
        }
        let Some(offer) = self.0.remove(&id) else { return };
        for leg in offer.legs {
            facts.hang_up(leg, HangUp::NORMAL, out);
        }
    }

    /// Nobody rings any more.
    pub(super) fn end(&mut self, facts: &mut Facts, out: &mut Vec<Effect>) {
        for id in self.0.keys().copied().collect::<Vec<_>>() {
            self.withdraw(facts, id, out);
        }
    }
}
