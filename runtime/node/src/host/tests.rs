use tandem_kernel::Timestamp;

use super::machine::{Room, room, set_by};

#[test]
fn a_node_that_was_full_waits_for_a_quarter_more_than_its_reserve() {
    assert_eq!(room(Room::Enough, 1_000, 100), Room::Enough);
    assert_eq!(room(Room::Enough, 799, 100), Room::Scarce);
    assert_eq!(room(Room::Scarce, 99, 100), Room::Full);
    assert_eq!(room(Room::Full, 124, 100), Room::Full);
    assert_eq!(room(Room::Full, 125, 100), Room::Scarce);
    assert_eq!(room(Room::Full, 900, 100), Room::Enough);
    assert_eq!(room(Room::Enough, 0, 0), Room::Enough);
}

#[test]
fn a_clock_that_was_set_is_seen_and_one_that_was_wrong_from_the_start_is_not() {
    let (node, hour) = (Timestamp::from_secs(100_000), 3_600);
    let system = |secs: u64| Timestamp::from_secs(secs);
    assert_eq!(set_by(node, system(100_001), 0), None);
    assert_eq!(set_by(node, system(100_000 + hour), 0), Some(3_600));
    assert_eq!(set_by(node, system(100_000 - hour), 0), Some(-3_600));
    assert_eq!(set_by(node, system(100_000 + hour), 3_600_000_000), None);
    assert_eq!(set_by(node, system(100_000), 3_600_000_000), Some(-3_600));
}
