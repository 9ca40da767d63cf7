//! Counters of an endpoint.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::message::Method;

/// What an endpoint has counted since its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests received, by method; unknown methods stand under `OTHER`.
    pub requests_received: Vec<(&'static str, u64)>,
    /// Requests sent, by method.
    pub requests_sent: Vec<(&'static str, u64)>,
    /// Responses received, by class: 1xx first.
    pub responses_received: [u64; 6],
    /// Responses sent, by class: 1xx first.
    pub responses_sent: [u64; 6],
    /// Messages that we sent again.
    pub retransmissions_sent: u64,
    /// Requests that had come before.
    pub retransmissions_received: u64,
    /// Messages that could not be read.
    pub malformed: u64,
    /// Messages of banned sources.
    pub banned: u64,
    /// Messages dropped for other reasons: over a limit, answer to nobody, not to be answered.
    pub dropped: u64,
    /// Requests answered 503, because the user did not keep up.
    pub overloaded: u64,
    /// Messages that could not be sent.
    pub send_failures: u64,
    /// Transactions that exist now.
    pub transactions: usize,
    /// Connections that are open now.
    pub connections: usize,
}

const METHODS: [&str; 15] = [
    "ACK",
    "BYE",
    "CANCEL",
    "INFO",
    "INVITE",
    "MESSAGE",
    "NOTIFY",
    "OPTIONS",
    "PRACK",
    "PUBLISH",
    "REFER",
    "REGISTER",
    "SUBSCRIBE",
    "UPDATE",
    "OTHER",
];

const fn place(method: &Method) -> usize {
    match method {
        Method::Ack => 0,
        Method::Bye => 1,
        Method::Cancel => 2,
        Method::Info => 3,
        Method::Invite => 4,
        Method::Message => 5,
        Method::Notify => 6,
        Method::Options => 7,
        Method::Prack => 8,
        Method::Publish => 9,
        Method::Refer => 10,
        Method::Register => 11,
        Method::Subscribe => 12,
        Method::Update => 13,
        Method::Other(_) => 14,
    }
}

/// One number.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The live counters.
#[derive(Default)]
pub(crate) struct Counters {
    requests_received: [Counter; 15],
    requests_sent: [Counter; 15],
    responses_received: [Counter; 6],
    responses_sent: [Counter; 6],
    pub(crate) retransmissions_sent: Counter,
    pub(crate) retransmissions_received: Counter,
    pub(crate) malformed: Counter,
    pub(crate) banned: Counter,
    pub(crate) dropped: Counter,
    pub(crate) overloaded: Counter,
    pub(crate) send_failures: Counter,
}

impl Counters {
    pub(crate) fn request_received(&self, method: &Method) {
        self.requests_received[place(method)].add();
    }

    /// Counts a message that goes out, by its first line.
    pub(crate) fn sent(&self, message: &[u8]) {
        let line = &message[..message.len().min(32)];
        let first = line.split(|byte| *byte == b' ').next().unwrap_or_default();
        if first == b"SIP/2.0" {
            let hundreds = message.get(8).map_or(0, |byte| u16::from(byte.wrapping_sub(b'0')));
            self.responses_sent[class(hundreds * 100)].add();
            return;
        }
        let known = METHODS.iter().position(|method| method.as_bytes() == first);
        self.requests_sent[known.unwrap_or(METHODS.len() - 1)].add();
    }

    pub(crate) fn response_received(&self, status: u16) {
        self.responses_received[class(status)].add();
    }

    pub(crate) fn read(&self, transactions: usize, connections: usize) -> Stats {
        Stats {
            requests_received: by_method(&self.requests_received),
            requests_sent: by_method(&self.requests_sent),
            responses_received: self.responses_received.each_ref().map(Counter::read),
            responses_sent: self.responses_sent.each_ref().map(Counter::read),
            retransmissions_sent: self.retransmissions_sent.read(),
            retransmissions_received: self.retransmissions_received.read(),
            malformed: self.malformed.read(),
            banned: self.banned.read(),
            dropped: self.dropped.read(),
            overloaded: self.overloaded.read(),
            send_failures: self.send_failures.read(),
            transactions,
            connections,
        }
    }
}

fn by_method(counters: &[Counter; 15]) -> Vec<(&'static str, u64)> {
    METHODS.into_iter().zip(counters.iter().map(Counter::read)).collect()
}

const fn class(status: u16) -> usize {
    match status / 100 {
        0 | 1 => 0,
        hundreds @ 2..=6 => hundreds as usize - 1,
        _ => 5,
    }
}
