//! The other flows of a phone that is called: its INVITE is sent along the next one when one has
//! failed, never along two at a time (RFC 5626 7).

use std::time::Duration;

use super::asked::{Asked, Kind, Outcome};
use super::offer::Exchange;
use super::timer::Timer;
use super::{Event, OtherFlow, Party, Session, State};
use crate::message::{Draft, Name};
use crate::value::Reason;

/// How long a flow may stay without any answer, not even 100, before the next one is tried: the
/// transaction's own 32 s (timer B) are longer than phones ring.
const ANSWERS_WITHIN: Duration = Duration::from_secs(4);

/// Flow Failed (RFC 5626 11.1): said by the proxy that had the connection to the phone.
const FLOW_FAILED: u16 = 430;

impl Session {
    /// Looks in time whether the flow of the INVITE says anything, if there is another one.
    pub(super) fn watch_flow(&mut self) {
        if self.has_other_flow() {
            self.arm(Timer::Silence, ANSWERS_WITHIN);
        }
    }

    fn has_other_flow(&self) -> bool {
        let State::Calling(calling) = &self.state else { return false };
        !self.is_over && !calling.other_flows.is_empty()
    }

    /// Whether the flow is to blame for how the INVITE ended, and another one is left. Any other
    /// final answer is the phone's own, and stands for all of its flows.
    pub(super) fn may_try_next_flow(&self, outcome: Outcome<'_>) -> bool {
        let State::Calling(calling) = &self.state else { return false };
        // A phone that has rung had the INVITE.
        let is_unheard = outcome.status == 408 && calling.last_status == 0;
        let is_gone = outcome.status == FLOW_FAILED || outcome.by == Party::Transport;
        (is_gone || is_unheard) && self.has_other_flow()
    }

    /// Sends the INVITE along the next flow.
    pub(super) fn try_next_flow(&mut self, mut asked: Asked) {
        let State::Calling(calling) = &mut self.state else { return };
        let Some(next) = calling.other_flows.pop_front() else { return };
        calling.flow = next.next_hop.flow;
        calling.is_proceeding = false;
        calling.last_status = 0;
        calling.last_media = 0;
        // What a fork has settled by a reliable answer is not settled with this one.
        let offer = calling.has_offer.then(|| asked.draft.body().clone());
        self.exchange = Exchange::first(offer);
        next.local_contact.clone_into(&mut self.identity.local_contact);
        self.identity.sign(&mut asked.draft);
        lead(&mut asked.draft, &next);
        asked.target = next.next_hop;
        self.emit(Event::NextFlow);
        self.send_anew(asked);
        self.watch_flow();
    }

    /// Nothing came along the flow. What was sent may arrive yet, so it is not forgotten.
    pub(super) fn flow_is_silent(&mut self) {
        let State::Calling(calling) = &self.state else { return };
        if calling.is_proceeding || !self.has_other_flow() {
            return;
        }
        let Some(silent) = self.asked.iter_mut().find(|asked| asked.kind == Kind::Invite) else {
            return;
        };
        let again = silent.copy(Kind::Invite);
        silent.kind = Kind::Silent(silent.id);
        self.try_next_flow(again);
    }

    /// The phone has an INVITE in whose place another one was sent: it is taken back (RFC 3261
    /// 9.1). The phone has missed nothing, for it is called by the other one.
    pub(super) fn silent_flow_spoke(&mut self, at: usize) {
        let kind = Kind::TakenBack(self.asked[at].id);
        self.asked[at].kind = kind;
        self.send_cancel(kind, Some(&Reason::elsewhere()));
    }
}

impl Asked {
    /// The same request for another use.
    pub(super) fn copy(&self, kind: Kind) -> Self {
        Self {
            kind,
            id: self.id,
            txn: self.txn,
            draft: self.draft.clone(),
            target: self.target.clone(),
            challenges: self.challenges,
        }
    }
}

/// Leads an INVITE along a flow.
fn lead(draft: &mut Draft, flow: &OtherFlow) {
    draft.set_uri(flow.target.to_string());
    draft.remove(Name::Route);
    for route in &flow.route {
        draft.push(Name::Route, route.as_str());
    }
}
