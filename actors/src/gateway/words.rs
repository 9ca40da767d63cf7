//! What actors of one member tell and ask those of another. All of it crosses nodes: variants
//! are only added at the end.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use tandem_kernel::{CallId, LegId};

use crate::agent::{self, Command, Denial, Outcome, Source, ToAgent};
use crate::connections::words::FlowWord;
use crate::copies::FileName;
use crate::office::{
    AgentView, CALL_CODES, CallView, CallbackView, QueueStatus, Refusal, TraceItem,
};
use crate::queue::machine;
use crate::queue::{QueueNotice, QueueWord};
use crate::softphone::Line;
use crate::softphone::words::{FromPhone, ToPhone};

/// Something that is told. Words from one member to another come once and in order for as long
/// as both run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Word {
    /// To a queue.
    ToQueue {
        /// Its number.
        number: String,
        /// What it is told.
        word: QueueWord,
        /// Since when the agent who says it is run where it comes from; none: a call says it.
        epoch: Option<u64>,
    },
    /// From a queue to an agent.
    ToAgent {
        /// The agent's extension.
        extension: String,
        /// The queue's number.
        queue: String,
        /// Since when the queue is run where it comes from.
        epoch: u64,
        /// What it says.
        message: ToAgent,
    },
    /// From a queue to a call.
    ToCall {
        /// The call.
        call: CallId,
        /// The queue's number.
        queue: String,
        /// To which of the call's stays; none: the queue has begun anew and does not know.
        stay: Option<u32>,
        /// Since when the queue is run where it comes from.
        epoch: u64,
        /// What it says.
        notice: QueueNotice,
    },
    /// An extension is in a call of the speaking member.
    InCall {
        /// The extension.
        extension: String,
        /// The call.
        call: CallId,
    },
    /// It is not any more.
    OutOfCall {
        /// The extension.
        extension: String,
        /// The call.
        call: CallId,
    },
    /// A browser of the speaking member became an extension's phone or is it no more.
    Browser {
        /// The extension.
        extension: String,
        /// Whether it is there.
        there: bool,
    },
    /// All that the three variants above have told, instead of what was told before.
    Floor(Floor),
    /// From a leg to the phone in a browser.
    ToPhone {
        /// Whose phone.
        extension: String,
        /// The leg's number there.
        line: Line,
        /// Where the leg's audio is.
        host: Option<IpAddr>,
        /// What it says.
        wish: ToPhone,
    },
    /// From a phone in a browser to a leg.
    FromPhone {
        /// The leg.
        leg: LegId,
        /// Its number on the phone.
        line: Line,
        /// What it says.
        said: FromPhone,
    },
    /// Of the flow of a phone.
    Flow(FlowWord),
}

impl Word {
    /// What it adds to a letter's length, where that may be much; in bytes.
    pub(super) const fn weight(&self) -> usize {
        match self {
            Self::Flow(FlowWord::Put { message, .. } | FlowWord::Came { message, .. }) => {
                message.len()
            }
            _ => 0,
        }
    }

    /// The first level of the members' language that has it.
    #[must_use]
    pub(crate) const fn since(&self) -> u16 {
        match self {
            Self::ToQueue { .. }
            | Self::ToAgent { .. }
            | Self::ToCall { .. }
            | Self::InCall { .. }
            | Self::OutOfCall { .. }
            | Self::Browser { .. }
            | Self::Floor(_)
            | Self::ToPhone { .. }
            | Self::FromPhone { .. } => 1,
            Self::Flow(_) => 2,
        }
    }
}

/// Who is in calls, and which browsers are phones, at one member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// Extensions and the calls that they are in.
    pub calls: Vec<(String, CallId)>,
    /// Extensions whose phone is a browser.
    pub browsers: Vec<String>,
}

/// Something that is asked of the member that runs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// A queue as it is now.
    Status {
        /// The queue.
        number: String,
    },
    /// The requests for a callback that are open in a queue.
    Callbacks {
        /// The queue.
        number: String,
    },
    /// Takes a request back.
    CancelCallback {
        /// The queue.
        number: String,
        /// The call whose place the request keeps.
        call: CallId,
    },
    /// All agents that the member runs.
    Agents,
    /// Changes an agent's state.
    Command {
        /// The agent.
        extension: String,
        /// What to do.
        command: Command,
        /// Where it comes from.
        source: Source,
    },
    /// Takes an agent for a call.
    Claim {
        /// The agent.
        extension: String,
        /// The call.
        call: CallId,
    },
    /// The member's live calls.
    Calls,
    /// One of them.
    Call(CallId),
    /// Does something to one of them.
    Steer {
        /// The call.
        call: CallId,
        /// The [`CallCommand`](crate::office::CallCommand) as JSON.
        command: String,
    },
    /// What the member remembers of a call.
    Trace(CallId),
    /// The bytes of a file from a place on; asked on the link for bulk.
    Piece {
        /// The file.
        name: FileName,
        /// The place, in bytes.
        from: u64,
    },
    /// Begins a call for a page of the asking member; answered as a command is.
    Dial(Dial),
    /// Lets a ringing call ring at somebody else's phone.
    PickUp {
        /// The queue.
        number: String,
        /// The call.
        call: CallId,
        /// The extension that picks it up.
        by: String,
    },
}

/// A call that a page dials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dial {
    /// The call, which does not exist yet.
    pub call: CallId,
    /// The page's extension.
    pub from: String,
    /// What its user dialled.
    pub to: String,
    /// Who it is, for the log.
    pub by: String,
}

impl Question {
    /// The first level of the members' language that has it.
    #[must_use]
    pub(crate) const fn since(&self) -> u16 {
        match self {
            Self::Status { .. }
            | Self::Callbacks { .. }
            | Self::CancelCallback { .. }
            | Self::Agents
            | Self::Command { .. }
            | Self::Claim { .. }
            | Self::Calls
            | Self::Call(_)
            | Self::Steer { .. }
            | Self::Trace(_)
            | Self::Piece { .. }
            | Self::Dial(_)
            | Self::PickUp { .. } => 1,
        }
    }

    /// Whether it may be asked twice of whoever runs the entity: all but the toggles, and
    /// what moves a call.
    #[must_use]
    pub(crate) const fn is_repeatable(&self) -> bool {
        let command = match self {
            Self::Command { command, .. } => command,
            Self::Steer { .. } | Self::Dial(_) | Self::PickUp { .. } => return false,
            _ => return true,
        };
        !matches!(command, Command::ToggleLogin(_) | Command::TogglePause(..))
    }
}

/// What became of an agent's command.
pub type Commanded = Result<(Outcome, AgentView), agent::Failed>;

/// An answer to a [`Question`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// The member is not the one that runs it.
    Nobody,
    /// It would run here, and is not there or does not answer.
    Unknown,
    /// The queue.
    Status(QueueStatus),
    /// The requests.
    Callbacks(Vec<CallbackView>),
    /// Whether the request was taken back.
    Cancelled(Result<(), machine::Refused>),
    /// The agents.
    Agents(Vec<AgentView>),
    /// What became of the command.
    Commanded(Commanded),
    /// Whether the agent is taken.
    Claimed(Result<(), Denial>),
    /// The calls.
    Calls(Vec<CallView>),
    /// What became of the call's command.
    Steered(Result<(), Denied>),
    /// What is remembered.
    Trace(Vec<TraceItem>),
    /// The bytes; none at the file's end.
    Piece(bytes::Bytes),
    /// Whether the call rings elsewhere now.
    PickedUp(Result<(), machine::Refused>),
}

/// Why a call was not steered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Denied {
    /// There is no such call.
    NotFound,
    /// Its state does not allow it: a stable code, and words for people.
    Conflict(String, String),
    /// In words.
    Unavailable(String),
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound { .. } => Self::NotFound,
            Refusal::Conflict { code, detail } => Self::Conflict(code.to_owned(), detail),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl Denied {
    /// As it is told where the command came from.
    #[must_use]
    pub fn refusal(self, call: CallId) -> Refusal {
        match self {
            Self::NotFound => Refusal::NotFound { kind: "call", key: call.to_string() },
            Self::Conflict(code, detail) => {
                let known = CALL_CODES.iter().find(|known| **known == code);
                // A newer build may have more of them.
                Refusal::Conflict { code: known.unwrap_or(&"call-state"), detail }
            }
            Self::Unavailable(detail) => Refusal::Unavailable { detail },
        }
    }
}

/// What one member sends to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Letter {
    /// Words in order.
    Words {
        /// Which of the sender's outboxes; a new one begins at word 0.
        session: u64,
        /// The number of the first word.
        first: u64,
        /// The words.
        words: Vec<Word>,
    },
    /// A question.
    Ask(Question),
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// All words before this number have been taken.
    Taken(u64),
    /// The words before these are not known here: begin anew.
    Unknown,
    /// The answer.
    Answered(Answer),
}
