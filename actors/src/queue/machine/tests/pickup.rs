//! A call that rings is picked up: who rings then, what counts, and what becomes of it.

use super::*;
use crate::queue::RingEnd;

const OPERATOR: &str = "9";

/// Call 1 rings at agent 1 of two.
fn ringing(strategy: RingStrategy) -> Bench {
    let mut bench = Bench::staffed(config(strategy, &["1", "2"]));
    bench.join(1);
    bench.seen.clear();
    bench
}

fn pick_up(bench: &mut Bench, by: &str) -> Result<(), Refused> {
    bench.step(Input::PickUp { call: call(1), by: by.into() })
}

/// How the rings of an agent ended.
fn ends(bench: &Bench, of: &str) -> Vec<RingEnd> {
    let ends = bench.events.iter().filter_map(|event| match event {
        QueueEvent::RingEnded { agent, why, .. } if agent == of => Some(*why),
        _ => None,
    });
    ends.collect()
}

#[test]
fn q_482_a_ringing_call_rings_at_who_picks_it_up_and_nobody_has_missed_it() {
    for strategy in [RingStrategy::Linear, RingStrategy::RingAll] {
        let mut bench = ringing(strategy);
        let rang = bench.queue.ringing_for(call(1));

        pick_up(&mut bench, OPERATOR).unwrap();

        assert_eq!(bench.queue.ringing_for(call(1)), [OPERATOR]);
        let notices = bench.notices(1);
        let taken = |it: &&QueueNotice| matches!(it, QueueNotice::Withdraw { elsewhere: true, .. });
        assert_eq!(notices.iter().filter(taken).count(), rang.len(), "{notices:?}");
        assert!(
            matches!(notices.last(), Some(QueueNotice::Offer { agent, .. }) if agent == OPERATOR),
            "{notices:?}"
        );
        for agent in rang {
            assert_eq!(ends(&bench, &agent), [RingEnd::Cut], "no miss of {agent}");
        }
        // No agent joins what somebody has picked up.
        bench.wait_secs(2);
        assert_eq!(bench.queue.ringing_for(call(1)), [OPERATOR]);

        assert_eq!(bench.answer(1), OPERATOR);

        assert_eq!(bench.exit(1), Some(Exit::Answered));
        let status = bench.queue.view();
        assert_eq!((status.answered, status.total, status.missed), (1, 1, 0));
        assert_eq!(status.active[0].agent, OPERATOR);
        assert_eq!(bench.queue.facts().tally(OPERATOR).answered, 1);
        assert!(bench.queue.leases().is_empty(), "nothing is left to pass by itself");
        let (by, talk) = (crate::queue::Party::Agent, Duration::from_secs(5));
        let over = Input::CallEnded { call: call(1), agent: OPERATOR.into(), by, talk };
        bench.step(over).unwrap();
        assert!(bench.queue.facts().active.is_empty());
    }
}

#[test]
fn q_482_nobody_answers_who_picked_up_the_call_is_back_at_its_place_and_rings_on() {
    for why in [OfferEnd::TimedOut, OfferEnd::Rejected, OfferEnd::Busy, OfferEnd::Unreachable] {
        let mut bench = ringing(RingStrategy::Linear);
        bench.join(2);
        pick_up(&mut bench, OPERATOR).unwrap();

        bench.end_ring(1, why);

        assert_eq!(ends(&bench, OPERATOR), [RingEnd::Cut], "no miss of who picked up");
        assert_eq!(bench.queue.facts().tally(OPERATOR).missed, 0);
        let line: Vec<_> = bench.queue.view().waiting.iter().map(|it| it.call).collect();
        assert_eq!(line, [1, 2].map(call), "the place is kept");
        // At whom it rang before: that was no turn of theirs.
        assert_eq!(bench.queue.ringing_for(call(1)), ["1"]);
        bench.answer(1);
        assert_eq!(bench.exit(1), Some(Exit::Answered));
    }
}

#[test]
fn q_482_an_answer_that_crosses_the_pick_up_counts_and_is_the_only_one() {
    let mut bench = ringing(RingStrategy::Linear);
    let (offer, agent) = bench.ring(1);
    pick_up(&mut bench, OPERATOR).unwrap();
    let (second, _) = bench.ring(1);
    bench.seen.clear();

    bench.step(Input::OfferAnswered { call: call(1), offer }).unwrap();

    assert_eq!(bench.queue.view().active[0].agent, agent);
    assert_eq!(ends(&bench, OPERATOR), [RingEnd::Cut]);
    let withdrawn = QueueNotice::Withdraw { offer: second, elsewhere: true };
    assert_eq!(bench.notices(1), [withdrawn]);
    let late = bench.step(Input::OfferAnswered { call: call(1), offer: second });
    assert!(late.is_err(), "the operator's answer came too late");
    assert_eq!(bench.queue.view().answered, 1);
}

#[test]
fn q_482_only_what_rings_is_picked_up_and_not_by_who_has_it_ringing() {
    let mut bench = Bench::new(config(RingStrategy::Linear, &["1"]));
    assert_eq!(pick_up(&mut bench, OPERATOR), Err(Refused::UnknownCaller));
    bench.join(1);
    assert_eq!(pick_up(&mut bench, OPERATOR), Err(Refused::NotRinging), "it waits");
    bench.stands("1", free(START));

    assert_eq!(pick_up(&mut bench, "1"), Err(Refused::RingsThere));
    pick_up(&mut bench, OPERATOR).unwrap();
    assert_eq!(pick_up(&mut bench, OPERATOR), Err(Refused::RingsThere));
    // Somebody else may take it from the operator.
    pick_up(&mut bench, "8").unwrap();
    assert_eq!(bench.queue.ringing_for(call(1)), ["8"]);
    bench.answer(1);
    assert_eq!(pick_up(&mut bench, OPERATOR), Err(Refused::UnknownCaller), "it was answered");
}

#[test]
fn q_085_q_087_a_pick_up_is_no_miss_in_a_row_and_an_answer_by_it_ends_the_row() {
    let mut config = config(RingStrategy::Linear, &["1", "2"]);
    config.agent.auto_pause.enabled = true;
    config.agent.auto_pause.missed_calls = 1;
    let mut bench = Bench::staffed(config);
    bench.join(1);

    // Agent 2 picks up from agent 1, does not answer, and picks up once more.
    pick_up(&mut bench, "2").unwrap();
    bench.end_ring(1, OfferEnd::TimedOut);
    pick_up(&mut bench, "2").unwrap();
    assert_eq!(bench.answer(1), "2");

    let is_miss = |it: &Effect| matches!(it, Effect::Tell { message: ToAgent::Missed { .. }, .. });
    assert!(!bench.seen.iter().any(is_miss));
    let is_seized = |it: &Effect| matches!(it, Effect::Tell { agent, message: ToAgent::Seize { .. } } if agent == "2");
    assert!(bench.seen.iter().any(is_seized), "no other queue rings the operator meanwhile");
}

#[test]
fn q_482_what_was_picked_up_ends_with_the_maximum_wait_the_hang_up_and_a_restart() {
    let mut limited = config(RingStrategy::Linear, &["1"]);
    limited.max_wait_secs = 10;
    let mut bench = Bench::staffed(limited);
    bench.join(1);
    bench.wait_secs(8);
    pick_up(&mut bench, OPERATOR).unwrap();
    let notices = bench.notices(1);
    let ring_for = notices.iter().find_map(|it| match it {
        QueueNotice::Offer { agent, ring_for, .. } if agent == OPERATOR => Some(*ring_for),
        _ => None,
    });
    assert_eq!(ring_for, Some(Duration::from_secs(2)));
    bench.wait_secs(4);
    assert_eq!(bench.exit(1), Some(Exit::MaxWait));

    let mut bench = ringing(RingStrategy::Linear);
    pick_up(&mut bench, OPERATOR).unwrap();
    bench.step(Input::Gone { call: call(1), reason: Exit::CallerHangup }).unwrap();
    assert_eq!(bench.exit(1), Some(Exit::CallerHangup));
    assert_eq!(ends(&bench, OPERATOR), [RingEnd::Cut]);

    let mut bench = ringing(RingStrategy::Linear);
    pick_up(&mut bench, OPERATOR).unwrap();
    let (offer, _) = bench.ring(1);
    let facts = bench.queue.facts().clone();
    let mut again = Bench::with(bench.queue.config().clone(), facts, &[call(1)]);
    let withdrawn = QueueNotice::Withdraw { offer, elsewhere: false };
    assert!(again.notices(1).contains(&withdrawn));
    assert!(again.queue.facts().rings.is_empty());
    assert_eq!(again.queue.view().waiting.len(), 1, "the place is kept");
}

#[test]
fn a_pick_up_of_which_the_call_says_nothing_ends_by_itself() {
    let mut bench = ringing(RingStrategy::Linear);
    pick_up(&mut bench, OPERATOR).unwrap();
    let states: Vec<_> = bench.queue.leases().into_iter().map(|it| it.subject).collect();
    assert_eq!(states.len(), 1, "{states:?}");

    bench.granting = false;
    bench.wait_secs(18);

    assert_eq!(bench.queue.ringing_for(call(1)), Vec::<String>::new());
    assert_eq!(bench.exit(1), None);
}
