//! The journal as its users see it.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use bytes::Bytes;
use futures::FutureExt;
use tandem_journal::{
    Append, AppendError, Config, Entity, Journal, Kind, OpenError, ReadError, Record,
};
use tandem_kernel::{Clock, Position};

fn entity(key: &str) -> Entity {
    Entity::new(Kind(1), key)
}

fn append(key: &str, events: &[&'static str]) -> Append {
    Append {
        entity: entity(key),
        expected: None,
        epoch: 1,
        op_id: None,
        events: events.iter().map(|event| Bytes::from_static(event.as_bytes())).collect(),
    }
}

async fn open(dir: &Path) -> Journal {
    Journal::open(Config::new(dir, Clock::start())).await.unwrap()
}

fn texts(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| std::str::from_utf8(&record.event).unwrap()).collect()
}

#[tokio::test]
async fn appends_are_read_back_in_order_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).await;

    let first = journal.append(append("a", &["1", "2"])).await.unwrap();
    let second = journal.append(append("b", &["3"])).await.unwrap();
    let before = journal.read(Position::START, 10).await.unwrap();
    journal.close().await.unwrap();
    let journal = open(dir.path()).await;
    let after = journal.read(Position::START, 10).await.unwrap();

    assert_eq!((first.position, first.version), (Position::at(2), 2));
    assert_eq!((second.position, second.version), (Position::at(3), 1));
    assert_eq!(texts(&after), ["1", "2", "3"]);
    assert_eq!(before, after);
    assert_eq!(journal.head(), Position::at(3));
    assert_eq!(texts(&journal.read(Position::at(1), 1).await.unwrap()), ["2"]);
}

#[tokio::test]
async fn an_append_is_refused_when_the_version_moved_or_the_epoch_is_stale() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).await;
    journal.append(Append { epoch: 5, ..append("a", &["1"]) }).await.unwrap();

    let moved = Append { expected: Some(0), epoch: 5, ..append("a", &["2"]) };
    let stale = Append { epoch: 4, ..append("a", &["2"]) };
    let fine = Append { expected: Some(1), epoch: 5, ..append("a", &["2"]) };

    let conflict = AppendError::VersionConflict { actual: 1 };
    assert_eq!(journal.append(moved).await, Err(conflict));
    assert_eq!(journal.append(stale).await, Err(AppendError::StaleEpoch { current: 5 }));
    assert_eq!(journal.append(fine).await.unwrap().version, 2);
    assert_eq!(journal.head(), Position::at(2));
}

#[tokio::test]
async fn a_repeated_operation_gets_the_first_result_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).await;
    let operation = Append { expected: Some(0), op_id: Some(7), ..append("a", &["1", "2"]) };

    let first = journal.append(operation.clone()).await.unwrap();
    let again = journal.append(operation.clone()).await.unwrap();
    journal.close().await.unwrap();
    let journal = open(dir.path()).await;
    let later = journal.append(operation).await.unwrap();

    assert_eq!([again, later], [first, first]);
    assert_eq!(journal.head(), Position::at(2));
}

#[tokio::test]
async fn what_the_journal_can_not_take_is_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).await;
    let large = Append { events: vec![Bytes::from(vec![0; 70_000])], ..append("a", &[]) };
    let key = "k".repeat(257);

    assert_eq!(journal.append(append("a", &[])).await, Err(AppendError::Empty));
    assert_eq!(journal.append(large).await, Err(AppendError::TooLarge));
    assert_eq!(journal.append(append(&key, &["1"])).await, Err(AppendError::TooLarge));
    journal.clone().close().await.unwrap();
    assert_eq!(journal.append(append("a", &["1"])).await, Err(AppendError::Closed));
    assert_eq!(journal.load(&entity("a")).await, Err(ReadError::Closed));
}

#[tokio::test]
async fn more_appends_than_may_wait_are_refused_and_the_others_commit_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).await;

    let mut versions = Vec::new();
    let mut pending = Vec::new();
    let refusal = loop {
        let mut outcome = journal.append(append("a", &["x"]));
        match (&mut outcome).now_or_never() {
            Some(Err(refused)) => break refused,
            Some(Ok(appended)) => versions.push(appended.version),
            None => pending.push(outcome),
        }
    };
    assert_eq!(refusal, AppendError::Overloaded);
    let mut waited = Vec::new();
    for outcome in pending {
        waited.push(outcome.await.unwrap().version);
    }
    assert!(waited.is_sorted());
    versions.extend(waited);
    versions.sort_unstable();

    assert!(versions.len() >= journal.capacity());
    let expected: Vec<u64> = (1..=u64::try_from(versions.len()).unwrap()).collect();
    assert_eq!(versions, expected);
}

#[tokio::test]
async fn the_largest_appends_fit_together() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).await;
    let large = || Append { events: vec![Bytes::from(vec![7; 65_000])], ..append("a", &[]) };
    let many = || Append { events: vec![Bytes::from_static(b"x"); 900], ..append("b", &[]) };

    let pending: Vec<_> =
        (0..10).flat_map(|_| [journal.append(large()), journal.append(many())]).collect();
    for outcome in pending {
        outcome.await.unwrap();
    }
    journal.close().await.unwrap();

    let journal = open(dir.path()).await;
    let (_, records) = journal.load(&entity("b")).await.unwrap();
    assert_eq!(records.len(), 9_000);
    assert_eq!(journal.load(&entity("a")).await.unwrap().1.len(), 10);
}

#[tokio::test]
async fn an_entity_is_loaded_from_its_snapshot_and_the_records_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).await;
    for _ in 0..100 {
        journal.append(append("10", &["x", "y"])).await.unwrap();
        drop(journal.append(append("100", &["other"])));
    }

    for (at, parts) in [(0_u64, 0_usize), (1, 1), (64, 10), (150, 200_000), (200, 3)] {
        let bytes = Bytes::from(vec![9; parts]);
        journal.snapshot(&entity("10"), at, bytes.clone()).await.unwrap();
        let (snapshot, records) = journal.load(&entity("10")).await.unwrap();

        assert_eq!(snapshot.map(|found| (found.version, found.bytes)), Some((at, bytes)));
        let versions: Vec<u64> = records.iter().map(|record| record.version).collect();
        assert_eq!(versions, (at + 1..=200).collect::<Vec<_>>());
        assert!(records.iter().all(|record| record.entity == entity("10")));
    }
    assert_eq!(journal.load(&entity("nobody")).await.unwrap(), (None, Vec::new()));
}

#[tokio::test]
async fn a_subscription_has_no_gap_and_no_double_from_memory_disk_and_restart() {
    const RECORDS: u64 = 20_000;
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).await;
    let mut quick = journal.subscribe(Position::START);
    let writer = journal.clone();
    let writing = tokio::spawn(async move {
        for _ in 0..RECORDS / 200 {
            let pending = [(); 100].map(|()| writer.append(append("a", &["x", "y"])));
            for outcome in pending {
                outcome.await.unwrap();
            }
        }
    });

    let mut slow = journal.subscribe(Position::at(5));
    for index in 1..=RECORDS {
        assert_eq!(quick.next().await.unwrap().position, Position::at(index));
    }
    writing.await.unwrap();
    for index in 6..=RECORDS / 2 {
        assert_eq!(slow.next().await.unwrap().position, Position::at(index));
    }
    let reached = slow.position();
    journal.close().await.unwrap();
    assert_eq!(quick.next().await, Err(ReadError::Closed));
    let journal = open(dir.path()).await;
    let mut resumed = journal.subscribe(reached);
    for index in RECORDS / 2 + 1..=RECORDS {
        assert_eq!(resumed.next().await.unwrap().position, Position::at(index));
    }
}

#[tokio::test]
async fn a_journal_is_opened_by_one_process_and_one_node_only() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).await;

    let second = Journal::open(Config::new(dir.path(), Clock::start())).await;
    assert!(matches!(second, Err(OpenError::InUse(_))));

    journal.close().await.unwrap();
    let other = Config { node: 2, ..Config::new(dir.path(), Clock::start()) };
    assert!(matches!(Journal::open(other).await, Err(OpenError::WrongNode { owner: 1, .. })));
}

#[tokio::test]
async fn the_log_is_compacted_and_the_journal_stays_whole() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).await;
    // Two at a time are an entry or two, so this is at least half as many entries.
    for _ in 0..5_000 {
        let pending = [(); 2].map(|()| journal.append(append("a", &["x"])));
        for outcome in pending {
            outcome.await.unwrap();
        }
    }
    journal.close().await.unwrap();

    let report = Journal::verify(dir.path()).unwrap();
    assert_eq!(report.problems, []);
    assert_eq!(report.records, 10_000);
    assert!(report.entries < 4_000, "{} entries are left", report.entries);
    let journal = open(dir.path()).await;
    assert_eq!(journal.load(&entity("a")).await.unwrap().1.len(), 10_000);
}

#[tokio::test]
async fn a_verification_counts_what_it_read_and_needs_the_journal_closed() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).await;
    journal.append(append("a", &["1", "2", "3"])).await.unwrap();

    assert!(matches!(Journal::verify(dir.path()), Err(OpenError::InUse(_))));
    journal.close().await.unwrap();
    let report = Journal::verify(dir.path()).unwrap();

    assert_eq!((report.records, report.problems), (3, vec![]));
}

#[tokio::test]
async fn a_journal_of_which_nothing_is_left_is_damaged_and_does_not_begin_anew() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).await;
    journal.append(append("a", &["1"])).await.unwrap();
    journal.close().await.unwrap();
    for part in ["log", "state"] {
        std::fs::remove_dir_all(dir.path().join(part)).unwrap();
    }

    let verified = Journal::verify(dir.path()).unwrap();
    let opened = Journal::open(Config::new(dir.path(), Clock::start())).await;

    assert_eq!(verified.problems.len(), 1, "{verified:?}");
    assert!(matches!(opened, Err(OpenError::Damaged { .. })));
}

#[tokio::test]
async fn a_journal_on_a_full_disk_takes_what_must_not_be_forgotten_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).await;
    journal.hold(true);

    let refused = journal.append(append("a", &["1"])).await.unwrap_err();
    let kept = journal.keep(append("a", &["2"])).await;
    journal.hold(false);
    let taken = journal.append(append("a", &["3"])).await;

    assert_eq!(refused, AppendError::NoSpace);
    assert!(kept.is_ok() && taken.is_ok());
    assert_eq!(texts(&journal.read(Position::START, 10).await.unwrap()), ["2", "3"]);
}
