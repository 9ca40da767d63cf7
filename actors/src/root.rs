//! The supervisor of what a node has one of: the registrar, and the supervisors of trunks,
//! queues and agents. Calls have supervisors of their own.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use ractor::{Actor, ActorProcessingErr, ActorRef, Message, SpawnErr, SupervisionEvent};
use tandem_config::Kind;
use tandem_config::resource::Queue;
use tandem_kernel::Clock;
use tandem_kernel::port::{ActorPort, SendError, Slot};
use tandem_kernel::supervise::{Children, Decision, Ended, Restart};
use tandem_telemetry::metric;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::agent::{AgentsActor, AgentsArgs, AgentsMsg};
use crate::call;
use crate::exchange::Exchange;
use crate::presence::{PresenceActor, PresenceArgs, PresenceMsg};
use crate::provisioning::{Directory, Provisioning};
use crate::queue::{QueuesActor, QueuesArgs, QueuesMsg};
use crate::registrar::{RegistrarActor, RegistrarArgs, RegistrarMsg};
use crate::trunk::{TrunksActor, TrunksArgs, TrunksMsg};

#[cfg(test)]
mod tests;

/// REGISTER requests that may wait; a phone whose request finds no place tries again.
const REGISTRATIONS: usize = 4_096;

/// SUBSCRIBE requests that may wait; a phone whose request finds no place tries again.
const SUBSCRIPTIONS: usize = 1_024;

/// The wait before a child that did not start is tried again.
const START_RETRY: Duration = Duration::from_secs(2);

/// A bounded way to an actor that may be started anew behind it.
pub struct Door<M> {
    port: Arc<RwLock<Option<ActorPort<M>>>>,
}

impl<M> Clone for Door<M> {
    fn clone(&self) -> Self {
        Self { port: Arc::clone(&self.port) }
    }
}

impl<M> Default for Door<M> {
    fn default() -> Self {
        Self { port: Arc::default() }
    }
}

impl<M: Message> Door<M> {
    /// Sends now or refuses.
    ///
    /// # Errors
    /// When the inbox is full, or the actor is being started.
    pub fn send(&self, message: impl FnOnce(Slot) -> M) -> Result<(), SendError> {
        match &*self.port.read() {
            Some(port) => port.send(message),
            None => Err(SendError::Gone),
        }
    }

    fn open(&self, actor: ActorRef<M>, capacity: usize) {
        *self.port.write() = Some(ActorPort::new(actor, capacity));
    }
}

/// What runs below the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Child {
    /// The registrar.
    Registrar,
    /// The trunks.
    Trunks,
    /// The queues.
    Queues,
    /// The agents.
    Agents,
    /// Subscriptions of phones.
    Presence,
}

/// Messages of the root.
pub enum RootMsg {
    /// Starts a child, at first or again.
    Start(Child),
}

impl Message for RootMsg {}

/// What the root is started with.
pub struct RootArgs {
    /// For the registrar.
    pub registrar: RegistrarArgs,
    /// The way to the registrar.
    pub registrar_door: Door<RegistrarMsg>,
    /// The way to the subscriptions.
    pub presence_door: Door<PresenceMsg>,
    /// For the trunks.
    pub trunks: TrunksArgs,
    /// For queues and agents.
    pub exchange: Arc<Exchange>,
    /// The clock.
    pub clock: Clock,
}

/// The state of the root.
pub struct RootState {
    args: RootArgs,
    children: Children<Child>,
}

/// The actor.
pub struct RootActor;

impl Actor for RootActor {
    type Msg = RootMsg;
    type State = RootState;
    type Arguments = RootArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<RootMsg>,
        args: RootArgs,
    ) -> Result<RootState, ActorProcessingErr> {
        let children = Children::new(Restart::default());
        let mut state = RootState { args, children };
        for child in
            [Child::Registrar, Child::Trunks, Child::Queues, Child::Agents, Child::Presence]
        {
            state.start(&myself, child).await?;
        }
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<RootMsg>,
        message: RootMsg,
        state: &mut RootState,
    ) -> Result<(), ActorProcessingErr> {
        let RootMsg::Start(child) = message;
        // Who has started already goes on while one child can not.
        if let Err(error) = state.start(&myself, child).await {
            tracing::error!(?child, %error, "an actor did not start and is tried again");
            drop(myself.send_after(START_RETRY, move || RootMsg::Start(child)));
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<RootMsg>,
        event: SupervisionEvent,
        state: &mut RootState,
    ) -> Result<(), ActorProcessingErr> {
        match state.children.ended(state.args.clock.now(), &event) {
            Some((child, Ended::Failed { why, decision: Decision::Restart { after } })) => {
                metric::ACTOR_RESTARTS.increment_with("kind", name(child));
                tracing::error!(?child, %why, "an actor crashed and is started again");
                drop(myself.send_after(after, move || RootMsg::Start(child)));
            }
            Some((child, Ended::Failed { why, decision: Decision::GiveUp })) => {
                tracing::error!(?child, %why, "an actor crashes too often and stays down");
            }
            Some((_, Ended::Stopped)) | None => {}
        }
        Ok(())
    }
}

impl RootState {
    fn queues(&self) -> QueuesArgs {
        let exchange = &self.args.exchange;
        let traces = exchange.traces.clone();
        QueuesArgs {
            queues: exchange.provisioning.directory().queues().cloned().collect(),
            journal: exchange.journal.clone(),
            placed: exchange.placed.clone(),
            decisions: Arc::new(move |call, decision| {
                let detail = format!("{}: {}", decision.agent, decision.detail);
                traces.decision(call, decision.code, detail);
            }),
            sender: call::sender(exchange),
            clock: self.args.clock,
        }
    }

    fn agents(&self) -> AgentsArgs {
        let exchange = &self.args.exchange;
        let directory = exchange.provisioning.directory();
        AgentsArgs {
            queues: directory.queues().cloned().collect(),
            settings: directory.settings().clone(),
            journal: exchange.journal.clone(),
            placed: exchange.placed.clone(),
            clock: self.args.clock,
        }
    }

    /// Tells a supervisor whenever this member owns other entities than before, until it is gone.
    fn follow_placement<M: Message>(&self, actor: ActorRef<M>, word: fn() -> M) {
        let mut changes = self.args.exchange.placed.placement().watch();
        let placed = self.args.exchange.placed.clone();
        tandem_kernel::spawn("placement watch", async move {
            // The placement lives as long as this task holds it.
            let _held = placed;
            while changes.changed().await.is_ok() && actor.cast(word()).is_ok() {}
        });
    }

    async fn start(&mut self, myself: &ActorRef<RootMsg>, child: Child) -> Result<(), SpawnErr> {
        let root = myself.get_cell();
        let cell = match child {
            Child::Registrar => {
                let args = self.args.registrar.clone();
                let (actor, _task) = Actor::spawn_linked(None, RegistrarActor, args, root).await?;
                self.args.registrar_door.open(actor.clone(), REGISTRATIONS);
                actor.get_cell()
            }
            Child::Trunks => {
                let args = self.args.trunks.clone();
                let provisioning = args.provisioning.clone();
                let watcher = Watcher::new(provisioning, Kind::Trunk);
                let (actor, _task) = Actor::spawn_linked(None, TrunksActor, args, root).await?;
                let cell = actor.get_cell();
                watcher.run(move |_, change| tell_trunks(&actor, change));
                cell
            }
            Child::Queues => {
                let provisioning = self.args.exchange.provisioning.clone();
                let watcher = Watcher::new(provisioning, Kind::Queue);
                let args = self.queues();
                let (actor, _task) = Actor::spawn_linked(None, QueuesActor, args, root).await?;
                let cell = actor.get_cell();
                self.follow_placement(actor.clone(), || QueuesMsg::Placed);
                watcher.run(move |now, change| tell_queues(&actor, now, change));
                cell
            }
            Child::Agents => {
                let provisioning = self.args.exchange.provisioning.clone();
                let watcher = Watcher::new(provisioning, Kind::Queue);
                let args = self.agents();
                let (actor, _task) = Actor::spawn_linked(None, AgentsActor, args, root).await?;
                let cell = actor.get_cell();
                self.follow_placement(actor.clone(), || AgentsMsg::Placed);
                watcher.run(move |now, change| tell_agents(&actor, now, change));
                cell
            }
            Child::Presence => {
                let args = PresenceArgs { exchange: self.args.exchange.clone() };
                let (actor, _task) = Actor::spawn_linked(None, PresenceActor, args, root).await?;
                self.args.presence_door.open(actor.clone(), SUBSCRIPTIONS);
                actor.get_cell()
            }
        };
        self.children.started(child, &cell);
        Ok(())
    }
}

const fn name(child: Child) -> &'static str {
    match child {
        Child::Registrar => "registrar",
        Child::Trunks => "trunks",
        Child::Queues => "queues",
        Child::Agents => "agents",
        Child::Presence => "presence",
    }
}

/// What an actor has to be told of.
enum Change<'a> {
    /// This was written or removed.
    One(Kind, &'a str),
    /// Changes were missed: everything has to be looked at again. These are not there any more.
    Any { gone: Vec<String> },
}

/// Tells an actor what is provisioned. Knows what the actor has of one kind, so that what was
/// removed is told even if the removal itself was missed.
struct Watcher {
    provisioning: Provisioning,
    changes: broadcast::Receiver<(Kind, String)>,
    kind: Kind,
    known: BTreeSet<String>,
}

impl Watcher {
    /// To be made before the actor is given what it starts with.
    fn new(provisioning: Provisioning, kind: Kind) -> Self {
        let changes = provisioning.watch();
        let known = keys(&provisioning.directory(), kind);
        Self { provisioning, changes, kind, known }
    }

    /// Goes on until the actor is gone.
    fn run(mut self, tell: impl Fn(&Directory, Change<'_>) -> bool + Send + 'static) {
        tandem_kernel::spawn("provisioning watch", async move {
            loop {
                let change = self.changes.recv().await;
                let now = self.provisioning.directory();
                let goes_on = match change {
                    Ok((kind, key)) => {
                        self.learn(&now, kind, &key);
                        tell(&now, Change::One(kind, &key))
                    }
                    Err(RecvError::Lagged(_)) => {
                        let before = std::mem::replace(&mut self.known, keys(&now, self.kind));
                        let gone = before.difference(&self.known).cloned().collect();
                        tell(&now, Change::Any { gone })
                    }
                    Err(RecvError::Closed) => return,
                };
                if !goes_on {
                    return;
                }
            }
        });
    }

    fn learn(&mut self, now: &Directory, kind: Kind, key: &str) {
        if kind != self.kind {
            return;
        }
        if now.find(kind, key).is_some() {
            self.known.insert(key.to_owned());
        } else {
            self.known.remove(key);
        }
    }
}

fn keys(now: &Directory, kind: Kind) -> BTreeSet<String> {
    now.all(kind).map(|stored| stored.resource.key().to_owned()).collect()
}

fn tell_trunks(trunks: &ActorRef<TrunksMsg>, change: Change<'_>) -> bool {
    match change {
        Change::One(Kind::Trunk, name) => {
            trunks.cast(TrunksMsg::Changed(Some(name.to_owned()))).is_ok()
        }
        Change::One(..) => true,
        Change::Any { .. } => trunks.cast(TrunksMsg::Changed(None)).is_ok(),
    }
}

fn tell_queues(queues: &ActorRef<QueuesMsg>, now: &Directory, change: Change<'_>) -> bool {
    let configure =
        |queue: &Queue| queues.cast(QueuesMsg::Configure(Box::new(queue.clone()))).is_ok();
    let remove = |number: String| queues.cast(QueuesMsg::Remove { number }).is_ok();
    match change {
        Change::One(Kind::Queue, number) => match now.queue(number) {
            Some(queue) => configure(queue),
            None => remove(number.to_owned()),
        },
        Change::One(..) => true,
        Change::Any { gone } => gone.into_iter().all(remove) && now.queues().all(configure),
    }
}

fn tell_agents(agents: &ActorRef<AgentsMsg>, now: &Directory, change: Change<'_>) -> bool {
    let configure =
        |queue: &Queue| agents.cast(AgentsMsg::Configure(Box::new(queue.clone()))).is_ok();
    let settings = || agents.cast(AgentsMsg::Settings(Box::new(now.settings().clone()))).is_ok();
    let remove = |number: String| agents.cast(AgentsMsg::Remove { number }).is_ok();
    match change {
        Change::One(Kind::Queue, number) => match now.queue(number) {
            Some(queue) => configure(queue),
            None => remove(number.to_owned()),
        },
        Change::One(Kind::Settings, _) => settings(),
        Change::One(..) => true,
        Change::Any { gone } => {
            settings() && gone.into_iter().all(remove) && now.queues().all(configure)
        }
    }
}
