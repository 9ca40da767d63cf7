//! What happens to requests for a callback beside their dialling: calls that are lost, customers
//! who call again, restarts.

use std::collections::BTreeSet;

use tandem_kernel::{CallId, Timestamp};

use super::{Effect, Queue, Stage};
use crate::office::{ActiveView, CallbackState, CallbackView};
use crate::queue::event::QueueEvent;
use crate::queue::request::{CallbackFailure, Order, Request, is_callable};
use crate::queue::{Active, Exit, OfferEnd, QueueNotice};

impl Queue {
    /// What a wish that a caller should leave means for a request.
    pub(super) fn request_leaves(
        &mut self,
        now: Timestamp,
        call: CallId,
        reason: Exit,
        out: &mut Vec<Effect>,
    ) {
        let is_dialling = self.request(call).is_some_and(|it| it.dialling.is_some());
        match reason {
            // It ends by the word of the call that dials.
            _ if is_dialling => {}
            Exit::MaxWait => self.fail(now, call, CallbackFailure::NoIdleAgent, out),
            Exit::QueueRemoved => self.fail(now, call, CallbackFailure::QueueRemoved, out),
            Exit::System => self.lost(now, call, out),
            // Q-122 is about callers who listen; a request waits for its timeout.
            _ => {}
        }
    }

    /// A call is gone that belongs to a request; none: it is a caller's.
    pub(super) fn request_gone(
        &mut self,
        now: Timestamp,
        call: CallId,
        reason: Exit,
        out: &mut Vec<Effect>,
    ) -> Option<()> {
        let request = self.facts.requests.open.get(&call)?;
        if request.online.is_some() {
            // the request was not cancelled by the call in person.
            if !matches!(reason, Exit::CallerHangup | Exit::System) {
                return None;
            }
            self.cut_offers(now, call, out);
            self.record(QueueEvent::CallbackResumed { at: now, call }, out);
            self.stand_again(now, call, out);
            out.push(Effect::Forget(call));
            return Some(());
        }
        let is_sent = self.callers.get(&call).is_some_and(|caller| caller.is_sent);
        if reason == Exit::System && is_sent {
            self.lost(now, call, out);
        } else if !is_sent {
            // The caller has hung up, as was to be.
            out.push(Effect::Forget(call));
        }
        Some(())
    }

    /// The call that was started for a request is lost. What it dialled is not dialled again.
    fn lost(&mut self, now: Timestamp, call: CallId, out: &mut Vec<Effect>) {
        let Some(caller) = self.callers.get_mut(&call) else { return };
        caller.is_sent = false;
        let rings = match &caller.stage {
            Stage::Dialling => {
                return self.fail(now, call, CallbackFailure::Interrupted, out);
            }
            Stage::Attempt(attempt) => attempt.offers.clone(),
            _ => BTreeSet::new(),
        };
        out.push(Effect::Forget(call));
        for offer in rings {
            self.ring_over(now, offer, OfferEnd::Unreachable, out);
        }
    }

    /// The customer calls again: that call stands in the place of the request, and the request
    /// rests while it does.
    pub(super) fn merge(
        &mut self,
        now: Timestamp,
        by: CallId,
        caller: &str,
        out: &mut Vec<Effect>,
    ) -> bool {
        if !is_callable(caller, caller) {
            return false;
        }
        let is_theirs = |call: CallId, request: &Request| {
            let from = self.facts.waiting_for(call).map(|waiting| waiting.caller.as_str());
            request.number == caller || from == Some(caller)
        };
        let open = self
            .facts
            .requests
            .open
            .iter()
            .filter(|(_, request)| request.dialling.is_none() && request.online.is_none());
        let found = open.into_iter().find(|(call, request)| is_theirs(**call, request));
        let Some(call) = found.map(|(call, _)| *call) else { return false };
        self.take_rings_back(now, call, out);
        self.dismiss(call, out);
        self.forget_caller(call);
        out.push(Effect::Forget(call));
        self.record(QueueEvent::CallbackMerged { at: now, call, by }, out);
        true
    }

    /// after a restart nobody is dialled a second time, and those whose time is over fail.
    pub(super) fn reopen_requests(
        &mut self,
        now: Timestamp,
        alive: &BTreeSet<CallId>,
        out: &mut Vec<Effect>,
    ) {
        for (call, request) in self.facts.requests.open.clone() {
            let is_alive = alive.contains(&call);
            if request.online.is_some() {
                if !is_alive {
                    self.record(QueueEvent::CallbackResumed { at: now, call }, out);
                    self.stand_again(now, call, out);
                }
                continue;
            }
            if request.dialling.is_none() {
                // A call of before may not know whom it rings for any more.
                if let Some(caller) = self.callers.get_mut(&call) {
                    caller.is_sent = is_alive;
                }
                self.dismiss(call, out);
                self.stand_again(now, call, out);
                continue;
            }
            if !is_alive {
                self.fail(now, call, CallbackFailure::Interrupted, out);
                continue;
            }
            if let Some(caller) = self.callers.get_mut(&call) {
                caller.stage = Stage::Dialling;
                caller.is_sent = true;
            }
            // The order of before may not have gone out. A call dials once.
            let notice = QueueNotice::Callback(Order::Dial);
            out.push(Effect::NotifyKept { call, notice });
        }
    }

    /// The requests that are open, in the order of the line.
    #[must_use]
    pub fn callbacks(&self) -> Vec<CallbackView> {
        let line = self.facts.waiting.values().filter(|it| self.is_staying(it.call));
        let views = (1..).zip(line).filter_map(|(position, waiting)| {
            let request = self.facts.requests.open.get(&waiting.call)?;
            let ringing = self.ringing_for(waiting.call);
            let (state, agents) = match &request.dialling {
                Some(dialling) => (CallbackState::Dialling, vec![dialling.agent.clone()]),
                None if request.online.is_some() => (CallbackState::Online, ringing),
                None if ringing.is_empty() => (CallbackState::Waiting, ringing),
                None => (CallbackState::Ringing, ringing),
            };
            Some(CallbackView {
                call: waiting.call,
                caller: waiting.caller.clone(),
                number: request.number.clone(),
                position,
                joined_at: waiting.joined_at,
                registered_at: request.registered_at,
                expires_at: self.deadline_of(waiting.call),
                state,
                agents,
            })
        });
        views.collect()
    }

    pub(super) fn active_view(&self, call: CallId, active: &Active) -> ActiveView {
        ActiveView {
            call,
            agent: active.agent.clone(),
            since: active.since,
            is_callback: self.facts.requests.active.contains(&call),
        }
    }
}
