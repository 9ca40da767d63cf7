//! The event stream: what goes over `/api/v1/events` and `/api/v1/events/stream`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;

/// What a client may say on the WebSocket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// Asks for events; a second one takes the place of the first.
    Subscribe {
        /// The position of the last event that the client has seen; none: from the newest.
        #[serde(default)]
        from: Option<String>,
        /// The kinds that are wanted (`call`, `queue`, `agent`, …); empty: all.
        #[serde(default)]
        kinds: Vec<String>,
    },
}

/// A fact, as it was written to the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Its position; a client resumes after it.
    pub position: String,
    /// When it was written.
    pub at: String,
    /// `call`, `queue`, `agent` or a kind of resource.
    pub kind: String,
    /// The key of what it is about.
    pub key: String,
    /// `call.answered`, `agent.paused` and the like.
    pub name: String,
    /// The event's own fields.
    pub data: serde_json::Value,
}

/// What the server says on the WebSocket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The first message.
    Hello {
        /// The newest position. Subscribing from here misses nothing after this message.
        position: String,
    },
    /// A subscription holds from now on.
    Subscribed {
        /// Events after this position follow.
        from: String,
    },
    /// An event.
    Event(Event),
    /// The client's message was not understood; the connection stays.
    Problem {
        /// What was wrong with it.
        problem: Problem,
    },
}

/// Close codes of the WebSocket.
pub mod close {
    /// The token is not valid, or not any more.
    pub const UNAUTHENTICATED: u16 = 4001;
    /// The role does not allow it.
    pub const FORBIDDEN: u16 = 4003;
    /// The client reads too slowly; it resumes from its last position.
    pub const TOO_SLOW: u16 = 4008;
    /// The node goes down; the client connects again.
    pub const DRAINING: u16 = 4012;
}
