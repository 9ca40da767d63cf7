//! Random scenarios on the wire against what the machines predict from the same seed (issue 4,
//! must-show 6). The scenarios and predictions are made, and held to their seeds, by
//! `actors/tests/scenarios`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tandem_tests::api::items;
use tandem_tests::ua::{Event, Ua};
use tandem_tests::{Office, ports::free_port};
use tokio::time::{Instant, sleep, sleep_until};

const TRUNK: &str = "127.0.0.2";
const PASSWORD: &str = "correct-horse-battery";
/// How long after the last talk everything is over.
const AFTERWARDS: Duration = Duration::from_secs(3);
/// The predictions hold while nothing is later than this.
const LATE: Duration = Duration::from_millis(60);

#[derive(Clone, Debug, Deserialize)]
struct Scenario {
    seed: usize,
    queue: Value,
    agents: Vec<Agent>,
    log_ins: Vec<usize>,
    callers: Vec<Caller>,
    predicted: Seen,
}

#[derive(Clone, Debug, Deserialize)]
struct Agent {
    membership: String,
    skill_level: u8,
    rings: Vec<(u64, Reaction)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reaction {
    Answer,
    Decline,
    Busy,
    Ignore,
}

#[derive(Clone, Debug, Deserialize)]
struct Caller {
    arrives: u64,
    leaves: Option<(u64, Leave)>,
    talk_ends: Option<(u64, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Leave {
    HangUp,
    PressKey,
}

/// Rings as moment, agent, caller; exits as caller, reason, agent.
#[derive(Clone, Debug, Default, Deserialize)]
struct Seen {
    rings: Vec<(u64, usize, usize)>,
    exits: Vec<(usize, String, Option<usize>)>,
}

impl Seen {
    /// What of this prediction did not come true.
    fn differs(&self, seen: &Self) -> Option<String> {
        let order = |seen: &Self| seen.rings.iter().map(|it| (it.1, it.2)).collect::<Vec<_>>();
        let (own, other) = (order(self), order(seen));
        let count = own.len().max(other.len());
        if let Some(at) = (0..count).find(|at| own.get(*at) != other.get(*at)) {
            let (own, other) = (self.rings.get(at), seen.rings.get(at));
            return Some(format!("ring {at} is {other:?}, not {own:?}"));
        }
        let sorted = |seen: &Self| {
            let mut exits = seen.exits.clone();
            exits.sort();
            exits
        };
        let (own, other) = (sorted(self), sorted(seen));
        (own != other).then(|| format!("exits {other:?}, not {own:?}"))
    }
}

impl Scenario {
    fn read(seed: usize) -> Self {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("queues/scenarios");
        let text = std::fs::read_to_string(dir.join(format!("{seed:02}.json"))).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn number(&self) -> String {
        (6_410 + self.seed).to_string()
    }

    fn did(&self) -> String {
        format!("55501{:02}", self.seed)
    }

    fn agent(&self, index: usize) -> String {
        (2_000 + 10 * self.seed + index).to_string()
    }

    fn caller(&self, index: usize) -> String {
        (5_560_000 + 100 * self.seed + index).to_string()
    }

    /// The moment at which all talks are over.
    fn end(&self) -> Duration {
        let talks = self.callers.iter().filter_map(|caller| caller.talk_ends);
        Duration::from_millis(talks.map(|it| it.0).max().unwrap_or(0)) + AFTERWARDS
    }

    /// The resources: agents, their queue, the way in.
    fn resources(&self) -> Vec<Value> {
        let agents = (0..self.agents.len()).map(|index| {
            let extension = json!({ "number": self.agent(index), "password": PASSWORD });
            json!({ "kind": "extension", "resource": extension })
        });
        let members = self.agents.iter().enumerate().map(|(index, agent)| {
            json!({
                "extension": self.agent(index), "membership": agent.membership,
                "skill_level": agent.skill_level,
            })
        });
        let mut queue = self.queue.clone();
        queue["number"] = json!(self.number());
        queue["name"] = json!(format!("Seed {}", self.seed));
        queue["members"] = members.collect();
        let to = json!({ "type": "queue", "number": self.number() });
        let route = json!({ "name": self.did(), "did": [self.did()], "destination": to });
        let rest = [("queue", queue), ("inbound-route", route)];
        let rest = rest.map(|(kind, resource)| json!({ "kind": kind, "resource": resource }));
        agents.chain(rest).collect()
    }
}

/// What the telephones of one scenario know together.
#[derive(Default)]
struct Board {
    rings: Vec<(u64, usize, usize)>,
    /// Who talks with whom.
    talks: BTreeMap<usize, usize>,
}

#[derive(Clone)]
struct Stage {
    scenario: Arc<Scenario>,
    board: Arc<Mutex<Board>>,
    start: Instant,
    end: Instant,
}

impl Stage {
    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap()
    }
}

/// An agent's telephone: does about each ring what the script says.
async fn agent(mut phone: Ua, index: usize, stage: Stage) {
    let script = &stage.scenario.agents[index];
    let mut rung = 0;
    let mut due: BTreeMap<(Instant, String), Option<Reaction>> = BTreeMap::new();
    let mut callers: BTreeMap<String, usize> = BTreeMap::new();
    loop {
        let next = due.first_key_value().map_or(stage.end, |((at, _), _)| *at);
        if Instant::now() >= stage.end {
            return;
        }
        let event = phone.next(next).await;
        match event {
            Some(Event::Rings(call, from)) => {
                let number: usize = from.parse().unwrap_or_default();
                let caller = number % 100;
                stage.board.lock().rings.push((stage.now(), index, caller));
                callers.insert(call.clone(), caller);
                if let Some((at, reaction)) = script.rings.get(rung) {
                    due.insert((stage.at(*at), call), Some(*reaction));
                }
                rung += 1;
            }
            Some(Event::Cancelled(call) | Event::Ended(call)) => {
                due.retain(|(_, own), _| *own != call);
            }
            Some(Event::Up(_) | Event::Refused(..)) => {}
            None => {
                let over: Vec<_> = due.extract_if(.., |(at, _), _| *at <= Instant::now()).collect();
                for ((_, call), what) in over {
                    match what {
                        Some(Reaction::Answer) => {
                            phone.answer(&call).await;
                            let caller = callers[&call];
                            stage.board.lock().talks.insert(caller, index);
                            let ends = stage.scenario.callers[caller].talk_ends;
                            if let Some((at, false)) = ends {
                                due.insert((stage.at(at), call), None);
                            }
                        }
                        Some(Reaction::Decline) => phone.refuse(&call, 603).await,
                        Some(Reaction::Busy) => phone.refuse(&call, 486).await,
                        Some(Reaction::Ignore) => {}
                        None => phone.hang_up(&call).await,
                    }
                }
            }
        }
    }
}

/// A caller behind the trunk.
async fn caller(mut phone: Ua, index: usize, stage: Stage) {
    let script = stage.scenario.callers[index].clone();
    sleep_until(stage.at(script.arrives)).await;
    let call = phone.call(&stage.scenario.did()).await;
    let talks = || stage.board.lock().talks.contains_key(&index);
    let mut leaves = script.leaves.map(|(at, how)| (stage.at(at), how));
    let talk_ends = script.talk_ends.filter(|it| it.1).map(|(at, _)| stage.at(at));
    loop {
        let now = Instant::now();
        if now >= stage.end {
            return;
        }
        if phone.is_up(&call) {
            if let Some((_, how)) = leaves.take_if(|(at, _)| *at <= now)
                && !talks()
            {
                match how {
                    Leave::PressKey => phone.press(&call, '0').await,
                    Leave::HangUp => return phone.hang_up(&call).await,
                }
            }
            if talk_ends.is_some_and(|at| at <= now) && talks() {
                return phone.hang_up(&call).await;
            }
        }
        let moments = leaves.map(|it| it.0).into_iter().chain(talk_ends);
        let next = moments.filter(|at| *at > now).min().unwrap_or(stage.end);
        // What is overdue is looked at again in a moment.
        let again = now + Duration::from_millis(100);
        let overdue = talk_ends.is_some_and(|at| at <= now) || leaves.is_some_and(|it| it.0 <= now);
        let wait = if overdue { again } else { next };
        if let Some(Event::Ended(_) | Event::Refused(..)) = phone.next(wait).await {
            return;
        }
    }
}

/// How late this process was at worst until a moment.
async fn lateness(until: Instant) -> Duration {
    let mut worst = Duration::ZERO;
    while Instant::now() < until {
        let due = Instant::now() + Duration::from_millis(10);
        sleep_until(due).await;
        worst = worst.max(due.elapsed());
    }
    worst
}

/// How late the node was at worst to answer a request until a moment.
async fn node_lateness(wire: tandem_tests::Wire, until: Instant) -> Duration {
    let mut worst = Duration::ZERO;
    let mut sent = 0;
    while Instant::now() < until {
        sent += 1;
        let asked = Instant::now();
        wire.is_answered(&format!("late{sent}"), Duration::from_secs(2)).await;
        worst = worst.max(asked.elapsed());
        sleep(Duration::from_millis(40)).await;
    }
    worst
}

async fn open(scenarios: &[Arc<Scenario>]) -> Office {
    let office = Office::open_with(&["sip.max_calls=2000"]).await;
    office.trunk("carrier", TRUNK, 5_060).await;
    for scenario in scenarios {
        let import = json!({ "items": scenario.resources() });
        let answer = office.api.post("/api/v1/import", import).await;
        assert!(items(&answer["refused"]).is_empty(), "{answer}");
        // The agents begin a moment after their queue was made.
        let are_there = |agents: &Value| {
            let extensions: Vec<Value> =
                items(agents).iter().map(|agent| agent["extension"].clone()).collect();
            (0..scenario.agents.len()).all(|it| extensions.contains(&json!(scenario.agent(it))))
        };
        office.api.wait_for("/api/v1/agents", are_there).await;
        for index in &scenario.log_ins {
            let path = format!("/api/v1/agents/{}/login", scenario.agent(*index));
            office.api.post(&path, json!({ "queue": scenario.number() })).await;
        }
    }
    office
}

/// Plays scenarios at the same time on one node; gives what was seen and how late all was.
async fn play(scenarios: &[Arc<Scenario>]) -> (Vec<Seen>, Duration) {
    let office = open(scenarios).await;
    let node = office.node.sip("udp").to_owned();
    let (agents_audio, callers_audio) = (free_port("127.0.0.1"), free_port(TRUNK));
    let _sinks = (
        std::net::UdpSocket::bind(("127.0.0.1", agents_audio)).unwrap(),
        std::net::UdpSocket::bind((TRUNK, callers_audio)).unwrap(),
    );
    let mut agents = Vec::new();
    for scenario in scenarios {
        for index in 0..scenario.agents.len() {
            let user = scenario.agent(index);
            let mut phone = Ua::open("127.0.0.1", &node, &user, agents_audio).await;
            phone.register(PASSWORD).await;
            agents.push((scenario.clone(), index, phone));
        }
    }
    let start = Instant::now() + Duration::from_secs(1);
    let end = start + scenarios.iter().map(|it| it.end()).max().unwrap();
    let stages: Vec<Stage> = scenarios
        .iter()
        .map(|scenario| Stage { scenario: scenario.clone(), board: Arc::default(), start, end })
        .collect();
    let mut people = tokio::task::JoinSet::new();
    let stage_of = |scenario: &Arc<Scenario>| {
        stages.iter().find(|it| Arc::ptr_eq(&it.scenario, scenario)).unwrap().clone()
    };
    for (scenario, index, phone) in agents {
        people.spawn(agent(phone, index, stage_of(&scenario)));
    }
    for stage in &stages {
        for index in 0..stage.scenario.callers.len() {
            let user = stage.scenario.caller(index);
            let phone = Ua::open(TRUNK, &node, &user, callers_audio).await;
            people.spawn(caller(phone, index, stage.clone()));
        }
    }
    let wire = tandem_tests::Wire::open(TRUNK, &node).await;
    let late = tokio::join!(lateness(end), node_lateness(wire, end));
    while let Some(ended) = people.join_next().await {
        ended.unwrap();
    }
    let mut seen = Vec::new();
    for stage in &stages {
        let rings = stage.board.lock().rings.clone();
        seen.push(Seen { rings, exits: exits(&office, &stage.scenario).await });
    }
    // The auditor has looked at all of it and found no state that outlives its lease.
    let metrics = String::from_utf8(office.api.bytes("/metrics").await).unwrap();
    assert!(metrics.contains("tandem_calls_total"), "{metrics}");
    assert!(!metrics.contains("tandem_leases_overdue_total{"), "{metrics}");
    (seen, late.0.max(late.1))
}

/// How the callers of a scenario left, by the records of their calls.
async fn exits(office: &Office, scenario: &Scenario) -> Vec<(usize, String, Option<usize>)> {
    let of_queue = |record: &Value| record["queue"]["queue"] == json!(scenario.number());
    let path = "/api/v1/call-records?limit=500";
    let mut records = Vec::new();
    // A record is written a little after its call has ended.
    for _ in 0..50 {
        let answer = office.api.send(Method::GET, path, &Value::Null).await;
        let answer: Value = answer.json().await.unwrap();
        records = items(&answer).into_iter().filter(of_queue).collect::<Vec<_>>();
        if records.len() >= scenario.callers.len() {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    let last_two = |value: &Value, modulus: usize| {
        value.as_str().and_then(|text| text.parse::<usize>().ok()).map(|it| it % modulus)
    };
    let exit = |record: &Value| {
        let queue = &record["queue"];
        let caller = last_two(&record["from"], 100).unwrap();
        let agent = last_two(&queue["agent"], 10);
        (caller, queue["exit"].as_str().unwrap().to_owned(), agent)
    };
    records.iter().map(exit).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_random_scenarios_of_30_callers_and_8_agents_go_as_the_machines_predict() {
    let all: Vec<Arc<Scenario>> = (0..10).map(|seed| Arc::new(Scenario::read(seed))).collect();
    let mut open = all.clone();
    for _ in 0..3 {
        let (seen, late) = play(&open).await;
        let mut wrong = Vec::new();
        for (scenario, seen) in open.iter().zip(&seen) {
            let other = &all[(scenario.seed + 1) % all.len()];
            assert!(other.predicted.differs(seen).is_some(), "any prediction fits");
            if let Some(told) = scenario.predicted.differs(seen) {
                wrong.push((scenario.clone(), told));
            }
        }
        let told: Vec<_> =
            wrong.iter().map(|(it, told)| format!("seed {}: {told}", it.seed)).collect();
        println!("{} of {} as predicted, late by {late:?}", open.len() - wrong.len(), open.len());
        // Only where the machine was too slow for the predictions there is a second time.
        assert!(wrong.is_empty() || late > LATE, "late by {late:?} only:\n{}", told.join("\n"));
        open = wrong.into_iter().map(|(scenario, _)| scenario).collect();
        if open.is_empty() {
            return;
        }
    }
    panic!("this machine was too slow three times");
}
