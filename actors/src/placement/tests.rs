use super::*;

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
