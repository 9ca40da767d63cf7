//! The journal on several members, in virtual time, with seeded faults.
//!
//! The faults follow from the seed; the elections' own jitter is the engine's. Invariants: an
//! acknowledged append is in the journal, once, at the version that was told; all members hold
//! the same records; what writers saw is linearisable for each entity.
#![allow(clippy::unwrap_used)]

mod faults;
mod history;
mod membership;
mod world;

use std::time::Duration;

use bytes::Bytes;
use tandem_kernel::Position;
use tokio::time::{Instant, sleep};

use crate::{Append, AppendError, Appended, Entity, Journal, Kind, Record};
use history::Outcome;
use world::World;

type Seen = history::Seen<Instant>;

/// An append whose event names its operation.
fn append(entity: &str, op_id: u128) -> Append {
    Append {
        entity: Entity::new(Kind(1), entity),
        expected: None,
        epoch: 1,
        op_id: Some(op_id),
        events: vec![Bytes::copy_from_slice(&op_id.to_be_bytes())],
    }
}

/// The operation that a record's event names.
fn op_of(record: &Record) -> u128 {
    u128::from_be_bytes(record.event[..16].try_into().unwrap())
}

/// Says what is wrong with a history, given the records that it led to.
fn check(history: &[Seen], records: &[Record]) -> Result<(), String> {
    let written = records.iter().map(|it| (op_of(it), &*it.entity.key, it.version));
    history::check(history, written)
}

/// All records that a member has applied.
async fn records(journal: &Journal) -> Vec<Record> {
    journal.read(Position::START, usize::MAX).await.unwrap()
}

/// Waits until all members have the same records, and gives them.
async fn converged(world: &World) -> Vec<Record> {
    for _ in 0..400 {
        let mut all = Vec::new();
        for node in world.nodes() {
            let (journal, _) = world.journal(node).expect("all are up");
            all.push((journal.status(), records(&journal).await));
        }
        let last = all.iter().map(|(status, _)| status.last_entry).max();
        let is_settled = all.iter().all(|(status, _)| Some(status.applied) == last);
        if is_settled {
            let first = all.swap_remove(0).1;
            for (status, other) in &all {
                assert_eq!(*other, first, "member {} diverges", status.node);
            }
            return first;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the members do not converge");
}

/// Appends until it is known what became of it or the writer gives up, at whichever member is
/// up, always with the same op id.
async fn write(world: &World, entity: &str, op_id: u128, expected: Option<u64>) -> Seen {
    let begun = Instant::now();
    let give_up = begun + Duration::from_secs(20);
    let mut outcome = Outcome::Open;
    while Instant::now() < give_up {
        let nodes = world.nodes();
        let at = nodes[usize::try_from(world.random(nodes.len() as u64)).unwrap()];
        let Some((journal, life)) = world.journal(at) else {
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        let wish = Append { expected, ..append(entity, op_id) };
        let answered = tokio::time::timeout(Duration::from_secs(5), journal.append(wish)).await;
        // What a member says after its power went never left it.
        let is_alive = world.journal(at).is_some_and(|(_, now)| now == life);
        let answered = answered.ok().filter(|_| is_alive);
        if let Some(known) = answered.as_ref().and_then(known) {
            outcome = known;
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    Seen { entity: entity.to_owned(), op_id, begun, ended: Instant::now(), outcome }
}

fn known(answer: &Result<Appended, AppendError>) -> Option<Outcome> {
    match answer {
        Ok(appended) => Some(Outcome::Done(appended.version)),
        Err(AppendError::VersionConflict { actual }) => Some(Outcome::Refused(*actual)),
        Err(_) => None,
    }
}
