use tandem_sdp::{Codec, CryptoPair, Direction, Suite};

use super::*;

const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const AUDIO: &[u8] = b"what is said between two members";

fn agreement(remote: SocketAddr, crypto: Option<CryptoPair>) -> Agreement {
    Agreement {
        remote,
        remote_rtcp: remote,
        rtcp_mux: true,
        codec: Codec::Pcmu,
        payload_type: 0,
        accepts: vec![(0, Codec::Pcmu)],
        dtmf: None,
        dtmf_receive: None,
        dtmf_clock: 8_000,
        direction: Direction::SendRecv,
        ptime_ms: 20,
        crypto,
        held_by_remote: false,
    }
}

fn header(sequence: u16) -> Header {
    Header { payload_type: 0, marker: false, sequence, timestamp: 0, ssrc: 7 }
}

#[tokio::test]
async fn what_was_agreed_encrypted_is_neither_sent_nor_taken_plain() {
    let leg = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
    let at = leg.local_addr().unwrap();
    let suite = Suite::AesCm128HmacSha1_80;
    let ours = CryptoPair { send: [1; 30], receive: [2; 30], suite };
    let theirs = CryptoPair { send: [2; 30], receive: [1; 30], suite };
    let mut crypto = Crypto::new(&theirs).unwrap();
    let jack = Jack::open(LOOPBACK, 1).unwrap();
    jack.connect(agreement(at, Some(ours)));

    jack.plug().socket.writable().await.unwrap();
    jack.plug().send(header(1), AUDIO, false);
    let mut sent = vec![0; DATAGRAM];
    let length = leg.recv(&mut sent).await.unwrap();
    sent.truncate(length);
    assert!(!sent.windows(AUDIO.len()).any(|part| part == AUDIO), "{sent:?}");
    let length = crypto.unprotect_rtp(&mut sent).unwrap();
    assert_eq!(Packet::parse(&sent[..length]).unwrap().payload(), AUDIO);

    let mut plain = Vec::new();
    header(1).write(AUDIO, &mut plain);
    assert!(jack.plug().take(&mut plain.clone(), at).is_none());
    crypto.protect_rtp(&mut plain, 0).unwrap();
    let (_, payload) = jack.plug().take(&mut plain, at).unwrap();
    assert_eq!(payload, AUDIO);
}

#[tokio::test]
async fn what_was_agreed_plain_is_so() {
    let leg = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
    let at = leg.local_addr().unwrap();
    let jack = Jack::open(LOOPBACK, 1).unwrap();
    jack.connect(agreement(at, None));

    jack.plug().socket.writable().await.unwrap();
    jack.plug().send(header(1), AUDIO, false);
    let mut sent = vec![0; DATAGRAM];
    let length = leg.recv(&mut sent).await.unwrap();

    assert_eq!(Packet::parse(&sent[..length]).unwrap().payload(), AUDIO);
    assert!(jack.plug().take(&mut sent[..length], at).is_some());
    assert!(jack.plug().take(&mut sent[..length], jack.local()).is_none(), "from elsewhere");
}
