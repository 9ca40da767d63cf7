#![allow(clippy::unwrap_used)]
use super::{Input, Member, Roster, Standing, State};
use crate::Refusal;
use crate::identity::ClusterId;

fn founded() -> Roster {
    let first = Member {
        node: 1,
        name: "node-1".into(),
        address: "127.0.0.1:1".into(),
        key: [1; 32],
        standing: Standing::Voter,
        state: State::Up,
        boot: 0,
    };
    Roster::found(ClusterId(7), first)
}

fn join(name: &str, key: u8) -> Input {
    Input::Join { name: name.into(), address: "127.0.0.2:1".into(), key: [key; 32] }
}

#[test]
fn a_number_is_never_given_twice() {
    let mut roster = founded();
    assert_eq!(roster.step(join("node-2", 2)).unwrap(), 2);
    roster.step(Input::Remove(2)).unwrap();

    assert_eq!(roster.step(join("node-2", 3)).unwrap(), 3);
    assert_eq!(roster.recognise(2, &[2; 32]), Err(Refusal::Removed));
}

#[test]
fn a_taken_name_is_refused_unless_the_same_key_asks_again() {
    let mut roster = founded();
    roster.step(join("node-2", 2)).unwrap();
    let before = roster.clone();

    assert_eq!(roster.step(join("node-2", 9)), Err(Refusal::NameTaken));
    assert_eq!(roster, before);
    assert_eq!(roster.step(join("node-2", 2)).unwrap(), 2);
}

#[test]
fn another_key_under_a_members_number_is_a_stolen_name() {
    let roster = founded();
    assert_eq!(roster.recognise(1, &[9; 32]), Err(Refusal::StolenName));
    assert_eq!(roster.recognise(5, &[9; 32]), Err(Refusal::NotAMember));
    assert_eq!(roster.recognise(1, &[1; 32]).unwrap().name, "node-1");
}

#[test]
fn a_drain_ends_with_the_next_start() {
    let mut roster = founded();
    let announce = |boot| Input::Announce { node: 1, address: "127.0.0.1:1".into(), boot };
    roster.step(announce(10)).unwrap();
    roster.step(Input::Drain(1)).unwrap();

    roster.step(announce(10)).unwrap();
    assert_eq!(roster.members[&1].state, State::Draining);
    roster.step(announce(11)).unwrap();
    assert_eq!(roster.members[&1].state, State::Up);
}

#[test]
fn the_revision_grows_with_changes_alone() {
    let mut roster = founded();
    let announce = |address: &str| Input::Announce { node: 1, address: address.into(), boot: 4 };
    roster.step(announce("a:1")).unwrap();
    let revision = roster.revision;
    roster.step(announce("a:1")).unwrap();
    assert_eq!(roster.revision, revision);
    roster.step(announce("a:2")).unwrap();
    assert_eq!(roster.revision, revision + 1);
    assert_eq!(roster.step(Input::Remove(1)), Err(Refusal::NotPossible));
}
