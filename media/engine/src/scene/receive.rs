//! A datagram from a party: is it theirs, what is it, who gets it.

use std::net::SocketAddr;

use tandem_kernel::Timestamp;
use tandem_rtp::{Header, Packet, Verdict, is_rtcp};
use tandem_sdp::Codec;

use super::leg::Leg;
use super::plan::Feed;
use super::{Scene, Tools};
use crate::outbox::{Channel, Outbox};
use crate::types::{DtmfBy, MediaEvent, Source};

/// What a packet turned out to be.
#[derive(Clone, Copy)]
enum Kind {
    Audio(Codec),
    Event,
}

/// Where a datagram came in.
pub(crate) struct Arrival {
    pub(crate) now: Timestamp,
    pub(crate) slot: u32,
    pub(crate) channel: Channel,
    pub(crate) source: SocketAddr,
}

impl Scene {
    /// Takes one datagram; it is decrypted in place.
    pub(crate) fn packet_in(
        &mut self,
        arrival: &Arrival,
        bytes: &mut [u8],
        tools: &mut Tools,
        out: &mut Outbox,
    ) {
        let Some(place) = self.legs.iter().position(|leg| leg.slot == arrival.slot) else { return };
        let leg = &mut self.legs[place];
        let is_mux = leg.agreement.as_deref().is_some_and(|a| a.rtcp_mux);
        if arrival.channel == Channel::Rtcp || (is_mux && is_rtcp(bytes)) {
            leg.take_report(arrival, bytes);
            return;
        }
        let Some((kind, packet)) = leg.receive(arrival, bytes) else { return };
        match kind {
            Kind::Audio(codec) => self.audio_in(arrival.now, place, codec, &packet, tools, out),
            Kind::Event => self.event_in(arrival.now, place, &packet, out),
        }
    }

    fn audio_in(
        &mut self,
        now: Timestamp,
        place: usize,
        codec: Codec,
        packet: &Packet<'_>,
        tools: &mut Tools,
        out: &mut Outbox,
    ) {
        if self.legs[place].receiving != codec {
            self.legs[place].receiving = codec;
            self.plan();
        }
        self.relay(now, place, packet, out);
        let leg = &mut self.legs[place];
        if !leg.is_heard() {
            return;
        }
        if let Some(decoding) = &mut leg.decoding {
            decoding.insert(now, packet);
        }
        if !leg.takes_events() {
            let samples = &mut tools.samples;
            let digits = leg.keys.listen_to_payload(codec, packet.payload(), samples);
            leg.tell(&digits, DtmfBy::InBand);
        }
    }

    /// Hands a packet on as it is to those who hear just this leg.
    fn relay(&mut self, now: Timestamp, place: usize, packet: &Packet<'_>, out: &mut Outbox) {
        let Header { ssrc, sequence, timestamp, marker, .. } = packet.header();
        let from = self.legs[place].id.index;
        for n in 0..self.legs[place].relays.len() {
            let to = usize::from(self.legs[place].relays[n]);
            let listener = &mut self.legs[to];
            let stamp = listener.outgoing.relay(now, from, ssrc, sequence, timestamp);
            let Some(mut stamp) = stamp else { continue };
            stamp.marker |= marker;
            let payload_type = listener.agreement.as_deref().map_or(0, |a| a.payload_type);
            listener.send(stamp, payload_type, packet.payload(), out);
            if listener.is_filled {
                listener.is_filled = false;
                listener.hold_what_is_needed();
                self.note_activity();
            }
        }
    }

    /// A telephone-event: its end is reported once, and those who hear the leg get it, as a
    /// tone if they know no events.
    fn event_in(&mut self, now: Timestamp, place: usize, packet: &Packet<'_>, out: &mut Outbox) {
        let leg = &mut self.legs[place];
        if !leg.is_heard() {
            return;
        }
        let id = leg.id;
        let clock = leg.agreement.as_deref().map_or(8_000, |a| a.dtmf_clock);
        let digits = leg.keys.press(now, &packet.header(), packet.payload());
        for listener in &mut self.legs {
            if listener.id != id && listener.hears.contains(&Source::Leg(id)) {
                listener.pass_event(now, id.index, clock, packet, out);
            }
        }
        if !digits.is_empty() {
            self.pressed(place, &digits, DtmfBy::Event);
        }
    }
}

impl Leg {
    /// Checks a datagram for being the leg's own; counts what is refused.
    fn receive<'a>(
        &mut self,
        arrival: &Arrival,
        bytes: &'a mut [u8],
    ) -> Option<(Kind, Packet<'a>)> {
        let Arrival { now, source, .. } = *arrival;
        if !self.police.admits(now) {
            self.figures.refused_flood += 1;
            return None;
        }
        let length = match self.crypto.as_deref_mut() {
            None => Some(bytes.len()),
            Some(crypto) => crypto.unprotect_rtp(bytes),
        };
        let packet = length.and_then(|length| Packet::parse(&bytes[..length]).ok());
        let known = packet.and_then(|packet| Some((self.kind(packet.payload_type())?, packet)));
        let Some((kind, packet)) = known else {
            self.figures.refused_malformed += 1;
            return None;
        };
        // Only what is valid and means something may teach us an address.
        let latch = self.latch.as_mut()?;
        if latch.on_packet(now, source, packet.ssrc()) == Verdict::Refuse {
            self.figures.refused_source += 1;
            return None;
        }
        if self.figures.note_received(now, &packet.header(), packet.payload().len()) {
            (self.sink)(MediaEvent::MediaBack { leg: self.id });
        }
        Some((kind, packet))
    }

    /// What was agreed that a payload type means.
    fn kind(&self, payload_type: u8) -> Option<Kind> {
        let agreement = self.agreement.as_deref()?;
        if agreement.dtmf_receive == Some(payload_type) {
            return Some(Kind::Event);
        }
        let mut accepts = agreement.accepts.iter();
        let (_, codec) = accepts.find(|(accepted, _)| *accepted == payload_type)?;
        Some(Kind::Audio(*codec))
    }

    /// Sends it a packet of an event that another leg pressed.
    fn pass_event(
        &mut self,
        now: Timestamp,
        from: u16,
        clock: u32,
        packet: &Packet<'_>,
        out: &mut Outbox,
    ) {
        let header = &packet.header();
        let Some(agreement) = self.agreement.as_deref().filter(|a| a.direction.sends()) else {
            return;
        };
        let (Some(payload_type), ours) = (agreement.dtmf, agreement.dtmf_clock) else { return };
        let is_relayed = self.feed == Feed::Relay(from);
        let (ssrc, sequence) = (header.ssrc, header.sequence);
        let stamp = if is_relayed && clock == ours && ours == self.outgoing.clock() {
            self.outgoing.relay(now, from, ssrc, sequence, header.timestamp)
        } else {
            let timestamp = self.passing.timestamp(&self.outgoing, now, from, header);
            let relayed = self.outgoing.relay_event(now, from, ssrc, sequence, timestamp);
            // A repeated or reordered packet of an event costs a number, no more.
            relayed.or_else(|| Some(self.outgoing.insert(timestamp, false)))
        };
        let Some(mut stamp) = stamp else { return };
        stamp.marker |= header.marker;
        let Some(event) = packet.payload().first_chunk::<4>() else { return };
        let mut scaled = *event;
        let duration = u32::from(u16::from_be_bytes([event[2], event[3]]));
        let duration = u64::from(duration) * u64::from(ours) / u64::from(clock.max(1));
        let duration = u16::try_from(duration).unwrap_or(u16::MAX).to_be_bytes();
        scaled[2..].copy_from_slice(&duration);
        self.send(stamp, payload_type, &scaled, out);
    }
}
