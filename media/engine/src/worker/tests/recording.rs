//! What a leg says, in a file; a file outside of the library, to a leg.

use tandem_sdp::Codec;

use super::world::{World, leg, share};
use crate::mailbox::Command;
use crate::recording::{Recorded, Recorder};
use crate::types::{Item, PlayerId, Source};

fn samples(path: &std::path::Path) -> Vec<i16> {
    let mut reader = hound::WavReader::open(path).unwrap();
    assert_eq!(reader.spec().sample_rate, 8_000);
    reader.samples::<i16>().collect::<Result<_, _>>().unwrap()
}

/// Two seconds of a leg with a codec, recorded; ended as told.
fn record(codec: Codec, end: Command) -> (Recorded, Vec<i16>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("said.wav");
    let mut world = World::new();
    world.phone(0, codec);
    world.say(0, 600.0);
    let (tape, later) = Recorder::start().unwrap().tape(path.clone());
    world.command(Command::Record { leg: leg(0), tape });
    world.run(2_000);
    world.command(end);
    (later.blocking_recv().unwrap().unwrap(), samples(&path))
}

#[test]
fn what_a_leg_says_is_recorded_whatever_its_codec() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus] {
        let (recorded, samples) = record(codec, Command::EndRecording { leg: leg(0) });

        assert!((1_900..=2_000).contains(&recorded.length_ms), "{codec:?} {recorded:?}");
        assert_eq!(samples.len() as u64, recorded.length_ms * 8, "{codec:?}");
        assert_eq!(recorded.lost_frames, 0);
        let share = share(&samples[4_000..], 8_000, 600.0);
        assert!(share > 0.9, "{codec:?}: 600 Hz is {share:.2} of it");
    }
}

#[test]
fn a_recording_ends_with_its_leg() {
    let (recorded, _) = record(Codec::Pcma, Command::Close { leg: leg(0), told: None });
    assert!(recorded.length_ms >= 1_900, "{recorded:?}");
}

#[test]
fn a_file_that_can_not_be_made_is_told() {
    let path = std::path::PathBuf::from("/nowhere/said.wav");
    let (tape, later) = Recorder::start().unwrap().tape(path);
    drop(tape);
    assert!(later.blocking_recv().unwrap().is_err());
}

#[test]
fn a_file_outside_of_the_library_is_played_and_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("message.wav");
    super::hearing::wav(&path, 8_000, 900.0, 1_000);
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.play(1, vec![Item::Path(path)], false);
    world.hear(0, vec![Source::Player(PlayerId(1))]);
    // The reader has a thread of its own.
    std::thread::sleep(std::time::Duration::from_millis(200));

    world.run(900);

    assert!(world.share(0, 900.0) > 0.9);
}
