//! What an offer and its answer come to: all that an RTP leg needs to know.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::codec::Codec;

/// What two sides agreed on for the audio of one leg.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Agreement {
    /// Where our RTP goes. An unspecified address means that nothing may be sent (old hold).
    pub remote: SocketAddr,
    /// Where our RTCP goes: `a=rtcp`, the next port, or `remote` itself when multiplexed.
    pub remote_rtcp: SocketAddr,
    /// RTP and RTCP share one port (RFC 5761).
    pub rtcp_mux: bool,
    /// The codec that we send.
    pub codec: Codec,
    /// The payload type that we send `codec` with.
    pub payload_type: u8,
    /// The payload types that may arrive, and what they mean.
    pub accepts: Vec<(u8, Codec)>,
    /// The payload type of the telephone events that we send (RFC 4733).
    pub dtmf: Option<u8>,
    /// The payload type of the telephone events that may arrive.
    pub dtmf_receive: Option<u8>,
    /// The clock rate of telephone events, in Hz: 8 000 or 48 000.
    pub dtmf_clock: u32,
    /// What our side does with the stream.
    pub direction: Direction,
    /// The packet time that we send with, in ms.
    pub ptime_ms: u8,
    /// The SRTP keys, when the stream is encrypted.
    pub crypto: Option<CryptoPair>,
    /// The peer put us on hold: it is `sendonly`, `inactive`, or its address is 0.0.0.0.
    pub held_by_remote: bool,
}

/// Which ways a stream flows, as the side that says it sees it (RFC 8866 6.7).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// We send, the peer listens.
    SendOnly,
    /// We listen, the peer sends.
    RecvOnly,
    /// Neither sends; RTCP goes on.
    Inactive,
}

impl Direction {
    /// The direction that sends and receives as told.
    #[must_use]
    pub const fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether the side that says this sends.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the side that says this listens.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same stream as the other side sees it.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self::of(self.receives(), self.sends())
    }

    /// What both allow.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self::of(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// The attribute's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// The direction of an attribute's name, if it is one.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive]
            .into_iter()
            .find(|direction| direction.as_str() == name)
    }
}

/// An SRTP crypto suite of SDES (RFC 4568 6.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Suite {
    /// `AES_CM_128_HMAC_SHA1_80`, the one that we offer.
    AesCm128HmacSha1_80,
    /// `AES_CM_128_HMAC_SHA1_32`, taken when a peer offers nothing better.
    AesCm128HmacSha1_32,
}

/// The two SRTP master keys of a stream, each 16 bytes of key and 14 bytes of salt.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CryptoPair {
    /// What we protect our packets with.
    pub send: [u8; 30],
    /// What the peer protects its packets with.
    pub receive: [u8; 30],
    /// The suite, the same both ways.
    pub suite: Suite,
}

impl Agreement {
    /// Whether the peer encrypts by another key than it did by an earlier agreement.
    pub(crate) fn has_other_key(&self, before: Option<&Self>) -> bool {
        let before = before.and_then(|before| before.crypto.as_ref());
        let both = before.zip(self.crypto.as_ref());
        both.is_some_and(|(before, now)| before.receive != now.receive)
    }
}

impl fmt::Debug for CryptoPair {
    /// Shows the suite only: keys do not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CryptoPair").field("suite", &self.suite).finish_non_exhaustive()
    }
}
