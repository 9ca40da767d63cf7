//! What everybody who calls asks of the registered contacts, and what the journal tells of them.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;
use tandem_sip::message::Name;
use tandem_sip::net::{FlowId, Inbound};
use tandem_sip::value::NameAddr;

use super::binding::{Binding, BindingId, is_elsewhere};
use super::challenged::Challenged;
use super::machine::{Registrar, RegistrarEvent, Way};
use super::watch::{Told, Watch, Watches};
use crate::entity;
use crate::whereabouts::Whereabouts;

/// The registered contacts, for everybody who calls.
#[derive(Clone, Default)]
pub struct Location {
    pub(super) registrar: Arc<RwLock<Registrar>>,
    pub(super) challenged: Arc<RwLock<Challenged>>,
    watches: Watches,
    /// This node.
    pub(super) node: u64,
}

impl Location {
    /// Of a node, which reaches other members' contacts on connections through them.
    #[must_use]
    pub fn new(node: u64) -> Self {
        Self { node, ..Self::default() }
    }

    /// A REGISTER was not believed: the answer may tell the phone how it is seen.
    pub(crate) fn note_challenged(&self, inbound: &Inbound) {
        let contacts = inbound.request.headers(Name::Contact);
        let mut uris = contacts.filter_map(|it| NameAddr::parse(it).ok()).map(|it| it.uri);
        if !inbound.flow.is_reliable() && uris.any(|uri| is_elsewhere(&uri, inbound.source)) {
            self.challenged.write().note(inbound.request.call_id());
        }
    }

    /// The contacts of an extension that this node reaches.
    #[must_use]
    pub fn contacts(&self, extension: &str) -> Vec<Binding> {
        let registrar = self.registrar.read();
        registrar.reached(extension, self.node).cloned().collect()
    }

    /// The phones of an extension that this node reaches, the one that registered last first; of
    /// one with several flows the newest (RFC 5626 7).
    #[must_use]
    pub fn phones(&self, extension: &str) -> Vec<Binding> {
        self.registrar.read().phones(extension, self.node).into_iter().cloned().collect()
    }

    /// The other flows of the phone that has a contact, with the ways to them, newest first.
    #[must_use]
    pub fn other_flows(&self, extension: &str, key: &str) -> Vec<(Binding, Way)> {
        self.registrar.read().other_flows(extension, key, self.node)
    }

    /// The way to one contact, if this node reaches it.
    #[must_use]
    pub fn way(&self, extension: &str, key: &str) -> Option<Way> {
        self.registrar.read().way(extension, key, self.node)
    }

    /// Whether a phone of the extension is registered over a path of a member; none: of ours.
    #[must_use]
    pub fn is_on(&self, extension: &str, member: Option<u64>, flow: FlowId) -> bool {
        let node = member.unwrap_or(self.node);
        self.registrar.read().is_on(extension, (node, self.node), flow)
    }

    /// The registration of a phone that was at an address and gave a Contact, as it is now: the
    /// one from there, else the one of that Contact.
    #[must_use]
    pub fn find(&self, extension: &str, at: SocketAddr, contact: &str) -> Option<BindingId> {
        let registrar = self.registrar.read();
        let all = || registrar.contacts(extension);
        let from_there = all().find(|it| it.source == at);
        from_there.or_else(|| all().find(|it| it.uri == contact)).map(Binding::id)
    }

    /// The only registration on a connection, or the only one behind a NAT: that of a phone which
    /// was on another connection, or behind a NAT, before.
    #[must_use]
    pub fn only_on_flow(&self, extension: &str, is_connection: bool) -> Option<BindingId> {
        let registrar = self.registrar.read();
        let is_like = |it: &&Binding| it.flow.is_reliable() == is_connection;
        let all = registrar.contacts(extension);
        let mut alike = all.filter(|it| it.needs_its_flow()).filter(is_like);
        alike.next().filter(|_| alike.next().is_none()).map(Binding::id)
    }

    /// A registration as it is now: what the phone has said last, also if that is another Contact.
    /// A flow that has a name of its own is no other one.
    #[must_use]
    pub fn current(&self, extension: &str, before: &BindingId) -> Option<BindingId> {
        let registrar = self.registrar.read();
        let all = || registrar.contacts(extension);
        let flow = all().find(|it| it.key == before.key && it.instance().is_some());
        if let Some(flow) = flow {
            return Some(flow.id());
        }
        let its = all().filter(|it| it.call_id == before.call_id);
        let newest = its.max_by_key(|it| (it.cseq, it.key == before.key));
        newest.or_else(|| all().find(|it| it.key == before.key)).map(Binding::id)
    }

    /// Whether only a member that is gone had a path to a contact.
    #[must_use]
    pub fn is_stranded(&self, extension: &str, key: &str) -> bool {
        self.registrar.read().is_stranded(extension, key)
    }

    /// Lets somebody know when a phone of the extension registers by another path, or its member
    /// is back, until the watch is dropped.
    pub(crate) fn watch(&self, extension: &str, told: Told) -> Watch {
        self.watches.add(extension, told)
    }

    /// A member died: who is on its connections is not reached. The agents are told.
    pub fn member_left(&self, member: u64, placed: Option<&Whereabouts>) {
        self.member_changed(member, placed, |registrar| registrar.member_left(member));
    }

    /// A member is there again, perhaps with its connections.
    pub fn member_back(&self, member: u64, placed: Option<&Whereabouts>) {
        self.member_changed(member, placed, |registrar| registrar.member_back(member));
        let theirs = self.registrar.read().at_home(member);
        theirs.iter().for_each(|extension| self.watches.tell(extension));
    }

    fn member_changed(
        &self,
        member: u64,
        placed: Option<&Whereabouts>,
        change: impl FnOnce(&mut Registrar),
    ) {
        let (before, after) = {
            let mut registrar = self.registrar.write();
            let theirs = registrar.at_home(member);
            let known: Vec<bool> = theirs.iter().map(|it| self.reaches(&registrar, it)).collect();
            change(&mut registrar);
            let after: Vec<bool> = theirs.iter().map(|it| self.reaches(&registrar, it)).collect();
            (known, theirs.into_iter().zip(after))
        };
        for ((extension, after), before) in after.zip(before) {
            if let Some(placed) = placed.filter(|_| before != after) {
                placed.registered(&extension, after);
            }
        }
    }

    /// One contact and the way to it, if this node reaches it.
    #[must_use]
    pub fn reach(&self, extension: &str, key: &str) -> Option<(Binding, Way)> {
        self.registrar.read().reach(extension, key, self.node)
    }

    /// Whether any phone of the extension is registered that this node reaches.
    #[must_use]
    pub fn is_registered(&self, extension: &str) -> bool {
        self.reaches(&self.registrar.read(), extension)
    }

    pub(super) fn reaches(&self, registrar: &Registrar, extension: &str) -> bool {
        registrar.reached(extension, self.node).next().is_some()
    }

    /// Takes a fact in, at the start from the journal.
    ///
    /// # Errors
    /// When the bytes are no fact of this kind.
    pub fn replay(&self, event: &Bytes) -> Result<(), tandem_wire::WireError> {
        let event: RegistrarEvent = entity::decode(event)?;
        self.registrar.write().evolve(&event);
        Ok(())
    }

    /// Takes a fact in that any member of the cluster appended, and tells the agents. Our own
    /// come back: the order in the journal is the one that all members have.
    ///
    /// # Errors
    /// When the bytes are no fact of this kind.
    pub fn follow(
        &self,
        event: &Bytes,
        placed: &Whereabouts,
    ) -> Result<(), tandem_wire::WireError> {
        let event: RegistrarEvent = entity::decode(event)?;
        self.take(&event, placed);
        Ok(())
    }

    pub(super) fn take(&self, event: &RegistrarEvent, placed: &Whereabouts) {
        let extension = event.extension();
        let before = self.is_registered(extension);
        let has_moved = {
            let mut registrar = self.registrar.write();
            let has_moved = registrar.is_moved_by(event);
            registrar.evolve(event);
            has_moved
        };
        if has_moved {
            self.watches.tell(extension);
        }
        let after = self.is_registered(extension);
        if before != after {
            placed.registered(extension, after);
        }
    }
}
