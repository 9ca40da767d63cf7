//! Reading, finding and writing one message.

use std::hash::{BuildHasher, RandomState};
use std::hint::black_box;

use divan::Bencher;
use tandem_sip::message::{Draft, Message, Name};

use crate::invite;

/// The bound: every line end and every colon of the same bytes is found, and nothing else done.
#[divan::bench]
fn scan_for_lines_and_colons(bencher: Bencher<'_, '_>) {
    let raw = invite();
    let bytes = divan::counter::BytesCount::new(raw.len());
    bencher.counter(bytes).bench(|| {
        let mut found = 0;
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', &raw) {
            found ^= memchr::memchr(b':', &raw[start..end]).unwrap_or(0) ^ end;
            start = end + 1;
        }
        found
    });
}

#[divan::bench]
fn parse(bencher: Bencher<'_, '_>) {
    let raw = invite();
    bencher.bench(|| Message::parse(raw.clone()).unwrap());
}

/// What a datagram costs until its transaction can be looked up (RFC 3261 17.2.3).
#[divan::bench]
fn parse_and_transaction_key(bencher: Bencher<'_, '_>) {
    let (raw, secrets) = (invite(), (RandomState::new(), RandomState::new()));
    bencher.bench(|| {
        let message = Message::parse(raw.clone()).unwrap();
        key(&message, &secrets)
    });
}

#[divan::bench]
fn parse_check_and_transaction_key(bencher: Bencher<'_, '_>) {
    let (raw, secrets) = (invite(), (RandomState::new(), RandomState::new()));
    bencher.bench(|| {
        let message = Message::parse(raw.clone()).unwrap();
        message.check().unwrap();
        key(&message, &secrets)
    });
}

#[divan::bench]
fn write_an_answer(bencher: Bencher<'_, '_>) {
    let message = Message::parse(invite()).unwrap();
    bencher.bench(|| Draft::response(black_box(&message), 180).encode());
}

/// The same work as the transaction layer's own key, whose secrets nobody else can have: branch,
/// sent-by and method, hashed twice with a key.
fn key(message: &Message, secrets: &(RandomState, RandomState)) -> (u64, u64) {
    let via = message.header(Name::Via).unwrap_or_default();
    let mut params = via.split(';');
    let sent_by = params.next().and_then(|start| start.rsplit(' ').next());
    let branch = params.find_map(|param| param.strip_prefix("branch="));
    let method = message.method();
    let parts = (branch, sent_by, method.as_ref().map(|method| method.as_str()));
    (secrets.0.hash_one(parts), secrets.1.hash_one(parts))
}
