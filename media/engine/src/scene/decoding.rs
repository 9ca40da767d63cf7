//! What a leg needs while somebody hears it in the mix.

use std::time::Duration;

use tandem_kernel::Timestamp;
use tandem_rtp::{JitterBuffer, Packet, Pop};
use tandem_sdp::Codec;

use crate::codec::{Decoder, rate_of};
use crate::resample::{Converter, Frame, RateSet};

/// Each concealed frame is this much of the one before: gone after a tenth of a second.
const FADE: f32 = 0.6;
/// Packets that are taken for one frame: more are left for the next one.
const MOST_POPS: usize = 8;

/// The playout buffer and the decoder of a leg.
pub(super) struct Decoding {
    buffer: JitterBuffer,
    decoder: Decoder,
    /// Decoded samples that do not fill a frame yet.
    ready: Vec<i16>,
    /// The newest frame that was played, to conceal a loss with.
    last: Vec<i16>,
    converter: Converter,
}

impl Decoding {
    /// None if the codec's library refuses.
    pub(super) fn new(codec: Codec) -> Option<Self> {
        Some(Self {
            buffer: JitterBuffer::new(codec.clock_rate()),
            decoder: Decoder::new(codec)?,
            ready: Vec::new(),
            last: Vec::new(),
            converter: Converter::default(),
        })
    }

    pub(super) fn codec(&self) -> Codec {
        self.decoder.codec()
    }

    /// How long packets wait.
    pub(super) fn delay(&self) -> Duration {
        self.buffer.target()
    }

    pub(super) fn insert(&mut self, now: Timestamp, packet: &Packet<'_>) {
        self.buffer.insert(now, packet);
    }

    /// Plays 20 ms at the wanted rates; nothing when the leg is silent.
    pub(super) fn play(&mut self, now: Timestamp, wanted: RateSet, frame: &mut Frame) {
        let native = rate_of(self.codec());
        let whole = native.frame();
        for _ in 0..MOST_POPS {
            if self.ready.len() >= whole {
                break;
            }
            match self.buffer.pop(now) {
                Pop::Packet(stored) => {
                    if !self.decoder.decode(&stored.payload, &mut self.ready) {
                        self.conceal(whole);
                    }
                }
                Pop::Lost(units) => {
                    let clock = u64::from(self.codec().clock_rate());
                    let samples = u64::from(units) * u64::from(native.hertz()) / clock;
                    self.conceal(usize::try_from(samples).unwrap_or(whole));
                }
                Pop::Empty(_) => break,
            }
        }
        self.last.clear();
        if self.ready.is_empty() {
            self.converter = Converter::default();
            return;
        }
        let taken = self.ready.len().min(whole);
        self.last.extend(self.ready.drain(..taken));
        self.last.resize(whole, 0);
        frame.at_mut(native).extend_from_slice(&self.last);
        self.converter.fill(frame, native, wanted);
    }

    /// Stands in for samples that are missing: what the codec itself knows, otherwise what was
    /// played last, more quietly each time.
    fn conceal(&mut self, samples: usize) {
        if self.decoder.conceal(&mut self.ready) {
            return;
        }
        let source = if self.ready.len() >= samples {
            &self.ready[self.ready.len() - samples..]
        } else {
            &self.last[..]
        };
        let faded: Vec<i16> =
            source.iter().take(samples).map(|&s| (f32::from(s) * FADE) as i16).collect();
        let missing = samples - faded.len();
        self.ready.extend(faded);
        self.ready.resize(self.ready.len() + missing, 0);
    }
}
