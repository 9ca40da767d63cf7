//! Legs come and go without leaving anything behind. Alone in its process, because it counts
//! the process's open files.

#![allow(clippy::unwrap_used)]

mod peer;

use std::net::UdpSocket;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use peer::{HOST, agreement, call, config, deaf, leg};
use tandem_engine::{Backend, Config, Source, start};
use tandem_sdp::Codec;

const CYCLES: usize = 10_000;

/// One test at a time: each counts what the whole process holds.
static ALONE: Mutex<()> = Mutex::new(());

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Resident memory in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4
}

fn wait_until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(60), "it never came to that");
        thread::yield_now();
    }
}

#[test]
fn ten_thousand_legs_come_and_go_and_nothing_is_left() {
    let _alone = ALONE.lock().unwrap();
    for backend in [Backend::Tokio, Backend::Epoll] {
        // A range of few ports, so that a port that is not given back is missed soon. Where it
        // lies is up to the system; what others use of it is passed over.
        let probe = UdpSocket::bind((HOST, 0)).unwrap().local_addr().unwrap().port();
        let first = probe.min(60_000);
        let ports = first..=first + 1_000;
        let engine = start(Config { ports, workers: 2, ..config(backend) }).unwrap();
        let cycle = || {
            let call = call();
            for index in 0..2 {
                engine.open(leg(call, index), deaf()).unwrap();
                let remote = "127.0.0.1:9".parse().unwrap();
                engine.connect(leg(call, index), agreement(Codec::Pcmu, remote, None));
                engine.hear(leg(call, index), vec![Source::Leg(leg(call, 1 - index))]);
            }
            engine.close(leg(call, 0));
            engine.close_call(call);
        };
        // The first calls fill tables that are kept.
        for _ in 0..100 {
            cycle();
        }
        wait_until(|| engine.load().waiting_commands == 0 && engine.load().legs == 0);
        let (files, memory) = (open_files(), resident());

        for n in 0..CYCLES / 2 {
            cycle();
            if n % 50 == 0 {
                wait_until(|| engine.load().waiting_commands == 0 && engine.load().legs == 0);
            }
        }
        wait_until(|| engine.load().waiting_commands == 0 && engine.load().legs == 0);

        wait_until(|| open_files() <= files);
        let grown = resident().saturating_sub(memory);
        assert!(grown < 4_096, "{backend:?} grew by {grown} KiB");
    }
}

#[test]
fn an_idle_leg_costs_little_memory() {
    let _alone = ALONE.lock().unwrap();
    for backend in [Backend::Tokio, Backend::Epoll] {
        let engine = start(config(backend)).unwrap();
        let calls: Vec<_> = (0..200).map(|_| call()).collect();
        let legs = 2 * calls.len();
        let before = resident();
        for &call in &calls {
            for index in 0..2 {
                engine.open(leg(call, index), deaf()).unwrap();
                let remote = "127.0.0.1:9".parse().unwrap();
                engine.connect(leg(call, index), agreement(Codec::Pcmu, remote, None));
                engine.hear(leg(call, index), vec![Source::Leg(leg(call, 1 - index))]);
            }
        }
        wait_until(|| engine.load().waiting_commands == 0 && engine.load().legs == legs);

        let each = resident().saturating_sub(before) as f32 / legs as f32;

        assert!(each < 15.0, "{backend:?}: {each} KiB a leg");
        eprintln!("{backend:?}: {each} KiB a leg");
    }
}
