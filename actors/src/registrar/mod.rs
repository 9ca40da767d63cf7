//! The registrar: REGISTER requests become bindings, and bindings are where calls go.
//!
//! | Concern                                      | Owner                |
//! |----------------------------------------------|----------------------|
//! | Which contacts there are and until when      | `machine` (pure)     |
//! | Which of them stand behind a NAT             | `binding`, `challenged` (pure) |
//! | Who hears of a phone's other path            | `watch`              |
//! | Who may register                             | `switch::access`     |
//! | Reading them from other actors               | `location`           |
//!
//! A crash loses nothing: the supervisor starts the actor again over the same location, and a
//! restart of the node reads the bindings from the journal.

mod binding;
mod challenged;
mod location;
pub mod machine;
#[cfg(test)]
mod tests;
mod watch;

pub(crate) use binding::is_seen_behind_nat;
pub use binding::{Binding, BindingId};
pub use location::Location;
pub use machine::{RegistrarEvent, Way};
pub(crate) use watch::Watch;

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use rand::distr::{Alphanumeric, SampleString as _};
use tandem_config::resource::Extension;
use tandem_journal::{Append, Journal};
use tandem_kernel::port::Slot;
use tandem_kernel::{Clock, Timestamp};
use tandem_sip::message::{Draft, Method, Name};
use tandem_sip::net::{Handle, Inbound, Target};
use tandem_sip::value::{NameAddr, Uri};
use tandem_telemetry::metric;

use crate::entity;
use crate::whereabouts::Whereabouts;
use machine::{MIN_EXPIRES, Refused, Registration, Wish};

/// How often expiries are looked for; a contact may live this much longer.
const TICK: Duration = Duration::from_secs(1);

/// The level of the members' language since which they carry for each other.
const CARRYING: u16 = 2;

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
    /// Looks for contacts that ran out, and holds the NATs of some open.
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

/// What it has.
pub struct RegistrarState {
    args: RegistrarArgs,
    /// How often it has held NATs open.
    turn: u64,
}

impl RegistrarState {
    fn tick(&mut self) {
        self.turn += 1;
        self.args.hold_open(self.turn);
        // One member sees to it for all.
        if self.args.journal.leads() {
            let expired = self.args.location.registrar.read().expired(self.args.clock.now());
            self.args.take(expired, false);
        }
    }
}

impl Actor for RegistrarActor {
    type Msg = RegistrarMsg;
    type State = RegistrarState;
    type Arguments = RegistrarArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<RegistrarMsg>,
        args: RegistrarArgs,
    ) -> Result<RegistrarState, ActorProcessingErr> {
        drop(myself.send_interval(TICK, || RegistrarMsg::Tick));
        args.tell_who_is_registered();
        let gone = args.location.registrar.read().on_connections(args.location.node);
        args.take(gone, false);
        Ok(RegistrarState { args, turn: 0 })
    }

    async fn handle(
        &self,
        _myself: ActorRef<RegistrarMsg>,
        message: RegistrarMsg,
        state: &mut RegistrarState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            RegistrarMsg::Register { inbound, extension, slot: _slot } => {
                let answer = state.args.register(&inbound, &extension);
                state.args.sip.respond(inbound.txn, answer);
            }
            RegistrarMsg::Tick => state.tick(),
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
                let is_known = self.location.challenged.read().has(&wish.call_id);
                self.take(events, is_known);
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
    fn take(&self, events: Vec<RegistrarEvent>, is_known_behind_nat: bool) {
        let replaces = self.location.registrar.read().replaces_carried(&events);
        let is_known = is_known_behind_nat || replaces;
        for event in events {
            let event = self.placed_at(event);
            let carried = self.carried(&event, is_known);
            let facts = carried.iter().chain([&event]);
            let append = Append {
                entity: entity::registrations(event.extension()),
                expected: None,
                epoch: 0,
                op_id: None,
                events: facts.clone().map(entity::encode).collect(),
            };
            facts.for_each(|fact| self.location.take(fact, &self.placed));
            // What ran out is found again; what a phone was told must reach the other members.
            let has_run_out = matches!(event, RegistrarEvent::Unbound { expired: true, .. });
            let journal = &self.journal;
            drop(if has_run_out { journal.append(append) } else { journal.gather(append) });
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

    /// That the others reach a contact through this member, unless it was said: where nothing
    /// else leads to the phone, as from behind a NAT. That is known of one that stood there.
    fn carried(&self, event: &RegistrarEvent, is_known: bool) -> Option<RegistrarEvent> {
        let RegistrarEvent::BoundAt { extension, binding, node } = event else { return None };
        let registrar = self.location.registrar.read();
        let (extension, key, node) = (extension.clone(), binding.key.clone(), *node);
        let is_needed =
            is_known || binding.needs_its_flow() || registrar.is_carried(&extension, &key);
        if !is_needed || self.placed.settled_level() < CARRYING {
            return None;
        }
        let address = self.sip.reachable_on(binding.flow)?;
        let is_said = registrar.address(&extension, &key, node) == Some(address.as_str());
        drop(registrar);
        (!is_said).then_some(RegistrarEvent::Carried { extension, key, node, address })
    }
}

impl RegistrarArgs {
    /// Asks the phones behind NATs whose turn it is whether they are there: what we send and they
    /// answer keeps the way open (RFC 4787 4.3). One that knows of its NAT does so by itself.
    fn hold_open(&self, turn: u64) {
        let asked: Vec<_> = {
            let registrar = self.location.registrar.read();
            let in_turn = registrar.in_turn(turn, self.location.node);
            in_turn.filter_map(|binding| self.question(binding)).collect()
        };
        for (draft, target) in asked {
            // Whatever is answered, and also if nothing is: the registration says who is there.
            self.sip.request(draft, target, Arc::new(|_| {}));
        }
    }

    fn question(&self, binding: &Binding) -> Option<(Draft, Target)> {
        let uri = Uri::parse(&binding.uri).ok()?;
        let own = self.sip.reachable_on(binding.flow)?;
        let tag = Alphanumeric.sample_string(&mut rand::rng(), 12);
        let draft = Draft::request(Method::Options, binding.uri.as_str())
            .with(Name::From, format!("<sip:{own}>;tag={tag}"))
            .with(Name::To, format!("<{}>", binding.uri))
            .with(Name::CallId, format!("{tag}@{own}"))
            .with(Name::CSeq, "1 OPTIONS");
        Some((draft, Target { flow: Some(binding.flow), ..Target::of(uri) }))
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
