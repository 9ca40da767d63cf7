#![allow(clippy::unwrap_used)]

use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio::sync::{mpsc, oneshot};

use crate::supervise::{Children, Decision, Ended, Intensity, Restart};
use crate::{
    ActorPort, AlarmClock, Alarms, AskError, CallId, Newest, Overflow, SendError, Shutdown, Slot,
    Timestamp, ask, bounded,
};

enum Msg {
    Hold(Slot, oneshot::Receiver<()>),
    Double(u32, RpcReplyPort<u32>),
    Ignore(RpcReplyPort<u32>),
    Never(RpcReplyPort<u32>),
    Panic,
}

impl ractor::Message for Msg {}

struct Worker;

impl Actor for Worker {
    type Msg = Msg;
    type State = Vec<RpcReplyPort<u32>>;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Msg>, (): ()) -> Result<Self::State, ActorProcessingErr> {
        Ok(Vec::new())
    }

    async fn handle(
        &self,
        _: ActorRef<Msg>,
        message: Msg,
        kept: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Msg::Hold(slot, release) => {
                let _ = release.await;
                drop(slot);
            }
            Msg::Double(number, reply) => {
                let _ = reply.send(number * 2);
            }
            Msg::Ignore(reply) => drop(reply),
            Msg::Never(reply) => kept.push(reply),
            Msg::Panic => panic!("asked to"),
        }
        Ok(())
    }
}

struct Supervisor;

impl Actor for Supervisor {
    type Msg = Msg;
    type State = (Children<&'static str>, mpsc::UnboundedSender<(&'static str, Ended)>);
    type Arguments = mpsc::UnboundedSender<(&'static str, Ended)>;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        events: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let mut children = Children::new(Restart { limit: 1, ..Restart::default() });
        let (child, _) = Actor::spawn_linked(None, Worker, (), myself.get_cell()).await?;
        children.started("worker", &child.get_cell());
        child.send_message(Msg::Panic)?;
        Ok((children, events))
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Msg>,
        event: SupervisionEvent,
        (children, events): &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let Some((key, ended)) = children.ended(Timestamp::from_secs(1), &event) else {
            return Ok(());
        };
        if let Ended::Failed { decision: Decision::Restart { .. }, .. } = ended {
            let (child, _) = Actor::spawn_linked(None, Worker, (), myself.get_cell()).await?;
            children.started(key, &child.get_cell());
            child.send_message(Msg::Panic)?;
        }
        events.send((key, ended))?;
        Ok(())
    }
}

async fn worker() -> ActorRef<Msg> {
    Actor::spawn(None, Worker, ()).await.unwrap().0
}

#[tokio::test(start_paused = true)]
async fn an_answer_comes_back_and_a_missing_one_is_named() {
    let actor = worker().await;
    let deadline = Duration::from_secs(1);

    assert_eq!(ask(&actor, deadline, |reply| Msg::Double(21, reply)).await, Ok(42));
    assert_eq!(ask(&actor, deadline, Msg::Ignore).await, Err(AskError::Dropped));
    assert_eq!(ask(&actor, deadline, Msg::Never).await, Err(AskError::Timeout));

    actor.stop_and_wait(None, None).await.unwrap();
    assert_eq!(ask(&actor, deadline, Msg::Never).await, Err(AskError::Gone));
}

#[tokio::test(start_paused = true)]
async fn a_full_actor_port_refuses_until_a_message_was_handled() {
    let port = ActorPort::new(worker().await, 1);
    let (release, held) = oneshot::channel();

    port.send(|slot| Msg::Hold(slot, held)).unwrap();

    assert_eq!(port.send(|slot| Msg::Hold(slot, oneshot::channel().1)), Err(SendError::Full));
    assert_eq!((port.gauge().depth(), port.gauge().lost()), (1, 1));
    release.send(()).unwrap();
    let waited =
        port.send_within(Duration::from_secs(1), |slot| Msg::Hold(slot, oneshot::channel().1));
    assert_eq!(waited.await, Ok(()));
}

#[tokio::test]
async fn a_full_queue_refuses_or_drops_its_oldest() {
    let (refusing, mut first) = bounded(2, Overflow::Refuse);
    let (dropping, mut second) = bounded(2, Overflow::DropOldest);

    for number in 1..=3 {
        let refused = refusing.send(number);
        assert_eq!(refused.is_err(), number == 3);
        dropping.send(number).unwrap();
    }
    drop(refusing);

    assert_eq!(
        [first.next().await, first.next().await, first.next().await],
        [Some(1), Some(2), None]
    );
    assert_eq!([second.next().await, second.next().await], [Some(2), Some(3)]);
    assert_eq!((dropping.gauge().depth(), dropping.gauge().lost()), (0, 1));
    drop(second);
    assert_eq!(dropping.send(4), Err(SendError::Gone));
}

#[test]
fn restarts_slow_down_and_end_when_there_are_too_many() {
    let policy = Restart {
        limit: 3,
        within: Duration::from_secs(10),
        backoff: Duration::from_secs(1),
        most_backoff: Duration::from_secs(60),
    };
    let mut intensity = Intensity::default();
    let mut at = |secs| intensity.failed(Timestamp::from_secs(secs), &policy);
    let restart = |secs| Decision::Restart { after: Duration::from_secs(secs) };

    assert_eq!([at(100), at(101), at(102)], [restart(0), restart(1), restart(2)]);
    assert_eq!(at(103), Decision::GiveUp);
    assert_eq!(at(200), restart(0));
}

#[tokio::test]
async fn a_supervisor_restarts_a_panicking_child_and_gives_up_in_the_end() {
    let (events, mut seen) = mpsc::unbounded_channel();

    let (supervisor, _) = Actor::spawn(None, Supervisor, events).await.unwrap();

    let first = seen.recv().await.unwrap();
    let second = seen.recv().await.unwrap();
    assert!(matches!(first.1, Ended::Failed { decision: Decision::Restart { .. }, .. }));
    assert!(matches!(second.1, Ended::Failed { decision: Decision::GiveUp, .. }));
    supervisor.stop(None);
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_the_tokens_but_not_for_ever() {
    let shutdown = Shutdown::new();
    let mut quick = shutdown.token();
    let stuck = shutdown.token();
    crate::spawn("quick part", async move { quick.requested().await });

    let early = shutdown.drain(Duration::from_secs(1)).await;
    assert_eq!(early.unwrap_err().0, 1);
    assert!(stuck.is_requested());

    drop(stuck);
    assert_eq!(shutdown.drain(Duration::from_secs(1)).await, Ok(()));
}

#[test]
fn a_calls_id_tells_the_member_where_it_began_and_still_sorts_by_time() {
    let ids = [CallId::fresh_at(1), CallId::fresh_at(2), CallId::fresh_at(65_535)];

    for (id, node) in ids.iter().zip([1, 2, 65_535]) {
        assert!(id.is_from(node) && !id.is_from(3), "{id}");
        assert_eq!(id.to_string().parse(), Ok(*id));
    }
    let times: Vec<u128> = ids.iter().map(|id| id.as_u128() >> 80).collect();
    assert!(times.is_sorted(), "{ids:?}");
    assert_ne!(CallId::fresh_at(1), CallId::fresh_at(1));
}

#[tokio::test(start_paused = true)]
async fn an_alarm_ends_with_who_set_it_and_no_later() {
    let (worker, _task) = Actor::spawn(None, Worker, ()).await.unwrap();
    let ring = |alarms: &mut Alarms| {
        let (held, ended) = oneshot::channel::<()>();
        let (reply, rang) = oneshot::channel();
        alarms.set(&worker, Duration::from_secs(900), move || {
            drop(held);
            Msg::Double(21, reply.into())
        });
        (ended, rang)
    };
    let clock = AlarmClock::start();
    let (mut dropped, mut kept) = (clock.alarms(), clock.alarms());
    let (ended, silent) = ring(&mut dropped);
    let (_held, rang) = ring(&mut kept);

    drop(dropped);

    assert!(tokio::time::timeout(Duration::from_secs(1), ended).await.unwrap().is_err());
    assert!(silent.await.is_err());
    assert_eq!(rang.await, Ok(42));
}

#[tokio::test(start_paused = true)]
async fn alarms_ring_in_the_order_of_their_times_whenever_they_were_set() {
    let (worker, _task) = Actor::spawn(None, Worker, ()).await.unwrap();
    let clock = AlarmClock::start();
    let mut alarms = clock.alarms();
    let (rang, mut order) = mpsc::unbounded_channel();
    for secs in [30, 5, 900, 5, 60] {
        let rang = rang.clone();
        alarms.set(&worker, Duration::from_secs(secs), move || {
            rang.send(secs).unwrap();
            Msg::Double(0, oneshot::channel().0.into())
        });
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    let mut heard = Vec::new();
    for _ in 0..5 {
        heard.push(order.recv().await.unwrap());
    }

    assert_eq!(heard, [5, 5, 30, 60, 900]);
}

#[test]
fn of_too_many_entries_the_first_is_forgotten_however_often_it_was_looked_at() {
    let mut newest: Newest<u32, &str, 2> = Newest::default();
    newest.entry(1, || "one");
    newest.entry(2, || "two");
    *newest.entry(1, || "again") = "looked at";
    assert_eq!(newest.get(&1), Some(&"looked at"));

    newest.entry(3, || "three");

    assert!(!newest.has(&1));
    assert_eq!(newest.get(&2), Some(&"two"));
    assert_eq!(newest.get_mut(&3), Some(&mut "three"));
}
