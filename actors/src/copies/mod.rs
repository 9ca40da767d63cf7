//! Files that each member of a cluster has: messages of mailboxes and uploaded prompts.
//!
//! That there is a file, and what its bytes are, is a fact of the journal. A member that reads of
//! one that it does not have asks the others for it, piece by piece, on the link for bulk.

mod fetch;
mod table;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tandem_journal::{Append, Entity, Journal, Record};
use tandem_kernel::{Clock, Timestamp};
use tandem_wire::WireError;
use tokio::sync::Notify;

use self::table::{Fact, Table};
use crate::entity;
use crate::office::Refusal;
use crate::prompts::{Prompt, Prompts};
use crate::voicemail::event::MailboxEvent;

/// The most bytes of one piece.
pub(crate) const PIECE: usize = 512 * 1024;

/// A file, whichever member has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FileName {
    /// A message, by its id.
    Message(String),
    /// An uploaded prompt, by its name without the folder.
    Prompt(String),
}

/// A fact about one uploaded prompt. Append-only; see `event.rs` of the crate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PromptEvent {
    /// It was written, anew or again.
    Written {
        /// When.
        at: Timestamp,
        /// The file's size.
        bytes: u64,
        /// BLAKE3 of the file, hex.
        checksum: String,
    },
    /// It was deleted.
    Removed {
        /// When.
        at: Timestamp,
    },
}

/// The files that a member should have. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Copies(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    messages: PathBuf,
    prompts: PathBuf,
    is_shared: bool,
    table: Mutex<Table>,
    /// The table has changed.
    news: Notify,
}

impl Copies {
    /// Copies in the folders of messages and of uploaded prompts. Who is alone gets nothing from
    /// anybody, and keeps no list of what to get.
    #[must_use]
    pub fn new(messages: PathBuf, prompts: PathBuf, is_shared: bool) -> Self {
        let (table, news) = (Mutex::default(), Notify::new());
        Self(Arc::new(Inner { messages, prompts, is_shared, table, news }))
    }

    /// Takes a fact in.
    ///
    /// # Errors
    /// When the bytes are no such event.
    pub fn take(&self, record: &Record) -> Result<(), WireError> {
        let key = &record.entity.key;
        let mut table = self.0.table.lock();
        match record.entity.kind {
            entity::MAILBOX => match entity::decode(&record.event)? {
                MailboxEvent::Left { id, bytes, checksum, .. } => {
                    table.exists(FileName::Message(id), Fact { bytes, checksum });
                }
                MailboxEvent::Deleted { id, .. } => table.is_gone(FileName::Message(id)),
                MailboxEvent::Heard { .. } | MailboxEvent::Mailed { .. } => {}
            },
            entity::PROMPT => match entity::decode(&record.event)? {
                PromptEvent::Written { bytes, checksum, .. } => {
                    table.exists(FileName::Prompt(key.clone()), Fact { bytes, checksum });
                }
                PromptEvent::Removed { .. } => table.is_gone(FileName::Prompt(key.clone())),
            },
            _ => return Ok(()),
        }
        if !self.0.is_shared {
            table.nothing_is_due();
        }
        drop(table);
        self.0.news.notify_one();
        Ok(())
    }

    /// Where a file is. None for a name that could lead out of its folder.
    fn path(&self, name: &FileName) -> Option<PathBuf> {
        let (folder, stem) = match name {
            FileName::Message(id) => (&self.0.messages, id),
            FileName::Prompt(name) => (&self.0.prompts, name),
        };
        Prompts::is_name(stem).then(|| folder.join(format!("{stem}.wav")))
    }

    /// What another member asks for: a file's bytes from a place on, at most [`PIECE`]; none when
    /// it is not here.
    pub(crate) async fn piece(&self, name: &FileName, from: u64) -> Option<Bytes> {
        let path = self.path(name)?;
        tokio::task::spawn_blocking(move || read(&path, from).ok()).await.ok()?
    }

    /// Appends the facts of prompts that were uploaded before there were such facts.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn note_older(
        &self,
        journal: &Journal,
        clock: Clock,
        all: &[Prompt],
    ) -> Result<(), Refusal> {
        for prompt in all {
            let name = prompt.name.rsplit('/').next().unwrap_or_default().to_owned();
            let is_known = self.0.table.lock().knows(&FileName::Prompt(name.clone()));
            if !is_known {
                note(journal, &name, &written(clock.now(), prompt)).await?;
            }
        }
        Ok(())
    }
}

/// That a prompt was written.
pub(crate) fn written(at: Timestamp, prompt: &Prompt) -> PromptEvent {
    PromptEvent::Written { at, bytes: prompt.bytes, checksum: prompt.checksum.clone() }
}

/// Appends a fact about a prompt.
///
/// # Errors
/// `Unavailable` when the journal does not take it.
pub(crate) async fn note(
    journal: &Journal,
    name: &str,
    event: &PromptEvent,
) -> Result<(), Refusal> {
    let append = Append {
        entity: Entity::new(entity::PROMPT, name),
        expected: None,
        epoch: 0,
        op_id: None,
        events: vec![entity::encode(event)],
    };
    let appended = journal.append(append).await;
    appended.map(drop).map_err(|error| Refusal::Unavailable {
        detail: format!("the others are not told of prompt {name}: {error}"),
    })
}

fn read(path: &Path, from: u64) -> std::io::Result<Bytes> {
    let mut file = fs::File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::with_capacity(PIECE);
    file.take(PIECE as u64).read_to_end(&mut bytes)?;
    Ok(bytes.into())
}
