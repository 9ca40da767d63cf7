//! One agent: the state in each queue, and whether a call may be offered now.
//!
//! | Concern                                        | Owner                          |
//! |------------------------------------------------|--------------------------------|
//! | May this agent take a call now, and whose      | `machine` (pure)               |
//! | What a command does                            | `command` (pure)               |
//! | What a dialled feature code means              | `codes` (pure)                 |
//! | What outlives the actor                        | `facts`, the fold of `event`   |
//! | Who waits and who rings next                   | the queue                      |
//! | Phones and calls                               | `whereabouts` tells of them    |
//!
//! A crash loses no call: the queues take back what this agent rang for and tell a new actor
//! of the calls that go on.

mod actor;
pub mod codes;
mod command;
pub mod event;
mod facts;
pub mod machine;
mod message;
mod supervisor;
mod types;

pub use actor::{AgentActor, AgentArgs};
pub use command::{Command, Failed, Outcome, Refused, Scope};
pub use event::{AgentEvent, Source};
pub use facts::{Facts, Pause, Seat};
pub use message::{AgentMsg, AgentsMsg};
pub use supervisor::{AgentsActor, AgentsArgs};
pub use types::{Bid, Denial, FromAgent, Round, Standing, ToAgent};
