//! The queue panel: what two managers see of a busy floor, and what they do with its calls.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::api::items;
use tandem_tests::ports::free_port;
use tandem_tests::sound::assert_heard;
use tandem_tests::{Browser, Office, Sipp};
use tokio::time::{Instant, sleep};

use crate::signed_in;

const STATUS: &str = "/api/v1/queues/6400/status";
const PASSWORD: &str = "a-long-enough-Password-17";
/// Agents of the busy floor.
const AGENTS: u32 = 100;
/// Those who are not paused.
const WORKING: u32 = 4;
/// Callers who wait when the watching begins.
const CALLERS: usize = 50;
/// Nothing has changed for as long: what the pages show then must be what the node says.
const QUIET: Duration = Duration::from_millis(350);
/// How long a page may be behind on a loaded machine before a difference counts.
const LATE: Duration = Duration::from_secs(3);

fn extension(index: u32) -> String {
    (2_000 + index).to_string()
}

/// Phones of all agents at one address that answers by itself; all logged in, most paused.
async fn staff(office: &Office) -> Sipp {
    let mut accounts = "SEQUENTIAL\n".to_owned();
    let mut wishes = Vec::new();
    for number in (0..AGENTS).map(extension) {
        writeln!(accounts, "{number};[authentication username={number} password={PASSWORD}]")
            .unwrap();
        let resource = json!({ "number": number, "password": PASSWORD });
        wishes.push(json!({ "kind": "extension", "resource": resource }));
    }
    let done = office.api.post("/api/v1/import", json!({ "items": wishes })).await;
    assert_eq!(done["created"], AGENTS, "{done}");
    let member = |number| json!({ "extension": number, "membership": "dynamic" });
    let queue = json!({
        "members": (0..AGENTS).map(extension).map(member).collect::<Vec<_>>(),
        "ring_strategy": "rrmemory", "max_callers": 0, "max_wait_secs": 0,
        "agent": { "wrap_up_secs": 1, "ring_timeout_secs": 10, "retry_interval_secs": 1 },
    });
    office.api.patch("/api/v1/queues/6400", queue).await;

    let node = office.node.sip("udp").to_owned();
    std::fs::write(office.dir().join("accounts.csv"), accounts).unwrap();
    let count = AGENTS.to_string();
    // The node calls a phone where it registered from: first the one, then the other at one port.
    let (ip, port) = ("127.0.0.3", free_port("127.0.0.3"));
    let more = ["-inf", "accounts.csv", "-m", &count, "-r", "20"];
    let mut registering =
        Sipp::start_at("phones_register", ip, port, &node, office.dir(), &more).await;
    assert!(registering.finish(Duration::from_secs(60)).await, "all phones are registered");
    let phones = Sipp::start_at("phones_answer", ip, port, &node, office.dir(), &[]).await;
    for index in 0..AGENTS {
        let agent = format!("/api/v1/agents/{}", extension(index));
        office.api.post(&format!("{agent}/login"), json!({ "queue": "6400" })).await;
        if index >= WORKING {
            office.api.post(&format!("{agent}/pause"), json!({ "queue": "6400" })).await;
        }
    }
    phones
}

/// Callers from a trunk: as many at once as are to wait, then one each second; they hang up after
/// a while, each after its own.
async fn callers(office: &Office) -> [Sipp; 2] {
    office.trunk("carrier", "127.0.0.2", free_port("127.0.0.2")).await;
    office.inbound("floor", "5550100", json!({ "type": "queue", "number": "6400" })).await;
    let node = office.node.sip("udp").to_owned();
    let start = async |caller: &str, how: &[&str]| {
        let keys = ["-key", "did", "5550100", "-key", "caller", caller];
        let more = [&keys[..], how].concat();
        Sipp::start("trunk_callers", "127.0.0.2", &node, office.dir(), &more).await
    };
    let many = start("49", &["-m", "60", "-r", "10"]).await;
    office
        .api
        .wait_for(STATUS, |status| status["waiting"].as_array().unwrap().len() >= CALLERS)
        .await;
    let steady = start("48", &["-m", "10000", "-r", "1"]).await;
    [many, steady]
}

fn list(value: &Value, name: &str, of: impl Fn(&Value) -> Value) -> Value {
    value[name].as_array().unwrap().iter().map(of).collect()
}

/// What a queue's status says in the panel's words: rows in order, agents, counters.
fn rows_of(status: &Value) -> Value {
    let figures = ["total", "answered", "missed", "abandoned"].map(|it| status[it].to_string());
    json!({
        "waiting": list(status, "waiting", |it| it["call"].clone()),
        "active": list(status, "active", |it| json!([it["call"], it["agent"]])),
        "agents": list(status, "agents", |it| it["extension"].clone()),
        "figures": figures,
    })
}

fn rows_shown(shown: &Value) -> Value {
    let figures = ["total", "answered", "missed", "abandoned"];
    let figures = figures.map(|it| shown["figures"][it].clone());
    json!({
        "waiting": list(shown, "waiting", |it| it["call"].clone()),
        "active": list(shown, "active", |it| json!([it["call"], it["agent"]])),
        "agents": list(shown, "agents", |it| it["extension"].clone()),
        "figures": figures,
    })
}

fn assert_nothing_is_there_twice(shown: &Value) {
    for (area, key) in [("waiting", "call"), ("active", "call"), ("agents", "extension")] {
        let keys = list(shown, area, |it| it[key].clone());
        let keys: Vec<String> = keys.as_array().unwrap().iter().map(Value::to_string).collect();
        let once: BTreeSet<&String> = keys.iter().collect();
        assert_eq!(once.len(), keys.len(), "{area}: {keys:?}");
    }
}

/// The words for an agent's state, of which the panel shows one.
fn state_of(agent: &Value) -> String {
    let here = agent["memberships"].as_array().unwrap().iter().find(|it| it["queue"] == "6400");
    let is = |name: &str| here.is_some_and(|it| it[name] == true);
    match agent["activity"].as_str().unwrap() {
        "idle" if agent["registered"] != true => "offline".into(),
        "idle" if !is("logged_in") => "logged_out".into(),
        "idle" if is("paused") => "paused".into(),
        activity => activity.into(),
    }
}

#[derive(Debug, Default)]
struct Figures {
    looks: u32,
    quiet: u32,
    same: u32,
    late: u32,
    least_waiting: usize,
    most_waiting: usize,
}

/// Two managers' pages beside the node's own word.
struct Watch<'a> {
    office: &'a Office,
    managers: [Browser; 2],
    /// The statuses of the last two seconds: rings and agents' states are pictured a little later.
    lately: VecDeque<Value>,
    figures: Figures,
}

impl Watch<'_> {
    async fn status(&mut self) -> Value {
        let status = self.office.api.get(STATUS).await;
        self.lately.push_back(status.clone());
        if self.lately.len() > 8 {
            self.lately.pop_front();
        }
        status
    }

    /// Looks once; a look counts when nothing changed before and during it.
    async fn look(&mut self) {
        let before = rows_of(&self.status().await);
        sleep(QUIET).await;
        let status = self.status().await;
        let waiting = status["waiting"].as_array().unwrap().len();
        self.figures.looks += 1;
        self.figures.least_waiting = self.figures.least_waiting.min(waiting);
        self.figures.most_waiting = self.figures.most_waiting.max(waiting);
        if rows_of(&status) != before {
            return;
        }
        let is_same = self.agree(&before).await;
        if rows_of(&self.status().await) != before {
            return;
        }
        self.figures.quiet += 1;
        if is_same {
            self.figures.same += 1;
            return;
        }
        // Behind, or wrong? Wrong is what stays while the node's word stays.
        let deadline = Instant::now() + LATE;
        while Instant::now() < deadline {
            if self.agree(&before).await {
                break;
            }
            if rows_of(&self.status().await) != before {
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
        self.figures.late += 1;
        assert!(Instant::now() < deadline, "a page stays wrong; the node says {before}");
    }

    async fn agree(&mut self, wanted: &Value) -> bool {
        let mut is_same = true;
        for index in 0..self.managers.len() {
            let shown = self.managers[index].tell(json!({ "do": "rows" })).await;
            assert_nothing_is_there_twice(&shown);
            is_same &= rows_shown(&shown) == *wanted && self.is_lately(&shown);
        }
        is_same
    }

    /// Every agent is shown in a state, and every caller with a ring, that was true lately.
    fn is_lately(&self, shown: &Value) -> bool {
        let agents = shown["agents"].as_array().unwrap().iter().all(|agent| {
            self.lately.iter().any(|status| {
                let found = items(&status["agents"]);
                let own = found.iter().find(|it| it["extension"] == agent["extension"]);
                own.is_some_and(|own| state_of(own) == agent["state"])
            })
        });
        let rings = shown["waiting"].as_array().unwrap().iter().all(|row| {
            self.lately.iter().any(|status| {
                let found = items(&status["waiting"]);
                let own = found.iter().find(|it| it["call"] == row["call"]);
                let ringing = own.map(|own| items(&own["ringing"]));
                let ringing = ringing.unwrap_or_default();
                let words: Vec<&str> = ringing.iter().filter_map(Value::as_str).collect();
                own.is_some() && row["ringing"] == words.join(" ")
            })
        });
        agents && rings
    }
}

/// A caller whom nobody will take soon.
async fn somebody(office: &Office, name: &str) -> String {
    let waiting = items(&office.api.get(STATUS).await["waiting"]);
    waiting[waiting.len() * 3 / 4][name].as_str().unwrap().into()
}

/// The caller has left the queue and talks with an extension.
async fn assert_talks_with(office: &Office, caller: &str, extension: &str) {
    let party = format!("extension:{extension}");
    let is_up = |leg: &Value| leg["party"] == *party && leg["state"] == "up";
    let is_it = |call: &Value| call["from"] == *caller && items(&call["legs"]).iter().any(is_up);
    office.api.wait_for("/api/v1/calls", |calls| items(calls).iter().any(is_it)).await;
}

#[tokio::test]
async fn two_managers_see_each_row_of_a_busy_floor_once_and_move_callers() {
    let secs = std::env::var("TANDEM_PANEL_SECS").ok().and_then(|it| it.parse().ok());
    // SIPp knows no other digest.
    let office = Office::open_with(&[r#"sip.digest=["md5"]"#]).await;
    let _phones = staff(&office).await;
    let mut first = signed_in(&office, "manager", "1002").await;
    let mut second = Browser::start(&office, 1_500).await;
    second.sign_in("manager-1002", crate::PASSWORD).await;
    for manager in [&mut first, &mut second] {
        manager.tell(json!({ "do": "open", "path": "/panel/#/queues?queue=6400" })).await;
        manager.text("Agents (100)").await;
    }
    let [many, mut steady] = callers(&office).await;
    let mut watch = Watch {
        office: &office,
        managers: [first, second],
        lately: VecDeque::new(),
        figures: Figures { least_waiting: usize::MAX, ..Figures::default() },
    };

    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(secs.unwrap_or(30)) {
        watch.look().await;
    }
    let found = json!({ "do": "fill", "label": "Search agents", "text": "2098" });
    watch.managers[0].tell(found).await;
    let card = "[data-agent=\"2098\"]";
    let row = format!("[data-waiting=\"{}\"]", somebody(&office, "call").await);
    watch.managers[0].tell(json!({ "do": "drag", "from": row, "to": card })).await;
    // Rows move up while one is dragged: the page says whom it took.
    watch.managers[0].text("goes to 2098.").await;
    let everybody = json!({ "do": "fill", "label": "Search agents", "text": "" });
    watch.managers[0].tell(everybody).await;
    let shown = watch.managers[0].tell(json!({ "do": "shown" })).await;
    let said = shown["text"].as_str().unwrap().lines().find(|it| it.ends_with("goes to 2098."));
    let caller = said.unwrap().split(' ').next().unwrap().to_owned();
    assert_talks_with(&office, &caller, "2098").await;
    let caller = somebody(&office, "caller").await;
    let page = &mut watch.managers[1];
    let more = json!({ "do": "focus", "role": "button", "name": format!("Actions: {caller}") });
    page.tell(more).await;
    page.key("Enter").await;
    page.tell(json!({ "do": "wait", "role": "menuitem", "name": "Redirect" })).await;
    page.key("Enter").await;
    page.tell(json!({ "do": "wait", "role": "textbox", "name": "Number or name" })).await;
    page.tell(json!({ "do": "type", "text": "2099" })).await;
    page.key("Enter").await;
    assert_talks_with(&office, &caller, "2099").await;

    // Nobody comes, is answered or hangs up any more: the last word of all three is the same.
    steady.kill().await;
    drop(many);
    for index in 0..WORKING {
        let agent = format!("/api/v1/agents/{}/pause", extension(index));
        office.api.post(&agent, json!({ "queue": "6400" })).await;
    }
    office.api.wait_for(STATUS, |status| items(&status["active"]).is_empty()).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let status = watch.status().await;
        if watch.agree(&rows_of(&status)).await {
            break;
        }
        assert!(Instant::now() < deadline, "a page stays wrong at the end: {status}");
    }

    let status = watch.status().await;
    println!("{:?}; at the end {}", watch.figures, rows_of(&status)["figures"]);
    assert!(watch.figures.same >= 5, "{:?}", watch.figures);
    for manager in &mut watch.managers {
        manager.assert_clean().await;
    }
}

#[tokio::test]
async fn q_484_a_waiting_caller_is_redirected_by_drag_and_by_keyboard_and_a_talk_is_transferred() {
    let office = crate::office().await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let answers = json!({ "auto_answer": true });
    let mut second = office.phone("1002", 900, answers.clone()).await;
    let mut third = office.phone("1003", 1_100, answers).await;
    let member = |number: &str| json!({ "extension": number, "membership": "static" });
    let members = json!({ "members": [member("1001"), member("1002"), member("1003")] });
    office.api.patch("/api/v1/queues/6400", members).await;
    for agent in ["1002", "1003"] {
        office.api.post(&format!("/api/v1/agents/{agent}/pause"), json!({})).await;
    }
    let mut manager = signed_in(&office, "manager", "1001").await;
    manager.tell(json!({ "do": "open", "path": "/panel/#/queues" })).await;

    caller.call("6400").await;
    manager.button("Actions: 1000").await;
    manager.assert_accessible("a waiting caller").await;
    let card = "[data-agent=\"1002\"]";
    manager.tell(json!({ "do": "drag", "from": "[data-waiting]", "to": card })).await;
    second.expect_state("CONFIRMED").await;
    manager.text("1000 goes to 1002.").await;
    manager.text("Nobody is waiting.").await;
    sleep(Duration::from_secs(2)).await;
    second.hang_up().await;
    caller.expect_end().await;
    sleep(Duration::from_millis(300)).await;
    assert_heard(&second.recording(1), 700.0, 1.0);

    caller.forget();
    caller.call("6400").await;
    manager.button("Actions: 1000").await;
    manager.tell(json!({ "do": "tab", "name": "Actions: 1000" })).await;
    manager.key("Enter").await;
    manager.tell(json!({ "do": "wait", "role": "menuitem", "name": "Redirect" })).await;
    manager.assert_accessible("the menu of a waiting caller").await;
    manager.key("Enter").await;
    manager.tell(json!({ "do": "wait", "role": "textbox", "name": "Number or name" })).await;
    manager.tell(json!({ "do": "type", "text": "1003" })).await;
    manager.assert_accessible("where a caller may go").await;
    manager.key("Enter").await;
    office.api.wait_for(STATUS, |status| status["missed"] == 2).await;
    caller.expect_state("CONFIRMED").await;
    sleep(Duration::from_secs(2)).await;
    caller.hang_up().await;
    sleep(Duration::from_millis(500)).await;
    assert_heard(&third.recording(1), 700.0, 1.0);

    // A talk is moved in the same way: the customer goes, the agent is released (Q-488, Q-490).
    caller.forget();
    second.forget();
    third.forget();
    office.api.post("/api/v1/agents/1002/resume", json!({})).await;
    caller.call("6400").await;
    second.expect_state("CONFIRMED").await;
    manager.text("Talking (1)").await;
    let card = "[data-agent=\"1003\"]";
    manager.tell(json!({ "do": "drag", "from": "[data-active]", "to": card })).await;
    third.expect_state("CONFIRMED").await;
    second.expect_end().await;
    sleep(Duration::from_secs(2)).await;
    caller.hang_up().await;
    sleep(Duration::from_millis(500)).await;
    assert_heard(&third.recording(2), 700.0, 1.0);

    let records = office.api.records(3, "number=1000").await;
    assert_eq!(records[0]["answered_by"], "1003", "{}", records[0]);
    assert_eq!(records[0]["queue"]["exit"], "answered", "{}", records[0]);
    for (record, to) in records[1..].iter().zip(["1003", "1002"]) {
        assert_eq!(record["answered_by"], to, "{record}");
        assert_eq!(record["queue"]["exit"], "manager_redirect", "{record}");
        let step = json!(format!("moved by user:manager-1001 to {to}"));
        assert_eq!(record["steps"][0]["detail"], step, "{record}");
    }
    manager.assert_clean().await;
}
