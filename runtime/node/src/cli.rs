//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// An actor-model telephony and contact-centre runtime.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Starts the node and runs it until SIGTERM or SIGINT.
    Run(Run),
    /// Lists every problem of the configuration, with line and hint.
    Check(Settings),
    /// Looks at the machine and the data like a nurse: ok, warn or fail, and what to do.
    Doctor(Settings),
    /// Prints the commented default configuration.
    Config,
    /// Reads the whole journal and says what is damaged, without starting the node.
    Verify(Settings),
}

#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// The node's file; without it the defaults hold.
    #[arg(long, env = "TANDEM_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Overrides a key of the file, e.g. `--set sip.realm=office`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Provisions a demo office on an empty journal: extensions 1000 to 1005 and queue 6400.
    #[arg(long)]
    pub(crate) demo: bool,
}
