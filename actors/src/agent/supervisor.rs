//! The supervisor of all agents of a node. Whoever is a member of a queue is an agent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tandem_config::resource::{Queue, Settings};
use tandem_journal::{Entity, Journal};
use tandem_kernel::{Children, Clock, Decision, Ended, Restart};
use tandem_telemetry::metric;

use super::machine::Rule;
use super::{AgentActor, AgentArgs, AgentMsg, AgentsMsg};
use crate::entity;
use crate::queue::QueueWord;
use crate::recorder::Recorder;
use crate::whereabouts::Whereabouts;

/// The wait before an agent whose state could not be loaded is started again.
const LOAD_RETRY: Duration = Duration::from_secs(2);
/// How long an actor may take to finish the message that it handles.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// What the supervisor is started with.
#[derive(Clone)]
pub struct AgentsArgs {
    /// All queues as they are configured now. They must be complete: an agent who is missing
    /// in one is taken for removed.
    pub queues: Vec<Queue>,
    /// The system's options.
    pub settings: Settings,
    /// The journal.
    pub journal: Journal,
    /// The other actors.
    pub placed: Arc<Whereabouts>,
    /// The clock.
    pub clock: Clock,
}

struct Post {
    recorder: Recorder,
    actor: Option<ActorRef<AgentMsg>>,
}

/// The state of the supervisor.
pub struct AgentsState {
    args: AgentsArgs,
    queues: BTreeMap<String, Queue>,
    posts: BTreeMap<String, Post>,
    children: Children<String>,
}

/// The actor.
pub struct AgentsActor;

impl Actor for AgentsActor {
    type Msg = AgentsMsg;
    type State = AgentsState;
    type Arguments = AgentsArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<AgentsMsg>,
        mut args: AgentsArgs,
    ) -> Result<AgentsState, ActorProcessingErr> {
        let queues = std::mem::take(&mut args.queues);
        let mut state = AgentsState {
            args,
            queues: queues.into_iter().map(|queue| (queue.number.clone(), queue)).collect(),
            posts: BTreeMap::new(),
            children: Children::new(Restart::default()),
        };
        let all: BTreeSet<String> = state.queues.values().flat_map(members).collect();
        state.inform(&myself, all).await;
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<AgentsMsg>,
        message: AgentsMsg,
        state: &mut AgentsState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            AgentsMsg::Configure(queue) => {
                let mut touched: BTreeSet<String> = members(&queue).collect();
                if let Some(before) = state.queues.insert(queue.number.clone(), *queue) {
                    touched.extend(members(&before));
                }
                state.inform(&myself, touched).await;
            }
            AgentsMsg::Remove { number } => {
                if let Some(before) = state.queues.remove(&number) {
                    state.inform(&myself, members(&before).collect()).await;
                }
            }
            AgentsMsg::Settings(settings) => {
                state.args.settings = (*settings).clone();
                for agent in state.posts.values().filter_map(|post| post.actor.as_ref()) {
                    let _gone = agent.cast(AgentMsg::Settings(settings.clone()));
                }
            }
            AgentsMsg::Restart { extension } => state.start(&myself, &extension).await,
            AgentsMsg::Placed => state.placed(&myself).await,
        }
        Ok(())
    }

    /// An orderly end: nothing that was decided is lost.
    async fn post_stop(
        &self,
        _myself: ActorRef<AgentsMsg>,
        state: &mut AgentsState,
    ) -> Result<(), ActorProcessingErr> {
        for (key, post) in std::mem::take(&mut state.posts) {
            if let Some(actor) = post.actor {
                // One that has ended already is as well.
                let _ended = actor.stop_and_wait(None, Some(STOP_WITHIN)).await;
            }
            if !post.recorder.settled().await {
                tracing::error!(agent = %key, "facts are still on their way to the journal");
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<AgentsMsg>,
        event: SupervisionEvent,
        state: &mut AgentsState,
    ) -> Result<(), ActorProcessingErr> {
        let ended = state.children.ended(state.args.clock.now(), &event);
        let Some((extension, ended)) = ended else { return Ok(()) };
        state.args.placed.agent_gone(&extension);
        if let Some(post) = state.posts.get_mut(&extension) {
            post.actor = None;
        }
        match ended {
            // Owned again by the time that it ended, maybe.
            Ended::Stopped => state.start(&myself, &extension).await,
            Ended::Failed { why, decision: Decision::Restart { after } } => {
                metric::ACTOR_RESTARTS.increment_with("kind", "agent");
                tracing::error!(agent = %extension, %why, "an agent crashed, is started again");
                drop(myself.send_after(after, move || AgentsMsg::Restart { extension }));
            }
            Ended::Failed { why, decision: Decision::GiveUp } => {
                tracing::error!(agent = %extension, %why, "an agent crashes too often");
                state.lost(&extension);
            }
        }
        Ok(())
    }
}

impl AgentsState {
    /// Tells agents of their queues; whoever is new is started.
    async fn inform(&mut self, myself: &ActorRef<AgentsMsg>, touched: BTreeSet<String>) {
        for extension in touched {
            let rules = self.rules_of(&extension);
            let running = self.posts.get(&extension).and_then(|post| post.actor.as_ref());
            match running {
                Some(agent) => {
                    let _gone = agent.cast(AgentMsg::Memberships(rules));
                }
                None => self.start(myself, &extension).await,
            }
        }
    }

    /// Starts whom this member owns by now, and stops whom it owns no longer; one that goes on is
    /// told.
    async fn placed(&mut self, myself: &ActorRef<AgentsMsg>) {
        let extensions: Vec<String> = self.posts.keys().cloned().collect();
        for extension in extensions {
            let owned = self.args.placed.placement().owned_since(entity::AGENT, &extension);
            let actor = self.posts.get(&extension).and_then(|post| post.actor.clone());
            match (owned, actor) {
                (Some(_), None) => self.start(myself, &extension).await,
                (None, Some(actor)) => actor.stop(None),
                // One of an earlier epoch finds out by this and is started again.
                (Some(_), Some(actor)) => drop(actor.cast(AgentMsg::Placed)),
                (None, None) => {}
            }
        }
    }

    fn rules_of(&self, extension: &str) -> BTreeMap<String, Rule> {
        let rules = self.queues.values().filter_map(|queue| {
            let member = queue.members.iter().find(|member| member.extension == extension)?;
            let ring_in_use = queue.agent.ring_in_use;
            Some((queue.number.clone(), Rule { membership: member.membership, ring_in_use }))
        });
        rules.collect()
    }

    async fn start(&mut self, myself: &ActorRef<AgentsMsg>, extension: &str) {
        let rules = self.rules_of(extension);
        let (journal, placed) = (&self.args.journal, &self.args.placed);
        let post = self.posts.entry(extension.to_owned()).or_insert_with(|| {
            let entity = Entity::new(entity::AGENT, extension);
            Post { recorder: placed.recorder(journal, entity), actor: None }
        });
        let owned = placed.placement().owned_since(entity::AGENT, extension);
        // One that is outdated is told when it owns the agent anew.
        let owned = owned.filter(|epoch| !post.recorder.is_outdated(*epoch));
        let (None, Some(epoch)) = (&post.actor, owned) else { return };
        let args = AgentArgs {
            extension: extension.to_owned(),
            settings: self.args.settings.clone(),
            rules,
            placed: Arc::clone(&self.args.placed),
            clock: self.args.clock,
            epoch,
            recorder: post.recorder.clone(),
        };
        match Actor::spawn_linked(None, AgentActor, args, myself.get_cell()).await {
            Ok((actor, _task)) => {
                self.children.started(extension.to_owned(), &actor.get_cell());
                post.actor = Some(actor);
            }
            Err(error) => {
                tracing::error!(agent = %extension, %error, "failed to start an agent");
                self.args.placed.agent_gone(extension);
                let extension = extension.to_owned();
                drop(myself.send_after(LOAD_RETRY, move || AgentsMsg::Restart { extension }));
            }
        }
    }

    /// The queues stop counting on an agent who stays down.
    fn lost(&self, extension: &str) {
        for number in self.rules_of(extension).into_keys() {
            let word = QueueWord::AgentLost { agent: extension.to_owned() };
            let _told = self.args.placed.tell_queue(&number, word, None);
        }
    }
}

fn members(queue: &Queue) -> impl Iterator<Item = String> {
    queue.members.iter().map(|member| member.extension.clone()).collect::<Vec<_>>().into_iter()
}
