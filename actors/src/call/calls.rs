//! The live calls of a node: found by id and by dialog, admitted, supervised.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use parking_lot::{Mutex, RwLock};
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tandem_kernel::{CallId, Timestamp, ask};
use tandem_telemetry::metric;
use tokio::runtime::Handle;
use tokio_util::context::TokioContext;

use super::actor::{CallActor, CallArgs};
use super::machine::LegIndex;
use super::message::CallMsg;
use crate::office::CallCommand;

/// Children are spread over several supervisors: each spawn takes its parent's lock.
const SUPERVISORS: usize = 4;

/// How often it is looked whether the last call has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Why a call is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdmitted {
    /// The node is full, or new calls come too fast.
    Overloaded,
    /// The node drains.
    Draining,
}

struct Admission {
    max_calls: usize,
    per_second: u32,
    second: u64,
    taken: u32,
    draining: bool,
    /// The disk has no room for the facts of more calls.
    is_full: bool,
}

/// The live calls.
pub struct Calls {
    live: RwLock<BTreeMap<CallId, ActorRef<CallMsg>>>,
    dialogs: RwLock<HashMap<String, (CallId, LegIndex)>>,
    admission: Mutex<Admission>,
    supervisors: Vec<ActorRef<Never>>,
    threads: Handle,
}

impl Calls {
    /// Starts the supervisors. Calls live on this runtime, whoever begins them.
    ///
    /// # Errors
    /// When an actor can not be started.
    pub async fn start(max_calls: usize, per_second: u32) -> Result<Arc<Self>, ractor::SpawnErr> {
        let mut supervisors = Vec::with_capacity(SUPERVISORS);
        for _ in 0..SUPERVISORS {
            supervisors.push(Actor::spawn(None, CallSupervisor, ()).await?.0);
        }
        let admission = Admission {
            max_calls,
            per_second,
            second: 0,
            taken: 0,
            draining: false,
            is_full: false,
        };
        Ok(Arc::new(Self {
            live: RwLock::default(),
            dialogs: RwLock::default(),
            admission: Mutex::new(admission),
            supervisors,
            threads: Handle::current(),
        }))
    }

    /// Whether one more call may begin now.
    ///
    /// # Errors
    /// [`NotAdmitted`]; the caller is told 503 with Retry-After.
    pub fn admit(&self, now: Timestamp) -> Result<(), NotAdmitted> {
        let live = self.live.read().len();
        let mut admission = self.admission.lock();
        if admission.draining {
            return Err(NotAdmitted::Draining);
        }
        let second = now.as_micros() / 1_000_000;
        if admission.second != second {
            admission.second = second;
            admission.taken = 0;
        }
        let too_fast = admission.per_second > 0 && admission.taken >= admission.per_second;
        if live >= admission.max_calls || too_fast || admission.is_full {
            metric::CALLS_REFUSED.increment();
            return Err(NotAdmitted::Overloaded);
        }
        admission.taken += 1;
        Ok(())
    }

    /// No new calls from now on.
    pub fn drain(&self) {
        self.admission.lock().draining = true;
    }

    /// Whether new calls are refused because nothing more can be written down.
    pub fn set_full(&self, is_full: bool) {
        self.admission.lock().is_full = is_full;
    }

    /// Whether the node drains.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.admission.lock().draining
    }

    /// Starts the actor of a call.
    ///
    /// # Errors
    /// When it can not be started.
    pub async fn spawn(&self, args: CallArgs) -> Result<ActorRef<CallMsg>, ractor::SpawnErr> {
        let id = args.id;
        let supervisor = &self.supervisors[id.as_u128() as usize % self.supervisors.len()];
        let spawning = Actor::spawn_linked(None, CallActor, args, supervisor.get_cell());
        let (call, _task) = TokioContext::new(spawning, self.threads.clone()).await?;
        Ok(call)
    }

    pub(crate) fn insert(&self, id: CallId, call: ActorRef<CallMsg>) {
        let mut live = self.live.write();
        live.insert(id, call);
        metric::CALLS_ACTIVE.set(live.len() as u64);
    }

    pub(crate) fn remove(&self, id: CallId) {
        let mut live = self.live.write();
        live.remove(&id);
        metric::CALLS_ACTIVE.set(live.len() as u64);
    }

    pub(crate) fn know_dialog(&self, sip_call_id: &str, call: CallId, leg: LegIndex) {
        self.dialogs.write().insert(sip_call_id.to_owned(), (call, leg));
    }

    pub(crate) fn forget_dialog(&self, sip_call_id: &str, call: CallId) {
        let mut dialogs = self.dialogs.write();
        if dialogs.get(sip_call_id).is_some_and(|(owner, _)| *owner == call) {
            dialogs.remove(sip_call_id);
        }
    }

    /// The call and leg of a SIP dialog.
    #[must_use]
    pub fn by_dialog(&self, sip_call_id: &str) -> Option<(CallId, LegIndex)> {
        self.dialogs.read().get(sip_call_id).copied()
    }

    /// The actor of a live call.
    #[must_use]
    pub fn find(&self, id: CallId) -> Option<ActorRef<CallMsg>> {
        self.live.read().get(&id).cloned()
    }

    /// All live calls in the order in which they began.
    #[must_use]
    pub fn all(&self) -> Vec<(CallId, ActorRef<CallMsg>)> {
        self.live.read().iter().map(|(id, call)| (*id, call.clone())).collect()
    }

    /// Waits until the last call has ended.
    pub async fn ended(&self) {
        while self.count() > 0 {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Says goodbye to all that are left and waits until they have ended, at most so long.
    pub async fn end(&self, within: Duration) {
        let end = |reply| CallMsg::Command { command: CallCommand::HangUp, reply };
        let all = self.all();
        // One that has just ended needs none.
        let told = join_all(all.iter().map(|(_, call)| ask(call, within, end)));
        let ended = async {
            told.await;
            self.ended().await;
        };
        let _in_time = tokio::time::timeout(within, ended).await;
    }

    /// How many calls there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.live.read().len()
    }
}

/// Supervisors are sent nothing.
pub(crate) enum Never {}

impl ractor::Message for Never {}

/// Watches calls. A call that crashes has told its end from `Drop`; nobody is started again,
/// since its dialogs are gone with it.
struct CallSupervisor;

impl Actor for CallSupervisor {
    type Msg = Never;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _myself: ActorRef<Never>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _myself: ActorRef<Never>,
        message: Never,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        match message {}
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<Never>,
        event: SupervisionEvent,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(_, error) = event {
            metric::ACTOR_RESTARTS.increment_with("kind", "call");
            tracing::error!(%error, "a call crashed");
        }
        Ok(())
    }
}
