//! Virtual time, the network between members, their disks, and the journal that they make.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tandem_actors::entity;
use tandem_actors::gateway::words::{Reply, Word};
use tandem_config::resource::{Queue as Config, Settings};
use tandem_journal::memory::Memory;
use tandem_journal::{AppendError, Appended, Entity, Record};
use tandem_kernel::{CallId, Timestamp};
use tandem_mesh::Roster;

use super::checks::Checks;
use super::desk::Forward;
use super::group::{Entry, Mark, Out, Say, Seen};
use super::lines::Person;
use super::member::{Inner, Member};
use super::{Broken, Outcome, Plan, Report};
use crate::world::{config, settings};

/// Between two looks of a member at its elections and its desk; at its lease and, as the leader,
/// at the others it looks every second time (`LOOK`).
const TICK: Duration = Duration::from_millis(25);

/// What travels between members.
#[derive(Clone, Debug)]
pub(super) enum Packet {
    Say(Say),
    Forward(Forward),
    /// None: ask elsewhere.
    Forwarded(u64, Option<Vec<Told>>),
    Letter {
        serial: u64,
        session: u64,
        first: u64,
        words: Rc<[Word]>,
    },
    Reply {
        serial: u64,
        reply: Reply,
    },
}

/// What became of an append.
pub(super) type Told = Result<Appended, AppendError>;

#[derive(Clone, Debug)]
pub(super) enum Event {
    /// At one member, in the life that it had; it waits while the member is frozen.
    Of(u64, u32, Inner),
    Arrived {
        from: u64,
        to: u64,
        packet: Packet,
    },
    /// Somebody calls.
    Call,
    HangsUp(CallId),
    Fault,
    Restart(u64),
    Heal,
    Writer(usize),
    Look,
}

/// A record, and who wrote it.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) record: Record,
    pub(super) epoch: u64,
    pub(super) by: u64,
}

/// What the log has made so far, wherever it was applied first.
#[derive(Default)]
pub(super) struct Book {
    memory: Memory,
    entries: Vec<(u64, Vec<Told>, std::ops::Range<usize>)>,
    pub(super) written: Vec<Written>,
    of: BTreeMap<Entity, Vec<usize>>,
}

impl Book {
    /// The records of an entity up to an index.
    pub(super) fn of(&self, entity: &Entity, head: u64) -> impl Iterator<Item = &Record> {
        let places = self.of.get(entity).map(Vec::as_slice).unwrap_or_default();
        let records = places.iter().map(|place| &self.written[*place].record);
        records.take_while(move |record| record.position.index <= head)
    }
}

#[derive(Default)]
pub(super) struct Network {
    /// One-way cuts.
    pub(super) cuts: BTreeSet<(u64, u64)>,
    pub(super) lost_percent: u32,
    /// Since when all members are up and hear each other.
    pub(super) whole_since: Timestamp,
}

pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) now: Timestamp,
    pub(super) rng: StdRng,
    pub(super) members: Vec<Member>,
    pub(super) roster: Roster,
    pub(super) queues: Vec<Config>,
    pub(super) settings: Settings,
    pub(super) network: Network,
    pub(super) book: Book,
    pub(super) persons: BTreeMap<CallId, Person>,
    pub(super) writers: Vec<super::writers::Writer>,
    pub(super) checks: Checks,
    pub(super) report: Report,
    pub(super) is_healed: bool,
    pub(super) numbers: u64,
    story: VecDeque<String>,
    agenda: BTreeMap<(Timestamp, u64), Box<Event>>,
    sequence: u64,
}

impl World {
    /// Lives through a plan; says what was broken, and what happened before.
    pub(super) fn run(plan: Plan) -> Outcome<Report> {
        let mut world = Self::new(plan);
        let outcome = world.live();
        outcome.map_err(|broken| {
            let story: Vec<_> = world.story.iter().map(String::as_str).collect();
            let (plan, now) = (&world.plan, world.shown(world.now));
            format!("{plan:?} at {now}: {broken}\n{}", story.join("\n"))
        })?;
        Ok(world.report)
    }

    fn new(plan: Plan) -> Self {
        let mut rng = StdRng::seed_from_u64(plan.seed);
        let now = Timestamp::from_secs(1_000_000);
        let configs = (0..plan.queues).map(|it| config(&mut rng, it, plan.agents));
        let queues: Vec<Config> = configs.map(without_ways_out).collect();
        let ids: Rc<[u64]> = (1..=plan.members).collect();
        let voters = if plan.members >= 5 { 5 } else { plan.members | 1 };
        let voters: Rc<[u64]> = (1..=voters.min(plan.members)).collect();
        let member = |id: &u64| Member::new(*id, (Rc::clone(&voters), Rc::clone(&ids)), now);
        Self {
            members: ids.iter().map(member).collect(),
            roster: super::faults::roster(plan.members),
            network: Network { whole_since: now, ..Network::default() },
            writers: super::writers::begin(4),
            plan,
            now,
            rng,
            queues,
            settings: settings(),
            book: Book::default(),
            persons: BTreeMap::new(),
            checks: Checks::default(),
            report: Report::default(),
            is_healed: false,
            numbers: 0,
            story: VecDeque::new(),
            agenda: BTreeMap::new(),
            sequence: 0,
        }
    }

    fn live(&mut self) -> Outcome<()> {
        for id in 1..=self.plan.members {
            self.begin(id);
        }
        self.later(Duration::from_secs(4), Event::Call);
        self.later(Duration::from_secs(6), Event::Fault);
        self.later(self.plan.span, Event::Heal);
        self.later(Duration::from_secs(1), Event::Look);
        for writer in 0..self.writers.len() {
            self.later(Duration::from_secs(1), Event::Writer(writer));
        }
        while let Some(((at, sequence), event)) = self.agenda.pop_first() {
            self.now = at;
            let event = *event;
            let member = match &event {
                Event::Of(member, _, _) | Event::Arrived { to: member, .. } => Some(*member),
                _ => None,
            };
            if let Some(thaws) = member.map(|it| self.of(it).frozen_until)
                && self.now < thaws
            {
                let event = self.held(event);
                self.agenda.insert((thaws, sequence), Box::new(event));
                continue;
            }
            self.report.steps += 1;
            self.happen(event)?;
            if self.is_over() {
                return self.check_end();
            }
        }
        Err("nothing happens any more".to_owned())
    }

    /// What a frozen member hears when it is thawed, if it lives until then.
    fn held(&self, event: Event) -> Event {
        match event {
            Event::Arrived { from, to, packet } => {
                let inner = Inner::Arrived { from, packet: Box::new(packet) };
                Event::Of(to, self.of(to).life, inner)
            }
            other => other,
        }
    }

    fn happen(&mut self, event: Event) -> Outcome<()> {
        match event {
            Event::Of(member, life, inner) => {
                let at = self.of(member);
                if at.is_up && at.life == life {
                    self.at(member, inner)?;
                }
                Ok(())
            }
            Event::Arrived { from, to, packet } if self.of(to).is_up => {
                self.arrived(from, to, packet)
            }
            Event::Arrived { .. } => Ok(()),
            Event::Call => self.somebody_calls(),
            Event::HangsUp(call) => {
                self.hangs_up(call);
                Ok(())
            }
            Event::Fault => {
                self.break_something();
                Ok(())
            }
            Event::Restart(member) => {
                self.restart(member);
                Ok(())
            }
            Event::Heal => {
                self.heal();
                Ok(())
            }
            Event::Writer(writer) => {
                self.write(writer);
                Ok(())
            }
            Event::Look => self.look(),
        }
    }

    pub(super) fn arrived(&mut self, from: u64, to: u64, packet: Packet) -> Outcome<()> {
        match packet {
            Packet::Say(mut say) => {
                if let (Say::Append { asked, .. }, Broken::TrustsAnyLeader) =
                    (&mut say, self.plan.broken)
                {
                    asked.age = Duration::ZERO;
                }
                let (now, mut out) = (self.now, Vec::new());
                self.of_mut(to).group.hear(now, from, say, &mut out);
                self.carry_out(to, out)
            }
            Packet::Forward(forward) => self.forwarded(from, to, forward),
            Packet::Forwarded(serial, told) => self.answered(to, serial, told),
            Packet::Letter { serial, session, first, words } => {
                self.take_letter(to, from, (serial, session, first), &words)
            }
            Packet::Reply { serial, reply } => {
                self.replied(to, from, serial, reply);
                Ok(())
            }
        }
    }

    /// What a member's part of the group wants done; then what is committed is applied.
    pub(super) fn carry_out(&mut self, member: u64, out: Vec<Out>) -> Outcome<()> {
        for out in out {
            match out {
                Out::Say(to, say) => self.send(member, to, Packet::Say(say)),
                Out::Sync { mark, then, contact } => {
                    let took = self.sync_takes(member);
                    // The contact is that of the question, however long the disk takes.
                    let contact = match self.plan.broken {
                        Broken::CountsFromTheAnswer => contact.map(|it| (self.now + took, it.1)),
                        _ => contact,
                    };
                    let done = Inner::Synced { mark, then: then.map(Box::new), contact };
                    self.later_at(member, took, done);
                }
            }
        }
        self.apply(member)
    }

    pub(super) fn synced(
        &mut self,
        member: u64,
        mark: Mark,
        then: Option<Box<(u64, Say)>>,
        contact: Option<Seen>,
    ) -> Outcome<()> {
        let now = self.now;
        if self.of_mut(member).group.synced(now, mark, contact)
            && let Some(then) = then
        {
            let (to, say) = *then;
            self.send(member, to, Packet::Say(say));
        }
        let mut out = Vec::new();
        self.of_mut(member).group.tell_commit(now, &mut out);
        self.carry_out(member, out)
    }

    /// Syncs come one after the other; as in the real one what comes while one runs is synced
    /// together by the next.
    fn sync_takes(&mut self, member: u64) -> Duration {
        let slowest = self.of(member).slowest_sync.max(Duration::from_millis(3));
        let most = u64::try_from(slowest.as_micros()).unwrap();
        let takes = Duration::from_micros(self.rng.random_range(most / 10..=most));
        let now = self.now;
        self.of_mut(member).disk.sync(now, takes).since(now)
    }

    fn apply(&mut self, member: u64) -> Outcome<()> {
        while let Some((place, entry)) = self.of_mut(member).group.next_applied() {
            let (told, records) = self.settle(place, &entry)?;
            for place in records {
                let record = self.book.written[place].record.clone();
                self.of_mut(member).head = record.position.index;
                self.take_in(member, &record)?;
            }
            let (asker, serial) = entry.asked;
            let group = &self.of(member).group;
            if asker == member {
                self.answered(member, serial, Some(told))?;
            } else if asker > 0 && group.leads() && group.term == entry.term {
                self.send(member, asker, Packet::Forwarded(serial, Some(told)));
            }
        }
        self.settle_desk(member)
    }

    /// What an entry makes; the same at every member, whoever led.
    fn settle(
        &mut self,
        place: usize,
        entry: &Entry,
    ) -> Outcome<(Vec<Told>, std::ops::Range<usize>)> {
        if let Some((term, told, records)) = self.book.entries.get(place) {
            if *term != entry.term {
                return Err(format!("entry {place} is of term {term} and of {}", entry.term));
            }
            return Ok((told.clone(), records.clone()));
        }
        let first = self.book.written.len();
        let mut told = Vec::new();
        for proposal in entry.proposals.iter() {
            let mut append = proposal.append.clone();
            match self.plan.broken {
                Broken::RefusesNothing if append.entity.kind == entity::QUEUE => {
                    (append.epoch, append.expected) = (1 << 40, None);
                }
                Broken::ForgetsOperations => append.op_id = None,
                _ => {}
            }
            let outcome = self.book.memory.append(append, proposal.at);
            if let Err(AppendError::StaleEpoch { .. }) = outcome {
                self.report.stale += 1;
            }
            let known = self.book.written.len();
            told.push(outcome.map(|(appended, records)| {
                // A repeated operation tells the same and writes nothing.
                let (epoch, by) = (proposal.append.epoch, proposal.by);
                let written = records.into_iter().map(|record| Written { record, epoch, by });
                self.book.written.extend(written);
                appended
            }));
            for place in known..self.book.written.len() {
                let written = self.book.written[place].clone();
                self.book.of.entry(written.record.entity.clone()).or_default().push(place);
                self.check_written(&written)?;
            }
        }
        let records = first..self.book.written.len();
        self.book.entries.push((entry.term, told.clone(), records.clone()));
        Ok((told, records))
    }

    pub(super) fn send(&mut self, from: u64, to: u64, packet: Packet) {
        let is_lost =
            self.network.lost_percent > 0 && self.rng.random_ratio(self.network.lost_percent, 100);
        if is_lost || self.network.cuts.contains(&(from, to)) {
            return;
        }
        let delay = Duration::from_micros(self.rng.random_range(100..3_000));
        self.later(delay, Event::Arrived { from, to, packet });
    }

    pub(super) fn later(&mut self, after: Duration, event: Event) {
        self.sequence += 1;
        self.agenda.insert((self.now + after, self.sequence), Box::new(event));
    }

    /// At a member, in the life that it has.
    pub(super) fn later_at(&mut self, member: u64, after: Duration, inner: Inner) {
        let life = self.of(member).life;
        self.later(after, Event::Of(member, life, inner));
    }

    pub(super) fn next_tick(&mut self, member: u64) {
        self.later_at(member, TICK, Inner::Tick);
    }

    pub(super) fn of(&self, member: u64) -> &Member {
        &self.members[usize::try_from(member).unwrap() - 1]
    }

    pub(super) fn of_mut(&mut self, member: u64) -> &mut Member {
        &mut self.members[usize::try_from(member).unwrap() - 1]
    }

    /// A number that was never given.
    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn chance(&mut self, per_mille: u32) -> bool {
        self.rng.random_ratio(per_mille, 1_000)
    }

    pub(super) fn millis(&mut self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.rng.random_range(range))
    }

    pub(super) fn any_member(&mut self) -> u64 {
        self.rng.random_range(1..=self.plan.members)
    }

    /// Seconds since the beginning.
    pub(super) fn shown(&self, at: Timestamp) -> String {
        format!("{:.3} s", at.since(Timestamp::from_secs(1_000_000)).as_secs_f64())
    }

    /// What happens to one call, when somebody wants to know: `TANDEM_CALL=<number>`.
    pub(super) fn tell_of(&mut self, call: CallId, what: impl Fn() -> String) {
        if self.plan.call == Some(call) {
            self.tell(format!("{call} {}", what()));
        }
    }

    pub(super) fn tell(&mut self, what: impl Into<String>) {
        let line = format!("  {:>10} {}", self.shown(self.now), what.into());
        if std::env::var_os("TANDEM_STORY").is_some() {
            println!("{line}");
        }
        self.story.push_back(line);
        if self.story.len() > 60 {
            self.story.pop_front();
        }
    }
}

/// Callers leave served or by their own will, so that each who is not served is a fault.
fn without_ways_out(mut config: Config) -> Config {
    (config.max_wait_secs, config.max_callers) = (0, 0);
    (config.join_empty.enabled, config.leave_empty.enabled) = (false, false);
    config
}

/// An event of the model's own as bytes.
pub(super) fn bytes<T: serde::Serialize>(event: &T) -> Vec<Bytes> {
    vec![entity::encode(event)]
}
