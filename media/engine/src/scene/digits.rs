//! Digits to a leg, as telephone-events (RFC 4733) or tones, and digits from it.

use std::collections::VecDeque;

use smallvec::SmallVec;
use tandem_kernel::Timestamp;
use tandem_rtp::{Detector, Digit, EventReceiver, EventSender, Header};
use tandem_sdp::Codec;

use super::leg::Leg;
use super::outgoing::Outgoing;
use crate::codec::Decoder;
use crate::outbox::Outbox;
use crate::resample::Rate;
use crate::tone::Generator;
use crate::types::{DtmfBy, MediaEvent};

/// Frames that a tone lasts, 120 ms, and the pause after it: as long as events do.
const PRESSED: u8 = 6;
const RELEASED: u8 = 4;
/// Digits that may wait to be sent to a leg as tones.
const LONGEST_DIAL: usize = 64;

/// Digits on their way to a leg.
pub(super) enum Dialling {
    Events(EventSender),
    Tones(Tones),
}

/// Digits as tones in the audio.
#[derive(Default)]
pub(super) struct Tones {
    digits: VecDeque<char>,
    sounding: Option<Generator>,
    /// Frames that are left of the tone or the pause.
    frames: u8,
}

impl Leg {
    /// Takes digits to send. What is no digit is left out; so is all on a leg that must not be
    /// sent to.
    pub(super) fn dial(&mut self, digits: &str) {
        let Some(agreement) = self.agreement.as_deref().filter(|a| a.direction.sends()) else {
            return;
        };
        let (takes_events, clock) = (agreement.dtmf.is_some(), agreement.dtmf_clock);
        let dialling = self.dialling.get_or_insert_with(|| {
            Box::new(if takes_events {
                Dialling::Events(EventSender::new(clock))
            } else {
                Dialling::Tones(Tones::default())
            })
        });
        for digit in digits.chars() {
            match &mut **dialling {
                Dialling::Events(events) => {
                    events.push(digit);
                }
                Dialling::Tones(tones) if tones.digits.len() < LONGEST_DIAL => {
                    tones.digits.push_back(digit);
                }
                Dialling::Tones(_) => {}
            }
        }
    }

    /// Whether tones are to be mixed for it.
    pub(super) fn dials_tones(&self) -> bool {
        matches!(self.dialling.as_deref(), Some(Dialling::Tones(_)))
    }

    /// Drops the dialling that is done; true if there was one.
    pub(super) fn has_dialled(&mut self) -> bool {
        let is_done = match self.dialling.as_deref() {
            None => false,
            Some(Dialling::Events(events)) => events.is_idle(),
            Some(Dialling::Tones(tones)) => tones.is_done(),
        };
        if is_done {
            self.dialling = None;
        }
        is_done
    }

    /// Sends this frame's part of the event that is under way.
    pub(super) fn dial_events(&mut self, now: Timestamp, out: &mut Outbox) {
        let resume = self.outgoing.timestamp_at(now);
        let Some(Dialling::Events(events)) = self.dialling.as_deref_mut() else { return };
        let Some(packet) = events.tick(resume) else { return };
        let payload_type = self.agreement.as_deref().and_then(|a| a.dtmf);
        let Some(payload_type) = payload_type else { return };
        let stamp = self.outgoing.insert(packet.timestamp, packet.marker);
        self.send(stamp, payload_type, &packet.payload, out);
    }

    /// Appends this frame's part of the tone that is under way; false when there is none.
    pub(super) fn dial_tones(&mut self, rate: Rate, samples: &mut Vec<i16>) -> bool {
        match self.dialling.as_deref_mut() {
            Some(Dialling::Tones(tones)) => tones.run(rate, samples),
            Some(Dialling::Events(_)) | None => false,
        }
    }

    /// Reports digits of the leg.
    pub(super) fn tell(&self, digits: &[Digit], by: DtmfBy) {
        for &Digit { digit, duration_ms } in digits {
            (self.sink)(MediaEvent::Dtmf { leg: self.id, digit, duration_ms, by });
        }
    }
}

impl Tones {
    fn is_done(&self) -> bool {
        self.digits.is_empty() && self.sounding.is_none() && self.frames == 0
    }

    fn run(&mut self, rate: Rate, samples: &mut Vec<i16>) -> bool {
        if self.frames == 0 {
            if self.sounding.take().is_some() {
                self.frames = RELEASED;
            } else {
                let Some(digit) = self.digits.pop_front() else { return false };
                self.sounding = Generator::dtmf(digit, rate);
                self.frames = if self.sounding.is_some() { PRESSED } else { 0 };
            }
        }
        self.frames = self.frames.saturating_sub(1);
        let Some(generator) = &mut self.sounding else { return false };
        generator.run(rate.frame(), samples);
        true
    }
}

/// What is known of the keys of a leg.
pub(super) struct Keys {
    events: EventReceiver,
    /// Listens to the audio of a leg that has no events.
    detector: Option<Box<Detector>>,
}

impl Keys {
    pub(super) fn new(clock: u32) -> Self {
        Self { events: EventReceiver::new(clock), detector: None }
    }

    /// Takes an event packet; gives the digits that are complete.
    pub(super) fn press(
        &mut self,
        now: Timestamp,
        header: &Header,
        payload: &[u8],
    ) -> SmallVec<[Digit; 2]> {
        self.events.on_packet(now, header.timestamp, payload)
    }

    /// Gives the digit whose end did not come.
    pub(super) fn poll(&mut self, now: Timestamp) -> Option<Digit> {
        self.events.poll(now)
    }

    /// Listens to 8 kHz audio.
    pub(super) fn listen(&mut self, samples: &[i16]) -> SmallVec<[Digit; 2]> {
        self.detector.get_or_insert_default().feed(samples)
    }

    /// Listens to a payload of a codec that needs no state to be decoded.
    pub(super) fn listen_to_payload(
        &mut self,
        codec: Codec,
        payload: &[u8],
        samples: &mut Vec<i16>,
    ) -> SmallVec<[Digit; 2]> {
        if !matches!(codec, Codec::Pcmu | Codec::Pcma) {
            return SmallVec::new();
        }
        samples.clear();
        if let Some(mut decoder) = Decoder::new(codec) {
            decoder.decode(payload, samples);
        }
        self.listen(samples)
    }
}

/// The event of another leg that is being passed on with a timestamp of the listener's stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Passing {
    /// The other leg's place and the event's timestamp there.
    event: Option<(u16, u32)>,
    timestamp: u32,
}

impl Passing {
    /// The timestamp of the event in the listener's stream: the moment of its first packet.
    pub(super) fn timestamp(
        &mut self,
        outgoing: &Outgoing,
        now: Timestamp,
        from: u16,
        header: &Header,
    ) -> u32 {
        if self.event != Some((from, header.timestamp)) {
            self.event = Some((from, header.timestamp));
            self.timestamp = outgoing.timestamp_at(now);
        }
        self.timestamp
    }
}
