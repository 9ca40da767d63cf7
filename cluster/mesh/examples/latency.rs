//! How long a question takes on a link, alone and beside a large copy. Two members in one process
//! on loopback; figures for people: `cargo run --release -p tandem-mesh --example latency`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tandem_kernel::Clock;
use tandem_mesh::{ClusterId, Config, Founding, Joining, Lane, Mesh, Scope, Timing, Tokens};

const LIFETIME: Duration = Duration::from_secs(3_600);
const DEADLINE: Duration = Duration::from_secs(5);
const QUESTIONS: usize = 3_000;
const PIECE: usize = 256 * 1_024;

fn config(dir: &Path) -> Config {
    Config {
        dir: dir.to_owned(),
        bind: "127.0.0.1:0".parse().unwrap(),
        advertised: None,
        lifetime: LIFETIME,
        timing: Timing::default(),
        clock: Clock::start(),
        level: None,
    }
}

async fn pair(a: &Path, b: &Path) -> (Mesh, Mesh) {
    let (now, cluster) = (Clock::start().now(), ClusterId(1));
    let (name, address, lifetime) = ("node-1", "127.0.0.1:9", LIFETIME);
    tandem_mesh::found(&Founding { dir: a, name, address, lifetime, now, cluster }).unwrap();
    let one = Mesh::start(config(a)).await.unwrap();
    let scope = Scope { name: None, lifetime };
    let token = Tokens::new(a).issue(&scope, now, [7; 24]).unwrap();
    let host = one.address().to_owned();
    let (dir, name, address) = (b.to_owned(), "node-2".to_owned(), ":1".to_owned());
    tandem_mesh::join(&Joining { dir, host, token, name, address }).await.unwrap();
    let two = Mesh::start(config(b)).await.unwrap();
    two.serve(Arc::new(|_, _, question| Box::pin(async move { question.slice(..8) })));
    two.first_contact(DEADLINE).await.unwrap();
    while one.ask(2, Lane::Consensus, Bytes::from(vec![0; 64]), DEADLINE).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (one, two)
}

/// Median, 99th percentile and the slowest, in microseconds.
async fn measure(mesh: &Mesh, body: usize) -> (u128, u128, u128) {
    let body = Bytes::from(vec![0; body]);
    let mut times = Vec::with_capacity(QUESTIONS);
    for _ in 0..QUESTIONS {
        let begin = Instant::now();
        mesh.ask(2, Lane::Consensus, body.clone(), DEADLINE).await.unwrap();
        times.push(begin.elapsed().as_micros());
    }
    times.sort_unstable();
    (times[QUESTIONS / 2], times[QUESTIONS * 99 / 100], times[QUESTIONS - 1])
}

async fn copy_for_ever(mesh: Mesh, copied: Arc<std::sync::atomic::AtomicUsize>) {
    let piece = Bytes::from(vec![0; PIECE]);
    loop {
        mesh.ask(2, Lane::Bulk, piece.clone(), DEADLINE).await.unwrap();
        copied.fetch_add(PIECE, std::sync::atomic::Ordering::Relaxed);
    }
}

#[tokio::main]
async fn main() {
    let [a, b] = [(); 2].map(|()| tempfile::TempDir::new().unwrap());
    let (one, _two) = pair(a.path(), b.path()).await;
    for body in [64, 1_024, 16_384] {
        let (half, most, worst) = measure(&one, body).await;
        println!("{body:>6} B alone          p50 {half} us, p99 {most} us, max {worst} us");
    }
    let copied = Arc::default();
    for _ in 0..4 {
        tokio::spawn(copy_for_ever(one.clone(), Arc::clone(&copied)));
    }
    let begin = Instant::now();
    let (half, most, worst) = measure(&one, 64).await;
    let mib = copied.load(std::sync::atomic::Ordering::Relaxed) >> 20;
    let secs = begin.elapsed().as_secs_f64();
    println!("    64 B beside a copy  p50 {half} us, p99 {most} us, max {worst} us");
    println!("the copy: {mib} MiB in {secs:.1} s");
}
