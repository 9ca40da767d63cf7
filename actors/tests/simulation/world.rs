//! Virtual time and everything that happens in it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tandem_actors::agent::machine::{self as agent, Agent, Rule};
use tandem_actors::agent::{self as agents, Command, Scope, Source};
use tandem_actors::leases::machine::Auditor;
use tandem_actors::queue::machine::{self as queue, Queue};
use tandem_actors::queue::{
    self as queues, Counters, DailyReset, Exit, OfferId, QueueEvent, QueueNotice,
};
use tandem_config::resource::{
    EmptyScenario, Member, Membership, Queue as Config, RingStrategy, Settings,
};
use tandem_kernel::{CallId, Timestamp};

use crate::calls::{CallModel, Reaction};
use crate::checks::Checks;

/// What goes wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    DoubleOffer,
    LostWakeUp,
    LostRelease,
    LostExit,
    AsksOnce,
    LostTimer,
}

/// How actors crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crashes {
    None,
    /// Between two messages.
    Between,
    /// And what was on its way to the actor is lost.
    WithMailbox,
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub seed: u64,
    pub queues: usize,
    pub agents: usize,
    pub calls: u32,
    /// Mean time between two callers.
    pub between_ms: u64,
    /// Longest delay of a message.
    pub delay_ms: u64,
    /// Messages that take up to 1.5 s.
    pub slow_per_mille: u32,
    /// Agents log in and out, pause, unplug and call each other.
    pub stirs: bool,
    pub crashes: Crashes,
    pub fault: Fault,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub joined: u64,
    pub answered: u64,
    pub missed: u64,
    pub abandoned: u64,
    pub crashes: u64,
    /// Answered by who picked the call up.
    pub picked_up: u64,
    pub steps: u64,
    /// Days on which queues whose figures begin anew each day had calls.
    pub days: BTreeSet<u64>,
}

/// Who sends and who receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Node {
    Queue(usize),
    Agent(usize),
    Call(CallId),
    People,
}

#[derive(Clone, Debug)]
pub(crate) enum Delivery {
    ToQueue(usize, queue::Input),
    ToAgent(usize, agent::Input),
    ToCall(CallId, QueueNotice),
    QueueTimer(usize, u32, queue::TimerId),
    AgentTimer(usize, u32, agent::TimerId),
    Phone(CallId, OfferId, Reaction),
    TalkOver(CallId),
    Patience(CallId),
    /// The call has asked so often, this time included.
    Ask(CallId, u32),
    Arrive,
    Stir,
    StirOver(usize, CallId),
    Crash,
    Audit,
}

pub(crate) struct QueueNode {
    pub config: Config,
    pub machine: Queue,
    /// The fold of what was recorded: the journal.
    pub journal: queues::Facts,
    /// How many have left by any exit on the newest day, by the days of [`DAY_BEGINS`].
    pub left_today: (u64, u64),
    /// The figures of the days before.
    pub earlier: Counters,
    pub sinks: BTreeSet<CallId>,
    pub incarnation: u32,
}

pub(crate) struct AgentNode {
    pub extension: String,
    pub machine: Agent,
    pub journal: agents::Facts,
    pub rules: BTreeMap<String, Rule>,
    /// What is known of the phones whether the actor runs or not.
    pub registered: bool,
    pub calls: BTreeSet<CallId>,
    pub incarnation: u32,
}

pub(crate) struct World {
    pub plan: Plan,
    pub now: Timestamp,
    pub rng: StdRng,
    pub queues: Vec<QueueNode>,
    pub agents: Vec<AgentNode>,
    pub calls: BTreeMap<CallId, CallModel>,
    pub report: Report,
    pub checks: Checks,
    pub auditor: Auditor,
    agenda: BTreeMap<(Timestamp, u64), Delivery>,
    links: BTreeMap<(Node, Node), Timestamp>,
    sequence: u64,
    arrived: u32,
    next_foreign: u128,
}

pub(crate) type Outcome<T> = Result<T, String>;

impl World {
    /// Lives through a plan; says what was broken.
    pub(crate) fn run(plan: Plan) -> Outcome<Report> {
        let seed = plan.seed;
        let mut world = Self::new(plan);
        let outcome = world.live();
        outcome.map_err(|broken| format!("seed {seed} at {}: {broken}", world.now))?;
        Ok(world.report)
    }

    fn new(plan: Plan) -> Self {
        let mut rng = StdRng::seed_from_u64(plan.seed);
        let configs: Vec<Config> =
            (0..plan.queues).map(|index| config(&mut rng, index, plan.agents)).collect();
        let agents: Vec<AgentNode> =
            (0..plan.agents).map(|index| agent_node(&configs, index)).collect();
        let nodes = configs.into_iter().map(|config| QueueNode {
            machine: Queue::new(config.clone(), queues::Facts::default()),
            journal: nothing_of(&config),
            left_today: (0, 0),
            earlier: Counters::default(),
            config,
            sinks: BTreeSet::new(),
            incarnation: 0,
        });
        Self {
            agents,
            queues: nodes.collect(),
            plan,
            now: Timestamp::from_secs(1_000_000),
            rng,
            calls: BTreeMap::new(),
            report: Report::default(),
            checks: Checks::default(),
            auditor: Auditor::default(),
            agenda: BTreeMap::new(),
            links: BTreeMap::new(),
            sequence: 0,
            arrived: 0,
            next_foreign: 1 << 100,
        }
    }

    fn live(&mut self) -> Outcome<()> {
        for index in 0..self.queues.len() {
            self.open_queue(index)?;
        }
        for index in 0..self.agents.len() {
            self.open_agent(index)?;
        }
        self.later(Duration::from_secs(1), Delivery::Arrive);
        if self.plan.stirs {
            self.later(Duration::from_secs(1), Delivery::Stir);
        }
        self.later(Duration::from_secs(5), Delivery::Audit);
        if self.plan.crashes != Crashes::None {
            self.later(Duration::from_secs(10), Delivery::Crash);
        }
        while let Some(((at, _), delivery)) = self.agenda.pop_first() {
            self.now = at;
            self.report.steps += 1;
            self.deliver(delivery)?;
            self.check()?;
        }
        self.check_end()
    }

    fn deliver(&mut self, delivery: Delivery) -> Outcome<()> {
        match delivery {
            Delivery::ToQueue(index, input) => self.step_queue(index, input),
            Delivery::ToAgent(index, input) => self.step_agent(index, input),
            Delivery::ToCall(call, notice) => {
                self.notice(call, notice);
                Ok(())
            }
            Delivery::QueueTimer(index, incarnation, timer) => {
                // The timers of a crashed actor go nowhere.
                let is_lost = self.plan.fault == Fault::LostTimer && self.chance(100);
                if is_lost || self.queues[index].incarnation != incarnation {
                    return Ok(());
                }
                self.step_queue(index, queue::Input::Timer(timer))
            }
            Delivery::AgentTimer(index, incarnation, timer) => {
                if self.agents[index].incarnation != incarnation {
                    return Ok(());
                }
                self.step_agent(index, agent::Input::Timer(timer))
            }
            Delivery::Phone(call, offer, reaction) => {
                self.phone(call, offer, reaction);
                Ok(())
            }
            Delivery::TalkOver(call) => {
                self.talk_over(call);
                Ok(())
            }
            Delivery::Patience(call) => {
                self.impatient(call);
                Ok(())
            }
            Delivery::Ask(call, asks) => self.ask_again(call, asks),
            Delivery::Arrive => self.arrive(),
            Delivery::Stir => {
                self.stir();
                Ok(())
            }
            Delivery::StirOver(agent, call) => {
                self.out_of_call(agent, call);
                Ok(())
            }
            Delivery::Crash => self.crash(),
            Delivery::Audit => self.audit(),
        }
    }

    /// Whether callers still come.
    fn is_open(&self) -> bool {
        self.arrived < self.plan.calls
    }

    /// Whether the audit is all that is still to come.
    pub(crate) fn is_over(&self) -> bool {
        self.agenda.is_empty()
    }

    pub(crate) fn chance(&mut self, per_mille: u32) -> bool {
        self.rng.random_ratio(per_mille, 1_000)
    }

    pub(crate) fn later(&mut self, after: Duration, delivery: Delivery) {
        self.sequence += 1;
        self.agenda.insert((self.now + after, self.sequence), delivery);
    }

    /// Messages of one pair stay in order; all else may overtake.
    pub(crate) fn send(&mut self, from: Node, to: Node, delivery: Delivery) {
        let slow = self.plan.slow_per_mille > 0 && {
            let slow = self.plan.slow_per_mille;
            self.chance(slow)
        };
        let longest = if slow { 1_500_000 } else { self.plan.delay_ms * 1_000 };
        let delay = Duration::from_micros(self.rng.random_range(0..=longest));
        let last = self.links.entry((from, to)).or_default();
        *last = (*last).max(self.now + delay);
        let at = *last;
        self.sequence += 1;
        self.agenda.insert((at, self.sequence), delivery);
    }

    fn arrive(&mut self) -> Outcome<()> {
        self.arrived += 1;
        let call = CallId::from_u128(u128::from(self.arrived));
        let queue = self.rng.random_range(0..self.queues.len());
        self.calls.insert(call, CallModel::new(queue));
        self.ask(call, 1)?;
        let patience = self.rng.random_range(5_000..180_000);
        self.later(Duration::from_millis(patience), Delivery::Patience(call));
        if self.is_open() {
            // Now and then a rush.
            let spread = if self.arrived % 1_000 < 100 { 300 } else { self.plan.between_ms * 2 };
            let next = self.rng.random_range(0..=spread);
            self.later(Duration::from_millis(next), Delivery::Arrive);
        }
        Ok(())
    }

    fn stir(&mut self) {
        let index = self.rng.random_range(0..self.agents.len());
        let scope = if self.chance(300) {
            Scope::All
        } else {
            Scope::Queue(
                self.queues[self.rng.random_range(0..self.queues.len())].config.number.clone(),
            )
        };
        let reason = self.chance(500).then(|| "*01".to_owned());
        let command = match self.rng.random_range(0..14) {
            0 => Command::LogOut(scope),
            1..=3 => Command::LogIn(scope),
            4 => Command::Pause(scope, reason),
            5..=8 => Command::Resume(scope),
            9 => return self.plug(index),
            10..=11 => return self.pick_up(index),
            _ => return self.chat(index),
        };
        let input = agent::Input::Command { command, source: Source::Api };
        self.send(Node::People, Node::Agent(index), Delivery::ToAgent(index, input));
        self.stir_again();
    }

    fn plug(&mut self, index: usize) {
        let registered = !self.agents[index].registered || self.chance(300);
        self.agents[index].registered = registered;
        let input = agent::Input::Registered(registered);
        self.send(Node::People, Node::Agent(index), Delivery::ToAgent(index, input));
        self.stir_again();
    }

    /// Somebody wants a call that rings, or rang a moment ago (Q-482).
    fn pick_up(&mut self, index: usize) {
        let by = self.agents[index].extension.clone();
        let rings = self.queues.iter().enumerate().flat_map(|(queue, node)| {
            node.machine.facts().rings.values().map(move |ring| (queue, ring.call))
        });
        let rings: Vec<_> = rings.collect();
        if !rings.is_empty() {
            let (queue, call) = rings[self.rng.random_range(0..rings.len())];
            let input = queue::Input::PickUp { call, by };
            self.send(Node::People, Node::Queue(queue), Delivery::ToQueue(queue, input));
        }
        self.stir_again();
    }

    fn chat(&mut self, index: usize) {
        self.next_foreign += 1;
        let call = CallId::from_u128(self.next_foreign);
        self.in_call(index, call);
        let span = Duration::from_millis(self.rng.random_range(1_000..30_000));
        self.later(span, Delivery::StirOver(index, call));
        self.stir_again();
    }

    /// When the callers stop, all agents come back so that everything ends.
    fn stir_again(&mut self) {
        if self.is_open() {
            let next = Duration::from_millis(self.rng.random_range(0..8_000));
            self.later(next, Delivery::Stir);
        }
    }

    pub(crate) fn in_call(&mut self, index: usize, call: CallId) {
        self.agents[index].calls.insert(call);
        let input = agent::Input::InCall(call);
        self.send(Node::People, Node::Agent(index), Delivery::ToAgent(index, input));
    }

    pub(crate) fn out_of_call(&mut self, index: usize, call: CallId) {
        self.agents[index].calls.remove(&call);
        let input = agent::Input::OutOfCall(call);
        self.send(Node::People, Node::Agent(index), Delivery::ToAgent(index, input));
    }

    fn crash(&mut self) -> Outcome<()> {
        self.report.crashes += 1;
        let lossy = self.plan.crashes == Crashes::WithMailbox;
        if self.chance(500) {
            let index = self.rng.random_range(0..self.queues.len());
            if lossy {
                self.agenda.retain(|_, it| !matches!(it, Delivery::ToQueue(to, _) if *to == index));
            }
            self.open_queue(index)?;
        } else {
            let index = self.rng.random_range(0..self.agents.len());
            if lossy {
                self.agenda.retain(|_, it| !matches!(it, Delivery::ToAgent(to, _) if *to == index));
            }
            self.open_agent(index)?;
        }
        if self.is_open() {
            let next = Duration::from_millis(self.rng.random_range(0..60_000));
            self.later(next, Delivery::Crash);
        }
        Ok(())
    }

    /// Starts a queue's actor from the journal.
    fn open_queue(&mut self, index: usize) -> Outcome<()> {
        let seed = self.rng.random();
        let node = &mut self.queues[index];
        node.incarnation += 1;
        node.machine = Queue::new(node.config.clone(), node.journal.clone());
        let alive = node.sinks.clone();
        let patience = Duration::ZERO;
        self.step_queue(index, queue::Input::Opened { seed, alive, patience })
    }

    /// Starts an agent's actor from the journal.
    fn open_agent(&mut self, index: usize) -> Outcome<()> {
        let node = &mut self.agents[index];
        node.incarnation += 1;
        let (facts, rules) = (node.journal.clone(), node.rules.clone());
        node.machine = Agent::new(node.extension.clone(), facts, settings(), rules);
        let (registered, calls) = (node.registered, node.calls.clone());
        self.step_agent(index, agent::Input::Opened { registered, calls })
    }

    fn step_queue(&mut self, index: usize, input: queue::Input) -> Outcome<()> {
        let joins = match &input {
            queue::Input::Join { call, .. } => Some(*call),
            _ => None,
        };
        let is_new = joins.is_some_and(|call| self.queues[index].sinks.insert(call));
        // Words that crossed others are refused.
        let Ok(effects) = self.queues[index].machine.step(self.now, input) else {
            if let Some(call) = joins.filter(|_| is_new) {
                self.queues[index].sinks.remove(&call);
            }
            return Ok(());
        };
        for effect in effects {
            self.queue_effect(index, effect)?;
        }
        self.check_queue(index)
    }

    fn queue_effect(&mut self, index: usize, effect: queue::Effect) -> Outcome<()> {
        let from = Node::Queue(index);
        match effect {
            queue::Effect::Record(event) => {
                let lost = self.plan.fault == Fault::LostExit
                    && matches!(event, QueueEvent::Exited { .. });
                self.check_event(&event)?;
                if !lost {
                    self.queues[index].take(&event);
                }
            }
            queue::Effect::Notify { call, notice } | queue::Effect::NotifyKept { call, notice } => {
                if let QueueNotice::Offer { offer, agent, .. } = &notice {
                    self.check_offer(index, call, *offer, agent)?;
                }
                let fault = self.plan.fault;
                if fault == Fault::DoubleOffer
                    && let QueueNotice::Offer { offer, ring_for, .. } = notice
                {
                    let agent = self.agents[0].extension.clone();
                    let offer = OfferId(offer.0 + 1_000_000);
                    let notice = QueueNotice::Offer { offer, agent, ring_for };
                    self.send(from, Node::Call(call), Delivery::ToCall(call, notice));
                }
                self.send(from, Node::Call(call), Delivery::ToCall(call, notice));
            }
            queue::Effect::Tell { agent, message } => {
                let is_release = matches!(message, agents::ToAgent::Release { .. });
                if self.plan.fault == Fault::LostRelease && is_release && self.chance(50) {
                    return Ok(());
                }
                let to = self.agent_index(&agent);
                let queue = self.queues[index].config.number.clone();
                let input = agent::Input::Queue { queue, message };
                self.send(from, Node::Agent(to), Delivery::ToAgent(to, input));
            }
            queue::Effect::CallBack(_) | queue::Effect::Rename { .. } => {
                return Err("a callback that nobody asked for".into());
            }
            queue::Effect::Arm { timer, after } => {
                let incarnation = self.queues[index].incarnation;
                self.later(after, Delivery::QueueTimer(index, incarnation, timer));
            }
            queue::Effect::Forget(call) => drop(self.queues[index].sinks.remove(&call)),
            queue::Effect::Decide(..) | queue::Effect::Closed => {}
        }
        Ok(())
    }

    fn step_agent(&mut self, index: usize, input: agent::Input) -> Outcome<()> {
        let Ok(effects) = self.agents[index].machine.step(self.now, input) else {
            return Ok(());
        };
        for effect in effects {
            match effect {
                agent::Effect::Record(event) => self.agents[index].journal.evolve(&event),
                agent::Effect::Tell { queue, message } => {
                    let is_wake_up = matches!(
                        &message,
                        agents::FromAgent::Standing { standing, .. } if standing.ready
                    );
                    if self.plan.fault == Fault::LostWakeUp && is_wake_up && self.chance(50) {
                        continue;
                    }
                    let to = self.queue_index(&queue);
                    let agent = self.agents[index].extension.clone();
                    let input = queue::Input::Agent { agent, message };
                    self.send(Node::Agent(index), Node::Queue(to), Delivery::ToQueue(to, input));
                }
                agent::Effect::Arm { timer, after } => {
                    let incarnation = self.agents[index].incarnation;
                    self.later(after, Delivery::AgentTimer(index, incarnation, timer));
                }
                agent::Effect::Done(_) => {}
            }
        }
        self.check_agent(index)
    }

    pub(crate) fn agent_index(&self, extension: &str) -> usize {
        self.agents.iter().position(|agent| agent.extension == extension).unwrap()
    }

    pub(crate) fn queue_index(&self, number: &str) -> usize {
        self.queues.iter().position(|queue| queue.config.number == number).unwrap()
    }

    /// How a call left the queue, as the queue recorded it.
    pub(crate) fn recorded(&self, call: CallId) -> Option<Exit> {
        self.checks.exits.get(&call).copied()
    }
}

pub(crate) fn settings() -> Settings {
    Settings { shared_wrap_up: true, dynamic_agents_start_logged_in: true, ..Settings::default() }
}

/// Where it is midnight 800 seconds after the start: ten hours before UTC.
const DAY_BEGINS: (&str, u64) = ("Etc/GMT-10", 36_000);

/// The facts of a queue to which nothing has happened.
pub(crate) fn nothing_of(config: &Config) -> queues::Facts {
    let mut facts = queues::Facts::default();
    facts.follow(DailyReset::at_midnight_of(&config.daily_reset_zone));
    facts
}

impl QueueNode {
    /// Takes in what was recorded.
    fn take(&mut self, event: &QueueEvent) {
        let day = (event.at().as_micros() / 1_000_000 + DAY_BEGINS.1) / 86_400;
        if day != self.left_today.0 {
            self.left_today = (day, 0);
            if !self.config.daily_reset_zone.is_empty() {
                let (day, before) = (self.journal.counters, &mut self.earlier);
                before.total += day.total;
                before.answered += day.answered;
                before.missed += day.missed;
                before.abandoned += day.abandoned;
            }
        }
        self.left_today.1 += u64::from(event.exit().is_some());
        self.journal.evolve(event);
    }
}

pub(crate) fn config(rng: &mut StdRng, index: usize, agents: usize) -> Config {
    let json = format!(r#"{{"number": "64{index:02}", "name": "Q"}}"#);
    let mut config: Config = serde_json::from_str(&json).unwrap();
    config.ring_strategy = match (index + rng.random_range(0..2) * 4) % 6 {
        0 => RingStrategy::RingAll,
        1 => RingStrategy::Rrmemory,
        2 => RingStrategy::Linear,
        3 => RingStrategy::LeastRecent,
        4 => RingStrategy::FewestCalls,
        _ => RingStrategy::Random,
    };
    config.weight = rng.random_range(0..3);
    config.acceleration_secs = if config.weight > 0 { 10 } else { 0 };
    config.skill_based_routing = index % 4 == 1;
    if index.is_multiple_of(2) {
        config.daily_reset_zone = DAY_BEGINS.0.to_owned();
    }
    config.max_wait_secs = rng.random_range(0..4) * 30;
    config.max_callers = if index.is_multiple_of(2) { 0 } else { 12 };
    config.leave_empty.enabled = rng.random_ratio(1, 3);
    config.join_empty.enabled = rng.random_ratio(1, 3);
    if rng.random_ratio(1, 2) {
        config.join_empty.scenarios.push(EmptyScenario::AllInUse);
    }
    config.agent.wrap_up_secs = rng.random_range(0..15);
    config.agent.ring_in_use = rng.random_ratio(1, 4);
    config.agent.retry_interval_secs = rng.random_range(0..6);
    config.members = (0..agents)
        .filter(|agent| agents < 4 || agent % 4 == index % 4 || rng.random_ratio(1, 3))
        .map(|agent| Member {
            extension: format!("{}", 2000 + agent),
            membership: if agent % 3 == 0 { Membership::Static } else { Membership::Dynamic },
            skill_level: u8::try_from(agent % 2 + 1).unwrap(),
        })
        .collect();
    config
}

fn agent_node(configs: &[Config], index: usize) -> AgentNode {
    let extension = format!("{}", 2000 + index);
    let rules = configs.iter().filter_map(|config| {
        let member = config.members.iter().find(|member| member.extension == extension)?;
        let ring_in_use = config.agent.ring_in_use;
        Some((config.number.clone(), Rule { membership: member.membership, ring_in_use }))
    });
    let rules: BTreeMap<String, Rule> = rules.collect();
    let facts = agents::Facts::default();
    AgentNode {
        machine: Agent::new(extension.clone(), facts.clone(), settings(), rules.clone()),
        extension,
        journal: facts,
        rules,
        registered: true,
        calls: BTreeSet::new(),
        incarnation: 0,
    }
}
