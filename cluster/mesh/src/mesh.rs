//! The one endpoint of a member: it listens, keeps a link to every other member and keeps the
//! roster.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use rand::Rng as _;
use tandem_kernel::{Clock, Timestamp};
use tandem_telemetry::metric;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::authority::Authority;
use crate::control::{Answer, Group, LinkStatus, MemberStatus, Question, Status};
use crate::identity::Credentials;
use crate::level::Levels;
use crate::link::{AskError, CONTROL, Lane, Link};
use crate::roster::{self, Input, Member, Roster, Standing, State};
use crate::{MeshError, Refusal, files, serve, tls};

/// How fast a link is given up, and how often members tell each other where they are.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Without a packet for so long a peer is gone.
    pub idle: Duration,
    /// A packet is sent at least so often.
    pub keep_alive: Duration,
    /// Between two announcements.
    pub announce: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            idle: Duration::from_millis(1_500),
            keep_alive: Duration::from_millis(300),
            announce: Duration::from_secs(1),
        }
    }
}

/// What a member's endpoint needs.
#[derive(Clone, Debug)]
pub struct Config {
    /// The member's files.
    pub dir: PathBuf,
    /// Where to listen; UDP.
    pub bind: SocketAddr,
    /// Host and port for the others, if not the bound address.
    pub advertised: Option<String>,
    /// How long a fresh certificate is valid. It is renewed after two thirds.
    pub lifetime: Duration,
    /// Timers.
    pub timing: Timing,
    /// The highest level to speak; none: the newest of this build.
    pub level: Option<u16>,
    /// The node's clock.
    pub clock: Clock,
}

/// An answer on its way.
pub type Answering = Pin<Box<dyn Future<Output = Bytes> + Send>>;

/// Who answers the questions of peers: the member's number, the lane, the body.
pub type Handler = Arc<dyn Fn(u64, Lane, Bytes) -> Answering + Send + Sync>;

/// Tells votes and leadership as they are now.
pub type Telling = Box<dyn Fn() -> Group + Send + Sync>;

/// A running member. Clones share it.
#[derive(Clone)]
pub struct Mesh(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) endpoint: quinn::Endpoint,
    /// Ours, for the others.
    pub(crate) address: String,
    /// The number of this run.
    pub(crate) boot: u64,
    pub(crate) authority: Option<Authority>,
    pub(crate) levels: Levels,
    pub(crate) handler: OnceLock<Handler>,
    telling: OnceLock<Telling>,
    own: RwLock<Arc<Credentials>>,
    roster: watch::Sender<Arc<Roster>>,
    /// Held while the roster is written.
    writing: Mutex<()>,
    links: Mutex<BTreeMap<u64, Arc<Link>>>,
    ending: watch::Sender<bool>,
    runtime: Handle,
}

impl std::fmt::Debug for Mesh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mesh").field("address", &self.0.address).finish_non_exhaustive()
    }
}

impl Mesh {
    /// Starts the endpoint of the member whose files are in `config.dir`.
    ///
    /// # Errors
    /// When a file is malformed or the port is taken.
    pub async fn start(config: Config) -> Result<Self, MeshError> {
        let own = Credentials::load(&config.dir)?;
        let roster = roster::load(&config.dir)?;
        let authority = Authority::load(&config.dir, own.subject.cluster)?;
        let levels = Levels::load(&config.dir, config.level)?;
        let server = tls::server(&own, &levels.spoken(), &config.timing)?;
        let endpoint = quinn::Endpoint::server(server, config.bind)?;
        let bound = endpoint.local_addr()?;
        files::write(&config.dir.join(files::LISTENING), bound.to_string().as_bytes())?;
        let address = config.advertised.clone().unwrap_or_else(|| reachable_at(bound));
        let mesh = Arc::new(Inner {
            config,
            endpoint,
            address,
            boot: rand::rng().random(),
            authority,
            levels,
            handler: OnceLock::new(),
            telling: OnceLock::new(),
            own: RwLock::new(Arc::new(own)),
            roster: watch::Sender::new(Arc::new(roster)),
            writing: Mutex::new(()),
            links: Mutex::default(),
            ending: watch::Sender::new(false),
            runtime: Handle::current(),
        });
        if mesh.authority.is_some() {
            mesh.clone().announce_itself().await;
        }
        tokio::spawn(serve::accept(mesh.clone()));
        mesh.dial_newcomers();
        tokio::spawn(mesh.clone().keep_links());
        tokio::spawn(mesh.clone().keep_certificate());
        Ok(Self(mesh))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Our number.
    #[must_use]
    pub fn node(&self) -> u64 {
        self.0.node()
    }

    /// Host and port under which the others find us.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.0.address
    }

    /// The newest roster known here, and its changes.
    #[must_use]
    pub fn roster(&self) -> watch::Receiver<Arc<Roster>> {
        self.0.roster.subscribe()
    }

    /// The certificate in use.
    #[must_use]
    pub fn credentials(&self) -> Arc<Credentials> {
        self.0.credentials()
    }

    /// From now on `handler` answers what peers ask. The first call counts.
    pub fn serve(&self, handler: Handler) {
        let _first = self.0.handler.set(handler);
    }

    /// From now on `telling` says who votes and who leads, for [`Status`]. The first call counts.
    pub fn tell(&self, telling: Telling) {
        let _first = self.0.telling.set(telling);
    }

    /// One question to a member, with a deadline. It is never repeated. Any runtime may call it;
    /// dropping it gives the question up.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn ask(
        &self,
        node: u64,
        lane: Lane,
        question: Bytes,
        deadline: Duration,
    ) -> Result<Bytes, AskError> {
        let Some(link) = self.0.link(node) else {
            return Err(AskError::Unreachable(format!("node {node} is no member")));
        };
        metric::CLUSTER_QUESTIONS.increment_with("lane", lane.label());
        let mesh = self.0.clone();
        let work = async move { link.ask(&mesh, lane, question, deadline).await };
        let mut task = OnDrop(self.0.runtime.spawn(work));
        (&mut task.0).await.unwrap_or(Err(AskError::Unreachable("the node ends".to_owned())))
    }

    /// What came of dialling the others: returns at the first that takes us in, or after
    /// `patience`.
    ///
    /// # Errors
    /// The refusal, when a member refuses us and none takes us in.
    pub async fn first_contact(&self, patience: Duration) -> Result<(), Refusal> {
        let mut waiting = tokio::task::JoinSet::new();
        let links: Vec<_> = self.0.links.lock().values().cloned().collect();
        for link in links {
            waiting.spawn(async move { link.first_contact(patience).await });
        }
        let mut refused = None;
        while let Some(status) = waiting.join_next().await {
            match status {
                Ok(LinkStatus::Up { .. }) => return Ok(()),
                Ok(LinkStatus::Refused(refusal)) => refused = Some(refusal),
                _ => {}
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// The cluster as this node sees it.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.status()
    }

    /// How far the clocks of those who have answered are ahead, in microseconds.
    pub(crate) fn clocks(&self) -> Vec<i64> {
        self.0.links.lock().values().filter_map(|link| *link.clock.lock()).collect()
    }

    /// Closes every connection and the port.
    pub async fn stop(&self) {
        self.0.ending.send_replace(true);
        self.0.endpoint.close(0u32.into(), b"the node ends");
        self.0.endpoint.wait_idle().await;
    }
}

/// Gives a task up with the value.
struct OnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for OnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The others can not dial an unspecified address: it is that of the default route. Nothing is
/// sent to find it out.
fn reachable_at(bound: SocketAddr) -> String {
    let (any, far): (SocketAddr, SocketAddr) = match bound {
        _ if !bound.ip().is_unspecified() => return bound.to_string(),
        SocketAddr::V4(_) => ((Ipv4Addr::UNSPECIFIED, 0).into(), (DOCUMENTATION_V4, 9).into()),
        SocketAddr::V6(_) => ((Ipv6Addr::UNSPECIFIED, 0).into(), (DOCUMENTATION_V6, 9).into()),
    };
    let route = UdpSocket::bind(any).and_then(|socket| {
        socket.connect(far)?;
        socket.local_addr()
    });
    let ip = route.map_or(Ipv4Addr::LOCALHOST.into(), |local| local.ip());
    SocketAddr::new(ip, bound.port()).to_string()
}

/// Addresses that no host has (RFC 5737, RFC 3849).
const DOCUMENTATION_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const DOCUMENTATION_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

impl Inner {
    pub(crate) fn node(&self) -> u64 {
        self.credentials().subject.node
    }

    pub(crate) fn credentials(&self) -> Arc<Credentials> {
        self.own.read().clone()
    }

    pub(crate) fn set_credentials(&self, fresh: Arc<Credentials>) {
        *self.own.write() = fresh;
    }

    pub(crate) fn roster(&self) -> Arc<Roster> {
        self.roster.borrow().clone()
    }

    pub(crate) fn watch_roster(&self) -> watch::Receiver<Arc<Roster>> {
        self.roster.subscribe()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.config.clock.now()
    }

    /// Waits for the end of the node.
    pub(crate) async fn ended(&self) {
        let mut ending = self.ending.subscribe();
        let _ended = ending.wait_for(|ending| *ending).await;
    }

    /// Where a member is; `None`: it is none (any more).
    pub(crate) fn address_of(&self, node: u64) -> Option<String> {
        let roster = self.roster();
        let member = roster.members.get(&node)?;
        (member.state != State::Removed).then(|| member.address.clone())
    }

    pub(crate) fn link(&self, node: u64) -> Option<Arc<Link>> {
        self.links.lock().get(&node).cloned()
    }

    /// Changes the roster as its writer. It is on disk when this returns.
    pub(crate) fn change(&self, input: Input) -> Result<u64, MeshError> {
        if self.authority.is_none() {
            return Err(Refusal::NotTheAuthority.into());
        }
        let _writing = self.writing.lock();
        let mut roster = Roster::clone(&self.roster());
        let before = roster.revision;
        let node = roster.step(input)?;
        if roster.revision > before {
            roster::save(&self.config.dir, &roster)?;
            self.publish(roster);
        }
        Ok(node)
    }

    /// Takes a newer roster from a peer.
    pub(crate) async fn adopt(self: &Arc<Self>, newer: Roster) {
        let mesh = self.clone();
        let adopted = tokio::task::spawn_blocking(move || {
            let _writing = mesh.writing.lock();
            let known = mesh.roster();
            if newer.cluster != known.cluster || newer.revision <= known.revision {
                return Ok(());
            }
            roster::save(&mesh.config.dir, &newer)?;
            mesh.publish(newer);
            Ok::<(), MeshError>(())
        });
        if let Ok(Err(error)) = adopted.await {
            tracing::error!(%error, "the roster could not be written");
        }
    }

    fn publish(&self, roster: Roster) {
        let active = u64::try_from(roster.active().count()).unwrap_or(u64::MAX);
        metric::CLUSTER_MEMBERS.set(active);
        tracing::info!(revision = roster.revision, members = active, "roster");
        self.roster.send_replace(Arc::new(roster));
        for link in self.links.lock().values() {
            link.news.notify_one();
        }
    }

    /// The writer's own entry is written like the others'.
    async fn announce_itself(self: Arc<Self>) {
        let announced = tokio::task::spawn_blocking(move || {
            let (node, boot) = (self.node(), self.boot);
            self.change(Input::Announce { node, address: self.address.clone(), boot })
        });
        if let Ok(Err(error)) = announced.await {
            tracing::error!(%error, "the roster could not be written");
        }
    }

    /// A link to every other member, and none to others.
    async fn keep_links(self: Arc<Self>) {
        let mut roster = self.watch_roster();
        roster.mark_changed();
        loop {
            tokio::select! {
                changed = roster.changed() => if changed.is_err() { return },
                () = self.ended() => return,
            }
            self.dial_newcomers();
        }
    }

    fn dial_newcomers(self: &Arc<Self>) {
        let roster = self.roster();
        let mut links = self.links.lock();
        links.retain(|node, _| self.address_of(*node).is_some());
        for member in roster.active().filter(|member| member.node != self.node()) {
            links.entry(member.node).or_insert_with(|| {
                let link = Arc::new(Link::new(member.node));
                tokio::spawn(link.clone().keep(self.clone()));
                link
            });
        }
    }

    pub(crate) fn status(&self) -> Status {
        let (roster, own) = (self.roster(), self.credentials());
        let group = self.telling.get().map(|telling| telling());
        let standing = |member: &Member| match &group {
            Some(group) if group.voters.contains(&member.node) => Standing::Voter,
            Some(_) => Standing::Learner,
            None => member.standing,
        };
        let members = roster.active().map(|member| MemberStatus {
            node: member.node,
            name: member.name.clone(),
            address: member.address.clone(),
            standing: standing(member),
            state: member.state,
            link: match self.link(member.node) {
                _ if member.node == own.subject.node => LinkStatus::Own,
                Some(link) => link.status(),
                None => LinkStatus::Down("not dialled yet".to_owned()),
            },
            ahead_micros: self.link(member.node).and_then(|link| *link.clock.lock()),
        });
        Status {
            cluster: roster.cluster,
            node: own.subject.node,
            authority: roster.authority,
            revision: roster.revision,
            certificate_until: own.subject.until,
            members: members.collect(),
            group,
        }
    }
}

/// Questions to members.
impl Inner {
    /// A question of control to a member.
    pub(crate) async fn control(
        self: &Arc<Self>,
        node: u64,
        question: &Question,
    ) -> Result<Answer, AskError> {
        let link = self.link(node).ok_or(AskError::Unreachable(format!("node {node}")))?;
        let question = tandem_wire::encode(question).into();
        let answer = link.ask(self, Lane::Control, question, CONTROL).await?;
        tandem_wire::decode(&answer, crate::control::LIMIT)
            .map_err(|error| AskError::Broken(error.to_string()))
    }
}
