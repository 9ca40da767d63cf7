//! What is in a recording: the strength of a frequency, second by second.

use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;

/// A recording, its first channel.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Samples a second.
    pub rate: u32,
    /// The samples.
    pub samples: Vec<i16>,
}

impl Recording {
    /// Reads a WAV file of 16-bit samples, also one whose header was never completed.
    ///
    /// # Panics
    /// When the file can not be read.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let bytes =
            std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::of(&bytes)
    }

    /// What a phone has recorded, once it fits or after 20 s. None: it has heard nothing at all.
    pub async fn once(path: &Path, fits: impl Fn(&Self) -> bool) -> Option<Self> {
        let mut heard = None;
        for _ in 0..200 {
            sleep(Duration::from_millis(100)).await;
            // The file is there from the first sound on.
            heard = path.exists().then(|| Self::read(path));
            if heard.as_ref().is_some_and(&fits) {
                break;
            }
        }
        heard
    }

    /// Reads the bytes of such a file.
    ///
    /// # Panics
    /// When they are none.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        // A phone writes its file some time after it has made it.
        if bytes.len() < 44 {
            return Self { rate: 8_000, samples: Vec::new() };
        }
        let rate = u32::from_le_bytes(bytes[24..28].try_into().unwrap());
        let channels = u16::from_le_bytes(bytes[22..24].try_into().unwrap());
        let mut at = 12;
        while at + 8 <= bytes.len() && &bytes[at..at + 4] != b"data" {
            at += 8 + u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
        }
        let samples = bytes[(at + 8).min(bytes.len())..]
            .chunks_exact(2 * usize::from(channels))
            .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        Self { rate, samples }
    }

    /// Its length in seconds.
    #[must_use]
    pub fn secs(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate)
    }

    /// The share of a stretch's energy that lies at a frequency, 0 to 1 (Goertzel).
    #[must_use]
    pub fn share(&self, hertz: f64, from_secs: f64, to_secs: f64) -> f64 {
        let part = self.part(from_secs, to_secs);
        let energy: f64 = part.iter().map(|&sample| f64::from(sample).powi(2)).sum();
        if energy < 1.0 {
            return 0.0;
        }
        let turn = 2.0 * std::f64::consts::PI * hertz / f64::from(self.rate);
        let (mut one, mut two) = (0.0, 0.0);
        for &sample in part {
            let zero = f64::from(sample) + 2.0 * turn.cos() * one - two;
            two = one;
            one = zero;
        }
        let power = one * one + two * two - 2.0 * turn.cos() * one * two;
        (2.0 * power / (part.len() as f64 * energy)).min(1.0)
    }

    /// The root mean square of a stretch.
    #[must_use]
    pub fn level(&self, from_secs: f64, to_secs: f64) -> f64 {
        let part = self.part(from_secs, to_secs);
        let energy: f64 = part.iter().map(|&sample| f64::from(sample).powi(2)).sum();
        (energy / part.len().max(1) as f64).sqrt()
    }

    /// The share of 20 ms frames of a stretch in which a frequency rules.
    #[must_use]
    pub fn frames_with(&self, hertz: f64, from_secs: f64, to_secs: f64) -> f64 {
        let count = ((to_secs - from_secs) / 0.02) as usize;
        let good = (0..count).filter(|frame| {
            let from = from_secs + *frame as f64 * 0.02;
            self.share(hertz, from, from + 0.02) > 0.6
        });
        good.count() as f64 / count.max(1) as f64
    }

    /// The first moment from which a frequency rules for 100 ms, in seconds.
    #[must_use]
    pub fn first(&self, hertz: f64) -> Option<f64> {
        let frames = (self.secs() / 0.02) as usize;
        (0..frames)
            .map(|frame| frame as f64 * 0.02)
            .find(|from| self.share(hertz, *from, *from + 0.1) > 0.7)
    }

    /// The longest stretch without a frequency between its first and its last frame, in seconds;
    /// infinite where it is never heard.
    #[must_use]
    pub fn longest_gap(&self, hertz: f64) -> f64 {
        let at = |frame: usize| frame as f64 * 0.02;
        let frames = (self.secs() / 0.02) as usize;
        let rules: Vec<usize> =
            (0..frames).filter(|&it| self.share(hertz, at(it), at(it) + 0.02) > 0.6).collect();
        if rules.is_empty() {
            return f64::INFINITY;
        }
        rules.windows(2).map(|pair| at(pair[1] - pair[0] - 1)).fold(0.0, f64::max)
    }

    fn part(&self, from_secs: f64, to_secs: f64) -> &[i16] {
        let index = |secs: f64| ((secs * f64::from(self.rate)) as usize).min(self.samples.len());
        &self.samples[index(from_secs)..index(to_secs).max(index(from_secs))]
    }
}

/// A WAV file of a tone: 16-bit mono at 8 kHz.
#[must_use]
pub fn tone(hertz: f64, secs: f64) -> Vec<u8> {
    let count = (secs * 8_000.0) as u32;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + count * 2).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(8_000_u32.to_le_bytes());
    file.extend(16_000_u32.to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend((count * 2).to_le_bytes());
    for n in 0..count {
        let angle = std::f64::consts::TAU * hertz * f64::from(n) / 8_000.0;
        file.extend(((angle.sin() * 8_000.0) as i16).to_le_bytes());
    }
    file
}

/// Asserts that a frequency rules at least 99 of 100 frames of a stretch that begins where it is
/// first heard.
///
/// # Panics
/// When it does not.
pub fn assert_heard(path: &Path, hertz: f64, secs: f64) {
    let recording = Recording::read(path);
    let shown = path.file_name().unwrap_or_default().to_string_lossy();
    let length = recording.secs();
    let Some(first) = recording.first(hertz) else {
        panic!("{shown}: {hertz} Hz is never heard in {length:.1} s{}", profile(&recording));
    };
    // The first frames of a stream fill the jitter buffers on the way.
    let from = first + 0.4;
    assert!(
        from + secs <= length + 0.02,
        "{shown}: only {length:.1} s, {hertz} Hz from {first:.1} s"
    );
    let good = recording.frames_with(hertz, from, from + secs);
    assert!(
        good >= 0.99,
        "{shown}: {hertz} Hz in {:.1} % of {secs} s from {from:.1} s{}",
        good * 100.0,
        profile(&recording)
    );
}

/// Asserts that the music on hold is heard somewhere in a recording: its base note of 440 Hz.
///
/// # Panics
/// When it is not.
pub fn assert_music(path: &Path) {
    let recording = Recording::read(path);
    let windows = (recording.secs() / 0.25) as usize;
    let strongest = (0..windows)
        .map(|at| at as f64 * 0.25)
        .map(|from| recording.share(440.0, from, from + 0.25))
        .fold(0.0, f64::max);
    assert!(
        strongest > 0.6,
        "{}: 440 Hz at most {strongest:.2}{}",
        path.display(),
        profile(&recording)
    );
}

/// What is in a recording, half second by half second, for a failed test.
#[must_use]
pub fn profile(recording: &Recording) -> String {
    let mut text = String::new();
    for half in 0..((recording.secs() * 2.0) as usize).min(60) {
        let (from, to) = (half as f64 * 0.5, half as f64 * 0.5 + 0.5);
        let strongest = (2..40)
            .map(|step| f64::from(step) * 50.0)
            .max_by(|a, b| recording.share(*a, from, to).total_cmp(&recording.share(*b, from, to)));
        let level = recording.level(from, to);
        text +=
            &format!("\n  {from:5.1} s: level {level:6.0}, most {:?} Hz", strongest.unwrap_or(0.0));
    }
    text
}
