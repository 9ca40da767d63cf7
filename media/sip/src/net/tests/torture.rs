//! RFC 4475 and RFC 5118 at the socket: what the message layer refuses is answered so, what it
//! takes is handed over or refused by name, and nothing stops the endpoint.

use std::path::Path;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

fn messages() -> Vec<(String, Bytes)> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let index = std::fs::read_to_string(data.join("index.tsv")).unwrap();
    let file = |line: &str| line.split('\t').nth(2).unwrap().to_owned();
    let names = index.lines().skip(1).filter(|line| !line.is_empty()).map(file);
    names.map(|name| (name.clone(), std::fs::read(data.join(&name)).unwrap().into())).collect()
}

/// The status with which a message must be refused, or nothing if it must be forgotten; `Err`
/// leaves it to whoever looks closer.
fn refusal(raw: &Bytes) -> Result<Option<u16>, Message> {
    let error = match Message::parse(raw.clone()) {
        Ok(message) => match message.check() {
            Ok(()) => return Err(message),
            Err(error) => error,
        },
        Err(error) => error,
    };
    Ok(error.answer().and_then(|draft| draft.status()))
}

fn is_answerable(message: &Message) -> bool {
    message.is_request() && message.method() != Some(Method::Ack)
}

#[tokio::test]
async fn every_torture_message_gets_its_treatment_over_udp() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let mut tapped = config(&[Transport::Udp]);
    let seen = sent.clone();
    tapped.tap = Some(Arc::new(move |record| {
        if record.direction == Direction::Sent {
            seen.lock().push(Message::parse(record.raw.clone()).unwrap().status().unwrap());
        }
    }));
    for (name, raw) in messages() {
        // Some messages repeat others, so each gets an endpoint of its own.
        let mut node = Node::start(tapped.clone()).await;
        let phone = Phone::new(node.addr(Transport::Udp)).await;
        phone.send(&raw).await;
        // The socket is read in order: when this one is here, the other has been dealt with.
        phone.send(phone.request("OPTIONS", "last")).await;
        let mut taken = 0;
        while node.next().await.request.call_id() != "last" {
            taken += 1;
        }
        node.handle.stop();
        let answers = std::mem::take(&mut *sent.lock());

        match refusal(&raw) {
            Ok(Some(status)) => {
                assert_eq!((taken, answers), (0, vec![status]), "{name}");
            }
            Ok(None) => assert_eq!((taken, answers), (0, vec![]), "{name}"),
            Err(message) if is_answerable(&message) => {
                assert_eq!(taken + answers.len(), 1, "{name}: {answers:?}");
            }
            Err(_) => assert_eq!((taken, answers), (0, vec![]), "{name}"),
        }
    }
}

#[tokio::test]
async fn every_torture_message_leaves_the_endpoint_well_over_tcp() {
    let mut node = Node::listening(Transport::Tcp).await;
    let addr = node.addr(Transport::Tcp);
    for (name, raw) in messages() {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        // A peer that is cut off while it writes has been dealt with too.
        let _ = stream.write_all(&raw).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
        while node.inbound.try_recv().is_ok() {}

        if let Ok(Some(status)) = refusal(&raw)
            && !answer.is_empty()
        {
            let answer = Message::parse(answer.into()).unwrap();
            assert!(answer.status() == Some(status) || answer.status() == Some(400), "{name}");
        }
    }

    let mut stream = TcpStream::connect(addr).await.unwrap();
    let raw = raw_request("OPTIONS", "last", "127.0.0.1:5060", "TCP");
    stream.write_all(raw.as_bytes()).await.unwrap();
    assert_eq!(node.next().await.request.call_id(), "last");
}
