//! A leg for a leg: who comes by INVITE with Replaces (RFC 3891), or from another call, takes the
//! place of one here, and the old leg says goodbye.

use std::collections::VecDeque;

use ractor::ActorRef;
use tandem_sip::message::Draft;
use tandem_sip::net::Inbound;

use super::CallState;
use super::transfer::NO_DIALOG;
use crate::call::leg::SipLeg;
use crate::call::machine::{HangUp, Input, LegIndex, Party};
use crate::call::message::{CallMsg, Claim, Surrender};

/// What the phone hears whose place is another's now, if it was not answered yet.
const REPLACED: HangUp = HangUp { status: 487, cause: 16, elsewhere: false };

impl CallState {
    pub(super) fn replace(&mut self, myself: &ActorRef<CallMsg>, claim: &Claim, inbound: &Inbound) {
        if let Err(refusal) = self.try_replace(myself, claim, inbound) {
            self.exchange.sip.respond(inbound.txn, *refusal);
        }
    }

    fn try_replace(
        &mut self,
        myself: &ActorRef<CallMsg>,
        claim: &Claim,
        inbound: &Inbound,
    ) -> Result<(), Box<Draft>> {
        let refused = |status| Box::new(Draft::response(&inbound.request, status));
        let (leg, party) = (claim.leg, &claim.by);
        // One that only rings is for its own phone to answer.
        let is_up = self.claimed(claim).map_err(refused)?.is_up();
        if !is_up || self.call.may_replace(leg, party).is_err() {
            return Err(refused(NO_DIALOG));
        }
        if claim.dialog.early_only {
            return Err(refused(486));
        }
        let caps = self.caps_of(party);
        SipLeg::can_come(&self.exchange, inbound, &caps)?;
        let (aside, id) = (self.set_aside(leg), self.leg_id(leg));
        match SipLeg::incoming(&self.exchange, id, inbound, (party, caps), myself) {
            Ok(sip) => {
                self.change_places(myself, (leg, aside), sip, party.clone());
                Ok(())
            }
            Err(refusal) => {
                self.put_back(leg, aside);
                Err(refusal)
            }
        }
    }

    /// A party comes in the place of one here; says which number was dialled.
    ///
    /// # Errors
    /// The party, when there is no such place any more.
    pub(super) fn put_in(
        &mut self,
        myself: &ActorRef<CallMsg>,
        leg: LegIndex,
        moved: Box<Surrender>,
    ) -> Result<String, Box<Surrender>> {
        if self.call.may_replace(leg, &moved.party).is_err() || !self.legs.contains_key(&leg) {
            return Err(moved);
        }
        let (aside, party) = (self.set_aside(leg), moved.party);
        match moved.leg.move_to(&self.exchange, self.leg_id(leg), myself) {
            Ok(sip) => {
                self.change_places(myself, (leg, aside), sip, party);
                Ok(self.call.view().to)
            }
            Err(sip) => {
                self.put_back(leg, aside);
                Err(Box::new(Surrender { party, leg: *sip }))
            }
        }
    }

    /// Lets a leg's media go on under another number, so that new ones can take theirs.
    fn set_aside(&mut self, leg: LegIndex) -> LegIndex {
        let aside = self.call.reserve_leg();
        self.exchange.engine.rename(self.leg_id(leg), aside);
        aside
    }

    fn put_back(&self, leg: LegIndex, aside: LegIndex) {
        self.exchange.engine.rename(self.leg_id(aside), leg);
    }

    /// Lets a leg go on as another, which has come under its number.
    fn change_places(
        &mut self,
        myself: &ActorRef<CallMsg>,
        (leg, aside): (LegIndex, LegIndex),
        sip: SipLeg,
        party: Party,
    ) {
        let old = self.legs.remove(&leg);
        self.add_leg(leg, sip);
        self.hear_again(leg);
        let mut waiting = VecDeque::from([Input::Replaced { leg, party }]);
        self.answer(myself, leg, true, &mut waiting);
        if let Some(old) = old {
            self.say_goodbye(myself, aside, old, &REPLACED);
        }
        // What is refused of it was asked before.
        let _refused = self.run(myself, waiting);
    }

    /// Ends a leg that is in no call any more.
    pub(super) fn part_from(&mut self, myself: &ActorRef<CallMsg>, leg: SipLeg) {
        let farewell = self.call.reserve_leg();
        self.say_goodbye(myself, farewell, leg, &HangUp::NORMAL);
    }

    fn say_goodbye(
        &mut self,
        myself: &ActorRef<CallMsg>,
        farewell: LegIndex,
        mut leg: SipLeg,
        how: &HangUp,
    ) {
        leg.go_by(&self.exchange, self.leg_id(farewell), myself);
        leg.hang_up(&self.exchange, myself, how, None);
        self.add_leg(farewell, leg);
        self.close_media(farewell);
    }
}
