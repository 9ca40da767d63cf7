//! The journal of 1, 3 and 5 members beside the disk that it is on, and how long a question from
//! one member to another takes.
//!
//! `tandem-cluster-load SECS [FOLDER]`
//!
//! All members are in this process, on loopback and on one disk, so each of them costs syncs and
//! processor time of the same machine. A write is one event of 200 octets by the follower with the
//! highest number (by the only member where there is one); each writer waits for its
//! acknowledgement before the next. Prints a table.

// The one who runs it reads the line.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod group;

use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tandem_journal::{Append, Entity, Journal, Kind};
use tandem_mesh::{Lane, Mesh};
use tokio::task::JoinSet;

use self::group::Member;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const MEMBERS: [u64; 3] = [1, 3, 5];
const WRITERS: [usize; 3] = [1, 16, 128];
/// Octets of an event, and of a question.
const OCTETS: usize = 200;
/// Octets that are written before each sync of the bare disk, as a group of the log's has.
const BLOCK: usize = 4_096;
const QUESTIONS: usize = 5_000;

/// How often the bare disk syncs a small write, a second.
fn raw_syncs(dir: &Path, during: Duration) -> Result<f64> {
    let mut file = File::create(dir.join("raw"))?;
    let block = vec![0x55; BLOCK];
    let (began, mut syncs) = (Instant::now(), 0_u32);
    while began.elapsed() < during {
        file.write_all(&block)?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok(f64::from(syncs) / began.elapsed().as_secs_f64())
}

struct Written {
    per_sec: f64,
    p50: Duration,
    p99: Duration,
}

async fn writes(journal: &Journal, writers: usize, during: Duration) -> Result<Written> {
    let until = Instant::now() + during;
    let number = Arc::new(AtomicU64::new(rand_start()));
    let mut tasks = JoinSet::new();
    for _ in 0..writers {
        let (journal, number) = (journal.clone(), Arc::clone(&number));
        tasks.spawn(async move {
            let event = Bytes::from(vec![b'x'; OCTETS]);
            let mut took = Vec::new();
            while Instant::now() < until {
                let number = number.fetch_add(1, Ordering::Relaxed);
                let began = Instant::now();
                let append = Append {
                    entity: Entity::new(Kind(1), number.to_string()),
                    expected: Some(0),
                    epoch: 0,
                    op_id: Some(u128::from(number)),
                    events: vec![event.clone()],
                };
                journal.append(append).await?;
                took.push(began.elapsed());
            }
            Result::Ok(took)
        });
    }
    let mut all = Vec::new();
    while let Some(took) = tasks.join_next().await {
        all.extend(took??);
    }
    all.sort_unstable();
    let count = u32::try_from(all.len())?;
    Ok(Written {
        per_sec: f64::from(count) / during.as_secs_f64(),
        p50: share(&all, 50),
        p99: share(&all, 99),
    })
}

/// Runs begin behind each other, so that no entity is there twice.
fn rand_start() -> u64 {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    RUNS.fetch_add(1 << 32, Ordering::Relaxed)
}

fn share(sorted: &[Duration], percent: usize) -> Duration {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

/// How long the echo of another member takes, one question after the other.
async fn questions(from: &Mesh, to: u64) -> Result<Vec<Duration>> {
    let question = Bytes::from(vec![b'x'; OCTETS]);
    let mut took = Vec::with_capacity(QUESTIONS);
    for _ in 0..QUESTIONS {
        let began = Instant::now();
        from.ask(to, Lane::Actors, question.clone(), Duration::from_secs(5)).await?;
        took.push(began.elapsed());
    }
    took.sort_unstable();
    Ok(took)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

async fn run(during: Duration, home: &Path) -> Result<()> {
    let raw = raw_syncs(home, during)?;
    println!("the bare disk: {raw:.0} syncs a second of {BLOCK} octets\n");
    println!("| members | writers | writes/s | to the disk's syncs | p50 ms | p99 ms |");
    println!("|---|---|---|---|---|---|");
    for count in MEMBERS {
        let members = group::start(&home.join(count.to_string()), count).await?;
        let writer = &members.last().ok_or("no member")?.journal;
        for writers in WRITERS {
            let Written { per_sec, p50, p99 } = writes(writer, writers, during).await?;
            let (ratio, p50, p99) = (per_sec / raw, millis(p50), millis(p99));
            println!("| {count} | {writers} | {per_sec:.0} | {ratio:.2} | {p50:.2} | {p99:.2} |");
        }
        if let [.., asks, asked] = members.as_slice() {
            ask(asks, asked, count, during).await?;
        }
        group::stop(members).await?;
    }
    let raw = raw_syncs(home, during)?;
    println!("\nthe bare disk afterwards: {raw:.0} syncs a second");
    Ok(())
}

/// Questions at rest, and beside 128 writers.
async fn ask(from: &Member, to: &Member, count: u64, during: Duration) -> Result<()> {
    let quiet = questions(&from.mesh, to.mesh.node()).await?;
    let (journal, mesh, asked) = (from.journal.clone(), from.mesh.clone(), to.mesh.node());
    let writing = tokio::spawn(async move { writes(&journal, 128, during).await.map(drop) });
    let busy = questions(&mesh, asked).await?;
    writing.await??;
    for (how, took) in [("at rest", quiet), ("beside 128 writers", busy)] {
        let (p50, p99) = (millis(share(&took, 50)), millis(share(&took, 99)));
        println!("| {count} | a question, {how} | – | – | {p50:.3} | {p99:.3} |");
    }
    Ok(())
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let secs: u64 = arguments.next().ok_or("tandem-cluster-load SECS [FOLDER]")?.parse()?;
    let above = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let home = above.join(format!("tandem-cluster-load-{}", std::process::id()));
    std::fs::create_dir_all(&home)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(run(Duration::from_secs(secs), &home));
    std::fs::remove_dir_all(&home)?;
    outcome
}
