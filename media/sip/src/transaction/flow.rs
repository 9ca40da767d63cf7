//! Where a message came from and where an answer goes.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// A path to one peer (RFC 5626): a stream connection, or a UDP socket of ours with the peer's
/// address. A UDP flow outlives a restart; a stream's id is never given to another connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FlowId {
    link: u64,
    remote: SocketAddr,
}

/// Set in the link number of a stream.
const STREAM: u64 = 1 << 63;

/// Set in the link number of a flow that another member of a cluster has.
const REMOTE: u64 = 1 << 62;

impl FlowId {
    /// The flow of a datagram socket (its place among the listeners) with one peer.
    #[must_use]
    pub const fn datagram(listener: u32, remote: SocketAddr) -> Self {
        Self { link: listener as u64, remote }
    }

    /// The flow of a stream connection with a serial number.
    #[must_use]
    pub const fn stream(serial: u64, remote: SocketAddr) -> Self {
        Self { link: serial | STREAM, remote }
    }

    /// A flow that another member of a cluster has, under a number of our own. It is a connection
    /// if it is one there.
    #[must_use]
    pub(crate) const fn through(number: u64, there: Self) -> Self {
        Self { link: number | REMOTE | (there.link & STREAM), remote: there.remote }
    }

    /// Whether another member of a cluster has this flow.
    #[must_use]
    pub const fn is_remote(&self) -> bool {
        self.link & REMOTE != 0
    }

    /// The peer's address.
    #[must_use]
    pub const fn remote(&self) -> SocketAddr {
        self.remote
    }

    /// Whether this is a connection (TCP, TLS, WebSocket): nothing is ever sent twice there.
    #[must_use]
    pub const fn is_reliable(&self) -> bool {
        self.link & STREAM != 0
    }

    /// The listener's place for a datagram flow, the connection's number for a stream; above all
    /// of these for a flow of another member.
    pub(crate) const fn link(&self) -> u64 {
        self.link & !STREAM
    }
}

impl fmt::Debug for FlowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_reliable() { "stream" } else { "udp" };
        let place = if self.is_remote() { "remote-" } else { "" };
        write!(f, "{place}{kind}-{:x}-{}", self.link(), self.remote)
    }
}
