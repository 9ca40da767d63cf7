//! The way to the other members: one request, one answer. The bytes are the journal's business,
//! the way is whoever implements [`Transport`]; the journal never repeats a request that may
//! have been done unless it carries what tells a repetition apart.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use crate::inlet::Inlet;

/// No request and no answer is longer, in bytes.
pub const MAX_BODY_BYTES: usize = (1 << 20) + (64 << 10);

/// A member as the group knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Peer {
    /// Its number, which never belonged and never will belong to another.
    pub node: u64,
    /// Where it is reached, in the transport's own words; at most 255 bytes.
    pub address: String,
}

/// The kind of a request's traffic. Requests of one lane do not hold up those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Heartbeats, votes and log entries: small, urgent.
    Consensus,
    /// Appends and wishes on their way to the leader.
    Forward,
    /// Pieces of copies, one after the other.
    Bulk,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// It was certainly not sent.
    #[error("the member can not be reached: {0}")]
    Unreachable(String),
    /// The deadline passed; it may have been done.
    #[error("the member did not answer in time")]
    TimedOut,
    /// The connection broke on the way; it may have been done.
    #[error("the connection to the member broke: {0}")]
    Broken(String),
}

/// An answer on its way. Dropping it gives the request up.
pub type Answer = Pin<Box<dyn Future<Output = Result<Bytes, TransportError>> + Send>>;

/// Carries requests to other members and theirs to this one.
pub trait Transport: Send + Sync + 'static {
    /// Called once, as soon as the journal can answer: the requests of peers go to `inlet`.
    fn serve(&self, inlet: Inlet);

    /// Sends one request, at most once, and gives its answer, or an error after `deadline` at
    /// the latest. It is polled on the journal's own thread, which has timers and no sockets.
    fn ask(&self, peer: &Peer, lane: Lane, request: Bytes, deadline: Duration) -> Answer;
}

/// Nobody else: the transport of a node that is alone.
pub(crate) struct Alone;

impl Transport for Alone {
    fn serve(&self, _inlet: Inlet) {}

    fn ask(&self, _peer: &Peer, _lane: Lane, _request: Bytes, _deadline: Duration) -> Answer {
        let alone = TransportError::Unreachable("this node is alone in its group".to_owned());
        Box::pin(std::future::ready(Err(alone)))
    }
}
