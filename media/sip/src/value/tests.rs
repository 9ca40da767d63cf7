#![allow(clippy::unwrap_used)]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use proptest::prelude::*;
use rsip::headers::{ToTypedHeader, UntypedHeader};

use super::*;

fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap()
}

/// RFC 3261 19.1.4, every example.
#[test]
fn uris_are_compared_as_the_specification_says() {
    let equal = [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0:0::1]"),
    ];
    let different = [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@b", "sips:a@b"),
        ("sip:%00@b", "sip:%00%00@b"),
    ];
    for (one, other) in equal {
        assert!(uri(one).is_equivalent(&uri(other)), "{one} {other}");
        assert!(uri(other).is_equivalent(&uri(one)), "{other} {one}");
    }
    for (one, other) in different {
        assert!(!uri(one).is_equivalent(&uri(other)), "{one} {other}");
        assert!(!uri(other).is_equivalent(&uri(one)), "{other} {one}");
    }
}

#[test]
fn a_uri_is_read_and_written_whole() {
    let whole = uri("sips:al%69ce;day=tuesday:pass@[2001:DB8::1]:5061;lr;maddr=h?a=b&c=d%20e");

    assert!(whole.is_secure() && whole.is_sip());
    assert_eq!(whole.user.as_deref(), Some("alice;day=tuesday"));
    assert_eq!(whole.password.as_deref(), Some("pass"));
    assert_eq!((whole.host.as_str(), whole.port), ("[2001:db8::1]", Some(5061)));
    assert_eq!(
        (whole.param("LR"), whole.param("maddr"), whole.param("no")),
        (Some(""), Some("h"), None)
    );
    assert_eq!(whole.header("C").as_deref(), Some("d e"));
    assert_eq!(
        whole.to_string(),
        "sips:alice;day=tuesday:pass@[2001:db8::1]:5061;lr;maddr=h?a=b&c=d%20e"
    );
    assert_eq!(Uri::sip("*98#@x", "2001:db8::1").to_string(), "sip:*98%23%40x@[2001:db8::1]");
    assert_eq!(Uri::sip("1001", "Office").with_port(5070).to_string(), "sip:1001@office:5070");
    assert_eq!(
        Uri::sip_host("h").with_param("transport", "tcp").to_string(),
        "sip:h;transport=tcp"
    );
    let tel = uri("tel:+1-201-555-0123;phone-context=example.com");
    assert_eq!((tel.scheme.clone(), tel.user.as_deref()), (Scheme::Tel, Some("+1-201-555-0123")));
    assert_eq!(tel.to_string(), "tel:+1-201-555-0123;phone-context=example.com");
    assert_eq!(uri("urn:service:sos").to_string(), "urn:service:sos");
}

#[test]
fn what_is_no_uri_is_refused() {
    for text in [
        "",
        "sip:",
        "sip:@h",
        "sip: a@h",
        "sip:a@h ",
        "<sip:a@h>",
        "sip:a@",
        "sip:a@h:",
        "sip:a@h:x",
        "sip:a@h:65536",
        "sip:a@2001:db8::1",
        "sip:a@[::1",
        "sip:a@[]",
        "sip:a@h!",
        "1sip:a@h",
        "a@h",
        "sip:a@h\r\nX: y",
        "tel:",
        "tel:;x",
    ] {
        assert!(Uri::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn addresses_are_read_in_all_their_forms() {
    let read = |text| {
        let address = NameAddr::parse(text).unwrap();
        (address.display.clone(), address.uri.to_string(), address.tag().map(str::to_owned))
    };
    let some = |text: &str| Some(text.to_owned());

    assert_eq!(read("<sip:a@h>;tag=1"), (None, "sip:a@h".into(), some("1")));
    assert_eq!(read("sip:a@h;tag=1"), (None, "sip:a@h".into(), some("1")));
    assert_eq!(read("A B <sip:a@h;x>"), (some("A B"), "sip:a@h;x".into(), None));
    assert_eq!(
        read(r#""<\"A\">;tag=9" <sip:a@h> ; tag = 2"#),
        (some("<\"A\">;tag=9"), "sip:a@h".into(), some("2"))
    );
    assert_eq!(read("\"\"<sip:a@h>"), (None, "sip:a@h".into(), None));
    assert_eq!(read("Jörg <sip:a@h>").0, some("Jörg"));
    for text in [
        "",
        "A, B <sip:a@h>",
        "\"A <sip:a@h>",
        "<sip:a@h",
        "sip:a@h?x=y",
        "<sip:a@h>x",
        "<sip:a@h>;;",
        "< sip:a@h >",
    ] {
        assert!(NameAddr::parse(text).is_err(), "{text:?}");
    }
    let address = NameAddr::new(uri("sip:a@h")).with_display("a\"\\\r\nb").with_tag("t");
    assert_eq!(address.to_string(), r#""a\"\\b" <sip:a@h>;tag=t"#);
}

#[test]
fn a_tag_is_found_without_reading_the_rest() {
    for (value, tag) in [
        ("<sip:a@h;tag=no>;tag=yes", Some("yes")),
        ("\";tag=no\" <sip:a@h>;x=\";tag=no\";TAG=yes", Some("yes")),
        ("\"<\" <sip:a@h>;tag=yes", Some("yes")),
        ("sip:a@h;tag=yes", Some("yes")),
        ("<sip:a@h;tag=no>", None),
        ("sip:a@h", None),
        ("\"open <sip:a@h>;tag=no", None),
    ] {
        assert_eq!(address_param(value, "tag"), tag, "{value}");
    }
}

#[test]
fn a_via_is_read_and_written() {
    let text =
        "SIP / 2.0 / TCP   First.example.com : 4000;ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6";
    let via = Via::parse(text).unwrap();
    assert_eq!(
        (via.transport.as_str(), via.host.as_str(), via.port),
        ("TCP", "first.example.com", Some(4000))
    );
    assert_eq!(via.params.get("maddr"), Some("224.2.0.1"));
    assert_eq!(
        via.to_string(),
        "SIP/2.0/TCP first.example.com:4000;branch=z9hG4bKa7c6;ttl=16;maddr=224.2.0.1"
    );
    let via = Via::parse("SIP/2.0/UDP h;rport=5;received=192.0.2.1;alias").unwrap();
    assert_eq!((via.rport, via.received), (Rport::Port(5), Some("192.0.2.1".parse().unwrap())));
    assert!(via.params.has("alias"));
    assert_eq!(Via::parse("SIP/2.0/UDP h;rport").unwrap().rport, Rport::Asked);
    for text in
        ["", "SIP/2.0/UDP", "SIP/3.0/UDP h", "SIP/2.0/UDP h;;", "UDP h", "SIP/2.0/UDP h;rport=x"]
    {
        assert!(Via::parse(text).is_err(), "{text:?}");
    }
}

/// RFC 5589 7.1: the Replaces within a Refer-To.
#[test]
fn an_attended_transfer_names_the_dialog_to_replace() {
    let text = "<sips:482n4z24kdg@chicago.example.com;gr=8594958?\
        Replaces=090459243588173445%3Bto-tag%3D9m2n3wq%3Bfrom-tag%3D763231>";
    let refer = ReferTo::parse(text).unwrap();

    let replaces = refer.replaces.clone().unwrap();
    assert_eq!(replaces.call_id, "090459243588173445");
    assert_eq!((replaces.to_tag.as_str(), replaces.from_tag.as_str()), ("9m2n3wq", "763231"));
    assert!(refer.target.uri.headers.is_empty());
    assert_eq!(refer.method(), "INVITE");
    assert_eq!(ReferTo::parse(&refer.to_string()), Ok(refer));
    let early = Replaces::parse("a@b;from-tag=f;to-tag=t;early-only").unwrap();
    assert!(early.early_only);
    for text in
        ["", "a", "a;to-tag=b", "a;from-tag=b", ";to-tag=a;from-tag=b", "a b;to-tag=a;from-tag=b"]
    {
        assert!(Replaces::parse(text).is_err(), "{text:?}");
    }
    assert!(ReferTo::parse("<sip:a@h?Replaces=x>").is_err());
}

#[test]
fn small_values_are_read_and_written() {
    assert_eq!(CSeq::parse(" 0009 \t INVITE").unwrap().to_string(), "9 INVITE");
    assert_eq!(RAck::parse("776656 1 INVITE").unwrap().to_string(), "776656 1 INVITE");
    for text in ["", "1", "INVITE", "-1 INVITE", "1 IN VITE", "4294967296 INVITE"] {
        assert!(CSeq::parse(text).is_err(), "{text:?}");
    }
    let reason = Reason::parse("Q.850 ;cause=16 ;text=\"Normal \\\"clearing\\\"\"").unwrap();
    assert_eq!((reason.cause, reason.text.as_deref()), (Some(16), Some("Normal \"clearing\"")));
    assert_eq!(Reason::parse(&reason.to_string()), Ok(reason));
    assert!(Reason::sip(200, "Call completed elsewhere").is_answered_elsewhere());
    assert!(Reason::q850(26, "Non-selected user clearing").is_answered_elsewhere());
    assert!(!Reason::sip(600, "Busy").is_answered_elsewhere());
    let expires = SessionExpires::parse("1800 ; refresher = UAS").unwrap();
    assert_eq!(expires.to_string(), "1800;refresher=uas");
    assert_eq!(MinSe::parse("90;lr"), Ok(MinSe(90)));
    assert!(SessionExpires::parse("soon").is_err());
    assert_eq!(clamped_number("99999999999999999999"), Some(u32::MAX));
    assert_eq!(clamped_number("120 (in two minutes)"), Some(120));
    assert_eq!(clamped_number("1 2"), None);
}

#[test]
fn media_types_have_parameters() {
    let media = MediaType::parse("Multipart/Mixed;boundary=\"a b\"").unwrap();

    assert!(media.is("multipart/mixed"));
    assert_eq!(media.param("Boundary"), Some("a b"));
    assert!(MediaType::parse("application/SDP").unwrap().is("application/sdp"));
    assert_eq!(media.to_string(), "Multipart/Mixed;boundary=\"a b\"");
    for text in ["", "sdp", "a b/c", "/sdp", "application/"] {
        assert!(MediaType::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn credentials_are_read_and_written() {
    let text = "Digest username=\"a\\\"b\", realm=\"r\", nonce=\"n\", uri=\"sip:h\", response=\"0f\", \
        algorithm=SHA-256, cnonce=\"c\", opaque=\"o\", qop=auth, nc=0000000a";
    let read = Authorization::parse(text).unwrap();
    assert_eq!((read.username.as_str(), read.nc), ("a\"b", Some(10)));
    assert_eq!(read.to_string(), text);
    let challenge =
        Challenge::parse("digest  realm = \"r\" ,nonce=\"n\",qop=\"auth, auth-int\",stale=TRUE")
            .unwrap();
    assert_eq!((challenge.qop.len(), challenge.stale), (2, true));
    for text in [
        "",
        "Basic abc",
        "Digest realm=\"r\"",
        "Digest realm=\"r",
        "Digest realm=\"r\", nonce=\"n\", nonce=\"m\"",
    ] {
        assert!(Challenge::parse(text).is_err(), "{text:?}");
    }
    assert!(Authorization::parse(&text.replace("0000000a", "a")).is_err());
    assert!(Authorization::parse(&text.replace("0000000a", "+000000a")).is_err());
}

/// Where rsip understands a value wholly, it and we agree.
#[test]
fn rsip_reads_the_same() {
    for text in
        ["sip:alice@atlanta.com;transport=tcp", "sips:bob@192.0.2.4:5061", "sip:h;lr;maddr=x"]
    {
        let theirs = rsip::Uri::try_from(text).unwrap();
        assert_eq!(theirs.to_string().to_ascii_lowercase(), uri(text).to_string());
        assert_eq!(theirs.user(), uri(text).user.as_deref());
        assert_eq!(theirs.port().map(|port| *port.value()), uri(text).port);
    }
    for text in ["\"Alice\" <sip:alice@atlanta.com>;tag=88sja8x", "<sip:bob@biloxi.com>;tag=1"] {
        let theirs = rsip::headers::From::new(text).into_typed().unwrap();
        let ours = NameAddr::parse(text).unwrap();
        assert_eq!(theirs.tag().map(|tag| tag.value().to_owned()).as_deref(), ours.tag());
        assert_eq!(theirs.uri.to_string(), ours.uri.to_string());
    }
    let text = "SIP/2.0/TCP client.atlanta.example.com:5060;branch=z9hG4bK74b43;received=192.0.2.1";
    let theirs = rsip::headers::Via::new(text).into_typed().unwrap();
    let ours = Via::parse(text).unwrap();
    assert_eq!(theirs.branch().map(|branch| branch.value().to_owned()), ours.branch);
    assert_eq!(theirs.received().unwrap(), ours.received);
    let theirs = rsip::headers::CSeq::new("4711 INVITE").into_typed().unwrap();
    assert_eq!(theirs.to_string(), CSeq::parse("4711 INVITE").unwrap().to_string());
}

/// What is read can be written, and reads the same again.
fn comes_back<T>(text: &str) -> Result<(), TestCaseError>
where
    T: FromStr<Err = ValueError> + Display + PartialEq + Debug,
{
    if let Ok(value) = T::from_str(text) {
        let again = T::from_str(&value.to_string());
        prop_assert_eq!(again, Ok(value), "{}", text);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_value_that_is_read_is_written_and_read_again(
        start in proptest::sample::select(vec![
            "", "sip:", "sips:a@", "tel:", "x:", "<sip:", "\"", "SIP/2.0/UDP ", "Digest realm=\"r\",nonce=\"n\",",
            "1 ", "90;", "a;to-tag=b;from-tag=c", "a/b;", "SIP;", "[", "<sip:a@b?Replaces=",
        ]),
        rest in "([a-zA-Z0-9 @:;,=?%<>\"\\\\.\\[\\]&/é\\-]|;tag=|;rport|%41|\\\\\"){0,24}",
    ) {
        let text = format!("{start}{rest}");
        comes_back::<Uri>(&text)?;
        comes_back::<NameAddr>(&text)?;
        comes_back::<Via>(&text)?;
        comes_back::<CSeq>(&text)?;
        comes_back::<RAck>(&text)?;
        comes_back::<Reason>(&text)?;
        comes_back::<SessionExpires>(&text)?;
        comes_back::<MinSe>(&text)?;
        comes_back::<Replaces>(&text)?;
        comes_back::<ReferTo>(&text)?;
        comes_back::<MediaType>(&text)?;
        comes_back::<Challenge>(&text)?;
        comes_back::<Authorization>(&text)?;
    }

    #[test]
    fn any_text_at_all_does_no_harm(text in any::<String>(), user in any::<String>()) {
        comes_back::<Uri>(&text)?;
        comes_back::<NameAddr>(&text)?;
        comes_back::<Via>(&text)?;
        comes_back::<MediaType>(&text)?;
        let _ = (AuthParams::parse(&text), Params::parse(&text), address_param(&text, "tag"));
        let made = Uri::sip(&user, "h");
        prop_assert_eq!(Uri::parse(&made.to_string()), Ok(made.clone()));
        prop_assert_eq!(made.user_text().unwrap_or_default(), user.clone());
        let named = NameAddr::new(made).with_display(user.replace(|c: char| c.is_ascii_control(), ""));
        prop_assert_eq!(NameAddr::parse(&named.to_string()), Ok(named));
    }
}

#[test]
fn a_host_with_too_many_colons_reads_back_as_it_was_written() {
    for text in ["sip:[2001:db8:::1]", "sip:[::::1]", "sip:[:::::::]", "sip:a:::b:::::c;x"] {
        if let Ok(uri) = text.parse::<Uri>() {
            assert_eq!(uri.to_string().parse::<Uri>().as_ref(), Ok(&uri), "{text}");
        }
    }
    let torture: Uri = "sip:[2001:db8:::192.0.2.1]".parse().unwrap();
    assert_eq!(torture.host, "[2001:db8::192.0.2.1]");
}
