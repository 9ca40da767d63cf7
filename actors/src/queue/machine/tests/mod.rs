#![allow(clippy::unwrap_used)]

mod announcing;
mod callbacks;
mod callers;
mod day;
mod empty;
mod handling;
mod level;
mod misses;
mod offers;
mod pickup;
mod priority;
mod restart;
mod skills;
mod strategies;
mod table;
mod talks;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tandem_config::resource::{Member, Membership, Queue as Config, RingStrategy};
use tandem_kernel::{CallId, Timestamp};

use super::{Effect, Input, Queue, Refused, TimerId};
use crate::agent::{FromAgent, Standing, ToAgent};
use crate::office::Activity;
use crate::queue::{DailyReset, Exit, Facts, OfferEnd, OfferId, QueueEvent, QueueNotice};

pub(super) const START: Timestamp = Timestamp::from_secs(1_000_000);

/// A configuration with these static agents; ring timeout 15 s, retry 5 s.
pub(super) fn config(strategy: RingStrategy, statics: &[&str]) -> Config {
    let json = r#"{"number": "6400", "name": "Support"}"#;
    let mut config: Config = serde_json::from_str(json).unwrap();
    config.ring_strategy = strategy;
    config.members =
        statics.iter().map(|extension| Member::new(*extension, Membership::Static)).collect();
    config
}

/// An agent who is free.
pub(super) fn free(since: Timestamp) -> Standing {
    Standing {
        membership: Membership::Static,
        logged_in: Some(since),
        login_changed_at: None,
        paused: None,
        registered: true,
        activity: Activity::Idle,
        since,
        ready: true,
        talking: Vec::new(),
    }
}

pub(super) fn call(number: u128) -> CallId {
    CallId::from_u128(number)
}

/// A queue with agents who grant what they are asked for, in virtual time.
pub(super) struct Bench {
    pub(super) queue: Queue,
    pub(super) now: Timestamp,
    /// Effects since the last look.
    pub(super) seen: Vec<Effect>,
    pub(super) events: Vec<QueueEvent>,
    pub(super) standings: BTreeMap<String, Standing>,
    timers: BTreeSet<(Timestamp, TimerId)>,
    /// Agents answer a wish by a grant at once.
    pub(super) granting: bool,
}

impl Bench {
    pub(super) fn new(config: Config) -> Self {
        Self::with(config, Facts::default(), &[])
    }

    pub(super) fn with(config: Config, facts: Facts, alive: &[CallId]) -> Self {
        let mut bench = Self::unopened(config, facts);
        let alive = alive.iter().copied().collect();
        bench.step(Input::Opened { seed: 7, alive, patience: Duration::ZERO }).unwrap();
        bench
    }

    pub(super) fn unopened(config: Config, facts: Facts) -> Self {
        Self {
            queue: Queue::new(config, facts),
            now: START,
            seen: Vec::new(),
            events: Vec::new(),
            standings: BTreeMap::new(),
            timers: BTreeSet::new(),
            granting: true,
        }
    }

    /// All members are free since the start.
    pub(super) fn staffed(config: Config) -> Self {
        let mut bench = Self::new(config.clone());
        for member in &config.members {
            let mut standing = free(START);
            standing.membership = member.membership;
            bench.stands(&member.extension, standing);
        }
        bench
    }

    pub(super) fn step(&mut self, input: Input) -> Result<(), Refused> {
        let effects = self.queue.step(self.now, input)?;
        let mut grants = Vec::new();
        for effect in &effects {
            match effect {
                Effect::Arm { timer, after } => {
                    self.timers.insert((self.now + *after, *timer));
                }
                Effect::Record(event) => self.events.push(event.clone()),
                Effect::Tell { agent, message: ToAgent::Reserve { offer, .. } } => {
                    grants.push((agent.clone(), *offer));
                }
                _ => {}
            }
        }
        let released: Vec<String> = effects.iter().filter_map(released).collect();
        self.seen.extend(effects);
        if !self.granting {
            grants.clear();
        }
        for (agent, offer) in grants {
            let message = FromAgent::Granted { offer };
            self.step(Input::Agent { agent: agent.clone(), message })?;
            let mut busy = self.standings[&agent].clone();
            busy.ready = false;
            busy.activity = Activity::Ringing;
            self.tell_standing(&agent, busy, false);
        }
        for agent in released {
            let is_member =
                self.queue.config().members.iter().any(|member| member.extension == agent);
            if let Some(standing) = self.standings.get(&agent).cloned().filter(|_| is_member) {
                self.tell_standing(&agent, standing, false);
            }
        }
        Ok(())
    }

    fn tell_standing(&mut self, agent: &str, standing: Standing, fresh: bool) {
        let message = FromAgent::Standing { standing, round: None, fresh };
        self.step(Input::Agent { agent: agent.into(), message }).unwrap();
    }

    /// The agent stands like that from now on, when no call of this queue rings.
    pub(super) fn stands(&mut self, agent: &str, standing: Standing) {
        self.standings.insert(agent.into(), standing.clone());
        self.tell_standing(agent, standing, false);
    }

    pub(super) fn join(&mut self, number: u128) {
        let caller = format!("0{number}");
        let caller_name = String::new();
        self.step(Input::Join { call: call(number), stay: 1, caller, caller_name }).unwrap();
    }

    /// Lets time go by, with all timers on the way.
    pub(super) fn wait(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some((at, timer)) = self.timers.first().copied().filter(|(at, _)| *at <= until) {
            self.timers.remove(&(at, timer));
            self.now = self.now.max(at);
            self.step(Input::Timer(timer)).unwrap();
        }
        self.now = until;
    }

    pub(super) fn wait_secs(&mut self, secs: u64) {
        self.wait(Duration::from_secs(secs));
    }

    /// The offers that calls were told of since the last look.
    pub(super) fn offers(&mut self) -> Vec<(CallId, OfferId, String)> {
        let seen = std::mem::take(&mut self.seen);
        let offers = seen.into_iter().filter_map(|effect| match effect {
            Effect::Notify { call, notice: QueueNotice::Offer { offer, agent, .. } } => {
                Some((call, offer, agent))
            }
            _ => None,
        });
        offers.collect()
    }

    /// Who rings for a call now and by which offer.
    pub(super) fn ring(&self, number: u128) -> (OfferId, String) {
        let rings = &self.queue.facts().rings;
        let (offer, ring) = rings.iter().find(|(_, ring)| ring.call == call(number)).unwrap();
        (*offer, ring.agent.clone())
    }

    pub(super) fn answer(&mut self, number: u128) -> String {
        let (offer, agent) = self.ring(number);
        self.step(Input::OfferAnswered { call: call(number), offer }).unwrap();
        agent
    }

    pub(super) fn end_ring(&mut self, number: u128, why: OfferEnd) -> String {
        let (offer, agent) = self.ring(number);
        self.step(Input::OfferEnded { call: call(number), offer, why }).unwrap();
        agent
    }

    /// The talk is over; the agent is free again.
    pub(super) fn hang_up(&mut self, number: u128, agent: &str) {
        let by = crate::queue::Party::Caller;
        let talk = Duration::from_secs(30);
        let ended = Input::CallEnded { call: call(number), agent: agent.into(), by, talk };
        self.step(ended).unwrap();
        let standing = self.standings[agent].clone();
        self.tell_standing(agent, standing, false);
    }

    /// The notices to a call since the last look.
    pub(super) fn notices(&mut self, number: u128) -> Vec<QueueNotice> {
        let seen = std::mem::take(&mut self.seen);
        let notices = seen.into_iter().filter_map(|effect| match effect {
            Effect::Notify { call: to, notice } | Effect::NotifyKept { call: to, notice }
                if to == call(number) =>
            {
                Some(notice)
            }
            _ => None,
        });
        notices.collect()
    }

    /// How a call left the queue, by the record.
    pub(super) fn exit(&self, number: u128) -> Option<Exit> {
        let exits: Vec<Exit> = self
            .events
            .iter()
            .filter_map(|event| match event {
                QueueEvent::Exited { call: of, reason, .. }
                | QueueEvent::Refused { call: of, reason, .. } => {
                    (*of == call(number)).then_some(*reason)
                }
                QueueEvent::Answered { call: of, .. } => {
                    (*of == call(number)).then_some(Exit::Answered)
                }
                _ => None,
            })
            .collect();
        assert!(exits.len() <= 1, "{number} left by {exits:?}");
        exits.first().copied()
    }
}

fn released(effect: &Effect) -> Option<String> {
    match effect {
        Effect::Tell { agent, message: ToAgent::Release { .. } } => Some(agent.clone()),
        _ => None,
    }
}
