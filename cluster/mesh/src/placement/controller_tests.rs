#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::time::Duration;

use tandem_kernel::Timestamp;

use super::Change;
use super::controller::{DEAD, HEARTBEAT, Known, Members, STEADY, Watch, next, silence_of_before};
use crate::lease::Patience;
use crate::roster::Input;
use crate::{ClusterId, Member, Roster, Standing, State};

fn patience() -> Patience {
    Patience::new(HEARTBEAT, Duration::from_millis(500), DEAD).unwrap()
}

fn roster(members: u64) -> Roster {
    let (standing, state) = (Standing::Voter, State::Up);
    let (name, key) = ("node-1".to_owned(), [1; 32]);
    let address = "10.0.0.1:7000".to_owned();
    let first = Member { node: 1, name, address, key, standing, state, boot: 0 };
    let mut roster = Roster::found(ClusterId(7), first);
    for node in 2..=members {
        let (name, address) = (format!("node-{node}"), format!("10.0.0.{node}:7000"));
        let key = [u8::try_from(node).unwrap(); 32];
        roster.step(Input::Join { name, address, key }).unwrap();
    }
    roster
}

fn nodes(nodes: &[u64]) -> BTreeSet<u64> {
    nodes.iter().copied().collect()
}

fn known(takers: &[u64], left: &[u64]) -> Members {
    Members { takers: nodes(takers), left: nodes(left) }
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_micros(1_000_000_000) + Duration::from_millis(millis)
}

#[test]
fn who_answers_steadily_is_given_shards_and_who_died_loses_them_first() {
    let (roster, none) = (roster(3), nodes(&[]));

    assert_eq!(next(&known(&[], &[]), &roster, &none, &none), None);
    assert_eq!(next(&known(&[], &[]), &roster, &none, &nodes(&[1])), Some(Change::Join(1)));
    let dead = nodes(&[2]);
    let change = next(&known(&[1, 2], &[]), &roster, &dead, &nodes(&[1, 3]));
    assert_eq!(change, Some(Change::Leave(2)));
    let change = next(&known(&[1], &[2]), &roster, &dead, &nodes(&[1, 2, 3]));
    assert_eq!(change, Some(Change::Join(3)), "one that is dead is not given any");
    let change = next(&known(&[1, 3], &[]), &roster, &dead, &nodes(&[1, 3]));
    assert_eq!(change, Some(Change::Leave(2)), "one without shards may have calls");
}

#[test]
fn who_is_about_to_leave_bequeaths_its_calls_once_and_has_left_when_it_says_so_or_dies() {
    let mut known = Known::default();
    known.take(1, 1, Change::Join(1));
    known.take(2, 2, Change::Join(2));

    assert!(known.take(3, 3, Change::HandOn(2)));
    assert!(!known.take(4, 4, Change::HandOn(2)), "it was said");
    let Members { takers, left } = known.members();
    assert_eq!((takers, left), (nodes(&[1]), nodes(&[])));
    let dies = next(&known.members(), &roster(2), &nodes(&[2]), &nodes(&[1]));
    assert_eq!(dies, Some(Change::Leave(2)));
    assert!(known.take(5, 5, Change::Leave(2)), "there may be calls yet");
    assert!(!known.take(6, 6, Change::HandOn(2)));
    assert_eq!(known.members().left, nodes(&[2]));
    assert!(known.take(7, 7, Change::Join(2)));
    assert!(known.take(8, 8, Change::HandOn(2)), "another life");
}

#[test]
fn who_drains_or_was_thrown_out_gives_its_shards_away() {
    let mut roster = roster(3);
    roster.step(Input::Drain(2)).unwrap();
    roster.step(Input::Remove(3)).unwrap();
    let (none, all) = (nodes(&[]), nodes(&[1, 2, 3]));

    assert_eq!(next(&known(&[1, 2, 3], &[]), &roster, &none, &all), Some(Change::Leave(3)));
    assert_eq!(next(&known(&[1, 2], &[3]), &roster, &none, &all), Some(Change::Drain(2)));
    assert_eq!(next(&known(&[1], &[3]), &roster, &none, &all), None);
}

#[test]
fn a_leader_that_has_just_begun_calls_nobody_dead_and_a_silent_member_after_its_time() {
    let answers = |age| [(2, age)].into();
    let mut watch = Watch::begin(patience(), [1, 2, 3].into_iter(), None, at(0));
    watch.look(1, &answers(Duration::ZERO), at(0));
    assert!(watch.dead(at(0)).is_empty());

    let late = u64::try_from(DEAD.as_millis()).unwrap();
    watch.look(1, &answers(Duration::from_millis(30)), at(late));

    assert_eq!(watch.dead(at(late)), nodes(&[3]), "it never answered this leader");
    watch.look(1, &answers(Duration::from_millis(30) + DEAD), at(late + late));
    assert_eq!(watch.dead(at(late + late)), nodes(&[2, 3]));
}

#[test]
fn a_leader_of_before_is_silent_since_its_voters_stopped_hearing_it() {
    let silence = Duration::from_millis(250);
    let mut watch = Watch::begin(patience(), [1, 2, 3].into_iter(), Some((3, silence)), at(1_000));
    watch.look(1, &[(2, Duration::ZERO)].into(), at(1_000));

    let earliest = u64::try_from((DEAD - silence).as_millis()).unwrap();
    assert!(watch.dead(at(1_000 + earliest - 1)).is_empty());
    assert_eq!(watch.dead(at(1_000 + earliest)), nodes(&[3]));
}

#[test]
fn a_leader_that_handed_the_lead_over_was_heard_until_then() {
    let lease = Duration::from_millis(500);

    assert_eq!(silence_of_before(Some(lease * 2), lease), lease);
    assert_eq!(silence_of_before(Some(lease / 5), lease), Duration::ZERO);
    assert_eq!(silence_of_before(None, lease), Duration::ZERO, "it has only begun itself");
}

#[test]
fn a_member_that_paused_is_steady_only_after_some_time() {
    let answers = |age: u64| [(2, Duration::from_millis(age))].into();
    let mut watch = Watch::begin(patience(), [1].into_iter(), None, at(0));
    let steady = u64::try_from(STEADY.as_millis()).unwrap();

    watch.look(1, &answers(0), at(0));
    assert_eq!(watch.steady(at(0)), nodes(&[1]), "the leader itself is there");
    watch.look(1, &answers(900), at(1_000));
    watch.look(1, &answers(20), at(steady));
    assert_eq!(watch.steady(at(steady)), nodes(&[1]));
    watch.look(1, &answers(20), at(1_000 + steady));
    assert_eq!(watch.steady(at(1_000 + steady)), nodes(&[1, 2]));
}
