#![allow(clippy::unwrap_used)]
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tandem_journal::{Config, Entity, Journal};
use tandem_kernel::{Clock, Position, Timestamp};

use super::auditor::Standing;
use super::event::LeaseEvent;
use super::machine::{Auditor, GRACE};
use super::{Lease, Owner, State, Until};
use crate::entity;
use crate::queue::QueueMsg;
use crate::records::item;
use crate::whereabouts::Whereabouts;

const START: Timestamp = Timestamp::from_secs(1_000);

fn lease(state: State, until: Until) -> Lease {
    Lease { owner: Owner::Queue("6400".into()), state, subject: "a call".into(), until }
}

fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn a_state_that_outlives_its_lease_is_told_once() {
    let mut auditor = Auditor::default();
    let stuck = lease(State::Ringing, Until::At(START + secs(15)));
    let mut look = |after| auditor.look(START + secs(after), vec![stuck.clone()]);

    assert_eq!(look(15), []);
    assert_eq!(look(25), [], "a timer may be late");
    let found = look(26);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].due, START + secs(15));
    assert_eq!(look(31), [], "told already");
}

#[test]
fn a_state_that_passes_and_comes_again_has_a_lease_of_its_own() {
    let mut auditor = Auditor::default();
    for round in 0..20 {
        let from = START + secs(round * 10);
        let asked = lease(State::Asked, Until::At(from + secs(2)));
        assert_eq!(auditor.look(from, vec![asked]), []);
    }
    let within = lease(State::Dialling, Until::Within(secs(300)));
    assert_eq!(auditor.look(START, vec![within.clone()]), []);
    assert_eq!(auditor.look(START + secs(300), Vec::new()), []);
    assert_eq!(auditor.look(START + secs(400), vec![within.clone()]), [], "another one");
    assert_eq!(auditor.look(START + secs(700) + GRACE + secs(1), vec![within]).len(), 1);
}

#[test]
fn a_state_without_a_timer_is_overdue_from_the_beginning() {
    let mut auditor = Auditor::default();
    let without = lease(State::WrapUp, Until::by(None));

    assert_eq!(auditor.look(START, vec![without.clone()]), []);
    assert_eq!(auditor.look(START + GRACE + secs(1), vec![without]).len(), 1);
}

#[test]
fn the_bytes_of_events_stay_readable() {
    let at = Timestamp::from_micros(1_000_001);
    let (state, subject) = ("ringing".to_owned(), "a call".to_owned());
    let event = LeaseEvent::Overdue { at, state, subject, due: at };
    let bytes = entity::encode(&event);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();

    assert_eq!(hex, "010000fc41420f000772696e67696e670661206361 6c6cfc41420f00".replace(' ', ""));
    assert_eq!(entity::decode::<LeaseEvent>(&bytes).unwrap(), event);
}

/// A queue's actor that tells of a state which should have passed long ago.
struct Stuck;

impl Actor for Stuck {
    type Msg = QueueMsg;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<QueueMsg>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<QueueMsg>,
        message: QueueMsg,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        if let QueueMsg::Leases(reply) = message {
            let _gone = reply.send(vec![lease(State::Ringing, Until::At(START))]);
        }
        Ok(())
    }
}

#[tokio::test]
async fn the_auditor_asks_the_actors_and_writes_what_is_overdue_to_the_event_stream() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::start();
    let journal = Journal::open(Config::new(dir.path(), clock)).await.unwrap();
    let placed = Arc::new(Whereabouts::default());
    let (actor, _task) = Actor::spawn(None, Stuck, ()).await.unwrap();
    placed.queue_runs("6400", actor);
    let standing = Standing { placed, journal: journal.clone(), clock };
    let mut auditor = Auditor::default();

    assert_eq!(standing.look(&mut auditor).await, 1);
    assert_eq!(standing.look(&mut auditor).await, 0, "told once");

    let mut records = journal.subscribe(Position::default());
    let record = records.next().await.unwrap();
    assert_eq!(record.entity, Entity::new(entity::LEASE, "queue/6400"));
    let shown = item(&record).unwrap();
    assert_eq!((&*shown.kind, &*shown.name), ("lease", "lease.overdue"));
    assert_eq!(shown.data["state"], "ringing");
}
