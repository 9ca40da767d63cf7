use super::*;
use crate::entity;

#[test]
fn who_was_moved_since_the_last_look_is_named_once() {
    let mut moves = Moves::default();
    let first = moves.look(["1001", "1002"], |_| 7);
    let then = moves.look(["1001", "1002"], |key| if key == "1002" { 9 } else { 7 });
    let again = moves.look(["1001", "1002"], |key| if key == "1002" { 9 } else { 7 });

    assert_eq!((first.len(), then, again.len()), (0, vec!["1002".to_owned()], 0));
}

#[test]
fn who_comes_back_was_not_moved() {
    let mut moves = Moves::default();
    moves.look(["1001"], |_| 7);
    moves.look([], |_| 7);

    assert!(moves.look(["1001"], |_| 9).is_empty());
}

#[test]
fn an_owner_whose_successor_was_heard_is_one_no_more() {
    let seat = Seat { member: Some(1), epoch: 7 };
    let mut heard = Heard::default();
    let mut owner = |said: u64| {
        heard.note(entity::QUEUE, "6400", said);
        let of_others = heard.epoch(entity::QUEUE, "6401");
        assert_eq!(seat.owner(1, true, of_others), Owner::Here { epoch: 7 });
        seat.owner(1, true, heard.epoch(entity::QUEUE, "6400"))
    };

    assert_eq!(owner(6), Owner::Here { epoch: 7 });
    assert_eq!(owner(8), Owner::Nobody, "the table does not tell here yet");
    assert_eq!(seat.owner(2, true, 8), Owner::There(1));
}
