//! The registrar: REGISTER requests become bindings, and bindings are where calls go.
//!
//! | Concern                                      | Owner                |
//! |----------------------------------------------|----------------------|
//! | Which contacts there are and until when      | `machine` (pure)     |
//! | Who may register                             | `switch::access`     |
//! | Reading them from other actors               | [`Location`]         |
//!
//! A crash loses nothing: the supervisor starts the actor again over the same location, and a
//! restart of the node reads the bindings from the journal.

pub mod machine;
#[cfg(test)]
mod tests;

pub use machine::{Binding, RegistrarEvent};

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::RwLock;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tandem_config::resource::Extension;
use tandem_journal::{Append, Journal};
use tandem_kernel::port::Slot;
use tandem_kernel::{Clock, Timestamp};
use tandem_sip::message::{Draft, Name};
use tandem_sip::net::{Handle, Inbound};
use tandem_sip::value::NameAddr;
use tandem_telemetry::metric;

use crate::entity;
use crate::whereabouts::Whereabouts;
use machine::{MIN_EXPIRES, Refused, Registrar, Registration, Wish};

/// How often expiries are looked for; a contact may live this much longer.
const TICK: Duration = Duration::from_secs(1);

/// The registered contacts, for everybody who calls.
#[derive(Clone, Default)]
pub struct Location {
    registrar: Arc<RwLock<Registrar>>,
    /// This node.
    node: u64,
}

impl Location {
    /// Of a node, which reaches other members' contacts but not their connections.
    #[must_use]
    pub fn new(node: u64) -> Self {
        Self { registrar: Arc::default(), node }
    }

    /// The contacts of an extension that this node reaches.
    #[must_use]
    pub fn contacts(&self, extension: &str) -> Vec<Binding> {
        let registrar = self.registrar.read();
        let reached = |binding: &&Binding| registrar.is_reachable(extension, binding, self.node);
        registrar.contacts(extension).filter(reached).cloned().collect()
    }

    /// One contact.
    #[must_use]
    pub fn binding(&self, extension: &str, key: &str) -> Option<Binding> {
        self.registrar.read().binding(extension, key).cloned()
    }

    /// Whether any phone of the extension is registered that this node reaches.
    #[must_use]
    pub fn is_registered(&self, extension: &str) -> bool {
        self.reaches(&self.registrar.read(), extension)
    }

    fn reaches(&self, registrar: &Registrar, extension: &str) -> bool {
        let mut contacts = registrar.contacts(extension);
        contacts.any(|binding| registrar.is_reachable(extension, binding, self.node))
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

    fn take(&self, event: &RegistrarEvent, placed: &Whereabouts) {
        let extension = event.extension();
        let before = self.is_registered(extension);
        self.registrar.write().evolve(event);
        let after = self.is_registered(extension);
        if before != after {
            placed.registered(extension, after);
        }
    }
}

/// Messages of the registrar.
pub enum RegistrarMsg {
    /// An authenticated REGISTER.
    Register {
        /// The request, to be answered.
        inbound: Box<Inbound>,
        /// Whose contacts.
        extension: Arc<Extension>,
        /// Its place in the inbox.
        slot: Slot,
    },
    /// Looks for contacts that ran out.
    Tick,
}

impl ractor::Message for RegistrarMsg {}

/// What the registrar is started with.
#[derive(Clone)]
pub struct RegistrarArgs {
    /// The contacts; kept outside so that a crash of the actor loses none.
    pub location: Location,
    /// The journal.
    pub journal: Journal,
    /// The SIP endpoint, for answers.
    pub sip: Handle,
    /// The clock.
    pub clock: Clock,
    /// Agents are told when their first phone comes and their last one goes.
    pub placed: Arc<Whereabouts>,
}

/// The actor.
pub struct RegistrarActor;

impl Actor for RegistrarActor {
    type Msg = RegistrarMsg;
    type State = RegistrarArgs;
    type Arguments = RegistrarArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<RegistrarMsg>,
        args: RegistrarArgs,
    ) -> Result<RegistrarArgs, ActorProcessingErr> {
        drop(myself.send_interval(TICK, || RegistrarMsg::Tick));
        args.tell_who_is_registered();
        let gone = args.location.registrar.read().on_connections(args.location.node);
        args.take(gone);
        Ok(args)
    }

    async fn handle(
        &self,
        _myself: ActorRef<RegistrarMsg>,
        message: RegistrarMsg,
        state: &mut RegistrarArgs,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            RegistrarMsg::Register { inbound, extension, slot: _slot } => {
                let answer = state.register(&inbound, &extension);
                state.sip.respond(inbound.txn, answer);
            }
            // One member sees to it for all.
            RegistrarMsg::Tick if !state.journal.leads() => {}
            RegistrarMsg::Tick => {
                let expired = state.location.registrar.read().expired(state.clock.now());
                state.take(expired);
            }
        }
        Ok(())
    }
}

impl RegistrarArgs {
    /// Tells the agents of the phones that are known from the journal: a phone that only
    /// refreshes its contact changes nothing, so nobody would hear of it.
    fn tell_who_is_registered(&self) {
        let registrar = self.location.registrar.read();
        let reached = |extension: &&String| self.location.reaches(&registrar, extension);
        for extension in registrar.extensions().filter(reached) {
            self.placed.registered(extension, true);
        }
    }

    fn register(&self, inbound: &Inbound, extension: &Extension) -> Draft {
        let request = &inbound.request;
        let Some(wish) = read(inbound, extension) else { return Draft::response(request, 400) };
        let now = self.clock.now();
        let decided = self.location.registrar.read().register(now, &wish);
        match decided {
            Ok(events) => {
                self.take(events);
                metric::REGISTRATIONS.increment();
                self.accepted(inbound, &wish, now)
            }
            Err(Refused::TooBrief) => Draft::response(request, 423)
                .with(Name::MinExpires, MIN_EXPIRES.as_secs().to_string()),
            Err(refused @ Refused::TooManyContacts(_)) => {
                Draft::response(request, 403).with_reason(refused.to_string())
            }
            Err(refused @ Refused::OutOfOrder) => {
                Draft::response(request, 500).with_reason(refused.to_string())
            }
        }
    }

    /// 200 with all contacts (RFC 3261 10.3, step 8).
    fn accepted(&self, inbound: &Inbound, wish: &Registration, now: Timestamp) -> Draft {
        let mut answer = Draft::response(&inbound.request, 200);
        for binding in self.location.registrar.read().contacts(&wish.extension) {
            let left = binding.expires_at.since(now).as_secs();
            answer.push(Name::Contact, format!("<{}>;expires={left}", binding.uri));
        }
        for path in &wish.path {
            answer.push(Name::Path, path.clone());
        }
        if wish.contacts.iter().any(|contact| contact.reg_id.is_some()) {
            // RFC 5626 6: the flow is kept; pings are expected within two minutes.
            answer.push(Name::Require, "outbound");
            answer.push(Name::FlowTimer, "120");
        }
        answer
    }

    /// Appends facts, takes them in and tells the agents. The answer does not wait for the
    /// commit: a binding that a crash loses is refreshed by the phone.
    fn take(&self, events: Vec<RegistrarEvent>) {
        for event in events {
            let event = self.placed_at(event);
            self.location.take(&event, &self.placed);
            let append = Append {
                entity: entity::registrations(event.extension()),
                expected: None,
                epoch: 0,
                op_id: None,
                events: vec![entity::encode(&event)],
            };
            // What ran out is found again; what a phone was told must reach the other members.
            let has_run_out = matches!(event, RegistrarEvent::Unbound { expired: true, .. });
            drop(if has_run_out { self.journal.append(append) } else { self.journal.keep(append) });
        }
        metric::REGISTERED.set(self.location.registrar.read().len() as u64);
    }
}

impl RegistrarArgs {
    /// In a cluster a contact is one of this member.
    fn placed_at(&self, event: RegistrarEvent) -> RegistrarEvent {
        match event {
            RegistrarEvent::Bound { extension, binding } if self.journal.is_shared() => {
                RegistrarEvent::BoundAt { extension, binding, node: self.location.node }
            }
            event => event,
        }
    }
}

/// What a REGISTER asks for; none when it can not be read.
fn read(inbound: &Inbound, extension: &Extension) -> Option<Registration> {
    let request = &inbound.request;
    let header: Option<u64> =
        request.header(Name::Expires).and_then(|value| value.trim().parse().ok());
    let mut contacts = Vec::new();
    let mut remove_all = false;
    for value in request.headers(Name::Contact) {
        if value.trim() == "*" {
            if header != Some(0) {
                return None;
            }
            remove_all = true;
            continue;
        }
        let contact = NameAddr::parse(value).ok()?;
        let own = contact.param("expires").and_then(|value| value.parse().ok());
        contacts.push(Wish {
            uri: contact.uri.to_string(),
            expires: own.or(header).map(Duration::from_secs),
            instance: contact.param("+sip.instance").map(|it| it.trim_matches('"').to_owned()),
            reg_id: contact.param("reg-id").and_then(|value| value.parse().ok()),
        });
    }
    if remove_all && !contacts.is_empty() {
        return None;
    }
    Some(Registration {
        extension: extension.number.clone(),
        max_contacts: usize::from(extension.max_contacts),
        contacts,
        remove_all,
        path: request.headers(Name::Path).map(str::to_owned).collect(),
        source: inbound.source,
        transport: inbound.transport.as_str().to_ascii_lowercase(),
        flow: inbound.flow,
        call_id: request.call_id().to_owned(),
        cseq: request.cseq().ok()?.0,
        user_agent: request.header(Name::UserAgent).unwrap_or_default().chars().take(128).collect(),
    })
}
