//! By which flow a leg's requests go where that is not for its session to know: the phone is
//! registered at another member of the cluster, or was on a connection of a member that died.
//!
//! The registration leads to the phone wherever it is now (RFC 5626 5.3): one that has come back
//! over another connection, or at another member, is found there.

use std::net::SocketAddr;

use tandem_sip::message::{Draft, Name};
use tandem_sip::net::{FlowId, Target};
use tandem_sip::session::Snapshot;

use crate::call::machine::Party;
use crate::exchange::Exchange;
use crate::registrar::Way as Path;

/// Who knows the way to a leg's far end.
#[derive(Debug)]
pub(super) enum Way {
    /// The session alone.
    Session,
    /// The registration with this key.
    Registration { extension: String, key: String },
    /// A registration that is to be found by what the phone was known by.
    Lost { extension: String, at: Option<SocketAddr>, contact: String, is_on_connection: bool },
}

impl Way {
    /// Of a call that is placed along a flow.
    pub(super) fn along(flow: Option<FlowId>, party: &Party, key: Option<&str>) -> Self {
        match (party, key) {
            (Party::Extension { number, .. }, Some(key))
                if flow.is_some_and(|flow| flow.is_remote()) =>
            {
                Self::Registration { extension: number.clone(), key: key.to_owned() }
            }
            _ => Self::Session,
        }
    }

    /// Of a leg that another member had: its connections, and those that it knew, are not ours,
    /// and where a NAT let it in we may not be.
    pub(super) fn of_kept(party: &Party, kept: &Snapshot) -> Self {
        let is_proxied = kept.peer().is_none();
        match party {
            Party::Extension { number, .. } if !is_proxied => Self::Lost {
                extension: number.clone(),
                at: kept.peer(),
                contact: kept.target().to_owned(),
                is_on_connection: kept.is_on_connection(),
            },
            _ => Self::Session,
        }
    }

    /// The flow that leads to the phone now; none: as the session says.
    pub(super) fn flow(&mut self, exchange: &Exchange) -> Option<FlowId> {
        if let Self::Lost { extension, at, contact, is_on_connection } = self {
            let known = exchange.location.find(extension, *at, contact);
            let only = || exchange.location.only_connected(extension);
            let key = known.or_else(|| is_on_connection.then(only).flatten())?;
            *self = Self::Registration { extension: std::mem::take(extension), key };
        }
        let Self::Registration { extension, key } = self else { return None };
        let flow = flow_of(exchange, exchange.location.way(extension, key)?);
        // One that is known to be closed is not tried; the session tries the Contact.
        exchange.sip.path(flow).is_some().then_some(flow)
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
