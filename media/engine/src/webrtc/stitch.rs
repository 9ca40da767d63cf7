//! One RTP stream for the browser out of the streams of changing legs.
//!
//! A browser knows one source from its handshake. When another leg is heard, sequence numbers go
//! on without a gap and timestamps move by the time that has passed (RFC 3550 5.1), so that the
//! browser's jitter buffer neither throws packets away nor waits for lost ones.

use std::time::Instant;

use tandem_rtp::Header;

/// The stitching of one browser's stream.
#[derive(Debug)]
pub(super) struct Stitch {
    ssrc: u32,
    clock_rate: u32,
    /// The newest packet that went out, and when.
    newest: Option<(u16, u32, Instant)>,
    /// The stream that goes out now, and what is added to its numbers.
    current: Option<(Source, u16, u32)>,
}

/// A stream: the jack's number and the source in it.
type Source = (u64, u32);

impl Stitch {
    pub(super) const fn new(ssrc: u32, clock_rate: u32) -> Self {
        Self { ssrc, clock_rate, newest: None, current: None }
    }

    /// The header that goes out for a packet of a jack.
    pub(super) fn next(&mut self, now: Instant, jack: u64, header: Header) -> Header {
        let source = (jack, header.ssrc);
        let (sequence_shift, timestamp_shift, begins) = match self.current {
            Some((known, sequence, timestamp)) if known == source => (sequence, timestamp, false),
            _ => self.shifts(now, header),
        };
        self.current = Some((source, sequence_shift, timestamp_shift));
        let sequence = header.sequence.wrapping_add(sequence_shift);
        let timestamp = header.timestamp.wrapping_add(timestamp_shift);
        let is_newer = |(newest, ..): (u16, u32, Instant)| sequence.wrapping_sub(newest) < 0x8000;
        if self.newest.is_none_or(is_newer) {
            self.newest = Some((sequence, timestamp, now));
        }
        Header { marker: header.marker || begins, sequence, timestamp, ssrc: self.ssrc, ..header }
    }

    /// What brings a new stream in line behind the one before.
    fn shifts(&self, now: Instant, header: Header) -> (u16, u32, bool) {
        let Some((sequence, timestamp, at)) = self.newest else { return (0, 0, true) };
        let passed = now.saturating_duration_since(at).as_micros();
        let ticks = passed * u128::from(self.clock_rate) / 1_000_000;
        // Timestamps wrap, and so may the time that has passed.
        let due = timestamp.wrapping_add(ticks.max(1) as u32);
        let next = sequence.wrapping_add(1);
        (next.wrapping_sub(header.sequence), due.wrapping_sub(header.timestamp), true)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn packet(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        Header { payload_type: 0, marker: false, sequence, timestamp, ssrc }
    }

    #[test]
    fn packets_of_one_leg_keep_their_distances_across_the_wrap() {
        let mut stitch = Stitch::new(7, 8_000);
        let now = Instant::now();

        let first = stitch.next(now, 1, packet(9, 65_535, u32::MAX - 100));
        let second = stitch.next(now, 1, packet(9, 0, 59));

        assert_eq!(first.ssrc, 7);
        assert_eq!(second.sequence.wrapping_sub(first.sequence), 1);
        assert_eq!(second.timestamp.wrapping_sub(first.timestamp), 160);
        assert!(first.marker && !second.marker);
    }

    #[test]
    fn another_leg_goes_on_where_the_last_one_ended_as_time_has_passed() {
        let mut stitch = Stitch::new(7, 8_000);
        let now = Instant::now();
        let last = stitch.next(now, 1, packet(9, 500, 10_000));

        let next = stitch.next(now + Duration::from_millis(250), 2, packet(9, 4, 77));

        assert_eq!(next.sequence, last.sequence.wrapping_add(1));
        assert_eq!(next.timestamp, last.timestamp.wrapping_add(2_000));
        assert!(next.marker);
    }

    #[test]
    fn a_late_packet_does_not_move_the_place_where_the_next_leg_begins() {
        let mut stitch = Stitch::new(7, 8_000);
        let now = Instant::now();
        stitch.next(now, 1, packet(9, 10, 1_600));
        let newest = stitch.next(now, 1, packet(9, 12, 1_920));
        stitch.next(now, 1, packet(9, 11, 1_760));

        let next = stitch.next(now, 2, packet(3, 0, 0));

        assert_eq!(next.sequence, newest.sequence.wrapping_add(1));
    }
}
