use tandem_actors::entity;
use tandem_mesh::placement::Change;

#[test]
fn the_bytes_of_a_change_are_for_ever() {
    let changes = [Change::Join(2), Change::Leave(300), Change::Drain(1), Change::HandOn(2)];
    let bytes = changes.map(|it| entity::encode(&it));

    assert_eq!(
        bytes.map(|it| it.to_vec()),
        [vec![1, 0, 0, 2], vec![1, 0, 1, 251, 44, 1], vec![1, 0, 2, 1], vec![1, 0, 3, 2]]
    );
}
