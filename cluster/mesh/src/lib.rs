//! How nodes of one cluster reach each other, and nobody else does.
//!
//! | Concern                                         | Owner         |
//! |-------------------------------------------------|---------------|
//! | The cluster's own certificates                  | [`authority`] |
//! | Who a node is                                   | [`identity`]  |
//! | Tokens that let a node in once                  | [`token`]     |
//! | Who belongs to the cluster, and where           | [`roster`]    |
//! | Mutual TLS 1.3                                  | `tls`         |
//! | The one endpoint                                | [`mesh`]      |
//! | New certificates in time                        | `renewal`     |
//! | What the command line asks                      | [`local`]     |
//! | The connections to one peer, questions on them  | `link`        |
//! | Questions of peers                              | `serve`       |
//! | A node without a certificate                    | [`join`]      |
//! | Which member runs what                          | [`placement`] |
//! | Until when an owner may speak                   | [`lease`]     |
//! | What builds of different age say to each other  | [`level`]     |
//! | What members and operators say                  | [`control`]   |
//! | Why somebody is not let in                      | [`refusal`]   |
//!
//! Invariant: it carries bytes and knows numbers of members; no telephony, no actor.

pub mod authority;
mod clocks;
pub mod control;
mod error;
mod files;
pub mod identity;
pub mod join;
pub mod lease;
pub mod level;
mod link;
pub mod local;
pub mod mesh;
pub mod placement;
pub mod refusal;
mod renewal;
pub mod roster;
mod serve;
#[cfg(test)]
mod tests;
mod tls;
pub mod token;

pub use authority::{Authority, Order};
pub use control::{Change, Group, Levels, LinkStatus, MemberStatus, Status};
pub use error::MeshError;
pub use identity::{ClusterId, Credentials, Subject};
pub use join::{Founding, Joining, found, join};
pub use link::{AskError, Lane, MAX_BODY_BYTES};
pub use local::{change, levels, status};
pub use mesh::{Answering, Config, Handler, Mesh, Telling, Timing};
pub use refusal::Refusal;
pub use roster::{Member, Roster, Standing, State};
pub use token::{NotAToken, Scope, Token, Tokens};
