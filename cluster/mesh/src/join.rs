//! How a cluster begins, and how a node without a certificate gets one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use quinn::{Connection, Endpoint};
use rcgen::KeyPair;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tandem_kernel::Timestamp;
use tokio::time::timeout;

use crate::authority::{Authority, Order};
use crate::control::{self, JoinAnswer, JoinRequest};
use crate::identity::{self, ClusterId, Credentials, Subject};
use crate::mesh::{Inner, Timing};
use crate::roster::{self, Input, Member, Roster, Standing, State};
use crate::token::{Token, Tokens};
use crate::{MeshError, Refusal, files, link, serve, tls};

/// How long the whole question may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Largest request: a key, a name, an address.
const REQUEST_BYTES: usize = 8 * 1_024;

/// A new cluster.
#[derive(Clone, Debug)]
pub struct Founding<'a> {
    /// The first member's files.
    pub dir: &'a Path,
    /// Its name.
    pub name: &'a str,
    /// Its address, which it corrects when it starts.
    pub address: &'a str,
    /// The life of its certificate.
    pub lifetime: Duration,
    /// Now.
    pub now: Timestamp,
    /// A random number.
    pub cluster: ClusterId,
}

/// Makes the authority and the first member.
///
/// # Errors
/// When the directory belongs to a member already, or can not be written.
pub fn found(founding: &Founding<'_>) -> Result<Credentials, MeshError> {
    let (dir, now) = (founding.dir, founding.now);
    if Credentials::exist(dir) {
        return Err(MeshError::AlreadyMember(dir.to_owned()));
    }
    check_name(founding.name)?;
    let authority = Authority::make(dir, founding.cluster, now)?;
    let key = KeyPair::generate()?;
    let node = 1;
    let order = Order { node, name: founding.name, from: now, lifetime: founding.lifetime };
    let certificate = authority.sign(&identity::request(&key)?, &order)?;
    let own = Credentials::new(certificate, authority.certificate().clone(), private(&key))?;
    let first = Member {
        node,
        name: founding.name.to_owned(),
        address: founding.address.to_owned(),
        key: own.subject.key,
        standing: Standing::Voter,
        state: State::Up,
        boot: 0,
    };
    roster::save(dir, &Roster::found(founding.cluster, first))?;
    own.save(dir)?;
    Ok(own)
}

/// A node that wants in.
#[derive(Clone, Debug)]
pub struct Joining {
    /// Where its files will be.
    pub dir: PathBuf,
    /// Host and port of the node that holds the authority's key.
    pub host: String,
    /// The operator's token.
    pub token: Token,
    /// The name it wants.
    pub name: String,
    /// Its address, which it corrects when it starts.
    pub address: String,
}

/// Gets a certificate with a token. Afterwards the directory is a member's.
///
/// # Errors
/// The refusal, or that nobody answers.
pub async fn join(joining: &Joining) -> Result<Credentials, MeshError> {
    if Credentials::exist(&joining.dir) {
        return Err(MeshError::AlreadyMember(joining.dir.clone()));
    }
    identity::make_folder(&joining.dir)?;
    let key = own_key(&joining.dir)?;
    let request = JoinRequest {
        token: joining.token.id,
        secret: joining.token.secret,
        name: joining.name.clone(),
        address: joining.address.clone(),
        request: identity::request(&key)?,
    };
    let answer = timeout(PATIENCE, ask(joining, &request))
        .await
        .map_err(|_| MeshError::Unreachable(joining.host.clone()))??;
    let (certificate, authority, roster) = match answer {
        JoinAnswer::Welcome { certificate, authority, roster } => (certificate, authority, roster),
        JoinAnswer::Refused(refusal) => return Err(refusal.into()),
    };
    let own = Credentials::new(certificate.into(), authority.into(), private(&key))?;
    roster::save(&joining.dir, &roster)?;
    own.save(&joining.dir)?;
    Ok(own)
}

/// The key is kept from the first attempt on: who joined but did not hear it is known by it.
fn own_key(dir: &Path) -> Result<KeyPair, MeshError> {
    let path = dir.join(files::NODE_KEY);
    if path.exists() {
        return Ok(KeyPair::from_pem(&std::fs::read_to_string(path)?)?);
    }
    let key = KeyPair::generate()?;
    files::write(&path, identity::pem("PRIVATE KEY", key.serialized_der()).as_bytes())?;
    Ok(key)
}

fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}

async fn ask(joining: &Joining, request: &JoinRequest) -> Result<JoinAnswer, MeshError> {
    let unreachable = || MeshError::Unreachable(joining.host.clone());
    let at = link::resolve(&joining.host).await?;
    let any: SocketAddr = if at.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (std::net::Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let endpoint = Endpoint::client(any)?;
    let client = tls::joiner(joining.token.authority, &Timing::default())?;
    // The name is not known yet; the pinned authority is what is checked.
    let connecting = endpoint.connect_with(client, at, "join.tandem").map_err(|_| unreachable())?;
    let refused = |error: &quinn::ConnectionError| {
        Refusal::of(error).map_or_else(unreachable, MeshError::Refused)
    };
    let connection = connecting.await.map_err(|error| refused(&error))?;
    let answer = converse(&connection, request).await;
    let answer = answer.ok_or_else(|| match connection.close_reason() {
        Some(error) => refused(&error),
        None => unreachable(),
    });
    connection.close(0u32.into(), b"");
    answer
}

async fn converse(connection: &Connection, request: &JoinRequest) -> Option<JoinAnswer> {
    let (mut send, mut receive) = connection.open_bi().await.ok()?;
    send.write_all(&tandem_wire::encode(request)).await.ok()?;
    send.finish().ok()?;
    let answer = receive.read_to_end(control::LIMIT).await.ok()?;
    tandem_wire::decode(&answer, control::LIMIT).ok()
}

/// The side that lets in: one question, one answer.
pub(crate) async fn receive(mesh: Arc<Inner>, connection: Connection) {
    let from = connection.remote_address();
    let conversation = async {
        let (mut send, mut receive) = connection.accept_bi().await.ok()?;
        let request = receive.read_to_end(REQUEST_BYTES).await.ok()?;
        let answer = tokio::task::spawn_blocking(move || admit(&mesh, &request, from));
        let answer = answer.await.ok()?;
        send.write_all(&tandem_wire::encode(&answer)).await.ok()?;
        send.finish().ok()?;
        // Until the joiner has read it.
        send.stopped().await.ok()?;
        Some(())
    };
    if timeout(PATIENCE, conversation).await.ok().flatten().is_none() {
        serve::refuse(&connection, &Refusal::Malformed);
    }
}

fn admit(mesh: &Inner, request: &[u8], from: SocketAddr) -> JoinAnswer {
    let Ok(request) = tandem_wire::decode::<JoinRequest>(request, REQUEST_BYTES) else {
        tls::report(&Refusal::Malformed, "");
        return JoinAnswer::Refused(Refusal::Malformed);
    };
    match try_admit(mesh, &request, from) {
        Ok(answer) => {
            tracing::info!(name = request.name, %from, "a node joined");
            answer
        }
        Err(error) => {
            let refusal = match error {
                MeshError::Refused(refusal) => refusal,
                other => {
                    tracing::error!(error = %other, "a join failed");
                    Refusal::NotPossible
                }
            };
            tls::report(&refusal, &request.name);
            JoinAnswer::Refused(refusal)
        }
    }
}

fn try_admit(
    mesh: &Inner,
    request: &JoinRequest,
    from: SocketAddr,
) -> Result<JoinAnswer, MeshError> {
    let authority = mesh.authority.as_ref().ok_or(Refusal::NotTheAuthority)?;
    check_name(&request.name)?;
    let tokens = Tokens::new(&mesh.config.dir);
    tokens.check(request.token, &request.secret, &request.name, mesh.now())?;
    let key = key_of(mesh, authority, request)?;
    if !mesh.roster().is_free(&request.name, &key) {
        return Err(Refusal::NameTaken.into());
    }
    tokens.spend(request.token)?;
    let address = located(&request.address, from);
    let node = mesh.change(Input::Join { name: request.name.clone(), address, key })?;
    let certificate = mesh.sign(node, &request.request)?;
    Ok(JoinAnswer::Welcome {
        certificate: certificate.to_vec(),
        authority: authority.certificate().to_vec(),
        roster: (*mesh.roster()).clone(),
    })
}

/// The key in a request whose signature is right.
fn key_of(mesh: &Inner, authority: &Authority, request: &JoinRequest) -> Result<[u8; 32], Refusal> {
    let (from, lifetime) = (mesh.now(), Duration::ZERO);
    let order = Order { node: 0, name: &request.name, from, lifetime };
    let certificate: CertificateDer<'_> = authority.sign(&request.request, &order)?;
    Ok(Subject::read(&certificate)?.key)
}

/// Names stand in certificates, logs and commands.
fn check_name(name: &str) -> Result<(), Refusal> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let fine = (1..=63).contains(&name.len()) && name.chars().all(good);
    if fine && name.parse::<u64>().is_err() { Ok(()) } else { Err(Refusal::Malformed) }
}

/// An address without a host is where the packets come from.
pub(crate) fn located(address: &str, from: SocketAddr) -> String {
    match address.strip_prefix(':') {
        Some(port) => match from.ip() {
            IpAddr::V4(ip) => format!("{ip}:{port}"),
            IpAddr::V6(ip) => format!("[{ip}]:{port}"),
        },
        None => address.to_owned(),
    }
}
