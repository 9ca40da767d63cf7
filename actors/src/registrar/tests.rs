#![allow(clippy::unwrap_used)]
use std::time::Duration;

use tandem_kernel::Timestamp;
use tandem_sip::net::FlowId;

use super::machine::{MAX_EXPIRES, Refused, Registrar, RegistrarEvent, Registration, Wish};

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_000_000 + secs)
}

fn wish(uri: &str, secs: u64) -> Wish {
    Wish { uri: uri.into(), expires: Some(Duration::from_secs(secs)), instance: None, reg_id: None }
}

fn register(contacts: Vec<Wish>, cseq: u32) -> Registration {
    let source = "192.0.2.7:5060".parse().unwrap();
    Registration {
        extension: "1001".into(),
        max_contacts: 2,
        contacts,
        remove_all: false,
        path: Vec::new(),
        source,
        transport: "udp".into(),
        flow: FlowId::datagram(0, source),
        call_id: "reg".into(),
        cseq,
        user_agent: "phone".into(),
    }
}

fn apply(registrar: &mut Registrar, now: u64, wish: &Registration) -> Result<(), Refused> {
    for event in registrar.register(at(now), wish)? {
        registrar.evolve(&event);
    }
    Ok(())
}

#[test]
fn a_contact_lives_until_it_runs_out() {
    let mut registrar = Registrar::default();
    apply(&mut registrar, 0, &register(vec![wish("sip:a", 60)], 1)).unwrap();
    assert!(registrar.is_registered("1001"));
    assert_eq!(registrar.next_expiry(), Some(at(60)));
    assert!(registrar.expired(at(59)).is_empty());

    for event in registrar.expired(at(60)) {
        registrar.evolve(&event);
    }

    assert!(registrar.is_empty());
}

#[test]
fn a_refresh_moves_the_expiry() {
    let mut registrar = Registrar::default();
    apply(&mut registrar, 0, &register(vec![wish("sip:a", 60)], 1)).unwrap();
    apply(&mut registrar, 30, &register(vec![wish("sip:a", 60)], 2)).unwrap();

    assert!(registrar.expired(at(60)).is_empty());
    assert_eq!(registrar.len(), 1);
}

#[test]
fn zero_takes_a_contact_back_and_a_star_all() {
    let mut registrar = Registrar::default();
    apply(&mut registrar, 0, &register(vec![wish("sip:a", 60), wish("sip:b", 60)], 1)).unwrap();
    apply(&mut registrar, 1, &register(vec![wish("sip:a", 0)], 2)).unwrap();
    assert_eq!(registrar.contacts("1001").count(), 1);

    let all = Registration { remove_all: true, ..register(Vec::new(), 3) };
    apply(&mut registrar, 2, &all).unwrap();

    assert!(registrar.is_empty());
}

#[test]
fn too_brief_is_refused_and_too_long_is_cut() {
    let mut registrar = Registrar::default();

    let brief = apply(&mut registrar, 0, &register(vec![wish("sip:a", 10)], 1));
    apply(&mut registrar, 0, &register(vec![wish("sip:a", 999_999)], 1)).unwrap();

    assert_eq!(brief, Err(Refused::TooBrief));
    assert_eq!(registrar.next_expiry(), Some(at(0) + MAX_EXPIRES));
}

#[test]
fn an_older_request_of_the_same_call_changes_nothing() {
    let mut registrar = Registrar::default();
    apply(&mut registrar, 0, &register(vec![wish("sip:a", 60)], 5)).unwrap();

    let refused = apply(&mut registrar, 1, &register(vec![wish("sip:a", 0)], 5));

    assert_eq!(refused, Err(Refused::OutOfOrder));
    assert!(registrar.is_registered("1001"));
}

#[test]
fn more_contacts_than_allowed_are_refused_all_together() {
    let mut registrar = Registrar::default();
    let three = vec![wish("sip:a", 60), wish("sip:b", 60), wish("sip:c", 60)];

    let refused = apply(&mut registrar, 0, &register(three, 1));

    assert_eq!(refused, Err(Refused::TooManyContacts(2)));
    assert!(registrar.is_empty());
}

#[test]
fn an_instance_replaces_its_own_contact_when_its_address_changes() {
    let mut registrar = Registrar::default();
    let from = |uri: &str| Wish {
        instance: Some("<urn:uuid:1>".into()),
        reg_id: Some(1),
        ..wish(uri, 60)
    };
    apply(&mut registrar, 0, &register(vec![from("sip:a")], 1)).unwrap();
    apply(&mut registrar, 1, &register(vec![from("sip:b")], 2)).unwrap();

    let uris: Vec<&str> = registrar.contacts("1001").map(|it| it.uri.as_str()).collect();
    assert_eq!(uris, ["sip:b"]);
}

#[test]
fn the_events_alone_restore_the_registrations() {
    let mut registrar = Registrar::default();
    let mut facts: Vec<RegistrarEvent> = Vec::new();
    for (cseq, secs) in [(1, 60), (2, 120), (3, 0), (4, 300)] {
        let events = registrar.register(at(0), &register(vec![wish("sip:a", secs)], cseq)).unwrap();
        for event in events {
            registrar.evolve(&event);
            facts.push(event);
        }
    }

    let mut restored = Registrar::default();
    facts.iter().for_each(|fact| restored.evolve(fact));

    assert_eq!(restored, registrar);
}

#[test]
fn a_contact_on_a_connection_of_another_member_is_not_reached_and_outlives_our_restart() {
    let mut registrar = Registrar::default();
    let bind = |registrar: &mut Registrar, uri: &str, flow: FlowId, node: u64| {
        let wish = Registration { flow, ..register(vec![wish(uri, 60)], 1) };
        for event in registrar.register(at(0), &wish).unwrap() {
            let RegistrarEvent::Bound { extension, binding } = event else { panic!("{event:?}") };
            registrar.evolve(&RegistrarEvent::BoundAt { extension, binding, node });
        }
    };
    let phone = "192.0.2.7:5060".parse().unwrap();
    bind(&mut registrar, "sip:datagram", FlowId::datagram(0, phone), 2);
    bind(&mut registrar, "sip:stream", FlowId::stream(7, phone), 2);

    let reached = |node: u64| {
        let all = registrar.contacts("1001");
        let reached = all.filter(|it| registrar.is_reachable("1001", it, node));
        reached.map(|it| it.uri.clone()).collect::<Vec<_>>()
    };

    assert_eq!(reached(1), ["sip:datagram"]);
    assert_eq!(reached(2), ["sip:datagram", "sip:stream"]);
    assert!(registrar.on_connections(1).is_empty());
    assert_eq!(registrar.on_connections(2).len(), 1);
}
