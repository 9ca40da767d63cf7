//! Reading, finding and writing one message.

use std::hint::black_box;

use divan::Bencher;
use tandem_sip::message::{Draft, Message};
use tandem_sip::transaction::Keys;

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
    let (raw, keys) = (invite(), Keys::fresh());
    bencher.bench(|| {
        let message = Message::parse(raw.clone()).unwrap();
        keys.of_request(&message)
    });
}

#[divan::bench]
fn parse_check_and_transaction_key(bencher: Bencher<'_, '_>) {
    let (raw, keys) = (invite(), Keys::fresh());
    bencher.bench(|| {
        let message = Message::parse(raw.clone()).unwrap();
        message.check().unwrap();
        keys.of_request(&message)
    });
}

#[divan::bench]
fn write_an_answer(bencher: Bencher<'_, '_>) {
    let message = Message::parse(invite()).unwrap();
    bencher.bench(|| Draft::response(black_box(&message), 180).encode());
}
