//! A caller in a queue: music, offers to agents, one exit.

use std::time::Duration;

use tandem_config::resource::Destination;
use tandem_kernel::Timestamp;

use super::Stage;
use super::agent_words::AgentWords;
use super::bridge::{Bridge, QueueTalk};
use super::effect::{Effect, HangUp, QueueAct};
use super::facts::Facts;
use super::offers::{Offers, Ring, Wanted};
use super::picture::Scene;
use super::register::Registration;
use super::types::{Input, LegEvent, LegIndex, Refused, TimerId};
use super::voice::Voice;
use crate::office::QueuePassage;
use crate::queue::request::Order;
use crate::queue::{Exit, OfferId};

/// How long the queue may take to say that the caller is in; then it is asked again. The member
/// that runs it may just have died.
const JOINED_WITHIN: Duration = Duration::from_millis(500);
/// How often it is asked before the caller is let go: a queue's actor that crashed and has much
/// to read may take half a minute to be back.
const MAX_ASKS: u8 = 60;

/// A manager moves a waiting caller: the call leaves the queue as missed, and its
/// record keeps who did it.
pub(super) fn redirect(
    stage: &mut Stage,
    facts: &mut Facts,
    now: Timestamp,
    to: Destination,
    by: &str,
    out: &mut Vec<Effect>,
) -> Result<(), Refused> {
    match std::mem::replace(stage, Stage::Over) {
        Stage::Queued(passage) => {
            let detail = format!("moved by {by} to {}", number_of(&to));
            facts.note_step(now, "redirect", &passage.queue, detail, out);
            *stage = passage.left(facts, now, Exit::ManagerRedirect, to, out);
            Ok(())
        }
        other => {
            *stage = other;
            Err(Refused::NotWaiting)
        }
    }
}

fn number_of(to: &Destination) -> &str {
    match to {
        Destination::EndCall => "the end",
        Destination::PlayGreeting { prompt, .. } => prompt,
        Destination::ExtVm { number }
        | Destination::Extension { number }
        | Destination::Queue { number }
        | Destination::ExternalNum { number }
        | Destination::GroupVm { number }
        | Destination::Ivr { number }
        | Destination::CallFlow { number }
        | Destination::RingGroup { number } => number,
    }
}

/// One stay in one queue.
#[derive(Debug)]
pub(super) struct Passage {
    pub(super) queue: String,
    pub(super) stay: u32,
    /// Runs until the queue has taken the caller in.
    asking: Option<TimerId>,
    asks: u8,
    pub(super) caller: LegIndex,
    since: Timestamp,
    pub(super) voice: Voice,
    offers: Offers,
    /// An agent has answered and hears the announcement.
    pub(super) announcing: Option<AgentWords>,
    /// The caller is being asked for the number to call back.
    pub(super) registration: Option<Registration>,
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
        let mut passage = Self {
            queue,
            stay: facts.fresh_stay(),
            asking: None,
            asks: 0,
            caller,
            since: now,
            voice,
            offers: Offers::default(),
            announcing: None,
            registration: None,
        };
        passage.ask(facts, out);
        Stage::Queued(passage)
    }

    /// What the caller does.
    pub(super) fn scene(&self) -> Scene {
        let (queue, stay) = (self.queue.clone(), self.stay);
        Scene::Queued { queue, stay, caller: self.caller, since: self.since }
    }

    /// A caller of another node's call goes on waiting; what rang for them there rings no more.
    pub(super) fn resume(
        facts: &mut Facts,
        (queue, stay): (String, u32),
        caller: LegIndex,
        since: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let voice = Voice::again(facts, caller, queue.clone(), out);
        let mut passage = Self {
            queue,
            stay,
            asking: None,
            asks: 0,
            caller,
            since,
            voice,
            offers: Offers::default(),
            announcing: None,
            registration: None,
        };
        passage.tell(QueueAct::Moved, out);
        // Whether the greeting was heard to its end nobody knows any more.
        passage.tell(QueueAct::Greeted, out);
        passage.ask(facts, out);
        Stage::Queued(passage)
    }

    pub(super) const fn lacks_words(&self) -> bool {
        self.voice.has_no_words()
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

    pub(super) fn tell(&self, act: QueueAct, out: &mut Vec<Effect>) {
        out.push(Effect::Queue(self.queue.clone(), act));
    }

    pub(super) fn input(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        input: Input,
        out: &mut Vec<Effect>,
    ) -> Stage {
        if self.is_announced(&input) {
            return self.announced(facts, now, out);
        }
        match input {
            Input::Callback(order) => self.ordered(facts, now, order, out),
            input @ (Input::Digit(..)
            | Input::Played(_)
            | Input::Timer(_)
            | Input::Place { .. }
            | Input::QueueJoined
            | Input::Offered { .. })
                if self.registration.is_some() =>
            {
                self.registering(facts, now, input, out)
            }
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
                let queue = self.queue.clone();
                let wanted = Wanted { queue, offer, agent, devices, ring_for };
                let shown = facts.party(self.caller);
                let to = (Some(self.caller), &shown);
                if let Some(act) = self.offers.ring(facts, now, to, wanted, out) {
                    self.tell(act, out);
                }
                Stage::Queued(self)
            }
            Input::Withdrawn { offer } => {
                let meant = Some(offer).filter(|offer| *offer != OfferId::EVERY);
                self.let_agent_go(facts, meant, out);
                self.offers.withdraw(facts, offer, out);
                Stage::Queued(self)
            }
            _ => Stage::Queued(self),
        }
    }

    /// What the queue says about a callback.
    fn ordered(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        order: Order,
        out: &mut Vec<Effect>,
    ) -> Stage {
        match order {
            Order::Register => return self.register(facts, now, out),
            Order::Kept => return self.kept(facts, now, out),
            Order::Offer if self.registration.is_none() => {
                self.voice.offer(facts, "callback-offer", out);
            }
            Order::Offer | Order::Dial => {}
        }
        Stage::Queued(self)
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
                return self.input(facts, now, Input::Digit(leg, digit), out);
            }
            if !matches!(event, LegEvent::Ended(_)) {
                return Stage::Queued(self);
            }
            self.tell(QueueAct::CallerGone, out);
            self.record(facts, now, Exit::CallerHangup, None, out);
            facts.outcome_if_none("abandoned", "the caller hung up while waiting");
            return Stage::Over;
        }
        if self.agent_event(leg, &event, out) {
            return Stage::Queued(self);
        }
        match self.offers.leg(facts, leg, &event, out) {
            Ring::Told(act) => self.tell(act, out),
            Ring::Answered(offer) => return self.answered(facts, now, offer, leg, out),
            Ring::Nothing => {}
        }
        Stage::Queued(self)
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
        let Some(agent) = self.offers.won(facts, id, leg, out) else {
            return Stage::Queued(self);
        };
        facts.enter(leg, out);
        if let Some(file) = self.voice.to_agent() {
            self.tell(QueueAct::OfferAnnouncing(id), out);
            self.announcing = Some(AgentWords::say(facts, (id, leg), agent, file, out));
            return Stage::Queued(self);
        }
        self.connect(facts, now, (id, leg), agent, out)
    }

    /// Caller and agent are put through: the wait ends here.
    pub(super) fn connect(
        self,
        facts: &mut Facts,
        now: Timestamp,
        (id, leg): (OfferId, LegIndex),
        agent: String,
        out: &mut Vec<Effect>,
    ) -> Stage {
        self.tell(QueueAct::OfferAnswered(id), out);
        self.record(facts, now, Exit::Answered, Some(agent.clone()), out);
        facts.answered(now, leg, out);
        let mut bridge = Bridge::join(facts, now, self.caller, leg, out);
        if let Some(words) = self.voice.introduction(&agent) {
            bridge.introduce(facts, words, out);
        }
        facts.survey = self.voice.survey(&agent).map(|survey| (self.caller, survey));
        bridge.talk = Some(QueueTalk {
            queue: self.queue,
            stay: self.stay,
            offer: id,
            agent,
            caller: self.caller,
            since: now,
        });
        Stage::Bridged(bridge)
    }

    fn left(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        exit: Exit,
        destination: Destination,
        out: &mut Vec<Effect>,
    ) -> Stage {
        self.offers.end(facts, out);
        self.let_agent_go(facts, None, out);
        self.tell(QueueAct::CallerLeft(exit), out);
        self.record(facts, now, exit, None, out);
        if matches!(exit, Exit::KeyExit | Exit::ManagerRedirect) {
            // Where somebody decides, the call does not go in a circle by mistake.
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

    pub(super) fn record(
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
