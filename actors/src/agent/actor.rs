//! The shell of an agent: messages in, effects out.

use std::collections::BTreeMap;
use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tandem_config::resource::Settings;
use tandem_journal::AppendError;
use tandem_kernel::{CallId, Clock, spawn};

use super::machine::{Agent, Effect, Input, Rule};
use super::{AgentEvent, AgentMsg, Command, Denial, Facts, Failed, Outcome, Refused, Source};
use crate::entity;
use crate::office::AgentView;
use crate::placement::Moves;
use crate::queue::QueueWord;
use crate::recorder::{Fold, Recorder};
use crate::whereabouts::Whereabouts;

/// Where the answer to a claim goes.
type ClaimReply = RpcReplyPort<Result<(), Denial>>;

impl Fold for Facts {
    type Event = AgentEvent;

    fn evolve(&mut self, event: &AgentEvent) {
        Self::evolve(self, event);
    }
}

/// What an agent is started with.
pub struct AgentArgs {
    /// The extension.
    pub extension: String,
    /// The system's options.
    pub settings: Settings,
    /// All queues of the agent.
    pub rules: BTreeMap<String, Rule>,
    /// The other actors.
    pub placed: Arc<Whereabouts>,
    /// The clock.
    pub clock: Clock,
    /// Since when this node owns the agent.
    pub epoch: u64,
    pub(crate) recorder: Recorder,
}

/// The state of the actor.
pub struct AgentState {
    agent: Agent,
    extension: String,
    placed: Arc<Whereabouts>,
    clock: Clock,
    epoch: u64,
    recorder: Recorder,
    /// Where the queues are.
    queues: Moves,
}

/// The actor.
pub struct AgentActor;

type CommandReply = RpcReplyPort<Result<(Outcome, AgentView), Failed>>;

impl Actor for AgentActor {
    type Msg = AgentMsg;
    type State = AgentState;
    type Arguments = AgentArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<AgentMsg>,
        args: AgentArgs,
    ) -> Result<AgentState, ActorProcessingErr> {
        let facts: Facts = args.recorder.own(args.epoch).await?;
        let mut state = AgentState {
            agent: Agent::new(args.extension.clone(), facts, args.settings, args.rules),
            extension: args.extension,
            placed: args.placed,
            clock: args.clock,
            epoch: args.epoch,
            recorder: args.recorder,
            queues: Moves::default(),
        };
        state.moved_queues(None);
        let seen = state.placed.agent_runs(&state.extension, myself.clone());
        let opened = Input::Opened { registered: seen.is_reachable(), calls: seen.calls };
        state.report(&myself, opened);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<AgentMsg>,
        message: AgentMsg,
        state: &mut AgentState,
    ) -> Result<(), ActorProcessingErr> {
        let owned = state.placed.placement().owned_since(entity::AGENT, &state.extension);
        if owned != Some(state.epoch) {
            // Somebody else's by now, or maybe so: not one word more.
            myself.stop(None);
            return Ok(());
        }
        let input = match message {
            AgentMsg::Command { command, source, reply } => {
                state.command(&myself, command, source, reply);
                return Ok(());
            }
            AgentMsg::Claim { call, reply } => {
                state.claim(&myself, call, reply);
                return Ok(());
            }
            AgentMsg::View(reply) => {
                let _asker_is_gone = reply.send(state.agent.view());
                return Ok(());
            }
            AgentMsg::Leases(reply) => {
                let _asker_is_gone = reply.send(state.agent.leases());
                return Ok(());
            }
            // Another member was first: what it wrote is what holds.
            AgentMsg::NotRecorded(AppendError::VersionConflict { .. }) => {
                Input::Facts(state.recorder.load().await?)
            }
            // Somebody else's by now, which is read here in a moment.
            AgentMsg::NotRecorded(AppendError::StaleEpoch { .. }) => {
                myself.stop(None);
                return Ok(());
            }
            AgentMsg::NotRecorded(error) => return Err(error.into()),
            AgentMsg::Followed(version) => {
                if !state.recorder.is_behind(version).await {
                    return Ok(());
                }
                Input::Facts(state.recorder.load().await?)
            }
            AgentMsg::Placed => {
                let moved = state.moved_queues(None);
                state.follow(&myself, moved);
                return Ok(());
            }
            AgentMsg::Memberships(rules) => {
                let moved = state.moved_queues(Some(&rules));
                state.report(&myself, Input::Memberships(rules));
                state.follow(&myself, moved);
                return Ok(());
            }
            AgentMsg::Settings(settings) => Input::Settings(settings),
            AgentMsg::Registered(registered) => Input::Registered(registered),
            AgentMsg::InCall(call) => Input::InCall(call),
            AgentMsg::OutOfCall(call) => Input::OutOfCall(call),
            AgentMsg::Queue { queue, message } => Input::Queue { queue, message },
            AgentMsg::Timer(timer) => Input::Timer(timer),
        };
        state.report(&myself, input);
        Ok(())
    }
}

/// What a step came to.
struct Stepped {
    events: Vec<AgentEvent>,
    outcome: Option<Outcome>,
}

impl AgentState {
    /// Queues that have been moved since the last look, of those that the agent has or will have.
    fn moved_queues(&mut self, new: Option<&BTreeMap<String, Rule>>) -> Vec<String> {
        let keys = new.unwrap_or_else(|| self.agent.rules()).keys().map(String::as_str);
        self.queues.look(keys, |key| self.placed.placement().epoch(entity::QUEUE, key))
    }

    fn follow(&mut self, myself: &ActorRef<AgentMsg>, moved: Vec<String>) {
        for queue in moved {
            self.report(myself, Input::QueueMoved { queue });
        }
    }

    /// A step that nobody waits for.
    fn report(&mut self, myself: &ActorRef<AgentMsg>, input: Input) {
        match self.step(myself, input) {
            Ok(stepped) => self.append(myself, &stepped.events, |_| {}),
            Err(refused) => {
                tracing::debug!(agent = %self.extension, %refused, "input refused");
            }
        }
    }

    /// A wish of a person, answered after the commit.
    fn command(
        &mut self,
        myself: &ActorRef<AgentMsg>,
        command: Command,
        source: Source,
        reply: CommandReply,
    ) {
        let again = command.clone();
        let answer = match self.step(myself, Input::Command { command, source }) {
            Ok(Stepped { events, outcome: Some(outcome) }) => {
                let (view, actor) = (self.agent.view(), myself.clone());
                self.append(myself, &events, move |result| {
                    let answer = match result {
                        Ok(()) => Ok((outcome, view)),
                        // Another member was first: it is done anew on what that one wrote, which
                        // is read before this comes.
                        Err(AppendError::VersionConflict { .. }) => {
                            let command = AgentMsg::Command { command: again, source, reply };
                            let _gone = actor.cast(command);
                            return;
                        }
                        Err(error) => Err(Failed::NotDone(error.to_string())),
                    };
                    let _asker_is_gone = reply.send(answer);
                });
                return;
            }
            Ok(Stepped { outcome: None, .. }) => return,
            Err(refused) => Err(Failed::Refused(refused)),
        };
        let _asker_is_gone = reply.send(answer);
    }

    /// Runs one step of the machine and carries out what it asked for but the facts.
    fn step(&mut self, myself: &ActorRef<AgentMsg>, input: Input) -> Result<Stepped, Refused> {
        let effects = self.agent.step(self.clock.now(), input)?;
        Ok(self.carry_out(myself, effects))
    }

    /// Takes the agent for a call, if they are free.
    fn claim(&mut self, myself: &ActorRef<AgentMsg>, call: CallId, reply: ClaimReply) {
        let claimed = self.agent.claim(self.clock.now(), call).map(|effects| {
            let stepped = self.carry_out(myself, effects);
            self.append(myself, &stepped.events, |_| {});
        });
        let _asker_is_gone = reply.send(claimed);
    }

    fn carry_out(&self, myself: &ActorRef<AgentMsg>, effects: Vec<Effect>) -> Stepped {
        let mut stepped = Stepped { events: Vec::new(), outcome: None };
        for effect in effects {
            match effect {
                Effect::Record(event) => stepped.events.push(event),
                Effect::Done(outcome) => stepped.outcome = Some(outcome),
                Effect::Tell { queue, message } => {
                    let agent = self.extension.clone();
                    let word = QueueWord::Agent { agent, message };
                    // A queue that is down asks when it is up again.
                    let _told = self.placed.tell_queue(&queue, word, None);
                }
                Effect::Arm { timer, after } => {
                    // The handle is dropped: a late timer is told apart by its number.
                    drop(myself.send_after(after, move || AgentMsg::Timer(timer)));
                }
            }
        }
        stepped
    }

    /// A fact that was not taken ends the actor, so that it begins again from what the journal
    /// knows.
    fn append(
        &self,
        myself: &ActorRef<AgentMsg>,
        events: &[AgentEvent],
        then: impl FnOnce(Result<(), AppendError>) + Send + 'static,
    ) {
        if events.is_empty() {
            let (recorder, refusals) = (self.recorder.clone(), self.recorder.refusals());
            // What was found done may still be on its way.
            spawn("agent answer", async move {
                let is_kept = recorder.kept(refusals).await;
                then(if is_kept { Ok(()) } else { Err(AppendError::Unavailable) });
            });
            return;
        }
        let actor = myself.clone();
        self.recorder.append(events, self.agent.facts(), move |outcome| {
            if let Err(error) = &outcome {
                let _gone = actor.cast(AgentMsg::NotRecorded(error.clone()));
            }
            then(outcome);
        });
    }
}
