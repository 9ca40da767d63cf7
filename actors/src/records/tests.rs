#![allow(clippy::unwrap_used)]
use std::time::Duration;

use tandem_journal::Record;
use tandem_kernel::{CallId, Position, Timestamp};
use tandem_store::{Options, Store};

use super::fold::Fold;
use super::{NoteEvent, Records};
use crate::call::event::CallEvent;
use crate::entity;
use crate::office::{Direction, RecordFilter};
use crate::outbound::Outgoing;

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_000 + secs)
}

fn started() -> CallEvent {
    CallEvent::Started {
        at: at(0),
        direction: Direction::Inbound,
        from: "0999".into(),
        from_name: String::new(),
        to: "5551".into(),
        trunk: Some("main".into()),
    }
}

fn ended(secs: u64) -> CallEvent {
    CallEvent::Ended {
        at: at(secs),
        outcome: "answered".into(),
        cause: "normal call clearing".into(),
        talk_us: 10_000_000,
        hold_us: 0,
    }
}

fn fold(events: &[CallEvent]) -> (Fold, Vec<crate::office::CallRecord>) {
    let mut fold = Fold::default();
    let call = CallId::from_u128(7);
    let records = events
        .iter()
        .zip(1..)
        .filter_map(|(event, index)| fold.apply(Position::at(index), call, event))
        .collect();
    (fold, records)
}

#[test]
fn an_ended_call_gives_one_record_with_wait_and_talk() {
    let left = CallEvent::QueueLeft {
        at: at(5),
        queue: "6400".into(),
        exit: "answered".into(),
        wait_us: 5_000_000,
        agent: Some("1001".into()),
    };
    let answered = CallEvent::Answered { at: at(5), by: "1001".into(), trunk: None };

    let (fold, records) = fold(&[started(), left, answered, ended(15)]);

    let [record] = &records[..] else { panic!("{records:?}") };
    assert_eq!(record.queue.as_ref().unwrap().wait, Duration::from_secs(5));
    assert_eq!(record.talk, Duration::from_secs(10));
    assert_eq!(record.answered_by.as_deref(), Some("1001"));
    assert_eq!(fold.open().count(), 0);
}

#[test]
fn a_transfer_is_a_step_and_who_takes_the_caller_s_place_has_not_answered() {
    let moved = |secs, by: &str, to: &str| CallEvent::Transferred {
        at: at(secs),
        by: by.into(),
        to: to.into(),
    };
    let answered = CallEvent::Answered { at: at(5), by: "1001".into(), trunk: None };

    let taken = [started(), moved(2, "0999", "0888"), answered.clone(), ended(15)];
    let (_, taken) = fold(&taken);
    let (_, handed_on) = fold(&[started(), answered, moved(7, "1001", "1002"), ended(15)]);

    assert_eq!(taken[0].answered_by.as_deref(), Some("1001"));
    assert_eq!(handed_on[0].answered_by.as_deref(), Some("1002"));
    let [step] = &taken[0].steps[..] else { panic!("{taken:?}") };
    let shown = (step.kind.as_str(), step.key.as_str(), step.detail.as_str());
    assert_eq!(shown, ("transfer", "0888", "by 0999"));
}

#[test]
fn a_call_that_a_crash_cut_off_is_closed_as_what_it_was() {
    let answered = CallEvent::Answered { at: at(5), by: "1001".into(), trunk: None };
    let (open, _) = fold(&[started(), answered]);
    let (unanswered, _) = fold(&[started()]);

    let closing = |fold: &Fold| fold.open().next().unwrap().1.interrupted(at(9));

    assert!(matches!(
        closing(&open),
        CallEvent::Ended { outcome, talk_us: 4_000_000, .. } if outcome == "answered"
    ));
    assert!(matches!(
        closing(&unanswered),
        CallEvent::Ended { outcome, .. } if outcome == "interrupted"
    ));
}

/// What is on disk stays readable: the bytes of each fact, with the schema version in front.
#[test]
fn the_bytes_of_call_facts_do_not_change() {
    let hex = |event: &CallEvent| -> String {
        entity::encode(event).iter().map(|byte| format!("{byte:02x}")).collect()
    };

    assert_eq!(hex(&CallEvent::Answered { at: at(5), by: "1001".into(), trunk: None }), GOLDEN);
}

/// The variants that came later stand behind the first ones, in this order.
#[test]
fn the_places_of_the_facts_of_outside_calls_do_not_change() {
    let variant = |event: &CallEvent| entity::encode(event)[2];
    let rang = CallEvent::LineRang {
        at: at(0),
        trunk: "main".into(),
        number: "0912".into(),
        caller_id: String::new(),
    };
    let outgoing =
        CallEvent::Outgoing { at: at(0), by: "1000".into(), outgoing: Outgoing::default() };
    let requested = CallEvent::Requested { at: at(0), by: "token:x".into(), correlation_id: None };

    let (queue, agent) = ("6400".to_owned(), "1001".to_owned());
    let rated = CallEvent::Rated { at: at(0), queue, agent, key: '5', score: -3 };

    assert_eq!([&outgoing, &rang, &requested, &rated].map(variant), [6, 7, 10, 12]);
}

#[test]
fn o_044_the_record_of_an_outside_call_keeps_code_trunk_and_what_was_dialled() {
    let outgoing = Outgoing {
        dialled: "820912".into(),
        number: "0912".into(),
        is_code_applied: true,
        ..Outgoing::default()
    };
    let begun = CallEvent::Started {
        at: at(0),
        direction: Direction::Internal,
        from: "1000".into(),
        from_name: String::new(),
        to: "820912".into(),
        trunk: None,
    };
    let failed = CallEvent::LineFailed {
        at: at(2),
        trunk: "spare".into(),
        status: 486,
        meaning: "busy".into(),
        why: "Busy Here".into(),
    };
    let asked = CallEvent::Requested {
        at: at(0),
        by: "token:crm".into(),
        correlation_id: Some("lead-7".into()),
    };
    let out = CallEvent::Outgoing { at: at(1), by: "1000".into(), outgoing: outgoing.clone() };

    let (_, records) = fold(&[begun, asked, out, failed, ended(3)]);

    let [record] = &records[..] else { panic!("{records:?}") };
    assert_eq!(record.direction, Direction::Outbound);
    assert_eq!(record.trunk.as_deref(), Some("spare"));
    assert_eq!(record.outgoing.as_ref(), Some(&outgoing));
    assert_eq!(record.requested_by.as_deref(), Some("token:crm"));
    assert_eq!(record.correlation_id.as_deref(), Some("lead-7"));
}

const GOLDEN: &str = "010001fc4015e73b043130303100";

fn call_of(index: u64, ended_secs: u64) -> Vec<Record> {
    let facts = [started(), ended(ended_secs)];
    (index..).zip(facts).map(|(index, event)| record_of(index, ended_secs, &event)).collect()
}

fn record_of(index: u64, call: u64, event: &CallEvent) -> Record {
    let entity = entity::call(CallId::from_u128(u128::from(call)));
    let (position, event) = (Position::at(index), entity::encode(event));
    Record { position, entity, version: index, at: at(0), event }
}

#[test]
fn what_ended_too_long_ago_is_forgotten_and_not_taken_in_again() {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::new(Store::open(dir.path(), &Options::default()).unwrap());
    let journal: Vec<Record> = (0..5).flat_map(|call| call_of(1 + call * 2, 100 * call)).collect();
    for record in &journal {
        records.apply(record);
    }
    let ends = || {
        let page = records.page(&RecordFilter::default(), None, 100);
        page.iter().map(|record| record.ended_at).collect::<Vec<_>>()
    };
    assert_eq!(ends(), [at(400), at(300), at(200), at(100), at(0)]);

    assert_eq!(records.forget_before(at(200)).unwrap(), 2);
    assert_eq!(ends(), [at(400), at(300), at(200)]);
    for record in &journal {
        records.apply(record);
    }
    assert_eq!(ends(), [at(400), at(300), at(200)]);

    assert_eq!(records.forget_before(at(1_000)).unwrap(), 3);
    assert!(ends().is_empty());
}

fn written(secs: u64, text: &str) -> NoteEvent {
    let (by, tags) = ("user:chen".to_owned(), vec!["offer".to_owned()]);
    NoteEvent::Written { at: at(secs), by, text: text.into(), tags }
}

/// What is on disk stays readable.
#[test]
fn the_bytes_of_notes_do_not_change() {
    let bytes = entity::encode(&written(5, "Friday"));
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();

    assert_eq!(hex, GOLDEN_NOTE);
}

const GOLDEN_NOTE: &str = "010000fc4015e73b09757365723a6368656e0646726964617901056f66666572";

#[test]
fn q_548_the_last_who_writes_a_note_wins_and_what_was_written_before_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::new(Store::open(dir.path(), &Options::default()).unwrap());
    let call = CallId::from_u128(7);
    let texts = || records.note(call).into_iter().map(|note| note.text).collect::<Vec<_>>();

    // Whoever wrote takes it in at once; the journal tells of it again, perhaps late.
    records.take_note(call, 2, written(20, "second"));
    records.take_note(call, 1, written(10, "first"));
    records.take_note(call, 2, written(20, "second"));
    assert_eq!(texts(), ["first", "second"]);

    (3..40).for_each(|revision| records.take_note(call, revision, written(30, "later")));
    assert_eq!(texts().len(), 21, "the newest and twenty before it");
}

#[test]
fn the_record_of_a_call_is_found_by_the_call_until_it_is_forgotten_with_its_note() {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::new(Store::open(dir.path(), &Options::default()).unwrap());
    let journal: Vec<Record> = (0..2).flat_map(|call| call_of(1 + call * 2, 100 * call)).collect();
    for record in &journal {
        records.apply(record);
    }
    let (first, second) = (CallId::from_u128(0), CallId::from_u128(100));
    records.take_note(first, 1, written(10, "first"));

    assert_eq!(records.of(second).unwrap().ended_at, at(100));
    assert_eq!(records.forget_before(at(50)).unwrap(), 1);
    assert_eq!(records.of(first), None);
    assert!(records.note(first).is_empty());
}
