//! Digits from and to a leg, as events and as tones.

use tandem_sdp::Codec;

use super::world::{Setup, World, leg};
use crate::mailbox::Command;
use crate::types::{DtmfBy, MediaEvent};

fn event(digit: u8, is_end: bool, duration: u16) -> [u8; 4] {
    let [high, low] = duration.to_be_bytes();
    [digit, if is_end { 0x8a } else { 0x0a }, high, low]
}

/// Presses a key of a phone for 100 ms as RFC 4733 says.
fn press(world: &mut World, index: u16, digit: u8) {
    let voice = world.phone_mut(index).hertz.take();
    for n in 1..=8u16 {
        let duration = n.min(5) * 160;
        world.send(index, 101, n == 1, &event(digit, n > 5, duration));
        if n < 6 {
            world.run(20);
        }
    }
    world.phone_mut(index).timestamp += 800;
    world.phone_mut(index).hertz = voice;
}

fn dtmf(world: &World) -> Vec<(u16, char, u32, DtmfBy)> {
    let events = world.events.lock();
    let digits = events.iter().filter_map(|event| match event {
        MediaEvent::Dtmf { leg, digit, duration_ms, by } => {
            Some((leg.index, *digit, *duration_ms, *by))
        }
        _ => None,
    });
    digits.collect()
}

#[test]
fn an_event_is_reported_once() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);

    press(&mut world, 0, 5);
    world.run(200);
    press(&mut world, 0, 11);
    world.run(1_000);

    assert_eq!(dtmf(&world), [(0, '5', 100, DtmfBy::Event), (0, '#', 100, DtmfBy::Event)]);
}

#[test]
fn an_event_is_relayed_with_the_listeners_payload_type() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.phone_with(1, Setup { dtmf: Some(96), ..Setup::of(Codec::Pcmu) });
    world.bridge(0, 1);
    world.say(0, 500.0);
    world.run(100);

    press(&mut world, 0, 7);
    world.run(200);

    let got: Vec<_> = world.phones[&1].got.iter().filter(|g| g.payload_type == 96).collect();
    assert_eq!(got.len(), 8);
    assert!(got[0].marker);
    assert!(got.iter().all(|g| g.payload[0] == 7 && g.timestamp == got[0].timestamp));
    let numbers: Vec<u16> = world.phones[&1].got.iter().map(|g| g.sequence).collect();
    assert!(numbers.windows(2).all(|w| w[1] == w[0].wrapping_add(1)), "{numbers:?}");
}

#[test]
fn an_event_reaches_a_listener_with_another_codec_and_clock() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.phone(1, Codec::Opus);
    world.bridge(0, 1);
    world.say(0, 500.0);
    world.run(100);

    press(&mut world, 0, 3);
    world.run(200);

    let got: Vec<_> = world.phones[&1].got.iter().filter(|g| g.payload_type == 101).collect();
    assert_eq!(got.len(), 8);
    let duration = u16::from_be_bytes([got[7].payload[2], got[7].payload[3]]);
    assert_eq!(duration, 4_800, "100 ms at 48 kHz");
    assert!(got.iter().all(|g| g.timestamp == got[0].timestamp));
}

#[test]
fn an_event_becomes_a_tone_for_a_listener_that_knows_no_events() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.phone_with(1, Setup { dtmf: None, ..Setup::of(Codec::Pcmu) });
    world.bridge(0, 1);
    world.run(100);
    world.forget();

    press(&mut world, 0, 1);
    world.run(400);

    let heard = world.heard(1);
    let tone = heard.iter().position(|s| s.unsigned_abs() > 1_000).unwrap();
    let tone = &heard[tone..tone + 800];
    let shares = [697.0, 1_209.0].map(|hertz| super::world::share(tone, 8_000, hertz));
    assert!(shares.iter().all(|share| (0.4..0.6).contains(share)), "{shares:?}");
}

#[test]
fn digits_are_sent_as_events_in_the_same_stream() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.phone(1, Codec::Pcmu);
    world.bridge(0, 1);
    world.say(0, 500.0);
    world.run(100);

    world.command(Command::SendDtmf { leg: leg(1), digits: "1x2".into() });
    world.run(1_000);

    let got = &world.phones[&1].got;
    let events: Vec<u8> =
        got.iter().filter(|g| g.payload_type == 101).map(|g| g.payload[0]).collect();
    assert_eq!(events, [[1; 8], [2; 8]].concat());
    assert!(got.windows(2).all(|w| w[1].sequence == w[0].sequence.wrapping_add(1)));
    assert!(got.windows(2).all(|w| w[1].ssrc == w[0].ssrc));
    let audio: Vec<_> = got.iter().filter(|g| g.payload_type == 0).collect();
    assert!(audio.windows(2).all(|w| w[1].timestamp == w[0].timestamp.wrapping_add(160)));
}

#[test]
fn digits_are_sent_as_tones_where_no_events_are_agreed() {
    let mut world = World::new();
    world.phone_with(0, Setup { dtmf: None, ..Setup::of(Codec::Pcma) });

    world.command(Command::SendDtmf { leg: leg(0), digits: "9".into() });
    world.run(400);

    let heard = world.heard(0);
    let start = heard.iter().position(|s| s.unsigned_abs() > 1_000).unwrap();
    let shares =
        [852.0, 1_477.0].map(|hertz| super::world::share(&heard[start..start + 800], 8_000, hertz));
    assert!(shares.iter().all(|share| (0.4..0.6).contains(share)), "{shares:?}");
    assert!(world.stats(0).packets_sent >= 19);
}

#[test]
fn a_tone_within_the_audio_is_a_digit_where_no_events_are_agreed() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
        let mut world = World::new();
        world.phone_with(0, Setup { dtmf: None, ..Setup::of(codec) });
        world.phone_with(1, Setup { dtmf: None, ..Setup::of(codec) });
        world.hear(1, vec![]);
        world.run(50);
        let rate = crate::codec::rate_of(codec);
        let mut encoder = crate::codec::Encoder::new(codec).unwrap();
        let mut generator = crate::tone::Generator::dtmf('8', rate).unwrap();

        for n in 0..25 {
            let mut samples = Vec::new();
            if (5..10).contains(&n) {
                generator.run(rate.frame(), &mut samples);
            }
            samples.resize(rate.frame(), 0);
            let mut payload = Vec::new();
            encoder.encode(&samples, &mut payload);
            world.send(0, codec.payload_type(), false, &payload);
            world.phone_mut(0).timestamp += 160;
            world.run(20);
        }
        world.run(200);

        let digits = dtmf(&world);
        assert_eq!(digits.len(), 1, "{codec:?} {digits:?}");
        assert_eq!((digits[0].0, digits[0].1, digits[0].3), (0, '8', DtmfBy::InBand));
    }
}

#[test]
fn an_event_without_its_end_is_reported_all_the_same() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);

    for n in 1..=4u16 {
        world.send(0, 101, n == 1, &event(4, false, n * 160));
        world.run(20);
    }
    world.run(1_000);

    assert_eq!(dtmf(&world), [(0, '4', 80, DtmfBy::Event)]);
}
