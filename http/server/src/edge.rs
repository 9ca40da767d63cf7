//! What all requests share.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tandem_actors::office::Office;
use tandem_api::phone::IceServer;
use tandem_kernel::{Clock, Timestamp};
use tandem_telemetry::metric::Recorder;
use tokio::sync::{Semaphore, watch};

use crate::compat::{Compat, Settings};
use crate::events::{Pictures, Tickets};
use crate::idempotency::Repeats;
use crate::limits::{Buckets, Rate};
use crate::passwords::Passwords;
use crate::relays::Relays;
use crate::sessions::SignIns;

/// Bounds of the edge.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests of one user or token.
    pub principal: Rate,
    /// Requests without a valid token from one address.
    pub stranger: Rate,
    /// How long a request may take.
    pub timeout: Duration,
    /// The longest body, in bytes.
    pub body_bytes: usize,
    /// Longest uploaded prompt.
    pub audio_bytes: usize,
    /// Event clients at once.
    pub event_clients: usize,
    /// How long one event may take to be written to a client before it counts as too slow.
    pub event_patience: Duration,
    /// Time between pings on the event stream.
    pub ping_interval: Duration,
    /// Connections at once.
    pub connections: usize,
    /// How long nothing may be written to a connection before it is cut: its client does not
    /// finish a request, does not read, or is idle. Longer than `timeout` and `ping_interval`.
    pub quiet: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            principal: Rate { burst: 6_000, per_sec: 300 },
            stranger: Rate { burst: 40, per_sec: 10 },
            timeout: Duration::from_secs(15),
            body_bytes: 256 * 1024,
            audio_bytes: 16 * 1024 * 1024,
            event_clients: 2_000,
            event_patience: Duration::from_secs(10),
            ping_interval: Duration::from_secs(20),
            connections: 4_096,
            quiet: Duration::from_secs(60),
        }
    }
}

/// The edge of a node. Cheap to clone.
#[derive(Clone)]
pub struct Edge {
    inner: Arc<Inner>,
}

/// What the clones of an edge share.
pub struct Inner {
    pub(crate) office: Office,
    pub(crate) recorder: Option<Recorder>,
    pub(crate) clock: Clock,
    pub(crate) passwords: Passwords,
    pub(crate) limits: Limits,
    pub(crate) sign_ins: SignIns,
    pub(crate) repeats: Repeats,
    pub(crate) principals: Buckets<String>,
    pub(crate) strangers: Buckets<IpAddr>,
    pub(crate) event_clients: Arc<Semaphore>,
    pub(crate) tickets: Tickets,
    pub(crate) pictures: Pictures,
    pub(crate) compat: Option<Compat>,
    relays: Option<Relays>,
    draining: watch::Sender<bool>,
}

impl Edge {
    /// The edge of a node: its office, its metrics, its clock.
    #[must_use]
    pub fn new(
        office: Office,
        recorder: Option<Recorder>,
        clock: Clock,
        passwords: Passwords,
        limits: Limits,
    ) -> Self {
        let (draining, _) = watch::channel(false);
        let repeats = Repeats::new(office.repeats().clone());
        let inner = Inner {
            office,
            recorder,
            clock,
            passwords,
            limits,
            sign_ins: SignIns::default(),
            repeats,
            principals: Buckets::new(limits.principal),
            strangers: Buckets::new(limits.stranger),
            event_clients: Arc::new(Semaphore::new(limits.event_clients)),
            tickets: Tickets::default(),
            pictures: Pictures::default(),
            compat: None,
            relays: None,
            draining,
        };
        Self { inner: Arc::new(inner) }
    }

    /// With TURN servers for browsers. Before the edge is cloned.
    #[must_use]
    pub fn with_relays(mut self, relays: Relays) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.relays = Some(relays);
        }
        self
    }

    pub(crate) fn ice_servers(&self, extension: &str) -> Vec<IceServer> {
        let relays = self.inner.relays.as_ref();
        relays.map_or_else(Vec::new, |relays| relays.servers(self.now(), extension))
    }

    /// With the compatibility door open. Before the edge is cloned.
    #[must_use]
    pub fn with_compat(mut self, settings: Settings) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.compat = Some(Compat::new(settings));
        }
        self
    }

    /// Ends the event streams and makes the node not ready; requests go on.
    pub fn drain(&self) {
        self.inner.draining.send_replace(true);
    }

    pub(crate) fn draining(&self) -> watch::Receiver<bool> {
        self.inner.draining.subscribe()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }
}

impl std::ops::Deref for Edge {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}
