//! Auto-pause: what counts as a miss in a row, and what begins the count again.

use super::*;

/// Agent 1 alone, who is paused after so many misses.
fn bench(missed_calls: u8) -> Bench {
    let mut config = config(RingStrategy::Linear, &["1"]);
    config.agent.auto_pause.enabled = true;
    config.agent.auto_pause.missed_calls = missed_calls;
    Bench::staffed(config)
}

/// Agent 1 lets a new call ring out; the caller gives up in the rest that follows.
fn miss(bench: &mut Bench, number: u128, why: OfferEnd) {
    bench.join(number);
    bench.end_ring(number, why);
    let reason = Exit::CallerHangup;
    bench.step(Input::Gone { call: call(number), reason }).unwrap();
}

/// The calls for which agent 1 was told to pause, since the last look.
fn paused_for(bench: &mut Bench) -> Option<Vec<CallId>> {
    let seen = std::mem::take(&mut bench.seen);
    let mut told = seen.into_iter().filter_map(|effect| match effect {
        Effect::Tell { message: ToAgent::Missed { calls }, .. } => Some(calls),
        _ => None,
    });
    let first = told.next();
    assert_eq!(told.next(), None, "told once");
    first
}

fn changed(bench: &mut Bench, change: impl Fn(&mut Standing)) {
    let before = bench.standings["1"].clone();
    let mut other = before.clone();
    change(&mut other);
    other.ready = false;
    bench.stands("1", other);
    bench.stands("1", before);
}

#[test]
fn q_085_an_agent_is_paused_by_the_last_of_so_many_misses_in_a_row() {
    for limit in [1, 3, 10] {
        let mut bench = bench(limit);
        for number in 1..u128::from(limit) {
            miss(&mut bench, number, OfferEnd::TimedOut);
            assert_eq!(paused_for(&mut bench), None, "{number} of {limit}");
        }

        miss(&mut bench, u128::from(limit), OfferEnd::Rejected);

        let calls: Vec<_> = (1..=u128::from(limit)).map(call).collect();
        assert_eq!(paused_for(&mut bench), Some(calls));
    }
}

#[test]
fn q_087_silence_and_a_decline_count_what_is_not_the_agents_doing_does_not() {
    let counts = |why| {
        let mut bench = bench(1);
        miss(&mut bench, 1, why);
        paused_for(&mut bench).is_some()
    };

    assert!(counts(OfferEnd::TimedOut) && counts(OfferEnd::Rejected) && counts(OfferEnd::Busy));
    assert!(!counts(OfferEnd::Unreachable) && !counts(OfferEnd::AgentGone));
    let mut abandoned = bench(1);
    abandoned.join(1);
    let reason = Exit::CallerHangup;
    abandoned.step(Input::Gone { call: call(1), reason }).unwrap();
    assert_eq!(paused_for(&mut abandoned), None, "the caller hung up");
}

#[test]
fn q_086_vector_19_ring_all_never_pauses() {
    let mut config = config(RingStrategy::RingAll, &["1"]);
    config.agent.auto_pause.enabled = true;
    config.agent.auto_pause.missed_calls = 1;
    let mut bench = Bench::staffed(config);

    for number in 1..=20 {
        miss(&mut bench, number, OfferEnd::TimedOut);
    }

    assert_eq!(paused_for(&mut bench), None);
}

#[test]
fn q_087_an_answered_call_of_the_queue_begins_the_count_again() {
    let mut bench = bench(2);
    miss(&mut bench, 1, OfferEnd::TimedOut);
    bench.join(2);
    bench.answer(2);
    bench.hang_up(2, "1");

    miss(&mut bench, 3, OfferEnd::TimedOut);
    assert_eq!(paused_for(&mut bench), None);
    miss(&mut bench, 4, OfferEnd::TimedOut);
    assert_eq!(paused_for(&mut bench), Some(vec![call(3), call(4)]));
}

#[test]
fn q_087_a_pause_and_a_log_out_begin_the_count_again() {
    let paused = |standing: &mut Standing| standing.paused = Some(None);
    let logged_out = |standing: &mut Standing| standing.logged_in = None;
    let changes: [&dyn Fn(&mut Standing); 2] = [&paused, &logged_out];
    for change in changes {
        let mut bench = bench(2);
        miss(&mut bench, 1, OfferEnd::TimedOut);
        changed(&mut bench, change);

        miss(&mut bench, 2, OfferEnd::TimedOut);

        assert_eq!(paused_for(&mut bench), None);
    }
}

#[test]
fn q_087_a_restart_begins_the_count_again() {
    let mut before = bench(2);
    miss(&mut before, 1, OfferEnd::TimedOut);
    let facts = before.queue.facts().clone();
    let mut after = Bench::with(before.queue.config().clone(), facts, &[]);
    after.stands("1", free(START));

    miss(&mut after, 2, OfferEnd::TimedOut);

    assert_eq!(paused_for(&mut after), None);
}

#[test]
fn q_085_an_agent_who_is_paused_while_ringing_begins_at_nought() {
    let mut bench = bench(1);
    bench.join(1);
    let mut paused = bench.standings["1"].clone();
    (paused.paused, paused.ready) = (Some(None), false);
    bench.stands("1", paused);

    bench.end_ring(1, OfferEnd::TimedOut);

    assert_eq!(paused_for(&mut bench), None, "paused already");
}

#[test]
fn misses_of_before_auto_pause_was_switched_off_do_not_count() {
    let mut bench = bench(2);
    miss(&mut bench, 1, OfferEnd::TimedOut);
    let on = bench.queue.config().clone();
    let mut off = on.clone();
    off.agent.auto_pause.enabled = false;
    bench.step(Input::Configure(Box::new(off))).unwrap();
    bench.step(Input::Configure(Box::new(on))).unwrap();

    miss(&mut bench, 2, OfferEnd::TimedOut);

    assert_eq!(paused_for(&mut bench), None);
}
