//! Queues that share an agent: the real machines of both sides, message by message.

use std::collections::VecDeque;

use proptest::prelude::*;
use tandem_config::resource::Settings;

use super::*;
use crate::agent::machine::{self as agents, Agent, Rule};
use crate::queue::Party;

/// Queues with one agent, who is the member of all of them.
struct Shared {
    queues: BTreeMap<String, Queue>,
    agent: Agent,
    now: Timestamp,
    /// Who rings, in order: queue and call.
    rings: Vec<(String, CallId, OfferId)>,
}

enum Post {
    ToAgent(String, ToAgent),
    ToQueue(String, FromAgent),
}

impl Shared {
    /// Queues by number, weight and period of acceleration.
    fn new(queues: &[(&str, u16, u32)]) -> Self {
        let rule = Rule { membership: Membership::Static, ring_in_use: false };
        let rules = queues.iter().map(|(number, ..)| ((*number).to_owned(), rule)).collect();
        let facts = crate::agent::Facts::default();
        let agent = Agent::new("1".into(), facts, Settings::default(), rules);
        let open = |(number, weight, period): &(&str, u16, u32)| {
            let mut config = config(RingStrategy::Linear, &["1"]);
            config.number = (*number).to_owned();
            (config.weight, config.acceleration_secs) = (*weight, *period);
            ((*number).to_owned(), Queue::new(config, Facts::default()))
        };
        let queues: BTreeMap<_, _> = queues.iter().map(open).collect();
        let mut shared = Self { queues, agent, now: START, rings: Vec::new() };
        let opened = agents::Input::Opened { registered: true, calls: BTreeSet::new() };
        shared.agent(opened);
        for number in shared.queues.keys().cloned().collect::<Vec<_>>() {
            shared.queue(
                &number,
                Input::Opened { seed: 1, alive: BTreeSet::new(), patience: Duration::ZERO },
            );
        }
        shared
    }

    fn agent(&mut self, input: agents::Input) {
        let effects = self.agent.step(self.now, input).unwrap();
        self.deliver(effects.into_iter().filter_map(from_agent).collect());
    }

    fn queue(&mut self, number: &str, input: Input) {
        let posts = self.step_queue(number, input);
        self.deliver(posts);
    }

    fn step_queue(&mut self, number: &str, input: Input) -> VecDeque<Post> {
        let effects = self.queues.get_mut(number).unwrap().step(self.now, input).unwrap();
        let mut posts = VecDeque::new();
        for effect in effects {
            match effect {
                Effect::Tell { message, .. } => {
                    posts.push_back(Post::ToAgent(number.to_owned(), message));
                }
                Effect::Notify { call, notice: QueueNotice::Offer { offer, .. } } => {
                    self.rings.push((number.to_owned(), call, offer));
                }
                _ => {}
            }
        }
        posts
    }

    fn deliver(&mut self, mut posts: VecDeque<Post>) {
        while let Some(post) = posts.pop_front() {
            match post {
                Post::ToAgent(queue, message) => {
                    let input = agents::Input::Queue { queue, message };
                    let effects = self.agent.step(self.now, input).unwrap();
                    posts.extend(effects.into_iter().filter_map(from_agent));
                }
                Post::ToQueue(queue, message) => {
                    let input = Input::Agent { agent: "1".into(), message };
                    posts.extend(self.step_queue(&queue, input));
                }
            }
        }
    }

    fn join(&mut self, queue: &str, number: u128) {
        let (caller, caller_name) = (format!("0{number}"), String::new());
        self.queue(queue, Input::Join { call: call(number), stay: 1, caller, caller_name });
    }

    /// The agent answers the ring that goes on.
    fn answer(&mut self) -> (String, CallId) {
        let (queue, call, offer) = self.rings.pop().unwrap();
        assert!(self.rings.is_empty(), "one ring at a time (Q-060)");
        self.queue(&queue, Input::OfferAnswered { call, offer });
        self.agent(agents::Input::InCall(call));
        (queue, call)
    }

    fn hang_up(&mut self, (queue, call): (String, CallId)) {
        let (agent, by, talk) = ("1".to_owned(), Party::Caller, Duration::from_secs(1));
        self.queue(&queue, Input::CallEnded { call, agent, by, talk });
        self.agent(agents::Input::OutOfCall(call));
    }

    fn wait_secs(&mut self, secs: u64) {
        self.now = self.now + Duration::from_secs(secs);
    }
}

fn from_agent(effect: agents::Effect) -> Option<Post> {
    match effect {
        agents::Effect::Tell { queue, message } => Some(Post::ToQueue(queue, message)),
        _ => None,
    }
}

/// The agent is in a call that came before all others.
fn busy(queues: &[(&str, u16, u32)]) -> (Shared, (String, CallId)) {
    let mut shared = Shared::new(queues);
    shared.join(queues[0].0, 99);
    let talk = shared.answer();
    (shared, talk)
}

const SUPPORT: (&str, u16, u32) = ("6400", 1, 60);
const VIP: (&str, u16, u32) = ("6401", 2, 0);

#[test]
fn q_174_case_1_at_the_same_time_the_heavier_queue_is_served_first() {
    let (mut shared, talk) = busy(&[SUPPORT, VIP]);
    shared.join("6400", 2);
    shared.join("6401", 1);

    shared.hang_up(talk);

    assert_eq!(shared.answer(), ("6401".into(), call(1)));
}

#[test]
fn q_174_case_2_a_call_that_waited_two_periods_overtakes() {
    let (mut shared, talk) = busy(&[SUPPORT, VIP]);
    shared.join("6400", 2);
    shared.wait_secs(120);
    shared.join("6401", 3);

    shared.hang_up(talk);

    let first = shared.answer();
    assert_eq!(first, ("6400".into(), call(2)));
    shared.hang_up(first);
    assert_eq!(shared.answer(), ("6401".into(), call(3)));
}

#[test]
fn q_175_a_heavier_call_takes_no_agent_who_rings_or_talks() {
    let mut shared = Shared::new(&[SUPPORT, VIP]);
    shared.join("6400", 1);
    assert_eq!(shared.rings.len(), 1);

    shared.join("6401", 2);

    assert_eq!(shared.answer(), ("6400".into(), call(1)));
}

#[test]
fn q_178_weight_reserves_no_agent() {
    let (mut shared, talk) = busy(&[SUPPORT, VIP]);
    shared.join("6400", 2);

    shared.hang_up(talk);

    assert_eq!(shared.answer(), ("6400".into(), call(2)));
}

/// Q-173 by counting the steps, apart from the machine's own sum: the k-th step comes at k periods
/// less a half.
fn expected_weight(weight: u16, period: u32, waited: u64) -> u64 {
    let period = u64::from(period);
    let came = |step: &u64| period > 0 && waited * 2 >= (step * 2 - 1) * period;
    u64::from(weight) + (1_u64..).take_while(came).max().unwrap_or(0)
}

proptest! {
    /// Whatever waits, the agent is given to the heaviest first call of a queue, then to the one
    /// that waits longest, then to the lower number.
    #[test]
    fn q_175_the_heaviest_of_the_first_calls_wins(
        rules in prop::collection::vec((1_u16..4, prop::sample::select(vec![0, 10, 60])), 4),
        joins in prop::collection::vec((0_usize..4, 0_u64..40), 1..12),
    ) {
        let numbers = ["6400", "6401", "6402", "6403"];
        let weighted = numbers.iter().zip(&rules).map(|(it, rule)| (*it, rule.0, rule.1));
        let queues: Vec<(&str, u16, u32)> = weighted.collect();
        let (mut shared, mut talk) = busy(&queues);
        let mut lines: BTreeMap<&str, VecDeque<(Timestamp, CallId)>> = BTreeMap::new();
        for (number, (queue, gap)) in (1..).zip(&joins) {
            shared.wait_secs(*gap);
            shared.join(numbers[*queue], number);
            lines.entry(numbers[*queue]).or_default().push_back((shared.now, call(number)));
        }
        for _ in &joins {
            shared.wait_secs(7);
            let open = lines.iter().filter(|(_, line)| !line.is_empty());
            let heaviest = open.min_by_key(|(number, line)| {
                let rule = queues.iter().find(|rule| rule.0 == **number).unwrap();
                let since = line.front().unwrap().0;
                let waited = shared.now.since(since).as_secs();
                (std::cmp::Reverse(expected_weight(rule.1, rule.2, waited)), since, **number)
            });
            let queue = *heaviest.unwrap().0;
            let next = lines.get_mut(queue).unwrap().pop_front().unwrap().1;

            shared.hang_up(talk);
            talk = shared.answer();

            prop_assert_eq!(&talk, &(queue.to_owned(), next));
        }
    }
}
