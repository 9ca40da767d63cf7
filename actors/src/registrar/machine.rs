//! The location service as a value: which contacts each extension has (RFC 3261 10.3, RFC 5626,
//! RFC 3327).

mod flows;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_kernel::Timestamp;
use tandem_sip::net::{FlowId, RemoteFlow};

use super::binding::{Binding, Turns};

/// Shortest registration; a shorter one is refused with 423 (RFC 3261 10.2.8).
pub const MIN_EXPIRES: Duration = Duration::from_secs(60);
/// Longest registration; a longer one is cut.
pub const MAX_EXPIRES: Duration = Duration::from_secs(7200);
/// Used when the phone names none.
pub const DEFAULT_EXPIRES: Duration = Duration::from_secs(3600);

/// A fact about registrations. Append-only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegistrarEvent {
    /// A contact was added or refreshed.
    Bound {
        /// The extension.
        extension: String,
        /// The contact.
        binding: Binding,
    },
    /// A contact is gone.
    Unbound {
        /// The extension.
        extension: String,
        /// The binding's key.
        key: String,
        /// It ran out, rather than being taken back.
        expired: bool,
    },
    /// A contact was added or refreshed at a member of a cluster.
    BoundAt {
        /// The extension.
        extension: String,
        /// The contact.
        binding: Binding,
        /// The member, whose connections the contact may be on.
        node: u64,
    },
    /// A member of a cluster carries messages of the others to a contact of its own. Stands
    /// before the first [`BoundAt`](Self::BoundAt) of the contact there.
    Carried {
        /// The extension.
        extension: String,
        /// The binding's key.
        key: String,
        /// The member.
        node: u64,
        /// The `host:port` by which the phone reaches the member.
        address: String,
    },
}

impl RegistrarEvent {
    /// Whose contact it is about.
    #[must_use]
    pub fn extension(&self) -> &str {
        match self {
            Self::Bound { extension, .. }
            | Self::Unbound { extension, .. }
            | Self::BoundAt { extension, .. }
            | Self::Carried { extension, .. } => extension,
        }
    }
}

/// One contact of a REGISTER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The URI.
    pub uri: String,
    /// Its own `expires`, else the header's; none: the default. Zero removes.
    pub expires: Option<Duration>,
    /// `+sip.instance`.
    pub instance: Option<String>,
    /// `reg-id`.
    pub reg_id: Option<u32>,
}

/// An authenticated REGISTER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The extension whose contacts change.
    pub extension: String,
    /// How many contacts it may have.
    pub max_contacts: usize,
    /// The contacts; empty: only asks.
    pub contacts: Vec<Wish>,
    /// `Contact: *` with `Expires: 0`.
    pub remove_all: bool,
    /// Path values.
    pub path: Vec<String>,
    /// Where it came from.
    pub source: SocketAddr,
    /// Over which transport.
    pub transport: String,
    /// Over which path.
    pub flow: FlowId,
    /// Call-ID.
    pub call_id: String,
    /// CSeq number.
    pub cseq: u32,
    /// User-Agent.
    pub user_agent: String,
}

/// Why a REGISTER is not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// 423 with Min-Expires.
    #[error("the interval is shorter than {} s", MIN_EXPIRES.as_secs())]
    TooBrief,
    /// 403: the extension has as many contacts as it may.
    #[error("the extension has {0} contacts already")]
    TooManyContacts(usize),
    /// 500: older than the last one with this Call-ID (RFC 3261 10.3, step 7).
    #[error("the request is older than the last one")]
    OutOfOrder,
}

/// A contact with who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    binding: Binding,
    /// The member of the cluster that took it; none: it is everybody's.
    home: Option<u64>,
    /// Its place in the order of REGISTERs: greater than those of the extension before it.
    registered: u64,
}

/// The way to a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// By a path of this member.
    Own(FlowId),
    /// By the member that has the path.
    Through(RemoteFlow),
}

/// All registrations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registrar {
    bindings: BTreeMap<String, BTreeMap<String, Held>>,
    /// The bindings in the order in which they run out.
    expiries: BTreeMap<(Timestamp, String, String), ()>,
    /// How a phone reaches the members that carry for the others, by extension and key.
    addresses: BTreeMap<(String, String), BTreeMap<u64, String>>,
    /// The contacts whose NAT is held open.
    turns: Turns,
    /// Members that have died and are not back.
    left: BTreeSet<u64>,
}

impl Registrar {
    /// Decides about a REGISTER. The events are not applied yet.
    ///
    /// # Errors
    /// [`Refused`]; nothing is to be changed then (all or nothing, RFC 3261 10.3).
    pub fn register(
        &self,
        now: Timestamp,
        wish: &Registration,
    ) -> Result<Vec<RegistrarEvent>, Refused> {
        let current = self.bindings.get(&wish.extension);
        let stale =
            |held: &Held| held.binding.call_id == wish.call_id && wish.cseq <= held.binding.cseq;
        let extension = &wish.extension;
        let gone = |key: &str| RegistrarEvent::Unbound {
            extension: extension.clone(),
            key: key.to_owned(),
            expired: false,
        };
        if wish.remove_all {
            let all = || current.into_iter().flat_map(BTreeMap::values);
            if all().any(stale) {
                return Err(Refused::OutOfOrder);
            }
            return Ok(all().map(|held| gone(&held.binding.key)).collect());
        }
        let mut events = Vec::new();
        let mut count = current.map_or(0, BTreeMap::len);
        for contact in &wish.contacts {
            let key = key_of(contact);
            let existing = current.and_then(|bindings| bindings.get(&key));
            if existing.is_some_and(stale) {
                return Err(Refused::OutOfOrder);
            }
            let expires = contact.expires.unwrap_or(DEFAULT_EXPIRES).min(MAX_EXPIRES);
            if expires.is_zero() {
                if existing.is_some() {
                    count -= 1;
                    events.push(gone(&key));
                }
                continue;
            }
            if expires < MIN_EXPIRES {
                return Err(Refused::TooBrief);
            }
            if existing.is_none() {
                count += 1;
            }
            let binding = bind(now + expires, key, contact, wish);
            events.push(RegistrarEvent::Bound { extension: extension.clone(), binding });
        }
        if count > wish.max_contacts {
            return Err(Refused::TooManyContacts(wish.max_contacts));
        }
        Ok(events)
    }

    /// The contacts that have run out.
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> Vec<RegistrarEvent> {
        self.expiries
            .keys()
            .take_while(|(at, _, _)| *at <= now)
            .map(|(_, extension, key)| RegistrarEvent::Unbound {
                extension: extension.clone(),
                key: key.clone(),
                expired: true,
            })
            .collect()
    }

    /// When the next contact runs out.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.expiries.keys().next().map(|(at, _, _)| *at)
    }

    /// A contact and the way of a member to it.
    #[must_use]
    pub fn reach(&self, extension: &str, key: &str, node: u64) -> Option<(Binding, Way)> {
        let held = self.bindings.get(extension)?.get(key)?;
        Some((held.binding.clone(), self.way_to(extension, held, node)?))
    }

    /// The way of a member to a contact; none: connections lead to one member only, which is gone
    /// or carries for nobody.
    #[must_use]
    pub fn way(&self, extension: &str, key: &str, node: u64) -> Option<Way> {
        self.way_to(extension, self.bindings.get(extension)?.get(key)?, node)
    }

    fn way_to(&self, extension: &str, held: &Held, node: u64) -> Option<Way> {
        let binding = &held.binding;
        let Some(home) = held.home.filter(|home| *home != node) else {
            return Some(Way::Own(binding.flow));
        };
        let through = self.through(extension, binding, home).map(Way::Through);
        if binding.is_on_connection() {
            return through;
        }
        Some(through.unwrap_or(Way::Own(binding.flow)))
    }

    fn through(&self, extension: &str, binding: &Binding, home: u64) -> Option<RemoteFlow> {
        if self.left.contains(&home) {
            return None;
        }
        let address = self.address(extension, &binding.key, home)?.to_owned();
        let transport = binding.transport.parse().ok()?;
        Some(RemoteFlow { member: home, flow: binding.flow, transport, address })
    }

    /// How a phone reaches a member that carries for the others to this contact.
    #[must_use]
    pub fn address(&self, extension: &str, key: &str, node: u64) -> Option<&str> {
        let addresses = self.addresses.get(&(extension.to_owned(), key.to_owned()))?;
        addresses.get(&node).map(String::as_str)
    }

    /// Whether members carry to a contact.
    #[must_use]
    pub fn is_carried(&self, extension: &str, key: &str) -> bool {
        let addresses = self.addresses.get(&(extension.to_owned(), key.to_owned()));
        addresses.is_some_and(|all| !all.is_empty())
    }

    /// Whether facts of one REGISTER take a contact back that is carried to: what stands beside
    /// that is the same phone, which has learnt by the answer how it is seen (RFC 3581 4).
    #[must_use]
    pub fn replaces_carried(&self, facts: &[RegistrarEvent]) -> bool {
        facts.iter().any(|fact| match fact {
            RegistrarEvent::Unbound { extension, key, expired: false } => {
                self.is_carried(extension, key)
            }
            _ => false,
        })
    }

    /// The contacts whose NAT a member holds open in this turn (see [`Turns`]).
    pub fn in_turn(&self, turn: u64, node: u64) -> impl Iterator<Item = &Binding> {
        let all = self.turns.of(turn);
        let held = all.filter_map(|(extension, key)| self.bindings.get(extension)?.get(key));
        held.filter(move |held| held.home.is_none_or(|home| home == node)).map(|it| &it.binding)
    }

    /// Whether the contact was registered over a path of a member.
    #[must_use]
    pub fn is_on(&self, extension: &str, (node, own): (u64, u64), flow: FlowId) -> bool {
        let mut all = self.bindings.get(extension).into_iter().flat_map(BTreeMap::values);
        all.any(|held| held.binding.flow == flow && held.home.unwrap_or(own) == node)
    }

    /// The contacts of an extension that a member reaches.
    pub fn reached(&self, extension: &str, node: u64) -> impl Iterator<Item = &Binding> {
        let all = self.bindings.get(extension).into_iter().flat_map(BTreeMap::values);
        let name = extension.to_owned();
        all.filter(move |held| self.way_to(&name, held, node).is_some()).map(|held| &held.binding)
    }

    /// A member died: its connections lead nowhere.
    pub fn member_left(&mut self, member: u64) {
        self.left.insert(member);
    }

    /// A member is there again.
    pub fn member_back(&mut self, member: u64) {
        self.left.remove(&member);
    }

    /// The extensions that have a contact at a member.
    #[must_use]
    pub fn at_home(&self, member: u64) -> Vec<String> {
        let is_there = |(_, all): &(&String, &BTreeMap<String, Held>)| {
            all.values().any(|held| held.home == Some(member))
        };
        self.bindings.iter().filter(is_there).map(|(extension, _)| extension.clone()).collect()
    }

    /// The contacts on connections of a member: after a restart its connections are gone.
    #[must_use]
    pub fn on_connections(&self, node: u64) -> Vec<RegistrarEvent> {
        let all = self
            .bindings
            .iter()
            .flat_map(|(extension, bindings)| bindings.values().map(move |held| (extension, held)));
        all.filter(|(_, held)| held.binding.is_on_connection())
            .filter(|(_, held)| held.home.is_none_or(|home| home == node))
            .map(|(extension, held)| RegistrarEvent::Unbound {
                extension: extension.clone(),
                key: held.binding.key.clone(),
                expired: true,
            })
            .collect()
    }

    /// Whether a contact has another path by a fact than before it, or its first one.
    #[must_use]
    pub fn is_moved_by(&self, event: &RegistrarEvent) -> bool {
        let (extension, binding, home) = match event {
            RegistrarEvent::Bound { extension, binding } => (extension, binding, None),
            RegistrarEvent::BoundAt { extension, binding, node } => {
                (extension, binding, Some(*node))
            }
            RegistrarEvent::Unbound { .. } | RegistrarEvent::Carried { .. } => return false,
        };
        let before = self.bindings.get(extension).and_then(|all| all.get(&binding.key));
        before.is_none_or(|it| (it.home, it.binding.flow) != (home, binding.flow))
    }

    /// Whether only a member that is gone had a path to a contact.
    #[must_use]
    pub fn is_stranded(&self, extension: &str, key: &str) -> bool {
        let held = self.bindings.get(extension).and_then(|all| all.get(key));
        held.is_some_and(|it| {
            it.binding.needs_its_flow() && it.home.is_some_and(|home| self.left.contains(&home))
        })
    }

    /// Takes a fact in.
    pub fn evolve(&mut self, event: &RegistrarEvent) {
        match event {
            RegistrarEvent::BoundAt { extension, binding, node } => {
                let place = (extension.clone(), binding.key.clone());
                if let Some(addresses) = self.addresses.get_mut(&place) {
                    addresses.retain(|member, _| member == node);
                }
                self.bound(extension, binding, Some(*node));
            }
            RegistrarEvent::Bound { extension, binding } => self.bound(extension, binding, None),
            RegistrarEvent::Carried { extension, key, node, address } => {
                let addresses = self.addresses.entry((extension.clone(), key.clone())).or_default();
                addresses.insert(*node, address.clone());
            }
            RegistrarEvent::Unbound { extension, key, .. } => {
                self.addresses.remove(&(extension.clone(), key.clone()));
                self.unbound(extension, key);
            }
        }
    }

    fn bound(&mut self, extension: &str, binding: &Binding, home: Option<u64>) {
        let key = binding.key.clone();
        self.turns.note(extension, binding);
        self.expiries.insert((binding.expires_at, extension.to_owned(), key.clone()), ());
        let all = self.bindings.entry(extension.to_owned()).or_default();
        let registered = all.values().map(|held| held.registered + 1).max().unwrap_or_default();
        let held = Held { binding: binding.clone(), home, registered };
        let before = all.insert(key.clone(), held);
        if let Some(before) = before
            && before.binding.expires_at != binding.expires_at
        {
            self.expiries.remove(&(before.binding.expires_at, extension.to_owned(), key));
        }
    }

    fn unbound(&mut self, extension: &str, key: &str) {
        let Some(bindings) = self.bindings.get_mut(extension) else { return };
        if let Some(before) = bindings.remove(key) {
            let entry = (before.binding.expires_at, extension.to_owned(), key.to_owned());
            self.expiries.remove(&entry);
            self.turns.forget(extension, key);
        }
        if bindings.is_empty() {
            self.bindings.remove(extension);
        }
    }

    /// The contacts of an extension.
    pub fn contacts(&self, extension: &str) -> impl Iterator<Item = &Binding> {
        let all = self.bindings.get(extension).into_iter().flat_map(BTreeMap::values);
        all.map(|held| &held.binding)
    }

    /// Whether any phone of the extension is registered.
    #[must_use]
    pub fn is_registered(&self, extension: &str) -> bool {
        self.bindings.contains_key(extension)
    }

    /// The extensions with a phone.
    pub fn extensions(&self) -> impl Iterator<Item = &String> {
        self.bindings.keys()
    }

    /// How many contacts there are in all.
    #[must_use]
    pub fn len(&self) -> usize {
        self.expiries.len()
    }

    /// True when nobody is registered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expiries.is_empty()
    }
}

fn key_of(wish: &Wish) -> String {
    match (&wish.instance, wish.reg_id) {
        (Some(instance), Some(reg_id)) => format!("{instance};{reg_id}"),
        _ => wish.uri.clone(),
    }
}

fn bind(expires_at: Timestamp, key: String, contact: &Wish, wish: &Registration) -> Binding {
    Binding {
        key,
        uri: contact.uri.clone(),
        path: wish.path.clone(),
        source: wish.source,
        transport: wish.transport.clone(),
        flow: wish.flow,
        expires_at,
        call_id: wish.call_id.clone(),
        cseq: wish.cseq,
        user_agent: wish.user_agent.clone(),
    }
}
