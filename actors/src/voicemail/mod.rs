//! The mailboxes of extensions and groups: a fold over their events, answered only after the
//! commit, and the files of their messages.
//!
//! | Concern                                   | Owner              |
//! |-------------------------------------------|--------------------|
//! | Messages of one mailbox                   | [`machine`] (pure) |
//! | Files and their checksums                 | `files`            |
//! | What a caller and a listener hear         | `flow`             |
//! | Messages by e-mail                        | [`post`]           |
//! | Which numbers have a mailbox              | the provisioning   |

pub mod event;
mod files;
pub mod machine;
pub mod post;
#[cfg(test)]
mod tests;

pub use machine::{Mailbox, Message, Waiting};

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use tandem_engine::{Recorded, RecordedLater};
use tandem_journal::{Append, Entity, Journal};
use tandem_kernel::{CallId, Clock};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use self::event::MailboxEvent;
use self::files::Files;
use crate::entity;
use crate::flow::{MessageChange, Saved};
use crate::office::Refusal;
use crate::presence::{Lamps, Mail};

/// Changes that a slow watcher may be behind before it has to look at everything again.
const CHANGES: usize = 256;
/// A member that has not answered the leader for so long sends no letters.
const GONE: Duration = Duration::from_secs(10);
/// What is shorter is not kept: the caller hung up at the beep.
const SHORTEST_MS: u64 = 700;

/// The mailboxes of a node. Cheap to clone.
#[derive(Clone)]
pub struct Voicemail {
    inner: Arc<Inner>,
}

struct Inner {
    mailboxes: RwLock<BTreeMap<String, Mailbox>>,
    files: Files,
    journal: Journal,
    clock: Clock,
    /// Changes are few; they go one after the other, so that each sees the one before.
    writing: tokio::sync::Mutex<()>,
    orders: Mutex<BTreeMap<String, Order>>,
    changes: broadcast::Sender<String>,
}

/// How far the events of a mailbox were taken in. Those of this node may come before those of
/// other members that the journal has before them.
#[derive(Default)]
struct Order {
    taken: u64,
    ahead: BTreeMap<u64, MailboxEvent>,
}

/// A message that is being recorded.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its id.
    pub id: String,
    /// The mailbox.
    pub mailbox: String,
    /// The call.
    pub call: CallId,
    /// The caller's number.
    pub from: String,
}

impl Voicemail {
    /// Mailboxes whose events are replayed with [`Voicemail::replay`].
    ///
    /// # Errors
    /// When the folder of messages can not be used.
    pub fn open(journal: Journal, clock: Clock, dir: PathBuf) -> io::Result<Self> {
        let (changes, _) = broadcast::channel(CHANGES);
        Ok(Self {
            inner: Arc::new(Inner {
                mailboxes: RwLock::default(),
                files: Files::open(dir)?,
                journal,
                clock,
                writing: tokio::sync::Mutex::new(()),
                orders: Mutex::default(),
                changes,
            }),
        })
    }

    /// Takes an event from the journal in, whichever member of the cluster appended it.
    ///
    /// # Errors
    /// When the bytes are no such event.
    pub fn follow(
        &self,
        mailbox: &str,
        version: u64,
        event: &Bytes,
    ) -> Result<(), tandem_wire::WireError> {
        self.take(mailbox, version, entity::decode(event)?);
        Ok(())
    }

    /// Takes an event in when those before it are.
    fn take(&self, mailbox: &str, version: u64, event: MailboxEvent) {
        let mut orders = self.inner.orders.lock();
        let order = orders.entry(mailbox.to_owned()).or_default();
        if version <= order.taken {
            return;
        }
        order.ahead.insert(version, event);
        while let Some(next) = order.ahead.remove(&(order.taken + 1)) {
            order.taken += 1;
            self.evolve(mailbox, &next);
        }
        drop(orders);
        // Nobody may be watching.
        let _unwatched = self.inner.changes.send(mailbox.to_owned());
    }

    fn evolve(&self, mailbox: &str, event: &MailboxEvent) {
        let mut mailboxes = self.inner.mailboxes.write();
        mailboxes.entry(mailbox.to_owned()).or_default().evolve(event);
    }

    /// Tells the mailbox of every change after this call. A watcher that lags looks at
    /// everything again.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<String> {
        self.inner.changes.subscribe()
    }

    /// How many messages wait in a mailbox, for the message-waiting indication (RFC 3842).
    #[must_use]
    pub fn waiting(&self, mailbox: &str) -> Waiting {
        self.inner.mailboxes.read().get(mailbox).map(Mailbox::waiting).unwrap_or_default()
    }

    /// Keeps the lamps of phones as the mailboxes are, for the life of the node (RFC 3842).
    pub async fn light(self, lamps: Arc<Lamps>) {
        let mut changes = self.watch();
        loop {
            let all: Vec<String> = self.inner.mailboxes.read().keys().cloned().collect();
            all.iter().for_each(|mailbox| self.show(&lamps, mailbox));
            loop {
                match changes.recv().await {
                    Ok(mailbox) => self.show(&lamps, &mailbox),
                    // Too far behind: everything is looked at again.
                    Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => return,
                }
            }
        }
    }

    fn show(&self, lamps: &Lamps, mailbox: &str) {
        let Waiting { fresh, heard } = self.waiting(mailbox);
        lamps.mail(mailbox, Mail { new: fresh, old: heard });
    }

    /// The messages of a mailbox, the oldest first.
    #[must_use]
    pub fn messages(&self, mailbox: &str) -> Vec<Message> {
        let mailboxes = self.inner.mailboxes.read();
        mailboxes.get(mailbox).into_iter().flat_map(Mailbox::messages).cloned().collect()
    }

    /// A message.
    #[must_use]
    pub fn message(&self, mailbox: &str, id: &str) -> Option<Message> {
        self.inner.mailboxes.read().get(mailbox)?.message(id).cloned()
    }

    /// The messages of all mailboxes that were not sent by e-mail.
    fn unmailed(&self) -> Vec<(String, Message)> {
        let mailboxes = self.inner.mailboxes.read();
        let all = mailboxes.iter().flat_map(|(number, it)| it.messages().map(move |m| (number, m)));
        let due = all.filter(|(_, message)| !message.is_mailed);
        let ours = due.filter(|(_, message)| self.is_sender(message));
        ours.map(|(number, message)| (number.clone(), message.clone())).collect()
    }

    /// In a cluster the member that recorded a message sends it, or the leader while that one does
    /// not live.
    fn is_sender(&self, message: &Message) -> bool {
        let journal = &self.inner.journal;
        let born = message.call.parse::<CallId>().map_or(journal.node(), CallId::node);
        let answers = || journal.answers().get(&born).is_some_and(|age| *age < GONE);
        self.inner.files.path(&message.id).exists()
            && (!journal.is_shared() || born == journal.node() || (journal.leads() && !answers()))
    }

    /// Notes that a message was sent; if that fails it is sent again.
    async fn mailed(&self, mailbox: &str, id: &str) {
        let _writing = self.inner.writing.lock().await;
        let event = MailboxEvent::Mailed { at: self.inner.clock.now(), id: id.to_owned() };
        if self.message(mailbox, id).is_some()
            && let Err(refusal) = self.append(mailbox, &event).await
        {
            tracing::warn!(%refusal, "a message that was sent by e-mail will be sent again");
        }
    }

    /// Begins a message: its draft, and the file to record into.
    #[must_use]
    pub fn begin(&self, mailbox: &str, call: CallId, from: &str) -> (Draft, PathBuf) {
        let id = uuid::Uuid::now_v7().to_string();
        let path = self.inner.files.unfinished(&id);
        (Draft { id, mailbox: mailbox.to_owned(), call, from: from.to_owned() }, path)
    }

    /// Keeps what was recorded: the file is synced and in its place before the event is
    /// appended, and the answer comes after the commit.
    pub async fn keep(&self, draft: &Draft, recorded: RecordedLater) -> Saved {
        let path = self.inner.files.unfinished(&draft.id);
        let outcome = match recorded.await {
            Ok(Ok(recorded)) if recorded.length_ms < SHORTEST_MS => Ok(Saved::TooShort),
            Ok(Ok(recorded)) => self.append_left(draft, recorded).await.map(|()| Saved::Kept),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(io::Error::other("the recording was given up")),
        };
        let saved = outcome.unwrap_or_else(|error| {
            tracing::error!(call = %draft.call, %error, "a message was not kept");
            Saved::Failed
        });
        if saved != Saved::Kept {
            blocking(move || Files::remove(&path)).await;
        }
        saved
    }

    async fn append_left(&self, draft: &Draft, recorded: Recorded) -> io::Result<()> {
        let (files, id) = (self.inner.files.clone(), draft.id.clone());
        let kept = blocking(move || files.keep(&id))
            .await
            .unwrap_or_else(|| Err(io::Error::other("the node ends")))?;
        if recorded.lost_frames > 0 {
            let lost = recorded.lost_frames;
            tracing::warn!(call = %draft.call, lost, "a message has gaps: the disk is slow");
        }
        let event = MailboxEvent::Left {
            at: self.inner.clock.now(),
            id: draft.id.clone(),
            call: draft.call.to_string(),
            from: draft.from.clone(),
            length_ms: recorded.length_ms,
            bytes: kept.bytes,
            checksum: kept.checksum,
        };
        let _writing = self.inner.writing.lock().await;
        let appended = self.append(&draft.mailbox, &event).await;
        if appended.is_err() {
            let path = self.inner.files.path(&draft.id);
            blocking(move || Files::remove(&path)).await;
        }
        appended.map_err(|refusal| io::Error::other(refusal.to_string()))
    }

    /// Marks a message as heard, or throws it away, and waits for the commit.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn change(
        &self,
        mailbox: &str,
        id: &str,
        change: MessageChange,
        by: &str,
    ) -> Result<(), Refusal> {
        let _writing = self.inner.writing.lock().await;
        let missing = || Refusal::NotFound { kind: "message", key: id.to_owned() };
        let now = self.inner.clock.now();
        let events = {
            let mailboxes = self.inner.mailboxes.read();
            let found = mailboxes.get(mailbox).and_then(|it| it.change(now, id, change, by));
            found.ok_or_else(missing)?
        };
        for event in events {
            self.append(mailbox, &event).await?;
        }
        if change == MessageChange::Deleted {
            let path = self.inner.files.path(id);
            blocking(move || Files::remove(&path)).await;
        }
        Ok(())
    }

    async fn append(&self, mailbox: &str, event: &MailboxEvent) -> Result<(), Refusal> {
        let append = Append {
            entity: Entity::new(entity::MAILBOX, mailbox),
            expected: None,
            epoch: 0,
            op_id: None,
            events: vec![entity::encode(event)],
        };
        let appended = self.inner.journal.append(append).await;
        let appended = appended.map_err(|error| Refusal::Unavailable {
            detail: format!("the mailbox {mailbox} can not be written: {error}"),
        })?;
        self.take(mailbox, appended.version, event.clone());
        Ok(())
    }

    /// The file of a message, when it is what was written.
    ///
    /// # Errors
    /// `NotFound`; `Unavailable` when the file is gone or damaged.
    pub async fn file(&self, mailbox: &str, id: &str) -> Result<PathBuf, Refusal> {
        self.audio(mailbox, id).await?;
        Ok(self.inner.files.path(id))
    }

    /// The bytes of a message: WAV, 16-bit mono at 8 kHz.
    ///
    /// # Errors
    /// `NotFound`; `Unavailable` when the file is gone or damaged.
    pub async fn audio(&self, mailbox: &str, id: &str) -> Result<Vec<u8>, Refusal> {
        let missing = || Refusal::NotFound { kind: "message", key: id.to_owned() };
        let message = self.message(mailbox, id).ok_or_else(missing)?;
        let files = self.inner.files.clone();
        let read = blocking(move || files.read(&message.id, &message.checksum)).await;
        let read = read.unwrap_or_else(|| Err(io::Error::other("the node ends")));
        read.map_err(|error| {
            tracing::error!(%mailbox, %id, %error, "a message can not be read");
            let detail = format!("the audio of message {id} can not be read: {error}");
            Refusal::Unavailable { detail }
        })
    }
}

/// Disk work, off the threads that serve others; none when the node ends.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
