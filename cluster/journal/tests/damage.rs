//! Damage is found and said, never read.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tandem_journal::{Append, Config, Entity, Journal, Kind, OpenError};
use tandem_kernel::{Clock, Position};

const RECORDS: u64 = 3_000;

fn config(dir: &Path) -> Config {
    Config::new(dir, Clock::start())
}

async fn filled(dir: &Path) {
    let journal = Journal::open(config(dir)).await.unwrap();
    let append = |n: u64| Append {
        entity: Entity::new(Kind(1), format!("e{}", n % 50)),
        expected: None,
        epoch: 1,
        op_id: Some(u128::from(n)),
        events: vec![Bytes::from(format!("event {n} {}", "x".repeat(300)))],
    };
    let pending: Vec<_> = (0..RECORDS).map(|n| journal.append(append(n))).collect();
    for outcome in pending {
        outcome.await.unwrap();
    }
    journal.close().await.unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What a damaged journal did: said so, or still held every record as it was written.
#[derive(Debug, PartialEq)]
enum Found {
    Said(String),
    Whole,
}

async fn examine(dir: &Path) -> Found {
    match Journal::open(config(dir)).await {
        Err(OpenError::Damaged { what, place }) => Found::Said(format!("{what} in {place}")),
        Err(other) => panic!("not said to be damaged: {other}"),
        Ok(journal) => {
            let records = journal.read(Position::START, usize::MAX).await.unwrap();
            assert_eq!(u64::try_from(records.len()).unwrap(), RECORDS, "records are missing");
            for (n, record) in (0..).zip(&records) {
                assert!(record.event.starts_with(format!("event {n} ").as_bytes()));
            }
            journal.close().await.unwrap();
            Found::Whole
        }
    }
}

async fn damaged_copy(source: &Path, file: &str, damage: impl Fn(&mut Vec<u8>)) -> Found {
    let dir = tempfile::tempdir().unwrap();
    copy(source, dir.path());
    let path: PathBuf = dir.path().join(file);
    let mut bytes = fs::read(&path).unwrap();
    damage(&mut bytes);
    fs::write(&path, bytes).unwrap();
    examine(dir.path()).await
}

#[tokio::test]
async fn a_flipped_bit_is_said_or_harmless_but_never_loses_or_changes_a_record() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path()).await;

    let mut said = 0;
    for file in ["log/db", "state/db"] {
        let len = fs::read(dir.path().join(file)).unwrap().len();
        for step in 1..=16 {
            // Spread over the file, away from page boundaries.
            let at = len * step / 17 + 37;
            let found = damaged_copy(dir.path(), file, |bytes| bytes[at] ^= 0x10).await;
            if let Found::Said(words) = found {
                assert!(words.contains("db"), "no place in {words}");
                said += 1;
            }
        }
    }
    assert!(said > 0, "no flip was noticed");
}

#[tokio::test]
async fn a_truncated_file_is_said() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path()).await;

    let mut said = 0;
    for file in ["log/db", "state/db"] {
        for percent in [10, 30, 50, 70, 90, 99] {
            let cut = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() * percent / 100);
            if let Found::Said(_) = damaged_copy(dir.path(), file, cut).await {
                said += 1;
            }
        }
    }
    assert_eq!(said, 12);
}

#[tokio::test]
async fn a_lost_database_is_said() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path()).await;

    fs::remove_dir_all(dir.path().join("log")).unwrap();

    assert!(matches!(examine(dir.path()).await, Found::Said(_)));
}

#[tokio::test]
async fn a_lost_state_is_made_again_from_the_log() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path()).await;

    fs::remove_dir_all(dir.path().join("state")).unwrap();

    assert_eq!(examine(dir.path()).await, Found::Whole);
}

/// Where the databases' own tables of pages are, which each start after the first writes.
fn tables_of_pages(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for store in ["log", "state"] {
        for entry in fs::read_dir(dir.join(store)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.starts_with("snap.") {
                found.push(format!("{store}/{name}"));
            }
        }
    }
    found
}

#[tokio::test]
async fn a_damaged_table_of_pages_is_said_and_a_lost_one_loses_no_record() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path()).await;
    assert_eq!(examine(dir.path()).await, Found::Whole);

    let tables = tables_of_pages(dir.path());
    assert_eq!(tables.len(), 2, "{tables:?}");
    for table in tables {
        let len = fs::read(dir.path().join(&table)).unwrap().len();
        for step in 0..8 {
            let flip = |bytes: &mut Vec<u8>| bytes[len * step / 8] ^= 0x10;
            let found = damaged_copy(dir.path(), &table, flip).await;
            assert!(matches!(found, Found::Said(_)), "{table}, flipped at {step} of 8");
        }
        for keep in [0, len / 2, len - 1] {
            let found = damaged_copy(dir.path(), &table, |bytes| bytes.truncate(keep)).await;
            assert!(matches!(found, Found::Said(_)), "{table}, cut to {keep}");
        }
        let lost = tempfile::tempdir().unwrap();
        copy(dir.path(), lost.path());
        fs::remove_file(lost.path().join(&table)).unwrap();
        examine(lost.path()).await;
    }
}
