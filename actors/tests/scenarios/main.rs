//! Random scenarios of a queue and what its machines predict: who rings for whom, in which
//! order, and how each caller leaves.
//!
//! | Concern                                   | Owner         |
//! |-------------------------------------------|---------------|
//! | What people do, and the prediction        | [`script`]    |
//! | The machines in virtual time              | [`world`]     |
//! | Choosing moments that never nearly tie    | [`composer`]  |
//!
//! The scenarios lie beside the wire test that plays them (`tests/queues/scenarios`), with a
//! node and telephones. `TANDEM_BLESS=1` writes them anew from their seeds.
#![allow(clippy::unwrap_used)]

mod composer;
mod script;
mod world;

use std::path::PathBuf;

use script::Scenario;
use world::{Delays, World};

const SEEDS: std::ops::Range<u64> = 0..10;

fn path(seed: u64) -> PathBuf {
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/queues/scenarios");
    PathBuf::from(tests).join(format!("{seed:02}.json"))
}

fn kept(seed: u64) -> Scenario {
    serde_json::from_str(&std::fs::read_to_string(path(seed)).unwrap()).unwrap()
}

#[test]
fn the_scenarios_on_file_and_their_predictions_come_from_their_seeds() {
    for seed in SEEDS {
        let scenario = composer::compose(seed);
        if std::env::var_os("TANDEM_BLESS").is_some() {
            std::fs::write(path(seed), scenario.text()).unwrap();
        }
        assert_eq!(kept(seed), scenario, "seed {seed}");
        assert_eq!((scenario.callers.len(), scenario.agents.len()), (30, 8));
    }
}

#[test]
fn delays_as_on_a_loaded_machine_change_no_order_and_no_outcome() {
    for seed in SEEDS {
        let scenario = kept(seed);
        for chance in 0..20 {
            let seen = World::play(&scenario, Delays::some(chance));
            let told = scenario.predicted.differs(&seen);
            assert_eq!(told, None, "seed {seed}, delays {chance}");
        }
    }
}

#[test]
fn the_prediction_of_another_seed_or_a_changed_order_does_not_fit() {
    for seed in SEEDS {
        let scenario = kept(seed);
        let seen = World::play(&scenario, Delays::none());
        let other = kept((seed + 1) % SEEDS.end);
        assert!(other.predicted.differs(&seen).is_some(), "seed {seed}");
        let mut swapped = scenario.predicted.clone();
        let last = swapped.rings.len() - 1;
        swapped.rings.swap(0, last);
        assert!(swapped.differs(&seen).is_some(), "seed {seed}");
    }
}

#[test]
fn the_scenarios_hold_every_way_in_which_calls_go() {
    let all: Vec<Scenario> = SEEDS.map(kept).collect();
    let ways = ["answered", "caller_hangup", "key_exit", "max_wait"];
    for way in ways {
        let count = all.iter().flat_map(|it| &it.predicted.exits).filter(|it| it.1 == way).count();
        assert!(count >= 5, "{way} comes {count} times");
    }
    for strategy in ["least_recent", "fewest_calls", "rrmemory", "linear"] {
        assert!(all.iter().any(|it| it.queue["ring_strategy"] == strategy), "{strategy}");
    }
    assert!(all.iter().any(|it| it.queue["skill_based_routing"] == true));
}
