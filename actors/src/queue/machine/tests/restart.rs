use tandem_config::resource::RingStrategy;

use super::*;
use crate::entity;
use crate::queue::request::CallbackFailure;
use crate::queue::{Active, Party, RingEnd, Turn};

fn fold(events: &[QueueEvent]) -> Facts {
    let mut facts = Facts::default();
    for event in events {
        facts.evolve(event);
    }
    facts
}

/// A morning in a queue.
fn busy() -> Bench {
    let mut bench = Bench::staffed(config(RingStrategy::Rrmemory, &["1", "2", "3"]));
    for number in 1..=5 {
        bench.join(number);
    }
    bench.answer(1);
    bench.end_ring(2, OfferEnd::Rejected);
    bench.step(Input::Gone { call: call(4), reason: Exit::CallerHangup }).unwrap();
    bench.wait_secs(5);
    bench.hang_up(1, "1");
    bench.join(6);
    bench
}

#[test]
fn a_restart_at_any_event_restores_the_state_of_that_moment() {
    let bench = busy();
    let mut facts = Facts::default();
    for (count, event) in bench.events.iter().enumerate() {
        facts.evolve(event);

        assert_eq!(fold(&bench.events[..=count]), facts);
        let bytes = tandem_wire::encode_versioned(&facts);
        let read: Facts = tandem_wire::decode_versioned(&bytes, 1 << 20).unwrap();
        assert_eq!(read, facts, "a snapshot after {event:?}");
    }
    assert_eq!(facts, *bench.queue.facts(), "the machine's state is the fold of its events");
}

#[test]
fn a_restart_keeps_the_line_the_pointer_and_the_figures() {
    let before = busy();
    let facts = fold(&before.events);
    let alive = [2, 3, 5, 6].map(call);

    let mut bench = Bench::with(before.queue.config().clone(), facts.clone(), &alive);

    let line: Vec<_> = bench.queue.view().waiting.iter().map(|it| it.call).collect();
    assert_eq!(line, alive);
    assert_eq!(bench.queue.facts().pointer, facts.pointer);
    assert_eq!(bench.queue.facts().counters, facts.counters);
    let withdrawn = bench.seen.iter().filter_map(|effect| match effect {
        Effect::Notify { notice: QueueNotice::Withdraw { offer, .. }, .. } => Some(*offer),
        _ => None,
    });
    let (every, known): (Vec<_>, Vec<_>) = withdrawn.partition(|it| *it == OfferId::EVERY);
    assert_eq!(known.len(), facts.rings.len(), "rings begin again");
    assert_eq!(every.len(), alive.len(), "also those that the journal does not know");
    bench.granting = false;
    bench.stands("1", free(START));
    bench.stands("2", free(START));
    let asked = bench.seen.iter().filter_map(|effect| match effect {
        Effect::Tell { message: ToAgent::Reserve { call, offer, .. }, .. } => {
            assert!(offer.0 >> 32 == 2, "names of offers never come back");
            Some(*call)
        }
        _ => None,
    });
    assert_eq!(asked.collect::<Vec<_>>(), [call(2), call(3)]);
}

#[test]
fn a_queue_that_begins_again_asks_its_callers_whether_they_wait() {
    let before = busy();
    let alive = [2, 3, 5, 6].map(call);
    let mut bench = Bench::with(before.queue.config().clone(), fold(&before.events), &alive);

    assert!(
        bench.seen.contains(&Effect::Notify {
            call: call(5),
            notice: QueueNotice::Joined { position: 3 },
        })
    );
    // Its hang-up was lost with the actor of before.
    bench.step(Input::Gone { call: call(5), reason: Exit::CallerHangup }).unwrap();

    assert_eq!(bench.exit(5), Some(Exit::CallerHangup));
}

#[test]
fn who_joins_a_queue_that_began_again_rings_by_nothing_of_before() {
    let config = config(RingStrategy::Linear, &["1"]);
    let facts = fold(&Bench::new(config.clone()).events);
    let mut bench = Bench::with(config, facts, &[]);

    bench.join(1);

    let silenced = QueueNotice::Withdraw { offer: OfferId::EVERY, elsewhere: false };
    assert_eq!(bench.notices(1), [silenced, QueueNotice::Joined { position: 1 }]);
}

#[test]
fn callers_who_can_not_be_reached_after_a_restart_have_left() {
    let before = busy();

    let bench = Bench::with(before.queue.config().clone(), fold(&before.events), &[call(3)]);

    assert_eq!(bench.exit(2), Some(Exit::System));
    assert_eq!(bench.exit(3), None);
    assert!(bench.queue.facts().active.is_empty());
}

#[test]
fn the_maximum_wait_counts_from_the_entry_over_a_restart() {
    let mut config = config(RingStrategy::Linear, &[]);
    config.max_wait_secs = 60;
    let mut before = Bench::new(config.clone());
    before.join(1);

    let mut bench = Bench::with(config, fold(&before.events), &[call(1)]);
    bench.wait_secs(59);
    assert_eq!(bench.exit(1), None);
    bench.wait_secs(2);

    assert_eq!(bench.exit(1), Some(Exit::MaxWait));
}

#[test]
fn a_talk_that_the_agent_does_not_know_of_after_a_restart_is_over() {
    let mut before = Bench::staffed(config(RingStrategy::Linear, &["1"]));
    before.join(1);
    before.answer(1);
    let facts = fold(&before.events);
    assert_eq!(facts.active[&call(1)], Active { agent: "1".into(), since: START });
    let mut bench = Bench::with(before.queue.config().clone(), facts, &[call(1)]);
    assert_eq!(bench.queue.facts().active.len(), 1);

    bench.stands("1", free(START));
    assert_eq!(bench.queue.facts().active.len(), 1, "word may be on its way");
    bench.wait_secs(2);

    assert!(bench.queue.facts().active.is_empty());
}

#[test]
fn a_fresh_agent_is_told_of_the_talks_that_go_on_and_loses_the_rings() {
    let mut bench = Bench::staffed(config(RingStrategy::Linear, &["1"]));
    bench.join(1);
    bench.answer(1);
    bench.seen.clear();

    let message = FromAgent::Standing { standing: free(START), round: None, fresh: true };
    bench.granting = false;
    bench.step(Input::Agent { agent: "1".into(), message }).unwrap();

    assert!(bench.seen.iter().any(|effect| matches!(
        effect,
        Effect::Tell { message: ToAgent::Answered { call: of, .. }, .. } if *of == call(1)
    )));
}

#[test]
fn an_agent_who_was_moved_rings_no_more_and_is_asked_how_they_stand() {
    let mut bench = Bench::staffed(config(RingStrategy::Linear, &["1", "2"]));
    bench.join(1);
    bench.join(2);
    assert_eq!(bench.answer(1), "1");
    let (offer, _) = bench.ring(2);
    bench.granting = false;
    bench.standings.remove("2");
    bench.seen.clear();

    bench.step(Input::AgentMoved { agent: "2".into() }).unwrap();
    bench.step(Input::AgentMoved { agent: "1".into() }).unwrap();

    let withdrawn = QueueNotice::Withdraw { offer, elsewhere: false };
    assert!(bench.seen.contains(&Effect::Notify { call: call(2), notice: withdrawn }));
    let hello = |agent: &str| Effect::Tell { agent: agent.into(), message: ToAgent::Hello };
    assert!(bench.seen.contains(&hello("1")) && bench.seen.contains(&hello("2")));
    let is_asked = |bench: &Bench| {
        let asks =
            |it: &Effect| matches!(it, Effect::Tell { message: ToAgent::Reserve { .. }, .. });
        bench.seen.iter().any(asks)
    };
    bench.wait_secs(5);
    assert!(!is_asked(&bench), "what is said to them may be lost");
    bench.stands("2", free(bench.now));
    assert!(is_asked(&bench));
}

#[test]
fn an_agent_who_was_moved_is_told_of_their_talk() {
    let mut bench = Bench::staffed(config(RingStrategy::Linear, &["1"]));
    bench.join(1);
    bench.answer(1);
    bench.seen.clear();

    bench.step(Input::AgentMoved { agent: "1".into() }).unwrap();
    // That they were new was heard when they were answered elsewhere.
    bench.stands("1", free(bench.now));
    bench.wait_secs(5);

    assert!(bench.seen.iter().any(|effect| matches!(
        effect,
        Effect::Tell { message: ToAgent::Answered { call: of, .. }, .. } if *of == call(1)
    )));
    assert!(bench.queue.facts().active.contains_key(&call(1)), "the talk goes on");
}

#[test]
fn the_bytes_of_events_stay_readable() {
    let at = Timestamp::from_micros(1_000_001);
    let (call, offer, agent) = (call(0x0102), OfferId(7), "1001".to_owned());
    let events = [
        QueueEvent::Opened { at },
        QueueEvent::Joined { at, call, caller: "0912".into(), caller_name: "Ann".into() },
        QueueEvent::Refused { at, call, reason: Exit::MaxCallers },
        QueueEvent::Ringing { at, call, offer, agent: agent.clone(), turn: Turn::Static },
        QueueEvent::Ringing {
            at,
            call,
            offer,
            agent: agent.clone(),
            turn: Turn::Dynamic { since: at },
        },
        QueueEvent::RingEnded { at, call, offer, agent: agent.clone(), why: RingEnd::Lost },
        QueueEvent::RingEnded {
            at,
            call,
            offer,
            agent: agent.clone(),
            why: RingEnd::Ended(OfferEnd::TimedOut),
        },
        QueueEvent::Answered { at, call, offer, agent: agent.clone(), wait_us: 9 },
        QueueEvent::Ended { at, call, agent: agent.clone(), by: Party::System, talk_us: 10 },
        QueueEvent::Exited { at, call, reason: Exit::System, wait_us: 11 },
        QueueEvent::CallbackRegistered { at, call, number: "5550199".into() },
        QueueEvent::CallbackStarted { at, call, offer, agent: agent.clone(), callback: call },
        QueueEvent::CallbackSucceeded { at, call, callback: call, agent, wait_us: 12 },
        QueueEvent::CallbackFailed { at, call, reason: CallbackFailure::NoIdleAgent, wait_us: 13 },
        QueueEvent::CallbackMerged { at, call, by: call },
        QueueEvent::CallbackResumed { at, call },
        QueueEvent::LevelEvaluated {
            at,
            in_time: 5,
            total: 13,
            within_secs: 60,
            threshold_percent: 80,
            interval_mins: 30,
        },
        QueueEvent::PickedUp { at, call, offer, by: "1009".into() },
    ];
    let golden = include_str!("events.hex");
    let lines: Vec<String> = events
        .iter()
        .map(|event| {
            let bytes = entity::encode(event);
            let read: QueueEvent = entity::decode(&bytes).unwrap();
            assert_eq!(read, *event);
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{} {hex}", event.name())
        })
        .collect();
    assert_eq!(lines, golden.lines().collect::<Vec<_>>(), "{}", lines.join("\n"));
}

#[test]
fn a_caller_who_begins_anew_talks_no_more() {
    let config = config(RingStrategy::Linear, &["1"]);
    let mut before = Bench::staffed(config.clone());
    before.join(1);
    before.answer(1);
    assert!(before.queue.facts().active.contains_key(&call(1)));

    // That they were answered is lost with the call's member, and so is the way to the queue.
    let mut again = Bench::with(config, fold(&before.events), &[call(1)]);
    again.join(1);

    assert!(again.queue.facts().active.is_empty());
    assert_eq!(again.queue.facts().waiting.len(), 1);
    assert!(!again.seen.contains(&Effect::Forget(call(1))), "the way to them is needed");
}

#[test]
fn a_caller_whose_call_goes_on_elsewhere_is_told_what_rings_no_more() {
    let mut bench = Bench::staffed(config(RingStrategy::Linear, &["1"]));
    bench.join(1);
    let (offer, _) = bench.ring(1);
    bench.seen.clear();

    bench.step(Input::Moved { call: call(1) }).unwrap();

    let withdrawn = QueueNotice::Withdraw { offer, elsewhere: false };
    assert_eq!(bench.notices(1), [withdrawn], "the offer may come there behind the move");
    assert!(bench.queue.facts().rings.is_empty());
    // That it was answered may be on its way as well.
    bench.step(Input::OfferAnswered { call: call(1), offer }).unwrap();
    assert_eq!(bench.exit(1), Some(Exit::Answered));
}
