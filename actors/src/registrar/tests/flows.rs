//! A phone that registers over several flows is one phone.

use super::*;

const PHONE: &str = "<urn:uuid:1>";

fn flow(instance: &str, reg_id: u32, uri: &str) -> Wish {
    Wish { instance: Some(instance.into()), reg_id: Some(reg_id), ..wish(uri, 60) }
}

fn registered(registrar: &mut Registrar, contact: Wish, cseq: u32) {
    let wish = Registration { max_contacts: 9, ..register(vec![contact], cseq) };
    apply(registrar, 0, &wish).unwrap();
}

fn phones(registrar: &Registrar) -> Vec<&str> {
    registrar.phones("1001", 1).into_iter().map(|it| it.uri.as_str()).collect()
}

fn others(registrar: &Registrar, key: &str) -> Vec<String> {
    registrar.other_flows("1001", key, 1).into_iter().map(|it| it.0.uri).collect()
}

#[test]
fn a_phone_of_two_flows_is_one_phone_at_its_newest_flow() {
    let mut registrar = Registrar::default();
    registered(&mut registrar, flow(PHONE, 1, "sip:one"), 1);
    registered(&mut registrar, flow(PHONE, 2, "sip:two"), 2);

    assert_eq!(phones(&registrar), ["sip:two"]);
    assert_eq!(registrar.contacts("1001").count(), 2);
    assert_eq!(others(&registrar, "<urn:uuid:1>;2"), ["sip:one"]);
}

#[test]
fn a_flow_that_is_refreshed_is_the_newest() {
    let mut registrar = Registrar::default();
    registered(&mut registrar, flow(PHONE, 1, "sip:one"), 1);
    registered(&mut registrar, flow(PHONE, 2, "sip:two"), 2);
    registered(&mut registrar, flow(PHONE, 3, "sip:three"), 3);
    registered(&mut registrar, flow(PHONE, 1, "sip:one"), 4);

    assert_eq!(phones(&registrar), ["sip:one"]);
    assert_eq!(others(&registrar, "<urn:uuid:1>;1"), ["sip:three", "sip:two"]);
}

#[test]
fn other_phones_and_those_without_a_name_ring_beside_it() {
    let mut registrar = Registrar::default();
    registered(&mut registrar, wish("sip:plain", 60), 1);
    registered(&mut registrar, wish("sip:plain;transport=tcp", 60), 2);
    registered(&mut registrar, flow(PHONE, 1, "sip:one"), 3);
    registered(&mut registrar, flow("<urn:uuid:2>", 1, "sip:else"), 4);
    registered(&mut registrar, flow(PHONE, 2, "sip:two"), 5);

    let all = ["sip:two", "sip:else", "sip:plain;transport=tcp", "sip:plain"];
    assert_eq!(phones(&registrar), all);
    assert!(others(&registrar, "sip:plain").is_empty());
    assert!(others(&registrar, "<urn:uuid:2>;1").is_empty());
}

#[test]
fn when_a_flow_is_taken_back_the_other_one_is_the_phone() {
    let mut registrar = Registrar::default();
    registered(&mut registrar, flow(PHONE, 1, "sip:one"), 1);
    registered(&mut registrar, flow(PHONE, 2, "sip:two"), 2);
    let gone = Wish { expires: Some(Duration::ZERO), ..flow(PHONE, 2, "sip:two") };
    registered(&mut registrar, gone, 3);

    assert_eq!(phones(&registrar), ["sip:one"]);
    assert!(others(&registrar, "<urn:uuid:1>;1").is_empty());
}

#[test]
fn a_flow_that_only_a_dead_member_has_is_neither_rung_nor_tried() {
    let mut registrar = Registrar::default();
    let at = "192.0.2.7:5060".parse().unwrap();
    for (reg_id, node) in [(1, 1), (2, 2)] {
        let contact = flow(PHONE, reg_id, "sip:phone");
        let stream = FlowId::stream(7, at);
        let wish = Registration { flow: stream, ..register(vec![contact], reg_id) };
        for event in registrar.register(super::at(0), &wish).unwrap() {
            let RegistrarEvent::Bound { extension, binding } = event else { panic!("{event:?}") };
            registrar.evolve(&RegistrarEvent::BoundAt { extension, binding, node });
        }
    }

    let keys: Vec<&str> =
        registrar.phones("1001", 1).into_iter().map(|it| it.key.as_str()).collect();
    assert_eq!(keys, ["<urn:uuid:1>;1"]);
    assert!(others(&registrar, "<urn:uuid:1>;1").is_empty());
}

/// A phone gives all of its REGISTERs one Call-ID (RFC 3261 10.2), over whichever flow.
#[test]
fn a_dialog_stays_on_its_flow_when_the_phone_refreshes_the_other_one() {
    let location = Location::new(1);
    registered(&mut location.registrar.write(), flow(PHONE, 1, "sip:one"), 1);
    let first = location.contacts("1001")[0].id();
    registered(&mut location.registrar.write(), flow(PHONE, 2, "sip:two"), 2);

    assert_eq!(location.current("1001", &first), Some(first));
}
