//! The supervisor of what a node has one of: the registrar and the trunks.
//!
//! Calls, queues and agents have supervisors of their own.

use std::sync::Arc;

use parking_lot::RwLock;
use ractor::{Actor, ActorProcessingErr, ActorRef, Message, SpawnErr, SupervisionEvent};
use tandem_config::Kind;
use tandem_kernel::Clock;
use tandem_kernel::port::{ActorPort, SendError, Slot};
use tandem_kernel::supervise::{Children, Decision, Ended, Restart};
use tandem_telemetry::metric;
use tokio::sync::broadcast::error::RecvError;

use crate::provisioning::Provisioning;
use crate::registrar::{RegistrarActor, RegistrarArgs, RegistrarMsg};
use crate::trunk::{TrunksActor, TrunksArgs, TrunksMsg};

/// REGISTER requests that may wait; a phone whose request finds no place tries again.
const REGISTRATIONS: usize = 4_096;

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
    /// For the trunks.
    pub trunks: TrunksArgs,
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
        state.start(&myself, Child::Registrar).await?;
        state.start(&myself, Child::Trunks).await?;
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<RootMsg>,
        message: RootMsg,
        state: &mut RootState,
    ) -> Result<(), ActorProcessingErr> {
        let RootMsg::Start(child) = message;
        state.start(&myself, child).await?;
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
                let (actor, _task) = Actor::spawn_linked(None, TrunksActor, args, root).await?;
                tokio::spawn(watch(provisioning, actor.clone()));
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
    }
}

/// Tells the trunks what was provisioned, until they are gone.
async fn watch(provisioning: Provisioning, trunks: ActorRef<TrunksMsg>) {
    let mut changes = provisioning.watch();
    loop {
        let message = match changes.recv().await {
            Ok((Kind::Trunk, name)) => TrunksMsg::Changed(Some(name)),
            Ok(_) => continue,
            Err(RecvError::Lagged(_)) => TrunksMsg::Changed(None),
            Err(RecvError::Closed) => return,
        };
        if trunks.cast(message).is_err() {
            return;
        }
    }
}
