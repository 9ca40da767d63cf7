//! The HTTP edge: identity, rights, the API and its document, the event stream.
//!
//! | Concern                                       | Owner                     |
//! |-----------------------------------------------|---------------------------|
//! | All operations, from which router, rights and document are made | `table` |
//! | A request's way to its operation and back     | `pipeline`                |
//! | Who asks, what they may                       | `identity`, `rights`      |
//! | Errors                                        | `problem`                 |
//! | The same POST twice                           | `idempotency`             |
//! | The manual, a page for each problem           | `manual`                  |
//! | The event socket's types, for programs        | `wire`                    |
//! | The dial-out API of others                    | `compat`                  |
//! | What the operations do                        | `resources`, `calls` … |
//! | The panel's files                             | `panel`                   |
//! | TURN servers for browsers                     | `relays`                  |
//!
//! Invariants: every operation names its permission or says that it is public; no secret leaves;
//! nothing here knows telephony, all of it goes through the office.

mod audit;
mod backup;
mod callback;
mod calls;
pub mod compat;
mod convert;
mod cursor;
mod document;
mod edge;
mod events;
mod floor;
mod grants;
mod health;
mod idempotency;
mod identity;
mod letters;
mod limits;
mod listener;
mod manual;
mod notes;
mod operation;
mod outbound;
mod panel;
mod passwords;
mod phone;
mod pipeline;
mod presence;
mod problem;
mod prompts;
mod queue_log;
mod records;
mod relays;
mod resources;
mod rights;
mod serve;
mod sessions;
mod table;
#[cfg(test)]
mod tests;
pub mod tokens;
mod voicemail;
mod wire;

pub use edge::{Edge, Limits};
pub use limits::Rate;
pub use passwords::{Cost, HashError, Passwords};
pub use relays::Relays;
pub use serve::{bind, router, serve};
