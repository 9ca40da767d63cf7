//! An agent who has answered and hears the announcement before the caller. The caller
//! waits until then: the wait ends when the two are put through.

use std::time::Duration;

use tandem_kernel::{CallId, Timestamp};

use super::{Caller, Due, Effect, Offer, OfferStage, Queue, RING_GRACE, Refused, Stage};
use crate::agent::ToAgent;
use crate::queue::{Decision, OfferEnd, OfferId};

/// How long an announcement to the agent may take; then the caller is put through all the same.
pub const ANNOUNCED_WITHIN: Duration = Duration::from_secs(300);

impl Queue {
    /// The agent is kept, and nobody else rings for the caller any more.
    pub(super) fn offer_announcing(
        &mut self,
        now: Timestamp,
        call: CallId,
        id: OfferId,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let rings = |offer: &&mut Offer| {
            offer.call == call && matches!(offer.stage, OfferStage::Ringing { .. })
        };
        let offer = self.offers.get_mut(&id).filter(rings).ok_or(Refused::UnknownOffer)?;
        offer.stage = OfferStage::Announcing;
        let agent = offer.agent.clone();
        self.keep_only(call, id);
        self.losers(now, call, out);
        if let Some(Caller { stage: Stage::Attempt(attempt), silent, .. }) =
            self.callers.get_mut(&call)
        {
            attempt.offers.insert(id);
            *silent = 0;
        }
        let lease = ANNOUNCED_WITHIN + RING_GRACE;
        self.arm(Due::Announce(id), lease, out);
        let message = ToAgent::Prolong { offer: id, lease: lease + RING_GRACE };
        out.push(Effect::Tell { agent: agent.clone(), message });
        let detail = "has answered and hears the announcement".to_owned();
        out.push(Effect::Decide(call, Decision { agent, code: "agent-announcement", detail }));
        Ok(())
    }

    /// Takes an offer out of its attempt, so that the others are those who lost.
    fn keep_only(&mut self, call: CallId, id: OfferId) {
        if let Some(Caller { stage: Stage::Attempt(attempt), .. }) = self.callers.get_mut(&call) {
            attempt.offers.remove(&id);
        }
    }

    /// Whether an agent hears the announcement for this caller.
    pub(super) fn is_announcing(&self, call: CallId) -> bool {
        let announcing =
            |offer: &Offer| offer.call == call && offer.stage == OfferStage::Announcing;
        let Some(Caller { stage: Stage::Attempt(attempt), .. }) = self.callers.get(&call) else {
            return false;
        };
        attempt.offers.iter().filter_map(|id| self.offers.get(id)).any(announcing)
    }

    /// The call should have put the agent through by itself.
    pub(super) fn announcing_overdue(
        &mut self,
        now: Timestamp,
        id: OfferId,
        out: &mut Vec<Effect>,
    ) {
        if self.offers.get(&id).is_some_and(|offer| offer.stage == OfferStage::Announcing) {
            self.silent(now, id, OfferEnd::AgentGone, out);
        }
    }
}
