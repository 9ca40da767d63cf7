//! SIP: what is on the wire, what its values mean, who may speak, transactions, sockets and the
//! signalling of one leg.
//!
//! | Concern                                            | Owner           |
//! |----------------------------------------------------|-----------------|
//! | Messages: framing, reading, writing, first checks  | [`message`]     |
//! | Header values: URI, name-addr, Via, Replaces, …    | [`value`]       |
//! | Digest access, both sides                          | [`digest`]      |
//! | RFC 3261 section 17 as a sans-IO machine           | [`transaction`] |
//! | Sockets, names, limits                             | [`net`]         |
//! | One leg's signalling: dialogs, offers, transfers   | [`session`]     |
//!
//! Invariants: nothing here panics on bytes from outside; only this crate names `rsip`.

pub mod digest;
pub mod message;
pub mod net;
pub mod session;
pub mod transaction;
pub mod value;
