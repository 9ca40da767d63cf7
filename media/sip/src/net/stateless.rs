//! Answers without a transaction: to what cannot be read, to what nobody wants, under overload.
//! They never make more traffic than they get (S21).

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::endpoint::Endpoint;
use super::receive::Arrived;
use crate::message::{Draft, Message, Method, Name};
use crate::transaction::FlowId;
use crate::transaction::via::{self, ViaView};

/// What we understand (RFC 3261 20.5).
pub(super) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, \
    INFO, REFER, NOTIFY, SUBSCRIBE, MESSAGE, PUBLISH";

impl Endpoint {
    /// Answers a request and forgets it.
    pub(super) fn refuse(&self, request: &Message, status: u16, reason: Option<&str>, at: Arrived) {
        if request.method() == Some(Method::Ack) {
            self.counters.dropped.add();
            return;
        }
        let mut draft = Draft::response(request, status);
        if let Some(reason) = reason {
            draft = draft.with_reason(reason);
        }
        match status {
            405 | 501 => draft.push(Name::Allow, ALLOW),
            503 => {
                let seconds = self.limits.retry_after.as_secs().max(1);
                draft.push(Name::RetryAfter, seconds.to_string());
            }
            _ => {}
        }
        let reply = reply_flow(request.header(Name::Via), at.flow);
        self.answer(draft, request.raw(), reply);
    }

    /// Stamps and sends a stateless answer, if it may be sent at all.
    pub(super) fn answer(&self, mut draft: Draft, request: &Bytes, reply: FlowId) {
        if !self.may_answer(reply) {
            self.counters.dropped.add();
            return;
        }
        via::stamp_draft(&mut draft, reply.remote());
        // RFC 3261 8.2.7: the same tag for every repetition of the request.
        let seed = [Name::CallId, Name::From].map(|name| draft.header(name).unwrap_or_default());
        let tag = self.keys.stable_tag(seed.concat().as_bytes());
        draft.set_to_tag(&tag);
        let mut bytes = draft.encode();
        let limit = request.len() + request.len() / 2;
        if !reply.is_reliable() && bytes.len() > limit {
            draft.remove(Name::Allow);
            bytes = draft.encode();
        }
        if !reply.is_reliable() && bytes.len() > limit {
            self.counters.dropped.add();
            return;
        }
        // A lost stateless answer is repeated when the request is.
        let _ = self.transmit(reply, bytes);
    }

    /// Never towards many, towards nobody, or towards ourselves.
    fn may_answer(&self, reply: FlowId) -> bool {
        if reply.is_reliable() {
            return true;
        }
        let to: SocketAddr = reply.remote();
        let is_many = match to.ip().to_canonical() {
            IpAddr::V4(ip) => ip.is_broadcast() || ip.is_multicast() || ip.is_unspecified(),
            IpAddr::V6(ip) => ip.is_multicast() || ip.is_unspecified(),
        };
        !is_many && to.port() != 0 && !self.links.is_own(to)
    }
}

/// RFC 3261 18.2.2 and RFC 3581: over UDP the answer goes to the port of the sent-by, unless
/// the sender asks for the port that it sent from.
pub(super) fn reply_flow(via: Option<&str>, flow: FlowId) -> FlowId {
    if flow.is_reliable() || flow.is_remote() {
        return flow;
    }
    let Some(view) = via.and_then(ViaView::read).filter(|view| !view.rport) else { return flow };
    let port = view.port.filter(|port| *port != 0).unwrap_or(5060);
    let to = SocketAddr::new(flow.remote().ip(), port);
    FlowId::datagram(u32::try_from(flow.link()).unwrap_or(u32::MAX), to)
}
