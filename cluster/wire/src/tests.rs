#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use tandem_kernel::{CallId, LegId, Position, Timestamp};

use super::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Sample {
    Nothing,
    Full { number: u64, text: String, list: Vec<u16>, maybe: Option<i32> },
}

impl Schema for Sample {
    const VERSION: u16 = 3;
}

fn full() -> Sample {
    Sample::Full { number: 70_000, text: "hé".into(), list: vec![1, 300], maybe: Some(-2) }
}

#[test]
fn the_bytes_of_a_value_are_frozen() {
    let golden =
        [1, 0xfc, 0x70, 0x11, 0x01, 0x00, 3, b'h', 0xc3, 0xa9, 2, 1, 0xfb, 0x2c, 0x01, 1, 3];

    assert_eq!(encode(&full()), golden);
    assert_eq!(decode::<Sample>(&golden, 64).unwrap(), full());
}

#[test]
fn the_bytes_of_the_kernels_identifiers_are_frozen() {
    let leg = LegId { call: CallId::from_u128(1), index: 2 };

    assert_eq!(encode(&leg), [1, 2]);
    assert_eq!(encode(&Position::at(251)), [0, 0xfb, 0xfb, 0x00]);
    assert_eq!(encode(&Timestamp::from_micros(250)), [250]);
}

#[test]
fn a_schema_version_stands_first() {
    let bytes = encode_versioned(&Sample::Nothing);

    assert_eq!(bytes, [3, 0, 0]);
    assert_eq!(decode_versioned::<Sample>(&bytes, 16).unwrap(), Sample::Nothing);
}

#[test]
fn an_unknown_schema_version_is_named() {
    let refused = decode_versioned::<Sample>(&[4, 0, 0], 16).unwrap_err();

    assert!(matches!(refused, WireError::UnknownVersion { found: 4, known: 3 }));
}

#[test]
fn trailing_bytes_are_refused() {
    let mut bytes = encode(&full());
    bytes.push(0);

    assert!(matches!(decode::<Sample>(&bytes, 64), Err(WireError::TrailingBytes(1))));
}

#[test]
fn more_bytes_than_the_limit_are_refused_unread() {
    let bytes = encode(&full());

    assert!(matches!(decode::<Sample>(&bytes, 4), Err(WireError::TooLong { limit: 4, .. })));
}

#[test]
fn a_hostile_length_is_refused_without_the_memory() {
    let mut bytes = vec![0xfd];
    bytes.extend(u64::MAX.to_le_bytes());

    assert!(decode::<String>(&bytes, 64).is_err());
    assert!(decode::<Vec<u8>>(&bytes, 64).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic(bytes: Vec<u8>) {
        let _ = decode::<Sample>(&bytes, 1 << 20);
        let _ = decode_versioned::<Sample>(&bytes, 1 << 20);
    }

    #[test]
    fn every_cut_of_an_encoding_is_refused(cut in 0_usize..17) {
        prop_assert!(decode::<Sample>(&encode(&full())[..cut], 64).is_err());
    }
}
