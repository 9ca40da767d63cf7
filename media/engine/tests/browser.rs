//! A browser's connection, with crate `webrtc` in the browser's place: audio passes both ways, and
//! the browser sees one stream out of changing legs.
#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use tandem_engine::webrtc::{Browser, Jack, Link};
use tandem_engine::{Backend, Config, Handle};
use tandem_rtp::{Header, Packet};
use tandem_sdp::{Agreement, Codec, Direction};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use webrtc::media_stream::MediaStreamTrack;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
    RTCIceGatheringState, RTCSessionDescription, SettingEngineBuilder,
};

const SOON: Duration = Duration::from_secs(10);
const SSRC: u32 = 0x0bad_cafe;

/// The far end of the connection, as a browser would be.
struct Page {
    connection: Arc<dyn PeerConnection>,
    microphone: TrackLocalStaticRTP,
    heard: mpsc::UnboundedReceiver<rtc::rtp::Packet>,
}

struct Events {
    gathered: watch::Sender<bool>,
    heard: mpsc::UnboundedSender<rtc::rtp::Packet>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Events {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.send_replace(true);
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let heard = self.heard.clone();
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    heard.send(packet).unwrap();
                }
            }
        });
    }
}

fn pcmu() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: "audio/PCMU".to_owned(),
        clock_rate: 8_000,
        channels: 0,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: Vec::new(),
    }
}

impl Page {
    /// A page with its offer.
    async fn open() -> (Self, String) {
        let coding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(SSRC),
                ..RTCRtpCodingParameters::default()
            },
            codec: pcmu(),
            ..RTCRtpEncodingParameters::default()
        };
        let name = || "page".to_owned();
        let track =
            MediaStreamTrack::new(name(), name(), name(), RtpCodecKind::Audio, vec![coding]);
        let microphone = TrackLocalStaticRTP::new(track);
        let mut media = MediaEngine::default();
        media.register_default_codecs().unwrap();
        let (gathered, mut is_gathered) = watch::channel(false);
        let (sender, heard) = mpsc::unbounded_channel();
        let settings = SettingEngineBuilder::new().with_include_loopback_candidate(true).build();
        let building = PeerConnectionBuilder::new()
            .with_media_engine(media)
            .with_setting_engine(settings)
            .with_handler(Arc::new(Events { gathered, heard: sender }))
            .with_udp_addrs(vec!["127.0.0.1:0"])
            .build();
        let connection = Box::pin(building).await.unwrap();
        let connection: Arc<dyn PeerConnection> = Arc::new(connection);
        let track: Arc<dyn TrackLocal> = Arc::new(microphone.clone());
        connection.add_track(track).await.unwrap();
        let offer = connection.create_offer(None).await.unwrap();
        connection.set_local_description(offer).await.unwrap();
        timeout(SOON, is_gathered.wait_for(|done| *done)).await.unwrap().unwrap();
        let offer = connection.local_description().await.unwrap().sdp;
        (Self { connection, microphone, heard }, offer)
    }

    async fn speak(&self, sequence: u16) {
        let header = rtc::rtp::Header {
            version: 2,
            payload_type: 0,
            sequence_number: sequence,
            timestamp: u32::from(sequence) * 160,
            ssrc: SSRC,
            ..rtc::rtp::Header::default()
        };
        let packet = rtc::rtp::Packet { header, payload: Bytes::from_static(&[7; 160]) };
        self.microphone.write_rtp(packet).await.unwrap();
    }

    async fn hears(&mut self) -> rtc::rtp::Packet {
        timeout(SOON, self.heard.recv()).await.unwrap().unwrap()
    }
}

fn engine(library: &std::path::Path) -> Handle {
    let config = Config {
        bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
        advertised: None,
        ports: 0..=0,
        workers: 1,
        backend: Backend::Tokio,
        library: library.to_owned(),
    };
    tandem_engine::start(config).unwrap()
}

async fn connected(engine: &Handle) -> (Page, Browser) {
    let (page, offer) = Page::open().await;
    let (link, mut links) = watch::channel(Link::Connecting);
    let sink = Arc::new(move |now| {
        link.send_replace(now);
    });
    let (browser, answer) = engine.browser(offer, Codec::Pcmu, sink).await.unwrap();
    assert!(answer.contains("a=ice-lite") && answer.contains("a=candidate"), "{answer}");
    let answer = RTCSessionDescription::answer(answer).unwrap();
    page.connection.set_remote_description(answer).await.unwrap();
    timeout(SOON, links.wait_for(|link| *link == Link::Up)).await.unwrap().unwrap();
    (page, browser)
}

/// A leg of a call: a socket, and the jack that it is agreed with.
async fn leg(engine: &Handle) -> (UdpSocket, Jack) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let remote = socket.local_addr().unwrap();
    let jack = engine.jack(None).unwrap();
    jack.connect(Agreement {
        // Whatever the leg tells the world, it is on this host.
        remote: SocketAddr::new(IpAddr::from([203, 0, 113, 9]), remote.port()),
        remote_rtcp: remote,
        rtcp_mux: true,
        codec: Codec::Pcmu,
        payload_type: 96,
        accepts: vec![(97, Codec::Pcmu)],
        dtmf: Some(101),
        dtmf_receive: Some(101),
        dtmf_clock: 8_000,
        direction: Direction::SendRecv,
        ptime_ms: 20,
        crypto: None,
        held_by_remote: false,
    });
    (socket, jack)
}

async fn says(socket: &UdpSocket, jack: &Jack, payload_type: u8, sequence: u16) {
    let header = Header { payload_type, marker: false, sequence, timestamp: 5_000, ssrc: 77 };
    let mut datagram = Vec::new();
    header.write(&[9; 160], &mut datagram);
    socket.send_to(&datagram, jack.local()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn audio_passes_both_ways_by_the_payload_types_of_each_side() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(dir.path());
    let (mut page, browser) = connected(&engine).await;
    let (socket, jack) = leg(&engine).await;
    browser.talk_with(Some(&jack));

    page.speak(40).await;
    let mut buffer = [0; 2_048];
    let (length, _) = timeout(SOON, socket.recv_from(&mut buffer)).await.unwrap().unwrap();
    says(&socket, &jack, 96, 1).await;
    says(&socket, &jack, 97, 2).await;
    let heard = page.hears().await;

    let packet = Packet::parse(&buffer[..length]).unwrap();
    assert_eq!((packet.payload_type(), packet.sequence(), packet.payload().len()), (96, 40, 160));
    assert_eq!(heard.header.payload_type, 0);
    assert_eq!(&heard.payload[..], [9; 160], "what was not agreed is not passed on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_hears_the_leg_that_it_talks_with_as_one_stream() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(dir.path());
    let (mut page, browser) = connected(&engine).await;
    let (first, one) = leg(&engine).await;
    let (second, two) = leg(&engine).await;

    browser.talk_with(Some(&one));
    says(&first, &one, 97, 500).await;
    let before = page.hears().await.header;
    browser.talk_with(Some(&two));
    says(&first, &one, 97, 501).await;
    says(&second, &two, 97, 9).await;
    let after = page.hears().await.header;

    assert_eq!(after.ssrc, before.ssrc);
    assert_eq!(after.sequence_number, before.sequence_number.wrapping_add(1));
    assert!(after.timestamp.wrapping_sub(before.timestamp) < 8_000);
}
