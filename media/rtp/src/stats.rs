//! What was received of a source: losses, jitter and round trip (RFC 3550 A.1, A.3, A.8).

use std::time::Duration;

use tandem_kernel::Timestamp;

use crate::packet::Header;
use crate::rtcp::{ReportBlock, SenderInfo, ntp, ntp_middle};

/// A jump ahead of more than this begins the source anew (RFC 3550 A.1).
const MAX_DROPOUT: u16 = 3_000;
/// A packet that is older than this begins the source anew (RFC 3550 A.1).
const MAX_MISORDER: u16 = 100;
const CYCLE: u64 = 1 << 16;

/// Where a packet stands in its source's sequence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// The next one, or ahead of it.
    Ahead,
    /// Older than the newest, or a duplicate of it.
    Behind,
    /// The source begins, or begins anew.
    Restarted,
    /// Far off; dropped unless the next packet follows on it.
    Suspect,
}

/// Receive statistics of one stream.
#[derive(Clone, Debug)]
pub struct Reception {
    clock_rate: u32,
    source: Option<Source>,
    packets: u64,
    octets: u64,
    lost_before: i64,
    jitter_16: u64,
    last_transit: Option<i64>,
    last_report: Option<(u32, Timestamp)>,
    round_trip: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
struct Source {
    ssrc: u32,
    base: u64,
    highest: u64,
    received: u64,
    suspect: Option<u16>,
    expected_prior: u64,
    received_prior: u64,
}

impl Source {
    const fn beginning(ssrc: u32, sequence: u16) -> Self {
        Self {
            ssrc,
            base: sequence as u64,
            highest: sequence as u64,
            received: 0,
            suspect: None,
            expected_prior: 0,
            received_prior: 0,
        }
    }

    const fn expected(&self) -> u64 {
        self.highest - self.base + 1
    }

    const fn lost(&self) -> i64 {
        self.expected() as i64 - self.received as i64
    }

    /// RFC 3550 A.1, without the probation, which the latch stands in for.
    fn order(&mut self, sequence: u16) -> Order {
        let ahead = sequence.wrapping_sub(self.highest as u16);
        if ahead < MAX_DROPOUT {
            self.suspect = None;
            self.highest += u64::from(ahead);
            return if ahead == 0 { Order::Behind } else { Order::Ahead };
        }
        if u32::from(ahead) > CYCLE as u32 - u32::from(MAX_MISORDER) {
            return Order::Behind;
        }
        if self.suspect == Some(sequence) {
            *self = Self::beginning(self.ssrc, sequence);
            return Order::Restarted;
        }
        self.suspect = Some(sequence.wrapping_add(1));
        Order::Suspect
    }
}

impl Reception {
    /// Statistics of a stream with this RTP clock, in Hz.
    #[must_use]
    pub const fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate,
            source: None,
            packets: 0,
            octets: 0,
            lost_before: 0,
            jitter_16: 0,
            last_transit: None,
            last_report: None,
            round_trip: None,
        }
    }

    /// Takes note of a packet that arrived now with so many octets of payload.
    pub fn on_packet(&mut self, now: Timestamp, header: &Header, octets: usize) -> Order {
        self.packets += 1;
        self.octets += octets as u64;
        let order = match &mut self.source {
            Some(source) if source.ssrc == header.ssrc => {
                let lost = source.lost();
                let order = source.order(header.sequence);
                if order == Order::Restarted {
                    self.lost_before += lost.max(0);
                    self.last_transit = None;
                }
                order
            }
            _ => {
                self.lost_before += self.source.map_or(0, |source| source.lost().max(0));
                self.source = Some(Source::beginning(header.ssrc, header.sequence));
                self.last_transit = None;
                self.last_report = None;
                Order::Restarted
            }
        };
        if order != Order::Suspect {
            if let Some(source) = &mut self.source {
                source.received += 1;
            }
            self.note_transit(now, header.timestamp);
        }
        order
    }

    /// RFC 3550 A.8, in units of 1/16 so that the division by 16 keeps its remainder.
    fn note_transit(&mut self, now: Timestamp, timestamp: u32) {
        let arrival = u128::from(now.as_micros()) * u128::from(self.clock_rate) / 1_000_000;
        let transit = i64::from((arrival as u32).wrapping_sub(timestamp) as i32);
        if let Some(last) = self.last_transit.replace(transit) {
            let difference = u64::from(((transit - last) as i32).unsigned_abs());
            // A source that jumps in time says nothing about the network.
            if difference < u64::from(self.clock_rate) {
                self.jitter_16 += difference;
                self.jitter_16 -= (self.jitter_16 + 8) >> 4;
            }
        }
    }

    /// Takes note of the peer's sender report.
    pub fn on_sender_report(&mut self, now: Timestamp, sender: &SenderInfo) {
        self.last_report = Some((ntp_middle(sender.ntp), now));
    }

    /// Takes note of what the peer says about our stream; gives the round trip when it can be
    /// told (RFC 3550 6.4.1).
    pub fn on_report_block(&mut self, now: Timestamp, block: &ReportBlock) -> Option<Duration> {
        if block.last_report == 0 {
            return None;
        }
        let arrived = ntp_middle(ntp(now));
        let units = arrived.wrapping_sub(block.delay_since).wrapping_sub(block.last_report);
        // Negative, or more than 10 s: clocks that differ, not a network.
        if units > 10 << 16 {
            return None;
        }
        let round_trip = Duration::from_micros((u64::from(units) * 1_000_000) >> 16);
        self.round_trip = Some(round_trip);
        Some(round_trip)
    }

    /// The block for our next report, and the start of a new interval (RFC 3550 A.3).
    pub fn report_block(&mut self, now: Timestamp) -> Option<ReportBlock> {
        let source = self.source.as_mut()?;
        let expected = source.expected() - source.expected_prior;
        let received = source.received - source.received_prior;
        source.expected_prior = source.expected();
        source.received_prior = source.received;
        let lost = expected.saturating_sub(received);
        let fraction = (lost << 8).checked_div(expected).unwrap_or(0).min(255);
        let (last_report, delay_since) = match self.last_report {
            None => (0, 0),
            Some((middle, at)) => {
                let micros = now.since(at).as_micros() as u64;
                (middle, ((micros << 16) / 1_000_000) as u32)
            }
        };
        Some(ReportBlock {
            ssrc: source.ssrc,
            fraction_lost: fraction as u8,
            cumulative_lost: source.lost().clamp(-0x80_0000, 0x7f_ffff) as i32,
            highest_sequence: source.highest as u32,
            jitter: (self.jitter_16 >> 4) as u32,
            last_report,
            delay_since,
        })
    }

    /// The source that is being received.
    #[must_use]
    pub fn ssrc(&self) -> Option<u32> {
        self.source.map(|source| source.ssrc)
    }

    /// Packets received, of all sources.
    #[must_use]
    pub const fn packets(&self) -> u64 {
        self.packets
    }

    /// Payload octets received, of all sources.
    #[must_use]
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// Packets that should have come and did not, of all sources.
    #[must_use]
    pub fn lost(&self) -> u64 {
        let now = self.source.map_or(0, |source| source.lost().max(0));
        u64::try_from(self.lost_before + now).unwrap_or(0)
    }

    /// Interarrival jitter.
    #[must_use]
    pub fn jitter(&self) -> Duration {
        let rate = u64::from(self.clock_rate.max(1));
        Duration::from_micros((self.jitter_16 >> 4) * 1_000_000 / rate)
    }

    /// The last round trip that the peer's reports showed.
    #[must_use]
    pub const fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }
}
