//! One queue, its agents, their telephones and the callers in virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use tandem_actors::agent::machine::{self as agent, Agent, Rule};
use tandem_actors::agent::{self as agents, Command, Scope, Source};
use tandem_actors::queue::machine::{self as queue, Queue};
use tandem_actors::queue::{self as queues, Exit, OfferEnd, OfferId, Party, QueueNotice};
use tandem_config::resource::{Membership, Queue as Config, Settings};
use tandem_kernel::{CallId, Timestamp};

use crate::composer::Composer;
use crate::script::{Leave, Reaction, Scenario, Seen};

const NUMBER: &str = "6400";
/// The beginning of the scenario.
const START: Timestamp = Timestamp::from_secs(1_000_000);

/// How late things come.
pub(crate) struct Delays {
    rng: StdRng,
    /// A word between actors, in microseconds.
    words: u64,
    /// A phone, a person, a timer, in microseconds.
    people: u64,
}

impl Delays {
    pub(crate) fn none() -> Self {
        Self { rng: StdRng::seed_from_u64(0), words: 0, people: 0 }
    }

    pub(crate) fn some(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed), words: 5_000, people: 50_000 }
    }
}

#[derive(Clone, Debug)]
enum Delivery {
    Arrive(usize),
    Leave(usize, Leave),
    ToQueue(queue::Input),
    ToAgent(usize, agent::Input),
    ToCall(usize, QueueNotice),
    Phone(usize, OfferId, Reaction),
    /// The call gives a ring up.
    RingOver(usize, OfferId),
    TalkOver(usize),
}

#[derive(Clone, Debug)]
enum Stage {
    Absent,
    Waiting(BTreeMap<OfferId, usize>),
    Talking { agent: usize, since: Timestamp },
    Over,
}

/// Who sends and who receives: words of one pair stay in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Queue,
    Agent(usize),
    Call(usize),
}

pub(crate) struct World<'a> {
    now: Timestamp,
    script: Scenario,
    queue: Queue,
    agents: Vec<Agent>,
    /// How often each agent's phone rang.
    rung: Vec<usize>,
    calls: Vec<Stage>,
    agenda: BTreeMap<(Timestamp, u64), Delivery>,
    sequence: u64,
    links: BTreeMap<(Node, Node), Timestamp>,
    delays: Delays,
    composer: Option<&'a mut Composer>,
    /// The composer found no moment.
    stuck: bool,
    seen: Seen,
}

impl<'a> World<'a> {
    /// What is seen when people do what the script says.
    pub(crate) fn play(script: &Scenario, delays: Delays) -> Seen {
        let mut world = World::new(script.clone(), delays, None);
        world.live();
        world.seen
    }

    /// Lets the composer decide what people do about what happens; none: it found no way.
    pub(crate) fn compose(script: Scenario, composer: &'a mut Composer) -> Option<Scenario> {
        let mut world = World::new(script, Delays::none(), Some(composer));
        world.live();
        if world.stuck {
            return None;
        }
        let mut script = world.script;
        script.predicted = world.seen;
        Some(script)
    }

    fn new(script: Scenario, delays: Delays, composer: Option<&'a mut Composer>) -> Self {
        let config = config(&script);
        let rule = |index: usize| Rule {
            membership: config.members[index].membership,
            ring_in_use: config.agent.ring_in_use,
        };
        let agent = |index: usize| {
            let rules = BTreeMap::from([(NUMBER.to_owned(), rule(index))]);
            let facts = agents::Facts::default();
            Agent::new(index.to_string(), facts, Settings::default(), rules)
        };
        let count = script.agents.len();
        Self {
            now: START,
            agents: (0..count).map(agent).collect(),
            queue: Queue::new(config, queues::Facts::default()),
            rung: vec![0; count],
            calls: vec![Stage::Absent; script.callers.len()],
            script,
            agenda: BTreeMap::new(),
            sequence: 0,
            links: BTreeMap::new(),
            delays,
            composer,
            stuck: false,
            seen: Seen::default(),
        }
    }

    fn live(&mut self) {
        self.now = START - Duration::from_secs(60);
        self.step_queue(queue::Input::Opened {
            seed: 0,
            alive: BTreeSet::new(),
            patience: Duration::ZERO,
        });
        for index in 0..self.agents.len() {
            let calls = BTreeSet::new();
            self.step_agent(index, agent::Input::Opened { registered: true, calls });
        }
        for (place, index) in self.script.log_ins.clone().into_iter().enumerate() {
            self.now = START - Duration::from_secs(50 - u64::try_from(place).unwrap());
            let command = Command::LogIn(Scope::Queue(NUMBER.to_owned()));
            self.step_agent(index, agent::Input::Command { command, source: Source::Api });
            self.deliver_until(self.now + Duration::from_millis(900));
        }
        for (index, caller) in self.script.callers.clone().into_iter().enumerate() {
            self.at(caller.arrives, Delivery::Arrive(index));
            if let Some((at, leave)) = caller.leaves {
                self.at(at, Delivery::Leave(index, leave));
            }
        }
        // Who is rung more often than the script knows ignores it, maybe for ever.
        self.deliver_until(START + Duration::from_secs(90));
    }

    fn deliver_until(&mut self, until: Timestamp) {
        while !self.stuck
            && let Some(next) = self.agenda.first_entry()
            && next.key().0 <= until
        {
            let ((at, _), delivery) = next.remove_entry();
            self.now = self.now.max(at);
            self.deliver(delivery);
        }
    }

    fn deliver(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Arrive(caller) => self.arrive(caller),
            Delivery::Leave(caller, leave) => self.leave(caller, leave),
            Delivery::ToQueue(input) => self.step_queue(input),
            Delivery::ToAgent(index, input) => self.step_agent(index, input),
            Delivery::ToCall(caller, notice) => self.notice(caller, notice),
            Delivery::Phone(caller, offer, reaction) => self.reacts(caller, offer, reaction),
            Delivery::RingOver(caller, offer) => {
                self.ring_ends(caller, offer, OfferEnd::TimedOut);
            }
            Delivery::TalkOver(caller) => self.talk_over(caller),
        }
    }

    /// The moment as the script counts.
    fn moment(&self) -> u64 {
        u64::try_from(self.now.since(START).as_millis()).unwrap()
    }

    fn push(&mut self, at: Timestamp, delivery: Delivery) {
        self.sequence += 1;
        self.agenda.insert((at, self.sequence), delivery);
    }

    /// At a moment of the script, or at once if it is over.
    fn at(&mut self, moment: u64, delivery: Delivery) {
        let late = self.delays.rng.random_range(0..=self.delays.people);
        let at = START + Duration::from_millis(moment) + Duration::from_micros(late);
        self.push(at.max(self.now), delivery);
    }

    fn after(&mut self, span: Duration, delivery: Delivery) {
        let late = self.delays.rng.random_range(0..=self.delays.people);
        self.push(self.now + span + Duration::from_micros(late), delivery);
    }

    fn send(&mut self, from: Node, to: Node, delivery: Delivery) {
        let late = self.delays.rng.random_range(0..=self.delays.words);
        let last = self.links.entry((from, to)).or_default();
        *last = (*last).max(self.now + Duration::from_micros(late));
        let at = *last;
        self.push(at, delivery);
    }

    fn arrive(&mut self, caller: usize) {
        self.calls[caller] = Stage::Waiting(BTreeMap::new());
        let (number, caller_name) = (caller.to_string(), String::new());
        let call = call_id(caller);
        let input = queue::Input::Join { call, stay: 1, caller: number, caller_name };
        self.tell_queue(caller, input);
    }

    fn leave(&mut self, caller: usize, leave: Leave) {
        if !matches!(self.calls[caller], Stage::Waiting(_)) {
            return;
        }
        match leave {
            Leave::HangUp => self.exit(caller, Exit::CallerHangup),
            Leave::PressKey => {
                self.tell_queue(caller, queue::Input::Digit { call: call_id(caller), digit: '0' });
            }
        }
    }

    fn exit(&mut self, caller: usize, reason: Exit) {
        self.calls[caller] = Stage::Over;
        self.seen.exits.push((caller, reason.as_str().to_owned(), None));
        self.tell_queue(caller, queue::Input::Gone { call: call_id(caller), reason });
    }

    fn tell_queue(&mut self, caller: usize, input: queue::Input) {
        self.send(Node::Call(caller), Node::Queue, Delivery::ToQueue(input));
    }

    fn notice(&mut self, caller: usize, notice: QueueNotice) {
        let Stage::Waiting(rings) = &mut self.calls[caller] else { return };
        match notice {
            QueueNotice::Joined { .. } | QueueNotice::Place { .. } | QueueNotice::Callback(_) => {}
            QueueNotice::Withdraw { offer, .. } => {
                rings.retain(|it, _| offer != OfferId::EVERY && *it != offer);
            }
            QueueNotice::Refused { reason, .. } | QueueNotice::Leave { reason, .. } => {
                self.exit(caller, reason);
            }
            QueueNotice::Offer { offer, agent, ring_for } => {
                let agent = agent.parse().unwrap();
                rings.insert(offer, agent);
                self.ring(caller, offer, agent, ring_for);
            }
        }
    }

    fn ring(&mut self, caller: usize, offer: OfferId, agent: usize, ring_for: Duration) {
        let moment = self.moment();
        self.seen.rings.push((moment, agent, caller));
        self.tell_queue(caller, queue::Input::OfferRinging { call: call_id(caller), offer });
        self.after(ring_for, Delivery::RingOver(caller, offer));
        let ring = self.rung[agent];
        self.rung[agent] += 1;
        if let Some(composer) = &mut self.composer {
            let over = moment + u64::try_from(ring_for.as_millis()).unwrap();
            let Some(reaction) = composer.reaction(moment, over) else {
                self.stuck = true;
                return;
            };
            self.script.agents[agent].rings.push(reaction);
        }
        let planned = self.script.agents[agent].rings.get(ring).copied();
        if let Some((at, reaction)) = planned.filter(|(_, it)| *it != Reaction::Ignore) {
            self.at(at, Delivery::Phone(caller, offer, reaction));
        }
    }

    fn reacts(&mut self, caller: usize, offer: OfferId, reaction: Reaction) {
        match reaction {
            Reaction::Answer => self.answered(caller, offer),
            Reaction::Decline => self.ring_ends(caller, offer, OfferEnd::Rejected),
            Reaction::Busy => self.ring_ends(caller, offer, OfferEnd::Busy),
            Reaction::Ignore => {}
        }
    }

    fn ring_ends(&mut self, caller: usize, offer: OfferId, why: OfferEnd) {
        let Stage::Waiting(rings) = &mut self.calls[caller] else { return };
        if rings.remove(&offer).is_some() {
            let call = call_id(caller);
            self.tell_queue(caller, queue::Input::OfferEnded { call, offer, why });
        }
    }

    fn answered(&mut self, caller: usize, offer: OfferId) {
        let Stage::Waiting(rings) = &mut self.calls[caller] else { return };
        let Some(agent) = rings.remove(&offer) else { return };
        let call = call_id(caller);
        self.calls[caller] = Stage::Talking { agent, since: self.now };
        self.seen.exits.push((caller, Exit::Answered.as_str().to_owned(), Some(agent)));
        self.tell_queue(caller, queue::Input::OfferAnswered { call, offer });
        let input = Delivery::ToAgent(agent, agent::Input::InCall(call));
        self.send(Node::Call(caller), Node::Agent(agent), input);
        let moment = self.moment();
        if let Some(composer) = &mut self.composer {
            let Some(end) = composer.talk_end(moment) else {
                self.stuck = true;
                return;
            };
            self.script.callers[caller].talk_ends = Some(end);
        }
        let (at, _) = self.script.callers[caller].talk_ends.unwrap_or_default();
        self.at(at, Delivery::TalkOver(caller));
    }

    fn talk_over(&mut self, caller: usize) {
        let Stage::Talking { agent, since } = self.calls[caller] else { return };
        self.calls[caller] = Stage::Over;
        let (call, talk) = (call_id(caller), self.now.since(since));
        let by_caller = self.script.callers[caller].talk_ends.is_some_and(|it| it.1);
        let by = if by_caller { Party::Caller } else { Party::Agent };
        let input = queue::Input::CallEnded { call, agent: agent.to_string(), by, talk };
        self.tell_queue(caller, input);
        let input = Delivery::ToAgent(agent, agent::Input::OutOfCall(call));
        self.send(Node::Call(caller), Node::Agent(agent), input);
    }

    fn step_queue(&mut self, input: queue::Input) {
        // Words that crossed others are refused.
        let Ok(effects) = self.queue.step(self.now, input) else { return };
        for effect in effects {
            match effect {
                queue::Effect::Notify { call, notice } => {
                    let caller = usize::try_from(call.as_u128()).unwrap() - 1;
                    let word = Delivery::ToCall(caller, notice);
                    self.send(Node::Queue, Node::Call(caller), word);
                }
                queue::Effect::Tell { agent, message } => {
                    let index = agent.parse().unwrap();
                    let input = agent::Input::Queue { queue: NUMBER.to_owned(), message };
                    let word = Delivery::ToAgent(index, input);
                    self.send(Node::Queue, Node::Agent(index), word);
                }
                queue::Effect::Arm { timer, after } => {
                    self.after(after, Delivery::ToQueue(queue::Input::Timer(timer)));
                }
                _ => {}
            }
        }
    }

    fn step_agent(&mut self, index: usize, input: agent::Input) {
        let effects = self.agents[index].step(self.now, input).unwrap();
        for effect in effects {
            match effect {
                agent::Effect::Tell { message, .. } => {
                    let agent = index.to_string();
                    let word = Delivery::ToQueue(queue::Input::Agent { agent, message });
                    self.send(Node::Agent(index), Node::Queue, word);
                }
                agent::Effect::Arm { timer, after } => {
                    self.after(after, Delivery::ToAgent(index, agent::Input::Timer(timer)));
                }
                agent::Effect::Record(_) | agent::Effect::Done(_) => {}
            }
        }
    }
}

fn call_id(caller: usize) -> CallId {
    CallId::from_u128(u128::try_from(caller).unwrap() + 1)
}

fn config(script: &Scenario) -> Config {
    let members = script.agents.iter().enumerate().map(|(index, agent)| {
        json!({
            "extension": index.to_string(), "membership": agent.membership,
            "skill_level": agent.skill_level,
        })
    });
    let mut queue = script.queue.clone();
    queue["number"] = json!(NUMBER);
    queue["name"] = json!("Q");
    queue["members"] = members.collect();
    let config: Config = serde_json::from_value(queue).unwrap();
    assert!(config.members.iter().any(|it| it.membership == Membership::Static));
    config
}
