//! Fetching a parked party: its leg comes over from the call that parked it.

use ractor::{ActorRef, RpcReplyPort};
use tandem_kernel::{LegId, ask};

use super::CallState;
use super::transfer::HAND_OVER;
use crate::call::machine::{HangUp, Input};
use crate::call::message::{CallMsg, Surrender};

impl CallState {
    /// Asks the call on a slot for its party, beside the actor.
    pub(super) fn fetch(&mut self, myself: &ActorRef<CallMsg>, request: u32, slot: u16) {
        let other = self.exchange.parking.find(slot);
        let other = other.and_then(|call| self.exchange.calls.find(call));
        self.coming += 1;
        let myself = myself.clone();
        tokio::spawn(async move {
            let parked = match other {
                Some(other) => ask(&other, HAND_OVER, CallMsg::Unpark).await.ok().flatten(),
                None => None,
            };
            let parked = parked.map(Box::new);
            let _gone = myself.cast(CallMsg::Fetched { request, parked });
        });
    }

    /// Hands the parked party over.
    pub(super) fn unpark(
        &mut self,
        myself: &ActorRef<CallMsg>,
        reply: RpcReplyPort<Option<Surrender>>,
    ) {
        let surrendered = self.call.parked().and_then(|(gone, party)| {
            let leg = self.legs.remove(&gone)?;
            self.exchange.calls.forget_dialog(&leg.call_id, self.id);
            self.step(myself, Input::Surrendered { gone, to: None });
            Some(Surrender { party, leg })
        });
        let _gone = reply.send(surrendered);
    }

    /// Takes the parked party in.
    pub(super) fn fetched(
        &mut self,
        myself: &ActorRef<CallMsg>,
        request: u32,
        parked: Option<Box<Surrender>>,
    ) {
        self.coming -= 1;
        let taken = parked.and_then(|parked| {
            let taken = self.call.reserve_leg();
            let id = LegId { call: self.id, index: taken };
            match parked.leg.move_to(&self.exchange, id, myself) {
                Ok(leg) => self.add_leg(taken, leg),
                Err(leg) => {
                    self.part_from(myself, *leg);
                    return None;
                }
            }
            Some((taken, parked.party))
        });
        let leg = taken.as_ref().map(|(leg, _)| *leg);
        let fetched = self.try_step(myself, Input::Fetched { request, taken });
        // Who fetched them has hung up in the meantime.
        if let (Err(_), Some(leg)) = (fetched, leg) {
            self.hang_up(myself, leg, &HangUp::NORMAL);
        }
    }
}
