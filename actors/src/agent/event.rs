//! The facts of an agent (section 30.4, Q-191). An agent's state is their fold
//! ([`super::Facts`]).

use serde::{Deserialize, Serialize};
use tandem_config::resource::Membership;
use tandem_kernel::{CallId, Timestamp};

/// Where a change of state came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A feature code.
    Phone,
    /// A function key.
    Blf,
    /// The agent's own panel.
    PanelSelf,
    /// A manager's panel.
    PanelManager,
    /// A rule of the extension's presence.
    Presence,
    /// Too many missed calls.
    AutoPause,
    /// A program.
    Api,
}

/// A fact about one agent. Append-only; see `event.rs` of the crate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AgentEvent {
    /// Became a member of a queue, or a member of the other kind.
    Added {
        /// When.
        at: Timestamp,
        /// The queue.
        queue: String,
        /// Static or dynamic.
        membership: Membership,
        /// Logged in from the start; always for static agents.
        logged_in: bool,
    },
    /// Is no member any more, and so logged out.
    Removed {
        /// When.
        at: Timestamp,
        /// The queue.
        queue: String,
    },
    /// Logged in.
    LoggedIn {
        /// When.
        at: Timestamp,
        /// To these queues at once.
        queues: Vec<String>,
        /// By what.
        source: Source,
    },
    /// Logged out; ends a pause.
    LoggedOut {
        /// When.
        at: Timestamp,
        /// Of these queues at once.
        queues: Vec<String>,
        /// By what.
        source: Source,
    },
    /// Paused.
    Paused {
        /// When.
        at: Timestamp,
        /// In these queues.
        queues: Vec<String>,
        /// Reason code.
        reason: Option<String>,
        /// By what.
        source: Source,
    },
    /// Paused for another reason now.
    ReasonChanged {
        /// When.
        at: Timestamp,
        /// In these queues.
        queues: Vec<String>,
        /// The new reason code.
        reason: Option<String>,
        /// By what.
        source: Source,
    },
    /// The pause is over.
    Resumed {
        /// When.
        at: Timestamp,
        /// In these queues.
        queues: Vec<String>,
        /// By what.
        source: Source,
    },
    /// Rests after a queue call.
    WrapUpStarted {
        /// When.
        at: Timestamp,
        /// The queue of the call.
        queue: String,
        /// The call.
        call: CallId,
        /// Until when at the latest.
        until: Timestamp,
    },
    /// The rest is over.
    WrapUpEnded {
        /// When.
        at: Timestamp,
        /// The queue of the call.
        queue: String,
    },
    /// Why the agent was paused just before: too many calls missed in a row.
    AutoPaused {
        /// When.
        at: Timestamp,
        /// The queue.
        queue: String,
        /// The calls, the oldest first.
        missed: Vec<CallId>,
    },
}

impl AgentEvent {
    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Added { at, .. }
            | Self::Removed { at, .. }
            | Self::LoggedIn { at, .. }
            | Self::LoggedOut { at, .. }
            | Self::Paused { at, .. }
            | Self::ReasonChanged { at, .. }
            | Self::Resumed { at, .. }
            | Self::WrapUpStarted { at, .. }
            | Self::WrapUpEnded { at, .. }
            | Self::AutoPaused { at, .. } => *at,
        }
    }

    /// The name in the event stream (section 30.4).
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Added { .. } => "agent.added",
            Self::Removed { .. } => "agent.removed",
            Self::LoggedIn { .. } => "agent.login",
            Self::LoggedOut { .. } => "agent.logout",
            Self::Paused { .. } => "agent.paused",
            Self::ReasonChanged { .. } => "agent.reason_changed",
            Self::Resumed { .. } => "agent.resumed",
            Self::WrapUpStarted { .. } => "agent.wrapup_started",
            Self::WrapUpEnded { .. } => "agent.wrapup_ended",
            Self::AutoPaused { .. } => "agent.auto_paused",
        }
    }
}
