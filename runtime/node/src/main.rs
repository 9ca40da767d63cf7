//! The node: the only crate that knows all others.
//!
//! | Concern                                     | Owner        |
//! |---------------------------------------------|--------------|
//! | The command line                            | `cli`        |
//! | File, environment, flags                    | `settings`   |
//! | Putting the parts together, in order        | `wiring`     |
//! | Which threads work on what                  | `threads`    |
//! | The demo office                             | `demo`       |
//! | Founding, joining and steering a cluster    | `cluster`    |
//! | What a backup holds, `tandem restore`       | `backup`     |
//! | Opening the journal, alone or as a member   | `journal`    |
//! | Its requests over the mesh                  | `transport`  |
//! | Room on the disk, the clock, a failed disk  | `host`       |
//! | Who is a member of it                       | `members`    |
//! | What is read from it                        | `read`       |
//! | Certificates                                | `tls`        |
//! | Prompts and music of the binary             | `library`    |
//! | `tandem doctor`, `tandem verify`            | `doctor`     |

mod backup;
mod cli;
mod cluster;
mod demo;
mod doctor;
mod host;
mod journal;
mod levels;
mod library;
mod members;
mod placement;
mod read;
mod settings;
mod threads;
mod tls;
mod transport;
mod wiring;

use std::process::ExitCode;

use clap::Parser;
use tandem_config::NodeConfig;
use tandem_telemetry::log::{self, Format};

use crate::cli::{Cli, Command, Run, Settings};
use crate::threads::Threads;

/// A call makes and frees some thousands of small values on several threads, for which the usual
/// allocator takes twice as long (benches/README.md).
#[cfg(unix)]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Exit codes of sysexits: a wrong configuration, damaged data, anything else;
const EX_CONFIG: u8 = 78;
const EX_DATAERR: u8 = 65;
const EX_SOFTWARE: u8 = 70;
/// the disk failed under a member of a cluster;
const EX_IOERR: i32 = 74;
/// nobody answers, the cluster refuses.
const EX_UNAVAILABLE: u8 = 69;
const EX_NOPERM: u8 = 77;

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(run) => with(&run.settings, |config| start(config, &run)),
        Command::Cluster(command) => {
            with(cluster::settings(&command), |config| match cluster::command(config, &command) {
                Ok(text) => {
                    say(text.trim_end());
                    ExitCode::SUCCESS
                }
                Err(error) => failed(&error),
            })
        }
        Command::Check(settings) => with(&settings, |_| {
            say("the configuration is in order");
            ExitCode::SUCCESS
        }),
        Command::Doctor(settings) => with(&settings, |config| {
            if doctor::examine(config) { ExitCode::SUCCESS } else { ExitCode::from(EX_DATAERR) }
        }),
        Command::Config => {
            say(tandem_config::node::DEFAULTS.trim_end());
            ExitCode::SUCCESS
        }
        Command::Restore(wanted) => {
            with(&wanted.settings, |config| match backup::restore(config, &wanted) {
                Ok(text) => {
                    say(&text);
                    ExitCode::SUCCESS
                }
                Err(error) => failed(&error),
            })
        }
        Command::Verify(settings) => with(&settings, |config| match doctor::verify(config) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(EX_DATAERR),
            Err(error) => failed(&error),
        }),
    }
}

fn with(settings: &Settings, act: impl FnOnce(&NodeConfig) -> ExitCode) -> ExitCode {
    match settings::load(settings) {
        Ok(config) => act(&config),
        Err(problems) => {
            for problem in problems {
                complain(&problem.to_string());
            }
            ExitCode::from(EX_CONFIG)
        }
    }
}

fn start(config: &NodeConfig, run: &Run) -> ExitCode {
    let format = if config.log.format == "json" { Format::Json } else { Format::Text };
    if let Err(error) = log::start(&config.log.filter, format) {
        complain(&error.to_string());
        return ExitCode::from(EX_CONFIG);
    }
    let threads = match Threads::start() {
        Ok(threads) => threads,
        Err(error) => return failed(&error.into()),
    };
    match wiring::run(config, run, &threads) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Broken>() => {
            complain(&format!("{error:#}"));
            // Nobody is told goodbye and nothing is closed: others go on with the calls, as after
            // any other death.
            std::process::exit(EX_IOERR)
        }
        Err(error) => failed(&error),
    }
}

/// The journal failed while the node ran.
#[derive(Debug)]
struct Broken(String);

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cure = "look at the disk (`tandem doctor`), then start the node again";
        write!(f, "the journal has failed ({}): {cure}", self.0)
    }
}

impl std::error::Error for Broken {}

fn failed(error: &anyhow::Error) -> ExitCode {
    complain(&format!("{error:#}"));
    let damaged = error
        .downcast_ref::<tandem_journal::OpenError>()
        .is_some_and(|error| matches!(error, tandem_journal::OpenError::Damaged { .. }));
    let code = match error.downcast_ref::<tandem_mesh::MeshError>() {
        _ if damaged => EX_DATAERR,
        Some(tandem_mesh::MeshError::Refused(_)) => EX_NOPERM,
        Some(tandem_mesh::MeshError::Unreachable(_)) => EX_UNAVAILABLE,
        _ => EX_SOFTWARE,
    };
    ExitCode::from(code)
}

/// The result of a command, for people or pipes.
#[allow(clippy::print_stdout)]
fn say(text: &str) {
    println!("{text}");
}

/// What went wrong.
#[allow(clippy::print_stderr)]
fn complain(text: &str) {
    eprintln!("tandem: {text}");
}
