//! What happens to a message that has come: read, match, screen, hand over.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc::error::TrySendError;

use super::config::{Direction, Transport};
use super::endpoint::{Endpoint, Shard, now};
use super::event::{Inbound, Sink, TuEvent};
use super::guard::{Offence, Verdict};
use super::stateless::reply_flow;
use crate::message::{Draft, FrameError, Message, Method, Name, ParseError};
use crate::transaction::via::ViaView;
use crate::transaction::{Arrival, FlowId, TxnId};

/// The path that a message came along.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrived {
    pub(super) flow: FlowId,
    pub(super) transport: Transport,
    pub(super) local: SocketAddr,
}

/// What a request is to be given to, found while its shard is locked.
enum Place {
    /// Dealt with, or to nobody.
    Done,
    /// A dialog's user.
    Dialog(TxnId, Sink),
    /// A dialog's user gets an ACK.
    Ack(Sink),
    /// An ACK for nobody here.
    StrayAck,
    /// The users of the call whose INVITE is taken back; `None`: answered before.
    Cancel { txn: TxnId, invite: Option<TxnId>, sinks: Vec<Sink> },
    /// Whoever takes new requests.
    Fresh(TxnId),
    /// Nobody: answer so and forget it.
    Refuse(Option<TxnId>, u16),
}

impl Endpoint {
    /// Deals with one message. False if the connection that it came on must not go on.
    pub(super) fn receive(self: &Arc<Self>, raw: Bytes, at: Arrived) -> bool {
        match Message::parse(raw.clone()) {
            Ok(message) => {
                self.tapped(Direction::Received, at.flow, &raw, Some(&message));
                if message.is_request() {
                    return self.request_came(message, at);
                }
                self.response_came(&message, at);
                true
            }
            Err(error) => {
                self.tapped(Direction::Received, at.flow, &raw, None);
                self.unreadable(&error, &raw, at);
                self.is_heard(Offence::Malformed, at)
            }
        }
    }

    /// The stream's next message cannot be found: the connection is of no use any more (S17).
    pub(super) fn broken_framing(&self, error: &FrameError, at: Arrived) {
        self.counters.malformed.add();
        self.is_heard(Offence::Malformed, at);
        if let Some(draft) = error.answer() {
            self.answer(draft, &Bytes::new(), at.flow);
        }
    }

    fn unreadable(&self, error: &ParseError, raw: &Bytes, at: Arrived) {
        self.counters.malformed.add();
        let Some(draft) = error.answer() else { return };
        let reply = reply_flow(draft.header(Name::Via), at.flow);
        self.answer(draft, raw, reply);
    }

    /// Counts something bad; false if the source is banned now.
    fn is_heard(&self, offence: Offence, at: Arrived) -> bool {
        let source = at.flow.remote().ip();
        self.guard.lock().report(source, offence, now()) != Verdict::Banned
    }

    fn response_came(&self, response: &Message, at: Arrived) {
        let status = response.status().unwrap_or(0);
        self.counters.response_received(status);
        if response.check().is_err() {
            self.counters.malformed.add();
            return;
        }
        let call = self.keys.call(response.call_id());
        let is_awaited =
            self.step(call, |shard, now, out| shard.layer.response(now, response, at.flow, out));
        if !is_awaited && !self.hand_response(response, at) {
            self.counters.dropped.add();
        }
    }

    fn request_came(self: &Arc<Self>, request: Message, at: Arrived) -> bool {
        let method = request.method().unwrap_or(Method::Other("".into()));
        self.counters.request_received(&method);
        if let Err(error) = request.check() {
            self.unreadable(&error, request.raw(), at);
            return self.is_heard(Offence::Malformed, at);
        }
        let reply = reply_flow(request.header(Name::Via), at.flow);
        let call = self.keys.call(request.call_id());
        let place = self.step(call, |shard, now, out| {
            let arrival = shard.layer.request(now, &request, reply, out);
            self.place(shard, call, &request, arrival)
        });
        match place {
            Place::Done => true,
            Place::Ack(sink) => {
                self.links.prove(at.flow);
                sink(TuEvent::Ack(request));
                true
            }
            Place::StrayAck => {
                if !self.hand_request(&request, at) {
                    self.counters.dropped.add();
                }
                true
            }
            Place::Dialog(txn, sink) => {
                self.links.prove(at.flow);
                sink(TuEvent::Request(inbound(txn, request, at)));
                true
            }
            Place::Cancel { txn, invite, sinks } => {
                self.cancelled(txn, invite, &sinks, &request);
                true
            }
            Place::Fresh(txn) => self.fresh(txn, call, request, &method, at),
            Place::Refuse(txn, status) => {
                self.forget(call, txn);
                let is_heard = self.is_counted(at);
                // What belongs to no dialog here may be another member's.
                let is_handed = is_heard && status == 481 && self.hand_request(&request, at);
                if is_heard && !is_handed {
                    self.refuse(&request, status, None, at);
                }
                is_heard
            }
        }
    }

    fn place(&self, shard: &mut Shard, call: u64, request: &Message, arrival: Arrival) -> Place {
        let tag = request.to_tag().map(|tag| self.keys.tag(tag));
        let user = |shard: &Shard| tag.and_then(|tag| shard.dialogs.of(call, tag));
        match arrival {
            Arrival::Absorbed => {
                self.counters.retransmissions_received.add();
                Place::Done
            }
            Arrival::Unusable => Place::Refuse(None, 400),
            Arrival::Merged(txn) => Place::Refuse(Some(txn), 482),
            Arrival::Ack => match user(shard) {
                Some(sink) => Place::Ack(sink),
                None => Place::StrayAck,
            },
            Arrival::Cancel { txn, invite: None } => Place::Refuse(Some(txn), 481),
            Arrival::Cancel { txn, invite: Some((invite, pending)) } => {
                let sinks = if pending { shard.dialogs.all(call).to_vec() } else { Vec::new() };
                if pending && sinks.is_empty() {
                    shard.dialogs.keep(call, invite, request.clone());
                }
                Place::Cancel { txn, invite: pending.then_some(invite), sinks }
            }
            Arrival::New(txn) => match (tag, user(shard)) {
                (Some(_), Some(sink)) => Place::Dialog(txn, sink),
                (Some(_), None) => Place::Refuse(Some(txn), 481),
                (None, _) => Place::Fresh(txn),
            },
        }
    }

    fn forget(&self, call: u64, txn: Option<TxnId>) {
        if let Some(txn) = txn {
            self.step(call, |shard, _, _| shard.layer.forget(txn));
        }
    }

    /// RFC 3261 9.2: the CANCEL is answered by itself; the INVITE's user answers the INVITE.
    fn cancelled(
        self: &Arc<Self>,
        txn: TxnId,
        invite: Option<TxnId>,
        sinks: &[Sink],
        cancel: &Message,
    ) {
        let mut draft = Draft::response(cancel, 200);
        if cancel.to_tag().is_none() {
            let seed = [cancel.call_id(), cancel.from_tag().unwrap_or("")].concat();
            draft.set_to_tag(&self.keys.stable_tag(seed.as_bytes()));
        }
        self.respond(txn, draft);
        let Some(invite) = invite else { return };
        for sink in sinks {
            sink(TuEvent::Cancelled { invite, cancel: cancel.clone() });
        }
    }

    /// A request out of any dialog: counted, screened, and put before whoever takes it.
    fn fresh(
        self: &Arc<Self>,
        txn: TxnId,
        call: u64,
        request: Message,
        method: &Method,
        at: Arrived,
    ) -> bool {
        if !self.is_counted(at) {
            self.forget(call, Some(txn));
            return false;
        }
        if let Some(status) = screen(&request, method) {
            self.screened((txn, call), &request, status, at);
            return true;
        }
        self.alias(&request, at);
        match self.inbound.try_send(inbound(txn, request, at)) {
            Ok(()) => {}
            Err(TrySendError::Full(back) | TrySendError::Closed(back)) => {
                self.counters.overloaded.add();
                self.forget(call, Some(txn));
                self.refuse(&back.request, 503, None, at);
            }
        }
        true
    }

    /// Refuses a request that nobody has looked at, and forgets it. One of our own that came
    /// round is waited for by a transaction, and ourselves we answer by a transaction only.
    fn screened(
        self: &Arc<Self>,
        (txn, call): (TxnId, u64),
        request: &Message,
        status: u16,
        at: Arrived,
    ) {
        if !self.links.is_own(at.flow.remote()) {
            self.forget(call, Some(txn));
            return self.refuse(request, status, None, at);
        }
        let mut draft = Draft::response(request, status);
        let seed = [request.call_id(), request.from_tag().unwrap_or("")].concat();
        draft.set_to_tag(&self.keys.stable_tag(seed.as_bytes()));
        self.respond(txn, draft);
    }

    /// Counts a request that belongs to nothing we know; false drops it.
    fn is_counted(&self, at: Arrived) -> bool {
        let verdict = self.guard.lock().count(at.flow.remote().ip(), now());
        match verdict {
            Verdict::Heard => true,
            Verdict::Shed => {
                self.counters.dropped.add();
                // The connection of a good source goes on.
                at.transport.is_stream() && self.links.is_proven(at.flow)
            }
            Verdict::Banned => {
                self.counters.banned.add();
                false
            }
        }
    }

    /// RFC 5923: a peer that says so takes requests for its listening port on the connection
    /// that it opened. Believed only of sources that are configured: anybody else could draw
    /// another's calls to itself.
    fn alias(&self, request: &Message, at: Arrived) {
        if !at.flow.is_reliable() || at.flow.is_remote() {
            return;
        }
        let Some(via) = request.header(Name::Via).and_then(ViaView::read) else { return };
        let source = at.flow.remote();
        if via.alias && self.guard.lock().is_allowed(source.ip()) {
            let port = via.port.unwrap_or(at.transport.default_port());
            self.links.alias(at.flow, at.transport, SocketAddr::new(source.ip(), port));
        }
    }
}

const fn inbound(txn: TxnId, request: Message, at: Arrived) -> Inbound {
    let (flow, transport, local) = (at.flow, at.transport, at.local);
    Inbound { txn, request, flow, transport, source: flow.remote(), local }
}

/// What is refused before anybody looks at it.
fn screen(request: &Message, method: &Method) -> Option<u16> {
    match method {
        // RFC 3261 21.5.2.
        Method::Other(_) => Some(501),
        // They live only within a dialog (RFC 3261 15.1.2, 3262 7.2, 3311 5.2, 6086 4.2.2).
        Method::Bye | Method::Prack | Method::Update | Method::Info => Some(481),
        // A user agent that relays calls is a hop like a proxy; an OPTIONS may ask this hop
        // (RFC 3261 16.3, 11.2).
        Method::Options => None,
        _ if request.max_forwards() == Some(0) => Some(483),
        _ => None,
    }
}
