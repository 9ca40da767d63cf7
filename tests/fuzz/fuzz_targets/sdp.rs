//! Session descriptions: any bytes are read or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = tandem_sdp::parse(bytes);
});
