//! What the actors of one node share: handles to the edges and to each other.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rand::distr::{Alphanumeric, SampleString};
use tandem_journal::Journal;
use tandem_kernel::{AlarmClock, Clock};
use tandem_sip::digest::Algorithm;
use tandem_sip::net::Transport;
use tandem_sip::session::Identity;

use crate::call::{Calls, KeptCalls, Parking};
use crate::callback::Callbacks;
use crate::outbound::Tolls;
use crate::presence::Lamps;
use crate::prompts::Prompts;
use crate::provisioning::Provisioning;
use crate::registrar::Location;
use crate::softphone::Softphones;
use crate::switch::Access;
use crate::trace::Traces;
use crate::trunk::Trunks;
use crate::voicemail::Voicemail;
use crate::whereabouts::Whereabouts;

/// How the node presents itself and what it allows.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Digest realm and the host of our own SIP URIs.
    pub realm: String,
    /// For User-Agent and Server.
    pub user_agent: String,
    /// Digest algorithms that are offered, the best first.
    pub digest: Vec<Algorithm>,
    /// User-Agents, by their beginning, that are offered MD5 alone.
    pub md5_only_agents: Vec<String>,
    /// The session timer that is asked for.
    pub session_expires: Option<Duration>,
    /// Calls at once.
    pub max_calls: usize,
    /// New calls a second; 0: no limit.
    pub max_calls_per_second: u32,
}

/// The shared handles. Actors hold it in an `Arc`; nothing in it is a mock.
pub struct Exchange {
    /// The node's clock.
    pub clock: Clock,
    /// The journal.
    pub journal: Journal,
    /// Provisioned resources.
    pub provisioning: Provisioning,
    /// The SIP endpoint.
    pub sip: tandem_sip::net::Handle,
    /// The media engine.
    pub engine: tandem_engine::Handle,
    /// Registered contacts.
    pub location: Location,
    /// Trunks and their health.
    pub trunks: Trunks,
    /// Who is let in.
    pub access: Arc<Access>,
    /// Uploaded prompts.
    pub prompts: Prompts,
    /// Mailboxes.
    pub voicemail: Voicemail,
    /// Phones in browsers.
    pub softphones: Softphones,
    /// What outside calls have cost, and how often they began.
    pub tolls: Tolls,
    /// Who called whom last.
    pub callbacks: Callbacks,
    /// Queue and agent actors.
    pub placed: Arc<Whereabouts>,
    /// Live calls.
    pub calls: Arc<Calls>,
    /// Slots on which callers are parked.
    pub parking: Parking,
    /// What is kept of calls for other members.
    pub kept: KeptCalls,
    /// What the lamps of IP phones show.
    pub lamps: Arc<Lamps>,
    /// Timers of calls and their legs.
    pub alarms: AlarmClock,
    /// Traces of calls.
    pub traces: Arc<Traces>,
    /// Presentation and limits.
    pub policy: Policy,
}

impl Exchange {
    /// How we present ourselves on an incoming leg.
    pub(crate) fn identity(&self, transport: Transport, peer: IpAddr) -> Identity {
        self.identity_towards(Some(transport), Some(peer))
    }

    /// How we present ourselves towards a peer whose address may not be known yet.
    pub(crate) fn identity_towards(
        &self,
        transport: Option<Transport>,
        peer: Option<IpAddr>,
    ) -> Identity {
        let transport = transport.unwrap_or(Transport::Udp);
        let peer = peer.unwrap_or(IpAddr::from([192, 0, 2, 1]));
        let host =
            self.sip.reachable_at(transport, peer).unwrap_or_else(|| self.policy.realm.clone());
        let contact = match transport {
            Transport::Udp => format!("sip:{host}"),
            other => {
                format!("sip:{host};transport={}", other.as_str().to_ascii_lowercase())
            }
        };
        let mut identity = Identity::new(contact);
        identity.user_agent.clone_from(&self.policy.user_agent);
        identity.session_expires = self.policy.session_expires;
        identity
    }

    /// A tag with 128 bits of chance.
    pub(crate) fn fresh_tag(&self) -> String {
        Alphanumeric.sample_string(&mut rand::rng(), 22)
    }

    /// A Call-ID that nobody has used.
    pub(crate) fn fresh_call_id(&self) -> String {
        format!("{}@{}", Alphanumeric.sample_string(&mut rand::rng(), 22), self.policy.realm)
    }
}
