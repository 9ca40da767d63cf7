//! What legs cost in memory, and whether it comes back.

use std::time::{Duration, Instant};

use tandem_benches::resident_kib;
use tandem_engine::{Backend, Handle};
use tandem_kernel::CallId;

use crate::Result;
use crate::relay::{HOST, bridge, engine};

/// Calls that are held at once; each needs four sockets.
const HELD: usize = 1_000;
/// Calls that come and go.
const CYCLES: usize = 10_000;

pub(crate) fn report() -> Result<()> {
    println!("backend  KiB/idle leg  KiB after {CYCLES} calls came and went  open files left");
    for backend in [Backend::Epoll, Backend::Tokio] {
        let engine = engine(backend)?;
        // The first calls fill tables that are kept.
        come_and_go(&engine, 100)?;
        let (before, files) = (resident(), open_files());
        let calls: Vec<CallId> = (0..HELD).map(|_| CallId::fresh()).collect();
        for &call in &calls {
            bridge(&engine, call, |_| (HOST, 9).into())?;
        }
        settle(&engine, 2 * HELD)?;
        let held = resident().saturating_sub(before) as f64 / (2 * HELD) as f64;
        for &call in &calls {
            engine.close_call(call);
        }
        settle(&engine, 0)?;
        let before = resident();
        come_and_go(&engine, CYCLES)?;
        let grown = resident() as i64 - before as i64;
        let left = open_files().saturating_sub(files);
        println!("{backend:?}  {held:.1}  {grown}  {left}");
    }
    Ok(())
}

fn come_and_go(engine: &Handle, calls: usize) -> Result<()> {
    for number in 0..calls {
        let call = CallId::fresh();
        bridge(engine, call, |_| (HOST, 9).into())?;
        engine.close_call(call);
        if number % 50 == 0 {
            settle(engine, 0)?;
        }
    }
    settle(engine, 0)
}

fn settle(engine: &Handle, legs: usize) -> Result<()> {
    let start = Instant::now();
    loop {
        let load = engine.load();
        if load.waiting_commands == 0 && load.legs == legs {
            return Ok(());
        }
        if start.elapsed() > Duration::from_secs(60) {
            return Err(format!("{} legs are open, not {legs}", load.legs).into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn resident() -> u64 {
    resident_kib(std::process::id()).unwrap_or(0)
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}
