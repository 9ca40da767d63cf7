//! Carrying out what the call's machine asks for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ractor::{ActorRef, RpcReplyPort};
use tandem_engine::{LegStats, PlayerId, Source};
use tandem_journal::{Append, PendingAppend};
use tandem_kernel::LegId;
use tandem_telemetry::metric;

use super::notices::READ_WITHIN;
use super::{Begun, CallState, FIRST_FACT, route};
use crate::call::event::CallEvent;
use crate::call::leg::{Inherited, SipLeg};
use crate::call::machine::{
    Dialled, Effect, HangUp, Heard, Input, LegEnd, LegEvent, LegIndex, Party, Player, QueueAct,
};
use crate::call::message::CallMsg;
use crate::entity;
use crate::flow::Cue;
use crate::office::TraceItem;
use crate::queue::{CallSink, QueueWord};
use crate::trace::media_item;

/// How often a member that is cut off looks whether it is heard again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl CallState {
    pub(super) fn carry_out(
        &mut self,
        myself: &ActorRef<CallMsg>,
        effect: Effect,
        waiting: &mut VecDeque<Input>,
    ) {
        match effect {
            Effect::Dial { leg, to, for_leg, caller, give_up } => {
                let waiting_leg = for_leg.and_then(|leg| self.legs.get(&leg));
                let inherited = waiting_leg.map(SipLeg::inheritance).unwrap_or_default();
                if let Err(end) = self.dial(myself, leg, (&to, &caller), inherited, give_up) {
                    waiting.push_back(Input::Leg(leg, LegEvent::Ended(end)));
                }
            }
            Effect::Ring(leg) => self.on_leg(leg, |sip, exchange| sip.ring(exchange, myself)),
            Effect::Progress(leg) => self.answer(myself, leg, false, waiting),
            Effect::Answer(leg) => match &mut self.begun {
                Begun::Yes => self.answer(myself, leg, true, waiting),
                Begun::No(legs) | Begun::Waiting(legs) => legs.push(leg),
            },
            Effect::HangUp(leg, how) => self.hang_up(myself, leg, &how),
            Effect::Hear(leg, heard) => self.hear(leg, heard),
            Effect::Play(player, sound) => self.play(myself, player, sound),
            Effect::StopPlaying(Player(number)) => {
                self.exchange.engine.stop(self.id, PlayerId(number));
            }
            Effect::SendDtmf(leg, digit) => {
                self.exchange.engine.send_dtmf(self.leg_id(leg), digit.to_string());
            }
            Effect::Route { request, dialled, by, wish } => {
                let route = route::resolve(&self.exchange, &by, &dialled, &wish);
                let route = self.let_out(by.extension(), route);
                waiting.push_back(Input::Routed { request, route });
            }
            Effect::RouteDestination { request, destination, by } => {
                let route = route::destination(&self.exchange, &by, &destination);
                let route = self.let_out(by.extension(), route);
                waiting.push_back(Input::Routed { request, route });
            }
            Effect::Fetch { request, slot } => self.fetch(myself, request, slot),
            Effect::FreeSlot(slot) => self.exchange.parking.free(slot, self.id),
            Effect::Queue(queue, act) => self.tell_queue(myself, &queue, act, waiting),
            Effect::InCall(extension) => self.exchange.placed.in_call(&extension, self.id),
            Effect::OutOfCall(extension) => {
                self.exchange.placed.out_of_call(&extension, self.id);
            }
            Effect::Claim { request, extension, grace } => {
                self.claim(myself, request, extension, grace);
            }
            Effect::Code { extension, code } => self.code(myself, extension, code),
            Effect::LookUp(digits) => {
                let directory = self.exchange.provisioning.directory();
                let (is_extension, is_open) = directory.dialling(&digits);
                waiting.push_back(Input::Cue(Cue::LookedUp { is_extension, is_open }));
            }
            Effect::RecordMessage { leg, mailbox } => self.record_message(myself, leg, &mailbox),
            Effect::EndRecording(leg) => self.exchange.engine.end_recording(self.leg_id(leg)),
            Effect::ChangeMessage { mailbox, id, change } => {
                self.change_message(myself, (mailbox, id), change);
            }
            Effect::TransferProgress { leg, refer, status, last } => {
                let id = tandem_sip::session::ReferId(u32::try_from(refer).unwrap_or(u32::MAX));
                self.on_leg(leg, |sip, exchange| {
                    sip.refer_progress(exchange, myself, (id, status, last));
                });
            }
            Effect::Arm(timer, after) => {
                self.alarms.set(myself, after, move || CallMsg::Timer(timer));
            }
            Effect::Record(event) => {
                self.count(&event);
                self.facts.push(event);
            }
            Effect::Decide(code, detail) => self.exchange.traces.decision(self.id, code, detail),
            Effect::Over => self.finish(myself),
        }
    }

    fn dial(
        &mut self,
        myself: &ActorRef<CallMsg>,
        leg: LegIndex,
        (to, caller): (&Dialled, &Party),
        inherited: Inherited,
        give_up: Duration,
    ) -> Result<(), LegEnd> {
        let id = self.leg_id(leg);
        let (sip, happenings) =
            SipLeg::dial(&self.exchange, id, (to, caller), inherited, give_up, myself)?;
        if let Dialled::Line(line) = to {
            self.tried_by(&line.trunk);
        }
        self.add_leg(leg, sip);
        for happening in happenings {
            self.happened(myself, leg, happening);
        }
        Ok(())
    }

    pub(super) fn leg_id(&self, leg: LegIndex) -> LegId {
        LegId { call: self.id, index: leg }
    }

    fn on_leg(&mut self, leg: LegIndex, act: impl FnOnce(&mut SipLeg, &crate::exchange::Exchange)) {
        if let Some(sip) = self.legs.get_mut(&leg) {
            act(sip, &self.exchange);
        }
    }

    /// 183 or 200, with the codec of the only other leg that has one.
    pub(super) fn answer(
        &mut self,
        myself: &ActorRef<CallMsg>,
        leg: LegIndex,
        finally: bool,
        waiting: &mut VecDeque<Input>,
    ) {
        let others = self.legs.iter().filter(|(index, _)| **index != leg);
        let prefer = others.filter_map(|(_, sip)| sip.codec()).next_back();
        let exchange = Arc::clone(&self.exchange);
        // One that was put in the place of a caller who waited is answered.
        let Some(sip) = self.legs.get_mut(&leg).filter(|sip| !sip.is_up()) else { return };
        let happenings = if finally {
            sip.answer(&exchange, myself, prefer)
        } else {
            sip.progress(&exchange, myself, prefer)
        };
        for happening in happenings {
            if let super::Happening::Event(event) = happening {
                waiting.push_back(Input::Leg(leg, event));
            }
        }
    }

    pub(super) fn hang_up(&mut self, myself: &ActorRef<CallMsg>, leg: LegIndex, how: &HangUp) {
        let retry_after = (how.status == 503).then_some(5);
        self.on_leg(leg, |sip, exchange| sip.hang_up(exchange, myself, how, retry_after));
        self.close_media(leg);
    }

    fn hear(&mut self, leg: LegIndex, heard: Vec<Heard>) {
        self.hearing.insert(leg, heard);
        self.hear_again(leg);
    }

    /// Tells the engine what a leg hears.
    pub(super) fn hear_again(&self, leg: LegIndex) {
        let heard = self.hearing.get(&leg).into_iter().flatten();
        let sources = heard.map(|heard| match heard {
            Heard::Leg(other) => Source::Leg(self.leg_id(*other)),
            Heard::Player(Player(number)) => Source::Player(PlayerId(*number)),
        });
        self.exchange.engine.hear(self.leg_id(leg), sources.collect());
    }

    pub(super) fn tell_queue(
        &mut self,
        myself: &ActorRef<CallMsg>,
        queue: &str,
        act: QueueAct,
        waiting: &mut VecDeque<Input>,
    ) {
        let (call, is_join) = (self.call.known_as(), matches!(act, QueueAct::Join { .. }));
        let mut reply_to: Option<CallSink> = None;
        let word = match act {
            QueueAct::Join { stay } => {
                let (asker, queue) = (myself.clone(), queue.to_owned());
                reply_to = Some(Arc::new(move |notice| {
                    let queue = queue.clone();
                    asker.cast(CallMsg::Queue { queue, stay: Some(stay), notice }).is_ok()
                }));
                let (caller, caller_name) = (self.call.view().from, self.call.caller_name());
                QueueWord::Join { call, stay, caller, caller_name }
            }
            QueueAct::Moved => QueueWord::Moved { call },
            QueueAct::CallerGone => QueueWord::CallerGone { call },
            QueueAct::CallerLeft(reason) => QueueWord::CallerLeft { call, reason },
            QueueAct::Greeted => QueueWord::Greeted { call },
            QueueAct::Place => QueueWord::Place { call },
            QueueAct::Callback(word) if word.is_of_place() => {
                QueueWord::Callback { call: self.call.place(), word }
            }
            QueueAct::Callback(word) => QueueWord::Callback { call, word },
            QueueAct::Digit(digit) => QueueWord::Digit { call, digit },
            QueueAct::OfferRinging(offer) => QueueWord::OfferRinging { call, offer },
            QueueAct::OfferAnnouncing(offer) => QueueWord::OfferAnnouncing { call, offer },
            QueueAct::OfferAnswered(offer) => QueueWord::OfferAnswered { call, offer },
            QueueAct::OfferEnded(offer, why) => QueueWord::OfferEnded { call, offer, why },
            QueueAct::CallEnded { agent, by, talk } => {
                // A talk is known by the call that goes on.
                QueueWord::CallEnded { call: self.id, agent, by, talk }
            }
        };
        // A queue that has just been removed tells its callers so itself, and one that is only
        // being started, or moved to another member, is asked again.
        let is_told = self.exchange.placed.tell_queue(queue, word, reply_to);
        if !is_told && is_join && self.exchange.provisioning.directory().queue(queue).is_none() {
            waiting.push_back(Input::QueueLeft {
                exit: crate::queue::Exit::QueueRemoved,
                failover: tandem_config::resource::Destination::EndCall,
            });
        }
    }

    /// Takes an agent if they are free. Asked beside the actor, so that nobody waits for
    /// somebody who waits.
    fn claim(&self, myself: &ActorRef<CallMsg>, request: u32, extension: String, grace: Duration) {
        let exchange = Arc::clone(&self.exchange);
        let (myself, call) = (myself.clone(), self.id);
        tokio::spawn(async move {
            let is_free = exchange.placed.claim(&extension, call, grace).await;
            let found = is_free.then(|| route::devices(&exchange, &extension));
            let devices = found.filter(|devices| !devices.is_empty());
            let is_taken = devices.is_some();
            let agent = extension.clone();
            let told = myself.cast(CallMsg::Claimed { request, extension: agent, devices });
            if is_free && (!is_taken || told.is_err()) {
                exchange.placed.out_of_call(&extension, call);
            }
        });
    }

    fn code(&self, myself: &ActorRef<CallMsg>, extension: String, code: String) {
        let exchange = Arc::clone(&self.exchange);
        let myself = myself.clone();
        tokio::spawn(async move {
            let prompt = crate::codes::carry_out(&exchange, &extension, &code).await;
            let _gone = myself.cast(CallMsg::CodeDone { prompt: prompt.to_owned() });
        });
    }

    /// Appends the facts of a step, in order, behind what is said on the wire.
    pub(super) fn append(&mut self) -> Option<PendingAppend> {
        if self.facts.is_empty() {
            return None;
        }
        let facts = std::mem::take(&mut self.facts);
        if let Some(CallEvent::Ended { outcome, .. }) = facts.last() {
            self.ended_facts = true;
            metric::CALLS.increment_with("outcome", known_outcome(outcome));
            let length = self.exchange.clock.now().since(self.call.started_at());
            metric::CALL_DURATION.record(length);
        }
        let append = Append {
            entity: entity::call(self.id),
            expected: None,
            epoch: 0,
            op_id: None,
            events: facts.iter().map(entity::encode).collect(),
        };
        if self.ended_facts && !self.exchange.placed.placement().may_speak() {
            self.end_later(append);
            return None;
        }
        // Call set-up does not wait for the commit; the journal keeps the order of the appends.
        Some(self.exchange.journal.gather(append))
    }

    /// No quorum hears this member, so another may have the call by now, and it goes on there. That
    /// it has ended is said when it is known whose it is.
    fn end_later(&self, append: Append) {
        let (exchange, call) = (Arc::clone(&self.exchange), self.id);
        tandem_kernel::spawn("call end", async move {
            while !exchange.placed.placement().may_speak() {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            tokio::time::sleep(READ_WITHIN).await;
            if exchange.kept.home(call) != exchange.journal.node() {
                tracing::warn!(%call, "another member goes on with a call that has ended here");
                return;
            }
            if let Err(error) = exchange.journal.keep(append).await {
                tracing::error!(%call, %error, "a call's end was not kept");
            }
        });
    }

    /// Waits for the call's first fact beside the actor.
    pub(super) fn watch(&mut self, myself: &ActorRef<CallMsg>, pending: PendingAppend) {
        let Begun::No(legs) = &mut self.begun else { return };
        self.begun = Begun::Waiting(std::mem::take(legs));
        let (call, myself) = (self.id, myself.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(FIRST_FACT, pending).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::error!(%call, %error, "a call's facts were not kept"),
                Err(_) => tracing::warn!(%call, "a call's first fact takes long to be kept"),
            }
            let _gone = myself.cast(CallMsg::Begun);
        });
    }

    /// The first fact is kept: answers what waited for it.
    pub(super) fn begun(&mut self, myself: &ActorRef<CallMsg>) {
        let Begun::Waiting(legs) = std::mem::replace(&mut self.begun, Begun::Yes) else { return };
        let mut waiting = VecDeque::new();
        for leg in legs {
            self.answer(myself, leg, true, &mut waiting);
        }
        // What the machine refuses of it is not for anybody else.
        let _refused = self.run(myself, waiting);
    }

    /// Ends the leg's media and keeps its figures for the trace.
    pub(super) fn close_media(&self, leg: LegIndex) {
        let (traces, call) = (Arc::clone(&self.exchange.traces), self.id);
        let told = Box::new(move |stats: LegStats| {
            metric::RTP_LOST.add(stats.lost);
            traces.media(call, leg, stats);
        });
        self.exchange.engine.close_told(self.leg_id(leg), told);
    }

    pub(super) fn figures(&self, reply: RpcReplyPort<Vec<TraceItem>>) {
        let legs: Vec<LegIndex> = self.legs.keys().copied().collect();
        let asked: Vec<_> =
            legs.iter().map(|leg| (*leg, self.exchange.engine.stats(self.leg_id(*leg)))).collect();
        let exchange = Arc::clone(&self.exchange);
        tokio::spawn(async move {
            let mut items = Vec::new();
            for (leg, figures) in asked {
                if let Ok(stats) = figures.await {
                    items.push(media_item(exchange.clock.now(), leg, &stats));
                }
            }
            let _gone = reply.send(items);
        });
    }
}

/// Metric labels are of a closed set.
fn known_outcome(outcome: &str) -> &'static str {
    const KNOWN: [&str; 11] = [
        "abandoned",
        "answered",
        "busy",
        "callback_requested",
        "cancelled",
        "completed",
        "missed",
        "no_answer",
        "rejected",
        "interrupted",
        "voicemail",
    ];
    KNOWN.into_iter().find(|known| *known == outcome).unwrap_or("failed")
}
