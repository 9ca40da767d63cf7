#![allow(clippy::unwrap_used)]

mod flows;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tandem_kernel::Timestamp;
use tandem_sip::net::{FlowId, RemoteFlow, Transport};

use super::challenged::Challenged;
use super::machine::{MAX_EXPIRES, Refused, Registrar, RegistrarEvent, Registration, Way, Wish};
use super::{Binding, Location, entity};
use crate::whereabouts::Whereabouts;

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_000_000 + secs)
}

fn wish(uri: &str, secs: u64) -> Wish {
    Wish { uri: uri.into(), expires: Some(Duration::from_secs(secs)), instance: None, reg_id: None }
}

fn register(contacts: Vec<Wish>, cseq: u32) -> Registration {
    let source = "10.0.0.7:5060".parse().unwrap();
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

/// Registers a contact at a member, which carries for the others if it says by which address.
fn bind(registrar: &mut Registrar, uri: &str, flow: FlowId, node: u64, address: Option<&str>) {
    let transport = if flow.is_reliable() { "tcp" } else { "udp" };
    let source = flow.remote();
    let mut wish = Registration { flow, source, ..register(vec![wish(uri, 60)], 1) };
    wish.transport = transport.into();
    wish.max_contacts = 9;
    for event in registrar.register(at(0), &wish).unwrap() {
        let RegistrarEvent::Bound { extension, binding } = event else { panic!("{event:?}") };
        if let Some(address) = address {
            let (key, address) = (binding.key.clone(), address.to_owned());
            let extension = extension.clone();
            registrar.evolve(&RegistrarEvent::Carried { extension, key, node, address });
        }
        registrar.evolve(&RegistrarEvent::BoundAt { extension, binding, node });
    }
}

fn reached(registrar: &Registrar, node: u64) -> Vec<&str> {
    registrar.reached("1001", node).map(|it| it.uri.as_str()).collect()
}

#[test]
fn a_contact_on_a_connection_of_an_older_member_is_not_reached_and_outlives_our_restart() {
    let mut registrar = Registrar::default();
    let phone = "192.0.2.7:5060".parse().unwrap();
    bind(&mut registrar, "sip:datagram", FlowId::datagram(0, phone), 2, None);
    bind(&mut registrar, "sip:stream", FlowId::stream(7, phone), 2, None);

    assert_eq!(reached(&registrar, 1), ["sip:datagram"]);
    assert_eq!(reached(&registrar, 2), ["sip:datagram", "sip:stream"]);
    assert!(registrar.on_connections(1).is_empty());
    assert_eq!(registrar.on_connections(2).len(), 1);
}

#[test]
fn a_contact_on_a_connection_of_another_member_is_reached_through_it_while_it_lives() {
    let mut registrar = Registrar::default();
    let flow = FlowId::stream(7, "192.0.2.7:5060".parse().unwrap());
    bind(&mut registrar, "sip:stream", flow, 2, Some("198.51.100.2:5060"));
    let through = RemoteFlow {
        member: 2,
        flow,
        transport: Transport::Tcp,
        address: "198.51.100.2:5060".into(),
    };

    let way = |registrar: &Registrar, node| registrar.way("1001", "sip:stream", node);
    assert_eq!(way(&registrar, 1), Some(Way::Through(through.clone())));
    assert_eq!(way(&registrar, 2), Some(Way::Own(flow)));
    registrar.member_left(2);
    assert_eq!(way(&registrar, 1), None);
    assert_eq!(registrar.at_home(2), ["1001"]);
    registrar.member_back(2);
    assert_eq!(way(&registrar, 1), Some(Way::Through(through)));
}

#[test]
fn a_refresh_over_another_connection_is_carried_on_and_one_at_another_member_is_not() {
    let mut registrar = Registrar::default();
    let phone = "192.0.2.7:5060".parse().unwrap();
    bind(&mut registrar, "sip:stream", FlowId::stream(7, phone), 2, Some("a:1"));
    let again = FlowId::stream(8, phone);
    let rebind = |registrar: &mut Registrar, node| {
        let binding = registrar.contacts("1001").next().unwrap().clone();
        let binding = Binding { flow: again, ..binding };
        registrar.evolve(&RegistrarEvent::BoundAt { extension: "1001".into(), binding, node });
    };

    rebind(&mut registrar, 2);
    let Some(Way::Through(there)) = registrar.way("1001", "sip:stream", 1) else { panic!() };
    assert_eq!((there.flow, there.address.as_str()), (again, "a:1"));
    rebind(&mut registrar, 3);
    assert_eq!(registrar.way("1001", "sip:stream", 1), None, "it has not said so");
    assert_eq!(registrar.address("1001", "sip:stream", 2), None);
}

#[test]
fn a_datagram_phone_is_rung_through_the_member_that_says_so_while_that_lives() {
    let mut registrar = Registrar::default();
    let flow = FlowId::datagram(0, "10.0.0.7:5060".parse().unwrap());
    bind(&mut registrar, "sip:carried", flow, 2, Some("a:1"));
    bind(&mut registrar, "sip:near", flow, 2, None);

    let way = |registrar: &Registrar, uri| registrar.way("1001", uri, 1);
    assert!(matches!(way(&registrar, "sip:carried"), Some(Way::Through(_))));
    assert_eq!(way(&registrar, "sip:near"), Some(Way::Own(flow)));
    registrar.member_left(2);
    assert_eq!(way(&registrar, "sip:carried"), Some(Way::Own(flow)), "as well as it goes");
    registrar.member_back(2);
    assert!(matches!(way(&registrar, "sip:carried"), Some(Way::Through(_))));
}

#[test]
fn a_phone_elsewhere_than_it_says_or_at_a_public_address_is_behind_a_nat() {
    for (uri, source, is_behind) in [
        ("sip:1001@10.0.0.7", "10.0.0.7:5060", false),
        ("sip:1001@10.0.0.7:5060;ob", "10.0.0.7:5060", false),
        ("sip:1001@10.0.0.7:5062", "10.0.0.7:5060", true),
        ("sip:1001@10.0.0.8:5060", "10.0.0.7:5060", true),
        ("sip:1001@phone.example", "10.0.0.7:5060", true),
        ("sip:1001@100.64.0.7:5060", "100.64.0.7:5060", false),
        ("sip:1001@100.128.0.7:5060", "100.128.0.7:5060", true),
        ("sip:1001@8.8.4.4:5060", "8.8.4.4:5060", true),
        ("sip:1001@8.8.4.4:5060", "[::ffff:8.8.4.4]:5060", true),
        ("sip:1001@[2001:db8::7]:5060", "[2001:db8::7]:5060", true),
        ("sip:1001@[fd00::7]:5060", "[fd00::7]:5060", false),
        ("sip:1001@[fe80::7]:5060", "[fe80::7]:5060", false),
        ("sip:1001@[::1]:5060", "[::1]:5060", false),
    ] {
        let mut registrar = Registrar::default();
        let source = source.parse().unwrap();
        let wish = Registration { source, ..register(vec![wish(uri, 60)], 1) };
        apply(&mut registrar, 0, &wish).unwrap();
        let binding = registrar.contacts("1001").next().unwrap();
        assert_eq!(binding.is_behind_nat(), is_behind, "{uri} from {source}");
    }
}

/// As pjsip does when the answer to its first REGISTER says how it is seen.
#[test]
fn a_phone_that_takes_its_private_contact_back_is_still_known_to_be_behind_its_nat() {
    let mut registrar = Registrar::default();
    let flow = FlowId::datagram(0, "10.0.0.7:5060".parse().unwrap());
    bind(&mut registrar, "sip:private", flow, 2, Some("a:1"));
    bind(&mut registrar, "sip:near", flow, 2, None);
    let changes = |old: &str, cseq| {
        let contacts = vec![wish(old, 0), wish("sip:mapped", 60)];
        let wish = Registration { max_contacts: 9, ..register(contacts, cseq) };
        registrar.register(at(1), &wish).unwrap()
    };

    assert!(registrar.replaces_carried(&changes("sip:private", 2)));
    assert!(!registrar.replaces_carried(&changes("sip:near", 2)));
    assert!(registrar.is_carried("1001", "sip:private"));
    assert!(!registrar.is_carried("1001", "sip:mapped"));
}

#[test]
fn the_newest_that_were_seen_elsewhere_are_remembered_once_each() {
    let mut challenged = Challenged::default();
    for number in 0..4_096 {
        challenged.note(&format!("call-{number}"));
        challenged.note("call-0");
    }
    assert!(challenged.has("call-0") && challenged.has("call-4095"));

    challenged.note("one more");
    challenged.note(&"x".repeat(257));

    assert!(!challenged.has("call-0") && challenged.has("call-1") && challenged.has("one more"));
    assert!(!challenged.has(&"x".repeat(257)));
}

#[test]
fn each_nat_is_held_open_once_in_all_turns_by_the_member_of_the_phone() {
    let mut registrar = Registrar::default();
    let near = "10.0.0.7:5060".parse().unwrap();
    let (datagram, stream) = (FlowId::datagram(0, near), FlowId::stream(7, near));
    bind(&mut registrar, "sip:1001@192.168.0.7", datagram, 2, None);
    bind(&mut registrar, "sip:1001@10.0.0.7", datagram, 2, None);
    bind(&mut registrar, "sip:1001@192.168.0.8", stream, 2, None);
    let held = |registrar: &Registrar, node| -> Vec<String> {
        let turns = (100..125).flat_map(|turn| registrar.in_turn(turn, node));
        turns.map(|binding| binding.uri.clone()).collect()
    };

    assert_eq!(held(&registrar, 1), Vec::<String>::new());
    assert_eq!(held(&registrar, 2), ["sip:1001@192.168.0.7"]);
    let all = || registrar.contacts("1001");
    let binding = all().find(|it| it.uri == "sip:1001@192.168.0.7").unwrap().clone();
    let moved = RegistrarEvent::BoundAt { extension: "1001".into(), binding, node: 3 };
    registrar.evolve(&moved);
    assert_eq!(held(&registrar, 2), Vec::<String>::new());
    assert_eq!(held(&registrar, 3), ["sip:1001@192.168.0.7"]);
}

#[test]
fn a_phone_is_known_by_the_path_of_its_registration_at_its_own_member() {
    let mut registrar = Registrar::default();
    let flow = FlowId::stream(7, "192.0.2.7:5060".parse().unwrap());
    bind(&mut registrar, "sip:stream", flow, 2, Some("a:1"));

    assert!(registrar.is_on("1001", (2, 1), flow));
    assert!(!registrar.is_on("1001", (1, 1), flow), "the number is another flow there");
    assert!(!registrar.is_on("1002", (2, 1), flow));
}

#[test]
fn a_contact_that_is_gone_leaves_nothing() {
    let mut registrar = Registrar::default();
    let flow = FlowId::stream(7, "192.0.2.7:5060".parse().unwrap());
    bind(&mut registrar, "sip:stream", flow, 2, Some("a:1"));

    for event in registrar.expired(at(60)) {
        registrar.evolve(&event);
    }

    assert_eq!(registrar, Registrar::default());
}

#[test]
fn a_phone_of_before_is_found_by_its_address_its_contact_or_as_the_only_one() {
    let location = Location::new(1);
    let phone: SocketAddr = "192.0.2.7:5060".parse().unwrap();
    let flow = FlowId::stream(7, phone);
    bind(&mut location.registrar.write(), "sip:one", flow, 2, Some("a:1"));
    let find = |at: &str, contact| {
        location.find("1001", at.parse().unwrap(), contact).map(|found| found.key)
    };
    let only = || location.only_on_flow("1001", true).map(|found| found.key);

    assert_eq!(find("192.0.2.7:5060", "sip:x").as_deref(), Some("sip:one"));
    assert_eq!(find("192.0.2.9:9", "sip:one").as_deref(), Some("sip:one"));
    assert_eq!(find("192.0.2.9:9", "sip:x"), None);
    assert_eq!(only().as_deref(), Some("sip:one"));
    let other = FlowId::stream(8, "192.0.2.8:5060".parse().unwrap());
    let wish = Registration { source: other.remote(), flow: other, ..register(Vec::new(), 1) };
    let wish = Registration { contacts: vec![super::tests::wish("sip:two", 60)], ..wish };
    let events = location.registrar.read().register(at(0), &wish).unwrap();
    for event in events {
        location.replay(&entity::encode(&event)).unwrap();
    }
    assert_eq!(only(), None, "it may be either");
    assert_eq!(find("192.0.2.8:5060", "sip:x").as_deref(), Some("sip:two"));
}

/// As a phone behind a NAT does that learns at another member how it is seen there.
#[test]
fn a_phone_that_gives_another_contact_is_found_by_what_it_said_last() {
    let location = Location::new(1);
    let bind = |uri: &str, node, cseq| {
        let wish = register(vec![wish(uri, 60)], cseq);
        let events = location.registrar.read().register(at(0), &wish).unwrap();
        let Some(RegistrarEvent::Bound { extension, binding }) = events.into_iter().next() else {
            panic!()
        };
        let id = binding.id();
        let event = RegistrarEvent::BoundAt { extension, binding, node };
        location.replay(&entity::encode(&event)).unwrap();
        id
    };
    let first = bind("sip:one", 2, 1);
    assert_eq!(location.current("1001", &first), Some(first.clone()));

    let second = bind("sip:two", 3, 2);
    assert_eq!(location.current("1001", &first), Some(second.clone()));
    let gone =
        RegistrarEvent::Unbound { extension: "1001".into(), key: "sip:one".into(), expired: false };
    location.replay(&entity::encode(&gone)).unwrap();
    assert_eq!(location.current("1001", &first), Some(second));
}

#[test]
fn who_watches_is_told_of_another_path_and_of_no_refresh() {
    let placed = Whereabouts::default();
    let location = Location::new(1);
    let told = Arc::new(AtomicU32::new(0));
    let count = told.clone();
    let tell = move || {
        count.fetch_add(1, Ordering::Relaxed);
    };
    let watch = location.watch("1001", Arc::new(tell));
    let mut cseq = 0;
    let mut hear = |node, flow: FlowId| {
        cseq += 1;
        let wish = Registration { flow, ..register(vec![wish("sip:one", 60)], cseq) };
        let events = location.registrar.read().register(at(0), &wish).unwrap();
        for event in events {
            let RegistrarEvent::Bound { extension, binding } = event else { panic!() };
            let event = RegistrarEvent::BoundAt { extension, binding, node };
            location.follow(&entity::encode(&event), &placed).unwrap();
        }
        told.load(Ordering::Relaxed)
    };
    let (one, two) = ("192.0.2.7:1".parse().unwrap(), "192.0.2.7:2".parse().unwrap());

    assert_eq!(hear(2, FlowId::datagram(0, one)), 1, "it was not there");
    assert_eq!(hear(2, FlowId::datagram(0, one)), 1);
    assert_eq!(hear(2, FlowId::datagram(0, two)), 2);
    assert_eq!(hear(3, FlowId::datagram(0, two)), 3);
    location.member_left(3, None);
    assert!(location.is_stranded("1001", "sip:one"));
    location.member_back(3, None);
    assert!(!location.is_stranded("1001", "sip:one"));
    assert_eq!(hear(3, FlowId::datagram(0, two)), 4, "its member is back");
    drop(watch);
    assert_eq!(hear(2, FlowId::datagram(0, one)), 4);
}

#[test]
fn the_bytes_of_who_carries_for_whom_are_for_ever() {
    let fact = RegistrarEvent::Carried {
        extension: "1".into(),
        key: "k".into(),
        node: 2,
        address: "a:1".into(),
    };

    let bytes = entity::encode(&fact);

    assert_eq!(bytes[..], [1, 0, 3, 1, b'1', 1, b'k', 2, 3, b'a', b':', b'1']);
}
