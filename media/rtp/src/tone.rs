//! Digits as tones in the audio, found by eight Goertzel filters (ITU-T Q.23, Q.24).

use smallvec::SmallVec;

use crate::event::Digit;

/// Samples of one block at 8 kHz: 12.75 ms, so that a 40 ms digit holds two whole blocks.
const BLOCK: usize = 102;
const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// A tone is at least -36 dB under full scale.
const LEAST_AMPLITUDE: f32 = 520.0;
/// The low tone may be 8 dB above the high one, as lines weaken high tones.
const NORMAL_TWIST: f32 = 6.31;
/// The high tone may be 4 dB above the low one.
const REVERSE_TWIST: f32 = 2.51;
/// A tone is 8 dB above the others of its group.
const PEAK: f32 = 6.31;
/// The two tones hold four fifths of all energy; speech does not (talk-off).
const SHARE: f32 = 0.8;
/// Equal blocks that make a digit, and blocks without it that end it.
const BLOCKS_TO_BEGIN: u32 = 2;
const BLOCKS_TO_END: u32 = 2;

/// Finds digits in audio of 8 kHz.
#[derive(Clone, Debug)]
pub struct Detector {
    block: Vec<f32>,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Quiet,
    /// A digit was seen in the last blocks, too few of them to be believed.
    Maybe {
        digit: char,
        blocks: u32,
    },
    Tone {
        digit: char,
        blocks: u32,
        misses: u32,
    },
}

impl Default for Detector {
    fn default() -> Self {
        Self { block: Vec::with_capacity(BLOCK), state: State::Quiet }
    }
}

impl Detector {
    /// Takes samples; gives the digits that ended in them.
    pub fn feed(&mut self, samples: &[i16]) -> SmallVec<[Digit; 2]> {
        let mut digits = SmallVec::new();
        for sample in samples {
            self.block.push(f32::from(*sample));
            if self.block.len() == BLOCK {
                let found = identify(&self.block);
                self.block.clear();
                digits.extend(self.step(found));
            }
        }
        digits
    }

    fn step(&mut self, found: Option<char>) -> Option<Digit> {
        let (next, ended) = match (self.state, found) {
            (State::Quiet, None) | (State::Maybe { .. }, None) => (State::Quiet, None),
            (State::Quiet, Some(digit)) => (State::Maybe { digit, blocks: 1 }, None),
            (State::Maybe { digit, blocks }, Some(found)) if digit == found => {
                if blocks + 1 >= BLOCKS_TO_BEGIN {
                    (State::Tone { digit, blocks: blocks + 1, misses: 0 }, None)
                } else {
                    (State::Maybe { digit, blocks: blocks + 1 }, None)
                }
            }
            (State::Maybe { .. }, Some(digit)) => (State::Maybe { digit, blocks: 1 }, None),
            (State::Tone { digit, blocks, misses }, Some(found)) if digit == found => {
                (State::Tone { digit, blocks: blocks + misses + 1, misses: 0 }, None)
            }
            (State::Tone { digit, blocks, misses }, found) if misses + 1 >= BLOCKS_TO_END => {
                let duration_ms = blocks * BLOCK as u32 / 8;
                let next = match found {
                    Some(digit) => State::Maybe { digit, blocks: 1 },
                    None => State::Quiet,
                };
                (next, Some(Digit { digit, duration_ms }))
            }
            (State::Tone { digit, blocks, misses }, _) => {
                (State::Tone { digit, blocks, misses: misses + 1 }, None)
            }
        };
        self.state = next;
        ended
    }
}

/// The digit of one block, if it passes the rules on level, twist, peaks and talk-off.
fn identify(block: &[f32]) -> Option<char> {
    let energy: f32 = block.iter().map(|sample| sample * sample).sum();
    let half = BLOCK as f32 / 2.0;
    let least = (LEAST_AMPLITUDE * half).powi(2);
    // Cheap way out for silence: two tones at the least level hold this much.
    if energy < LEAST_AMPLITUDE * LEAST_AMPLITUDE * half {
        return None;
    }
    let rows = ROWS.map(|frequency| power(block, frequency));
    let columns = COLUMNS.map(|frequency| power(block, frequency));
    let (row, low) = strongest(&rows)?;
    let (column, high) = strongest(&columns)?;
    let is_loud = low >= least && high >= least;
    let is_balanced = low <= high * NORMAL_TWIST && high <= low * REVERSE_TWIST;
    // The power of a pure tone is half a block times its energy.
    let is_pure = low + high >= SHARE * half * energy;
    (is_loud && is_balanced && is_pure).then(|| KEYS[row][column])
}

/// The strongest of a group, unless another comes near.
fn strongest(group: &[f32; 4]) -> Option<(usize, f32)> {
    let (place, best) =
        group.iter().copied().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let is_alone = group.iter().enumerate().all(|(n, other)| n == place || other * PEAK <= best);
    is_alone.then_some((place, best))
}

/// The squared magnitude of one frequency in the block (Goertzel).
fn power(block: &[f32], frequency: f32) -> f32 {
    let coefficient = 2.0 * (std::f32::consts::TAU * frequency / 8_000.0).cos();
    let (mut newer, mut older) = (0.0_f32, 0.0_f32);
    for sample in block {
        (newer, older) = (sample + coefficient * newer - older, newer);
    }
    newer * newer + older * older - coefficient * newer * older
}
