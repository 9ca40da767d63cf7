#![allow(clippy::unwrap_used)]

use std::net::IpAddr;
use std::time::Duration;

use tandem_kernel::Timestamp;

use super::algorithm::{Form, hex};
use super::nonce::hmac_sha256;
use super::proof::{Proof, Protection};
use super::*;
use crate::message::{Message, Method, Name};
use crate::value::{Authorization, Challenge};

fn credentials() -> Credentials {
    let (username, password) = ("Mufasa".to_owned(), "Circle of Life".to_owned());
    Credentials { username, password, realm: None }
}

/// RFC 7616 3.9.1, both algorithms.
#[test]
fn the_examples_of_rfc_7616_come_out() {
    let examples = [
        (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
        (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ];
    for (algorithm, response) in examples {
        let challenge = Challenge {
            realm: "http-auth@example.org".to_owned(),
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v".to_owned(),
            algorithm: Some(algorithm.as_str().to_owned()),
            qop: vec!["auth".to_owned(), "auth-int".to_owned()],
            ..Challenge::default()
        };
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let mut credentials = credentials();
        credentials.password = "Circle of Life".to_owned();
        let method = Method::Other("GET".into());

        let answer =
            answer(&[challenge], &credentials, &method, "/dir/index.html", b"", 1, cnonce).unwrap();

        assert_eq!(answer.response, response);
        assert_eq!(answer.nc, Some(1));
    }
}

/// RFC 2617 3.5 by RFC 2069's rule and with auth-int and MD5-sess, against hashes made apart.
#[test]
fn the_other_forms_of_the_proof_are_their_formulas() {
    let hash = |text: &str| Algorithm::Md5.hash(&[text.as_bytes()]);
    let ha1 = hash("u:r:p");
    let proof = |form, protection| {
        let (algorithm, method, uri, nonce) = (Algorithm::Md5, "INVITE", "sip:b", "n");
        Proof { algorithm, form, ha1: &ha1, method, uri, nonce, protection }.compute()
    };

    let ha2 = hash("INVITE:sip:b");
    assert_eq!(proof(Form::Plain, Protection::None), hash(&format!("{ha1}:n:{ha2}")));
    let session = hash(&format!("{ha1}:n:c"));
    let protection = Protection::Request { nc: 10, cnonce: "c" };
    let expected = hash(&format!("{session}:n:0000000a:c:auth:{ha2}"));
    assert_eq!(proof(Form::Session, protection), expected);
    let protection = Protection::Body { nc: 1, cnonce: "c", body: b"v=0" };
    let ha2 = hash(&format!("INVITE:sip:b:{}", hash("v=0")));
    let expected = hash(&format!("{ha1}:n:00000001:c:auth-int:{ha2}"));
    assert_eq!(proof(Form::Plain, protection), expected);
}

/// RFC 4231 4.2 and 4.3.
#[test]
fn the_keyed_hash_is_hmac() {
    let first = hmac_sha256(&[0x0b; 20], &[b"Hi ", b"There"]);
    assert_eq!(hex(&first), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    let second = hmac_sha256(b"Jefe", &[b"what do ya want for nothing?"]);
    assert_eq!(hex(&second), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

#[test]
fn the_first_challenge_that_is_known_is_answered() {
    let challenge = |algorithm: Option<&str>, qop: &[&str]| Challenge {
        realm: "r".to_owned(),
        nonce: "n".to_owned(),
        algorithm: algorithm.map(str::to_owned),
        qop: qop.iter().map(|qop| (*qop).to_owned()).collect(),
        ..Challenge::default()
    };
    let choose = |challenges: &[Challenge]| {
        let answer = answer(challenges, &credentials(), &Method::Invite, "sip:b", b"x", 2, "c");
        answer.map(|answer| (answer.algorithm, answer.qop, answer.nc))
    };
    let named = |name: &str| Some(name.to_owned());

    let auth = Some("auth".to_owned());
    let unknown = challenge(Some("NEW-512"), &["auth"]);
    let sha = challenge(Some("SHA-256"), &["auth-int", "auth"]);
    let session = challenge(Some("MD5-sess"), &["auth"]);
    let body = challenge(None, &["auth-int"]);
    let old = challenge(None, &[]);
    assert_eq!(
        choose(&[unknown.clone(), sha, old.clone()]),
        Ok((named("SHA-256"), auth.clone(), Some(2)))
    );
    assert_eq!(choose(&[session]), Ok((named("MD5-sess"), auth, Some(2))));
    assert_eq!(choose(&[body]), Ok((None, Some("auth-int".to_owned()), Some(2))));
    assert_eq!(choose(&[old]), Ok((None, None, None)));
    assert_eq!(choose(&[unknown]), Err(Unanswerable::Unsupported));
}

/// S14: a proof is never drawn out by a stranger.
#[test]
fn only_the_realm_of_the_credentials_is_answered() {
    let challenge = Challenge { realm: "theirs".to_owned(), ..Challenge::default() };
    let credentials = Credentials { realm: Some("ours".to_owned()), ..credentials() };

    let answer = answer(&[challenge], &credentials, &Method::Bye, "sip:b", b"", 1, "c");

    assert_eq!(answer, Err(Unanswerable::OtherRealm));
    assert!(!format!("{credentials:?}").contains("Circle"));
    assert_eq!(format!("{:?}", Secrets::of("a", "b", "c")), "Secrets(..)");
}

const START: Timestamp = Timestamp::from_secs(1_800_000_000);

fn after(secs: u64) -> Timestamp {
    START + Duration::from_secs(secs)
}

fn source() -> IpAddr {
    "192.0.2.7".parse().unwrap()
}

fn challenger(policy: Policy) -> Challenger {
    Challenger::new(policy, [7; 32], 1)
}

/// A phone that has been challenged.
struct Phone {
    challenges: Vec<Challenge>,
    credentials: Credentials,
    secrets: Secrets,
}

impl Phone {
    fn challenged(challenger: &mut Challenger) -> Self {
        let credentials = credentials();
        let secrets = Secrets::of(&credentials.username, challenger.realm(), &credentials.password);
        let challenges = challenger.challenge(START, source(), Denied::Missing);
        Self { challenges, credentials, secrets }
    }

    fn prove(&self, which: usize, nc: u32) -> Authorization {
        let challenge = &self.challenges[which..=which];
        answer(challenge, &self.credentials, &Method::Register, "sip:example.com", b"", nc, "cn")
            .unwrap()
    }

    fn judged(
        &self,
        challenger: &mut Challenger,
        now: Timestamp,
        authorization: &Authorization,
    ) -> Result<(), Denied> {
        let (method, uri, source) = (&Method::Register, "sip:example.com", source());
        let presented = Presented { authorization, method, uri, source };
        challenger.verify(now, &presented, Some(&self.secrets))
    }
}

#[test]
fn sha_256_is_offered_first_and_each_offer_is_taken() {
    let mut challenger = challenger(Policy::new("office"));
    let phone = Phone::challenged(&mut challenger);

    let offers: Vec<_> = phone.challenges.iter().map(|c| c.algorithm.as_deref().unwrap()).collect();
    assert_eq!(offers, ["SHA-256", "MD5"]);
    assert!(phone.challenges.iter().all(|challenge| challenge.qop == ["auth"]));
    for which in [0, 1] {
        let proof = phone.prove(which, which as u32 + 1);
        // As it goes over the wire and comes back.
        let proof = Authorization::parse(&proof.to_string()).unwrap();
        assert_eq!(phone.judged(&mut challenger, after(1), &proof), Ok(()));
    }
}

/// The nonce count is hexadecimal and 32 bits wide: a phone may use a nonce for long.
#[test]
fn a_nonce_is_used_thousands_of_times() {
    let mut challenger = challenger(Policy::new("office"));
    let phone = Phone::challenged(&mut challenger);

    for nc in (1..=1_000).chain([0xffff_fffe, u32::MAX]) {
        let proof = phone.prove(0, nc);
        assert_eq!(phone.judged(&mut challenger, after(1), &proof), Ok(()), "{nc:x}");
    }
    assert_eq!(challenger.nonces(), 1);
}

#[test]
fn a_proof_is_taken_once_and_overtaking_is_allowed() {
    let mut challenger = challenger(Policy::new("office"));
    let phone = Phone::challenged(&mut challenger);
    let mut judge = |nc| phone.judged(&mut challenger, after(1), &phone.prove(0, nc));

    assert_eq!(judge(3), Ok(()));
    assert_eq!(judge(3), Err(Denied::Replayed));
    assert_eq!(judge(2), Ok(()));
    assert_eq!(judge(2), Err(Denied::Replayed));
    assert_eq!(judge(100), Ok(()));
    assert_eq!(judge(37), Ok(()), "63 behind");
    assert_eq!(judge(36), Err(Denied::Replayed), "64 behind cannot be told any more");
    assert!(Denied::Replayed.is_stale());
}

#[test]
fn an_old_nonce_is_stale_and_not_an_offence() {
    let mut challenger = challenger(Policy::new("office"));
    let phone = Phone::challenged(&mut challenger);
    let proof = phone.prove(0, 1);

    assert_eq!(phone.judged(&mut challenger, after(61), &proof), Err(Denied::Stale));
    let challenge = &challenger.challenge(after(61), source(), Denied::Stale)[0];
    assert!(challenge.stale && challenge.to_string().contains("stale=true"));
    assert_ne!(challenge.nonce, phone.challenges[0].nonce);
}

#[test]
fn a_nonce_of_another_secret_epoch_address_or_time_is_stale() {
    let mut challenger = challenger(Policy::new("office"));
    let phone = Phone::challenged(&mut challenger);
    let proof = phone.prove(0, 1);
    let policy = || Policy::new("office");

    let mut other_key = Challenger::new(policy(), [8; 32], 1);
    assert_eq!(phone.judged(&mut other_key, after(1), &proof), Err(Denied::Stale));
    let mut other_epoch = Challenger::new(policy(), [7; 32], 2);
    assert_eq!(phone.judged(&mut other_epoch, after(1), &proof), Err(Denied::Stale));
    let earlier = START - Duration::from_secs(5);
    assert_eq!(phone.judged(&mut challenger, earlier, &proof), Err(Denied::Stale));
    let presented = Presented {
        authorization: &proof,
        method: &Method::Register,
        uri: "sip:example.com",
        source: "192.0.2.8".parse().unwrap(),
    };
    let moved = challenger.verify(after(1), &presented, Some(&phone.secrets));
    assert_eq!(moved, Err(Denied::Stale));
    let mapped = Presented { source: "::ffff:192.0.2.7".parse().unwrap(), ..presented };
    assert_eq!(challenger.verify(after(1), &mapped, Some(&phone.secrets)), Ok(()));
    // Another node with the same secret.
    let mut twin = Challenger::new(policy(), [7; 32], 1);
    assert_eq!(phone.judged(&mut twin, after(1), &phone.prove(0, 2)), Ok(()));
}

#[test]
fn what_is_not_proven_is_wrong_whoever_says_it() {
    let mut challenger = challenger(Policy::new("office"));
    let phone = Phone::challenged(&mut challenger);
    let right = phone.prove(0, 1);

    let wrong = Authorization { response: "0".repeat(64), ..right.clone() };
    assert_eq!(phone.judged(&mut challenger, after(1), &wrong), Err(Denied::Wrong));
    let elsewhere = Authorization { uri: "sip:other.example.com".to_owned(), ..right.clone() };
    assert_eq!(phone.judged(&mut challenger, after(1), &elsewhere), Err(Denied::Wrong));
    let counted = Authorization { nc: Some(2), ..right.clone() };
    assert_eq!(phone.judged(&mut challenger, after(1), &counted), Err(Denied::Wrong));
    let presented = Presented {
        authorization: &right,
        method: &Method::Register,
        uri: "sip:example.com",
        source: source(),
    };
    assert_eq!(challenger.verify(after(1), &presented, None), Err(Denied::Wrong));
    let invite = Presented { method: &Method::Invite, ..presented };
    let judged = challenger.verify(after(1), &invite, Some(&phone.secrets));
    assert_eq!(judged, Err(Denied::Wrong));
    let other = Presented { uri: "sip:other.example.com", ..presented };
    let judged = challenger.verify(after(1), &other, Some(&phone.secrets));
    assert_eq!(judged, Err(Denied::Wrong));
    // None of these has used the proof up.
    let padded = Presented { uri: "sip:example.com;transport=tcp", ..presented };
    assert_eq!(challenger.verify(after(1), &padded, Some(&phone.secrets)), Ok(()));
}

#[test]
fn what_was_not_offered_is_not_taken() {
    let policy = Policy { algorithms: vec![Algorithm::Sha256], ..Policy::new("office") };
    let mut challenger = challenger(policy);
    let mut phone = Phone::challenged(&mut challenger);
    let mut judge = |algorithm: Option<&str>, qop: &[&str]| {
        phone.challenges[0].algorithm = algorithm.map(str::to_owned);
        phone.challenges[0].qop = qop.iter().map(|qop| (*qop).to_owned()).collect();
        phone.judged(&mut challenger, after(1), &phone.prove(0, 1))
    };

    assert_eq!(judge(Some("MD5"), &["auth"]), Err(Denied::Missing));
    assert_eq!(judge(None, &["auth"]), Err(Denied::Missing));
    assert_eq!(judge(Some("SHA-256-sess"), &["auth"]), Err(Denied::Missing));
    assert_eq!(judge(Some("SHA-256"), &[]), Err(Denied::Missing), "without qop");
    assert_eq!(judge(Some("SHA-256"), &["auth-int"]), Err(Denied::Missing));
    assert_eq!(judge(Some("SHA-256"), &["auth"]), Ok(()));
}

#[test]
fn a_flood_of_nonces_makes_old_ones_stale_and_never_replayable() {
    let mut challenger = challenger(Policy { nonces: 2, ..Policy::new("office") });
    let phones: Vec<Phone> = (0..4).map(|_| Phone::challenged(&mut challenger)).collect();

    for phone in &phones {
        assert_eq!(phone.judged(&mut challenger, after(1), &phone.prove(0, 1)), Ok(()));
    }

    assert_eq!(challenger.nonces(), 2);
    let first = phones[0].judged(&mut challenger, after(1), &phones[0].prove(0, 1));
    assert_eq!(first, Err(Denied::Stale));
    let last = phones[3].judged(&mut challenger, after(1), &phones[3].prove(0, 1));
    assert_eq!(last, Err(Denied::Replayed));
}

#[test]
fn challenges_and_credentials_are_found_in_messages() {
    let raw = "SIP/2.0 407 Proxy Authentication Required\r\n\
        Proxy-Authenticate: Basic realm=\"x\"\r\n\
        Proxy-Authenticate: Digest realm=\"a, b\", nonce=\"n\", algorithm=SHA-256, qop=\"auth,auth-int\"\r\n\
        Proxy-Authenticate: Digest realm=\"a, b\", nonce=\"m\"\r\n\
        Content-Length: 0\r\n\r\n";
    let (header, found) = challenges(&Message::parse(raw.into()).unwrap()).unwrap();
    assert_eq!(header, Name::ProxyAuthorization);
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].realm.as_str(), found[0].qop.len()), ("a, b", 2));

    let raw = "REGISTER sip:b SIP/2.0\r\n\
        Authorization: NoOneKnowsThisScheme opaque-data=here\r\n\
        Authorization: Digest username=\"u\", realm=\"other\", nonce=\"n\", uri=\"sip:b\", response=\"0\"\r\n\
        Authorization: Digest username=\"u\", realm=\"ours\", nonce=\"n\", uri=\"sip:b\", response=\"0\",\
        \x20qop=auth, nc=0000000A, cnonce=\"c\"\r\n\
        Content-Length: 0\r\n\r\n";
    let request = Message::parse(raw.into()).unwrap();
    assert_eq!(presented(&request, Name::Authorization, "ours").unwrap().nc, Some(10));
    assert_eq!(presented(&request, Name::Authorization, "none"), None);
    assert_eq!(presented(&request, Name::ProxyAuthorization, "ours"), None);
}
