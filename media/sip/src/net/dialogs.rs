//! Which user gets a request within a dialog: found by Call-ID and our tag.

use smallvec::SmallVec;

use super::event::Sink;
use crate::message::Message;
use crate::transaction::TxnId;
use std::collections::HashMap;

/// One user of a Call-ID.
struct Entry {
    tag: u64,
    id: u64,
    sink: Sink,
}

/// CANCELs that came before anybody took the call, as the INVITE and the CANCEL.
pub(super) type Early = SmallVec<[(TxnId, Message); 1]>;

/// The attached users of one shard.
#[derive(Default)]
pub(super) struct Dialogs {
    calls: HashMap<u64, SmallVec<[Entry; 1]>>,
    early: HashMap<u64, Early>,
}

impl Dialogs {
    /// Adds a user. CANCELs that waited for one are handed over.
    pub(super) fn attach(&mut self, call: u64, tag: u64, id: u64, sink: Sink) -> Early {
        self.calls.entry(call).or_default().push(Entry { tag, id, sink });
        self.early.remove(&call).unwrap_or_default()
    }

    pub(super) fn detach(&mut self, call: u64, id: u64) {
        let Some(entries) = self.calls.get_mut(&call) else { return };
        entries.retain(|entry| entry.id != id);
        if entries.is_empty() {
            self.calls.remove(&call);
        }
    }

    /// The user of a dialog: the one who came last, if a tag was attached twice.
    pub(super) fn of(&self, call: u64, tag: u64) -> Option<Sink> {
        let entries = self.calls.get(&call)?;
        let found = entries.iter().rev().find(|entry| entry.tag == tag)?;
        Some(found.sink.clone())
    }

    /// All users of a Call-ID.
    pub(super) fn all(&self, call: u64) -> SmallVec<[Sink; 2]> {
        let entries = self.calls.get(&call).into_iter().flatten();
        entries.map(|entry| entry.sink.clone()).collect()
    }

    /// Keeps a CANCEL until somebody takes the call.
    pub(super) fn keep(&mut self, call: u64, invite: TxnId, cancel: Message) {
        self.early.entry(call).or_default().push((invite, cancel));
    }

    /// An INVITE has had its final answer: no CANCEL of it matters any more.
    pub(super) fn settled(&mut self, call: u64, invite: TxnId) {
        let Some(early) = self.early.get_mut(&call) else { return };
        early.retain(|(txn, _)| *txn != invite);
        if early.is_empty() {
            self.early.remove(&call);
        }
    }
}
