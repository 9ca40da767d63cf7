//! Figures and counters that begin anew at midnight.

use super::*;
use crate::queue::Tally;

/// The first midnight of UTC after the start.
const MIDNIGHT: Timestamp = Timestamp::from_secs(1_036_800);

/// Two agents of which `1` has answered twice, and after that `2` once, on the evening before.
fn evening(zone: &str) -> Bench {
    let mut config = config(RingStrategy::FewestCalls, &["1", "2"]);
    config.daily_reset_zone = zone.to_owned();
    config.prompts.ring_after_join = true;
    config.prompts.join = "welcome".to_owned();
    let mut bench = Bench::staffed(config);
    bench.now = Timestamp::from_secs(1_036_000);
    let busy = Standing { ready: false, activity: Activity::Talking, ..free(START) };
    bench.stands("2", busy);
    for number in 1..=3 {
        if number == 3 {
            bench.stands("2", free(START));
        }
        bench.join(number);
        bench.step(Input::Greeted { call: call(number) }).unwrap();
        let agent = bench.answer(number);
        bench.wait_secs(60);
        bench.hang_up(number, &agent);
    }
    assert_eq!(answered(&bench), [2, 1]);
    bench
}

fn answered(bench: &Bench) -> [u64; 2] {
    ["1", "2"].map(|agent| bench.queue.facts().tally(agent).answered)
}

/// Who rings for a new caller who comes now.
fn rung(bench: &mut Bench, number: u128) -> String {
    bench.join(number);
    bench.step(Input::Greeted { call: call(number) }).unwrap();
    bench.ring(number).1
}

/// The same queue after a restart, from a snapshot and the facts behind it.
fn restarted(before: &Bench, saved: usize) -> Bench {
    let config = before.queue.config().clone();
    let reset = || DailyReset::at_midnight_of(&config.daily_reset_zone);
    let mut facts = Facts::default();
    facts.follow(reset());
    before.events[..saved].iter().for_each(|event| facts.evolve(event));
    let bytes = tandem_wire::encode_versioned(&facts);
    let mut facts = Facts::read(&bytes, 1 << 20).unwrap();
    facts.follow(reset());
    before.events[saved..].iter().for_each(|event| facts.evolve(event));
    assert_eq!(facts, *before.queue.facts(), "the machine's state is the fold of its events");
    let mut after = Bench::unopened(config, facts);
    after.now = before.now;
    let alive = BTreeSet::new();
    after.step(Input::Opened { seed: 7, alive, patience: Duration::ZERO }).unwrap();
    ["1", "2"].iter().for_each(|agent| after.stands(agent, free(START)));
    after
}

#[test]
fn q_053_on_a_new_day_fewest_calls_begins_with_who_was_called_least_recently() {
    let mut bench = evening("UTC");
    bench.now = MIDNIGHT;

    assert_eq!(rung(&mut bench, 4), "1", "nobody has answered today, 1 was called earlier");

    bench.answer(4);
    bench.wait_secs(5);
    bench.hang_up(4, "1");
    assert_eq!(answered(&bench), [1, 0]);
    assert_eq!(rung(&mut bench, 5), "2");
}

#[test]
fn q_053_before_midnight_and_without_a_daily_reset_the_counters_go_on() {
    let mut bench = evening("UTC");
    bench.now = Timestamp::from_micros(MIDNIGHT.as_micros() - 1);
    assert_eq!(rung(&mut bench, 4), "2", "it has the fewest calls until midnight");

    let mut bench = evening("");
    bench.now = MIDNIGHT + Duration::from_secs(86_400 * 30);
    assert_eq!(rung(&mut bench, 4), "2");
    assert_eq!(bench.queue.view().total, 3);
}

#[test]
fn q_053_who_waits_over_midnight_is_given_to_an_agent_by_the_counters_of_the_new_day() {
    let mut bench = evening("UTC");
    bench.now = Timestamp::from_micros(MIDNIGHT.as_micros() - 1);
    bench.join(4);
    bench.now = MIDNIGHT;

    // No fact of the new day was there before.
    bench.step(Input::Greeted { call: call(4) }).unwrap();

    assert_eq!(bench.ring(4).1, "1");
}

#[test]
fn q_053_the_queue_s_figures_are_nothing_from_midnight_on_and_count_from_there() {
    let mut bench = evening("UTC");
    bench.join(4);
    let figures = |bench: &Bench| {
        let view = bench.queue.view();
        [view.total, view.answered, view.missed, view.abandoned, view.level.total]
    };
    assert_eq!(figures(&bench), [3, 3, 0, 0, 3]);
    bench.now = MIDNIGHT;
    bench.step(Input::Minute).unwrap();

    assert_eq!(figures(&bench), [0; 5]);
    assert_eq!(bench.queue.view().waiting.len(), 1, "who waits goes on waiting");
    bench.step(Input::Gone { call: call(4), reason: Exit::CallerHangup }).unwrap();
    assert_eq!(figures(&bench), [1, 0, 0, 1, 1], "a caller counts when they leave");
    let evaluated = bench.events.iter().filter_map(|event| match event {
        QueueEvent::LevelEvaluated { total, .. } => Some(*total),
        _ => None,
    });
    assert_eq!(evaluated.sum::<u64>(), 3, "Q-244: an interval that ends at midnight is evaluated");
}

#[test]
fn q_053_a_talk_over_midnight_counts_on_the_day_of_its_answer() {
    let mut bench = evening("UTC");
    bench.now = Timestamp::from_micros(MIDNIGHT.as_micros() - 1);
    assert_eq!(rung(&mut bench, 4), "2");
    bench.answer(4);
    bench.now = MIDNIGHT + Duration::from_secs(60);
    bench.hang_up(4, "2");

    let tally = bench.queue.facts().tally("2");

    let last_call = Some(MIDNIGHT + Duration::from_secs(60));
    assert_eq!(tally, Tally { answered: 0, missed: 0, last_call });
}

#[test]
fn q_053_a_restart_keeps_the_counters_of_the_day_and_no_others() {
    let mut before = evening("UTC");
    for saved in 0..before.events.len() {
        let mut after = restarted(&before, saved);
        assert_eq!((answered(&after), after.queue.view().total), ([2, 1], 3), "{saved} saved");
        assert_eq!(rung(&mut after, 4), "2");
    }

    before.now = MIDNIGHT + Duration::from_secs(3_600);
    for saved in 0..before.events.len() {
        let mut after = restarted(&before, saved);
        assert_eq!((answered(&after), after.queue.view().total), ([0, 0], 0), "{saved} saved");
        assert_eq!(rung(&mut after, 4), "1");
    }
}

#[test]
fn q_053_a_daily_reset_that_is_set_later_holds_from_the_next_midnight_on() {
    let mut bench = evening("");
    let mut config = bench.queue.config().clone();
    config.daily_reset_zone = "UTC".to_owned();
    bench.step(Input::Configure(Box::new(config))).unwrap();
    assert_eq!(bench.queue.view().total, 3);

    bench.now = MIDNIGHT;
    bench.step(Input::Minute).unwrap();

    assert_eq!(bench.queue.view().total, 0);
}
