#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::*;

const START: Timestamp = Timestamp::from_secs(1_000_000);

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn q_107_nothing_is_known_before_anybody_was_answered() {
    let mut pace = Pace::default();
    pace.gave_up(secs(30), true);
    assert_eq!(pace.wait(0, 3), None);
}

#[test]
fn q_107_without_a_busy_line_the_mean_wait_of_the_answered_is_told() {
    let mut pace = Pace::default();
    for wait in [60, 120] {
        pace.answered(START, secs(wait), 1, false);
    }
    assert_eq!(pace.wait(3, 1), Some(secs(90)));
}

#[test]
fn q_107_in_a_busy_line_each_caller_ahead_costs_the_time_between_two_answers() {
    let mut pace = Pace::default();
    for answer in 0..20 {
        pace.answered(START + secs(40 * answer), secs(100), 3, true);
    }
    assert_eq!(pace.wait(0, 3), Some(secs(40)));
    assert_eq!(pace.wait(4, 3), Some(secs(200)));
    assert_eq!(pace.wait(4, 6), Some(secs(100)), "twice the agents");
    assert_eq!(pace.wait(4, 0), None, "nobody is there");
}

#[test]
fn q_107_the_time_in_which_nobody_waited_is_no_gap_between_answers() {
    let mut pace = Pace::default();
    pace.answered(START, secs(10), 1, true);
    pace.answered(START + secs(30), secs(10), 1, false);
    pace.answered(START + secs(3_600), secs(10), 1, true);
    pace.gave_up(secs(5), false);
    pace.answered(START + secs(7_200), secs(10), 1, false);
    assert_eq!(pace.rounds, Mean { samples: 1.0, mean: 30.0 });
}

#[test]
fn q_107_callers_who_give_up_shorten_the_wait_of_those_behind() {
    let mut patient = Pace::default();
    let mut hasty = Pace::default();
    for answer in 0..20 {
        let now = START + secs(60 * answer);
        patient.answered(now, secs(300), 2, true);
        hasty.answered(now, secs(300), 2, true);
        hasty.gave_up(secs(120), true);
    }
    let (patient, hasty) = (patient.wait(9, 2).unwrap(), hasty.wait(9, 2).unwrap());
    assert_eq!(patient, secs(600));
    assert!(hasty < secs(400) && hasty > secs(60), "{hasty:?}");
}

/// Chance for the simulation (SplitMix64).
struct Chance(u64);

impl Chance {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn exponential(&mut self, mean: f64) -> Duration {
        Duration::from_secs_f64(-mean * (1.0 - self.unit()).ln())
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrives,
    Free,
    GivesUp(u32),
}

/// What is told to a caller by each way of counting.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    pace: f64,
    last_waits: f64,
    handling: f64,
}

/// A floor whose load and staff change every hour, with callers who give up.
struct Floor {
    chance: Chance,
    now: Timestamp,
    events: BTreeSet<(Timestamp, u64, Event)>,
    count: u64,
    busy: u32,
    line: VecDeque<u32>,
    joined: BTreeMap<u32, (Timestamp, Option<Told>)>,
    callers: u32,
    pace: Pace,
    waits: VecDeque<f64>,
    talks: Mean,
    errors: Vec<Told>,
}

/// (agents, seconds between two callers) hour by hour: too many callers, then too few.
const HOURS: [(u32, f64); 4] = [(8, 22.0), (5, 44.0), (10, 19.0), (7, 45.0)];
/// Beside the talk an agent's round holds the ringing and the wrap-up.
const ROUND_MORE: f64 = 20.0;
const TALK: f64 = 180.0;
const PATIENCE: f64 = 600.0;

impl Floor {
    fn new() -> Self {
        Self {
            chance: Chance(42),
            now: START,
            events: BTreeSet::new(),
            count: 0,
            busy: 0,
            line: VecDeque::new(),
            joined: BTreeMap::new(),
            callers: 0,
            pace: Pace::default(),
            waits: VecDeque::new(),
            talks: Mean::default(),
            errors: Vec::new(),
        }
    }

    fn hour(&self) -> (u32, f64) {
        let hour = self.now.since(START).as_secs() / 3_600;
        HOURS[usize::try_from(hour).unwrap() % HOURS.len()]
    }

    fn later(&mut self, after: Duration, event: Event) {
        self.count += 1;
        self.events.insert((self.now + after, self.count, event));
    }

    fn run(&mut self, callers: u32) {
        self.later(Duration::ZERO, Event::Arrives);
        while let Some((at, _, event)) = self.events.pop_first() {
            self.now = at;
            match event {
                Event::Arrives if self.callers == callers => {}
                Event::Arrives => self.arrives(),
                Event::Free => self.busy -= 1,
                Event::GivesUp(caller) => self.gives_up(caller),
            }
            while self.busy < self.hour().0 && !self.line.is_empty() {
                self.serve();
            }
        }
    }

    fn arrives(&mut self) {
        let caller = self.callers;
        self.callers += 1;
        let waits = self.busy >= self.hour().0;
        let ahead = u32::try_from(self.line.len()).unwrap();
        let told = (waits && self.callers > 200).then(|| self.told(ahead)).flatten();
        self.joined.insert(caller, (self.now, told));
        self.line.push_back(caller);
        let (patience, next) = (self.chance.exponential(PATIENCE), self.hour().1);
        self.later(patience, Event::GivesUp(caller));
        let next = self.chance.exponential(next);
        self.later(next, Event::Arrives);
    }

    fn told(&self, ahead: u32) -> Option<Told> {
        let pace = self.pace.wait(ahead, self.hour().0)?.as_secs_f64();
        let last_waits = self.waits.iter().sum::<f64>() / self.waits.len() as f64;
        let turns = f64::from(ahead) + 1.0;
        let handling = turns * self.talks.known()? / f64::from(self.hour().0);
        Some(Told { pace, last_waits, handling })
    }

    fn serve(&mut self) {
        let caller = self.line.pop_front().unwrap();
        let (joined, told) = self.joined.remove(&caller).unwrap();
        let wait = self.now.since(joined);
        if let Some(told) = told {
            let off = |told: f64| (told - wait.as_secs_f64()).abs();
            let (pace, last_waits) = (off(told.pace), off(told.last_waits));
            self.errors.push(Told { pace, last_waits, handling: off(told.handling) });
        }
        let agents = self.hour().0;
        self.pace.answered(self.now, wait, agents, !self.line.is_empty());
        self.waits.push_back(wait.as_secs_f64());
        if self.waits.len() > 16 {
            self.waits.pop_front();
        }
        let talk = self.chance.exponential(TALK);
        self.talks.take(talk);
        self.busy += 1;
        self.later(talk + Duration::from_secs_f64(ROUND_MORE), Event::Free);
    }

    fn gives_up(&mut self, caller: u32) {
        let Some((joined, _)) = self.joined.remove(&caller) else { return };
        self.line.retain(|other| *other != caller);
        self.pace.gave_up(self.now.since(joined), !self.line.is_empty());
    }

    fn mean_error(&self, of: fn(&Told) -> f64) -> f64 {
        self.errors.iter().map(of).sum::<f64>() / self.errors.len() as f64
    }
}

#[test]
fn q_107_over_10_000_calls_the_estimate_is_nearer_to_the_truth_than_the_usual_formulas() {
    let mut floor = Floor::new();
    floor.run(10_000);

    let pace = floor.mean_error(|told| told.pace);
    let last_waits = floor.mean_error(|told| told.last_waits);
    let handling = floor.mean_error(|told| told.handling);
    // The figures of benches/README.md.
    println!("{} told: {pace:.1} s, {last_waits:.1} s, {handling:.1} s", floor.errors.len());
    assert!(floor.errors.len() > 3_000, "{}", floor.errors.len());
    assert!(pace < last_waits, "{pace} against the last waits' {last_waits}");
    assert!(pace < handling, "{pace} against the handling time's {handling}");
}
