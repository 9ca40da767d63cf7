//! Queues and agents as a member runs them: the shells' rules around the real machines.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use rand::Rng;
use tandem_actors::agent::machine::{self as agent, Agent, Rule};
use tandem_actors::agent::{self as agents, AgentEvent};
use tandem_actors::entity;
use tandem_actors::gateway::words::Word;
use tandem_actors::placement::{Moves, Owner};
use tandem_actors::queue::machine::{self as queue, Queue};
use tandem_actors::queue::{self as queues, Exit, QueueEvent, QueueNotice, QueueWord};
use tandem_actors::whereabouts::machine::{Change, News};
use tandem_journal::{Append, AppendError, Entity, Kind};
use tandem_kernel::{CallId, Decision, Intensity, Restart};

use super::Outcome;
use super::desk::Then;
use super::lines::HEARD_BY_THEN;
use super::member::{Inner, Way, seat};
use super::world::{Told, World};
use crate::world::nothing_of;

/// On its way from one actor to another of the same member.
pub(super) const AT_ONCE: Duration = Duration::from_micros(20);

/// The wait before an actor whose earlier appends are on their way is tried again.
const SETTLING: Duration = Duration::from_millis(20);

/// The most events of one append.
const TOGETHER: usize = 200;

/// A placed actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Queue(usize),
    Agent(usize),
}

/// What a placed actor takes.
#[derive(Clone, Debug)]
pub(super) enum Input {
    Queue(queue::Input),
    Agent(agent::Input),
}

impl From<queue::Input> for Input {
    fn from(input: queue::Input) -> Self {
        Self::Queue(input)
    }
}

impl From<agent::Input> for Input {
    fn from(input: agent::Input) -> Self {
        Self::Agent(input)
    }
}

#[derive(Debug)]
pub(super) enum Machine {
    Queue(Box<Queue>),
    Agent(Box<Agent>),
}

#[derive(Debug)]
pub(super) struct Running {
    pub(super) machine: Machine,
    pub(super) epoch: u64,
    incarnation: u64,
    /// Where those are with whom it speaks.
    moves: Moves,
}

#[derive(Debug)]
struct Job {
    events: Vec<Bytes>,
    incarnation: u64,
    /// What is told when they are durable.
    kept: Vec<Kept>,
}

/// A notice that waits for the commit.
type Kept = (CallId, QueueNotice);

/// An actor's place at a member, whether it runs there or not.
#[derive(Debug, Default)]
pub(super) struct Post {
    pub(super) running: Option<Running>,
    failures: Intensity,
    known: u64,
    epoch: u64,
    /// The newest epoch that an append was refused for.
    current: u64,
    /// The newest start of the actor of which an append was refused.
    refused: Option<u64>,
    waiting: VecDeque<Job>,
    flight: Vec<Job>,
}

impl Post {
    pub(super) fn is_settled(&self) -> bool {
        self.waiting.is_empty() && self.flight.is_empty()
    }
}

impl World {
    pub(super) fn extensions(&self) -> impl Iterator<Item = String> + use<> {
        (0..self.plan.agents).map(|agent| format!("{}", 2000 + agent))
    }

    pub(super) fn agent_at(&self, extension: &str) -> usize {
        extension.parse::<usize>().unwrap() - 2000
    }

    pub(super) fn queue_at(&self, number: &str) -> usize {
        self.queues.iter().position(|queue| queue.number == number).unwrap()
    }

    pub(super) fn address(&self, who: Who) -> (Kind, String) {
        match who {
            Who::Queue(queue) => (entity::QUEUE, self.queues[queue].number.clone()),
            Who::Agent(agent) => (entity::AGENT, format!("{}", 2000 + agent)),
        }
    }

    pub(super) fn entity(&self, who: Who) -> Entity {
        let (kind, key) = self.address(who);
        Entity::new(kind, key)
    }

    pub(super) fn owns(&self, id: u64, who: Who) -> Option<u64> {
        let (kind, key) = self.address(who);
        self.owned_since(id, kind, &key)
    }

    /// Starts what a member owns by now, and stops what it owns no longer.
    pub(super) fn placed(&mut self, id: u64) -> Outcome<()> {
        let all: Vec<Who> = self.of(id).posts.keys().copied().collect();
        for who in all {
            let runs = self.of(id).posts[&who].running.is_some();
            match (self.owns(id, who), runs) {
                (Some(_), false) => self.start(id, who)?,
                (None, true) => self.stop(id, who)?,
                // One of an earlier epoch finds out by this and is started again.
                (Some(_), true) => self.follow(id, who),
                (None, false) => {}
            }
        }
        Ok(())
    }

    /// Tells an actor of those that were moved among those with whom it speaks.
    fn follow(&mut self, id: u64, who: Who) {
        for moved in self.moved_for(id, who) {
            let input: Input = match who {
                Who::Queue(_) => queue::Input::AgentMoved { agent: moved }.into(),
                Who::Agent(_) => agent::Input::QueueMoved { queue: moved }.into(),
            };
            self.later_at(id, AT_ONCE, Inner::Follow(who, input));
        }
    }

    fn moved_for(&mut self, id: u64, who: Who) -> Vec<String> {
        let at = self.of_mut(id);
        let known = at.known.clone();
        let Some(running) = at.posts.get_mut(&who).and_then(|post| post.running.as_mut()) else {
            return Vec::new();
        };
        let epoch = |kind: Kind, key: &str| seat(&known, kind, key).epoch;
        match &running.machine {
            Machine::Queue(queue) => {
                let agents = queue.config().members.iter().map(|it| it.extension.as_str());
                running.moves.look(agents, |key| epoch(entity::AGENT, key))
            }
            Machine::Agent(agent) => {
                let queues = agent.rules().keys().map(String::as_str);
                running.moves.look(queues, |key| epoch(entity::QUEUE, key))
            }
        }
    }

    pub(super) fn stop(&mut self, id: u64, who: Who) -> Outcome<()> {
        self.tell_of_actor(who, || format!("stops at {id}"));
        self.of_mut(id).posts.get_mut(&who).unwrap().running = None;
        let current = self.of(id).posts[&who].current;
        if let Who::Queue(queue) = who
            && self.owns(id, who).is_none_or(|epoch| epoch < current)
        {
            self.of_mut(id).sinks.remove(&queue);
        }
        self.start(id, who)
    }

    pub(super) fn start(&mut self, id: u64, who: Who) -> Outcome<()> {
        if self.of(id).posts[&who].running.is_some() {
            return Ok(());
        }
        let current = self.of(id).posts[&who].current;
        // One that is outdated is told when it owns the actor anew.
        let owned = self.owns(id, who).filter(|epoch| *epoch >= current);
        let Some(epoch) = owned else { return Ok(()) };
        if !self.of(id).posts[&who].is_settled() {
            self.later_at(id, SETTLING, Inner::Start(who));
            return Ok(());
        }
        self.report.starts += 1;
        if let Who::Queue(queue) = who
            && self.of(id).posts[&who].epoch != epoch
        {
            // Ways of an earlier time lead where calls were.
            self.of_mut(id).sinks.remove(&queue);
        }
        let incarnation = self.number();
        let (machine, opened, known) = match who {
            Who::Queue(index) => self.queue_from(id, index),
            Who::Agent(index) => self.agent_from(id, index),
        };
        self.tell_of_actor(who, || format!("starts at {id} in epoch {epoch} behind {known}"));
        let post = self.of_mut(id).posts.get_mut(&who).unwrap();
        (post.epoch, post.known) = (epoch, known);
        let moves = Moves::default();
        post.running = Some(Running { machine, epoch, incarnation, moves });
        self.moved_for(id, who);
        self.step(id, who, opened)?;
        if let (Who::Queue(queue), Some(running)) = (who, &self.of(id).posts[&who].running)
            && let Machine::Queue(machine) = &running.machine
        {
            let homes = &self.of(id).homes;
            let talks = machine.facts().active.keys().copied();
            let ended: Vec<CallId> = talks.filter(|call| !homes.has(*call)).collect();
            for call in ended {
                self.later_at(id, HEARD_BY_THEN, Inner::Doubt { queue, incarnation, call });
            }
        }
        Ok(())
    }

    /// What happens to the queue of the call of which somebody wants to know.
    fn tell_of_actor(&mut self, who: Who, what: impl Fn() -> String) {
        let person = self.plan.call.and_then(|call| self.persons.get(&call));
        if person.is_some_and(|person| Who::Queue(person.queue) == who) {
            self.tell(format!("{who:?} {}", what()));
        }
    }

    pub(super) fn doubt(
        &mut self,
        id: u64,
        queue: usize,
        incarnation: u64,
        call: CallId,
    ) -> Outcome<()> {
        let running = self.of(id).posts[&Who::Queue(queue)].running.as_ref();
        if running.is_none_or(|it| it.incarnation != incarnation) || self.of(id).homes.has(call) {
            return Ok(());
        }
        self.queue_hears(id, queue, QueueWord::CallLost { call }, None)
    }

    fn queue_from(&mut self, id: u64, index: usize) -> (Machine, Input, u64) {
        let (facts, known) = self.queue_facts(index, self.of(id).head);
        let seed = self.rng.random();
        let at = self.of(id);
        let mut found = Vec::new();
        for (name, call) in facts.listeners() {
            let home = at.homes.home(call);
            if home != id || at.has(call) {
                found.push((name, Way { home, stay: None }));
            }
        }
        let sinks = self.of_mut(id).sinks.entry(index).or_default();
        for (name, way) in found {
            sinks.entry(name).or_insert(way);
        }
        let alive = sinks.keys().copied().collect();
        let machine = Queue::new(self.queues[index].clone(), facts);
        let opened = queue::Input::Opened { seed, alive, patience: queue::FOUND_WITHIN };
        (Machine::Queue(Box::new(machine)), opened.into(), known)
    }

    fn agent_from(&self, id: u64, index: usize) -> (Machine, Input, u64) {
        let (facts, known) = self.agent_facts(index, self.of(id).head);
        let extension = format!("{}", 2000 + index);
        let seen = self.of(id).floors.seen(&extension);
        let (registered, calls) = (seen.is_reachable(), seen.calls);
        let rules = self.rules(&extension);
        let machine = Agent::new(extension, facts, self.settings.clone(), rules);
        (
            Machine::Agent(Box::new(machine)),
            agent::Input::Opened { registered, calls }.into(),
            known,
        )
    }

    fn rules(&self, extension: &str) -> BTreeMap<String, Rule> {
        let rules = self.queues.iter().filter_map(|queue| {
            let member = queue.members.iter().find(|member| member.extension == extension)?;
            let ring_in_use = queue.agent.ring_in_use;
            Some((queue.number.clone(), Rule { membership: member.membership, ring_in_use }))
        });
        rules.collect()
    }

    /// The fold of what the journal has up to an index, and its version.
    pub(super) fn queue_facts(&self, index: usize, head: u64) -> (queues::Facts, u64) {
        let (mut facts, mut version) = (nothing_of(&self.queues[index]), 0);
        for record in self.book.of(&self.entity(Who::Queue(index)), head) {
            let event: QueueEvent = entity::decode(&record.event).unwrap();
            facts.evolve(&event);
            version = record.version;
        }
        (facts, version)
    }

    pub(super) fn agent_facts(&self, index: usize, head: u64) -> (agents::Facts, u64) {
        let (mut facts, mut version) = (agents::Facts::default(), 0);
        for record in self.book.of(&self.entity(Who::Agent(index)), head) {
            let event: AgentEvent = entity::decode(&record.event).unwrap();
            facts.evolve(&event);
            version = record.version;
        }
        (facts, version)
    }

    /// The journal has facts of an agent up to a version; some may be another member's.
    pub(super) fn agent_followed(&mut self, id: u64, index: usize, version: u64) -> Outcome<()> {
        let who = Who::Agent(index);
        let post = &self.of(id).posts[&who];
        // Our own come back before their append is answered.
        if post.running.is_none() || !post.is_settled() || post.known >= version {
            return Ok(());
        }
        self.take_facts(id, index)
    }

    fn take_facts(&mut self, id: u64, index: usize) -> Outcome<()> {
        let (facts, known) = self.agent_facts(index, self.of(id).head);
        self.of_mut(id).posts.get_mut(&Who::Agent(index)).unwrap().known = known;
        self.step(id, Who::Agent(index), agent::Input::Facts(facts).into())
    }

    pub(super) fn timer(
        &mut self,
        id: u64,
        who: Who,
        incarnation: u64,
        input: Input,
    ) -> Outcome<()> {
        let running = self.of(id).posts[&who].running.as_ref();
        // The timers of an actor end with it.
        if running.is_some_and(|it| it.incarnation == incarnation) {
            return self.step(id, who, input);
        }
        Ok(())
    }

    /// One message of an actor; nothing if it does not run here.
    pub(super) fn step(&mut self, id: u64, who: Who, input: Input) -> Outcome<()> {
        let Some(running) = &self.of(id).posts[&who].running else { return Ok(()) };
        let epoch = running.epoch;
        if self.owns(id, who) != Some(epoch) {
            // Somebody else's by now, or maybe so: not one word more.
            return self.stop(id, who);
        }
        self.check_acts(id, who, epoch)?;
        let local = self.of(id).clock(self.now);
        let post = self.of_mut(id).posts.get_mut(&who).unwrap();
        let running = post.running.as_mut().unwrap();
        match (&mut running.machine, input) {
            (Machine::Queue(machine), Input::Queue(input)) => {
                let Ok(effects) = machine.step(local, input) else { return Ok(()) };
                self.queue_effects(id, who, effects)
            }
            (Machine::Agent(machine), Input::Agent(input)) => {
                let Ok(effects) = machine.step(local, input) else { return Ok(()) };
                self.agent_effects(id, who, effects);
                Ok(())
            }
            (machine, input) => Err(format!("{input:?} for {machine:?}")),
        }
    }

    fn queue_effects(&mut self, id: u64, who: Who, effects: Vec<queue::Effect>) -> Outcome<()> {
        let Who::Queue(index) = who else { return Ok(()) };
        let (mut facts, mut kept) = (Vec::new(), Vec::new());
        for effect in &effects {
            match effect {
                queue::Effect::Record(event) => facts.push(entity::encode(event)),
                queue::Effect::NotifyKept { call, notice } => kept.push((*call, notice.clone())),
                _ => {}
            }
        }
        self.record(id, who, facts, kept);
        let number = self.queues[index].number.clone();
        for effect in effects {
            match effect {
                queue::Effect::Notify { call, notice } => self.notify(id, index, call, notice),
                queue::Effect::Tell { agent, message } => {
                    self.tell_agent(id, &agent, &number, message);
                }
                queue::Effect::Arm { timer, after } => {
                    let incarnation = self.incarnation(id, who);
                    self.later_at(id, after, Inner::QueueTimer(index, incarnation, timer));
                }
                queue::Effect::Forget(call) => {
                    self.of_mut(id).sinks.entry(index).or_default().remove(&call);
                }
                queue::Effect::Record(_)
                | queue::Effect::NotifyKept { .. }
                | queue::Effect::Decide(..)
                | queue::Effect::Closed => {}
                other => return Err(format!("{other:?}, which nobody asked for")),
            }
        }
        Ok(())
    }

    fn agent_effects(&mut self, id: u64, who: Who, effects: Vec<agent::Effect>) {
        let Who::Agent(index) = who else { return };
        let mut facts = Vec::new();
        for effect in effects {
            match effect {
                agent::Effect::Record(event) => facts.push(entity::encode(&event)),
                agent::Effect::Tell { queue, message } => {
                    let agent = format!("{}", 2000 + index);
                    let queue = self.queue_at(&queue);
                    self.tell_queue(id, queue, QueueWord::Agent { agent, message }, None);
                }
                agent::Effect::Arm { timer, after } => {
                    let incarnation = self.incarnation(id, who);
                    self.later_at(id, after, Inner::AgentTimer(index, incarnation, timer));
                }
                agent::Effect::Done(_) => {}
            }
        }
        self.record(id, who, facts, Vec::new());
    }

    fn incarnation(&self, id: u64, who: Who) -> u64 {
        self.of(id).posts[&who].running.as_ref().unwrap().incarnation
    }

    fn notify(&mut self, id: u64, index: usize, call: CallId, notice: QueueNotice) {
        let Some(way) = self.of(id).sinks.get(&index).and_then(|it| it.get(&call)).copied() else {
            return;
        };
        let number = self.queues[index].number.clone();
        if way.home != id {
            // Who may not speak is silent; the call is not gone for that.
            if let Some(epoch) = self.owned_since(id, entity::QUEUE, &number) {
                let (queue, stay) = (number, way.stay);
                self.tell_member(id, way.home, Word::ToCall { call, queue, stay, epoch, notice });
            }
        } else if self.of(id).has(call) {
            let stay = way.stay;
            self.later_at(id, AT_ONCE, Inner::CallTold { call, stay, notice });
        } else {
            // The call crashed. It can not say so itself any more.
            let word = QueueWord::CallerLeft { call, reason: Exit::System };
            self.later_at(id, AT_ONCE, Inner::Heard { queue: index, word, way: None });
        }
    }

    fn tell_agent(&mut self, id: u64, extension: &str, queue: &str, message: agents::ToAgent) {
        let queue = queue.to_owned();
        if let Owner::There(member) = self.owner(id, entity::AGENT, extension) {
            let Some(epoch) = self.owned_since(id, entity::QUEUE, &queue) else { return };
            let extension = extension.to_owned();
            return self.tell_member(
                id,
                member,
                Word::ToAgent { extension, queue, epoch, message },
            );
        }
        let agent = self.agent_at(extension);
        let input = agent::Input::Queue { queue, message };
        self.later_at(id, AT_ONCE, Inner::AgentTold(agent, input));
    }

    pub(super) fn tell_queue(&mut self, id: u64, queue: usize, word: QueueWord, way: Option<Way>) {
        if !self.of(id).homes.may_say(id, &word) {
            self.report.outdated += 1;
            return;
        }
        let number = self.queues[queue].number.clone();
        let epoch = match &word {
            QueueWord::Agent { agent, .. } => self.owned_since(id, entity::AGENT, agent),
            _ => None,
        };
        if let Owner::There(member) = self.owner(id, entity::QUEUE, &number) {
            return self.tell_member(id, member, Word::ToQueue { number, word, epoch });
        }
        self.later_at(id, AT_ONCE, Inner::Heard { queue, word, way });
    }

    /// A queue's actor hears a word, if it runs.
    pub(super) fn queue_hears(
        &mut self,
        id: u64,
        index: usize,
        word: QueueWord,
        way: Option<Way>,
    ) -> Outcome<()> {
        let who = Who::Queue(index);
        let Some(Running { machine: Machine::Queue(queue), .. }) = &self.of(id).posts[&who].running
        else {
            return Ok(());
        };
        let joins = match (&word, way) {
            (QueueWord::Join { call, .. }, Some(way)) => Some((*call, way)),
            _ => None,
        };
        for input in word.inputs(queue.facts()) {
            let Some((call, way)) = joins else {
                self.step(id, who, input.into())?;
                continue;
            };
            let older = self.of_mut(id).sinks.entry(index).or_default().insert(call, way);
            let before = self.report.refused_joins;
            self.join(id, who, input)?;
            if self.report.refused_joins > before {
                let sinks = self.of_mut(id).sinks.entry(index).or_default();
                match older {
                    Some(older) => sinks.insert(call, older),
                    None => sinks.remove(&call),
                };
            }
        }
        Ok(())
    }

    /// As a step, but it is counted when the machine refuses.
    fn join(&mut self, id: u64, who: Who, input: queue::Input) -> Outcome<()> {
        let local = self.of(id).clock(self.now);
        let running = self.of_mut(id).posts.get_mut(&who).unwrap().running.as_mut();
        if let Some(Running { machine: Machine::Queue(queue), .. }) = running
            && queue.clone().step(local, input.clone()).is_err()
        {
            self.report.refused_joins += 1;
        }
        self.step(id, who, input.into())
    }

    pub(super) fn tell_agents(&mut self, id: u64, changes: impl IntoIterator<Item = Change>) {
        for (extension, news) in changes {
            let input = match news {
                News::Reachable(it) | News::Browser(it) => agent::Input::Registered(it),
                News::InCall(call) => agent::Input::InCall(call),
                News::OutOfCall(call) => agent::Input::OutOfCall(call),
            };
            let agent = self.agent_at(&extension);
            self.later_at(id, AT_ONCE, Inner::AgentTold(agent, input));
        }
    }

    fn record(&mut self, id: u64, who: Who, events: Vec<Bytes>, kept: Vec<Kept>) {
        if events.is_empty() && self.of(id).posts[&who].is_settled() {
            return self.tell_settled(id, who, self.incarnation(id, who), kept);
        }
        if events.is_empty() && kept.is_empty() {
            return;
        }
        let incarnation = self.incarnation(id, who);
        let post = self.of_mut(id).posts.get_mut(&who).unwrap();
        post.waiting.push_back(Job { events, incarnation, kept });
        self.write_on(id, who);
    }

    /// Tells what waited for all that was appended before, if all was taken.
    fn tell_settled(&mut self, id: u64, who: Who, incarnation: u64, kept: Vec<Kept>) {
        if self.of(id).posts[&who].refused.is_none_or(|refused| refused < incarnation) {
            self.tell_kept(id, who, kept);
        }
    }

    fn tell_kept(&mut self, id: u64, who: Who, kept: Vec<Kept>) {
        let Who::Queue(index) = who else { return };
        for (call, notice) in kept {
            self.notify(id, index, call, notice);
        }
    }

    /// One append of an entity at a time.
    fn write_on(&mut self, id: u64, who: Who) {
        let entity = self.entity(who);
        let post = self.of_mut(id).posts.get_mut(&who).unwrap();
        if !post.flight.is_empty() {
            return;
        }
        let mut count = 0;
        while let Some(job) = post.waiting.pop_front() {
            count += job.events.len();
            post.flight.push(job);
            if count >= TOGETHER {
                break;
            }
        }
        let events: Vec<Bytes> = post.flight.iter().flat_map(|job| job.events.clone()).collect();
        if events.is_empty() {
            // What was before them is durable or refused.
            for job in std::mem::take(&mut post.flight) {
                self.tell_settled(id, who, job.incarnation, job.kept);
            }
            return;
        }
        let (expected, epoch) = (Some(post.known), post.epoch);
        let append = Append { entity, expected, epoch, op_id: None, events };
        self.propose(id, append, None, Then::Recorder(who));
    }

    /// The journal took an actor's facts, or did not.
    pub(super) fn recorded(&mut self, id: u64, who: Who, told: Told) -> Outcome<()> {
        let post = self.of_mut(id).posts.get_mut(&who).unwrap();
        let jobs = std::mem::take(&mut post.flight);
        match told {
            Ok(appended) => {
                post.known = appended.version;
                self.tell_kept(id, who, jobs.into_iter().flat_map(|job| job.kept).collect());
            }
            Err(error) => {
                if let AppendError::StaleEpoch { current } = error {
                    post.current = post.current.max(current);
                }
                post.refused = jobs.iter().map(|job| job.incarnation).max().max(post.refused);
                for job in jobs {
                    let told = Inner::NotRecorded(who, job.incarnation, error.clone());
                    self.later_at(id, AT_ONCE, told);
                }
            }
        }
        self.write_on(id, who);
        Ok(())
    }

    /// A fact that was not taken ends the actor, so that it begins again from what the journal
    /// knows; an agent takes in what another member wrote.
    pub(super) fn not_recorded(
        &mut self,
        id: u64,
        who: Who,
        incarnation: u64,
        error: &AppendError,
    ) -> Outcome<()> {
        let now = self.now;
        let Some(running) = &self.of(id).posts[&who].running else { return Ok(()) };
        let epoch = running.epoch;
        if running.incarnation != incarnation {
            return Ok(());
        }
        let is_outdated = matches!(error, AppendError::StaleEpoch { .. });
        if self.owns(id, who) != Some(epoch) || is_outdated {
            return self.stop(id, who);
        }
        if let (Who::Agent(agent), AppendError::VersionConflict { .. }) = (who, error) {
            if self.of(id).posts[&who].is_settled() {
                return self.take_facts(id, agent);
            }
            // The facts are read when all that was appended is known.
            self.later_at(id, SETTLING, Inner::NotRecorded(who, incarnation, error.clone()));
            return Ok(());
        }
        self.report.restarts += 1;
        self.tell_of_actor(who, || format!("begins anew at {id}: {error}"));
        let post = self.of_mut(id).posts.get_mut(&who).unwrap();
        post.running = None;
        match post.failures.failed(now, &Restart::default()) {
            Decision::Restart { after } => self.later_at(id, after, Inner::Start(who)),
            Decision::GiveUp => {
                self.tell(format!("{who:?} stays down at {id}: {error}"));
                return Err(format!("{who:?} crashes too often at {id}: {error}"));
            }
        }
        Ok(())
    }
}
