//! Keeping a trunk in register mode registered.

use std::time::{Duration, Instant};

use ractor::ActorRef;
use tandem_sip::net::{Target, TuEvent};
use tandem_sip::session::registration::{Account, Client, Effect, Event, Input};
use tandem_sip::session::{Identity, TimerId};
use tandem_sip::value::{NameAddr, Uri};

use super::actor::{TrunkArgs, TrunkMsg, sink};
use super::{credentials_of, transport_of, with_way};

/// The lifetime that we ask a provider for.
const EXPIRES: Duration = Duration::from_secs(600);

/// The registration of one trunk.
pub(super) struct Registering {
    client: Client,
}

impl Registering {
    /// Begins; none for a trunk without an account.
    pub(super) fn start(args: &TrunkArgs, myself: &ActorRef<TrunkMsg>) -> Option<Self> {
        let trunk = &args.trunk;
        let auth = trunk.auth.as_ref()?;
        let transport = transport_of(trunk);
        let registrar = with_way(Uri::sip_host(&trunk.host), trunk.port, transport);
        let peer = trunk.host.parse().unwrap_or_else(|_| [192, 0, 2, 1].into());
        let host = args.sip.reachable_at(transport, peer).unwrap_or_else(|| args.realm.clone());
        let contact = match transport {
            tandem_sip::net::Transport::Udp => format!("sip:{}@{host}", auth.username),
            other => format!(
                "sip:{}@{host};transport={}",
                auth.username,
                other.as_str().to_ascii_lowercase()
            ),
        };
        let account = Account {
            address: NameAddr::new(Uri::sip(&auth.username, &trunk.host)),
            route: Vec::new(),
            next_hop: Target { transport: Some(transport), ..Target::of(registrar.clone()) },
            registrar,
            credentials: credentials_of(trunk),
            expires: EXPIRES,
            call_id: format!("register-{}-{}", trunk.name, uuid::Uuid::new_v4()),
            from_tag: uuid::Uuid::new_v4().simple().to_string(),
            outbound: None,
        };
        let mut registering = Self { client: Client::new(account, &Identity::new(contact)) };
        registering.step(args, myself, Input::Register);
        Some(registering)
    }

    /// A timer went off.
    pub(super) fn timer(&mut self, args: &TrunkArgs, myself: &ActorRef<TrunkMsg>, timer: TimerId) {
        self.step(args, myself, Input::Timer(timer));
    }

    /// An answer came, or its failure.
    pub(super) fn heard(&mut self, args: &TrunkArgs, myself: &ActorRef<TrunkMsg>, event: TuEvent) {
        self.step(args, myself, Input::Wire(event));
    }

    fn step(&mut self, args: &TrunkArgs, myself: &ActorRef<TrunkMsg>, input: Input) {
        for effect in self.client.step(Instant::now(), input) {
            match effect {
                Effect::Request { id, draft, target } => {
                    let txn = args.sip.request(draft, target, sink(myself));
                    self.step(args, myself, Input::Sent { id, txn });
                }
                Effect::Arm { timer, after } => {
                    drop(myself.send_after(after, move || TrunkMsg::Timer(timer)));
                }
                Effect::Emit(event) => told(args, &event),
            }
        }
    }
}

fn told(args: &TrunkArgs, event: &Event) {
    let name = &args.trunk.name;
    match event {
        Event::Registered { expires, .. } => {
            args.trunks.registered(name, true);
            tracing::info!(trunk = %name, secs = expires.as_secs(), "trunk registered");
        }
        Event::Failed { status, retry_after } => {
            args.trunks.registered(name, false);
            let secs = retry_after.as_secs();
            tracing::warn!(trunk = %name, status, secs, "trunk did not register");
        }
        Event::Unregistered => args.trunks.registered(name, false),
    }
}
