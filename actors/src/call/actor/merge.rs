//! Three and more who talk: the far end of a party's other call comes over to this one.

use ractor::{ActorRef, RpcReplyPort};
use tandem_kernel::{CallId, LegId, ask};
use tandem_sip::session::ReferId;

use super::transfer::HAND_OVER;
use super::{CallState, refusal};
use crate::call::machine::{HangUp, Input, LegIndex};
use crate::call::message::{CallMsg, Surrender};
use crate::office::Refusal;

/// Request Pending: said to a phone whose wish can not be had now (RFC 3261 21.4.27).
const NOT_NOW: u16 = 491;

type Reply = Option<RpcReplyPort<Result<(), Refusal>>>;

impl CallState {
    /// Asks the other call for its far end, if it could be taken in here.
    pub(super) fn merge(
        &mut self,
        myself: &ActorRef<CallMsg>,
        by: LegIndex,
        (from, leg): (CallId, LegIndex),
        reply: Reply,
    ) {
        let gone = || Refusal::NotFound { kind: "call", key: from.to_string() };
        let other = self.call.may_merge(by).map_err(refusal).and_then(|()| {
            let is_other = from != self.id;
            self.exchange.calls.find(from).filter(|_| is_other).ok_or_else(gone)
        });
        let other = match other {
            Ok(other) => other,
            Err(refusal) => return self.merged(myself, by, Err(refusal), reply),
        };
        // Sideways, beside the actor: see `referred`.
        self.coming += 1;
        let myself = myself.clone();
        tokio::spawn(async move {
            let question = |reply| CallMsg::Lend { leg, reply };
            let unavailable = |detail: String| Refusal::Unavailable { detail };
            let lent = ask(&other, HAND_OVER, question).await;
            let lent = lent.unwrap_or_else(|error| Err(unavailable(error.to_string())));
            let _gone = myself.cast(CallMsg::Lent { by, from, lent, reply });
        });
    }

    /// Hands the far end of a party's talk to another call, and ends here.
    pub(super) fn lend(
        &mut self,
        myself: &ActorRef<CallMsg>,
        leg: LegIndex,
    ) -> Result<Box<Surrender>, Refusal> {
        self.call.may_lend(leg).map_err(refusal)?;
        let gone = || Refusal::NotFound { kind: "leg", key: leg.to_string() };
        self.surrender(myself, leg).map(Box::new).ok_or_else(gone)
    }

    /// Takes in what the other call gave.
    pub(super) fn lent(
        &mut self,
        myself: &ActorRef<CallMsg>,
        by: LegIndex,
        from: CallId,
        lent: Surrender,
    ) -> Result<(), Refusal> {
        let taken = self.call.reserve_leg();
        let id = LegId { call: self.id, index: taken };
        match lent.leg.move_to(&self.exchange, id, myself) {
            Ok(leg) => self.add_leg(taken, leg),
            Err(leg) => {
                self.part_from(myself, *leg);
                let detail = "no media ports are free for the far end".into();
                return Err(Refusal::Unavailable { detail });
            }
        }
        let input = Input::Merged { by, taken, party: lent.party, from };
        let merged = self.try_step(myself, input);
        if merged.is_err() {
            // Their call has ended without them, and this one does not take them.
            self.hang_up(myself, taken, &HangUp::NORMAL);
        }
        merged.map_err(refusal)
    }

    /// Says what became of it.
    pub(super) fn merged(
        &mut self,
        myself: &ActorRef<CallMsg>,
        by: LegIndex,
        outcome: Result<(), Refusal>,
        reply: Reply,
    ) {
        if let Some(reply) = reply {
            // Who asked may be gone.
            let _gone = reply.send(outcome);
            return;
        }
        if let (Err(refusal), Some(leg)) = (outcome, self.legs.get_mut(&by)) {
            tracing::debug!(call = %self.id, ?refusal, "not merged");
            leg.refer_progress(&self.exchange, myself, (ReferId(0), NOT_NOW, true));
        }
    }
}
