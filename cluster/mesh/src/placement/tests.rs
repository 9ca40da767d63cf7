#![allow(clippy::unwrap_used)]
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::machine::{Change, Moved, Table, mix};
use super::{Address, SHARDS};
use crate::Refusal;

fn apply(table: &mut Table, epoch: &mut u64, change: Change) -> Vec<Moved> {
    *epoch += 1;
    table.step(*epoch, change).unwrap()
}

/// Within 20 % of the mean, or of one shard where the mean is small.
fn is_balanced(table: &Table) -> bool {
    let loads = table.loads();
    let mean = f64::from(SHARDS) / loads.len() as f64;
    loads.values().all(|load| (*load as f64 - mean).abs() <= (mean * 0.2).max(1.0))
}

fn changes() -> impl Strategy<Value = Vec<(bool, bool, u64)>> {
    proptest::collection::vec((any::<bool>(), any::<bool>(), 1_u64..21), 1..60)
}

proptest! {
    #[test]
    fn shards_stay_balanced_and_only_those_move_that_must(steps in changes()) {
        let mut table = Table::new(SHARDS);
        let (mut epoch, mut present) = (0, BTreeSet::new());
        for (is_join, is_drain, node) in steps {
            let before = table.clone();
            let change = match (is_join, is_drain) {
                (true, _) => Change::Join(node),
                (false, true) => Change::Drain(node),
                (false, false) => Change::Leave(node),
            };
            if present.contains(&node) == is_join {
                prop_assert_eq!(table.step(epoch + 1, change), Err(Refusal::NotPossible));
                prop_assert_eq!(&table, &before);
                continue;
            }
            let moved = apply(&mut table, &mut epoch, change);
            if is_join { present.insert(node) } else { present.remove(&node) };

            prop_assert_eq!(table.takers(), &present);
            let named: BTreeSet<u16> = moved.iter().map(|moved| moved.shard).collect();
            prop_assert_eq!(named.len(), moved.len());
            for shard in 0..SHARDS {
                let (old, new) = (before.slot(shard), table.slot(shard));
                prop_assert_eq!(old != new, named.contains(&shard));
                prop_assert_eq!(new.node.is_some(), !present.is_empty());
            }
            let share = if present.is_empty() { 0 } else { usize::from(SHARDS) / present.len() };
            let lost = before.loads().get(&node).copied().unwrap_or(0);
            prop_assert_eq!(moved.len(), if is_join { share } else { lost });
            for moved in &moved {
                prop_assert!(moved.epoch > before.slot(moved.shard).epoch);
                prop_assert_eq!(if is_join { moved.to } else { moved.from }, Some(node));
            }
            prop_assert!(present.is_empty() || is_balanced(&table), "{:?}", table.loads());
        }
    }

    #[test]
    fn an_old_epoch_changes_nothing(epoch in 0_u64..5) {
        let mut table = Table::new(SHARDS);
        table.step(5, Change::Join(1)).unwrap();
        let before = table.clone();
        prop_assert_eq!(table.step(epoch, Change::Join(2)), Err(Refusal::NotPossible));
        prop_assert_eq!(table, before);
    }
}

/// The rule without its shortcuts: with each shard that moves all are counted anew.
fn counted_anew(table: &Table, change: Change) -> Vec<(u16, Option<u64>)> {
    let mut owners: Vec<Option<u64>> = (0..SHARDS).map(|shard| table.slot(shard).node).collect();
    let mut takers = table.takers().clone();
    let score = |shard: u16, node: u64| mix(mix(node) ^ u64::from(shard));
    let count = |owners: &[Option<u64>], node| owners.iter().filter(|it| **it == node).count();
    let mut moved = Vec::new();
    if let Change::Join(node) = change {
        takers.insert(node);
        let share = if takers.len() == 1 { 0 } else { usize::from(SHARDS) / takers.len() };
        let wanted = (0..SHARDS).filter(|_| takers.len() == 1).map(|shard| (shard, Some(node)));
        moved.extend(wanted);
        for _ in 0..share {
            let most = owners.iter().map(|owner| count(&owners, *owner)).max().unwrap();
            let can = (0..SHARDS).filter(|shard| {
                let owner = owners[usize::from(*shard)];
                owner != Some(node) && count(&owners, owner) == most
            });
            let Some(shard) = can.max_by_key(|shard| score(*shard, node)) else { continue };
            owners[usize::from(shard)] = Some(node);
            moved.push((shard, Some(node)));
        }
        return moved;
    }
    let gone = change.bereft().unwrap();
    takers.remove(&gone);
    for shard in (0..SHARDS).filter(|shard| table.slot(*shard).node == Some(gone)) {
        let least = takers.iter().map(|taker| count(&owners, Some(*taker))).min();
        let can = takers.iter().filter(|it| Some(count(&owners, Some(**it))) == least);
        owners[usize::from(shard)] = can.max_by_key(|taker| score(shard, **taker)).copied();
        moved.push((shard, owners[usize::from(shard)]));
    }
    moved
}

/// Each build must come to the same table, so how it is counted must not matter.
#[test]
fn the_table_is_that_of_the_rule() {
    let (mut table, mut epoch) = (Table::new(SHARDS), 0);
    let joins = [3, 1, 9, 4, 20, 7].map(Change::Join);
    let rest = [Change::Leave(9), Change::HandOn(3), Change::Join(9), Change::Leave(20)];
    let last = [4, 7, 1, 9].map(Change::Leave);
    for change in joins.into_iter().chain(rest).chain(last) {
        let expected = counted_anew(&table, change);
        let moved = apply(&mut table, &mut epoch, change);
        let found: Vec<_> = moved.iter().map(|moved| (moved.shard, moved.to)).collect();
        assert_eq!(found, expected, "{change:?}");
    }
}

#[test]
fn all_members_compute_the_same_table() {
    let make = || {
        let (mut table, mut epoch) = (Table::new(SHARDS), 0);
        for node in [1, 2, 3] {
            apply(&mut table, &mut epoch, Change::Join(node));
        }
        apply(&mut table, &mut epoch, Change::Leave(2));
        table
    };
    assert_eq!(make(), make());
}

/// A value that changed would scatter every queue at the first rolling upgrade.
#[test]
fn a_keys_shard_is_the_same_in_every_build() {
    assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
    let shard = |kind, key: &str| Address { kind, key: key.to_owned() }.shard();
    let shards = [shard(1, "6400"), shard(1, "6401"), shard(2, "6400"), shard(1, "")];
    assert_eq!(shards, GOLDEN);
}

const GOLDEN: [u16; 4] = [43, 208, 65, 30];

#[test]
fn keys_spread_over_all_shards() {
    let mut counts = vec![0_u32; usize::from(SHARDS)];
    for number in 0..25_600 {
        counts[usize::from(Address { kind: 1, key: format!("{number}") }.shard())] += 1;
    }
    assert!(counts.iter().all(|count| (50..=160).contains(count)), "{counts:?}");
}
