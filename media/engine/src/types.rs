//! What callers say to the engine and hear from it.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tandem_kernel::{CallId, LegId};
use tandem_sdp::Codec;

/// How the engine is set up; all of it is fixed for the life of the process.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address that RTP sockets are bound to.
    pub bind: IpAddr,
    /// The address that is written into SDP when it is not the bound one (behind NAT).
    pub advertised: Option<IpAddr>,
    /// Ports for RTP and RTCP pairs, even and odd. A range that begins at 0 lets the system
    /// choose, for tests.
    pub ports: RangeInclusive<u16>,
    /// Worker threads; each owns the calls whose ids hash to it. At least 1.
    pub workers: usize,
    /// How a worker waits for packets.
    pub backend: Backend,
    /// The folder of prompts and music, WAV files of 16-bit mono samples.
    pub library: PathBuf,
}

/// How a worker waits for packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// A current-thread tokio runtime per worker.
    #[default]
    Tokio,
    /// A readiness loop of its own per worker; the least cost per packet.
    Epoll,
}

/// Where a leg receives, and the key it would send with: what goes into its SDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalMedia {
    /// The address to write into SDP.
    pub addr: IpAddr,
    /// The RTP port; RTCP is the next one.
    pub port: u16,
    /// A fresh SDES master key and salt (RFC 4568).
    pub key: [u8; 30],
}

/// What a leg can hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Another leg of the same call, or the leg itself (an echo).
    Leg(LegId),
    /// A player of the same call.
    Player(PlayerId),
}

/// Names a player within its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlayerId(pub u32);

/// What a player plays, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Programme {
    /// The parts, played without a gap.
    pub items: Vec<Item>,
    /// Begins again after the last part, for ever.
    pub repeat: bool,
}

/// One part of a programme.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A file of the library by its name without the ending, such as `en/queue-position`:
    /// `en/queue-position.wav`, and `en/queue-position.16k.wav` for wideband listeners if there
    /// is one.
    File(String),
    /// A file outside of the library, read for this play alone.
    Path(PathBuf),
    /// A call progress tone; without an end if no number of milliseconds is given.
    Tone(Tone, Option<u32>),
    /// Silence.
    Silence {
        /// How long, in milliseconds.
        ms: u32,
    },
    /// What the hearing leg itself says, until the player is stopped.
    Echo,
}

/// Call progress tones, ITU-T E.180 with the European frequency of 425 Hz.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tone {
    /// Continuous.
    Dial,
    /// 1 s on, 4 s off.
    RingBack,
    /// 0.5 s on, 0.5 s off.
    Busy,
    /// 0.25 s on, 0.25 s off.
    Congestion,
    /// One continuous frequency in hertz.
    Hz(f32),
}

/// Where events of a leg or a player go. Called on the worker's thread: it must not block.
pub type MediaSink = Arc<dyn Fn(MediaEvent) + Send + Sync>;

/// Where the last figures of a leg go. Called on the worker's thread: it must not block.
pub type LastStats = Box<dyn FnOnce(LegStats) + Send>;

/// What the engine reports.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaEvent {
    /// A digit was pressed; reported once, when it has ended.
    Dtmf {
        /// The leg that pressed it.
        leg: LegId,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        digit: char,
        /// How long it was held.
        duration_ms: u32,
        /// How it was heard.
        by: DtmfBy,
    },
    /// A player came to the end of its programme; not reported when it was stopped.
    Finished {
        /// The call.
        call: CallId,
        /// The player.
        player: PlayerId,
    },
    /// A part of a programme could not be played and was skipped.
    NotPlayed {
        /// The call.
        call: CallId,
        /// The player.
        player: PlayerId,
        /// What was wrong with which part.
        why: String,
    },
    /// Nothing has come from a leg that should send; repeated while it lasts.
    NoMedia {
        /// The silent leg.
        leg: LegId,
        /// For how long by now.
        for_secs: u32,
    },
    /// A leg that was reported by [`MediaEvent::NoMedia`] sends again.
    MediaBack {
        /// The leg.
        leg: LegId,
    },
    /// A leg can not be served.
    Failed {
        /// The leg.
        leg: LegId,
        /// What was wrong.
        why: String,
    },
}

/// How a digit was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DtmfBy {
    /// As a telephone-event, RFC 4733.
    Event,
    /// As a tone within the audio, on a leg that agreed on no telephone-event.
    InBand,
}

/// What is known about a leg's media.
#[derive(Clone, Debug, PartialEq)]
pub struct LegStats {
    /// The codec we send with; none before the leg is connected.
    pub codec: Option<Codec>,
    /// Where we send to; none before the leg is connected.
    pub remote: Option<SocketAddr>,
    /// RTP packets taken from the leg.
    pub packets_received: u64,
    /// Their payload octets.
    pub octets_received: u64,
    /// RTP packets sent to the leg.
    pub packets_sent: u64,
    /// Their payload octets.
    pub octets_sent: u64,
    /// Packets that should have come and did not (RFC 3550 A.3).
    pub lost: u64,
    /// Packets that the other end says it missed (from its RTCP reports).
    pub lost_by_remote: u64,
    /// Interarrival jitter (RFC 3550 A.8).
    pub jitter: Duration,
    /// Round trip by RTCP, when the other end reports.
    pub round_trip: Option<Duration>,
    /// An estimate of the mean opinion score of what we receive, 1.0 to 4.5 (ITU-T G.107).
    pub mos: f32,
    /// What the engine adds between this leg and its listeners: zero on the fast path.
    pub added_delay: Duration,
    /// Whether everything that this leg hears is relayed without decoding.
    pub is_relayed: bool,
    /// Packets from a source that is not the leg's other end.
    pub refused_source: u64,
    /// Packets above twice the codec's rate.
    pub refused_flood: u64,
    /// Packets that are not RTP, do not verify, or have a payload type that was not agreed.
    pub refused_malformed: u64,
}

/// How busy the engine is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Legs that are open.
    pub legs: usize,
    /// Commands that no worker has taken yet.
    pub waiting_commands: usize,
    /// RTP and RTCP datagrams that came in since the start.
    pub packets_in: u64,
    /// RTP and RTCP datagrams that went out since the start.
    pub packets_out: u64,
    /// Datagrams that the system refused to send.
    pub send_failures: u64,
    /// Datagrams that came for a leg that was closed already.
    pub late_packets: u64,
    /// Time slices that a worker skipped because it was too busy.
    pub skipped_slices: u64,
}

/// Why the engine could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No RTP port pair of the range is free.
    #[error("no RTP port pair is free")]
    NoPort,
    /// The worker of this call has too many commands waiting.
    #[error("the media worker is overloaded")]
    Overloaded,
    /// The port range holds no pair of an even port and the next odd one.
    #[error("the RTP port range {first}-{last} holds no even and odd pair")]
    NoPairInRange {
        /// The first port of the range.
        first: u16,
        /// The last port of the range.
        last: u16,
    },
    /// The system refused a socket or a thread.
    #[error("failed to {doing}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}
