//! Where queue and agent actors are: those of this node, and how those of other members are
//! reached. What is known of the agents' phones and calls is known whether actors run or not.

mod floor;
pub mod machine;
mod reach;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use ractor::ActorRef;
use tandem_journal::{Entity, Journal};
use tandem_kernel::{CallId, Clock};
use tandem_telemetry::metric;

use self::machine::{Floors, Seen};
use crate::agent::AgentMsg;
use crate::call::KeptCalls;
use crate::entity;
use crate::gateway::Gateway;
use crate::placement::Placement;
use crate::queue::answers::Answers;
use crate::queue::machine::FOUND_WITHIN;
use crate::queue::{QueueMsg, QueueWord, Sinks};
use crate::recorder::Recorder;

/// How long a call's last word to its queue may be on its way when the journal has its end.
const HEARD_BY_THEN: Duration = Duration::from_secs(5);

/// How often it is looked which callers queues do not know of.
const COUNT_EVERY: Duration = Duration::from_millis(500);

/// The directory of placed actors.
#[derive(Default)]
pub struct Whereabouts {
    placement: Placement,
    gateway: OnceLock<(u64, Gateway)>,
    queues: RwLock<BTreeMap<String, ActorRef<QueueMsg>>>,
    agents: RwLock<BTreeMap<String, ActorRef<AgentMsg>>>,
    floors: RwLock<Floors>,
    kept: KeptCalls,
    sinks: RwLock<BTreeMap<String, Sinks>>,
    /// Since when a queue was here when its ways were looked for last.
    found: Mutex<BTreeMap<String, u64>>,
    recorders: RwLock<BTreeMap<Entity, Recorder>>,
    /// Whether this member has gone on with its calls of before its start.
    has_gone_on: AtomicBool,
}

impl Whereabouts {
    /// For a member of a cluster; the node that is alone has the default.
    #[must_use]
    pub fn placed(placement: Placement, kept: KeptCalls) -> Self {
        Self { placement, kept, ..Self::default() }
    }

    /// The way to the other members, for the member `own`.
    pub fn link(&self, own: u64, gateway: Gateway) {
        let _first = self.gateway.set((own, gateway));
    }

    /// A member died: what it told of its calls holds no more.
    pub fn member_left(&self, member: u64) {
        if let Some((own, gateway)) = self.gateway.get()
            && *own != member
        {
            gateway.died(member);
        }
    }

    /// Who runs what.
    #[must_use]
    pub const fn placement(&self) -> &Placement {
        &self.placement
    }

    /// The level of the members' language in which the journal may be written.
    pub(crate) fn settled_level(&self) -> u16 {
        self.gateway().map_or(u16::MAX, Gateway::settled_level)
    }

    pub(crate) fn gateway(&self) -> Option<&Gateway> {
        self.gateway.get().map(|(_, gateway)| gateway)
    }

    /// The actor of a queue, if it runs here.
    #[must_use]
    pub fn queue(&self, number: &str) -> Option<ActorRef<QueueMsg>> {
        self.queues.read().get(number).cloned()
    }

    /// The actor of an agent, if it runs here.
    #[must_use]
    pub fn agent(&self, extension: &str) -> Option<ActorRef<AgentMsg>> {
        self.agents.read().get(extension).cloned()
    }

    /// The actors of all queues that run here, by number.
    pub(crate) fn queue_actors(&self) -> BTreeMap<String, ActorRef<QueueMsg>> {
        self.queues.read().clone()
    }

    /// The actors of all agents that run here, by extension.
    pub(crate) fn agent_actors(&self) -> BTreeMap<String, ActorRef<AgentMsg>> {
        self.agents.read().clone()
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

    /// Finds the ways to calls of which a queue has read that is here since `epoch`; those of an
    /// earlier time lead where calls were. Who is alone has none that it does not know: its calls
    /// ended with it.
    pub(crate) fn recover_sinks(
        &self,
        number: &str,
        epoch: u64,
        listeners: &BTreeMap<CallId, CallId>,
    ) {
        let Some((own, gateway)) = self.gateway.get() else { return };
        let before = self.found.lock().insert(number.to_owned(), epoch);
        let sinks = self.sinks(number);
        let mut sinks = sinks.lock();
        if before != Some(epoch) {
            sinks.clear();
        }
        for (name, call) in listeners {
            if !sinks.contains_key(name)
                && let Some(way) = gateway.way_to(*own, *call, number)
            {
                sinks.insert(*name, way);
            }
        }
    }

    /// Of which calls that a queue has read of nothing is kept here. They have ended, maybe, while
    /// nobody ran the queue: if that is still so after a while, it is told.
    pub(crate) fn doubt(&self, queue: &ActorRef<QueueMsg>, talks: impl Iterator<Item = CallId>) {
        if self.gateway.get().is_none() {
            return;
        }
        for call in talks.filter(|call| !self.kept.has(*call)) {
            let (kept, queue) = (self.kept.clone(), queue.clone());
            tandem_kernel::spawn("doubt", async move {
                tokio::time::sleep(HEARD_BY_THEN).await;
                if !kept.has(call) {
                    let word = QueueWord::CallLost { call };
                    // One that has ended meanwhile doubts when it begins again.
                    let _gone = queue.cast(QueueMsg::Heard { word, reply_to: None });
                }
            });
        }
    }

    /// The queue is another member's now: ways from here lead nowhere.
    pub(crate) fn forget_sinks(&self, number: &str) {
        self.sinks(number).lock().clear();
    }

    /// The member that has a call: where it began, or who took it over.
    #[must_use]
    pub fn home(&self, call: CallId) -> u64 {
        self.kept.home(call)
    }

    /// Whether a call is this member's.
    #[must_use]
    pub fn is_home(&self, call: CallId) -> bool {
        self.gateway.get().is_none_or(|(own, _)| self.home(call) == *own)
    }

    /// Whether a member may say a word: of a call, only who has the call.
    pub(crate) fn may_say(&self, member: u64, word: &QueueWord) -> bool {
        self.kept.may_say(member, word)
    }

    /// As [`may_say`](Self::may_say), for a word that another member has said.
    pub(crate) fn is_heard(&self, member: u64, word: &QueueWord) -> bool {
        self.kept.heard(member, word);
        self.may_say(member, word)
    }

    /// This member has gone on with all calls of before its start that are still its own.
    pub fn gone_on(&self) {
        self.has_gone_on.store(true, Ordering::Relaxed);
    }

    /// Whether a call of this member that is not here may still come back: nobody is to be told
    /// that it is gone.
    pub(crate) fn may_come_back(&self, call: CallId) -> bool {
        let has_gone_on = || self.has_gone_on.load(Ordering::Relaxed);
        self.gateway.get().is_some() && (!has_gone_on() || self.kept.is_coming(call))
    }

    /// A call ended in the journal. A queue that still knows of it after a while has not heard
    /// of the end: the call's member died.
    pub fn call_ended(&self, call: CallId) {
        let known = |sinks: &&Sinks| sinks.lock().contains_key(&call);
        let queues: Vec<String> = {
            let sinks = self.sinks.read();
            sinks.iter().filter(|(_, sinks)| known(sinks)).map(|(it, _)| it.clone()).collect()
        };
        for actor in queues.iter().filter_map(|number| self.queue(number)) {
            let word = QueueWord::CallLost { call };
            drop(actor.send_after(HEARD_BY_THEN, move || QueueMsg::Heard {
                word: word.clone(),
                reply_to: None,
            }));
        }
    }

    /// How long a queue waits for word of callers who can not be reached. The calls of who is alone
    /// ended with it.
    pub(crate) fn patience(&self) -> Duration {
        self.gateway.get().map_or(Duration::ZERO, |_| FOUND_WITHIN)
    }

    /// Tells the queues that run here, for the life of the node, what calls say of themselves and
    /// the queues' facts do not.
    pub async fn keep_count(self: Arc<Self>, answers: Arc<Mutex<Answers>>, clock: Clock) {
        loop {
            tokio::time::sleep(COUNT_EVERY).await;
            let runs = |queue: &str| self.placement.owned_since(entity::QUEUE, queue).is_some();
            let late = answers.lock().late(clock.now(), runs);
            for (number, talk) in late {
                metric::QUEUE_TOLD_AGAIN.increment();
                if let Some(queue) = self.queue(&number) {
                    // One that has just ended is told again when it has begun.
                    let _gone = queue.cast(QueueMsg::Talks(Box::new(talk)));
                }
            }
        }
    }

    /// The way of an entity to the journal. It outlives the entity's actor and the supervisor:
    /// a second one could not know what the first has still to append.
    pub(crate) fn recorder(&self, journal: &Journal, entity: Entity) -> Recorder {
        let mut recorders = self.recorders.write();
        let new = || Recorder::new(journal.clone(), entity.clone());
        recorders.entry(entity.clone()).or_insert_with(new).clone()
    }

    /// A queue was removed.
    pub(crate) fn forget_queue(&self, number: &str) {
        self.sinks.write().remove(number);
        self.recorders.write().retain(|it, _| it.kind != entity::QUEUE || it.key != number);
    }

    pub(crate) fn agent_gone(&self, extension: &str) {
        self.agents.write().remove(extension);
    }

    /// Makes an agent's actor known and says what it missed. From here on it is told of changes
    /// itself.
    pub(crate) fn agent_runs(&self, extension: &str, actor: ActorRef<AgentMsg>) -> Seen {
        let floors = self.floors.read();
        self.agents.write().insert(extension.to_owned(), actor);
        floors.seen(extension)
    }

    /// The journal has facts of an agent up to a version; some may be another member's.
    pub fn agent_followed(&self, extension: &str, version: u64) {
        if let Some(agent) = self.agent(extension) {
            // An actor that has just ended: the next one reads the journal.
            let _gone = agent.cast(AgentMsg::Followed(version));
        }
    }
}
