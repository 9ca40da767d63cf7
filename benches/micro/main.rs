//! Micro benches: what one step costs without sockets, disks and other threads.
//!
//! `cargo bench -p tandem-benches` runs all, `… -- sip` those whose names say so.
//!
//! | Concern                                             | Owner      |
//! |-----------------------------------------------------|------------|
//! | Reading, keys, writing of one message               | `message`  |
//! | A description's answer                              | `sdp`      |
//! | The signalling of both legs of a call               | `sessions` |
//! | A whole call in the call's and the queue's machines | `machines` |
//! | Appends that wait for the disk                      | `journal`  |
//! | The sums of a meeting                               | `mix`      |

// A bench that can not set itself up must stop.
#![allow(clippy::unwrap_used)]

mod journal;
mod machines;
mod message;
mod mix;
mod sdp;
mod sessions;

use std::time::Duration;

fn main() {
    // Samples enough that a neighbour who takes the core now and then does not matter.
    divan::Divan::default().min_time(Duration::from_millis(300)).config_with_args().main();
}

/// An INVITE of 1.1 kB with 18 header lines, as a softphone sends it.
fn invite() -> bytes::Bytes {
    let body = [
        "v=0",
        "o=- 3973412345 3973412345 IN IP4 192.0.2.17",
        "s=softphone",
        "c=IN IP4 192.0.2.17",
        "t=0 0",
        "m=audio 40012 RTP/AVP 0 8 9 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=sendrecv",
        "a=rtcp:40013",
        "",
    ]
    .join("\r\n");
    let length = format!("Content-Length: {}", body.len());
    let head = [
        "INVITE sip:6400@pbx.example.com:5060;transport=udp SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.17:5060;rport;branch=z9hG4bKPjf8d3c2a1b0e94f6a8d7c5b3a2918f7e6",
        "Max-Forwards: 70",
        "From: \"Alice Example\" <sip:1000@pbx.example.com>;tag=7f3a9c2e8b1d4f60",
        "To: <sip:6400@pbx.example.com>",
        "Contact: \"Alice Example\" <sip:1000@192.0.2.17:5060;ob>",
        "Call-ID: c0a8f1d2-77b3-4e19-9d55-2f6b8e0c4a13",
        "CSeq: 20713 INVITE",
        "Route: <sip:pbx.example.com;transport=udp;lr>",
        "Allow: PRACK, INVITE, ACK, BYE, CANCEL, UPDATE, INFO, SUBSCRIBE, NOTIFY, REFER, OPTIONS",
        "Supported: replaces, timer, norefersub",
        "Session-Expires: 1800",
        "Min-SE: 90",
        "Allow-Events: presence, message-summary, refer",
        "Accept: application/sdp",
        "P-Preferred-Identity: <sip:1000@pbx.example.com>",
        "User-Agent: Example Softphone 3.21.4 (x86_64-linux-gnu)",
        "Content-Type: application/sdp",
        &length,
        "",
        "",
    ]
    .join("\r\n");
    (head + &body).into()
}
