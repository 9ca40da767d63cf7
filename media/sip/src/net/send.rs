//! How a request finds its way out, and how an answer goes back.

use std::net::SocketAddr;
use std::sync::Arc;

use super::config::Transport;
use super::endpoint::{Endpoint, now};
use super::event::{Sink, Target};
use super::resolve::{Hop, Question};
use crate::message::{Draft, Method, Name};
use crate::transaction::via::{self, ViaView};
use crate::transaction::{FlowId, Sending, TxnId};

/// A request on its way out.
struct Outgoing {
    draft: Draft,
    call: u64,
    call_id: String,
    cseq: u32,
    /// `None` for the ACK to a 2xx, which is no transaction.
    txn: Option<TxnId>,
    branch: String,
    /// RFC 3261 18.1.1 may move it from UDP to TCP.
    may_switch: bool,
}

/// A way that needs no waiting.
enum Way {
    Open(Transport, FlowId),
    /// The name service or a handshake stands before it.
    Ahead,
    Closed(String),
}

impl Endpoint {
    pub(super) fn request(self: &Arc<Self>, draft: Draft, target: Target, sink: Sink) -> TxnId {
        let method = draft.method().cloned().unwrap_or(Method::Options);
        let (call_id, cseq) = identity(&draft);
        let call = self.keys.call(&call_id);
        if method == Method::Cancel {
            return self.cancel(draft, call, &call_id, cseq, sink);
        }
        let (txn, branch) = self.step(call, |shard, now, _| shard.layer.open(now, &method, sink));
        let job = Outgoing { draft, call, call_id, cseq, txn: Some(txn), branch, may_switch: true };
        self.dispatch(job, target);
        txn
    }

    pub(super) fn send_ack(self: &Arc<Self>, draft: Draft, target: Target) {
        let (call_id, cseq) = identity(&draft);
        let call = self.keys.call(&call_id);
        let branch = self.keys.branch(u8::MAX, self.serial());
        let job = Outgoing { draft, call, call_id, cseq, txn: None, branch, may_switch: false };
        self.dispatch(job, target);
    }

    /// RFC 3261 9.1: the INVITE's way and its Via.
    fn cancel(
        self: &Arc<Self>,
        mut draft: Draft,
        call: u64,
        call_id: &str,
        cseq: u32,
        sink: Sink,
    ) -> TxnId {
        let opened = self
            .step(call, |shard, now, _| shard.layer.open_cancel(now, call_id, cseq, sink.clone()));
        let path = match opened {
            Ok(path) => path,
            Err(refused) => {
                let (txn, _) =
                    self.step(call, |shard, now, _| shard.layer.open(now, &Method::Cancel, sink));
                self.fail_later(txn, refused.to_string());
                return txn;
            }
        };
        draft.push_front(Name::Via, path.via);
        self.complete(&mut draft);
        let sending = Sending { call_id, cseq, bytes: draft.encode() };
        let txn = path.txn;
        let sent =
            self.step(call, |shard, now, out| shard.layer.send(now, txn, path.flow, sending, out));
        if let Err(refused) = sent {
            self.fail_later(txn, refused.to_string());
        }
        txn
    }

    fn dispatch(self: &Arc<Self>, mut job: Outgoing, target: Target) {
        job.may_switch &= target.flow.is_none() && self.links.listens(Transport::Tcp);
        match self.way(&target) {
            Way::Open(transport, flow) => self.launch(job, transport, flow),
            Way::Closed(why) => self.give_up(&job, why),
            Way::Ahead => {
                let endpoint = self.clone();
                tokio::spawn(async move { endpoint.find_way(job, target).await });
            }
        }
    }

    fn way(&self, target: &Target) -> Way {
        if let Some(flow) = target.flow {
            return match self.links.path(flow) {
                Some(path) => Way::Open(path.transport, flow),
                None => Way::Closed("the flow is closed".to_owned()),
            };
        }
        let Some(hop) = literal(target) else { return Way::Ahead };
        if !self.links.listens(hop.transport) {
            return Way::Closed(format!("there is no {} listener", hop.transport));
        }
        let flow = match hop.transport {
            Transport::Udp => self.links.datagram(hop.addr),
            transport => match self.links.find(transport, hop.addr, &hop.name) {
                Some(flow) => Some(flow),
                None => return Way::Ahead,
            },
        };
        match flow {
            Some(flow) => Way::Open(hop.transport, flow),
            None => Way::Closed(format!("no listener fits {}", hop.addr)),
        }
    }

    async fn find_way(self: Arc<Self>, job: Outgoing, target: Target) {
        let hops = match literal(&target) {
            Some(hop) => Ok(vec![hop]),
            None => {
                let supported: Vec<_> = self.links.bound.iter().map(|l| l.transport).collect();
                self.names.resolve(&question(&target), &supported).await
            }
        };
        let hops = match hops {
            Ok(hops) => hops,
            Err(why) => return self.give_up(&job, why),
        };
        let mut last = "no address can be used".to_owned();
        for hop in hops {
            if !self.links.listens(hop.transport) {
                last = format!("there is no {} listener", hop.transport);
                continue;
            }
            match self.open(&hop).await {
                Ok(flow) => return self.launch(job, hop.transport, flow),
                Err(why) => last = why,
            }
        }
        self.give_up(&job, last);
    }

    async fn open(self: &Arc<Self>, hop: &Hop) -> Result<FlowId, String> {
        if hop.transport == Transport::Udp {
            let flow = self.links.datagram(hop.addr);
            return flow.ok_or_else(|| format!("no listener fits {}", hop.addr));
        }
        self.connect(hop.transport, hop.addr, &hop.name).await
    }

    /// Writes the Via and puts the request on its flow.
    fn launch(self: &Arc<Self>, mut job: Outgoing, transport: Transport, flow: FlowId) {
        let sent_by = self.links.sent_by(transport, flow);
        let branch = &job.branch;
        let mut via = format!("SIP/2.0/{transport} {sent_by};branch={branch};rport");
        if flow.is_remote() {
            self.links.remotes.mark(&mut via);
        }
        job.draft.push_front(Name::Via, via);
        self.complete(&mut job.draft);
        let bytes = job.draft.encode();
        let long = transport == Transport::Udp && bytes.len() > self.limits.udp_request_bytes;
        if long && job.may_switch && !self.links.refuses_tcp(flow.remote()) {
            job.draft.remove(Name::Via);
            job.may_switch = false;
            let endpoint = self.clone();
            tokio::spawn(async move { endpoint.switch(job, flow).await });
            return;
        }
        let Some(txn) = job.txn else {
            // A lost ACK is repeated when the 2xx is.
            let _ = self.transmit(flow, bytes);
            return;
        };
        let sending = Sending { call_id: &job.call_id, cseq: job.cseq, bytes };
        let sent =
            self.step(job.call, |shard, now, out| shard.layer.send(now, txn, flow, sending, out));
        if let Err(refused) = sent {
            tracing::debug!(?txn, %refused, "request not sent");
        }
    }

    /// RFC 3261 18.1.1: too long for a datagram, so over TCP; back to UDP if nobody listens.
    async fn switch(self: Arc<Self>, job: Outgoing, datagram: FlowId) {
        let peer = datagram.remote();
        match self.connect(Transport::Tcp, peer, &peer.ip().to_string()).await {
            Ok(flow) => self.launch(job, Transport::Tcp, flow),
            Err(_) => {
                self.links.remember_no_tcp(peer);
                self.launch(job, Transport::Udp, datagram);
            }
        }
    }

    /// Adds what every request of ours has.
    fn complete(&self, draft: &mut Draft) {
        if draft.header(Name::MaxForwards).is_none() {
            draft.push(Name::MaxForwards, "70");
        }
        if !self.user_agent.is_empty() && draft.header(Name::UserAgent).is_none() {
            draft.push(Name::UserAgent, self.user_agent.as_str());
        }
    }

    fn give_up(self: &Arc<Self>, job: &Outgoing, why: String) {
        match job.txn {
            Some(txn) => self.fail_later(txn, why),
            None => tracing::debug!(why, "ACK not sent"),
        }
    }

    /// Reports a failure from a task of its own: the user does not know the id yet.
    fn fail_later(self: &Arc<Self>, txn: TxnId, why: String) {
        let endpoint = self.clone();
        tokio::spawn(async move {
            endpoint.step_txn(txn, |shard, _, out| shard.layer.failed(txn, &why, out));
        });
    }

    /// Answers through a server transaction.
    pub(super) fn respond(self: &Arc<Self>, txn: TxnId, mut draft: Draft) {
        let origin = self.step_txn(txn, |shard, _, _| shard.layer.origin(txn));
        let Some((flow, heard)) = origin else {
            tracing::debug!(?txn, "answer to a transaction that has gone");
            return;
        };
        let via = draft.header(Name::Via).and_then(ViaView::read);
        let back = via.and_then(|via| Some((via.transport.parse::<Transport>().ok()?, via.port)));
        via::stamp_draft(&mut draft, flow.remote());
        if !self.user_agent.is_empty() && draft.header(Name::Server).is_none() {
            draft.push(Name::Server, self.user_agent.as_str());
        }
        if flow.is_reliable() {
            self.note_welcome(&draft, flow);
        } else {
            self.make_lean(&mut draft, flow, heard as usize);
        }
        if flow.is_reliable() && !flow.is_remote() && self.links.path(flow).is_none() {
            let endpoint = self.clone();
            tokio::spawn(async move { endpoint.respond_anew(txn, draft, flow, back).await });
            return;
        }
        self.deliver(txn, &draft);
    }

    /// S21: what an unknown source gets for a datagram is without ornament, if it would be
    /// much longer than what it sent.
    fn make_lean(&self, draft: &mut Draft, flow: FlowId, heard: usize) {
        let asks = draft.header(Name::CSeq).is_some_and(|cseq| cseq.ends_with("OPTIONS"));
        if !asks && draft.status().is_none_or(|status| status < 300) {
            return;
        }
        let source = flow.remote().ip();
        let is_known = {
            let guard = self.guard.lock();
            guard.is_allowed(source) || guard.is_proven(source, now())
        };
        if is_known || draft.encode().len() <= heard + heard / 2 {
            return;
        }
        for name in [Name::Server, Name::Allow, Name::Supported, Name::Accept] {
            draft.remove(name);
        }
    }

    fn deliver(&self, txn: TxnId, draft: &Draft) {
        let status = draft.status().unwrap_or(500);
        let call = self.keys.call(draft.header(Name::CallId).unwrap_or_default());
        let bytes = draft.encode();
        let done = self.step_txn(txn, |shard, now, out| {
            if status >= 200 {
                shard.dialogs.settled(call, txn);
            }
            shard.layer.respond(now, txn, status, bytes, out)
        });
        if let Err(refused) = done {
            tracing::debug!(?txn, status, %refused, "answer not sent");
        }
    }

    /// RFC 3261 18.2.2: the connection has gone; the answer goes to where the peer listens.
    async fn respond_anew(
        self: Arc<Self>,
        txn: TxnId,
        draft: Draft,
        old: FlowId,
        back: Option<(Transport, Option<u16>)>,
    ) {
        let Some((transport, port)) = back else { return };
        let port = port.unwrap_or(transport.default_port());
        let addr = SocketAddr::new(old.remote().ip(), port);
        let Ok(flow) = self.connect(transport, addr, &addr.ip().to_string()).await else {
            tracing::debug!(?txn, "the connection for the answer has gone");
            return;
        };
        self.step_txn(txn, |shard, _, _| shard.layer.reroute(txn, flow));
        self.deliver(txn, &draft);
    }

    /// A request that its user took up (rings, answered) keeps its connection open.
    fn note_welcome(&self, draft: &Draft, flow: FlowId) {
        let taken = matches!(draft.status(), Some(101..=299));
        let cseq = draft.header(Name::CSeq).unwrap_or_default();
        if taken && !cseq.ends_with("OPTIONS") && !cseq.ends_with("CANCEL") {
            self.links.prove(flow);
        }
    }
}

/// The Call-ID and the CSeq number of a request to be sent.
fn identity(draft: &Draft) -> (String, u32) {
    let call_id = draft.header(Name::CallId).unwrap_or_default().to_owned();
    let cseq = draft.header(Name::CSeq).unwrap_or_default();
    let number = cseq.split_ascii_whitespace().next().and_then(|number| number.parse().ok());
    (call_id, number.unwrap_or(0))
}

fn question(target: &Target) -> Question {
    let uri = &target.uri;
    let given = uri.param("transport").and_then(|name| name.parse().ok());
    Question {
        host: uri.host.clone(),
        port: uri.port,
        transport: target.transport.or(given),
        secure: uri.is_secure(),
    }
}

/// The hop of a target that needs no name service.
fn literal(target: &Target) -> Option<Hop> {
    let asked = question(target);
    let Some(addr) = target.addr else { return asked.literal() };
    let transport = match (asked.transport, asked.secure) {
        (Some(transport), _) => transport,
        (None, true) => Transport::Tls,
        (None, false) => Transport::Udp,
    };
    Some(Hop { transport, addr, name: asked.host })
}
