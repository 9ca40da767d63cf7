//! Where a SIP request outside of a dialog arrives: it becomes a registration, a call, an answer.
//!
//! | Concern                                 | Owner               |
//! |-----------------------------------------|---------------------|
//! | Who sends it                            | [`access`]          |
//! | Contacts                                | the registrar       |
//! | Subscriptions                           | `presence`          |
//! | What a number means                     | `numbering`         |
//! | Which number a request calls            | [`dialled`]         |
//! | Whether one more call may begin         | `call::Calls`       |

mod access;
mod dialled;

pub use access::{Access, Caller};

use std::sync::Arc;

use tandem_kernel::CallId;
use tandem_sip::message::{Draft, Method, Name};
use tandem_sip::net::{Handle, Inbound};
use tandem_sip::session::Identity;
use tandem_sip::value::{NameAddr, Replaces};
use tokio::sync::mpsc;

use crate::call::machine::Party;
use crate::call::{CallArgs, CallMsg, Claim, Start, from_trunk, resolve};
use crate::exchange::Exchange;
use crate::outbound::Wish;
use crate::presence::{PACKAGES, PresenceMsg};
use crate::registrar::RegistrarMsg;
use crate::root::Door;

/// How long a refused caller should wait, in seconds (RFC 3261 20.33).
const RETRY_AFTER_SECS: &str = "5";

/// The switch: reads requests one after the other and hands them on.
pub struct Switch {
    exchange: Arc<Exchange>,
    registrar: Door<RegistrarMsg>,
    presence: Door<PresenceMsg>,
}

impl Switch {
    /// A switch over an exchange.
    #[must_use]
    pub fn new(
        exchange: Arc<Exchange>,
        registrar: Door<RegistrarMsg>,
        presence: Door<PresenceMsg>,
    ) -> Self {
        Self { exchange, registrar, presence }
    }

    /// Takes requests until the endpoint stops. The channel is bounded: when this does not keep
    /// up, the endpoint answers 503 by itself.
    pub async fn run(self, mut requests: mpsc::Receiver<Inbound>) {
        while let Some(inbound) = requests.recv().await {
            self.take(inbound).await;
        }
    }

    fn sip(&self) -> &Handle {
        &self.exchange.sip
    }

    async fn take(&self, inbound: Inbound) {
        let txn = inbound.txn;
        let answer = match inbound.request.method_ref() {
            Some(Method::Register) => self.register(inbound),
            Some(Method::Invite) => self.invite(inbound).await,
            Some(Method::Options) => Some(options(&inbound)),
            Some(Method::Subscribe) => self.subscribe(inbound),
            Some(Method::Publish) => Some(Draft::response(&inbound.request, 489)),
            Some(Method::Other(_)) => Some(allowing(Draft::response(&inbound.request, 501))),
            _ => Some(allowing(Draft::response(&inbound.request, 405))),
        };
        if let Some(answer) = answer {
            self.sip().respond(txn, answer);
        }
    }

    fn register(&self, inbound: Inbound) -> Option<Draft> {
        let request = &inbound.request;
        if let Some(unsupported) = unsupported(&inbound) {
            return Some(unsupported);
        }
        let extension = match self.exchange.access.extension(&inbound) {
            Ok(extension) => extension,
            Err(answer) => {
                self.exchange.location.note_challenged(&inbound);
                return Some(*answer);
            }
        };
        // S12: only the own address of record is bound.
        let to = request.header(Name::To).and_then(|to| NameAddr::parse(to).ok());
        let user = to.and_then(|to| to.uri.user_text()).unwrap_or_default();
        if user != extension.number {
            return Some(Draft::response(request, 403));
        }
        let busy = Draft::response(request, 503).with(Name::RetryAfter, RETRY_AFTER_SECS);
        let inbound = Box::new(inbound);
        let sent = self.registrar.send(|slot| RegistrarMsg::Register { inbound, extension, slot });
        sent.err().map(|_full| busy)
    }

    fn subscribe(&self, inbound: Inbound) -> Option<Draft> {
        let extension = match self.exchange.access.extension(&inbound) {
            Ok(extension) => extension,
            Err(answer) => return Some(*answer),
        };
        let busy = Draft::response(&inbound.request, 503).with(Name::RetryAfter, RETRY_AFTER_SECS);
        let inbound = Box::new(inbound);
        let sent = self.presence.send(|slot| PresenceMsg::Subscribe { inbound, extension, slot });
        sent.err().map(|_full| busy)
    }

    /// A new call, or the answer that refuses it.
    async fn invite(&self, inbound: Inbound) -> Option<Draft> {
        let request = &inbound.request;
        let caller = match self.exchange.access.caller(&inbound) {
            Ok(caller) => caller,
            Err(answer) => return Some(*answer),
        };
        let directory = self.exchange.provisioning.directory();
        let Some(dialled) = dialled::number(&directory, request, &caller) else {
            return Some(Draft::response(request, 416));
        };
        let is_emergency = self.is_emergency(&caller, &dialled);
        if !is_emergency && self.exchange.calls.admit(self.exchange.clock.now()).is_err() {
            let busy = Draft::response(request, 503).with(Name::RetryAfter, RETRY_AFTER_SECS);
            return Some(busy);
        }
        let (party, route) = match &caller {
            Caller::Extension(extension) => {
                let party = Party::Extension {
                    number: extension.number.clone(),
                    name: extension.name.clone(),
                };
                let route = resolve(&self.exchange, &party, &dialled, &Wish::default());
                (party, route)
            }
            Caller::Trunk(trunk) => {
                let (number, name) = identity(&inbound, trunk.trusted_identity);
                let directory = self.exchange.provisioning.directory();
                // What the house calls them goes before what they call themselves.
                let known = directory.contact_of(&number).map(|contact| contact.name.clone());
                let name = known.unwrap_or(name);
                let route = from_trunk(&self.exchange, &trunk.name, &number, &dialled);
                (Party::Outside { trunk: trunk.name.clone(), number, name }, route)
            }
        };
        if let Some(replaces) = request.header(Name::Replaces) {
            return self.replace(replaces.to_owned(), inbound, party);
        }
        let txn = inbound.txn;
        let refused = Draft::response(request, 503).with(Name::RetryAfter, RETRY_AFTER_SECS);
        let start = Start::Incoming { inbound: Box::new(inbound), caller: party, dialled, route };
        let id = CallId::fresh_at(self.exchange.journal.node());
        let args = CallArgs { id, exchange: self.exchange.clone(), start };
        if let Err(error) = self.exchange.calls.spawn(args).await {
            tracing::error!(%error, "a call did not start");
            self.sip().respond(txn, refused);
        }
        None
    }

    /// An emergency call is taken by a node that is full or drains, too.
    fn is_emergency(&self, caller: &Caller, dialled: &str) -> bool {
        let directory = self.exchange.provisioning.directory();
        let numbers = &directory.settings().outbound.emergency_numbers;
        matches!(caller, Caller::Extension(_)) && numbers.iter().any(|it| it == dialled)
    }

    /// INVITE with Replaces: the new leg takes a place in a live call (RFC 3891 3).
    fn replace(&self, value: String, inbound: Inbound, party: Party) -> Option<Draft> {
        let request = inbound.request.clone();
        let Ok(replaces) = Replaces::parse(&value) else {
            return Some(Draft::response(&request, 400));
        };
        let found = self.exchange.calls.by_dialog(&replaces.call_id);
        let Some((call, leg)) =
            found.and_then(|(id, leg)| self.exchange.calls.find(id).map(|call| (call, leg)))
        else {
            return Some(Draft::response(&request, 481));
        };
        let claim = Claim { leg, dialog: replaces, by: party };
        let message = CallMsg::Replace { claim, inbound: Box::new(inbound) };
        match call.cast(message) {
            Ok(()) => None,
            Err(_) => Some(Draft::response(&request, 481)),
        }
    }
}

/// The caller's number and name: what the trunk asserts if it is believed, else From.
fn identity(inbound: &Inbound, trusted: bool) -> (String, String) {
    let request = &inbound.request;
    let asserted = trusted.then(|| request.header(Name::PAssertedIdentity)).flatten();
    let shown = asserted.or_else(|| request.header(Name::From));
    let Some(party) = shown.and_then(|value| NameAddr::parse(value).ok()) else {
        return (String::new(), String::new());
    };
    let number = party.uri.user_text().unwrap_or_default().chars().take(64).collect();
    let name = party.display.unwrap_or_default().chars().take(64).collect();
    (number, name)
}

/// Extensions of SIP that a registrar must know to be required (RFC 3261 8.2.2.3).
fn unsupported(inbound: &Inbound) -> Option<Draft> {
    const KNOWN: [&str; 4] = ["path", "outbound", "gruu", "replaces"];
    let unknown: Vec<&str> = inbound
        .request
        .headers(Name::Require)
        .filter(|tag| !KNOWN.iter().any(|known| known.eq_ignore_ascii_case(tag)))
        .collect();
    if unknown.is_empty() {
        return None;
    }
    let mut answer = Draft::response(&inbound.request, 420);
    for tag in unknown {
        answer.push(Name::Unsupported, tag);
    }
    Some(answer)
}

fn options(inbound: &Inbound) -> Draft {
    let answer = Draft::response(&inbound.request, 200)
        .with(Name::Accept, "application/sdp")
        .with(Name::AllowEvents, PACKAGES)
        .with(Name::Supported, "replaces, timer, 100rel, path, outbound");
    allowing(answer)
}

fn allowing(answer: Draft) -> Draft {
    answer.with(Name::Allow, format!("{}, REGISTER, SUBSCRIBE", Identity::ALLOW))
}
