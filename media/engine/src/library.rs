//! Prompts and music: WAV files that are read once, off the workers' threads, and kept.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;

use crate::resample::Rate;
use crate::types::{EngineError, Item, Programme, Tone};

/// The longest file that is taken, in samples: half an hour at 16 kHz.
const MAX_SAMPLES: u32 = 30 * 60 * 16_000;
/// Files that may wait for the reader; a play beyond it fails rather than to queue for ever.
const WAITING_READS: usize = 1024;
/// A file that is played is looked at so often for having been replaced.
const CHECK_EVERY: Duration = Duration::from_secs(5);

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
    known: Arc<Mutex<HashMap<String, Known>>>,
    reader: SyncSender<Request>,
}

/// A recording, and what tells that its file was replaced since.
struct Known {
    slot: Slot,
    modified: Modified,
    checked_at: Instant,
}

/// When the narrow and the wide version of a recording were written.
type Modified = [Option<SystemTime>; 2];

enum Request {
    /// Read a file into its slot.
    Read(String, Slot),
    /// Read a file outside of the library into its slot.
    Once(PathBuf, Slot),
    /// Read a file again, for later plays, if it was replaced.
    Check(String),
}

impl Library {
    pub(crate) fn open(root: PathBuf) -> Result<Self, EngineError> {
        let (reader, requests) = sync_channel(WAITING_READS);
        let known = Arc::<Mutex<HashMap<String, Known>>>::default();
        let shelf = Arc::clone(&known);
        thread::Builder::new()
            .name("media-library".into())
            .spawn(move || read_all(&root, &shelf, &requests))
            .map_err(|source| EngineError::Io { doing: "start the library's reader", source })?;
        Ok(Self { known, reader })
    }

    /// Looks a programme's files up; those that are not known yet are read meanwhile.
    pub(crate) fn track(&self, programme: Programme) -> Track {
        let part = |item| match item {
            Item::File(name) => Part::File(self.recording(name)),
            Item::Path(path) => Part::File(self.once(path)),
            Item::Tone(tone, ms) => Part::Tone(tone, ms),
            Item::Silence { ms } => Part::Silence(ms),
            Item::Echo => Part::Echo,
        };
        Track { parts: programme.items.into_iter().map(part).collect(), repeat: programme.repeat }
    }

    /// A file outside of the library: read for one play and not kept.
    fn once(&self, path: PathBuf) -> Slot {
        let slot = Slot::default();
        let shown = path.display().to_string();
        if self.reader.try_send(Request::Once(path, Slot::clone(&slot))).is_err() {
            let _ = slot.set(Err(format!("{shown}: too many files wait to be read")));
        }
        slot
    }

    fn recording(&self, name: String) -> Slot {
        let mut known = self.known.lock();
        // A file that failed is tried again: it may be there by now.
        if let Some(entry) = known.get_mut(&name)
            && !matches!(entry.slot.get(), Some(Err(_)))
        {
            if entry.checked_at.elapsed() >= CHECK_EVERY {
                entry.checked_at = Instant::now();
                // A full queue only means that a replaced file is noticed later.
                let _ = self.reader.try_send(Request::Check(name));
            }
            return Slot::clone(&entry.slot);
        }
        let slot = Slot::default();
        let request = Request::Read(name.clone(), Slot::clone(&slot));
        if self.reader.try_send(request).is_err() {
            let _ = slot.set(Err(format!("{name}: too many files wait to be read")));
            return slot;
        }
        known.insert(name, Known::new(&slot, Modified::default()));
        slot
    }
}

impl Known {
    fn new(slot: &Slot, modified: Modified) -> Self {
        Self { slot: Slot::clone(slot), modified, checked_at: Instant::now() }
    }
}

fn read_all(root: &Path, known: &Mutex<HashMap<String, Known>>, requests: &Receiver<Request>) {
    for request in requests {
        let (name, slot) = match request {
            Request::Read(name, slot) => (name, slot),
            Request::Once(path, slot) => {
                let read = read_wav(&path).map(|clip| Recording { clips: vec![clip] });
                let _ = slot.set(read.map_err(|why| format!("{}: {why}", path.display())));
                continue;
            }
            Request::Check(name) => {
                let before = known.lock().get(&name).map(|entry| entry.modified);
                if before == Some(modified(root, &name)) {
                    continue;
                }
                (name, Slot::default())
            }
        };
        let modified = modified(root, &name);
        let read = read(root, &name).map_err(|why| format!("{name}: {why}"));
        if let Err(why) = &read {
            tracing::warn!(%why, "recording not read");
        }
        // Only this thread sets slots that were sent to it.
        let _ = slot.set(read);
        known.lock().insert(name, Known::new(&slot, modified));
    }
}

/// The files of a name: narrow or any, and wide.
fn paths(root: &Path, name: &str) -> [PathBuf; 2] {
    [root.join(format!("{name}.wav")), root.join(format!("{name}.16k.wav"))]
}

fn modified(root: &Path, name: &str) -> Modified {
    paths(root, name).map(|path| path.metadata().and_then(|m| m.modified()).ok())
}

fn read(root: &Path, name: &str) -> Result<Recording, String> {
    let is_inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if !is_inside || name.is_empty() {
        return Err("not a name within the library".into());
    }
    let [narrow, wide] = paths(root, name);
    let mut clips = vec![read_wav(&narrow)?];
    if wide.exists() {
        clips.push(read_wav(&wide)?);
    }
    clips.sort_by_key(|clip| clip.rate);
    Ok(Recording { clips })
}

/// How long a WAV file plays.
///
/// # Errors
/// What is wrong with it, when it can not be played.
pub fn playing_time(wav: &[u8]) -> Result<Duration, String> {
    let clip = read_clip(hound::WavReader::new(wav).map_err(|e| e.to_string())?)?;
    Ok(Duration::from_secs_f64(clip.samples.len() as f64 / f64::from(clip.rate.hertz())))
}

fn read_wav(path: &Path) -> Result<Clip, String> {
    read_clip(hound::WavReader::open(path).map_err(|e| e.to_string())?)
}

fn read_clip<R: Read>(mut reader: hound::WavReader<R>) -> Result<Clip, String> {
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
    fn a_file_that_is_replaced_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("music.wav"), 8_000);
        let library = Library::open(dir.path().into()).unwrap();
        let first = library.recording("music".into());
        assert!(matches!(first.wait(), Ok(r) if r.best(Rate::Wide).rate == Rate::Narrow));

        write(&dir.path().join("music.wav"), 16_000);
        let later = SystemTime::now() + Duration::from_secs(60);
        let file = std::fs::File::options().write(true).open(dir.path().join("music.wav"));
        file.unwrap().set_modified(later).unwrap();
        library.reader.send(Request::Check("music".into())).unwrap();
        // The reader works in order: what is read after it was checked is read after it.
        library.recording("other".into()).wait();

        let second = library.recording("music".into());
        assert!(matches!(second.wait(), Ok(r) if r.best(Rate::Wide).rate == Rate::Wide));
        assert!(matches!(first.get(), Some(Ok(_))), "who plays the old one goes on");
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
