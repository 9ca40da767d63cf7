//! What IP phones show beside their keys: subscriptions to calls of extensions (BLF), to the
//! state of agents and to mailboxes.
//!
//! | Concern                                         | Owner                        |
//! |-------------------------------------------------|------------------------------|
//! | Dialogs, NOTIFYs one by one                     | `tandem_sip::session::notifier` |
//! | Who watches what, limits, expiry                | [`board`] (pure)             |
//! | What a number that is subscribed to means       | [`watched`] (pure)           |
//! | Bodies                                          | [`body`] (pure)              |
//! | The state of calls and mailboxes                | [`Lamps`]                    |
//! | The state of agents                             | the journal's facts of them  |
//!
//! Subscriptions are not kept over a restart: a phone that refreshes one is answered 481 and
//! subscribes anew (RFC 6665 4.1.2.2), at the latest after [`board::MAX_EXPIRES`].

mod actor;
pub mod board;
pub mod body;
mod lamps;
pub mod watched;

#[cfg(test)]
mod tests;

pub(crate) use actor::PACKAGES;
pub use actor::{PresenceActor, PresenceArgs, PresenceMsg};
pub use lamps::Lamps;
pub use watched::{Lamp, Mail, Progress, State, Talk, Watched};
