//! Flows that other members of a cluster have (RFC 5626): who uses one writes a message as for a
//! flow of its own, and the member that has the connection only carries it.
//!
//! The peer sees one place, that of the connection's member: it stands in Via and Contact. Whose
//! a message is stands beside it, in a parameter of the Via and in the user part of the Contact.
//! The peer repeats both, so the connection's member needs to remember nothing of the dialog.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::RwLock;

use super::config::Transport;
use super::endpoint::{Endpoint, now};
use super::handle::Handle;
use super::links::Path;
use super::receive::Arrived;
use crate::message::{Message, Name};
use crate::transaction::FlowId;
use crate::transaction::via::{self, MEMBER};
use crate::value::Uri;

/// Flows of others that are remembered; the oldest is forgotten, and found again by its
/// registration.
const MOST: usize = 65_536;

/// What the user part of our Contact begins with, where another member's connection leads to us.
const USER: &str = "member-";

/// A flow of another member, and how the peer sees that member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteFlow {
    /// Who has it.
    pub member: u64,
    /// Its name there.
    pub flow: FlowId,
    /// How it travels.
    pub transport: Transport,
    /// The `host:port` by which the peer reaches the member.
    pub address: String,
}

/// The way to the members that have flows. Nothing here waits.
pub trait Carrier: Send + Sync {
    /// The number of this member.
    fn own(&self) -> u64;

    /// Lets a member put a message on a flow of its own.
    ///
    /// # Errors
    /// Why it can not be brought there. What is lost on the way is told by [`Handle::lost`].
    fn put(&self, member: u64, flow: FlowId, message: Bytes) -> Result<(), String>;

    /// Gives a member a message that came on a flow of ours; false: there is no such member.
    fn hand(&self, member: u64, from: RemoteFlow, message: Bytes) -> bool;
}

struct Entry {
    there: RemoteFlow,
    /// The member has said that the connection is closed. Its name never comes back.
    is_lost: bool,
}

#[derive(Default)]
struct Table {
    /// By the link number of our own name of it: in the order in which they became known.
    flows: BTreeMap<u64, Entry>,
    names: HashMap<(u64, FlowId), FlowId>,
}

/// The flows of other members that this endpoint knows.
#[derive(Default)]
pub(super) struct Remotes {
    table: RwLock<Table>,
    carrier: OnceLock<Arc<dyn Carrier>>,
}

impl Remotes {
    /// Our name of a flow.
    fn enter(&self, number: u64, there: RemoteFlow) -> FlowId {
        let key = (there.member, there.flow);
        let mut table = self.table.write();
        if let Some(known) = table.names.get(&key).copied() {
            if let Some(entry) = table.flows.get_mut(&known.link()) {
                entry.there = there;
            }
            return known;
        }
        if table.flows.len() >= MOST
            && let Some((_, oldest)) = table.flows.pop_first()
        {
            table.names.remove(&(oldest.there.member, oldest.there.flow));
        }
        let name = FlowId::through(number, there.flow);
        table.names.insert(key, name);
        table.flows.insert(name.link(), Entry { there, is_lost: false });
        name
    }

    fn of(&self, flow: FlowId) -> Option<RemoteFlow> {
        let table = self.table.read();
        let entry = table.flows.get(&flow.link()).filter(|entry| !entry.is_lost)?;
        (entry.there.flow.remote() == flow.remote()).then(|| entry.there.clone())
    }

    /// What a flow is, if it is known to be open.
    pub(super) fn path(&self, flow: FlowId) -> Option<Path> {
        let there = self.of(flow)?;
        // Only for people who read a trace; a name is not looked up.
        let any = || SocketAddr::new(std::net::Ipv4Addr::UNSPECIFIED.into(), 0);
        let local = there.address.parse().unwrap_or_else(|_| any());
        Some(Path { transport: there.transport, local })
    }

    /// The sent-by on a flow.
    pub(super) fn address(&self, flow: FlowId) -> String {
        self.of(flow).map_or_else(|| "invalid.invalid".to_owned(), |there| there.address)
    }

    /// Writes into a Via whose request it is.
    pub(super) fn mark(&self, via: &mut String) {
        if let Some(carrier) = self.carrier.get() {
            via.push_str(&format!(";{MEMBER}={}", carrier.own()));
        }
    }

    pub(super) fn send(&self, flow: FlowId, bytes: Bytes) -> Result<(), String> {
        let there = self.of(flow).ok_or_else(|| "the flow is closed".to_owned())?;
        let carrier = self.carrier.get().ok_or_else(|| "there are no members".to_owned())?;
        carrier.put(there.member, there.flow, bytes)
    }

    /// The URI by which the peer reaches us on a flow.
    fn contact(&self, flow: FlowId) -> Option<String> {
        let there = self.of(flow)?;
        let (own, address) = (self.carrier.get()?.own(), there.address);
        Some(match there.transport {
            Transport::Udp => format!("sip:{USER}{own}@{address}"),
            other => {
                let transport = other.as_str().to_ascii_lowercase();
                format!("sip:{USER}{own}@{address};transport={transport}")
            }
        })
    }

    /// A connection is closed; gives our name of it.
    fn lose(&self, member: u64, flow: FlowId) -> Option<FlowId> {
        let mut table = self.table.write();
        let name = table.names.get(&(member, flow)).copied()?;
        table.flows.get_mut(&name.link())?.is_lost = true;
        Some(name)
    }

    /// A member is gone; gives our names of its flows.
    fn lose_all(&self, member: u64) -> Vec<FlowId> {
        let mut table = self.table.write();
        let theirs = table.flows.values().filter(|entry| entry.there.member == member);
        let theirs: Vec<FlowId> = theirs.map(|entry| entry.there.flow).collect();
        let mut names = Vec::with_capacity(theirs.len());
        for flow in theirs {
            if let Some(name) = table.names.remove(&(member, flow)) {
                table.flows.remove(&name.link());
                names.push(name);
            }
        }
        names
    }
}

impl Endpoint {
    /// Gives an answer that nobody here waits for to the member that its Via names.
    pub(super) fn hand_response(&self, response: &Message, at: Arrived) -> bool {
        let member = response.header(Name::Via).and_then(via::member);
        member.is_some_and(|member| self.hand(member, response, at))
    }

    /// Gives a request that belongs to no dialog here to the member that its URI names.
    pub(super) fn hand_request(&self, request: &Message, at: Arrived) -> bool {
        let uri = request.uri().and_then(|uri| Uri::parse(uri).ok());
        let user = uri.and_then(|uri| uri.user);
        let member = user.and_then(|user| user.strip_prefix(USER)?.parse().ok());
        member.is_some_and(|member| self.hand(member, request, at))
    }

    /// Only what comes from somebody who has proved who they are, and only once: whoever it is
    /// for looks at it, or nobody does.
    fn hand(&self, member: u64, message: &Message, at: Arrived) -> bool {
        let Some(carrier) = self.links.remotes.carrier.get() else { return false };
        if at.flow.is_remote() || member == carrier.own() || !self.is_known(at) {
            return false;
        }
        let (flow, transport) = (at.flow, at.transport);
        let address = self.links.sent_by(transport, flow);
        let from = RemoteFlow { member: carrier.own(), flow, transport, address };
        // A copy: the message must not keep the buffer that it came in.
        carrier.hand(member, from, Bytes::copy_from_slice(message.raw()))
    }

    fn is_known(&self, at: Arrived) -> bool {
        if at.flow.is_reliable() && self.links.is_proven(at.flow) {
            return true;
        }
        let source = at.flow.remote().ip();
        let guard = self.guard.lock();
        guard.is_allowed(source) || guard.is_proven(source, now())
    }
}

/// For members of a cluster.
impl Handle {
    /// Flows of other members are reached by this carrier. The first one stays.
    pub fn carried_by(&self, carrier: Arc<dyn Carrier>) {
        let _first = self.endpoint.links.remotes.carrier.set(carrier);
    }

    /// Our name of another member's flow: to be used as one of our own.
    #[must_use]
    pub fn through(&self, there: RemoteFlow) -> FlowId {
        self.endpoint.links.remotes.enter(self.endpoint.serial(), there)
    }

    /// What is behind our name of another member's flow, if it is known to be open.
    #[must_use]
    pub fn remote(&self, flow: FlowId) -> Option<RemoteFlow> {
        flow.is_remote().then(|| self.endpoint.links.remotes.of(flow)).flatten()
    }

    /// The URI of our Contact where it is another one than that of a flow of our own.
    #[must_use]
    pub fn contact_through(&self, flow: FlowId) -> Option<String> {
        flow.is_remote().then(|| self.endpoint.links.remotes.contact(flow)).flatten()
    }

    /// Puts a message of another member on a flow of ours.
    ///
    /// # Errors
    /// The flow is closed, was one of an earlier run, or is none of ours.
    pub fn put(&self, flow: FlowId, message: Bytes) -> Result<(), String> {
        if flow.is_remote() {
            return Err("the flow is another member's".to_owned());
        }
        self.endpoint.counters.sent(&message);
        let sent = self.endpoint.links.send(flow, message);
        if sent.is_err() {
            self.endpoint.counters.send_failures.add();
        }
        sent
    }

    /// Takes a message that came on another member's flow.
    pub fn came(&self, there: RemoteFlow, message: Bytes) {
        let transport = there.transport;
        let flow = self.through(there);
        let Some(path) = self.endpoint.links.path(flow) else { return };
        // The connection is its member's to close, whatever came on it.
        let _goes_on =
            self.endpoint.receive(message, Arrived { flow, transport, local: path.local });
    }

    /// A member has said that a connection of its is closed.
    pub fn lost(&self, member: u64, flow: FlowId) {
        if let Some(name) = self.endpoint.links.remotes.lose(member, flow) {
            self.endpoint.stream_closed(name);
        }
    }

    /// A member is gone, and all its connections with it.
    pub fn member_lost(&self, member: u64) {
        for name in self.endpoint.links.remotes.lose_all(member) {
            self.endpoint.stream_closed(name);
        }
    }
}
