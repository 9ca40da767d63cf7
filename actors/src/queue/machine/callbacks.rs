//! Requests for a callback: asked for, kept in the line, dialled once, merged.
//!
//! A request is a caller without a leg. Offers go to a call that is started for it, which rings
//! the agents as for any caller; what differs is how it ends.

use std::time::Duration;

use tandem_config::resource::{CallbackMethod, Destination};
use tandem_kernel::{CallId, Timestamp};

use super::callers::micros;
use super::{Caller, Due, Effect, OfferStage, Queue, Refused, Stage, TimerId};
use crate::agent::ToAgent;
use crate::flow::SurveyWords;
use crate::queue::event::QueueEvent;
use crate::queue::request::{CallbackFailure, Order, Request, ReturnCall, Word, is_callable};
use crate::queue::{Exit, OfferEnd, OfferId, QueueNotice};

/// How long a caller may be asked for a number without a word of the call.
pub const REGISTERED_WITHIN: Duration = Duration::from_secs(300);

impl Queue {
    /// A request without its customer on the line.
    pub(super) fn request(&self, call: CallId) -> Option<&Request> {
        self.facts.requests.open.get(&call).filter(|request| request.online.is_none())
    }

    pub(super) fn is_request(&self, call: CallId) -> bool {
        self.request(call).is_some()
    }

    /// Those that take no place of the limit.
    pub(super) fn requests(&self) -> usize {
        let open = self.facts.requests.open.values();
        open.filter(|request| request.online.is_none()).count()
    }

    /// When the stay ends: a request's by Q-149, that of a customer who called again by the
    /// maximum wait from that call on; none: as any caller's.
    pub(super) fn request_deadline(&self, call: CallId) -> Option<Option<Timestamp>> {
        let request = self.facts.requests.open.get(&call)?;
        let (from, limit) = match request.online {
            Some(since) => (since, Duration::from_secs(u64::from(self.config.max_wait_secs))),
            None => (self.facts.waiting_for(call)?.joined_at, self.config.callback_timeout()),
        };
        Some((!limit.is_zero()).then(|| from + limit))
    }

    /// the offer, from the trigger timeout on.
    pub(super) fn arm_callback_offer(
        &mut self,
        now: Timestamp,
        call: CallId,
        out: &mut Vec<Effect>,
    ) {
        let options = &self.config.callback;
        let offers = options.enabled && options.method == CallbackMethod::ByTimeout;
        let timer = self.offered_from(call).filter(|_| offers && !self.is_request(call));
        let timer = timer.map(|at| self.arm(Due::OfferCallback(call), at.since(now), out));
        if let Some(caller) = self.callers.get_mut(&call) {
            caller.callback_offer = timer;
        }
    }

    fn offered_from(&self, call: CallId) -> Option<Timestamp> {
        let waited = self.facts.waiting_for(call)?.joined_at;
        Some(waited + Duration::from_secs(u64::from(self.config.callback.trigger_timeout_secs)))
    }

    /// Interrupts the waiting audio, and again after a while; who presses nothing goes on
    /// waiting.
    pub(super) fn offer_callback(&mut self, call: CallId, timer: TimerId, out: &mut Vec<Effect>) {
        let own = |caller: &&Caller| caller.callback_offer == Some(timer);
        let Some(caller) = self.callers.get(&call).filter(own) else { return };
        if !matches!(caller.stage, Stage::Leaving { .. } | Stage::Registering { .. }) {
            out.push(Effect::Notify { call, notice: QueueNotice::Callback(Order::Offer) });
        }
        let secs = self.config.prompts.announcement_interval_secs;
        let again = Duration::from_secs(u64::from(secs));
        let timer = (secs > 0).then(|| self.arm(Due::OfferCallback(call), again, out));
        if let Some(caller) = self.callers.get_mut(&call) {
            caller.callback_offer = timer;
        }
    }

    /// A key that is no key event's: it may ask for a callback.
    pub(super) fn callback_key(
        &mut self,
        now: Timestamp,
        call: CallId,
        digit: char,
        out: &mut Vec<Effect>,
    ) {
        let options = &self.config.callback;
        let is_key = options.key() == &*digit.encode_utf8(&mut [0; 4]);
        let is_offered = match options.method {
            CallbackMethod::ByKey => true,
            CallbackMethod::ByTimeout => self.offered_from(call).is_some_and(|from| now >= from),
        };
        if options.enabled && is_key && is_offered && !self.is_request(call) {
            self.keep_place(now, call, out);
            out.push(Effect::Notify { call, notice: QueueNotice::Callback(Order::Register) });
        }
    }

    /// nobody rings for a caller who is being asked for a number.
    fn keep_place(&mut self, now: Timestamp, call: CallId, out: &mut Vec<Effect>) {
        self.take_rings_back(now, call, out);
        let lease = self.arm(Due::Register(call), REGISTERED_WITHIN, out);
        if let Some(caller) = self.callers.get_mut(&call) {
            caller.stage = Stage::Registering { lease };
        }
    }

    pub(super) fn take_rings_back(&mut self, now: Timestamp, call: CallId, out: &mut Vec<Effect>) {
        for offer in self.cut_offers(now, call, out) {
            let notice = QueueNotice::Withdraw { offer, elsewhere: false };
            out.push(Effect::Notify { call, notice });
        }
    }

    /// The call has said nothing for too long.
    pub(super) fn registering_overdue(
        &mut self,
        now: Timestamp,
        call: CallId,
        timer: TimerId,
        out: &mut Vec<Effect>,
    ) {
        let stage = self.callers.get(&call).map(|caller| &caller.stage);
        if matches!(stage, Some(Stage::Registering { lease }) if *lease == timer) {
            self.waits_on(now, call, out);
        }
    }

    /// A call's word about a callback.
    pub(super) fn callback_says(
        &mut self,
        now: Timestamp,
        call: CallId,
        word: Word,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        match word {
            Word::Registering => self.registering(now, call, out),
            Word::Registered(number) => self.registered(now, call, number, out),
            Word::NotRegistered => self.not_registered(now, call, out),
            Word::AgentReached { offer, callback } => {
                self.agent_reached(now, call, offer, callback, out)
            }
            Word::Connected { callback } => self.connected(now, call, callback, out),
            Word::Over { callback, why } => self.came_to_nothing(now, call, callback, why, out),
        }
    }

    /// The call says so again, to an actor that did not know.
    fn registering(
        &mut self,
        now: Timestamp,
        call: CallId,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let caller = self.callers.get(&call).ok_or(Refused::UnknownCaller)?;
        if self.is_request(call) || !self.is_staying(call) {
            return Err(Refused::Leaving);
        }
        if !matches!(caller.stage, Stage::Registering { .. }) {
            self.keep_place(now, call, out);
        }
        Ok(())
    }

    /// the place is the request's from here on.
    fn registered(
        &mut self,
        now: Timestamp,
        call: CallId,
        number: Option<String>,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let kept = Effect::NotifyKept { call, notice: QueueNotice::Callback(Order::Kept) };
        if self.is_request(call) {
            out.push(kept);
            return Ok(());
        }
        if !self.is_staying(call) {
            return Err(Refused::UnknownCaller);
        }
        self.take_rings_back(now, call, out);
        let own = self.facts.waiting_for(call).map_or("", |waiting| &waiting.caller);
        let Some(number) = number.filter(|number| is_callable(number, own)) else {
            self.fail(now, call, CallbackFailure::InvalidNumber, out);
            return Ok(());
        };
        self.replace_others(now, call, &number, out);
        self.record(QueueEvent::CallbackRegistered { at: now, call, number }, out);
        out.push(kept);
        self.stand_again(now, call, out);
        Ok(())
    }

    /// The request takes part in the next distribution, unless its time is over.
    pub(super) fn stand_again(&mut self, now: Timestamp, call: CallId, out: &mut Vec<Effect>) {
        if self.deadline_of(call).is_some_and(|deadline| now >= deadline) {
            self.fail(now, call, CallbackFailure::NoIdleAgent, out);
            return;
        }
        self.want(call);
        self.unexplained.insert(call);
        self.arm_deadline(now, call, out);
    }

    /// one open request for a number.
    fn replace_others(
        &mut self,
        now: Timestamp,
        call: CallId,
        number: &str,
        out: &mut Vec<Effect>,
    ) {
        let open = self.facts.requests.open.iter();
        let same = open.filter(|(other, request)| {
            **other != call
                && request.number == number
                && request.dialling.is_none()
                && request.online.is_none()
        });
        for other in same.map(|(other, _)| *other).collect::<Vec<_>>() {
            self.fail(now, other, CallbackFailure::Replaced, out);
        }
    }

    /// the caller goes on waiting at the old place.
    fn not_registered(
        &mut self,
        now: Timestamp,
        call: CallId,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let caller = self.callers.get(&call).ok_or(Refused::UnknownCaller)?;
        if !matches!(caller.stage, Stage::Registering { .. }) {
            return Ok(());
        }
        self.waits_on(now, call, out);
        Ok(())
    }

    fn waits_on(&mut self, now: Timestamp, call: CallId, out: &mut Vec<Effect>) {
        self.want(call);
        self.unexplained.insert(call);
        if self.deadline_of(call).is_some_and(|deadline| now >= deadline) {
            self.leave(now, call, Exit::MaxWait, out);
        }
    }

    /// The call that rings for a request is started with its first offer.
    pub(super) fn send_for(&mut self, call: CallId, out: &mut Vec<Effect>) {
        let Some(request) = self.request(call) else { return };
        let number = request.number.clone();
        let Some(joined_at) = self.facts.waiting_for(call).map(|it| it.joined_at) else { return };
        let Some(caller) = self.callers.get_mut(&call) else { return };
        if std::mem::replace(&mut caller.is_sent, true) {
            return;
        }
        out.push(Effect::CallBack(ReturnCall {
            queue: self.config.number.clone(),
            place: call,
            number,
            prefix: self.config.callback.outbound_prefix.clone(),
            joined_at,
            survey: SurveyWords::of(&self.config),
        }));
    }

    /// the agent is there; the customer is dialled when that is a fact.
    fn agent_reached(
        &mut self,
        now: Timestamp,
        call: CallId,
        id: OfferId,
        callback: CallId,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let request = self.request(call).ok_or(Refused::NoRequest)?;
        if request.dialling.is_some() {
            return Err(Refused::Dialling);
        }
        let agent = self.answering(call, id)?;
        self.take_answered(call, id);
        self.losers(now, call, out);
        // The agent is in a call already, by the call's own word.
        let message = ToAgent::Release { offer: id };
        out.push(Effect::Tell { agent: agent.clone(), message });
        self.forget_misses(&agent);
        let event = QueueEvent::CallbackStarted { at: now, call, offer: id, agent, callback };
        self.record(event, out);
        if let Some(caller) = self.callers.get_mut(&call) {
            caller.stage = Stage::Dialling;
        }
        let notice = QueueNotice::Callback(Order::Dial);
        out.push(Effect::NotifyKept { call, notice });
        Ok(())
    }

    /// The agent who answers by an offer, also by one that the queue had given up.
    pub(super) fn answering(&self, call: CallId, id: OfferId) -> Result<String, Refused> {
        let caller = self.callers.get(&call).ok_or(Refused::UnknownCaller)?;
        let rings =
            self.offers.get(&id).filter(|it| it.call == call && it.stage != OfferStage::Asked);
        let agent = rings.map(|offer| offer.agent.clone());
        agent.or_else(|| caller.withdrawn.get(&id).cloned()).ok_or(Refused::UnknownOffer)
    }

    /// Takes an offer that was answered out of its attempt.
    pub(super) fn take_answered(&mut self, call: CallId, id: OfferId) {
        if self.take_offer(id).is_some()
            && let Some(Caller { stage: Stage::Attempt(attempt), .. }) = self.callers.get_mut(&call)
        {
            attempt.offers.remove(&id);
        }
    }

    /// customer and agent talk.
    fn connected(
        &mut self,
        now: Timestamp,
        call: CallId,
        callback: CallId,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let agent = self.dialled_by(call, callback)?;
        let wait_us = self.waited(now, call);
        self.forget_caller(call);
        let event = QueueEvent::CallbackSucceeded {
            at: now,
            call,
            callback,
            agent: agent.clone(),
            wait_us,
        };
        self.record(event, out);
        let wrap_up = self.wrap_up();
        let message = ToAgent::Answered { offer: OfferId(0), call: callback, wrap_up };
        out.push(Effect::Tell { agent, message });
        out.push(Effect::Rename { from: call, to: callback });
        Ok(())
    }

    fn dialled_by(&self, call: CallId, callback: CallId) -> Result<String, Refused> {
        let request = self.request(call).ok_or(Refused::NoRequest)?;
        let dialling = request.dialling.as_ref().filter(|it| it.callback == callback);
        dialling.map(|it| it.agent.clone()).ok_or(Refused::NoRequest)
    }

    /// The call says that it ends without the customer.
    fn came_to_nothing(
        &mut self,
        now: Timestamp,
        call: CallId,
        callback: CallId,
        why: CallbackFailure,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let request = self.request(call).ok_or(Refused::NoRequest)?;
        if request.dialling.as_ref().is_some_and(|it| it.callback != callback) {
            return Err(Refused::NoRequest);
        }
        // The call ends its rings by itself.
        self.cut_offers(now, call, out);
        if let Some(caller) = self.callers.get_mut(&call) {
            caller.is_sent = false;
        }
        self.fail(now, call, why, out);
        Ok(())
    }

    /// an agent who declines ends the request, unless others still ring.
    pub(super) fn declined(
        &mut self,
        now: Timestamp,
        call: CallId,
        why: OfferEnd,
        out: &mut Vec<Effect>,
    ) {
        let stage = self.callers.get(&call).map(|caller| &caller.stage);
        let rings = matches!(stage, Some(Stage::Attempt(_)));
        if why == OfferEnd::Rejected && !rings && self.is_request(call) {
            self.fail(now, call, CallbackFailure::AgentHungUp, out);
        }
    }

    /// The one way out of a request that came to nothing.
    pub(super) fn fail(
        &mut self,
        now: Timestamp,
        call: CallId,
        reason: CallbackFailure,
        out: &mut Vec<Effect>,
    ) {
        self.take_rings_back(now, call, out);
        self.dismiss(call, out);
        let wait_us = self.waited(now, call);
        self.forget_caller(call);
        self.record(QueueEvent::CallbackFailed { at: now, call, reason, wait_us }, out);
        out.push(Effect::Forget(call));
    }

    /// Ends the call that was started for a request.
    pub(super) fn dismiss(&mut self, call: CallId, out: &mut Vec<Effect>) {
        let Some(caller) = self.callers.get_mut(&call) else { return };
        if std::mem::take(&mut caller.is_sent) {
            let (reason, failover) = (Exit::CallbackRequested, Destination::EndCall);
            out.push(Effect::Notify { call, notice: QueueNotice::Leave { reason, failover } });
        }
    }

    fn waited(&self, now: Timestamp, call: CallId) -> u64 {
        self.facts.waiting_for(call).map_or(0, |waiting| micros(now.since(waiting.joined_at)))
    }

    pub(super) fn forget_caller(&mut self, call: CallId) {
        self.callers.remove(&call);
        self.leaving.remove(&call);
        if let Some(place) = self.facts.place_of(call) {
            self.wanting.remove(&place);
        }
    }

    /// Takes a request back, unless the customer is being dialled.
    pub(super) fn cancel_callback(
        &mut self,
        now: Timestamp,
        call: CallId,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        let request = self.request(call).ok_or(Refused::NoRequest)?;
        if request.dialling.is_some() {
            return Err(Refused::Dialling);
        }
        self.fail(now, call, CallbackFailure::Cancelled, out);
        Ok(())
    }
}
