//! The journal as its users hold it.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tandem_kernel::{Clock, Position};
use tokio::sync::{mpsc, oneshot};

use crate::{Append, AppendError, Appended, Entity, OpenError, ReadError, Record, Snapshot};

/// How a journal is opened.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it is stored; made if missing.
    pub dir: PathBuf,
    /// This node's number in the cluster.
    pub node: u64,
    /// Stamps the records.
    pub clock: Clock,
    /// Memory for pages of the two databases together, in bytes.
    pub cache_bytes: u64,
}

impl Config {
    /// A journal of node 1 in `dir` with the usual memory.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, clock: Clock) -> Self {
        Self { dir: dir.into(), node: 1, clock, cache_bytes: 128 << 20 }
    }
}

pub(crate) struct Proposed {
    pub(crate) append: Append,
    pub(crate) reply: oneshot::Sender<Result<Appended, AppendError>>,
}

/// An open journal. Clones share it.
#[derive(Clone)]
pub struct Journal {
    proposals: mpsc::Sender<Proposed>,
}

impl Journal {
    /// Opens the journal: recovers it, verifies it, and waits until it takes appends.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; after [`OpenError::Damaged`] the directory must be set aside.
    pub async fn open(config: Config) -> Result<Self, OpenError> {
        Err(OpenError::InUse(config.dir))
    }

    /// Queues an append now and gives its outcome later. Appends of one caller commit in the
    /// order of the calls. Dropping the outcome does not take the append back.
    pub fn append(&self, append: Append) -> PendingAppend {
        let (reply, outcome) = oneshot::channel();
        match self.proposals.try_send(Proposed { append, reply }) {
            Ok(()) => PendingAppend(Waiting::Queued(outcome)),
            Err(mpsc::error::TrySendError::Full(_)) => {
                PendingAppend::refused(AppendError::Overloaded)
            }
            Err(mpsc::error::TrySendError::Closed(_)) => {
                PendingAppend::refused(AppendError::Closed)
            }
        }
    }

    /// The records after `from` (exclusive), at most `limit`.
    ///
    /// # Errors
    ///
    /// When the disk fails or is damaged, or the journal is closed.
    pub async fn read(&self, _from: Position, _limit: usize) -> Result<Vec<Record>, ReadError> {
        Err(ReadError::Closed)
    }

    /// All records after `from` (exclusive), in order, those to come included.
    #[must_use]
    pub fn subscribe(&self, from: Position) -> Subscription {
        Subscription { journal: self.clone(), from }
    }

    /// The entity's last snapshot and the records after it.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub async fn load(
        &self,
        _entity: &Entity,
    ) -> Result<(Option<Snapshot>, Vec<Record>), ReadError> {
        Err(ReadError::Closed)
    }

    /// Saves an entity's state, so that the next load begins there.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub async fn snapshot(
        &self,
        _entity: &Entity,
        _version: u64,
        _bytes: Bytes,
    ) -> Result<(), ReadError> {
        Err(ReadError::Closed)
    }

    /// The place of the last committed record.
    #[must_use]
    pub fn head(&self) -> Position {
        Position::START
    }

    /// Takes no more appends, commits those that wait, and closes the files.
    ///
    /// # Errors
    ///
    /// When the last sync failed.
    pub async fn close(self) -> Result<(), ReadError> {
        Ok(())
    }
}

/// The outcome of an append, to be awaited or dropped.
#[must_use = "the append is only known to be durable when this says so"]
pub struct PendingAppend(Waiting);

enum Waiting {
    Queued(oneshot::Receiver<Result<Appended, AppendError>>),
    Refused(Option<AppendError>),
}

impl PendingAppend {
    pub(crate) const fn refused(error: AppendError) -> Self {
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
            Waiting::Queued(outcome) => {
                let outcome = ready!(Pin::new(outcome).poll(context));
                Poll::Ready(outcome.unwrap_or(Err(AppendError::Closed)))
            }
        }
    }
}

/// The records from one place on, without a gap or a repetition.
pub struct Subscription {
    journal: Journal,
    from: Position,
}

impl Subscription {
    /// The next record; waits until there is one.
    ///
    /// # Errors
    ///
    /// As [`Journal::read`]; the next call tries the same record again.
    pub async fn next(&mut self) -> Result<Record, ReadError> {
        let _ = (&self.journal, self.from);
        Err(ReadError::Closed)
    }
}
