use super::*;

fn granted(told: &[(String, FromAgent)]) -> Vec<(&str, u64)> {
    let granted = told.iter().filter_map(|(queue, message)| match message {
        FromAgent::Granted { offer } => Some((queue.as_str(), offer.0)),
        _ => None,
    });
    granted.collect()
}

fn denied(told: &[(String, FromAgent)]) -> Vec<(&str, u64, Denial)> {
    let denied = told.iter().filter_map(|(queue, message)| match message {
        FromAgent::Denied { offer, why } => Some((queue.as_str(), offer.0, *why)),
        _ => None,
    });
    denied.collect()
}

#[test]
fn q_170_the_heavier_queue_gets_an_agent_who_becomes_free() {
    let mut bench = Bench::new(&[("6400", STATIC), ("6401", STATIC)]);
    bench.seen.clear();

    bench.reserve("6400", 1, 1, 100);
    assert_eq!(granted(&bench.told()), [], "the other queue has not bid yet");
    bench.reserve("6401", 2, 2, 200);

    let told = bench.told();
    assert_eq!(granted(&told), [("6401", 2)]);
    assert_eq!(denied(&told), [("6400", 1, Denial::Outbid)]);
}

#[test]
fn q_176_equal_weights_go_to_the_longest_wait_and_then_to_the_lower_number() {
    for (first, second, winner) in [(100, 90, "6401"), (90, 100, "6400"), (90, 90, "6400")] {
        let mut bench = Bench::new(&[("6400", STATIC), ("6401", STATIC)]);
        bench.seen.clear();
        bench.reserve("6401", 2, 5, second);
        bench.reserve("6400", 1, 5, first);

        assert_eq!(granted(&bench.told())[0].0, winner, "{first} {second}");
    }
}

#[test]
fn q_176_a_number_with_fewer_digits_is_lower() {
    let bid = Bid { weight: 0, waiting_since: START };

    assert!(bid.beats("990", bid, "6400"));
    assert!(!bid.beats("6400", bid, "990"));
}

#[test]
fn q_178_a_queue_without_callers_holds_up_nobody() {
    let mut bench = Bench::new(&[("6400", STATIC), ("6401", STATIC)]);
    let rounds = bench.standings();
    let round = rounds["6401"].1.unwrap();

    bench.reserve("6400", 1, 1, 100);
    bench.hear("6401", ToAgent::Pass { round });

    assert_eq!(granted(&bench.told()), [("6400", 1)]);
}

#[test]
fn a_queue_that_does_not_answer_is_waited_for_shortly() {
    let mut bench = Bench::new(&[("6400", STATIC), ("6401", STATIC)]);
    bench.seen.clear();
    bench.reserve("6400", 1, 1, 100);

    bench.wait(Duration::from_millis(300));

    assert_eq!(granted(&bench.told()), [("6400", 1)]);
}

#[test]
fn a_pass_of_an_earlier_round_does_not_end_the_later_one() {
    let mut bench = Bench::new(&[("6400", STATIC)]);
    let early = bench.standings()["6400"].1.unwrap();
    bench.step(Input::Registered(false)).unwrap();
    bench.step(Input::Registered(true)).unwrap();
    bench.seen.clear();

    bench.hear("6400", ToAgent::Pass { round: early });
    bench.reserve("6400", 1, 0, 0);

    assert_eq!(granted(&bench.told()), [("6400", 1)], "settled by the bid, not by the pass");
}

#[test]
fn q_060_an_agent_holds_one_reservation_at_a_time() {
    let mut bench = Bench::idle(&["6400", "6401"]);
    bench.reserve("6400", 1, 0, 0);
    assert_eq!(granted(&bench.told()), [("6400", 1)]);

    bench.reserve("6401", 2, 99, 0);

    assert_eq!(denied(&bench.told()), [("6401", 2, Denial::Reserved)]);
}

#[test]
fn a_released_agent_asks_all_queues_again() {
    let mut bench = Bench::idle(&["6400", "6401"]);
    bench.reserve("6400", 1, 0, 0);
    bench.seen.clear();

    bench.hear("6400", ToAgent::Release { offer: OfferId(1) });

    let standings = bench.standings();
    assert!(standings.values().all(|(standing, round)| standing.ready && round.is_some()));
    assert_eq!(standings.len(), 2);
}

#[test]
fn a_bid_that_is_taken_back_makes_the_agent_report_again() {
    let mut bench = Bench::new(&[("6400", STATIC), ("6401", STATIC)]);
    bench.reserve("6400", 1, 0, 0);
    bench.seen.clear();

    bench.hear("6400", ToAgent::Release { offer: OfferId(1) });

    let standings = bench.standings();
    assert!(standings["6400"].0.ready && standings["6400"].1.is_some());
}

#[test]
fn a_release_of_another_offer_touches_nothing() {
    let mut bench = Bench::idle(&["6400", "6401"]);
    bench.reserve("6400", 1, 0, 0);
    bench.seen.clear();

    bench.hear("6401", ToAgent::Release { offer: OfferId(1) });
    bench.hear("6400", ToAgent::Release { offer: OfferId(2) });

    assert_eq!(bench.seen, []);
    assert_eq!(bench.agent.held().unwrap().offer, OfferId(1));
}

#[test]
fn a_reservation_runs_out() {
    let mut bench = Bench::idle(&["6400"]);
    bench.reserve("6400", 1, 0, 0);
    bench.seen.clear();

    bench.wait_secs(30);

    assert!(bench.told().contains(&("6400".into(), FromAgent::Revoked { offer: OfferId(1) })));
    assert!(bench.agent.is_ready("6400"));
}

#[test]
fn late_timers_touch_nothing() {
    let mut bench = Bench::idle(&["6400"]);
    bench.talk("6400", 1);
    bench.wait_secs(60);
    bench.finish("6400", 1, 10);
    bench.wait_secs(60);
    bench.pass_all();
    let view = bench.agent.view();

    for timer in 0..50 {
        bench.step(Input::Timer(TimerId(timer))).unwrap();
    }

    assert_eq!(bench.seen, []);
    assert_eq!(bench.agent.view(), view);
}

#[test]
fn q_050_only_who_is_logged_in_resumed_registered_and_idle_is_ready() {
    let mut bench = Bench::new(&[("6400", DYNAMIC)]);
    let queue = || "6400".to_owned();
    assert!(!bench.agent.is_ready("6400"), "logged out at first (Q-194)");
    bench.command(Command::LogIn(Scope::Queue(queue()))).unwrap();
    assert!(bench.agent.is_ready("6400"));
    bench.command(Command::Pause(Scope::All, None)).unwrap();
    assert!(!bench.agent.is_ready("6400"), "Q-189");
    bench.command(Command::Resume(Scope::All)).unwrap();
    bench.step(Input::Registered(false)).unwrap();
    assert!(!bench.agent.is_ready("6400"));
    bench.step(Input::Registered(true)).unwrap();
    bench.step(Input::InCall(call(9))).unwrap();
    assert!(!bench.agent.is_ready("6400"), "Q-083");
    bench.step(Input::OutOfCall(call(9))).unwrap();
    assert!(bench.agent.is_ready("6400"));
    assert!(!bench.agent.is_ready("6401"), "not a member");
}

#[test]
fn q_083_ring_in_use_takes_a_call_beside_another_one() {
    let in_use = Rule { membership: Membership::Static, ring_in_use: true };
    let mut bench = Bench::new(&[("6400", in_use), ("6401", STATIC)]);
    bench.pass_all();
    bench.step(Input::InCall(call(9))).unwrap();
    bench.pass_all();

    bench.reserve("6401", 1, 0, 0);
    assert_eq!(denied(&bench.told()), [("6401", 1, Denial::NotReady)]);
    bench.reserve("6400", 2, 0, 0);
    assert_eq!(granted(&bench.told()), [("6400", 2)]);
    assert_eq!(bench.agent.view().activity, Activity::Talking);
}

#[test]
fn q_077_and_q_080_wrap_up_blocks_only_the_queue_of_the_call() {
    let mut bench = Bench::idle(&["6400", "6401"]);
    bench.talk("6400", 1);
    bench.seen.clear();

    bench.finish("6400", 1, 20);

    assert!(!bench.agent.is_ready("6400"));
    assert!(bench.agent.is_ready("6401"));
    assert_eq!(bench.agent.view().activity, Activity::WrapUp);
    let standings = bench.standings();
    assert_eq!(standings["6400"].0.activity, Activity::WrapUp);
    assert_eq!(standings["6401"].0.activity, Activity::Idle);
    bench.wait_secs(20);
    assert!(bench.agent.is_ready("6400"));
}

#[test]
fn q_081_and_q_082_vector_18_shared_wrap_up_blocks_all_queues_and_then_the_agent_is_offered() {
    let settings = Settings { shared_wrap_up: true, ..Settings::default() };
    let rules = [("6400", STATIC), ("6401", STATIC)];
    let mut bench = Bench::with(&rules, settings, Facts::default());
    bench.pass_all();
    bench.talk("6400", 1);
    bench.finish("6400", 1, 20);

    bench.seen.clear();
    bench.reserve("6401", 2, 0, 0);
    assert_eq!(denied(&bench.told()), [("6401", 2, Denial::NotReady)]);
    bench.wait_secs(20);

    let standings = bench.standings();
    assert!(standings["6401"].0.ready && standings["6401"].1.is_some());
}

#[test]
fn q_077_no_wrap_up_after_a_call_that_is_not_from_a_queue() {
    let mut bench = Bench::idle(&["6400"]);
    bench.step(Input::InCall(call(9))).unwrap();
    bench.step(Input::OutOfCall(call(9))).unwrap();

    assert!(bench.agent.is_ready("6400"));
}

#[test]
fn q_077_no_wrap_up_after_an_unanswered_ring() {
    let mut bench = Bench::idle(&["6400"]);
    bench.reserve("6400", 1, 0, 0);
    bench.hear("6400", ToAgent::Release { offer: OfferId(1) });

    assert!(bench.agent.is_ready("6400"));
}

#[test]
fn the_end_of_a_call_is_told_twice_and_in_any_order() {
    let wrap_up = Duration::from_secs(20);
    for call_first in [true, false] {
        let mut bench = Bench::idle(&["6400"]);
        bench.talk("6400", 1);
        if call_first {
            bench.step(Input::OutOfCall(call(1))).unwrap();
            bench.hear("6400", ToAgent::Finished { call: call(1), wrap_up });
        } else {
            bench.hear("6400", ToAgent::Finished { call: call(1), wrap_up });
            assert!(!bench.agent.is_ready("6400"));
            bench.step(Input::OutOfCall(call(1))).unwrap();
        }
        let started =
            bench.events.iter().filter(|event| matches!(event, AgentEvent::WrapUpStarted { .. }));
        assert_eq!(started.count(), 1, "{call_first}");
        assert!(!bench.agent.is_ready("6400"));
    }
}

#[test]
fn a_short_call_that_is_over_before_the_queue_says_answered_leaves_no_talk_behind() {
    let mut bench = Bench::idle(&["6400"]);
    bench.reserve("6400", 1, 0, 0);
    bench.step(Input::InCall(call(1))).unwrap();
    bench.step(Input::OutOfCall(call(1))).unwrap();
    let wrap_up = Duration::ZERO;
    bench.hear("6400", ToAgent::Answered { offer: OfferId(1), call: call(1), wrap_up });
    assert!(!bench.agent.is_ready("6400"));

    bench.hear("6400", ToAgent::Finished { call: call(1), wrap_up });

    assert!(bench.agent.is_ready("6400"));
}

#[test]
fn q_077_ready_ends_a_wrap_up_early() {
    let mut bench = Bench::idle(&["6400"]);
    bench.talk("6400", 1);
    bench.finish("6400", 1, 600);

    bench.command(Command::Resume(Scope::Queue("6400".into()))).unwrap();

    assert!(bench.agent.is_ready("6400"));
    bench.wait_secs(700);
    let ended = bench.events.iter().filter(|it| matches!(it, AgentEvent::WrapUpEnded { .. }));
    assert_eq!(ended.count(), 1);
}

#[test]
fn q_190_a_pause_drops_no_call_and_stops_no_ring() {
    let mut bench = Bench::idle(&["6400"]);
    bench.reserve("6400", 1, 0, 0);

    bench.command(Command::Pause(Scope::All, None)).unwrap();

    assert!(bench.agent.held().is_some());
    assert_eq!(denied(&bench.told()), []);
}

#[test]
fn q_084_a_reservation_is_kept_while_the_agent_hears_the_announcement() {
    let mut bench = Bench::idle(&["6400"]);
    bench.reserve("6400", 1, 0, 0);
    bench.seen.clear();
    let until = bench.agent.held().unwrap().until;

    let lease = Duration::from_secs(300);
    bench.hear("6400", ToAgent::Prolong { offer: OfferId(9), lease });
    assert_eq!(bench.agent.held().unwrap().until, until, "another offer");
    bench.hear("6400", ToAgent::Prolong { offer: OfferId(1), lease });
    bench.wait(Duration::from_secs(299));
    assert!(bench.agent.held().is_some());
    bench.wait(Duration::from_secs(2));

    assert!(bench.told().contains(&("6400".into(), FromAgent::Revoked { offer: OfferId(1) })));
}
