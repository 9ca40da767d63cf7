//! The sockets and connections there are, and putting bytes on them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use tokio::sync::mpsc;

use super::config::{BoundListener, Limits, Transport, host_port};
use super::endpoint::now;
use super::guard::source_key;
use super::remote::Remotes;
use crate::transaction::FlowId;

/// Messages that wait for a slow connection; beyond that it is given up.
pub(super) const QUEUE: usize = 256;

/// How many routes are remembered for "which of our addresses does that peer see".
const ROUTES: usize = 4_096;

/// Addresses of a host change seldom, but they change.
const ROUTE_LASTS: Duration = Duration::from_secs(60);

/// A peer without TCP is asked again after this.
const NO_TCP_LASTS: Duration = Duration::from_secs(10 * 60);

/// A datagram socket for sending. It is the same socket that a task reads, without that
/// runtime's idea of readiness, so that the first answer does not fail.
pub(super) struct UdpLink {
    pub(super) socket: std::net::UdpSocket,
    pub(super) local: SocketAddr,
}

/// A connection for sending.
pub(super) struct StreamLink {
    pub(super) out: mpsc::Sender<Bytes>,
    pub(super) transport: Transport,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    /// The name that its certificate was checked against, if we opened it.
    pub(super) name: Option<String>,
    pub(super) proven: Arc<AtomicBool>,
}

/// What a flow is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path {
    pub(super) transport: Transport,
    pub(super) local: SocketAddr,
}

#[derive(Default)]
struct Table {
    streams: HashMap<u64, StreamLink>,
    peers: HashMap<(Transport, SocketAddr), u64>,
}

/// All links of an endpoint.
pub(super) struct Links {
    udp: Vec<UdpLink>,
    pub(super) bound: Vec<BoundListener>,
    table: RwLock<Table>,
    sources: Arc<Mutex<HashMap<IpAddr, usize>>>,
    routes: Mutex<HashMap<IpAddr, (IpAddr, Instant)>>,
    no_tcp: Mutex<HashMap<SocketAddr, Instant>>,
    turns: Mutex<HashMap<(Transport, SocketAddr), Weak<Turn>>>,
    /// Flows of other members.
    pub(super) remotes: Remotes,
    limits: Limits,
}

/// Held by whoever opens a connection.
pub(super) type Turn = tokio::sync::Mutex<()>;

/// The right to hold one connection; given back when it is dropped.
pub(super) struct Ticket {
    sources: Arc<Mutex<HashMap<IpAddr, usize>>>,
    source: IpAddr,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut sources = self.sources.lock();
        let Some(held) = sources.get_mut(&self.source) else { return };
        *held -= 1;
        if *held == 0 {
            sources.remove(&self.source);
        }
    }
}

impl Links {
    pub(super) fn new(udp: Vec<UdpLink>, bound: Vec<BoundListener>, limits: Limits) -> Self {
        Self {
            udp,
            bound,
            table: RwLock::default(),
            sources: Arc::default(),
            routes: Mutex::default(),
            no_tcp: Mutex::default(),
            turns: Mutex::default(),
            remotes: Remotes::default(),
            limits,
        }
    }

    /// Lets a peer have one more connection, or not.
    pub(super) fn admit(&self, source: IpAddr, is_allowed: bool) -> Option<Ticket> {
        let source = source_key(source);
        let open = self.table.read().streams.len();
        let mut sources = self.sources.lock();
        let held = sources.entry(source).or_default();
        let over = !is_allowed && *held >= self.limits.connections_per_source;
        if over || open >= self.limits.connections {
            if *held == 0 {
                sources.remove(&source);
            }
            return None;
        }
        *held += 1;
        Some(Ticket { sources: self.sources.clone(), source })
    }

    /// The lock that whoever opens a connection to a peer holds meanwhile.
    pub(super) fn turn(&self, transport: Transport, addr: SocketAddr) -> Arc<Turn> {
        let mut turns = self.turns.lock();
        turns.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = turns.get(&(transport, addr)).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::default();
        turns.insert((transport, addr), Arc::downgrade(&turn));
        turn
    }

    pub(super) fn add(&self, flow: FlowId, link: StreamLink) {
        let mut table = self.table.write();
        table.peers.insert((link.transport, link.remote), flow.link());
        table.streams.insert(flow.link(), link);
    }

    /// The peer takes requests at another address on the same connection (RFC 5923).
    pub(super) fn alias(&self, flow: FlowId, transport: Transport, addr: SocketAddr) {
        self.table.write().peers.entry((transport, addr)).or_insert(flow.link());
    }

    pub(super) fn remove(&self, flow: FlowId) {
        let mut table = self.table.write();
        let Some(link) = table.streams.remove(&flow.link()) else { return };
        let peer = (link.transport, link.remote);
        if table.peers.get(&peer) == Some(&flow.link()) {
            table.peers.remove(&peer);
        }
    }

    pub(super) fn close_all(&self) {
        let mut table = self.table.write();
        table.streams.clear();
        table.peers.clear();
    }

    pub(super) fn connections(&self) -> usize {
        self.table.read().streams.len()
    }

    /// An open connection to an address. One that we opened under TLS counts only for the
    /// name that its certificate was checked against.
    pub(super) fn find(
        &self,
        transport: Transport,
        addr: SocketAddr,
        name: &str,
    ) -> Option<FlowId> {
        let mut table = self.table.write();
        let serial = *table.peers.get(&(transport, addr))?;
        let Some(link) = table.streams.get(&serial) else {
            table.peers.remove(&(transport, addr));
            return None;
        };
        let foreign = link.name.as_deref().is_some_and(|own| !own.eq_ignore_ascii_case(name));
        (!foreign).then(|| FlowId::stream(serial, link.remote))
    }

    /// What a flow is, if it is open.
    pub(super) fn path(&self, flow: FlowId) -> Option<Path> {
        if flow.is_remote() {
            return self.remotes.path(flow);
        }
        if !flow.is_reliable() {
            let link = self.udp.get(usize::try_from(flow.link()).ok()?)?;
            let local = self.local_towards(link.local, flow.remote().ip());
            return Some(Path { transport: Transport::Udp, local });
        }
        let table = self.table.read();
        let link = table.streams.get(&flow.link()).filter(|l| l.remote == flow.remote())?;
        Some(Path { transport: link.transport, local: link.local })
    }

    pub(super) fn is_proven(&self, flow: FlowId) -> bool {
        let table = self.table.read();
        table.streams.get(&flow.link()).is_some_and(|link| link.proven.load(Ordering::Relaxed))
    }

    /// The connection is somebody's and may stay.
    pub(super) fn prove(&self, flow: FlowId) {
        if flow.is_reliable()
            && let Some(link) = self.table.read().streams.get(&flow.link())
        {
            link.proven.store(true, Ordering::Relaxed);
        }
    }

    /// Puts bytes on a flow, without waiting.
    pub(super) fn send(&self, flow: FlowId, bytes: Bytes) -> Result<(), String> {
        if flow.is_remote() {
            return self.remotes.send(flow, bytes);
        }
        if flow.is_reliable() {
            return self.send_stream(flow, bytes);
        }
        let at = usize::try_from(flow.link()).unwrap_or(usize::MAX);
        let link = self.udp.get(at).ok_or_else(|| "no such listener".to_owned())?;
        match link.socket.send_to(&bytes, flow.remote()) {
            Ok(_) => Ok(()),
            // A full socket buffer is a loss like any other: the transaction repeats.
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn send_stream(&self, flow: FlowId, bytes: Bytes) -> Result<(), String> {
        let sent = {
            let table = self.table.read();
            let link = table.streams.get(&flow.link()).filter(|l| l.remote == flow.remote());
            let link = link.ok_or_else(|| "the connection was closed".to_owned())?;
            link.out.try_send(bytes)
        };
        sent.map_err(|_| {
            self.remove(flow);
            "the connection does not take more".to_owned()
        })
    }

    /// The datagram socket for a peer: one of its family, best the one with the right address.
    pub(super) fn datagram(&self, remote: SocketAddr) -> Option<FlowId> {
        let fits = |link: &&UdpLink| link.local.is_ipv4() == remote.is_ipv4();
        let mut family = self.udp.iter().filter(fits).peekable();
        let first = family.peek()?.local;
        let own = self.route(remote.ip()).unwrap_or(first.ip());
        let exact = self.udp.iter().position(|link| link.local.ip() == own);
        let open = || {
            let fits = |link: &UdpLink| {
                link.local.is_ipv4() == remote.is_ipv4() && link.local.ip().is_unspecified()
            };
            self.udp.iter().position(fits)
        };
        let any = || self.udp.iter().position(|link| link.local == first);
        let at = exact.or_else(open).or_else(any)?;
        Some(FlowId::datagram(u32::try_from(at).ok()?, remote))
    }

    pub(super) fn listens(&self, transport: Transport) -> bool {
        self.bound.iter().any(|listener| listener.transport == transport)
    }

    /// Whether an address is one that we listen on: never answer ourselves statelessly.
    pub(super) fn is_own(&self, addr: SocketAddr) -> bool {
        let ip = addr.ip().to_canonical();
        self.bound.iter().any(|listener| {
            let own = listener.local.ip();
            let same = own == ip
                || own.is_unspecified() && (ip.is_loopback() || self.route(ip) == Some(ip));
            listener.local.port() == addr.port() && same
        })
    }

    /// The sent-by of our Via on a flow: the advertised name of the listener, or our address
    /// with the port where we listen. Of another member's flow it is that member's.
    pub(super) fn sent_by(&self, transport: Transport, flow: FlowId) -> String {
        if flow.is_remote() {
            return self.remotes.address(flow);
        }
        let local = self.path(flow).map(|path| path.local);
        self.contact(transport, local, flow.remote().ip())
    }

    fn contact(&self, transport: Transport, local: Option<SocketAddr>, remote: IpAddr) -> String {
        let own = self.bound.iter().filter(|l| l.transport == transport);
        let own: Vec<_> = own.filter(|l| l.local.is_ipv4() == remote.is_ipv4()).collect();
        let exact = local.and_then(|local| own.iter().find(|l| l.local == local));
        let same_ip = || {
            let ip = local?.ip();
            own.iter().find(|l| l.local.ip() == ip)
        };
        match exact.or_else(same_ip).or(own.first()) {
            Some(listener) => match &listener.advertised {
                Some((host, port)) => format!("{host}:{port}"),
                None => {
                    let local = self.local_towards(listener.local, remote);
                    host_port(local.ip(), local.port())
                }
            },
            None => match local {
                Some(local) => host_port(local.ip(), local.port()),
                None => "invalid.invalid".to_owned(),
            },
        }
    }

    /// What a peer would call us over a transport, for a Contact.
    pub(super) fn reachable_at(&self, transport: Transport, remote: IpAddr) -> Option<String> {
        self.listens(transport).then(|| self.contact(transport, None, remote))
    }

    /// Whether a peer lately had no TCP where it has UDP.
    pub(super) fn refuses_tcp(&self, peer: SocketAddr) -> bool {
        let since = self.no_tcp.lock().get(&peer).copied();
        since.is_some_and(|since| now() - since < NO_TCP_LASTS)
    }

    pub(super) fn remember_no_tcp(&self, peer: SocketAddr) {
        let mut peers = self.no_tcp.lock();
        if peers.len() >= ROUTES {
            peers.clear();
        }
        peers.insert(peer, now());
    }

    /// A bound address as a peer sees it: an unspecified one becomes the one of the route.
    fn local_towards(&self, bound: SocketAddr, remote: IpAddr) -> SocketAddr {
        if !bound.ip().is_unspecified() {
            return bound;
        }
        SocketAddr::new(self.route(remote).unwrap_or(bound.ip()), bound.port())
    }

    /// Our address on the way to a peer, as the system would choose it. Nothing is sent.
    fn route(&self, remote: IpAddr) -> Option<IpAddr> {
        let now = now();
        let known = self.routes.lock().get(&remote).copied();
        if let Some((own, _)) = known.filter(|(_, since)| now - *since < ROUTE_LASTS) {
            return Some(own);
        }
        let any = match remote {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let socket = std::net::UdpSocket::bind((any, 0)).ok()?;
        socket.connect((remote, 9)).ok()?;
        let own = socket.local_addr().ok()?.ip();
        let mut routes = self.routes.lock();
        if routes.len() >= ROUTES {
            routes.clear();
        }
        routes.insert(remote, (own, now));
        Some(own)
    }
}
