//! A mailbox as a value: the fold of its events.

use std::collections::BTreeMap;

use tandem_kernel::Timestamp;

use super::event::MailboxEvent;
use crate::flow::MessageChange;

/// A message that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id; ids grow with time.
    pub id: String,
    /// When it was left.
    pub at: Timestamp,
    /// The call it was left in.
    pub call: String,
    /// The caller's number.
    pub from: String,
    /// Its length in milliseconds.
    pub length_ms: u64,
    /// The file's size.
    pub bytes: u64,
    /// BLAKE3 of the file, hex.
    pub checksum: String,
    /// When it was listened to first.
    pub heard_at: Option<Timestamp>,
    /// It was sent by e-mail.
    pub is_mailed: bool,
}

/// How many messages wait (RFC 3842).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Nobody has heard them.
    pub fresh: u32,
    /// Somebody has.
    pub heard: u32,
}

/// A mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailbox {
    messages: BTreeMap<String, Message>,
}

impl Mailbox {
    /// Takes an event in.
    pub fn evolve(&mut self, event: &MailboxEvent) {
        match event.clone() {
            MailboxEvent::Left { at, id, call, from, length_ms, bytes, checksum } => {
                let message = Message {
                    id,
                    at,
                    call,
                    from,
                    length_ms,
                    bytes,
                    checksum,
                    heard_at: None,
                    is_mailed: false,
                };
                self.messages.insert(message.id.clone(), message);
            }
            MailboxEvent::Heard { at, id, by: _ } => {
                if let Some(message) = self.messages.get_mut(&id) {
                    message.heard_at.get_or_insert(at);
                }
            }
            MailboxEvent::Mailed { at: _, id } => {
                if let Some(message) = self.messages.get_mut(&id) {
                    message.is_mailed = true;
                }
            }
            MailboxEvent::Deleted { at: _, id, by: _ } => {
                self.messages.remove(&id);
            }
        }
    }

    /// What changing a message adds; nothing when it is so already. None: there is no such
    /// message.
    #[must_use]
    pub fn change(
        &self,
        now: Timestamp,
        id: &str,
        change: MessageChange,
        by: &str,
    ) -> Option<Vec<MailboxEvent>> {
        let message = self.messages.get(id)?;
        let (at, id, by) = (now, id.to_owned(), by.to_owned());
        Some(match change {
            MessageChange::Heard if message.heard_at.is_some() => Vec::new(),
            MessageChange::Heard => vec![MailboxEvent::Heard { at, id, by }],
            MessageChange::Deleted => vec![MailboxEvent::Deleted { at, id, by }],
        })
    }

    /// A message.
    #[must_use]
    pub fn message(&self, id: &str) -> Option<&Message> {
        self.messages.get(id)
    }

    /// All messages, the oldest first.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.values()
    }

    /// How many messages wait.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        let mut waiting = Waiting::default();
        for message in self.messages.values() {
            if message.heard_at.is_some() {
                waiting.heard += 1;
            } else {
                waiting.fresh += 1;
            }
        }
        waiting
    }
}
