//! What an operator writes: the node's file, and the provisioned resources with their rules.
//!
//! | Concern                                              | Owner          |
//! |------------------------------------------------------|----------------|
//! | Extensions, trunks, routes, queues, users, tokens    | [`resource`]   |
//! | The node's file, its layers and its problems           | [`node`]       |
//! | Dial patterns (X Z N [] . !)                          | [`pattern`]    |
//!
//! Invariant: no I/O beyond reading the node's file; a value that was validated here is trusted
//! everywhere else.

pub mod node;
pub mod pattern;
pub mod resource;

pub use node::NodeConfig;
pub use pattern::Pattern;
pub use resource::{Kind, Resource};
