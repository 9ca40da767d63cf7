//! Plain writers at whichever member is up, each with one operation at a time.

use std::time::Duration;

use bytes::Bytes;
use rand::Rng;
use tandem_journal::{Append, AppendError, Entity, Kind};
use tandem_kernel::Timestamp;

use super::desk::Then;
use super::history::{Outcome, Seen};
use super::world::{Event, Told, World};

/// No kind of ours.
pub(super) const KIND: Kind = Kind(200);

/// How long one attempt of a writer may take, and all of them.
const PATIENCE: Duration = Duration::from_secs(2);
const GIVES_UP: Duration = Duration::from_secs(20);

/// A writer, and what it is doing.
#[derive(Debug, Default)]
pub(super) struct Writer {
    count: u64,
    attempt: u64,
    /// When it looks at its operation next.
    due: Timestamp,
    under_way: Option<(Append, Timestamp)>,
    last: Option<(String, u64)>,
    pub(super) history: Vec<Seen<Timestamp>>,
}

pub(super) fn begin(count: usize) -> Vec<Writer> {
    (0..count).map(|_| Writer::default()).collect()
}

impl World {
    /// Begins an operation, or asks again for the one that is under way.
    pub(super) fn write(&mut self, index: usize) {
        if self.writers[index].due > self.now {
            return;
        }
        let (now, at, pick) = (self.now, self.any_member(), self.rng.random_range(0..3));
        let (is_blind, is_healed) = (self.chance(500), self.is_healed);
        let is_up = self.of(at).is_up;
        self.write_again(index, PATIENCE);
        let writer = &mut self.writers[index];
        if writer.under_way.as_ref().is_some_and(|(_, begun)| now.since(*begun) > GIVES_UP) {
            self.finish(index, Outcome::Open);
        }
        let writer = &mut self.writers[index];
        if writer.under_way.is_none() {
            if is_healed {
                return;
            }
            writer.count += 1;
            let op_id = u128::try_from(index).unwrap() << 64 | u128::from(writer.count);
            let key = format!("e{pick}");
            let expected = writer.last.take().filter(|(of, _)| *of == key && !is_blind);
            let append = Append {
                entity: Entity::new(KIND, key),
                expected: expected.map(|(_, version)| version),
                epoch: 1,
                op_id: Some(op_id),
                events: vec![Bytes::copy_from_slice(&op_id.to_be_bytes())],
            };
            writer.under_way = Some((append, now));
        }
        writer.attempt += 1;
        let (append, _) = writer.under_way.clone().unwrap();
        let then = Then::Writer(index, writer.attempt);
        if is_up {
            self.propose(at, append, Some(PATIENCE), then);
        }
    }

    /// A writer hears what became of an attempt; of an earlier one it is not told any more.
    pub(super) fn written(&mut self, index: usize, attempt: u64, told: &Told) {
        let writer = &self.writers[index];
        if writer.attempt != attempt || writer.under_way.is_none() {
            return;
        }
        match told {
            Ok(appended) => self.finish(index, Outcome::Done(appended.version)),
            Err(AppendError::VersionConflict { actual }) => {
                self.finish(index, Outcome::Refused(*actual));
            }
            Err(_) => {}
        }
    }

    fn finish(&mut self, index: usize, outcome: Outcome) {
        let ended = self.now;
        let writer = &mut self.writers[index];
        let (append, begun) = writer.under_way.take().unwrap();
        let (entity, op_id) = (append.entity.key, append.op_id.unwrap());
        if let Outcome::Done(version) | Outcome::Refused(version) = outcome {
            self.report.acknowledged += 1;
            writer.last = Some((entity.clone(), version));
        }
        writer.history.push(Seen { entity, op_id, begun, ended, outcome });
        let pause = self.millis(1..200);
        self.write_again(index, pause);
    }

    fn write_again(&mut self, index: usize, after: Duration) {
        self.writers[index].due = self.now + after;
        self.later(after, Event::Writer(index));
    }

    /// What writers saw is what one journal could have shown them.
    pub(super) fn check_history(&self) -> Result<(), String> {
        let history: Vec<_> = self.writers.iter().flat_map(|it| it.history.clone()).collect();
        let written = self.book.written.iter().map(|it| &it.record);
        let written = written.filter(|record| record.entity.kind == KIND).map(|record| {
            let op_id = u128::from_be_bytes(record.event[..16].try_into().unwrap());
            (op_id, &*record.entity.key, record.version)
        });
        super::history::check(&history, written)
    }
}
