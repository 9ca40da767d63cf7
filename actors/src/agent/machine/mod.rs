//! What an agent does next. Pure: no I/O, no clock, no chance.
//!
//! ```text
//!             ready again        highest bid           answered
//!   not ready ──────────▶ Bids ──────────────▶ Held ───────────▶ talks ──▶ rests ──▶ …
//!                          │ nobody bids         │ released, lease over
//!                          ▼                     ▼
//!                        ready ──Reserve──▶ Held   (round of bids again)
//! ```
//!
//! Invariants: at most one reservation at a time (Q-060); a queue that was told `Granted` is
//! told no more about it but `Revoked`; whenever the agent becomes ready for a queue, that queue
//! is told so.

mod bids;
mod claim;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tandem_config::resource::{Membership, Settings};
use tandem_kernel::{CallId, Timestamp};

use self::bids::Bidding;
use super::command::{self, Command, Outcome};
use super::event::{AgentEvent, Source};
use super::facts::Seat;
use super::{Facts, FromAgent, Refused, Standing, ToAgent};
use crate::leases::{Lease, Owner, State, Until};
use crate::office::{Activity, AgentView, MembershipView};
use crate::queue::OfferId;

/// The number of a timer. It never comes back, so that a late timer touches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(pub u64);

/// What a queue's configuration says about an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Static or dynamic.
    pub membership: Membership,
    /// Whether an agent in a call rings too (Q-083).
    pub ring_in_use: bool,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The actor begins; the first input of all.
    Opened {
        /// Whether a phone is registered.
        registered: bool,
        /// The calls that the agent is in.
        calls: BTreeSet<CallId>,
    },
    /// All queues of the agent as they are configured now.
    Memberships(BTreeMap<String, Rule>),
    /// The system's options.
    Settings(Box<Settings>),
    /// The first phone came or the last one went.
    Registered(bool),
    /// The agent's extension is in this call, whatever kind it is (Q-083).
    InCall(CallId),
    /// It is not any more.
    OutOfCall(CallId),
    /// Word from a queue.
    Queue {
        /// Its number.
        queue: String,
        /// The word.
        message: ToAgent,
    },
    /// A queue's actor runs at another member of the cluster from now on.
    QueueMoved {
        /// Its number.
        queue: String,
    },
    /// A wish of a person.
    Command {
        /// What.
        command: Command,
        /// By what.
        source: Source,
    },
    /// A timer went off. It may be late.
    Timer(TimerId),
    /// What the journal knows of the agent, where another member of the cluster wrote as well.
    Facts(Facts),
}

/// What must be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Append a fact. The machine has taken it in.
    Record(AgentEvent),
    /// Tell a queue.
    Tell {
        /// Which.
        queue: String,
        /// What.
        message: FromAgent,
    },
    /// Send [`Input::Timer`] later.
    Arm {
        /// Its number.
        timer: TimerId,
        /// When.
        after: Duration,
    },
    /// How the agent stands after the command.
    Done(Outcome),
}

/// A reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The queue.
    pub queue: String,
    /// Its name for it.
    pub offer: OfferId,
    /// The call.
    pub call: CallId,
    timer: TimerId,
    /// When it ends by itself.
    until: Timestamp,
}

#[derive(Clone, Debug)]
struct Talk {
    queue: String,
    wrap_up: Duration,
}

/// An agent.
#[derive(Clone, Debug)]
pub struct Agent {
    extension: String,
    facts: Facts,
    settings: Settings,
    rules: BTreeMap<String, Rule>,
    registered: bool,
    /// All calls of the extension.
    calls: BTreeSet<CallId>,
    /// The queue calls that the agent answered and that go on.
    talks: BTreeMap<CallId, Talk>,
    held: Option<Held>,
    bidding: Option<Bidding>,
    rests: BTreeMap<String, TimerId>,
    activity: Activity,
    since: Timestamp,
    /// What the queues were told last.
    published: BTreeMap<String, Standing>,
    /// Queues that were not told yet that this actor is new.
    untold: BTreeSet<String>,
    /// Queues that have said nothing since this actor began.
    unheard: BTreeSet<String>,
    next_round: u64,
    next_timer: u64,
    /// The moment of the step.
    now: Timestamp,
}

impl Agent {
    /// An agent with what they remember; [`Input::Opened`] comes next.
    #[must_use]
    pub fn new(
        extension: String,
        facts: Facts,
        settings: Settings,
        rules: BTreeMap<String, Rule>,
    ) -> Self {
        Self {
            extension,
            facts,
            settings,
            rules,
            registered: false,
            calls: BTreeSet::new(),
            talks: BTreeMap::new(),
            held: None,
            bidding: None,
            rests: BTreeMap::new(),
            activity: Activity::Idle,
            since: Timestamp::default(),
            published: BTreeMap::new(),
            untold: BTreeSet::new(),
            unheard: BTreeSet::new(),
            next_round: 0,
            next_timer: 0,
            now: Timestamp::default(),
        }
    }

    /// Takes one input and says what must be done about it: either all of it or nothing.
    ///
    /// # Errors
    /// When a command does not fit; the state is as before.
    pub fn step(&mut self, now: Timestamp, input: Input) -> Result<Vec<Effect>, Refused> {
        let mut out = Vec::new();
        self.now = now;
        match input {
            Input::Opened { registered, calls } => {
                self.opened(now, registered, calls, &mut out);
            }
            Input::Memberships(rules) => {
                self.rules = rules;
                self.seat(now, &mut out);
            }
            Input::Settings(settings) => self.settings = *settings,
            Input::Registered(registered) => self.registered = registered,
            Input::InCall(call) => {
                self.calls.insert(call);
            }
            Input::OutOfCall(call) => {
                self.calls.remove(&call);
                if let Some(talk) = self.talks.get(&call) {
                    let wrap_up = talk.wrap_up;
                    self.finished(now, call, wrap_up, &mut out);
                }
            }
            Input::Queue { queue, message } => self.queue_says(now, queue, message, &mut out),
            Input::QueueMoved { queue } => self.queue_begins(&queue),
            Input::Command { command, source } => {
                let (events, outcome) =
                    command::decide(&self.facts, &self.settings, now, source, command)?;
                for event in events {
                    self.record(event, &mut out);
                }
                out.push(Effect::Done(outcome));
            }
            Input::Timer(timer) => self.timer(now, timer, &mut out),
            Input::Facts(facts) => {
                self.facts = facts;
                self.seat(now, &mut out);
                self.time_rests(now, &mut out);
            }
        }
        self.refresh(now, &mut out);
        Ok(out)
    }

    /// What outlives the actor.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The agent's queues.
    #[must_use]
    pub const fn rules(&self) -> &BTreeMap<String, Rule> {
        &self.rules
    }

    /// The reservation that holds now.
    #[must_use]
    pub const fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    /// Whether a call of this queue may be offered now.
    #[must_use]
    pub fn is_ready(&self, queue: &str) -> bool {
        let (Some(seat), Some(rule)) = (self.facts.seats.get(queue), self.rules.get(queue)) else {
            return false;
        };
        let in_call = !self.calls.is_empty() || !self.talks.is_empty();
        seat.logged_in.is_some()
            && seat.pause.is_none()
            && self.registered
            && self.held.is_none()
            && (!in_call || rule.ring_in_use)
            && !self.is_resting(seat)
    }

    /// Q-080, Q-081.
    fn is_resting(&self, seat: &Seat) -> bool {
        let any = || self.facts.seats.values().any(|seat| seat.rest.is_some());
        seat.rest.is_some() || (self.settings.shared_wrap_up && any())
    }

    /// The states that must pass by themselves, each with the moment at which its timer goes off.
    #[must_use]
    pub fn leases(&self) -> Vec<Lease> {
        let owner = Owner::Agent(self.extension.clone());
        let lease =
            |state, subject: String, until| Lease { owner: owner.clone(), state, subject, until };
        let held = self.held.iter().map(|held| {
            let subject = format!("{} by {}", held.call, held.queue);
            lease(State::Reserved, subject, Until::At(held.until))
        });
        let bidding = self.bidding.iter();
        let bidding = bidding.map(|it| lease(State::Bidding, String::new(), Until::At(it.until)));
        let rests = self.facts.seats.iter().filter_map(|(queue, seat)| {
            let until = seat.rest.filter(|_| self.rests.contains_key(queue));
            seat.rest.map(|_| lease(State::WrapUp, queue.clone(), Until::by(until)))
        });
        held.chain(bidding).chain(rests).collect()
    }

    /// The picture for people.
    #[must_use]
    pub fn view(&self) -> AgentView {
        let memberships = self.facts.seats.iter().map(|(queue, seat)| MembershipView {
            queue: queue.clone(),
            membership: seat.membership,
            logged_in: seat.logged_in.is_some(),
            login_changed_at: seat.login_changed_at,
            paused: seat.pause.as_ref().map(|pause| pause.reason.clone()),
        });
        AgentView {
            extension: self.extension.clone(),
            activity: self.activity,
            since: self.since,
            registered: self.registered,
            memberships: memberships.collect(),
        }
    }

    fn record(&mut self, event: AgentEvent, out: &mut Vec<Effect>) {
        self.facts.evolve(&event);
        out.push(Effect::Record(event));
    }

    fn arm(&mut self, after: Duration, out: &mut Vec<Effect>) -> TimerId {
        self.next_timer += 1;
        let timer = TimerId(self.next_timer);
        out.push(Effect::Arm { timer, after });
        timer
    }

    fn opened(
        &mut self,
        now: Timestamp,
        registered: bool,
        calls: BTreeSet<CallId>,
        out: &mut Vec<Effect>,
    ) {
        self.registered = registered;
        self.calls = calls;
        self.since = now;
        self.untold = self.rules.keys().cloned().collect();
        self.unheard = self.untold.clone();
        self.seat(now, out);
        self.time_rests(now, out);
    }

    /// A timer for each rest of the facts.
    fn time_rests(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.rests.clear();
        let rests = self.facts.seats.iter();
        let rests = rests.filter_map(|(queue, seat)| Some((queue.clone(), seat.rest?)));
        for (queue, until) in rests.collect::<Vec<_>>() {
            let timer = self.arm(until.since(now), out);
            self.rests.insert(queue, timer);
        }
    }

    /// Makes the seats what the configuration says (Q-194, Q-203).
    fn seat(&mut self, at: Timestamp, out: &mut Vec<Effect>) {
        let gone = self.facts.seats.keys().filter(|queue| !self.rules.contains_key(*queue));
        for queue in gone.cloned().collect::<Vec<_>>() {
            self.published.remove(&queue);
            self.record(AgentEvent::Removed { at, queue }, out);
        }
        for (queue, rule) in self.rules.clone() {
            let membership = rule.membership;
            if self.facts.seats.get(&queue).is_some_and(|seat| seat.membership == membership) {
                continue;
            }
            let logged_in =
                membership == Membership::Static || self.settings.dynamic_agents_start_logged_in;
            self.record(AgentEvent::Added { at, queue, membership, logged_in }, out);
        }
    }

    fn timer(&mut self, now: Timestamp, timer: TimerId, out: &mut Vec<Effect>) {
        if self.bidding.as_ref().is_some_and(|bidding| bidding.timer == timer) {
            self.close_bids();
        } else if let Some(held) = self.held.take_if(|held| held.timer == timer) {
            let message = FromAgent::Revoked { offer: held.offer };
            out.push(Effect::Tell { queue: held.queue, message });
        } else if let Some((queue, _)) = self.rests.iter().find(|(_, own)| **own == timer) {
            let queue = queue.clone();
            self.rests.remove(&queue);
            if self.facts.seats.get(&queue).is_some_and(|seat| seat.rest.is_some()) {
                self.record(AgentEvent::WrapUpEnded { at: now, queue }, out);
            }
        }
    }

    fn queue_says(
        &mut self,
        now: Timestamp,
        queue: String,
        message: ToAgent,
        out: &mut Vec<Effect>,
    ) {
        let is_first = self.unheard.remove(&queue);
        match message {
            ToAgent::Hello => {
                if is_first {
                    // That this actor is new was said when the queue did not run yet.
                    self.untold.insert(queue.clone());
                }
                self.queue_begins(&queue);
            }
            ToAgent::Reserve { offer, call, bid, lease, round: _ } => {
                self.reserve(queue, bids::Wish { offer, call, bid, lease }, out);
            }
            ToAgent::Pass { round } => self.passed(&queue, round),
            ToAgent::Release { offer } => {
                self.held.take_if(|held| held.queue == queue && held.offer == offer);
                if self.withdraw_bid(&queue, Some(offer)) {
                    // The queue must hear again that the agent is ready.
                    self.published.remove(&queue);
                }
            }
            ToAgent::Answered { offer, call, wrap_up } => {
                self.held.take_if(|held| held.queue == queue && held.offer == offer);
                self.talks.insert(call, Talk { queue, wrap_up });
            }
            ToAgent::Prolong { offer, lease } => self.prolong(now, &queue, offer, lease, out),
            ToAgent::Missed { calls } => self.auto_pause(now, queue, calls, out),
            ToAgent::Finished { call, wrap_up } => self.finished(now, call, wrap_up, out),
            ToAgent::Seize { offer, call, lease } => self.seize(queue, offer, call, lease, out),
        }
    }

    /// A new actor of the queue knows of no reservation; what the one before was told is lost.
    fn queue_begins(&mut self, queue: &str) {
        self.held.take_if(|held| held.queue == queue);
        self.withdraw_bid(queue, None);
        self.published.remove(queue);
    }

    /// Q-085: in the queue whose calls were missed, and for no reason of the list.
    fn auto_pause(
        &mut self,
        at: Timestamp,
        queue: String,
        missed: Vec<CallId>,
        out: &mut Vec<Effect>,
    ) {
        let works = |seat: &&Seat| seat.logged_in.is_some() && seat.pause.is_none();
        if self.facts.seats.get(&queue).filter(works).is_none() {
            return;
        }
        let (queues, source) = (vec![queue.clone()], Source::AutoPause);
        self.record(AgentEvent::Paused { at, queues, reason: None, source }, out);
        self.record(AgentEvent::AutoPaused { at, queue, missed }, out);
    }

    /// The queue call is over, as the queue or as the call said first (Q-077, Q-490).
    fn finished(&mut self, now: Timestamp, call: CallId, wrap_up: Duration, out: &mut Vec<Effect>) {
        let Some(talk) = self.talks.remove(&call) else { return };
        if wrap_up.is_zero() || !self.facts.seats.contains_key(&talk.queue) {
            return;
        }
        let (queue, until) = (talk.queue, now + wrap_up);
        let timer = self.arm(wrap_up, out);
        self.rests.insert(queue.clone(), timer);
        self.record(AgentEvent::WrapUpStarted { at: now, queue, call, until }, out);
    }

    fn standing(&self, queue: &str, seat: &Seat) -> Standing {
        let talks = self.talks.iter().filter(|(_, talk)| talk.queue == queue);
        Standing {
            membership: seat.membership,
            logged_in: seat.logged_in,
            login_changed_at: seat.login_changed_at,
            paused: seat.pause.as_ref().map(|pause| pause.reason.clone()),
            registered: self.registered,
            activity: self.activity_of(self.is_resting(seat)),
            since: self.since,
            ready: self.is_ready(queue),
            talking: talks.map(|(call, _)| *call).collect(),
        }
    }

    fn activity_of(&self, resting: bool) -> Activity {
        if !self.calls.is_empty() || !self.talks.is_empty() {
            Activity::Talking
        } else if self.held.is_some() {
            Activity::Ringing
        } else if resting {
            Activity::WrapUp
        } else {
            Activity::Idle
        }
    }
}
