//! What people see of requests for a callback.

use serde::{Deserialize, Serialize};
use tandem_kernel::{CallId, Timestamp};

/// How far a request for a callback has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallbackState {
    /// For a free agent.
    Waiting,
    /// Agents ring.
    Ringing,
    /// An agent has answered and the customer is dialled.
    Dialling,
    /// The customer has called again and waits in person.
    Online,
}

/// A request for a callback that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackView {
    /// The call whose place it keeps.
    pub call: CallId,
    /// The number that called.
    pub caller: String,
    /// The number to call.
    pub number: String,
    /// The place in the queue, from 1.
    pub position: u32,
    /// When the caller joined.
    pub joined_at: Timestamp,
    /// When the callback was asked for.
    pub registered_at: Timestamp,
    /// When it fails for want of an agent.
    pub expires_at: Option<Timestamp>,
    /// How far it has come.
    pub state: CallbackState,
    /// Agents that ring for it now, or the one who has answered.
    pub agents: Vec<String>,
}
