//! The way to one peer: a connection for questions that must be quick, one for copies, dialled by
//! this side and dialled again for as long as the peer is a member.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use quinn::{Connection, ConnectionError, ReadToEndError, SendStream};
use rand::Rng as _;
use tandem_telemetry::metric;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::control::{self, Answer, LinkStatus, Question};
use crate::mesh::Inner;
use crate::tls::Protocol;
use crate::{MeshError, Refusal, identity, level, tls};

/// Longest question or answer.
pub const MAX_BODY_BYTES: usize = (1 << 20) + (64 << 10);

/// First and last pause between two attempts to reach a peer.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

/// How long a peer may take for a question of control.
pub(crate) const CONTROL: Duration = Duration::from_secs(3);

/// How many lanes there are.
pub(crate) const LANES: usize = 6;

/// Questions of one lane do not delay those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Heartbeats, votes, log entries.
    Consensus,
    /// Wishes on their way to the leader.
    Forward,
    /// Pieces of copies.
    Bulk,
    /// The cluster itself.
    Control,
    /// What actors tell and ask each other.
    Actors,
    /// Pieces of files.
    Files,
}

impl Lane {
    pub(crate) const ALL: [Self; LANES] =
        [Self::Consensus, Self::Forward, Self::Bulk, Self::Control, Self::Actors, Self::Files];

    /// As metrics name it.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Consensus => "consensus",
            Self::Forward => "forward",
            Self::Bulk => "bulk",
            Self::Control => "control",
            Self::Actors => "actors",
            Self::Files => "files",
        }
    }

    /// Questions of one peer that are worked on at once.
    pub(crate) const fn window(self) -> usize {
        match self {
            Self::Consensus | Self::Forward => 64,
            Self::Bulk | Self::Files => 4,
            Self::Control => 8,
            Self::Actors => 256,
        }
    }

    const fn priority(self) -> i32 {
        match self {
            Self::Consensus => 2,
            Self::Control | Self::Actors => 1,
            Self::Forward | Self::Bulk | Self::Files => 0,
        }
    }

    pub(crate) const fn protocol(self) -> Protocol {
        match self {
            Self::Bulk | Self::Files => Protocol::Bulk,
            Self::Consensus | Self::Forward | Self::Control | Self::Actors => Protocol::Raft,
        }
    }

    const fn mark(self) -> u8 {
        match self {
            Self::Consensus => 0,
            Self::Forward => 1,
            Self::Bulk => 2,
            Self::Control => 3,
            Self::Actors => 4,
            Self::Files => 5,
        }
    }

    pub(crate) fn from_mark(mark: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.mark() == mark)
    }
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// It was not sent.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// It may have been done.
    #[error("the deadline passed")]
    TimedOut,
    /// It may have been done.
    #[error("the connection broke: {0}")]
    Broken(String),
}

#[derive(Clone, Debug)]
enum Wire {
    Down(String),
    Refused(Refusal),
    Up(Connection),
}

/// The way to one peer.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) peer: u64,
    wire: watch::Sender<Wire>,
    bulk: tokio::sync::Mutex<Option<Connection>>,
    permits: Mutex<Vec<(Lane, Arc<Semaphore>)>>,
    /// Where the peer says that it is. The roster has it as soon as its writer is back.
    told: Mutex<Option<String>>,
    has_moved: Notify,
    pub(crate) clock: Mutex<Option<i64>>,
    /// What this link speaks, or spoke when it was up last.
    level: AtomicU16,
    /// Something is to be told to the peer now.
    pub(crate) news: Notify,
}

impl Link {
    pub(crate) fn new(peer: u64) -> Self {
        let permits = Lane::ALL.map(|lane| (lane, Arc::new(Semaphore::new(lane.window()))));
        Self {
            peer,
            wire: watch::Sender::new(Wire::Down("not dialled yet".to_owned())),
            bulk: tokio::sync::Mutex::new(None),
            permits: Mutex::new(permits.into()),
            told: Mutex::default(),
            has_moved: Notify::new(),
            clock: Mutex::default(),
            level: AtomicU16::new(level::OLDEST),
            news: Notify::new(),
        }
    }

    /// What can be said to the peer. Who was not reached yet may be as old as can be.
    pub(crate) fn level(&self) -> u16 {
        self.level.load(Ordering::Relaxed)
    }

    /// The peer has told where it is.
    pub(crate) fn is_at(&self, address: String) {
        let mut told = self.told.lock();
        if told.as_ref() != Some(&address) {
            *told = Some(address);
            self.has_moved.notify_one();
        }
    }

    /// Where to dial: where the peer says that it is and where the roster has it, by turns.
    fn place(&self, mesh: &Inner, turn: usize) -> Option<String> {
        let listed = mesh.address_of(self.peer)?;
        let told = self.told.lock().clone().filter(|_| turn.is_multiple_of(2));
        Some(told.unwrap_or(listed))
    }

    /// Dials, announces, waits for the end and dials again until the peer is no member any more.
    pub(crate) async fn keep(self: Arc<Self>, mesh: Arc<Inner>) {
        let (mut pause, mut turn) = (PAUSES.0, 0);
        while let Some(address) = self.place(&mesh, turn) {
            turn += 1;
            let ended = match self.reach(&mesh, &address).await {
                Ok(connection) => {
                    (pause, turn) = (PAUSES.0, 0);
                    tracing::info!(peer = self.peer, address, "link up");
                    self.set(Wire::Up(connection.clone()));
                    let ended = self.announce_until_closed(&mesh, &connection).await;
                    tracing::warn!(peer = self.peer, reason = %ended, "link down");
                    metric::CLUSTER_LINKS_LOST.increment();
                    down(&ended)
                }
                Err(wire) => wire,
            };
            if let Wire::Refused(refusal) = &ended
                && self.status() != LinkStatus::Refused(refusal.clone())
            {
                tracing::error!(
                    peer = self.peer,
                    reason = refusal.label(),
                    "the peer refuses this node: {refusal}"
                );
                metric::CLUSTER_REFUSED_BY.increment_with("reason", refusal.label());
            }
            self.set(ended);
            let jitter = rand::rng().random_range(0.5..1.0);
            tokio::select! {
                () = sleep(pause.mul_f64(jitter)) => {}
                () = self.has_moved.notified() => turn = 0,
                () = mesh.ended() => break,
            }
            pause = (pause * 2).min(PAUSES.1);
        }
        self.set(Wire::Down("no member any more".to_owned()));
    }

    fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }

    /// A connection counts when the peer has answered on it: with TLS 1.3 the dialling side
    /// believes to be through before the other has looked at its certificate.
    async fn reach(&self, mesh: &Arc<Inner>, address: &str) -> Result<Connection, Wire> {
        let connection = dial(mesh, self.peer, address, Protocol::Raft).await?;
        match self.announce(mesh, &connection).await {
            Ok(()) => {
                let agreed = Protocol::of(&connection).map_or(level::OLDEST, |(_, level)| level);
                self.level.store(agreed, Ordering::Relaxed);
                Ok(connection)
            }
            Err(error) => {
                let closed = connection.close_reason();
                connection.close(0u32.into(), b"");
                Err(closed.map_or_else(|| Wire::Down(error.to_string()), |e| down(&e)))
            }
        }
    }

    async fn announce_until_closed(
        &self,
        mesh: &Arc<Inner>,
        connection: &Connection,
    ) -> ConnectionError {
        loop {
            tokio::select! {
                error = connection.closed() => return error,
                () = sleep(mesh.config.timing.announce) => {}
                () = self.news.notified() => {}
                () = mesh.ended() => connection.close(0u32.into(), b"the node ends"),
            }
            if mesh.address_of(self.peer).is_none() {
                connection.close(Refusal::Removed.code(), b"removed");
            }
            if let Err(error) = self.announce(mesh, connection).await {
                tracing::debug!(peer = self.peer, %error, "an announcement was not answered");
            }
        }
    }

    /// Tells where we are and takes a newer roster.
    async fn announce(&self, mesh: &Arc<Inner>, connection: &Connection) -> Result<(), AskError> {
        let revision = mesh.roster().revision;
        let question =
            Question::Announce { address: mesh.address.clone(), boot: mesh.boot, revision };
        let Answer::Seen { revision: theirs } = control(connection, &question).await? else {
            return Err(AskError::Broken("an unexpected answer".to_owned()));
        };
        self.compare_clocks(mesh, connection).await;
        if theirs > revision
            && let Answer::Roster(newer) = control(connection, &Question::Roster).await?
        {
            mesh.adopt(newer).await;
        }
        // Who looks for us where we were before can not ask.
        if theirs < revision {
            let news = Question::News((*mesh.roster()).clone());
            control(connection, &news).await?;
        }
        Ok(())
    }

    /// The connection for a lane, now or not at all.
    async fn connection(&self, mesh: &Arc<Inner>, lane: Lane) -> Result<Connection, AskError> {
        let up = match &*self.wire.borrow() {
            Wire::Up(connection) => connection.clone(),
            Wire::Down(why) => return Err(AskError::Unreachable(why.clone())),
            Wire::Refused(refusal) => return Err(AskError::Unreachable(refusal.to_string())),
        };
        if lane.protocol() == Protocol::Raft {
            return Ok(up);
        }
        let mut bulk = self.bulk.lock().await;
        if let Some(open) = bulk.as_ref().filter(|open| open.close_reason().is_none()) {
            return Ok(open.clone());
        }
        let address = up.remote_address().to_string();
        let fresh = dial(mesh, self.peer, &address, Protocol::Bulk)
            .await
            .map_err(|wire| AskError::Unreachable(format!("{wire:?}")))?;
        *bulk = Some(fresh.clone());
        Ok(fresh)
    }

    /// One question with a deadline. It is never repeated.
    pub(crate) async fn ask(
        &self,
        mesh: &Arc<Inner>,
        lane: Lane,
        question: Bytes,
        deadline: Duration,
    ) -> Result<Bytes, AskError> {
        let work = async {
            let connection = self.connection(mesh, lane).await?;
            let permits = self.permits(lane);
            let _permit = permits.acquire().await.map_err(|_| AskError::TimedOut)?;
            exchange(&connection, lane, &question, deadline).await
        };
        timeout(deadline, work).await.unwrap_or(Err(AskError::TimedOut))
    }

    fn permits(&self, lane: Lane) -> Arc<Semaphore> {
        let permits = self.permits.lock();
        let found = permits.iter().find(|(of, _)| *of == lane);
        found.map(|(_, permits)| permits.clone()).expect("every lane has its permits")
    }

    /// The state for people.
    pub(crate) fn status(&self) -> LinkStatus {
        match &*self.wire.borrow() {
            Wire::Up(connection) => LinkStatus::Up {
                rtt_micros: u64::try_from(connection.rtt().as_micros()).unwrap_or(u64::MAX),
            },
            Wire::Down(why) => LinkStatus::Down(why.clone()),
            Wire::Refused(refusal) => LinkStatus::Refused(refusal.clone()),
        }
    }

    /// The first result of dialling: up, refused or not reached within `patience`.
    pub(crate) async fn first_contact(&self, patience: Duration) -> LinkStatus {
        let mut wire = self.wire.subscribe();
        let settled = wire.wait_for(|wire| !matches!(wire, Wire::Down(_)));
        let _settled = timeout(patience, settled).await;
        self.status()
    }
}

fn down(error: &ConnectionError) -> Wire {
    Refusal::of(error).map_or_else(|| Wire::Down(error.to_string()), Wire::Refused)
}

async fn dial(
    mesh: &Arc<Inner>,
    peer: u64,
    address: &str,
    protocol: Protocol,
) -> Result<Connection, Wire> {
    let told = |error: &dyn std::fmt::Display| Wire::Down(error.to_string());
    let own = mesh.credentials();
    let levels = mesh.levels.spoken();
    let client = tls::client(&own, (protocol, &levels), &mesh.config.timing);
    let client = client.map_err(|e| told(&e))?;
    let at = resolve(address).await.map_err(|e| told(&e))?;
    let name = identity::server_name(own.subject.cluster, peer);
    let connecting = mesh.endpoint.connect_with(client, at, &name).map_err(|e| told(&e))?;
    let patience = mesh.config.timing.idle.max(Duration::from_secs(1));
    match timeout(patience, connecting).await {
        Ok(connected) => connected.map_err(|error| down(&error)),
        Err(_) => Err(Wire::Down(format!("{address} does not answer"))),
    }
}

/// The first address of a host and port.
pub(crate) async fn resolve(address: &str) -> Result<std::net::SocketAddr, MeshError> {
    let unreachable = || MeshError::Unreachable(address.to_owned());
    let mut found = tokio::net::lookup_host(address).await.map_err(|_| unreachable())?;
    found.next().ok_or_else(unreachable)
}

/// One question on a stream of its own: a lane, the deadline in milliseconds, the body; the
/// answer is all that comes back. Dropping it resets the stream.
pub(crate) async fn exchange(
    connection: &Connection,
    lane: Lane,
    question: &[u8],
    deadline: Duration,
) -> Result<Bytes, AskError> {
    if question.len() > MAX_BODY_BYTES {
        return Err(AskError::Unreachable(format!("{} bytes are too many", question.len())));
    }
    let unsent = |error: ConnectionError| AskError::Unreachable(error.to_string());
    let (send, mut receive) = connection.open_bi().await.map_err(unsent)?;
    let mut send = Whole(Some(send));
    let _gone = send.stream()?.set_priority(lane.priority());
    let millis = u32::try_from(deadline.as_millis()).unwrap_or(u32::MAX);
    let mut head = vec![lane.mark()];
    head.extend_from_slice(&millis.to_le_bytes());
    let broken = |error: &dyn std::fmt::Display| AskError::Broken(error.to_string());
    send.stream()?.write_all(&head).await.map_err(|e| broken(&e))?;
    send.stream()?.write_all(question).await.map_err(|e| broken(&e))?;
    send.finish()?;
    match receive.read_to_end(MAX_BODY_BYTES).await {
        Ok(answer) => Ok(answer.into()),
        Err(ReadToEndError::TooLong) => Err(broken(&"the answer is too long")),
        Err(ReadToEndError::Read(error)) => Err(broken(&error)),
    }
}

/// What is sent on a stream, whole or reset. quinn ends a stream that is dropped half written as
/// if it were complete.
pub(crate) struct Whole(pub(crate) Option<SendStream>);

impl Whole {
    pub(crate) fn stream(&mut self) -> Result<&mut SendStream, AskError> {
        self.0.as_mut().ok_or_else(|| AskError::Broken("the stream has ended".to_owned()))
    }

    pub(crate) fn finish(mut self) -> Result<(), AskError> {
        let ended = self.stream()?.finish();
        self.0 = None;
        ended.map_err(|error| AskError::Broken(error.to_string()))
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        if let Some(stream) = &mut self.0 {
            let _closed = stream.reset(1u32.into());
        }
    }
}

/// A question of control.
pub(crate) async fn control(
    connection: &Connection,
    question: &Question,
) -> Result<Answer, AskError> {
    let question = tandem_wire::encode(question);
    let answered = timeout(CONTROL, exchange(connection, Lane::Control, &question, CONTROL)).await;
    let answer = answered.unwrap_or(Err(AskError::TimedOut))?;
    tandem_wire::decode(&answer, control::LIMIT).map_err(|e| AskError::Broken(e.to_string()))
}
