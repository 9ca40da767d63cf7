//! What a queue does next. Pure: no I/O, no clock, chance only from the seed.
//!
//! ```text
//!             Join (greeted)         Granted               OfferAnswered
//!   (refused)◀──┬──▶ Waiting ──Reserve──▶ Attempt ─────────────────────▶ with an agent
//!               │       ▲   ▲  all denied  │  │
//!               │       │   └──────────────┘  │ all rings ended
//!               │       └──retry── Resting ◀──┘
//!               └─ from any: gone, maximum wait, empty, removed ──▶ Leaving ──▶ out
//! ```
//!
//! Invariants: the state is the fold of the recorded events and what agents and calls said
//! since the actor began; an agent has at most one offer of this queue; unless the strategy is
//! `ring_all`, a caller has at most one offer; every caller leaves by exactly one exit.

mod announcing;
mod arrivals;
mod callbacks;
mod callers;
mod distribute;
mod misses;
mod offers;
mod pickup;
mod requests;
mod talks;
#[cfg(test)]
mod tests;
mod timers;
mod types;
mod views;

pub use announcing::ANNOUNCED_WITHIN;
pub use callbacks::REGISTERED_WITHIN;
pub use talks::FOUND_WITHIN;
use timers::Due;
pub use types::{Effect, Input, Refused, TimerId};

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tandem_config::resource::{EmptyRule, EmptyScenario, Queue as Config};
use tandem_kernel::{CallId, Timestamp};

use self::arrivals::Arrivals;
use super::event::QueueEvent;
use super::pace::Pace;
use super::{DailyReset, Exit, Facts, OfferEnd, OfferId};
use crate::agent::{FromAgent, Round, Standing, ToAgent};
use crate::office::QueueStatus;

/// How long an agent may take to answer a wish for a reservation.
pub const ASK_WITHIN: Duration = Duration::from_secs(2);
/// How much later than the call the queue itself ends a ring.
pub const RING_GRACE: Duration = Duration::from_secs(2);
/// How long the last word of a caller who was told to leave may be on its way.
pub const LEAVE_GRACE: Duration = Duration::from_secs(1);
/// How long the end of a talk may be on its way when the agent knows of it already.
const TALK_GRACE: Duration = Duration::from_secs(2);
/// The shortest pause after rings that ended at once, so that an unreachable phone makes no
/// busy loop.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// How long it is remembered that a caller came: longer than calls ask again.
const ARRIVALS_KEPT: Duration = Duration::from_secs(60);
/// How long a join announcement may take before agents ring all the same.
pub const GREETING_WITHIN: Duration = Duration::from_secs(300);
/// Offers without a word from the call after which the call is taken for dead.
const SILENT_OFFERS: u8 = 2;

/// A queue.
#[derive(Clone, Debug)]
pub struct Queue {
    config: Config,
    facts: Facts,
    members: BTreeMap<String, Member>,
    /// The volatile part of those in `facts.waiting`.
    callers: BTreeMap<CallId, Caller>,
    offers: BTreeMap<OfferId, Offer>,
    /// Members who are ready and have no offer of this queue.
    free: BTreeSet<String>,
    /// By place in the line: callers who want an agent now. One whose stage is another by now
    /// is passed over.
    wanting: BTreeMap<u64, CallId>,
    /// Callers who were told to leave.
    leaving: BTreeSet<CallId>,
    /// Those of them who could not be reached when the actor began.
    missing: BTreeSet<CallId>,
    /// Members whose rounds wait for a bid or a pass.
    asking: BTreeSet<String>,
    /// Callers for whom it was not noted yet why an agent does not ring.
    unexplained: BTreeSet<CallId>,
    /// Talks of which their agents know nothing.
    suspects: BTreeSet<CallId>,
    came: Arrivals,
    /// Who has left, by whichever stay.
    left: Arrivals,
    /// How fast the line moves (Q-107).
    pace: Pace,
    /// How long it may take until somebody tells what became of who can not be reached.
    patience: Duration,
    removed: bool,
    closed: bool,
    next_offer: u32,
    next_timer: u64,
    /// What each timer is for, and when it goes off.
    timers: BTreeMap<TimerId, (Due, Timestamp)>,
    /// The moment of the step.
    now: Timestamp,
    chance: Chance,
}

#[derive(Clone, Debug, Default)]
struct Member {
    place: usize,
    /// 1 is the best; all the same without skill-based routing (Q-065).
    level: u8,
    standing: Option<Standing>,
    /// Its actor is another than the one that was told of calls.
    is_another: bool,
    offer: Option<OfferId>,
    /// A round that waits for a bid or a pass.
    round: Option<Round>,
    /// Calls missed one after the other (Q-087); gone with the actor.
    missed: Vec<CallId>,
}

#[derive(Clone, Debug)]
struct Caller {
    stage: Stage,
    deadline: Option<TimerId>,
    /// Agents who rang in this pass.
    tried: BTreeSet<String>,
    /// Rings that the call was told to end. An answer to one may still be on its way.
    withdrawn: BTreeMap<OfferId, String>,
    silent: u8,
    /// The last decision about each agent that was noted.
    noted: BTreeMap<String, &'static str>,
    /// When a callback is offered next (Q-146).
    callback_offer: Option<TimerId>,
    /// A call was started for a request.
    is_sent: bool,
}

impl Caller {
    const fn new() -> Self {
        Self {
            stage: Stage::Waiting,
            deadline: None,
            tried: BTreeSet::new(),
            withdrawn: BTreeMap::new(),
            silent: 0,
            noted: BTreeMap::new(),
            callback_offer: None,
            is_sent: false,
        }
    }
}

#[derive(Clone, Debug)]
enum Stage {
    /// Hears the join announcement; agents ring after it (Q-101).
    Greeting,
    /// Wants an agent now.
    Waiting,
    /// The retry interval after an attempt (Q-076).
    Resting { timer: TimerId },
    /// Agents are asked for, or ring.
    Attempt(Attempt),
    /// Is asked for the number to call back; nobody rings (Q-162).
    Registering { lease: TimerId },
    /// An agent has answered for a request, and the customer is dialled.
    Dialling,
    /// Told to leave; an answer may be on its way.
    Leaving { reason: Exit, since: Timestamp },
}

#[derive(Clone, Debug, Default)]
struct Attempt {
    offers: BTreeSet<OfferId>,
    /// Agents who rang in it.
    rang: BTreeSet<String>,
    /// When its rings end; set by the first.
    until: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Offer {
    call: CallId,
    agent: String,
    stage: OfferStage,
    /// It is no agent's turn: somebody picks the call up (Q-482).
    is_pick_up: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OfferStage {
    /// The agent was asked.
    Asked,
    /// The agent is reserved and the phones were told to ring.
    Ringing { since: Timestamp, heard: bool },
    /// The agent has answered and hears the announcement before the caller (Q-084).
    Announcing,
}

/// The seeded chance of the strategy `random` (SplitMix64).
#[derive(Clone, Copy, Debug)]
struct Chance(u64);

impl Chance {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

impl Queue {
    /// A queue with what it remembers; [`Input::Opened`] comes next.
    #[must_use]
    pub fn new(config: Config, mut facts: Facts) -> Self {
        facts.follow(DailyReset::at_midnight_of(&config.daily_reset_zone));
        let mut queue = Self {
            config,
            facts,
            members: BTreeMap::new(),
            callers: BTreeMap::new(),
            offers: BTreeMap::new(),
            free: BTreeSet::new(),
            wanting: BTreeMap::new(),
            leaving: BTreeSet::new(),
            missing: BTreeSet::new(),
            asking: BTreeSet::new(),
            unexplained: BTreeSet::new(),
            suspects: BTreeSet::new(),
            came: Arrivals::default(),
            left: Arrivals::default(),
            pace: Pace::default(),
            patience: Duration::ZERO,
            removed: false,
            closed: false,
            next_offer: 0,
            next_timer: 0,
            timers: BTreeMap::new(),
            now: Timestamp::default(),
            chance: Chance(0),
        };
        queue.seat_members();
        queue
    }

    /// Takes one input and says what must be done about it: either all of it or nothing.
    ///
    /// # Errors
    /// When the input does not fit; the state is as before.
    pub fn step(&mut self, now: Timestamp, input: Input) -> Result<Vec<Effect>, Refused> {
        let mut out = Vec::new();
        self.now = now;
        match input {
            Input::Opened { seed, alive, patience } => {
                self.patience = patience;
                self.opened(now, seed, &alive, &mut out);
            }
            Input::Join { call, stay, caller, caller_name } => {
                self.join(now, call, stay, caller, caller_name, &mut out)?;
            }
            Input::Gone { call, reason } => self.gone(now, call, reason, &mut out)?,
            Input::Moved { call } => self.caller_moved(now, call, &mut out),
            Input::Greeted { call } => self.greeted(call)?,
            Input::Place { call } => self.tell_place(call, &mut out)?,
            Input::Digit { call, digit } => self.digit(now, call, digit, &mut out)?,
            Input::OfferRinging { call, offer } => self.offer_rings(call, offer)?,
            Input::OfferAnnouncing { call, offer } => {
                self.offer_announcing(now, call, offer, &mut out)?;
            }
            Input::OfferAnswered { call, offer } => {
                self.offer_answered(now, call, offer, &mut out)?;
            }
            Input::OfferEnded { call, offer, why } => {
                self.offer_ended(now, call, offer, why, &mut out)?;
            }
            Input::CallEnded { call, agent, by, talk } => {
                self.call_ended(now, call, &agent, by, talk, &mut out)?;
            }
            Input::Talks(talk) => self.talks(now, *talk, &mut out)?,
            Input::Agent { agent, message } => self.agent_says(now, agent, message, &mut out)?,
            Input::AgentLost { agent } => self.agent_lost(now, &agent, &mut out)?,
            Input::AgentMoved { agent } => self.agent_moved(now, agent, &mut out)?,
            Input::Callback { call, word } => self.callback_says(now, call, word, &mut out)?,
            Input::CancelCallback { call } => self.cancel_callback(now, call, &mut out)?,
            Input::PickUp { call, by } => self.pick_up(now, call, by, &mut out)?,
            Input::Minute => self.evaluate(now, &mut out),
            Input::Configure(config) => self.configure(now, *config, &mut out)?,
            Input::Remove => self.remove(now, &mut out),
            Input::Timer(timer) => self.timer(now, timer, &mut out),
        }
        self.distribute(now, &mut out);
        self.pass_rounds(&mut out);
        self.leave_when_empty(now, &mut out);
        self.close_when_removed(&mut out);
        Ok(out)
    }

    /// What outlives the actor.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The picture for people.
    #[must_use]
    pub fn view(&self) -> QueueStatus {
        let mut members: Vec<_> = self.members.iter().collect();
        members.sort_by_key(|(_, member)| member.place);
        let agents = members.into_iter().filter_map(|(extension, member)| {
            Some(self.agent_view(extension, member.standing.as_ref()?))
        });
        let active = self.facts.active.iter();
        let counters = self.counters();
        QueueStatus {
            number: self.config.number.clone(),
            name: self.config.name.clone(),
            waiting: self.waiting_views(),
            active: active.map(|(call, it)| self.active_view(*call, it)).collect(),
            agents: agents.collect(),
            total: counters.total,
            answered: counters.answered,
            missed: counters.missed,
            abandoned: counters.abandoned,
            level: self.level_view(),
        }
    }

    /// The agents who ring for a call now.
    #[must_use]
    pub fn ringing_for(&self, call: CallId) -> Vec<String> {
        let Some(Caller { stage: Stage::Attempt(attempt), .. }) = self.callers.get(&call) else {
            return Vec::new();
        };
        let offers = attempt.offers.iter().filter_map(|id| self.offers.get(id));
        offers
            .filter(|offer| offer.stage != OfferStage::Asked)
            .map(|offer| offer.agent.clone())
            .collect()
    }

    fn record(&mut self, event: QueueEvent, out: &mut Vec<Effect>) {
        // What comes in a new interval does not count for the one before.
        self.evaluate(event.at(), out);
        self.note(event, out);
    }

    /// Evaluates the service level when its interval is over (Q-244).
    fn evaluate(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let sla = self.config.sla;
        let interval = Duration::from_secs(u64::from(sla.evaluation_interval_mins) * 60);
        let Some(level) = self.facts.window.due(now, interval) else { return };
        let evaluated = QueueEvent::LevelEvaluated {
            at: now,
            in_time: level.in_time(sla.time_secs),
            total: level.total(),
            within_secs: sla.time_secs,
            threshold_percent: sla.alarm_threshold_percent,
            interval_mins: sla.evaluation_interval_mins,
        };
        self.note(evaluated, out);
    }

    fn note(&mut self, event: QueueEvent, out: &mut Vec<Effect>) {
        self.facts.evolve(&event);
        out.push(Effect::Record(event));
    }

    fn agent_says(
        &mut self,
        now: Timestamp,
        agent: String,
        message: FromAgent,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        match message {
            FromAgent::Standing { standing, round, fresh } => {
                if !self.members.contains_key(&agent) {
                    return Err(Refused::NotAMember);
                }
                self.stands(now, agent, standing, round, fresh, out);
            }
            FromAgent::Granted { offer } => self.granted(now, agent, offer, out),
            FromAgent::Denied { offer, why } => self.denied(now, &agent, offer, why, out),
            FromAgent::Revoked { offer } => {
                if self.is_offer_to(offer, &agent) {
                    self.withdraw(offer, false, out);
                    self.ring_over(now, offer, OfferEnd::AgentGone, out);
                }
            }
        }
        Ok(())
    }

    fn configure(
        &mut self,
        now: Timestamp,
        config: Config,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        if config.number != self.config.number {
            return Err(Refused::WrongQueue);
        }
        let limit_changed = config.max_wait_secs != self.config.max_wait_secs
            || config.callback != self.config.callback;
        let known: BTreeSet<String> = self.members.keys().cloned().collect();
        self.facts.follow(DailyReset::at_midnight_of(&config.daily_reset_zone));
        self.config = config;
        (self.removed, self.closed) = (false, false);
        self.seat_members();
        self.forget_misses_if_off();
        for agent in self.members.keys().filter(|agent| !known.contains(*agent)) {
            out.push(Effect::Tell { agent: agent.clone(), message: ToAgent::Hello });
        }
        let gone: Vec<OfferId> =
            self.offers.iter().filter(|(_, it)| self.is_obsolete(it)).map(|(id, _)| *id).collect();
        for offer in gone {
            self.ask_over(now, offer, true, out);
        }
        if limit_changed {
            for call in self.callers.keys().copied().collect::<Vec<_>>() {
                self.arm_deadline(now, call, out);
                self.arm_callback_offer(now, call, out);
            }
        }
        Ok(())
    }

    /// An agent who was removed goes on ringing but is not asked any more (Q-028).
    fn is_obsolete(&self, offer: &Offer) -> bool {
        offer.stage == OfferStage::Asked && !self.members.contains_key(&offer.agent)
    }

    /// Gives the members their places and drops those who are no members any more.
    fn seat_members(&mut self) {
        let mut seated = BTreeMap::new();
        for (place, member) in self.config.members.iter().enumerate() {
            let mut entry = self.members.remove(&member.extension).unwrap_or_default();
            entry.place = place;
            entry.level = if self.config.skill_based_routing { member.skill_level } else { 1 };
            seated.insert(member.extension.clone(), entry);
        }
        self.members = seated;
        self.free.retain(|agent| self.members.contains_key(agent));
    }

    /// Tells agents of rounds for which the queue has no caller.
    fn pass_rounds(&mut self, out: &mut Vec<Effect>) {
        for agent in std::mem::take(&mut self.asking) {
            let member = self.members.get_mut(&agent);
            if let Some(round) = member.and_then(|member| member.round.take()) {
                out.push(Effect::Tell { agent, message: ToAgent::Pass { round } });
            }
        }
    }

    /// Whether no agent is there by this rule (Q-124): each one is logged out or unavailable by
    /// one of the scenarios. An agent who has not reported yet is given the benefit of doubt.
    fn is_empty(&self, rule: &EmptyRule) -> bool {
        let counts = |scenario| rule.scenarios.contains(&scenario);
        self.members.values().all(|member| {
            member.standing.as_ref().is_some_and(|standing| {
                standing.logged_in.is_none()
                    || (!standing.registered && counts(EmptyScenario::AllUnregistered))
                    || (standing.paused.is_some() && counts(EmptyScenario::AllPaused))
                    || (standing.is_in_use() && counts(EmptyScenario::AllInUse))
            })
        })
    }
}
