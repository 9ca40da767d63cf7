//! The server machines: RFC 3261 17.2, with the Accepted state of RFC 6026 7.1.

use std::time::Instant;

use bytes::Bytes;

use super::layer::{Arrival, Kind, Layer, Output, Phase, Refused, Repeat, Txn};
use super::via::{self, ViaView};
use super::{FlowId, TxnId};
use crate::message::{Draft, Message, Method, Name};

impl<O: Clone> Layer<O> {
    /// A request has come. What must be sent again goes to `out`; a new one is for a user.
    pub fn request(
        &mut self,
        now: Instant,
        request: &Message,
        flow: FlowId,
        out: &mut Vec<Output<O>>,
    ) -> Arrival {
        let via = request.header(Name::Via).and_then(ViaView::read);
        let (Some(via), Ok((cseq, method))) = (via, request.cseq()) else {
            return Arrival::Unusable;
        };
        if method == Method::Ack {
            let key = self.keys.server(request, &via, cseq, &Method::Invite);
            return self.acknowledged(now, self.servers.get(&key).copied());
        }
        let key = self.keys.server(request, &via, cseq, &method);
        if let Some(txn) = self.servers.get(&key).copied() {
            self.repeated(txn, flow, out);
            return Arrival::Absorbed;
        }
        if method == Method::Cancel {
            let invite = self.keys.server(request, &via, cseq, &Method::Invite);
            let invite = self.servers.get(&invite).copied();
            let txn = self.create(now, request, flow, Kind::Server, key);
            return Arrival::Cancel { txn, invite: self.cancellable(invite, flow) };
        }
        let kind = if method == Method::Invite { Kind::ServerInvite } else { Kind::Server };
        let txn = self.create(now, request, flow, kind, key);
        if request.to_tag().is_none() && self.is_merged(txn, request, cseq, &method) {
            return Arrival::Merged(txn);
        }
        Arrival::New(txn)
    }

    /// Whether the same request is already here under another branch; notes it if not.
    fn is_merged(&mut self, txn: TxnId, request: &Message, cseq: u32, method: &Method) -> bool {
        let key = self.keys.merge(request, cseq, method);
        if self.seconds.contains_key(&key) {
            return true;
        }
        self.seconds.insert(key, txn);
        if let Some(entry) = self.get_mut(txn) {
            entry.second = Some(key);
        }
        false
    }

    fn create(
        &mut self,
        now: Instant,
        request: &Message,
        flow: FlowId,
        kind: Kind,
        key: super::key::Key,
    ) -> TxnId {
        let (trying, stale, long) = (self.timers.trying, self.timers.stale, self.timers.long());
        let mut entry = match kind {
            Kind::ServerInvite => {
                let mut entry = Txn::new(kind, Phase::Proceeding, key, flow);
                // Until the first answer the request is kept: a 100 may have to be made of it.
                entry.bytes = request.raw().clone();
                entry.repeat = Some(Repeat { at: now + trying, interval: trying });
                entry.deadline = Some(now + stale);
                entry
            }
            _ => {
                let mut entry = Txn::new(kind, Phase::Trying, key, flow);
                // RFC 4320 4.2: an answer after timer F of the peer helps nobody.
                entry.deadline = Some(now + long);
                entry
            }
        };
        entry.call = self.keys.call(request.call_id());
        entry.heard = u32::try_from(request.raw().len()).unwrap_or(u32::MAX);
        let txn = self.insert(entry);
        self.servers.insert(key, txn);
        self.arm(now, txn);
        txn
    }

    /// An INVITE can be cancelled only by whoever sent it: from the same address.
    fn cancellable(&self, invite: Option<TxnId>, from: FlowId) -> Option<(TxnId, bool)> {
        let txn = invite?;
        let entry = self.get(txn)?;
        let same = entry.flow.remote().ip() == from.remote().ip();
        same.then_some((txn, entry.phase == Phase::Proceeding))
    }

    fn repeated(&mut self, txn: TxnId, from: FlowId, out: &mut Vec<Output<O>>) {
        let Some(entry) = self.get_mut(txn) else { return };
        // A peer that lost its connection repeats its request on another one.
        if from.is_reliable() && from.remote().ip() == entry.flow.remote().ip() {
            entry.flow = from;
        }
        let answered = match entry.kind {
            Kind::ServerInvite => entry.phase == Phase::Completed || entry.is_told(),
            _ => matches!(entry.phase, Phase::Proceeding | Phase::Completed),
        };
        if answered && !entry.bytes.is_empty() {
            let (flow, bytes) = (entry.flow, entry.bytes.clone());
            out.push(Output::Send { txn, flow, bytes, again: true });
        }
    }

    fn acknowledged(&mut self, now: Instant, txn: Option<TxnId>) -> Arrival {
        let t4 = self.timers.t4;
        let Some(txn) = txn else { return Arrival::Ack };
        let Some(entry) = self.get_mut(txn) else { return Arrival::Ack };
        match entry.phase {
            Phase::Completed if entry.flow.is_reliable() => {
                self.end(txn);
                Arrival::Absorbed
            }
            Phase::Completed => {
                entry.phase = Phase::Confirmed;
                entry.repeat = None;
                entry.bytes = Bytes::new();
                // Timer I: further ACKs are absorbed.
                entry.deadline = Some(now + t4);
                self.arm(now, txn);
                Arrival::Absorbed
            }
            Phase::Confirmed => Arrival::Absorbed,
            // RFC 6026 7.1: an ACK for a 2xx is the dialog's, also from a peer that did not
            // give it a branch of its own.
            _ => Arrival::Ack,
        }
    }

    /// The user answers.
    ///
    /// # Errors
    /// `Gone` if the transaction has ended, `Answered` if it has had its final answer (a 2xx
    /// to an INVITE may be repeated).
    pub fn respond(
        &mut self,
        now: Instant,
        txn: TxnId,
        status: u16,
        bytes: Bytes,
        out: &mut Vec<Output<O>>,
    ) -> Result<(), Refused> {
        let kind = self.get(txn).ok_or(Refused::Gone)?.kind;
        match kind {
            Kind::ServerInvite => self.answer_invite(now, txn, status, bytes, out)?,
            Kind::Server => self.answer_plain(now, txn, status, bytes, out)?,
            Kind::ClientInvite | Kind::Client => return Err(Refused::Gone),
        }
        self.arm(now, txn);
        Ok(())
    }

    fn answer_invite(
        &mut self,
        now: Instant,
        txn: TxnId,
        status: u16,
        bytes: Bytes,
        out: &mut Vec<Output<O>>,
    ) -> Result<(), Refused> {
        let (t1, long) = (self.timers.t1, self.timers.long());
        let entry = self.get_mut(txn).ok_or(Refused::Gone)?;
        let (flow, reliable) = (entry.flow, entry.flow.is_reliable());
        let mut again = false;
        match (entry.phase, status) {
            (Phase::Proceeding, 100..=199) => {
                entry.repeat = None;
                entry.bytes = bytes.clone();
            }
            (Phase::Proceeding, 200..=299) => {
                entry.phase = Phase::Accepted;
                entry.repeat = None;
                entry.bytes = Bytes::new();
                // Timer L. The user repeats the 2xx until the ACK (RFC 3261 13.3.1.4).
                entry.deadline = Some(now + long);
            }
            (Phase::Accepted, 200..=299) => again = true,
            (Phase::Proceeding, 300..) => {
                entry.phase = Phase::Completed;
                entry.bytes = bytes.clone();
                // Timer G; RFC 3261 26.3.2.4: a challenge is not repeated by itself, so that a
                // forged source address gets no flood.
                let repeats = !reliable && !matches!(status, 401 | 407);
                entry.repeat = repeats.then_some(Repeat { at: now + t1, interval: t1 });
                // Timer H.
                entry.deadline = Some(now + long);
            }
            _ => return Err(Refused::Answered),
        }
        out.push(Output::Send { txn, flow, bytes, again });
        Ok(())
    }

    fn answer_plain(
        &mut self,
        now: Instant,
        txn: TxnId,
        status: u16,
        bytes: Bytes,
        out: &mut Vec<Output<O>>,
    ) -> Result<(), Refused> {
        let long = self.timers.long();
        let entry = self.get_mut(txn).ok_or(Refused::Gone)?;
        if !matches!(entry.phase, Phase::Trying | Phase::Proceeding) {
            return Err(Refused::Answered);
        }
        let flow = entry.flow;
        entry.bytes = bytes.clone();
        out.push(Output::Send { txn, flow, bytes, again: false });
        if status < 200 {
            entry.phase = Phase::Proceeding;
            return Ok(());
        }
        entry.phase = Phase::Completed;
        // Timer J.
        entry.deadline = Some(now + long);
        if flow.is_reliable() {
            self.end(txn);
        }
        Ok(())
    }

    /// Drops a server transaction that was answered without it.
    pub fn forget(&mut self, txn: TxnId) {
        self.end(txn);
    }

    /// Where the answers of a server transaction go, and how long its request was in bytes.
    #[must_use]
    pub fn origin(&self, txn: TxnId) -> Option<(FlowId, u32)> {
        self.get(txn).map(|entry| (entry.flow, entry.heard))
    }

    /// Sends the answers of a server transaction along another flow from now on.
    pub fn reroute(&mut self, txn: TxnId, flow: FlowId) {
        if let Some(entry) = self.get_mut(txn) {
            entry.flow = flow;
        }
    }

    pub(super) fn server_timer(&mut self, now: Instant, txn: TxnId, out: &mut Vec<Output<O>>) {
        let t2 = self.timers.t2;
        let Some(entry) = self.get_mut(txn) else { return };
        if entry.deadline.is_some_and(|deadline| deadline <= now) {
            let unheard = entry.kind == Kind::ServerInvite
                && matches!(entry.phase, Phase::Proceeding | Phase::Completed);
            let call = entry.call;
            self.end(txn);
            if unheard {
                out.push(Output::Gone { txn, call });
            }
            return;
        }
        let Some(repeat) = entry.repeat else { return };
        let flow = entry.flow;
        if entry.phase == Phase::Proceeding {
            entry.repeat = None;
            entry.bytes = trying(&entry.bytes, flow).unwrap_or_default();
            let bytes = entry.bytes.clone();
            if !bytes.is_empty() {
                out.push(Output::Send { txn, flow, bytes, again: false });
            }
            return;
        }
        let interval = (repeat.interval * 2).min(t2);
        entry.repeat = Some(Repeat { at: (repeat.at + interval).max(now), interval });
        let bytes = entry.bytes.clone();
        out.push(Output::Send { txn, flow, bytes, again: true });
    }
}

impl<O> Txn<O> {
    /// An INVITE that has had a provisional answer; before it, `repeat` waits for the 100.
    fn is_told(&self) -> bool {
        self.phase == Phase::Proceeding && self.repeat.is_none()
    }
}

/// The 100 that the layer sends of itself (RFC 3261 17.2.1).
fn trying(request: &Bytes, flow: FlowId) -> Option<Bytes> {
    let request = Message::parse(request.clone()).ok()?;
    let mut draft = Draft::response(&request, 100);
    via::stamp_draft(&mut draft, flow.remote());
    Some(draft.encode())
}
