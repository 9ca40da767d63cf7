//! Whether a request within a dialog comes from the dialog's own peer (S16).
//!
//! Call-ID and tags can be overheard or leak into logs: who knows them may not end or divert a
//! call from elsewhere. A phone whose address moved (a NAT that rebinds, a new connection)
//! proves itself by its registration from there, or by digest.

use tandem_sip::message::Draft;
use tandem_sip::net::{FlowId, Inbound};

use crate::call::machine::Party;
use crate::exchange::Exchange;

/// Not ours to obey (RFC 3261 21.4.4).
const FORBIDDEN: u16 = 403;

/// The far end of a leg's dialog.
#[derive(Debug)]
pub(super) struct Peer {
    party: Party,
    /// The path that its last messages took; none until it has answered.
    flow: Option<FlowId>,
    /// It stands behind a proxy, whose port may change.
    is_proxied: bool,
}

impl Peer {
    /// The caller behind an INVITE.
    pub(super) fn calling(party: Party, inbound: &Inbound) -> Self {
        use tandem_sip::message::Name;
        let request = &inbound.request;
        let is_proxied =
            request.headers(Name::Via).count() > 1 || request.header(Name::RecordRoute).is_some();
        Self { party, flow: Some(inbound.flow), is_proxied }
    }

    /// Somebody who is called.
    pub(super) const fn called(party: Party, is_proxied: bool) -> Self {
        Self { party, flow: None, is_proxied }
    }

    /// Whether it stands behind a proxy.
    pub(super) const fn is_proxied(&self) -> bool {
        self.is_proxied
    }

    /// An answer to a request of ours came along a path: only the peer knew its branch.
    pub(super) const fn answered(&mut self, flow: FlowId) {
        self.flow = Some(flow);
    }

    /// Whether a request is the peer's own.
    ///
    /// # Errors
    /// The answer that refuses it, or asks for a proof.
    pub(super) fn judge(
        &mut self,
        exchange: &Exchange,
        inbound: &Inbound,
    ) -> Result<(), Box<Draft>> {
        if !self.is_same_path(inbound.flow) {
            self.prove(exchange, inbound)?;
            self.flow = Some(inbound.flow);
        }
        Ok(())
    }

    fn is_same_path(&self, from: FlowId) -> bool {
        self.flow.is_none_or(|flow| {
            flow == from || (self.is_proxied && flow.remote().ip() == from.remote().ip())
        })
    }

    fn prove(&self, exchange: &Exchange, inbound: &Inbound) -> Result<(), Box<Draft>> {
        let refused = || Box::new(Draft::response(&inbound.request, FORBIDDEN));
        match &self.party {
            // A carrier sends from many ports, and from each address that its name has.
            Party::Outside { trunk, .. } => {
                let known = exchange.trunks.by_source(inbound.source);
                let is_own = known.is_some_and(|(found, _)| found.name == *trunk);
                let is_same_host =
                    self.flow.is_some_and(|flow| flow.remote().ip() == inbound.source.ip());
                if is_own || is_same_host { Ok(()) } else { Err(refused()) }
            }
            Party::Extension { number, .. } => {
                let there = exchange.sip.remote(inbound.flow);
                let member = there.as_ref().map(|there| there.member);
                let flow = there.map_or(inbound.flow, |there| there.flow);
                if exchange.location.is_on(number, member, flow) {
                    return Ok(());
                }
                let proved = exchange.access.extension(inbound)?;
                if proved.number == *number { Ok(()) } else { Err(refused()) }
            }
        }
    }
}
