//! What a leg needs while we encode for it.

use tandem_sdp::Codec;

use crate::codec::{Encoder, rate_of};

/// The encoder of a leg, and samples that do not fill a packet yet.
pub(super) struct Encoding {
    encoder: Encoder,
    /// Samples of one packet.
    packet: usize,
    pending: Vec<i16>,
}

impl Encoding {
    /// None if the codec's library refuses.
    pub(super) fn new(codec: Codec, ptime_ms: u8) -> Option<Self> {
        let encoder = Encoder::new(codec)?;
        Some(Self { encoder, packet: packet_of(codec, ptime_ms), pending: Vec::new() })
    }

    pub(super) fn suits(&self, codec: Codec, ptime_ms: u8) -> bool {
        self.encoder.codec() == codec && self.packet == packet_of(codec, ptime_ms)
    }

    /// Takes 20 ms and hands out each packet that is full, with its length in timestamp units.
    pub(super) fn run(
        &mut self,
        samples: &[i16],
        payload: &mut Vec<u8>,
        mut packet: impl FnMut(u32, &[u8]),
    ) {
        let codec = self.encoder.codec();
        let units = |samples: usize| {
            let hertz = u64::from(rate_of(codec).hertz());
            (samples as u64 * u64::from(codec.clock_rate()) / hertz) as u32
        };
        if self.pending.is_empty() && samples.len() == self.packet {
            if self.encoder.encode(samples, payload) {
                packet(units(samples.len()), payload);
            }
            return;
        }
        self.pending.extend_from_slice(samples);
        while self.pending.len() >= self.packet {
            if self.encoder.encode(&self.pending[..self.packet], payload) {
                packet(units(self.packet), payload);
            }
            self.pending.drain(..self.packet);
        }
    }
}

/// Samples of a packet. Opus has frames of 10, 20, 40 and 60 ms only (RFC 6716 2.1.4; less
/// than 10 costs quality); whatever else was agreed becomes 20 ms, the sender's choice.
fn packet_of(codec: Codec, ptime_ms: u8) -> usize {
    let allowed: &[u8] = match codec {
        Codec::Opus => &[10, 20, 40, 60],
        Codec::Pcmu | Codec::Pcma | Codec::G722 => &[10, 20, 30, 40, 50, 60],
    };
    let ptime = if allowed.contains(&ptime_ms) { ptime_ms } else { 20 };
    rate_of(codec).frame() * usize::from(ptime) / 20
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Payload sizes and units of this many frames.
    fn packets(codec: Codec, ptime_ms: u8, frames: usize) -> Vec<(usize, u32)> {
        let mut encoding = Encoding::new(codec, ptime_ms).unwrap();
        let mut made = Vec::new();
        for _ in 0..frames {
            let samples = vec![0; rate_of(codec).frame()];
            encoding.run(&samples, &mut Vec::new(), |units, p| made.push((p.len(), units)));
        }
        made
    }

    #[test]
    fn packets_have_the_length_that_was_agreed() {
        assert_eq!(packets(Codec::Pcmu, 20, 2), [(160, 160); 2]);
        assert_eq!(packets(Codec::Pcma, 10, 1), [(80, 80); 2]);
        assert_eq!(packets(Codec::Pcmu, 30, 3), [(240, 240); 2]);
        assert_eq!(packets(Codec::G722, 20, 1), [(160, 160)]);
        assert_eq!(packets(Codec::Opus, 60, 3).len(), 1);
    }

    #[test]
    fn a_length_that_the_codec_has_not_becomes_20_ms() {
        assert_eq!(packets(Codec::Opus, 30, 1)[0].1, 960);
        assert_eq!(packets(Codec::Pcmu, 0, 1), [(160, 160)]);
    }
}
