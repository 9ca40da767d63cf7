//! Payloads to samples and back. A codec's state exists only where a scene decodes or encodes.

use audio_codec::g722::{G722Decoder, G722Encoder};
use audio_codec::pcma::{PcmaDecoder, PcmaEncoder};
use audio_codec::pcmu::{PcmuDecoder, PcmuEncoder};
use audio_codec::{Decoder as _, Encoder as _};
use ropus::{Application, Bitrate, Channels, DecodeMode};
use tandem_sdp::Codec;

use crate::resample::Rate;

/// The longest packet that is decoded: 120 ms, the limit of Opus (RFC 6716 2.1.4).
const LONGEST_MS: usize = 120;
/// Room for one encoded packet.
const LARGEST_PAYLOAD: usize = 1_400;
/// Speech of a full band at this rate is transparent (RFC 6716 2.1.1: 28-40 kbit/s).
const OPUS_BITS: u32 = 32_000;
/// Little gain above, and the encoder's cost doubles.
const OPUS_COMPLEXITY: u8 = 2;

/// The rate of a codec's samples. G.722's RTP clock is 8 kHz by a mistake that RFC 3551 4.5.2
/// keeps; its samples are at 16 kHz.
pub(crate) fn rate_of(codec: Codec) -> Rate {
    match codec {
        Codec::Pcmu | Codec::Pcma => Rate::Narrow,
        Codec::G722 => Rate::Wide,
        Codec::Opus => Rate::Full,
    }
}

/// One direction of one codec, from payloads to samples.
pub(crate) enum Decoder {
    Pcmu(PcmuDecoder),
    Pcma(PcmaDecoder),
    G722(Box<G722Decoder>),
    Opus(Box<ropus::Decoder>),
}

impl Decoder {
    /// A decoder in its first state; none if the codec's library refuses.
    pub(crate) fn new(codec: Codec) -> Option<Self> {
        Some(match codec {
            Codec::Pcmu => Self::Pcmu(PcmuDecoder::new()),
            Codec::Pcma => Self::Pcma(PcmaDecoder::new()),
            Codec::G722 => Self::G722(Box::new(G722Decoder::new())),
            Codec::Opus => {
                let hertz = Rate::Full.hertz();
                Self::Opus(Box::new(ropus::Decoder::new(hertz, Channels::Mono).ok()?))
            }
        })
    }

    pub(crate) fn codec(&self) -> Codec {
        match self {
            Self::Pcmu(_) => Codec::Pcmu,
            Self::Pcma(_) => Codec::Pcma,
            Self::G722(_) => Codec::G722,
            Self::Opus(_) => Codec::Opus,
        }
    }

    /// Appends the samples of a payload; false when it is not the codec's.
    pub(crate) fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> bool {
        let start = out.len();
        out.resize(start + rate_of(self.codec()).frame() * LONGEST_MS / 20, 0);
        let room = &mut out[start..];
        let decoded = match self {
            Self::Pcmu(pcmu) => pcmu.decode_into(payload, room).ok(),
            Self::Pcma(pcma) => pcma.decode_into(payload, room).ok(),
            Self::G722(g722) => g722.decode_into(payload, room).ok(),
            Self::Opus(opus) => opus.decode(payload, room, DecodeMode::Normal).ok(),
        };
        out.truncate(start + decoded.unwrap_or(0));
        decoded.is_some_and(|samples| samples > 0)
    }

    /// Appends 20 ms in place of a lost packet, if the codec has a way of its own.
    pub(crate) fn conceal(&mut self, out: &mut Vec<i16>) -> bool {
        let Self::Opus(opus) = self else { return false };
        let start = out.len();
        out.resize(start + Rate::Full.frame(), 0);
        let concealed = opus.decode(&[], &mut out[start..], DecodeMode::Normal).is_ok();
        if !concealed {
            out.truncate(start);
        }
        concealed
    }
}

/// One direction of one codec, from samples to payloads.
pub(crate) enum Encoder {
    Pcmu(PcmuEncoder),
    Pcma(PcmaEncoder),
    G722(Box<G722Encoder>),
    Opus(Box<ropus::Encoder>),
}

impl Encoder {
    /// An encoder in its first state; none if the codec's library refuses.
    pub(crate) fn new(codec: Codec) -> Option<Self> {
        Some(match codec {
            Codec::Pcmu => Self::Pcmu(PcmuEncoder::new()),
            Codec::Pcma => Self::Pcma(PcmaEncoder::new()),
            Codec::G722 => Self::G722(Box::new(G722Encoder::new())),
            Codec::Opus => {
                let hertz = Rate::Full.hertz();
                let opus = ropus::Encoder::builder(hertz, Channels::Mono, Application::Voip)
                    .bitrate(Bitrate::Bits(OPUS_BITS))
                    .complexity(OPUS_COMPLEXITY)
                    .build()
                    .ok()?;
                Self::Opus(Box::new(opus))
            }
        })
    }

    pub(crate) fn codec(&self) -> Codec {
        match self {
            Self::Pcmu(_) => Codec::Pcmu,
            Self::Pcma(_) => Codec::Pcma,
            Self::G722(_) => Codec::G722,
            Self::Opus(_) => Codec::Opus,
        }
    }

    /// Replaces `out` by the payload of these samples; false when the codec has no such frame.
    pub(crate) fn encode(&mut self, samples: &[i16], out: &mut Vec<u8>) -> bool {
        out.clear();
        out.resize(LARGEST_PAYLOAD, 0);
        let encoded = match self {
            Self::Pcmu(pcmu) => pcmu.encode_into(samples, out).ok(),
            Self::Pcma(pcma) => pcma.encode_into(samples, out).ok(),
            Self::G722(g722) => g722.encode_into(samples, out).ok(),
            Self::Opus(opus) => opus.encode(samples, out).ok(),
        };
        out.truncate(encoded.unwrap_or(0));
        encoded.is_some_and(|octets| octets > 0)
    }
}
