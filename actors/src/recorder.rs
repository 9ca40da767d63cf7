//! The journal as one entity sees it: its state is loaded as the fold of its events, and its
//! events are appended in order without waiting for the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tandem_journal::{Append, AppendError, Entity, Journal, ReadError};
use tandem_kernel::spawn;
use tandem_wire::{Schema, WireError};
use tokio::sync::watch;

use crate::entity;

/// Events between two snapshots.
const SNAPSHOT_EVERY: u64 = 500;
/// The largest snapshot that is read, in bytes.
const MAX_SNAPSHOT: usize = 64 << 20;
/// How long the appends of a crashed actor may take to commit.
const SETTLE_WITHIN: Duration = Duration::from_secs(10);

/// A state that is the fold of events.
pub(crate) trait Fold: Schema + Default {
    /// The events.
    type Event: Serialize + DeserializeOwned;

    /// Takes an event in.
    fn evolve(&mut self, event: &Self::Event);
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

/// The way of one entity to the journal. Outlives the entity's actor.
#[derive(Clone)]
pub(crate) struct Recorder {
    journal: Journal,
    entity: Entity,
    epoch: u64,
    /// Appends on their way.
    pending: Arc<watch::Sender<u64>>,
    /// Events since the last snapshot.
    unsaved: Arc<AtomicU64>,
}

impl Recorder {
    /// For an entity that this node owns since `epoch`.
    pub(crate) fn new(journal: Journal, entity: Entity, epoch: u64) -> Self {
        let pending = Arc::new(watch::Sender::new(0));
        Self { journal, entity, epoch, pending, unsaved: Arc::default() }
    }

    /// The entity's state. Waits for what an earlier actor appended.
    pub(crate) async fn load<F: Fold>(&self) -> Result<F, LoadError> {
        let mut pending = self.pending.subscribe();
        let settled = pending.wait_for(|pending| *pending == 0);
        if tokio::time::timeout(SETTLE_WITHIN, settled).await.is_err() {
            return Err(LoadError::Unsettled(self.entity.clone()));
        }
        let (snapshot, records) = self
            .journal
            .load(&self.entity)
            .await
            .map_err(|source| LoadError::Journal { entity: self.entity.clone(), source })?;
        let decoding = |source| LoadError::Decode { entity: self.entity.clone(), source };
        let mut state = match snapshot {
            Some(snapshot) => tandem_wire::decode_versioned::<F>(&snapshot.bytes, MAX_SNAPSHOT)
                .map_err(decoding)?,
            None => F::default(),
        };
        for record in &records {
            let event: F::Event = entity::decode(&record.event).map_err(decoding)?;
            state.evolve(&event);
        }
        self.unsaved.store(u64::try_from(records.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok(state)
    }

    /// Appends the events of one step; `state` is the state after them. `then` hears of the
    /// outcome.
    pub(crate) fn append<F: Fold>(
        &self,
        events: &[F::Event],
        state: &F,
        then: impl FnOnce(Result<(), AppendError>) + Send + 'static,
    ) {
        let pending = self.journal.append(Append {
            entity: self.entity.clone(),
            expected: None,
            epoch: self.epoch,
            op_id: None,
            events: events.iter().map(entity::encode).collect(),
        });
        let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
        let unsaved = self.unsaved.fetch_add(count, Ordering::Relaxed) + count;
        let snapshot = (unsaved >= SNAPSHOT_EVERY).then(|| {
            self.unsaved.store(0, Ordering::Relaxed);
            tandem_wire::encode_versioned(state)
        });
        self.pending.send_modify(|pending| *pending += 1);
        let recorder = self.clone();
        spawn("append outcome", async move {
            let outcome = pending.await;
            recorder.pending.send_modify(|pending| *pending -= 1);
            let version = outcome.as_ref().ok().map(|appended| appended.version);
            then(outcome.map(|_| ()));
            if let (Some(version), Some(bytes)) = (version, snapshot) {
                recorder.save(version, bytes).await;
            }
        });
    }

    /// A lost snapshot costs time at the next load, nothing else.
    async fn save(&self, version: u64, bytes: Vec<u8>) {
        let saved = self.journal.snapshot(&self.entity, version, bytes.into()).await;
        if let Err(error) = saved {
            tracing::warn!(entity = %self.entity, %error, "failed to save a snapshot");
        }
    }
}
