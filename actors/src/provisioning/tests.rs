#![allow(clippy::unwrap_used)]
use tandem_config::resource::{Contact, Destination, Extension, Member, Membership, Queue};
use tandem_config::{Kind, Resource};
use tandem_journal::{Config, Journal};
use tandem_kernel::{Clock, Position, Timestamp};

use super::Provisioning;
use crate::entity;
use crate::event::ResourceEvent;
use crate::office::{Principal, Refusal};

fn extension(number: &str) -> Resource {
    let json = serde_json::json!({ "number": number, "password": "correct horse" });
    Resource::Extension(serde_json::from_value::<Extension>(json).unwrap())
}

fn queue(number: &str, member: &str) -> Resource {
    let json = serde_json::json!({ "number": number, "name": "sales" });
    let mut queue: Queue = serde_json::from_value(json).unwrap();
    queue.members = vec![Member::new(member, Membership::Static)];
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

fn settings(json: serde_json::Value) -> Resource {
    Resource::Settings(serde_json::from_value(json).unwrap())
}

fn plain_queue(number: &str) -> Resource {
    let json = serde_json::json!({ "number": number, "name": "sales" });
    Resource::Queue(serde_json::from_value(json).unwrap())
}

fn wrong(refused: Result<crate::office::Stored, Refusal>) -> Vec<(String, &'static str)> {
    let Err(Refusal::Invalid(fields)) = refused else { panic!("{refused:?}") };
    fields.into_iter().map(|field| (field.pointer, field.code)).collect()
}

#[tokio::test]
async fn q_219_a_queue_whose_codes_mean_something_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let by = Principal::system();
    let (provisioning, _journal) = open(dir.path()).await;
    let ambiguous = |times| vec![("/number".to_owned(), "ambiguous"); times];

    let any = serde_json::json!({ "queue_numbers": { "first": 1, "last": 9999 } });
    provisioning.replace(&by, Some(0), settings(any)).await.unwrap();
    // *77 and *78 are codes of their own, and so is *077.
    for (number, times) in [("7", 2), ("8", 1)] {
        let refused = wrong(provisioning.create(&by, plain_queue(number)).await);
        assert_eq!(refused, ambiguous(times), "{number}");
    }
    provisioning.create(&by, plain_queue("77")).await.unwrap();
    // *12345 would pause in 345: nobody could log in to 2345.
    let codes = serde_json::json!({
        "code_queue_login": "*1", "code_queue_pause": "*12",
        "queue_numbers": { "first": 1, "last": 9999 },
    });
    provisioning.replace(&by, Some(1), settings(codes)).await.unwrap();
    assert_eq!(wrong(provisioning.create(&by, plain_queue("2345")).await), ambiguous(1));
}

#[tokio::test]
async fn q_219_settings_that_make_a_number_ambiguous_are_refused_by_field() {
    let dir = tempfile::tempdir().unwrap();
    let by = Principal::system();
    let (provisioning, _journal) = open(dir.path()).await;
    provisioning.create(&by, extension("9196")).await.unwrap();
    provisioning.create(&by, plain_queue("6400")).await.unwrap();
    let cases = [
        (serde_json::json!({ "test_numbers": { "echo": "9196" } }), "/test_numbers/echo"),
        (serde_json::json!({ "test_numbers": { "music": "*76400" } }), "/test_numbers/music"),
        (serde_json::json!({ "code_login_all": "6400" }), "/code_login_all"),
        (serde_json::json!({ "code_queue_pause": "91" }), "/code_queue_pause"),
    ];
    for (json, pointer) in cases {
        let refused = provisioning.replace(&by, Some(0), settings(json)).await;
        assert_eq!(wrong(refused), [(pointer.to_owned(), "ambiguous")]);
    }
    let fine = serde_json::json!({ "test_numbers": { "echo": "9197" } });
    provisioning.replace(&by, Some(0), settings(fine)).await.unwrap();
    let refused = provisioning.create(&by, extension("9197")).await;
    assert_eq!(wrong(refused), [("/number".to_owned(), "ambiguous")]);
}

#[tokio::test]
async fn an_extension_is_kept_while_a_token_acts_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let by = Principal::system();
    let (provisioning, _journal) = open(dir.path()).await;
    provisioning.create(&by, extension("1001")).await.unwrap();
    let token = serde_json::json!({
        "id": "5f0c", "name": "panel", "secret_hash": "00", "role": "agent", "extension": "1001",
    });
    let token = Resource::ApiToken(serde_json::from_value(token).unwrap());
    provisioning.create(&by, token).await.unwrap();

    let refused = provisioning.remove(&by, Kind::Extension, "1001", None).await;

    let Err(Refusal::Conflict { code: "in-use", detail }) = refused else { panic!("{refused:?}") };
    assert_eq!(detail, "extension 1001 is used by api-token 5f0c");
}

#[tokio::test]
async fn a_queue_does_not_fail_over_to_itself() {
    let dir = tempfile::tempdir().unwrap();
    let by = Principal::system();
    let (provisioning, _journal) = open(dir.path()).await;
    let Resource::Queue(mut queue) = plain_queue("6400") else { unreachable!() };
    queue.failover = Destination::Queue { number: "6400".into() };

    let refused = provisioning.create(&by, Resource::Queue(queue)).await;

    assert_eq!(wrong(refused), [("/failover/number".to_owned(), "loop")]);
}

/// It is the writer's mistake: nothing is gained by trying again.
#[tokio::test]
async fn a_resource_that_the_journal_does_not_hold_is_not_valid() {
    let dir = tempfile::tempdir().unwrap();
    let by = Principal::system();
    let (provisioning, _journal) = open(dir.path()).await;
    let rules: Vec<_> = (0..2_000)
        .map(|number| serde_json::json!({ "pattern": format!("{number:015}."), "strip": 0 }))
        .collect();
    let trunk = serde_json::json!({ "name": "carrier", "host": "192.0.2.1" });
    let route = serde_json::json!({ "name": "out", "rules": rules, "trunks": ["carrier"] });
    let trunk = Resource::Trunk(serde_json::from_value(trunk).unwrap());
    provisioning.create(&by, trunk).await.unwrap();

    let route = Resource::OutboundRoute(serde_json::from_value(route).unwrap());
    let refused = provisioning.create(&by, route).await;

    assert_eq!(wrong(refused), [(String::new(), "too-large")]);
}

#[tokio::test]
async fn revisions_go_on_after_a_deletion() {
    let dir = tempfile::tempdir().unwrap();
    let by = Principal::system();
    let (provisioning, _journal) = open(dir.path()).await;
    provisioning.create(&by, extension("1001")).await.unwrap();
    provisioning.remove(&by, Kind::Extension, "1001", Some(1)).await.unwrap();

    // An old ETag never fits the new resource.
    let again = provisioning.create(&by, extension("1001")).await.unwrap();

    assert_eq!(again.revision, 3);
    let stale = provisioning.replace(&by, Some(1), extension("1001")).await;
    assert_eq!(stale, Err(Refusal::Stale { actual: 3 }));
}

/// As after an append whose outcome was lost, or another writer.
#[tokio::test]
async fn what_the_journal_has_beyond_the_directory_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let by = Principal::system();
    let (provisioning, journal) = open(dir.path()).await;
    let other = Provisioning::new(journal, Clock::start());
    provisioning.create(&by, extension("1001")).await.unwrap();

    let taken = other.create(&by, extension("1001")).await;
    assert!(matches!(taken, Err(Refusal::Conflict { code: "already-exists", .. })), "{taken:?}");
    other.replace(&by, Some(1), extension("1001")).await.unwrap();

    let behind = provisioning.replace(&by, Some(1), extension("1001")).await;
    assert_eq!(behind, Err(Refusal::Stale { actual: 2 }));
    provisioning.replace(&by, Some(2), extension("1001")).await.unwrap();
    other.remove(&by, Kind::Extension, "1001", None).await.unwrap_err();
    other.remove(&by, Kind::Extension, "1001", Some(3)).await.unwrap();
    let gone = provisioning.remove(&by, Kind::Extension, "1001", Some(3)).await;
    assert_eq!(gone, Err(Refusal::Stale { actual: 4 }));
    assert!(provisioning.directory().extension("1001").is_none());
}

#[tokio::test]
async fn what_other_members_wrote_is_taken_in_once_and_never_backwards() {
    let dir = tempfile::tempdir().unwrap();
    let by = Principal::system();
    let (provisioning, journal) = open(dir.path()).await;
    provisioning.create(&by, extension("1001")).await.unwrap();
    provisioning.remove(&by, Kind::Extension, "1001", None).await.unwrap();
    let mut changes = provisioning.watch();
    let elsewhere = Provisioning::new(journal.clone(), Clock::start());

    for record in journal.read(Position::START, 100).await.unwrap() {
        // The writer's own come back, the other sees them for the first time.
        provisioning.follow(record.at, record.version, &record.event).unwrap();
        elsewhere.follow(record.at, record.version, &record.event).unwrap();
        assert!(provisioning.directory().extension("1001").is_none());
        assert_eq!(elsewhere.directory().extension("1001").is_some(), record.version == 1);
    }

    assert!(changes.try_recv().is_err(), "nothing has changed");
}

/// The time to replay so many extensions, each once.
fn replaying(provisioning: &Provisioning, count: u32) -> std::time::Duration {
    let events: Vec<_> = (0..count)
        .map(|number| {
            let key = format!("{number:06}");
            let body = serde_json::to_string(&extension(&key)).unwrap();
            let put = ResourceEvent::Put { kind: Kind::Extension, key, body, by: "system".into() };
            entity::encode(&put)
        })
        .collect();
    let began = std::time::Instant::now();
    for event in &events {
        provisioning.replay(Timestamp::from_micros(1), 1, event).unwrap();
        assert!(provisioning.directory().find(Kind::Extension, "000000").is_some());
    }
    began.elapsed()
}

/// With a copy of the whole directory for each it would be sixteen times as much.
#[tokio::test]
async fn a_write_costs_the_same_among_sixteen_thousand_as_among_a_thousand() {
    let dir = tempfile::tempdir().unwrap();
    let mut ratios = Vec::new();
    let (_, journal) = open(dir.path()).await;
    for _ in 0..5 {
        let fresh = || Provisioning::new(journal.clone(), Clock::start());
        let few = replaying(&fresh(), 1_000).as_secs_f64() / 1_000.0;
        let many = replaying(&fresh(), 16_000).as_secs_f64() / 16_000.0;
        ratios.push(many / few);
    }
    let best = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(best < 4.0, "{ratios:?}");
}

fn any(json: serde_json::Value) -> Resource {
    serde_json::from_value(json).unwrap()
}

fn code(id: &str, digits: &str) -> Resource {
    any(serde_json::json!({ "kind": "outbound-code", "id": id, "name": id, "code": digits }))
}

#[track_caller]
fn codes_of<T>(outcome: Result<T, Refusal>) -> Vec<(String, &'static str)> {
    match outcome {
        Err(Refusal::Invalid(fields)) => {
            fields.into_iter().map(|field| (field.pointer, field.code)).collect()
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("was taken"),
    }
}

#[tokio::test]
async fn o_003_o_004_o_014_a_code_is_told_from_every_other_number() {
    let dir = tempfile::tempdir().unwrap();
    let by = Principal::system();
    let (provisioning, _journal) = open(dir.path()).await;
    provisioning.create(&by, extension("8001")).await.unwrap();
    provisioning.create(&by, extension("77")).await.unwrap();
    provisioning.create(&by, code("sales", "82")).await.unwrap();
    let refused = |resource| async { codes_of(provisioning.create(&by, resource).await) };

    assert_eq!(refused(code("again", "82")).await, [("/code".into(), "duplicate")]);
    assert_eq!(refused(code("police", "11")).await, [("/code".into(), "reserved")]);
    assert_eq!(refused(code("house", "77")).await, [("/code".into(), "ambiguous")]);
    assert_eq!(refused(code("range", "80")).await, [("/code".into(), "confirm-prefix")]);
    assert_eq!(refused(extension("82")).await, [("/number".into(), "ambiguous")]);
    let confirmed = serde_json::json!({ "kind": "outbound-code", "id": "range", "name": "range",
        "code": "80", "prefix_confirmed": true });
    provisioning.create(&by, any(confirmed)).await.unwrap();
}

#[tokio::test]
async fn o_009_o_011_there_are_so_many_codes_and_one_in_use_stays() {
    let dir = tempfile::tempdir().unwrap();
    let by = Principal::system();
    let (provisioning, _journal) = open(dir.path()).await;
    provisioning.create(&by, code("sales", "82")).await.unwrap();
    let settings = serde_json::json!({ "kind": "settings",
        "outbound": { "max_codes": 1, "default_code": "sales" } });
    provisioning.replace(&by, None, any(settings)).await.unwrap();

    let more = codes_of(provisioning.create(&by, code("vip", "83")).await);
    let gone = provisioning.remove(&by, Kind::OutboundCode, "sales", None).await;

    assert_eq!(more, [(String::new(), "too-many")]);
    assert!(matches!(gone, Err(Refusal::Conflict { code: "in-use", .. })), "{gone:?}");
}

#[tokio::test]
async fn o_010_o_028_a_route_has_a_trunk_and_a_priority_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let by = Principal::system();
    let (provisioning, _journal) = open(dir.path()).await;
    let route = |name: &str, trunks: &[&str]| {
        any(serde_json::json!({ "kind": "outbound-route", "name": name, "trunks": trunks,
            "rules": [{ "pattern": "!" }] }))
    };
    let trunk = serde_json::json!({ "kind": "trunk", "name": "main", "host": "192.0.2.1" });
    let without = codes_of(provisioning.create(&by, route("a", &[])).await);
    provisioning.create(&by, any(trunk)).await.unwrap();
    provisioning.create(&by, route("a", &["main"])).await.unwrap();

    let tie = codes_of(provisioning.create(&by, route("b", &["main"])).await);

    assert_eq!(without, [("/trunks".into(), "empty")]);
    assert_eq!(tie, [("/priority".into(), "ambiguous")]);
}

#[tokio::test]
async fn q_041_a_queue_that_goes_by_the_clock_has_a_time_profile_which_stays_while_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let by = Principal::system();
    let (provisioning, _journal) = open(folder.path()).await;
    let queue = |leads: &str| {
        let to = serde_json::json!({ "type": "extension", "number": leads });
        let times = serde_json::json!({
            "enabled": true, "time_profile": "office", "out_of_hours_destination": to,
        });
        any(serde_json::json!({
            "kind": "queue", "number": "6400", "name": "q", "time_condition": times,
        }))
    };
    provisioning.create(&by, extension("1001")).await.unwrap();

    let refused = wrong(provisioning.create(&by, queue("1002")).await);
    let fields = ["time_profile", "out_of_hours_destination/number"];
    let expected = fields.map(|it| (format!("/time_condition/{it}"), "unknown-reference"));
    assert_eq!(refused, expected);

    let profile = serde_json::json!({ "kind": "time-profile", "name": "office", "zone": "UTC" });
    provisioning.create(&by, any(profile)).await.unwrap();
    provisioning.create(&by, queue("1001")).await.unwrap();
    for (kind, key) in [(Kind::TimeProfile, "office"), (Kind::Extension, "1001")] {
        let refused = provisioning.remove(&by, kind, key, None).await;
        assert!(matches!(refused, Err(Refusal::Conflict { code: "in-use", .. })), "{key}");
    }
}

fn contact(id: &str, numbers: &[&str]) -> Resource {
    let numbers = numbers.iter().map(|number| (*number).to_owned()).collect();
    let (id, name, company) = (id.to_owned(), id.to_uppercase(), String::new());
    Resource::Contact(Contact { id, name, company, numbers })
}

#[tokio::test]
async fn q_556_q_558_a_caller_is_the_contact_that_was_changed_last() {
    let dir = tempfile::tempdir().unwrap();
    let by = Principal::system();
    let (provisioning, _journal) = open(dir.path()).await;
    let named = |number: &str| {
        provisioning.directory().contact_of(number).map(|contact| contact.name.clone())
    };
    provisioning.create(&by, contact("first", &["02-2555-0123", "0912345678"])).await.unwrap();
    provisioning.create(&by, contact("second", &["+886 912 345 678"])).await.unwrap();

    assert_eq!(named("0912345678").as_deref(), Some("SECOND"));
    assert_eq!(named("0225550123").as_deref(), Some("FIRST"));
    provisioning.replace(&by, None, contact("first", &["0912345678"])).await.unwrap();
    assert_eq!(named("0912345678").as_deref(), Some("FIRST"));
    assert_eq!(named("0225550123"), None, "the number is nobody's any more");
    provisioning.remove(&by, Kind::Contact, "first", None).await.unwrap();
    assert_eq!(named("0912345678").as_deref(), Some("SECOND"));
    assert_eq!(named(""), None);
}
