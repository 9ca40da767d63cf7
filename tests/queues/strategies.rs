//! The order in which five agents ring, as their phones see it (spec section 4).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::api::items;
use tandem_tests::{Office, Phone};
use tokio::time::sleep;

use crate::{agents, members, set};

const FIVE: [&str; 5] = ["1001", "1002", "1003", "1004", "1005"];

/// An office whose queue has five agents; who is rung and does not answer rings one second.
async fn office(strategy: &str, list: Value) -> Office {
    let office = Office::open().await;
    let options = json!({ "ring_timeout_secs": 1, "retry_interval_secs": 0 });
    let queue = json!({ "ring_strategy": strategy, "members": list, "agent": options });
    set(&office, queue).await;
    office
}

/// Waits until so many rings were seen and gives the agents in the order of their rings.
async fn rings(phones: &mut [Phone], count: usize) -> Vec<String> {
    let mut seen: Vec<(f64, String)> = Vec::new();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while seen.len() < count {
        assert!(tokio::time::Instant::now() < deadline, "only {seen:?} of {count} rings");
        for phone in phones.iter_mut() {
            while phone.sees("incoming", Duration::from_millis(20)).await {
                let ring = phone.expect("incoming").await;
                seen.push((ring["t"].as_f64().unwrap(), phone.user.clone()));
            }
        }
    }
    seen.sort_by(|a, b| a.0.total_cmp(&b.0));
    seen.into_iter().map(|(_, who)| who).collect()
}

/// A call that one agent answers and that the caller then ends.
async fn answered(caller: &mut Phone, agent: &mut Phone) {
    caller.call("6400").await;
    agent.expect("incoming").await;
    agent.answer().await;
    agent.expect_state("CONFIRMED").await;
    caller.hang_up().await;
    agent.expect_end().await;
    caller.expect_end().await;
}

async fn give_up(caller: &mut Phone) {
    caller.hang_up().await;
    caller.expect_end().await;
}

#[tokio::test]
async fn q_051_ring_all_rings_every_agent_at_once_and_again_after_the_timeout() {
    let office = office("ring_all", members("static", &FIVE)).await;
    // A phone on a busy machine may need a second to hear of the end of the first ring.
    let slowly = json!({ "ring_timeout_secs": 4, "retry_interval_secs": 0 });
    office.api.patch("/api/v1/queues/6400", json!({ "agent": slowly })).await;
    let mut phones = agents(&office, &FIVE, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    let mut order = rings(&mut phones, 10).await;
    give_up(&mut caller).await;

    let mut again = order.split_off(5);
    order.sort();
    again.sort();
    assert_eq!(order, FIVE);
    assert_eq!(again, FIVE);
}

#[tokio::test]
async fn q_056_linear_begins_with_the_first_agent_for_every_call() {
    let office = office("linear", members("static", &FIVE)).await;
    let mut phones = agents(&office, &FIVE, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    let first = rings(&mut phones, 7).await;
    give_up(&mut caller).await;
    for phone in &mut phones {
        phone.forget();
    }
    caller.call("6400").await;
    let second = rings(&mut phones, 2).await;
    give_up(&mut caller).await;

    assert_eq!(first, ["1001", "1002", "1003", "1004", "1005", "1001", "1002"]);
    assert_eq!(second, ["1001", "1002"]);
}

#[tokio::test]
async fn q_055_rrmemory_goes_on_after_the_agent_who_was_rung_last() {
    let office = office("rrmemory", members("static", &FIVE)).await;
    let mut phones = agents(&office, &FIVE, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    let first = rings(&mut phones, 2).await;
    give_up(&mut caller).await;
    caller.call("6400").await;
    let second = rings(&mut phones, 5).await;
    give_up(&mut caller).await;

    assert_eq!(first, ["1001", "1002"]);
    assert_eq!(second, ["1003", "1004", "1005", "1001", "1002"]);
}

#[tokio::test]
async fn q_055_rrmemory_rings_dynamic_agents_only_while_no_static_one_is_free() {
    let mixed = json!([
        { "extension": "1001", "membership": "static" },
        { "extension": "1002", "membership": "dynamic" },
        { "extension": "1003", "membership": "static" },
        { "extension": "1004", "membership": "dynamic" },
        { "extension": "1005", "membership": "dynamic" },
    ]);
    let office = office("rrmemory", mixed).await;
    let mut phones = agents(&office, &FIVE, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let all = async |what: &str, agents: &[&str]| {
        for agent in agents {
            let wish = json!({ "queue": "6400" });
            office.api.post(&format!("/api/v1/agents/{agent}/{what}"), wish).await;
        }
    };
    all("login", &["1005", "1002", "1004"]).await;

    caller.call("6400").await;
    let statics = rings(&mut phones, 3).await;
    give_up(&mut caller).await;
    all("pause", &["1001", "1003"]).await;
    caller.call("6400").await;
    let dynamics = rings(&mut phones, 4).await;
    give_up(&mut caller).await;
    all("resume", &["1001", "1003"]).await;
    caller.call("6400").await;
    let again = rings(&mut phones, 2).await;
    give_up(&mut caller).await;

    assert_eq!(statics, ["1001", "1003", "1001"]);
    assert_eq!(dynamics, ["1005", "1002", "1004", "1005"]);
    assert_eq!(again, ["1003", "1001"]);
}

#[tokio::test]
async fn q_056_linear_rings_dynamic_agents_in_the_order_of_their_log_in() {
    let office = office("linear", members("dynamic", &FIVE)).await;
    let mut phones = agents(&office, &FIVE, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;
    let log_in = ["1004", "1002", "1005", "1001", "1003"];
    for agent in log_in {
        let wish = json!({ "queue": "6400" });
        office.api.post(&format!("/api/v1/agents/{agent}/login"), wish).await;
    }

    caller.call("6400").await;
    let order = rings(&mut phones, 6).await;
    give_up(&mut caller).await;

    assert_eq!(order, ["1004", "1002", "1005", "1001", "1003", "1004"]);
}

#[tokio::test]
async fn q_052_least_recent_rings_who_was_never_called_then_who_talked_longest_ago() {
    let office = office("least_recent", members("static", &FIVE)).await;
    let mut phones = agents(&office, &FIVE, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    // Never called, in list order: each answers one.
    for phone in &mut phones {
        answered(&mut caller, phone).await;
    }
    // Now the first is longest ago; then the second, and so on.
    for phone in phones.iter_mut().take(2) {
        answered(&mut caller, phone).await;
    }
    caller.call("6400").await;
    let order = rings(&mut phones, 1).await;
    give_up(&mut caller).await;

    assert_eq!(order, ["1003"]);
}

#[tokio::test]
async fn q_053_fewest_calls_rings_who_answered_least() {
    let office = office("fewest_calls", members("static", &FIVE)).await;
    let mut phones = agents(&office, &FIVE, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    for phone in &mut phones {
        answered(&mut caller, phone).await;
    }
    // All have one: ties go to the least recent. The first answers a second call.
    answered(&mut caller, &mut phones[0]).await;
    caller.call("6400").await;
    let order = rings(&mut phones, 1).await;
    give_up(&mut caller).await;

    assert_eq!(order, ["1002"]);
}

#[tokio::test]
async fn q_054_random_rings_each_agent_once_in_a_pass() {
    let office = office("random", members("static", &FIVE)).await;
    let mut phones = agents(&office, &FIVE, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    let mut pass = rings(&mut phones, 5).await;
    give_up(&mut caller).await;

    pass.sort();
    assert_eq!(pass, FIVE);
}

#[tokio::test]
async fn q_058_q_061_a_busy_agent_is_passed_over_and_the_next_rings_after_the_interval() {
    let office = office("linear", members("static", &["1001", "1002", "1003"])).await;
    set(&office, json!({ "agent": { "ring_timeout_secs": 15, "retry_interval_secs": 2 } })).await;
    let mut busy = office.phone("1001", 0, json!({ "refuse": 486 })).await;
    let mut next = office.phone("1002", 0, Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    let first = busy.expect("incoming").await["t"].as_f64().unwrap();
    let second = next.expect("incoming").await["t"].as_f64().unwrap();
    next.answer().await;
    next.expect_state("CONFIRMED").await;
    let call = office.api.call().await["id"].as_str().unwrap().to_owned();
    sleep(Duration::from_secs(2)).await;
    give_up(&mut caller).await;
    next.expect_end().await;
    office.quiet().await;

    let pause = second - first;
    assert!((1.9..2.6).contains(&pause), "the next agent rang after {pause:.2} s");
    let path = format!("/api/v1/calls/{call}/trace");
    // The figures of a leg are noted when its audio has ended.
    let is_whole = |it: &Value| items(it).iter().filter_map(figures).count() == 3;
    let trace = items(&office.api.wait_for(&path, is_whole).await);
    assert_eq!(decisions(&trace), DECIDED);
    let media: Vec<BTreeMap<String, String>> = trace.iter().filter_map(figures).collect();
    let talked = media.iter().filter(|it| it["codec"] == "PCMU").collect::<Vec<_>>();
    assert_eq!(talked.len(), 2, "caller and agent, beside who was busy: {media:?}");
    for leg in talked {
        let figure = |name: &str| leg[name].parse::<f64>().unwrap();
        // Two seconds of talk are 100 packets of 20 ms each way.
        assert!(figure("packets_received") > 80.0, "{leg:?}");
        assert!(figure("packets_sent") > 80.0, "{leg:?}");
        assert!(figure("lost") < figure("packets_received") / 10.0, "{leg:?}");
        assert!((0.0..200.0).contains(&figure("jitter_ms")), "{leg:?}");
        assert!((1.0..=4.5).contains(&figure("mos")), "{leg:?}");
        assert!(leg["remote"].starts_with("127.0.0.1:"), "{leg:?}");
    }
    let nobody = media.iter().find(|it| it["codec"] == "none").unwrap();
    assert_eq!(nobody["packets_received"], "0", "{nobody:?}");
}

/// Who was rung and why the others were not, in the call of the test above.
const DECIDED: [(&str, &str); 5] = [
    ("agent-later", "1002: another agent comes first by the strategy"),
    ("agent-unregistered", "1003: no phone is registered"),
    ("agent-offered", "1001: rings for 15 s"),
    ("agent-tried", "1001: rang already in this pass"),
    ("agent-offered", "1002: rings for 15 s"),
];

fn decisions(trace: &[Value]) -> Vec<(&str, &str)> {
    let decisions = trace.iter().filter(|it| it["type"] == "decision");
    decisions.map(|it| (it["code"].as_str().unwrap(), it["detail"].as_str().unwrap())).collect()
}

/// The media figures of one leg.
fn figures(item: &Value) -> Option<BTreeMap<String, String>> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let figures = item["figures"].as_array()?.iter();
    Some(figures.map(|it| (text(&it["name"]), text(&it["value"]))).collect())
}

#[tokio::test]
async fn q_066_calls_go_from_the_best_skill_level_down_and_begin_again() {
    let list: Vec<Value> = [("1001", 3), ("1002", 1), ("1003", 2)]
        .map(|(extension, level)| {
            json!({ "extension": extension, "membership": "static", "skill_level": level })
        })
        .into();
    let office = office("linear", Value::Array(list)).await;
    set(&office, json!({ "skill_based_routing": true })).await;
    let mut phones = agents(&office, &FIVE[..3], Value::Null).await;
    let mut caller = office.phone("1000", 700, Value::Null).await;

    caller.call("6400").await;
    let order = rings(&mut phones, 5).await;
    give_up(&mut caller).await;

    assert_eq!(order, ["1002", "1003", "1001", "1002", "1003"]);
}
