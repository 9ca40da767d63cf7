#![allow(clippy::unwrap_used)]
//! Members in one process, on real sockets.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rcgen::KeyPair;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tandem_kernel::{Clock, Timestamp};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::*;

const LIFETIME: Duration = Duration::from_secs(3_600);

/// Longer than anything here takes, even on a loaded machine.
const LONG: Duration = Duration::from_secs(30);

fn timing() -> Timing {
    Timing { announce: Duration::from_millis(100), ..Timing::default() }
}

fn config(dir: &Path, lifetime: Duration) -> Config {
    Config {
        dir: dir.to_owned(),
        bind: "127.0.0.1:0".parse().unwrap(),
        advertised: None,
        lifetime,
        timing: timing(),
        clock: Clock::start(),
        level: None,
    }
}

fn now() -> Timestamp {
    Clock::start().now()
}

fn found_in(dir: &Path, cluster: u64, lifetime: Duration) {
    let cluster = ClusterId(cluster);
    let (name, address) = ("node-1", "127.0.0.1:9");
    found(&Founding { dir, name, address, lifetime, now: now(), cluster }).unwrap();
}

async fn first(dir: &Path) -> Mesh {
    found_in(dir, 7, LIFETIME);
    Mesh::start(config(dir, LIFETIME)).await.unwrap()
}

fn token(dir: &Path, name: Option<&str>, lifetime: Duration, chance: u8) -> Token {
    let scope = Scope { name: name.map(str::to_owned), lifetime };
    Tokens::new(dir).issue(&scope, now(), [chance; 24]).unwrap()
}

fn joining(dir: &Path, host: &Mesh, token: Token, name: &str) -> Joining {
    Joining {
        dir: dir.to_owned(),
        host: host.address().to_owned(),
        token,
        name: name.to_owned(),
        address: ":1".to_owned(),
    }
}

/// A second member, up and linked.
async fn second(of: &Mesh, founder: &Path, dir: &Path) -> Mesh {
    let token = token(founder, None, LIFETIME, 1);
    join(&joining(dir, of, token, "node-2")).await.unwrap();
    let mesh = Mesh::start(config(dir, LIFETIME)).await.unwrap();
    until_linked(&mesh, of.node()).await;
    until_linked(of, mesh.node()).await;
    mesh
}

async fn until(what: &str, test: impl Fn() -> bool) {
    let looked = async {
        while !test() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(timeout(LONG, looked).await.is_ok(), "{what}");
}

fn link(mesh: &Mesh, node: u64) -> Option<LinkStatus> {
    let status = mesh.status();
    status.members.into_iter().find(|member| member.node == node).map(|member| member.link)
}

async fn until_linked(mesh: &Mesh, node: u64) {
    until("the link is up", || matches!(link(mesh, node), Some(LinkStatus::Up { .. }))).await;
}

fn refused<T: std::fmt::Debug>(result: Result<T, MeshError>) -> Refusal {
    match result {
        Err(MeshError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_token_lets_one_node_in_once() {
    let [a, b, c] = [(); 3].map(|()| TempDir::new().unwrap());
    let host = first(a.path()).await;
    let token = token(a.path(), None, LIFETIME, 1);

    let own = join(&joining(b.path(), &host, token.clone(), "node-2")).await.unwrap();
    let again = join(&joining(c.path(), &host, token, "node-3")).await;

    assert_eq!((own.subject.node, &*own.subject.name), (2, "node-2"));
    assert_eq!(refused(again), Refusal::TokenUsed);
    assert!(!Credentials::exist(c.path()));
}

#[tokio::test]
async fn an_issued_token_outlives_the_issuers_restart_and_so_does_its_use() {
    let [a, b, c] = [(); 3].map(|()| TempDir::new().unwrap());
    let host = first(a.path()).await;
    let token = token(a.path(), None, LIFETIME, 1);
    host.stop().await;

    let host = Mesh::start(config(a.path(), LIFETIME)).await.unwrap();
    join(&joining(b.path(), &host, token.clone(), "node-2")).await.unwrap();
    host.stop().await;

    let host = Mesh::start(config(a.path(), LIFETIME)).await.unwrap();
    let again = join(&joining(c.path(), &host, token, "node-3")).await;
    assert_eq!(refused(again), Refusal::TokenUsed);
}

#[tokio::test]
async fn a_token_is_refused_for_its_age_its_name_its_secret_and_its_cluster() {
    let [a, b, other] = [(); 3].map(|()| TempDir::new().unwrap());
    let host = first(a.path()).await;
    found_in(other.path(), 8, LIFETIME);
    let old = token(a.path(), None, Duration::ZERO, 1);
    let scoped = token(a.path(), Some("node-9"), LIFETIME, 2);
    let mut forged = token(a.path(), None, LIFETIME, 3);
    forged.secret[0] ^= 1;
    let strange = token(other.path(), None, LIFETIME, 4);
    let taken = token(a.path(), None, LIFETIME, 5);

    for (token, name, expected) in [
        (old, "node-2", Refusal::TokenExpired),
        (scoped, "node-2", Refusal::TokenScope),
        (forged, "node-2", Refusal::TokenUnknown),
        (strange, "node-2", Refusal::WrongAuthority),
        (taken, "node-1", Refusal::NameTaken),
    ] {
        let result = join(&joining(b.path(), &host, token, name)).await;
        assert_eq!(refused(result), expected);
    }
    assert_eq!(host.status().members.len(), 1);
}

#[test]
fn a_token_reads_as_it_was_printed_and_does_not_show_its_secret() {
    let token = Token { authority: [1; 32], id: [2; 8], secret: [3; 16] };
    assert_eq!(token.to_string().parse::<Token>().unwrap(), token);
    assert!(!format!("{token:?}").contains('3'));
    for wrong in ["", "tandem-join-", "tandem-join-AAAA", "secret"] {
        assert_eq!(wrong.parse::<Token>(), Err(NotAToken));
    }
}

#[tokio::test]
async fn members_ask_each_other_on_every_lane_and_are_known_by_number() {
    let [a, b] = [(); 2].map(|()| TempDir::new().unwrap());
    let one = first(a.path()).await;
    let two = second(&one, a.path(), b.path()).await;
    two.serve(Arc::new(|from, lane, question: Bytes| {
        Box::pin(async move {
            Bytes::from(format!("{from} {lane:?} {}", String::from_utf8_lossy(&question)))
        })
    }));

    for lane in [Lane::Consensus, Lane::Forward, Lane::Bulk] {
        let answer = one.ask(2, lane, Bytes::from_static(b"hello"), LONG).await.unwrap();
        assert_eq!(answer, format!("1 {lane:?} hello"));
    }
    // Nobody serves at node 1: the question breaks, it does not hang.
    let answer = two.ask(1, Lane::Forward, Bytes::new(), LONG).await;
    assert!(matches!(answer, Err(AskError::Broken(_))), "{answer:?}");
}

#[tokio::test]
async fn a_question_ends_at_its_deadline_and_a_long_one_is_not_sent() {
    let [a, b] = [(); 2].map(|()| TempDir::new().unwrap());
    let one = first(a.path()).await;
    let two = second(&one, a.path(), b.path()).await;
    two.serve(Arc::new(|_, _, _| Box::pin(std::future::pending())));

    let answer = one.ask(2, Lane::Forward, Bytes::new(), Duration::from_millis(100)).await;
    assert_eq!(answer, Err(AskError::TimedOut));
    let long = Bytes::from(vec![0; MAX_BODY_BYTES + 1]);
    let answer = one.ask(2, Lane::Bulk, long, LONG).await;
    assert!(matches!(answer, Err(AskError::Unreachable(_))), "{answer:?}");
    let answer = one.ask(9, Lane::Consensus, Bytes::new(), LONG).await;
    assert!(matches!(answer, Err(AskError::Unreachable(_))), "{answer:?}");
}

#[tokio::test]
async fn a_question_to_a_dead_member_fails_at_once() {
    let [a, b] = [(); 2].map(|()| TempDir::new().unwrap());
    let one = first(a.path()).await;
    let two = second(&one, a.path(), b.path()).await;
    two.stop().await;
    until("the link is down", || matches!(link(&one, 2), Some(LinkStatus::Down(_)))).await;

    let quick =
        timeout(Duration::from_millis(500), one.ask(2, Lane::Consensus, Bytes::new(), LONG));
    assert!(matches!(quick.await, Ok(Err(AskError::Unreachable(_)))));
}

#[tokio::test]
async fn a_member_that_comes_back_elsewhere_is_found_again() {
    let [a, b] = [(); 2].map(|()| TempDir::new().unwrap());
    let one = first(a.path()).await;
    let two = second(&one, a.path(), b.path()).await;
    let before = two.address().to_owned();
    two.stop().await;

    let two = Mesh::start(config(b.path(), LIFETIME)).await.unwrap();
    let after = two.address().to_owned();

    assert_ne!(before, after);
    let known = || one.status().members.iter().any(|member| member.address == after);
    until("the new address is known", known).await;
    until_linked(&one, 2).await;
}

#[tokio::test]
async fn three_members_know_each_other_though_each_joined_by_the_first() {
    let [a, b, c] = [(); 3].map(|()| TempDir::new().unwrap());
    let one = first(a.path()).await;
    let two = second(&one, a.path(), b.path()).await;
    let token = token(a.path(), None, LIFETIME, 2);
    join(&joining(c.path(), &one, token, "node-3")).await.unwrap();
    let three = Mesh::start(config(c.path(), LIFETIME)).await.unwrap();

    until_linked(&two, 3).await;
    until_linked(&three, 2).await;
}

/// Writes a member's files by hand: as somebody would who has a certificate that he should not
/// have, or that is too old.
fn disguise(from: &Path, to: &Path, signer: &Path, cluster: u64, age: Duration) {
    let authority = Authority::load(signer, ClusterId(cluster)).unwrap().unwrap();
    let key = KeyPair::generate().unwrap();
    let request = identity::request(&key).unwrap();
    let (node, name) = (2, "node-2");
    let order = Order { node, name, from: now() - age, lifetime: Duration::from_secs(600) };
    let certificate = authority.sign(&request, &order).unwrap();
    let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let trusted = Credentials::load(from).unwrap().authority;
    std::fs::create_dir_all(to).unwrap();
    Credentials::new(certificate, trusted, secret).unwrap().save(to).unwrap();
    std::fs::copy(from.join(files::ROSTER), to.join(files::ROSTER)).unwrap();
}

async fn refusal_of(dir: &Path) -> Refusal {
    let mesh = Mesh::start(config(dir, LIFETIME)).await.unwrap();
    mesh.first_contact(LONG).await.unwrap_err()
}

#[tokio::test]
async fn a_wrong_authority_an_old_certificate_and_a_stolen_name_are_refused_with_the_reason() {
    let [a, b, other, fake] = [(); 4].map(|()| TempDir::new().unwrap());
    let one = first(a.path()).await;
    let two = second(&one, a.path(), b.path()).await;
    two.stop().await;
    found_in(other.path(), 7, LIFETIME);

    disguise(b.path(), fake.path(), other.path(), 7, Duration::ZERO);
    assert_eq!(refusal_of(fake.path()).await, Refusal::WrongAuthority);
    disguise(b.path(), fake.path(), a.path(), 7, Duration::from_secs(7_200));
    assert_eq!(refusal_of(fake.path()).await, Refusal::Expired);
    disguise(b.path(), fake.path(), a.path(), 7, Duration::ZERO);
    assert_eq!(refusal_of(fake.path()).await, Refusal::StolenName);

    let two = Mesh::start(config(b.path(), LIFETIME)).await.unwrap();
    two.first_contact(LONG).await.unwrap();
    until_linked(&one, 2).await;
}

#[tokio::test]
async fn a_removed_member_is_cut_off_at_once_and_for_ever() {
    let [a, b] = [(); 2].map(|()| TempDir::new().unwrap());
    let one = first(a.path()).await;
    let two = second(&one, a.path(), b.path()).await;

    change(a.path(), Change::Remove(2)).await.unwrap();

    let gone = || link(&two, 1) == Some(LinkStatus::Refused(Refusal::Removed));
    until("the removed member is told", gone).await;
    two.stop().await;
    assert_eq!(refusal_of(b.path()).await, Refusal::Removed);
    assert_eq!(one.status().members.len(), 1);
}

#[tokio::test]
async fn an_operators_wish_reaches_the_writer_from_any_member() {
    let [a, b] = [(); 2].map(|()| TempDir::new().unwrap());
    let one = first(a.path()).await;
    let two = second(&one, a.path(), b.path()).await;

    change(b.path(), Change::Drain(2)).await.unwrap();
    change(b.path(), Change::Promote(2)).await.unwrap();

    let member = |mesh: &Mesh| mesh.status().members.into_iter().find(|m| m.node == 2).unwrap();
    assert_eq!(member(&one).state, State::Draining);
    until("the other sees it", || member(&two).standing == Standing::Voter).await;
    assert_eq!(refused(change(b.path(), Change::Remove(1)).await), Refusal::NotPossible);
    assert_eq!(status(b.path()).await.unwrap().node, 2);
}

#[tokio::test]
async fn certificates_renew_by_themselves_and_links_stay_up() {
    const SHORT: Duration = Duration::from_secs(6);
    let [a, b] = [(); 2].map(|()| TempDir::new().unwrap());
    found_in(a.path(), 7, LIFETIME);
    let one = Mesh::start(config(a.path(), SHORT)).await.unwrap();
    let token = token(a.path(), None, LIFETIME, 1);
    let before = join(&joining(b.path(), &one, token, "node-2")).await.unwrap().subject.until;
    let two = Mesh::start(config(b.path(), SHORT)).await.unwrap();

    until("a new certificate", || two.credentials().subject.until > before).await;
    until_linked(&two, 1).await;
    let kept = Credentials::load(b.path()).unwrap().subject.until;
    assert!(kept > before);
    two.stop().await;
    let two = Mesh::start(config(b.path(), SHORT)).await.unwrap();
    two.first_contact(LONG).await.unwrap();
}

#[tokio::test]
async fn who_shows_no_certificate_is_refused() {
    let a = TempDir::new().unwrap();
    let one = first(a.path()).await;
    let token = token(a.path(), None, LIFETIME, 1);
    // A joiner that pretends to be a member: it speaks raft/1 without a certificate.
    let client = tls::nobody(token.authority, &timing()).unwrap();
    let endpoint = quinn::Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let at = one.address().parse().unwrap();
    let connection = endpoint.connect_with(client, at, "x.tandem").unwrap().await.unwrap();

    let closed = timeout(LONG, connection.closed()).await.unwrap();

    assert_eq!(Refusal::of(&closed), Some(Refusal::NoCertificate));
}

#[tokio::test]
async fn a_member_bound_to_every_address_tells_one_that_can_be_dialled() {
    let [a, b] = [(); 2].map(|()| TempDir::new().unwrap());
    found_in(a.path(), 7, LIFETIME);
    let everywhere = Config { bind: "0.0.0.0:0".parse().unwrap(), ..config(a.path(), LIFETIME) };
    let one = Mesh::start(everywhere).await.unwrap();

    assert!(!one.address().starts_with("0.0.0.0"), "{}", one.address());
    let two = second(&one, a.path(), b.path()).await;
    assert!(matches!(link(&two, 1), Some(LinkStatus::Up { .. })));
    assert_eq!(status(a.path()).await.unwrap().node, 1);
}

/// A member as a build would be that speaks the first level only.
async fn older(dir: &Path) -> Result<Mesh, MeshError> {
    Mesh::start(Config { level: Some(1), ..config(dir, LIFETIME) }).await
}

#[tokio::test]
async fn members_of_different_age_speak_what_both_know_until_the_older_is_upgraded() {
    let [a, b] = [(); 2].map(|()| TempDir::new().unwrap());
    let one = first(a.path()).await;
    second(&one, a.path(), b.path()).await.stop().await;
    let two = older(b.path()).await.unwrap();
    until_linked(&two, 1).await;
    until("the newer one notices", || one.common_level() == Some(1)).await;
    assert_eq!((one.level_of(2), two.level_of(1), two.common_level()), (1, 1, Some(1)));
    two.stop().await;
    until("nobody knows while one is away", || one.common_level().is_none()).await;

    let two = Mesh::start(config(b.path(), LIFETIME)).await.unwrap();
    until("both speak the newest", || one.common_level() == Some(level::NEWEST)).await;
    until_linked(&two, 1).await;
    assert_eq!((one.level_of(2), two.level_of(1)), (level::NEWEST, level::NEWEST));
    let told = levels(b.path()).await.unwrap();
    assert_eq!((told.settled, told.members), (1, vec![(1, level::NEWEST), (2, level::NEWEST)]));
}

#[tokio::test]
async fn who_does_not_speak_what_was_settled_is_let_in_no_more() {
    let [a, b] = [(); 2].map(|()| TempDir::new().unwrap());
    let one = first(a.path()).await;
    let two = second(&one, a.path(), b.path()).await;
    for mesh in [&one, &two] {
        mesh.settle(level::NEWEST).unwrap();
    }
    until_linked(&two, 1).await;
    two.stop().await;

    // The operator's choice, on a member that knows what was settled.
    let held = older(b.path()).await.err();
    assert!(matches!(held, Some(MeshError::Level { wanted: 1, settled: level::NEWEST })));
    // A build of before does not look at the file.
    std::fs::remove_file(b.path().join(files::LEVEL)).unwrap();
    let two = older(b.path()).await.unwrap();
    assert_eq!(two.first_contact(LONG).await, Err(Refusal::NoCommonLevel));
    two.stop().await;
    // The newer build comes in by itself, and knows what was settled after its next start.
    let two = Mesh::start(config(b.path(), LIFETIME)).await.unwrap();
    two.first_contact(LONG).await.unwrap();
    assert_eq!(one.settled(), level::NEWEST);
}
