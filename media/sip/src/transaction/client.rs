//! The client machines: RFC 3261 17.1, with the Accepted state of RFC 6026 7.2.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use super::layer::{CancelPath, Kind, Layer, Output, Phase, Refused, Repeat, Txn};
use super::{FlowId, TxnId, ack};
use crate::message::{Message, Method, Name};

impl<O: Clone> Layer<O> {
    /// Makes a client transaction whose request is not sent yet, and its branch.
    pub fn open(&mut self, now: Instant, method: &Method, owner: O) -> (TxnId, String) {
        self.branches += 1;
        let branch = self.keys.branch(self.shard, self.branches);
        let kind = if *method == Method::Invite { Kind::ClientInvite } else { Kind::Client };
        let txn = self.open_with(now, kind, &branch, method, owner);
        (txn, branch)
    }

    fn open_with(
        &mut self,
        now: Instant,
        kind: Kind,
        branch: &str,
        method: &Method,
        owner: O,
    ) -> TxnId {
        let key = self.keys.client(branch, method);
        let mut entry = Txn::new(kind, Phase::Opening, key, nowhere());
        entry.owner = Some(owner);
        entry.deadline = Some(now + self.timers.long());
        let txn = self.insert(entry);
        self.clients.insert(key, txn);
        self.arm(now, txn);
        txn
    }

    /// Makes the transaction of a CANCEL for an INVITE of ours that has no final answer.
    ///
    /// # Errors
    /// `NothingToCancel` if there is no such INVITE or it was answered.
    pub fn open_cancel(
        &mut self,
        now: Instant,
        call_id: &str,
        cseq: u32,
        owner: O,
    ) -> Result<CancelPath, Refused> {
        let invite = self.seconds.get(&self.keys.cancelled(call_id, cseq)).copied();
        let entry = invite.and_then(|txn| self.get(txn)).ok_or(Refused::NothingToCancel)?;
        if !matches!(entry.phase, Phase::Trying | Phase::Proceeding) {
            return Err(Refused::NothingToCancel);
        }
        let flow = entry.flow;
        let request = Message::parse(entry.bytes.clone()).ok();
        let via = request.as_ref().and_then(|r| r.header(Name::Via));
        let via = via.ok_or(Refused::NothingToCancel)?.to_owned();
        let view = super::via::ViaView::read(&via).and_then(|v| v.branch);
        let branch = view.ok_or(Refused::NothingToCancel)?;
        let txn = self.open_with(now, Kind::Client, branch, &Method::Cancel, owner);
        Ok(CancelPath { txn, flow, via })
    }

    /// Sends the request of an opened transaction.
    ///
    /// # Errors
    /// `Gone` if the transaction timed out meanwhile, `Answered` if it was sent before.
    pub fn send(
        &mut self,
        now: Instant,
        txn: TxnId,
        flow: FlowId,
        request: Sending<'_>,
        out: &mut Vec<Output<O>>,
    ) -> Result<(), Refused> {
        let (t1, long) = (self.timers.t1, self.timers.long());
        let cancelled = self.keys.cancelled(request.call_id, request.cseq);
        let entry = self.get_mut(txn).ok_or(Refused::Gone)?;
        if entry.phase != Phase::Opening {
            return Err(Refused::Answered);
        }
        entry.phase = Phase::Trying;
        entry.flow = flow;
        entry.bytes = request.bytes.clone();
        entry.deadline = Some(now + long);
        if !flow.is_reliable() {
            entry.repeat = Some(Repeat { at: now + t1, interval: t1 });
        }
        if entry.kind == Kind::ClientInvite {
            entry.second = Some(cancelled);
            self.seconds.insert(cancelled, txn);
        }
        if flow.is_reliable() {
            self.streams.entry(flow.link()).or_default().push(txn);
        }
        self.arm(now, txn);
        out.push(Output::Send { txn, flow, bytes: request.bytes, again: false });
        Ok(())
    }

    /// A response has come. False if no transaction waits for it.
    pub fn response(
        &mut self,
        now: Instant,
        response: &Message,
        flow: FlowId,
        out: &mut Vec<Output<O>>,
    ) -> bool {
        let Some(status) = response.status() else { return false };
        let Ok((_, method)) = response.cseq() else { return false };
        let via = response.header(Name::Via).and_then(super::via::ViaView::read);
        let Some(branch) = via.and_then(|v| v.branch) else { return false };
        let key = self.keys.client(branch, &method);
        let Some(txn) = self.clients.get(&key).copied() else { return false };
        let Some(entry) = self.get(txn) else { return false };
        match entry.kind {
            Kind::ClientInvite => self.invite_response(now, txn, status, response, flow, out),
            _ => self.plain_response(now, txn, status, response, flow, out),
        }
        self.arm(now, txn);
        true
    }

    fn invite_response(
        &mut self,
        now: Instant,
        txn: TxnId,
        status: u16,
        response: &Message,
        from: FlowId,
        out: &mut Vec<Output<O>>,
    ) {
        let (long, stale, d) = (self.timers.long(), self.timers.stale, self.timers.d);
        let Some(entry) = self.get_mut(txn) else { return };
        match (entry.phase, status) {
            (Phase::Trying | Phase::Proceeding, 100..=199) => {
                entry.phase = Phase::Proceeding;
                entry.repeat = None;
                entry.deadline = Some(now + stale);
                self.tell(txn, response, from, out);
            }
            (Phase::Trying | Phase::Proceeding, 200..=299) => {
                entry.phase = Phase::Accepted;
                entry.repeat = None;
                entry.bytes = Bytes::new();
                // Timer M: further 2xx, also of other branches of a fork, go to the user.
                entry.deadline = Some(now + long);
                self.tell(txn, response, from, out);
            }
            (Phase::Accepted, 200..=299) => self.tell(txn, response, from, out),
            (Phase::Trying | Phase::Proceeding, 300..) => {
                let flow = entry.flow;
                let ack = ack::compose(std::mem::take(&mut entry.bytes), response);
                entry.phase = Phase::Completed;
                entry.repeat = None;
                entry.bytes = ack.unwrap_or_default();
                entry.deadline = Some(now + d);
                let bytes = entry.bytes.clone();
                if !bytes.is_empty() {
                    out.push(Output::Send { txn, flow, bytes, again: false });
                }
                self.tell(txn, response, from, out);
                if flow.is_reliable() {
                    self.end(txn);
                }
            }
            (Phase::Completed, 300..) => {
                let (flow, bytes) = (entry.flow, entry.bytes.clone());
                if !bytes.is_empty() {
                    out.push(Output::Send { txn, flow, bytes, again: true });
                }
            }
            _ => {}
        }
    }

    fn plain_response(
        &mut self,
        now: Instant,
        txn: TxnId,
        status: u16,
        response: &Message,
        from: FlowId,
        out: &mut Vec<Output<O>>,
    ) {
        let t4 = self.timers.t4;
        let Some(entry) = self.get_mut(txn) else { return };
        if !matches!(entry.phase, Phase::Trying | Phase::Proceeding) {
            return;
        }
        if status < 200 {
            entry.phase = Phase::Proceeding;
            self.tell(txn, response, from, out);
            return;
        }
        entry.phase = Phase::Completed;
        entry.repeat = None;
        entry.bytes = Bytes::new();
        // Timer K.
        entry.deadline = Some(now + t4);
        let reliable = entry.flow.is_reliable();
        self.tell(txn, response, from, out);
        if reliable {
            self.end(txn);
        }
    }

    fn tell(&self, txn: TxnId, response: &Message, flow: FlowId, out: &mut Vec<Output<O>>) {
        let Some(owner) = self.get(txn).and_then(|entry| entry.owner.clone()) else { return };
        out.push(Output::Response { owner, txn, response: response.clone(), flow });
    }

    pub(super) fn client_timer(&mut self, now: Instant, txn: TxnId, out: &mut Vec<Output<O>>) {
        let t2 = self.timers.t2;
        let Some(entry) = self.get_mut(txn) else { return };
        if entry.deadline.is_some_and(|deadline| deadline <= now) {
            let waits = matches!(entry.phase, Phase::Opening | Phase::Trying | Phase::Proceeding);
            let owner = self.end(txn).and_then(|gone| gone.owner);
            if let (true, Some(owner)) = (waits, owner) {
                out.push(Output::Timeout { owner, txn });
            }
            return;
        }
        let Some(repeat) = entry.repeat else { return };
        let interval = match (entry.kind, entry.phase) {
            // Timer A doubles without a bound, until timer B.
            (Kind::ClientInvite, _) => repeat.interval * 2,
            // Timer E: once a provisional answer has come, every T2.
            (_, Phase::Proceeding) => t2,
            _ => (repeat.interval * 2).min(t2),
        };
        // Counted from when it was due, so that a late wake-up does not shift the schedule.
        let at = (repeat.at + interval).max(now);
        entry.repeat = Some(Repeat { at, interval });
        let (flow, bytes) = (entry.flow, entry.bytes.clone());
        out.push(Output::Send { txn, flow, bytes, again: true });
    }
}

/// The request of a client transaction.
#[derive(Clone, Debug)]
pub struct Sending<'a> {
    /// Its Call-ID.
    pub call_id: &'a str,
    /// Its CSeq number.
    pub cseq: u32,
    /// The whole message, with the Via that holds the transaction's branch.
    pub bytes: Bytes,
}

/// The flow of a transaction that has none yet.
fn nowhere() -> FlowId {
    FlowId::datagram(u32::MAX, SocketAddr::from(([0, 0, 0, 0], 0)))
}
