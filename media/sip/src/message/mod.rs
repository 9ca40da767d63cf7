//! SIP messages (RFC 3261 section 7): cut from a stream, read lazily, checked and written.
//!
//! | Concern                                         | Owner          |
//! |-------------------------------------------------|----------------|
//! | A message that has come, and its index          | [`Message`]    |
//! | What makes a message unfit for any use          | [`ParseError`] |
//! | A message that is being made                    | [`Draft`]      |
//! | Where a message ends in a byte stream           | [`Framer`]     |
//! | Names of headers and methods                    | [`Name`], [`Method`] |
//!
//! Invariants: the bytes that came are kept as they came; a header is looked at only when
//! somebody asks; no value that is written can hold a line end.

mod check;
mod draft;
mod error;
mod framer;
mod index;
pub(crate) mod lexis;
mod lines;
mod list;
mod method;
mod name;
mod parsed;
mod phrase;
mod start;

#[cfg(test)]
mod tests;

pub use draft::Draft;
pub use error::ParseError;
pub use framer::{Frame, FrameError, Framer, Limits};
pub use method::Method;
pub use name::Name;
pub use parsed::Message;
pub use phrase::reason_phrase;
