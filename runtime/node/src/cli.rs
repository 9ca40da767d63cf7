//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tandem_kernel::Position;

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
    /// Founds a cluster, lets nodes in, shows and changes it.
    #[command(subcommand)]
    Cluster(Cluster),
    /// Makes an empty data directory that of a backup (`GET /api/v1/backup`), without starting it.
    Restore(Restore),
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
    /// Joins the cluster of the node HOST[:PORT] that holds the authority's key. A node that is a
    /// member already starts as usual.
    #[arg(long, value_name = "HOST", requires = "token")]
    pub(crate) join: Option<String>,
    /// The join token that `tandem cluster token` printed there.
    #[arg(long, env = "TANDEM_JOIN_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Cluster {
    /// Makes the cluster's certificate authority and this node its first member.
    Init(Settings),
    /// Prints a token with which one node may join, once.
    Token(Token),
    /// Shows all members and the links to them.
    Status(Shown),
    /// Gives a member no new work. Its next start ends that.
    Drain(OfMember),
    /// Throws a member out, for ever; its machine needs a new token to come back.
    Remove(OfMember),
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup.
    pub(crate) file: PathBuf,
    /// Leaves out what was written after this position of the journal, e.g. 0:4711.
    #[arg(long, value_name = "POSITION")]
    pub(crate) until: Option<Position>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// The one name that the token is good for.
    #[arg(long = "for", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// How long it is good, in seconds.
    #[arg(long, default_value_t = 900)]
    pub(crate) valid_secs: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Shown {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// For programs.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OfMember {
    /// The member's name or number.
    pub(crate) member: String,
    #[command(flatten)]
    pub(crate) settings: Settings,
}
