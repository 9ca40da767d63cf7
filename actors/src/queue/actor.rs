//! The shell of a queue: messages in, effects out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tandem_config::resource::Queue as Config;
use tandem_journal::AppendError;
use tandem_kernel::{CallId, Clock};
use tandem_telemetry::metric;
use tandem_wire::WireError;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::Instant;

use super::machine::{Effect, Input, Queue, Refused};
use super::request::ReturnCall;
use super::{
    CallSink, DailyReset, DecisionSink, Exit, Facts, QueueEvent, QueueMsg, QueueNotice, QueueWord,
};
use crate::entity;
use crate::placement::Moves;
use crate::recorder::{Fold, Recorder};
use crate::whereabouts::Whereabouts;

/// The ways back to the calls of a queue. They belong to the node ([`Whereabouts`]), so that no
/// crash of the queue's actor or of its supervisor loses one.
pub type Sinks = Arc<Mutex<BTreeMap<CallId, CallSink>>>;

/// An errand, with what the queue has to say to the call that does it.
pub struct Sent {
    /// What is to be done.
    pub wanted: ReturnCall,
    /// Ends with the queue's interest in the call.
    pub notices: UnboundedReceiver<QueueNotice>,
}

/// Starts the calls that queues want made.
pub type Sender = Arc<dyn Fn(Sent) + Send + Sync>;

/// How often it is looked whether an interval of the service level is over.
const MINUTE: Duration = Duration::from_secs(60);

/// How far this member may be behind in reading for itself what an actor has read that begins.
const READ_BY_THEN: Duration = Duration::from_secs(1);

/// A notice that waits for the commit.
type Kept = (CallSink, QueueNotice);

impl Fold for Facts {
    type Event = QueueEvent;

    fn evolve(&mut self, event: &QueueEvent) {
        Self::evolve(self, event);
    }

    fn read(bytes: &[u8], limit: usize) -> Result<Self, WireError> {
        Self::read(bytes, limit)
    }
}

/// What a queue is started with.
pub struct QueueArgs {
    /// The configuration.
    pub config: Config,
    /// The ways back to the calls.
    pub sinks: Sinks,
    /// The other actors.
    pub placed: Arc<Whereabouts>,
    /// Where decisions go.
    pub decisions: DecisionSink,
    /// Who starts calls.
    pub sender: Sender,
    /// The clock.
    pub clock: Clock,
    /// Since when this node owns the queue.
    pub epoch: u64,
    pub(crate) recorder: Recorder,
}

/// The state of the actor.
pub struct QueueState {
    queue: Queue,
    number: String,
    sinks: Sinks,
    placed: Arc<Whereabouts>,
    decisions: DecisionSink,
    sender: Sender,
    clock: Clock,
    epoch: u64,
    recorder: Recorder,
    /// How many appends were refused before this actor began.
    refusals: u64,
    /// Where its agents are.
    agents: Moves,
    began: Instant,
}

/// The actor.
pub struct QueueActor;

impl Actor for QueueActor {
    type Msg = QueueMsg;
    type State = QueueState;
    type Arguments = QueueArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<QueueMsg>,
        args: QueueArgs,
    ) -> Result<QueueState, ActorProcessingErr> {
        let reset = DailyReset::at_midnight_of(&args.config.daily_reset_zone);
        let follow = |facts: &mut Facts| facts.follow(reset);
        let facts = args.recorder.own_by(args.epoch, follow).await?;
        args.placed.recover_sinks(&args.config.number, args.epoch, &facts.listeners());
        let mut state = QueueState {
            number: args.config.number.clone(),
            queue: Queue::new(args.config, facts),
            sinks: args.sinks,
            placed: args.placed,
            decisions: args.decisions,
            sender: args.sender,
            clock: args.clock,
            epoch: args.epoch,
            refusals: args.recorder.refusals(),
            recorder: args.recorder,
            agents: Moves::default(),
            began: Instant::now(),
        };
        state.moved_agents(None);
        // Agents answer at once, so they must find this actor.
        state.placed.queue_runs(&state.number, myself.clone());
        let alive: BTreeSet<CallId> = state.sinks.lock().keys().copied().collect();
        let patience = state.placed.patience();
        state.report(&myself, Input::Opened { seed: rand::random(), alive, patience });
        state.placed.doubt(&myself, state.queue.facts().active.keys().copied());
        state.next_minute(&myself);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<QueueMsg>,
        message: QueueMsg,
        state: &mut QueueState,
    ) -> Result<(), ActorProcessingErr> {
        let owned = state.placed.placement().owned_since(entity::QUEUE, &state.number);
        if owned != Some(state.epoch) {
            // Somebody else's by now, or maybe so: not one word more.
            myself.stop(None);
            return Ok(());
        }
        let input = match message {
            QueueMsg::Heard {
                word: word @ QueueWord::Join { call, .. },
                reply_to: Some(reply_to),
            } => {
                for input in word.inputs(state.queue.facts()) {
                    state.join(&myself, call, input, reply_to.clone());
                }
                return Ok(());
            }
            QueueMsg::Heard { word, reply_to: _ } => {
                for input in word.inputs(state.queue.facts()) {
                    state.report(&myself, input);
                }
                return Ok(());
            }
            QueueMsg::View(reply) => {
                let _asker_is_gone = reply.send(state.queue.view());
                return Ok(());
            }
            QueueMsg::Leases(reply) => {
                let _asker_is_gone = reply.send(state.queue.leases());
                return Ok(());
            }
            QueueMsg::Callbacks(reply) => {
                let _asker_is_gone = reply.send(state.queue.callbacks());
                return Ok(());
            }
            QueueMsg::CancelCallback { call, reply } => {
                state.asked(&myself, Input::CancelCallback { call }, reply);
                return Ok(());
            }
            QueueMsg::PickUp { call, by, reply } => {
                state.asked(&myself, Input::PickUp { call, by }, reply);
                return Ok(());
            }
            // Somebody else's by now, which is read here in a moment.
            QueueMsg::NotRecorded(AppendError::StaleEpoch { .. }) => {
                myself.stop(None);
                return Ok(());
            }
            QueueMsg::NotRecorded(error) => return Err(error.into()),
            QueueMsg::Minute => {
                state.next_minute(&myself);
                Input::Minute
            }
            QueueMsg::Placed => {
                let moved = state.moved_agents(None);
                state.follow(&myself, moved);
                return Ok(());
            }
            QueueMsg::Configure(config) => {
                let moved = state.moved_agents(Some(&config));
                state.report(&myself, Input::Configure(config));
                state.follow(&myself, moved);
                return Ok(());
            }
            // Its facts may be newer than what this member has read for itself.
            QueueMsg::Talks(_) if state.began.elapsed() < READ_BY_THEN => return Ok(()),
            QueueMsg::Talks(talk) => Input::Talks(talk),
            QueueMsg::Remove => Input::Remove,
            QueueMsg::Timer(timer) => Input::Timer(timer),
        };
        state.report(&myself, input);
        Ok(())
    }
}

impl QueueState {
    /// Agents that have been moved since the last look, of those that the queue has or will have.
    fn moved_agents(&mut self, new: Option<&Config>) -> Vec<String> {
        let members = &new.unwrap_or_else(|| self.queue.config()).members;
        let keys = members.iter().map(|member| member.extension.as_str());
        self.agents.look(keys, |key| self.placed.placement().epoch(entity::AGENT, key))
    }

    fn follow(&mut self, myself: &ActorRef<QueueMsg>, moved: Vec<String>) {
        for agent in moved {
            self.report(myself, Input::AgentMoved { agent });
        }
    }

    /// Has the actor told when the next minute of the clock begins.
    fn next_minute(&self, myself: &ActorRef<QueueMsg>) {
        let into = Duration::from_micros(self.clock.now().as_micros() % 60_000_000);
        // The handle is dropped: the message ends with the actor.
        drop(myself.send_after(MINUTE - into, || QueueMsg::Minute));
    }

    fn join(
        &mut self,
        myself: &ActorRef<QueueMsg>,
        call: CallId,
        input: Input,
        reply_to: CallSink,
    ) {
        let older = self.sinks.lock().insert(call, reply_to);
        let joined = self.step(myself, input);
        if let Err(refused) = joined {
            tracing::debug!(queue = %self.number, %call, %refused, "not joined");
            let mut sinks = self.sinks.lock();
            match older {
                Some(older) => sinks.insert(call, older),
                None => sinks.remove(&call),
            };
        }
    }

    /// A step that nobody waits for.
    fn report(&mut self, myself: &ActorRef<QueueMsg>, input: Input) {
        if let Err(refused) = self.step(myself, input) {
            tracing::debug!(queue = %self.number, %refused, "input refused");
        }
    }

    /// A step that somebody waits for; who asked hears of it after the commit.
    fn asked(
        &mut self,
        myself: &ActorRef<QueueMsg>,
        input: Input,
        reply: RpcReplyPort<Result<(), Refused>>,
    ) {
        let outcome = self.step(myself, input);
        if outcome.is_err() {
            let _asker_is_gone = reply.send(outcome);
            return;
        }
        let (recorder, refusals) = (self.recorder.clone(), self.refusals);
        tandem_kernel::spawn("queue answer", async move {
            // Without the commit nobody is answered, and who asks hears of a time-out.
            if recorder.kept(refusals).await {
                let _asker_is_gone = reply.send(Ok(()));
            }
        });
    }

    /// Runs one step of the machine, then carries out what it asked for.
    fn step(&mut self, myself: &ActorRef<QueueMsg>, input: Input) -> Result<(), Refused> {
        let effects = self.queue.step(self.clock.now(), input)?;
        let mut events = Vec::new();
        let mut kept: Vec<Kept> = Vec::new();
        let mut outward = Vec::with_capacity(effects.len());
        for effect in effects {
            match effect {
                Effect::Record(event) => events.push(event),
                Effect::NotifyKept { call, notice } => {
                    kept.extend(self.sinks.lock().get(&call).map(|sink| (sink.clone(), notice)));
                }
                other => outward.push(other),
            }
        }
        self.measure(&events);
        self.append(myself, &events, kept);
        for effect in outward {
            self.carry_out(myself, effect);
        }
        Ok(())
    }

    fn measure(&self, events: &[QueueEvent]) {
        for exit in events.iter().filter_map(QueueEvent::exit) {
            metric::QUEUE_EXITS.increment_with("exit", exit.as_str());
        }
        if !events.is_empty() {
            let waiting = u64::try_from(self.queue.facts().waiting.len()).unwrap_or(u64::MAX);
            metric::QUEUE_WAITING.set_with("queue", self.number.clone(), waiting);
        }
    }

    /// Progress of calls is not held up by the disk. A fact that was not taken ends the actor,
    /// so that it begins again from what the journal knows.
    fn append(&self, myself: &ActorRef<QueueMsg>, events: &[QueueEvent], kept: Vec<Kept>) {
        let is_nothing = kept.is_empty();
        let tell = move || {
            for (sink, notice) in kept {
                // A call that is gone needs no telling.
                let _gone = sink(notice);
            }
        };
        if events.is_empty() && is_nothing {
            return;
        }
        if events.is_empty() {
            let (recorder, refusals) = (self.recorder.clone(), self.refusals);
            // What was recorded before may still be on its way, or may have been refused.
            tandem_kernel::spawn("queue notice", async move {
                if recorder.kept(refusals).await {
                    tell();
                }
            });
            return;
        }
        let actor = myself.clone();
        self.recorder.append(events, self.queue.facts(), move |outcome| match outcome {
            Ok(()) => tell(),
            Err(error) => {
                let _gone = actor.cast(QueueMsg::NotRecorded(error));
            }
        });
    }

    /// Lets a call be started, to which goes from now on what its place is told.
    fn send(&self, wanted: ReturnCall) {
        let (notices, queued) = mpsc::unbounded_channel();
        let sink: CallSink = Arc::new(move |notice| notices.send(notice).is_ok());
        self.sinks.lock().insert(wanted.place, sink);
        (self.sender)(Sent { wanted, notices: queued });
    }

    fn rename(&self, from: CallId, to: CallId) {
        let mut sinks = self.sinks.lock();
        if let Some(sink) = sinks.remove(&from) {
            sinks.insert(to, sink);
        }
    }

    fn carry_out(&self, myself: &ActorRef<QueueMsg>, effect: Effect) {
        match effect {
            Effect::Record(_) | Effect::NotifyKept { .. } => {}
            Effect::CallBack(wanted) => self.send(wanted),
            Effect::Rename { from, to } => self.rename(from, to),
            Effect::Notify { call, notice } => {
                let sink = self.sinks.lock().get(&call).cloned();
                if sink.is_some_and(|sink| !sink(notice)) {
                    // The call crashed. It can not say so itself any more.
                    let word = QueueWord::CallerLeft { call, reason: Exit::System };
                    let _ended = myself.cast(QueueMsg::Heard { word, reply_to: None });
                }
            }
            Effect::Tell { agent, message } => {
                self.placed.tell_agent(&agent, self.number.clone(), message);
            }
            Effect::Arm { timer, after } => {
                // The handle is dropped: a late timer is told apart by its number.
                drop(myself.send_after(after, move || QueueMsg::Timer(timer)));
            }
            Effect::Decide(call, decision) => (self.decisions)(call, decision),
            Effect::Forget(call) => drop(self.sinks.lock().remove(&call)),
            Effect::Closed => myself.stop(None),
        }
    }
}
