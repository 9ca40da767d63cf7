//! What an agent's actor, and the supervisor of all agents, can be told.

use std::collections::BTreeMap;

use ractor::RpcReplyPort;
use tandem_config::resource::{Queue, Settings};
use tandem_journal::AppendError;
use tandem_kernel::CallId;

use super::machine::{Rule, TimerId};
use super::{Command, Denial, Failed, Outcome, Source, ToAgent};
use crate::leases::Lease;
use crate::office::AgentView;

/// Messages of an agent's actor. Local to a node.
#[derive(Debug)]
pub enum AgentMsg {
    /// All queues of the agent as they are configured now.
    Memberships(BTreeMap<String, Rule>),
    /// The system's options.
    Settings(Box<Settings>),
    /// The first phone came or the last one went.
    Registered(bool),
    /// The extension is in a call, whatever kind it is.
    InCall(CallId),
    /// It is not any more.
    OutOfCall(CallId),
    /// Word from a queue.
    Queue {
        /// Its number.
        queue: String,
        /// The word.
        message: ToAgent,
    },
    /// Takes the agent for a call that comes by no queue (C-025).
    Claim {
        /// The call.
        call: CallId,
        /// Whether they were free.
        reply: RpcReplyPort<Result<(), Denial>>,
    },
    /// Changes the agent's state.
    Command {
        /// What to do.
        command: Command,
        /// Where it comes from.
        source: Source,
        /// Answered after the commit.
        reply: RpcReplyPort<Result<(Outcome, AgentView), Failed>>,
    },
    /// Other members run queues than before, maybe.
    Placed,
    /// Asks for the states that must pass by themselves.
    Leases(RpcReplyPort<Vec<Lease>>),
    /// Asks for the picture of the agent.
    View(RpcReplyPort<AgentView>),
    /// A timer went off. It may be late.
    Timer(TimerId),
    /// A fact was not taken by the journal.
    NotRecorded(AppendError),
    /// The journal has the agent's facts up to this version, some maybe of another member.
    Followed(u64),
}

impl ractor::Message for AgentMsg {}

/// Messages of the supervisor of all agents.
#[derive(Debug)]
pub enum AgentsMsg {
    /// A queue was added or edited: its members are agents.
    Configure(Box<Queue>),
    /// A queue was deleted.
    Remove {
        /// Its number.
        number: String,
    },
    /// The system's options were edited.
    Settings(Box<Settings>),
    /// Starts a failed agent again.
    Restart {
        /// The extension.
        extension: String,
    },
    /// What this member owns has changed.
    Placed,
}

impl ractor::Message for AgentsMsg {}
