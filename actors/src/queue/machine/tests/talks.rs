//! What becomes of callers of whom the actor of before had written nothing down, or not all.

use tandem_config::resource::RingStrategy;

use super::*;
use crate::queue::{AgentTalk, Party};

fn talk(number: u128, agent: &str) -> AgentTalk {
    AgentTalk {
        call: call(number),
        stay: 1,
        caller: format!("0{number}"),
        caller_name: String::new(),
        agent: agent.into(),
        wait: Duration::from_secs(9),
        is_counted: false,
        over: None,
    }
}

fn says(bench: &mut Bench, talk: AgentTalk) -> Result<(), Refused> {
    bench.step(Input::Talks(Box::new(talk)))
}

fn staffed() -> Bench {
    Bench::staffed(config(RingStrategy::Linear, &["1", "2"]))
}

#[test]
fn a_talk_of_which_nothing_was_written_down_counts_once() {
    let mut bench = staffed();

    says(&mut bench, talk(5, "1")).unwrap();
    says(&mut bench, talk(5, "1")).unwrap();

    assert_eq!(bench.exit(5), Some(Exit::Answered));
    let facts = bench.queue.facts();
    assert_eq!((facts.counters.total, facts.counters.answered), (1, 1));
    assert_eq!(facts.active[&call(5)].agent, "1");
    let waited = bench.events.iter().find_map(|event| match event {
        QueueEvent::Answered { wait_us, .. } => Some(*wait_us),
        _ => None,
    });
    assert_eq!(waited, Some(9_000_000));
    let told = bench.seen.iter().any(|effect| {
        matches!(effect, Effect::Tell { agent, message: ToAgent::Answered { .. } } if agent == "1")
    });
    assert!(told, "the agent's wrap-up hangs on it");
}

#[test]
fn that_a_caller_wants_in_who_talks_by_then_comes_too_late() {
    let mut bench = staffed();
    says(&mut bench, talk(5, "1")).unwrap();

    let (caller, caller_name) = ("05".to_owned(), String::new());
    let late = bench.step(Input::Join { call: call(5), stay: 1, caller, caller_name });

    assert_eq!(late, Err(Refused::StayIsOver));
    assert!(bench.queue.facts().active.contains_key(&call(5)));
}

#[test]
fn who_talks_and_is_thought_to_wait_waits_no_more() {
    let mut bench = staffed();
    bench.join(5);
    assert_eq!(bench.ring(5).1, "1");

    says(&mut bench, talk(5, "2")).unwrap();

    assert_eq!(bench.exit(5), Some(Exit::Answered));
    assert!(bench.queue.facts().rings.is_empty());
    assert_eq!(bench.queue.facts().tally("1").missed, 0, "it was rung by mistake");
    bench.join(6);
    assert_eq!(bench.ring(6).1, "1", "who rang is free again");
}

#[test]
fn who_waits_for_an_agent_and_talks_is_not_offered_to_the_next_one() {
    let mut bench = Bench::new(config(RingStrategy::Linear, &["1"]));
    bench.join(5);

    says(&mut bench, talk(5, "2")).unwrap();
    bench.stands("1", free(START));

    assert_eq!(bench.offers(), []);
}

#[test]
fn a_talk_that_is_over_by_then_counts_with_its_end() {
    let mut bench = staffed();
    let over = Some(Duration::from_secs(3));

    says(&mut bench, AgentTalk { over, ..talk(5, "1") }).unwrap();

    assert_eq!(bench.exit(5), Some(Exit::Answered));
    assert!(bench.queue.facts().active.is_empty());
    let ended = bench.events.iter().find_map(|event| match event {
        QueueEvent::Ended { by, talk_us, .. } => Some((*by, *talk_us)),
        _ => None,
    });
    assert_eq!(ended, Some((Party::System, 3_000_000)));
    let again = AgentTalk { over, ..talk(5, "1") };
    assert_eq!(says(&mut bench, again), Err(Refused::StayIsOver), "the word comes again");
    assert_eq!(bench.queue.facts().counters.total, 1);
}

#[test]
fn who_left_unanswered_does_not_count_again() {
    let mut bench = staffed();
    bench.join(5);
    bench.step(Input::Gone { call: call(5), reason: Exit::CallerHangup }).unwrap();

    assert_eq!(says(&mut bench, talk(5, "1")), Err(Refused::StayIsOver));

    assert_eq!(bench.exit(5), Some(Exit::CallerHangup));
}

/// A queue of two callers who wait, begun anew where nobody can be reached yet.
fn begun_anew() -> Bench {
    let mut before = Bench::new(config(RingStrategy::Linear, &["1"]));
    before.join(5);
    before.join(6);
    let mut facts = Facts::default();
    before.events.iter().for_each(|event| facts.evolve(event));
    let mut bench = Bench::unopened(before.queue.config().clone(), facts);
    let patience = Duration::from_secs(5);
    bench.step(Input::Opened { seed: 7, alive: BTreeSet::new(), patience }).unwrap();
    bench.stands("1", free(START));
    bench
}

#[test]
fn who_can_not_be_reached_is_offered_to_nobody_and_has_left_after_a_while() {
    let mut bench = begun_anew();

    assert_eq!(bench.offers(), []);
    bench.wait_secs(4);
    assert_eq!(bench.exit(5), None);
    bench.wait_secs(1);

    assert_eq!([bench.exit(5), bench.exit(6)], [Some(Exit::System); 2]);
}

#[test]
fn who_could_not_be_reached_and_talks_counts_as_answered() {
    let mut bench = begun_anew();

    says(&mut bench, talk(5, "1")).unwrap();
    bench.wait_secs(6);

    assert_eq!(bench.exit(5), Some(Exit::Answered));
    assert_eq!(bench.queue.facts().counters.total, 2);
}

#[test]
fn who_could_not_be_reached_and_asks_to_be_let_in_keeps_the_place() {
    let mut bench = begun_anew();

    bench.join(6);

    assert_eq!(bench.ring(6).1, "1");
    bench.wait_secs(6);
    assert_eq!([bench.exit(5), bench.exit(6)], [Some(Exit::System), None]);
}

#[test]
fn the_end_of_a_talk_that_counted_before_counts_nothing() {
    let mut bench = staffed();
    let over = Some(Duration::from_secs(3));

    let again = AgentTalk { is_counted: true, over, ..talk(5, "1") };

    assert_eq!(says(&mut bench, again), Err(Refused::StayIsOver));
    assert_eq!(bench.queue.facts().counters.total, 0);
}

#[test]
fn who_is_said_to_be_gone_is_looked_for_however_often_it_is_said() {
    let mut bench = begun_anew();
    for _ in 0..2 {
        bench.step(Input::Gone { call: call(5), reason: Exit::System }).unwrap();
    }

    assert_eq!(bench.exit(5), None);
    says(&mut bench, talk(5, "1")).unwrap();
    assert_eq!(bench.exit(5), Some(Exit::Answered));
}
