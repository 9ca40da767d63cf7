//! Appends a second of one, three and five members with one, sixteen and 128 writers, beside
//! the rate of bare `fdatasync` on the same disk in the same run. The members are in one
//! process and share the disk; requests pass between them in memory.
//!
//! `cargo run --release -p tandem-journal --example members [DIRECTORY]`

use std::collections::HashMap;
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tandem_journal::transport::{Answer, Inlet, Lane, Peer, Transport, TransportError};
use tandem_journal::{Append, Begin, Cluster, Config, Entity, Journal, Kind};
use tandem_kernel::Clock;
use tokio::runtime::Handle;

const EVENT_BYTES: usize = 200;
const TIME: Duration = Duration::from_secs(3);

type Inlets = Arc<Mutex<HashMap<u64, Inlet>>>;

struct Memory {
    node: u64,
    inlets: Inlets,
    runtime: Handle,
}

impl Transport for Memory {
    fn serve(&self, inlet: Inlet) {
        if let Ok(mut inlets) = self.inlets.lock() {
            inlets.insert(self.node, inlet);
        }
    }

    fn ask(&self, peer: &Peer, lane: Lane, request: Bytes, deadline: Duration) -> Answer {
        let found = self.inlets.lock().ok().and_then(|inlets| inlets.get(&peer.node).cloned());
        let (from, runtime) = (self.node, self.runtime.clone());
        Box::pin(async move {
            let down = || TransportError::Unreachable("it is down".to_owned());
            let inlet = found.ok_or_else(down)?;
            let answered = runtime.spawn(async move { inlet.answer(from, lane, request).await });
            match tokio::time::timeout(deadline, answered).await {
                Ok(answer) => answer.map_err(|e| TransportError::Broken(e.to_string())),
                Err(_) => Err(TransportError::TimedOut),
            }
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let base = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    println!("fdatasync of 4 KiB: {:.0} a second", syncs_a_second(&base)?);
    println!("| members | writers | appends/s | p50 ms | p99 ms | of fdatasync |");
    println!("|---|---|---|---|---|---|");
    for members in [1, 3, 5] {
        let dir = tempfile::tempdir_in(&base)?;
        let journals = group(dir.path(), members).await?;
        for writers in [1, 16, 128] {
            let bound = syncs_a_second(&base)?;
            let (rate, waits) = measure(&journals[0], writers).await?;
            let at = |share: usize| {
                waits.get(waits.len() * share / 100).map_or(0.0, |wait| wait.as_secs_f64() * 1e3)
            };
            let (p50, p99, share) = (at(50), at(99), rate / bound);
            println!("| {members} | {writers} | {rate:.0} | {p50:.2} | {p99:.2} | {share:.2} |");
        }
        for journal in journals {
            journal.close().await?;
        }
    }
    Ok(())
}

fn syncs_a_second(dir: &Path) -> Result<f64, Box<dyn Error>> {
    let mut file = tempfile::tempfile_in(dir)?;
    let begun = Instant::now();
    let mut count = 0.0;
    while begun.elapsed() < Duration::from_secs(1) {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        count += 1.0;
    }
    Ok(count / begun.elapsed().as_secs_f64())
}

/// The members of a new group; the first leads.
async fn group(dir: &Path, members: u64) -> Result<Vec<Journal>, Box<dyn Error>> {
    let inlets = Inlets::default();
    let open = |node: u64, begin: Begin| {
        let transport = Memory { node, inlets: Arc::clone(&inlets), runtime: Handle::current() };
        let address = format!("member-{node}");
        let cluster = Cluster { transport: Arc::new(transport), address, begin };
        let config = Config::new(dir.join(node.to_string()), Clock::start());
        Journal::open(Config { node, cluster: Some(cluster), ..config })
    };
    let first = open(1, Begin::Found).await?;
    let mut journals = vec![first.clone()];
    for node in 2..=members {
        let opening = tokio::spawn(open(node, Begin::Join));
        first.add_learner(Peer { node, address: format!("member-{node}") }).await?;
        journals.push(opening.await??);
        while first.promote(node).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    Ok(journals)
}

async fn measure(journal: &Journal, writers: u64) -> Result<(f64, Vec<Duration>), Box<dyn Error>> {
    let begun = Instant::now();
    let writing: Vec<_> =
        (0..writers).map(|writer| tokio::spawn(write(journal.clone(), writer, begun))).collect();
    let mut waits = Vec::new();
    for writer in writing {
        waits.extend(writer.await??);
    }
    let elapsed = begun.elapsed().as_secs_f64();
    waits.sort_unstable();
    let count = u32::try_from(waits.len())?;
    Ok((f64::from(count) / elapsed, waits))
}

async fn write(
    journal: Journal,
    writer: u64,
    begun: Instant,
) -> Result<Vec<Duration>, tandem_journal::AppendError> {
    let mut waits = Vec::new();
    while begun.elapsed() < TIME {
        let append = Append {
            entity: Entity::new(Kind(1), format!("w{writer}")),
            expected: None,
            epoch: 1,
            op_id: None,
            events: vec![Bytes::from(vec![7; EVENT_BYTES])],
        };
        let asked = Instant::now();
        journal.append(append).await?;
        waits.push(asked.elapsed());
    }
    Ok(waits)
}
