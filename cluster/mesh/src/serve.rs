//! What comes in: who it is, whether it may, and the answers to its questions.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quinn::{Connection, Incoming, RecvStream, SendStream};
use rustls_pki_types::CertificateDer;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::control::{self, Answer, Change, Question};
use crate::identity::Subject;
use crate::link::{LANES, Lane, MAX_BODY_BYTES, Whole};
use crate::mesh::Inner;
use crate::roster::Input;
use crate::tls::{self, Protocol};
use crate::{MeshError, Refusal, join};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Handshakes at once. Members are few; more is somebody else.
const HANDSHAKES: usize = 64;

/// No question is worked on for longer, whatever its asker wishes. The last piece of a large copy
/// is answered when the copy is installed.
const LONGEST: Duration = Duration::from_secs(600);

/// Takes connections in until the endpoint is closed.
pub(crate) async fn accept(mesh: Arc<Inner>) {
    let places = Arc::new(Semaphore::new(HANDSHAKES));
    while let Some(incoming) = mesh.endpoint.accept().await {
        // A forged source costs nobody a place once places become few (RFC 9000 section 8.1).
        if places.available_permits() < HANDSHAKES / 2 && incoming.may_retry() {
            let _sent = incoming.retry();
            continue;
        }
        let Ok(place) = places.clone().try_acquire_owned() else {
            incoming.refuse();
            continue;
        };
        let mesh = mesh.clone();
        tokio::spawn(async move {
            if let Some(connection) = greet(incoming).await {
                receive(mesh, connection, place).await;
            }
        });
    }
}

async fn greet(incoming: Incoming) -> Option<Connection> {
    let from = incoming.remote_address();
    match timeout(HANDSHAKE, incoming).await {
        Ok(Ok(connection)) => Some(connection),
        Ok(Err(error)) => {
            // Other reasons were counted and told where the certificate was looked at.
            if Refusal::of(&error) == Some(Refusal::NoCommonLevel) {
                tls::report(&Refusal::NoCommonLevel, &from.to_string());
            }
            tracing::info!(%from, %error, "a handshake failed");
            None
        }
        Err(_) => None,
    }
}

/// The place is held by who is not known to be a member.
async fn receive(mesh: Arc<Inner>, connection: Connection, place: OwnedSemaphorePermit) {
    match Protocol::of(&connection) {
        Some((Protocol::Join, _)) => join::receive(mesh, connection).await,
        Some((protocol, _)) => match admit(&mesh, &connection) {
            Ok(node) => {
                drop(place);
                answer_all(mesh, connection, node, protocol).await;
            }
            Err((refusal, claimed)) => {
                tls::report(&refusal, &claimed);
                refuse(&connection, &refusal);
            }
        },
        None => refuse(&connection, &Refusal::Malformed),
    }
}

pub(crate) fn refuse(connection: &Connection, refusal: &Refusal) {
    connection.close(refusal.code(), refusal.to_string().as_bytes());
}

/// The member behind a connection, or why it is none with the name that it claims.
fn admit(mesh: &Inner, connection: &Connection) -> Result<u64, (Refusal, String)> {
    let nobody = |refusal: Refusal| (refusal, String::new());
    let subject = subject(connection).map_err(nobody)?;
    let roster = mesh.roster();
    match roster.recognise(subject.node, &subject.key) {
        Ok(member) => Ok(member.node),
        Err(refusal) => Err((refusal, subject.name)),
    }
}

fn subject(connection: &Connection) -> Result<Subject, Refusal> {
    let shown = connection.peer_identity().ok_or(Refusal::NoCertificate)?;
    let chain = shown.downcast::<Vec<CertificateDer<'static>>>().map_err(|_| Refusal::Malformed)?;
    Subject::read(chain.first().ok_or(Refusal::NoCertificate)?)
}

async fn answer_all(mesh: Arc<Inner>, connection: Connection, node: u64, protocol: Protocol) {
    let windows = Lane::ALL.map(|lane| Arc::new(Semaphore::new(lane.window())));
    let mut roster = mesh.watch_roster();
    loop {
        let stream = tokio::select! {
            stream = connection.accept_bi() => stream,
            _ = roster.changed() => {
                if let Err((refusal, claimed)) = admit(&mesh, &connection) {
                    tls::report(&refusal, &claimed);
                    return refuse(&connection, &refusal);
                }
                continue;
            }
        };
        let Ok((send, receive)) = stream else { return };
        let (mesh, from) = (mesh.clone(), (node, connection.remote_address()));
        let windows = windows.clone();
        tokio::spawn(async move {
            answer_one(&mesh, from, protocol, &windows, send, receive).await;
        });
    }
}

/// A question that can not be read resets its stream; the connection goes on.
async fn answer_one(
    mesh: &Arc<Inner>,
    from: (u64, SocketAddr),
    protocol: Protocol,
    windows: &[Arc<Semaphore>; LANES],
    send: SendStream,
    mut receive: RecvStream,
) -> Option<()> {
    let mut send = Whole(Some(send));
    let mut head = [0; 5];
    receive.read_exact(&mut head).await.ok()?;
    let (mark, deadline) = head.split_first_chunk::<1>()?;
    let lane = Lane::from_mark(mark[0]).filter(|lane| lane.protocol() == protocol)?;
    let place = Lane::ALL.iter().position(|known| *known == lane)?;
    let millis = u32::from_le_bytes(deadline.try_into().ok()?);
    let _permit = windows[place].acquire().await.ok()?;
    let work = async {
        let question = receive.read_to_end(MAX_BODY_BYTES).await.ok()?;
        let answer = answer(mesh, from, lane, question.into()).await?;
        send.stream().ok()?.write_all(&answer).await.ok()?;
        send.finish().ok()
    };
    timeout(Duration::from_millis(millis.into()).min(LONGEST), work).await.ok()?
}

async fn answer(
    mesh: &Arc<Inner>,
    from: (u64, SocketAddr),
    lane: Lane,
    question: Bytes,
) -> Option<Bytes> {
    if lane == Lane::Control {
        let question = tandem_wire::decode(&question, control::LIMIT).ok()?;
        let answer = control(mesh, from, question).await;
        return Some(tandem_wire::encode(&answer).into());
    }
    let handler = mesh.handler.get()?.clone();
    Some(handler(from.0, lane, question).await)
}

async fn control(mesh: &Arc<Inner>, from: (u64, SocketAddr), question: Question) -> Answer {
    match question {
        Question::Announce { address, boot, revision } => {
            announced(mesh, from, address, boot, revision).await
        }
        Question::Roster => Answer::Roster((*mesh.roster()).clone()),
        Question::Renew { request } => match mesh.sign(from.0, &request) {
            Ok(certificate) => Answer::Renewed { certificate: certificate.to_vec() },
            Err(refusal) => Answer::Refused(refusal),
        },
        Question::Status => Answer::Status(mesh.status()),
        Question::Change(change) => changed(mesh, from.0, change).await,
        Question::News(newer) => {
            mesh.adopt(newer).await;
            Answer::Done
        }
        Question::Clock => Answer::Clock(mesh.now()),
        Question::Levels => Answer::Levels(mesh.all_levels()),
    }
}

async fn announced(
    mesh: &Arc<Inner>,
    from: (u64, SocketAddr),
    address: String,
    boot: u64,
    revision: u64,
) -> Answer {
    let address = join::located(&address, from.1);
    if let Some(link) = mesh.link(from.0) {
        link.is_at(address.clone());
    }
    if mesh.authority.is_some() {
        let input = Input::Announce { node: from.0, address, boot };
        let _same = apply(mesh, input).await;
    }
    let known = mesh.roster().revision;
    if revision > known
        && let Some(link) = mesh.link(from.0)
    {
        link.news.notify_one();
    }
    Answer::Seen { revision: known }
}

async fn changed(mesh: &Arc<Inner>, from: u64, change: Change) -> Answer {
    if mesh.authority.is_some() {
        let input = match change {
            Change::Drain(node) => Input::Drain(node),
            Change::Promote(node) => Input::Promote(node),
            Change::Remove(node) => Input::Remove(node),
        };
        return match apply(mesh, input).await {
            Ok(_) => Answer::Done,
            Err(MeshError::Refused(refusal)) => Answer::Refused(refusal),
            Err(error) => Answer::Unreachable(error.to_string()),
        };
    }
    // Only the own operator's wish is passed on, so that a wish can not go in circles.
    if from != mesh.node() {
        return Answer::Refused(Refusal::NotTheAuthority);
    }
    let authority = mesh.roster().authority;
    match mesh.control(authority, &Question::Change(change)).await {
        Ok(answer) => answer,
        Err(error) => Answer::Unreachable(format!("node {authority}: {error}")),
    }
}

async fn apply(mesh: &Arc<Inner>, input: Input) -> Result<u64, MeshError> {
    let mesh = mesh.clone();
    let applied = tokio::task::spawn_blocking(move || mesh.change(input));
    applied.await.unwrap_or_else(|error| Err(MeshError::Unreachable(error.to_string())))
}
