//! The shell of a call: messages become inputs, effects become packets, sounds and facts.

mod browsers;
mod effects;
mod keeping;
mod lamps;
mod merge;
mod notices;
mod parked;
mod refused;
mod replace;
mod returning;
mod route;
mod sounds;
mod toll;
mod transfer;
mod voicemail;

use keeping::Keeping;
use refused::refusal;
pub(crate) use returning::sender;
pub(crate) use route::{devices, from_trunk, resolve};
use toll::Toll;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tandem_kernel::{Alarms, CallId, LegId};
use tandem_sip::net::Inbound;
use tandem_sip::session::Input as SipInput;

use super::event::CallEvent;
use super::kept::KeptCall;
use super::leg::{Happening, SipLeg};
use super::machine::{
    Call, Device, Errand, Heard, Input, LegEvent, LegIndex, Party, Player, Refused, Route, TimerId,
};
use super::message::CallMsg;
use crate::exchange::Exchange;
use crate::presence::Talk;
use crate::queue::request::ReturnCall;
use crate::queue::{Exit, OfferId, QueueWord};

/// How long an actor stays after its call for the last messages on the wire.
const LINGER: std::time::Duration = std::time::Duration::from_secs(40);

/// How a call begins.
pub enum Start {
    /// An INVITE that was let in.
    Incoming {
        /// The INVITE.
        inbound: Box<Inbound>,
        /// Who calls.
        caller: Party,
        /// What was dialled.
        dialled: String,
        /// Where it leads.
        route: Route,
    },
    /// A wish from the API.
    Originate {
        /// Who rings first.
        caller: Party,
        /// Their phones.
        devices: Vec<Device>,
        /// What is dialled then.
        dialled: String,
        /// How long they ring.
        ring_for: std::time::Duration,
        /// What the asker wants beside the number.
        errand: Box<Errand>,
    },
    /// A queue's wish to call a customer.
    Return(ReturnCall),
    /// Another member's call.
    Adopt {
        /// What is kept of it.
        kept: Box<KeptCall>,
        /// The version of that.
        version: u64,
        /// The member.
        from: u64,
    },
}

/// What a call actor is started with.
pub struct CallArgs {
    /// Its id.
    pub id: CallId,
    /// The node.
    pub exchange: Arc<Exchange>,
    /// How it begins.
    pub start: Start,
}

pub(super) struct CallActor;

pub(super) struct CallState {
    id: CallId,
    exchange: Arc<Exchange>,
    call: Call,
    legs: BTreeMap<LegIndex, SipLeg>,
    /// What the lamps of others show of the legs, by leg: the extension and its state.
    shown: BTreeMap<LegIndex, (String, Talk)>,
    /// Facts of the step in hand, appended together.
    facts: Vec<CallEvent>,
    begun: Begun,
    ended_facts: bool,
    over: bool,
    /// What the call has taken of its extension's and trunks' limits.
    toll: Option<Toll>,
    keeping: Keeping,
    /// Offers to agents whose phones are not known here yet.
    awaited: BTreeSet<OfferId>,
    /// Another member has the call.
    is_lost: bool,
    /// The engine was told that the call is over.
    is_silent: bool,
    /// How many answers are awaited that may bring a leg: the actor stays for them.
    coming: u32,
    /// What each leg hears.
    hearing: BTreeMap<LegIndex, Vec<Heard>>,
    alarms: Alarms,
}

/// Whether the call's first fact is durable. No caller is told that the call is answered before:
/// so a node that is killed has a record of every call that was answered. Its last milliseconds
/// may be missing in it. Telephones take longer to be answered than the commit takes, so
/// nothing waits but what the node answers by itself.
enum Begun {
    /// No fact was written; these legs are answered when one is durable.
    No(Vec<LegIndex>),
    /// The first fact is on its way.
    Waiting(Vec<LegIndex>),
    /// Durable, or not waited for any longer.
    Yes,
}

/// How long an answer waits for the call's first fact: longer than a busy disk takes to sync and
/// a cluster to elect. Beyond it they are in trouble, and the caller matters more than the record.
const FIRST_FACT: std::time::Duration = std::time::Duration::from_secs(2);

impl Actor for CallActor {
    type Msg = CallMsg;
    type State = CallState;
    type Arguments = CallArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<CallMsg>,
        args: CallArgs,
    ) -> Result<CallState, ActorProcessingErr> {
        let CallArgs { id, exchange, start } = args;
        exchange.calls.insert(id, myself.clone());
        let call = Call::new(id, exchange.clock.now());
        let mut state = CallState {
            id,
            alarms: exchange.alarms.alarms(),
            exchange,
            call,
            legs: BTreeMap::new(),
            shown: BTreeMap::new(),
            facts: Vec::new(),
            begun: Begun::No(Vec::new()),
            ended_facts: false,
            over: false,
            toll: None,
            keeping: Keeping::default(),
            awaited: BTreeSet::new(),
            is_lost: false,
            is_silent: false,
            coming: 0,
            hearing: BTreeMap::new(),
        };
        state.start(&myself, start);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<CallMsg>,
        message: CallMsg,
        state: &mut CallState,
    ) -> Result<(), ActorProcessingErr> {
        state.handle(&myself, message);
        state.settle(&myself);
        Ok(())
    }
}

/// Whatever ends the actor, a panic included, the call is not found any more, its media are
/// closed and its record is written.
impl Drop for CallState {
    fn drop(&mut self) {
        self.exchange.calls.remove(self.id);
        self.exchange.parking.forget(self.id);
        self.darken();
        for leg in self.legs.values() {
            self.exchange.calls.forget_dialog(&leg.call_id, self.id);
        }
        self.fall_silent();
        if self.is_lost {
            return;
        }
        self.tell_the_floor();
        if !self.ended_facts {
            self.facts.push(CallEvent::Ended {
                at: self.exchange.clock.now(),
                outcome: "failed".into(),
                cause: "the call's actor crashed".into(),
                talk_us: 0,
                hold_us: 0,
            });
            drop(self.append());
        }
    }
}

impl CallState {
    /// A call that crashed holds no agent and no place in a queue.
    fn tell_the_floor(&self) {
        let call = self.id;
        if let Some((queue, _)) = self.call.waits_in()
            && self.call.known_as() == call
        {
            let word = QueueWord::CallerLeft { call, reason: Exit::System };
            // A queue that is down asks when it is up again, and hears nothing.
            let _told = self.exchange.placed.tell_queue(queue, word, None);
        }
        if let Some((queue, place)) = self.call.stands_for() {
            let word = QueueWord::CallerLeft { call: place, reason: Exit::System };
            // One that is down finds by itself that the call is gone.
            let _told = self.exchange.placed.tell_queue(queue, word, None);
        }
        for extension in self.call.extensions() {
            self.exchange.placed.out_of_call(&extension, call);
        }
    }

    fn start(&mut self, myself: &ActorRef<CallMsg>, start: Start) {
        match start {
            Start::Incoming { inbound, caller, dialled, route } => {
                let caps = self.caps_of(&caller);
                let id = LegId { call: self.id, index: 0 };
                match SipLeg::incoming(&self.exchange, id, &inbound, (&caller, caps), myself) {
                    Ok(leg) => {
                        self.add_leg(0, leg);
                        let route = self.let_out(caller.extension(), route);
                        self.step(myself, Input::Begin { caller, dialled, route });
                    }
                    Err(refusal) => {
                        self.exchange.sip.respond(inbound.txn, *refusal);
                        self.ended_facts = true;
                        self.over = true;
                        myself.stop(None);
                    }
                }
            }
            Start::Originate { caller, devices, dialled, ring_for, errand } => {
                let input = Input::Originate { caller, devices, dialled, ring_for, errand };
                self.step(myself, input);
            }
            Start::Return(wanted) => {
                let dialled = returning::dialled(&self.exchange, &wanted);
                self.step(myself, Input::Return { wanted, dialled });
            }
            Start::Adopt { kept, version, from } => {
                self.keeping = Keeping::from(version);
                self.adopt(myself, *kept, from);
            }
        }
    }

    fn handle(&mut self, myself: &ActorRef<CallMsg>, message: CallMsg) {
        match message {
            CallMsg::Sip { leg, event, slot: _slot } => {
                self.leg_input(myself, leg, SipInput::Wire(event));
            }
            CallMsg::SipTimer { leg, timer } => {
                self.leg_input(myself, leg, SipInput::Timer(timer));
            }
            CallMsg::Browser { leg, line, said } => self.browser_said(myself, leg, line, said),
            CallMsg::PhoneAt { extension } => self.phone_at(myself, &extension),
            CallMsg::PhoneGone { leg, line } => self.phone_gone(myself, leg, line),
            CallMsg::PhoneMoved { leg } => self.phone_moved(myself, leg),
            CallMsg::Timer(timer) if timer == TimerId(u64::MAX) => myself.stop(None),
            CallMsg::Timer(timer) => self.step(myself, Input::Timer(timer)),
            CallMsg::Media(event) => self.media(myself, event),
            CallMsg::Queue { queue, stay, notice } => {
                self.notice(myself, (queue, stay), notice);
            }
            CallMsg::Begun => self.begun(myself),
            CallMsg::Claimed { request, extension, devices } => {
                let is_taken = devices.is_some();
                let outcome = self.try_step(myself, Input::Claimed { request, devices });
                if outcome.is_err() && is_taken {
                    // The customer hung up in the meantime.
                    self.exchange.placed.out_of_call(&extension, self.id);
                }
            }
            CallMsg::Offered { queue, stay, offered, devices } => {
                self.offered(myself, (queue, stay), offered, devices);
            }
            CallMsg::TakenOver => self.taken_over(myself),
            CallMsg::GiveBack { to } => self.give_back(myself, to),
            CallMsg::OfferAgain => self.offer_again(myself),
            CallMsg::CodeDone { prompt } => self.step(myself, Input::CodeDone { prompt }),
            CallMsg::Cue(cue) => self.step(myself, Input::Cue(cue)),
            CallMsg::Command { command, reply } => {
                let outcome = self.try_step(myself, Input::Command(command)).map_err(refusal);
                // Who asked may be gone.
                let _gone = reply.send(outcome);
            }
            CallMsg::View(reply) => {
                let _gone = reply.send(self.call.view());
            }
            CallMsg::MediaFigures(reply) => self.figures(reply),
            CallMsg::TakeOver { claim, reply } => {
                let _gone = reply.send(self.give(myself, &claim));
            }
            CallMsg::Taken { by, refer, from, given } => {
                self.coming -= 1;
                self.taken(myself, (by, refer), from, given);
            }
            CallMsg::PutIn { leg, moved, reply } => {
                let _gone = reply.send(self.put_in(myself, leg, moved));
            }
            CallMsg::HandedIn { by, refer, gone, outcome } => {
                self.coming -= 1;
                self.handed_in(myself, (by, refer), gone, outcome);
            }
            CallMsg::Merge { by, with, reply } => self.merge(myself, by, with, reply),
            CallMsg::Lend { leg, reply } => {
                let _gone = reply.send(self.lend(myself, leg));
            }
            CallMsg::Lent { by, from, lent, reply } => {
                self.coming -= 1;
                let done = lent.and_then(|lent| self.lent(myself, by, from, *lent));
                self.merged(myself, by, done, reply);
            }
            CallMsg::Unpark(reply) => self.unpark(myself, reply),
            CallMsg::Fetched { request, parked } => self.fetched(myself, request, parked),
            CallMsg::Replace { claim, inbound } => self.replace(myself, &claim, &inbound),
        }
    }

    /// Runs the machine, and whatever its effects bring about, to the end.
    fn step(&mut self, myself: &ActorRef<CallMsg>, input: Input) {
        if let Err(refused) = self.try_step(myself, input) {
            tracing::debug!(call = %self.id, %refused, "input refused");
        }
    }

    fn try_step(&mut self, myself: &ActorRef<CallMsg>, input: Input) -> Result<(), Refused> {
        self.run(myself, VecDeque::from([input]))
    }

    fn run(
        &mut self,
        myself: &ActorRef<CallMsg>,
        mut waiting: VecDeque<Input>,
    ) -> Result<(), Refused> {
        let mut first = Ok(());
        let mut is_first = true;
        while let Some(input) = waiting.pop_front() {
            match self.call.step(self.exchange.clock.now(), input) {
                Ok(effects) => {
                    for effect in effects {
                        self.carry_out(myself, effect, &mut waiting);
                    }
                }
                Err(refused) if is_first => first = Err(refused),
                Err(_) => {}
            }
            is_first = false;
        }
        if let Some(pending) = self.append() {
            self.watch(myself, pending);
        }
        self.keep(myself);
        self.show();
        first
    }

    fn leg_input(&mut self, myself: &ActorRef<CallMsg>, index: LegIndex, input: SipInput) {
        let Some(leg) = self.legs.get_mut(&index) else { return };
        let happenings = leg.step(&self.exchange, myself, input);
        if leg.is_closed() {
            self.drop_leg(index);
        }
        for happening in happenings {
            self.happened(myself, index, happening);
        }
        // What the wire brought may be nothing to the machine, and all that was missing.
        self.keep(myself);
    }

    fn happened(&mut self, myself: &ActorRef<CallMsg>, leg: LegIndex, happening: Happening) {
        match happening {
            Happening::Event(event) => {
                if matches!(event, LegEvent::Ended(_)) {
                    self.close_media(leg);
                }
                self.step(myself, Input::Leg(leg, event));
            }
            Happening::Referred(referral) => self.referred(myself, leg, referral),
            Happening::Redirected(uris) => {
                let redirect = self.redirect(leg, &uris);
                self.step(myself, Input::Leg(leg, LegEvent::Redirected(redirect)));
            }
        }
    }

    fn media(&mut self, myself: &ActorRef<CallMsg>, event: tandem_engine::MediaEvent) {
        use tandem_engine::MediaEvent;
        match event {
            MediaEvent::Finished { player, .. } => {
                self.step(myself, Input::Played(Player(player.0)));
            }
            MediaEvent::NotPlayed { player, why, .. } => {
                self.exchange.traces.decision(self.id, "not_played", why);
                self.step(myself, Input::Played(Player(player.0)));
            }
            MediaEvent::NoMedia { leg, for_secs } => {
                let detail = format!("nothing from leg {} for {for_secs} s", leg.index);
                self.exchange.traces.decision(self.id, "no_media", detail);
            }
            MediaEvent::Failed { leg, why } => {
                self.exchange.traces.decision(self.id, "media_failed", why);
                let how = super::machine::HangUp::NORMAL;
                if let Some(sip) = self.legs.get_mut(&leg.index) {
                    sip.hang_up(&self.exchange, myself, &how, None);
                    self.close_media(leg.index);
                }
            }
            // The engine relays digits between legs; this is for who listens to a leg alone.
            MediaEvent::Dtmf { leg, digit, .. } => {
                self.step(myself, Input::Digit(leg.index, digit));
            }
            MediaEvent::MediaBack { .. } => {}
        }
    }

    fn add_leg(&mut self, index: LegIndex, leg: SipLeg) {
        self.exchange.calls.know_dialog(&leg.call_id, self.id, index);
        self.exchange.traces.dialog(self.id, &leg.call_id);
        self.legs.insert(index, leg);
        self.is_silent = false;
    }

    fn drop_leg(&mut self, index: LegIndex) {
        if let Some(leg) = self.legs.remove(&index) {
            self.exchange.calls.forget_dialog(&leg.call_id, self.id);
        }
    }

    /// Ends the actor when the call is over and the wire is quiet.
    fn settle(&mut self, myself: &ActorRef<CallMsg>) {
        let closed: Vec<LegIndex> =
            self.legs.iter().filter(|(_, leg)| leg.is_closed()).map(|(index, _)| *index).collect();
        for index in closed {
            self.drop_leg(index);
        }
        if !self.over {
            return;
        }
        if self.legs.is_empty() && self.coming == 0 {
            myself.stop(None);
        }
    }

    /// Ends all media of the call.
    fn fall_silent(&mut self) {
        if !std::mem::replace(&mut self.is_silent, true) {
            self.exchange.engine.close_call(self.id);
        }
    }

    /// The call is over: it counts no more; its last transactions get some time.
    fn finish(&mut self, myself: &ActorRef<CallMsg>) {
        self.over = true;
        self.exchange.calls.remove(self.id);
        self.fall_silent();
        self.alarms.set(myself, LINGER, || CallMsg::Timer(TimerId(u64::MAX)));
        self.settle(myself);
    }
}
