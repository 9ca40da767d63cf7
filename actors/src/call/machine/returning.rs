//! A call that a queue makes for a customer who asked for it: agents first, then the customer
//! (Q-151). Not to be confused with `callback`, where a customer calls back.
//!
//! ```text
//!   begin ──► ringing agents ──answer──► Reached ──Order::Dial──► Hunting ──► Bridged
//!                  │                        │                        │
//!                  └──taken back──► Over ◄──┴── agent hung up, customer not reached
//! ```
//!
//! The customer is dialled by the queue's order alone, which comes once the queue's journal has
//! it that the dialling begins.

use std::time::Duration;

use tandem_kernel::Timestamp;

use super::Stage;
use super::bridge::{Bridge, QueueTalk};
use super::effect::{Effect, HangUp, QueueAct, Sound};
use super::facts::Facts;
use super::hunt::Hunt;
use super::offers::{Offers, Ring, Wanted};
use super::purpose::Purpose;
use super::types::{Input, LegEvent, LegIndex, Party, Route, TimerId};
use crate::flow::Survey;
use crate::office::{Direction, QueuePassage};
use crate::outbound::Wish;
use crate::queue::request::{CallbackFailure, Order, ReturnCall, Word};
use crate::queue::{Exit, OfferId};

/// How long the queue's order to dial may take, the commit included.
const ORDERED_WITHIN: Duration = Duration::from_secs(15);

/// The number of a stay that is not the call's own: a call's own begin with 1.
pub(in crate::call) const STAY: u32 = 0;

/// An agent who has answered and waits for the customer.
#[derive(Clone, Debug)]
pub(super) struct Reached {
    offer: OfferId,
    agent: String,
    leg: LegIndex,
}

#[derive(Debug)]
enum Step {
    /// Agents ring, or will.
    Ringing,
    /// Waits for [`Order::Dial`].
    Asking { reached: Reached, lease: TimerId },
    /// Waits for [`Input::Routed`].
    Routing { reached: Reached, request: u32 },
}

/// A call on its way to a customer.
#[derive(Debug)]
pub(super) struct Returning {
    /// What is dialled: the number, with the prefix if it leads outside.
    dialled: String,
    offers: Offers,
    step: Step,
}

impl Facts {
    /// Waits for the queue to name agents.
    pub(super) fn begin_return(
        &mut self,
        now: Timestamp,
        wanted: ReturnCall,
        dialled: String,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let caller = Party::Extension { number: wanted.queue.clone(), name: "QCB".to_owned() };
        self.start(now, Direction::Outbound, &caller, wanted.number.clone(), out);
        let detail = format!("for call {}", wanted.place);
        self.note_step(now, "callback", &wanted.queue, detail, out);
        self.return_call = Some(wanted);
        Stage::Returning(Returning { dialled, offers: Offers::default(), step: Step::Ringing })
    }

    /// Tells the queue what became of the wanted, once.
    fn return_over(&mut self, word: Word, out: &mut Vec<Effect>) {
        let Some(wanted) = &self.return_call else { return };
        if self.return_result.is_none() {
            self.return_result = Some(word.clone());
            out.push(Effect::Queue(wanted.queue.clone(), QueueAct::Callback(word)));
        }
    }

    fn return_passage(
        &mut self,
        now: Timestamp,
        exit: Exit,
        agent: Option<String>,
        out: &mut Vec<Effect>,
    ) {
        let Some(wanted) = &self.return_call else { return };
        let passage = QueuePassage {
            queue: wanted.queue.clone(),
            exit: exit.as_str().to_owned(),
            wait: now.since(wanted.joined_at),
            agent,
        };
        self.left_queue(now, passage, out);
    }

    /// The callback came to nothing (Q-154).
    pub(super) fn not_returned(
        &mut self,
        now: Timestamp,
        agent: Option<String>,
        why: CallbackFailure,
        out: &mut Vec<Effect>,
    ) {
        out.push(Effect::Decide("callback_failed", why.as_str().to_owned()));
        let callback = self.id();
        self.return_over(Word::Over { callback, why }, out);
        self.return_passage(now, Exit::CallbackRequested, agent, out);
    }

    /// The customer has answered.
    pub(super) fn returned(
        &mut self,
        now: Timestamp,
        reached: Reached,
        customer: LegIndex,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let callback = self.id();
        self.return_over(Word::Connected { callback }, out);
        self.return_passage(now, Exit::Answered, Some(reached.agent.clone()), out);
        self.answered(now, customer, out);
        let mut bridge = Bridge::join(self, now, customer, reached.leg, out);
        let words = self.return_call.as_ref().and_then(|wanted| {
            Some(Survey::new(&wanted.queue, &reached.agent, wanted.survey.clone()?))
        });
        self.survey = words.map(|survey| (customer, survey));
        bridge.talk = self.return_call.as_ref().map(|wanted| QueueTalk {
            queue: wanted.queue.clone(),
            stay: STAY,
            offer: reached.offer,
            agent: reached.agent,
            caller: customer,
            since: now,
        });
        Stage::Bridged(bridge)
    }
}

impl Reached {
    /// The customer was not reached, or the agent did not wait.
    pub(super) fn failed(
        self,
        facts: &mut Facts,
        now: Timestamp,
        why: CallbackFailure,
        out: &mut Vec<Effect>,
    ) {
        facts.not_returned(now, Some(self.agent), why, out);
    }
}

impl Returning {
    pub(super) fn input(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        input: Input,
        out: &mut Vec<Effect>,
    ) -> Stage {
        match input {
            Input::Offered { offer, agent, devices, ring_for } => {
                let queue = facts.return_call.as_ref().map(|wanted| wanted.queue.clone());
                let queue = queue.unwrap_or_default();
                let wanted = Wanted { queue, offer, agent, devices, ring_for };
                let shown = self.shown(facts);
                let act = self.offers.ring(facts, now, (None, &shown), wanted, out);
                tell(facts, act, out);
            }
            Input::Withdrawn { offer } => {
                self.offers.withdraw(facts, offer, out);
            }
            Input::QueueLeft { .. } => return self.taken_back(facts, out),
            Input::Callback(Order::Dial) => return self.dial(facts, out),
            Input::Routed { request, route } => match self.step {
                Step::Routing { reached, request: asked } if asked == request => {
                    return go(facts, now, reached, route, out);
                }
                step => self.step = step,
            },
            Input::Timer(timer) => return self.timer(facts, timer, out),
            _ => {}
        }
        Stage::Returning(self)
    }

    /// The phones of agents show whom the call is for, and that it is a callback (Q-156).
    fn shown(&self, facts: &Facts) -> Party {
        let number = facts.return_call.as_ref().map_or("", |wanted| &wanted.number).to_owned();
        Party::Extension { number, name: "QCB".to_owned() }
    }

    pub(super) fn leg(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        leg: LegIndex,
        event: &LegEvent,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let (Step::Asking { reached, .. } | Step::Routing { reached, .. }) = &self.step else {
            match self.offers.leg(facts, leg, event, out) {
                Ring::Told(act) => tell(facts, Some(act), out),
                Ring::Answered(offer) => self.reached(facts, offer, leg, out),
                Ring::Nothing => {}
            }
            return Stage::Returning(self);
        };
        if reached.leg == leg && matches!(event, LegEvent::Ended(_)) {
            let agent = Some(reached.agent.clone());
            facts.not_returned(now, agent, CallbackFailure::AgentHungUp, out);
            facts.outcome_if_none("cancelled", "the agent hung up");
            return Stage::Over;
        }
        Stage::Returning(self)
    }

    fn reached(&mut self, facts: &mut Facts, offer: OfferId, leg: LegIndex, out: &mut Vec<Effect>) {
        let Some(agent) = self.offers.won(facts, offer, leg, out) else { return };
        facts.enter(leg, out);
        facts.let_hear(leg, Sound::RingBack, out);
        let callback = facts.id();
        tell(facts, Some(QueueAct::Callback(Word::AgentReached { offer, callback })), out);
        let lease = facts.fresh_timer();
        out.push(Effect::Arm(lease, ORDERED_WITHIN));
        self.step = Step::Asking { reached: Reached { offer, agent, leg }, lease };
    }

    fn dial(mut self, facts: &mut Facts, out: &mut Vec<Effect>) -> Stage {
        let Step::Asking { reached, .. } = self.step else { return Stage::Returning(self) };
        let request = facts.fresh_request();
        let by = facts.party(reached.leg);
        let (dialled, wish) = (self.dialled.clone(), Box::new(Wish::default()));
        out.push(Effect::Route { request, dialled, by, wish });
        self.step = Step::Routing { reached, request };
        Stage::Returning(self)
    }

    /// No order came: the queue is down, and asks for itself when it is up again.
    fn timer(self, facts: &mut Facts, timer: TimerId, out: &mut Vec<Effect>) -> Stage {
        match &self.step {
            Step::Asking { lease, .. } if *lease == timer => {
                tell(facts, Some(QueueAct::CallerLeft(Exit::System)), out);
                self.taken_back(facts, out)
            }
            _ => Stage::Returning(self),
        }
    }

    /// The queue has no use for the call any more.
    fn taken_back(mut self, facts: &mut Facts, out: &mut Vec<Effect>) -> Stage {
        self.offers.end(facts, out);
        facts.return_call = None;
        facts.outcome_if_none("cancelled", "the queue took the callback back");
        Stage::Over
    }

    /// Ended by command.
    pub(super) fn abort(&self, facts: &mut Facts, now: Timestamp, out: &mut Vec<Effect>) {
        let agent = match &self.step {
            Step::Ringing => None,
            Step::Asking { reached, .. } | Step::Routing { reached, .. } => {
                Some(reached.agent.clone())
            }
        };
        facts.not_returned(now, agent, CallbackFailure::Cancelled, out);
    }
}

fn tell(facts: &Facts, act: Option<QueueAct>, out: &mut Vec<Effect>) {
    if let (Some(wanted), Some(act)) = (&facts.return_call, act) {
        out.push(Effect::Queue(wanted.queue.clone(), act));
    }
}

/// Dials the customer: over lines, or the phones of an extension that had called.
fn go(
    facts: &mut Facts,
    now: Timestamp,
    reached: Reached,
    route: Route,
    out: &mut Vec<Effect>,
) -> Stage {
    let leg = reached.leg;
    let by = facts.party(leg);
    let (devices, ring_for) = match route {
        Route::Lines { lines, outgoing, .. } => {
            facts.going_out(now, &by, *outgoing, out);
            return Hunt::lines(facts, now, leg, lines, Purpose::Return(reached), out);
        }
        Route::Devices { devices, ring_for, .. } => (devices, ring_for),
        Route::Group { rounds, ring_for, .. } => (rounds.into_iter().flatten().collect(), ring_for),
        // Q-153: the agent may not use the route.
        Route::Barred { number, barred } => {
            facts.barred(now, &by, number, &barred, out);
            reached.failed(facts, now, CallbackFailure::CustomerNoAnswer, out);
            facts.outcome_if_none("rejected", &barred.why);
            return facts.say_busy(leg, HangUp::NORMAL, out);
        }
        _ => {
            reached.failed(facts, now, CallbackFailure::InvalidNumber, out);
            facts.outcome_if_none("failed", "the number leads to nobody");
            return facts.say_busy(leg, HangUp::NORMAL, out);
        }
    };
    let purpose = Purpose::Return(reached);
    Hunt::devices(facts, now, Some(leg), by, devices, ring_for, purpose, out)
}
