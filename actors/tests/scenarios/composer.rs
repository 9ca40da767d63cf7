//! Chooses what people do so that no two causes come within [`APART`] of each other: what a
//! machine is late then changes no order.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use serde_json::json;

use crate::script::{AgentScript, CallerScript, Leave, Reaction, Scenario, Seen};
use crate::world::World;

/// Milliseconds between any two causes.
const APART: u64 = 150;
const GRID: u64 = 10;
const CALLERS: usize = 30;
const AGENTS: usize = 8;
/// Callers arrive within so many milliseconds.
const ARRIVALS: u64 = 37_000;

pub(crate) struct Composer {
    rng: StdRng,
    /// Moments at which something happens.
    taken: BTreeSet<u64>,
    wrap_up: u64,
    retry: u64,
    longest_talk: u64,
}

/// The scenario of a seed: the first attempt in which a moment is found for everything and in
/// which no delay changes an order.
pub(crate) fn compose(seed: u64) -> Scenario {
    (0..20_000).find_map(|attempt| try_compose(seed, attempt)).expect("an attempt succeeds")
}

fn try_compose(seed: u64, attempt: u64) -> Option<Scenario> {
    let mut composer = Composer {
        rng: StdRng::seed_from_u64(seed << 32 | attempt),
        taken: BTreeSet::new(),
        wrap_up: 0,
        retry: 0,
        longest_talk: 14_000,
    };
    let script = composer.begin(seed)?;
    let script = World::compose(script, &mut composer)?;
    let is_steady = (100..140).all(|chance| {
        let seen = World::play(&script, crate::world::Delays::some(chance));
        script.predicted.differs(&seen).is_none()
    });
    let waited = script.predicted.exits.iter().filter(|exit| exit.1 == "max_wait").count();
    let has_all = script.queue["max_wait_secs"] == 0 || waited >= 2;
    let last = script.callers.iter().filter_map(|it| it.talk_ends).map(|it| it.0).max();
    (is_steady
        && has_all
        && script.predicted.exits.len() == CALLERS
        && last.is_some_and(|last| last < 54_000))
    .then_some(script)
}

impl Composer {
    fn begin(&mut self, seed: u64) -> Option<Scenario> {
        // `ring_all` has no order that could be compared, and `random` no seed from outside.
        let strategies = ["least_recent", "fewest_calls", "rrmemory", "linear"];
        let strategy = strategies[usize::try_from(seed % 4).unwrap()];
        self.wrap_up = self.rng.random_range(0..=2);
        self.retry = self.rng.random_range(0..=1);
        let max_wait = if seed % 2 == 1 { 7 } else { 0 };
        self.longest_talk = if max_wait > 0 { 20_000 } else { 14_000 };
        let queue = json!({
            "ring_strategy": strategy,
            "skill_based_routing": seed == 4 || seed == 7,
            "max_wait_secs": max_wait,
            "key_events": { "0": { "type": "end_call" } },
            "agent": {
                "ring_timeout_secs": self.rng.random_range(2..=3),
                "retry_interval_secs": self.retry,
                "wrap_up_secs": self.wrap_up,
            },
        });
        let agents: Vec<AgentScript> = (0..AGENTS).map(|index| self.agent(index)).collect();
        let dynamic = |index: &usize| agents[*index].membership == "dynamic";
        let mut log_ins: Vec<usize> = (0..AGENTS).filter(dynamic).collect();
        log_ins.shuffle(&mut self.rng);
        let callers = (0..CALLERS).map(|_| self.caller(max_wait * 1_000)).collect::<Option<_>>()?;
        Some(Scenario { seed, queue, agents, log_ins, callers, predicted: Seen::default() })
    }

    fn agent(&mut self, index: usize) -> AgentScript {
        let is_static = index == 0 || self.rng.random_ratio(2, 3);
        AgentScript {
            membership: if is_static { "static" } else { "dynamic" }.to_owned(),
            skill_level: self.rng.random_range(1..=3),
            rings: Vec::new(),
        }
    }

    fn caller(&mut self, max_wait: u64) -> Option<CallerScript> {
        let after: &[u64] = if max_wait > 0 { &[7_000] } else { &[] };
        let arrives = self.moment(1_000, ARRIVALS, after)?;
        let leaves = if self.rng.random_ratio(1, 3) {
            let how = if self.rng.random() { Leave::HangUp } else { Leave::PressKey };
            Some((self.moment(arrives + 600, arrives + 5_500, &[])?, how))
        } else {
            None
        };
        Some(CallerScript { arrives, leaves, talk_ends: None })
    }

    /// What an agent does about a ring that begins now and would be over then.
    pub(crate) fn reaction(&mut self, now: u64, over: u64) -> Option<(u64, Reaction)> {
        let again = self.retry * 1_000;
        let roll = self.rng.random_range(0..100);
        let ends_alone = self.is_free(over) && self.is_free(over + again);
        if roll < 22 && ends_alone {
            self.taken.extend([over, over + again]);
            return Some((0, Reaction::Ignore));
        }
        if roll < 36 {
            let pause = again.max(1_000);
            let how = if roll % 2 == 0 { Reaction::Decline } else { Reaction::Busy };
            return Some((self.moment(now + 300, over - 300, &[pause])?, how));
        }
        Some((self.moment(now + 300, over - 300, &[])?, Reaction::Answer))
    }

    /// When a talk ends that begins now, and whether by the caller.
    pub(crate) fn talk_end(&mut self, now: u64) -> Option<(u64, bool)> {
        let rest = self.wrap_up * 1_000;
        Some((self.moment(now + 1_500, now + self.longest_talk, &[rest])?, self.rng.random()))
    }

    fn is_free(&self, moment: u64) -> bool {
        self.taken.range(moment.saturating_sub(APART - 1)..moment + APART).next().is_none()
    }

    /// A moment from a span that is free, and what follows from it as well; they are taken.
    fn moment(&mut self, from: u64, to: u64, after: &[u64]) -> Option<u64> {
        if from >= to {
            return None;
        }
        for _ in 0..60 {
            let moment = self.rng.random_range(from..to) / GRID * GRID;
            if moment >= from
                && self.is_free(moment)
                && after.iter().all(|span| self.is_free(moment + span))
            {
                self.taken.insert(moment);
                self.taken.extend(after.iter().map(|span| moment + span));
                return Some(moment);
            }
        }
        None
    }
}
