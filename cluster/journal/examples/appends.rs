//! How many appends a journal takes and what one costs.
//!
//! `cargo run --release -p tandem-journal --example appends -- [seconds] [directory]`
//!
//! Each writer is a call: eight appends of one event each to an entity of its own, each with an
//! expected version and an operation id, each awaited; then the next call.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tandem_journal::{Append, Config, Entity, Journal, Kind};
use tandem_kernel::Clock;

const EVENT_BYTES: usize = 200;
const APPENDS_OF_A_CALL: u64 = 8;
const IN_FLIGHT: [usize; 5] = [1, 8, 64, 512, 2048];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let span = Duration::from_secs(args.next().map_or(Ok(5), |secs| secs.parse())?);
    let temporary = tempfile::tempdir()?;
    let dir = args.next().map_or_else(|| temporary.path().to_owned(), Into::into);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let journal = Journal::open(Config::new(&dir, Clock::start())).await?;
        println!("in flight  appends/s  us CPU/append  p50 us  p99 us");
        for writers in IN_FLIGHT {
            measure(&journal, writers, span).await?;
        }
        let size = journal.size()?;
        println!("{} records, {} MiB on the disk", journal.head().index, size >> 20);
        journal.close().await?;
        let start = Instant::now();
        let journal = Journal::open(Config::new(&dir, Clock::start())).await?;
        println!("opened again, verified, in {:?}", start.elapsed());
        Ok(journal.close().await?)
    })
}

async fn measure(
    journal: &Journal,
    writers: usize,
    span: Duration,
) -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let cpu = cpu_micros()?;
    let tasks: Vec<_> = (0..writers)
        .map(|writer| tokio::spawn(write(journal.clone(), writers, writer, start + span)))
        .collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await??);
    }
    let took = start.elapsed();
    let cpu = cpu_micros()? - cpu;
    waits.sort_unstable();
    let count = waits.len();
    let rate = count as f64 / took.as_secs_f64();
    let (p50, p99) = (waits[count / 2], waits[count * 99 / 100]);
    let each = cpu as f64 / count as f64;
    println!("{writers:9}  {rate:9.0}  {each:13.1}  {p50:6}  {p99:6}");
    Ok(())
}

async fn write(
    journal: Journal,
    writers: usize,
    writer: usize,
    until: Instant,
) -> Result<Vec<u128>, tandem_journal::AppendError> {
    let event = Bytes::from(vec![b'x'; EVENT_BYTES]);
    let mut waits = Vec::new();
    for call in 0_u64.. {
        for version in 0..APPENDS_OF_A_CALL {
            let start = Instant::now();
            if start > until {
                return Ok(waits);
            }
            let number = (u128::from(call) << 64) | ((writers << 24 | writer) as u128) << 8;
            let append = Append {
                entity: Entity::new(Kind(1), format!("{writers}-{writer}-{call}")),
                expected: Some(version),
                epoch: 1,
                op_id: Some(number | u128::from(version)),
                events: vec![event.clone()],
            };
            journal.append(append).await?;
            waits.push(start.elapsed().as_micros());
        }
    }
    Ok(waits)
}

/// CPU time of the process so far, from `/proc/self/stat` (in ticks of 10 ms).
fn cpu_micros() -> Result<u64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let mut ticks = 0;
    for field in fields.split_whitespace().skip(11).take(2) {
        ticks += field.parse::<u64>()?;
    }
    Ok(ticks * 10_000)
}
