//! What a leg is sent as one RTP stream: one SSRC with continuous sequence numbers and
//! timestamps, whoever it hears.

use std::time::Duration;

use rand::RngCore;
use tandem_kernel::Timestamp;

/// A source whose timestamps jump by more than this is a new source (a PBX behind the peer
/// switched), in seconds.
const JUMP_SECS: u32 = 10;
/// A source whose sequence numbers jump by more than this is a new source (RFC 3550 A.1,
/// MAX_DROPOUT).
const DROPOUT: i16 = 3_000;
/// Packets between two of the ticks; a longer wait is made up for in the timestamp.
const LATE: Duration = Duration::from_millis(70);

/// The header fields of a packet that is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    /// The first packet after a change of source.
    pub(crate) marker: bool,
}

/// The RTP stream towards one leg.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    ssrc: u32,
    /// The next sequence number that was never used.
    next_sequence: u16,
    /// The timestamp of the newest packet.
    timestamp: u32,
    /// When the first packet of that timestamp went out; none before the first of all. The
    /// packets of a telephone-event share one timestamp.
    stamped_at: Option<Timestamp>,
    /// When the newest packet went out.
    sent_at: Option<Timestamp>,
    clock: u32,
    origin: Origin,
}

/// Where the newest packets came from.
#[derive(Clone, Copy, Debug)]
enum Origin {
    Nothing,
    /// Our own; the timestamp that follows.
    Local(u32),
    Relay(Mapping),
}

/// How a source's numbers become ours.
#[derive(Clone, Copy, Debug)]
struct Mapping {
    from: u16,
    ssrc: u32,
    sequence_offset: u16,
    timestamp_offset: u32,
    /// The source's oldest sequence number that may still be sent: an older one would take a
    /// number that something else was sent with.
    floor: u16,
    /// The source's newest sequence number and timestamp.
    newest: (u16, u32),
}

impl Outgoing {
    /// A stream with random numbers (RFC 3550 5.1). The sequence number begins in the lower
    /// half, so that no reordering at the start can look like a rollover (RFC 3711 3.3.1).
    pub(crate) fn new(rng: &mut impl RngCore, clock: u32) -> Self {
        Self {
            ssrc: rng.next_u32(),
            next_sequence: (rng.next_u32() & 0x7fff) as u16,
            timestamp: rng.next_u32(),
            stamped_at: None,
            sent_at: None,
            clock,
            origin: Origin::Nothing,
        }
    }

    pub(crate) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    pub(crate) fn clock(&self) -> u32 {
        self.clock
    }

    /// When the newest packet went out.
    pub(crate) fn sent_at(&self) -> Option<Timestamp> {
        self.sent_at
    }

    /// Begins a new source, even if the next packet comes from the one before: what it sent in
    /// between was not meant for this leg and is no loss.
    pub(crate) fn change_source(&mut self) {
        if matches!(self.origin, Origin::Relay(_)) {
            self.origin = Origin::Nothing;
        }
    }

    /// The timestamp of this moment, for sender reports (RFC 3550 6.4.1).
    pub(crate) fn timestamp_at(&self, now: Timestamp) -> u32 {
        let elapsed = self.stamped_at.map_or(Duration::ZERO, |at| now.since(at));
        self.timestamp.wrapping_add(self.units(elapsed))
    }

    /// Stamps a packet of a source; none when it is too late to be sent. A source is a leg and
    /// what it sends as one SSRC.
    pub(crate) fn relay(
        &mut self,
        now: Timestamp,
        from: u16,
        ssrc: u32,
        sequence: u16,
        timestamp: u32,
    ) -> Option<Stamp> {
        let mut marker = false;
        let mut mapping = match self.origin {
            Origin::Relay(m) if m.continues(from, ssrc, sequence, timestamp, self.clock) => m,
            Origin::Nothing | Origin::Local(_) | Origin::Relay(_) => {
                marker = true;
                Mapping {
                    from,
                    ssrc,
                    sequence_offset: self.next_sequence.wrapping_sub(sequence),
                    timestamp_offset: self.resume(now).wrapping_sub(timestamp),
                    floor: sequence,
                    newest: (sequence, timestamp),
                }
            }
        };
        if is_before(sequence, mapping.floor) {
            return None;
        }
        let stamp = Stamp {
            ssrc: self.ssrc,
            sequence: sequence.wrapping_add(mapping.sequence_offset),
            timestamp: timestamp.wrapping_add(mapping.timestamp_offset),
            marker,
        };
        if marker || is_before(mapping.newest.0, sequence) {
            mapping.newest = (sequence, timestamp);
            self.next_sequence = stamp.sequence.wrapping_add(1);
            self.note(now, stamp.timestamp);
        }
        self.origin = Origin::Relay(mapping);
        Some(stamp)
    }

    /// Stamps a packet of our own that carries this many timestamp units.
    pub(crate) fn local(&mut self, now: Timestamp, units: u32) -> Stamp {
        let is_late = self.stamped_at.is_some_and(|at| now.since(at) > LATE);
        let (timestamp, marker) = match self.origin {
            Origin::Local(next) if !is_late => (next, false),
            Origin::Local(_) => (self.resume(now), false),
            Origin::Nothing | Origin::Relay(_) => (self.resume(now), true),
        };
        self.note(now, timestamp);
        self.origin = Origin::Local(timestamp.wrapping_add(units));
        Stamp { ssrc: self.ssrc, sequence: self.take_sequence(), timestamp, marker }
    }

    /// Puts a packet with a timestamp of its own between the others: a telephone-event.
    pub(crate) fn insert(&mut self, timestamp: u32, marker: bool) -> Stamp {
        let sequence = self.take_sequence();
        if let Origin::Relay(mapping) = &mut self.origin {
            // What is still under way from before would now take a used number.
            mapping.sequence_offset = mapping.sequence_offset.wrapping_add(1);
            mapping.floor = mapping.newest.0.wrapping_add(1);
        }
        Stamp { ssrc: self.ssrc, sequence, timestamp, marker }
    }

    /// Stamps a telephone-event whose clock is not that of the audio: with the source's place
    /// in the sequence and a timestamp of our own. None when the source is not relayed.
    pub(crate) fn relay_event(
        &mut self,
        now: Timestamp,
        from: u16,
        ssrc: u32,
        sequence: u16,
        timestamp: u32,
    ) -> Option<Stamp> {
        let Origin::Relay(mapping) = &mut self.origin else { return None };
        let newest = mapping.newest.1;
        if !mapping.continues(from, ssrc, sequence, newest, self.clock)
            || is_before(sequence, mapping.floor)
        {
            return None;
        }
        let ours = sequence.wrapping_add(mapping.sequence_offset);
        if is_before(mapping.newest.0, sequence) {
            mapping.newest.0 = sequence;
            self.next_sequence = ours.wrapping_add(1);
            self.sent_at = Some(now);
        }
        Some(Stamp { ssrc: self.ssrc, sequence: ours, timestamp, marker: false })
    }

    fn note(&mut self, now: Timestamp, timestamp: u32) {
        // An event's packets come between newer audio with the timestamp of its start.
        let is_newer = (timestamp.wrapping_sub(self.timestamp) as i32) > 0;
        if self.stamped_at.is_none() || is_newer {
            self.stamped_at = Some(now);
            self.timestamp = timestamp;
        }
        self.sent_at = Some(now);
    }

    fn take_sequence(&mut self) -> u16 {
        let sequence = self.next_sequence;
        self.next_sequence = sequence.wrapping_add(1);
        sequence
    }

    /// The timestamp of what comes after a change: as many whole frames later as time went by,
    /// and at least one.
    pub(crate) fn resume(&self, now: Timestamp) -> u32 {
        let Some(stamped_at) = self.stamped_at else { return self.timestamp };
        let micros = now.since(stamped_at).as_micros() as u64;
        let frames = ((micros + 10_000) / 20_000).max(1);
        let frame = u64::from(self.clock / 50);
        self.timestamp.wrapping_add((frames * frame) as u32)
    }

    fn units(&self, elapsed: Duration) -> u32 {
        (elapsed.as_micros() as u64 * u64::from(self.clock) / 1_000_000) as u32
    }
}

impl Mapping {
    fn continues(&self, from: u16, ssrc: u32, sequence: u16, timestamp: u32, clock: u32) -> bool {
        let step = sequence.wrapping_sub(self.newest.0) as i16;
        let time = timestamp.wrapping_sub(self.newest.1) as i32;
        (self.from, self.ssrc) == (from, ssrc)
            && step.unsigned_abs() <= DROPOUT.unsigned_abs()
            && time.unsigned_abs() <= clock * JUMP_SECS
    }
}

fn is_before(a: u16, b: u16) -> bool {
    (a.wrapping_sub(b) as i16) < 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_micros(1_000_000_000 + ms * 1_000)
    }

    fn stream() -> Outgoing {
        Outgoing::new(&mut rand::rng(), 8_000)
    }

    #[test]
    fn a_leg_that_takes_over_from_a_player_goes_on_in_its_numbers() {
        let mut out = stream();
        let first = out.local(at(0), 160);
        let second = out.local(at(20), 160);

        let relayed = out.relay(at(38), 1, 7, 60_000, 123).unwrap();
        let next = out.relay(at(58), 1, 7, 60_001, 283).unwrap();

        assert_eq!(second.sequence, first.sequence.wrapping_add(1));
        assert_eq!(relayed.sequence, first.sequence.wrapping_add(2));
        assert_eq!(relayed.timestamp, first.timestamp.wrapping_add(320));
        assert!(relayed.marker && !next.marker);
        assert_eq!(next.sequence, first.sequence.wrapping_add(3));
        assert_eq!(next.timestamp, first.timestamp.wrapping_add(480));
        assert_eq!(relayed.ssrc, first.ssrc);
    }

    #[test]
    fn a_reordered_packet_keeps_its_place() {
        let mut out = stream();
        let a = out.relay(at(0), 1, 7, 10, 0).unwrap();
        let c = out.relay(at(40), 1, 7, 12, 320).unwrap();
        let b = out.relay(at(41), 1, 7, 11, 160).unwrap();
        let d = out.relay(at(60), 1, 7, 13, 480).unwrap();

        assert_eq!(b.sequence, a.sequence.wrapping_add(1));
        assert_eq!(c.sequence, a.sequence.wrapping_add(2));
        assert_eq!(d.sequence, a.sequence.wrapping_add(3));
    }

    #[test]
    fn a_packet_from_before_the_change_is_not_sent() {
        let mut out = stream();
        out.relay(at(0), 1, 7, 100, 0);

        assert_eq!(out.relay(at(1), 1, 7, 99, 0), None);
    }

    #[test]
    fn an_event_between_relayed_packets_takes_a_number_of_its_own() {
        let mut out = stream();
        let a = out.relay(at(0), 1, 7, 10, 0).unwrap();
        let event = out.insert(a.timestamp, true);
        let b = out.relay(at(20), 1, 7, 11, 160).unwrap();

        assert_eq!(event.sequence, a.sequence.wrapping_add(1));
        assert_eq!(b.sequence, a.sequence.wrapping_add(2));
        assert_eq!(b.timestamp, a.timestamp.wrapping_add(160));
    }

    #[test]
    fn a_source_whose_clock_jumps_does_not_take_the_listener_along() {
        let mut out = stream();
        let a = out.relay(at(0), 1, 7, 10, 0).unwrap();
        let b = out.relay(at(20), 1, 7, 11, 3_000_000_000).unwrap();

        assert_eq!(b.sequence, a.sequence.wrapping_add(1));
        assert_eq!(b.timestamp, a.timestamp.wrapping_add(160));
    }

    #[test]
    fn a_late_tick_is_made_up_for_in_the_timestamp() {
        let mut out = stream();
        let a = out.local(at(0), 160);
        let b = out.local(at(200), 160);

        assert_eq!(b.sequence, a.sequence.wrapping_add(1));
        assert_eq!(b.timestamp, a.timestamp.wrapping_add(1_600));
    }
}
