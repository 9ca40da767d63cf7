//! The journal as one entity sees it: its state is loaded as the fold of its events, and its
//! events are appended in order without holding up the actor.
//!
//! Events of several steps that wait together are one append. An overloaded journal is tried
//! again; any other failure is told to everybody who waits. In a cluster another member may
//! append to the same entity: an append that did not see its events is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tandem_journal::{Append, AppendError, Entity, Journal, ReadError};
use tandem_kernel::spawn;
use tandem_telemetry::metric;
use tandem_wire::{Schema, WireError};
use tokio::sync::{mpsc, watch};

use crate::entity;

/// Steps whose events may wait for the journal; a queue call has about six.
const CAPACITY: usize = 8_192;
/// Events in one append.
const TOGETHER: usize = 200;
/// Events between two snapshots.
const SNAPSHOT_EVERY: u64 = 500;
/// The largest snapshot that is read, in bytes.
const MAX_SNAPSHOT: usize = 64 << 20;
/// How long the appends of a crashed actor may take to commit.
const SETTLE_WITHIN: Duration = Duration::from_secs(10);
/// The wait before an overloaded journal is tried again.
const RETRY: Duration = Duration::from_millis(20);

/// A state that is the fold of events.
pub(crate) trait Fold: Schema + Default {
    /// The events.
    type Event: Serialize + DeserializeOwned;

    /// Takes an event in.
    fn evolve(&mut self, event: &Self::Event);

    /// Reads a snapshot; a state that has changed reads those of before, too.
    fn read(bytes: &[u8], limit: usize) -> Result<Self, WireError> {
        tandem_wire::decode_versioned(bytes, limit)
    }
}

/// Why the state of an entity could not be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The journal could not be read.
    #[error("failed to read {entity}")]
    Journal {
        /// Which entity.
        entity: Entity,
        /// Why.
        source: ReadError,
    },
    /// An event or snapshot is not readable.
    #[error("failed to decode {entity}")]
    Decode {
        /// Which entity.
        entity: Entity,
        /// Why.
        source: WireError,
    },
    /// Appends of the actor that crashed are still on their way.
    #[error("earlier appends to {0} do not settle")]
    Unsettled(Entity),
}

type Then = Box<dyn FnOnce(Result<(), AppendError>) + Send>;

struct Job {
    events: Vec<Bytes>,
    /// The state after the events, when it is time for a snapshot.
    state: Option<Vec<u8>>,
    then: Then,
}

/// The way of one entity to the journal. Outlives the entity's actor.
#[derive(Clone)]
pub(crate) struct Recorder {
    journal: Journal,
    entity: Entity,
    jobs: mpsc::Sender<Job>,
    /// Jobs that are not done.
    pending: Arc<watch::Sender<usize>>,
    /// Events since the last snapshot.
    unsaved: Arc<AtomicU64>,
    /// The version of the state that was loaded or appended last.
    known: Arc<AtomicU64>,
    epoch: Arc<AtomicU64>,
    /// The newest epoch that an append was refused for.
    current: Arc<AtomicU64>,
    refusals: Arc<AtomicU64>,
}

impl Recorder {
    /// Ends with its last clone.
    pub(crate) fn new(journal: Journal, entity: Entity) -> Self {
        let (jobs, waiting) = mpsc::channel(CAPACITY);
        let pending = Arc::new(watch::Sender::new(0));
        let known = Arc::<AtomicU64>::default();
        let epoch = Arc::<AtomicU64>::default();
        let current = Arc::<AtomicU64>::default();
        let refusals = Arc::<AtomicU64>::default();
        let writer = Writer {
            journal: journal.clone(),
            entity: entity.clone(),
            epoch: Arc::clone(&epoch),
            pending: Arc::clone(&pending),
            known: Arc::clone(&known),
            current: Arc::clone(&current),
            refusals: Arc::clone(&refusals),
        };
        drop(spawn("recorder", writer.run(waiting)));
        let unsaved = Arc::default();
        Self { journal, entity, jobs, pending, unsaved, known, epoch, current, refusals }
    }

    /// Whether the journal has refused an append of this epoch: another member has owned the
    /// entity since, and this one will read so in a moment.
    pub(crate) fn is_outdated(&self, epoch: u64) -> bool {
        epoch < self.current.load(Ordering::Relaxed)
    }

    /// The entity's state, which this node owns since `epoch`. Waits for what an earlier actor
    /// appended.
    pub(crate) async fn own<F: Fold>(&self, epoch: u64) -> Result<F, LoadError> {
        self.own_by(epoch, |_| {}).await
    }

    /// The same of a state that is told how it is configured before it takes events in.
    pub(crate) async fn own_by<F: Fold>(
        &self,
        epoch: u64,
        configure: impl FnOnce(&mut F),
    ) -> Result<F, LoadError> {
        if !self.settled().await {
            return Err(LoadError::Unsettled(self.entity.clone()));
        }
        self.epoch.store(epoch, Ordering::Relaxed);
        self.load_by(configure).await
    }

    /// The entity's state as it is now.
    pub(crate) async fn load<F: Fold>(&self) -> Result<F, LoadError> {
        self.load_by(|_| {}).await
    }

    async fn load_by<F: Fold>(&self, configure: impl FnOnce(&mut F)) -> Result<F, LoadError> {
        if !self.settled().await {
            return Err(LoadError::Unsettled(self.entity.clone()));
        }
        let loaded = self.journal.load(&self.entity).await;
        let (snapshot, records) =
            loaded.map_err(|source| LoadError::Journal { entity: self.entity.clone(), source })?;
        let saved = snapshot.as_ref().map_or(0, |snapshot| snapshot.version);
        let version = records.last().map_or(saved, |last| last.version);
        self.known.store(version, Ordering::Relaxed);
        let decoding = |source| LoadError::Decode { entity: self.entity.clone(), source };
        let mut state = match snapshot {
            Some(snapshot) => F::read(&snapshot.bytes, MAX_SNAPSHOT).map_err(decoding)?,
            None => F::default(),
        };
        configure(&mut state);
        for record in &records {
            let event: F::Event = entity::decode(&record.event).map_err(decoding)?;
            state.evolve(&event);
        }
        self.unsaved.store(u64::try_from(records.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok(state)
    }

    /// Whether the journal has events up to `version` that the state of this node is without.
    pub(crate) async fn is_behind(&self, version: u64) -> bool {
        let knows = || self.known.load(Ordering::Relaxed) >= version;
        // Our own come back before their append is answered.
        !knows() && self.settled().await && !knows()
    }

    /// Waits until all that was appended is durable or refused; false when it takes too long.
    pub(crate) async fn settled(&self) -> bool {
        let mut pending = self.pending.subscribe();
        let settled = pending.wait_for(|pending| *pending == 0);
        tokio::time::timeout(SETTLE_WITHIN, settled).await.is_ok()
    }

    /// How many appends were refused until now.
    pub(crate) fn refusals(&self) -> u64 {
        self.refusals.load(Ordering::Relaxed)
    }

    /// Waits until all that was appended is durable or refused. Whether it is durable, and so was
    /// all since there were so many `refusals`; false, too, when it takes too long.
    pub(crate) async fn kept(&self, refusals: u64) -> bool {
        self.settled().await && self.refusals() == refusals
    }

    /// Appends the events of one step; `state` is the state after them. `then` hears of the
    /// outcome.
    pub(crate) fn append<F: Fold>(
        &self,
        events: &[F::Event],
        state: &F,
        then: impl FnOnce(Result<(), AppendError>) + Send + 'static,
    ) {
        let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
        let unsaved = self.unsaved.fetch_add(count, Ordering::Relaxed) + count;
        let state = (unsaved >= SNAPSHOT_EVERY).then(|| {
            self.unsaved.store(0, Ordering::Relaxed);
            tandem_wire::encode_versioned(state)
        });
        let events = events.iter().map(entity::encode).collect();
        self.pending.send_modify(|pending| *pending += 1);
        let job = Job { events, state, then: Box::new(then) };
        if let Err(refused) = self.jobs.try_send(job) {
            let (job, error) = match refused {
                mpsc::error::TrySendError::Full(job) => (job, AppendError::Overloaded),
                mpsc::error::TrySendError::Closed(job) => (job, AppendError::Closed),
            };
            self.refusals.fetch_add(1, Ordering::Relaxed);
            self.pending.send_modify(|pending| *pending -= 1);
            (job.then)(Err(error));
        }
    }
}

/// The task that appends.
struct Writer {
    journal: Journal,
    entity: Entity,
    epoch: Arc<AtomicU64>,
    pending: Arc<watch::Sender<usize>>,
    known: Arc<AtomicU64>,
    current: Arc<AtomicU64>,
    refusals: Arc<AtomicU64>,
}

impl Writer {
    async fn run(self, mut waiting: mpsc::Receiver<Job>) {
        while let Some(first) = waiting.recv().await {
            let mut count = first.events.len();
            let mut jobs = vec![first];
            while count < TOGETHER
                && let Ok(next) = waiting.try_recv()
            {
                count += next.events.len();
                jobs.push(next);
            }
            self.write(jobs).await;
        }
    }

    async fn write(&self, jobs: Vec<Job>) {
        let events: Vec<Bytes> = jobs.iter().flat_map(|job| job.events.clone()).collect();
        let outcome = self.append_all(&events).await;
        self.refusals.fetch_add(u64::from(outcome.is_err()), Ordering::Relaxed);
        let mut after = events.len();
        for job in jobs {
            after -= job.events.len();
            if let (Ok(version), Some(state)) = (&outcome, job.state) {
                let after = u64::try_from(after).unwrap_or(u64::MAX);
                self.save(version.saturating_sub(after), state).await;
            }
            (job.then)(outcome.as_ref().map(|_| ()).map_err(Clone::clone));
            self.pending.send_modify(|pending| *pending -= 1);
        }
    }

    /// One step can have more events than one append takes. Gives the version after the last.
    async fn append_all(&self, events: &[Bytes]) -> Result<u64, AppendError> {
        let mut version = 0;
        for some in events.chunks(TOGETHER) {
            version = self.append(some.to_vec()).await?;
        }
        Ok(version)
    }

    async fn append(&self, events: Vec<Bytes>) -> Result<u64, AppendError> {
        loop {
            let known = self.known.load(Ordering::Relaxed);
            let pending = self.journal.keep(Append {
                entity: self.entity.clone(),
                expected: self.journal.is_shared().then_some(known),
                epoch: self.epoch.load(Ordering::Relaxed),
                op_id: None,
                events: events.clone(),
            });
            let began = Instant::now();
            let outcome = pending.await;
            metric::JOURNAL_APPEND.record(began.elapsed());
            match outcome {
                Err(AppendError::Overloaded) => tokio::time::sleep(RETRY).await,
                Ok(appended) => {
                    self.known.store(appended.version, Ordering::Relaxed);
                    return Ok(appended.version);
                }
                Err(error) => {
                    if let AppendError::StaleEpoch { current } = error {
                        self.current.fetch_max(current, Ordering::Relaxed);
                    }
                    return Err(error);
                }
            }
        }
    }

    /// A lost snapshot costs time at the next load, nothing else.
    async fn save(&self, version: u64, state: Vec<u8>) {
        if let Err(error) = self.journal.snapshot(&self.entity, version, state.into()).await {
            tracing::warn!(entity = %self.entity, %error, "failed to save a snapshot");
        }
    }
}
