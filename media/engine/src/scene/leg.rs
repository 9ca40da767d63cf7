//! One party of a call: what was agreed, its two streams, and what we hold for it.

use std::net::SocketAddr;

use rand::rngs::StdRng;
use smallvec::SmallVec;
use tandem_kernel::{LegId, Timestamp};
use tandem_rtp::{Header, Latch};
use tandem_sdp::{Agreement, Codec};

use super::crypto::Crypto;
use super::decoding::Decoding;
use super::digits::{Dialling, Keys, Passing};
use super::encoding::Encoding;
use super::outgoing::{Outgoing, Stamp};
use super::plan::Feed;
use super::police::Police;
use super::report::Figures;
use crate::outbox::{Channel, Outbox};
use crate::recording::Tape;
use crate::resample::RateSet;
use crate::types::{MediaEvent, MediaSink, Source};

/// One leg. What only decoding, encoding or encryption needs is allocated when it is needed:
/// most legs are relayed.
pub(super) struct Leg {
    pub(super) id: LegId,
    /// The worker's number of its sockets.
    pub(super) slot: u32,
    pub(super) sink: MediaSink,
    /// None before the leg is connected.
    pub(super) agreement: Option<Box<Agreement>>,
    /// Its row of the hearing matrix.
    pub(super) hears: Vec<Source>,
    pub(super) feed: Feed,
    /// The places of the legs that get its packets as they are.
    pub(super) relays: SmallVec<[u16; 2]>,
    /// At which rates its audio is wanted in the mix.
    pub(super) wanted: RateSet,
    /// The codec that it sends.
    pub(super) receiving: Codec,
    /// The leg that it is relayed from is quiet: it gets silence meanwhile.
    pub(super) is_filled: bool,
    pub(super) outgoing: Outgoing,
    pub(super) police: Police,
    /// None before the leg is connected.
    pub(super) latch: Option<Latch>,
    pub(super) crypto: Option<Box<Crypto>>,
    pub(super) decoding: Option<Box<Decoding>>,
    pub(super) encoding: Option<Box<Encoding>>,
    pub(super) keys: Keys,
    pub(super) passing: Passing,
    pub(super) dialling: Option<Box<Dialling>>,
    /// Where what it says is recorded.
    pub(super) tape: Option<Box<Tape>>,
    pub(super) figures: Figures,
}

impl Leg {
    pub(super) fn new(
        now: Timestamp,
        id: LegId,
        slot: u32,
        sink: MediaSink,
        rng: &mut StdRng,
    ) -> Self {
        let codec = Codec::Pcmu;
        Self {
            id,
            slot,
            sink,
            agreement: None,
            hears: Vec::new(),
            feed: Feed::default(),
            relays: SmallVec::new(),
            wanted: RateSet::default(),
            receiving: codec,
            is_filled: false,
            outgoing: Outgoing::new(rng, codec.clock_rate()),
            police: Police::new(now),
            latch: None,
            crypto: None,
            decoding: None,
            encoding: None,
            keys: Keys::new(codec.clock_rate()),
            passing: Passing::default(),
            dialling: None,
            tape: None,
            figures: Figures::new(now, codec.clock_rate()),
        }
    }

    /// Takes on what was agreed. What did not change goes on without a break: the stream's
    /// numbers, the SRTP rollover counter, the source that was learnt.
    pub(super) fn connect(&mut self, now: Timestamp, agreement: Box<Agreement>, rng: &mut StdRng) {
        let before = self.agreement.take();
        let before = before.as_deref();
        let clock = agreement.codec.clock_rate();
        if self.outgoing.clock() != clock {
            // RFC 7160 4.1: another clock is another SSRC.
            self.outgoing = Outgoing::new(rng, clock);
        }
        if before.is_none_or(|b| b.codec != agreement.codec) {
            self.receiving = agreement.codec;
            self.figures.restart(agreement.codec.clock_rate());
        }
        if let Err(error) = Crypto::agree(&mut self.crypto, agreement.crypto.as_ref()) {
            let why = format!("no encryption with the agreed keys: {error}");
            (self.sink)(MediaEvent::Failed { leg: self.id, why });
            return;
        }
        match &mut self.latch {
            Some(latch) => latch.relearn(agreement.remote),
            none => *none = Some(Latch::new(agreement.remote)),
        }
        if before.is_none_or(|b| b.dtmf_clock != agreement.dtmf_clock) {
            self.keys = Keys::new(agreement.dtmf_clock);
        }
        if before.is_none_or(|b| (b.dtmf, b.dtmf_clock) != (agreement.dtmf, agreement.dtmf_clock)) {
            self.dialling = None;
        }
        self.police.expect(agreement.ptime_ms);
        self.figures.expect_media(now);
        self.agreement = Some(agreement);
    }

    /// The codec that we send with.
    pub(super) fn codec(&self) -> Codec {
        self.agreement.as_deref().map_or(self.receiving, |agreement| agreement.codec)
    }

    /// Whether others may hear it: it is connected and its direction lets it speak.
    pub(super) fn is_heard(&self) -> bool {
        self.agreement.as_deref().is_some_and(|a| a.direction.receives())
    }

    /// Whether it presses keys as telephone-events.
    pub(super) fn takes_events(&self) -> bool {
        self.agreement.as_deref().is_some_and(|a| a.dtmf_receive.is_some())
    }

    /// Whether it has work in each frame.
    pub(super) fn needs_frames(&self) -> bool {
        self.feed == Feed::Mix
            || self.is_filled
            || !self.wanted.is_empty()
            || self.dialling.is_some()
    }

    /// Allocates what its plan needs and drops what it does not.
    pub(super) fn hold_what_is_needed(&mut self) {
        if !matches!(self.feed, Feed::Relay(_)) {
            self.is_filled = false;
        }
        let Some(agreement) = self.agreement.as_deref() else { return };
        if self.wanted.is_empty() {
            self.decoding = None;
        } else if self.decoding.as_ref().is_none_or(|d| d.codec() != self.receiving) {
            self.decoding = Decoding::new(self.receiving).map(Box::new);
            if self.decoding.is_none() {
                self.lacks_codec();
            }
        }
        let (codec, ptime) = (agreement.codec, agreement.ptime_ms);
        if self.feed != Feed::Mix && !self.is_filled {
            self.encoding = None;
        } else if self.encoding.as_ref().is_none_or(|e| !e.suits(codec, ptime)) {
            self.encoding = Encoding::new(codec, ptime).map(Box::new);
            if self.encoding.is_none() {
                self.lacks_codec();
            }
        }
    }

    fn lacks_codec(&self) {
        let why = format!("{} can not be set up", self.receiving.name());
        (self.sink)(MediaEvent::Failed { leg: self.id, why });
    }

    /// Where its packets go; nowhere before it is connected and on an old-style hold.
    pub(super) fn destination(&self) -> Option<SocketAddr> {
        let to = self.latch.as_ref()?.remote();
        (!to.ip().is_unspecified() && to.port() != 0).then_some(to)
    }

    /// Sends one RTP packet.
    pub(super) fn send(
        &mut self,
        stamp: Stamp,
        payload_type: u8,
        payload: &[u8],
        out: &mut Outbox,
    ) {
        let Some(to) = self.destination() else { return };
        let header = Header {
            payload_type,
            marker: stamp.marker,
            sequence: stamp.sequence,
            timestamp: stamp.timestamp,
            ssrc: stamp.ssrc,
        };
        let crypto = self.crypto.as_deref_mut();
        let sent = out.add(self.slot, Channel::Rtp, to, |bytes, start| {
            header.write(payload, bytes);
            crypto.map_or(Some(()), |crypto| crypto.protect_rtp(bytes, start))
        });
        if sent.is_some() {
            self.figures.note_sent(payload.len());
        }
    }
}
