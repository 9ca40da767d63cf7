//! The journal as its users hold it.

use std::collections::VecDeque;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tandem_kernel::{Clock, Position};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, Sleep, sleep};

use crate::engine::{self, Opened, Proposed, Request};
use crate::error::{AppendError, OpenError, ReadError};
use crate::format::cost;
use crate::members::Members;
use crate::pace::is_enough;
use crate::record::{Append, Appended, Entity, Record, Snapshot};
use crate::records::{Reach, Records};
use crate::transport::Transport;
use crate::verify::{self, Report};
use crate::{MAX_APPEND_BYTES, MAX_KEY_BYTES, MAX_SNAPSHOT_BYTES, transfer};

// What is kept waits for as long as the node runs.
const KEPT: Duration = Duration::from_secs(365 * 24 * 3_600);
// Records that a subscription reads ahead.
const READ_AHEAD: usize = 256;

/// How a journal is opened.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it is stored; made if missing.
    pub dir: PathBuf,
    /// This node's number in the cluster, for ever the same for this directory.
    pub node: u64,
    /// Stamps the records.
    pub clock: Clock,
    /// Memory for pages of the two databases together, in bytes.
    pub cache_bytes: u64,
    /// How patient the members of a cluster are.
    pub timing: Timing,
    /// The cluster; none for a node that is alone.
    pub cluster: Option<Cluster>,
}

/// How patient the members of a cluster are. All have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Between two signs of life of the leader.
    pub heartbeat: Duration,
    /// The shortest silence of the leader after which another stands for election.
    pub election_min: Duration,
    /// The longest one, which is also the leader's lease.
    pub election_max: Duration,
    /// How long an append or a wish looks for a leader.
    pub patience: Duration,
    /// How long the open of a member waits for a quorum.
    pub recovery: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(50),
            election_min: Duration::from_millis(250),
            election_max: Duration::from_millis(500),
            patience: Duration::from_secs(5),
            recovery: Duration::from_secs(10),
        }
    }
}

/// The cluster that a node belongs to.
#[derive(Clone)]
pub struct Cluster {
    /// The way to the other members.
    pub transport: Arc<dyn Transport>,
    /// Where this node is reached, in the transport's own words; at most 255 bytes.
    pub address: String,
    /// What an empty directory becomes.
    pub begin: Begin,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { transport: _, address, begin } = self;
        f.debug_struct("Cluster").field("address", address).field("begin", begin).finish()
    }
}

/// What an empty directory becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// A group of this node.
    Found,
    /// A member that waits until a leader adds it.
    Join,
}

impl Config {
    /// A journal of node 1 in `dir` with the usual memory.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, clock: Clock) -> Self {
        Self {
            dir: dir.into(),
            node: 1,
            clock,
            cache_bytes: 48 << 20,
            timing: Timing::default(),
            cluster: None,
        }
    }
}

/// An open journal. Clones share it; when the last one is dropped it closes by itself.
#[derive(Clone)]
pub struct Journal {
    requests: mpsc::Sender<Request>,
    hurry: Arc<Notify>,
    records: Arc<Records>,
    members: Members,
    patience: Duration,
    clock: Clock,
    node: u64,
    is_shared: bool,
    /// Whether only what is kept is taken.
    is_held: Arc<AtomicBool>,
}

impl Journal {
    /// Opens the journal: recovers it, verifies it, and waits until it takes appends. The scan
    /// reads everything once.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; after [`OpenError::Damaged`] the directory must be set aside.
    pub async fn open(config: Config) -> Result<Self, OpenError> {
        let (clock, patience) = (config.clock, config.timing.patience);
        Ok(Self::of(engine::start(config).await?, clock, patience))
    }

    pub(crate) fn of(opened: Opened, clock: Clock, patience: Duration) -> Self {
        let Opened { requests, hurry, records, members, node, is_shared } = opened;
        let is_held = Arc::default();
        Self { requests, hurry, records, members, patience, clock, node, is_shared, is_held }
    }

    /// Verifies the journal in `dir`, which must not be open. Blocks.
    ///
    /// # Errors
    ///
    /// When it is in use or the disk fails. Damage is part of the report.
    pub fn verify(dir: &Path) -> Result<Report, OpenError> {
        verify::verify(dir)
    }

    /// This node's number.
    #[must_use]
    pub const fn node(&self) -> u64 {
        self.node
    }

    /// Whether the journal is that of a cluster, so that others append, too.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Whether this node leads, as it believes: for work that one member does for all and that
    /// does no harm when two do it.
    #[must_use]
    pub fn leads(&self) -> bool {
        !self.is_shared || self.members.status.borrow().is_leader()
    }

    /// Queues an append now and gives its outcome later. Appends of one caller commit in the
    /// order of the calls. Dropping the outcome does not take the append back. Without a quorum
    /// the outcome is [`AppendError::Unavailable`] after [`Timing::patience`]; the append may be
    /// done all the same when a quorum is back.
    pub fn append(&self, append: Append) -> PendingAppend {
        if self.is_held() {
            return PendingAppend::refused(AppendError::NoSpace);
        }
        let mut pending = self.queue(append, self.patience, true);
        if let (Waiting::Queued(_, patience), true) = (&mut pending.0, self.is_shared) {
            *patience = Some(Box::pin(sleep(self.patience)));
        }
        pending
    }

    /// As [`append`](Self::append), for what has happened and must not be forgotten: it waits for
    /// a quorum, in its place, for as long as there is room in the queue and the node runs.
    pub fn keep(&self, append: Append) -> PendingAppend {
        self.queue(append, KEPT, true)
    }

    /// As [`keep`](Self::keep), for what nobody waits for, or nobody who would notice some tens
    /// of milliseconds: a busy node that is alone writes many of them at once, which costs a
    /// fraction. In a cluster others wait for what has happened: they may have to go on with it.
    pub fn gather(&self, append: Append) -> PendingAppend {
        self.queue(append, KEPT, self.is_shared)
    }

    /// From now on (until it is let go) only what must not be forgotten is taken, by
    /// [`keep`](Self::keep): the disk is nearly full.
    pub fn hold(&self, is_held: bool) {
        self.is_held.store(is_held, Ordering::Relaxed);
    }

    /// Whether this node takes nothing new for want of room on its disk.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.is_held.load(Ordering::Relaxed)
    }

    fn queue(&self, append: Append, patience: Duration, is_awaited: bool) -> PendingAppend {
        if append.events.is_empty() {
            return PendingAppend::refused(AppendError::Empty);
        }
        let key_fits = append.entity.key.len() <= MAX_KEY_BYTES;
        if !key_fits || cost(&append) > MAX_APPEND_BYTES {
            return PendingAppend::refused(AppendError::TooLarge);
        }
        let (reply, outcome) = oneshot::channel();
        let until = Instant::now() + patience;
        let proposed = Proposed { append, at: self.clock.now(), until, reply };
        match self.requests.try_send(Request::Append(proposed)) {
            Ok(()) => {
                if is_awaited || is_enough(self.waiting()) {
                    self.hurry.notify_one();
                }
                PendingAppend(Waiting::Queued(outcome, None))
            }
            Err(TrySendError::Full(_)) => PendingAppend::refused(AppendError::Overloaded),
            Err(TrySendError::Closed(_)) => PendingAppend::refused(AppendError::Closed),
        }
    }

    /// Appends that wait to be taken, of [`capacity`](Self::capacity).
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.requests.max_capacity() - self.requests.capacity()
    }

    /// Appends that may wait before one is refused as [`AppendError::Overloaded`].
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.requests.max_capacity()
    }

    /// The records after `from` (exclusive), at most `limit`.
    ///
    /// # Errors
    ///
    /// When the disk fails or is damaged, or the journal is closed.
    pub async fn read(&self, from: Position, limit: usize) -> Result<Vec<Record>, ReadError> {
        if let Some(records) = self.records.recent_after(from.index, limit) {
            return Ok(records);
        }
        self.blocking(move |records| records.stored_after(from.index, limit)).await
    }

    /// All records after `from` (exclusive), in order, those to come included. A reader that
    /// falls behind is served from the disk; none is ever skipped.
    #[must_use]
    pub fn subscribe(&self, from: Position) -> Subscription {
        let reach = self.records.watch();
        Subscription { journal: self.clone(), reach, from, ahead: VecDeque::new() }
    }

    /// The entity's last snapshot and the records after it.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub async fn load(
        &self,
        entity: &Entity,
    ) -> Result<(Option<Snapshot>, Vec<Record>), ReadError> {
        let entity = entity.clone();
        self.blocking(move |records| records.load(&entity)).await
    }

    /// Saves an entity's state as it is at `version`, so that the next load begins there. An
    /// older one is replaced, a newer one stays.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and when it is larger than
    /// [`MAX_SNAPSHOT_BYTES`](crate::MAX_SNAPSHOT_BYTES).
    pub async fn snapshot(
        &self,
        entity: &Entity,
        version: u64,
        bytes: Bytes,
    ) -> Result<(), ReadError> {
        if bytes.len() > MAX_SNAPSHOT_BYTES {
            return Err(ReadError::TooLarge);
        }
        let entity = entity.clone();
        self.blocking(move |records| records.save_snapshot(&entity, version, &bytes)).await
    }

    /// Writes a copy of the journal to one checksummed file, while appends go on. It holds the
    /// records up to the position that is returned.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub async fn export(&self, path: &Path) -> Result<Position, ReadError> {
        let path = path.to_owned();
        let export = move |records: &Records| Ok(transfer::export(records.store(), &path, 0)?);
        self.blocking(export).await.map(|applied| Position::at(applied.head))
    }

    /// The place of the last committed record.
    #[must_use]
    pub fn head(&self) -> Position {
        Position::at(self.records.head())
    }

    /// Bytes on the disk of the records and what is kept of them.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn size(&self) -> Result<u64, ReadError> {
        Ok(self.records.store().size()?)
    }

    /// Takes no more appends, commits those that wait, and closes the files, for all clones.
    ///
    /// # Errors
    ///
    /// When the last sync failed.
    pub async fn close(self) -> Result<(), ReadError> {
        let (reply, outcome) = oneshot::channel();
        if self.requests.send(Request::Close(reply)).await.is_err() {
            return Ok(());
        }
        self.hurry.notify_one();
        outcome.await.unwrap_or(Err(ReadError::Closed))
    }

    pub(crate) const fn members(&self) -> &Members {
        &self.members
    }

    async fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Records) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let records = Arc::clone(&self.records);
        let outcome = tokio::task::spawn_blocking(move || read(&records)).await;
        outcome.unwrap_or_else(|error| Err(ReadError::Storage(error.to_string())))
    }
}

/// The outcome of an append, to be awaited or dropped.
#[must_use = "the append is only known to be durable when this says so"]
pub struct PendingAppend(Waiting);

enum Waiting {
    /// With the end of the caller's patience, where others may be needed for the append.
    Queued(oneshot::Receiver<Result<Appended, AppendError>>, Option<Pin<Box<Sleep>>>),
    Refused(Option<AppendError>),
}

impl PendingAppend {
    const fn refused(error: AppendError) -> Self {
        Self(Waiting::Refused(Some(error)))
    }
}

impl Future for PendingAppend {
    type Output = Result<Appended, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Waiting::Refused(error) => {
                Poll::Ready(Err(error.take().unwrap_or(AppendError::Closed)))
            }
            Waiting::Queued(outcome, patience) => {
                if let Poll::Ready(outcome) = Pin::new(outcome).poll(context) {
                    return Poll::Ready(outcome.unwrap_or(Err(AppendError::Closed)));
                }
                let Some(patience) = patience else { return Poll::Pending };
                ready!(patience.as_mut().poll(context));
                Poll::Ready(Err(AppendError::Unavailable))
            }
        }
    }
}

/// The records from one place on, without a gap or a repetition.
pub struct Subscription {
    journal: Journal,
    reach: watch::Receiver<Reach>,
    from: Position,
    ahead: VecDeque<Record>,
}

impl Subscription {
    /// The next record; waits until there is one. Dropping the wait loses nothing.
    ///
    /// # Errors
    ///
    /// As [`Journal::read`]; the next call tries the same record again.
    pub async fn next(&mut self) -> Result<Record, ReadError> {
        loop {
            if let Some(record) = self.ahead.pop_front() {
                self.from = record.position;
                return Ok(record);
            }
            let from = self.from.index;
            let is_open = self
                .reach
                .wait_for(|reach| reach.head > from || !reach.is_open)
                .await
                .is_ok_and(|reach| reach.is_open);
            if !is_open {
                return Err(ReadError::Closed);
            }
            self.ahead = self.journal.read(self.from, READ_AHEAD).await?.into();
        }
    }

    /// The next record if one is already read.
    pub fn try_next(&mut self) -> Option<Record> {
        let record = self.ahead.pop_front()?;
        self.from = record.position;
        Some(record)
    }

    /// The last record that was given.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.from
    }
}
