//! Skill-based routing: from the best level down, and the ring strategy within one level.

use tandem_config::resource::Member;

use super::*;

const STRATEGIES: [RingStrategy; 6] = [
    RingStrategy::RingAll,
    RingStrategy::LeastRecent,
    RingStrategy::FewestCalls,
    RingStrategy::Random,
    RingStrategy::Rrmemory,
    RingStrategy::Linear,
];

/// Static agents of these levels, all free.
fn bench(strategy: RingStrategy, agents: &[(&str, u8)]) -> Bench {
    let mut config = config(strategy, &[]);
    config.skill_based_routing = true;
    let member = |(extension, skill_level): &(&str, u8)| {
        let skill_level = *skill_level;
        Member { skill_level, ..Member::new(*extension, Membership::Static) }
    };
    config.members = agents.iter().map(member).collect();
    Bench::staffed(config)
}

/// Who rings at once for a caller whom nobody answers, attempt by attempt.
fn attempts(bench: &mut Bench, count: usize) -> Vec<String> {
    bench.join(1);
    (0..count)
        .map(|_| {
            let rings = bench.queue.facts().rings.clone();
            let mut agents: Vec<String> = rings.values().map(|ring| ring.agent.clone()).collect();
            agents.sort();
            bench.wait_secs(15);
            for (offer, _) in rings {
                let why = OfferEnd::TimedOut;
                bench.step(Input::OfferEnded { call: call(1), offer, why }).unwrap();
            }
            bench.wait_secs(5);
            agents.join("+")
        })
        .collect()
}

fn away(bench: &mut Bench, agent: &str) {
    let mut standing = bench.standings[agent].clone();
    standing.ready = false;
    standing.activity = Activity::Talking;
    bench.stands(agent, standing);
}

fn back(bench: &mut Bench, agent: &str) {
    bench.stands(agent, free(START));
}

#[test]
fn q_066_q_068_with_different_levels_each_strategy_goes_down_level_by_level_and_begins_again() {
    for strategy in STRATEGIES {
        let mut bench = bench(strategy, &[("a", 30), ("b", 1), ("c", 100), ("d", 2)]);

        let order = attempts(&mut bench, 6);

        assert_eq!(order, ["b", "d", "a", "c", "b", "d"], "{strategy:?}");
    }
}

#[test]
fn q_067_the_strategy_orders_the_agents_of_one_level_before_the_next_is_tried() {
    let agents = [("a", 2), ("b", 1), ("c", 1), ("d", 2)];
    let together = attempts(&mut bench(RingStrategy::RingAll, &agents), 3);
    let in_order = attempts(&mut bench(RingStrategy::Linear, &agents), 6);
    let by_memory = attempts(&mut bench(RingStrategy::Rrmemory, &agents), 6);

    assert_eq!(together, ["b+c", "a+d", "b+c"]);
    assert_eq!(in_order, ["b", "c", "a", "d", "b", "c"]);
    // The memory goes on after d, the last in the list.
    assert_eq!(by_memory, ["b", "c", "d", "a", "b", "c"]);
    for strategy in [RingStrategy::Random, RingStrategy::LeastRecent, RingStrategy::FewestCalls] {
        let mut order = attempts(&mut bench(strategy, &agents), 4);
        order[..2].sort();
        order[2..].sort();
        assert_eq!(order, ["b", "c", "a", "d"], "{strategy:?}");
    }
}

#[test]
fn q_066_a_level_without_free_agents_is_passed_over() {
    let mut bench = bench(RingStrategy::Linear, &[("a", 1), ("b", 2), ("c", 3)]);
    away(&mut bench, "a");

    assert_eq!(attempts(&mut bench, 3), ["b", "c", "b"]);
}

#[test]
fn q_070_who_becomes_free_in_a_better_level_does_not_pull_a_ringing_call_back() {
    for strategy in [RingStrategy::RingAll, RingStrategy::Linear] {
        let mut bench = bench(strategy, &[("a", 1), ("b", 2)]);
        away(&mut bench, "a");
        bench.join(1);
        assert_eq!(bench.ring(1).1, "b");

        back(&mut bench, "a");
        assert_eq!(bench.queue.ringing_for(call(1)), ["b"], "{strategy:?}");
        bench.end_ring(1, OfferEnd::TimedOut);
        bench.wait_secs(5);

        assert_eq!(bench.ring(1).1, "a", "{strategy:?}: the next attempt takes the best level");
    }
}

#[test]
fn q_051_with_skills_ring_all_takes_in_who_becomes_free_in_the_level_that_rings() {
    let mut bench = bench(RingStrategy::RingAll, &[("a", 1), ("b", 1), ("c", 2)]);
    away(&mut bench, "b");
    away(&mut bench, "c");
    bench.join(1);
    back(&mut bench, "c");
    back(&mut bench, "b");

    let mut ringing = bench.queue.ringing_for(call(1));
    ringing.sort();
    assert_eq!(ringing, ["a", "b"]);
}

#[test]
fn q_065_levels_mean_nothing_while_the_switch_is_off() {
    let mut bench = bench(RingStrategy::Linear, &[("a", 3), ("b", 1)]);
    let mut config = bench.queue.config().clone();
    config.skill_based_routing = false;
    bench.step(Input::Configure(Box::new(config))).unwrap();

    assert_eq!(attempts(&mut bench, 2), ["a", "b"]);
}

#[test]
fn q_086_ring_all_within_a_level_pauses_nobody() {
    let mut bench = bench(RingStrategy::RingAll, &[("a", 1), ("b", 2)]);
    let mut config = bench.queue.config().clone();
    config.agent.auto_pause.enabled = true;
    config.agent.auto_pause.missed_calls = 1;
    bench.step(Input::Configure(Box::new(config))).unwrap();

    attempts(&mut bench, 4);

    let missed =
        |effect: &Effect| matches!(effect, Effect::Tell { message: ToAgent::Missed { .. }, .. });
    assert!(!bench.seen.iter().any(missed));
}
