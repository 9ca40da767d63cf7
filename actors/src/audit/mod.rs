//! The audit log: who has changed what, and when. A projection of the journal in a table of its
//! own; the table can be thrown away.
//!
//! | Concern                                  | Owner              |
//! |------------------------------------------|--------------------|
//! | From facts to entries                    | `fold` (pure)      |
//! | Deeds that no other fact tells of        | [`event`]          |
//! | Keeping them and finding them again      | this module        |

pub mod event;
mod fold;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tandem_journal::{Append, Entity, Journal, PendingAppend, Record};
use tandem_kernel::{Position, Timestamp};
use tandem_store::{Batch, Store, Table};

use self::event::DeedEvent;
use self::fold::Fold;
use crate::entity;
use crate::office::Principal;
use crate::records::{MAX_SCANNED, key_of};

const ENTRIES: Table = Table::new(2, "audit");

/// Something that somebody did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where the fact stands in the journal.
    pub position: Position,
    /// When.
    pub at: Timestamp,
    /// `user:alice`, `token:ci` or `system`.
    pub by: String,
    /// `created`, `changed`, `removed`, `written`, `signed-in`, `signed-out`, `hangup` …
    pub action: String,
    /// A resource's kind, `session`, `prompt` or `call`.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// The fields that were changed, by name.
    pub fields: Vec<String>,
    /// The address of a sign-in; empty: not known.
    pub from: String,
}

/// Which entries are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// At or after.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Who.
    pub by: Option<String>,
    /// Action.
    pub action: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// Key.
    pub key: Option<String>,
}

impl Filter {
    fn takes(&self, entry: &Entry) -> bool {
        let Self { since, until, by, action, kind, key } = self;
        let is = |wanted: &Option<String>, found: &String| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        since.is_none_or(|since| entry.at >= since)
            && until.is_none_or(|until| entry.at < until)
            && is(by, &entry.by)
            && is(action, &entry.action)
            && is(kind, &entry.kind)
            && is(key, &entry.key)
    }
}

/// The audit log of a node. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    inner: Arc<Inner>,
}

struct Inner {
    fold: Mutex<Fold>,
    store: Store,
}

impl Audit {
    /// A log in a store of projections.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { inner: Arc::new(Inner { fold: Mutex::default(), store }) }
    }

    /// Takes a journal record in. Entries are written again under the same key when the journal
    /// is read again.
    pub fn apply(&self, record: &Record) {
        match self.inner.fold.lock().apply(record) {
            Ok(None) => {}
            Ok(Some(entry)) => {
                let mut batch = Batch::default();
                batch.put(ENTRIES, &key_of(entry.position), &entity::encode(&entry));
                if let Err(error) = self.inner.store.apply(batch) {
                    tracing::error!(position = %entry.position, %error, "not in the audit log");
                }
            }
            Err(error) => {
                tracing::error!(position = %record.position, %error, "unreadable for the audit");
            }
        }
    }

    /// Entries that fit, newest first, before a place.
    #[must_use]
    pub fn page(&self, filter: &Filter, before: Option<Position>, limit: usize) -> Vec<Entry> {
        let from = before.map_or([0; 10], |before| {
            key_of(Position { index: before.index.saturating_sub(1), ..before })
        });
        let mut page = Vec::new();
        let mut scanned = 0;
        let outcome = self.inner.store.scan(ENTRIES, &from, |_, bytes| {
            scanned += 1;
            page.extend(entity::decode::<Entry>(bytes).ok().filter(|entry| filter.takes(entry)));
            if page.len() == limit || scanned == MAX_SCANNED {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        if let Err(error) = outcome {
            tracing::error!(%error, "the audit log is damaged");
        }
        page
    }
}

/// Notes a deed that no other fact tells of; to be awaited, or dropped where nobody waits.
pub(crate) fn note(
    journal: &Journal,
    by: &Principal,
    action: &str,
    kind: &str,
    key: &str,
) -> PendingAppend {
    let entity = Entity::new(entity::DEED, format!("{kind}/{key}"));
    let (action, by) = (action.to_owned(), by.name.clone());
    let done = DeedEvent::Done { action, kind: kind.to_owned(), key: key.to_owned(), by };
    let events = vec![entity::encode(&done)];
    journal.append(Append { entity, expected: None, epoch: 0, op_id: None, events })
}
