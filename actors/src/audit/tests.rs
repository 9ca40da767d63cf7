#![allow(clippy::unwrap_used)]
use bytes::Bytes;
use tandem_config::Kind;
use tandem_journal::{Entity, Record};
use tandem_kernel::{Position, Timestamp};
use tandem_store::{Options, Store};

use super::event::DeedEvent;
use super::{Audit, Entry, Filter};
use crate::entity;
use crate::event::ResourceEvent;
use crate::provisioning::entity_of;
use crate::sessions::event::SessionEvent;

fn record(index: u64, entity: Entity, event: Bytes) -> Record {
    let (position, at) = (Position::at(index), Timestamp::from_secs(1_000 + index));
    Record { position, entity, version: index, at, event }
}

fn written(index: u64, body: &str) -> Record {
    let (kind, key) = (Kind::Extension, "1001".to_owned());
    let put = ResourceEvent::Put { kind, key, body: body.into(), by: "user:alice".into() };
    record(index, entity_of(Kind::Extension, "1001"), entity::encode(&put))
}

fn facts() -> Vec<Record> {
    let key = Entity::new(entity::SESSION, "00");
    let (user, from) = ("alice".to_owned(), "192.0.2.1".to_owned());
    let opened = SessionEvent::Opened { user: user.clone(), password: [0; 32], from };
    let removed =
        ResourceEvent::Removed { kind: Kind::Extension, key: "1001".into(), by: "token:ci".into() };
    let (action, kind, by) = ("written".into(), "prompt".into(), "token:ci".into());
    let prompt = DeedEvent::Done { action, kind, key: "hello".into(), by };
    vec![
        record(1, key.clone(), entity::encode(&opened)),
        written(2, r#"{"kind":"extension","number":"1001","name":"A","password":"one"}"#),
        written(3, r#"{"kind":"extension","number":"1001","name":"B","password":"two"}"#),
        record(4, key.clone(), entity::encode(&SessionEvent::Used)),
        record(5, Entity::new(entity::DEED, "prompt/hello"), entity::encode(&prompt)),
        record(6, entity_of(Kind::Extension, "1001"), entity::encode(&removed)),
        written(7, r#"{"kind":"extension","number":"1001"}"#),
        record(8, key, entity::encode(&SessionEvent::Closed { user })),
    ]
}

fn shown(entry: &Entry) -> String {
    let Entry { by, action, kind, key, fields, from, .. } = entry;
    format!("{by} {action} {kind} {key} {} {from}", fields.join(",")).trim().to_owned()
}

fn audit() -> (Audit, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let audit = Audit::new(Store::open(&dir.path().join("p"), &Options::default()).unwrap());
    facts().iter().for_each(|fact| audit.apply(fact));
    (audit, dir)
}

#[test]
fn the_log_tells_who_did_what_and_names_changed_fields_without_their_values() {
    let (audit, _dir) = audit();

    let all = audit.page(&Filter::default(), None, 100);

    let wanted = [
        "user:alice signed-out session alice",
        "user:alice created extension 1001",
        "token:ci removed extension 1001",
        "token:ci written prompt hello",
        "user:alice changed extension 1001 name,password",
        "user:alice created extension 1001",
        "user:alice signed-in session alice  192.0.2.1",
    ];
    assert_eq!(all.iter().map(shown).collect::<Vec<_>>(), wanted);
    assert_eq!((all[0].at, all[0].position), (Timestamp::from_secs(1_008), Position::at(8)));
}

#[test]
fn the_log_is_asked_by_person_thing_and_time_and_read_in_pages() {
    let (audit, _dir) = audit();
    let count = |filter: Filter| audit.page(&filter, None, 100).len();

    assert_eq!(count(Filter { by: Some("token:ci".into()), ..Filter::default() }), 2);
    assert_eq!(count(Filter { key: Some("1001".into()), ..Filter::default() }), 4);
    assert_eq!(count(Filter { kind: Some("prompt".into()), ..Filter::default() }), 1);
    assert_eq!(count(Filter { action: Some("created".into()), ..Filter::default() }), 2);
    let (since, until) = (Some(Timestamp::from_secs(1_003)), Some(Timestamp::from_secs(1_006)));
    assert_eq!(count(Filter { since, until, ..Filter::default() }), 2);

    let first = audit.page(&Filter::default(), None, 3);
    let rest = audit.page(&Filter::default(), Some(first[2].position), 100);
    assert_eq!((first.len(), rest.len()), (3, 4));
    // What is read again from the journal is written to the same places.
    facts().iter().for_each(|fact| audit.apply(fact));
    assert_eq!(count(Filter::default()), 7);
}

/// What is on disk stays readable.
#[test]
fn the_bytes_of_deeds_do_not_change() {
    let done = DeedEvent::Done {
        action: "hangup".into(),
        kind: "call".into(),
        key: "7".into(),
        by: "token:ci".into(),
    };
    let hex: String = entity::encode(&done).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "0100000668616e6775700463616c6c013708746f6b656e3a6369");
}
