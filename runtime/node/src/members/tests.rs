#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use tandem_journal::Status;
use tandem_journal::transport::Peer;
use tandem_mesh::roster::Input;
use tandem_mesh::{ClusterId, Member, Roster, Standing, State};

use super::machine::{Step, next};

fn address(node: u64) -> String {
    format!("10.0.0.{node}:7000")
}

fn roster(members: u64) -> Roster {
    let (standing, state) = (Standing::Voter, State::Up);
    let (name, key) = ("node-1".to_owned(), [1; 32]);
    let first = Member { node: 1, name, address: address(1), key, standing, state, boot: 0 };
    let mut roster = Roster::found(ClusterId(7), first);
    for node in 2..=members {
        let name = format!("node-{node}");
        let key = [u8::try_from(node).unwrap(); 32];
        roster.step(Input::Join { name, address: address(node), key }).unwrap();
    }
    roster
}

fn status(voters: &[u64], learners: &[u64]) -> Status {
    let peers = |nodes: &[u64]| {
        nodes.iter().map(|node| Peer { node: *node, address: address(*node) }).collect()
    };
    Status {
        node: 1,
        leader: Some(1),
        voters: peers(voters),
        learners: peers(learners),
        ..Status::default()
    }
}

fn linked(nodes: &[u64]) -> BTreeSet<u64> {
    nodes.iter().copied().collect()
}

#[test]
fn who_joined_follows_first_and_two_at_a_time_get_votes_when_they_answer() {
    let roster = roster(3);
    let all = linked(&[1, 2, 3]);

    assert_eq!(next(&roster, &status(&[1], &[]), &linked(&[1])), Some(Step::Add(2, address(2))));
    assert_eq!(next(&roster, &status(&[1], &[2]), &all), Some(Step::Add(3, address(3))));
    assert_eq!(next(&roster, &status(&[1], &[2, 3]), &linked(&[1, 2])), None);
    assert_eq!(next(&roster, &status(&[1], &[2, 3]), &all), Some(Step::Promote(2)));
    assert_eq!(next(&roster, &status(&[1, 2], &[3]), &all), Some(Step::Promote(3)));
    assert_eq!(next(&roster, &status(&[1, 2, 3], &[]), &all), None);
}

#[test]
fn the_second_of_two_only_follows() {
    assert_eq!(next(&roster(2), &status(&[1], &[2]), &linked(&[1, 2])), None);
}

#[test]
fn a_sixth_member_only_follows() {
    let step = next(&roster(6), &status(&[1, 2, 3, 4, 5], &[6]), &linked(&[1, 2, 3, 4, 5, 6]));

    assert_eq!(step, None);
}

#[test]
fn who_was_thrown_out_is_removed_before_anything_else_is_done() {
    let mut roster = roster(4);
    roster.step(Input::Remove(2)).unwrap();

    let step = next(&roster, &status(&[1, 2, 3], &[]), &linked(&[1, 3, 4]));

    assert_eq!(step, Some(Step::Remove(2)));
}

#[test]
fn a_member_that_moved_is_found_at_its_new_address() {
    let mut roster = roster(2);
    let moved = Input::Announce { node: 2, address: "10.0.0.9:7000".to_owned(), boot: 4 };
    roster.step(moved).unwrap();

    let step = next(&roster, &status(&[1, 2], &[]), &linked(&[1, 2]));

    assert_eq!(step, Some(Step::Move(2, "10.0.0.9:7000".to_owned())));
}
