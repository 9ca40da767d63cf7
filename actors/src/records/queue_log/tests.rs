#![allow(clippy::unwrap_used)]
use std::time::Duration;

use tandem_journal::{Entity, Record};
use tandem_kernel::{CallId, Position, Timestamp};
use tandem_store::{Options, Store};
use tempfile::TempDir;

use super::marks::{Candidate, decide};
use super::{Asked, LogEvent, LogFilter, Logged, Operator, Processing, QueueLog, Refused};
use crate::call::event::CallEvent;
use crate::entity;
use crate::office::Direction;
use crate::queue::request::CallbackFailure;
use crate::queue::{Class, Exit, OfferId, Party, QueueEvent};

const HOUR: u64 = 3_600;

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_000_000 + secs)
}

fn call(number: u128) -> CallId {
    CallId::from_u128(number)
}

fn place(index: u64) -> Position {
    Position::at(index)
}

fn chen() -> Operator {
    Operator { name: "user:chen".into(), extension: Some("1001".into()) }
}

/// A log with a journal of its own: each fact gets the next position.
struct House {
    log: QueueLog,
    journal: Vec<Record>,
    _dir: TempDir,
}

impl House {
    fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = QueueLog::new(Store::open(dir.path(), &Options::default()).unwrap());
        Self { log, journal: Vec::new(), _dir: dir }
    }

    fn record(&mut self, entity: Entity, event: bytes::Bytes) {
        let index = self.journal.len() as u64 + 1;
        let version = self.journal.iter().filter(|it| it.entity == entity).count() as u64 + 1;
        let record = Record { position: place(index), entity, version, at: at(0), event };
        self.apply(&record);
        self.journal.push(record);
    }

    fn apply(&self, record: &Record) {
        match record.entity.kind {
            entity::QUEUE => self.log.apply_queue(record),
            entity::QUEUE_LOG => self.log.apply_fact(record),
            _ => {
                let call = record.entity.key.parse().unwrap();
                self.log.apply_call(call, &entity::decode(&record.event).unwrap());
            }
        }
    }

    fn queue(&mut self, event: &QueueEvent) {
        self.record(entity::queue("6400"), entity::encode(event));
    }

    fn call(&mut self, id: CallId, event: &CallEvent) {
        self.record(entity::call(id), entity::encode(event));
    }

    fn fact(&mut self, event: &LogEvent) {
        self.record(entity::queue_log("6400"), entity::encode(event));
    }

    fn joins(&mut self, id: u128, secs: u64, caller: &str) {
        let (caller, caller_name) = (caller.to_owned(), format!("Name {caller}"));
        self.queue(&QueueEvent::Joined { at: at(secs), call: call(id), caller, caller_name });
    }

    fn leaves(&mut self, id: u128, secs: u64, reason: Exit) {
        let wait_us = 5_000_000;
        self.queue(&QueueEvent::Exited { at: at(secs), call: call(id), reason, wait_us });
    }

    /// A caller who waits for five seconds and is missed; gives the entry's place.
    fn missed(&mut self, id: u128, secs: u64, caller: &str) -> Position {
        self.joins(id, secs, caller);
        self.leaves(id, secs + 5, Exit::MaxWait);
        self.journal.last().unwrap().position
    }

    fn page(&self, filter: &LogFilter) -> Vec<Logged> {
        self.log.page(filter, &|_| true, None, 100)
    }

    fn all(&self) -> Vec<Logged> {
        self.page(&LogFilter::default())
    }

    /// What the office does with a wish.
    fn mark(&mut self, entry: Position, to: Processing, now: Timestamp, hours: u64) {
        let found = self.log.of(entry).unwrap();
        let since = now - Duration::from_secs(hours * HOUR);
        let others = self.log.of_the_same_caller(&found.entry, since);
        let asked = Asked { to, seen: None };
        let fact = decide((now, chen()), (entry, found.marks.state()), &asked, &others);
        self.fact(&fact.unwrap().unwrap());
    }

    fn states(&self, entries: &[Position]) -> Vec<Processing> {
        entries.iter().map(|entry| self.log.of(*entry).unwrap().marks.state()).collect()
    }
}

#[test]
fn q_520_q_521_each_caller_who_leaves_is_one_entry_and_only_missed_ones_have_a_state() {
    let mut house = House::open();
    house.joins(1, 0, "0911");
    house.joins(2, 1, "0922");
    house.joins(3, 2, "0933");
    let (offer, agent) = (OfferId(1), "1001".to_owned());
    house.queue(&QueueEvent::Answered {
        at: at(10),
        call: call(1),
        offer,
        agent: agent.clone(),
        wait_us: 10_000_000,
    });
    house.leaves(2, 11, Exit::CallerHangup);
    house.leaves(3, 12, Exit::KeyExit);
    let (by, talk_us) = (Party::Caller, 60_000_000);
    house.queue(&QueueEvent::Ended { at: at(70), call: call(1), agent, by, talk_us });

    let all = house.all();

    let told: Vec<_> =
        all.iter().map(|it| (it.entry.caller.as_str(), it.entry.class(), it.state())).collect();
    let unprocessed = Some(Processing::Unprocessed);
    assert_eq!(
        told,
        [
            ("0933", Class::Missed, unprocessed),
            ("0922", Class::Abandoned, unprocessed),
            ("0911", Class::Answered, None),
        ]
    );
    assert_eq!(all[2].entry.talk, Some(Duration::from_secs(60)));
    assert_eq!(all[2].entry.agent.as_deref(), Some("1001"));
}

#[test]
fn q_158_q_159_a_callback_is_one_entry_when_it_is_over() {
    let mut house = House::open();
    house.joins(1, 0, "0911");
    let number = "0911".to_owned();
    house.queue(&QueueEvent::CallbackRegistered { at: at(5), call: call(1), number });
    assert!(house.all().is_empty(), "the place is kept");
    // The customer calls again, and counts from the first entry on.
    house.joins(2, 30, "0911");
    house.queue(&QueueEvent::CallbackMerged { at: at(31), call: call(1), by: call(2) });
    house.queue(&QueueEvent::CallbackResumed { at: at(40), call: call(2) });
    let reason = CallbackFailure::NoIdleAgent;
    let wait_us = 60_000_000;
    house.queue(&QueueEvent::CallbackFailed { at: at(60), call: call(2), reason, wait_us });

    let all = house.all();

    assert_eq!(all.len(), 1);
    assert_eq!(all[0].entry.joined_at, at(0));
    assert_eq!(all[0].entry.failure, Some(CallbackFailure::NoIdleAgent));
    assert_eq!(all[0].entry.class(), Class::Missed);
}

#[test]
fn q_121_a_refused_caller_is_named_whether_the_call_is_read_before_or_after() {
    let started = |number: &str| CallEvent::Started {
        at: at(0),
        direction: Direction::Inbound,
        from: number.into(),
        from_name: String::new(),
        to: "6400".into(),
        trunk: None,
    };
    let refused = |id| QueueEvent::Refused { at: at(1), call: call(id), reason: Exit::MaxCallers };
    let mut house = House::open();
    house.call(call(1), &started("0911"));
    house.queue(&refused(1));
    house.queue(&refused(2));
    house.call(call(2), &started("0922"));

    let callers: Vec<_> = house.all().into_iter().map(|it| it.entry.caller).collect();

    assert_eq!(callers, ["0922", "0911"]);
}

#[test]
fn q_522_the_log_is_filtered_by_kind_state_queue_time_and_a_part_of_name_or_number() {
    let mut house = House::open();
    let first = house.missed(1, 0, "0911");
    house.missed(2, 100, "0922");
    house.mark(first, Processing::Processing, at(200), 1);
    let numbers = |filter: LogFilter| -> Vec<String> {
        house.page(&filter).into_iter().map(|it| it.entry.caller).collect()
    };
    let any = LogFilter::default();
    let cases = [
        (LogFilter { is_answered: Some(true), ..any.clone() }, vec![]),
        (LogFilter { state: Some(Processing::Processing), ..any.clone() }, vec!["0911"]),
        (LogFilter { queue: Some("6401".into()), ..any.clone() }, vec![]),
        (LogFilter { search: Some("922".into()), ..any.clone() }, vec!["0922"]),
        (LogFilter { search: Some("NAME 0911".into()), ..any.clone() }, vec!["0911"]),
        (LogFilter { since: Some(at(50)), ..any.clone() }, vec!["0922"]),
        (LogFilter { until: Some(at(50)), ..any }, vec!["0911"]),
    ];
    for (filter, wanted) in cases {
        assert_eq!(numbers(filter.clone()), wanted, "{filter:?}");
    }
    let second = house.log.page(&LogFilter::default(), &|_| true, Some(place(4)), 1);
    assert_eq!(second[0].entry.position, first, "the page after the newest");
}

#[test]
fn q_524_q_525_a_state_goes_forward_and_back_by_hand() {
    let mut house = House::open();
    let entry = house.missed(1, 0, "0911");
    for to in [
        Processing::Processing,
        Processing::Processed,
        Processing::Unprocessed,
        Processing::Processed,
    ] {
        house.mark(entry, to, at(100), 1);
        assert_eq!(house.states(&[entry]), [to]);
    }
    let operations = house.log.of(entry).unwrap().marks.operations;
    assert_eq!(operations.len(), 4);
    assert!(operations.iter().all(|it| it.by == chen() && !it.is_auto), "{operations:?}");
}

#[test]
fn q_536_vector_13_an_update_at_15_00_takes_the_calls_from_13_00_on_along() {
    let mut house = House::open();
    let early = house.missed(1, 13 * HOUR - 1, "0911");
    let first = house.missed(2, 13 * HOUR, "0911");
    let other = house.missed(3, 14 * HOUR, "0922");
    let newest = house.missed(4, 15 * HOUR - 10, "0911");

    use Processing::{Processed, Unprocessed};
    house.mark(newest, Processed, at(15 * HOUR), 2);

    let states = house.states(&[early, first, other, newest]);
    assert_eq!(states, [Unprocessed, Processed, Unprocessed, Processed]);
    let auto = |entry| house.log.of(entry).unwrap().marks.operations[0].is_auto;
    assert_eq!((auto(first), auto(newest)), (true, false), "Q-538");
}

#[test]
fn q_537_only_a_step_forward_takes_others_along_and_none_that_is_further_on() {
    use Processing::{Processed, Processing as Claimed, Unprocessed};
    let mut house = House::open();
    let (one, two, three) =
        (house.missed(1, 0, "0911"), house.missed(2, 10, "0911"), house.missed(3, 20, "0911"));
    house.mark(one, Processed, at(30), 0);

    // One is further on than the claim.
    house.mark(two, Claimed, at(40), 1);
    assert_eq!(house.states(&[one, two, three]), [Processed, Claimed, Claimed]);

    house.mark(one, Unprocessed, at(50), 1);
    assert_eq!(house.states(&[one, two, three]), [Unprocessed, Claimed, Claimed]);
}

#[test]
fn q_539_who_claims_second_is_told_that_somebody_was_first() {
    let asked = Asked { to: Processing::Processing, seen: Some(Processing::Unprocessed) };
    let others = [Candidate { entry: place(9), state: Processing::Unprocessed }];
    let by = || (at(1), chen());

    let first = decide(by(), (place(1), Processing::Unprocessed), &asked, &others);
    let second = decide(by(), (place(1), Processing::Processing), &asked, &others);
    let again = Asked { to: Processing::Processing, seen: None };
    let same = decide(by(), (place(1), Processing::Processing), &again, &others);

    assert!(matches!(first, Ok(Some(LogEvent::Marked { synced, .. })) if synced.len() == 1));
    assert_eq!(second, Err(Refused::Overtaken { now: Processing::Processing }));
    assert_eq!(same, Ok(None), "nothing is written twice");
}

#[test]
fn q_527_what_is_removed_is_gone_for_all_and_what_is_hidden_stays_for_others() {
    let mut house = House::open();
    let (one, two) = (house.missed(1, 0, "0911"), house.missed(2, 10, "0911"));
    house.fact(&LogEvent::Removed { at: at(20), by: chen(), entry: one });
    let (entry, extension) = (two, "1001".to_owned());
    house.fact(&LogEvent::Hidden { at: at(21), by: chen(), entry, extension });

    assert!(house.log.of(one).is_none());
    assert_eq!(house.all().len(), 1);
    assert_eq!(house.log.of(two).unwrap().marks.hidden_from, ["1001"]);
    // What is gone goes along with nothing.
    let two = house.log.of(two).unwrap().entry;
    assert!(house.log.of_the_same_caller(&two, at(0)).is_empty());
}

#[test]
fn a_journal_that_is_read_again_changes_nothing_and_what_is_too_old_is_forgotten() {
    let mut house = House::open();
    let (one, two) = (house.missed(1, 0, "0911"), house.missed(2, 100, "0911"));
    house.mark(two, Processing::Processing, at(200), 1);
    house.mark(one, Processing::Unprocessed, at(210), 0);
    let before = house.all();
    assert_eq!(house.log.version("6400"), 2);

    for record in &house.journal {
        house.apply(record);
    }
    assert_eq!(house.all(), before);

    house.log.forget_before(at(50)).unwrap();
    for record in &house.journal {
        house.apply(record);
    }
    let left: Vec<_> = house.all().into_iter().map(|it| it.entry.position).collect();
    assert_eq!(left, [two]);
}

/// What is on disk stays readable.
#[test]
fn the_bytes_of_the_facts_of_the_log_do_not_change() {
    let by = chen();
    let events = [
        LogEvent::Marked {
            at: at(0),
            by: by.clone(),
            entry: place(7),
            from: Processing::Unprocessed,
            to: Processing::Processed,
            synced: vec![(place(3), Processing::Processing)],
        },
        LogEvent::Removed { at: at(0), by: by.clone(), entry: place(7) },
        LogEvent::Hidden { at: at(0), by, entry: place(7), extension: "1001".into() },
    ];
    let hex = |event: &LogEvent| -> String {
        entity::encode(event).iter().map(|byte| format!("{byte:02x}")).collect()
    };

    assert_eq!(events.iter().map(hex).collect::<Vec<_>>(), GOLDEN);
}

const GOLDEN: [&str; 3] = [
    "010000fd0010a5d4e800000009757365723a6368656e0104313030310007000201000301",
    "010001fd0010a5d4e800000009757365723a6368656e0104313030310007",
    "010002fd0010a5d4e800000009757365723a6368656e01043130303100070431303031",
];
