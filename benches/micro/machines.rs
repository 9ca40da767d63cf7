//! A whole call in the machines, without their actors.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use divan::{Bencher, black_box};
use tandem_actors::agent::{FromAgent, Standing, ToAgent};
use tandem_actors::call::machine as call;
use tandem_actors::call::machine::{Call, Device, LegEnd, LegEvent, Party, Route};
use tandem_actors::office::Activity;
use tandem_actors::queue::machine::{Effect, Input, Queue};
use tandem_actors::queue::{self, Facts, OfferId, QueueNotice};
use tandem_config::resource::Membership;
use tandem_kernel::{CallId, Timestamp};

const START: Timestamp = Timestamp::from_secs(1_000_000);

/// The call's machine: a caller waits, an agent's phone rings and answers, the caller hangs up.
#[divan::bench]
fn queue_call_in_the_call_machine(bencher: Bencher<'_, '_>) {
    bencher.bench(|| {
        let mut call = Call::new(CallId::from_u128(1), START);
        let caller = Party::Outside {
            trunk: "carrier".into(),
            number: "0225550100".into(),
            name: String::new(),
        };
        let route = Route::Queue { number: "6400".into() };
        let device =
            Device { extension: "1001".into(), name: "Chen".into(), binding: "1001-0".into() };
        let ended = LegEnd { status: None, by_party: true, why: "hung up".into() };
        let inputs = [
            call::Input::Begin { caller, dialled: "0225550199".into(), route },
            call::Input::Leg(0, LegEvent::Answered),
            call::Input::QueueJoined,
            call::Input::Offered {
                offer: OfferId(1),
                agent: "1001".into(),
                devices: vec![device],
                ring_for: Duration::from_secs(15),
            },
            call::Input::Leg(1, LegEvent::Ringing),
            call::Input::Leg(1, LegEvent::Answered),
            call::Input::Leg(0, LegEvent::Ended(ended)),
        ];
        for (second, input) in (0..).zip(inputs) {
            let now = START + Duration::from_secs(second);
            black_box(call.step(now, input).unwrap());
        }
        assert!(call.is_over());
    });
}

/// The queue's machine: a caller joins, the next agent in order is reserved, rings, answers; the
/// call ends and the agent is free again.
#[divan::bench(args = [5, 200])]
fn queue_call_in_the_queue_machine(bencher: Bencher<'_, '_>, agents: usize) {
    let mut office = Office::staffed(agents);
    bencher.bench_local(|| office.whole_call());
}

/// One decision while others wait: an agent becomes free, is reserved for the caller who waits
/// longest, answers and is busy again; another caller joins. 1,000 agents.
#[divan::bench(args = [10, 100, 1_000, 10_000])]
fn queue_decision_with_callers_waiting(bencher: Bencher<'_, '_>, waiting: usize) {
    let mut office = Office::staffed(1_000);
    for agent in 0..1_000 {
        office.stands(&(1_000 + agent).to_string(), Activity::Talking);
    }
    for _ in 0..waiting {
        office.join();
    }
    bencher.bench_local(|| office.decision("1500"));
}

struct Office {
    queue: Queue,
    now: Timestamp,
    calls: u128,
}

fn standing(since: Timestamp, activity: Activity) -> Standing {
    Standing {
        membership: Membership::Static,
        logged_in: Some(START),
        login_changed_at: None,
        paused: None,
        registered: true,
        activity,
        since,
        ready: activity == Activity::Idle,
        talking: Vec::new(),
    }
}

impl Office {
    fn staffed(agents: usize) -> Self {
        let members: Vec<_> = (0..agents)
            .map(|agent| {
                let extension = (1_000 + agent).to_string();
                serde_json::json!({ "extension": extension, "membership": "static" })
            })
            .collect();
        let config = serde_json::from_value(serde_json::json!({
            "number": "6400", "name": "Sales", "ring_strategy": "least_recent",
            "members": members,
        }));
        let mut queue = Queue::new(config.unwrap(), Facts::default());
        let (alive, patience) = (BTreeSet::new(), Duration::ZERO);
        queue.step(START, Input::Opened { seed: 1, alive, patience }).unwrap();
        let mut office = Self { queue, now: START, calls: 0 };
        for agent in 0..agents {
            office.stands(&(1_000 + agent).to_string(), Activity::Idle);
        }
        office
    }

    fn step(&mut self, input: Input) -> Vec<Effect> {
        self.queue.step(self.now, input).unwrap()
    }

    fn stands(&mut self, agent: &str, activity: Activity) {
        let standing = standing(self.now, activity);
        let message = FromAgent::Standing { standing, round: None, fresh: false };
        self.step(Input::Agent { agent: agent.into(), message });
    }

    fn join(&mut self) -> Vec<Effect> {
        self.calls += 1;
        let call = CallId::from_u128(self.calls);
        let (caller, caller_name) = ("0225550100".into(), String::new());
        self.step(Input::Join { call, stay: 1, caller, caller_name })
    }

    fn decision(&mut self, agent: &str) {
        self.now = self.now + Duration::from_secs(10);
        self.join();
        let standing = standing(self.now, Activity::Idle);
        let free = FromAgent::Standing { standing, round: None, fresh: false };
        let effects = self.step(Input::Agent { agent: agent.into(), message: free });
        let asked = effects.into_iter().find_map(|effect| match effect {
            Effect::Tell { message: ToAgent::Reserve { offer, call, .. }, .. } => {
                Some((offer, call))
            }
            _ => None,
        });
        let (offer, call) = asked.expect("somebody waits");
        let message = FromAgent::Granted { offer };
        self.step(Input::Agent { agent: agent.into(), message });
        self.stands(agent, Activity::Talking);
        self.step(Input::OfferAnswered { call, offer });
        let (by, talk) = (queue::Party::Caller, Duration::from_secs(5));
        self.step(Input::CallEnded { call, agent: agent.into(), by, talk });
    }

    fn whole_call(&mut self) {
        self.now = self.now + Duration::from_secs(10);
        self.calls += 1;
        let call = CallId::from_u128(self.calls);
        let (caller, caller_name) = ("0225550100".into(), String::new());
        let joined = Input::Join { call, stay: 1, caller, caller_name };
        let mut waiting = VecDeque::from(self.step(joined));
        let mut talks = None;
        while let Some(effect) = waiting.pop_front() {
            match effect {
                Effect::Tell { agent, message: ToAgent::Reserve { offer, .. } } => {
                    let message = FromAgent::Granted { offer };
                    waiting.extend(self.step(Input::Agent { agent: agent.clone(), message }));
                    self.stands(&agent, Activity::Ringing);
                }
                Effect::Notify { notice: QueueNotice::Offer { offer, agent, .. }, .. } => {
                    waiting.extend(self.step(Input::OfferRinging { call, offer }));
                    waiting.extend(self.step(Input::OfferAnswered { call, offer }));
                    talks = Some(agent);
                }
                _ => {}
            }
        }
        let agent = talks.expect("an agent is free");
        self.stands(&agent, Activity::Talking);
        let (by, talk) = (queue::Party::Caller, Duration::from_secs(5));
        self.step(Input::CallEnded { call, agent: agent.clone(), by, talk });
        self.stands(&agent, Activity::Idle);
    }
}
