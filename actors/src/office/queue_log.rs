//! The office's door to the queue call log.

use std::sync::Arc;
use std::time::Duration;

use tandem_journal::{Append, AppendError};
use tandem_kernel::{Position, Timestamp};

use super::{Office, Principal, Refusal};
use crate::entity;
use crate::records::Records;
use crate::records::queue_log::marks::decide;
use crate::records::queue_log::{Asked, LogEvent, LogFilter, Logged, Operator, Refused};

/// How often a change is tried when others change the same queue's log meanwhile.
const ATTEMPTS: usize = 5;
/// How long one waits to read what another member has written.
const BEHIND: Duration = Duration::from_millis(20);

/// What somebody may see of the log.
pub type LogView = Arc<dyn Fn(&Logged) -> bool + Send + Sync>;

/// The fact that a wish makes, none, or why not.
type Decided = Result<Option<LogEvent>, Refused>;

impl Office {
    /// Entries of the queue call log, newest first, before a place.
    pub async fn queue_log(
        &self,
        filter: LogFilter,
        view: LogView,
        before: Option<Position>,
        limit: usize,
    ) -> Vec<Logged> {
        let Some(records) = self.parts.records.clone() else { return Vec::new() };
        let read = move || records.queue_log(&filter, &*view, before, limit);
        // The table is read from disk: not on a thread that serves others.
        tokio::task::spawn_blocking(read).await.unwrap_or_default()
    }

    /// One entry of it.
    pub async fn queue_log_entry(&self, entry: Position) -> Option<Logged> {
        let records = self.parts.records.clone()?;
        tokio::task::spawn_blocking(move || records.logged(entry)).await.ok().flatten()
    }

    /// Sets the processing state of a missed call, and of the same caller's others where the
    /// settings want it; answered after the commit.
    ///
    /// # Errors
    /// `NotFound` for an entry that is gone, `Conflict` when somebody else was first,
    /// `Unavailable` when the journal does not take it.
    pub async fn mark_missed(
        &self,
        by: &Principal,
        entry: Position,
        asked: Asked,
    ) -> Result<Logged, Refusal> {
        self.change_log(by, entry, |records, logged, at, by| {
            let sync = self.parts.provisioning.directory().settings().result_sync;
            let window = Duration::from_secs(u64::from(sync.within_hours) * 3_600);
            let others = match sync.enabled {
                true => records.of_the_same_caller(&logged.entry, at - window),
                false => Vec::new(),
            };
            decide((at, by), (entry, logged.marks.state()), &asked, &others)
        })
        .await
    }

    /// Removes an entry for everybody, or from the view of one extension.
    ///
    /// # Errors
    /// `NotFound` for an entry that is gone, `Unavailable` when the journal does not take it.
    pub async fn remove_logged(
        &self,
        by: &Principal,
        entry: Position,
        only_from: Option<String>,
    ) -> Result<(), Refusal> {
        let removed = self.change_log(by, entry, |_, _, at, by| {
            Ok(Some(match only_from.clone() {
                Some(extension) => LogEvent::Hidden { at, by, entry, extension },
                None => LogEvent::Removed { at, by, entry },
            }))
        });
        match removed.await {
            Ok(_) => Ok(()),
            Err(refusal) => Err(refusal),
        }
    }

    async fn change_log(
        &self,
        by: &Principal,
        entry: Position,
        decide: impl Fn(&Records, &Logged, Timestamp, Operator) -> Decided,
    ) -> Result<Logged, Refusal> {
        let Some(records) = self.parts.records.clone() else {
            return Err(Refusal::Unavailable { detail: "there are no call records here".into() });
        };
        for _ in 0..ATTEMPTS {
            let missing = || Refusal::NotFound { kind: "call log entry", key: entry.to_string() };
            let found = records.logged(entry).ok_or_else(missing)?;
            let queue = found.entry.queue.clone();
            let version = records.log_version(&queue);
            let logged = records.logged(entry).ok_or_else(missing)?;
            let by = Operator { name: by.name.clone(), extension: by.extension.clone() };
            let at = self.exchange()?.clock.now();
            let event = match decide(&records, &logged, at, by) {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(logged),
                Err(refused) => {
                    let detail = refused.to_string();
                    return Err(Refusal::Conflict { code: "already-processed", detail });
                }
            };
            if self.append_log(&records, &queue, version, &event).await? {
                return Ok(records.logged(entry).unwrap_or(logged));
            }
        }
        Err(Refusal::Unavailable { detail: "the queue's log changes too fast".into() })
    }

    /// Whether the fact was the next one of the queue's log.
    async fn append_log(
        &self,
        records: &Records,
        queue: &str,
        version: u64,
        event: &LogEvent,
    ) -> Result<bool, Refusal> {
        let append = Append {
            entity: entity::queue_log(queue),
            expected: Some(version),
            epoch: 0,
            op_id: None,
            events: vec![entity::encode(event)],
        };
        match self.parts.journal.append(append).await {
            Ok(appended) => {
                // Who asks next finds it: the journal tells of it a little later.
                records.take_logged(queue, appended.version, event);
                Ok(true)
            }
            Err(AppendError::VersionConflict { .. }) => {
                tokio::time::sleep(BEHIND).await;
                Ok(false)
            }
            Err(error) => Err(Refusal::Unavailable { detail: error.to_string() }),
        }
    }
}
