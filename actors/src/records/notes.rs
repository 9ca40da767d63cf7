//! Notes on calls: what an agent wrote while and after the talk. The last who
//! writes wins, and what was written before is kept.

use serde::{Deserialize, Serialize};
use tandem_kernel::{CallId, Timestamp};
use tandem_store::{Batch, Store, StoreError, Table};

use crate::entity;

/// Longest remark, in characters.
pub const LONGEST_TEXT: usize = 500;
/// Most tags of one note.
pub const MOST_TAGS: usize = 20;
/// Writings of a note that are kept beside the newest.
const HISTORY: usize = 20;

const NOTES: Table = Table::new(3, "call-notes");

/// A fact about a call's note. Append-only; see `event.rs` of the crate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoteEvent {
    /// It was written, or written anew.
    Written {
        /// When.
        at: Timestamp,
        /// Who wrote it.
        by: String,
        /// The remark.
        text: String,
        /// Tags by their ids.
        tags: Vec<String>,
    },
}

/// A note as somebody wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// How often the note was written up to then; from 1.
    pub revision: u64,
    /// When.
    pub at: Timestamp,
    /// Who wrote it.
    pub by: String,
    /// The remark.
    pub text: String,
    /// Tags by their ids.
    pub tags: Vec<String>,
}

/// Every writing of a note that is kept, the newest last.
pub type Writings = Vec<Note>;

/// Takes a fact in; one that was taken in already changes nothing.
#[must_use]
pub(super) fn write(mut writings: Writings, revision: u64, event: NoteEvent) -> Writings {
    let NoteEvent::Written { at, by, text, tags } = event;
    let place = writings.partition_point(|note| note.revision < revision);
    if writings.get(place).is_some_and(|note| note.revision == revision) {
        return writings;
    }
    writings.insert(place, Note { revision, at, by, text, tags });
    let spare = writings.len().saturating_sub(HISTORY + 1);
    writings.drain(..spare);
    writings
}

pub(super) fn read(store: &Store, call: CallId) -> Result<Writings, StoreError> {
    let found = store.get(NOTES, &call.as_u128().to_be_bytes())?;
    Ok(found.and_then(|bytes| entity::decode(&bytes).ok()).unwrap_or_default())
}

pub(super) fn keep(store: &Store, call: CallId, writings: &Writings) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    batch.put(NOTES, &call.as_u128().to_be_bytes(), &entity::encode(writings));
    store.apply(batch)
}

pub(super) fn forget(batch: &mut Batch, call: CallId) {
    batch.remove(NOTES, &call.as_u128().to_be_bytes());
}
