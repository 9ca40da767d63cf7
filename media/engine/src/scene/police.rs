//! The limit on what one source may send.

use tandem_kernel::Timestamp;

/// Packets that may come at once: a second of audio that a network held back, and events.
const BURST: u64 = 100;
const PACKET: u64 = 1_000_000;

/// A token bucket in millionths of a packet.
#[derive(Clone, Debug)]
pub(crate) struct Police {
    tokens: u64,
    at: Timestamp,
    /// Packets per second.
    rate: u64,
}

impl Police {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { tokens: BURST * PACKET, at: now, rate: Self::rate(20) }
    }

    /// Sets the limit to twice the rate of packets of this length. A peer that was offered
    /// 20 ms or more may still choose 10 ms (RFC 3264 leaves ptime to the sender).
    pub(crate) fn expect(&mut self, ptime_ms: u8) {
        self.rate = Self::rate(ptime_ms);
    }

    fn rate(ptime_ms: u8) -> u64 {
        2 * 1_000 / u64::from(ptime_ms.clamp(10, 20))
    }

    pub(crate) fn admits(&mut self, now: Timestamp) -> bool {
        let elapsed = now.since(self.at).as_micros() as u64;
        self.at = now;
        self.tokens = (self.tokens + elapsed.min(10_000_000) * self.rate).min(BURST * PACKET);
        if self.tokens < PACKET {
            return false;
        }
        self.tokens -= PACKET;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets that pass in ten seconds at this rate.
    fn passed(per_second: u64) -> u64 {
        let start = Timestamp::from_secs(1);
        let mut police = Police::new(start);
        let step = 1_000_000 / per_second;
        (0..10 * per_second)
            .filter(|n| police.admits(Timestamp::from_micros(start.as_micros() + n * step)))
            .count() as u64
    }

    #[test]
    fn the_codecs_own_rate_passes_whole() {
        assert_eq!(passed(50), 500);
        assert_eq!(passed(100), 1_000);
    }

    #[test]
    fn a_flood_is_cut_to_twice_the_codecs_rate() {
        let passed = passed(10_000);

        assert!((1_000..=1_000 + BURST + 1).contains(&passed), "{passed}");
    }
}
