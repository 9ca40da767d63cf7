//! The one door to the actors: commands in, views out. The HTTP edge knows nothing else of them.
//!
//! | Concern                                  | Owner               |
//! |------------------------------------------|---------------------|
//! | Rights of a principal                    | the HTTP edge       |
//! | Provisioned resources                    | `provisioning`      |
//! | Live calls, here and at other members    | `live`              |
//! | Agents, queues                           | their actors        |
//! | Call records, the event feed             | `records`           |
//! | Sessions, repeated requests, the audit   | `sessions`, `repeats`, `audit` |

mod backup;
mod callback;
mod floor;
mod live;
mod notes;
mod outside;
mod phone;
mod pickup;
mod queue_log;
mod recordings;
mod redirect;
mod request;
mod status;
mod together;
mod view;

pub use floor::*;
use outside::not_let_out;
pub use outside::{CodeView, Reading};
pub use queue_log::LogView;
pub use redirect::Place;
pub use request::{CallbackState, CallbackView};
pub use together::Attendance;
pub use view::*;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tandem_journal::Journal;
use tandem_kernel::{CallId, Position};
use tandem_telemetry::metric;

use crate::audit::{self, Audit};
use crate::backup::Folders;
use crate::call::machine::{Device, Errand, Party};
use crate::call::{CallArgs, Start, devices};
use crate::exchange::Exchange;
use crate::numbering::Target;
use crate::provisioning::Provisioning;
use crate::queue;
use crate::records::{self, Records};
use crate::repeats::Repeats;
use crate::sessions::Sessions;

/// How long a phone that was asked to call rings.
const RINGS_FOR: Duration = Duration::from_secs(60);
/// Agents hear of their queues a moment after a queue was saved; who saved it may come first.
const TOLD_BY_THEN: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A condition that a working node fulfils.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// `journal`, `sip`, `media` …
    pub name: &'static str,
    /// What is wrong; none: nothing.
    pub problem: Option<String>,
}

/// The handle to everything that the node does. Cheap to clone.
#[derive(Clone)]
pub struct Office {
    parts: Arc<Parts>,
}

/// What the office is made of.
pub struct Parts {
    /// The provisioned resources.
    pub provisioning: Provisioning,
    /// The journal.
    pub journal: Journal,
    /// Call records.
    pub records: Option<Records>,
    /// Who has signed in.
    pub sessions: Sessions,
    /// Replies that may be asked for again.
    pub repeats: Repeats,
    /// Who has changed what.
    pub audit: Option<Audit>,
    /// The telephony; none where only provisioning runs.
    pub exchange: Option<Arc<Exchange>>,
    /// What a backup holds beside the journal.
    pub folders: Folders,
    /// Where there is room for one.
    pub spare: PathBuf,
}

impl Office {
    /// An office over its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let office = Self { parts: Arc::new(parts) };
        office.dial_for_others();
        office
    }

    /// The provisioned resources.
    #[must_use]
    pub fn provisioning(&self) -> &Provisioning {
        &self.parts.provisioning
    }

    /// Who has signed in.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.parts.sessions
    }

    /// Replies that may be asked for again.
    #[must_use]
    pub fn repeats(&self) -> &Repeats {
        &self.parts.repeats
    }

    fn exchange(&self) -> Result<&Arc<Exchange>, Refusal> {
        self.parts.exchange.as_ref().ok_or_else(|| Refusal::Unavailable {
            detail: "the telephony actors are not running".into(),
        })
    }

    /// Rings an extension and, when it answers, dials for it.
    ///
    /// # Errors
    /// `NotFound` for an unknown extension, `Conflict` when none of its phones is registered.
    pub async fn originate(&self, by: &Principal, wish: Originate) -> Result<CallId, Refusal> {
        let exchange = self.exchange()?;
        let directory = self.parts.provisioning.directory();
        if directory.extension(&wish.from).is_none() {
            return Err(Refusal::NotFound { kind: "extension", key: wish.from });
        }
        let shown = self.shown(&wish)?;
        let devices = devices(exchange, &wish.from);
        if devices.is_empty() {
            let detail = format!("no phone of extension {} is registered", wish.from);
            return Err(Refusal::Conflict { code: "extension-not-registered", detail });
        }
        self.admit()?;
        let id = CallId::fresh_at(exchange.journal.node());
        self.start(by, id, wish, (devices, shown)).await
    }

    /// The number that the outside will see, when the call goes there and may.
    fn shown(&self, wish: &Originate) -> Result<Option<String>, Refusal> {
        match self.read_digits(&wish.from, &wish.to, &wish.wish)?.target {
            Target::Outside(plan) => Ok(Some(plan.outgoing.number)),
            Target::Barred(barred) => Err(not_let_out(&barred)),
            _ => Ok(None),
        }
    }

    fn admit(&self) -> Result<(), Refusal> {
        let exchange = self.exchange()?;
        exchange
            .calls
            .admit(exchange.clock.now())
            .map_err(|_| Refusal::Unavailable { detail: "the node takes no more calls now".into() })
    }

    /// Starts a call that rings these phones of an extension first, and what they are shown.
    async fn start(
        &self,
        by: &Principal,
        id: CallId,
        wish: Originate,
        phones: (Vec<Device>, Option<String>),
    ) -> Result<CallId, Refusal> {
        self.begin(&by.name, id, wish, phones).await?;
        self.note_call(by, id);
        Ok(id)
    }

    fn note_call(&self, by: &Principal, id: CallId) {
        tracing::info!(call = %id, by = %by.name, "call originated");
        // The call does not wait for its note.
        drop(audit::note(&self.parts.journal, by, "originated", "call", &id.to_string()));
    }

    async fn begin(
        &self,
        by: &str,
        id: CallId,
        wish: Originate,
        (devices, shown): (Vec<Device>, Option<String>),
    ) -> Result<(), Refusal> {
        let exchange = self.exchange()?;
        let directory = self.parts.provisioning.directory();
        let Some(extension) = directory.extension(&wish.from) else {
            return Err(Refusal::NotFound { kind: "extension", key: wish.from });
        };
        let caller =
            Party::Extension { number: extension.number.clone(), name: extension.name.clone() };
        // D-029: of several phones only the one that registered last answers by itself.
        let newest = exchange.location.phones(&wish.from).into_iter().next().map(|it| it.key);
        let errand = Errand {
            wish: wish.wish,
            by: by.to_owned(),
            correlation_id: wish.correlation_id,
            shown,
            auto_answer: newest.filter(|_| wish.auto_answer),
        };
        let start = Start::Originate {
            caller,
            devices,
            dialled: wish.to,
            ring_for: wish.ring_for.unwrap_or(RINGS_FOR),
            errand: Box::new(errand),
        };
        if wish.needs_idle {
            self.reserve(exchange, &wish.from, id).await?;
        }
        let args = CallArgs { id, exchange: exchange.clone(), start };
        if let Err(error) = exchange.calls.spawn(args).await {
            exchange.placed.out_of_call(&wish.from, id);
            let detail = format!("the call did not start: {error}");
            return Err(Refusal::Unavailable { detail });
        }
        Ok(())
    }

    /// Takes an extension for a call that it asked for, if it neither talks nor rings. Of
    /// several calls at once one gets it (D-059); a ready agent is not ready from here on (D-031).
    async fn reserve(
        &self,
        exchange: &Exchange,
        extension: &str,
        call: CallId,
    ) -> Result<(), Refusal> {
        let is_party = |leg: &LegView| leg.party.strip_prefix("extension:") == Some(extension);
        let rings = self.calls().await.iter().any(|view| view.legs.iter().any(is_party));
        if rings || !exchange.placed.take(extension, call) {
            let detail = format!("extension {extension} is in a call");
            return Err(Refusal::Conflict { code: "extension-busy", detail });
        }
        Ok(())
    }

    /// Changes an agent's state; answered after the commit.
    ///
    /// # Errors
    /// `NotFound` for an extension that is no agent, `Conflict` for a static agent's log-out.
    pub async fn agent_command(
        &self,
        by: &Principal,
        extension: &str,
        command: AgentCommand,
    ) -> Result<AgentView, Refusal> {
        let exchange = self.exchange()?;
        let until = tokio::time::Instant::now() + TOLD_BY_THEN;
        loop {
            let done = exchange.placed.agent_command(by, extension, command.clone()).await;
            let is_unknown = matches!(done, Err(Refusal::NotFound { .. }));
            let directory = exchange.provisioning.directory();
            let is_early = is_unknown && directory.is_member(extension, command.queue());
            if !is_early || tokio::time::Instant::now() > until {
                return done;
            }
            drop(directory);
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// All agents in the order of their extensions.
    pub async fn agents(&self) -> Vec<AgentView> {
        match self.exchange() {
            Ok(exchange) => exchange.placed.agents().await,
            Err(_) => Vec::new(),
        }
    }

    /// A queue as it is now.
    pub async fn queue_status(&self, number: &str) -> Option<QueueStatus> {
        self.exchange().ok()?.placed.queue_status(number).await
    }

    /// The requests for a callback that are open in a queue; none: it is not running.
    pub async fn callbacks(&self, number: &str) -> Option<Vec<CallbackView>> {
        self.exchange().ok()?.placed.callbacks(number).await
    }

    /// Takes a request for a callback back; answered after the commit.
    ///
    /// # Errors
    /// `NotFound` when no such request is open, `Conflict` when the customer is being dialled.
    pub async fn cancel_callback(&self, number: &str, call: CallId) -> Result<(), Refusal> {
        match self.exchange()?.placed.cancel_callback(number, call).await {
            Some(Ok(())) => Ok(()),
            Some(Err(queue::machine::Refused::Dialling)) => {
                let detail = "the customer is being dialled".into();
                Err(Refusal::Conflict { code: "callback-dialling", detail })
            }
            Some(Err(_)) => Err(Refusal::NotFound { kind: "callback", key: call.to_string() }),
            None => Err(Refusal::Unavailable { detail: format!("queue {number} does not answer") }),
        }
    }

    /// Records of ended calls, newest first, ending before the given place.
    pub async fn call_records(
        &self,
        filter: &RecordFilter,
        before: Option<Position>,
        limit: usize,
    ) -> Vec<CallRecord> {
        let Some(records) = self.parts.records.clone() else { return Vec::new() };
        let filter = filter.clone();
        // The table is read from disk: not on a thread that serves others.
        tokio::task::spawn_blocking(move || records.page(&filter, before, limit))
            .await
            .unwrap_or_default()
    }

    /// Who has changed what, newest first, before the given place.
    pub async fn audit(
        &self,
        filter: &audit::Filter,
        before: Option<Position>,
        limit: usize,
    ) -> Vec<audit::Entry> {
        let Some(audit) = self.parts.audit.clone() else { return Vec::new() };
        let filter = filter.clone();
        // As the records.
        tokio::task::spawn_blocking(move || audit.page(&filter, before, limit))
            .await
            .unwrap_or_default()
    }

    /// The newest position.
    #[must_use]
    pub fn head(&self) -> Position {
        self.parts.journal.head()
    }

    /// The events after a position (none: from now on), gap-free, and then as they come. Ends
    /// when the journal closes.
    pub fn feed(&self, from: Option<Position>) -> BoxStream<'static, FeedItem> {
        let from = from.unwrap_or_else(|| self.parts.journal.head());
        let subscription = self.parts.journal.subscribe(from);
        let records = stream::unfold(subscription, |mut subscription| async move {
            let record = subscription.next().await.ok()?;
            Some((records::item(&record), subscription))
        });
        records.filter_map(|item| async move { item }).boxed()
    }

    /// The conditions of a working node.
    pub async fn readiness(&self) -> Vec<Check> {
        let journal = self.parts.journal.read(self.parts.journal.head(), 1).await;
        let unread = journal.err().map(|error| error.to_string());
        let full = self.parts.journal.is_held().then(|| "the disk is full".to_owned());
        let journal = self.parts.journal.status().stopped.or(full).or(unread);
        let mut checks = vec![Check { name: "journal", problem: journal }];
        match &self.parts.exchange {
            Some(exchange) => {
                let deaf = exchange.sip.bound().is_empty().then(|| "no listener".to_owned());
                checks.push(Check { name: "sip", problem: deaf });
                let draining = exchange.calls.is_draining().then(|| "draining".to_owned());
                checks.push(Check { name: "calls", problem: draining });
            }
            None => checks.push(Check { name: "sip", problem: Some("not running".into()) }),
        }
        checks
    }

    /// Brings the metrics up to date that are read rather than counted.
    pub fn observe(&self) {
        metric::JOURNAL_INDEX.set(self.parts.journal.head().index);
        let Some(exchange) = &self.parts.exchange else { return };
        let stats = exchange.sip.stats();
        for (method, count) in &stats.requests_received {
            metric::SIP_REQUESTS.absolute_with("method", (*method).to_owned(), *count);
        }
        metric::SIP_MALFORMED.absolute(stats.malformed);
        metric::SIP_RETRANSMISSIONS.absolute(stats.retransmissions_sent);
        metric::SIP_BANNED.absolute(stats.banned);
        let load = exchange.engine.load();
        metric::MEDIA_LEGS.set(load.legs as u64);
        metric::RTP_PACKETS.absolute(load.packets_in);
        for (trunk, up) in exchange.trunks.states() {
            metric::TRUNK_UP.set_with("trunk", trunk, u64::from(up));
        }
    }
}
