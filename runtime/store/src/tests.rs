#![allow(clippy::unwrap_used)]

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use crate::file::{Reader, Writer};
use crate::gather::Gathering;
use crate::large::LargePages;
use crate::memory::Disk;
use crate::{Batch, MAX_VALUE_BYTES, Options, Store, StoreError, Table};

const FIRST: Table = Table::new(b'a', "first");
const SECOND: Table = Table::new(b'b', "second");
const TABLES: [Table; 2] = [FIRST, SECOND];

fn open(dir: &Path) -> Result<Store, StoreError> {
    Store::open(dir, &Options::default())
}

fn put(store: &Store, table: Table, key: &[u8], value: &[u8]) {
    let mut batch = Batch::default();
    batch.put(table, key, value);
    store.apply(batch).unwrap();
}

fn keys(store: &Store, table: Table, from: &[u8]) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let scanned = store.scan(table, from, |key, _| {
        keys.push(key.to_vec());
        ControlFlow::Continue(())
    });
    scanned.unwrap();
    keys
}

#[test]
fn tables_do_not_see_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    for key in [b"1", b"3", b"5"] {
        put(&store, FIRST, key, key);
    }
    put(&store, SECOND, b"0", b"other");

    assert_eq!(keys(&store, FIRST, b""), [b"1", b"3", b"5"]);
    assert_eq!(keys(&store, FIRST, b"2"), [b"3", b"5"]);
    assert_eq!(store.floor(FIRST, b"4").unwrap().unwrap().0, b"3");
    assert_eq!(store.floor(SECOND, b"/").unwrap(), None);
    assert_eq!(store.first(FIRST).unwrap().unwrap().0, b"1");
    assert_eq!(&*store.last(FIRST).unwrap().unwrap().1, b"5");
    assert_eq!(store.get(SECOND, b"1").unwrap(), None);
}

#[test]
fn a_batch_is_there_as_a_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    put(&store, FIRST, b"old", b"1");
    let mut batch = Batch::default();
    batch.remove(FIRST, b"old");
    batch.put(SECOND, b"large", &vec![0; MAX_VALUE_BYTES]);

    let refused = store.apply(batch).unwrap_err();

    assert!(matches!(refused, StoreError::TooLarge { table: "second", len: MAX_VALUE_BYTES }));
    assert_eq!(keys(&store, FIRST, b""), [b"old"]);
}

#[test]
fn what_was_synced_is_there_after_a_close() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    put(&store, FIRST, b"key", b"value");
    store.sync().unwrap();

    store.close().unwrap();
    assert!(matches!(store.get(FIRST, b"key"), Err(StoreError::Closed)));
    let store = open(dir.path()).unwrap();

    assert_eq!(&*store.get(FIRST, b"key").unwrap().unwrap(), b"value");
    assert!(store.size().unwrap() > 0);
}

#[test]
fn many_callers_are_synced_by_one_thread_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let (done, order) = std::sync::mpsc::channel();

    for number in 0..1_000_u32 {
        put(&store, FIRST, &number.to_be_bytes(), b"v");
        let done = done.clone();
        store.sync_then(Box::new(move |outcome| {
            done.send((number, outcome.is_ok())).unwrap();
        }));
    }
    drop(done);

    let expected: Vec<_> = (0..1_000).map(|number| (number, true)).collect();
    assert_eq!(order.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_store_that_is_open_is_not_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();

    let refused = open(dir.path()).err().unwrap();

    assert!(matches!(refused, StoreError::InUse(_)));
    assert!(refused.to_string().contains("in use by another process"));
    drop(store);
    open(dir.path()).unwrap();
}

/// A store of a hundred values, closed; gives the bytes of its file.
fn filled(dir: &Path) -> Vec<u8> {
    let store = open(dir).unwrap();
    for number in 0..100_u32 {
        put(&store, FIRST, &number.to_be_bytes(), &[0x5a; 500]);
    }
    assert!(store.verify(&TABLES, |_, _, _| Ok(())).unwrap().is_whole());
    store.close().unwrap();
    fs::read(dir.join("db")).unwrap()
}

#[test]
fn a_flipped_bit_is_never_read_and_has_a_place() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = filled(dir.path());
    let values: Vec<usize> =
        (0..bytes.len() - 400).filter(|at| bytes[*at..at + 400] == [0x5a; 400]).collect();
    assert!(!values.is_empty());

    for at in values.iter().step_by(values.len() / 8 + 1) {
        let copy = tempfile::tempdir().unwrap();
        let mut damaged = bytes.clone();
        damaged[*at] ^= 1;
        fs::write(copy.path().join("db"), damaged).unwrap();
        fs::copy(dir.path().join("conf"), copy.path().join("conf")).unwrap();

        let problems = match open(copy.path()) {
            Err(StoreError::Damaged { place, .. }) => vec![place],
            Err(other) => panic!("{other}"),
            Ok(store) => {
                let report = store.verify(&TABLES, |_, _, value| {
                    assert_eq!(value, [0x5a; 500]);
                    Ok(())
                });
                report.unwrap().problems.into_iter().map(|problem| problem.place).collect()
            }
        };

        assert!(problems.iter().all(|place| place.contains("db")), "{problems:?}");
    }
}

#[test]
fn a_truncated_database_is_said_to_be_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = filled(dir.path());

    for percent in [0, 10, 50, 90, 99] {
        let cut = &bytes[..bytes.len() * percent / 100];
        fs::write(dir.path().join("db"), cut).unwrap();

        let refused = open(dir.path()).err().unwrap();
        assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
    }
    fs::write(dir.path().join("db"), bytes).unwrap();
    open(dir.path()).unwrap();
}

#[test]
fn a_check_may_object_to_a_value() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    put(&store, SECOND, b"k", b"wrong");

    let report =
        store.verify(
            &TABLES,
            |_, _, value| {
                if value == b"wrong" { Err("not right".to_owned()) } else { Ok(()) }
            },
        );

    let problem = report.unwrap().problems.remove(0);
    assert_eq!(problem.what, "not right");
    assert!(problem.place.ends_with("table second, key 6b"), "{}", problem.place);
}

#[test]
fn a_file_comes_back_frame_by_frame() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("copy");
    let mut writer = Writer::create(&path).unwrap();
    for frame in [b"one".as_slice(), b"", &[7; 70_000]] {
        writer.frame(frame).unwrap();
    }
    assert!(!path.exists());
    writer.finish().unwrap();

    let mut reader = Reader::open(&path).unwrap();

    assert_eq!(reader.frame().unwrap().unwrap(), b"one");
    assert_eq!(reader.frame().unwrap().unwrap(), b"");
    assert_eq!(reader.frame().unwrap().unwrap(), [7; 70_000]);
    assert_eq!(reader.frame().unwrap(), None);
    assert_eq!(reader.frame().unwrap(), None);
}

#[test]
fn no_damage_of_a_file_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("copy");
    let mut writer = Writer::create(&path).unwrap();
    writer.frame(b"one").unwrap();
    writer.frame(b"two").unwrap();
    writer.finish().unwrap();
    let bytes = fs::read(&path).unwrap();
    let is_damaged = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let frames = || {
            let mut reader = Reader::open(&path)?;
            while reader.frame()?.is_some() {}
            Ok(())
        };
        matches!(frames(), Err(StoreError::Damaged { .. }))
    };

    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x40;
        assert!(is_damaged(&flipped), "byte {at}");
        assert!(is_damaged(&bytes[..at]), "cut at {at}");
    }
    assert!(!is_damaged(&bytes));
}

#[test]
fn the_bytes_of_a_file_are_frozen() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("copy");
    let mut writer = Writer::create(&path).unwrap();
    writer.frame(b"ab").unwrap();
    writer.finish().unwrap();

    let golden = [
        b"TNDF\x01\x00".as_slice(),
        &[2, 0, 0, 0, 0x6d, 0x48, 0x83, 0x9e, b'a', b'b'],
        &[0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    assert_eq!(fs::read(&path).unwrap()[..golden.len()], golden);
}

#[test]
fn a_simulated_disk_keeps_what_was_synced_and_the_first_of_the_rest_when_the_power_goes() {
    let held = Arc::new(parking_lot::Mutex::new(Vec::<Box<dyn FnOnce() + Send>>::new()));
    let queue = Arc::clone(&held);
    let disk = Disk::new(Arc::new(move |work| queue.lock().push(work)));
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_on(&disk, dir.path()).unwrap();
    let keys = |store: &Store| {
        let mut keys = Vec::new();
        let scanned = store.scan(FIRST, &[], |key, _| {
            keys.push(key.to_vec());
            ControlFlow::Continue(())
        });
        scanned.unwrap();
        keys
    };
    let synced = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&synced);

    put(&store, FIRST, b"a", b"1");
    store.sync_then(Box::new(move |_| told.store(true, Ordering::Relaxed)));
    for key in [b"b", b"c", b"d"] {
        put(&store, FIRST, key, b"1");
    }
    assert!(!synced.load(Ordering::Relaxed));
    for work in held.lock().drain(..) {
        work();
    }
    assert!(synced.load(Ordering::Relaxed));
    assert_eq!(keys(&store), [b"a", b"b", b"c", b"d"]);
    disk.lose_power(1);

    let store = Store::open_on(&disk, dir.path()).unwrap();
    assert_eq!(keys(&store), [b"a", b"b"]);
}

fn write(key: &[u8], value: Option<&[u8]>) -> crate::database::Writes {
    vec![(key.to_vec(), value.map(<[u8]>::to_vec))]
}

#[test]
fn batches_that_gather_are_visible_at_once_and_written_together() {
    let db = sled::Config::new().temporary(true).open().unwrap();
    let gathering = Gathering::new(db.clone(), true);

    assert!(gathering.apply(write(b"a", Some(b"1"))).unwrap(), "somebody must settle it");
    assert!(!gathering.apply(write(b"b", Some(b"2"))).unwrap(), "that is known by now");
    assert!(!gathering.apply(write(b"a", None)).unwrap());

    assert_eq!(gathering.get(b"a").unwrap(), None);
    assert_eq!(gathering.get(b"b").unwrap().unwrap(), b"2");
    assert!(db.is_empty());
    gathering.settle().unwrap();
    assert_eq!((db.len(), db.get(b"b").unwrap().unwrap()), (1, b"2".into()));
    assert_eq!(gathering.get(b"b").unwrap().unwrap(), b"2");
}

#[test]
fn what_gathers_is_bounded() {
    let db = sled::Config::new().temporary(true).open().unwrap();
    let gathering = Gathering::new(db.clone(), true);

    for key in 0..1_000_u16 {
        gathering.apply(write(&key.to_be_bytes(), Some(b"small"))).unwrap();
    }
    assert!(db.len() > 700, "{}", db.len());
    let before = db.len();
    for key in 1_000..1_010_u16 {
        gathering.apply(write(&key.to_be_bytes(), Some(&[7; 60_000]))).unwrap();
    }
    assert!(db.len() >= before + 5, "{} {before}", db.len());
}

#[test]
fn a_removal_that_gathers_hides_what_is_in_the_database_from_every_reader() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    for key in [b"1", b"2", b"3"] {
        put(&store, FIRST, key, key);
    }
    store.sync().unwrap();
    let mut batch = Batch::default();
    batch.remove(FIRST, b"1");
    batch.remove(FIRST, b"3");
    store.apply(batch).unwrap();

    assert_eq!(store.get(FIRST, b"1").unwrap(), None);
    assert_eq!(keys(&store, FIRST, b""), [b"2"]);
    assert_eq!(store.floor(FIRST, b"9").unwrap().unwrap().0, b"2");
    assert_eq!(store.first(FIRST).unwrap().unwrap().0, b"2");
    assert_eq!(store.last(FIRST).unwrap().unwrap().0, b"2");
    assert_eq!(store.verify(&TABLES, |_, _, _| Ok(())).unwrap().entries, 1);
}

#[test]
fn what_gathers_is_written_when_the_last_owner_goes() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    put(&store, FIRST, b"key", b"value");
    drop(store);

    let store = open(dir.path()).unwrap();
    assert_eq!(&*store.get(FIRST, b"key").unwrap().unwrap(), b"value");
}

/// A large page lies in a file of its own; where that can not be written, the database waits for
/// the page without end.
#[test]
fn a_write_that_failed_holds_up_neither_readers_nor_who_closes() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    fs::remove_dir_all(dir.path().join("blobs")).unwrap();
    let (done, ended) = std::sync::mpsc::channel();
    let user = std::thread::spawn(move || {
        let failed = (0..100).find_map(|key| {
            let mut batch = Batch::default();
            batch.put(FIRST, &[key], &[key; 60_000]);
            store.apply(batch).err()
        });
        let refused = (store.get(FIRST, &[200]).is_err(), store.sync().is_err());
        done.send((failed.is_some(), refused, store.close().is_err())).unwrap();
    });
    let told = ended.recv_timeout(Duration::from_secs(60));
    assert_eq!(told, Ok((true, (true, true), true)));
    user.join().unwrap();
}

#[test]
fn the_files_of_large_pages_are_synced_once() {
    let dir = tempfile::tempdir().unwrap();
    // Without the database's own thread, which may move pages.
    let options = Options { flush_every_ms: None, ..Options::default() };
    let store = Store::open(dir.path(), &options).unwrap();
    let mut large = LargePages::new(dir.path());
    let mut after = |keys: std::ops::Range<u8>| {
        for key in keys {
            put(&store, FIRST, &[key], &[key; 20_000]);
        }
        store.sync().unwrap();
        let new = large.new_ones(SystemTime::now()).unwrap();
        large.sync(&new).unwrap();
        let again = large.new_ones(SystemTime::now()).unwrap();
        assert!(again.is_empty(), "{again:?}");
        new
    };
    let first = after(0..40);
    assert!(!first.is_empty(), "no page was large");
    let second = after(40..80);
    assert!(!second.is_empty() && second.iter().all(|file| !first.contains(file)));

    large.sync(&[dir.path().join("blobs/gone")]).unwrap();
}
