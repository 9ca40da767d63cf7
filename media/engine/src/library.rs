//! Prompts and music: WAV files that are read once, off the workers' threads, and kept.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;

use parking_lot::Mutex;

use crate::resample::Rate;
use crate::types::{EngineError, Item, Programme, Tone};

/// The longest file that is taken, in samples: half an hour at 16 kHz.
const MAX_SAMPLES: u32 = 30 * 60 * 16_000;
/// Files that may wait for the reader; a play beyond it fails rather than to queue for ever.
const WAITING_READS: usize = 1024;

/// Samples at one rate.
#[derive(Debug)]
pub(crate) struct Clip {
    pub(crate) rate: Rate,
    pub(crate) samples: Vec<i16>,
}

/// One name of the library: `name.wav`, and `name.16k.wav` when there is a wideband version.
#[derive(Debug)]
pub(crate) struct Recording {
    clips: Vec<Clip>,
}

impl Recording {
    /// The version that suits a listener of this rate: the least that is not below it,
    /// otherwise the highest.
    pub(crate) fn best(&self, rate: Rate) -> &Clip {
        let suits = self.clips.iter().find(|clip| clip.rate >= rate);
        suits.or(self.clips.last()).expect("read() gives at least one clip")
    }
}

/// A recording that may still be read from disk.
pub(crate) type Slot = Arc<OnceLock<Result<Recording, String>>>;

/// A programme whose files are found.
pub(crate) struct Track {
    pub(crate) parts: Vec<Part>,
    pub(crate) repeat: bool,
}

/// An item of a programme, ready to play.
pub(crate) enum Part {
    File(Slot),
    Tone(Tone, Option<u32>),
    Silence(u32),
    Echo,
}

/// The files of the library that were played at least once.
pub(crate) struct Library {
    known: Mutex<HashMap<String, Slot>>,
    reader: SyncSender<(String, Slot)>,
}

impl Library {
    pub(crate) fn open(root: PathBuf) -> Result<Self, EngineError> {
        let (reader, requests) = sync_channel(WAITING_READS);
        thread::Builder::new()
            .name("media-library".into())
            .spawn(move || read_all(&root, &requests))
            .map_err(|source| EngineError::Io { doing: "start the library's reader", source })?;
        Ok(Self { known: Mutex::default(), reader })
    }

    /// Looks a programme's files up; those that are not known yet are read meanwhile.
    pub(crate) fn track(&self, programme: Programme) -> Track {
        let part = |item| match item {
            Item::File(name) => Part::File(self.recording(name)),
            Item::Tone(tone, ms) => Part::Tone(tone, ms),
            Item::Silence { ms } => Part::Silence(ms),
            Item::Echo => Part::Echo,
        };
        Track { parts: programme.items.into_iter().map(part).collect(), repeat: programme.repeat }
    }

    fn recording(&self, name: String) -> Slot {
        let mut known = self.known.lock();
        // A file that failed is tried again: it may be there by now.
        if let Some(slot) = known.get(&name)
            && !matches!(slot.get(), Some(Err(_)))
        {
            return Slot::clone(slot);
        }
        let slot = Slot::default();
        if self.reader.try_send((name.clone(), Slot::clone(&slot))).is_err() {
            let _ = slot.set(Err(format!("{name}: too many files wait to be read")));
            return slot;
        }
        known.insert(name, Slot::clone(&slot));
        slot
    }
}

fn read_all(root: &Path, requests: &Receiver<(String, Slot)>) {
    for (name, slot) in requests {
        let read = read(root, &name).map_err(|why| format!("{name}: {why}"));
        if let Err(why) = &read {
            tracing::warn!(%why, "recording not read");
        }
        // Only this thread sets slots that were sent to it.
        let _ = slot.set(read);
    }
}

fn read(root: &Path, name: &str) -> Result<Recording, String> {
    let is_inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if !is_inside || name.is_empty() {
        return Err("not a name within the library".into());
    }
    let mut clips = vec![read_wav(&root.join(format!("{name}.wav")))?];
    let wide = root.join(format!("{name}.16k.wav"));
    if wide.exists() {
        clips.push(read_wav(&wide)?);
    }
    clips.sort_by_key(|clip| clip.rate);
    Ok(Recording { clips })
}

fn read_wav(path: &Path) -> Result<Clip, String> {
    let mut reader = hound::WavReader::open(path).map_err(|e| e.to_string())?;
    let spec = reader.spec();
    let is_16_bit = spec.bits_per_sample == 16 && spec.sample_format == hound::SampleFormat::Int;
    let rate = Rate::of_hertz(spec.sample_rate).filter(|_| is_16_bit && spec.channels == 1);
    let Some(rate) = rate else {
        return Err(format!(
            "{} channels, {} bits, {} Hz; wanted is 16-bit mono at 8, 16 or 48 kHz",
            spec.channels, spec.bits_per_sample, spec.sample_rate
        ));
    };
    if reader.len() == 0 || reader.len() > MAX_SAMPLES {
        return Err(format!("{} samples; wanted are 1 to {MAX_SAMPLES}", reader.len()));
    }
    let samples =
        reader.samples::<i16>().collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
    Ok(Clip { rate, samples })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, rate: u32) {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(path, spec).unwrap();
        for n in 0..rate / 10 {
            writer.write_sample(n as i16).unwrap();
        }
        writer.finalize().unwrap();
    }

    #[test]
    fn the_rate_that_suits_the_listener_is_chosen() {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("hello.wav"), 8_000);
        write(&dir.path().join("hello.16k.wav"), 16_000);

        let recording = read(dir.path(), "hello").unwrap();

        assert_eq!(recording.best(Rate::Narrow).rate, Rate::Narrow);
        assert_eq!(recording.best(Rate::Wide).rate, Rate::Wide);
        assert_eq!(recording.best(Rate::Full).rate, Rate::Wide);
    }

    #[test]
    fn a_name_outside_the_library_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("outside.wav"), 8_000);
        let root = dir.path().join("library");

        for name in ["../outside", "/etc/passwd", "", "a/../../outside"] {
            assert!(read(&root, name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_rate_that_no_codec_has_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("cd.wav"), 44_100);

        assert!(read(dir.path(), "cd").unwrap_err().contains("44100 Hz"));
    }
}
