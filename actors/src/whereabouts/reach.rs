//! How a queue or an agent is told or asked something, wherever it runs.

use std::time::Duration;

use futures::future::join_all;
use tandem_config::resource::Role;
use tandem_journal::Kind;
use tandem_kernel::{CallId, ask};
use tandem_telemetry::metric;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::Whereabouts;
use crate::agent::{AgentMsg, Command, Denial, Failed, Source, ToAgent};
use crate::entity;
use crate::gateway::words::{Answer, Commanded, Question, Word};
use crate::office::{AgentCommand, AgentView, CallbackView, Principal, QueueStatus, Refusal};
use crate::placement::Owner;
use crate::queue::{CallSink, QueueMsg, QueueWord, machine};

/// How long an actor may take to show its picture.
const VIEW_WITHIN: Duration = Duration::from_secs(2);

/// How long an agent may take to change state, the commit included.
const COMMAND_WITHIN: Duration = Duration::from_secs(5);

/// The wait before an agent who is not free is asked again.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// The wait before who is being moved to another member is asked again.
const MOVING: Duration = Duration::from_millis(50);

impl Whereabouts {
    /// Tells a queue something; false: nobody is there to hear it. A queue that is being started
    /// or moved hears nothing, and asks when it has begun. Of a call that was taken over from this
    /// member nothing is told; if it is given back it says anew that it waits.
    pub(crate) fn tell_queue(
        &self,
        number: &str,
        word: QueueWord,
        reply_to: Option<CallSink>,
    ) -> bool {
        if self.gateway.get().is_some_and(|(own, _)| !self.may_say(*own, &word)) {
            metric::GATEWAY_OUTDATED.increment();
            return true;
        }
        let epoch = match &word {
            QueueWord::Agent { agent, .. } => self.placement.owned_since(entity::AGENT, agent),
            _ => None,
        };
        match (self.placement.owner(entity::QUEUE, number), self.gateway()) {
            (Owner::There(member), Some(gateway)) => {
                let number = number.to_owned();
                gateway.tell(member, Word::ToQueue { number, word, epoch });
                true
            }
            _ => self.tell_own_queue(number, word, reply_to),
        }
    }

    /// Tells a queue of this member something.
    pub(crate) fn tell_own_queue(
        &self,
        number: &str,
        word: QueueWord,
        reply_to: Option<CallSink>,
    ) -> bool {
        let told = |queue: ractor::ActorRef<QueueMsg>| {
            queue.cast(QueueMsg::Heard { word, reply_to }).is_ok()
        };
        self.queue(number).is_some_and(told)
    }

    /// Tells an agent what a queue of this member says.
    pub(crate) fn tell_agent(&self, extension: &str, queue: String, message: ToAgent) {
        match (self.placement.owner(entity::AGENT, extension), self.gateway()) {
            (Owner::There(member), Some(gateway)) => {
                let owned = self.placement.owned_since(entity::QUEUE, &queue);
                // Who may not speak is silent.
                let Some(epoch) = owned else { return };
                let extension = extension.to_owned();
                gateway.tell(member, Word::ToAgent { extension, queue, epoch, message });
            }
            _ => self.tell_own_agent(extension, queue, message),
        }
    }

    /// Tells an agent of this member what a queue says.
    pub(crate) fn tell_own_agent(&self, extension: &str, queue: String, message: ToAgent) {
        if let Some(agent) = self.agent(extension) {
            // An agent that is down reports when it is up again.
            let _gone = agent.cast(AgentMsg::Queue { queue, message });
        }
    }

    /// All agents in the order of their extensions; those that do not answer are left out.
    pub async fn agents(&self) -> Vec<AgentView> {
        let mut agents = self.own_agents().await;
        if let Some(gateway) = self.gateway() {
            let members = gateway.members();
            let asked = members.iter().map(|it| gateway.ask(*it, Question::Agents, VIEW_WITHIN));
            for answer in join_all(asked).await {
                if let Some(Answer::Agents(theirs)) = answer {
                    agents.extend(theirs);
                }
            }
        }
        agents.sort_by(|one, other| one.extension.cmp(&other.extension));
        agents.dedup_by(|one, other| one.extension == other.extension);
        agents
    }

    pub(crate) async fn own_agents(&self) -> Vec<AgentView> {
        let actors: Vec<_> = self.agents.read().values().cloned().collect();
        let asked = actors.iter().map(|agent| ask(agent, VIEW_WITHIN, AgentMsg::View));
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// Asks another member who runs an entity, as long as it is moved; none: this node runs it,
    /// or nobody answers.
    async fn asked_elsewhere(&self, kind: Kind, key: &str, question: Question) -> Option<Answer> {
        let gateway = self.gateway()?;
        let until = Instant::now() + VIEW_WITHIN;
        let mut moves = self.placement.watch();
        loop {
            moves.mark_unchanged();
            match self.placement.owner(kind, key) {
                Owner::Here { .. } => return None,
                Owner::There(member) => tokio::select! {
                    answer = gateway.ask(member, question.clone(), COMMAND_WITHIN) => {
                        if answer != Some(Answer::Nobody) {
                            return answer;
                        }
                    }
                    // Who is asked may have died, which the link is the last to find out.
                    _ = self.moved(&mut moves, kind, key, member) => {
                        if !question.is_repeatable() {
                            return None;
                        }
                    }
                },
                Owner::Nobody => {}
            }
            if Instant::now() > until {
                return None;
            }
            sleep(MOVING).await;
        }
    }

    fn is_elsewhere(&self, kind: Kind, key: &str) -> bool {
        !matches!(self.placement.owner(kind, key), Owner::Here { .. })
    }

    /// Waits until an entity is another member's.
    async fn moved(&self, moves: &mut watch::Receiver<u64>, kind: Kind, key: &str, from: u64) {
        while moves.changed().await.is_ok() {
            let owner = self.placement.owner(kind, key);
            if !matches!(owner, Owner::There(member) if member == from) {
                return;
            }
        }
    }

    /// A queue as it is now.
    pub async fn queue_status(&self, number: &str) -> Option<QueueStatus> {
        let question = Question::Status { number: number.to_owned() };
        match self.asked_elsewhere(entity::QUEUE, number, question).await {
            Some(Answer::Status(status)) => Some(status),
            _ => self.own_status(number).await,
        }
    }

    pub(crate) async fn own_status(&self, number: &str) -> Option<QueueStatus> {
        ask(&self.queue(number)?, VIEW_WITHIN, QueueMsg::View).await.ok()
    }

    /// The requests for a callback that are open in a queue.
    pub async fn callbacks(&self, number: &str) -> Option<Vec<CallbackView>> {
        let question = Question::Callbacks { number: number.to_owned() };
        match self.asked_elsewhere(entity::QUEUE, number, question).await {
            Some(Answer::Callbacks(open)) => Some(open),
            _ => self.own_callbacks(number).await,
        }
    }

    pub(crate) async fn own_callbacks(&self, number: &str) -> Option<Vec<CallbackView>> {
        ask(&self.queue(number)?, VIEW_WITHIN, QueueMsg::Callbacks).await.ok()
    }

    /// Takes a request back; answered after the commit. None: the queue does not answer.
    pub async fn cancel_callback(
        &self,
        number: &str,
        call: CallId,
    ) -> Option<Result<(), machine::Refused>> {
        let question = Question::CancelCallback { number: number.to_owned(), call };
        match self.asked_elsewhere(entity::QUEUE, number, question).await {
            Some(Answer::Cancelled(outcome)) => Some(outcome),
            _ => self.cancel_own_callback(number, call).await,
        }
    }

    pub(crate) async fn cancel_own_callback(
        &self,
        number: &str,
        call: CallId,
    ) -> Option<Result<(), machine::Refused>> {
        let wish = |reply| QueueMsg::CancelCallback { call, reply };
        ask(&self.queue(number)?, COMMAND_WITHIN, wish).await.ok()
    }

    /// Lets a ringing call ring at the extension `by` instead. None: the queue does not
    /// answer.
    pub async fn pick_up(
        &self,
        number: &str,
        call: CallId,
        by: &str,
    ) -> Option<Result<(), machine::Refused>> {
        let question = Question::PickUp { number: number.to_owned(), call, by: by.to_owned() };
        match self.asked_elsewhere(entity::QUEUE, number, question).await {
            Some(Answer::PickedUp(outcome)) => Some(outcome),
            _ => self.pick_up_own(number, call, by.to_owned()).await,
        }
    }

    pub(crate) async fn pick_up_own(
        &self,
        number: &str,
        call: CallId,
        by: String,
    ) -> Option<Result<(), machine::Refused>> {
        let wish = |reply| QueueMsg::PickUp { call, by, reply };
        ask(&self.queue(number)?, COMMAND_WITHIN, wish).await.ok()
    }

    /// Changes an agent's state; answered after the commit.
    ///
    /// # Errors
    /// `NotFound` for an extension that is no agent, `Conflict` when the state does not allow it.
    pub async fn agent_command(
        &self,
        by: &Principal,
        extension: &str,
        command: AgentCommand,
    ) -> Result<AgentView, Refusal> {
        let own = by.extension.as_deref() == Some(extension);
        let source = match by.role {
            _ if own => Source::PanelSelf,
            Role::Manager => Source::PanelManager,
            Role::Admin | Role::Agent | Role::Wallboard => Source::Api,
        };
        match self.command(extension, command.into(), source).await {
            Some(Ok((_, view))) => Ok(view),
            Some(Err(failed)) => Err(failed.into()),
            None => Err(Refusal::NotFound { kind: "agent", key: extension.to_owned() }),
        }
    }

    /// Carries out a feature code for the extension that dialled it and names the
    /// prompt that confirms it.
    pub async fn carry_out_code(&self, extension: &str, command: Command) -> &'static str {
        match self.command(extension, command, Source::Phone).await {
            Some(Ok((outcome, _))) => outcome.prompt(),
            Some(Err(_)) | None => "error",
        }
    }

    /// Carries out what a change of presence asks for.
    ///
    /// # Errors
    /// `NotFound` for an extension that is no agent, `Conflict` when the state does not allow it.
    pub async fn by_presence(&self, extension: &str, command: Command) -> Result<(), Refusal> {
        match self.command(extension, command, Source::Presence).await {
            Some(Ok(_)) => Ok(()),
            Some(Err(failed)) => Err(failed.into()),
            None => Err(Refusal::NotFound { kind: "agent", key: extension.to_owned() }),
        }
    }

    /// None: there is no such agent.
    async fn command(
        &self,
        extension: &str,
        command: Command,
        source: Source,
    ) -> Option<Commanded> {
        let (own, wish) = (extension.to_owned(), command.clone());
        let question = Question::Command { extension: own, command: wish, source };
        match self.asked_elsewhere(entity::AGENT, extension, question).await {
            Some(Answer::Commanded(outcome)) => Some(outcome),
            Some(Answer::Unknown) => None,
            _ if self.is_elsewhere(entity::AGENT, extension) => {
                let detail = "the member that runs this agent does not answer".to_owned();
                Some(Err(Failed::NotDone(detail)))
            }
            _ => self.command_own(extension, command, source).await,
        }
    }

    pub(crate) async fn command_own(
        &self,
        extension: &str,
        command: Command,
        source: Source,
    ) -> Option<Commanded> {
        let wish = |reply| AgentMsg::Command { command, source, reply };
        let outcome = ask(&self.agent(extension)?, COMMAND_WITHIN, wish).await;
        Some(outcome.unwrap_or_else(|error| Err(Failed::NotDone(error.to_string()))))
    }

    /// Takes an extension for a call if it is free (C-020, C-025): an agent as the agent says,
    /// another one when it is registered and in no call. One that is not free is waited for.
    pub async fn claim(&self, extension: &str, call: CallId, grace: Duration) -> bool {
        let until = Instant::now() + grace;
        loop {
            if self.claim_now(extension, call).await {
                return true;
            }
            if Instant::now() + LOOK_AGAIN > until {
                return false;
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn claim_now(&self, extension: &str, call: CallId) -> bool {
        let question = Question::Claim { extension: extension.to_owned(), call };
        let claimed = match self.asked_elsewhere(entity::AGENT, extension, question).await {
            Some(Answer::Claimed(outcome)) => Some(outcome),
            Some(_) => None,
            None if self.agent(extension).is_none() => {
                return self.take(extension, call);
            }
            None => self.claim_own(extension, call).await,
        };
        match claimed {
            Some(Ok(())) => {
                self.in_call(extension, call);
                true
            }
            Some(Err(_)) => false,
            // It may have said yes too late.
            None => {
                self.out_of_call(extension, call);
                false
            }
        }
    }

    pub(crate) async fn claim_own(
        &self,
        extension: &str,
        call: CallId,
    ) -> Option<Result<(), Denial>> {
        let question = |reply| AgentMsg::Claim { call, reply };
        ask(&self.agent(extension)?, VIEW_WITHIN, question).await.ok()
    }
}
