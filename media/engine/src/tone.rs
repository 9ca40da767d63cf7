//! Tones: call progress and DTMF.

use std::f32::consts::PI;

use crate::resample::Rate;
use crate::types::Tone;

/// -13 dBm0 per frequency, ITU-T E.180 9: full scale of a sine is +3.17 dBm0.
const AMPLITUDE: f32 = 5_080.0;
/// The level of each frequency of a DTMF pair, -9 dBm0 (ETSI ES 201 235-2 asks -8 to -11).
const DTMF_AMPLITUDE: f32 = 8_060.0;
const EUROPEAN: f32 = 425.0;

/// One frequency, by turning a vector instead of asking for a sine each time.
#[derive(Clone, Debug)]
struct Oscillator {
    turn: (f32, f32),
    vector: (f32, f32),
}

impl Oscillator {
    fn new(hertz: f32, amplitude: f32, rate: Rate) -> Self {
        let step = 2.0 * PI * hertz / rate.hertz() as f32;
        Self { turn: (step.cos(), step.sin()), vector: (amplitude, 0.0) }
    }

    fn next(&mut self) -> f32 {
        let ((c, s), (x, y)) = (self.turn, self.vector);
        self.vector = (x * c - y * s, x * s + y * c);
        y
    }
}

/// A tone with its cadence: progress tones at 8 kHz, digits at the rate that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Generator {
    oscillators: Vec<Oscillator>,
    /// Samples on and off; continuous when there are none off.
    cadence: (u32, u32),
    position: u32,
}

impl Generator {
    pub(crate) fn new(tone: Tone) -> Self {
        let ms = |on: u32, off: u32| (on * 8, off * 8);
        let (hertz, cadence) = match tone {
            Tone::Dial => (EUROPEAN, ms(1_000, 0)),
            Tone::RingBack => (EUROPEAN, ms(1_000, 4_000)),
            Tone::Busy => (EUROPEAN, ms(500, 500)),
            Tone::Congestion => (EUROPEAN, ms(250, 250)),
            Tone::Hz(hertz) => (hertz.clamp(1.0, 3_999.0), ms(1_000, 0)),
        };
        Self {
            oscillators: vec![Oscillator::new(hertz, AMPLITUDE, Rate::Narrow)],
            cadence,
            position: 0,
        }
    }

    /// The pair of frequencies of a digit (ITU-T Q.23); none if it is no DTMF digit.
    pub(crate) fn dtmf(digit: char, rate: Rate) -> Option<Self> {
        const KEYS: &str = "123A456B789C*0#D";
        const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
        const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
        let key = KEYS.find(digit.to_ascii_uppercase())?;
        let pair = [ROWS[key / 4], COLUMNS[key % 4]];
        let oscillators = pair.map(|hertz| Oscillator::new(hertz, DTMF_AMPLITUDE, rate)).to_vec();
        Some(Self { oscillators, cadence: (8_000, 0), position: 0 })
    }

    /// Appends samples.
    pub(crate) fn run(&mut self, samples: usize, out: &mut Vec<i16>) {
        let (on, off) = self.cadence;
        for _ in 0..samples {
            let value: f32 = self.oscillators.iter_mut().map(Oscillator::next).sum();
            let is_on = off == 0 || self.position < on;
            out.push(if is_on { value as i16 } else { 0 });
            self.position = if self.position + 1 >= on + off { 0 } else { self.position + 1 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_is_half_a_second_on_and_half_a_second_off() {
        let mut samples = Vec::new();

        Generator::new(Tone::Busy).run(16_000, &mut samples);

        let loudest = |part: &[i16]| part.iter().map(|s| s.unsigned_abs()).max().unwrap();
        assert!(loudest(&samples[..4_000]) > 5_000);
        assert_eq!(loudest(&samples[4_000..8_000]), 0);
        assert!(loudest(&samples[8_000..12_000]) > 5_000);
        assert_eq!(loudest(&samples[12_000..]), 0);
    }

    #[test]
    fn a_tone_keeps_its_level_for_an_hour() {
        let mut generator = Generator::new(Tone::Hz(1_000.0));
        let mut samples = Vec::new();
        for _ in 0..3_600 {
            samples.clear();
            generator.run(8_000, &mut samples);
        }

        let loudest = samples.iter().map(|s| s.unsigned_abs()).max().unwrap();

        assert!((5_000..5_160).contains(&loudest), "{loudest}");
    }
}
