//! The location service as a value: which contacts each extension has (RFC 3261 10.3, RFC 5626,
//! RFC 3327).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_kernel::Timestamp;
use tandem_sip::net::FlowId;

/// Shortest registration; a shorter one is refused with 423 (RFC 3261 10.2.8).
pub const MIN_EXPIRES: Duration = Duration::from_secs(60);
/// Longest registration; a longer one is cut.
pub const MAX_EXPIRES: Duration = Duration::from_secs(7200);
/// Used when the phone names none.
pub const DEFAULT_EXPIRES: Duration = Duration::from_secs(3600);

/// One registered contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// What tells it from others of the extension: instance and reg-id (RFC 5626 6), else the URI.
    pub key: String,
    /// The contact URI as the phone gave it.
    pub uri: String,
    /// Path values, first hop first (RFC 3327).
    pub path: Vec<String>,
    /// Where the REGISTER came from; where calls go (symmetric response, RFC 3581).
    pub source: SocketAddr,
    /// `udp`, `tcp`, `tls`, `ws` or `wss`.
    pub transport: String,
    /// The path it came over and calls go back by (RFC 5626).
    pub flow: FlowId,
    /// When it runs out.
    pub expires_at: Timestamp,
    /// Call-ID of the last REGISTER.
    pub call_id: String,
    /// CSeq of the last REGISTER.
    pub cseq: u32,
    /// What the phone calls itself.
    pub user_agent: String,
}

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
}

impl RegistrarEvent {
    /// Whose contact it is about.
    #[must_use]
    pub fn extension(&self) -> &str {
        match self {
            Self::Bound { extension, .. }
            | Self::Unbound { extension, .. }
            | Self::BoundAt { extension, .. } => extension,
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

/// All registrations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registrar {
    bindings: BTreeMap<String, BTreeMap<String, Binding>>,
    /// The bindings in the order in which they run out.
    expiries: BTreeMap<(Timestamp, String, String), ()>,
    /// The member of the cluster that took a binding, by extension and key.
    homes: BTreeMap<(String, String), u64>,
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
            |binding: &Binding| binding.call_id == wish.call_id && wish.cseq <= binding.cseq;
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
            return Ok(all().map(|binding| gone(&binding.key)).collect());
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

    /// Whether a member can reach a contact: connections lead to one member only.
    #[must_use]
    pub fn is_reachable(&self, extension: &str, binding: &Binding, node: u64) -> bool {
        let home = self.homes.get(&(extension.to_owned(), binding.key.clone()));
        !binding.flow.is_reliable() || home.is_none_or(|home| *home == node)
    }

    /// The contacts on connections of a member: after a restart its connections are gone.
    #[must_use]
    pub fn on_connections(&self, node: u64) -> Vec<RegistrarEvent> {
        let all = self.bindings.iter().flat_map(|(extension, bindings)| {
            bindings.values().map(move |binding| (extension, binding))
        });
        all.filter(|(_, binding)| binding.flow.is_reliable())
            .filter(|(extension, binding)| self.is_reachable(extension, binding, node))
            .map(|(extension, binding)| RegistrarEvent::Unbound {
                extension: extension.clone(),
                key: binding.key.clone(),
                expired: true,
            })
            .collect()
    }

    /// Takes a fact in.
    pub fn evolve(&mut self, event: &RegistrarEvent) {
        match event {
            RegistrarEvent::BoundAt { extension, binding, node } => {
                self.bound(extension, binding);
                self.homes.insert((extension.clone(), binding.key.clone()), *node);
            }
            RegistrarEvent::Bound { extension, binding } => {
                self.homes.remove(&(extension.clone(), binding.key.clone()));
                self.bound(extension, binding);
            }
            RegistrarEvent::Unbound { extension, key, .. } => {
                self.homes.remove(&(extension.clone(), key.clone()));
                self.unbound(extension, key);
            }
        }
    }

    fn bound(&mut self, extension: &str, binding: &Binding) {
        let key = binding.key.clone();
        self.expiries.insert((binding.expires_at, extension.to_owned(), key.clone()), ());
        let before = self
            .bindings
            .entry(extension.to_owned())
            .or_default()
            .insert(key.clone(), binding.clone());
        if let Some(before) = before
            && before.expires_at != binding.expires_at
        {
            self.expiries.remove(&(before.expires_at, extension.to_owned(), key));
        }
    }

    fn unbound(&mut self, extension: &str, key: &str) {
        let Some(bindings) = self.bindings.get_mut(extension) else { return };
        if let Some(before) = bindings.remove(key) {
            let entry = (before.expires_at, extension.to_owned(), key.to_owned());
            self.expiries.remove(&entry);
        }
        if bindings.is_empty() {
            self.bindings.remove(extension);
        }
    }

    /// One contact.
    #[must_use]
    pub fn binding(&self, extension: &str, key: &str) -> Option<&Binding> {
        self.bindings.get(extension)?.get(key)
    }

    /// The contacts of an extension.
    pub fn contacts(&self, extension: &str) -> impl Iterator<Item = &Binding> {
        self.bindings.get(extension).into_iter().flat_map(BTreeMap::values)
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
