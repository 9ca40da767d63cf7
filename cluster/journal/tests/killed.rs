//! A process that is killed at any moment has lost nothing that it acknowledged.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use tandem_journal::{Append, Config, Entity, Journal, Kind};
use tandem_kernel::{Clock, Position};

const DIR: &str = "TANDEM_JOURNAL_CRASH_DIR";
const WRITERS: u64 = 64;
const ROUNDS: u64 = 6;

/// Not a test by itself: the process that is killed. It prints each acknowledged append.
#[test]
fn the_process_that_is_killed() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let config = Config::new(&dir, Clock::start());
        let journal = Journal::open(config).await.unwrap();
        let writers: Vec<_> =
            (0..WRITERS).map(|n| tokio::spawn(write(journal.clone(), n))).collect();
        for writer in writers {
            writer.await.unwrap();
        }
    });
}

async fn write(journal: Journal, writer: u64) {
    loop {
        let append = Append {
            entity: Entity::new(Kind(1), format!("w{writer}")),
            expected: None,
            epoch: 1,
            op_id: None,
            events: vec![Bytes::from(vec![b'x'; 200])],
        };
        let appended = journal.append(append).await.unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nacked {writer} {} {}", appended.version, appended.position.index).unwrap();
        out.flush().unwrap();
    }
}

/// Runs the process until it is killed; gives (writer, version, index) of what it acknowledged.
fn killed_after(dir: &Path, life: Duration) -> Vec<(u64, u64, u64)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_process_that_is_killed", "--nocapture"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let reading = std::thread::spawn(move || {
        let acked = lines.map_while(Result::ok).filter_map(|line| {
            let numbers = line.strip_prefix("acked ")?.split(' ').map(str::parse);
            let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().ok()?;
            // The last line may be cut by the kill.
            <[u64; 3]>::try_from(numbers)
                .ok()
                .map(|[writer, version, index]| (writer, version, index))
        });
        acked.collect::<Vec<_>>()
    });
    std::thread::sleep(life);
    child.kill().unwrap();
    child.wait().unwrap();
    let mut acked = reading.join().unwrap();
    acked.pop();
    acked
}

#[tokio::test]
async fn no_acknowledged_append_is_missing_after_kills_under_load() {
    let dir = tempfile::tempdir().unwrap();
    let mut total = 0;

    for round in 0..ROUNDS {
        let life = Duration::from_millis(700 + 171 * round);
        let acked = killed_after(dir.path(), life);
        total += acked.len();

        let journal = Journal::open(Config::new(dir.path(), Clock::start())).await.unwrap();
        let records = journal.read(Position::START, usize::MAX).await.unwrap();
        for (index, record) in (1..).zip(&records) {
            assert_eq!(record.position, Position::at(index));
        }
        for (writer, version, index) in acked {
            let record = &records[usize::try_from(index).unwrap() - 1];
            assert_eq!(record.entity.key, format!("w{writer}"));
            assert_eq!(record.version, version);
        }
        journal.close().await.unwrap();
    }

    assert!(total > 500, "only {total} appends were acknowledged");
}
