//! A caller in a queue: music, offers to agents, one exit.

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_config::resource::Destination;
use tandem_kernel::Timestamp;

use super::Stage;
use super::bridge::{Bridge, QueueTalk};
use super::effect::{Dialled, Effect, HangUp, QueueAct};
use super::facts::Facts;
use super::types::{Device, Input, LegEnd, LegEvent, LegIndex, Party, TimerId};
use super::voice::Voice;
use crate::office::QueuePassage;
use crate::queue::{Exit, OfferEnd, OfferId};

/// How long the queue may take to say that the caller is in; then it is asked again.
const JOINED_WITHIN: Duration = Duration::from_secs(2);
/// How often it is asked before the caller is let go: a queue's actor that crashed and has much
/// to read may take half a minute to be back.
const MAX_ASKS: u8 = 15;

#[derive(Debug)]
struct Offer {
    agent: String,
    legs: Vec<LegIndex>,
    told_ringing: bool,
    worst: OfferEnd,
}

/// One stay in one queue.
#[derive(Debug)]
pub(super) struct Passage {
    pub(super) queue: String,
    pub(super) stay: u32,
    /// Runs until the queue has taken the caller in.
    asking: Option<TimerId>,
    asks: u8,
    caller: LegIndex,
    since: Timestamp,
    voice: Voice,
    offers: BTreeMap<OfferId, Offer>,
}

impl Passage {
    pub(super) fn join(
        facts: &mut Facts,
        now: Timestamp,
        caller: LegIndex,
        queue: String,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let voice = Voice::begin(facts, caller, queue.clone(), out);
        let stay = facts.fresh_stay();
        let offers = BTreeMap::new();
        let mut passage =
            Self { queue, stay, asking: None, asks: 0, caller, since: now, voice, offers };
        passage.ask(facts, out);
        Stage::Queued(passage)
    }

    /// Asks to be taken in, until the queue says so: what was on its way to an actor that crashed
    /// is lost.
    fn ask(&mut self, facts: &mut Facts, out: &mut Vec<Effect>) {
        self.asks += 1;
        self.tell(QueueAct::Join { stay: self.stay }, out);
        let timer = facts.fresh_timer();
        self.asking = Some(timer);
        out.push(Effect::Arm(timer, JOINED_WITHIN));
    }

    fn ask_again(mut self, facts: &mut Facts, now: Timestamp, out: &mut Vec<Effect>) -> Stage {
        if self.asks < MAX_ASKS {
            self.ask(facts, out);
            return Stage::Queued(self);
        }
        out.push(Effect::Decide("queue_silent", "the queue takes nobody in".to_owned()));
        self.left(facts, now, Exit::System, Destination::EndCall, out)
    }

    fn tell(&self, act: QueueAct, out: &mut Vec<Effect>) {
        out.push(Effect::Queue(self.queue.clone(), act));
    }

    pub(super) fn input(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        input: Input,
        out: &mut Vec<Effect>,
    ) -> Stage {
        match input {
            Input::QueueJoined => {
                self.asking = None;
                Stage::Queued(self)
            }
            Input::Timer(timer) if self.asking == Some(timer) => self.ask_again(facts, now, out),
            input @ (Input::Announce(_)
            | Input::Place { .. }
            | Input::Played(_)
            | Input::Timer(_)) => {
                if self.voice.input(facts, now, input, out) {
                    self.tell(QueueAct::Greeted, out);
                }
                Stage::Queued(self)
            }
            Input::Digit(leg, digit) if leg == self.caller => {
                self.tell(QueueAct::Digit(digit), out);
                Stage::Queued(self)
            }
            Input::QueueLeft { exit, failover } => self.left(facts, now, exit, failover, out),
            Input::Offered { offer, agent, devices, ring_for } => {
                self.offered(facts, now, offer, agent, devices, ring_for, out);
                Stage::Queued(self)
            }
            Input::Withdrawn { offer, elsewhere } => {
                if let Some(offer) = self.offers.remove(&offer) {
                    let how = if elsewhere { HangUp::ELSEWHERE } else { HangUp::NORMAL };
                    for leg in offer.legs {
                        facts.hang_up(leg, how.clone(), out);
                    }
                }
                Stage::Queued(self)
            }
            _ => Stage::Queued(self),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn offered(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        offer: OfferId,
        agent: String,
        devices: Vec<Device>,
        ring_for: Duration,
        out: &mut Vec<Effect>,
    ) {
        self.asking = None;
        if devices.is_empty() {
            self.tell(QueueAct::OfferEnded(offer, OfferEnd::Unreachable), out);
            return;
        }
        let mut legs = Vec::with_capacity(devices.len());
        for device in devices {
            let party = Party::Extension { number: agent.clone(), name: device.name.clone() };
            let leg = facts.add_leg(now, party);
            legs.push(leg);
            let caller = facts.party(self.caller);
            let to = Dialled::Device(device);
            let for_leg = Some(self.caller);
            out.push(Effect::Dial { leg, to, for_leg, caller, give_up: ring_for });
        }
        let worst = OfferEnd::Unreachable;
        self.offers.insert(offer, Offer { agent, legs, told_ringing: false, worst });
    }

    pub(super) fn leg(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        leg: LegIndex,
        event: LegEvent,
        out: &mut Vec<Effect>,
    ) -> Stage {
        if leg == self.caller {
            if let LegEvent::Dtmf(digit) = event {
                self.tell(QueueAct::Digit(digit), out);
            }
            if !matches!(event, LegEvent::Ended(_)) {
                return Stage::Queued(self);
            }
            self.tell(QueueAct::CallerGone, out);
            self.record(facts, now, Exit::CallerHangup, None, out);
            facts.outcome_if_none("abandoned", "the caller hung up while waiting");
            return Stage::Over;
        }
        let Some(offer) = self.offer_of(leg) else { return Stage::Queued(self) };
        match event {
            LegEvent::Ringing | LegEvent::EarlyMedia => self.rings(offer, out),
            LegEvent::Answered => return self.answered(facts, now, offer, leg, out),
            LegEvent::Ended(end) => self.leg_ended(offer, leg, &end, out),
            LegEvent::Redirected(_) => {
                facts.remove(leg, out);
                self.leg_ended(offer, leg, &LegEnd::status(480, "redirected"), out);
            }
            LegEvent::Trying
            | LegEvent::Held
            | LegEvent::Resumed
            | LegEvent::Dtmf(_)
            | LegEvent::Referred { .. }
            | LegEvent::Joined { .. } => {}
        }
        Stage::Queued(self)
    }

    fn offer_of(&self, leg: LegIndex) -> Option<OfferId> {
        self.offers.iter().find(|(_, offer)| offer.legs.contains(&leg)).map(|(id, _)| *id)
    }

    fn rings(&mut self, id: OfferId, out: &mut Vec<Effect>) {
        if let Some(offer) = self.offers.get_mut(&id)
            && !std::mem::replace(&mut offer.told_ringing, true)
        {
            self.tell(QueueAct::OfferRinging(id), out);
        }
    }

    /// a rejected or busy phone ends the attempt at once, when it was the agent's last.
    fn leg_ended(&mut self, id: OfferId, leg: LegIndex, end: &LegEnd, out: &mut Vec<Effect>) {
        let Some(offer) = self.offers.get_mut(&id) else { return };
        offer.legs.retain(|ringing| *ringing != leg);
        let why = match end.status {
            Some(486 | 600) => OfferEnd::Busy,
            Some(403 | 603) => OfferEnd::Rejected,
            Some(408 | 480 | 487) => OfferEnd::TimedOut,
            _ => OfferEnd::Unreachable,
        };
        if offer.worst == OfferEnd::Unreachable {
            offer.worst = why;
        }
        if offer.legs.is_empty() {
            let worst = offer.worst;
            self.offers.remove(&id);
            self.tell(QueueAct::OfferEnded(id, worst), out);
        }
    }

    /// The first agent to answer has the caller; all other phones stop ringing.
    fn answered(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        id: OfferId,
        leg: LegIndex,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let Some(won) = self.offers.remove(&id) else { return Stage::Queued(self) };
        let others = self.offers.values().flat_map(|offer| &offer.legs).chain(&won.legs);
        for other in others.copied().filter(|other| *other != leg).collect::<Vec<_>>() {
            facts.hang_up(other, HangUp::ELSEWHERE, out);
        }
        facts.enter(leg, out);
        self.tell(QueueAct::OfferAnswered(id), out);
        self.record(facts, now, Exit::Answered, Some(won.agent.clone()), out);
        facts.answered(now, leg, out);
        let mut bridge = Bridge::join(facts, now, self.caller, leg, out);
        bridge.talk = Some(QueueTalk {
            queue: self.queue,
            stay: self.stay,
            offer: id,
            agent: won.agent,
            caller: self.caller,
            since: now,
        });
        Stage::Bridged(bridge)
    }

    fn left(
        self,
        facts: &mut Facts,
        now: Timestamp,
        exit: Exit,
        destination: Destination,
        out: &mut Vec<Effect>,
    ) -> Stage {
        for leg in self.offers.values().flat_map(|offer| offer.legs.clone()).collect::<Vec<_>>() {
            facts.hang_up(leg, HangUp::NORMAL, out);
        }
        self.tell(QueueAct::CallerLeft(exit), out);
        self.record(facts, now, exit, None, out);
        if exit == Exit::KeyExit {
            // Somebody who presses keys does not go in a circle by mistake.
            facts.forget_hops();
        }
        if destination == Destination::EndCall {
            facts.outcome_if_none("missed", exit.as_str());
            facts.hang_up(self.caller, HangUp::NORMAL, out);
            return Stage::Over;
        }
        facts.send_on(self.caller, destination, out)
    }

    /// Ended by command: the caller leaves unanswered, by the system.
    pub(super) fn abort(&self, facts: &mut Facts, now: Timestamp, out: &mut Vec<Effect>) {
        self.tell(QueueAct::CallerLeft(Exit::ManagerHangup), out);
        self.record(facts, now, Exit::ManagerHangup, None, out);
        facts.outcome_if_none("missed", "hung up by command");
    }

    fn record(
        &self,
        facts: &mut Facts,
        now: Timestamp,
        exit: Exit,
        agent: Option<String>,
        out: &mut Vec<Effect>,
    ) {
        let passage = QueuePassage {
            queue: self.queue.clone(),
            exit: exit.as_str().to_owned(),
            wait: now.since(self.since),
            agent,
        };
        facts.left_queue(now, passage, out);
    }
}
