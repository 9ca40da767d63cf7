//! What is kept of calls so that another member of a cluster can go on with them, and who has
//! taken which over. A fold of the journal, on every member.
//!
//! Who takes a call over says so in the journal at the version of the picture that it read. So a
//! call is taken over once, and its member of before, should it still be there, has lost it as
//! soon as it keeps another picture.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use tandem_journal::{Append, AppendError, Entity, Journal, PendingAppend, Record};
use tandem_kernel::{CallId, Position, Timestamp};
use tandem_wire::WireError;

use super::homes::Homes;
use super::leg::{KeptBrowser, KeptLeg};
use super::machine::{LegIndex, Picture};
use crate::entity;
use crate::queue::{AgentTalk, QueueWord};

/// A call and its legs at rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptCall {
    pub(super) call: Picture,
    /// Phones and trunks.
    pub(super) legs: BTreeMap<LegIndex, KeptLeg>,
    /// Phones in browsers; older builds know of none, so they are kept beside the rest.
    #[serde(skip)]
    pub(super) browsers: BTreeMap<LegIndex, KeptBrowser>,
}

/// A fact about what is kept of one call. Append-only; see `event.rs` of the crate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum KeptEvent {
    /// The call at rest.
    Picture(Box<KeptCall>),
    /// A member has taken the call over.
    TakenOver {
        /// Which member.
        by: u64,
    },
    /// A member has begun and knows by this that it has read all that came before. It is of no
    /// call.
    Begun {
        /// Which member.
        by: u64,
    },
    /// The call at rest, with those of its legs that are at browsers.
    WithBrowsers(Box<KeptCall>, BTreeMap<LegIndex, KeptBrowser>),
}

impl KeptEvent {
    /// The call at rest.
    pub(super) fn picture(mut kept: KeptCall) -> Self {
        let browsers = std::mem::take(&mut kept.browsers);
        if browsers.is_empty() {
            return Self::Picture(Box::new(kept));
        }
        Self::WithBrowsers(Box::new(kept), browsers)
    }
}

/// What is kept of one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// Of the last fact.
    pub(crate) version: u64,
    /// None before the first.
    pub(crate) picture: Option<Box<KeptCall>>,
}

/// What is kept of all calls that have not ended.
#[derive(Clone, Default)]
pub struct KeptCalls(Arc<RwLock<Inner>>);

#[derive(Default)]
struct Inner {
    homes: Homes,
    pictures: BTreeMap<CallId, Box<KeptCall>>,
    /// Those that this member is about to go on with.
    coming: BTreeSet<CallId>,
}

impl KeptCalls {
    /// Takes a fact in; gives who has taken the call over by it.
    ///
    /// # Errors
    /// When the bytes are no such fact.
    pub fn take(&self, record: &Record) -> Result<Option<(CallId, u64)>, WireError> {
        let event: KeptEvent = entity::decode(&record.event)?;
        let Ok(call) = record.entity.key.parse::<CallId>() else { return Ok(None) };
        let (picture, taken_by) = match event {
            KeptEvent::Picture(picture) => (Some(picture), None),
            KeptEvent::WithBrowsers(picture, browsers) => {
                (Some(Box::new(KeptCall { browsers, ..*picture })), None)
            }
            KeptEvent::TakenOver { by } => (None, Some(by)),
            KeptEvent::Begun { .. } => return Ok(None),
        };
        let mut inner = self.0.write();
        if !inner.homes.note(call, record.version, taken_by) {
            return Ok(None);
        }
        if let Some(picture) = picture {
            inner.pictures.insert(call, picture);
        }
        Ok(taken_by.map(|by| (call, by)))
    }

    /// A call has ended.
    pub fn ended(&self, call: CallId) {
        let mut inner = self.0.write();
        inner.homes.ended(call);
        inner.pictures.remove(&call);
    }

    /// The member that has a call, or had it at its end: where it began, or who took it over.
    #[must_use]
    pub fn home(&self, call: CallId) -> u64 {
        self.0.read().homes.home(call)
    }

    /// Whether anything is kept of a call: it goes on, as far as is known here.
    pub(crate) fn has(&self, call: CallId) -> bool {
        self.0.read().homes.has(call)
    }

    /// A member's word is heard; see [`Homes::heard`].
    pub(crate) fn heard(&self, member: u64, word: &QueueWord) {
        if matches!(word, QueueWord::Moved { .. }) {
            self.0.write().homes.heard(member, word);
        }
    }

    /// Whether a member may say a word, as far as is known here; see [`Homes::may_say`].
    pub(crate) fn may_say(&self, member: u64, word: &QueueWord) -> bool {
        self.0.read().homes.may_say(member, word)
    }

    /// With whom the caller of a queue talks, as is kept of the call by who has it, by which queue
    /// and since when.
    #[must_use]
    pub fn agent_talk(&self, call: CallId) -> Option<(Timestamp, String, AgentTalk)> {
        self.0.read().pictures.get(&call)?.call.agent_talk(call)
    }

    pub(crate) fn of(&self, call: CallId) -> Kept {
        let inner = self.0.read();
        let version = inner.homes.version(call);
        Kept { version, picture: inner.pictures.get(&call).cloned() }
    }

    /// Notes that this member is about to go on with a call, or that it does so by now or never
    /// will.
    pub(super) fn set_coming(&self, call: CallId, is_coming: bool) {
        let coming = &mut self.0.write().coming;
        if is_coming {
            coming.insert(call);
        } else {
            coming.remove(&call);
        }
    }

    /// Whether this member is about to go on with a call.
    pub(crate) fn is_coming(&self, call: CallId) -> bool {
        self.0.read().coming.contains(&call)
    }

    /// The version of the last fact that is kept of a call; 0: none is, or the call has ended.
    pub(super) fn version(&self, call: CallId) -> u64 {
        self.0.read().homes.version(call)
    }
}

/// Appends a fact behind the version that is known.
pub(super) fn append(
    journal: &Journal,
    call: CallId,
    version: u64,
    event: &KeptEvent,
) -> PendingAppend {
    journal.keep(Append {
        entity: Entity::new(entity::PICTURE, call.to_string()),
        expected: Some(version),
        epoch: 0,
        op_id: None,
        events: vec![entity::encode(event)],
    })
}

/// Says that this member has begun; gives the place in the journal where it says so.
///
/// # Errors
/// When the journal can not take it now.
pub async fn begin(journal: &Journal) -> Result<Position, AppendError> {
    let append = Append {
        entity: Entity::new(entity::PICTURE, "begun"),
        expected: None,
        epoch: 0,
        op_id: None,
        events: vec![entity::encode(&KeptEvent::Begun { by: journal.node() })],
    };
    journal.append(append).await.map(|appended| appended.position)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_bytes_of_who_has_a_call_are_for_ever() {
        let facts = [KeptEvent::TakenOver { by: 2 }, KeptEvent::Begun { by: 300 }];

        let bytes = facts.map(|fact| entity::encode(&fact).to_vec());

        assert_eq!(bytes, [vec![1, 0, 1, 2], vec![1, 0, 2, 251, 44, 1]]);
    }
}
