//! One shard of the transaction layer: its table, its timers and what goes out of it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use smallvec::SmallVec;

use super::key::{Index, Key, Keys};
use super::slots::Slots;
use super::timers::Queue;
use super::{FlowId, Timers, TxnId};
use crate::message::Message;

/// What the shell has to do after a step, in order.
#[derive(Debug)]
pub enum Output<O> {
    /// Put these bytes on the flow.
    Send {
        /// Whose they are; a transport failure is reported against it.
        txn: TxnId,
        /// Where they go.
        flow: FlowId,
        /// One whole message.
        bytes: Bytes,
        /// Sent before: a retransmission.
        again: bool,
    },
    /// An answer for the user of a client transaction.
    Response {
        /// The user.
        owner: O,
        /// The client transaction.
        txn: TxnId,
        /// The answer.
        response: Message,
        /// Where it came from.
        flow: FlowId,
    },
    /// No final answer came in time: timer B, F or the stale limit. The transaction is gone.
    Timeout {
        /// The user.
        owner: O,
        /// The client transaction.
        txn: TxnId,
    },
    /// A request could not be sent or its connection broke. The transaction is gone.
    Failed {
        /// The user.
        owner: O,
        /// The client transaction.
        txn: TxnId,
        /// What went wrong.
        why: String,
    },
    /// A refusal of an INVITE was never acknowledged (timer H), or the INVITE's user kept it
    /// past the stale limit.
    Gone {
        /// The server transaction.
        txn: TxnId,
        /// The number of the Call-ID, see `Keys::call`.
        call: u64,
    },
}

/// What a received request turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The first of its kind: give it to a user.
    New(TxnId),
    /// A retransmission or an ACK to a refusal: dealt with.
    Absorbed,
    /// An ACK that no transaction waits for: a dialog's (to a 2xx).
    Ack,
    /// A CANCEL. `invite` is what it means, if that is known here.
    Cancel {
        /// The CANCEL's own transaction, to be answered 200 or 481.
        txn: TxnId,
        /// The INVITE, and whether it still waits for a final answer.
        invite: Option<(TxnId, bool)>,
    },
    /// The same request came along two paths: to be answered 482 (RFC 3261 8.2.2.2).
    Merged(TxnId),
    /// No usable Via or CSeq.
    Unusable,
}

/// Why the layer does not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The transaction does not exist any more.
    #[error("the transaction is gone")]
    Gone,
    /// It has had its final answer.
    #[error("the transaction has been answered")]
    Answered,
    /// A CANCEL for an INVITE that is not under way.
    #[error("there is no pending INVITE to cancel")]
    NothingToCancel,
}

/// How a CANCEL must go: along the INVITE's way, with the INVITE's Via (RFC 3261 9.1).
#[derive(Debug)]
pub struct CancelPath {
    /// The CANCEL's own transaction.
    pub txn: TxnId,
    /// The flow of the INVITE.
    pub flow: FlowId,
    /// The Via value of the INVITE.
    pub via: String,
}

/// The four machines of RFC 3261 17.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    ClientInvite,
    Client,
    ServerInvite,
    Server,
}

/// Their states. `Trying` is also the INVITE client's "Calling".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// A client whose next hop is not known yet.
    Opening,
    Trying,
    Proceeding,
    Completed,
    Confirmed,
    /// RFC 6026: a 2xx has passed.
    Accepted,
}

/// A repeated action: when next, and the interval after which it was set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repeat {
    pub(super) at: Instant,
    pub(super) interval: Duration,
}

/// One transaction. Kept small: thousands of them linger for 32 seconds each.
pub(super) struct Txn<O> {
    pub(super) kind: Kind,
    pub(super) phase: Phase,
    pub(super) key: Key,
    /// Merge key of a server, cancel key of an INVITE client.
    pub(super) second: Option<Key>,
    pub(super) flow: FlowId,
    /// What may have to go out again. An unanswered INVITE server keeps the request, of which
    /// a 100 can be made.
    pub(super) bytes: Bytes,
    pub(super) owner: Option<O>,
    pub(super) call: u64,
    /// How long the request of a server was, in bytes.
    pub(super) heard: u32,
    pub(super) repeat: Option<Repeat>,
    pub(super) deadline: Option<Instant>,
    armed: Option<Instant>,
}

impl<O> Txn<O> {
    pub(super) fn new(kind: Kind, phase: Phase, key: Key, flow: FlowId) -> Self {
        Self {
            kind,
            phase,
            key,
            second: None,
            flow,
            bytes: Bytes::new(),
            owner: None,
            call: 0,
            heard: 0,
            repeat: None,
            deadline: None,
            armed: None,
        }
    }

    fn due(&self) -> Option<Instant> {
        match (self.repeat, self.deadline) {
            (Some(repeat), Some(deadline)) => Some(repeat.at.min(deadline)),
            (Some(repeat), None) => Some(repeat.at),
            (None, deadline) => deadline,
        }
    }
}

/// All transactions of one shard. `O` is what the shell wants back with a client's events.
pub struct Layer<O> {
    pub(super) shard: u8,
    pub(super) timers: Timers,
    pub(super) keys: Keys,
    pub(super) slots: Slots<Txn<O>>,
    pub(super) servers: Index<Key, TxnId>,
    pub(super) clients: Index<Key, TxnId>,
    /// Merge keys of servers and cancel keys of clients.
    pub(super) seconds: Index<Key, TxnId>,
    /// Client transactions that wait on a stream, to fail with it.
    pub(super) streams: HashMap<u64, SmallVec<[TxnId; 4]>>,
    pub(super) queue: Queue,
    pub(super) branches: u64,
}

impl<O: Clone> Layer<O> {
    pub(crate) fn new(shard: u8, timers: Timers, keys: Keys) -> Self {
        Self {
            shard,
            timers,
            keys,
            slots: Slots::new(),
            servers: Index::default(),
            clients: Index::default(),
            seconds: Index::default(),
            streams: HashMap::new(),
            queue: Queue::new(),
            branches: 0,
        }
    }

    /// How many transactions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When [`Layer::fire`] wants to be called next.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.queue.next()
    }

    /// Does what is due.
    pub fn fire(&mut self, now: Instant, out: &mut Vec<Output<O>>) {
        while let Some((at, txn)) = self.queue.pop_due(now) {
            let Some(entry) = self.get_mut(txn) else { continue };
            if entry.armed != Some(at) {
                continue;
            }
            entry.armed = None;
            let kind = entry.kind;
            if entry.due().is_some_and(|due| due <= now) {
                match kind {
                    Kind::ClientInvite | Kind::Client => self.client_timer(now, txn, out),
                    Kind::ServerInvite | Kind::Server => self.server_timer(now, txn, out),
                }
            }
            self.arm(now, txn);
        }
    }

    /// The bytes of a transaction could not be sent.
    pub fn failed(&mut self, txn: TxnId, why: &str, out: &mut Vec<Output<O>>) {
        let Some(entry) = self.get(txn) else { return };
        let (kind, phase) = (entry.kind, entry.phase);
        let waits = matches!(phase, Phase::Opening | Phase::Trying | Phase::Proceeding);
        match kind {
            // A server keeps its place: the peer may repeat its request along another way.
            Kind::ServerInvite | Kind::Server => {}
            Kind::ClientInvite | Kind::Client if waits => {
                let Some(gone) = self.end(txn) else { return };
                let Some(owner) = gone.owner else { return };
                out.push(Output::Failed { owner, txn, why: why.to_owned() });
            }
            // The ACK of a refusal could not be sent; timer D ends the transaction.
            Kind::ClientInvite | Kind::Client => {}
        }
    }

    /// A stream is closed: what waits for an answer on it fails.
    pub fn stream_closed(&mut self, flow: FlowId, out: &mut Vec<Output<O>>) {
        let Some(waiting) = self.streams.remove(&flow.link()) else { return };
        for txn in waiting {
            self.failed(txn, "the connection was closed", out);
        }
    }

    pub(super) fn get(&self, txn: TxnId) -> Option<&Txn<O>> {
        self.slots.get(txn.slot(), txn.generation())
    }

    pub(super) fn get_mut(&mut self, txn: TxnId) -> Option<&mut Txn<O>> {
        self.slots.get_mut(txn.slot(), txn.generation())
    }

    pub(super) fn insert(&mut self, entry: Txn<O>) -> TxnId {
        let (slot, generation) = self.slots.insert(entry);
        TxnId::new(self.shard, generation, slot)
    }

    /// Puts a transaction into the timer table, if its next moment is earlier than what is there.
    pub(super) fn arm(&mut self, now: Instant, txn: TxnId) {
        // A far moment is approached in steps, so that the table holds no entry of a
        // transaction that has gone for longer than one step.
        let horizon = now + self.timers.long();
        let Some(entry) = self.get_mut(txn) else { return };
        let Some(due) = entry.due() else { return };
        let at = due.min(horizon);
        if entry.armed.is_some_and(|armed| armed <= at) {
            return;
        }
        entry.armed = Some(at);
        self.queue.push(at, txn);
    }

    /// Takes a transaction out of every table.
    pub(super) fn end(&mut self, txn: TxnId) -> Option<Txn<O>> {
        let entry = self.slots.remove(txn.slot(), txn.generation())?;
        let index = match entry.kind {
            Kind::ClientInvite | Kind::Client => &mut self.clients,
            Kind::ServerInvite | Kind::Server => &mut self.servers,
        };
        remove_own(index, entry.key, txn);
        if let Some(second) = entry.second {
            remove_own(&mut self.seconds, second, txn);
        }
        if entry.flow.is_reliable()
            && let Some(waiting) = self.streams.get_mut(&entry.flow.link())
        {
            waiting.retain(|other| *other != txn);
            if waiting.is_empty() {
                self.streams.remove(&entry.flow.link());
            }
        }
        Some(entry)
    }
}

fn remove_own(index: &mut Index<Key, TxnId>, key: Key, txn: TxnId) {
    if index.get(&key) == Some(&txn) {
        index.remove(&key);
    }
}
