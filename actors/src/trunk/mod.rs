//! Trunks: the way to each, who calls from which address, and whether it answers.
//!
//! | Concern                               | Owner                      |
//! |---------------------------------------|----------------------------|
//! | Up or down                            | [`health`] (pure)          |
//! | Pings and registrations of one trunk  | its actor                  |
//! | The ways, for everybody who calls     | [`Trunks`]                 |

mod actor;
pub mod health;
mod registration;

pub use actor::{TrunkActor, TrunkArgs, TrunkMsg, TrunksActor, TrunksArgs, TrunksMsg};

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::RwLock;
use tandem_config::resource::{Transport as Wanted, Trunk, TrunkMode};
use tandem_sdp::Capabilities;
use tandem_sip::digest::Credentials;
use tandem_sip::net::{Target, Transport};
use tandem_sip::value::Uri;

use crate::call::capabilities;
use health::Health;

struct Line {
    trunk: Arc<Trunk>,
    health: Health,
    /// In register mode: the far end knows us.
    registered: bool,
    /// Addresses from which its calls come.
    sources: Vec<IpAddr>,
    calls: Arc<AtomicU32>,
}

/// All trunks. Cheap to clone.
#[derive(Clone, Default)]
pub struct Trunks {
    lines: Arc<RwLock<BTreeMap<String, Line>>>,
}

/// A call's place on a trunk; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    calls: Arc<AtomicU32>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why a trunk takes no call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoWay {
    /// Not there, switched off, not registered or not answering.
    #[error("is not available")]
    Down,
    /// As many calls as it may carry (O-034).
    #[error("carries as many calls as it may")]
    Full,
}

/// How to call over a trunk.
pub struct Way {
    /// Host part of our URIs towards it.
    pub domain: String,
    /// The account's name, in register mode.
    pub username: Option<String>,
    /// P-Asserted-Identity is sent and believed.
    pub trusted_identity: bool,
    /// What answers its challenges.
    pub credentials: Option<Credentials>,
    /// Codecs and policies.
    pub caps: Capabilities,
    /// The place on it.
    pub permit: Permit,
    /// The trunk itself.
    pub trunk: Arc<Trunk>,
    host: String,
    port: u16,
    transport: Transport,
}

impl Way {
    /// The request URI for a number.
    #[must_use]
    pub fn uri_of(&self, number: &str) -> Uri {
        with_way(Uri::sip(number, &self.host), self.port, self.transport)
    }

    /// Where requests for a URI go.
    #[must_use]
    pub fn target(&self, uri: &Uri) -> Target {
        Target { transport: Some(self.transport), ..Target::of(uri.clone()) }
    }
}

fn with_way(uri: Uri, port: u16, transport: Transport) -> Uri {
    let uri = if port == 0 { uri } else { uri.with_port(port) };
    match transport {
        Transport::Udp => uri,
        other => uri.with_param("transport", &other.as_str().to_ascii_lowercase()),
    }
}

fn transport_of(trunk: &Trunk) -> Transport {
    match trunk.transport {
        Wanted::Udp => Transport::Udp,
        Wanted::Tcp => Transport::Tcp,
        Wanted::Tls => Transport::Tls,
    }
}

fn credentials_of(trunk: &Trunk) -> Option<Credentials> {
    trunk.auth.as_ref().map(|auth| Credentials {
        username: auth.username.clone(),
        password: auth.password.clone(),
        realm: None,
    })
}

impl Trunks {
    /// The way to a trunk that is enabled, up and not full. An emergency call is let onto any
    /// that is enabled: that it answers no pings does not mean that it takes no call.
    ///
    /// # Errors
    /// Why there is none.
    pub fn way(&self, name: &str, is_emergency: bool) -> Result<Way, NoWay> {
        let lines = self.lines.read();
        let line = lines.get(name).ok_or(NoWay::Down)?;
        let trunk = &line.trunk;
        if !trunk.enabled || (!line.is_up() && !is_emergency) {
            return Err(NoWay::Down);
        }
        let most = if is_emergency { 0 } else { trunk.max_calls };
        let permit = permit(line, most).ok_or(NoWay::Full)?;
        Ok(Way {
            domain: trunk.host.clone(),
            username: trunk.auth.as_ref().map(|auth| auth.username.clone()),
            trusted_identity: trunk.trusted_identity,
            credentials: credentials_of(trunk),
            caps: capabilities(&trunk.codecs, trunk.dtmf, trunk.encryption),
            permit,
            trunk: trunk.clone(),
            host: trunk.host.clone(),
            port: trunk.port,
            transport: transport_of(trunk),
        })
    }

    /// A place for a call that came in.
    #[must_use]
    pub fn enter(&self, name: &str) -> Option<Permit> {
        let lines = self.lines.read();
        let line = lines.get(name)?;
        permit(line, line.trunk.max_calls)
    }

    /// The trunk that calls from an address. A trunk whose port fits as well goes before one of
    /// which only the host fits.
    #[must_use]
    pub fn by_source(&self, source: SocketAddr) -> Option<(Arc<Trunk>, bool)> {
        let lines = self.lines.read();
        let ip = source.ip().to_canonical();
        let fits = |line: &&Line| line.trunk.enabled && line.sources.contains(&ip);
        let exact = lines.values().filter(fits).find(|line| port_of(&line.trunk) == source.port());
        if let Some(line) = exact {
            return Some((line.trunk.clone(), true));
        }
        lines.values().find(fits).map(|line| (line.trunk.clone(), false))
    }

    /// Each trunk and whether calls can be sent over it.
    #[must_use]
    pub fn states(&self) -> Vec<(String, bool)> {
        self.lines.read().iter().map(|(name, line)| (name.clone(), line.is_up())).collect()
    }

    /// Whether calls can be sent over a trunk.
    #[must_use]
    pub fn is_up(&self, name: &str) -> bool {
        self.lines.read().get(name).is_some_and(Line::is_up)
    }

    /// How many calls a trunk carries.
    #[must_use]
    pub fn carried_by(&self, name: &str) -> u32 {
        self.lines.read().get(name).map_or(0, |line| line.calls.load(Ordering::Relaxed))
    }

    fn set(&self, trunk: Arc<Trunk>, sources: Vec<IpAddr>) {
        let mut lines = self.lines.write();
        let name = trunk.name.clone();
        let before = lines.remove(&name);
        let calls = before.as_ref().map(|line| line.calls.clone()).unwrap_or_default();
        let mut line = Line { trunk, health: Health::default(), registered: false, sources, calls };
        // An actor that is started again for the same trunk goes on where the other ended.
        if let Some(before) = before.filter(|before| before.trunk == line.trunk) {
            (line.health, line.registered) = (before.health, before.registered);
        }
        lines.insert(name, line);
    }

    fn names(&self) -> Vec<String> {
        self.lines.read().keys().cloned().collect()
    }

    /// Whether a trunk is served as it is provisioned now.
    fn has(&self, trunk: &Trunk) -> bool {
        self.lines.read().get(&trunk.name).is_some_and(|line| *line.trunk == *trunk)
    }

    fn forget(&self, name: &str) {
        self.lines.write().remove(name);
    }

    fn probed(&self, name: &str, answered: bool) -> Option<bool> {
        let mut lines = self.lines.write();
        let line = lines.get_mut(name)?;
        line.health.probed(answered).then(|| line.health.is_up())
    }

    fn registered(&self, name: &str, registered: bool) {
        if let Some(line) = self.lines.write().get_mut(name) {
            line.registered = registered;
        }
    }

    fn sources(&self) -> Vec<IpAddr> {
        self.lines.read().values().flat_map(|line| line.sources.clone()).collect()
    }
}

fn port_of(trunk: &Trunk) -> u16 {
    match (trunk.port, trunk.transport) {
        (0, Wanted::Tls) => 5061,
        (0, _) => 5060,
        (port, _) => port,
    }
}

impl Line {
    fn is_up(&self) -> bool {
        let reachable = self.trunk.mode == TrunkMode::Peer || self.registered;
        self.trunk.enabled && self.health.is_up() && reachable
    }
}

/// A place beside fewer than `max` others; 0: however many.
fn permit(line: &Line, max: u32) -> Option<Permit> {
    let taken = line.calls.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |calls| {
        (max == 0 || calls < max).then_some(calls + 1)
    });
    taken.ok().map(|_| Permit { calls: line.calls.clone() })
}
