#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use crate::*;

fn local(port: u16, key: u8) -> Local {
    Local {
        addr: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        port,
        session_id: 4_711,
        version: 1,
        direction: Direction::SendRecv,
        key: Some([key; 30]),
    }
}

fn caps(codecs: &[Codec]) -> Capabilities {
    Capabilities { codecs: codecs.to_vec(), ..Capabilities::default() }
}

fn described(lines: &str) -> Description {
    let text = format!("v=0\r\no=phone 1 1 IN IP4 198.51.100.7\r\ns=-\r\nt=0 0\r\n{lines}");
    parse(text.as_bytes()).unwrap()
}

const PHONE: &str = "c=IN IP4 198.51.100.7\r\nm=audio 5004 RTP/AVP 9 8 101\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:30\r\n";

fn text(body: &[u8]) -> &str {
    std::str::from_utf8(body).unwrap()
}

#[test]
fn a_phones_first_codec_among_ours_is_answered() {
    let offer = described(PHONE);

    let (body, agreed) =
        answer(&caps(&[Codec::Pcma, Codec::G722]), &local(40_000, 1), &offer).unwrap();

    assert_eq!((agreed.codec, agreed.payload_type), (Codec::G722, 9));
    assert_eq!(agreed.accepts, vec![(9, Codec::G722)]);
    assert_eq!(
        (agreed.dtmf, agreed.dtmf_receive, agreed.dtmf_clock),
        (Some(101), Some(101), 8_000)
    );
    assert_eq!(agreed.remote, "198.51.100.7:5004".parse().unwrap());
    assert_eq!(agreed.remote_rtcp, "198.51.100.7:5005".parse().unwrap());
    assert!(text(&body).contains("m=audio 40000 RTP/AVP 9 101\r\na=rtpmap:9 G722/8000\r\n"));
}

#[test]
fn our_first_codec_is_answered_when_our_order_counts() {
    let ours = Capabilities { prefer: Preference::Ours, ..caps(&[Codec::Pcma, Codec::G722]) };

    let (_, agreed) = answer(&ours, &local(40_000, 1), &described(PHONE)).unwrap();

    assert_eq!(agreed.codec, Codec::Pcma);
}

#[test]
fn an_offer_without_a_common_codec_is_not_acceptable() {
    let refused = answer(&caps(&[Codec::Opus]), &local(40_000, 1), &described(PHONE));

    assert_eq!(refused.unwrap_err(), Unacceptable::NoCommonCodec);
}

#[test]
fn extra_streams_are_refused_in_their_places() {
    let offer = described(
        "c=IN IP4 198.51.100.7\r\nm=video 6000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n\
         m=audio 5004 RTP/AVP 0\r\nm=audio 5010 RTP/AVP 8\r\nm=image 5008 udptl t38\r\n",
    );

    let (body, agreed) = answer(&Capabilities::default(), &local(40_000, 1), &offer).unwrap();

    let answered = parse(&body).unwrap();
    let ports: Vec<_> = answered.media.iter().map(|m| (m.kind.as_str(), m.port)).collect();
    assert_eq!(ports, [("video", 0), ("audio", 40_000), ("audio", 0), ("image", 0)]);
    assert_eq!(agreed.codec, Codec::Pcmu);
}

#[test]
fn opus_keeps_its_offered_number_and_takes_events_of_its_own_clock() {
    let offer = described(
        "c=IN IP4 198.51.100.7\r\nm=audio 5004 RTP/AVP 96 101 102\r\n\
         a=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n\
         a=rtpmap:102 telephone-event/48000\r\n",
    );

    let (body, agreed) = answer(&Capabilities::default(), &local(40_000, 1), &offer).unwrap();

    assert_eq!((agreed.codec, agreed.payload_type), (Codec::Opus, 96));
    assert_eq!((agreed.dtmf, agreed.dtmf_clock), (Some(102), 48_000));
    assert!(text(&body).contains("a=fmtp:96 useinbandfec=1\r\n"));
}

#[test]
fn a_phone_that_holds_is_only_heard_or_not_at_all() {
    for (line, ours) in [
        ("a=sendonly\r\n", Direction::RecvOnly),
        ("a=inactive\r\n", Direction::Inactive),
        ("a=recvonly\r\n", Direction::SendOnly),
    ] {
        let offer = described(&format!("{PHONE}{line}"));

        let (body, agreed) = answer(&Capabilities::default(), &local(4, 1), &offer).unwrap();

        assert_eq!(agreed.direction, ours);
        assert_eq!(agreed.held_by_remote, line != "a=recvonly\r\n");
        assert!(text(&body).contains(ours.as_str()));
    }
}

#[test]
fn the_zero_address_is_a_hold() {
    let offer = described("c=IN IP4 0.0.0.0\r\nm=audio 5004 RTP/AVP 0\r\n");

    let (_, agreed) = answer(&Capabilities::default(), &local(4, 1), &offer).unwrap();

    assert!(agreed.held_by_remote && !agreed.direction.sends());
}

#[test]
fn rtcp_goes_where_the_peer_says_but_not_to_a_third_host() {
    for (line, port) in [
        ("a=rtcp:5555\r\n", 5_555),
        ("a=rtcp:5555 IN IP4 198.51.100.7\r\n", 5_555),
        ("a=rtcp:5555 IN IP4 203.0.113.9\r\n", 5_005),
        ("a=rtcp-mux\r\n", 5_004),
    ] {
        let offer = described(&format!("{PHONE}{line}"));

        let (body, agreed) = answer(&Capabilities::default(), &local(4, 1), &offer).unwrap();

        assert_eq!(agreed.remote_rtcp.port(), port, "{line}");
        assert_eq!(agreed.rtcp_mux, text(&body).contains("a=rtcp-mux"));
    }
}

#[test]
fn media_for_many_or_of_another_family_is_not_acceptable() {
    for address in
        ["IP4 224.2.1.1/127", "IP4 255.255.255.255", "IP6 2001:db8::1", "IP4 host.invalid"]
    {
        let offer = described(&format!("c=IN {address}\r\nm=audio 5004 RTP/AVP 0\r\n"));

        let refused = answer(&Capabilities::default(), &local(4, 1), &offer);

        assert_eq!(refused.unwrap_err(), Unacceptable::Address, "{address}");
    }
}

#[test]
fn ipv6_is_offered_and_taken() {
    let ours = Local { addr: IpAddr::V6(Ipv6Addr::LOCALHOST), ..local(4_000, 1) };
    let offered = offer(&Capabilities::default(), &ours);
    assert!(text(&offered).contains("c=IN IP6 ::1\r\n"));

    let (_, agreed) = answer(&Capabilities::default(), &ours, &parse(&offered).unwrap()).unwrap();

    assert_eq!(agreed.remote, "[::1]:4000".parse().unwrap());
}

#[test]
fn a_packet_time_is_taken_in_our_steps() {
    for (lines, ptime) in [
        ("", 20),
        ("a=ptime:20\r\n", 20),
        ("a=ptime:10\r\n", 20),
        ("a=ptime:30\r\n", 20),
        ("a=ptime:40\r\n", 40),
        ("a=ptime:40\r\na=maxptime:20\r\n", 20),
        ("a=ptime:-7\r\n", 20),
        ("a=ptime:9e30\r\n", 60),
    ] {
        let offer =
            described(&format!("c=IN IP4 198.51.100.7\r\nm=audio 5004 RTP/AVP 0\r\n{lines}"));

        let (_, agreed) = answer(&Capabilities::default(), &local(4, 1), &offer).unwrap();

        assert_eq!(agreed.ptime_ms, ptime, "{lines}");
    }
}

const KEY_LINE: &str = "1 AES_CM_128_HMAC_SHA1_80 \
    inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20";

fn secure(line: &str) -> Description {
    described(&format!("c=IN IP4 198.51.100.7\r\nm=audio 5004 RTP/SAVP 0\r\na=crypto:{line}\r\n"))
}

fn with_crypto(crypto: CryptoPolicy) -> Capabilities {
    Capabilities { crypto, ..Capabilities::default() }
}

#[test]
fn an_encrypted_offer_is_answered_with_our_own_key_under_the_same_tag() {
    let offer = secure(&KEY_LINE.replacen('1', "7", 1));

    let (body, agreed) =
        answer(&with_crypto(CryptoPolicy::Optional), &local(4_000, 9), &offer).unwrap();

    let pair = agreed.crypto.unwrap();
    assert_eq!(pair.send, [9; 30]);
    assert_eq!(&pair.receive[..4], b"YS__");
    assert!(text(&body).contains("m=audio 4000 RTP/SAVP 0\r\n"));
    assert!(text(&body).contains("a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:"));
    assert!(!format!("{pair:?}").contains('9'));
}

#[test]
fn the_first_usable_suite_is_taken() {
    let short = KEY_LINE.replace("SHA1_80", "SHA1_32").replacen('1', "2", 1);
    let offer = secure(&format!("1 F8_128_HMAC_SHA1_80 inline:AAAA\r\na=crypto:{short}"));

    let (_, agreed) =
        answer(&with_crypto(CryptoPolicy::Required), &local(4_000, 9), &offer).unwrap();

    assert_eq!(agreed.crypto.unwrap().suite, Suite::AesCm128HmacSha1_32);
}

#[test]
fn key_lines_that_weaken_or_cannot_be_honoured_are_not_used() {
    for line in [
        &format!("{KEY_LINE} UNENCRYPTED_SRTP"),
        &format!("{KEY_LINE} UNAUTHENTICATED_SRTP"),
        &format!("{KEY_LINE} KDR=3"),
        &format!("{KEY_LINE}|1:4"),
        &format!("{KEY_LINE};inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|2:4"),
        "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA",
        "1 NULL_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
        "x",
        "",
    ] {
        let refused = answer(&with_crypto(CryptoPolicy::Optional), &local(4, 9), &secure(line));

        assert_eq!(refused.unwrap_err(), Unacceptable::NoCryptoLine, "{line}");
    }
}

#[test]
fn the_policy_on_encryption_is_kept() {
    use CryptoPolicy::{Off, Optional, Required};
    let plain = described(&format!("{PHONE}a=crypto:{KEY_LINE}\r\n"));
    let secure = secure(KEY_LINE);
    let is_ok = |policy, offer| answer(&with_crypto(policy), &local(4, 9), offer).is_ok();

    assert_eq!([Off, Optional, Required].map(|p| is_ok(p, &plain)), [true, true, false]);
    assert_eq!([Off, Optional, Required].map(|p| is_ok(p, &secure)), [false, true, true]);
    let (_, agreed) = answer(&with_crypto(Optional), &local(4, 9), &plain).unwrap();
    assert_eq!(agreed.crypto, None);
    let dtls = described("c=IN IP4 198.51.100.7\r\nm=audio 5004 UDP/TLS/RTP/SAVPF 0\r\n");
    assert!(!is_ok(Optional, &dtls));
}

#[test]
fn the_encrypted_one_of_two_audio_streams_is_taken() {
    let offer = described(&format!(
        "c=IN IP4 198.51.100.7\r\nm=audio 5004 RTP/AVP 0\r\n\
         m=audio 5006 RTP/SAVP 0\r\na=crypto:{KEY_LINE}\r\n"
    ));

    let (_, secure) = answer(&with_crypto(CryptoPolicy::Optional), &local(4, 9), &offer).unwrap();
    let (_, plain) = answer(&with_crypto(CryptoPolicy::Off), &local(4, 9), &offer).unwrap();

    assert_eq!((secure.remote.port(), secure.crypto.is_some()), (5_006, true));
    assert_eq!((plain.remote.port(), plain.crypto.is_some()), (5_004, false));
}

#[test]
fn a_later_offer_cannot_take_the_encryption_away() {
    let ours = with_crypto(CryptoPolicy::Optional);
    let (_, agreed) = answer(&ours, &local(4, 9), &secure(KEY_LINE)).unwrap();

    let refused = answer(&ours.keeping(&agreed), &local(4, 9), &described(PHONE));

    assert_eq!(refused.unwrap_err(), Unacceptable::Encryption);
}

#[test]
fn an_answer_cannot_take_the_encryption_away() {
    let ours = with_crypto(CryptoPolicy::Required);
    let sent = parse(&offer(&ours, &local(4_000, 9))).unwrap();
    assert_eq!(sent.media[0].protocol, "RTP/SAVP");

    let stripped = described("c=IN IP4 198.51.100.7\r\nm=audio 5004 RTP/AVP 0\r\n");
    let keyless = described("c=IN IP4 198.51.100.7\r\nm=audio 5004 RTP/SAVP 0\r\n");
    let wrong_tag = secure(&KEY_LINE.replacen('1', "2", 1));
    let echo = described(&sent.to_string().split_off(sent.to_string().find("c=").unwrap()));

    let accept = |answer| accept(&ours, &local(4_000, 9), &sent, answer).unwrap_err();
    assert_eq!(accept(&stripped), Unacceptable::Encryption);
    assert_eq!(accept(&keyless), Unacceptable::NoCryptoLine);
    assert_eq!(accept(&wrong_tag), Unacceptable::NoCryptoLine);
    assert_eq!(accept(&echo), Unacceptable::NoCryptoLine);
}

#[test]
fn an_offer_without_a_key_fails_rather_than_goes_in_clear() {
    let keyless = Local { key: None, ..local(4_000, 0) };

    let offered = offer(&with_crypto(CryptoPolicy::Required), &keyless);

    assert!(text(&offered).contains("RTP/SAVP") && !text(&offered).contains("crypto"));
}

#[test]
fn what_was_agreed_on_encryption_is_offered_again() {
    let ours = with_crypto(CryptoPolicy::Preferred);
    let first = parse(&offer(&ours, &local(4_000, 9))).unwrap();
    let answered = |policy| {
        let (body, _) = answer(&with_crypto(policy), &local(5_000, 8), &first).unwrap();
        accept(&ours, &local(4_000, 9), &first, &parse(&body).unwrap()).unwrap()
    };
    let private = answered(CryptoPolicy::Optional);
    let open = Agreement { crypto: None, ..private.clone() };

    assert_eq!(first.media[0].protocol, "RTP/SAVP");
    assert_eq!(ours.clone().keeping(&private).crypto, CryptoPolicy::Required);
    assert_eq!(ours.keeping(&open).crypto, CryptoPolicy::Optional);
}

#[test]
fn an_answer_is_sent_with_its_numbers_and_received_with_ours() {
    let ours = Capabilities::default();
    let sent = parse(&offer(&ours, &local(4_000, 1))).unwrap();
    let answer = described(
        "c=IN IP4 198.51.100.7\r\nm=audio 5004 RTP/AVP 97 8 100\r\na=rtpmap:97 opus/48000/2\r\n\
         a=rtpmap:100 telephone-event/48000\r\na=sendonly\r\n",
    );

    let agreed = accept(&ours, &local(4_000, 1), &sent, &answer).unwrap();

    assert_eq!((agreed.codec, agreed.payload_type), (Codec::Opus, 97));
    assert_eq!(agreed.accepts, vec![(111, Codec::Opus), (8, Codec::Pcma)]);
    assert_eq!((agreed.dtmf, agreed.dtmf_receive), (Some(100), Some(110)));
    assert_eq!(agreed.direction, Direction::RecvOnly);
    assert!(agreed.held_by_remote);
}

#[test]
fn an_answer_that_refuses_our_audio_is_told() {
    let ours = Capabilities::default();
    let sent = parse(&offer(&ours, &local(4_000, 1))).unwrap();
    let zero = described("c=IN IP4 198.51.100.7\r\nm=audio 0 RTP/AVP 0\r\n");

    for answer in [zero, described("")] {
        let refused = accept(&ours, &local(4_000, 1), &sent, &answer);
        assert_eq!(refused.unwrap_err(), Unacceptable::Refused);
    }
}

#[test]
fn a_later_offer_keeps_places_and_numbers() {
    let offer = described(
        "c=IN IP4 198.51.100.7\r\nm=video 6000 RTP/AVP 96\r\n\
         m=audio 5004 RTP/AVP 111 96\r\na=rtpmap:96 opus/48000/2\r\n\
         a=rtpmap:111 telephone-event/48000\r\n",
    );
    let ours = Capabilities::default();
    let (body, _) = answer(&ours, &local(4_000, 1), &offer).unwrap();
    let previous = parse(&body).unwrap();
    let held = Local { direction: Direction::SendOnly, ..local(4_000, 1) };

    let again = parse(&offer_again(&ours, &held, &previous)).unwrap();

    let places: Vec<_> = again.media.iter().map(|m| (m.kind.as_str(), m.port)).collect();
    assert_eq!(places, [("video", 0), ("audio", 4_000)]);
    assert_eq!(again.media[1].mapped("rtpmap", 96), Some("opus/48000/2"));
    assert_eq!(again.media[1].mapped("rtpmap", 111), Some("telephone-event/48000"));
    assert_eq!(again.media[1].direction, Some(Direction::SendOnly));
}

#[test]
fn the_version_rises_only_with_a_change() {
    let ours = Capabilities::default();
    let first = parse(&offer(&ours, &local(4_000, 1))).unwrap();
    let same = parse(&offer(&ours, &Local { version: 99, ..local(4_000, 1) })).unwrap();
    let held = Local { direction: Direction::SendOnly, ..local(4_000, 1) };
    let changed = parse(&offer(&ours, &held)).unwrap();

    assert_eq!(parse(&renew(&first, same)).unwrap().origin.version, "1");
    assert_eq!(parse(&renew(&first, changed)).unwrap().origin.version, "2");
}

#[test]
fn limits_are_kept() {
    let head = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\n";
    let long = format!("{head}a={}\n", "x".repeat(70_000));
    let lines = format!("{head}{}", "a=x\n".repeat(2_001));
    let media = format!("{head}{}", "m=audio 9 RTP/AVP 0\n".repeat(33));
    let formats = format!("{head}m=audio 9 RTP/AVP{}\n", " 0".repeat(129));

    assert_eq!(parse(long.as_bytes()), Err(SdpError::TooLong));
    assert_eq!(parse(lines.as_bytes()), Err(SdpError::TooMany("lines")));
    assert_eq!(parse(media.as_bytes()), Err(SdpError::TooMany("media sections")));
    assert_eq!(parse(formats.as_bytes()), Err(SdpError::TooMany("formats")));
}

#[test]
fn what_is_no_description_is_refused() {
    for body in [
        "",
        "hello",
        "v=1\r\n",
        "o=- 1 1 IN IP4 192.0.2.1\r\nv=0\r\n",
        "v=0\r\n",
        "v=0\r\no=- x 1 IN IP4 192.0.2.1\r\n",
        "v=0\r\no=- 1 1 IN IP5 192.0.2.1\r\n",
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nm=audio 70000 RTP/AVP 0\r\n",
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nm=audio 7000 RTP/AVP\r\n",
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=a\0b\r\n",
    ] {
        assert!(parse(body.as_bytes()).is_err(), "{body:?}");
    }
}

#[test]
fn phones_that_write_carelessly_are_read() {
    let body = "v=0\no=root 99999999999999999999 2 IN IP4 198.51.100.7\nc=IN IP4 198.51.100.7\n\
        b=AS:84\nk=clear:x\nm=audio 5004/1 RTP/AVP 0\nz=what\n\n";

    let read = parse(body.as_bytes()).unwrap();

    assert_eq!(read.media[0].port, 5_004);
}

fn any_codecs() -> impl Strategy<Value = Vec<Codec>> {
    proptest::sample::subsequence(Codec::ALL.to_vec(), 1..=4).prop_shuffle()
}

fn offers_keys(policy: CryptoPolicy) -> bool {
    matches!(policy, CryptoPolicy::Required | CryptoPolicy::Preferred)
}

fn any_policy() -> impl Strategy<Value = CryptoPolicy> {
    use CryptoPolicy::{Off, Optional, Preferred, Required};
    prop_oneof![Just(Off), Just(Optional), Just(Preferred), Just(Required)]
}

prop_compose! {
    fn any_caps()(
        codecs in any_codecs(), ours: bool, dtmf: bool, crypto in any_policy(),
    ) -> Capabilities {
        let prefer = if ours { Preference::Ours } else { Preference::Theirs };
        Capabilities { codecs, prefer, dtmf, crypto, ptime_ms: 20 }
    }
}

fn any_direction() -> impl Strategy<Value = Direction> {
    (any::<bool>(), any::<bool>()).prop_map(|(sends, receives)| Direction::of(sends, receives))
}

proptest! {
    #[test]
    fn reading_never_panics(body: Vec<u8>) {
        let _ = parse(&body);
    }

    #[test]
    fn reading_and_answering_near_misses_never_panics(
        lines in proptest::collection::vec(
            "(v=0|o=- 1 1 IN IP4 192.0.2.1|c=IN IP[46] [0-9.:]{0,9}|a=[a-z-]{0,8}:?[ -~]{0,12}\
             |a=(rtpmap|fmtp|crypto|rtcp|ptime):[0-9 /a-zA-Z_|]{0,20}\
             |m=audio [0-9]{0,6} RTP/S?AVPF?( [0-9]{1,3}){0,4}|[a-z]?=?[ -~]{0,8})", 0..12),
    ) {
        let body = format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n{}", lines.join("\r\n"));
        if let Ok(read) = parse(body.as_bytes()) {
            let _ = answer(&with_crypto(CryptoPolicy::Optional), &local(4, 1), &read);
            let sent = parse(&offer(&Capabilities::default(), &local(4, 1))).unwrap();
            let _ = accept(&Capabilities::default(), &local(4, 1), &sent, &read);
            prop_assert_eq!(parse(read.to_string().as_bytes()).unwrap(), read);
        }
    }

    #[test]
    fn both_sides_agree(
        alice in any_caps(), bob in any_caps(),
        from_alice in any_direction(), from_bob in any_direction(),
    ) {
        let at_alice = Local { direction: from_alice, ..local(4_000, 1) };
        let at_bob = Local { direction: from_bob, ..local(5_000, 2) };
        let sent = parse(&offer(&alice, &at_alice)).unwrap();

        let Ok((body, bobs)) = answer(&bob, &at_bob, &sent) else {
            let common = alice.codecs.iter().any(|codec| bob.codecs.contains(codec));
            let is_secure = offers_keys(alice.crypto);
            let fits = if is_secure { bob.crypto != CryptoPolicy::Off }
                else { bob.crypto != CryptoPolicy::Required };
            prop_assert!(!common || !fits);
            return Ok(());
        };
        let alices = accept(&alice, &at_alice, &sent, &parse(&body).unwrap()).unwrap();

        prop_assert_eq!(alices.codec, bobs.codec);
        prop_assert!(bobs.accepts.contains(&(alices.payload_type, alices.codec)));
        prop_assert!(alices.accepts.contains(&(bobs.payload_type, bobs.codec)));
        prop_assert_eq!(alices.dtmf, bobs.dtmf_receive);
        prop_assert_eq!(bobs.dtmf, alices.dtmf_receive);
        prop_assert_eq!(bobs.dtmf.is_some(), alice.dtmf && bob.dtmf);
        prop_assert_eq!(alices.dtmf_clock, bobs.dtmf_clock);
        prop_assert_eq!(alices.direction, bobs.direction.reversed());
        prop_assert_eq!(alices.direction, from_alice.and(from_bob.reversed()));
        prop_assert_eq!(alices.ptime_ms, bobs.ptime_ms);
        prop_assert_eq!((alices.remote.port(), bobs.remote.port()), (5_000, 4_000));
        match (&alices.crypto, &bobs.crypto) {
            (Some(a), Some(b)) => {
                prop_assert_eq!((a.send, a.receive, a.suite), (b.receive, b.send, b.suite));
            }
            (None, None) => prop_assert!(alice.crypto != CryptoPolicy::Required),
            _ => prop_assert!(false, "one side encrypts and the other does not"),
        }
        prop_assert_eq!(alices.crypto.is_some(), offers_keys(alice.crypto));
    }
}
