use tandem_config::resource::{Destination, RingStrategy};

use super::*;
use crate::agent::Bid;
use crate::queue::{Class, Counters};

fn linear(agents: &[&str]) -> Config {
    config(RingStrategy::Linear, agents)
}

#[test]
fn q_025_a_caller_leaves_at_the_maximum_wait_and_counts_as_missed() {
    let mut config = linear(&[]);
    config.max_wait_secs = 60;
    config.failover = Destination::Extension { number: "1001".into() };
    let failover = config.failover.clone();
    let mut bench = Bench::new(config);
    bench.join(1);
    bench.seen.clear();

    bench.wait(Duration::from_millis(59_999));
    assert_eq!(bench.notices(1), []);
    bench.wait(Duration::from_millis(1));

    let reason = Exit::MaxWait;
    assert_eq!(bench.notices(1), [QueueNotice::Leave { reason, failover }]);
    bench.wait_secs(1);
    assert_eq!(bench.exit(1), Some(Exit::MaxWait));
    assert_eq!(bench.queue.facts().counters.missed, 1);
}

#[test]
fn q_025_a_ring_is_cut_at_the_maximum_wait() {
    let mut config = linear(&["1"]);
    config.max_wait_secs = 10;
    let mut bench = Bench::staffed(config);
    bench.join(1);
    let ring_for = bench.notices(1).into_iter().find_map(|notice| match notice {
        QueueNotice::Offer { ring_for, .. } => Some(ring_for),
        _ => None,
    });
    assert_eq!(ring_for, Some(Duration::from_secs(10)), "Q-075");

    bench.wait_secs(10);

    let notices = bench.notices(1);
    assert!(matches!(notices[0], QueueNotice::Withdraw { elsewhere: false, .. }));
    assert!(matches!(notices[1], QueueNotice::Leave { reason: Exit::MaxWait, .. }));
    bench.wait_secs(1);
    assert_eq!(bench.exit(1), Some(Exit::MaxWait));
    assert_eq!(bench.queue.facts().tally("1").missed, 0, "Q-364: cut, not missed");
}

#[test]
fn q_025_an_answer_that_crosses_the_maximum_wait_counts_as_answered() {
    let mut config = linear(&["1"]);
    config.max_wait_secs = 10;
    let mut bench = Bench::staffed(config);
    bench.join(1);
    let (offer, _) = bench.ring(1);
    bench.wait_secs(10);

    bench.step(Input::OfferAnswered { call: call(1), offer }).unwrap();
    bench.wait_secs(5);

    assert_eq!(bench.exit(1), Some(Exit::Answered));
    assert_eq!(bench.queue.facts().active[&call(1)].agent, "1");
}

#[test]
fn q_132_a_hang_up_that_crosses_the_maximum_wait_counts_as_abandoned() {
    let mut config = linear(&[]);
    config.max_wait_secs = 10;
    let mut bench = Bench::new(config);
    bench.join(1);
    bench.wait_secs(10);

    bench.step(Input::Gone { call: call(1), reason: Exit::CallerHangup }).unwrap();
    bench.wait_secs(5);

    assert_eq!(bench.exit(1), Some(Exit::CallerHangup));
}

#[test]
fn q_120_callers_beyond_the_limit_go_to_the_failover_destination() {
    let mut config = linear(&[]);
    config.max_callers = 2;
    let mut bench = Bench::new(config);
    bench.join(1);
    bench.join(2);

    bench.join(3);

    let notices = bench.notices(3);
    assert!(matches!(notices[..], [QueueNotice::Refused { reason: Exit::MaxCallers, .. }]));
    assert_eq!(bench.queue.facts().counters.missed, 1, "Q-121");
    bench.step(Input::Gone { call: call(1), reason: Exit::CallerHangup }).unwrap();
    bench.join(4);
    assert_eq!(bench.exit(4), None);
}

#[test]
fn q_120_zero_means_no_limit() {
    let mut bench = Bench::new(linear(&[]));
    for number in 0..300 {
        bench.join(number);
    }
    assert_eq!(bench.queue.view().waiting.len(), 300);
}

#[test]
fn q_132_a_caller_who_hangs_up_while_an_agent_rings_is_abandoned() {
    let mut bench = Bench::staffed(linear(&["1"]));
    bench.join(1);
    bench.wait_secs(3);

    bench.step(Input::Gone { call: call(1), reason: Exit::CallerHangup }).unwrap();

    assert_eq!(bench.exit(1), Some(Exit::CallerHangup));
    assert_eq!(bench.queue.facts().tally("1").missed, 0, "Q-364");
    bench.join(2);
    assert_eq!(bench.ring(2).1, "1", "the agent is free again");
}

#[test]
fn q_131_total_is_answered_plus_missed_plus_abandoned() {
    let mut config = linear(&["1"]);
    config.max_wait_secs = 30;
    let mut bench = Bench::staffed(config);
    bench.join(1);
    bench.answer(1);
    bench.join(2);
    bench.join(3);
    bench.step(Input::Gone { call: call(2), reason: Exit::CallerHangup }).unwrap();
    bench.join(4);
    bench.step(Input::Gone { call: call(4), reason: Exit::KeyExit }).unwrap();
    bench.wait_secs(31);

    let counters = bench.queue.facts().counters;
    assert_eq!(counters, Counters { total: 4, answered: 1, missed: 2, abandoned: 1 });
}

#[test]
fn q_133_every_exit_has_a_code_and_a_class() {
    let codes: Vec<_> = Exit::ALL.iter().map(|exit| exit.as_str()).collect();
    assert_eq!(
        codes.join(" "),
        "answered caller_hangup max_wait max_callers join_empty leave_empty key_exit \
         manager_redirect manager_hangup callback_requested queue_removed system"
    );
    let missed = Exit::ALL.iter().filter(|exit| exit.class() == Class::Missed).count();
    assert_eq!(missed, 10);
}

#[test]
fn q_133_an_unanswered_caller_can_not_have_left_as_answered() {
    let mut bench = Bench::new(linear(&[]));
    bench.join(1);

    let gone = bench.step(Input::Gone { call: call(1), reason: Exit::Answered });

    assert_eq!(gone, Err(Refused::NotAnExit));
}

#[test]
fn q_028_an_edited_maximum_wait_holds_for_those_who_wait() {
    let mut bench = Bench::new(linear(&[]));
    bench.join(1);
    bench.wait_secs(20);
    let mut edited = linear(&[]);
    edited.max_wait_secs = 30;
    bench.step(Input::Configure(Box::new(edited))).unwrap();

    bench.wait_secs(9);
    assert_eq!(bench.exit(1), None);
    bench.wait_secs(2);
    assert_eq!(bench.exit(1), Some(Exit::MaxWait));
}

#[test]
fn q_028_a_removed_agent_goes_on_ringing_but_gets_no_further_call() {
    let mut bench = Bench::staffed(linear(&["1", "2"]));
    bench.join(1);
    assert_eq!(bench.ring(1).1, "1");

    bench.step(Input::Configure(Box::new(linear(&["2"])))).unwrap();

    assert_eq!(bench.end_ring(1, OfferEnd::TimedOut), "1");
    bench.wait_secs(5);
    assert_eq!(bench.ring(1).1, "2");
}

#[test]
fn q_022_a_queue_does_not_take_the_configuration_of_another_one() {
    let mut bench = Bench::new(linear(&[]));
    let mut other = linear(&[]);
    other.number = "6401".into();

    let refused = bench.step(Input::Configure(Box::new(other)));

    assert_eq!(refused, Err(Refused::WrongQueue));
}

#[test]
fn q_029_a_removed_queue_sends_its_callers_away_and_closes_when_all_have_left() {
    let mut bench = Bench::staffed(linear(&["1"]));
    bench.join(1);
    bench.join(2);
    bench.answer(1);

    bench.step(Input::Remove).unwrap();
    bench.wait_secs(1);

    assert_eq!(bench.exit(2), Some(Exit::QueueRemoved));
    assert!(!bench.seen.contains(&Effect::Closed), "a call is going on");
    bench.join(3);
    assert_eq!(bench.exit(3), Some(Exit::QueueRemoved));
    bench.hang_up(1, "1");
    assert!(bench.seen.contains(&Effect::Closed));
}

#[test]
fn q_171_the_weight_and_the_wait_of_the_caller_are_bid() {
    let mut config = linear(&["1"]);
    config.weight = 7;
    let mut bench = Bench::staffed(config);

    bench.join(1);

    let bids: Vec<_> = bench
        .seen
        .iter()
        .filter_map(|effect| match effect {
            Effect::Tell { message: ToAgent::Reserve { bid, .. }, .. } => Some(*bid),
            _ => None,
        })
        .collect();
    assert_eq!(bids, [Bid { weight: 7, waiting_since: START }]);
}

#[test]
fn the_view_shows_positions_rings_and_talks() {
    let mut bench = Bench::staffed(linear(&["1"]));
    bench.join(1);
    bench.join(2);
    bench.join(3);
    bench.answer(1);
    bench.stands("1", free(START));

    let view = bench.queue.view();

    let waiting: Vec<_> = view.waiting.iter().map(|it| (it.call, it.position)).collect();
    assert_eq!(waiting, [(call(2), 1), (call(3), 2)]);
    assert_eq!(view.waiting[0].ringing, ["1"]);
    let active: Vec<_> = view.active.iter().map(|it| (it.call, it.agent.as_str())).collect();
    assert_eq!(active, [(call(1), "1")]);
    assert_eq!(view.active[0].since, START);
}

#[test]
fn a_call_joins_only_once() {
    let mut bench = Bench::new(linear(&[]));
    bench.join(1);
    bench.join(2);
    bench.seen.clear();

    bench.join(2);

    assert_eq!(bench.notices(2), [QueueNotice::Joined { position: 2 }], "it asked again");
    assert_eq!(bench.queue.view().waiting.len(), 2);
}

#[test]
fn a_call_that_asks_again_after_its_stay_is_over_is_not_taken_in() {
    let mut bench = Bench::new(linear(&[]));
    bench.join(1);
    bench.step(Input::Gone { call: call(1), reason: Exit::CallerHangup }).unwrap();

    let (caller, caller_name) = (String::new(), String::new());
    let again = |stay| Input::Join {
        call: call(1),
        stay,
        caller: caller.clone(),
        caller_name: caller_name.clone(),
    };

    assert_eq!(bench.step(again(1)), Err(Refused::StayIsOver));
    assert_eq!(bench.queue.facts().counters.total, 1);
    bench.step(again(2)).unwrap();
    assert_eq!(bench.queue.view().waiting.len(), 1, "another stay of the same call");
}

#[test]
fn q_131_a_caller_who_is_told_to_leave_is_counted_when_the_call_says_that_it_left() {
    let mut config = linear(&[]);
    config.max_wait_secs = 60;
    let mut bench = Bench::new(config);
    bench.join(1);
    bench.wait_secs(60);
    assert_eq!(bench.exit(1), None, "an answer may be on its way");

    bench.wait(Duration::from_millis(2));
    bench.step(Input::Gone { call: call(1), reason: Exit::MaxWait }).unwrap();

    assert_eq!(bench.queue.facts().counters.missed, 1);
    let waited = bench.events.iter().find_map(|event| match event {
        QueueEvent::Exited { wait_us, .. } => Some(*wait_us),
        _ => None,
    });
    assert_eq!(waited, Some(60_000_000), "Q-304: until it was told to leave");
}

#[test]
fn q_126_q_127_a_key_leads_to_its_own_destination_and_counts_as_missed() {
    let mut config = config(RingStrategy::Linear, &["1"]);
    let to = |number: &str| Destination::Extension { number: number.into() };
    config.failover = to("9");
    config.key_events = [("1".to_owned(), to("2001")), ("#".to_owned(), to("2002"))].into();
    let mut bench = Bench::staffed(config);
    bench.join(1);
    bench.join(2);
    bench.notices(1);

    bench.step(Input::Digit { call: call(2), digit: '5' }).unwrap();
    bench.step(Input::Digit { call: call(1), digit: '#' }).unwrap();

    let (offer, _) = bench.ring(2);
    assert!(offer.0 > 0, "the agent who was let go rings for the next caller");
    let failover = to("2002");
    let leave = QueueNotice::Leave { reason: Exit::KeyExit, failover };
    assert_eq!(bench.notices(1).last(), Some(&leave));
    bench.step(Input::Gone { call: call(1), reason: Exit::KeyExit }).unwrap();
    assert_eq!(bench.exit(1), Some(Exit::KeyExit));
    let counters = bench.queue.facts().counters;
    assert_eq!((counters.total, counters.missed, counters.abandoned), (1, 1, 0));
    let again = Input::Digit { call: call(1), digit: '#' };
    assert_eq!(bench.step(again), Err(Refused::UnknownCaller));
}

#[test]
fn q_111_a_key_that_crosses_an_answer_leads_nowhere() {
    let mut config = config(RingStrategy::Linear, &["1"]);
    config.key_events = [("1".to_owned(), Destination::EndCall)].into();
    let mut bench = Bench::staffed(config);
    bench.join(1);
    let (offer, _) = bench.ring(1);
    bench.step(Input::Digit { call: call(1), digit: '1' }).unwrap();

    bench.step(Input::OfferAnswered { call: call(1), offer }).unwrap();

    assert_eq!(bench.exit(1), Some(Exit::Answered), "the call was with the agent already");
    let late = Input::Digit { call: call(1), digit: '1' };
    assert_eq!(bench.step(late), Err(Refused::UnknownCaller));
}

#[test]
fn q_101_agents_ring_when_the_caller_has_heard_the_join_announcement() {
    let mut config = linear(&["1"]);
    (config.prompts.join, config.prompts.ring_after_join) = ("welcome".into(), true);
    let mut bench = Bench::staffed(config);
    bench.join(1);
    bench.wait_secs(9);
    assert_eq!(bench.offers(), [], "nobody rings yet");

    bench.step(Input::Greeted { call: call(1) }).unwrap();
    bench.answer(1);

    let waited = bench.events.iter().find_map(|event| match event {
        QueueEvent::Answered { wait_us, .. } => Some(*wait_us),
        _ => None,
    });
    assert_eq!(waited, Some(9_000_000), "the wait counts from the entry");
}

#[test]
fn q_101_a_call_that_never_tells_the_end_of_its_announcement_rings_all_the_same() {
    let mut config = linear(&["1"]);
    (config.prompts.join, config.prompts.ring_after_join) = ("welcome".into(), true);
    let mut bench = Bench::staffed(config);
    bench.join(1);

    bench.wait(super::super::GREETING_WITHIN);

    assert_eq!(bench.offers().len(), 1);
}

#[test]
fn q_101_without_the_switch_or_without_a_prompt_agents_ring_at_once() {
    for (join, after) in [("welcome", false), ("", true)] {
        let mut config = linear(&["1"]);
        (config.prompts.join, config.prompts.ring_after_join) = (join.into(), after);
        let mut bench = Bench::staffed(config);

        bench.join(1);

        assert_eq!(bench.offers().len(), 1, "{join} {after}");
    }
}

/// What a caller is told of their place.
fn place(bench: &mut Bench, number: u128) -> (u32, Option<Duration>) {
    bench.seen.clear();
    bench.step(Input::Place { call: call(number) }).unwrap();
    let told = bench.notices(number);
    let [QueueNotice::Place { ahead, wait }] = told[..] else { panic!("{told:?}") };
    (ahead, wait)
}

#[test]
fn q_106_a_caller_is_told_how_many_wait_ahead_and_who_left_counts_no_more() {
    let mut bench = Bench::new(linear(&[]));
    for number in 1..=4 {
        bench.join(number);
    }
    assert_eq!((1..=4).map(|it| place(&mut bench, it).0).collect::<Vec<_>>(), [0, 1, 2, 3]);

    bench.step(Input::Gone { call: call(2), reason: Exit::CallerHangup }).unwrap();

    assert_eq!(place(&mut bench, 1).0, 0, "nobody is ahead of the first");
    assert_eq!(place(&mut bench, 4).0, 2);
    let gone = bench.step(Input::Place { call: call(2) });
    assert_eq!(gone, Err(Refused::UnknownCaller));
}

#[test]
fn q_107_the_wait_grows_with_the_callers_ahead_and_shrinks_with_the_agents() {
    let mut bench = Bench::staffed(linear(&["1"]));
    for number in 1..=9 {
        bench.join(number);
    }
    assert_eq!(place(&mut bench, 9).1, None, "nobody was answered yet");
    for number in 1..=4 {
        bench.wait_secs(5);
        let agent = bench.answer(number);
        bench.wait_secs(40);
        bench.hang_up(number, &agent);
    }

    // An agent's round is 45 s; four wait ahead of the last.
    assert_eq!(place(&mut bench, 9), (4, Some(Duration::from_secs(225))));
    assert_eq!(place(&mut bench, 5).1, Some(Duration::from_secs(45)));
    let mut paused = bench.standings["1"].clone();
    paused.paused = Some(None);
    paused.ready = false;
    bench.stands("1", paused);
    assert_eq!(place(&mut bench, 9).1, None, "nobody works");
}
