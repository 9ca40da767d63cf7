//! Digest access authentication (RFC 7616, RFC 8760), both sides, without I/O.
//!
//! | Concern                                      | Owner            |
//! |----------------------------------------------|------------------|
//! | What is kept instead of a password           | [`Secrets`]      |
//! | The proof of one request                     | `proof`          |
//! | Challenging and judging                      | [`Challenger`]   |
//! | Answering challenges                         | [`answer`]       |
//!
//! Invariants: no proof is taken twice; comparing takes the same time for right and wrong, for
//! known and unknown users; a proof without `qop` is never taken.

mod algorithm;
mod challenger;
mod client;
mod nonce;
mod proof;
mod window;

#[cfg(test)]
mod tests;

pub use algorithm::{Algorithm, Secrets};
pub use challenger::{Challenger, Denied, Policy, Presented, presented};
pub use client::{Credentials, Unanswerable, answer, challenges};
