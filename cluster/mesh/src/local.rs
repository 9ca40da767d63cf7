//! What the command line asks the member that runs on the same data: it shows that member's own
//! certificate.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use tokio::time::timeout;

use crate::control::{Answer, Change, Levels, Question, Status};
use crate::identity::{self, Credentials};
use crate::link::{self, CONTROL};
use crate::tls::{self, Protocol};
use crate::{MeshError, Refusal, Timing, files, level};

/// Asks the member that runs on the data in `dir` how it sees the cluster.
///
/// # Errors
/// When it does not run.
pub async fn status(dir: &Path) -> Result<Status, MeshError> {
    match ask_own(dir, &Question::Status).await? {
        Answer::Status(status) => Ok(status),
        Answer::Refused(refusal) => Err(refusal.into()),
        _ => Err(Refusal::Malformed.into()),
    }
}

/// Asks the member that runs on the data in `dir` what the members speak.
///
/// # Errors
/// When it does not run, or is too old for the question.
pub async fn levels(dir: &Path) -> Result<Levels, MeshError> {
    match ask_own(dir, &Question::Levels).await? {
        Answer::Levels(levels) => Ok(levels),
        _ => Err(Refusal::Malformed.into()),
    }
}

/// Has the member that runs on the data in `dir` change the cluster.
///
/// # Errors
/// When it does not run, the roster's writer can not be reached, or it refuses.
pub async fn change(dir: &Path, change: Change) -> Result<(), MeshError> {
    match ask_own(dir, &Question::Change(change)).await? {
        Answer::Done => Ok(()),
        Answer::Refused(refusal) => Err(refusal.into()),
        Answer::Unreachable(who) => Err(MeshError::Unreachable(who)),
        _ => Err(Refusal::Malformed.into()),
    }
}

async fn ask_own(dir: &Path, question: &Question) -> Result<Answer, MeshError> {
    let own = Credentials::load(dir)?;
    let unreachable = || MeshError::Unreachable("the node of this data directory".to_owned());
    let text = std::fs::read_to_string(dir.join(files::LISTENING)).map_err(|_| unreachable())?;
    let mut at: SocketAddr = text.trim().parse().map_err(|_| unreachable())?;
    let any = SocketAddr::new(unspecified(at), 0);
    if at.ip().is_unspecified() {
        at.set_ip(loopback(at));
    }
    let client = tls::client(&own, (Protocol::Raft, &level::KNOWN), &Timing::default())?;
    let endpoint = quinn::Endpoint::client(any)?;
    let name = identity::server_name(own.subject.cluster, own.subject.node);
    let connecting = endpoint.connect_with(client, at, &name).map_err(|_| unreachable())?;
    let connected = timeout(CONTROL, connecting).await.map_err(|_| unreachable())?;
    let refused = |error: &quinn::ConnectionError| {
        Refusal::of(error).map_or_else(unreachable, MeshError::Refused)
    };
    let connection = connected.map_err(|error| refused(&error))?;
    let answer = link::control(&connection, question).await;
    let answer = answer.map_err(|_| match connection.close_reason() {
        Some(error) => refused(&error),
        None => unreachable(),
    })?;
    connection.close(0u32.into(), b"");
    endpoint.wait_idle().await;
    Ok(answer)
}

fn unspecified(like: SocketAddr) -> IpAddr {
    if like.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

fn loopback(like: SocketAddr) -> IpAddr {
    if like.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() }
}
