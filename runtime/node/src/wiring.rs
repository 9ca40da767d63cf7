//! Putting the parts together: journal first, then what is read from it, then the edges.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result};
use ractor::Actor;
use tandem_actors::call::Calls;
use tandem_actors::copies::Copies;
use tandem_actors::exchange::{Exchange, Policy};
use tandem_actors::gateway::Gateway;
use tandem_actors::leases::auditor::Standing;
use tandem_actors::letters::Letters;
use tandem_actors::live::Live;
use tandem_actors::mail::{self, Mailer, Security};
use tandem_actors::office::{Office, Parts};
use tandem_actors::placement::Placement;
use tandem_actors::presence::PresenceMsg;
use tandem_actors::prompts::Prompts;
use tandem_actors::records::Records;
use tandem_actors::registrar::{RegistrarArgs, RegistrarMsg};
use tandem_actors::root::{Door, RootActor, RootArgs};
use tandem_actors::softphone::Softphones;
use tandem_actors::switch::{Access, Switch};
use tandem_actors::trace::Traces;
use tandem_actors::trunk::{Trunks, TrunksArgs};
use tandem_actors::voicemail::post;
use tandem_actors::whereabouts::Whereabouts;
use tandem_config::NodeConfig;
use tandem_engine::Backend;
use tandem_journal::Journal;
use tandem_kernel::{AlarmClock, Clock};
use tandem_mesh::Mesh;
use tandem_server::compat;
use tandem_server::{Cost, Edge, Limits, Passwords, Rate, Relays};
use tandem_sip::digest::Algorithm;
use tandem_sip::net::{self, Inbound, Listener, Transport};
use tandem_telemetry::metric::{self, Recorder};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use crate::cli::Run;
use crate::host::Host;
use crate::read::Read;
use crate::threads::Threads;
use crate::transport::Courier;
use crate::{
    Broken, backup, cluster, demo, host, journal, levels, library, members, placement, say, tls,
};

/// How long calls that nobody goes on with may take to hear of their end.
const GOODBYE: Duration = Duration::from_secs(2);

/// Runs a node until it is told to end.
///
/// # Errors
/// When a part does not start.
pub(crate) fn run(config: &NodeConfig, order: &Run, threads: &Threads) -> Result<()> {
    let data_dir = &config.node.data_dir;
    fs::create_dir_all(data_dir)
        .with_context(|| format!("failed to make {}", data_dir.display()))?;
    host::has_room(data_dir, reserve(config))?;
    let clock = Clock::start();
    let recorder = metric::start().context("failed to start metrics")?;
    let mesh = threads.edge.block_on(cluster::start(config, clock, order))?;
    let edge = threads.edge.handle();
    threads.calls.block_on(go_on(config, order, (clock, recorder), mesh, edge))
}

/// Bytes of the disk that are left free.
fn reserve(config: &NodeConfig) -> u64 {
    u64::from(config.node.disk_reserve_mib) << 20
}

async fn go_on(
    config: &NodeConfig,
    order: &Run,
    (clock, recorder): (Clock, Recorder),
    mesh: Option<Mesh>,
    threads: &Handle,
) -> Result<()> {
    let data_dir = &config.node.data_dir;
    let clock = cluster::common_clock(clock, mesh.as_ref());
    let actors = Arc::default();
    let journal = journal::open(config, clock, mesh.as_ref(), &actors).await?;
    let (read, end) = Read::everything(&journal, clock, config, mesh.as_ref()).await?;
    let (exchange, requests) = exchange(config, clock, &journal, &read).await?;
    if let Some(mesh) = &mesh {
        link((mesh, &journal), &exchange, &read.copies, &actors);
    }
    let doors = (Door::default(), Door::default());
    start_actors(config, clock, &exchange, &doors).await?;
    start_post(config, clock, &exchange, &read.records)?;
    read.follow(&journal, end, exchange.clone());
    let standing = Standing { placed: exchange.placed.clone(), journal: journal.clone(), clock };
    tandem_kernel::spawn("auditor", standing.run());
    let (voicemail, lamps) = (exchange.voicemail.clone(), exchange.lamps.clone());
    tandem_kernel::spawn("mailbox lamps", voicemail.light(lamps));
    tokio::spawn(Switch::new(exchange.clone(), doors.0, doors.1).run(requests));
    tokio::spawn(note_prompts(read.copies.clone(), exchange.clone()));
    if order.demo {
        demo::provision(&read.provisioning, data_dir).await?;
    }
    let office = office(config, &journal, &read, &exchange);
    let (ending, ended) = watch::channel(false);
    let listener = listener(config, threads)?;
    let http = listener.local_addr()?.to_string();
    let passwords = Passwords::new(Cost::default())?;
    let edge = Edge::new(office, Some(recorder), clock, passwords, limits(config));
    let edge = with_doors(edge.with_relays(relays(config)), config);
    let server = threads.spawn(tandem_server::serve(listener, edge.clone(), until(ended)));
    if let Some(mesh) = &mesh {
        run_member(mesh, &journal, &read, &exchange);
    }
    let (calls, data_dir) = (exchange.calls.clone(), data_dir.clone());
    let watched =
        Host { data_dir, reserve: reserve(config), journal: journal.clone(), calls, clock };
    tokio::spawn(watched.watch());
    announce(&config.node.data_dir, &exchange, &http, mesh.as_ref())?;
    until_told(&journal, &exchange, mesh.as_ref()).await?;
    edge.drain();
    if mesh.is_some() {
        cluster::say_that_it_ends(config, journal.node()).await;
    }
    placement::give_away(&journal, &read.placing).await;
    drain(config, &exchange).await;
    hand_on((&journal, mesh.as_ref()), &read, &exchange).await;
    let _last = ending.send(true);
    let _served = tokio::time::timeout(Duration::from_secs(3), server).await;
    placement::leave(&journal, &read.placing).await;
    exchange.sip.stop();
    journal::hand_over(&journal).await;
    journal.close().await.context("failed to close the journal")?;
    if let Some(mesh) = mesh {
        mesh.stop().await;
    }
    tracing::info!("node ended");
    Ok(())
}

/// What a member does for its cluster, for the node's life.
fn run_member(mesh: &Mesh, journal: &Journal, read: &Read, exchange: &Arc<Exchange>) {
    tokio::spawn(cluster::drain_when_told(mesh.clone(), exchange.calls.clone()));
    tokio::spawn(members::keep(mesh.clone(), journal.clone()));
    tokio::spawn(levels::keep(mesh.clone(), journal.clone()));
    let placing = read.placing.clone();
    tokio::spawn(placement::keep(mesh.clone(), journal.clone(), placing, exchange.clock));
    tokio::spawn(placement::watch_lease(exchange.placed.clone()));
    tokio::spawn(exchange.placed.clone().keep_count(read.answers.clone(), exchange.clock));
    tokio::spawn(read.clone().go_on(exchange.clone()));
}

/// Waits until an operator ends the node, or its journal does.
async fn until_told(journal: &Journal, exchange: &Exchange, mesh: Option<&Mesh>) -> Result<()> {
    tokio::select! {
        told = wait_for_signal() => told,
        why = host::journal_failed(journal, &exchange.calls, mesh) => Err(Broken(why).into()),
    }
}

/// The others of a cluster, also of one to come, are told of what was uploaded before they were.
async fn note_prompts(copies: Copies, exchange: Arc<Exchange>) {
    let Ok(all) = exchange.prompts.all().await else { return };
    if let Err(error) = copies.note_older(&exchange.journal, exchange.clock, &all).await {
        tracing::warn!(%error, "the prompts of before are noted at the next start");
    }
}

/// Its events come to the threads that serve it.
fn listener(config: &NodeConfig, threads: &Handle) -> Result<TcpListener> {
    let _there = threads.enter();
    tandem_server::bind(config.http.bind)
        .with_context(|| format!("failed to bind HTTP listener on {}", config.http.bind))
}

fn limits(config: &NodeConfig) -> Limits {
    let principal =
        Rate { burst: config.http.request_burst, per_sec: config.http.requests_per_second };
    Limits { principal, ..Limits::default() }
}

/// The edge with the doors that the configuration opens.
fn relays(config: &NodeConfig) -> Relays {
    let webrtc = &config.webrtc;
    Relays {
        urls: webrtc.turn_urls.clone(),
        secret: webrtc.turn_secret.clone(),
        valid_for: Duration::from_secs(u64::from(webrtc.turn_valid_secs)),
    }
}

fn with_doors(edge: Edge, config: &NodeConfig) -> Edge {
    if !config.compat.enabled {
        return edge;
    }
    let account = |account: &tandem_config::node::CompatAccount| compat::Account {
        username: account.username.clone(),
        password_md5: account.password_md5.clone(),
        extensions: account.extensions.clone(),
    };
    let accounts = config.compat.accounts.iter().map(account).collect();
    edge.with_compat(compat::Settings { accounts, origin: config.compat.origin.clone() })
}

async fn until(mut ended: watch::Receiver<bool>) {
    let _ended = ended.wait_for(|ended| *ended).await;
}

async fn exchange(
    config: &NodeConfig,
    clock: Clock,
    journal: &Journal,
    read: &Read,
) -> Result<(Arc<Exchange>, mpsc::Receiver<Inbound>)> {
    let traces = Arc::new(Traces::new(clock));
    let tap = traces.clone();
    let mut endpoint = net::Config {
        listeners: listeners(config)?,
        user_agent: format!("Tandem/{}", env!("CARGO_PKG_VERSION")),
        tls_client: Some(tls::client(config)?),
        tap: Some(Arc::new(move |record| tap.tap(record))),
        ..net::Config::default()
    };
    endpoint.limits.exempt_loopback = config.sip.trust_loopback;
    let (sip, requests) = net::start(endpoint).await.context("failed to start SIP")?;
    let max_calls = usize::try_from(config.sip.max_calls).unwrap_or(usize::MAX);
    let library = library_of(config)?;
    let calls = Calls::start(max_calls, config.sip.max_calls_per_second).await?;
    let secs = u64::from(config.sip.session_expires_secs);
    let (provisioning, trunks) = (read.provisioning.clone(), Trunks::default());
    let policy = Policy {
        realm: config.sip.realm.clone(),
        digest: config.sip.digest.iter().map(|name| algorithm(name)).collect(),
        md5_only_agents: config.sip.md5_only_agents.clone(),
        user_agent: format!("Tandem/{}", env!("CARGO_PKG_VERSION")),
        session_expires: (secs > 0).then(|| Duration::from_secs(secs)),
        max_calls,
        max_calls_per_second: config.sip.max_calls_per_second,
    };
    let access = Access::new(provisioning.clone(), trunks.clone(), sip.clone(), clock, &policy);
    let exchange = Exchange {
        clock,
        journal: journal.clone(),
        provisioning,
        sip,
        engine: engine(config, library.clone())?,
        prompts: Prompts::new(library),
        location: read.location.clone(),
        trunks,
        softphones: Softphones::default(),
        tolls: read.tolls.clone(),
        callbacks: read.callbacks.clone(),
        access: Arc::new(access),
        voicemail: read.voicemail.clone(),
        placed: Arc::new(whereabouts(journal, read)),
        calls,
        parking: tandem_actors::call::Parking::default(),
        kept: read.kept.clone(),
        lamps: Arc::default(),
        alarms: AlarmClock::start(),
        traces,
        policy,
    };
    Ok((Arc::new(exchange), requests))
}

fn office(config: &NodeConfig, journal: &Journal, read: &Read, exchange: &Arc<Exchange>) -> Office {
    Office::new(Parts {
        provisioning: read.provisioning.clone(),
        journal: journal.clone(),
        records: Some(read.records.clone()),
        sessions: read.sessions.clone(),
        repeats: read.repeats.clone(),
        audit: Some(read.audit.clone()),
        exchange: Some(exchange.clone()),
        folders: backup::folders(config),
        spare: config.node.data_dir.clone(),
    })
}

/// Who is alone runs everything.
fn whereabouts(journal: &Journal, read: &Read) -> Whereabouts {
    if !journal.is_shared() {
        return Whereabouts::default();
    }
    let placement = Placement::shared(journal.clone(), read.placing.locate());
    Whereabouts::placed(placement, read.kept.clone())
}

/// Lets the actors of this node and those of other members speak.
fn link(
    (mesh, journal): (&Mesh, &Journal),
    exchange: &Exchange,
    copies: &Copies,
    actors: &Arc<OnceLock<Gateway>>,
) {
    let (calls, traces) = (exchange.calls.clone(), exchange.traces.clone());
    let (courier, placed) = (Arc::new(Courier(mesh.clone())), exchange.placed.clone());
    let files_and_phones = (copies.clone(), exchange.softphones.clone());
    let gateway = Gateway::new(courier, placed, Live::new(calls, traces), files_and_phones);
    tokio::spawn(copies.clone().keep(gateway.clone()));
    exchange.placed.link(journal.node(), gateway.clone());
    gateway.lend_flows(journal.node(), &exchange.sip, exchange.clock);
    let _first = actors.set(gateway.clone());
    let (own, mut roster) = (journal.node(), mesh.roster());
    roster.mark_changed();
    tokio::spawn(async move {
        while roster.changed().await.is_ok() {
            let members: Vec<u64> = {
                let roster = roster.borrow();
                roster.active().map(|member| member.node).filter(|it| *it != own).collect()
            };
            gateway.set_members(&members);
        }
    });
}

/// The names are checked when the configuration is read.
fn algorithm(name: &str) -> Algorithm {
    if name == "md5" { Algorithm::Md5 } else { Algorithm::Sha256 }
}

fn listeners(config: &NodeConfig) -> Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for wanted in &config.sip.listen {
        let transport: Transport = wanted
            .transport
            .parse()
            .with_context(|| format!("{} is not a transport", wanted.transport))?;
        let mut listener = Listener::new(transport, wanted.bind);
        if transport.is_secure() {
            listener.tls = Some(tls::server(config)?);
        }
        if let Some(advertised) = &wanted.advertised {
            let (host, port) = advertised.rsplit_once(':').unwrap_or((advertised, ""));
            let port = port.parse().unwrap_or_else(|_| wanted.bind.port());
            listener.advertised = Some((host.to_owned(), port));
        }
        listeners.push(listener);
    }
    Ok(listeners)
}

fn library_of(config: &NodeConfig) -> Result<PathBuf> {
    if config.media.library_dir.is_empty() {
        return library::unpack(&config.node.data_dir).context("failed to unpack the prompts");
    }
    Ok(config.media.library_dir.clone().into())
}

fn engine(config: &NodeConfig, library: PathBuf) -> Result<tandem_engine::Handle> {
    let media = &config.media;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    tandem_engine::start(tandem_engine::Config {
        bind: media.bind,
        advertised: media.advertised.parse::<IpAddr>().ok(),
        ports: media.first_port..=media.last_port,
        workers: if media.workers == 0 { cores } else { usize::from(media.workers) },
        backend: if media.backend == "tokio" { Backend::Tokio } else { Backend::Epoll },
        library,
    })
    .context("failed to start the media engine")
}

/// Sends messages of mailboxes and letters to agents by e-mail, where a server is named.
fn start_post(
    config: &NodeConfig,
    clock: Clock,
    exchange: &Exchange,
    records: &Records,
) -> Result<()> {
    let mail = &config.mail;
    if mail.host.is_empty() {
        return Ok(());
    }
    let credentials = (mail.username.clone(), mail.password.clone());
    let mailer = Mailer::new(&mail::Config {
        host: mail.host.clone(),
        port: mail.port,
        security: match mail.security.as_str() {
            "none" => Security::None,
            "tls" => Security::Tls,
            _ => Security::StartTls,
        },
        credentials: (!mail.username.is_empty()).then_some(credentials),
        from: mail.from.clone(),
    })
    .context("failed to set up e-mail")?;
    let (voicemail, provisioning) = (exchange.voicemail.clone(), exchange.provisioning.clone());
    let letters = Letters {
        journal: exchange.journal.clone(),
        records: records.clone(),
        provisioning: provisioning.clone(),
        mailer: mailer.clone(),
        clock,
    };
    tokio::spawn(letters.run());
    tokio::spawn(post::run(voicemail, provisioning, mailer));
    Ok(())
}

async fn start_actors(
    config: &NodeConfig,
    clock: Clock,
    exchange: &Arc<Exchange>,
    (registrar, presence): &(Door<RegistrarMsg>, Door<PresenceMsg>),
) -> Result<()> {
    let args = RootArgs {
        registrar: RegistrarArgs {
            location: exchange.location.clone(),
            journal: exchange.journal.clone(),
            sip: exchange.sip.clone(),
            clock,
            placed: exchange.placed.clone(),
        },
        registrar_door: registrar.clone(),
        presence_door: presence.clone(),
        trunks: TrunksArgs {
            trunks: exchange.trunks.clone(),
            sip: exchange.sip.clone(),
            provisioning: exchange.provisioning.clone(),
            realm: config.sip.realm.clone(),
        },
        exchange: exchange.clone(),
        clock,
    };
    Actor::spawn(None, RootActor, args).await.context("failed to start the actors")?;
    Ok(())
}

/// Says where the node listens: to people, and to programs by `listening.json`.
fn announce(data_dir: &Path, exchange: &Exchange, http: &str, mesh: Option<&Mesh>) -> Result<()> {
    let mut sip = BTreeMap::new();
    for bound in exchange.sip.bound() {
        let transport = bound.transport.as_str().to_ascii_lowercase();
        sip.entry(transport).or_insert_with(|| bound.local.to_string());
    }
    let cluster = mesh.map(Mesh::address);
    let listening = serde_json::json!({ "http": http, "sip": sip, "cluster": cluster });
    let unfinished = data_dir.join("listening.json.tmp");
    fs::write(&unfinished, listening.to_string())?;
    fs::rename(&unfinished, data_dir.join("listening.json"))?;
    let shown: Vec<String> =
        sip.iter().map(|(transport, addr)| format!("{transport} {addr}")).collect();
    say(&demo::first_call(data_dir, http, &shown.join(", ")));
    Ok(())
}

async fn wait_for_signal() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Calls that a drain has left go on elsewhere, if there is anybody; else they are ended.
async fn hand_on((journal, mesh): (&Journal, Option<&Mesh>), read: &Read, exchange: &Exchange) {
    let level = mesh.map_or(0, Mesh::settled);
    placement::hand_on(journal, &read.placing, &exchange.calls, level).await;
    if !placement::has_others(journal, &read.placing) {
        exchange.calls.end(GOODBYE).await;
    }
    let cut_off = exchange.calls.count();
    if cut_off > 0 {
        tracing::warn!(calls = cut_off, "calls are cut off");
    }
}

/// No new calls; the others get time to end. A second signal ends them now.
async fn drain(config: &NodeConfig, exchange: &Exchange) {
    exchange.calls.drain();
    exchange.lamps.drain().await;
    let calls = exchange.calls.count();
    tracing::info!(calls, "draining");
    let patience = Duration::from_secs(u64::from(config.node.drain_secs));
    tokio::select! {
        _ = tokio::time::timeout(patience, exchange.calls.ended()) => {}
        _ = wait_for_signal() => {}
    }
}
