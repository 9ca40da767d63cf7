//! What is kept of calls so that another member of a cluster can go on with them, and who has
//! taken which over. A fold of the journal, on every member.
//!
//! Who takes a call over says so in the journal at the version of the picture that it read. So a
//! call is taken over once, and its member of before, should it still be there, has lost it as
//! soon as it keeps another picture.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use tandem_journal::{Append, AppendError, Entity, Journal, PendingAppend, Record};
use tandem_kernel::{CallId, Position};
use tandem_wire::WireError;

use super::leg::{KeptBrowser, KeptLeg};
use super::machine::{LegIndex, Picture};
use crate::entity;

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
    /// Who has taken it over last.
    home: Option<u64>,
}

/// What is kept of all calls that have not ended.
#[derive(Clone, Default)]
pub struct KeptCalls(Arc<RwLock<BTreeMap<CallId, Kept>>>);

impl KeptCalls {
    /// Takes a fact in; gives who has taken the call over by it.
    ///
    /// # Errors
    /// When the bytes are no such fact.
    pub fn take(&self, record: &Record) -> Result<Option<(CallId, u64)>, WireError> {
        let event: KeptEvent = entity::decode(&record.event)?;
        let Ok(call) = record.entity.key.parse::<CallId>() else { return Ok(None) };
        let version = record.version;
        let mut calls = self.0.write();
        let kept = calls.entry(call).or_default();
        kept.version = version;
        match event {
            KeptEvent::Picture(picture) => {
                kept.picture = Some(picture);
                Ok(None)
            }
            KeptEvent::WithBrowsers(picture, browsers) => {
                kept.picture = Some(Box::new(KeptCall { browsers, ..*picture }));
                Ok(None)
            }
            KeptEvent::TakenOver { by } => {
                kept.home = Some(by);
                Ok(Some((call, by)))
            }
            KeptEvent::Begun { .. } => Ok(None),
        }
    }

    /// A call has ended.
    pub fn ended(&self, call: CallId) {
        self.0.write().remove(&call);
    }

    /// The member that has a call: where it began, or who took it over.
    #[must_use]
    pub fn home(&self, call: CallId) -> u64 {
        let taken = self.0.read().get(&call).and_then(|kept| kept.home);
        taken.unwrap_or_else(|| call.node())
    }

    /// Whether anything is kept of a call: it goes on, as far as is known here.
    pub(crate) fn has(&self, call: CallId) -> bool {
        self.0.read().contains_key(&call)
    }

    /// Whether a call was taken over by another member than this one, as far as is known here.
    pub(crate) fn is_anothers(&self, call: CallId, member: u64) -> bool {
        let taken = self.0.read().get(&call).and_then(|kept| kept.home);
        taken.is_some_and(|by| by != member)
    }

    pub(crate) fn of(&self, call: CallId) -> Kept {
        self.0.read().get(&call).cloned().unwrap_or_default()
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
