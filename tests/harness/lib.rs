//! The harness of the tests with real peers: a node process, phones, its HTTP API, sound.
//!
//! | Concern                                | Owner       |
//! |----------------------------------------|-------------|
//! | A node as a process of its own         | [`node`]    |
//! | pjsua2 telephones                      | [`phone`]   |
//! | Requests to the HTTP API               | [`api`]     |
//! | What is in a recording                 | [`sound`]   |
#![allow(clippy::unwrap_used)]

pub mod api;
pub mod node;
pub mod phone;
pub mod sound;

pub use api::Api;
pub use node::Node;
pub use phone::Phone;
