//! What the endpoint and its users say to each other.

use std::net::SocketAddr;
use std::sync::Arc;

use super::config::Transport;
use crate::message::Message;
use crate::transaction::{FlowId, TxnId};
use crate::value::Uri;

/// Takes events of one transaction or dialog. It must not block: it runs on the socket's task.
/// It may be called while the call that installed it has not returned yet.
pub type Sink = Arc<dyn Fn(TuEvent) + Send + Sync>;

/// A received request with where it came from.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// To be answered with `Handle::respond`.
    pub txn: TxnId,
    /// The request.
    pub request: Message,
    /// The path back to the sender, also for requests of ours (RFC 5626).
    pub flow: FlowId,
    /// How it travelled.
    pub transport: Transport,
    /// Who sent it.
    pub source: SocketAddr,
    /// Our address on that path.
    pub local: SocketAddr,
}

/// An event for the user of a transaction or a dialog.
#[derive(Clone, Debug)]
pub enum TuEvent {
    /// A request within an attached dialog.
    Request(Inbound),
    /// An answer to a request of ours.
    Response {
        /// The request.
        txn: TxnId,
        /// The answer.
        response: Message,
        /// Where it came from.
        flow: FlowId,
    },
    /// An ACK to a 2xx of ours.
    Ack(Message),
    /// The peer takes its INVITE back; it waits for a 487. The CANCEL itself was answered.
    Cancelled {
        /// The INVITE.
        invite: TxnId,
        /// The CANCEL, for its Reason.
        cancel: Message,
    },
    /// No final answer came in time (timers B and F): to be taken as a 408.
    Timeout {
        /// The request.
        txn: TxnId,
    },
    /// The request could not be sent, or its connection broke: to be taken as a 503.
    TransportFailed {
        /// The request.
        txn: TxnId,
        /// What went wrong.
        why: String,
    },
    /// A refusal of ours was never acknowledged (timer H).
    ServerGone {
        /// The INVITE.
        txn: TxnId,
    },
}

/// Where a request goes.
#[derive(Clone, Debug)]
pub struct Target {
    /// The next hop: the first Route or the request URI (RFC 3261 8.1.2).
    pub uri: Uri,
    /// Go along this path and no other: a registered phone's (RFC 5626 5.3).
    pub flow: Option<FlowId>,
    /// Instead of what the URI says.
    pub transport: Option<Transport>,
    /// Instead of what the name service says; a host name stays for checking the certificate.
    pub addr: Option<SocketAddr>,
}

impl Target {
    /// The way that RFC 3263 finds for a URI.
    #[must_use]
    pub const fn of(uri: Uri) -> Self {
        Self { uri, flow: None, transport: None, addr: None }
    }
}
