//! The facts of a call. A call record is the fold of its call's events.

use serde::{Deserialize, Serialize};
use tandem_kernel::Timestamp;

use crate::callback::Note;
use crate::office::Direction;
use crate::outbound::{Outgoing, Rule};

/// A fact about one call. Append-only; see `event.rs` of the crate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallEvent {
    /// The call began.
    Started {
        /// When.
        at: Timestamp,
        /// Where it came from.
        direction: Direction,
        /// The caller's number.
        from: String,
        /// The caller's name; may be empty.
        from_name: String,
        /// What was dialled.
        to: String,
        /// The trunk it came in by.
        trunk: Option<String>,
    },
    /// A person answered; a later one means that the call moved on to another.
    Answered {
        /// When.
        at: Timestamp,
        /// The number that answered.
        by: String,
        /// The trunk it went out by.
        trunk: Option<String>,
    },
    /// The call left a queue.
    QueueLeft {
        /// When.
        at: Timestamp,
        /// The queue's number.
        queue: String,
        /// The exit's code.
        exit: String,
        /// Time waited, in microseconds.
        wait_us: u64,
        /// The agent who answered.
        agent: Option<String>,
    },
    /// A transfer was completed.
    Transferred {
        /// When.
        at: Timestamp,
        /// Who transferred.
        by: String,
        /// To whom.
        to: String,
    },
    /// The call is over.
    Ended {
        /// When.
        at: Timestamp,
        /// Stable outcome code.
        outcome: String,
        /// SIP status or Q.850 cause in words.
        cause: String,
        /// From the first answer to the end, in microseconds.
        talk_us: u64,
        /// Part of it on hold, in microseconds.
        hold_us: u64,
    },
    /// The call passed through a menu, a call flow, a mailbox, a ring group or a prompt.
    Stepped {
        /// When.
        at: Timestamp,
        /// `ivr`, `call_flow`, `voicemail`, `ring`, `prompt`.
        kind: String,
        /// Its number or name.
        key: String,
        /// What happened there, in words.
        detail: String,
    },
    /// The call goes to the outside (O-044).
    Outgoing {
        /// When.
        at: Timestamp,
        /// The extension that placed it; empty: the system.
        by: String,
        /// How it goes out.
        outgoing: Outgoing,
    },
    /// The far end of a line rings, or has answered without ringing (C-012).
    LineRang {
        /// When.
        at: Timestamp,
        /// The trunk.
        trunk: String,
        /// The number sent.
        number: String,
        /// The caller ID shown; empty: the trunk's.
        caller_id: String,
    },
    /// A line did not take the call.
    LineFailed {
        /// When.
        at: Timestamp,
        /// The trunk.
        trunk: String,
        /// The SIP status; ours where the far end gave none.
        status: u16,
        /// What the status means.
        meaning: String,
        /// What was said.
        why: String,
    },
    /// The call was not let out.
    Barred {
        /// When.
        at: Timestamp,
        /// The extension.
        by: String,
        /// What was dialled.
        dialled: String,
        /// Which rule.
        rule: Rule,
        /// In words.
        why: String,
    },
    /// A program asked for the call (D-069).
    Requested {
        /// When.
        at: Timestamp,
        /// Who, e.g. `token:crm`.
        by: String,
        /// What they know it by.
        correlation_id: Option<String>,
    },
    /// A customer called back, and this became of it (C-040).
    CalledBack {
        /// When.
        at: Timestamp,
        /// What.
        note: Note,
    },
    /// The caller has rated the talk with an agent.
    Rated {
        /// When.
        at: Timestamp,
        /// The queue.
        queue: String,
        /// The agent who answered the queue call.
        agent: String,
        /// The key that was pressed.
        key: char,
        /// Its score, -99 to 99.
        score: i8,
    },
}

impl CallEvent {
    /// The name in the event stream.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Started { .. } => "call.started",
            Self::Answered { .. } => "call.answered",
            Self::QueueLeft { .. } => "call.queue_left",
            Self::Transferred { .. } => "call.transferred",
            Self::Ended { .. } => "call.ended",
            Self::Stepped { .. } => "call.stepped",
            Self::Outgoing { .. } => "call.outgoing",
            Self::LineRang { .. } => "call.line_rang",
            Self::LineFailed { .. } => "call.line_failed",
            Self::Barred { .. } => "call.barred",
            Self::Requested { .. } => "call.requested",
            Self::CalledBack { .. } => "call.called_back",
            Self::Rated { .. } => "survey.rated",
        }
    }
}
