//! A browser's connection, by crate `webrtc`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RtpCodecKind,
};
use tandem_rtp::Header;
use tandem_sdp::Codec;
use tokio::sync::watch;
use tokio::time::timeout;
use webrtc::media_stream::MediaStreamTrack;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
    RTCConfigurationBuilder, RTCIceCandidateType, RTCIceGatheringState, RTCPeerConnectionState,
    RTCSessionDescription, Registry, SettingEngine, SettingEngineBuilder,
    register_default_interceptors,
};

use super::jack::{Jack, Plug};
use crate::ports::{Lease, PortPool};
use crate::types::EngineError;

/// How long finding our own addresses may take: they are all local.
const GATHERING: Duration = Duration::from_secs(3);
/// The longest description that is taken from a browser, in bytes.
const MAX_SDP: usize = 32 * 1024;
/// Payload types of telephone events, as browsers number them.
const EVENT_8K: u8 = 126;
const EVENT_48K: u8 = 110;

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Handshakes are under way.
    Connecting,
    /// Audio flows.
    Up,
    /// Nothing comes at the moment; it may come back.
    Down,
    /// It will not come back.
    Failed,
}

/// Told when [`Link`] changes. Called on the runtime's threads: it must not block.
pub type LinkSink = Arc<dyn Fn(Link) + Send + Sync>;

/// Why a browser could not be connected.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// Its offer is no audio of ours.
    #[error("the browser's offer can not be answered")]
    Offer(#[source] webrtc::error::Error),
    /// Its offer is too long to be one.
    #[error("the browser's offer is longer than {MAX_SDP} bytes")]
    TooLong,
    /// The library or the system refused.
    #[error("failed to open a connection for a browser")]
    Connection(#[source] webrtc::error::Error),
    /// No port.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The answer takes no audio of our codec.
    #[error("the browser does not speak the extension's codec")]
    NoAudio,
    /// Our own addresses were not found in time.
    #[error("no local address was found for a browser")]
    NoAddress,
}

/// Where connections are made.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) bind: IpAddr,
    pub(crate) advertised: Option<IpAddr>,
    pub(crate) reachable: IpAddr,
    pub(crate) ports: Arc<PortPool>,
}

/// A browser that is connected; the connection ends when the last clone is dropped.
pub struct Browser {
    shared: Arc<Shared>,
    connection: Arc<dyn PeerConnection>,
    codec: Codec,
    runtime: tokio::runtime::Handle,
    _lease: Lease,
}

/// Payload types as a browser numbers them.
#[derive(Debug, PartialEq, Eq)]
struct Types {
    audio: u8,
    /// Telephone events, of each clock: the library takes no notice of clocks when it answers, so
    /// which of its numbers the browser uses is seen only when it does.
    events: Vec<u8>,
}

/// What the packets' tasks share.
pub(super) struct Shared {
    track: TrackLocalStaticRTP,
    /// The numbers of audio and of telephone events, once they are agreed.
    types: OnceLock<Types>,
    stitch: Mutex<super::stitch::Stitch>,
    /// The jack that the browser talks to.
    listening: Mutex<Option<Arc<Plug>>>,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let connection = Arc::clone(&self.connection);
        self.runtime.spawn(async move {
            if let Err(error) = connection.close().await {
                tracing::debug!(%error, "a browser's connection did not close cleanly");
            }
        });
    }
}

impl Browser {
    /// Answers a browser's offer. The answer holds all our candidates; the browser's are learned
    /// from its connectivity checks (RFC 8445 section 2.5), so that none need be sent.
    ///
    /// # Errors
    /// [`BrowserError`].
    pub(crate) async fn connect(
        place: Place,
        offer: String,
        codec: Codec,
        sink: LinkSink,
    ) -> Result<(Self, String), BrowserError> {
        if offer.len() > MAX_SDP {
            return Err(BrowserError::TooLong);
        }
        let keys = event_types(&offer);
        let offer = RTCSessionDescription::offer(offer).map_err(BrowserError::Offer)?;
        let pair = place.ports.reserve()?;
        let (port, lease) = (pair.lease.port, pair.lease);
        // The library binds by itself; the lease keeps the port ours.
        drop((pair.rtp, pair.rtcp));
        let ssrc = rand::random();
        let shared = Arc::new(Shared::new(ssrc, codec));
        let (gathered, is_gathered) = watch::channel(false);
        let events = Arc::new(Events { shared: Arc::clone(&shared), sink, gathered });
        // Boxed, as the library's futures are large.
        let connection = Box::pin(build(&place, port, codec, events)).await?;
        let track: Arc<dyn TrackLocal> = Arc::new(shared.track.clone());
        connection.add_track(track).await.map_err(BrowserError::Connection)?;
        let answer = answer(connection.as_ref(), offer, is_gathered).await?;
        let audio = audio_type(&answer, codec).ok_or(BrowserError::NoAudio)?;
        // Set once: a connection answers one offer.
        let _first = shared.types.set(Types { audio, events: keys });
        let browser = Self {
            shared,
            connection,
            codec,
            runtime: tokio::runtime::Handle::current(),
            _lease: lease,
        };
        Ok((browser, answer))
    }

    /// The codec of its audio.
    #[must_use]
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// Lets the browser talk with this leg, or with nobody.
    pub fn talk_with(&self, jack: Option<&Jack>) {
        if let Some(jack) = jack {
            jack.plug().join(&self.shared);
        }
        *self.shared.listening.lock() = jack.map(|jack| Arc::clone(jack.plug()));
    }
}

impl Shared {
    fn new(ssrc: u32, codec: Codec) -> Self {
        let coding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc),
                ..RTCRtpCodingParameters::default()
            },
            codec: described(codec),
            ..RTCRtpEncodingParameters::default()
        };
        let track = MediaStreamTrack::new(
            "tandem".to_owned(),
            "audio".to_owned(),
            "audio".to_owned(),
            RtpCodecKind::Audio,
            vec![coding],
        );
        Self {
            track: TrackLocalStaticRTP::new(track),
            types: OnceLock::new(),
            stitch: Mutex::new(super::stitch::Stitch::new(ssrc, codec.clock_rate())),
            listening: Mutex::new(None),
        }
    }

    /// Sends a leg's packet to the browser if it talks with that leg.
    pub(super) async fn to_browser(&self, now: Instant, jack: u64, header: Header, payload: Bytes) {
        let Some(&Types { audio: payload_type, .. }) = self.types.get() else { return };
        let header = {
            let listening = self.listening.lock();
            if listening.as_ref().is_none_or(|plug| plug.number != jack) {
                return;
            }
            self.stitch.lock().next(now, jack, header)
        };
        let header = rtc::rtp::Header {
            version: 2,
            marker: header.marker,
            payload_type,
            sequence_number: header.sequence,
            timestamp: header.timestamp,
            ssrc: header.ssrc,
            ..rtc::rtp::Header::default()
        };
        let packet = rtc::rtp::Packet { header, payload };
        // Before the handshake has ended there is nobody to send to.
        let _unsent = self.track.write_rtp(packet).await;
    }

    /// Passes a packet of the browser on to the leg that it talks with.
    fn heard(&self, packet: &rtc::rtp::Packet) {
        let Some(plug) = self.listening.lock().clone() else { return };
        let Some(types) = self.types.get() else { return };
        let is_event = types.events.contains(&packet.header.payload_type);
        if !is_event && packet.header.payload_type != types.audio {
            return;
        }
        let header = Header {
            payload_type: packet.header.payload_type,
            marker: packet.header.marker,
            sequence: packet.header.sequence_number,
            timestamp: packet.header.timestamp,
            ssrc: packet.header.ssrc,
        };
        plug.send(header, &packet.payload, is_event);
    }
}

/// What the library tells us.
struct Events {
    shared: Arc<Shared>,
    sink: LinkSink,
    gathered: watch::Sender<bool>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Events {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.send_replace(true);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        (self.sink)(match state {
            RTCPeerConnectionState::Connected => Link::Up,
            RTCPeerConnectionState::Disconnected => Link::Down,
            RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => Link::Failed,
            _ => Link::Connecting,
        });
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    shared.heard(&packet);
                }
            }
        });
    }
}

async fn build(
    place: &Place,
    port: u16,
    codec: Codec,
    events: Arc<Events>,
) -> Result<Arc<dyn PeerConnection>, BrowserError> {
    let mut media = media(codec).map_err(BrowserError::Connection)?;
    let registry = register_default_interceptors(Registry::new(), &mut media)
        .map_err(BrowserError::Connection)?;
    let building = PeerConnectionBuilder::new()
        .with_configuration(RTCConfigurationBuilder::new().build())
        .with_media_engine(media)
        .with_setting_engine(settings(place))
        .with_interceptor_registry(registry)
        .with_handler(events)
        .with_udp_addrs(addresses(place, port))
        .build();
    let connection = Box::pin(building).await.map_err(BrowserError::Connection)?;
    Ok(Arc::new(connection))
}

async fn answer(
    connection: &dyn PeerConnection,
    offer: RTCSessionDescription,
    mut is_gathered: watch::Receiver<bool>,
) -> Result<String, BrowserError> {
    connection.set_remote_description(offer).await.map_err(BrowserError::Offer)?;
    let answer = connection.create_answer(None).await.map_err(BrowserError::Offer)?;
    connection.set_local_description(answer).await.map_err(BrowserError::Offer)?;
    match timeout(GATHERING, is_gathered.wait_for(|done| *done)).await {
        Ok(Ok(_)) => {}
        Ok(Err(_)) | Err(_) => return Err(BrowserError::NoAddress),
    }
    let description = connection.local_description().await.ok_or(BrowserError::NoAddress)?;
    Ok(description.sdp)
}

fn media(codec: Codec) -> Result<MediaEngine, webrtc::error::Error> {
    let mut media = MediaEngine::default();
    let audio =
        RTCRtpCodecParameters { rtp_codec: described(codec), payload_type: codec.payload_type() };
    media.register_codec(audio, RtpCodecKind::Audio)?;
    let events = RTCRtpCodec {
        mime_type: "audio/telephone-event".to_owned(),
        clock_rate: codec.clock_rate(),
        channels: 0,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: Vec::new(),
    };
    let events = RTCRtpCodecParameters { rtp_codec: events, payload_type: event_type(codec) };
    media.register_codec(events, RtpCodecKind::Audio)?;
    Ok(media)
}

/// The payload type of audio in an answer: it is the browser's.
fn audio_type(answer: &str, codec: Codec) -> Option<u8> {
    let encoding = format!("{}/{}", codec.name(), codec.clock_rate());
    types_of(answer, &encoding).next()
}

/// The payload types of telephone events in a browser's offer.
fn event_types(offer: &str) -> Vec<u8> {
    types_of(offer, "telephone-event/").collect()
}

/// The payload types of the encodings that begin so, whatever the case.
fn types_of<'a>(sdp: &'a str, start: &'a str) -> impl Iterator<Item = u8> + 'a {
    sdp.lines().filter_map(move |line| {
        let (number, encoding) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
        let is_it = encoding.get(..start.len())?.eq_ignore_ascii_case(start);
        if is_it { number.parse().ok() } else { None }
    })
}

const fn event_type(codec: Codec) -> u8 {
    match codec {
        Codec::Opus => EVENT_48K,
        Codec::Pcmu | Codec::Pcma | Codec::G722 => EVENT_8K,
    }
}

fn described(codec: Codec) -> RTCRtpCodec {
    let (channels, fmtp) = match codec {
        Codec::Opus => (2, "minptime=10;useinbandfec=1"),
        Codec::Pcmu | Codec::Pcma | Codec::G722 => (0, ""),
    };
    RTCRtpCodec {
        mime_type: format!("audio/{}", codec.name()),
        clock_rate: codec.clock_rate(),
        channels,
        sdp_fmtp_line: fmtp.to_owned(),
        rtcp_feedback: Vec::new(),
    }
}

fn settings(place: &Place) -> SettingEngine {
    let mut settings = SettingEngineBuilder::new()
        .with_lite(true)
        .with_include_loopback_candidate(is_local_only(place));
    if let Some(advertised) = place.advertised {
        let ips = vec![advertised.to_string()];
        settings = settings.with_nat_1to1_ips(ips, RTCIceCandidateType::Host);
    }
    settings.build()
}

/// A wildcard is every interface but loopback; a host that has no other gets that one.
fn addresses(place: &Place, port: u16) -> Vec<SocketAddr> {
    let bind = if is_local_only(place) { loopback(place.bind) } else { place.bind };
    vec![SocketAddr::new(bind, port)]
}

fn is_local_only(place: &Place) -> bool {
    place.reachable.is_loopback() || place.reachable.is_unspecified()
}

/// Where this host reaches sockets that are bound to an address.
pub(crate) fn loopback(bind: IpAddr) -> IpAddr {
    match bind {
        IpAddr::V4(addr) if addr.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(addr) if addr.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        bound => bound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_s_own_payload_types_are_taken() {
        let answer = "v=0\r\na=rtpmap:109 opus/48000/2\r\na=rtpmap:101 telephone-event/48000\r\n";

        assert_eq!(audio_type(answer, Codec::Opus), Some(109));
        assert_eq!(audio_type(answer, Codec::Pcmu), None);
    }

    #[test]
    fn telephone_events_of_each_clock_are_known() {
        let offer = "a=rtpmap:0 PCMU/8000\na=rtpmap:110 telephone-event/48000\n\
                     a=rtpmap:126 telephone-event/8000\n";

        assert_eq!(event_types(offer), [110, 126]);
        assert!(event_types("a=rtpmap:0 PCMU/8000\n").is_empty());
    }
}
