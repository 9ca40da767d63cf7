//! Trunks, and whatever else comes over the wire: SIPp, bare sockets, floods.
#![allow(clippy::unwrap_used)]

mod callbacks;
mod circles;
mod codes;
mod flood;
mod flows;
mod forged;
mod lamps;
mod race;
mod refusals;
mod torture;
mod trunks;
