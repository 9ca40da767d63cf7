//! One call: its legs, who hears whom, what happens next.
//!
//! | Concern                                        | Owner                          |
//! |------------------------------------------------|--------------------------------|
//! | What happens next                              | `machine` (pure)               |
//! | Messages, effects, supervision                 | `actor`, `calls`               |
//! | Dialogs, offer and answer, media of each leg   | `leg`                          |
//! | Which agent gets a waiting caller              | the queue                      |
//! | What a number means                            | `numbering`                    |
//! | What another member needs to go on with it     | `kept`, `adopt`                |
//!
//! A crash of one call ends that call's legs and touches no other.

mod actor;
mod adopt;
mod calls;
pub mod event;
pub mod homes;
mod kept;
mod leg;
pub mod machine;
mod message;
mod parking;

pub use actor::{CallArgs, Start};
pub(crate) use actor::{devices, from_trunk, resolve, sender};
pub use adopt::adopt;
pub use calls::{Calls, NotAdmitted};
pub use kept::{KeptCalls, KeptEvent, begin};
pub(crate) use leg::capabilities;
pub use message::{CallMsg, Claim, Surrender};
pub use parking::Parking;
