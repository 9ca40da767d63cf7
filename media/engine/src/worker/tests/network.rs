//! What a network does to a leg: strangers, floods, losses, silence, encryption.

use std::net::SocketAddr;
use std::sync::Arc;

use tandem_kernel::LegId;
use tandem_rtp::rtcp;
use tandem_sdp::Codec;

use super::super::*;
use super::world::{Setup, World, leg, packet};
use crate::types::{Item, MediaEvent, PlayerId, Source, Tone};

const KEYS: ([u8; 30], [u8; 30]) = ([7; 30], [9; 30]);

#[test]
fn an_encrypted_leg_and_an_open_one_hear_each_other() {
    let mut world = World::new();
    world.phone_with(0, Setup { keys: Some(KEYS), ..Setup::of(Codec::Pcmu) });
    world.phone(1, Codec::Pcmu);
    world.bridge(0, 1);
    world.say(0, 600.0);
    world.say(1, 1_200.0);

    world.run(1_000);

    assert!(world.stats(0).is_relayed && world.stats(1).is_relayed);
    assert!(world.share(0, 1_200.0) > 0.95);
    assert!(world.share(1, 600.0) > 0.95);
}

#[test]
fn two_encrypted_legs_have_keys_of_their_own() {
    let mut world = World::new();
    world.phone_with(0, Setup { keys: Some(KEYS), ..Setup::of(Codec::Pcmu) });
    let keys = Some(([1; 30], [2; 30]));
    world.phone_with(1, Setup { keys, ..Setup::of(Codec::Pcma) });
    world.bridge(0, 1);
    world.say(0, 600.0);
    world.say(1, 1_200.0);

    world.run(1_000);

    assert!(world.share(0, 1_200.0) > 0.9);
    assert!(world.share(1, 600.0) > 0.9);
}

#[test]
fn a_packet_that_does_not_verify_is_dropped_and_counted() {
    let mut world = World::new();
    world.phone_with(0, Setup { keys: Some(KEYS), ..Setup::of(Codec::Pcmu) });
    world.phone(1, Codec::Pcmu);
    world.bridge(0, 1);
    let phone = &world.phones[&0];
    let (mut bytes, addr) = (packet(phone, 0, false, &[0; 160]), phone.addr);

    world.inject(0, addr, &mut bytes);

    assert!(world.phones[&1].got.is_empty());
    assert_eq!(world.stats(0).refused_malformed, 1);
}

#[test]
fn a_stranger_is_not_heard_once_the_leg_is_known() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.phone(1, Codec::Pcmu);
    world.bridge(0, 1);
    world.say(0, 600.0);
    world.run(500);
    let got = world.phones[&1].got.len();
    world.phone_mut(0).hertz = None;

    let stranger = SocketAddr::from(([192, 0, 2, 66], 6_666));
    for _ in 0..10 {
        let mut bytes = packet(&world.phones[&0], 0, false, &[0; 160]);
        world.inject(0, stranger, &mut bytes);
    }

    assert_eq!(world.phones[&1].got.len(), got);
    assert_eq!(world.stats(0).refused_source, 10);
    assert_eq!(world.stats(0).remote, Some(world.phones[&0].addr));
}

#[test]
fn a_phone_behind_nat_is_answered_where_it_sends_from() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.connect(0, |a| a.remote = SocketAddr::from(([192, 168, 1, 5], 30_000)));
    world.phone(1, Codec::Pcmu);
    world.bridge(0, 1);
    world.say(0, 600.0);
    world.say(1, 1_200.0);

    world.run(1_000);

    assert_eq!(world.stats(0).remote, Some(world.phones[&0].addr));
    assert!(world.share(0, 1_200.0) > 0.95);
}

#[test]
fn a_flood_is_cut() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.phone(1, Codec::Pcmu);
    world.bridge(0, 1);

    for _ in 0..10_000 {
        world.send(0, 0, false, &[0xff; 160]);
    }

    let stats = world.stats(0);
    assert!(stats.refused_flood > 9_800, "{stats:?}");
    assert!(world.phones[&1].got.len() < 200);
}

#[test]
fn what_is_not_rtp_is_dropped_and_counted() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    let addr = world.phones[&0].addr;
    let unknown = packet(&world.phones[&0], 77, false, &[1, 2, 3]);
    let too_long = [vec![0x8f, 0], vec![0; 12]].concat();
    let bad: [&[u8]; 6] = [&[], &[0x80], &[0; 12], b"GET / HTTP/1.1\r\n\r\n", &unknown, &too_long];

    for bytes in bad {
        world.inject(0, addr, &mut bytes.to_vec());
    }

    assert_eq!(world.stats(0).refused_malformed, bad.len() as u64);
}

#[test]
fn a_leg_that_falls_silent_is_reported_and_so_is_its_return() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.say(0, 600.0);
    world.run(1_000);
    world.phone_mut(0).hertz = None;

    world.run(21_000);
    world.say(0, 600.0);
    world.run(1_000);

    let no_media = |for_secs| MediaEvent::NoMedia { leg: leg(0), for_secs };
    let back = MediaEvent::MediaBack { leg: leg(0) };
    assert_eq!(*world.events.lock(), [no_media(10), no_media(20), back]);
}

#[test]
fn a_leg_that_holds_us_is_not_missed() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.connect(0, |agreement| {
        agreement.direction = tandem_sdp::Direction::SendOnly;
    });

    world.run(30_000);

    assert!(world.events.lock().is_empty());
}

#[test]
fn losses_are_counted_and_concealed() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.phone(1, Codec::Pcma);
    world.bridge(0, 1);
    world.say(0, 600.0);
    for _ in 0..20 {
        world.run(180);
        // One packet of ten goes missing.
        world.phone_mut(0).sequence += 1;
        world.phone_mut(0).timestamp += 160;
    }

    let stats = world.stats(0);

    assert!((19..=20).contains(&stats.lost), "{stats:?}");
    assert!(stats.mos < 4.2 && stats.mos > 2.0, "{stats:?}");
    assert!(world.share(1, 600.0) > 0.8, "{}", world.share(1, 600.0));
    world.assert_continuous(1);
}

#[test]
fn a_clean_line_has_a_good_score() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.phone(1, Codec::Pcmu);
    world.bridge(0, 1);
    world.say(0, 600.0);

    world.run(2_000);

    let stats = world.stats(0);
    assert_eq!((stats.lost, stats.codec), (0, Some(Codec::Pcmu)));
    assert!(stats.mos > 4.3, "{stats:?}");
    assert_eq!(stats.added_delay, Duration::ZERO);
    assert!((98..=101).contains(&stats.packets_received));
    assert!(stats.octets_received == stats.packets_received * 160);
}

#[test]
fn reports_go_out_every_five_seconds() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.say(0, 600.0);

    world.run(30_000);

    let reports = &world.phones[&0].reports;
    assert!((5..=7).contains(&reports.len()), "{}", reports.len());
    // A sender report with one block, then a source description (RFC 3550 6.1).
    assert!(reports.iter().all(|r| r[0] == 0x81 && r[1] == 200 && r[52 + 1] == 202));
    let ssrc = world.phones[&0].got[0].ssrc.to_be_bytes();
    assert!(reports.iter().all(|r| r[4..8] == ssrc));
}

#[test]
fn the_other_ends_report_tells_its_losses_and_the_round_trip() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.say(0, 600.0);
    world.run(7_000);
    let ours = world.phones[&0].reports.last().unwrap().clone();
    let sent_at = u64::from_be_bytes(ours[8..16].try_into().unwrap());
    world.run(1_000);
    let now = rtcp::ntp_middle(rtcp::ntp(world.now));
    let last_report = rtcp::ntp_middle(sent_at);
    let block = rtcp::ReportBlock {
        ssrc: world.phones[&0].got[0].ssrc,
        cumulative_lost: 12,
        last_report,
        // All but 50 ms of the time since was spent at the other end.
        delay_since: now - last_report - (65_536 / 20),
        ..rtcp::ReportBlock::default()
    };
    let (blocks, sender) = (&[block][..], None);
    let report = rtcp::Report { ssrc: 50, cname: "phone", sender, blocks, goodbye: false };

    world.inject_report(0, &mut rtcp::compose(&report));

    let stats = world.stats(0);
    assert_eq!(stats.lost_by_remote, 12);
    let round_trip = stats.round_trip.unwrap();
    assert!(round_trip.abs_diff(Duration::from_millis(50)) < Duration::from_millis(1));
}

#[test]
fn a_leg_that_leaves_says_goodbye_and_frees_its_slot() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.phone(1, Codec::Pcmu);
    world.bridge(0, 1);
    world.run(500);

    let change = world.command(Command::Close { leg: leg(0), told: None });

    let slot = world.phones[&0].slot;
    assert!(matches!(change, Change::Closed(slots) if slots == [slot]));
    assert!(world.phones[&0].reports.last().unwrap().windows(2).any(|w| w == [0x81, 203]));
    world.forget();
    world.run(200);
    assert!(world.phones[&1].got.len() >= 9, "the other leg hears silence");
    assert!(world.loudest(1) <= 8);
}

#[test]
fn the_only_leg_makes_room_for_another_one_that_hears_what_it_heard() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.play(1, vec![Item::Tone(Tone::Dial, None)], true);
    let hears = || Command::Hear { leg: leg(0), sources: vec![Source::Player(PlayerId(1))] };
    world.command(hears());
    world.run(200);

    world.command(Command::Rename { leg: leg(0), to: 7 });
    let old = world.phones.remove(&0).unwrap();
    world.phone(0, Codec::Pcma);
    world.command(hears());
    let change = world.command(Command::Close { leg: leg(7), told: None });
    world.forget();
    world.run(300);

    assert!(matches!(change, Change::Closed(slots) if slots == [old.slot]));
    assert!(world.loudest(0) > 1_000, "the player has gone on");
}

#[test]
fn a_call_that_is_closed_leaves_nothing_behind() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.phone(1, Codec::Opus);
    world.bridge(0, 1);
    world.play(1, vec![Item::Silence { ms: 10_000 }], true);
    world.run(100);

    world.command(Command::CloseCall { call: super::world::CALL });

    assert_eq!(world.worker.legs(), 0);
    assert_eq!(world.worker.next_slice(), None);
    assert!(world.worker.calls.is_empty());
    assert!(world.worker.scenes.iter().all(|place| place.scene.is_none()));
}

#[test]
fn a_worker_that_was_held_up_skips_what_it_missed() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    world.hear(0, vec![Source::Leg(leg(0))]);
    world.run(100);
    let got = world.phones[&0].got.len();

    world.now = world.now + Duration::from_secs(2);
    world.run(1);

    assert!(world.phones[&0].got.len() - got <= 2);
}

#[test]
fn a_call_that_fails_takes_no_other_along() {
    let mut world = World::new();
    world.phone(0, Codec::Pcmu);
    let failing = LegId { call: CallId::from_u128(77), index: 0 };
    let slot = world.open_with(failing, Arc::new(|_| panic!("a sink that panics")));
    world.hear(0, vec![Source::Leg(leg(0))]);
    world.say(0, 600.0);
    world.run(200);

    // A second leg of the same name is told to the sink.
    let change = world.open(failing, Arc::new(|_| panic!("a sink that panics")));
    world.run(500);

    assert!(matches!(change, Change::None));
    assert_eq!(world.worker.take_lost(), [slot]);
    assert_eq!(world.worker.legs(), 1);
    assert!(world.share(0, 600.0) > 0.9);
    world.assert_continuous(0);
}

#[test]
fn a_programme_for_a_call_without_legs_is_over_at_once() {
    let mut world = World::new();

    world.play(1, vec![Item::Silence { ms: 10 }], true);

    let events = world.events.lock();
    assert!(matches!(events[..], [MediaEvent::NotPlayed { .. }, MediaEvent::Finished { .. }]));
}

proptest::proptest! {
    #[test]
    fn no_datagram_disturbs_a_call(
        datagrams in proptest::collection::vec(
            (0..2u16, proptest::bool::ANY, proptest::collection::vec(0..=255u8, 0..64)),
            1..60,
        ),
    ) {
        let mut world = World::new();
        world.phone(0, Codec::Opus);
        world.phone_with(1, Setup { dtmf: None, ..Setup::of(Codec::Pcmu) });
        world.bridge(0, 1);
        for (index, is_report, mut bytes) in datagrams {
            // Half of them look like RTP of the right payload type, or like RTCP.
            if let [first, second, ..] = &mut bytes[..] && *first & 1 == 0 {
                let known = [111, 101, 0, 200, 201, 202][usize::from(*second) % 6];
                (*first, *second) = (0x80 | (*first & 0x3f), known);
            }
            if is_report {
                world.inject_report(index, &mut bytes);
            } else {
                let addr = world.phones[&index].addr;
                world.inject(index, addr, &mut bytes);
            }
            world.run(7);
        }
        world.run(500);

        proptest::prop_assert!(world.worker.take_lost().is_empty());
        proptest::prop_assert!(world.phones[&1].got.len() >= 20);
    }
}
