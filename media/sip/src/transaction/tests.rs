#![allow(clippy::unwrap_used)]

mod client;
mod pair;
mod server;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::layer::{Arrival, Layer, Output};
use super::{FlowId, Keys, Sending, Timers, TxnId};
use crate::message::{Message, Method};

type Out = Vec<Output<u8>>;

/// A layer with a clock of its own.
struct Bench {
    layer: Layer<u8>,
    start: Instant,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        let start = Instant::now();
        Self { layer: Layer::new(0, Timers::default(), Keys::fresh()), start, now: start }
    }

    /// Goes to a moment and does what is due, timer by timer; what goes out, and when.
    fn until(&mut self, at: Duration) -> Vec<(Duration, Output<u8>)> {
        let end = self.start + at;
        let mut log = Vec::new();
        while let Some(due) = self.layer.due().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            let mut out = Out::new();
            self.layer.fire(self.now, &mut out);
            let elapsed = self.now - self.start;
            log.extend(out.into_iter().map(|output| (elapsed, output)));
        }
        self.now = end;
        log
    }

    /// The moments at which something is sent until the given one, in milliseconds.
    fn sent_at(&mut self, until: Duration) -> Vec<u128> {
        let log = self.until(until);
        let sent = log.iter().filter(|(_, output)| matches!(output, Output::Send { .. }));
        sent.map(|(at, _)| at.as_millis()).collect()
    }

    fn request(&mut self, raw: &str, flow: FlowId) -> (Arrival, Out) {
        let mut out = Out::new();
        let arrival = self.layer.request(self.now, &message(raw), flow, &mut out);
        (arrival, out)
    }

    fn new_request(&mut self, raw: &str, flow: FlowId) -> TxnId {
        match self.request(raw, flow) {
            (Arrival::New(txn), out) if out.is_empty() => txn,
            other => panic!("not new: {other:?}"),
        }
    }

    fn respond(&mut self, txn: TxnId, status: u16) -> Result<Out, super::Refused> {
        let mut out = Out::new();
        let bytes = Bytes::from(format!("answer {status}"));
        self.layer.respond(self.now, txn, status, bytes, &mut out)?;
        Ok(out)
    }

    /// Starts a client transaction; its id and its branch.
    fn start(&mut self, method: Method, flow: FlowId) -> (TxnId, String) {
        let (txn, branch) = self.layer.open(self.now, &method, 7);
        let raw = request(&method, &branch, "client-call", None);
        let bytes = Bytes::from(raw);
        let mut out = Out::new();
        let sending = Sending { call_id: "client-call", cseq: 1, bytes };
        self.layer.send(self.now, txn, flow, sending, &mut out).unwrap();
        assert_eq!(sends(&out), 1);
        (txn, branch)
    }

    fn response(&mut self, status: u16, branch: &str, method: &Method, flow: FlowId) -> Out {
        let mut out = Out::new();
        let raw = response(status, branch, method, "client-call", "far");
        assert!(self.layer.response(self.now, &message(&raw), flow, &mut out));
        out
    }
}

fn message(raw: &str) -> Message {
    Message::parse(Bytes::from(raw.to_owned())).unwrap()
}

fn peer() -> SocketAddr {
    "192.0.2.7:5060".parse().unwrap()
}

fn udp() -> FlowId {
    FlowId::datagram(0, peer())
}

fn tcp() -> FlowId {
    FlowId::stream(1, peer())
}

fn request(method: &Method, branch: &str, call_id: &str, to_tag: Option<&str>) -> String {
    let to_tag = to_tag.map(|tag| format!(";tag={tag}")).unwrap_or_default();
    let method = method.as_str();
    format!(
        "{method} sip:bob@example.com SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.7:5060;branch={branch};rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:alice@example.com>;tag=near\r\n\
         To: <sip:bob@example.com>{to_tag}\r\n\
         Call-ID: {call_id}\r\n\
         CSeq: 1 {method}\r\n\
         Contact: <sip:alice@192.0.2.7>\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

fn response(status: u16, branch: &str, method: &Method, call_id: &str, tag: &str) -> String {
    let method = method.as_str();
    format!(
        "SIP/2.0 {status} Whatever\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;branch={branch};rport=5060\r\n\
         From: <sip:alice@example.com>;tag=near\r\n\
         To: <sip:bob@example.com>;tag={tag}\r\n\
         Call-ID: {call_id}\r\n\
         CSeq: 1 {method}\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

fn sends(out: &Out) -> usize {
    out.iter().filter(|output| matches!(output, Output::Send { .. })).count()
}

fn told(out: &Out) -> Vec<u16> {
    let statuses = out.iter().filter_map(|output| match output {
        Output::Response { response, .. } => response.status(),
        _ => None,
    });
    statuses.collect()
}

fn text(output: &Output<u8>) -> String {
    match output {
        Output::Send { bytes, .. } => String::from_utf8_lossy(bytes).into_owned(),
        other => panic!("nothing is sent: {other:?}"),
    }
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn an_old_id_does_not_reach_a_new_transaction() {
    let mut bench = Bench::new();
    let first = bench.new_request(&request(&Method::Options, "z9hG4bK1", "a", None), tcp());
    bench.respond(first, 200).unwrap();

    let second = bench.new_request(&request(&Method::Options, "z9hG4bK2", "b", None), tcp());

    assert_ne!(first, second);
    assert!(bench.respond(first, 200).is_err());
    assert!(bench.respond(second, 200).is_ok());
}

#[test]
fn nothing_is_left_in_any_table_when_all_transactions_are_over() {
    let mut bench = Bench::new();
    for number in 0..50 {
        let branch = format!("z9hG4bKs{number}");
        let raw = request(&Method::Invite, &branch, &format!("call{number}"), None);
        let txn = bench.new_request(&raw, udp());
        bench.respond(txn, if number % 2 == 0 { 200 } else { 486 }).unwrap();
        bench.start(Method::Options, udp());
    }

    bench.until(secs(200));

    assert!(bench.layer.is_empty());
    assert!(bench.layer.servers.is_empty());
    assert!(bench.layer.clients.is_empty());
    assert!(bench.layer.seconds.is_empty());
    assert_eq!(bench.layer.due(), None);
}
