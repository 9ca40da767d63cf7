#![allow(clippy::unwrap_used)]
use std::time::Duration;

use tandem_kernel::{CallId, Position, Timestamp};

use super::fold::Fold;
use crate::call::event::CallEvent;
use crate::entity;
use crate::office::Direction;

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

const GOLDEN: &str = "010001fc4015e73b043130303100";
