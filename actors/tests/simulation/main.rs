//! Queues and agents in virtual time: random callers, agents, delays and crashes, and the
//! invariants after every step. A failing seed is a reproducible test.
//!
//! | Concern                                       | Owner      |
//! |-----------------------------------------------|------------|
//! | Time, messages on their way, crashes          | `world`    |
//! | Callers, and phones that ring and talk        | `calls`    |
//! | What must always hold                         | `checks`   |
//! | The same on many members                      | `cluster`  |

#![allow(clippy::unwrap_used)]

mod calls;
mod checks;
mod cluster;
mod world;

use proptest::prelude::*;

use world::{Crashes, Fault, Plan, World};

/// One office day after the other until this many have called.
fn office(seed: u64, calls: u32) -> Plan {
    Plan {
        seed,
        queues: 4,
        agents: 14,
        calls,
        between_ms: 2_500,
        delay_ms: 40,
        slow_per_mille: 0,
        stirs: true,
        crashes: Crashes::None,
        fault: Fault::None,
    }
}

#[test]
fn ten_thousand_calls_leave_by_exactly_one_exit_each() {
    let report = World::run(office(1, 10_000)).unwrap();

    assert_eq!(report.joined, 10_000);
    assert!(report.answered > 5_000, "{report:?}");
    assert!(report.abandoned > 100 && report.missed > 100, "{report:?}");
    assert!(report.picked_up > 100, "{report:?}");
    assert_eq!(report.days.len(), 2, "Q-053: {report:?}");
}

#[test]
fn crashes_of_queues_and_agents_lose_no_caller() {
    for seed in 10..14 {
        let mut plan = office(seed, 500);
        plan.crashes = Crashes::Between;
        let report = World::run(plan).unwrap();
        assert!(report.crashes > 20, "{report:?}");
        assert_eq!(report.days.len(), 2, "Q-053: {report:?}");
    }
}

#[test]
fn ten_thousand_calls_with_crashes_leave_by_exactly_one_exit_each() {
    let mut plan = office(15, 10_000);
    plan.crashes = Crashes::Between;

    let report = World::run(plan).unwrap();

    assert_eq!(report.joined, 10_000);
    assert!(report.crashes > 500 && report.answered > 3_000, "{report:?}");
}

#[test]
fn crashes_that_lose_the_mailbox_leave_nothing_behind() {
    for seed in 20..24 {
        let mut plan = office(seed, 500);
        plan.crashes = Crashes::WithMailbox;
        World::run(plan).unwrap();
    }
}

#[test]
fn slow_messages_break_no_invariant() {
    for seed in 30..34 {
        let mut plan = office(seed, 500);
        plan.slow_per_mille = 50;
        World::run(plan).unwrap();
    }
}

#[test]
fn the_same_seed_gives_the_same_day() {
    let mut plan = office(5, 300);
    plan.crashes = Crashes::Between;

    assert_eq!(World::run(plan.clone()).unwrap(), World::run(plan).unwrap());
}

#[test]
fn a_queue_that_offers_a_call_twice_is_caught() {
    caught(Fault::DoubleOffer, "two agents");
}

#[test]
fn a_lost_wake_up_is_caught() {
    caught(Fault::LostWakeUp, "waits although");
}

#[test]
fn a_lost_release_is_caught() {
    caught(Fault::LostRelease, "that nobody uses");
}

#[test]
fn an_exit_that_is_not_recorded_is_caught() {
    caught(Fault::LostExit, "differs from its events");
}

#[test]
fn a_state_whose_timer_is_lost_is_found_by_the_auditor() {
    caught(Fault::LostTimer, "outlives its lease");
}

#[test]
fn a_call_that_asks_only_once_waits_for_ever_when_the_mailbox_is_lost() {
    let mut plan = office(22, 500);
    plan.crashes = Crashes::WithMailbox;
    // So that some joins are on their way when a queue crashes.
    plan.delay_ms = 2_000;
    World::run(plan.clone()).unwrap();

    plan.fault = Fault::AsksOnce;

    let found = World::run(plan).unwrap_err();
    assert!(found.contains("is not taken in"), "{found}");
}

fn caught(fault: Fault, word: &str) {
    let mut plan = office(3, 2_000);
    plan.fault = fault;
    let found = World::run(plan).unwrap_err();
    assert!(found.contains(word), "{found}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Architecture, section 3: whatever the interleaving.
    #[test]
    fn random_interleavings_break_no_invariant(
        seed in any::<u64>(),
        queues in 1_usize..4,
        agents in 1_usize..8,
        between_ms in 200_u64..8_000,
        delay_ms in 0_u64..400,
        crash in 0_u8..3,
    ) {
        let mut plan = office(seed, 60);
        (plan.queues, plan.agents) = (queues, agents);
        (plan.between_ms, plan.delay_ms) = (between_ms, delay_ms);
        plan.crashes = match crash {
            0 => Crashes::None,
            1 => Crashes::Between,
            _ => Crashes::WithMailbox,
        };
        let outcome = World::run(plan);
        prop_assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
    }
}
