//! The service level, evaluated by the clock, and the figures of the panel.

use super::*;
use crate::queue::Facts;

/// A queue without agents in which callers hang up or are answered at once.
fn bench() -> Bench {
    let mut config = config(RingStrategy::RingAll, &["1"]);
    config.sla.evaluation_interval_mins = 30;
    Bench::staffed(config)
}

fn hang_up(bench: &mut Bench, number: u128) {
    bench.join(number);
    bench.step(Input::Gone { call: call(number), reason: Exit::CallerHangup }).unwrap();
}

fn evaluations(bench: &Bench) -> Vec<(u64, u64, &'static str)> {
    let told = bench.events.iter().filter_map(|event| match event {
        QueueEvent::LevelEvaluated { in_time, total, .. } => Some((*in_time, *total, event.name())),
        _ => None,
    });
    told.collect()
}

fn minute(bench: &mut Bench, now: Timestamp) {
    bench.now = now;
    bench.step(Input::Minute).unwrap();
}

/// The next whole half hour after the start.
fn boundary() -> Timestamp {
    let half = 1_800;
    Timestamp::from_secs((START.as_micros() / 1_000_000 / half + 1) * half)
}

#[test]
fn q_242_q_244_each_interval_with_calls_is_evaluated_once_when_it_is_over() {
    let mut bench = bench();
    minute(&mut bench, boundary());
    assert_eq!(evaluations(&bench), [], "no calls, no evaluation");
    hang_up(&mut bench, 1);
    hang_up(&mut bench, 2);
    minute(&mut bench, boundary() + Duration::from_secs(1_799));
    assert_eq!(evaluations(&bench), []);

    minute(&mut bench, boundary() + Duration::from_secs(1_800));
    minute(&mut bench, boundary() + Duration::from_secs(3_600));

    assert_eq!(evaluations(&bench), [(0, 2, "sla.alarm")], "Q-245: once");
}

#[test]
fn q_244_a_call_that_ends_in_the_next_interval_does_not_count_for_the_one_before() {
    let mut bench = bench();
    hang_up(&mut bench, 1);
    // The minute was not told of yet.
    bench.now = boundary();
    hang_up(&mut bench, 2);
    assert_eq!(evaluations(&bench), [(0, 1, "sla.alarm")]);

    minute(&mut bench, boundary() + Duration::from_secs(1_800));
    assert_eq!(evaluations(&bench), [(0, 1, "sla.alarm"), (0, 1, "sla.alarm")]);
}

#[test]
fn q_244_an_interval_that_ended_while_the_node_was_down_is_evaluated_at_the_start() {
    let mut before = bench();
    hang_up(&mut before, 1);
    let facts: Facts = before.queue.facts().clone();

    let mut after = Bench::with(before.queue.config().clone(), facts, &[]);
    assert_eq!(evaluations(&after), [], "the interval goes on");
    let facts = after.queue.facts().clone();
    after.now = boundary();
    minute(&mut after, boundary());

    assert_eq!(evaluations(&after), [(0, 1, "sla.alarm")]);
    assert_eq!(facts.level.total(), 1, "the figure since the beginning stays");
}

#[test]
fn q_433_vector_15_a_paused_agent_alone_in_the_queue_is_logged_in_and_not_idle() {
    let mut bench = Bench::new(config(RingStrategy::RingAll, &["1"]));
    let mut standing = free(START);
    standing.paused = Some(None);
    standing.ready = false;
    bench.stands("1", standing);

    let status = bench.queue.view();
    let here = |agent: &crate::office::AgentView| agent.memberships[0].clone();
    let logged_in = status.agents.iter().filter(|agent| here(agent).logged_in).count();
    let idle = status.agents.iter().filter(|agent| {
        agent.activity == Activity::Idle && here(agent).logged_in && here(agent).paused.is_none()
    });

    assert_eq!((status.agents.len(), logged_in, idle.count()), (1, 1, 0));
}

#[test]
fn q_458_vector_17_two_waiting_callers_and_one_ring_are_two_calls_in_three_rows() {
    let mut bench = Bench::staffed(config(RingStrategy::RingAll, &["1"]));
    bench.join(1);
    bench.join(2);

    let waiting = bench.queue.view().waiting;

    let rows: usize = waiting.iter().map(|caller| 1 + caller.ringing.len()).sum();
    assert_eq!((waiting.len(), rows), (2, 3), "the heading counts calls");
}
