#![allow(clippy::unwrap_used)]

mod bids;
mod claims;
mod codes;
mod commands;
mod restart;
mod seized;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tandem_config::resource::{Membership, Settings};
use tandem_kernel::{CallId, Timestamp};

use super::{Agent, Effect, Input, Rule, TimerId};
use crate::agent::{
    AgentEvent, Bid, Command, Denial, Facts, FromAgent, Outcome, Refused, Round, Scope, Source,
    Standing, ToAgent,
};
use crate::office::Activity;
use crate::queue::OfferId;

pub(super) const START: Timestamp = Timestamp::from_secs(1_000_000);
pub(super) const DYNAMIC: Rule = Rule { membership: Membership::Dynamic, ring_in_use: false };
pub(super) const STATIC: Rule = Rule { membership: Membership::Static, ring_in_use: false };

pub(super) fn call(number: u128) -> CallId {
    CallId::from_u128(number)
}

/// An agent in virtual time, with a registered phone.
pub(super) struct Bench {
    pub(super) agent: Agent,
    pub(super) now: Timestamp,
    pub(super) seen: Vec<Effect>,
    pub(super) events: Vec<AgentEvent>,
    timers: BTreeSet<(Timestamp, TimerId)>,
}

impl Bench {
    pub(super) fn new(rules: &[(&str, Rule)]) -> Self {
        Self::with(rules, Settings::default(), Facts::default())
    }

    pub(super) fn with(rules: &[(&str, Rule)], settings: Settings, facts: Facts) -> Self {
        let rules = rules.iter().map(|(queue, rule)| ((*queue).into(), *rule));
        let rules: BTreeMap<String, Rule> = rules.collect();
        let mut bench = Self {
            agent: Agent::new("1001".into(), facts, settings, rules),
            now: START,
            seen: Vec::new(),
            events: Vec::new(),
            timers: BTreeSet::new(),
        };
        bench.step(Input::Opened { registered: true, calls: BTreeSet::new() }).unwrap();
        bench
    }

    /// A static agent of these queues who has nothing to do.
    pub(super) fn idle(queues: &[&str]) -> Self {
        let rules: Vec<_> = queues.iter().map(|queue| (*queue, STATIC)).collect();
        let mut bench = Self::new(&rules);
        bench.pass_all();
        bench
    }

    pub(super) fn step(&mut self, input: Input) -> Result<(), Refused> {
        for effect in self.agent.step(self.now, input)? {
            match &effect {
                Effect::Arm { timer, after } => {
                    self.timers.insert((self.now + *after, *timer));
                }
                Effect::Record(event) => self.events.push(event.clone()),
                Effect::Tell { .. } | Effect::Done(_) => {}
            }
            self.seen.push(effect);
        }
        Ok(())
    }

    pub(super) fn hear(&mut self, queue: &str, message: ToAgent) {
        self.step(Input::Queue { queue: queue.into(), message }).unwrap();
    }

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

    pub(super) fn command(&mut self, command: Command) -> Result<Outcome, Refused> {
        self.seen.clear();
        self.step(Input::Command { command, source: Source::Phone })?;
        let outcome = self.seen.iter().find_map(|effect| match effect {
            Effect::Done(outcome) => Some(*outcome),
            _ => None,
        });
        Ok(outcome.unwrap())
    }

    /// What the queues were told since the last look.
    pub(super) fn told(&mut self) -> Vec<(String, FromAgent)> {
        let seen = std::mem::take(&mut self.seen);
        let told = seen.into_iter().filter_map(|effect| match effect {
            Effect::Tell { queue, message } => Some((queue, message)),
            _ => None,
        });
        told.collect()
    }

    /// The standings since the last look, with the rounds in which bids are asked for.
    pub(super) fn standings(&mut self) -> BTreeMap<String, (Standing, Option<Round>)> {
        let told = self.told().into_iter().filter_map(|(queue, message)| match message {
            FromAgent::Standing { standing, round, .. } => Some((queue, (standing, round))),
            _ => None,
        });
        told.collect()
    }

    /// No queue has a caller.
    pub(super) fn pass_all(&mut self) {
        for (queue, (_, round)) in self.standings() {
            if let Some(round) = round {
                self.hear(&queue, ToAgent::Pass { round });
            }
        }
    }

    pub(super) fn reserve(&mut self, queue: &str, offer: u64, weight: u32, since: u64) {
        let message = ToAgent::Reserve {
            offer: OfferId(offer),
            call: call(u128::from(offer)),
            bid: Bid { weight, waiting_since: Timestamp::from_secs(since) },
            lease: Duration::from_secs(30),
            round: None,
        };
        self.hear(queue, message);
    }

    /// Takes a call of a queue from the wish to the talk.
    pub(super) fn talk(&mut self, queue: &str, number: u64) {
        self.reserve(queue, number, 0, 0);
        let of = call(u128::from(number));
        self.step(Input::InCall(of)).unwrap();
        let wrap_up = Duration::from_secs(20);
        self.hear(queue, ToAgent::Answered { offer: OfferId(number), call: of, wrap_up });
    }

    pub(super) fn finish(&mut self, queue: &str, number: u64, wrap_up: u64) {
        let (of, wrap_up) = (call(u128::from(number)), Duration::from_secs(wrap_up));
        self.hear(queue, ToAgent::Finished { call: of, wrap_up });
        self.step(Input::OutOfCall(of)).unwrap();
    }
}
