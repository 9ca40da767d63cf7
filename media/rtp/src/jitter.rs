//! The playout buffer: when which packet is played, by virtual time.
//!
//! Packets go in as they come; the decoder pulls when it needs audio. Each packet is due at the
//! network's fastest transit plus a target delay, which follows the measured lateness between
//! 20 and 200 ms. Holes are filled with [`Pop::Lost`], silences of the sender with
//! [`Pop::Empty`]; there is never nothing. Clocks that drift show as a delay that leaves the
//! target, and are met by dropping or stretching one packet.

use std::collections::BTreeMap;
use std::time::Duration;

use smallvec::SmallVec;
use tandem_kernel::Timestamp;

use crate::packet::Packet;

/// The least target delay.
pub const LEAST_DELAY: Duration = Duration::from_millis(20);
/// The most target delay; what would play later than this and one packet is dropped.
pub const MOST_DELAY: Duration = Duration::from_millis(200);
/// The most packets held.
const CAPACITY: usize = 64;
/// A transit this far from the usual one is a source whose clock jumped.
const CLOCK_JUMP_US: i64 = 1_000_000;
/// Sequence numbers further than this from the expected one are a source that restarted.
const SEQUENCE_JUMP: i64 = 1_000;
/// After so many concealed packets in a row there is nothing left to conceal from.
const MOST_CONCEALED: u32 = 3;
/// A delay must be off target for so many packets before one is dropped or stretched.
const PATIENCE: u32 = 25;
/// The fastest transit is sought over two windows of this length.
const WINDOW_US: i64 = 2_000_000;

/// The payload of a packet; one of G.711 at 20 ms fits without an allocation.
pub type Payload = SmallVec<[u8; 192]>;

/// A packet that is to be played.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// What the payload is.
    pub payload_type: u8,
    /// The first packet after silence.
    pub marker: bool,
    /// The sequence number.
    pub sequence: u16,
    /// The timestamp, in units of the clock rate.
    pub timestamp: u32,
    /// The encoded audio.
    pub payload: Payload,
}

/// What the decoder gets.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "most are packets, and a box would be an allocation each"
)]
pub enum Pop {
    /// The next packet.
    Packet(Stored),
    /// A packet is missing: conceal so many units of the clock rate.
    Lost(u32),
    /// The sender is silent, or nothing came yet: so many units of silence.
    Empty(u32),
}

/// What became of a packet that came in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inserted {
    /// It waits to be played.
    Stored,
    /// It is there already.
    Duplicate,
    /// Its place was played already.
    Late,
    /// It is far off and waits for a second one to confirm a restart.
    Suspect,
    /// A new source or a restart; what waited before is dropped.
    Restarted,
}

/// What the buffer did so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Packets that came too late.
    pub late: u64,
    /// Times that a packet was concealed.
    pub concealed: u64,
    /// Packets dropped to shorten the delay.
    pub dropped: u64,
}

/// A playout buffer for one stream.
#[derive(Clone, Debug)]
pub struct JitterBuffer {
    clock_rate: u32,
    packets: BTreeMap<i64, Stored>,
    stream: Option<Stream>,
    suspect: Option<(u32, Stored)>,
    packet_units: u32,
    concealed: u32,
    off_target: i32,
    counters: Counters,
}

/// What is known of the source that is being played.
#[derive(Clone, Copy, Debug)]
struct Stream {
    ssrc: u32,
    /// The newest packet, extended beyond 16 and 32 bits.
    newest: Place,
    /// The next packet to play; none before the first was played.
    next: Option<Place>,
    transit: Transit,
}

/// A place in the stream: sequence number and timestamp, extended.
#[derive(Clone, Copy, Debug)]
struct Place {
    sequence: i64,
    units: i64,
}

/// How long packets are under way, on an arbitrary scale.
#[derive(Clone, Copy, Debug)]
struct Transit {
    fastest_us: i64,
    previous_fastest_us: i64,
    window_start_us: i64,
    /// How late packets are against the fastest: quick to rise, slow to fall.
    lateness_us: i64,
}

impl Transit {
    const fn starting(now_us: i64, transit_us: i64) -> Self {
        Self {
            fastest_us: transit_us,
            previous_fastest_us: transit_us,
            window_start_us: now_us,
            lateness_us: 0,
        }
    }

    fn base_us(&self) -> i64 {
        self.fastest_us.min(self.previous_fastest_us)
    }

    fn note(&mut self, now_us: i64, transit_us: i64) {
        if now_us - self.window_start_us > WINDOW_US {
            self.previous_fastest_us = self.fastest_us;
            self.fastest_us = transit_us;
            self.window_start_us = now_us;
        }
        self.fastest_us = self.fastest_us.min(transit_us);
        let lateness = transit_us - self.base_us();
        let difference = lateness - self.lateness_us;
        // Half way up at once, so that one outlier does not cost its whole lateness for long;
        // down with a time constant of 256 packets, about five seconds.
        self.lateness_us += if difference > 0 { difference / 2 } else { difference / 256 };
    }

    /// Half a frame is added, as the decoder asks in steps of a frame.
    fn target_us(&self) -> i64 {
        let least = LEAST_DELAY.as_micros() as i64;
        (self.lateness_us + 10_000).clamp(least, MOST_DELAY.as_micros() as i64)
    }
}

impl JitterBuffer {
    /// A buffer for a stream with this RTP clock, in Hz.
    #[must_use]
    pub fn new(clock_rate: u32) -> Self {
        let clock_rate = clock_rate.max(1_000);
        Self {
            clock_rate,
            packets: BTreeMap::new(),
            stream: None,
            suspect: None,
            packet_units: clock_rate / 50,
            concealed: 0,
            off_target: 0,
            counters: Counters::default(),
        }
    }

    /// Takes a packet that arrived now.
    pub fn insert(&mut self, now: Timestamp, packet: &Packet<'_>) -> Inserted {
        let stored = Stored {
            payload_type: packet.payload_type(),
            marker: packet.marker(),
            sequence: packet.sequence(),
            timestamp: packet.timestamp(),
            payload: Payload::from_slice(packet.payload()),
        };
        let now_us = micros(now);
        let Some(stream) = self.stream else {
            self.restart(now_us, packet.ssrc(), stored);
            return Inserted::Restarted;
        };
        let place = stream.place_of(&stored);
        let transit_us = now_us - self.units_to_us(place.units);
        let is_far = packet.ssrc() != stream.ssrc
            || (place.sequence - stream.newest.sequence).abs() > SEQUENCE_JUMP
            || (transit_us - stream.transit.base_us()).abs() > CLOCK_JUMP_US;
        if is_far {
            return self.suspect(now_us, packet.ssrc(), stored);
        }
        self.suspect = None;
        self.store(now_us, place, transit_us, stored)
    }

    /// A packet that does not fit is believed when the next one follows on it.
    fn suspect(&mut self, now_us: i64, ssrc: u32, stored: Stored) -> Inserted {
        match self.suspect.take() {
            Some((known, first))
                if known == ssrc && first.sequence.wrapping_add(1) == stored.sequence =>
            {
                self.restart(now_us, ssrc, first);
                if let Some(stream) = self.stream {
                    let place = stream.place_of(&stored);
                    let transit_us = now_us - self.units_to_us(place.units);
                    self.store(now_us, place, transit_us, stored);
                }
                Inserted::Restarted
            }
            _ => {
                self.suspect = Some((ssrc, stored));
                Inserted::Suspect
            }
        }
    }

    fn restart(&mut self, now_us: i64, ssrc: u32, first: Stored) {
        // Room below for packets that were sent earlier and come later.
        let place = Place {
            sequence: i64::from(first.sequence) + (1 << 32),
            units: i64::from(first.timestamp) + (1 << 40),
        };
        let transit_us = now_us - self.units_to_us(place.units);
        self.stream = Some(Stream {
            ssrc,
            newest: place,
            next: None,
            transit: Transit::starting(now_us, transit_us),
        });
        self.packets.clear();
        self.packets.insert(place.sequence, first);
        self.concealed = 0;
        self.off_target = 0;
    }

    fn store(&mut self, now_us: i64, place: Place, transit_us: i64, stored: Stored) -> Inserted {
        let Some(stream) = &mut self.stream else { return Inserted::Late };
        stream.transit.note(now_us, transit_us);
        if place.sequence > stream.newest.sequence {
            let step = place.units - stream.newest.units;
            let rate = i64::from(self.clock_rate);
            let is_plausible = step >= rate / 200 && step <= rate * 12 / 100;
            if place.sequence == stream.newest.sequence + 1 && is_plausible {
                self.packet_units = step as u32;
            }
            stream.newest = place;
        }
        if stream.next.is_some_and(|next| place.sequence < next.sequence) {
            self.counters.late += 1;
            return Inserted::Late;
        }
        if self.packets.contains_key(&place.sequence) {
            return Inserted::Duplicate;
        }
        self.packets.insert(place.sequence, stored);
        if self.packets.len() > CAPACITY {
            self.packets.pop_first();
            self.counters.dropped += 1;
        }
        Inserted::Stored
    }

    /// Gives the next piece of audio; called when the decoder has less than a frame left.
    ///
    /// Packets of another length than a frame are given whole, so the decoder asks less or more
    /// often.
    pub fn pop(&mut self, now: Timestamp) -> Pop {
        let Some(mut stream) = self.stream else { return Pop::Empty(self.frame_units()) };
        let now_us = micros(now);
        let most_us = MOST_DELAY.as_micros() as i64 + self.units_to_us(self.packet_units.into());
        let popped = loop {
            let Some(entry) = self.packets.first_entry() else { break self.fill(true) };
            let place = stream.place_of(entry.get());
            let delay_us = now_us - self.units_to_us(place.units) - stream.transit.base_us();
            if delay_us > most_us && self.packets.len() > 1 {
                self.packets.pop_first();
                self.counters.dropped += 1;
                continue;
            }
            match self.choose(&stream, place, delay_us) {
                Choice::Fill { is_lost } => break self.fill(is_lost),
                Choice::Drop => {
                    self.packets.pop_first();
                    self.counters.dropped += 1;
                }
                Choice::Play => {
                    let Some((_, stored)) = self.packets.pop_first() else {
                        break self.fill(true);
                    };
                    let units = place.units + i64::from(self.packet_units);
                    stream.next = Some(Place { sequence: place.sequence + 1, units });
                    self.concealed = 0;
                    break Pop::Packet(stored);
                }
            }
        };
        self.stream = Some(stream);
        popped
    }

    fn choose(&mut self, stream: &Stream, place: Place, delay_us: i64) -> Choice {
        let target_us = stream.transit.target_us();
        let is_due = delay_us + 10_000 >= target_us;
        let Some(next) = stream.next else {
            return if is_due { Choice::Play } else { Choice::Fill { is_lost: false } };
        };
        let packet_us = self.units_to_us(self.packet_units.into());
        let gap_us = self.units_to_us(place.units - next.units);
        if gap_us > packet_us / 2 {
            let is_lost = place.sequence > next.sequence;
            return if is_due { Choice::Play } else { Choice::Fill { is_lost } };
        }
        let is_long = delay_us > target_us + packet_us * 3 / 2;
        let is_short = delay_us < target_us - packet_us;
        self.off_target = match (is_long, is_short) {
            (true, _) => self.off_target.max(0) + 1,
            (_, true) => self.off_target.min(0) - 1,
            (false, false) => 0,
        };
        if self.off_target.unsigned_abs() < PATIENCE {
            return Choice::Play;
        }
        self.off_target = 0;
        match (is_long, self.packets.len() > 1) {
            (true, true) => Choice::Drop,
            (true, false) => Choice::Play,
            (false, _) => Choice::Fill { is_lost: true },
        }
    }

    /// Stands in for a packet: concealment at first, then silence.
    fn fill(&mut self, is_lost: bool) -> Pop {
        let has_played = self.stream.is_some_and(|stream| stream.next.is_some());
        if !is_lost || !has_played || self.concealed >= MOST_CONCEALED {
            return Pop::Empty(self.frame_units());
        }
        self.concealed += 1;
        self.counters.concealed += 1;
        Pop::Lost(self.packet_units)
    }

    /// The present target delay.
    #[must_use]
    pub fn target(&self) -> Duration {
        let target_us = self.stream.map_or(0, |stream| stream.transit.target_us());
        Duration::from_micros(target_us.unsigned_abs()).max(LEAST_DELAY)
    }

    /// Packets that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether no packet waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// What the buffer did so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Forgets the stream; the counters stay.
    pub fn reset(&mut self) {
        *self = Self { counters: self.counters, ..Self::new(self.clock_rate) };
    }

    const fn frame_units(&self) -> u32 {
        self.clock_rate / 50
    }

    fn units_to_us(&self, units: i64) -> i64 {
        let wide = i128::from(units) * 1_000_000 / i128::from(self.clock_rate);
        wide as i64
    }
}

enum Choice {
    Play,
    Drop,
    Fill { is_lost: bool },
}

impl Stream {
    /// Extends a packet's numbers to the places nearest to the newest packet.
    fn place_of(&self, packet: &Stored) -> Place {
        let sequence = packet.sequence.wrapping_sub(self.newest.sequence as u16) as i16;
        let units = packet.timestamp.wrapping_sub(self.newest.units as u32) as i32;
        Place {
            sequence: self.newest.sequence + i64::from(sequence),
            units: self.newest.units + i64::from(units),
        }
    }
}

fn micros(at: Timestamp) -> i64 {
    i64::try_from(at.as_micros()).unwrap_or(i64::MAX)
}
