//! A phone for tests over real sockets: sends a tone in real time and keeps what it hears.

#![allow(dead_code, clippy::unwrap_used)]

use std::f32::consts::TAU;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use audio_codec::{CodecType, create_decoder, create_encoder};
use tandem_engine::{Backend, Config, Handle, LocalMedia, MediaSink};
use tandem_kernel::{CallId, LegId};
use tandem_rtp::{Header, Packet, Protect, Suite, Unprotect};
use tandem_sdp::{Agreement, Codec, CryptoPair, Direction};

pub(crate) const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(crate) fn config(backend: Backend) -> Config {
    Config {
        bind: HOST,
        advertised: None,
        ports: 0..=0,
        workers: 1,
        backend,
        library: std::env::temp_dir(),
    }
}

pub(crate) fn deaf() -> MediaSink {
    Arc::new(|_| {})
}

/// What a phone is to do.
#[derive(Clone, Copy)]
pub(crate) struct Role {
    pub(crate) codec: Codec,
    pub(crate) hertz: Option<f32>,
    pub(crate) is_encrypted: bool,
}

impl Role {
    pub(crate) fn of(codec: Codec, hertz: f32) -> Self {
        Self { codec, hertz: Some(hertz), is_encrypted: false }
    }
}

/// What a phone heard.
pub(crate) struct Heard {
    pub(crate) codec: Codec,
    pub(crate) packets: Vec<(Header, Vec<u8>)>,
}

pub(crate) struct Peer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Heard>,
}

impl Peer {
    /// Opens and connects a leg and starts a phone at its other end.
    pub(crate) fn start(engine: &Handle, leg: LegId, role: Role) -> Self {
        let local = engine.open(leg, deaf()).unwrap();
        let socket = UdpSocket::bind((HOST, 0)).unwrap();
        let key = [leg.index as u8 + 1; 30];
        let crypto = role.is_encrypted.then_some(CryptoPair {
            send: local.key,
            receive: key,
            suite: tandem_sdp::Suite::AesCm128HmacSha1_80,
        });
        engine.connect(leg, agreement(role.codec, socket.local_addr().unwrap(), crypto));
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || talk(&socket, local, role, key, &stopped));
        Self { stop, thread }
    }

    pub(crate) fn hang_up(self) -> Heard {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

pub(crate) fn agreement(codec: Codec, remote: SocketAddr, crypto: Option<CryptoPair>) -> Agreement {
    Agreement {
        remote,
        remote_rtcp: remote,
        rtcp_mux: true,
        codec,
        payload_type: codec.payload_type(),
        accepts: vec![(codec.payload_type(), codec)],
        dtmf: Some(101),
        dtmf_receive: Some(101),
        dtmf_clock: 8_000,
        direction: Direction::SendRecv,
        ptime_ms: 20,
        crypto,
        held_by_remote: false,
    }
}

fn kind(codec: Codec) -> CodecType {
    match codec {
        Codec::Pcmu => CodecType::PCMU,
        Codec::Pcma => CodecType::PCMA,
        Codec::G722 => CodecType::G722,
        Codec::Opus => CodecType::Opus,
    }
}

fn talk(
    socket: &UdpSocket,
    local: LocalMedia,
    role: Role,
    key: [u8; 30],
    stop: &AtomicBool,
) -> Heard {
    let suite = Suite::AesCm128HmacSha1_80;
    let mut crypto = role
        .is_encrypted
        .then(|| (Protect::new(&key, suite).unwrap(), Unprotect::new(&local.key, suite).unwrap()));
    let mut encoder = create_encoder(kind(role.codec));
    let rate = role.codec.sample_rate();
    let (mut phase, mut packets) = (0.0f32, Vec::new());
    let mut header = Header {
        payload_type: role.codec.payload_type(),
        marker: true,
        sequence: 1,
        timestamp: 0,
        ssrc: 42,
    };
    let mut due = Instant::now();
    let mut buffer = [0; 2048];
    while !stop.load(Ordering::Relaxed) {
        if let (true, Some(hertz)) = (Instant::now() >= due, role.hertz) {
            let samples: Vec<i16> = (0..rate / 50)
                .map(|_| {
                    phase = (phase + TAU * hertz / rate as f32) % TAU;
                    (phase.sin() * 8_000.0) as i16
                })
                .collect();
            let mut bytes = Vec::new();
            header.write(&encoder.encode(&samples), &mut bytes);
            if let Some((protect, _)) = &mut crypto {
                bytes = protect.rtp(&bytes).unwrap().to_vec();
            }
            socket.send_to(&bytes, (local.addr, local.port)).unwrap();
            header.sequence = header.sequence.wrapping_add(1);
            header.timestamp = header.timestamp.wrapping_add(role.codec.clock_rate() / 50);
            header.marker = false;
            due += Duration::from_millis(20);
        }
        let wait = due.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        socket.set_read_timeout(Some(wait.min(Duration::from_millis(20)))).unwrap();
        let Ok(length) = socket.recv(&mut buffer) else { continue };
        let mut bytes = buffer[..length].to_vec();
        if tandem_rtp::is_rtcp(&bytes) {
            continue;
        }
        if let Some((_, unprotect)) = &mut crypto {
            bytes = unprotect.rtp(&bytes).unwrap().to_vec();
        }
        let packet = Packet::parse(&bytes).unwrap();
        packets.push((packet.header(), packet.payload().to_vec()));
    }
    Heard { codec: role.codec, packets }
}

impl Heard {
    /// The share of a frequency in the power of the last second, by zero crossings for the
    /// frequency and by correlation for the share.
    pub(crate) fn share(&self, hertz: f32) -> f32 {
        let mut decoder = create_decoder(kind(self.codec));
        let mut samples = Vec::new();
        for (_, payload) in &self.packets {
            samples.extend(decoder.decode(payload));
        }
        // Opus of this library decodes to the rate of the codec, in one channel or two.
        let rate = decoder.sample_rate() as usize * usize::from(decoder.channels());
        if decoder.channels() == 2 {
            samples = samples.chunks_exact(2).map(|pair| pair[0]).collect();
        }
        let rate = rate / usize::from(decoder.channels());
        let samples = &samples[samples.len().saturating_sub(rate)..];
        let block = rate / 20;
        let (mut tone, mut all) = (0.0f64, 1.0f64);
        for block in samples.chunks_exact(block) {
            let (mut re, mut im) = (0.0f64, 0.0f64);
            for (n, &s) in block.iter().enumerate() {
                let angle = std::f64::consts::TAU * f64::from(hertz) * n as f64 / rate as f64;
                re += f64::from(s) * angle.cos();
                im += f64::from(s) * angle.sin();
                all += f64::from(s) * f64::from(s);
            }
            tone += 2.0 * (re * re + im * im) / block.len() as f64;
        }
        (tone / all) as f32
    }

    /// One SSRC, and sequence numbers that follow on each other but for lost packets.
    pub(crate) fn assert_one_stream(&self) {
        assert!(!self.packets.is_empty());
        for pair in self.packets.windows(2) {
            let ([(a, _), (b, _)], frame) = (pair, self.codec.clock_rate() / 50) else {
                unreachable!()
            };
            assert_eq!(a.ssrc, b.ssrc);
            let step = b.sequence.wrapping_sub(a.sequence);
            assert!((1..10).contains(&step), "a jump of {step} in sequence");
            let time = b.timestamp.wrapping_sub(a.timestamp);
            assert!((frame..25 * frame).contains(&time), "a jump of {time} in time");
        }
    }
}

pub(crate) fn call() -> CallId {
    CallId::fresh()
}

pub(crate) fn leg(call: CallId, index: u16) -> LegId {
    LegId { call, index }
}
