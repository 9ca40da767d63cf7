//! Starting an endpoint, and what its users hold.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Weak};

use tokio::sync::mpsc;

use super::config::{BoundListener, Config, Listener, NetError, Transport};
use super::endpoint::{Endpoint, now};
use super::event::{Inbound, Sink, Target, TuEvent};
use super::guard::{Ban, Offence, Prefix};
use super::stats::Stats;
use super::{stream, udp};
use crate::message::Draft;
use crate::transaction::{FlowId, TxnId};

/// Opens all listeners. The receiver gets the requests that belong to no attached dialog.
///
/// # Errors
/// A socket cannot be bound, a secure listener has no certificate, or there is no listener.
pub async fn start(config: Config) -> Result<(Handle, mpsc::Receiver<Inbound>), NetError> {
    if config.listeners.is_empty() {
        return Err(NetError::NoListener);
    }
    let mut sockets = Vec::new();
    let mut links = Vec::new();
    let mut bound = Vec::new();
    for listener in &config.listeners {
        let (transport, bind) = (listener.transport, listener.bind);
        let failed = |source| NetError::Bind { transport, bind, source };
        if transport.is_secure() && listener.tls.is_none() {
            return Err(NetError::NoCertificate { transport, bind });
        }
        let local = if transport.is_stream() {
            let socket = stream::bind(bind).map_err(failed)?;
            let local = socket.local_addr().map_err(failed)?;
            sockets.push(Socket::Stream(socket, listener.clone()));
            local
        } else {
            let (socket, link) = udp::bind(bind).map_err(failed)?;
            let local = link.local;
            sockets.push(Socket::Datagram(socket, u32::try_from(links.len()).unwrap_or(u32::MAX)));
            links.push(link);
            local
        };
        bound.push(BoundListener { transport, local, advertised: listener.advertised.clone() });
    }
    let (sender, receiver) = mpsc::channel(config.limits.inbound.max(1));
    let endpoint = Arc::new(Endpoint::new(config, links, bound, sender));
    endpoint.own(tokio::spawn(endpoint.clone().keep_time()));
    for socket in sockets {
        let task = match socket {
            Socket::Datagram(socket, at) => tokio::spawn(udp::read(endpoint.clone(), socket, at)),
            Socket::Stream(socket, listener) => {
                let Listener { transport, tls, .. } = listener;
                tokio::spawn(stream::accept(endpoint.clone(), socket, transport, tls))
            }
        };
        endpoint.own(task);
    }
    Ok((Handle { endpoint }, receiver))
}

enum Socket {
    Datagram(tokio::net::UdpSocket, u32),
    Stream(tokio::net::TcpListener, Listener),
}

/// The endpoint, for everybody who sends or answers. Cheap to clone; nothing here waits.
#[derive(Clone)]
pub struct Handle {
    pub(super) endpoint: Arc<Endpoint>,
}

impl Handle {
    /// The listeners with their real ports.
    #[must_use]
    pub fn bound(&self) -> &[BoundListener] {
        &self.endpoint.links.bound
    }

    /// The `host:port` by which a peer reaches a listener of ours, for Contact and Record-Route:
    /// the advertised name, or the address on the way to that peer.
    #[must_use]
    pub fn reachable_at(&self, transport: Transport, peer: IpAddr) -> Option<String> {
        self.endpoint.links.reachable_at(transport, peer)
    }

    /// The `host:port` by which the peer of an open flow reaches us.
    #[must_use]
    pub fn reachable_on(&self, flow: FlowId) -> Option<String> {
        let path = self.endpoint.links.path(flow)?;
        Some(self.endpoint.links.sent_by(path.transport, flow))
    }

    /// How a flow travels and our address on it, if it is open.
    #[must_use]
    pub fn path(&self, flow: FlowId) -> Option<(Transport, SocketAddr)> {
        self.endpoint.links.path(flow).map(|path| (path.transport, path.local))
    }

    /// Starts a client transaction. Via is added, Max-Forwards and User-Agent if they are
    /// absent. A CANCEL goes the way of the INVITE with the same Call-ID and CSeq number,
    /// whatever the target says. Failures come to the sink, never before this returns.
    pub fn request(&self, request: Draft, target: Target, sink: Sink) -> TxnId {
        self.endpoint.request(request, target, sink)
    }

    /// Sends the ACK to a 2xx (RFC 3261 13.2.2.4). Nothing tells whether it arrives.
    pub fn send_ack(&self, ack: Draft, target: Target) {
        self.endpoint.send_ack(ack, target);
    }

    /// Answers a request. A 2xx to an INVITE may be given again, to be repeated on the wire;
    /// any other answer after the final one is ignored.
    pub fn respond(&self, txn: TxnId, response: Draft) {
        self.endpoint.respond(txn, response);
    }

    /// Sends requests with this Call-ID and To tag to a sink, and the CANCEL of an INVITE with
    /// this Call-ID, also one that came before. Ends when the attachment is dropped.
    pub fn attach(&self, call_id: &str, local_tag: &str, sink: Sink) -> Attachment {
        let keys = &self.endpoint.keys;
        let (call, tag) = (keys.call(call_id), keys.tag(local_tag));
        let id = self.endpoint.serial();
        let early = self
            .endpoint
            .step(call, |shard, _, _| shard.dialogs.attach(call, tag, id, sink.clone()));
        for (invite, cancel) in early {
            sink(TuEvent::Cancelled { invite, cancel });
        }
        Attachment { endpoint: Arc::downgrade(&self.endpoint), call, id }
    }

    /// Closes a connection; what was queued on it is still sent. A datagram flow stays.
    pub fn close(&self, flow: FlowId) {
        if flow.is_reliable() {
            self.endpoint.gone(flow);
        }
    }

    /// Somebody on this flow has proved who they are (digest, certificate): the connection may
    /// be silent for long, and the address may send more.
    pub fn prove(&self, flow: FlowId) {
        self.endpoint.links.prove(flow);
        self.endpoint.guard.lock().prove(flow.remote().ip(), now());
    }

    /// A source did something that counts against it.
    pub fn report(&self, source: IpAddr, offence: Offence) {
        self.endpoint.guard.lock().report(source, offence, now());
    }

    /// Bans a source at once, also on the word of another node.
    pub fn ban(&self, source: IpAddr) {
        self.endpoint.guard.lock().ban(source, now());
    }

    /// Ends a ban and forgets earlier ones.
    pub fn pardon(&self, source: IpAddr) {
        self.endpoint.guard.lock().pardon(source);
    }

    /// Who is banned now.
    #[must_use]
    pub fn bans(&self) -> Vec<Ban> {
        self.endpoint.guard.lock().bans(now())
    }

    /// Replaces the sources that are never limited.
    pub fn set_allowed(&self, allowed: Vec<Prefix>) {
        self.endpoint.guard.lock().set_allowed(allowed);
    }

    /// What was counted since the start.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let endpoint = &self.endpoint;
        endpoint.counters.read(endpoint.transactions(), endpoint.links.connections())
    }

    /// Stops listening, ends the timers and closes every connection.
    pub fn stop(&self) {
        self.endpoint.stop();
    }
}

/// A user of a dialog is reached as long as this lives.
#[must_use = "dropping it detaches the sink"]
pub struct Attachment {
    endpoint: Weak<Endpoint>,
    call: u64,
    id: u64,
}

impl Drop for Attachment {
    fn drop(&mut self) {
        let Some(endpoint) = self.endpoint.upgrade() else { return };
        endpoint.step(self.call, |shard, _, _| shard.dialogs.detach(self.call, self.id));
    }
}
