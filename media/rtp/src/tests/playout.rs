//! The jitter buffer against a simulated network, in virtual time.

use std::collections::BTreeMap;

use super::*;

/// A packet's number and how late it comes, in ms; none when it is lost.
type Fate = Option<u64>;

struct Played {
    /// The numbers that were played, and when, in ms.
    packets: Vec<(u16, u64)>,
    lost: usize,
    empty: usize,
    buffer: JitterBuffer,
}

/// A stream of 20 ms packets; the sender's clock may be off by some millionths.
struct Call {
    fates: Vec<Fate>,
    drift_ppm: i64,
    /// Where numbers begin, so that they wrap in the call.
    first: u16,
    first_timestamp: u32,
}

impl Call {
    fn new(fates: Vec<Fate>) -> Self {
        Self { fates, drift_ppm: 0, first: 65_450, first_timestamp: u32::MAX - 8_000 }
    }

    /// Plays until `rest` ms after the last packet was sent, one pop for each 20 ms.
    fn play(&self, rest_ms: u64) -> Played {
        let mut arrivals: BTreeMap<u64, Vec<u16>> = BTreeMap::new();
        for (n, fate) in self.fates.iter().enumerate() {
            if let Some(late) = fate {
                let sent_us =
                    (n as i64 * (20_000 * 1_000_000 + 20_000 * self.drift_ppm)) / 1_000_000;
                arrivals.entry(sent_us as u64 + late * 1_000 + 3_000).or_default().push(n as u16);
            }
        }
        let mut played =
            Played { packets: Vec::new(), lost: 0, empty: 0, buffer: JitterBuffer::new(8_000) };
        let end = self.fates.len() as u64 * 20 + rest_ms;
        for tick in (0..end).step_by(20) {
            let due = arrivals.range(..tick * 1_000).map(|(at, _)| *at).collect::<Vec<_>>();
            for at in due {
                for n in arrivals.remove(&at).unwrap() {
                    let timestamp = self.first_timestamp.wrapping_add(u32::from(n) * 160);
                    let raw = packet(header(self.first.wrapping_add(n), timestamp), &[n as u8]);
                    played.buffer.insert(at_us(at), &Packet::parse(&raw).unwrap());
                }
            }
            match played.buffer.pop(at(tick)) {
                Pop::Packet(stored) => {
                    played.packets.push((stored.sequence.wrapping_sub(self.first), tick));
                }
                Pop::Lost(units) => {
                    assert_eq!(units, 160);
                    played.lost += 1;
                }
                Pop::Empty(units) => {
                    assert_eq!(units, 160);
                    played.empty += 1;
                }
            }
        }
        played
    }
}

impl Played {
    /// The longest time from sending to playing, in ms, after the first second.
    fn longest_delay(&self) -> u64 {
        let late = self.packets.iter().filter(|(_, at)| *at > 1_000);
        late.map(|(n, at)| at.saturating_sub(u64::from(*n) * 20)).max().unwrap_or(0)
    }
}

fn on_time(packets: usize) -> Vec<Fate> {
    vec![Some(0); packets]
}

#[test]
fn an_even_stream_is_played_whole_with_little_delay() {
    let played = Call::new(on_time(500)).play(100);

    assert_eq!(played.packets.len(), 500);
    assert_eq!(
        played.packets.iter().map(|(n, _)| *n).collect::<Vec<_>>(),
        (0..500).collect::<Vec<_>>()
    );
    assert!(played.longest_delay() <= 40, "{}", played.longest_delay());
    let counters = played.buffer.counters();
    assert_eq!((counters.late, counters.dropped), (0, 0));
}

#[test]
fn a_lost_packet_is_concealed_once_and_the_delay_stays() {
    let mut fates = on_time(500);
    for lost in [100, 200, 201, 300] {
        fates[lost] = None;
    }

    let played = Call::new(fates).play(0);

    assert_eq!(played.lost, 4);
    assert!(played.longest_delay() <= 40, "{}", played.longest_delay());
}

#[test]
fn a_packet_that_overtakes_is_put_in_its_place() {
    // Every tenth packet is 30 ms late, so that the next one overtakes it.
    let fates = (0..1_000).map(|n| Some(if n % 10 == 5 { 30 } else { 0 })).collect();

    let played = Call::new(fates).play(100);

    assert!(played.packets.is_sorted());
    assert!(played.packets.len() >= 990, "{}", played.packets.len());
}

#[test]
fn the_delay_follows_the_jitter_up_and_down() {
    // Ten seconds even, ten seconds with up to 100 ms of jitter, sixty seconds even.
    let mut fates = on_time(500);
    fates.extend((0..500u64).map(|n| Some(n * 7_919 % 101)));
    fates.extend(on_time(3_000));

    let played = Call::new(fates).play(100);

    let delay_at = |n: u16| {
        let (n, at) = played.packets.iter().find(|(played, _)| *played >= n).unwrap();
        at.saturating_sub(u64::from(*n) * 20)
    };
    assert!(delay_at(450) <= 40, "{}", delay_at(450));
    assert!((90..=180).contains(&delay_at(950)), "{}", delay_at(950));
    assert!(delay_at(3_900) <= 70, "{}", delay_at(3_900));
    let in_jitter = played.packets.iter().filter(|(n, _)| (600..1_000).contains(n)).count();
    assert!(in_jitter >= 390, "{in_jitter}");
}

#[test]
fn a_silence_of_the_sender_is_empty_and_not_loss() {
    let mut buffer = JitterBuffer::new(8_000);
    let mut lost_after_silence = 0;
    let mut played = 0;
    for tick in 0..200u64 {
        // The sender says nothing from 1 s to 3 s, but its clock goes on (DTX).
        if !(50..150).contains(&tick) {
            let sequence = if tick < 50 { tick } else { tick - 100 } as u16;
            let raw = packet(header(sequence, tick as u32 * 160), &[1]);
            buffer.insert(at(tick * 20), &Packet::parse(&raw).unwrap());
        }
        match buffer.pop(at(tick * 20 + 1)) {
            Pop::Packet(_) => played += 1,
            Pop::Lost(_) if tick > 60 => lost_after_silence += 1,
            Pop::Lost(_) | Pop::Empty(_) => {}
        }
    }

    assert_eq!(lost_after_silence, 0);
    assert!(played >= 98, "{played}");
}

#[test]
fn clocks_that_drift_are_followed_without_a_growing_delay() {
    for drift_ppm in [-300, 300] {
        let call = Call { drift_ppm, ..Call::new(on_time(15_000)) };

        let played = call.play(0);

        // Five minutes at 300 ppm are 90 ms, so four or five packets.
        let counters = played.buffer.counters();
        assert!(counters.dropped <= 8, "{drift_ppm}: {counters:?}");
        assert!(played.lost <= 8, "{drift_ppm}: {}", played.lost);
        assert!(played.packets.len() > 14_980, "{drift_ppm}: {}", played.packets.len());
        let drift_ms = (300 * drift_ppm / 1_000) as f64;
        let (n, tick) = *played.packets.last().unwrap();
        let delay = tick as f64 - f64::from(n) * 20.0 - drift_ms;
        assert!((0.0..=80.0).contains(&delay), "{drift_ppm}: {delay}");
    }
}

#[test]
fn a_stall_is_caught_up_at_once() {
    // The network holds everything for a second and then delivers it in a burst.
    let mut fates = on_time(1_000);
    for n in 500..550u64 {
        fates[n as usize] = Some((550 - n) * 20);
    }

    let played = Call::new(fates).play(0);

    let after = played.packets.iter().filter(|(n, _)| *n > 560);
    let longest = after.map(|(n, at)| at - u64::from(*n) * 20).max().unwrap();
    assert!(longest <= MOST_DELAY.as_millis() as u64 + 40, "{longest}");
    assert!(played.packets.is_sorted());
}

#[test]
fn a_new_source_is_believed_from_its_second_packet() {
    let mut buffer = JitterBuffer::new(8_000);
    let mut insert = |ms: u64, ssrc: u32, sequence: u16, timestamp: u32| {
        let raw = packet(Header { ssrc, ..header(sequence, timestamp) }, &[ssrc as u8]);
        buffer.insert(at(ms), &Packet::parse(&raw).unwrap())
    };

    assert_eq!(insert(0, 1, 10, 0), Inserted::Restarted);
    assert_eq!(insert(20, 1, 11, 160), Inserted::Stored);
    assert_eq!(insert(25, 9, 500, 7), Inserted::Suspect);
    assert_eq!(insert(40, 1, 12, 320), Inserted::Stored);
    assert_eq!(insert(60, 9, 501, 167), Inserted::Suspect);
    assert_eq!(insert(80, 9, 502, 327), Inserted::Restarted);
    assert_eq!(insert(81, 9, 502, 327), Inserted::Duplicate);

    let popped: Vec<_> = (100..160).step_by(20).map(|ms| buffer.pop(at(ms))).collect();
    assert!(matches!(&popped[0], Pop::Packet(stored) if stored.sequence == 501));
    assert!(matches!(&popped[1], Pop::Packet(stored) if stored.sequence == 502));
}

#[test]
fn a_timestamp_that_jumps_begins_anew() {
    let mut buffer = JitterBuffer::new(8_000);
    let mut played = Vec::new();
    for n in 0..100u32 {
        let timestamp = if n < 50 { n * 160 } else { 3_000_000_000 + n * 160 };
        let raw = packet(header(n as u16, timestamp), &[1]);
        buffer.insert(at(u64::from(n) * 20), &Packet::parse(&raw).unwrap());
        if let Pop::Packet(stored) = buffer.pop(at(u64::from(n) * 20 + 1)) {
            played.push(stored.sequence);
        }
    }
    assert!(played.is_sorted());
    assert!(played.len() >= 94, "{}", played.len());
    assert!(*played.last().unwrap() >= 97);
}

#[test]
fn packets_of_other_lengths_are_given_whole() {
    for (ms, units) in [(10u64, 80u32), (30, 240), (60, 480)] {
        let mut buffer = JitterBuffer::new(8_000);
        let mut have = 0u32;
        let (mut packets, mut fills) = (0, 0);
        let mut sent = 0u64;
        for tick in 0..300u64 {
            while sent * ms <= tick * 20 {
                let raw = packet(header(sent as u16, sent as u32 * units), &[1]);
                buffer.insert(at(sent * ms), &Packet::parse(&raw).unwrap());
                sent += 1;
            }
            while have < 160 {
                have += match buffer.pop(at(tick * 20 + 1)) {
                    Pop::Packet(_) => {
                        packets += 1;
                        units
                    }
                    Pop::Lost(units) | Pop::Empty(units) => {
                        fills += 1;
                        units
                    }
                };
            }
            have -= 160;
        }
        assert!(packets >= sent - 5, "{ms} ms: {packets} of {sent}");
        assert!(fills <= 8, "{ms} ms: {fills}");
    }
}

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Some(0)),
        3 => (0u64..60).prop_map(Some),
        1 => (0u64..900).prop_map(Some),
        1 => Just(None),
    ]
}

proptest! {
    #[test]
    fn playing_is_in_order_without_gaps_and_within_bounds(
        fates in proptest::collection::vec(any_fate(), 20..400),
        first: u16, first_timestamp: u32, drift_ppm in -500i64..500,
    ) {
        let call = Call { fates, drift_ppm, first, first_timestamp };

        let played = call.play(400);

        for two in played.packets.windows(2) {
            prop_assert!(two[0].0 < two[1].0, "{two:?}");
        }
        let ticks = (call.fates.len() as u64 * 20 + 400) / 20;
        let all = played.packets.len() + played.lost + played.empty;
        prop_assert_eq!(all as u64, ticks);
        prop_assert!(played.buffer.len() <= 64);
        prop_assert!(played.buffer.target() <= MOST_DELAY);
    }

    #[test]
    fn moderate_jitter_never_delays_beyond_the_bound(
        lates in proptest::collection::vec(0u64..150, 200..600),
    ) {
        let call = Call::new(lates.into_iter().map(Some).collect());

        let played = call.play(0);

        let bound = MOST_DELAY.as_millis() as u64 + 60;
        prop_assert!(played.longest_delay() <= bound, "{}", played.longest_delay());
    }

    #[test]
    fn nonsense_never_panics(
        packets in proptest::collection::vec(
            (any::<u16>(), any::<u32>(), 0u32..3, 0u64..400, any::<bool>()), 0..300),
    ) {
        let mut buffer = JitterBuffer::new(8_000);
        let mut now = 0;
        for (sequence, timestamp, ssrc, wait, pops) in packets {
            now += wait;
            let raw = packet(Header { ssrc, ..header(sequence, timestamp) }, &[]);
            buffer.insert(at(now), &Packet::parse(&raw).unwrap());
            if pops {
                buffer.pop(at(now));
            }
        }
        prop_assert!(buffer.len() <= 64);
    }
}
