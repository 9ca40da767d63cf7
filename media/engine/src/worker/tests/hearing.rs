//! Who hears whom, and how it sounds.

use std::path::Path;

use tandem_sdp::{Codec, Direction};

use super::world::{Setup, World, leg};
use crate::mailbox::Command;
use crate::types::{Item, MediaEvent, PlayerId, Source, Tone};

pub(super) fn wav(path: &Path, rate: u32, hertz: f32, ms: u32) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..rate * ms / 1_000 {
        let angle = std::f32::consts::TAU * hertz * n as f32 / rate as f32;
        writer.write_sample((angle.sin() * 8_000.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

#[test]
fn two_legs_with_the_same_codec_hear_each_other_without_decoding() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.phone(1, Codec::Pcmu);
    world.bridge(0, 1);
    world.say(0, 600.0);
    world.say(1, 1_200.0);

    world.run(1_000);

    assert!(world.stats(0).is_relayed && world.stats(1).is_relayed);
    // All but the silence before the first packet.
    assert!(world.share(0, 1_200.0) > 0.95);
    assert!(world.share(1, 600.0) > 0.95);
    world.assert_continuous(0);
    world.assert_continuous(1);
    assert!(world.phones[&0].got.len() >= 48);
}

#[test]
fn the_payload_type_is_the_one_that_the_listener_knows() {
    let mut world = World::new();
    world.phone_with(0, Setup { payload_type: 111, ..Setup::of(Codec::Opus) });
    world.phone_with(1, Setup { payload_type: 96, ..Setup::of(Codec::Opus) });
    world.bridge(0, 1);
    world.say(0, 600.0);

    world.run(300);

    assert!(world.stats(1).is_relayed);
    assert!(world.phones[&1].got.iter().all(|got| got.payload_type == 96));
}

#[test]
fn each_pair_of_codecs_carries_a_tone_both_ways() {
    for (a, b) in [
        (Codec::Pcmu, Codec::Pcma),
        (Codec::Pcmu, Codec::Opus),
        (Codec::Pcma, Codec::G722),
        (Codec::G722, Codec::Opus),
    ] {
        let mut world = World::new();
        world.phone(0, a);
        world.phone(1, b);
        world.bridge(0, 1);
        world.say(0, 700.0);
        world.say(1, 1_300.0);
        world.run(500);
        world.forget();

        world.run(1_000);

        assert!(!world.stats(0).is_relayed, "{a:?} {b:?}");
        assert!(world.share(0, 1_300.0) > 0.95, "{b:?} to {a:?}: {}", world.share(0, 1_300.0));
        assert!(world.share(1, 700.0) > 0.95, "{a:?} to {b:?}: {}", world.share(1, 700.0));
        world.assert_continuous(0);
        world.assert_continuous(1);
    }
}

#[test]
fn a_leg_that_hears_nobody_gets_silence_without_a_gap() {
    for codec in Codec::ALL {
        let mut world = World::new();
        world.phone(0, codec);

        world.run(1_000);

        assert!((48..=50).contains(&world.phones[&0].got.len()), "{codec:?}");
        assert!(world.loudest(0) <= 8, "{codec:?}");
        world.assert_continuous(0);
    }
}

#[test]
fn a_leg_whose_partner_says_nothing_gets_silence_until_it_speaks() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.phone(1, Codec::Pcmu);
    world.bridge(0, 1);
    world.say(1, 1_000.0);
    world.run(200);
    world.phone_mut(1).hertz = None;
    world.run(1_000);
    world.forget();

    world.run(500);
    assert!(world.loudest(0) <= 8);
    assert!(world.phones[&0].got.len() >= 24);
    world.say(1, 1_000.0);
    world.run(500);

    world.assert_continuous(0);
    assert!(world.share(0, 1_000.0) > 0.9);
    assert!(world.stats(0).is_relayed);
}

#[test]
fn music_sounds_until_the_agent_takes_over_without_a_jump() {
    let dir = tempfile::tempdir().unwrap();
    wav(&dir.path().join("default.wav"), 8_000, 440.0, 1_000);
    let mut world = World::with_library(dir.path());
    world.phone(0, Codec::Pcmu);
    world.phone(1, Codec::Pcmu);
    world.play(1, vec![Item::File("default".into())], true);
    world.hear(0, vec![Source::Player(PlayerId(1))]);
    world.say(1, 1_000.0);

    world.run(3_000);
    assert!(world.share(0, 440.0) > 0.99);
    world.bridge(0, 1);
    world.run(1_000);
    world.assert_continuous(0);
    world.hear(0, vec![Source::Player(PlayerId(1))]);
    world.run(1_000);

    world.assert_continuous(0);
    let heard = world.heard(0);
    assert!(super::world::share(&heard[25_000..31_000], 8_000, 1_000.0) > 0.99);
    assert!(super::world::share(&heard[33_000..], 8_000, 440.0) > 0.99);
}

#[test]
fn a_wideband_listener_gets_the_wideband_version() {
    let dir = tempfile::tempdir().unwrap();
    wav(&dir.path().join("hello.wav"), 8_000, 500.0, 1_000);
    wav(&dir.path().join("hello.16k.wav"), 16_000, 6_000.0, 1_000);
    let mut world = World::with_library(dir.path());
    world.phone(0, Codec::G722);
    world.play(1, vec![Item::File("hello".into())], false);
    world.hear(0, vec![Source::Player(PlayerId(1))]);

    world.run(900);

    assert!(world.share(0, 6_000.0) > 0.9);
}

#[test]
fn a_programme_plays_its_parts_in_order_then_reports_its_end_once() {
    let dir = tempfile::tempdir().unwrap();
    wav(&dir.path().join("a.wav"), 8_000, 500.0, 210);
    wav(&dir.path().join("b.wav"), 16_000, 900.0, 300);
    let mut world = World::with_library(dir.path());
    world.phone(0, Codec::Pcma);
    let file = |name: &str| Item::File(name.into());
    let tone = Item::Tone(Tone::Hz(1_500.0), Some(200));
    world.play(3, vec![file("a"), Item::Silence { ms: 100 }, file("b"), tone], false);
    world.hear(0, vec![Source::Player(PlayerId(3))]);

    world.run(2_000);

    let heard = world.heard(0);
    let share =
        |from: usize, to: usize, hertz| super::world::share(&heard[from * 8..to * 8], 8_000, hertz);
    assert!(share(0, 200, 500.0) > 0.98);
    assert!(share(350, 550, 900.0) > 0.9);
    assert!(share(650, 800, 1_500.0) > 0.9);
    let finished = MediaEvent::Finished { call: super::world::CALL, player: PlayerId(3) };
    assert_eq!(*world.events.lock(), [finished]);
}

#[test]
fn a_file_that_is_not_there_is_skipped_with_a_report() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.play(1, vec![Item::File("no/such".into())], true);
    world.hear(0, vec![Source::Player(PlayerId(1))]);

    world.run(200);

    let events = world.events.lock();
    assert!(matches!(&events[0], MediaEvent::NotPlayed { why, .. } if why.contains("no/such")));
    assert!(matches!(events[1], MediaEvent::Finished { .. }));
    assert_eq!(events.len(), 2);
}

#[test]
fn three_legs_hear_the_two_others_and_not_themselves() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.phone(1, Codec::Pcma);
    world.phone(2, Codec::Opus);
    for listener in 0..3 {
        let others = (0..3).filter(|other| *other != listener);
        world.hear(listener, others.map(|other| Source::Leg(leg(other))).collect());
        world.say(listener, [500.0, 900.0, 1_500.0][usize::from(listener)]);
    }
    world.run(500);
    world.forget();

    world.run(1_000);

    for (listener, own) in [(0, 500.0), (1, 900.0), (2, 1_500.0)] {
        for hertz in [500.0, 900.0, 1_500.0] {
            let share = world.share(listener, hertz);
            if hertz == own {
                assert!(share < 0.01, "{listener} hears itself: {share}");
            } else {
                assert!((0.4..0.6).contains(&share), "{listener} hears {hertz}: {share}");
            }
        }
        world.assert_continuous(listener);
    }
}

#[test]
fn a_meeting_of_all_codecs_is_mixed_until_two_are_left_who_are_relayed() {
    let mut world = World::new();
    let voices = [
        (Codec::Pcmu, 500.0),
        (Codec::Pcmu, 900.0),
        (Codec::G722, 1_400.0),
        (Codec::Opus, 2_100.0),
    ];
    for (index, (codec, hertz)) in (0..).zip(voices) {
        world.phone(index, codec);
        let others = (0..4).filter(|other| *other != index);
        world.hear(index, others.map(|other| Source::Leg(leg(other))).collect());
        world.say(index, hertz);
    }
    world.run(500);
    world.forget();
    world.run(1_000);
    for listener in 0..4 {
        assert!(!world.stats(listener).is_relayed);
        for (speaker, (_, hertz)) in (0..).zip(voices) {
            let share = world.share(listener, hertz);
            let is_heard = (0.2..0.45).contains(&share);
            let is_silent = share < 0.01;
            let is_right = if speaker == listener { is_silent } else { is_heard };
            assert!(is_right, "{listener} hears {speaker}: {share}");
        }
    }

    for gone in [2, 3] {
        world.phone_mut(gone).hertz = None;
        world.command(Command::Close { leg: leg(gone), told: None });
    }
    world.bridge(0, 1);
    world.run(300);
    world.forget();
    world.run(500);

    assert!(world.stats(0).is_relayed && world.stats(1).is_relayed);
    assert!(world.share(0, 900.0) > 0.95 && world.share(1, 500.0) > 0.95);
    world.assert_continuous(0);
}

#[test]
fn a_supervisor_who_listens_changes_nothing_for_the_others() {
    let mut world = World::new();
    for index in 0..3 {
        world.phone(index, Codec::Pcmu);
    }
    world.bridge(0, 1);
    world.hear(2, vec![Source::Leg(leg(0)), Source::Leg(leg(1))]);
    world.say(0, 600.0);
    world.say(1, 1_200.0);
    world.say(2, 2_000.0);
    world.run(300);
    world.forget();

    world.run(1_000);

    assert!(world.stats(0).is_relayed && world.stats(1).is_relayed);
    assert!(world.share(0, 1_200.0) > 0.99 && world.share(1, 600.0) > 0.99);
    assert!((0.4..0.6).contains(&world.share(2, 600.0)));
    assert!((0.4..0.6).contains(&world.share(2, 1_200.0)));
}

#[test]
fn a_leg_that_hears_itself_is_an_echo_test() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.hear(0, vec![Source::Leg(leg(0))]);
    world.say(0, 800.0);

    world.run(500);

    assert!(world.share(0, 800.0) > 0.95);
}

#[test]
fn an_echo_in_a_programme_plays_back_the_listener() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.play(1, vec![Item::Tone(Tone::Hz(400.0), Some(200)), Item::Echo], false);
    world.hear(0, vec![Source::Player(PlayerId(1))]);
    world.say(0, 800.0);
    world.run(500);
    world.forget();

    world.run(500);

    assert!(world.share(0, 800.0) > 0.95);
}

#[test]
fn a_leg_on_hold_is_sent_nothing_when_it_must_not_be() {
    for direction in [Direction::RecvOnly, Direction::Inactive] {
        let mut world = World::new();
        world.phone_with(0, Setup { direction, ..Setup::of(Codec::Pcmu) });
        world.phone(1, Codec::Pcmu);
        world.bridge(0, 1);
        world.say(1, 1_000.0);

        world.run(500);

        assert!(world.phones[&0].got.is_empty(), "{direction:?}");
    }
}

#[test]
fn a_leg_that_may_only_listen_is_not_heard() {
    let mut world = World::new();
    world.phone_with(0, Setup { direction: Direction::SendOnly, ..Setup::of(Codec::Pcmu) });
    world.phone(1, Codec::Pcmu);
    world.bridge(0, 1);
    world.say(0, 700.0);
    world.say(1, 1_000.0);

    world.run(500);

    assert!(world.share(0, 1_000.0) > 0.9, "the held leg may hear");
    assert!(world.loudest(1) <= 8, "the held leg is not heard");
}

#[test]
fn a_call_that_is_resumed_goes_on_in_the_same_stream() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.phone(1, Codec::Pcmu);
    world.bridge(0, 1);
    world.say(1, 1_000.0);
    world.run(200);
    let before = world.phones[&0].got.last().unwrap().clone();

    world.connect(0, |agreement| agreement.direction = Direction::RecvOnly);
    world.run(400);
    world.forget();
    world.connect(0, |agreement| agreement.direction = Direction::SendRecv);
    world.run(200);

    let after = &world.phones[&0].got[0];
    assert_eq!(after.ssrc, before.ssrc);
    assert_eq!(after.sequence, before.sequence.wrapping_add(1));
    let step = after.timestamp.wrapping_sub(before.timestamp);
    assert!((3_000..3_600).contains(&step), "400 ms later: {step}");
}

#[test]
fn two_loud_talkers_do_not_wrap_around() {
    let mut world = World::new();
    for index in 0..3 {
        world.phone(index, Codec::Pcmu);
    }
    world.play(1, vec![Item::Tone(Tone::Hz(400.0), None); 1], true);
    for player in 2..9 {
        world.play(player, vec![Item::Tone(Tone::Hz(400.0), None)], true);
    }
    world.hear(0, (1..9).map(|n| Source::Player(PlayerId(n))).collect());

    world.run(200);

    let heard = world.heard(0);
    let jumps = heard.windows(2).filter(|w| (i32::from(w[0]) - i32::from(w[1])).abs() > 30_000);
    assert_eq!(jumps.count(), 0);
    assert!(world.loudest(0) > 30_000);
}
