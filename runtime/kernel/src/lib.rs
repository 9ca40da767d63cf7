//! The ground that every crate stands on: identifiers, time, bounded ports, supervision.
//!
//! | Concern                                   | Owner         |
//! |-------------------------------------------|---------------|
//! | What a call, a leg, a position is called  | [`id`]        |
//! | The one clock of a node                   | [`time`]      |
//! | Bounded ways into actors and queues       | [`port`]      |
//! | Questions with a deadline                 | [`ask`]       |
//! | Restarts and when to give up              | [`supervise`] |
//! | Named, counted tasks                      | [`task`]      |
//! | An orderly end                            | [`shutdown`]  |
//! | Timers that end with who set them         | [`alarm`]     |
//! | The newest of many, by key                | [`newest`]    |
//!
//! Invariant: nothing here knows telephony, storage or a protocol.

pub mod alarm;
pub mod ask;
pub mod id;
pub mod newest;
pub mod port;
pub mod shutdown;
pub mod supervise;
pub mod task;
#[cfg(test)]
mod tests;
pub mod time;

pub use alarm::{AlarmClock, Alarms};
pub use ask::{AskError, ask};
pub use id::{CallId, LegId, ParseIdError, Position};
pub use newest::Newest;
pub use port::{ActorPort, Gauge, Inbox, Overflow, Port, SendError, Slot, bounded};
pub use shutdown::Shutdown;
pub use supervise::{Children, Decision, Ended, Intensity, Restart};
pub use task::spawn;
pub use time::{Clock, Timestamp};
