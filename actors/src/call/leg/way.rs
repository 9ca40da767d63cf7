//! By which flow a leg's requests go where that is not for its session to know: the phone is
//! registered at another member of the cluster, or was on a connection of a member that died.
//!
//! The registration leads to the phone wherever it is now (RFC 5626 5.3): one that has come back
//! over another connection, or at another member, is found there.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use ractor::ActorRef;
use tandem_kernel::LegId;
use tandem_sip::message::{Draft, Name};
use tandem_sip::net::{FlowId, Target};
use tandem_sip::session::Snapshot;

use super::{Happening, SipLeg};
use crate::call::machine::Party;
use crate::call::message::CallMsg;
use crate::exchange::Exchange;
use crate::registrar::{BindingId, Watch, Way as Path, is_seen_behind_nat};

/// The way to a leg's far end.
pub(super) struct Way {
    to: To,
    /// The phone's other flows, in the order in which the session tries them.
    others: VecDeque<To>,
    /// Tells the call when the phone registers by another path.
    watch: Option<Watch>,
}

/// Who knows the way.
enum To {
    /// The session alone.
    Session,
    /// A registration.
    Registration { extension: String, id: BindingId },
    /// A registration that is to be found by what the phone was known by.
    Lost { extension: String, at: SocketAddr, contact: String, flow: Kept },
}

/// What a phone of before was spoken to by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// A connection.
    Connection,
    /// The only path that a NAT let through.
    Opening,
    /// Any path.
    Any,
}

impl Kept {
    fn of(kept: &Snapshot, at: SocketAddr) -> Self {
        if kept.is_reliable() {
            return Self::Connection;
        }
        // By another member's path, where that is no connection, the phone is behind a NAT.
        if kept.is_on_connection() || is_seen_behind_nat(kept.target(), at) {
            return Self::Opening;
        }
        Self::Any
    }
}

impl To {
    /// What is known of a flow: only those of other members are not the session's alone.
    fn along(flow: Option<FlowId>, party: &Party, id: Option<BindingId>) -> Self {
        match (party, id) {
            (Party::Extension { number, .. }, Some(id))
                if flow.is_some_and(|flow| flow.is_remote()) =>
            {
                Self::Registration { extension: number.clone(), id }
            }
            _ => Self::Session,
        }
    }

    /// Whose phone it is, if it has to be found.
    fn extension(&self) -> Option<&str> {
        match self {
            Self::Session => None,
            Self::Registration { extension, .. } | Self::Lost { extension, .. } => Some(extension),
        }
    }
}

impl Way {
    /// The session knows it.
    pub(super) const fn of_session() -> Self {
        Self { to: To::Session, others: VecDeque::new(), watch: None }
    }

    /// Of a call that is placed along a flow.
    pub(super) fn along(flow: Option<FlowId>, party: &Party, id: Option<BindingId>) -> Self {
        Self { to: To::along(flow, party, id), others: VecDeque::new(), watch: None }
    }

    /// The phone has another flow, which is tried when those before it have failed.
    pub(super) fn or_along(&mut self, flow: Option<FlowId>, party: &Party, id: BindingId) {
        self.others.push_back(To::along(flow, party, Some(id)));
    }

    /// Of a leg that another member had: its connections, and those that it knew, are not ours,
    /// and where a NAT let it in we may not be.
    pub(super) fn of_kept(party: &Party, kept: &Snapshot) -> Self {
        let to = match (party, kept.peer()) {
            (Party::Extension { number, .. }, Some(at)) => To::Lost {
                extension: number.clone(),
                at,
                contact: kept.target().to_owned(),
                flow: Kept::of(kept, at),
            },
            // Behind a proxy, which knows the way.
            _ => To::Session,
        };
        Self { to, others: VecDeque::new(), watch: None }
    }

    /// The call hears of it when the phone registers by another path.
    pub(super) fn watch(&mut self, exchange: &Exchange, id: LegId, call: &ActorRef<CallMsg>) {
        let (call, leg) = (call.clone(), id.index);
        self.watch = self.to.extension().map(|extension| {
            let tell = move || {
                // A call that has ended needs no phone.
                let _gone = call.cast(CallMsg::PhoneMoved { leg });
            };
            exchange.location.watch(extension, Arc::new(tell))
        });
    }

    /// The flow that leads to the phone now; none: as the session says.
    pub(super) fn flow(&mut self, exchange: &Exchange) -> Option<FlowId> {
        self.find(exchange);
        let To::Registration { extension, id } = &self.to else { return None };
        let flow = flow_of(exchange, exchange.location.way(extension, &id.key)?);
        // One that is known to be closed is not tried; the session tries the Contact.
        exchange.sip.path(flow).is_some().then_some(flow)
    }

    /// Whether nothing leads to the phone until it registers at a member that lives.
    pub(super) fn is_awaited(&mut self, exchange: &Exchange) -> bool {
        self.find(exchange);
        match &self.to {
            To::Session => false,
            To::Registration { extension, id } => exchange.location.is_stranded(extension, &id.key),
            To::Lost { flow, .. } => *flow != Kept::Any,
        }
    }

    /// Looks for the registration of now.
    fn find(&mut self, exchange: &Exchange) {
        let location = &exchange.location;
        match &mut self.to {
            To::Session => {}
            To::Registration { extension, id } => {
                if let Some(now) = location.current(extension, id) {
                    *id = now;
                }
            }
            To::Lost { extension, at, contact, flow } => {
                let known = location.find(extension, *at, contact);
                let only = || match flow {
                    Kept::Connection => location.only_on_flow(extension, true),
                    Kept::Opening => location.only_on_flow(extension, false),
                    Kept::Any => None,
                };
                if let Some(id) = known.or_else(only) {
                    self.to = To::Registration { extension: std::mem::take(extension), id };
                }
            }
        }
    }
}

impl SipLeg {
    /// The session tries the phone's next flow.
    pub(super) fn turn_to_next_flow(
        &mut self,
        exchange: &Exchange,
        call: &ActorRef<CallMsg>,
    ) -> Vec<Happening> {
        if let Some(next) = self.way.others.pop_front() {
            self.way.to = next;
            self.way.watch(exchange, self.id, call);
        }
        Vec::new()
    }
}

/// What a message to a phone is put on.
pub(super) fn flow_of(exchange: &Exchange, path: Path) -> FlowId {
    match path {
        Path::Own(flow) => flow,
        Path::Through(there) => exchange.sip.through(there),
    }
}

/// The URI by which the far end of a flow reaches us.
pub(super) fn contact(exchange: &Exchange, flow: FlowId) -> String {
    exchange.sip.contact_through(flow).unwrap_or_else(|| {
        let transport = exchange.sip.path(flow).map(|(transport, _)| transport);
        exchange.identity_towards(transport, Some(flow.remote().ip())).local_contact
    })
}

/// Turns a request to another flow, and lets the far end answer along it.
pub(super) fn turn(draft: &mut Draft, target: &mut Target, flow: FlowId, contact: &str) {
    (target.flow, target.addr) = (Some(flow), None);
    if draft.header(Name::Contact).is_some() {
        draft.set(Name::Contact, format!("<{contact}>"));
    }
}
