//! The messages of RFC 4475 and RFC 5118: each gets the treatment that the index names, as a
//! datagram, as a whole from a stream, and byte by byte from a stream.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tandem_sip::message::{Frame, Framer, Limits, Message, Method, Name};
use tandem_sip::value::{NameAddr, Scheme, Uri, Via};

/// What the message layer does with a message; users of the layer may refuse more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Treatment {
    /// Handed to the transactions.
    Sound,
    /// Answered without a state, and forgotten.
    Refused(u16),
    /// Forgotten without an answer.
    Dropped,
}

use Treatment::{Dropped, Refused, Sound};

/// What is not sound. Everything else in the index must be.
const UNSOUND: &[(&str, Treatment)] = &[
    ("badinv01", Refused(400)),
    ("clerr", Refused(400)),
    ("ncl", Refused(400)),
    ("scalar02", Refused(400)),
    ("scalarlg", Dropped),
    ("quotbal", Refused(400)),
    ("ltgtruri", Refused(400)),
    ("lwsruri", Refused(400)),
    ("lwsstart", Refused(400)),
    ("trws", Refused(400)),
    ("escruri", Refused(400)),
    ("regbadct", Refused(400)),
    ("badaspec", Refused(400)),
    ("baddn", Refused(400)),
    ("badvers", Refused(505)),
    ("mismatch01", Refused(400)),
    ("bigcode", Dropped),
    ("insuf", Refused(400)),
    ("unkscm", Refused(416)),
    ("novelsc", Refused(416)),
    ("multi01", Refused(400)),
    ("mcl01", Refused(400)),
    ("test", Dropped),
    ("ipv6-bad", Refused(400)),
];

/// Sound here, because who takes the request decides: 501 for a method, 420 for an extension,
/// 483, 415, 406, 401, or nothing at all for an answer that nobody waits for.
const DECIDED_LATER: &[&str] = &[
    "baddate",
    "mismatch02",
    "badbranch",
    "unksm2",
    "bext01",
    "invut",
    "regaut01",
    "bcast",
    "zeromf",
    "cparam01",
    "cparam02",
    "regescrt",
    "sdp01",
];

struct Case {
    set: String,
    name: String,
    class: String,
    /// The columns `expected` and `also_ok`.
    expected: String,
    bytes: Bytes,
}

/// The shared data if it is there, else the copy beside this test.
fn data() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let shared = std::env::var_os("TANDEM_SHARED").map(PathBuf::from);
    let shared = shared.map(|shared| shared.join("data/sip-torture"));
    shared.filter(|shared| shared.join("index.tsv").exists()).unwrap_or(own)
}

fn cases() -> Vec<Case> {
    let data = data();
    let index = fs::read_to_string(data.join("index.tsv")).unwrap();
    let case = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        Case {
            set: cells[0].to_owned(),
            name: cells[1].to_owned(),
            class: cells[5].to_owned(),
            expected: format!("{} {}", cells[6], cells[7]),
            bytes: fs::read(data.join(cells[2])).unwrap().into(),
        }
    };
    index.lines().skip(1).filter(|line| !line.is_empty()).map(case).collect()
}

fn read(name: &str) -> Message {
    let bytes = fs::read(data().join("rfc4475").join(format!("{name}.dat"))).unwrap();
    Message::parse(bytes.into()).unwrap()
}

fn treat(raw: Bytes) -> Treatment {
    let refused = match Message::parse(raw) {
        Ok(message) => match message.check() {
            Ok(()) => return Sound,
            Err(error) => error,
        },
        Err(error) => error,
    };
    match refused.answer() {
        None => Dropped,
        Some(answer) => {
            assert_eq!(answer.status(), Some(refused.status()));
            // The answer itself can be read.
            Message::parse(answer.encode()).unwrap();
            Refused(refused.status())
        }
    }
}

fn due(name: &str) -> Treatment {
    UNSOUND.iter().find(|(unsound, _)| *unsound == name).map_or(Sound, |(_, due)| *due)
}

#[test]
fn every_message_gets_its_treatment_as_a_datagram() {
    let mut wrong = BTreeMap::new();
    let cases = cases();
    assert!(cases.len() >= 74, "only {} messages", cases.len());
    for case in cases {
        let got = treat(case.bytes);
        // The archive lost line ends, and so lengths and blank lines; `rfc5118-wire` has them.
        if case.set == "rfc5118" && got == Refused(400) {
            continue;
        }
        if got != due(&case.name) {
            wrong.insert(format!("{}/{}", case.set, case.name), (got, due(&case.name)));
        }
    }
    assert!(wrong.is_empty(), "got, due: {wrong:#?}");
}

/// The table above says nothing that the index does not allow.
#[test]
fn the_treatment_is_one_that_the_index_allows() {
    for case in cases() {
        let is_allowed = match due(&case.name) {
            Refused(status) => case.expected.contains(&status.to_string()),
            Dropped => case.expected.contains("drop"),
            Sound => {
                ["valid", "tolerate", "backward"].iter().any(|c| case.class.starts_with(c))
                    || DECIDED_LATER.contains(&case.name.as_str())
            }
        };
        assert!(is_allowed, "{}: {:?}, {}", case.name, due(&case.name), case.expected);
    }
}

/// Every frame of a stream that comes in pieces of a size; the end of a broken stream counts.
fn frames(bytes: &[u8], piece: usize) -> (Vec<Frame>, Option<String>) {
    let mut framer = Framer::new(Limits::default());
    let mut frames = Vec::new();
    for piece in bytes.chunks(piece) {
        framer.push(piece);
        loop {
            match framer.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error.to_string())),
            }
        }
    }
    (frames, None)
}

#[test]
fn a_stream_is_cut_alike_whatever_its_pieces() {
    for case in cases() {
        let whole = frames(&case.bytes, case.bytes.len());
        for piece in [1, 2, 3, 7, 64, 500] {
            assert_eq!(frames(&case.bytes, piece), whole, "{} by {piece}", case.name);
        }
    }
}

#[test]
fn messages_from_a_stream_get_the_treatment_of_a_datagram() {
    // Over a stream these wait for more, or end the connection.
    let unframed = ["clerr", "ncl", "mcl01", "inv2543", "baddn", "bcast", "insuf"];
    for case in cases() {
        let (frames, error) = frames(&case.bytes, 1);
        let Some(Frame::Message(first)) = frames.first() else {
            let is_known = unframed.contains(&case.name.as_str()) || case.set == "rfc5118";
            assert!(is_known, "{}: {frames:?} {error:?}", case.name);
            continue;
        };
        assert_eq!(treat(first.clone()), due(&case.name), "{}", case.name);
    }
}

#[test]
fn what_cannot_be_framed_is_still_answered() {
    for name in ["ncl", "mcl01", "inv2543"] {
        let bytes = fs::read(data().join("rfc4475").join(format!("{name}.dat"))).unwrap();
        let mut framer = Framer::new(Limits::default());
        framer.push(&bytes);

        let error = framer.next().unwrap_err();

        let answer = error.answer().unwrap();
        assert_eq!(answer.status(), Some(400), "{name}");
        assert!(answer.header(Name::CallId).is_some(), "{name}");
        assert_eq!(framer.next(), Err(error), "{name}: a broken stream stays broken");
    }
}

#[test]
fn a_body_that_never_comes_whole_is_waited_for() {
    let bytes = fs::read(data().join("rfc4475/clerr.dat")).unwrap();

    assert_eq!(frames(&bytes, bytes.len()), (vec![], None));
}

#[test]
fn trailing_octets_are_dropped_from_a_datagram_and_a_message_in_a_stream() {
    let bytes = fs::read(data().join("rfc4475/dblreq.dat")).unwrap();

    let message = Message::parse(bytes.clone().into()).unwrap();
    // The second body has more bytes than it says; they are the start of nothing.
    let (frames, _) = frames(&bytes, 11);

    assert!(message.raw().len() < bytes.len());
    assert_eq!(message.method(), Some(Method::Register));
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[0], Frame::Message(message.raw().clone()));
}

/// RFC 4475 3.1.1.1.
#[test]
fn the_tortuous_invite_is_read_in_every_detail() {
    let invite = read("wsinv");

    assert_eq!(invite.uri(), Some("sip:vivekg@chair-dnrc.example.com;unknownparam"));
    assert_eq!(invite.to_tag(), Some("1918181833n"));
    assert_eq!(invite.from_tag(), Some("98asjd8"));
    assert_eq!(invite.max_forwards(), Some(68));
    assert_eq!(invite.cseq().unwrap(), (9, Method::Invite));
    assert_eq!(invite.header(Name::Subject), Some(""));
    let fanged = invite.other("newfangledheader");
    assert_eq!(fanged, Some("newfangled value continued newfangled value"));
    assert_eq!(invite.other("UnknownHeaderWithUnusualValue"), Some(";;,,;;,;"));
    assert_eq!(invite.body().len(), 150);
    let from = NameAddr::parse(invite.header(Name::From).unwrap()).unwrap();
    assert_eq!(from.display.as_deref(), Some(r#"J Rosenberg \""#));
    let vias: Vec<Via> = invite.headers(Name::Via).map(|via| Via::parse(via).unwrap()).collect();
    let hosts: Vec<&str> = vias.iter().map(|via| via.host.as_str()).collect();
    assert_eq!(hosts, ["192.0.2.2", "spindle.example.com", "192.168.255.111"]);
    assert_eq!(vias[1].branch.as_deref(), Some("z9hG4bK9ikj8"));
    assert_eq!(vias[1].transport, "TCP");
    let contact = NameAddr::parse(invite.header(Name::Contact).unwrap()).unwrap();
    assert_eq!(contact.display.as_deref(), Some(r#"Quoted string """#));
    assert_eq!(contact.param("q"), Some("0.33"));
    assert_eq!(contact.param("newparam"), Some("newvalue"));
}

/// RFC 4475 3.1.1.2.
#[test]
fn a_method_of_odd_characters_is_kept() {
    let request = read("intmeth");

    let method = "!interesting-Method0123456789_*+`.%indeed'~";
    assert_eq!(request.method(), Some(Method::Other(method.into())));
    assert_eq!(request.cseq().unwrap(), (139_122_385, Method::Other(method.into())));
    let to = NameAddr::parse(request.header(Name::To).unwrap()).unwrap();
    assert_eq!(to.display.as_deref(), Some("BEL:\u{7} NUL:\0 DEL:\u{7f}"));
    let from = NameAddr::parse(request.header(Name::From).unwrap()).unwrap();
    assert_eq!(from.params.unquoted("fromParam''~+*_!.-%").as_deref(), Some("работающий"));
    assert_eq!(from.tag(), Some("_token~1'+`*%!-."));
    assert_eq!(request.other("extensionHeader-!.%*+_`'~"), Some("\u{feff}大停電"));
}

/// RFC 4475 3.1.1.3 to 3.1.1.5 and 3.1.1.9.
#[test]
fn escapes_are_understood_where_they_are_escapes_and_nowhere_else() {
    let escaped = read("esc01");
    let uri = Uri::parse(escaped.uri().unwrap()).unwrap();
    assert_eq!((uri.scheme.clone(), uri.host.as_str()), (Scheme::Sip, "example.net"));
    assert_eq!(uri.user_text().as_deref(), Some("sips:user@example.com"));
    assert_eq!(uri.to_string(), "sip:sips%3Auser%40example.com@example.net");
    let to = NameAddr::parse(escaped.header(Name::To).unwrap()).unwrap();
    assert_eq!(to.uri, Uri::parse("sip:user@example.com").unwrap());

    let nulls = read("escnull");
    let users: Vec<Option<String>> =
        nulls.headers(Name::Contact).map(|c| NameAddr::parse(c).unwrap().uri.user).collect();
    assert_eq!(users, [Some("%00".to_owned()), Some("%00%00".to_owned())]);

    let none = read("esc02");
    assert_eq!(none.method(), Some(Method::Other("RE%47IST%45R".into())));
    assert_eq!(none.headers(Name::Contact).count(), 2);
    assert!(none.other("C%6Fntact").is_some());

    let semicolon = Uri::parse(read("semiuri").uri().unwrap()).unwrap();
    assert_eq!(semicolon.user_text().as_deref(), Some("user;par=u@example.net"));
    assert!(semicolon.params.is_empty());
}

/// RFC 4475 3.1.1.7, 3.1.1.10 to 3.1.1.13.
#[test]
fn long_values_odd_transports_raw_bodies_and_phrases_survive() {
    assert_eq!(read("longreq").headers(Name::Via).count(), 34);
    let transports = read("transports");
    let transport = |via: &str| Via::parse(via).unwrap().transport;
    let kinds: Vec<String> = transports.headers(Name::Via).map(transport).collect();
    assert_eq!(kinds, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
    assert!(read("mpart01").body().contains(&0));
    assert_eq!(read("unreason").reason(), Some("= 2**3 * 5**2 но сто девяносто девять - простое"));
    assert_eq!((read("noreason").status(), read("noreason").reason()), (Some(100), Some("")));
}

/// RFC 4475 3.3.12 and 3.3.13.
#[test]
fn a_parameter_belongs_to_the_header_or_to_the_uri() {
    let contact = |name| NameAddr::parse(read(name).header(Name::Contact).unwrap()).unwrap();

    assert!(contact("cparam01").params.has("unknownparam"));
    assert!(!contact("cparam01").uri.params.has("unknownparam"));
    assert!(contact("cparam02").uri.params.has("unknownparam"));
    assert!(!contact("cparam02").params.has("unknownparam"));
    assert!(contact("regescrt").uri.header("Route").is_some());
}

/// RFC 4475 3.1.2.4: too large a number is cut, not wrapped.
#[test]
fn large_scalars_are_cut() {
    let request = read("scalar02");

    assert!(request.cseq().is_err());
    assert_eq!(request.max_forwards(), Some(255));
    assert_eq!(request.number(Name::Expires), Some(u32::MAX));
}

/// RFC 5118 4.3, 4.4, 4.5 and 4.10.
#[test]
fn ipv6_addresses_are_understood_in_every_place() {
    let wire = |name: &str| {
        let path = data().join("rfc5118-wire").join(format!("{name}.dat"));
        Message::parse(fs::read(path).unwrap().into()).unwrap()
    };
    let uri = |name: &str| Uri::parse(wire(name).uri().unwrap()).unwrap();

    assert_eq!(uri("port-ambiguous").host, "[2001:db8::10:5070]");
    assert_eq!(uri("port-ambiguous").port, None);
    assert_eq!(
        (uri("port-unambiguous").host.as_str(), uri("port-unambiguous").port),
        ("[2001:db8::10]", Some(5070))
    );
    for name in ["via-received-param-with-delim", "via-received-param-no-delim"] {
        let received = wire(name).top_via().unwrap().received;
        assert_eq!(received, Some("2001:db8::9:255".parse().unwrap()), "{name}");
    }
    let colons = uri("ipv6-bug-abnf-3-colons");
    assert!(colons.is_equivalent(&uri("ipv6-correct-abnf-2-colons")));
    assert!(colons.ip().is_some());
    let mixed = wire("mult-ip-in-header");
    let hosts: Vec<String> =
        mixed.headers(Name::Via).map(|via| Via::parse(via).unwrap().host).collect();
    assert_eq!(hosts, ["[2001:db8::9:1]", "192.0.2.1", "[2001:db8::9:255]"]);
}

/// Other collections, where they are at hand: nothing panics, and the wire front and the values
/// agree that what is sound can be answered.
#[test]
fn odd_messages_of_other_projects_do_no_harm() {
    let shared = std::env::var_os("TANDEM_SHARED")
        .map(PathBuf::from)
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let torture = shared.join("data/sip-torture");
    if !torture.exists() {
        eprintln!("SKIPPED: no {}", torture.display());
        return;
    }
    let mut folders = vec![torture];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = fs::read(path).unwrap();
            frames(&bytes, 3);
            treat(bytes.into());
        }
    }
    assert!(files > 74);
}
