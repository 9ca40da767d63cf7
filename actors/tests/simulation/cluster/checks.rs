//! What must hold after every step, and when all is well again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tandem_actors::agent::AgentEvent;
use tandem_actors::entity;
use tandem_actors::placement;
use tandem_actors::queue::{Exit, QueueEvent};
use tandem_journal::{Entity, Kind};
use tandem_kernel::{CallId, Timestamp};
use tandem_mesh::placement::{Address, Change, Known, SHARDS};

use super::Outcome;
use super::actors::{Machine, Who};
use super::lines::{Passing, Scene};
use super::talks::Served;
use super::world::{Event, World, Written};
use crate::calls::Stage;

/// Words on their way, bids and wishes that are not answered in time.
const SLACK: Duration = Duration::from_secs(3);

/// Within this all callers are served and all is in order when everything works again.
const SERVED_WITHIN: Duration = Duration::from_secs(240);

/// How long a member that is heard may take to hear of what was committed.
const HEARS_WITHIN: Duration = Duration::from_millis(100);

/// A change of the table, and when it was committed.
struct Changed {
    index: u64,
    change: Change,
    at: Timestamp,
}

#[derive(Default)]
pub(super) struct Checks {
    pub(super) healed_at: Option<Timestamp>,
    is_over: bool,
    /// The table as the journal has it, and who had a shard since when.
    table: Known,
    owners: BTreeMap<(u16, u64), u64>,
    changes: Vec<Changed>,
    /// The last epoch that wrote to an entity, and whose it was.
    accepted: BTreeMap<Entity, (u64, u64)>,
    /// The highest epoch in which an actor was heard, by hearer, its life, and speaker.
    heard: BTreeMap<(u64, u32, Kind, String), u64>,
    /// The highest epoch in which an actor acted, and where.
    acting: BTreeMap<Who, (u64, u64)>,
    pub(super) exits: BTreeMap<CallId, Exit>,
    pub(super) served: Served,
    /// Who waits by what the journal has, how often each caller joined, and how often more they
    /// may, because they began anew at another member.
    waiting: BTreeSet<CallId>,
    joins: BTreeMap<CallId, u32>,
    begun_anew: BTreeMap<CallId, u32>,
    /// Since when an agent's phone rings for two callers.
    doubled: BTreeMap<usize, Timestamp>,
}

impl Checks {
    /// A caller begins anew. How they left before may be on its way to the journal.
    pub(super) fn begins_anew(&mut self, call: CallId) {
        *self.begun_anew.entry(call).or_default() += 1;
    }
}

impl World {
    /// An append that was taken: of the owner, in its epoch; every caller leaves once.
    pub(super) fn check_written(&mut self, written: &Written) -> Outcome<()> {
        self.tell_of_record(written);
        let Written { record, epoch, by } = written;
        let entity = &record.entity;
        match entity.kind {
            entity::PLACEMENT => return self.check_change(written),
            entity::QUEUE | entity::AGENT => {}
            _ => return Ok(()),
        }
        let (last, author) = self.checks.accepted.get(entity).copied().unwrap_or_default();
        if *epoch < last {
            return Err(format!("{entity}: an append of epoch {epoch} after one of {last}"));
        }
        if *epoch == last && author != *by {
            return Err(format!("{entity}: {author} and {by} append in epoch {epoch}"));
        }
        self.checks.accepted.insert(entity.clone(), (*epoch, *by));
        let shard = Address { kind: entity.kind.0, key: entity.key.clone() }.shard();
        let owner = self.checks.owners.get(&(shard, *epoch));
        if owner != Some(by) {
            return Err(format!("{entity}: {by} appends in epoch {epoch} of {owner:?}"));
        }
        if entity.kind == entity::QUEUE {
            self.check_exit(&entity::decode(&record.event).unwrap())?;
        }
        Ok(())
    }

    /// What the journal has of the call of which somebody wants to know.
    fn tell_of_record(&mut self, written: &Written) {
        let Some(call) = self.plan.call else { return };
        let Written { record, epoch, by } = written;
        let entity = &record.entity;
        let event = match entity.kind {
            entity::QUEUE => format!("{:?}", entity::decode::<QueueEvent>(&record.event)),
            entity::AGENT => format!("{:?}", entity::decode::<AgentEvent>(&record.event)),
            entity::PICTURE => format!("{:?}", entity::decode::<Scene>(&record.event)),
            entity::CALL => format!("{:?}", entity::decode::<Passing>(&record.event)),
            _ => return,
        };
        if *entity.key == *call.to_string() || event.contains(&format!("{call:?}")) {
            self.tell(format!("{entity}, {} in epoch {epoch} by {by}: {event}", record.version));
        }
    }

    fn check_change(&mut self, written: &Written) -> Outcome<()> {
        let (record, index) = (&written.record, written.record.position.index);
        let change: Change = entity::decode(&record.event).unwrap();
        if !self.checks.table.take(index, record.version, change) {
            return Ok(());
        }
        self.checks.changes.push(Changed { index, change, at: self.now });
        for shard in 0..SHARDS {
            let slot = self.checks.table.table().slot(shard);
            if let (Some(node), true) = (slot.node, slot.epoch == index) {
                self.checks.owners.insert((shard, index), node);
            }
        }
        match change {
            Change::Leave(_) => self.report.deaths += 1,
            Change::Join(_) | Change::Drain(_) | Change::HandOn(_) => self.report.moves += 1,
        }
        self.tell(format!("{change:?} at {index}, by {}", written.by));
        Ok(())
    }

    /// Every caller joins once, but for those who begin anew, and leaves by exactly one exit.
    fn check_exit(&mut self, event: &QueueEvent) -> Outcome<()> {
        let (call, exit) = match event {
            QueueEvent::Joined { call, .. } => return self.check_join(*call),
            QueueEvent::Answered { call, .. } => (*call, Exit::Answered),
            QueueEvent::Exited { call, reason, .. } | QueueEvent::Refused { call, reason, .. } => {
                (*call, *reason)
            }
            _ => return Ok(()),
        };
        self.tell_of(call, || format!("leaves by {exit:?}, in the journal"));
        let before = self.checks.exits.insert(call, exit);
        match (self.checks.waiting.remove(&call), before) {
            (true, _) => Ok(()),
            (false, Some(before)) => Err(format!("{call} left by {before:?} and by {exit:?}")),
            (false, None) => Err(format!("{call} left by {exit:?} and had not joined")),
        }
    }

    fn check_join(&mut self, call: CallId) -> Outcome<()> {
        let joins = self.checks.joins.entry(call).or_default();
        *joins += 1;
        let allowed = 1 + self.checks.begun_anew.get(&call).copied().unwrap_or_default();
        if *joins > allowed {
            return Err(format!("{call} joined {joins} times, and began {allowed} times"));
        }
        if !self.checks.waiting.insert(call) {
            return Err(format!("{call} joined twice and left by nothing between"));
        }
        Ok(())
    }

    /// Who was called dead acts no more, once another has begun.
    pub(super) fn check_acts(&mut self, id: u64, who: Who, epoch: u64) -> Outcome<()> {
        let (last, at) = self.checks.acting.get(&who).copied().unwrap_or((epoch, id));
        if epoch < last {
            // Who has a shard taken from it by a join or its own drain, or comes back while it is
            // given up, may hear of it later than the new owner, by what its disk takes: what it
            // says meanwhile is dropped, what it writes is refused.
            let lag = HEARS_WITHIN + self.of(id).slowest_sync * 2;
            let mut since = self.checks.changes.iter().filter(|change| change.index > epoch);
            let is_dead =
                since.any(|it| it.change == Change::Leave(id) && self.now.since(it.at) > lag);
            if is_dead {
                let age = self.of(id).group.contact_age(self.now);
                return Err(format!(
                    "{who:?} acts at {id} in epoch {epoch} (contact {age:?} ago), which was given \
                     up, and at {at} in {last}"
                ));
            }
            self.report.overlaps += 1;
            return Ok(());
        }
        if epoch == last && at != id {
            return Err(format!("{who:?} acts at {id} and at {at} in epoch {epoch}"));
        }
        self.checks.acting.insert(who, (epoch, id));
        Ok(())
    }

    /// Nobody who has heard the new owner hears the old one.
    pub(super) fn check_heard(
        &mut self,
        id: u64,
        from: u64,
        (kind, key): (Kind, &str),
        epoch: u64,
    ) -> Outcome<()> {
        let life = self.of(id).life;
        let last = self.checks.heard.entry((id, life, kind, key.to_owned())).or_insert(epoch);
        if epoch < *last {
            let last = *last;
            return Err(format!(
                "{id} hears {from} for {}:{key} in epoch {epoch} after epoch {last}",
                kind.0
            ));
        }
        *last = epoch;
        Ok(())
    }

    pub(super) const fn is_over(&self) -> bool {
        self.checks.is_over
    }

    /// From time to time.
    pub(super) fn look(&mut self) -> Outcome<()> {
        self.later(Duration::from_millis(250), Event::Look);
        self.check_phones()?;
        let Some(healed_at) = self.checks.healed_at else { return Ok(()) };
        if self.now.since(healed_at) < Duration::from_secs(15) {
            return Ok(());
        }
        self.unknown_persons();
        match self.in_order() {
            Ok(()) => self.checks.is_over = true,
            Err(why) if self.now.since(healed_at) > SERVED_WITHIN => return Err(why),
            Err(_) => {}
        }
        Ok(())
    }

    /// While the network is whole, no phone rings for two callers, but for as long as words take.
    /// A call that another member has, or that a silent member holds, rings for nobody.
    fn check_phones(&mut self) -> Outcome<()> {
        let mut rings: BTreeMap<usize, BTreeSet<CallId>> = BTreeMap::new();
        for member in self.members.iter().filter(|it| it.is_up && it.frozen_until <= self.now) {
            if !placement::may_speak(member.group.contact_age(self.now)) {
                continue;
            }
            for (call, line) in &member.lines {
                let Stage::Waiting { rings: own, .. } = &line.model.stage else { continue };
                if self.persons[call].at == member.id {
                    for (agent, _) in own.values() {
                        rings.entry(*agent).or_default().insert(*call);
                    }
                }
            }
        }
        let is_quiet = self.network.whole_since + SLACK < self.now;
        rings.retain(|_, calls| calls.len() > 1);
        self.checks.doubled.retain(|agent, _| rings.contains_key(agent));
        for (agent, calls) in rings {
            let since = *self.checks.doubled.entry(agent).or_insert(self.now);
            if is_quiet && self.now.since(since.max(self.network.whole_since)) > SLACK {
                return Err(format!("agent {} rings for {calls:?}", 2000 + agent));
            }
        }
        Ok(())
    }

    /// Whether everybody was served and all members agree; what not.
    fn in_order(&self) -> Outcome<()> {
        let waiting = self.persons.iter().filter(|(_, person)| !person.is_over);
        if let Some((call, person)) = waiting.clone().next() {
            let stage = self.of(person.at).lines.get(call).map(|line| &line.model.stage);
            let count = waiting.count();
            return Err(format!("{count} wait to be served, {call} at {}: {stage:?}", person.at));
        }
        let first = &self.members[0];
        for member in &self.members {
            if (member.group.applied, member.head) != (first.group.applied, first.head) {
                let (own, other) = (&first.group, &member.group);
                return Err(format!(
                    "{} has not applied what 1 has: {} {}",
                    member.id,
                    own.stand(),
                    other.stand()
                ));
            }
            if member.known != self.checks.table {
                return Err(format!("the table of {} differs", member.id));
            }
        }
        self.is_balanced()?;
        self.check_served()?;
        let queues = (0..self.queues.len()).map(Who::Queue);
        for who in queues.chain((0..self.plan.agents).map(Who::Agent)) {
            self.is_in_order(who)?;
        }
        self.check_history()
    }

    /// All members have shards, within 20 % of the mean.
    fn is_balanced(&self) -> Outcome<()> {
        let loads = self.checks.table.table().loads();
        let mean = f64::from(SHARDS) / self.plan.members as f64;
        let fits = |load: &usize| (*load as f64 - mean).abs() <= (mean * 0.2).max(1.0);
        if loads.len() == self.members.len() && loads.values().all(fits) {
            return Ok(());
        }
        Err(format!("shards are not spread: {loads:?}"))
    }

    /// An actor runs at its owner, only there, and knows what the journal knows.
    fn is_in_order(&self, who: Who) -> Outcome<()> {
        let (kind, key) = self.address(who);
        let seat = self.members[0].seat(kind, &key);
        for member in &self.members {
            let running = member.posts[&who].running.as_ref();
            if running.map(|it| it.epoch) != (seat.member == Some(member.id)).then_some(seat.epoch)
            {
                return Err(format!("{who:?} is of {seat:?}, at {} runs {running:?}", member.id));
            }
        }
        let owner = self.of(seat.member.unwrap());
        let running = owner.posts[&who].running.as_ref().unwrap();
        match (&running.machine, who) {
            (Machine::Queue(queue), Who::Queue(index)) => {
                let facts = queue.facts();
                if *facts != self.queue_facts(index, owner.head).0 {
                    return Err(format!("queue {key} differs from its events"));
                }
                let counters = facts.counters;
                if counters.total != counters.answered + counters.missed + counters.abandoned {
                    return Err(format!("Q-131: {counters:?}"));
                }
                let left = (facts.waiting.len(), facts.rings.len(), facts.active.len());
                if left != (0, 0, 0) {
                    let active: Vec<_> = facts.active.keys().collect();
                    return Err(format!("{left:?} are left in queue {key}: talks {active:?}"));
                }
            }
            (Machine::Agent(agent), Who::Agent(index)) => {
                if *agent.facts() != self.agent_facts(index, owner.head).0 {
                    return Err(format!("agent {key} differs from their events"));
                }
                if let Some(held) = agent.held() {
                    return Err(format!("agent {key} still holds {held:?}"));
                }
            }
            _ => return Err(format!("{who:?} is another kind of actor")),
        }
        Ok(())
    }

    pub(super) fn check_end(&mut self) -> Outcome<()> {
        self.report.exits = u64::try_from(self.checks.exits.len()).unwrap();
        Ok(())
    }
}
