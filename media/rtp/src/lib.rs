//! RTP without sockets: packets, reports, statistics, playout, digits and protection.
//!
//! Everything is sans-IO: bytes and times go in, bytes and facts come out. The engine owns the
//! sockets and the clock.
//!
//! | Concern                                             | Owner      |
//! |-----------------------------------------------------|------------|
//! | RTP headers (RFC 3550 5.1), RTP told from RTCP      | [`packet`] |
//! | RTCP compound packets (RFC 3550 6)                  | [`rtcp`]   |
//! | Loss, jitter and round trip (RFC 3550 A.1, A.3, A.8)| [`stats`]  |
//! | When which packet is played                         | [`jitter`] |
//! | Telephone events (RFC 4733)                         | [`event`]  |
//! | Digits as tones in the audio                        | [`tone`]   |
//! | Which source address is believed                    | [`latch`]  |
//! | SRTP and SRTCP (RFC 3711)                           | [`srtp`]   |

pub mod event;
pub mod jitter;
pub mod latch;
pub mod packet;
pub mod rtcp;
pub mod srtp;
pub mod stats;
pub mod tone;

pub use event::{Digit, EventPacket, EventReceiver, EventSender};
pub use jitter::{Inserted, JitterBuffer, Pop, Stored};
pub use latch::{Latch, Verdict};
pub use packet::{Header, Packet, PacketError, is_rtcp};
pub use srtp::{Protect, SrtpError, Suite, Unprotect};
pub use stats::Reception;
pub use tone::Detector;

#[cfg(test)]
mod tests;
