use tandem_rtp::Header;

use super::*;

const OURS: [u8; 30] = [1; 30];
const THEIRS: [u8; 30] = [2; 30];
const THEIR_NEXT: [u8; 30] = [3; 30];

fn keys(send: [u8; 30], receive: [u8; 30]) -> CryptoPair {
    CryptoPair { send, receive, suite: Suite::AesCm128HmacSha1_80 }
}

fn pass(from: &mut Crypto, to: &mut Crypto, sequence: u16) -> Option<usize> {
    let mut bytes = Vec::new();
    Header { payload_type: 0, marker: false, sequence, timestamp: 0, ssrc: 7 }
        .write(b"some audio", &mut bytes);
    from.protect_rtp(&mut bytes, 0)?;
    to.unprotect_rtp(&mut bytes)
}

/// Two ends whose packets of both ways have passed the end of the sequence numbers.
fn long_call() -> (Crypto, Crypto) {
    let mut us = Crypto::new(&keys(OURS, THEIRS)).unwrap();
    let mut phone = Crypto::new(&keys(THEIRS, OURS)).unwrap();
    for sequence in [u16::MAX, 0, 1] {
        assert!(pass(&mut us, &mut phone, sequence).is_some());
        assert!(pass(&mut phone, &mut us, sequence).is_some());
    }
    (us, phone)
}

#[test]
fn a_key_that_stays_keeps_its_rollovers_when_the_other_one_changes() {
    let (mut us, mut phone) = long_call();

    us.rekey(&keys(OURS, THEIR_NEXT)).unwrap();
    phone.rekey(&keys(THEIR_NEXT, OURS)).unwrap();

    assert!(pass(&mut us, &mut phone, 2).is_some());
    assert!(pass(&mut phone, &mut us, 2).is_some());
}

#[test]
fn a_phone_that_counts_both_ways_anew_is_understood() {
    let (mut us, _) = long_call();

    us.rekey(&keys([4; 30], THEIRS)).unwrap();
    let mut phone = Crypto::new(&keys(THEIRS, [4; 30])).unwrap();

    assert!(pass(&mut phone, &mut us, 2).is_some());
    assert!(pass(&mut us, &mut phone, 2).is_some());
    assert!(pass(&mut phone, &mut us, 3).is_some());
}

#[test]
fn who_takes_a_call_over_understands_a_phone_that_has_talked_for_long() {
    let (_, mut phone) = long_call();

    let mut heir = Crypto::new(&keys([4; 30], THEIRS)).unwrap();
    phone.rekey(&keys(THEIRS, [4; 30])).unwrap();

    assert!(pass(&mut phone, &mut heir, 2).is_some());
    assert!(pass(&mut heir, &mut phone, 2).is_some());
}
