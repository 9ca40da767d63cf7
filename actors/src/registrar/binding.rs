//! One registered contact, and when its NAT is held open.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use tandem_kernel::Timestamp;
use tandem_sip::net::FlowId;
use tandem_sip::value::Uri;

/// In how many turns, a second each, every NAT is held open once: many routers forget the way of
/// datagrams after 30 s (RFC 5626 4.4.2 asks phones for 24 to 29 s).
const TURNS: u64 = 25;

/// By what a phone's contact is found again: by its key, or, if the phone has given another one in
/// its place, by the Call-ID that all its REGISTERs have until it is started again (RFC 3261 10.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingId {
    /// [`Binding::key`].
    pub key: String,
    /// [`Binding::call_id`].
    pub call_id: String,
}

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

impl Binding {
    /// Whether only the socket that the REGISTER came to is let through to the phone (RFC 5626 1):
    /// it is seen elsewhere than where its Contact says that it is, or at a public address, where
    /// a gateway or the phone itself may have put what is seen into the Contact (RFC 5389). One of
    /// IPv6 stands behind a firewall there, which lets in answers only (RFC 6092 3.2.1).
    #[must_use]
    pub fn is_behind_nat(&self) -> bool {
        is_seen_behind_nat(&self.uri, self.source)
    }

    /// The phone that it is a flow of, if that has named itself and its flows (RFC 5626 4.1).
    #[must_use]
    pub fn instance(&self) -> Option<&str> {
        let (instance, _reg_id) = self.key.rsplit_once(';')?;
        (self.key != self.uri).then_some(instance)
    }

    /// By what it is found again.
    #[must_use]
    pub fn id(&self) -> BindingId {
        BindingId { key: self.key.clone(), call_id: self.call_id.clone() }
    }

    /// Whether calls have to take the path of the REGISTER.
    pub(super) const fn is_on_connection(&self) -> bool {
        self.flow.is_reliable()
    }

    /// Whether the path of the REGISTER reaches further than any other.
    #[must_use]
    pub fn needs_its_flow(&self) -> bool {
        self.is_on_connection() || self.is_behind_nat()
    }
}

/// See [`Binding::is_behind_nat`].
pub(crate) fn is_seen_behind_nat(contact: &str, source: SocketAddr) -> bool {
    let Ok(uri) = Uri::parse(contact) else { return false };
    is_elsewhere(&uri, source) || is_public(source.ip().to_canonical())
}

/// Whether a phone is seen elsewhere than where a Contact of its says that it is.
pub(super) fn is_elsewhere(contact: &Uri, source: SocketAddr) -> bool {
    let ip = source.ip().to_canonical();
    let is_there = contact.ip().is_some_and(|it| it.to_canonical() == ip);
    !is_there || contact.port.unwrap_or(5060) != source.port()
}

/// Whether an address is one of the public network.
const fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            // RFC 6598: between customers and their provider's own NAT.
            let is_shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || is_shared)
        }
        IpAddr::V6(ip) => !(ip.is_unique_local() || ip.is_loopback() || ip.is_unicast_link_local()),
    }
}

/// A turn with an extension and the key of its contact.
type Place = (u64, String, String);

/// The contacts whose NAT is held open, spread evenly over the turns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Turns(BTreeSet<Place>);

impl Turns {
    /// Takes a contact in, or out if it needs that no more. A connection is held open otherwise,
    /// and a phone behind a proxy by that.
    pub(super) fn note(&mut self, extension: &str, binding: &Binding) {
        let place = place_of(extension, &binding.key);
        let is_direct = !binding.is_on_connection() && binding.path.is_empty();
        if is_direct && binding.is_behind_nat() {
            self.0.insert(place);
        } else {
            self.0.remove(&place);
        }
    }

    /// A contact is gone.
    pub(super) fn forget(&mut self, extension: &str, key: &str) {
        self.0.remove(&place_of(extension, key));
    }

    /// Whose turn it is: extensions and keys. Turns are counted without end.
    pub(super) fn of(&self, turn: u64) -> impl Iterator<Item = (&String, &String)> {
        let turn = turn % TURNS;
        let all = self.0.range((turn, String::new(), String::new())..);
        all.take_while(move |it| it.0 == turn).map(|(_, extension, key)| (extension, key))
    }
}

fn place_of(extension: &str, key: &str) -> Place {
    let mut hasher = DefaultHasher::new();
    (extension, key).hash(&mut hasher);
    (hasher.finish() % TURNS, extension.to_owned(), key.to_owned())
}
