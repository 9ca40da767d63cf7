//! What an endpoint is told at its start.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::guard::Prefix;
use crate::transaction::{FlowId, Timers};

/// How messages travel (RFC 3261 18, RFC 7118).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A plain stream.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket.
    Ws,
    /// WebSocket over TLS.
    Wss,
}

impl Transport {
    /// As it stands in a Via.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// Whether the path is encrypted.
    #[must_use]
    pub const fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// Whether messages travel on connections.
    #[must_use]
    pub const fn is_stream(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// The port where none is written (RFC 3261 19.1.2, RFC 7118 5.2).
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no transport.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown transport")]
pub struct UnknownTransport;

impl FromStr for Transport {
    type Err = UnknownTransport;

    fn from_str(text: &str) -> Result<Self, UnknownTransport> {
        [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss]
            .into_iter()
            .find(|transport| transport.as_str().eq_ignore_ascii_case(text))
            .ok_or(UnknownTransport)
    }
}

/// One place where the endpoint listens.
#[derive(Clone)]
pub struct Listener {
    /// How.
    pub transport: Transport,
    /// Where; port 0 lets the system choose.
    pub bind: SocketAddr,
    /// The certificate, needed for TLS and WSS.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// The host and port to write into Via, if it is not the bound address (NAT, DNS name).
    pub advertised: Option<(String, u16)>,
}

impl Listener {
    /// A listener without TLS and without another name.
    #[must_use]
    pub const fn new(transport: Transport, bind: SocketAddr) -> Self {
        Self { transport, bind, tls: None, advertised: None }
    }
}

/// A listener with its real port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundListener {
    /// How it listens.
    pub transport: Transport,
    /// Where.
    pub local: SocketAddr,
    /// What stands in Via instead of the address.
    pub advertised: Option<(String, u16)>,
}

/// What a peer can make this node hold or do.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Longest message on a stream or WebSocket, in bytes (S17).
    pub message_bytes: usize,
    /// Longest request sent over UDP before TCP is tried (RFC 3261 18.1.1).
    pub udp_request_bytes: usize,
    /// Requests that an unknown source may send within `window` (S18).
    pub requests: u32,
    /// The window of `requests`.
    pub window: Duration,
    /// The first ban; each further one is twice as long.
    pub ban: Duration,
    /// The longest ban.
    pub longest_ban: Duration,
    /// How many sources are remembered; the least recently seen is forgotten.
    pub sources: usize,
    /// Sources that are never limited: trunks, monitoring.
    pub allowed: Vec<Prefix>,
    /// Whether loopback addresses count as allowed.
    pub exempt_loopback: bool,
    /// All connections together.
    pub connections: usize,
    /// Connections from one address that is not allowed (IPv6: from one /64).
    pub connections_per_source: usize,
    /// A connection over which nobody has proved anything is closed after this silence.
    pub unproven_idle: Duration,
    /// Any other connection is closed after this silence.
    pub proven_idle: Duration,
    /// How long a connection may take to open, handshakes included.
    pub connect: Duration,
    /// Out-of-dialog requests that wait for the user; more are answered 503.
    pub inbound: usize,
    /// The Retry-After of that 503.
    pub retry_after: Duration,
    /// Origins from which a browser may open a WebSocket; empty allows every origin.
    pub origins: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 65_536,
            udp_request_bytes: 1_300,
            requests: 30,
            window: Duration::from_secs(2),
            ban: Duration::from_secs(5 * 60),
            longest_ban: Duration::from_secs(24 * 60 * 60),
            sources: 100_000,
            allowed: Vec::new(),
            exempt_loopback: false,
            connections: 20_000,
            connections_per_source: 100,
            unproven_idle: Duration::from_secs(15),
            proven_idle: Duration::from_secs(60 * 60),
            connect: Duration::from_secs(5),
            inbound: 1_024,
            retry_after: Duration::from_secs(5),
            origins: Vec::new(),
        }
    }
}

/// Everything that [`super::start`] needs.
#[derive(Clone, Default)]
pub struct Config {
    /// Where to listen. Outgoing requests need a listener of their transport too.
    pub listeners: Vec<Listener>,
    /// For the User-Agent and Server headers; empty leaves them out.
    pub user_agent: String,
    /// Bounds.
    pub limits: Limits,
    /// Transaction timers.
    pub timers: Timers,
    /// Whom to trust when we open TLS connections; without it there are none.
    pub tls_client: Option<Arc<rustls::ClientConfig>>,
    /// Name servers to ask instead of the system's.
    pub name_servers: Vec<SocketAddr>,
    /// Sees every message, for call traces.
    pub tap: Option<Tap>,
}

/// A watcher of all messages. It must be quick: it runs where the message is handled.
pub type Tap = Arc<dyn Fn(&TapRecord<'_>) + Send + Sync>;

/// Which way a message went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the peer.
    Received,
    /// To the peer.
    Sent,
}

/// One message as it was on the wire.
#[derive(Clone, Copy, Debug)]
pub struct TapRecord<'a> {
    /// Which way.
    pub direction: Direction,
    /// The peer and the path.
    pub flow: FlowId,
    /// How it travelled.
    pub transport: Transport,
    /// Our end.
    pub local: SocketAddr,
    /// The whole message.
    pub raw: &'a Bytes,
    /// When, by the process's monotonic clock.
    pub at: Instant,
    /// Its Call-ID; empty for a message without one.
    pub call_id: &'a str,
}

/// Why an endpoint does not start.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The socket could not be opened.
    #[error("failed to bind SIP {transport} listener on {bind}")]
    Bind {
        /// How it should have listened.
        transport: Transport,
        /// Where.
        bind: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A TLS or WSS listener has no certificate.
    #[error("the SIP {transport} listener on {bind} has no certificate")]
    NoCertificate {
        /// How it should have listened.
        transport: Transport,
        /// Where.
        bind: SocketAddr,
    },
    /// There is nothing to listen on.
    #[error("no SIP listener is configured")]
    NoListener,
}

/// The host and port for an address, as Via and Contact write it.
pub(crate) fn host_port(ip: IpAddr, port: u16) -> String {
    SocketAddr::new(ip, port).to_string()
}

impl Limits {
    /// The bounds of a message on a stream.
    pub(super) fn framing(&self) -> crate::message::Limits {
        crate::message::Limits { message: self.message_bytes }
    }
}
