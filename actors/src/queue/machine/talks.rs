//! Callers of whom the queue knows less than their calls: the actor before this one let phones
//! ring, and its member died before it had written down that the caller came, or whom it rang.

use std::time::Duration;

use tandem_kernel::{CallId, Timestamp};

use super::arrivals::ANY_STAY;
use super::{Due, Effect, Queue, Refused, Stage};
use crate::queue::event::QueueEvent;
use crate::queue::{AgentTalk, Exit, OfferId, Party, QueueNotice};

/// How long it is looked for word of callers who can not be reached, where there may be any.
pub const FOUND_WITHIN: Duration = Duration::from_secs(5);

/// Whatever rings for a call rings no more.
pub(super) fn silence(call: CallId, out: &mut Vec<Effect>) {
    let notice = QueueNotice::Withdraw { offer: OfferId::EVERY, elsewhere: false };
    out.push(Effect::Notify { call, notice });
}

impl Queue {
    /// A caller talks with an agent, or did. Who is not known counts from now on; who waits, as far
    /// as is known here, waits no more.
    pub(super) fn talks(
        &mut self,
        now: Timestamp,
        talk: AgentTalk,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        if self.is_request(talk.call) {
            // Its agents answer for the call that dials.
            return Err(Refused::UnknownOffer);
        }
        let (call, agent, over) = (talk.call, talk.agent.clone(), talk.over);
        if !self.facts.active.contains_key(&call) {
            self.learn_of(now, talk, out)?;
        }
        match over {
            Some(talk) => self.call_ended(now, call, &agent, Party::System, talk, out),
            None => Ok(()),
        }
    }

    fn learn_of(
        &mut self,
        now: Timestamp,
        talk: AgentTalk,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let AgentTalk { call, stay, caller, caller_name, agent, wait, is_counted, over: _ } = talk;
        if is_counted {
            return Err(Refused::StayIsOver);
        }
        if self.callers.contains_key(&call) {
            self.cut_offers(now, call, out);
            if let Some(place) = self.facts.place_of(call) {
                self.wanting.remove(&place);
            }
        } else if self.left.knows(call, ANY_STAY) {
            return Err(Refused::StayIsOver);
        } else {
            self.record(QueueEvent::Joined { at: now, call, caller, caller_name }, out);
        }
        // That they want in may be on its way still.
        self.came.note(now, call, stay);
        self.served(now, (call, OfferId::EVERY), agent, wait, out);
        Ok(())
    }

    /// A caller can not be reached: they have left, unless they are heard of within a while.
    pub(super) fn lose(&mut self, now: Timestamp, call: CallId, out: &mut Vec<Effect>) {
        if self.patience.is_zero() {
            return self.exit(now, call, Exit::System, now, out);
        }
        if self.leaving.contains(&call) {
            return;
        }
        self.cut_offers(now, call, out);
        let Some(caller) = self.callers.get_mut(&call) else { return };
        caller.stage = Stage::Leaving { reason: Exit::System, since: now };
        self.leaving.insert(call);
        self.missing.insert(call);
        self.arm(Due::Leave(call), self.patience, out);
    }

    /// Whether a caller who says that they wait could not be reached before: they stay.
    pub(super) fn found_again(&mut self, call: CallId) -> bool {
        let is_missing = self.missing.remove(&call);
        if is_missing {
            self.leaving.remove(&call);
            self.want(call);
            self.unexplained.insert(call);
        }
        is_missing
    }

    /// Whether it is to be waited for more word of a caller who is said to be lost.
    pub(super) fn may_be_found(&self, call: CallId, reason: Exit) -> bool {
        let may_come = self.is_staying(call) || self.missing.contains(&call);
        reason == Exit::System && !self.patience.is_zero() && may_come
    }

    /// A caller leaves, one way or the other.
    pub(super) fn forget(&mut self, now: Timestamp, call: CallId) {
        self.callers.remove(&call);
        self.leaving.remove(&call);
        self.missing.remove(&call);
        self.left.note(now, call, ANY_STAY);
    }
}
