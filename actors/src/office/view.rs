//! What the office shows: plain values that the HTTP edge turns into its own types.

use std::time::Duration;

use tandem_config::resource::{Destination, Kind, Resource};
use tandem_kernel::{CallId, Position, Timestamp};

use crate::call::machine::{Device, Party};
use crate::callback::Note;
use crate::outbound::{Outgoing, Wish};

/// A resource with its revision, which is the ETag's value. Revisions count from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The resource.
    pub resource: Resource,
    /// How often it was written.
    pub revision: u64,
    /// When it was written last.
    pub changed_at: Timestamp,
}

/// The identity behind a command, for rights and for the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// `user:alice`, `token:ci` or `system`.
    pub name: String,
    /// What it may do.
    pub role: tandem_config::resource::Role,
    /// The own extension of an agent.
    pub extension: Option<String>,
}

impl Principal {
    /// The node itself.
    #[must_use]
    pub fn system() -> Self {
        Self { name: "system".into(), role: tandem_config::resource::Role::Admin, extension: None }
    }
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// There is no such thing.
    #[error("there is no {kind} {key}")]
    NotFound {
        /// What was asked for: `call`, `queue`, `extension` …
        kind: &'static str,
        /// Its key.
        key: String,
    },
    /// It exists already, or is in a state that does not allow the command.
    #[error("{detail}")]
    Conflict {
        /// Stable code, e.g. `already-exists`, `call-ended`, `agent-not-dynamic`.
        code: &'static str,
        /// For people.
        detail: String,
    },
    /// It was changed in the meantime (If-Match).
    #[error("the resource is at revision {actual}")]
    Stale {
        /// The revision it has.
        actual: u64,
    },
    /// Fields are wrong.
    #[error("{} fields are not valid", .0.len())]
    Invalid(Vec<tandem_config::resource::FieldError>),
    /// The principal may not.
    #[error("{detail}")]
    Forbidden {
        /// For people.
        detail: String,
    },
    /// The node can not do it now (draining, overloaded, journal closed).
    #[error("{detail}")]
    Unavailable {
        /// For people.
        detail: String,
    },
}

impl Refusal {
    /// Shorthand for [`Refusal::Invalid`] of one field.
    #[must_use]
    pub fn field(pointer: &str, code: &'static str, detail: &str) -> Self {
        let (pointer, detail) = (pointer.to_owned(), detail.to_owned());
        Self::Invalid(vec![tandem_config::resource::FieldError { pointer, code, detail }])
    }

    /// Shorthand for [`Refusal::NotFound`] of a resource.
    #[must_use]
    pub fn no_resource(kind: Kind, key: &str) -> Self {
        Self::NotFound { kind: kind.as_str(), key: key.to_owned() }
    }
}

/// The state of a leg as people name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum LegState {
    /// Being dialled, no answer of any kind yet.
    Dialling,
    /// Ringing.
    Ringing,
    /// Answered.
    Up,
    /// Answered and on hold.
    Held,
    /// Gone.
    Ended,
}

/// One leg of a live call.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LegView {
    /// Its index in the call.
    pub index: u16,
    /// `extension:1001`, `trunk:carrier` …
    pub party: String,
    /// The number that the party is known by.
    pub number: String,
    /// Its state.
    pub state: LegState,
    /// Since when.
    pub since: Timestamp,
    /// A manager's, who attends the talk so; no party of the call.
    pub supervises: Option<Supervision>,
}

/// How a manager attends the talk of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Supervision {
    /// Hears all and is heard by none.
    Listen,
    /// Is heard by the agent alone.
    Whisper,
    /// Is heard by all.
    Barge,
}

impl Supervision {
    /// Its name in facts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::Whisper => "whisper",
            Self::Barge => "barge",
        }
    }
}

/// A live call.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CallView {
    /// Its id.
    pub id: CallId,
    /// `internal`, `inbound` or `outbound`.
    pub direction: Direction,
    /// Who calls.
    pub from: String,
    /// What was dialled.
    pub to: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was answered by a person.
    pub answered_at: Option<Timestamp>,
    /// The queue in which it waits or by which it was answered.
    pub queue: Option<String>,
    /// Its legs in order.
    pub legs: Vec<LegView>,
}

/// Where a call came from and went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Direction {
    /// Between extensions.
    Internal,
    /// From a trunk.
    Inbound,
    /// To a trunk.
    Outbound,
}

/// A request to ring an extension and then dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Originate {
    /// The extension that rings first.
    pub from: String,
    /// The number that it dials when it has answered.
    pub to: String,
    /// Code and caller ID.
    pub wish: Wish,
    /// What the asker knows the call by; told in its events and record.
    pub correlation_id: Option<String>,
    /// Whether the phone is asked to answer by itself (D-006).
    pub auto_answer: bool,
    /// How long the phone rings; none: a minute.
    pub ring_for: Option<Duration>,
    /// Whether an extension that is in a call, or rings, is refused (D-030, D-059).
    pub needs_idle: bool,
}

impl Originate {
    /// A call as a phone dials it: without code, time and asker of its own.
    #[must_use]
    pub fn plain(from: String, to: String) -> Self {
        let (wish, correlation_id, ring_for) = (Wish::default(), None, None);
        Self { from, to, wish, correlation_id, auto_answer: false, ring_for, needs_idle: false }
    }
}

/// What can be done to a live call. It crosses nodes, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum CallCommand {
    /// End it for all.
    HangUp,
    /// Put the other party of the extension's leg on hold.
    Hold,
    /// Take it back.
    Resume,
    /// Blind transfer of the other party of the extension's leg to a number.
    Transfer {
        /// As one would dial it.
        to: String,
    },
    /// A caller who waits in a queue leaves it and goes elsewhere.
    Redirect {
        /// Where to.
        to: Destination,
        /// Who wants it, for the record.
        by: String,
    },
    /// A party of a talk waits on a slot.
    Park(Park),
    /// A manager's phone rings and joins the talk; or they attend it in another way.
    Monitor(Box<Monitor>),
}

/// Who is parked, and where.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Park {
    /// The slot, which was taken for the call.
    pub slot: u16,
    /// The number of who is parked; none: the other party of the house's or the agent's.
    pub party: Option<String>,
    /// When they come back to who parked them.
    pub back_after: Duration,
}

/// Who attends a talk, and how.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Monitor {
    /// The manager.
    pub by: Party,
    /// Their phones.
    pub devices: Vec<Device>,
    /// The extension whose talk it is; none: the agent's of the queue, else the house's.
    pub agent: Option<String>,
    /// How.
    pub mode: Supervision,
}

/// Why a live call is not steered: all stable codes.
pub const CALL_CODES: &[&str] = &[
    "call-ended",
    "call-not-connected",
    "call-not-waiting",
    "call-transferring",
    "call-meeting",
    "call-full",
    "call-serving",
    "call-own",
    "call-leg-unknown",
];

impl CallCommand {
    /// Its name in the audit log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::HangUp => "hangup",
            Self::Hold => "hold",
            Self::Resume => "resume",
            Self::Transfer { .. } => "transfer",
            Self::Redirect { .. } => "redirect",
            Self::Park(_) => "park",
            Self::Monitor(_) => "monitor",
        }
    }
}

/// What an agent does, or a manager does for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentCommand {
    /// Log in to one queue, or all.
    LogIn {
        /// None: all.
        queue: Option<String>,
    },
    /// Log out of one queue, or all.
    LogOut {
        /// None: all.
        queue: Option<String>,
    },
    /// Pause in one queue, or all.
    Pause {
        /// None: all.
        queue: Option<String>,
        /// Reason code, e.g. `*03`.
        reason: Option<String>,
    },
    /// Resume in one queue, or all.
    Resume {
        /// None: all.
        queue: Option<String>,
    },
}

impl AgentCommand {
    /// The queue that it is about; none: all of the agent's.
    #[must_use]
    pub fn queue(&self) -> Option<&str> {
        let (Self::LogIn { queue }
        | Self::LogOut { queue }
        | Self::Pause { queue, .. }
        | Self::Resume { queue }) = self;
        queue.as_deref()
    }
}

/// The record of a call that is over.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CallRecord {
    /// The call.
    pub id: CallId,
    /// Where the record's last event stands in the journal.
    pub position: Position,
    /// Where it came from.
    pub direction: Direction,
    /// The caller's number.
    pub from: String,
    /// What was dialled.
    pub to: String,
    /// The trunk it used, if one.
    pub trunk: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When a person answered.
    pub answered_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Timestamp,
    /// `answered`, `no_answer`, `busy`, `failed`, `cancelled` … (stable codes).
    pub outcome: String,
    /// SIP status or Q.850 cause in words, for support.
    pub cause: String,
    /// Who answered last (extension or outside number).
    pub answered_by: Option<String>,
    /// The queue it went through last.
    pub queue: Option<QueuePassage>,
    /// The menus, call flows, mailboxes, ring groups and prompts it went through.
    pub steps: Vec<CallStep>,
    /// Talk time, hold included.
    pub talk: Duration,
    /// Hold time.
    pub hold: Duration,
    /// How it went to the outside, if it did (O-044).
    pub outgoing: Option<Outgoing>,
    /// The program that asked for it (D-069).
    pub requested_by: Option<String>,
    /// What that program knows it by.
    pub correlation_id: Option<String>,
    /// Whose callback it was, and what became of that (C-040).
    pub callback: Option<Note>,
    /// What the caller thought of it.
    pub rating: Option<Rating>,
}

/// A caller's answer to a queue's survey.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rating {
    /// The queue.
    pub queue: String,
    /// The agent who answered the queue call.
    pub agent: String,
    /// The key that was pressed.
    pub key: char,
    /// Its score, -99 to 99.
    pub score: i8,
}

/// A step of a call through a menu, a call flow, a mailbox, a ring group or a prompt.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CallStep {
    /// When.
    pub at: Timestamp,
    /// `ivr`, `call_flow`, `voicemail`, `ring`, `prompt` or `time_condition`.
    pub kind: String,
    /// Its number or name.
    pub key: String,
    /// What happened there, in words.
    pub detail: String,
}

/// How a call left a queue.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct QueuePassage {
    /// The queue.
    pub queue: String,
    /// The exit's reason code.
    pub exit: String,
    /// The time waited.
    pub wait: Duration,
    /// Who answered, if one did.
    pub agent: Option<String>,
}

/// Which records are asked for; all given conditions must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordFilter {
    /// Begun at or after.
    pub since: Option<Timestamp>,
    /// Begun before.
    pub until: Option<Timestamp>,
    /// Direction.
    pub direction: Option<Direction>,
    /// From or to equals this number, or it answered.
    pub number: Option<String>,
    /// Went through this queue.
    pub queue: Option<String>,
    /// Outcome code.
    pub outcome: Option<String>,
}

/// One line of a call's trace: the SIP ladder, decisions and statistics in order of time.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum TraceItem {
    /// A SIP message.
    Sip {
        /// When.
        at: Timestamp,
        /// True: received by us.
        received: bool,
        /// The far end.
        peer: String,
        /// The first line.
        summary: String,
        /// The whole message, credentials masked.
        text: String,
    },
    /// Something that an actor decided, e.g. why an agent did not ring.
    Decision {
        /// When.
        at: Timestamp,
        /// Stable code.
        code: String,
        /// In words.
        detail: String,
    },
    /// Media statistics of a leg.
    Media {
        /// When.
        at: Timestamp,
        /// The leg.
        leg: u16,
        /// Name and value pairs: codec, packets, lost, jitter_ms, mos …
        values: Vec<(String, String)>,
    },
}

/// An event as the event stream shows it: position, when, topic key and its JSON body.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedItem {
    /// Its place in the journal.
    pub position: Position,
    /// When it was appended.
    pub at: Timestamp,
    /// `call`, `queue`, `agent` or a resource kind.
    pub kind: String,
    /// The entity's key.
    pub key: String,
    /// `call.answered`, `agent.paused` … (section 30.4).
    pub name: String,
    /// The event's fields.
    pub data: serde_json::Value,
}
