//! The provisioned resources: a fold over their events, answered only after the commit.
//!
//! | Concern                                   | Owner            |
//! |-------------------------------------------|------------------|
//! | All resources at one moment               | [`Directory`]    |
//! | Rules of one resource                     | `tandem_config`  |
//! | Rules between resources                   | `references`     |
//! | That a number means one thing             | `plan`           |

mod contacts;
mod directory;
mod plan;
mod references;
#[cfg(test)]
mod tests;

pub use directory::Directory;

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use tandem_config::resource::FieldError;
use tandem_config::{Kind, Resource};
use tandem_journal::{Append, AppendError, Entity, Journal};
use tandem_kernel::{Clock, Timestamp};
use tokio::sync::{Mutex, broadcast};

use crate::entity;
use crate::event::ResourceEvent;
use crate::office::{Principal, Refusal, Stored};

/// Changes that a slow watcher may be behind before it has to look at everything again.
const CHANGES: usize = 256;

/// The handle to the provisioned resources. Cheap to clone.
#[derive(Clone)]
pub struct Provisioning {
    inner: Arc<Inner>,
}

struct Inner {
    directory: ArcSwap<Directory>,
    journal: Journal,
    clock: Clock,
    /// Writes are few and are checked against all others, so they go one after the other.
    writing: Mutex<()>,
    /// The version of each resource that was taken in last: what this node wrote comes back
    /// with what other members wrote.
    taken: parking_lot::Mutex<HashMap<(Kind, String), u64>>,
    changes: broadcast::Sender<(Kind, String)>,
}

/// The journal's entity of a resource.
#[must_use]
pub fn entity_of(kind: Kind, key: &str) -> Entity {
    Entity::new(entity::RESOURCE, format!("{}/{key}", kind.as_str()))
}

impl Provisioning {
    /// Over a journal whose events are replayed with [`Provisioning::replay`].
    #[must_use]
    pub fn new(journal: Journal, clock: Clock) -> Self {
        let (changes, _) = broadcast::channel(CHANGES);
        Self {
            inner: Arc::new(Inner {
                directory: ArcSwap::default(),
                journal,
                clock,
                writing: Mutex::new(()),
                taken: parking_lot::Mutex::default(),
                changes,
            }),
        }
    }

    /// Takes an event from the journal in, at the start.
    ///
    /// # Errors
    /// When the bytes are no such event.
    pub fn replay(
        &self,
        at: Timestamp,
        version: u64,
        event: &Bytes,
    ) -> Result<(), tandem_wire::WireError> {
        let event: ResourceEvent = entity::decode(event)?;
        self.take_in(at, version, &event);
        Ok(())
    }

    /// Takes an event in that any member of the cluster appended.
    ///
    /// # Errors
    /// When the bytes are no such event.
    pub fn follow(
        &self,
        at: Timestamp,
        version: u64,
        event: &Bytes,
    ) -> Result<(), tandem_wire::WireError> {
        self.apply(at, version, &entity::decode(event)?);
        Ok(())
    }

    /// All resources as they are now.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        self.inner.directory.load_full()
    }

    /// Tells every change after this call. A watcher that lags looks at everything again.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<(Kind, String)> {
        self.inner.changes.subscribe()
    }

    /// Writes a new resource.
    ///
    /// # Errors
    /// `Conflict` when the key is taken, `Invalid` with the fields, `Unavailable`.
    pub async fn create(&self, by: &Principal, resource: Resource) -> Result<Stored, Refusal> {
        let _writing = self.inner.writing.lock().await;
        let (kind, key) = (resource.kind(), resource.key().to_owned());
        // What was deleted has a version too, so the journal is asked.
        let version = self.catch_up(kind, &key).await?;
        if self.directory().find(kind, &key).is_some() {
            let detail = format!("{} {key} exists already", kind.as_str());
            return Err(Refusal::Conflict { code: "already-exists", detail });
        }
        self.write(by, version, resource).await
    }

    /// Writes a resource that exists, at the revision that the writer saw.
    ///
    /// # Errors
    /// `NotFound`, `Stale` when it was changed in the meantime, `Invalid`, `Unavailable`.
    pub async fn replace(
        &self,
        by: &Principal,
        expected: Option<u64>,
        resource: Resource,
    ) -> Result<Stored, Refusal> {
        let _writing = self.inner.writing.lock().await;
        let (kind, key) = (resource.kind(), resource.key().to_owned());
        // Who writes the first ones has seen revision 0.
        let version = match self.expect(kind, &key, expected) {
            Err(Refusal::NotFound { .. }) if is_always_there(kind) => {
                self.catch_up(kind, &key).await?
            }
            expected => expected?,
        };
        self.write(by, version, resource).await
    }

    /// Deletes a resource that nothing refers to.
    ///
    /// # Errors
    /// `NotFound`, `Stale`, `Conflict` with the list of users, `Unavailable`.
    pub async fn remove(
        &self,
        by: &Principal,
        kind: Kind,
        key: &str,
        expected: Option<u64>,
    ) -> Result<(), Refusal> {
        let _writing = self.inner.writing.lock().await;
        let version = self.expect(kind, key, expected)?;
        let users = references::users_of(&self.directory(), kind, key);
        if !users.is_empty() {
            let detail = format!("{} {key} is used by {}", kind.as_str(), users.join(", "));
            return Err(Refusal::Conflict { code: "in-use", detail });
        }
        let event = ResourceEvent::Removed { kind, key: key.to_owned(), by: by.name.clone() };
        self.append(kind, key, version, &event).await?;
        Ok(())
    }

    /// The revision that a write replaces, which the writer must have seen.
    fn expect(&self, kind: Kind, key: &str, expected: Option<u64>) -> Result<u64, Refusal> {
        let directory = self.directory();
        let stored = directory.find(kind, key).ok_or_else(|| Refusal::no_resource(kind, key))?;
        match expected {
            Some(revision) if revision != stored.revision => {
                Err(Refusal::Stale { actual: stored.revision })
            }
            _ => Ok(stored.revision),
        }
    }

    /// The version of a resource in the journal. The directory takes in what it lacks: the
    /// outcome of an append that failed half-way is known only now.
    async fn catch_up(&self, kind: Kind, key: &str) -> Result<u64, Refusal> {
        let unread = |error: String| Refusal::Unavailable {
            detail: format!("the journal can not tell {} {key}: {error}", kind.as_str()),
        };
        let loaded = self.inner.journal.load(&entity_of(kind, key)).await;
        let (_, records) = loaded.map_err(|error| unread(error.to_string()))?;
        let known = self.directory().find(kind, key).map(|stored| stored.revision);
        let Some(last) = records.last() else { return Ok(known.unwrap_or(0)) };
        let event: ResourceEvent =
            entity::decode(&last.event).map_err(|error| unread(error.to_string()))?;
        let is_put = matches!(event, ResourceEvent::Put { .. });
        if known.is_none_or(|known| known < last.version) && (is_put || known.is_some()) {
            self.apply(last.at, last.version, &event);
        }
        Ok(last.version)
    }

    async fn write(
        &self,
        by: &Principal,
        version: u64,
        resource: Resource,
    ) -> Result<Stored, Refusal> {
        let mut wrong = resource.validate();
        wrong.extend(references::check(&self.directory(), &resource));
        wrong.extend(plan::check(&self.directory(), &resource));
        if !wrong.is_empty() {
            return Err(Refusal::Invalid(wrong));
        }
        let (kind, key) = (resource.kind(), resource.key().to_owned());
        let body = serde_json::to_string(&resource).map_err(|error| Refusal::Unavailable {
            detail: format!("failed to write {} {key}: {error}", kind.as_str()),
        })?;
        let event = ResourceEvent::Put { kind, key: key.clone(), body, by: by.name.clone() };
        let (at, revision) = self.append(kind, &key, version, &event).await?;
        Ok(Stored { resource, revision, changed_at: at })
    }

    /// Appends at a version, waits for the commit, and takes the event in.
    async fn append(
        &self,
        kind: Kind,
        key: &str,
        version: u64,
        event: &ResourceEvent,
    ) -> Result<(Timestamp, u64), Refusal> {
        let append = Append {
            entity: entity_of(kind, key),
            expected: Some(version),
            epoch: 0,
            op_id: None,
            events: vec![entity::encode(event)],
        };
        match self.inner.journal.append(append).await {
            Ok(appended) => {
                let at = self.inner.clock.now();
                self.apply(at, appended.version, event);
                Ok((at, appended.version))
            }
            Err(AppendError::VersionConflict { actual }) => {
                self.catch_up(kind, key).await?;
                Err(Refusal::Stale { actual })
            }
            // Trying again, which `Unavailable` asks for, would end alike.
            Err(AppendError::TooLarge) => {
                let (pointer, detail) = (String::new(), "the resource is too large".to_owned());
                Err(Refusal::Invalid(vec![FieldError { pointer, code: "too-large", detail }]))
            }
            Err(error) => Err(unavailable(&error)),
        }
    }

    fn apply(&self, at: Timestamp, version: u64, event: &ResourceEvent) {
        if !self.take_in(at, version, event) {
            return;
        }
        let (ResourceEvent::Put { kind, key, .. } | ResourceEvent::Removed { kind, key, .. }) =
            event;
        // Nobody may be watching.
        let _unwatched = self.inner.changes.send((*kind, key.clone()));
    }

    /// False when it was taken in before.
    fn take_in(&self, at: Timestamp, version: u64, event: &ResourceEvent) -> bool {
        let (ResourceEvent::Put { kind, key, .. } | ResourceEvent::Removed { kind, key, .. }) =
            event;
        let mut taken = self.inner.taken.lock();
        let last = taken.entry((*kind, key.clone())).or_default();
        if version <= *last {
            return false;
        }
        *last = version;
        let mut next = Directory::clone(&self.directory());
        next.apply(at, version, event);
        self.inner.directory.store(Arc::new(next));
        true
    }
}

/// The settings, and what a user has arranged, are there at their defaults with revision 0 before
/// anybody has written them.
const fn is_always_there(kind: Kind) -> bool {
    matches!(kind, Kind::Settings | Kind::Console)
}

fn unavailable(error: &AppendError) -> Refusal {
    Refusal::Unavailable { detail: format!("the journal did not take it: {error}") }
}
