//! Sample rates and the conversion between them: polyphase filters with shared coefficients.

use std::f32::consts::PI;
use std::sync::OnceLock;

/// The rates that codecs and recordings have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rate {
    /// 8 kHz: G.711.
    Narrow,
    /// 16 kHz: G.722.
    Wide,
    /// 48 kHz: Opus.
    Full,
}

impl Rate {
    pub(crate) const ALL: [Self; 3] = [Self::Narrow, Self::Wide, Self::Full];

    pub(crate) const fn hertz(self) -> u32 {
        match self {
            Self::Narrow => 8_000,
            Self::Wide => 16_000,
            Self::Full => 48_000,
        }
    }

    pub(crate) fn of_hertz(hertz: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|rate| rate.hertz() == hertz)
    }

    /// Samples in 20 ms.
    pub(crate) const fn frame(self) -> usize {
        self.hertz() as usize / 50
    }
}

/// 20 ms of one source at the rates that were asked for.
#[derive(Default)]
pub(crate) struct Frame {
    samples: [Vec<i16>; 3],
}

impl Frame {
    /// The samples at a rate; empty when there are none, which is silence.
    pub(crate) fn at(&self, rate: Rate) -> &[i16] {
        &self.samples[rate as usize]
    }

    pub(crate) fn at_mut(&mut self, rate: Rate) -> &mut Vec<i16> {
        &mut self.samples[rate as usize]
    }

    pub(crate) fn clear(&mut self) {
        self.samples.iter_mut().for_each(Vec::clear);
    }
}

/// A set of rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RateSet(u8);

impl RateSet {
    pub(crate) fn add(&mut self, rate: Rate) {
        self.0 |= 1 << rate as u8;
    }

    pub(crate) fn has(self, rate: Rate) -> bool {
        self.0 & (1 << rate as u8) != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn highest(self) -> Option<Rate> {
        Rate::ALL.into_iter().rev().find(|rate| self.has(*rate))
    }
}

/// Brings the frames of one source to the rates that its listeners have.
#[derive(Default)]
pub(crate) struct Converter {
    from: Option<Rate>,
    to: [Option<Box<Resampler>>; 3],
}

impl Converter {
    /// Fills the wanted rates of the frame from the one at `native`.
    pub(crate) fn fill(&mut self, frame: &mut Frame, native: Rate, wanted: RateSet) {
        if self.from != Some(native) {
            *self = Self { from: Some(native), ..Self::default() };
        }
        for rate in Rate::ALL {
            if rate == native {
                continue;
            }
            let resampler = &mut self.to[rate as usize];
            if !wanted.has(rate) {
                // A gap in what it saw would be a click later.
                *resampler = None;
                continue;
            }
            let resampler = resampler.get_or_insert_with(|| Resampler::new(native, rate).into());
            let mut converted = std::mem::take(frame.at_mut(rate));
            converted.clear();
            resampler.run(frame.at(native), &mut converted);
            *frame.at_mut(rate) = converted;
        }
    }
}

/// Filter taps per phase: 60 dB with a transition of 1.2 kHz at 8 kHz.
const TAPS: usize = 24;
/// The filter's edge relative to the lower rate: half of it less the half transition.
const EDGE: f32 = 0.46;
const KAISER_BETA: f32 = 5.65;

/// Converts by a whole factor, up or down.
pub(crate) struct Resampler {
    filter: &'static Filter,
    is_up: bool,
    /// The samples before the frame that comes next, followed by that frame while it runs.
    line: Vec<f32>,
}

impl Resampler {
    fn new(from: Rate, to: Rate) -> Self {
        let (low, high) = (from.min(to), from.max(to));
        let filter = Filter::shared(high.hertz() as usize / low.hertz() as usize);
        let is_up = from < to;
        let past = if is_up { TAPS } else { TAPS * filter.factor } - 1;
        Self { filter, is_up, line: vec![0.0; past] }
    }

    /// Appends the converted samples to `out`.
    fn run(&mut self, input: &[i16], out: &mut Vec<i16>) {
        let past = self.line.len();
        self.line.extend(input.iter().map(|&s| f32::from(s)));
        if self.is_up {
            for window in self.line.windows(TAPS) {
                out.extend(self.filter.phases.iter().map(|phase| to_sample(dot(window, phase))));
            }
        } else {
            let length = self.filter.whole.len();
            for window in self.line.windows(length).step_by(self.filter.factor) {
                out.push(to_sample(dot(window, &self.filter.whole)));
            }
        }
        self.line.drain(..input.len());
        self.line.truncate(past);
    }
}

fn to_sample(value: f32) -> i16 {
    // `as` saturates.
    value.round_ties_even() as i16
}

/// Eight sums side by side, so that the compiler uses vector registers.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum()
}

struct Filter {
    factor: usize,
    /// One row per output sample of a low-rate input sample, oldest tap first.
    phases: Vec<Vec<f32>>,
    /// All taps, for the way down; symmetric.
    whole: Vec<f32>,
}

impl Filter {
    fn shared(factor: usize) -> &'static Self {
        static FILTERS: [OnceLock<Filter>; 3] = [const { OnceLock::new() }; 3];
        let place = match factor {
            2 => &FILTERS[0],
            3 => &FILTERS[1],
            _ => &FILTERS[2],
        };
        place.get_or_init(|| Self::design(factor))
    }

    /// A windowed sinc at the higher rate.
    fn design(factor: usize) -> Self {
        let length = TAPS * factor;
        let centre = (length - 1) as f32 / 2.0;
        let cut = EDGE / factor as f32;
        let mut whole: Vec<f32> = (0..length)
            .map(|n| {
                let t = n as f32 - centre;
                let sinc = (2.0 * PI * cut * t).sin() / (PI * t);
                let x = t / centre;
                sinc * bessel(KAISER_BETA * (1.0 - x * x).max(0.0).sqrt()) / bessel(KAISER_BETA)
            })
            .collect();
        let gain: f32 = whole.iter().sum();
        whole.iter_mut().for_each(|tap| *tap /= gain);
        let phases = (0..factor)
            .map(|phase| {
                let taps = (0..TAPS).rev();
                taps.map(|tap| whole[tap * factor + phase] * factor as f32).collect()
            })
            .collect();
        Self { factor, phases, whole }
    }
}

/// The modified Bessel function of order zero.
fn bessel(x: f32) -> f32 {
    let (mut sum, mut term) = (1.0, 1.0);
    for m in 1..=25 {
        term *= (x / 2.0 / m as f32) * (x / 2.0 / m as f32);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(rate: Rate, hertz: f32) -> Vec<i16> {
        let step = 2.0 * PI * hertz / rate.hertz() as f32;
        (0..rate.frame() * 25).map(|n| ((n as f32 * step).sin() * 10_000.0) as i16).collect()
    }

    /// Mean square of what is left when the best fitting sine is taken away, and of the sine.
    fn split(samples: &[i16], rate: Rate, hertz: f32) -> (f32, f32) {
        let step = 2.0 * PI * hertz / rate.hertz() as f32;
        let (mut re, mut im, mut all) = (0.0f64, 0.0f64, 0.0f64);
        for (n, &s) in samples.iter().enumerate() {
            let (sin, cos) = f64::from(n as f32 * step).sin_cos();
            re += f64::from(s) * cos;
            im += f64::from(s) * sin;
            all += f64::from(s) * f64::from(s);
        }
        let n = samples.len() as f64;
        let tone = 2.0 * (re * re + im * im) / (n * n);
        ((all / n - tone).max(0.0) as f32, tone as f32)
    }

    #[test]
    fn a_tone_stays_pure_at_every_pair_of_rates() {
        for from in Rate::ALL {
            for to in Rate::ALL.into_iter().filter(|to| *to != from) {
                let mut resampler = Resampler::new(from, to);
                let mut out = Vec::new();
                for frame in sine(from, 1_000.0).chunks(from.frame()) {
                    let before = out.len();
                    resampler.run(frame, &mut out);
                    assert_eq!(out.len() - before, to.frame(), "{from:?} {to:?}");
                }

                let settled = &out[to.frame() * 5..];
                let (rest, tone) = split(settled, to, 1_000.0);

                assert!((tone / 5e7 - 1.0).abs() < 0.05, "{from:?} {to:?}: level {tone}");
                assert!(tone / rest > 1e4, "{from:?} {to:?}: {}", tone / rest);
            }
        }
    }

    #[test]
    fn what_the_lower_rate_can_not_carry_is_filtered_out() {
        let mut resampler = Resampler::new(Rate::Full, Rate::Narrow);
        let mut out = Vec::new();

        resampler.run(&sine(Rate::Full, 6_000.0), &mut out);

        let loudest = out[50..].iter().map(|s| s.unsigned_abs()).max().unwrap();
        assert!(loudest < 100, "{loudest}");
    }
}
