//! Sessions of people who have signed in: a fold over their events, so that a restart of the
//! node signs nobody out. Of a session's secret only the BLAKE3 is kept.
//!
//! | Concern                                   | Owner              |
//! |-------------------------------------------|--------------------|
//! | Which sessions are open, for whom         | `table` (pure)     |
//! | Appending, waiting for the commit         | this module        |
//! | Passwords, the secret, the back-off       | the HTTP edge      |

pub mod event;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tandem_config::resource::User;
use tandem_journal::{Append, Entity, Journal, PendingAppend};
use tandem_kernel::{Clock, Timestamp};

use self::event::SessionEvent;
use self::table::{Table, Worth};
use crate::entity;
use crate::office::{Principal, Refusal};
use crate::provisioning::Provisioning;

/// How long a session lasts.
pub const LIFE: Duration = Duration::from_secs(12 * 3_600);
/// How long an administrator's session lasts without a request.
pub const ADMIN_IDLE: Duration = Duration::from_secs(15 * 60);
/// Sessions at once; the one that was quiet longest ends.
const MOST: usize = 10_000;
/// How often the journal is told of a use: after a restart an idle session ends that much early.
const NOTED: Duration = Duration::from_secs(60);

/// BLAKE3 of a session's secret.
pub type SessionKey = [u8; 32];

/// The sessions of a node. Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    inner: Arc<Inner>,
}

struct Inner {
    table: Mutex<Table>,
    provisioning: Provisioning,
    journal: Journal,
    clock: Clock,
}

/// A user's password as a session remembers it.
fn mark_of(user: &User) -> [u8; 32] {
    *blake3::hash(user.password_hash.as_bytes()).as_bytes()
}

fn entity_of(key: &SessionKey) -> Entity {
    Entity::new(entity::SESSION, blake3::Hash::from(*key).to_hex().as_str())
}

impl Sessions {
    /// Sessions whose events are replayed with [`Sessions::replay`].
    #[must_use]
    pub fn new(provisioning: Provisioning, journal: Journal, clock: Clock) -> Self {
        let table = Mutex::default();
        Self { inner: Arc::new(Inner { table, provisioning, journal, clock }) }
    }

    /// Takes an event from the journal in, at the start.
    ///
    /// # Errors
    /// When the bytes are no such event.
    pub fn replay(
        &self,
        at: Timestamp,
        key: &str,
        event: &Bytes,
    ) -> Result<(), tandem_wire::WireError> {
        let event = entity::decode(event)?;
        match blake3::Hash::from_hex(key) {
            Ok(key) => self.inner.table.lock().evolve(at, key.as_bytes(), &event),
            Err(error) => tracing::error!(key, %error, "a session has no such key"),
        }
        Ok(())
    }

    /// Opens a session; answered after the commit.
    ///
    /// # Errors
    /// `Unavailable` when the journal does not take it.
    pub async fn open(&self, key: SessionKey, user: &User, from: String) -> Result<(), Refusal> {
        let (name, password) = (user.name.clone(), mark_of(user));
        self.tell(&key, SessionEvent::Opened { user: name, password, from }).await
    }

    /// Closes a session; answered after the commit.
    ///
    /// # Errors
    /// `Unavailable` when the journal does not take it.
    pub async fn close(&self, key: SessionKey) -> Result<(), Refusal> {
        let user = self.inner.table.lock().user(&key);
        let Some(user) = user else { return Ok(()) };
        self.tell(&key, SessionEvent::Closed { user }).await
    }

    /// Whom a session stands for now. Using it keeps it open.
    #[must_use]
    pub fn principal(&self, key: &SessionKey) -> Option<Principal> {
        let now = self.inner.clock.now();
        let directory = self.inner.provisioning.directory();
        let worth = self.inner.table.lock().use_one(now, &directory, key);
        let (principal, event) = match worth {
            Worth::Unknown => return None,
            Worth::Good { principal, note: false } => return Some(principal),
            Worth::Good { principal, note: true } => (Some(principal), SessionEvent::Used),
            Worth::Expired => (None, SessionEvent::Expired),
        };
        // Nobody is told that it is kept, so nobody waits.
        drop(self.append(key, &event));
        principal
    }

    async fn tell(&self, key: &SessionKey, event: SessionEvent) -> Result<(), Refusal> {
        self.append(key, &event).await.map_err(|error| Refusal::Unavailable {
            detail: format!("the journal did not take the session: {error}"),
        })?;
        self.inner.table.lock().evolve(self.inner.clock.now(), key, &event);
        Ok(())
    }

    fn append(&self, key: &SessionKey, event: &SessionEvent) -> PendingAppend {
        let events = vec![entity::encode(event)];
        let entity = entity_of(key);
        self.inner.journal.append(Append { entity, expected: None, epoch: 0, op_id: None, events })
    }
}
