//! One queue: who waits, and who rings for whom.
//!
//! | Concern                                        | Owner                          |
//! |------------------------------------------------|--------------------------------|
//! | Who waits, in which order, until when          | `machine` (pure)               |
//! | Which agent rings next                         | `order` (pure)                 |
//! | How long it will take                          | `pace` (pure)                  |
//! | How many were answered in time                 | `level` (pure)                 |
//! | When the figures begin anew                    | `day` (pure)                   |
//! | Who was answered and is not in its facts       | `answers` (pure)               |
//! | Who asked to be called back                    | `request`, `machine::callbacks`|
//! | What outlives the actor                        | `facts`, the fold of `event`   |
//! | Whether an agent can take a call               | the agent                      |
//! | Phones, music, who answered first              | the call                       |
//!
//! A crash loses no caller: the calls hold their legs and ask again until they are taken in, the
//! ways back to them belong to the node, and the place in the line is in the journal. Rings are
//! taken back and begin again.

mod actor;
pub mod answers;
mod day;
pub mod event;
mod facts;
pub mod level;
pub mod machine;
mod message;
pub mod order;
pub mod pace;
pub mod request;
mod supervisor;
mod types;

pub use actor::{QueueActor, QueueArgs, Sender, Sent, Sinks};
pub use day::DailyReset;
pub use event::{QueueEvent, RingEnd, Turn};
pub use facts::{Active, Counters, Facts, Pointer, Ring, Tally, Waiting};
pub use message::{QueueMsg, QueueWord, QueuesMsg};
pub use supervisor::{QueuesActor, QueuesArgs};
pub use types::{
    AgentTalk, CallSink, Class, Decision, DecisionSink, Exit, OfferEnd, OfferId, Party, QueueNotice,
};
