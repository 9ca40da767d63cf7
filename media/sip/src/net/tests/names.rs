//! RFC 3263 against a name server of our own.

use std::collections::HashMap;
use std::str::FromStr;

use hickory_resolver::proto::op::{Message as Packet, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, NAPTR, SRV};
use hickory_resolver::proto::rr::{Name as Domain, RData, Record, RecordType};

use super::*;
use crate::net::resolve::{Names, Question};

type Zone = HashMap<(&'static str, RecordType), Vec<RData>>;

fn domain(name: &str) -> Domain {
    Domain::from_str(name).unwrap()
}

fn a(last: u8) -> RData {
    RData::A(A::new(192, 0, 2, last))
}

fn srv(priority: u16, port: u16, target: &str) -> RData {
    RData::SRV(SRV::new(priority, 10, port, domain(target)))
}

fn naptr(order: u16, service: &str, replacement: &str) -> RData {
    let (flags, service) = (b"s".to_vec().into(), service.as_bytes().to_vec().into());
    RData::NAPTR(NAPTR::new(order, 10, flags, service, Box::new([]), domain(replacement)))
}

/// Answers out of a zone until it is aborted.
async fn serve(zone: Zone) -> (Names, tokio::task::JoinHandle<()>) {
    let socket = UdpSocket::bind(any_port()).await.unwrap();
    let addr = socket.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let mut buffer = [0; 1_500];
        loop {
            let (length, source) = socket.recv_from(&mut buffer).await.unwrap();
            let question = Packet::from_vec(&buffer[..length]).unwrap();
            let mut answer = Packet::response(question.metadata.id, question.metadata.op_code);
            let query = question.queries[0].clone();
            let name = query.name().to_utf8();
            let found = zone.get(&(name.trim_end_matches('.'), query.query_type()));
            if found.is_none() {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
            for data in found.into_iter().flatten() {
                answer.add_answer(Record::from_rdata(query.name().clone(), 1, data.clone()));
            }
            answer.add_query(query);
            socket.send_to(&answer.to_vec().unwrap(), source).await.unwrap();
        }
    });
    (Names::new(vec![addr]), task)
}

fn ask(host: &str) -> Question {
    Question { host: host.to_owned(), port: None, transport: None, secure: false }
}

const ALL: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];

async fn found(names: &Names, question: &Question, supported: &[Transport]) -> Vec<String> {
    let hops = names.resolve(question, supported).await.unwrap_or_default();
    hops.iter().map(|hop| format!("{} {} {}", hop.transport, hop.addr, hop.name)).collect()
}

fn carrier() -> Zone {
    HashMap::from([
        (
            ("carrier.test", RecordType::NAPTR),
            vec![
                naptr(30, "SIP+D2U", "_sip._udp.carrier.test"),
                naptr(10, "SIPS+D2T", "_sips._tcp.carrier.test"),
                naptr(20, "SIP+D2T", "_sip._tcp.carrier.test"),
            ],
        ),
        (
            ("_sips._tcp.carrier.test", RecordType::SRV),
            vec![srv(2, 5071, "b.carrier.test"), srv(1, 5061, "a.carrier.test")],
        ),
        (("_sip._udp.carrier.test", RecordType::SRV), vec![srv(1, 5070, "b.carrier.test")]),
        (("a.carrier.test", RecordType::A), vec![a(1)]),
        (("b.carrier.test", RecordType::A), vec![a(2)]),
        (("plain.test", RecordType::A), vec![a(3), a(4)]),
        (("_sip._tcp.guessed.test", RecordType::SRV), vec![srv(1, 5080, "a.carrier.test")]),
    ])
}

#[tokio::test]
async fn naptr_chooses_the_transport_and_srv_the_order_of_servers() {
    let (names, _server) = serve(carrier()).await;

    let hops = found(&names, &ask("carrier.test"), &ALL).await;

    assert_eq!(hops, ["TLS 192.0.2.1:5061 carrier.test", "TLS 192.0.2.2:5071 carrier.test"]);
}

#[tokio::test]
async fn a_transport_that_we_do_not_have_is_passed_over() {
    let (names, _server) = serve(carrier()).await;
    let hops = found(&names, &ask("carrier.test"), &[Transport::Udp]).await;
    assert_eq!(hops, ["UDP 192.0.2.2:5070 carrier.test"]);
}

#[tokio::test]
async fn without_naptr_the_services_are_guessed() {
    let (names, _server) = serve(carrier()).await;
    let hops = found(&names, &ask("guessed.test"), &ALL).await;
    assert_eq!(hops, ["TCP 192.0.2.1:5080 guessed.test"]);
}

#[tokio::test]
async fn without_any_service_the_address_itself_is_used() {
    let (names, _server) = serve(carrier()).await;
    let mut hops = found(&names, &ask("plain.test"), &ALL).await;
    hops.sort();
    assert_eq!(hops, ["UDP 192.0.2.3:5060 plain.test", "UDP 192.0.2.4:5060 plain.test"]);
}

#[tokio::test]
async fn a_port_or_a_transport_leaves_less_to_ask() {
    let (names, _server) = serve(carrier()).await;
    let with_port = Question { port: Some(5099), ..ask("a.carrier.test") };
    assert_eq!(found(&names, &with_port, &ALL).await, ["UDP 192.0.2.1:5099 a.carrier.test"]);

    let with_transport = Question { transport: Some(Transport::Udp), ..ask("carrier.test") };
    let hops = found(&names, &with_transport, &ALL).await;
    assert_eq!(hops, ["UDP 192.0.2.2:5070 carrier.test"]);
}

#[tokio::test]
async fn an_address_needs_no_name_server() {
    let names = Names::new(vec!["127.0.0.1:1".parse().unwrap()]);
    assert_eq!(found(&names, &ask("192.0.2.9"), &ALL).await, ["UDP 192.0.2.9:5060 192.0.2.9"]);
    let secure = Question { secure: true, ..ask("[2001:db8::1]") };
    assert_eq!(found(&names, &secure, &ALL).await, ["TLS [2001:db8::1]:5061 2001:db8::1"]);
}

#[tokio::test]
async fn the_last_good_answer_helps_when_the_name_server_is_away() {
    let (names, server) = serve(carrier()).await;
    let question = Question { port: Some(5060), ..ask("a.carrier.test") };
    let first = found(&names, &question, &ALL).await;
    server.abort();
    // Until the time to live of the answer is over.
    tokio::time::sleep(Duration::from_millis(1_100)).await;

    assert_eq!(found(&names, &question, &ALL).await, first);
}

#[tokio::test]
async fn a_name_without_anything_has_no_hops() {
    let (names, _server) = serve(carrier()).await;
    assert!(found(&names, &ask("unknown.test"), &ALL).await.is_empty());
}
