//! Figures as reports and boards show them, computed exactly and rounded when they are shown
//! (appendix H 17). Pure.
//!
//! | Concern                                        | Owner      |
//! |------------------------------------------------|------------|
//! | Parts of a whole                               | `share`    |
//! | Lengths of time as people read them            | `duration` |
//! | When an agent was logged in, and paused        | `spans`    |
//! | What an agent did with the calls that rang     | `rings`    |
//! | What became of the requests for a callback     | `callbacks`|
//! | How long a queue's callers waited and talked   | `handling` |

mod callbacks;
mod duration;
mod handling;
mod rings;
mod share;
mod spans;
#[cfg(test)]
mod tests;

pub use callbacks::{CallbackRow, CallbackRows};
pub use duration::Shown;
pub use handling::Handling;
pub use rings::{AgentFigures, Rings};
pub use share::Share;
pub use spans::{LoginSpan, PauseEnd, PauseSpan, Spans};
