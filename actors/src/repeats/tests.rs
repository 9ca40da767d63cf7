#![allow(clippy::unwrap_used)]
use std::time::Duration;

use tandem_journal::{Config, Journal};
use tandem_kernel::{Clock, Position, Timestamp};

use super::{KEPT, Kept, Known, RepeatEvent, Repeats, Table};
use crate::entity;

const BODY: [u8; 32] = [3; 32];

fn kept() -> Kept {
    let headers = vec![("etag".into(), "\"1\"".into())];
    Kept { status: 201, headers, body: Some("{}".into()), is_withheld: false }
}

#[tokio::test]
async fn after_a_restart_a_key_leads_to_its_reply_or_is_told_as_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::start();
    let journal = Journal::open(Config::new(dir.path(), clock)).await.unwrap();
    let repeats = Repeats::new(journal.clone(), clock);
    let [done, cut, failed] = [[1; 32], [2; 32], [4; 32]];
    for key in [&cut, &failed, &done] {
        repeats.begin(clock.now(), key, BODY);
    }
    repeats.free(&failed);
    repeats.end(&done, kept()).await;

    let again = Repeats::new(journal.clone(), clock);
    for record in journal.read(Position::START, 100).await.unwrap() {
        assert_eq!(record.entity.kind, entity::REPEAT);
        again.replay(record.at, &record.entity.key, &record.event).unwrap();
    }

    assert_eq!(again.find(clock.now(), &done), Some(Known { body: BODY, kept: Some(kept()) }));
    assert_eq!(again.find(clock.now(), &cut), Some(Known { body: BODY, kept: None }));
    assert_eq!(again.find(clock.now(), &failed), None);
}

#[test]
fn a_reply_is_kept_for_a_day() {
    let begin = Timestamp::from_secs(1_000_000);
    let mut table = Table::default();
    table.evolve(begin, [1; 32], &RepeatEvent::Began { body: BODY });
    table.evolve(begin, [1; 32], &RepeatEvent::Ended(kept()));
    table.forget(begin + KEPT - Duration::from_secs(1));
    assert!(table.entries.contains_key(&[1; 32]));
    table.forget(begin + KEPT);
    assert!(table.entries.is_empty() && table.order.is_empty());
}

/// What is on disk stays readable.
#[test]
fn the_bytes_of_repeats_do_not_change() {
    let hex = |event: &RepeatEvent| -> String {
        entity::encode(event).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let body = "03".repeat(32);
    assert_eq!(hex(&RepeatEvent::Began { body: BODY }), format!("010000{body}"));
    let ended = "010001c90104657461670322312201027b7d00";
    assert_eq!(hex(&RepeatEvent::Ended(kept())), ended);
    assert_eq!(hex(&RepeatEvent::Freed), "010002");
}
