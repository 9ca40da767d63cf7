//! The actors of queues and agents over a journal on a disk: the shells around the machines.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use ractor::{Actor, ActorRef};
use tandem_actors::agent::{AgentsActor, AgentsArgs, AgentsMsg, Command, Scope};
use tandem_actors::office::{Activity, AgentCommand, Principal, Refusal};
use tandem_actors::queue::{
    Exit, OfferId, Party, QueueMsg, QueueNotice, QueueWord, QueuesActor, QueuesArgs, QueuesMsg,
};
use tandem_actors::whereabouts::Whereabouts;
use tandem_config::resource::{Member, Membership, Queue, Settings};
use tandem_journal::{Config, Journal};
use tandem_kernel::{CallId, Clock};
use tokio::sync::mpsc;

const PATIENCE: Duration = Duration::from_secs(20);

/// The floor of a contact centre: its supervisors and what they share.
struct Floor {
    journal: Journal,
    placed: Arc<Whereabouts>,
    queues: ActorRef<QueuesMsg>,
    kept: QueuesArgs,
    agents: ActorRef<AgentsMsg>,
    decided: Arc<Mutex<Vec<(CallId, &'static str)>>>,
}

/// Agent 1001 is static, 1002 dynamic.
fn queue() -> Queue {
    let mut queue: Queue =
        serde_json::from_str(r#"{"number": "6400", "name": "Support"}"#).unwrap();
    let member = |extension: &str, membership| Member::new(extension, membership);
    queue.members = vec![member("1001", Membership::Static), member("1002", Membership::Dynamic)];
    queue.agent.retry_interval_secs = 0;
    queue
}

impl Floor {
    async fn open(dir: &Path) -> Self {
        Self::open_at(dir, Clock::start(), queue()).await
    }

    async fn open_at(dir: &Path, clock: Clock, queue: Queue) -> Self {
        let journal = Journal::open(Config::new(dir, clock)).await.unwrap();
        let placed = Arc::new(Whereabouts::default());
        let decided: Arc<Mutex<Vec<_>>> = Arc::default();
        let sink = Arc::clone(&decided);
        let queues = QueuesArgs {
            queues: vec![queue.clone()],
            journal: journal.clone(),
            placed: Arc::clone(&placed),
            decisions: Arc::new(move |call, decision| sink.lock().push((call, decision.code))),
            // Calls do not run here, so nobody is called back.
            sender: Arc::new(drop),
            clock,
        };
        let agents = AgentsArgs {
            queues: vec![queue],
            settings: Settings::default(),
            journal: journal.clone(),
            placed: Arc::clone(&placed),
            clock,
        };
        let kept = queues.clone();
        let (queues, _) = Actor::spawn(None, QueuesActor, queues).await.unwrap();
        let (agents, _) = Actor::spawn(None, AgentsActor, agents).await.unwrap();
        Self { journal, placed, queues, kept, agents, decided }
    }

    async fn close(self) {
        self.queues.stop_and_wait(None, None).await.unwrap();
        self.agents.stop_and_wait(None, None).await.unwrap();
        drop((self.kept, self.placed));
        self.journal.close().await.unwrap();
    }

    fn tell(&self, message: QueueMsg) {
        self.placed.queue("6400").unwrap().cast(message).unwrap();
    }

    fn hear(&self, word: QueueWord) {
        self.tell(QueueMsg::Heard { word, reply_to: None });
    }

    fn call(&self, number: u128) -> Caller {
        let call = CallId::from_u128(number);
        let (sink, notices) = mpsc::unbounded_channel();
        let (caller, caller_name) = ("0912".into(), String::new());
        self.tell(QueueMsg::Heard {
            word: QueueWord::Join { call, stay: 1, caller, caller_name },
            reply_to: Some(Arc::new(move |notice| sink.send(notice).is_ok())),
        });
        Caller { call, notices }
    }

    fn answer(&self, caller: &Caller, offer: OfferId) {
        let call = caller.call;
        self.hear(QueueWord::OfferAnswered { call, offer });
    }
}

struct Caller {
    call: CallId,
    notices: mpsc::UnboundedReceiver<QueueNotice>,
}

impl Caller {
    async fn next(&mut self) -> QueueNotice {
        tokio::time::timeout(PATIENCE, self.notices.recv()).await.unwrap().unwrap()
    }

    async fn offer(&mut self) -> (OfferId, String) {
        loop {
            if let QueueNotice::Offer { offer, agent, .. } = self.next().await {
                return (offer, agent);
            }
        }
    }
}

fn dir() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn a_caller_is_answered_by_a_reserved_agent_who_talks_and_is_free_again() {
    let dir = dir();
    let floor = Floor::open(dir.path()).await;
    let mut caller = floor.call(1);
    assert_eq!(caller.next().await, QueueNotice::Joined { position: 1 });

    floor.placed.registered("1001", true);
    let (offer, agent) = caller.offer().await;
    assert_eq!(agent, "1001");
    floor.answer(&caller, offer);
    floor.placed.in_call("1001", caller.call);
    let status = floor.placed.queue_status("6400").await.unwrap();
    assert_eq!((status.waiting.len(), status.active.len(), status.answered), (0, 1, 1));
    let view = &floor.placed.agents().await[0];
    assert_eq!(view.activity, Activity::Talking);

    let (call, agent, by) = (caller.call, "1001".to_owned(), Party::Caller);
    floor.hear(QueueWord::CallEnded { call, agent, by, talk: Duration::from_secs(3) });
    floor.placed.out_of_call("1001", call);
    let mut next = floor.call(2);
    assert_eq!(next.offer().await.1, "1001");

    let decided = floor.decided.lock().clone();
    assert!(decided.contains(&(call, "agent-unregistered")), "{decided:?}");
    assert!(decided.contains(&(call, "agent-logged-out")), "{decided:?}");
    floor.close().await;
}

#[tokio::test]
async fn a_queue_that_is_killed_keeps_its_callers() {
    let dir = dir();
    let floor = Floor::open(dir.path()).await;
    let mut first = floor.call(1);
    let mut second = floor.call(2);
    first.next().await;
    second.next().await;

    let killed = floor.placed.queue("6400").unwrap();
    killed.kill();
    killed.wait(None).await.unwrap();
    floor.placed.registered("1001", true);

    let (offer, _) = first.offer().await;
    assert_eq!(offer.0 >> 32, 2, "a name that the first actor never gave");
    let status = floor.placed.queue_status("6400").await.unwrap();
    let line: Vec<_> = status.waiting.iter().map(|waiting| waiting.call).collect();
    assert_eq!(line, [first.call, second.call]);
    floor.close().await;
}

#[tokio::test]
async fn the_queues_supervisor_that_is_killed_loses_no_caller() {
    let dir = dir();
    let mut floor = Floor::open(dir.path()).await;
    let mut caller = floor.call(1);
    caller.next().await;

    let queue = floor.placed.queue("6400").unwrap();
    floor.queues.kill();
    floor.queues.wait(Some(PATIENCE)).await.unwrap();
    queue.wait(Some(PATIENCE)).await.unwrap();
    let (queues, _) = Actor::spawn(None, QueuesActor, floor.kept.clone()).await.unwrap();
    floor.queues = queues;
    floor.placed.registered("1001", true);

    let silenced = QueueNotice::Withdraw { offer: OfferId::EVERY, elsewhere: false };
    assert_eq!(caller.next().await, silenced, "what the first one let ring nobody knows");
    assert_eq!(caller.next().await, QueueNotice::Joined { position: 1 }, "does it still wait?");
    assert_eq!(caller.offer().await.1, "1001");
    floor.close().await;
}

#[tokio::test]
async fn a_call_that_crashed_leaves_its_queue() {
    let dir = dir();
    let floor = Floor::open(dir.path()).await;
    let Caller { call, notices } = floor.call(1);
    drop(notices);

    floor.placed.registered("1001", true);

    let mut missed = 0;
    for _ in 0..200 {
        let status = floor.placed.queue_status("6400").await.unwrap();
        missed = status.missed;
        if missed > 0 {
            assert!(status.waiting.is_empty(), "{call}");
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(missed, 1);
    floor.close().await;
}

#[tokio::test]
async fn an_agent_who_is_killed_is_asked_again() {
    let dir = dir();
    let floor = Floor::open(dir.path()).await;
    floor.placed.registered("1001", true);
    let mut caller = floor.call(1);
    let (first, _) = caller.offer().await;

    floor.placed.agent("1001").unwrap().kill();

    let withdrawn = QueueNotice::Withdraw { offer: first, elsewhere: false };
    let mut told = caller.next().await;
    // Of the place the caller hears when the journal has it, which the offer does not wait for.
    while matches!(told, QueueNotice::Joined { .. }) {
        told = caller.next().await;
    }
    assert_eq!(told, withdrawn);
    assert_eq!(caller.offer().await.1, "1001");
    floor.close().await;
}

#[tokio::test]
async fn q_195_and_the_figures_survive_a_restart_of_the_node() {
    let dir = dir();
    let floor = Floor::open(dir.path()).await;
    let log_in = Command::ToggleLogin("6400".into());
    assert_eq!(floor.placed.carry_out_code("1002", log_in).await, "logged-in");
    let pause = Command::Pause(Scope::All, Some("*01".into()));
    assert_eq!(floor.placed.carry_out_code("1002", pause).await, "paused");
    let mut waiting = floor.call(1);
    waiting.next().await;
    let mut gone = floor.call(2);
    gone.next().await;
    floor.hear(QueueWord::CallerGone { call: gone.call });
    assert_eq!(floor.placed.queue_status("6400").await.unwrap().abandoned, 1);
    floor.close().await;

    let floor = Floor::open(dir.path()).await;

    let status = floor.placed.queue_status("6400").await.unwrap();
    assert_eq!((status.abandoned, status.missed), (1, 1), "who waited can not be reached");
    assert!(status.waiting.is_empty());
    let agents = floor.placed.agents().await;
    let membership = &agents[1].memberships[0];
    assert!(membership.logged_in);
    assert_eq!(membership.paused, Some(Some("*01".into())));
    floor.close().await;
}

#[tokio::test]
async fn q_186_a_command_that_does_not_fit_is_refused_with_a_code() {
    let dir = dir();
    let floor = Floor::open(dir.path()).await;
    let by = Principal::system();

    let log_out = AgentCommand::LogOut { queue: None };
    let refused = floor.placed.agent_command(&by, "1001", log_out).await;
    assert!(matches!(refused, Err(Refusal::Conflict { code: "agent-not-dynamic", .. })));
    let nobody = AgentCommand::LogIn { queue: None };
    let refused = floor.placed.agent_command(&by, "1999", nobody).await;
    assert!(matches!(refused, Err(Refusal::NotFound { kind: "agent", .. })));
    floor.close().await;
}

#[tokio::test]
async fn q_029_a_removed_queue_sends_its_callers_away() {
    let dir = dir();
    let floor = Floor::open(dir.path()).await;
    let mut caller = floor.call(1);
    caller.next().await;
    let actor = floor.placed.queue("6400").unwrap();

    let number = "6400".to_owned();
    floor.queues.cast(QueuesMsg::Remove { number: number.clone() }).unwrap();
    floor.agents.cast(AgentsMsg::Remove { number }).unwrap();

    assert!(matches!(caller.next().await, QueueNotice::Leave { reason: Exit::QueueRemoved, .. }));
    actor.wait(Some(PATIENCE)).await.unwrap();
    floor.close().await;
}

#[tokio::test]
async fn q_053_figures_of_the_day_outlive_a_restart_and_a_crash_and_begin_anew_on_the_next_day() {
    const DAY_MICROS: i64 = 86_400_000_000;
    let dir = dir();
    let mut queue = queue();
    queue.daily_reset_zone = "UTC".to_owned();
    let clock = Clock::start();
    // Noon of today, so that no midnight is near.
    let into = i64::try_from(clock.now().as_micros()).unwrap() % DAY_MICROS;
    let noon = clock.shifted(DAY_MICROS / 2 - into);
    let next = noon.shifted(DAY_MICROS);
    let answered = async |floor: &Floor| {
        let ends = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(status) = floor.placed.queue_status("6400").await {
                return status.answered;
            }
            assert!(tokio::time::Instant::now() < ends, "the queue does not come back");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let talk = async |floor: &Floor, number| {
        floor.placed.registered("1001", true);
        let mut caller = floor.call(number);
        let (offer, agent) = caller.offer().await;
        floor.answer(&caller, offer);
        let (call, by, talk) = (caller.call, Party::Caller, Duration::from_secs(3));
        floor.hear(QueueWord::CallEnded { call, agent, by, talk });
        caller
    };

    let floor = Floor::open_at(dir.path(), noon, queue.clone()).await;
    talk(&floor, 1).await;
    talk(&floor, 2).await;
    floor.close().await;
    let floor = Floor::open_at(dir.path(), noon, queue.clone()).await;
    assert_eq!(answered(&floor).await, 2, "the same day");
    floor.close().await;

    let floor = Floor::open_at(dir.path(), next, queue).await;
    assert_eq!(answered(&floor).await, 0, "another day");
    talk(&floor, 3).await;
    assert_eq!(answered(&floor).await, 1);
    let killed = floor.placed.queue("6400").unwrap();
    killed.kill();
    killed.wait(None).await.unwrap();
    assert_eq!(answered(&floor).await, 1, "the facts of yesterday are read again");
    floor.close().await;
}
