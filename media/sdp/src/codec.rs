//! The audio codecs that Tandem speaks, and how SDP names them (RFC 3551, RFC 7587).

use serde::{Deserialize, Serialize};

/// An audio codec that can be negotiated.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// G.711 µ-law, payload type 0.
    Pcmu,
    /// G.711 A-law, payload type 8.
    Pcma,
    /// G.722 at 64 kbit/s, payload type 9.
    G722,
    /// Opus (RFC 7587), a dynamic payload type.
    Opus,
}

impl Codec {
    /// Every codec, in the order in which they are offered by default.
    pub const ALL: [Self; 4] = [Self::Opus, Self::G722, Self::Pcma, Self::Pcmu];

    /// The encoding name of `a=rtpmap`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
            Self::Opus => "opus",
        }
    }

    /// The rate of RTP timestamps, in Hz.
    ///
    /// G.722 samples at 16 kHz but counts at 8 kHz: an old mistake that RFC 3551 4.5.2 keeps.
    #[must_use]
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => 8_000,
            Self::Opus => 48_000,
        }
    }

    /// The rate of the audio itself, in Hz.
    #[must_use]
    pub const fn sample_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma => 8_000,
            Self::G722 => 16_000,
            Self::Opus => 48_000,
        }
    }

    /// The payload type of our offers: the static one (RFC 3551 table 4), or 111 for Opus.
    #[must_use]
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::G722 => 9,
            Self::Opus => 111,
        }
    }

    /// The value of `a=rtpmap` after the payload type.
    #[must_use]
    pub const fn rtpmap(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU/8000",
            Self::Pcma => "PCMA/8000",
            Self::G722 => "G722/8000",
            // RFC 7587 7: the channel count is always 2, whatever is sent.
            Self::Opus => "opus/48000/2",
        }
    }

    /// The codec of a static payload type that has no `a=rtpmap` line.
    #[must_use]
    pub const fn of_static(payload_type: u8) -> Option<Self> {
        match payload_type {
            0 => Some(Self::Pcmu),
            8 => Some(Self::Pcma),
            9 => Some(Self::G722),
            _ => None,
        }
    }

    /// The codec of an `a=rtpmap` value such as `PCMA/8000` or `opus/48000/2`.
    #[must_use]
    pub fn of_rtpmap(value: &str) -> Option<Self> {
        let mut parts = value.trim().split('/');
        let name = parts.next()?;
        let clock: u32 = parts.next()?.trim().parse().ok()?;
        let channels = parts.next().unwrap_or("1");
        let codec = Self::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name))?;
        match codec {
            Self::Pcmu | Self::Pcma => (clock == 8_000 && channels == "1").then_some(codec),
            // Some phones write the sampling rate in place of the RFC 3551 clock.
            Self::G722 => ((clock == 8_000 || clock == 16_000) && channels == "1").then_some(codec),
            // Mono is wrong by RFC 7587, yet sent; the payload is the same.
            Self::Opus => (clock == 48_000 && matches!(channels, "1" | "2")).then_some(codec),
        }
    }
}
