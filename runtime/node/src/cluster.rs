//! Founding, joining and steering a cluster.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rand::Rng as _;
use tandem_actors::call::Calls;
use tandem_config::NodeConfig;
use tandem_kernel::{Clock, Timestamp};
use tandem_mesh::{
    Change, ClusterId, Credentials, Founding, Joining, Levels, LinkStatus, Mesh, MeshError,
    Refusal, Scope, Standing, State, Status, Timing, Token, Tokens,
};

use crate::cli::{self, Cluster, Run, Settings};

/// How long a member waits at its start for another one that knows it. Without an answer it
/// starts all the same: the others may start later.
const FIRST_CONTACT: Duration = Duration::from_secs(3);

/// The member's files.
fn dir(config: &NodeConfig) -> PathBuf {
    config.node.data_dir.join("cluster")
}

/// Where a command finds the node's configuration.
pub(crate) fn settings(command: &Cluster) -> &Settings {
    match command {
        Cluster::Init(settings) => settings,
        Cluster::Token(token) => &token.settings,
        Cluster::Status(shown) => &shown.settings,
        Cluster::Drain(of) | Cluster::Remove(of) => &of.settings,
    }
}

/// Runs a command; gives what to print.
///
/// # Errors
/// When it is refused or the node does not run.
pub(crate) fn command(config: &NodeConfig, command: &Cluster) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match command {
        Cluster::Init(_) => init(config),
        Cluster::Token(wanted) => token(config, wanted),
        Cluster::Status(shown) => {
            let status = runtime.block_on(tandem_mesh::status(&dir(config)))?;
            if shown.json {
                return Ok(serde_json::to_string_pretty(&status)?);
            }
            // A node of before does not know the question.
            let levels = runtime.block_on(tandem_mesh::levels(&dir(config))).unwrap_or_default();
            Ok(table(&status, &levels, Clock::start().now()))
        }
        Cluster::Drain(of) => runtime.block_on(change(config, of, Change::Drain)),
        Cluster::Remove(of) => runtime.block_on(change(config, of, Change::Remove)),
    }
}

fn init(config: &NodeConfig) -> Result<String> {
    let own = tandem_mesh::found(&Founding {
        dir: &dir(config),
        name: &config.node.name,
        address: &wanted_address(config),
        lifetime: lifetime(config),
        now: Clock::start().now(),
        cluster: ClusterId(rand::rng().random()),
    })?;
    Ok(format!(
        "{} is the first member of cluster {}. Start it, then let others in with\n  \
         tandem cluster token",
        own.subject.name, own.subject.cluster
    ))
}

fn token(config: &NodeConfig, wanted: &cli::Token) -> Result<String> {
    let lifetime = Duration::from_secs(wanted.valid_secs.into());
    let scope = Scope { name: wanted.name.clone(), lifetime };
    let dir = dir(config);
    let token = Tokens::new(&dir).issue(&scope, Clock::start().now(), rand::rng().random())?;
    Ok(token.to_string())
}

async fn change(
    config: &NodeConfig,
    of: &cli::OfMember,
    make: impl Fn(u64) -> Change,
) -> Result<String> {
    let dir = dir(config);
    let status = tandem_mesh::status(&dir).await?;
    let member = status
        .members
        .iter()
        .find(|member| member.name == of.member || member.node.to_string() == of.member)
        .ok_or(MeshError::Refused(Refusal::NotAMember))?;
    tandem_mesh::change(&dir, make(member.node)).await?;
    Ok(format!("done: {}", member.name))
}

fn table(status: &Status, levels: &Levels, now: Timestamp) -> String {
    let mut text = format!(
        "cluster {}, seen by node {}, roster {}; its certificate is good for {} h\n\
{}{}\n{:>4}  {:<20} {:<24} {:<9} {:<8} link\n",
        status.cluster,
        status.node,
        status.revision,
        status.certificate_until.since(now).as_secs() / 3_600,
        quorum(status),
        language(levels),
        "node",
        "name",
        "address",
        "state",
        "journal",
    );
    for member in &status.members {
        let state = match member.state {
            State::Up => "up",
            State::Draining => "draining",
            State::Removed => "removed",
        };
        let link = match &member.link {
            LinkStatus::Own => "this node".to_owned(),
            LinkStatus::Up { rtt_micros } => format!("up, {rtt_micros} us"),
            LinkStatus::Down(why) => format!("down: {why}"),
            LinkStatus::Refused(refusal) => format!("refuses this node: {refusal}"),
        };
        let journal = match (status.group.as_ref().and_then(|it| it.leader), member.standing) {
            (Some(leader), _) if leader == member.node => "leads",
            (_, Standing::Voter) => "votes",
            (_, Standing::Learner) => "follows",
        };
        let key = if member.node == status.authority { ", lets nodes in" } else { "" };
        let level = levels.members.iter().find(|(node, _)| *node == member.node);
        let level = level.map_or_else(String::new, |(_, level)| format!(", speaks {level}"));
        let apart = member.secs_apart();
        let clock = apart.map_or_else(String::new, |secs| format!(", clock {secs} s ahead"));
        let _written = writeln!(
            text,
            "{:>4}  {:<20} {:<24} {state:<9} {journal:<8} {link}{clock}{level}{key}",
            member.node, member.name, member.address,
        );
    }
    text
}

fn language(levels: &Levels) -> String {
    if levels.settled == 0 {
        return String::new();
    }
    format!("; all builds speak level {}", levels.settled)
}

fn quorum(status: &Status) -> &'static str {
    match &status.group {
        None => "the journal is not open yet",
        Some(group) if group.has_quorum => "the journal takes writes",
        Some(_) => "no majority is within reach: the journal takes no writes",
    }
}

/// Joins if told so, and links the node to the others if it is a member. `None`: it is alone.
///
/// # Errors
/// When the cluster refuses the node.
pub(crate) async fn start(config: &NodeConfig, clock: Clock, order: &Run) -> Result<Option<Mesh>> {
    let dir = dir(config);
    if let Some(host) = &order.join
        && !Credentials::exist(&dir)
    {
        let text = order.token.as_deref().unwrap_or_default();
        join(config, host, text.parse()?).await?;
    }
    if !Credentials::exist(&dir) {
        return Ok(None);
    }
    let advertised = &config.cluster.advertised;
    let mesh = Mesh::start(tandem_mesh::Config {
        dir,
        bind: config.cluster.bind,
        advertised: (!advertised.is_empty()).then(|| advertised.clone()),
        lifetime: lifetime(config),
        timing: Timing::default(),
        level: (config.cluster.level > 0).then_some(config.cluster.level),
        clock,
    })
    .await
    .with_context(|| format!("failed to link the node on {}", config.cluster.bind))?;
    if let Err(refusal) = mesh.first_contact(FIRST_CONTACT).await {
        tracing::error!(reason = refusal.label(), "the cluster refuses this node");
        mesh.stop().await;
        return Err(anyhow::Error::new(MeshError::Refused(refusal))
            .context("the cluster refuses this node"));
    }
    Ok(Some(mesh))
}

/// The time of the cluster: timers go from one member to another, so a node whose own clock is
/// wrong takes that of the others.
pub(crate) fn common_clock(own: Clock, mesh: Option<&Mesh>) -> Clock {
    let Some(ahead) = mesh.and_then(Mesh::ahead_micros) else { return own };
    let (secs, cure) = (ahead / 1_000_000, "set this machine's clock");
    tracing::error!(secs, cure, "the others' clocks are ahead: this node takes their time");
    own.shifted(ahead)
}

async fn join(config: &NodeConfig, host: &str, token: Token) -> Result<()> {
    let port = config.cluster.bind.port();
    let host = if host.contains(':') { host.to_owned() } else { format!("{host}:{port}") };
    let joining = Joining {
        dir: dir(config),
        host,
        token,
        name: config.node.name.clone(),
        address: wanted_address(config),
    };
    let own = tandem_mesh::join(&joining)
        .await
        .with_context(|| format!("failed to join the cluster of {}", joining.host))?;
    tracing::info!(node = own.subject.node, cluster = %own.subject.cluster, "joined");
    Ok(())
}

/// What is known of the address before the port is bound; the member corrects it at its start.
fn wanted_address(config: &NodeConfig) -> String {
    let cluster = &config.cluster;
    if !cluster.advertised.is_empty() {
        return cluster.advertised.clone();
    }
    if cluster.bind.ip().is_unspecified() {
        return format!(":{}", cluster.bind.port());
    }
    cluster.bind.to_string()
}

fn lifetime(config: &NodeConfig) -> Duration {
    Duration::from_secs(config.cluster.certificate_secs.into())
}

/// A node that ends is drained like one that an operator drains, until its next start: nothing is
/// given back to it meanwhile.
pub(crate) async fn say_that_it_ends(config: &NodeConfig, node: u64) {
    if let Err(error) = tandem_mesh::change(&dir(config), Change::Drain(node)).await {
        tracing::warn!(%error, "the others are not told that this node ends");
    }
}

/// A member that an operator drains takes no new calls.
pub(crate) async fn drain_when_told(mesh: Mesh, calls: Arc<Calls>) {
    let (node, mut roster) = (mesh.node(), mesh.roster());
    let drained = roster.wait_for(|roster| {
        roster.members.get(&node).is_some_and(|member| member.state == State::Draining)
    });
    if drained.await.is_ok() {
        tracing::info!("an operator drains this node: no new calls");
        calls.drain();
    }
}
