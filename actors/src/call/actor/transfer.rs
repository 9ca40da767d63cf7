//! Legs that change their call: REFER, Replaces, and what one call hands over to another
//! (RFC 5589).

use ractor::ActorRef;
use tandem_kernel::{LegId, ask};
use tandem_sip::net::Inbound;

use super::CallState;
use crate::call::leg::{Referral, SipLeg};
use crate::call::machine::{Input, LegEvent, LegIndex, Party};
use crate::call::message::{CallMsg, Surrender};

/// How long one call waits for another to hand a leg over.
pub(super) const HAND_OVER: std::time::Duration = std::time::Duration::from_secs(2);

impl CallState {
    pub(super) fn referred(
        &mut self,
        myself: &ActorRef<CallMsg>,
        by: LegIndex,
        referral: Referral,
    ) {
        let Some(leg) = self.legs.get_mut(&by) else { return };
        if referral.number.is_empty() && referral.replaces.is_none() {
            leg.refuse_refer(&self.exchange, myself, referral.id, 400);
            return;
        }
        leg.accept_refer(&self.exchange, myself, referral.id);
        let refer = referral.id.0;
        let other = referral.replaces.and_then(|(call_id, _, _)| {
            let (call, leg) = self.exchange.calls.by_dialog(&call_id)?;
            Some((self.exchange.calls.find(call)?, leg))
        });
        let Some((other, leg)) = other else {
            let event = LegEvent::Referred { refer: u64::from(refer), to: referral.number };
            return self.step(myself, Input::Leg(by, event));
        };
        // A question sideways: asked beside the actor, so that two calls that transfer into
        // each other do not wait for each other.
        let myself = myself.clone();
        tokio::spawn(async move {
            let question = |reply| CallMsg::TakeOver { leg, reply };
            let surrender = ask(&other, HAND_OVER, question).await.ok().flatten().map(Box::new);
            let _gone = myself.cast(CallMsg::Taken { by, refer, surrender });
        });
    }

    pub(super) fn surrender(
        &mut self,
        myself: &ActorRef<CallMsg>,
        leg: LegIndex,
    ) -> Option<Surrender> {
        let (gone, party) = self.call.partner(leg)?;
        let sip = self.legs.remove(&gone)?;
        self.exchange.calls.forget_dialog(&sip.call_id, self.id);
        self.step(myself, Input::Surrendered { gone });
        Some(Surrender { party, leg: sip })
    }

    pub(super) fn taken(
        &mut self,
        myself: &ActorRef<CallMsg>,
        by: LegIndex,
        refer: u32,
        surrender: Option<Box<Surrender>>,
    ) {
        let moved = surrender.and_then(|surrender| {
            let taken = self.call.reserve_leg();
            let id = LegId { call: self.id, index: taken };
            let leg = surrender.leg.move_to(&self.exchange, id, myself).ok()?;
            self.add_leg(taken, leg);
            Some((taken, surrender.party))
        });
        match moved {
            Some((taken, party)) => {
                let event = LegEvent::Joined { refer: u64::from(refer), taken, party };
                self.step(myself, Input::Leg(by, event));
            }
            None => {
                if let Some(leg) = self.legs.get_mut(&by) {
                    let id = tandem_sip::session::ReferId(refer);
                    leg.refer_progress(&self.exchange, myself, (id, 481, true));
                }
            }
        }
    }

    pub(super) fn replace(
        &mut self,
        myself: &ActorRef<CallMsg>,
        old: LegIndex,
        inbound: &Inbound,
        party: Party,
    ) {
        let new = self.call.reserve_leg();
        let id = LegId { call: self.id, index: new };
        let caps = self.caps_of(&party);
        match SipLeg::incoming(&self.exchange, id, inbound, (&party, caps), myself) {
            Ok(leg) => {
                self.add_leg(new, leg);
                self.step(myself, Input::Replaced { old, new, party });
            }
            Err(refusal) => self.exchange.sip.respond(inbound.txn, *refusal),
        }
    }
}
