//! Every stage of a caller against every input, as a table that is read by people.

use tandem_config::resource::{Destination, RingStrategy};

use super::super::LEAVE_GRACE;
use super::*;
use crate::agent::Denial;
use crate::queue::Party;
use crate::queue::request::{CallbackFailure, Word};

const STAGES: [&str; 13] = [
    "nobody",
    "greeting",
    "waiting",
    "asked",
    "ringing",
    "announcing",
    "resting",
    "leaving",
    "with an agent",
    "registering",
    "request",
    "dialling",
    "picked up",
];

/// Call 1 in this stage; agent 1 is the only one.
fn bench(stage: &str) -> Bench {
    let mut config = config(RingStrategy::Linear, &["1"]);
    config.max_wait_secs = 100;
    config.key_events = [("1".to_owned(), Destination::EndCall)].into();
    (config.callback.enabled, config.callback.key) = (true, "3".into());
    config.prompts.join = if stage == "greeting" { "welcome".into() } else { String::new() };
    config.prompts.ring_after_join = true;
    let mut bench = Bench::new(config);
    bench.granting = stage != "asked";
    if stage != "waiting" {
        bench.stands("1", free(START));
    }
    if stage != "nobody" {
        bench.join(1);
    }
    match stage {
        "resting" => drop(bench.end_ring(1, OfferEnd::Rejected)),
        "leaving" => {
            let (_, agent) = bench.ring(1);
            assert_eq!(agent, "1");
            bench.step(Input::Remove).unwrap();
        }
        "announcing" => {
            let (offer, _) = bench.ring(1);
            bench.step(Input::OfferAnnouncing { call: call(1), offer }).unwrap();
        }
        "with an agent" => drop(bench.answer(1)),
        "picked up" => bench.step(Input::PickUp { call: call(1), by: "9".into() }).unwrap(),
        "registering" => key(&mut bench),
        "request" | "dialling" => {
            key(&mut bench);
            says(&mut bench, Word::Registered(Some("5550199".into())));
        }
        _ => {}
    }
    if stage == "dialling" {
        let (offer, _) = bench.ring(1);
        says(&mut bench, Word::AgentReached { offer, callback: call(9) });
    }
    bench.granting = false;
    bench.standings.clear();
    bench.seen.clear();
    bench
}

fn key(bench: &mut Bench) {
    bench.step(Input::Digit { call: call(1), digit: '3' }).unwrap();
}

fn says(bench: &mut Bench, word: Word) {
    bench.step(Input::Callback { call: call(1), word }).unwrap();
}

fn inputs() -> Vec<(&'static str, Input)> {
    let (call, offer, agent) = (call(1), OfferId((1 << 32) | 1), "1".to_owned());
    let from = |message| Input::Agent { agent: "1".into(), message };
    let join = Input::Join { call, stay: 1, caller: String::new(), caller_name: String::new() };
    let talk = Duration::from_secs(9);
    let word = |word| Input::Callback { call, word };
    let (second, other) = (OfferId((1 << 32) | 2), super::call(9));
    let unanswered = CallbackFailure::CustomerNoAnswer;
    vec![
        ("join", join),
        ("hang-up", Input::Gone { call, reason: Exit::CallerHangup }),
        ("greeted", Input::Greeted { call }),
        ("place?", Input::Place { call }),
        ("key 1", Input::Digit { call, digit: '1' }),
        ("key 2", Input::Digit { call, digit: '2' }),
        ("rings", Input::OfferRinging { call, offer }),
        ("announces", Input::OfferAnnouncing { call, offer }),
        ("answered", Input::OfferAnswered { call, offer }),
        ("declined", Input::OfferEnded { call, offer, why: OfferEnd::Rejected }),
        ("talk over", Input::CallEnded { call, agent, by: Party::Caller, talk }),
        ("granted", from(FromAgent::Granted { offer })),
        ("denied", from(FromAgent::Denied { offer, why: Denial::NotReady })),
        ("revoked", from(FromAgent::Revoked { offer })),
        ("removed", Input::Remove),
        ("key 3", Input::Digit { call, digit: '3' }),
        ("confirmed", word(Word::Registered(Some("5550199".into())))),
        ("waits on", word(Word::NotRegistered)),
        ("reached", word(Word::AgentReached { offer: second, callback: other })),
        ("connected", word(Word::Connected { callback: other })),
        ("no answer", word(Word::Over { callback: other, why: unanswered })),
        ("cancel", Input::CancelCallback { call }),
        ("pick up", Input::PickUp { call, by: "8".into() }),
    ]
}

fn cell(bench: &mut Bench, input: Input) -> String {
    if let Err(refused) = bench.step(input) {
        return format!("refused: {refused}");
    }
    let words: Vec<String> = bench.seen.iter().filter_map(word).collect();
    if words.is_empty() { "-".into() } else { words.join(", ") }
}

fn word(effect: &Effect) -> Option<String> {
    match effect {
        Effect::Record(event) => Some(event.name().to_owned()),
        Effect::Notify { notice, .. } => Some(format!("call: {}", variant(notice))),
        Effect::Tell { message, .. } => Some(format!("agent: {}", variant(message))),
        Effect::NotifyKept { notice, .. } => Some(format!("kept, call: {notice:?}")),
        Effect::CallBack(_) => Some("call back".into()),
        Effect::Closed => Some("closed".into()),
        Effect::Arm { .. } | Effect::Decide(..) | Effect::Forget(_) | Effect::Rename { .. } => None,
    }
}

fn variant(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    text.split([' ', '{', '(']).next().unwrap_or_default().to_lowercase()
}

#[test]
fn every_stage_meets_every_input() {
    let mut table = String::new();
    for stage in STAGES {
        for (name, input) in inputs() {
            let cell = cell(&mut bench(stage), input);
            table.push_str(&format!("{stage:14}| {name:10}| {cell}\n"));
        }
        let mut late = bench(stage);
        late.wait(LEAVE_GRACE * 200);
        let cell: Vec<_> = late.seen.iter().filter_map(word).collect();
        table.push_str(&format!("{stage:14}| {:10}| {}\n", "200 s", cell.join(", ")));
    }
    assert_eq!(table, include_str!("table.txt"), "\n{table}");
}
