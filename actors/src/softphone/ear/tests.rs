use std::net::{IpAddr, Ipv4Addr};

use tandem_engine::{Backend, Config, Handle};
use tandem_sdp::CryptoPair;

use super::*;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A leg of another member.
struct Leg {
    caps: Capabilities,
    local: Local,
}

impl Leg {
    fn new(crypto: CryptoPolicy, key: u8) -> Self {
        let local = Local {
            addr: LOOPBACK,
            port: 4_000,
            session_id: 1,
            version: 1,
            direction: Direction::SendRecv,
            key: Some([key; 30]),
        };
        Self { caps: Capabilities { crypto, ..capabilities(Codec::Pcmu) }, local }
    }

    /// What an ear that is offered its audio agrees to.
    fn agree(&self, ear: &mut Ear) -> Option<CryptoPair> {
        let offer = tandem_sdp::offer(&self.caps, &self.local);
        let answer = tandem_sdp::parse(&ear.answer(&offer).unwrap()).unwrap();
        let offer = tandem_sdp::parse(&offer).unwrap();
        tandem_sdp::accept(&self.caps, &self.local, &offer, &answer).unwrap().crypto
    }
}

fn engine() -> Handle {
    let library = std::env::temp_dir();
    let backend = Backend::Epoll;
    let config =
        Config { bind: LOOPBACK, advertised: None, ports: 0..=0, workers: 1, backend, library };
    tandem_engine::start(config).unwrap()
}

fn ear() -> Ear {
    Ear::open(&engine(), Codec::Pcmu, 1, Some(LOOPBACK)).unwrap()
}

#[tokio::test]
async fn audio_is_encrypted_where_the_leg_wants_it_and_stays_so() {
    let (mut ear, leg) = (ear(), Leg::new(CryptoPolicy::Required, 1));

    let agreed = leg.agree(&mut ear).unwrap();
    assert_eq!(leg.agree(&mut ear).unwrap(), agreed, "the same leg asks again");

    let held = tandem_sdp::parse(&ear.offer(true)).unwrap();
    let (answer, kept) = tandem_sdp::answer(&leg.caps, &leg.local, &held).unwrap();
    ear.accept(&answer);
    assert_eq!(kept.crypto, Some(agreed));
}

#[tokio::test]
async fn another_leg_gets_another_key() {
    let mut ear = ear();
    let first = Leg::new(CryptoPolicy::Required, 1).agree(&mut ear).unwrap();

    let second = Leg::new(CryptoPolicy::Required, 2).agree(&mut ear).unwrap();

    assert_ne!(first.receive, second.receive);
}

#[tokio::test]
async fn audio_is_plain_where_the_leg_says_so() {
    let mut ear = ear();

    assert_eq!(Leg::new(CryptoPolicy::Off, 1).agree(&mut ear), None);
    let offer = tandem_sdp::parse(&ear.offer(true)).unwrap();
    let leg = Leg::new(CryptoPolicy::Off, 1);
    assert!(tandem_sdp::answer(&leg.caps, &leg.local, &offer).is_ok());
}
