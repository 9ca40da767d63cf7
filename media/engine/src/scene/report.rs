//! What is looked after every 200 ms: silence of a party, lost ends, RTCP; and the figures.

use std::net::SocketAddr;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use tandem_kernel::Timestamp;
use tandem_rtp::rtcp::{self, Report, Rtcp, SenderInfo};
use tandem_rtp::{Header, Reception};

use super::leg::Leg;
use super::plan::Feed;
use super::receive::Arrival;
use super::{Scene, Tools};
use crate::outbox::{Channel, Outbox};
use crate::types::{DtmfBy, LegStats, MediaEvent};

/// A listener whose only source is quiet for so long gets silence.
const QUIET: Duration = Duration::from_millis(300);
/// A leg that should send and does not is reported once in so many seconds.
const NO_MEDIA_SECS: u32 = 10;
/// Between reports (RFC 3550 6.2), give or take a fifth so that legs do not keep step.
const REPORT_MICROS: std::ops::Range<u64> = 4_000_000..6_000_000;
/// What the tick adds: the audio waits for it half a frame on average, and one frame to be
/// whole.
const TICK_DELAY: Duration = Duration::from_millis(30);

/// Counters and clocks of one leg.
pub(super) struct Figures {
    pub(super) reception: Reception,
    packets_sent: u64,
    octets_sent: u64,
    lost_by_remote: u64,
    pub(super) refused_source: u64,
    pub(super) refused_flood: u64,
    pub(super) refused_malformed: u64,
    /// Since when media is expected, or the last packet that came.
    heard_at: Timestamp,
    /// Since when the leg is connected as it is.
    connected_at: Timestamp,
    /// The seconds of silence that were reported last.
    told_secs: u32,
    report_due: Option<Timestamp>,
    /// Packets that the last report knew of.
    reported: u64,
}

impl Figures {
    pub(super) fn new(now: Timestamp, clock: u32) -> Self {
        Self {
            reception: Reception::new(clock),
            packets_sent: 0,
            octets_sent: 0,
            lost_by_remote: 0,
            refused_source: 0,
            refused_flood: 0,
            refused_malformed: 0,
            heard_at: now,
            connected_at: now,
            told_secs: 0,
            report_due: None,
            reported: 0,
        }
    }

    /// Begins the reception anew for another codec's clock.
    pub(super) fn restart(&mut self, clock: u32) {
        self.reception = Reception::new(clock);
    }

    /// Expects media from now on.
    pub(super) fn expect_media(&mut self, now: Timestamp) {
        self.heard_at = now;
        self.connected_at = now;
    }

    pub(super) fn note_sent(&mut self, octets: usize) {
        self.packets_sent += 1;
        self.octets_sent += octets as u64;
    }

    /// Takes note of a packet of the leg; true if it was reported as silent.
    pub(super) fn note_received(&mut self, now: Timestamp, header: &Header, octets: usize) -> bool {
        self.reception.on_packet(now, header, octets);
        self.heard_at = now;
        std::mem::take(&mut self.told_secs) > 0
    }
}

impl Scene {
    /// Looks after the leg of a slot.
    pub(crate) fn look_after(
        &mut self,
        now: Timestamp,
        slot: u32,
        tools: &mut Tools,
        out: &mut Outbox,
    ) {
        let Some(place) = self.legs.iter().position(|leg| leg.slot == slot) else { return };
        let leg = &mut self.legs[place];
        if leg.agreement.is_none() {
            return;
        }
        let digit = leg.keys.poll(now);
        leg.watch_silence(now);
        leg.report(now, &mut tools.rng, out);
        if leg.fill_quiet(now) {
            self.note_activity();
        }
        if let Some(digit) = digit {
            self.pressed(place, &[digit], DtmfBy::Event);
        }
    }
}

impl Leg {
    /// Begins to send silence in place of a source that is quiet; true if it did.
    fn fill_quiet(&mut self, now: Timestamp) -> bool {
        let is_relay = matches!(self.feed, Feed::Relay(_)) && !self.is_filled;
        let since = self.outgoing.sent_at().unwrap_or(self.figures.connected_at);
        if !is_relay || now.since(since.max(self.figures.connected_at)) < QUIET {
            return false;
        }
        self.is_filled = true;
        self.hold_what_is_needed();
        true
    }

    fn watch_silence(&mut self, now: Timestamp) {
        let Some(agreement) = self.agreement.as_deref() else { return };
        if !agreement.direction.receives() || agreement.held_by_remote {
            return;
        }
        let secs = u32::try_from(now.since(self.figures.heard_at).as_secs()).unwrap_or(u32::MAX);
        let for_secs = secs / NO_MEDIA_SECS * NO_MEDIA_SECS;
        if for_secs > self.figures.told_secs {
            self.figures.told_secs = for_secs;
            (self.sink)(MediaEvent::NoMedia { leg: self.id, for_secs });
        }
    }

    fn report(&mut self, now: Timestamp, rng: &mut StdRng, out: &mut Outbox) {
        let due = self.figures.report_due;
        if due.is_some_and(|due| now < due) {
            return;
        }
        self.figures.report_due =
            Some(now + Duration::from_micros(rng.random_range(REPORT_MICROS)));
        if due.is_some() {
            self.send_report(now, false, out);
        }
    }

    /// Tells the other end that our stream is over.
    pub(super) fn say_goodbye(&mut self, now: Timestamp, out: &mut Outbox) {
        if self.figures.packets_sent > 0 {
            self.send_report(now, true, out);
        }
    }

    fn send_report(&mut self, now: Timestamp, goodbye: bool, out: &mut Outbox) {
        let Some((channel, to)) = self.report_destination() else { return };
        let has_sent = self.figures.packets_sent > self.figures.reported;
        self.figures.reported = self.figures.packets_sent;
        let sender = has_sent.then(|| SenderInfo {
            ntp: rtcp::ntp(now),
            rtp_timestamp: self.outgoing.timestamp_at(now),
            // Both counters wrap (RFC 3550 6.4.1).
            packets: self.figures.packets_sent as u32,
            octets: self.figures.octets_sent as u32,
        });
        let block = self.figures.reception.report_block(now);
        let ssrc = self.outgoing.ssrc();
        // A name of its own for each stream: names that repeat would tie calls together
        // (RFC 7022 4.2).
        let cname = format!("{ssrc:08x}@tandem");
        let blocks = block.as_slice();
        let bytes = rtcp::compose(&Report { ssrc, cname: &cname, sender, blocks, goodbye });
        let crypto = self.crypto.as_deref_mut();
        out.add(self.slot, channel, to, |buffer, start| {
            buffer.extend_from_slice(&bytes);
            crypto.map_or(Some(()), |crypto| crypto.protect_rtcp(buffer, start))
        });
    }

    fn report_destination(&self) -> Option<(Channel, SocketAddr)> {
        let agreement = self.agreement.as_deref()?;
        let media = self.destination()?;
        if agreement.rtcp_mux {
            return Some((Channel::Rtp, media));
        }
        if media == agreement.remote {
            let to = agreement.remote_rtcp;
            return (!to.ip().is_unspecified() && to.port() != 0).then_some((Channel::Rtcp, to));
        }
        // Behind NAT: the next port of where the media comes from is the best guess.
        let port = media.port().checked_add(1)?;
        Some((Channel::Rtcp, SocketAddr::new(media.ip(), port)))
    }

    /// Takes a report of the other end.
    pub(super) fn take_report(&mut self, arrival: &Arrival, bytes: &mut [u8]) {
        if !self.police.admits(arrival.now) {
            self.figures.refused_flood += 1;
            return;
        }
        let expected = self.report_destination().map(|(_, to)| to.ip());
        if expected != Some(arrival.source.ip()) {
            self.figures.refused_source += 1;
            return;
        }
        let length = match self.crypto.as_deref_mut() {
            None => Some(bytes.len()),
            Some(crypto) => crypto.unprotect_rtcp(bytes),
        };
        let packets = length.and_then(|length| rtcp::parse(&bytes[..length]).ok());
        let Some(packets) = packets else {
            self.figures.refused_malformed += 1;
            return;
        };
        for packet in packets {
            let blocks = match packet {
                Rtcp::SenderReport { sender, reports, .. } => {
                    self.figures.reception.on_sender_report(arrival.now, &sender);
                    reports
                }
                Rtcp::ReceiverReport { reports, .. } => reports,
                Rtcp::Cname { .. } | Rtcp::Bye { .. } | Rtcp::Other { .. } => continue,
            };
            for block in blocks.iter().filter(|block| block.ssrc == self.outgoing.ssrc()) {
                self.figures.reception.on_report_block(arrival.now, block);
                let lost = u64::try_from(block.cumulative_lost).unwrap_or(0);
                self.figures.lost_by_remote = self.figures.lost_by_remote.max(lost);
            }
        }
    }

    pub(super) fn stats(&self) -> LegStats {
        let reception = &self.figures.reception;
        let is_relayed = matches!(self.feed, Feed::Relay(_)) && !self.is_filled;
        let buffer = self.decoding.as_deref().map(|decoding| decoding.delay());
        let added_delay = match (self.relays.is_empty(), buffer) {
            (true, Some(buffer)) => buffer + TICK_DELAY,
            (true, None) | (false, _) => Duration::ZERO,
        };
        LegStats {
            codec: self.agreement.as_deref().map(|a| a.codec),
            remote: self.destination(),
            packets_received: reception.packets(),
            octets_received: reception.octets(),
            packets_sent: self.figures.packets_sent,
            octets_sent: self.figures.octets_sent,
            lost: reception.lost(),
            lost_by_remote: self.figures.lost_by_remote,
            jitter: reception.jitter(),
            round_trip: reception.round_trip(),
            mos: opinion(reception),
            added_delay,
            is_relayed,
            refused_source: self.figures.refused_source,
            refused_flood: self.figures.refused_flood,
            refused_malformed: self.figures.refused_malformed,
        }
    }
}

/// The mean opinion score of what is received, by a simple form of the E-model (ITU-T G.107)
/// with the loss robustness of G.711 with concealment (G.113 Appendix I).
fn opinion(reception: &Reception) -> f32 {
    const BASIC: f32 = 93.2;
    const ROBUSTNESS: f32 = 25.1;
    let expected = reception.packets() + reception.lost();
    let loss = 100.0 * reception.lost() as f32 / expected.max(1) as f32;
    let one_way = reception.round_trip().unwrap_or_default().as_secs_f32() * 500.0;
    // The listener's buffer holds about twice the jitter, and the packet takes 20 ms.
    let delay = one_way + 2_000.0 * reception.jitter().as_secs_f32() + 20.0;
    let late = 0.024 * delay + 0.11 * (delay - 177.3).max(0.0);
    let r = (BASIC - late - 95.0 * loss / (loss + ROBUSTNESS)).clamp(0.0, 100.0);
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}
