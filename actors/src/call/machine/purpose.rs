//! What phones and lines are rung for.

use tandem_kernel::Timestamp;

use super::effect::Effect;
use super::facts::Facts;
use super::returning::Reached;
use super::transfer::Transfer;
use super::types::{Callback, Party};
use crate::outbound::Wish;
use crate::queue::request::CallbackFailure;

/// What the hunt is for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// The caller wants to reach somebody.
    Caller,
    /// The phones of who wants to call ring first.
    Originate {
        /// Who wants to call.
        caller: Party,
        /// What will be dialled.
        dialled: String,
        /// With what code and caller ID.
        wish: Box<Wish>,
    },
    /// A party of a bridge is being transferred.
    Transfer(Transfer),
    /// The caller returns an agent's call.
    Callback(Box<Callback>),
    /// An agent waits for a customer who asked to be called back.
    Return(Reached),
}

impl Purpose {
    /// The hunt is ended by command.
    pub(super) fn abort(self, facts: &mut Facts, now: Timestamp, out: &mut Vec<Effect>) {
        if let Self::Return(reached) = self {
            reached.failed(facts, now, CallbackFailure::Cancelled, out);
        }
    }
}
