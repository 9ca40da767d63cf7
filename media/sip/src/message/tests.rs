#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use proptest::prelude::*;

use super::name::Shape;
use super::*;

const INVITE: &str = "INVITE sip:bob@example.com SIP/2.0\r\n\
    v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1, SIP/2.0/TCP \"x,y\".invalid\r\n\
    Via: SIP/2.0/TLS third.example.com\r\n\
    f: \"Alice, \\\"A\\\"\" <sip:alice@example.com;x=1,2>;tag=near\r\n\
    t: <sip:bob@example.com>\r\n\
    i: call-1\r\n\
    CSeq: 1 INVITE\r\n\
    m: <sip:a@192.0.2.1>, \"B, C\" <sip:b@192.0.2.1;x=1,2>;q=0.1\r\n\
    k: 100rel,, timer ,\r\n\
    Supported: replaces\r\n\
    X-Odd:  one, two \r\n\
    l: 4\r\n\r\nbodyand more";

fn parse(text: &str) -> Message {
    Message::parse(Bytes::from(text.to_owned())).unwrap()
}

fn refused(text: &str) -> ParseError {
    let message = Message::parse(Bytes::from(text.to_owned()));
    message.and_then(|message| message.check()).unwrap_err()
}

#[test]
fn every_name_is_found_in_any_case_and_by_its_compact_form() {
    for letter in b'a'..=b'z' {
        let upper = Name::parse(&[letter.to_ascii_uppercase()]);
        assert_eq!(Name::parse(&[letter]), upper);
    }
    for name in ["Via", "VIA", "via", "v"] {
        assert_eq!(Name::parse(name.as_bytes()), Some(Name::Via));
    }
    for (text, name) in [
        ("p-asserted-identity", Name::PAssertedIdentity),
        ("SESSION-EXPIRES", Name::SessionExpires),
        ("x", Name::SessionExpires),
        ("www-authenticate", Name::WwwAuthenticate),
    ] {
        assert_eq!(Name::parse(text.as_bytes()), Some(name));
        assert_eq!(Name::parse(name.canonical().as_bytes()), Some(name));
    }
    for (known, text, _) in name::NAMES.iter().copied() {
        assert_eq!(Name::parse(text.as_bytes()), Some(known));
        assert_eq!(Name::parse(text.to_ascii_uppercase().as_bytes()), Some(known));
        for at in 0..text.len() {
            let mut other = text.as_bytes().to_vec();
            other[at] = b'!';
            assert_eq!(Name::parse(&other), None, "{text} at {at}");
        }
    }
    assert_eq!(Name::parse(b"X-Unknown"), None);
    assert_eq!(Name::parse(b""), None);
    assert_eq!((Name::Allow.shape(), Name::Authorization.shape()), (Shape::List, Shape::One));
    assert_eq!([Name::Via, Name::Contact].map(Name::shape), [Shape::StrictList; 2]);
}

#[test]
fn lists_are_split_outside_quotes_and_brackets() {
    let message = parse(INVITE);

    let all = |name| message.headers(name).collect::<Vec<_>>();
    assert_eq!(
        all(Name::Via),
        [
            "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
            "SIP/2.0/TCP \"x,y\".invalid",
            "SIP/2.0/TLS third.example.com"
        ]
    );
    assert_eq!(all(Name::Contact), ["<sip:a@192.0.2.1>", "\"B, C\" <sip:b@192.0.2.1;x=1,2>;q=0.1"]);
    assert_eq!(all(Name::Supported), ["100rel", "timer", "replaces"]);
    assert_eq!(message.header(Name::From).unwrap().len(), 53);
    assert_eq!(message.from_tag(), Some("near"));
    assert_eq!(message.other("x-odd"), Some("one, two"));
    assert!(message.lists(Name::Supported, "TIMER"));
}

#[test]
fn the_body_is_as_long_as_it_says() {
    let message = parse(INVITE);

    assert_eq!(&message.body()[..], b"body");
    assert!(message.raw().ends_with(b"\r\n\r\nbody"));
    let without = INVITE.replace("l: 4\r\n", "");
    assert_eq!(&parse(&without).body()[..], b"bodyand more");
}

#[test]
fn bytes_that_are_no_utf8_spoil_only_their_value() {
    let raw = INVITE.replace("Alice", "Alic\u{1}").into_bytes();
    let raw: Vec<u8> = raw.iter().map(|b| if *b == 1 { 0xe9 } else { *b }).collect();

    let message = Message::parse(raw.clone().into()).unwrap();

    assert!(message.header(Name::From).unwrap().starts_with("\"Alic\u{fffd}, "));
    assert_eq!(message.call_id(), "call-1");
    assert_eq!(&message.body()[..], b"body");
    assert!(raw.starts_with(message.raw()));
}

#[test]
fn what_is_malformed_is_answered_with_what_could_be_read() {
    let error = refused(&INVITE.replace("X-Odd:", "X Odd:"));

    let answer = error.answer().unwrap();
    assert_eq!((error.status(), answer.status()), (400, Some(400)));
    assert_eq!(answer.reason(), Some("Malformed header field"));
    assert_eq!(answer.headers(Name::Via).count(), 3);
    assert_eq!(answer.header(Name::CallId), Some("call-1"));
    assert_eq!(answer.header(Name::CSeq), Some("1 INVITE"));
}

#[test]
fn an_ack_a_response_and_a_request_without_via_are_never_answered() {
    let ack = INVITE.replace("INVITE", "ACK").replace("l: 4", "l: x");
    assert_eq!(refused(&ack).answer(), None);
    let response = INVITE.replace("INVITE sip:bob@example.com SIP/2.0", "SIP/2.0 200 OK");
    assert_eq!(refused(&response.replace("l: 4", "l: -1")).answer(), None);
    let astray = "OPTIONS sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\nl: 0\r\n\r\n";
    assert_eq!(refused(astray).answer(), None);
}

#[test]
fn checks_name_what_is_wrong() {
    let cases = [
        ("i: call-1\r\n", "", 400, "Missing Call-ID"),
        ("i: call-1", "i: call-1\r\nCall-ID: call-2", 400, "Several Call-ID"),
        ("1 INVITE", "1 BYE", 400, "CSeq does not match the method"),
        ("1 INVITE", "4294967296 INVITE", 400, "Malformed CSeq"),
        ("sip:bob@example.com SIP", "urn:service:sos SIP", 416, "Unsupported URI Scheme"),
        ("sip:bob@example.com SIP", "bob SIP", 400, "Malformed Request-URI"),
        ("sip:bob@example.com SIP", "sip:bob@ex?a=b SIP", 400, "Headers in the Request-URI"),
        ("SIP/2.0\r\n", "SIP/3.0\r\n", 505, "Version Not Supported"),
        ("SIP/2.0\r\n", "HTTP/1.1\r\n", 400, "Malformed Request-Line"),
        ("l: 4", "l: 4\r\nContent-Length: 4", 400, "Several Content-Length"),
        ("l: 4", "l: 444", 400, "Body shorter than Content-Length"),
        ("l: 4", "l: 4294967300000", 400, "Malformed Content-Length"),
        ("X-Odd:  one", "Max-Forwards: many", 400, "Malformed Max-Forwards"),
        ("X-Odd:  one", "X-Odd: a\rb", 400, "Carriage return within a line"),
        ("t: <sip:bob@example.com>", "t: <sip:bob@example.com", 400, "Malformed To"),
        ("\r\n\r\nbodyand more", "\r\n", 400, "Message ends within its header"),
    ];
    let sound = INVITE.replace(", SIP/2.0/TCP \"x,y\".invalid", "");
    assert_eq!(parse(&sound).check(), Ok(()));
    for (good, bad, status, reason) in cases {
        assert!(sound.contains(good), "{good}");
        let error = refused(&sound.replacen(good, bad, 1));
        assert_eq!((error.status(), error.reason()), (status, reason), "{bad}");
        assert_eq!(error.answer().unwrap().status(), Some(status), "{bad}");
    }
}

#[test]
fn a_head_without_end_is_not_indexed_without_end() {
    let many = format!("OPTIONS sip:a@b SIP/2.0\r\n{}\r\n", "Via: a\r\n".repeat(10_000));
    assert_eq!(refused(&many).reason(), "Too many header fields");
    let folded = format!("OPTIONS sip:a@b SIP/2.0\r\nA: b{}\r\n\r\n", "\r\n c".repeat(10_000));
    assert_eq!(parse(&folded).other("A").unwrap().len(), 20_001);
}

#[test]
fn a_request_with_more_via_values_than_hops_is_not_answered() {
    let with = |count: usize, length: &str| {
        let vias = format!("Via: SIP/2.0/UDP a{}\r\nl: {length}", ",SIP/2.0/UDP b".repeat(count));
        INVITE.replace(", SIP/2.0/TCP \"x,y\".invalid", "").replace("l: 4", &vias)
    };
    assert!(refused(&with(9, "four")).answer().is_some());
    assert_eq!(refused(&with(80, "four")).answer(), None);

    assert_eq!(parse(&with(9, "4")).check(), Ok(()));
    let error = refused(&with(80, "4"));
    assert_eq!((error.reason(), error.answer()), ("Too many Via values", None));
}

#[test]
fn a_draft_copies_what_an_answer_must_have() {
    let mut answer = Draft::response(&parse(INVITE), 180);
    answer.set_to_tag("far");
    answer.set_to_tag("never twice");

    let message = Message::parse(answer.encode()).unwrap();

    assert_eq!((message.status(), message.reason()), (Some(180), Some("Ringing")));
    assert_eq!(message.to_tag(), Some("far"));
    assert!(message.headers(Name::Via).eq(parse(INVITE).headers(Name::Via)));
    assert_eq!(message.cseq().unwrap(), (1, Method::Invite));
    assert_eq!(message.header(Name::ContentLength), Some("0"));
}

#[test]
fn no_value_brings_a_header_of_its_own() {
    let evil = "x\r\nEvil: yes\r\n\r\nbody";
    let mut draft = Draft::request(Method::Options, format!("sip:a@b SIP/2.0\r\n{evil}"))
        .with(Name::Via, "SIP/2.0/UDP h;branch=z9hG4bK1")
        .with(Name::Subject, evil)
        .with(Name::ContentLength, "5")
        .with_other(&format!("X-{evil}"), evil)
        .with_body(evil, "v=0");
    draft.push_front(Name::Route, evil);
    draft.set(Name::From, evil);

    let message = Message::parse(draft.encode()).unwrap();

    assert_eq!(message.other("Evil"), None);
    assert_eq!(message.header(Name::Subject), Some("x  Evil: yes    body"));
    assert_eq!(message.uri(), Some("sip:a@bSIP/2.0xEvil:yesbody"));
    assert_eq!(&message.body()[..], b"v=0");
}

#[test]
fn set_keeps_one_value_at_the_place_of_the_first() {
    let mut draft = Draft::request(Method::Options, "sip:a@b");
    for value in ["1", "2"] {
        draft.push(Name::Route, value);
        draft.push(Name::Allow, value);
    }
    draft.set(Name::Allow, "3");
    draft.set(Name::Expires, "4");

    let all = |name| draft.headers(name).collect::<Vec<_>>();
    assert_eq!((all(Name::Route), all(Name::Allow)), (vec!["1", "2"], vec!["3"]));
    assert_eq!(draft.header(Name::Expires), Some("4"));
    draft.remove(Name::Route);
    assert_eq!(draft.header(Name::Route), None);
}

#[test]
fn keep_alives_are_told_from_blank_lines_before_a_message() {
    let frames = |bytes: &[u8], pings: usize| {
        let mut framer = Framer::new(Limits::default());
        (0..pings).for_each(|_| framer.pinged());
        framer.push(bytes);
        std::iter::from_fn(|| framer.next().unwrap()).collect::<Vec<_>>()
    };
    let options = "OPTIONS sip:a@b SIP/2.0\r\nl: 0\r\n\r\n";
    let message = Frame::Message(Bytes::from(options));

    assert_eq!(frames(b"\r\n\r\n\r\n\r\n\r\n", 0), [Frame::Ping, Frame::Ping]);
    assert_eq!(frames(b"\r\n\r\n\r\n", 1), [Frame::Pong, Frame::Ping]);
    assert_eq!(frames(format!("\r\n{options}\r\n").as_bytes(), 0), vec![message.clone()]);
    assert_eq!(
        frames(format!("\r\n\r\n{options}\r\n\r\n{options}").as_bytes(), 0),
        [Frame::Ping, message.clone(), Frame::Ping, message]
    );
}

#[test]
fn a_stream_over_its_limit_is_broken() {
    let framed = |bytes: &[u8]| {
        let mut framer = Framer::new(Limits { message: 200 });
        framer.push(bytes);
        framer.next()
    };

    let head = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nl: 180\r\n\r\n";
    let error = framed(head.as_bytes()).unwrap_err();
    assert_eq!(error.answer().unwrap().status(), Some(513));
    let endless = framed("a".repeat(201).as_bytes()).unwrap_err();
    assert!(matches!(endless, FrameError::TooLarge { answer: None, .. }));
    assert_eq!(framed("a".repeat(200).as_bytes()), Ok(None));
}

/// Framer and reader must never disagree about a length (S17).
#[test]
fn a_folded_length_is_the_same_in_a_stream_and_in_a_datagram() {
    for (length, frames) in [("l:\r\n 4", 1), ("l: \r\n\t4 \r\n ", 1), ("l: 4\r\n 4", 0)] {
        let raw = INVITE.replace("l: 4", length);
        let mut framer = Framer::new(Limits::default());
        framer.push(raw.as_bytes());
        let framed = framer.next();
        assert_eq!(framed.is_ok(), frames == 1, "{length:?}");
        if let Ok(frame) = framed {
            assert_eq!(frame, Some(Frame::Message(parse(&raw).raw().clone())), "{length:?}");
        } else {
            assert_eq!(refused(&raw).reason(), "Malformed Content-Length");
        }
    }
}

/// Bytes that look like SIP more often than chance would have it.
fn sip_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<Vec<u8>>(),
        "[ -~]{0,20}".prop_map(String::into_bytes),
        proptest::sample::select(vec![
            "\r\n",
            "\r\n\r\n",
            "\n",
            "\r",
            " ",
            "INVITE sip:a@b SIP/2.0\r\n",
            "SIP/2.0 200 OK\r\n",
            "Via: ",
            "v:SIP/2.0/UDP h",
            "From: \"",
            "<sip:a@b",
            ">;tag=",
            "\\",
            "\"",
            ",",
            ";",
            "Content-Length: ",
            "l:3\r\n",
            "0",
            "99999999999",
            "CSeq: 1 INVITE\r\n",
            "\r\n\t",
            "%",
            "Call-ID: x\r\n",
            "To: sip:a@b\r\n",
            "Contact: *\r\n",
            "\u{e9}",
            "[::1]",
            "=",
            "?",
            "@",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn frames(bytes: &[u8], cuts: &[usize]) -> (Vec<Frame>, bool) {
    let mut framer = Framer::new(Limits { message: 300 });
    let mut out = Vec::new();
    let mut rest = bytes;
    let mut cuts = cuts.iter().cycle();
    loop {
        let size = cuts.next().copied().unwrap_or(bytes.len()).clamp(1, rest.len().max(1));
        let (piece, later) = rest.split_at(size.min(rest.len()));
        framer.push(piece);
        rest = later;
        loop {
            match framer.next() {
                Ok(Some(frame)) => out.push(frame),
                Ok(None) => break,
                Err(_) => return (out, true),
            }
        }
        if rest.is_empty() {
            return (out, false);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_that_comes_makes_it_panic(bytes in sip_like()) {
        match Message::parse(bytes.into()) {
            Ok(message) => {
                for (name, _) in message.fields() {
                    let _ = message.other(name);
                }
                let _ = (message.cseq(), message.top_via(), message.from_tag(), message.to_tag());
                let _ = (message.uri(), message.max_forwards(), message.body().len());
                if let Err(error) = message.check() {
                    prop_assert!(error.answer().is_none_or(|a| a.status() == Some(error.status())));
                }
                let answer = Draft::response(&message, 200).encode();
                prop_assert!(Message::parse(answer).is_ok());
            }
            Err(error) => {
                if let Some(answer) = error.answer() {
                    prop_assert!(Message::parse(answer.encode()).is_ok());
                }
            }
        }
    }

    #[test]
    fn the_pieces_of_a_stream_do_not_matter(
        bytes in sip_like(),
        cuts in proptest::collection::vec(1_usize..40, 1..8),
    ) {
        let whole = frames(&bytes, &[]);
        let pieces = frames(&bytes, &cuts);
        // A limit may be seen earlier in one than in the other, never a frame.
        prop_assert_eq!(&whole.0, &pieces.0);
        prop_assert_eq!(whole, pieces);
    }

    #[test]
    fn what_is_framed_is_read_to_its_last_byte(bytes in sip_like()) {
        for frame in frames(&bytes, &[]).0 {
            let Frame::Message(raw) = frame else { continue };
            if let Ok(message) = Message::parse(raw.clone()) {
                prop_assert_eq!(message.raw(), &raw);
            }
        }
    }

    #[test]
    fn what_is_written_is_read_back(
        values in proptest::collection::vec("[^\\x00-\\x1f\\x7f,]{0,40}", 1..6),
        subject in any::<String>(),
        other in "[a-z]{1,8}-[A-Za-z]{1,8}",
        body in any::<Vec<u8>>(),
    ) {
        let mut draft = Draft::request(Method::Invite, "sip:bob@example.com")
            .with(Name::Subject, subject.clone())
            .with(Name::CallId, subject.clone())
            .with_other(&format!("X{other}"), subject.clone())
            .with_body("application/octet-stream", body.clone());
        values.iter().for_each(|value| draft.push(Name::Reason, value.as_str()));

        let message = Message::parse(draft.encode()).unwrap();

        prop_assert_eq!(Draft::call_id_in(message.raw()), message.call_id());
        prop_assert_eq!(&message.body()[..], &body[..]);
        let blanks = [' ', '\t'];
        let line = draft.header(Name::Subject).unwrap().trim_matches(blanks).to_owned();
        prop_assert_eq!(message.header(Name::Subject), Some(line.as_str()));
        prop_assert_eq!(message.other(&format!("x{other}")), Some(line.as_str()));
        let plain = |value: &&String| !value.contains(['"', '<', '>']);
        if values.iter().all(|value| plain(&value)) {
            let sent: Vec<&str> = values.iter().map(|value| value.trim_matches(blanks)).collect();
            prop_assert!(message.headers(Name::Reason).eq(sent));
        }
    }
}
