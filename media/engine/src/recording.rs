//! What legs say, written into WAV files: 16-bit mono at 8 kHz. The workers hand frames over;
//! one thread of its own does the writing.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use tokio::sync::oneshot;

use crate::resample::Rate;
use crate::types::EngineError;

/// Frames of one recording that may wait for the disk, half a minute; more are left out.
const WAITING_FRAMES: usize = 1_500;

/// What became of a recording that has ended; its file is complete and synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// How long it is, in milliseconds.
    pub length_ms: u64,
    /// Frames of 20 ms that the disk was too slow for.
    pub lost_frames: u64,
}

/// Who waits for the end of a recording.
pub type RecordedLater = oneshot::Receiver<io::Result<Recorded>>;

type Reply = oneshot::Sender<io::Result<Recorded>>;

enum Job {
    Begin { id: u64, path: PathBuf, reply: Reply },
    Frame { id: u64, samples: Vec<i16>, waiting: Arc<AtomicUsize> },
    End { id: u64, lost_frames: u64 },
}

/// Starts recordings.
pub(crate) struct Recorder {
    jobs: Sender<Job>,
    next: AtomicU64,
}

impl Recorder {
    pub(crate) fn start() -> Result<Self, EngineError> {
        let (jobs, todo) = channel();
        thread::Builder::new()
            .name("media-recorder".into())
            .spawn(move || write_all(&todo))
            .map_err(|source| EngineError::Io { doing: "start the recorder", source })?;
        Ok(Self { jobs, next: AtomicU64::new(0) })
    }

    /// A recording into a file that is made now; it ends with the tape.
    pub(crate) fn tape(&self, path: PathBuf) -> (Tape, RecordedLater) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (reply, later) = oneshot::channel();
        // The thread lives as long as the sender.
        let _ = self.jobs.send(Job::Begin { id, path, reply });
        let jobs = self.jobs.clone();
        (Tape { id, jobs, waiting: Arc::default(), lost_frames: 0 }, later)
    }
}

/// Where a leg's frames go while it is recorded.
pub(crate) struct Tape {
    id: u64,
    jobs: Sender<Job>,
    waiting: Arc<AtomicUsize>,
    lost_frames: u64,
}

impl Tape {
    /// Takes 20 ms; nothing is silence.
    pub(crate) fn run(&mut self, samples: &[i16]) {
        if self.waiting.load(Ordering::Relaxed) >= WAITING_FRAMES {
            self.lost_frames += 1;
            return;
        }
        let mut samples = samples.to_vec();
        samples.resize(Rate::Narrow.frame(), 0);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Arc::clone(&self.waiting);
        let _ = self.jobs.send(Job::Frame { id: self.id, samples, waiting });
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        let _ = self.jobs.send(Job::End { id: self.id, lost_frames: self.lost_frames });
    }
}

type Writer = hound::WavWriter<BufWriter<File>>;

struct Open {
    file: io::Result<(Writer, File)>,
    samples: u64,
    reply: Reply,
}

fn write_all(jobs: &Receiver<Job>) {
    let mut open = HashMap::new();
    for job in jobs {
        match job {
            Job::Begin { id, path, reply } => {
                open.insert(id, Open { file: create(path), samples: 0, reply });
            }
            Job::Frame { id, samples, waiting } => {
                waiting.fetch_sub(1, Ordering::Relaxed);
                if let Some(open) = open.get_mut(&id) {
                    open.write(&samples);
                }
            }
            Job::End { id, lost_frames } => {
                if let Some(open) = open.remove(&id) {
                    open.finish(lost_frames);
                }
            }
        }
    }
}

fn create(path: PathBuf) -> io::Result<(Writer, File)> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: Rate::Narrow.hertz(),
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let file = File::create(path)?;
    let synced = file.try_clone()?;
    let writer = hound::WavWriter::new(BufWriter::new(file), spec).map_err(of_hound)?;
    Ok((writer, synced))
}

fn of_hound(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    }
}

impl Open {
    fn write(&mut self, samples: &[i16]) {
        let Ok((writer, _)) = &mut self.file else { return };
        let written = samples.iter().try_for_each(|&sample| writer.write_sample(sample));
        match written {
            Ok(()) => self.samples += samples.len() as u64,
            Err(error) => self.file = Err(of_hound(error)),
        }
    }

    fn finish(self, lost_frames: u64) {
        let length_ms = self.samples * 1_000 / u64::from(Rate::Narrow.hertz());
        let finished = self.file.and_then(|(writer, file)| {
            writer.finalize().map_err(of_hound)?;
            file.sync_all()?;
            Ok(Recorded { length_ms, lost_frames })
        });
        // Who waited may be gone.
        let _ = self.reply.send(finished);
    }
}
