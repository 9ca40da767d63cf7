//! Where the queue and agent actors of this node are, and what is known of the agents' phones
//! and calls whether their actors run or not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use parking_lot::RwLock;
use ractor::ActorRef;
use tandem_config::resource::Role;
use tandem_journal::{Entity, Journal};
use tandem_kernel::{CallId, ask};
use tokio::time::Instant;

use crate::agent::{AgentMsg, Command, Source};
use crate::entity;
use crate::office::{AgentCommand, AgentView, Principal, QueueStatus, Refusal};
use crate::queue::{QueueMsg, Sinks};
use crate::recorder::Recorder;

/// How long an actor may take to show its picture.
const VIEW_WITHIN: Duration = Duration::from_secs(2);

/// How long an agent may take to change state, the commit included.
const COMMAND_WITHIN: Duration = Duration::from_secs(5);

/// The wait before an agent who is not free is asked again.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What is known of an extension without its agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whether a phone is registered.
    pub registered: bool,
    /// Whether a browser is its phone.
    pub browser: bool,
    /// The calls that it is in.
    pub calls: BTreeSet<CallId>,
}

impl Seen {
    /// Whether a phone of any kind can ring.
    #[must_use]
    pub const fn is_reachable(&self) -> bool {
        self.registered || self.browser
    }
}

/// The directory of placed actors.
#[derive(Default)]
pub struct Whereabouts {
    queues: RwLock<BTreeMap<String, ActorRef<QueueMsg>>>,
    agents: RwLock<BTreeMap<String, ActorRef<AgentMsg>>>,
    seen: RwLock<BTreeMap<String, Seen>>,
    sinks: RwLock<BTreeMap<String, Sinks>>,
    recorders: RwLock<BTreeMap<Entity, Recorder>>,
}

impl Whereabouts {
    /// The actor of a queue.
    #[must_use]
    pub fn queue(&self, number: &str) -> Option<ActorRef<QueueMsg>> {
        self.queues.read().get(number).cloned()
    }

    /// The actor of an agent.
    #[must_use]
    pub fn agent(&self, extension: &str) -> Option<ActorRef<AgentMsg>> {
        self.agents.read().get(extension).cloned()
    }

    /// All agents in the order of their extensions; those that do not answer are left out.
    pub async fn agents(&self) -> Vec<AgentView> {
        let actors: Vec<_> = self.agents.read().values().cloned().collect();
        let asked = actors.iter().map(|agent| ask(agent, VIEW_WITHIN, AgentMsg::View));
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// A queue as it is now.
    pub async fn queue_status(&self, number: &str) -> Option<QueueStatus> {
        ask(&self.queue(number)?, VIEW_WITHIN, QueueMsg::View).await.ok()
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
        let Some(agent) = self.agent(extension) else {
            return Err(Refusal::NotFound { kind: "agent", key: extension.to_owned() });
        };
        let own = by.extension.as_deref() == Some(extension);
        let source = match by.role {
            _ if own => Source::PanelSelf,
            Role::Manager => Source::PanelManager,
            Role::Admin | Role::Agent | Role::Wallboard => Source::Api,
        };
        let command = command.into();
        let wish = |reply| AgentMsg::Command { command, source, reply };
        match ask(&agent, COMMAND_WITHIN, wish).await {
            Ok(answer) => answer.map(|(_, view)| view),
            Err(error) => Err(Refusal::Unavailable { detail: error.to_string() }),
        }
    }

    pub(crate) fn queue_runs(&self, number: &str, actor: ActorRef<QueueMsg>) {
        self.queues.write().insert(number.to_owned(), actor);
    }

    pub(crate) fn queue_gone(&self, number: &str) {
        self.queues.write().remove(number);
    }

    /// The ways back to the calls of a queue. They outlive its actor and the supervisor.
    pub(crate) fn sinks(&self, number: &str) -> Sinks {
        Sinks::clone(self.sinks.write().entry(number.to_owned()).or_default())
    }

    /// The way of an entity to the journal. It outlives the entity's actor and the supervisor:
    /// a second one could not know what the first has still to append.
    pub(crate) fn recorder(&self, journal: &Journal, entity: Entity, epoch: u64) -> Recorder {
        let mut recorders = self.recorders.write();
        let new = || Recorder::new(journal.clone(), entity.clone(), epoch);
        recorders.entry(entity.clone()).or_insert_with(new).clone()
    }

    /// A queue was removed.
    pub(crate) fn forget_queue(&self, number: &str) {
        self.sinks.write().remove(number);
        self.recorders
            .write()
            .retain(|it, _| it.kind != entity::QUEUE || entity::queue_number(&it.key) != number);
    }

    pub(crate) fn agent_gone(&self, extension: &str) {
        self.agents.write().remove(extension);
    }

    /// Makes an agent's actor known and says what it missed. From here on it is told of changes
    /// itself.
    pub(crate) fn agent_runs(&self, extension: &str, actor: ActorRef<AgentMsg>) -> Seen {
        let seen = self.seen.read();
        self.agents.write().insert(extension.to_owned(), actor);
        seen.get(extension).cloned().unwrap_or_default()
    }

    /// The journal has facts of an agent up to a version; some may be another member's.
    pub fn agent_followed(&self, extension: &str, version: u64) {
        if let Some(agent) = self.agent(extension) {
            // An actor that has just ended: the next one reads the journal.
            let _gone = agent.cast(AgentMsg::Followed(version));
        }
    }

    /// An extension's first phone came or its last one went.
    pub fn registered(&self, extension: &str, registered: bool) {
        self.note_phones(extension, |seen| seen.registered = registered);
    }

    /// A browser became an extension's phone or is it no more.
    pub fn browser(&self, extension: &str, there: bool) {
        self.note_phones(extension, |seen| seen.browser = there);
    }

    /// An extension is in a call.
    pub fn in_call(&self, extension: &str, call: CallId) {
        self.note(extension, |seen| {
            seen.calls.insert(call);
            AgentMsg::InCall(call)
        });
    }

    /// An extension is not in a call any more.
    pub fn out_of_call(&self, extension: &str, call: CallId) {
        self.note(extension, |seen| {
            seen.calls.remove(&call);
            AgentMsg::OutOfCall(call)
        });
    }

    fn note_phones(&self, extension: &str, change: impl FnOnce(&mut Seen)) {
        self.note(extension, |seen| {
            change(seen);
            AgentMsg::Registered(seen.is_reachable())
        });
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
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn claim_now(&self, extension: &str, call: CallId) -> bool {
        let Some(agent) = self.agent(extension) else { return self.claim_phone(extension, call) };
        let question = |reply| AgentMsg::Claim { call, reply };
        match ask(&agent, VIEW_WITHIN, question).await {
            Ok(Ok(())) => {
                self.in_call(extension, call);
                true
            }
            Ok(Err(_)) => false,
            // It may have said yes too late.
            Err(_) => {
                self.out_of_call(extension, call);
                false
            }
        }
    }

    /// Takes an extension for a call that it asked for itself: one that is in no call, whatever
    /// its agent's state. The agent is told.
    pub fn take(&self, extension: &str, call: CallId) -> bool {
        let is_taken = self.claim_phone(extension, call);
        if is_taken {
            self.in_call(extension, call);
        }
        is_taken
    }

    fn claim_phone(&self, extension: &str, call: CallId) -> bool {
        let mut seen = self.seen.write();
        let Some(entry) = seen.get_mut(extension) else { return false };
        entry.registered && entry.calls.is_empty() && entry.calls.insert(call)
    }

    /// The lock is held while the message is sent, so that a new actor misses none.
    fn note(&self, extension: &str, change: impl FnOnce(&mut Seen) -> AgentMsg) {
        let mut seen = self.seen.write();
        let entry = seen.entry(extension.to_owned()).or_default();
        let message = change(entry);
        if *entry == Seen::default() {
            seen.remove(extension);
        }
        if let Some(agent) = self.agent(extension) {
            // An actor that has just ended: the next one reads what was noted.
            let _gone = agent.cast(message);
        }
    }

    /// Carries out a feature code for the extension that dialled it and names the
    /// prompt that confirms it.
    pub async fn carry_out_code(&self, extension: &str, command: Command) -> &'static str {
        let Some(agent) = self.agent(extension) else { return "error" };
        let source = Source::Phone;
        let wish = |reply| AgentMsg::Command { command, source, reply };
        match ask(&agent, COMMAND_WITHIN, wish).await {
            Ok(Ok((outcome, _))) => outcome.prompt(),
            Ok(Err(_)) | Err(_) => "error",
        }
    }
}
