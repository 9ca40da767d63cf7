//! Priority callback to the last agent: a customer who was called and calls back reaches the
//! agent who called, past the menu (section C).
//!
//! | Concern                                  | Owner                     |
//! |------------------------------------------|---------------------------|
//! | Who called whom last, out of the journal | [`Index`] (pure)          |
//! | Whether a caller is one who calls back   | [`decide`] (pure)         |
//! | Whether the agent is free                | the agent                 |
//! | Ringing, prompts, what comes otherwise   | `call::machine::callback` |
//!
//! The index holds nothing of its own: it is the fold of the calls' events, so that it is the
//! same after a restart.

mod decide;
mod index;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use tandem_journal::{Append, AppendError, Entity, Journal, Record};
use tandem_kernel::{CallId, Timestamp};

pub use decide::{Inbound, Match, applies, decide};
pub use index::{Entry, Index};

use crate::call::event::CallEvent;
use crate::entity;

/// The one entity of facts about the index itself.
const KEY: &str = "index";

/// A fact about the index. Append-only; see `event.rs` of the crate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallbackEvent {
    /// A number is forgotten, with all that was known of it until then (C-046).
    Forgotten {
        /// When.
        at: Timestamp,
        /// The number, as E.164 digits.
        number: String,
        /// Who asked for it.
        by: String,
    },
}

/// What became of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The agent answered.
    Answered,
    /// The agent was not free (C-020).
    AgentUnavailable,
    /// The agent's phones rang in vain.
    NotAnswered,
    /// The customer hung up first (C-031).
    Abandoned,
}

impl Outcome {
    /// As clients know it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::AgentUnavailable => "agent_unavailable",
            Self::NotAnswered => "not_answered",
            Self::Abandoned => "abandoned",
        }
    }
}

/// What a call record keeps of a callback (C-040).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The agent.
    pub agent: String,
    /// True in mode one: nobody else may take it.
    pub is_agent_only: bool,
    /// The call that is being returned.
    pub outbound_call: CallId,
    /// When that one began.
    pub outbound_at: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether the call went on to where the number leads (C-028).
    pub fell_back: bool,
}

/// The index of a node. Cheap to clone.
#[derive(Clone, Default)]
pub struct Callbacks {
    index: Arc<RwLock<Index>>,
}

impl Callbacks {
    /// Takes a journal record in; those that say nothing about callbacks are passed over.
    pub fn apply(&self, record: &Record) {
        match record.entity.kind {
            entity::CALL => {
                let Ok(call) = record.entity.key.parse::<CallId>() else { return };
                match entity::decode::<CallEvent>(&record.event) {
                    Ok(event) => self.index.write().call(call, &event),
                    Err(error) => tracing::error!(position = %record.position, %error, "unread"),
                }
            }
            entity::CALLBACK => match entity::decode::<CallbackEvent>(&record.event) {
                Ok(CallbackEvent::Forgotten { number, .. }) => self.index.write().forget(&number),
                Err(error) => tracing::error!(position = %record.position, %error, "unread"),
            },
            _ => {}
        }
    }

    /// The last call to a number, as E.164 digits.
    #[must_use]
    pub fn last(&self, number: &str) -> Option<Entry> {
        self.index.read().last(number).cloned()
    }

    /// Forgets a number; answered after the commit.
    ///
    /// # Errors
    /// When the journal did not take it.
    pub async fn forget(
        &self,
        journal: &Journal,
        at: Timestamp,
        number: &str,
        by: &str,
    ) -> Result<(), AppendError> {
        let event = CallbackEvent::Forgotten { at, number: number.to_owned(), by: by.to_owned() };
        let append = Append {
            entity: Entity::new(entity::CALLBACK, KEY),
            expected: None,
            epoch: 0,
            op_id: None,
            events: vec![entity::encode(&event)],
        };
        journal.append(append).await?;
        self.index.write().forget(number);
        Ok(())
    }
}
