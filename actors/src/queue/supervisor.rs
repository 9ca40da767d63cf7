//! The supervisor of all queues of a node.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tandem_config::resource::Queue as Config;
use tandem_journal::Journal;
use tandem_kernel::{Children, Clock, Decision, Ended, Restart};
use tandem_telemetry::metric;

use super::{
    DecisionSink, Exit, QueueActor, QueueArgs, QueueMsg, QueueNotice, QueuesMsg, Sender, Sinks,
};
use crate::entity;
use crate::recorder::Recorder;
use crate::whereabouts::Whereabouts;

/// The wait before a queue whose state could not be loaded is started again.
const LOAD_RETRY: Duration = Duration::from_secs(2);
/// How long an actor may take to finish the message that it handles.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// What the supervisor is started with.
#[derive(Clone)]
pub struct QueuesArgs {
    /// All queues as they are configured now.
    pub queues: Vec<Config>,
    /// The journal.
    pub journal: Journal,
    /// The other actors.
    pub placed: Arc<Whereabouts>,
    /// Where decisions go.
    pub decisions: DecisionSink,
    /// Who starts calls.
    pub sender: Sender,
    /// The clock.
    pub clock: Clock,
}

struct Post {
    config: Config,
    removed: bool,
    sinks: Sinks,
    recorder: Recorder,
    actor: Option<ActorRef<QueueMsg>>,
}

/// The state of the supervisor.
pub struct QueuesState {
    args: QueuesArgs,
    posts: BTreeMap<String, Post>,
    children: Children<String>,
}

/// The actor.
pub struct QueuesActor;

impl Actor for QueuesActor {
    type Msg = QueuesMsg;
    type State = QueuesState;
    type Arguments = QueuesArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<QueuesMsg>,
        mut args: QueuesArgs,
    ) -> Result<QueuesState, ActorProcessingErr> {
        let queues = std::mem::take(&mut args.queues);
        let children = Children::new(Restart::default());
        let mut state = QueuesState { args, posts: BTreeMap::new(), children };
        for config in queues {
            state.configure(&myself, config).await;
        }
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<QueuesMsg>,
        message: QueuesMsg,
        state: &mut QueuesState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            QueuesMsg::Configure(config) => state.configure(&myself, *config).await,
            QueuesMsg::Remove { number } => state.remove(&number),
            QueuesMsg::Restart { number } => state.start(&myself, &number).await,
            QueuesMsg::Placed => state.placed(&myself).await,
        }
        Ok(())
    }

    /// An orderly end: nothing that was decided is lost.
    async fn post_stop(
        &self,
        _myself: ActorRef<QueuesMsg>,
        state: &mut QueuesState,
    ) -> Result<(), ActorProcessingErr> {
        for (key, post) in std::mem::take(&mut state.posts) {
            if let Some(actor) = post.actor {
                // One that has ended already is as well.
                let _ended = actor.stop_and_wait(None, Some(STOP_WITHIN)).await;
            }
            if !post.recorder.settled().await {
                tracing::error!(queue = %key, "facts are still on their way to the journal");
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<QueuesMsg>,
        event: SupervisionEvent,
        state: &mut QueuesState,
    ) -> Result<(), ActorProcessingErr> {
        let ended = state.children.ended(state.args.clock.now(), &event);
        let Some((number, ended)) = ended else { return Ok(()) };
        state.args.placed.queue_gone(&number);
        if let Some(post) = state.posts.get_mut(&number) {
            post.actor = None;
        }
        match ended {
            Ended::Stopped => state.stopped(&myself, &number).await,
            Ended::Failed { why, decision: Decision::Restart { after } } => {
                metric::ACTOR_RESTARTS.increment_with("kind", "queue");
                tracing::error!(queue = %number, %why, "a queue crashed and is started again");
                drop(myself.send_after(after, move || QueuesMsg::Restart { number }));
            }
            Ended::Failed { why, decision: Decision::GiveUp } => {
                tracing::error!(queue = %number, %why, "a queue crashes too often, stays down");
                state.send_away(&number);
            }
        }
        Ok(())
    }
}

impl QueuesState {
    async fn configure(&mut self, myself: &ActorRef<QueuesMsg>, config: Config) {
        let number = config.number.clone();
        let (journal, placed) = (&self.args.journal, &self.args.placed);
        let post = self.posts.entry(number.clone()).or_insert_with(|| Post {
            config: config.clone(),
            removed: false,
            sinks: placed.sinks(&number),
            recorder: placed.recorder(journal, entity::queue(&number)),
            actor: None,
        });
        post.config = config.clone();
        post.removed = false;
        match &post.actor {
            // An actor that has just ended is started with the new configuration.
            Some(actor) => {
                let _gone = actor.cast(QueueMsg::Configure(Box::new(config)));
            }
            None => self.start(myself, &number).await,
        }
    }

    fn remove(&mut self, number: &str) {
        let Some(post) = self.posts.get_mut(number) else { return };
        post.removed = true;
        match &post.actor {
            Some(actor) => {
                let _gone = actor.cast(QueueMsg::Remove);
            }
            None => {
                let owned = self.args.placed.placement().owned_since(entity::QUEUE, number);
                if owned.is_some() {
                    self.send_away(number);
                }
                self.forget(number);
            }
        }
    }

    async fn start(&mut self, myself: &ActorRef<QueuesMsg>, number: &str) {
        let Some(post) = self.posts.get_mut(number).filter(|post| post.actor.is_none()) else {
            return;
        };
        let owned = self.args.placed.placement().owned_since(entity::QUEUE, number);
        let Some(epoch) = owned else {
            if post.removed {
                // Its owner sends the callers away.
                self.forget(number);
            }
            return;
        };
        if post.recorder.is_outdated(epoch) {
            // It is told when it owns the queue anew.
            return;
        }
        let args = QueueArgs {
            config: post.config.clone(),
            sinks: Arc::clone(&post.sinks),
            placed: Arc::clone(&self.args.placed),
            decisions: Arc::clone(&self.args.decisions),
            sender: Arc::clone(&self.args.sender),
            clock: self.args.clock,
            epoch,
            recorder: post.recorder.clone(),
        };
        match Actor::spawn_linked(None, QueueActor, args, myself.get_cell()).await {
            Ok((actor, _task)) => {
                tracing::info!(queue = number, epoch, "a queue runs here");
                self.children.started(number.to_owned(), &actor.get_cell());
                if post.removed {
                    let _gone = actor.cast(QueueMsg::Remove);
                }
                post.actor = Some(actor);
            }
            Err(error) => {
                tracing::error!(queue = %number, %error, "failed to start a queue");
                self.args.placed.queue_gone(number);
                let number = number.to_owned();
                drop(myself.send_after(LOAD_RETRY, move || QueuesMsg::Restart { number }));
            }
        }
    }

    /// Starts what this member owns by now, and stops what it owns no longer; one that goes on is
    /// told.
    async fn placed(&mut self, myself: &ActorRef<QueuesMsg>) {
        let numbers: Vec<String> = self.posts.keys().cloned().collect();
        for number in numbers {
            let owned = self.args.placed.placement().owned_since(entity::QUEUE, &number);
            let actor = self.posts.get(&number).and_then(|post| post.actor.clone());
            match (owned, actor) {
                (Some(_), None) => self.start(myself, &number).await,
                (None, Some(actor)) => actor.stop(None),
                // One of an earlier epoch finds out by this and is started again.
                (Some(_), Some(actor)) => drop(actor.cast(QueueMsg::Placed)),
                (None, None) => {}
            }
        }
    }

    /// Closed after its removal, unless it was added again in the meantime; or another member's
    /// by now.
    async fn stopped(&mut self, myself: &ActorRef<QueuesMsg>, number: &str) {
        let owned = self.args.placed.placement().owned_since(entity::QUEUE, number);
        let recorder = self.posts.get(number).map(|post| &post.recorder);
        let is_ours = |epoch| recorder.is_none_or(|recorder| !recorder.is_outdated(epoch));
        if !owned.is_some_and(is_ours) {
            self.args.placed.forget_sinks(number);
        }
        if self.posts.get(number).is_some_and(|post| post.removed) {
            self.forget(number);
        } else {
            self.start(myself, number).await;
        }
    }

    fn forget(&mut self, number: &str) {
        self.posts.remove(number);
        self.args.placed.forget_queue(number);
    }

    /// Nobody serves the callers any more.
    fn send_away(&self, number: &str) {
        let Some(post) = self.posts.get(number) else { return };
        let sinks = std::mem::take(&mut *post.sinks.lock());
        for sink in sinks.into_values() {
            let failover = post.config.failover.clone();
            // A call that is gone needs no telling.
            let _gone = sink(QueueNotice::Leave { reason: Exit::System, failover });
        }
    }
}
