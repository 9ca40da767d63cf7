//! The shell of the board: requests, changes and time go in, NOTIFYs go out.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tandem_config::resource::Extension;
use tandem_journal::{Entity, Journal};
use tandem_kernel::port::{ActorPort, Slot};
use tandem_sip::message::{Draft, Method, Name};
use tandem_sip::net::{Attachment, Inbound, Sink, TuEvent};
use tandem_sip::session::notifier;
use tandem_sip::value::Uri;
use tandem_telemetry::metric;

use super::board::{Board, Effect, Input, SubscriptionId, Wish};
use super::body::{DIALOG_INFO, MESSAGE_SUMMARY};
use super::watched::{self, State, Watched};
use crate::agent::{AgentEvent, Facts};
use crate::entity;
use crate::exchange::Exchange;

/// How often expiries are looked for; a subscription may live this much longer.
const TICK: Duration = Duration::from_secs(1);

/// Events of one subscription that may wait.
const INBOX: usize = 8;

/// The largest snapshot of an agent that is read, in bytes.
const MAX_FACTS: usize = 1 << 20;

/// The event packages that are served.
pub(crate) const PACKAGES: &str = "dialog, message-summary";

/// Messages of the actor.
pub enum PresenceMsg {
    /// A SUBSCRIBE out of any dialog, of an extension that proved its password.
    Subscribe {
        /// The request, to be answered.
        inbound: Box<Inbound>,
        /// Who subscribes.
        extension: Arc<Extension>,
        /// Its place in the inbox.
        slot: Slot,
    },
    /// From the endpoint, for a subscription.
    Sip {
        /// Which.
        id: SubscriptionId,
        /// The event.
        event: TuEvent,
        /// Its place in the inbox.
        slot: Slot,
    },
    /// A call or mailbox that is watched has changed.
    Changed(Watched, State),
    /// A fact about an agent was committed.
    Agent {
        /// The agent.
        extension: String,
        /// The agent's version with it.
        version: u64,
        /// The fact.
        event: AgentEvent,
    },
    /// Looks for subscriptions that ran out.
    Tick,
    /// The node ends: the answer comes when the subscribers were told to go elsewhere.
    Drain(RpcReplyPort<()>),
}

impl ractor::Message for PresenceMsg {}

/// What the actor is started with.
pub struct PresenceArgs {
    /// The node.
    pub exchange: Arc<Exchange>,
}

/// An agent who is watched, as of a version.
struct Agent {
    facts: Facts,
    version: u64,
}

/// The state of the actor.
pub struct PresenceState {
    exchange: Arc<Exchange>,
    board: Board,
    attachments: HashMap<SubscriptionId, Attachment>,
    agents: BTreeMap<String, Agent>,
    is_draining: bool,
}

/// The actor.
pub struct PresenceActor;

impl Actor for PresenceActor {
    type Msg = PresenceMsg;
    type State = PresenceState;
    type Arguments = PresenceArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<PresenceMsg>,
        args: PresenceArgs,
    ) -> Result<PresenceState, ActorProcessingErr> {
        drop(myself.send_interval(TICK, || PresenceMsg::Tick));
        args.exchange.lamps.begin(myself.clone());
        follow_agents(&args.exchange.journal, myself);
        Ok(PresenceState {
            exchange: args.exchange,
            board: Board::default(),
            attachments: HashMap::new(),
            agents: BTreeMap::new(),
            is_draining: false,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<PresenceMsg>,
        message: PresenceMsg,
        state: &mut PresenceState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            PresenceMsg::Subscribe { inbound, extension, slot: _slot } => {
                let txn = inbound.txn;
                match state.wish(inbound, &extension).await {
                    Ok(wish) => state.step(&myself, Input::Subscribe(Box::new(wish))),
                    Err(answer) => state.exchange.sip.respond(txn, *answer),
                }
            }
            PresenceMsg::Sip { id, event, slot: _slot } => state.sip(&myself, id, event),
            PresenceMsg::Changed(watched, shown) => {
                state.step(&myself, Input::Changed(watched, shown));
            }
            PresenceMsg::Agent { extension, version, event } => {
                state.agent(&myself, &extension, version, &event);
            }
            PresenceMsg::Tick => {
                state.drain(&myself);
                state.step(&myself, Input::Tick);
            }
            PresenceMsg::Drain(reply) => {
                state.drain(&myself);
                // Who asked may have stopped waiting.
                let _gone = reply.send(());
            }
        }
        Ok(())
    }
}

/// Passes the facts of agents on as they are committed, on whichever node.
fn follow_agents(journal: &Journal, to: ActorRef<PresenceMsg>) {
    let mut records = journal.subscribe(journal.head());
    tandem_kernel::spawn("agent lamps", async move {
        while let Ok(record) = records.next().await {
            if record.entity.kind != entity::AGENT {
                continue;
            }
            // What can not be read is told by whoever keeps the agent.
            let Ok(event) = entity::decode::<AgentEvent>(&record.event) else { continue };
            let (extension, version) = (record.entity.key, record.version);
            if to.cast(PresenceMsg::Agent { extension, version, event }).is_err() {
                return;
            }
        }
    });
}

impl PresenceState {
    /// Sends the subscribers away, once, when the node drains.
    fn drain(&mut self, myself: &ActorRef<PresenceMsg>) {
        let drains = self.exchange.calls.is_draining();
        if drains && !std::mem::replace(&mut self.is_draining, true) {
            self.step(myself, Input::Drain);
        }
    }

    /// What a SUBSCRIBE asks for.
    async fn wish(
        &mut self,
        inbound: Box<Inbound>,
        extension: &Extension,
    ) -> Result<Wish, Box<Draft>> {
        let request = &inbound.request;
        let refused = |status| Box::new(Draft::response(request, status));
        let uri = request.uri().and_then(|uri| Uri::parse(uri).ok());
        let user = uri.and_then(|uri| uri.user_text()).ok_or_else(|| refused(404))?;
        let settings = self.exchange.provisioning.directory().settings().clone();
        let (watched, kind) = match notifier::package(request).as_deref() {
            Some("dialog") => {
                (watched::dialogs_of(&settings, &extension.number, &user), DIALOG_INFO)
            }
            Some("message-summary") if user != extension.number => return Err(refused(403)),
            Some("message-summary") => {
                (Some(Watched::Mailbox { extension: user.clone() }), MESSAGE_SUMMARY)
            }
            _ => {
                let bad = Draft::response(request, 489).with(Name::AllowEvents, PACKAGES);
                return Err(Box::new(bad));
            }
        };
        if !notifier::accepts(request, kind) {
            return Err(refused(406));
        }
        let watched = watched.ok_or_else(|| refused(404))?;
        let state = self.state(&watched).await.ok_or_else(|| refused(404))?;
        Ok(Wish {
            owner: extension.number.clone(),
            watched,
            state,
            entity: format!("sip:{user}@{}", self.exchange.policy.realm),
            identity: self.exchange.identity(inbound.transport, inbound.source.ip()),
            tag: self.exchange.fresh_tag(),
            inbound,
        })
    }

    /// The state of something now; none if there is no such thing.
    async fn state(&mut self, watched: &Watched) -> Option<State> {
        match watched {
            Watched::Calls { extension } | Watched::Mailbox { extension } => {
                self.exchange.provisioning.directory().extension(extension)?;
                self.exchange.lamps.watch(watched)
            }
            Watched::Login { agent, .. } | Watched::Pause { agent, .. } => {
                if let Some(known) = self.agents.get(agent) {
                    return watched::lamp(watched, &known.facts).map(State::Lamp);
                }
                self.exchange.provisioning.directory().extension(agent)?;
                let loaded = self.load(agent).await?;
                let lamp = watched::lamp(watched, &loaded.facts)?;
                self.agents.insert(agent.clone(), loaded);
                Some(State::Lamp(lamp))
            }
        }
    }

    /// An agent's facts from the journal. What is committed while this reads comes again by
    /// [`PresenceMsg::Agent`] and is told apart by its version.
    async fn load(&self, agent: &str) -> Option<Agent> {
        let journal = &self.exchange.journal;
        let (snapshot, records) = journal.load(&Entity::new(entity::AGENT, agent)).await.ok()?;
        let mut loaded = Agent { facts: Facts::default(), version: 0 };
        if let Some(snapshot) = snapshot {
            loaded.facts = tandem_wire::decode_versioned(&snapshot.bytes, MAX_FACTS).ok()?;
            loaded.version = snapshot.version;
        }
        for record in records {
            loaded.facts.evolve(&entity::decode(&record.event).ok()?);
            loaded.version = record.version;
        }
        Some(loaded)
    }

    fn agent(
        &mut self,
        myself: &ActorRef<PresenceMsg>,
        extension: &str,
        version: u64,
        event: &AgentEvent,
    ) {
        let Some(agent) = self.agents.get_mut(extension).filter(|it| it.version < version) else {
            return;
        };
        agent.facts.evolve(event);
        agent.version = version;
        let lamps: Vec<_> = self
            .board
            .watched_of(extension)
            .into_iter()
            .map(|watched| (watched::lamp(&watched, &agent.facts), watched))
            .collect();
        for (lamp, watched) in lamps {
            let input = match lamp {
                Some(lamp) => Input::Changed(watched, State::Lamp(lamp)),
                None => Input::Vanished(watched),
            };
            self.step(myself, input);
        }
    }

    fn sip(&mut self, myself: &ActorRef<PresenceMsg>, id: SubscriptionId, event: TuEvent) {
        match event {
            TuEvent::Request(inbound) => self.request(myself, id, inbound),
            TuEvent::Response { response, .. } => {
                if let Some(status) = response.status().filter(|status| *status >= 200) {
                    self.step(myself, Input::Answered(id, Some(status)));
                }
            }
            TuEvent::Timeout { .. } | TuEvent::TransportFailed { .. } => {
                self.step(myself, Input::Answered(id, None));
            }
            TuEvent::Ack(_) | TuEvent::Cancelled { .. } | TuEvent::ServerGone { .. } => {}
        }
    }

    /// A refresh from where the subscriber is, or with a proof of who it is (S16).
    fn request(&mut self, myself: &ActorRef<PresenceMsg>, id: SubscriptionId, inbound: Inbound) {
        let answer = |status| Draft::response(&inbound.request, status);
        if inbound.request.method_ref() != Some(&Method::Subscribe) {
            let refused = answer(405).with(Name::Allow, "SUBSCRIBE");
            return self.exchange.sip.respond(inbound.txn, refused);
        }
        let is_same_path =
            self.board.notifier(id).is_some_and(|it| it.flow() == Some(inbound.flow));
        if !is_same_path {
            let proved = self.exchange.access.extension(&inbound);
            let refused = match proved {
                Ok(extension) if self.board.owner(id) == Some(extension.number.as_str()) => None,
                Ok(_) => Some(answer(403)),
                Err(challenge) => Some(*challenge),
            };
            if let Some(refused) = refused {
                return self.exchange.sip.respond(inbound.txn, refused);
            }
        }
        self.step(myself, Input::Again(id, Box::new(inbound)));
    }

    fn step(&mut self, myself: &ActorRef<PresenceMsg>, input: Input) {
        for effect in self.board.step(Instant::now(), input) {
            match effect {
                Effect::Respond(txn, draft) => self.exchange.sip.respond(txn, *draft),
                Effect::Attach { id, call_id, local_tag } => {
                    let sink = sink(myself, id);
                    let attached = self.exchange.sip.attach(&call_id, &local_tag, sink);
                    self.attachments.insert(id, attached);
                }
                Effect::Notify(id, request) => {
                    let (draft, target) = *request;
                    self.exchange.sip.request(draft, target, sink(myself, id));
                }
                Effect::Detach(id) => drop(self.attachments.remove(&id)),
                Effect::Unwatched(watched) => self.unwatched(&watched),
            }
        }
        metric::SIP_SUBSCRIPTIONS.set(self.board.len() as u64);
    }

    fn unwatched(&mut self, watched: &Watched) {
        match watched.agent() {
            Some(agent) if self.board.watched_of(agent).is_empty() => {
                self.agents.remove(agent);
            }
            Some(_) => {}
            None => self.exchange.lamps.unwatch(watched),
        }
    }
}

/// Where the endpoint's events of a subscription go. A peer that sends more than it may is not
/// heard; it sends again.
fn sink(myself: &ActorRef<PresenceMsg>, id: SubscriptionId) -> Sink {
    let port = ActorPort::new(myself.clone(), INBOX);
    Arc::new(move |event| {
        if let Err(error) = port.send(|slot| PresenceMsg::Sip { id, event, slot }) {
            tracing::debug!(%error, "an event of a subscription was not delivered");
        }
    })
}
