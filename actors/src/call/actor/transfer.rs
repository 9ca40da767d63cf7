//! Legs that change their call: REFER (RFC 5589) and what one call hands over to another.
//!
//! | In the transferor's call | In their other call | What happens                            |
//! |--------------------------|---------------------|-----------------------------------------|
//! | one talks, or several    | one talks           | the far end there comes here            |
//! | one talks                | anything else       | the far end here goes to their place    |
//! | anything else            | one talks           | the far end there comes to their place  |

use ractor::{ActorRef, MessagingErr, RpcReplyPort};
use tandem_kernel::{CallId, ask};
use tandem_sip::session::ReferId;

use super::CallState;
use crate::call::leg::{Referral, SipLeg};
use crate::call::machine::{Input, LegEvent, LegIndex, Standing};
use crate::call::message::{CallMsg, Claim, Given, Surrender};

/// How long one call waits for another to hand a leg over.
pub(super) const HAND_OVER: std::time::Duration = std::time::Duration::from_secs(2);

/// There is no such dialog (RFC 3261 21.4.19, RFC 3891 3).
pub(super) const NO_DIALOG: u16 = 481;
/// Nobody can be moved now (RFC 3261 21.4.27).
const NOT_NOW: u16 = 491;
/// No ports are left for audio.
const NO_MEDIA: u16 = 503;

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
        let found = referral.replaces.and_then(|dialog| {
            let found = self.exchange.calls.by_dialog(&dialog.call_id)?;
            Some((dialog, found, self.exchange.calls.find(found.0)?))
        });
        let Some((dialog, from, other)) = found else {
            let event = LegEvent::Referred { refer: u64::from(refer), to: referral.number };
            return self.step(myself, Input::Leg(by, event));
        };
        let party = self.call.party_of(by).filter(|_| from.0 != self.id).cloned();
        let Some(party) = party.filter(|_| self.call.standing(by).is_ok()) else {
            return self.tell_referrer(myself, (by, refer), NOT_NOW);
        };
        // A question sideways: asked beside the actor, so that two calls that transfer into
        // each other do not wait for each other.
        self.coming += 1;
        let myself = myself.clone();
        tokio::spawn(async move {
            let claim = Claim { leg: from.1, dialog, by: party };
            let question = |reply| CallMsg::TakeOver { claim, reply };
            let given = ask(&other, HAND_OVER, question).await.unwrap_or(Err(NO_DIALOG));
            let _gone = myself.cast(CallMsg::Taken { by, refer, from, given });
        });
    }

    /// Tells the transferor how it ended.
    fn tell_referrer(
        &mut self,
        myself: &ActorRef<CallMsg>,
        (by, refer): (LegIndex, u32),
        status: u16,
    ) {
        if let Some(leg) = self.legs.get_mut(&by) {
            leg.refer_progress(&self.exchange, myself, (ReferId(refer), status, true));
        }
    }

    /// Whether a leg is the claimant's own, in the dialog that they name (RFC 3891 3, 8).
    ///
    /// # Errors
    /// 481 where there is no such dialog, 403 where it is somebody else's.
    pub(super) fn claimed(&self, claim: &Claim) -> Result<&SipLeg, u16> {
        let leg = self.legs.get(&claim.leg).filter(|leg| leg.is_dialog(&claim.dialog));
        let leg = leg.ok_or(NO_DIALOG)?;
        let party = self.call.party_of(claim.leg).ok_or(NO_DIALOG)?;
        if party.is_by_same_peer(&claim.by) { Ok(leg) } else { Err(403) }
    }

    /// What another call of a transferor's gets from this one.
    pub(super) fn give(&mut self, myself: &ActorRef<CallMsg>, claim: &Claim) -> Result<Given, u16> {
        self.claimed(claim)?;
        match self.call.standing(claim.leg) {
            Ok(Standing::Talks(..)) => {
                let far = self.surrender(myself, claim.leg).ok_or(NO_DIALOG)?;
                Ok(Given::FarEnd(Box::new(far)))
            }
            Ok(Standing::Meets | Standing::Alone) => Ok(Given::Place),
            Err(_) => Err(NOT_NOW),
        }
    }

    /// Lets the far end of a party's talk go, and ends.
    pub(super) fn surrender(
        &mut self,
        myself: &ActorRef<CallMsg>,
        leg: LegIndex,
    ) -> Option<Surrender> {
        let (gone, surrender) = self.take_out(leg)?;
        self.step(myself, Input::Surrendered { gone, to: None });
        Some(surrender)
    }

    /// Takes the far end of a party's talk out of the wire's reach; the machine still has it.
    fn take_out(&mut self, leg: LegIndex) -> Option<(LegIndex, Surrender)> {
        let Ok(Standing::Talks(gone, party)) = self.call.standing(leg) else { return None };
        let sip = self.legs.remove(&gone)?;
        self.exchange.calls.forget_dialog(&sip.call_id, self.id);
        Some((gone, Surrender { party, leg: sip }))
    }

    /// What the transferor's other call gives is joined with this one.
    pub(super) fn taken(
        &mut self,
        myself: &ActorRef<CallMsg>,
        (by, refer): (LegIndex, u32),
        from: (CallId, LegIndex),
        given: Result<Given, u16>,
    ) {
        match (given, self.call.standing(by)) {
            (Ok(Given::FarEnd(far)), Ok(Standing::Talks(..) | Standing::Meets)) => {
                self.join(myself, (by, refer), *far);
            }
            (Ok(Given::FarEnd(far)), Ok(Standing::Alone)) => {
                self.come_in(myself, (by, refer), far);
            }
            (Ok(Given::FarEnd(far)), Err(_)) => {
                // The other call has ended for it, and here is nobody any more.
                self.part_from(myself, far.leg);
                self.tell_referrer(myself, (by, refer), NOT_NOW);
            }
            (Ok(Given::Place), Ok(Standing::Talks(..))) => self.hand_in(myself, (by, refer), from),
            (Ok(Given::Place), _) => self.tell_referrer(myself, (by, refer), NOT_NOW),
            (Err(status), _) => self.tell_referrer(myself, (by, refer), status),
        }
    }

    fn join(&mut self, myself: &ActorRef<CallMsg>, (by, refer): (LegIndex, u32), far: Surrender) {
        let taken = self.call.reserve_leg();
        match far.leg.move_to(&self.exchange, self.leg_id(taken), myself) {
            Ok(leg) => {
                self.add_leg(taken, leg);
                let party = far.party;
                let event = LegEvent::Joined { refer: u64::from(refer), taken, party };
                self.step(myself, Input::Leg(by, event));
            }
            Err(leg) => {
                self.part_from(myself, *leg);
                self.tell_referrer(myself, (by, refer), NO_MEDIA);
            }
        }
    }

    /// The far end of the transferor's other talk goes on here, where they waited.
    fn come_in(
        &mut self,
        myself: &ActorRef<CallMsg>,
        (by, refer): (LegIndex, u32),
        far: Box<Surrender>,
    ) {
        // Their leg says goodbye when somebody has its place.
        self.tell_referrer(myself, (by, refer), 200);
        if let Err(far) = self.put_in(myself, by, far) {
            self.part_from(myself, far.leg);
        }
    }

    /// The far end of this talk goes where the transferor waits.
    fn hand_in(
        &mut self,
        myself: &ActorRef<CallMsg>,
        (by, refer): (LegIndex, u32),
        (call, leg): (CallId, LegIndex),
    ) {
        let other = self.exchange.calls.find(call);
        let Some((other, (gone, moved))) = other.and_then(|it| Some((it, self.take_out(by)?)))
        else {
            return self.tell_referrer(myself, (by, refer), NO_DIALOG);
        };
        let (reply, answer) = ractor::concurrency::oneshot();
        let reply = RpcReplyPort::from(reply);
        let wish = CallMsg::PutIn { leg, moved: Box::new(moved), reply };
        if let Err(MessagingErr::SendErr(CallMsg::PutIn { moved, .. })) = other.cast(wish) {
            return self.handed_in(myself, (by, refer), gone, Some(Err(moved)));
        }
        // Beside the actor: see `referred`.
        self.coming += 1;
        let myself = myself.clone();
        tokio::spawn(async move {
            let outcome = tokio::time::timeout(HAND_OVER, answer).await;
            let outcome = outcome.ok().and_then(Result::ok);
            let _gone = myself.cast(CallMsg::HandedIn { by, refer, gone, outcome });
        });
    }

    /// The other call has the far end now, or it comes back.
    pub(super) fn handed_in(
        &mut self,
        myself: &ActorRef<CallMsg>,
        (by, refer): (LegIndex, u32),
        gone: LegIndex,
        outcome: Option<Result<String, Box<Surrender>>>,
    ) {
        match outcome {
            Some(Err(back)) if self.call.party_of(gone).is_some() => {
                self.add_leg(gone, back.leg);
                self.tell_referrer(myself, (by, refer), NO_DIALOG);
            }
            // The transferor has hung up in the meantime.
            Some(Err(back)) => self.part_from(myself, back.leg),
            Some(Ok(to)) => {
                self.tell_referrer(myself, (by, refer), 200);
                self.step(myself, Input::Surrendered { gone, to: Some(to) });
            }
            None => {
                self.tell_referrer(myself, (by, refer), NO_DIALOG);
                self.step(myself, Input::Surrendered { gone, to: None });
            }
        }
    }
}
