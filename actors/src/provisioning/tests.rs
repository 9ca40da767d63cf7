#![allow(clippy::unwrap_used)]
use tandem_config::resource::{Destination, Extension, Member, Membership, Queue};
use tandem_config::{Kind, Resource};
use tandem_journal::{Config, Journal};
use tandem_kernel::{Clock, Position};

use super::Provisioning;
use crate::office::{Principal, Refusal};

fn extension(number: &str) -> Resource {
    let json = serde_json::json!({ "number": number, "password": "correct horse" });
    Resource::Extension(serde_json::from_value::<Extension>(json).unwrap())
}

fn queue(number: &str, member: &str) -> Resource {
    let json = serde_json::json!({ "number": number, "name": "sales" });
    let mut queue: Queue = serde_json::from_value(json).unwrap();
    queue.members = vec![Member { extension: member.into(), membership: Membership::Static }];
    Resource::Queue(queue)
}

async fn journal(dir: &std::path::Path, clock: Clock) -> Journal {
    Journal::open(Config::new(dir, clock)).await.unwrap()
}

async fn open(dir: &std::path::Path) -> (Provisioning, Journal) {
    let clock = Clock::start();
    let journal = journal(dir, clock).await;
    (Provisioning::new(journal.clone(), clock), journal)
}

#[tokio::test]
async fn what_was_answered_done_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let by = Principal::system();
    let (provisioning, first) = open(dir.path()).await;
    provisioning.create(&by, extension("1001")).await.unwrap();
    let stored = provisioning.create(&by, queue("6400", "1001")).await.unwrap();
    assert_eq!(stored.revision, 1);
    drop(provisioning);
    first.close().await.unwrap();

    let (provisioning, again) = open(dir.path()).await;
    for record in again.read(Position::START, 100).await.unwrap() {
        provisioning.replay(record.at, record.version, &record.event).unwrap();
    }

    let directory = provisioning.directory();
    assert!(directory.extension("1001").is_some());
    assert_eq!(directory.queue("6400").unwrap().members.len(), 1);
}

#[tokio::test]
async fn a_write_at_an_old_revision_is_stale() {
    let dir = tempfile::tempdir().unwrap();
    let by = Principal::system();
    let (provisioning, _journal) = open(dir.path()).await;
    provisioning.create(&by, extension("1001")).await.unwrap();
    provisioning.replace(&by, Some(1), extension("1001")).await.unwrap();

    let refused = provisioning.replace(&by, Some(1), extension("1001")).await;

    assert_eq!(refused, Err(Refusal::Stale { actual: 2 }));
}

#[tokio::test]
async fn what_others_refer_to_is_not_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let by = Principal::system();
    let (provisioning, _journal) = open(dir.path()).await;
    provisioning.create(&by, extension("1001")).await.unwrap();
    provisioning.create(&by, queue("6400", "1001")).await.unwrap();

    let refused = provisioning.remove(&by, Kind::Extension, "1001", None).await;

    assert!(matches!(refused, Err(Refusal::Conflict { code: "in-use", .. })), "{refused:?}");
}

#[tokio::test]
async fn references_to_nothing_and_clashes_are_named_by_field() {
    let dir = tempfile::tempdir().unwrap();
    let by = Principal::system();
    let (provisioning, _journal) = open(dir.path()).await;
    provisioning.create(&by, extension("6400")).await.unwrap();
    let Resource::Queue(mut wrong) = queue("6400", "1009") else { unreachable!() };
    wrong.failover = Destination::Queue { number: "6499".into() };

    let Err(Refusal::Invalid(fields)) = provisioning.create(&by, Resource::Queue(wrong)).await
    else {
        panic!("it is valid")
    };

    let pointers: Vec<&str> = fields.iter().map(|field| field.pointer.as_str()).collect();
    assert_eq!(pointers, ["/number", "/failover/number", "/members/0/extension"]);
}
