//! A worker with phones around it, in virtual time.

use std::collections::HashMap;
use std::f32::consts::TAU;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use tandem_sdp::{Agreement, Codec, CryptoPair, Direction, Suite};

use super::super::*;
use crate::codec::{Decoder, Encoder, rate_of};
use crate::library::Library;
use crate::outbox::Channel;
use crate::ports::PortPool;
use crate::scene::crypto::Crypto;
use crate::types::{Item, LegStats, MediaEvent, MediaSink, PlayerId, Programme, Source};
use tandem_kernel::LegId;

pub(super) const CALL: CallId = CallId::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);

pub(super) fn leg(index: u16) -> LegId {
    LegId { call: CALL, index }
}

/// What a phone is given.
pub(super) struct Setup {
    pub(super) codec: Codec,
    pub(super) payload_type: u8,
    pub(super) dtmf: Option<u8>,
    pub(super) direction: Direction,
    pub(super) ptime_ms: u8,
    pub(super) keys: Option<([u8; 30], [u8; 30])>,
}

impl Setup {
    pub(super) fn of(codec: Codec) -> Self {
        Self {
            codec,
            payload_type: codec.payload_type(),
            dtmf: Some(101),
            direction: Direction::SendRecv,
            ptime_ms: 20,
            keys: None,
        }
    }
}

/// An RTP packet as a phone got it.
#[derive(Clone, Debug)]
pub(super) struct Got {
    pub(super) at: Timestamp,
    pub(super) payload_type: u8,
    pub(super) marker: bool,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
    pub(super) payload: Vec<u8>,
}

/// A phone.
pub(super) struct Phone {
    pub(super) slot: u32,
    pub(super) addr: SocketAddr,
    setup: Setup,
    encoder: Encoder,
    /// What it says; it sends nothing without.
    pub(super) hertz: Option<f32>,
    phase: f32,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
    pub(super) got: Vec<Got>,
    pub(super) reports: Vec<Vec<u8>>,
    crypto: Option<Crypto>,
}

pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) worker: Worker,
    pub(super) phones: HashMap<u16, Phone>,
    pub(super) events: Arc<Mutex<Vec<MediaEvent>>>,
    out: Outbox,
    pool: Arc<PortPool>,
    library: Library,
    milliseconds: u64,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with_library(Path::new("."))
    }

    pub(super) fn with_library(root: &Path) -> Self {
        let pool = PortPool::new(IpAddr::from([127, 0, 0, 1]), &(0..=0)).unwrap();
        Self {
            now: Timestamp::from_secs(1_700_000_000),
            worker: Worker::new(StdRng::seed_from_u64(7)),
            phones: HashMap::new(),
            events: Arc::default(),
            out: Outbox::default(),
            pool: Arc::new(pool),
            library: Library::open(root.into()).unwrap(),
            milliseconds: 0,
        }
    }

    pub(super) fn sink(&self) -> MediaSink {
        let events = Arc::clone(&self.events);
        Arc::new(move |event| events.lock().push(event))
    }

    pub(super) fn command(&mut self, command: Command) -> Change {
        let change = self.worker.command(self.now, command, &mut self.out);
        self.deliver();
        change
    }

    pub(super) fn open(&mut self, leg: LegId, sink: MediaSink) -> Change {
        let ports = self.pool.reserve().unwrap();
        self.command(Command::Open { leg, sink, ports })
    }

    /// Opens a leg; gives its slot.
    pub(super) fn open_with(&mut self, leg: LegId, sink: MediaSink) -> u32 {
        let Change::Opened(slot, _) = self.open(leg, sink) else { panic!("not opened") };
        slot
    }

    /// Opens and connects a leg with a phone of this codec.
    pub(super) fn phone(&mut self, index: u16, codec: Codec) {
        self.phone_with(index, Setup::of(codec));
    }

    pub(super) fn phone_with(&mut self, index: u16, setup: Setup) {
        let slot = self.open_with(leg(index), self.sink());
        let addr = SocketAddr::from(([10, 0, 0, index as u8 + 1], 4_000));
        let crypto = setup.keys.map(|(ours, theirs)| {
            let pair =
                CryptoPair { send: theirs, receive: ours, suite: Suite::AesCm128HmacSha1_80 };
            Crypto::new(&pair).unwrap()
        });
        let phone = Phone {
            slot,
            addr,
            encoder: Encoder::new(setup.codec).unwrap(),
            hertz: None,
            phase: 0.0,
            sequence: 100 + index,
            timestamp: 1_000 * u32::from(index),
            ssrc: 50 + u32::from(index),
            got: Vec::new(),
            reports: Vec::new(),
            crypto,
            setup,
        };
        self.phones.insert(index, phone);
        self.connect(index, |_| {});
    }

    /// Connects a leg again, with a change of what its phone was set up with.
    pub(super) fn connect(&mut self, index: u16, change: impl FnOnce(&mut Agreement)) {
        let Phone { setup, addr, .. } = &self.phones[&index];
        let mut agreement = Agreement {
            remote: *addr,
            remote_rtcp: SocketAddr::new(addr.ip(), addr.port() + 1),
            rtcp_mux: false,
            codec: setup.codec,
            payload_type: setup.payload_type,
            accepts: vec![(setup.payload_type, setup.codec)],
            dtmf: setup.dtmf,
            dtmf_receive: setup.dtmf,
            dtmf_clock: setup.codec.clock_rate(),
            direction: setup.direction,
            ptime_ms: setup.ptime_ms,
            crypto: setup.keys.map(|(send, receive)| CryptoPair {
                send,
                receive,
                suite: Suite::AesCm128HmacSha1_80,
            }),
            held_by_remote: false,
        };
        change(&mut agreement);
        self.command(Command::Connect { leg: leg(index), agreement: Box::new(agreement) });
    }

    pub(super) fn hear(&mut self, index: u16, sources: Vec<Source>) {
        self.command(Command::Hear { leg: leg(index), sources });
    }

    /// Lets two legs hear exactly each other.
    pub(super) fn bridge(&mut self, a: u16, b: u16) {
        self.hear(a, vec![Source::Leg(leg(b))]);
        self.hear(b, vec![Source::Leg(leg(a))]);
    }

    pub(super) fn play(&mut self, player: u32, items: Vec<Item>, repeat: bool) {
        let track = self.library.track(Programme { items, repeat });
        for part in &track.parts {
            if let crate::library::Part::File(slot) = part {
                slot.wait();
            }
        }
        let (player, sink) = (PlayerId(player), self.sink());
        self.command(Command::Play { call: CALL, player, track, sink });
    }

    pub(super) fn say(&mut self, index: u16, hertz: f32) {
        self.phone_mut(index).hertz = Some(hertz);
    }

    pub(super) fn phone_mut(&mut self, index: u16) -> &mut Phone {
        self.phones.get_mut(&index).unwrap()
    }

    /// Lets time go by; phones that talk send every 20 ms.
    pub(super) fn run(&mut self, milliseconds: u64) {
        for _ in 0..milliseconds {
            self.milliseconds += 1;
            self.now = self.now + Duration::from_millis(1);
            let mut indices: Vec<u16> = self.phones.keys().copied().collect();
            indices.sort_unstable();
            for index in indices {
                // Each phone has its own place in the 20 ms.
                if (self.milliseconds + u64::from(index) * 7) % 20 == 3 {
                    self.talk(index);
                }
            }
            self.worker.slices(self.now, &mut self.out);
            self.deliver();
        }
    }

    fn talk(&mut self, index: u16) {
        let phone = self.phone_mut(index);
        let Some(hertz) = phone.hertz else { return };
        let rate = rate_of(phone.setup.codec);
        let step = TAU * hertz / rate.hertz() as f32;
        let samples: Vec<i16> = (0..rate.frame())
            .map(|_| {
                phone.phase = (phone.phase + step) % TAU;
                (phone.phase.sin() * 8_000.0) as i16
            })
            .collect();
        let mut payload = Vec::new();
        assert!(phone.encoder.encode(&samples, &mut payload));
        let payload_type = phone.setup.payload_type;
        self.send(index, payload_type, false, &payload);
        let phone = self.phone_mut(index);
        phone.timestamp = phone.timestamp.wrapping_add(phone.setup.codec.clock_rate() / 50);
    }

    /// Sends one packet with the phone's next sequence number.
    pub(super) fn send(&mut self, index: u16, payload_type: u8, marker: bool, payload: &[u8]) {
        let phone = self.phone_mut(index);
        let addr = phone.addr;
        let mut bytes = packet(phone, payload_type, marker, payload);
        phone.sequence = phone.sequence.wrapping_add(1);
        if let Some(crypto) = &mut phone.crypto {
            crypto.protect_rtp(&mut bytes, 0).unwrap();
        }
        self.inject(index, addr, &mut bytes);
    }

    /// Puts a datagram into a leg's RTP socket.
    pub(super) fn inject(&mut self, index: u16, source: SocketAddr, bytes: &mut [u8]) {
        let slot = self.phones[&index].slot;
        let arrival = Arrival { now: self.now, slot, channel: Channel::Rtp, source };
        self.worker.packet_in(&arrival, bytes, &mut self.out);
        self.deliver();
    }

    /// Puts a datagram into a leg's RTCP socket.
    pub(super) fn inject_report(&mut self, index: u16, bytes: &mut [u8]) {
        let Phone { slot, addr, .. } = self.phones[&index];
        let source = SocketAddr::new(addr.ip(), addr.port() + 1);
        let arrival = Arrival { now: self.now, slot, channel: Channel::Rtcp, source };
        self.worker.packet_in(&arrival, bytes, &mut self.out);
        self.deliver();
    }

    fn deliver(&mut self) {
        for parcel in self.out.parcels() {
            let phone = self.phones.values_mut().find(|p| p.addr.ip() == parcel.to.ip());
            let Some(phone) = phone else { continue };
            if parcel.channel == Channel::Rtcp {
                phone.reports.push(parcel.bytes.to_vec());
                continue;
            }
            let mut bytes = parcel.bytes.to_vec();
            let length = match &mut phone.crypto {
                Some(crypto) => crypto.unprotect_rtp(&mut bytes).unwrap(),
                None => bytes.len(),
            };
            bytes.truncate(length);
            phone.got.push(Got {
                at: self.now,
                payload_type: bytes[1] & 0x7f,
                marker: bytes[1] & 0x80 != 0,
                sequence: u16::from_be_bytes([bytes[2], bytes[3]]),
                timestamp: u32::from_be_bytes(bytes[4..8].try_into().unwrap()),
                ssrc: u32::from_be_bytes(bytes[8..12].try_into().unwrap()),
                payload: bytes[12..].to_vec(),
            });
        }
        self.out.clear();
    }

    /// Forgets what the phones got so far.
    pub(super) fn forget(&mut self) {
        self.phones.values_mut().for_each(|phone| phone.got.clear());
    }

    /// What a phone heard, decoded.
    pub(super) fn heard(&self, index: u16) -> Vec<i16> {
        let phone = &self.phones[&index];
        let mut decoder = Decoder::new(phone.setup.codec).unwrap();
        let mut samples = Vec::new();
        for got in phone.got.iter().filter(|g| g.payload_type == phone.setup.payload_type) {
            assert!(decoder.decode(&got.payload, &mut samples));
        }
        samples
    }

    /// The power of a frequency in what a phone heard, relative to all of it: 0 to 1.
    pub(super) fn share(&self, index: u16, hertz: f32) -> f32 {
        let samples = self.heard(index);
        let codec = self.phones[&index].setup.codec;
        // An Opus decoder that joins in the middle needs a moment to find its state.
        let joined = if codec == Codec::Opus { samples.len() / 4 } else { 0 };
        share(&samples[joined..], rate_of(codec).hertz(), hertz)
    }

    /// The loudest sample that a phone heard.
    pub(super) fn loudest(&self, index: u16) -> u16 {
        self.heard(index).iter().map(|s| s.unsigned_abs()).max().unwrap_or(0)
    }

    pub(super) fn stats(&mut self, index: u16) -> LegStats {
        let (reply, mut answer) = tokio::sync::oneshot::channel();
        self.command(Command::Stats { leg: leg(index), reply });
        answer.try_recv().unwrap()
    }

    /// Sequence numbers and timestamps of the audio a phone got go on without a jump.
    pub(super) fn assert_continuous(&self, index: u16) {
        let phone = &self.phones[&index];
        let frame = phone.setup.codec.clock_rate() / 50;
        for pair in phone.got.windows(2) {
            let [a, b] = pair else { unreachable!() };
            assert_eq!(a.ssrc, b.ssrc, "another SSRC");
            assert_eq!(b.sequence, a.sequence.wrapping_add(1), "a jump in sequence");
            let step = b.timestamp.wrapping_sub(a.timestamp);
            assert!(step > 0 && step <= 3 * frame, "a jump of {step} in timestamps");
            assert_eq!(step % frame, 0, "a timestamp between frames");
            let wait = b.at.since(a.at);
            assert!(wait <= Duration::from_millis(45), "a gap of {wait:?}");
        }
    }
}

/// The bytes of a packet with the phone's numbers.
pub(super) fn packet(phone: &Phone, payload_type: u8, marker: bool, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80, payload_type | if marker { 0x80 } else { 0 }];
    bytes.extend(phone.sequence.to_be_bytes());
    bytes.extend(phone.timestamp.to_be_bytes());
    bytes.extend(phone.ssrc.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The power of a frequency relative to all of the signal.
pub(super) fn share(samples: &[i16], rate: u32, hertz: f32) -> f32 {
    // Short blocks, so that a phase that jumps or a clock that differs does not matter.
    let block = rate as usize / 10;
    let (mut tone, mut all) = (0.0f64, 1.0f64);
    for block in samples.chunks_exact(block) {
        let (mut re, mut im) = (0.0f64, 0.0f64);
        for (n, &s) in block.iter().enumerate() {
            let angle = std::f64::consts::TAU * f64::from(hertz) * n as f64 / f64::from(rate);
            re += f64::from(s) * angle.cos();
            im += f64::from(s) * angle.sin();
            all += f64::from(s) * f64::from(s);
        }
        tone += 2.0 * (re * re + im * im) / block.len() as f64;
    }
    (tone / all) as f32
}
