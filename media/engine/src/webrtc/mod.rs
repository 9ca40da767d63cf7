//! The browser's leg: the node is the other end of its WebRTC connection (ICE-lite, DTLS-SRTP,
//! audio only), and each call that it is in sees RTP from a socket on this host.
//!
//! | Concern                                               | Owner        |
//! |-------------------------------------------------------|--------------|
//! | ICE, DTLS, SRTP, what the browser's SDP means         | `connection` |
//! | RTP towards one leg of a call                         | `jack`       |
//! | One stream for the browser out of changing calls      | `stitch`     |
//!
//! A connection outlives calls: the agent's microphone is asked for once, and answering costs no
//! handshake. A jack belongs to one leg; at most one of them is heard at a time. The hop over
//! loopback costs two datagrams a packet, and buys that the engine treats a browser like any
//! phone: transcoding, mixing, telephone events, statistics.

mod connection;
mod jack;
mod stitch;

pub use connection::{Browser, BrowserError, Link, LinkSink};
pub(crate) use connection::{Place, loopback};
pub use jack::Jack;

use tandem_sdp::{Capabilities, Codec, CryptoPolicy, Preference};

/// The codecs that every browser has (RFC 7874 section 3) and the engine speaks.
const SPOKEN: [Codec; 3] = [Codec::Opus, Codec::Pcma, Codec::Pcmu];

/// The codec for a browser whose extension wants these, best first.
///
/// The choice is the node's alone, so that a page that is loaded again gets the codec that its
/// calls agreed on.
#[must_use]
pub fn codec_of(wanted: &[Codec]) -> Codec {
    wanted.iter().copied().find(|codec| SPOKEN.contains(codec)).unwrap_or(Codec::Pcmu)
}

/// What a leg towards a browser of its own node offers: its codec, and telephone events.
#[must_use]
pub fn capabilities(codec: Codec) -> Capabilities {
    Capabilities {
        codecs: vec![codec],
        prefer: Preference::Theirs,
        dtmf: true,
        crypto: CryptoPolicy::Off,
        ptime_ms: 20,
    }
}
