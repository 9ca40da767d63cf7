//! How many calls one core bridges: an RTP generator and reflector around the audio engine.
//!
//! `tandem-rtp-load [calls|memory|direct] [epoll|tokio|rtpengine] [seconds] [number of calls …]`
//!
//! | Concern                                             | Owner       |
//! |-----------------------------------------------------|-------------|
//! | The engine, alone in a process on the first core    | `relay`     |
//! | rtpengine in its place                              | `rtpengine` |
//! | Paced streams into it and what comes out            | `generator` |
//! | What legs cost in memory, and whether it comes back | `memory`    |
//!
//! Each call has two legs; each leg is sent 50 packets of 172 octets a second and hears the
//! other one. The generator runs on the second core and puts the time into the payload.

// The one who runs it reads the table.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod generator;
mod memory;
mod relay;
mod rtpengine;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use tandem_engine::Backend;

use crate::generator::{Generator, Outcome};
use crate::relay::Relay;
use crate::rtpengine::Rtpengine;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What the goal says of the added delay, in µs.
const P99_GOAL_US: u32 = 2_000;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match *args {
        ["relay", backend, ref remotes @ ..] => relay::serve(backend_of(backend), remotes),
        ["memory"] => memory::report(),
        ["direct", secs, calls] => direct(secs, calls),
        ["calls", relay, secs, ref steps @ ..] => climb(relay, secs, steps),
        _ => Err("calls <epoll|tokio|rtpengine> <secs> <calls …> | memory | direct <secs> <calls>"
            .into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tandem-rtp-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn backend_of(name: &str) -> Backend {
    if name == "tokio" { Backend::Tokio } else { Backend::Epoll }
}

/// The generator against its own sockets: what it loses and delays itself.
fn direct(secs: &str, calls: &str) -> Result<()> {
    pin_to_second_core();
    let mut generator = Generator::open()?;
    let ports = generator.own_ports(calls.parse()?);
    let outcome = generator.run(&ports, Duration::from_secs(1), secs_of(secs)?, None)?;
    println!("{}", outcome.line("direct", 0));
    Ok(())
}

/// One line per number of calls, and the greatest that met the goal.
fn climb(name: &str, secs: &str, steps: &[&str]) -> Result<()> {
    pin_to_second_core();
    let secs = secs_of(secs)?;
    println!("{}", Outcome::HEAD);
    let mut best = 0;
    for step in steps {
        let calls: usize = step.parse()?;
        let mut generator = Generator::open()?;
        let (outcome, last_words) = measure(&mut generator, name, calls, secs)?;
        println!("{}  {last_words}", outcome.line(name, calls));
        let is_good = outcome.lost() == 0 && outcome.p99_us <= P99_GOAL_US;
        if is_good && outcome.is_paced() {
            best = best.max(calls);
        }
    }
    println!("best {name} {best} calls on one core with no loss and p99 <= {P99_GOAL_US} us");
    Ok(())
}

fn measure(
    generator: &mut Generator,
    name: &str,
    calls: usize,
    secs: Duration,
) -> Result<(Outcome, String)> {
    let (remotes, warm_up) = (generator.remotes(), Duration::from_secs(2));
    if name == "rtpengine" {
        let mut relay = Rtpengine::start()?;
        let ports = relay.bridge(calls, &remotes)?;
        let outcome = generator.run(&ports, warm_up, secs, Some(relay.pid()))?;
        return Ok((outcome, String::new()));
    }
    let mut relay = Relay::start(name, calls, &remotes)?;
    let ports = relay.ports()?;
    let outcome = generator.run(&ports, warm_up, secs, Some(relay.pid()))?;
    Ok((outcome, relay.stop()?))
}

fn secs_of(text: &str) -> Result<Duration> {
    Ok(Duration::from_secs(text.parse()?))
}

/// By `taskset`, because setting the affinity is unsafe in Rust's eyes.
fn pin_to_second_core() {
    let pid = std::process::id().to_string();
    let done = std::process::Command::new("taskset")
        .args(["-a", "-c", "-p", "1", &pid])
        .stdout(std::process::Stdio::null())
        .status();
    if !done.is_ok_and(|status| status.success()) {
        eprintln!("the generator is not pinned: no taskset or only one core");
    }
}
