#![allow(clippy::unwrap_used)]

use super::table::{Fact, Table, Task};
use super::{Copies, FileName, PIECE, PromptEvent};
use crate::entity;

fn name(text: &str) -> FileName {
    FileName::Prompt(text.to_owned())
}

fn fact(text: &str) -> Fact {
    Fact { bytes: text.len() as u64, checksum: blake3::hash(text.as_bytes()).to_hex().to_string() }
}

#[test]
fn a_file_that_changed_while_it_was_copied_is_copied_again() {
    let mut table = Table::default();
    table.exists(name("a"), fact("one"));
    let first = table.tasks();
    table.exists(name("a"), fact("two"));
    table.done(&first[0]);

    assert_eq!(table.tasks(), [Task::Have(name("a"), fact("two"))]);
    table.is_gone(name("a"));
    assert_eq!(table.tasks(), [Task::Lose(name("a"))]);
    assert!(!table.knows(&name("a")));
    table.done(&Task::Lose(name("a")));
    assert_eq!(table.tasks(), []);
}

#[tokio::test]
async fn pieces_are_read_to_the_end_and_no_name_leads_out_of_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let copies = Copies::new(dir.path().join("messages"), dir.path().to_owned(), true);
    let whole: Vec<u8> = (0..PIECE + 7).map(|at| (at % 251) as u8).collect();
    std::fs::write(dir.path().join("a.wav"), &whole).unwrap();

    let first = copies.piece(&name("a"), 0).await.unwrap();
    let second = copies.piece(&name("a"), PIECE as u64).await.unwrap();
    assert_eq!([&first[..], &second[..]].concat(), whole);
    assert!(copies.piece(&name("a"), whole.len() as u64).await.unwrap().is_empty());
    assert!(copies.piece(&name("b"), 0).await.is_none());
    for bad in ["../a", "a/b", "", ".."] {
        assert!(copies.piece(&name(bad), 0).await.is_none(), "{bad}");
    }
}

#[test]
fn the_bytes_of_events_stay_readable() {
    let at = tandem_kernel::Timestamp::from_micros(1_700_000_000_000_000);
    let written = PromptEvent::Written { at, bytes: 7, checksum: "ab".to_owned() };
    let golden: [(&PromptEvent, &[u8]); 2] =
        [(&written, GOLDEN_WRITTEN), (&PromptEvent::Removed { at }, GOLDEN_REMOVED)];
    for (event, bytes) in golden {
        assert_eq!(&entity::encode(event)[..], bytes, "{event:?}");
        assert_eq!(&entity::decode::<PromptEvent>(bytes).unwrap(), event);
    }
}

const GOLDEN_WRITTEN: &[u8] = &[1, 0, 0, 253, 0, 64, 30, 24, 36, 10, 6, 0, 7, 2, 97, 98];
const GOLDEN_REMOVED: &[u8] = &[1, 0, 1, 253, 0, 64, 30, 24, 36, 10, 6, 0];
