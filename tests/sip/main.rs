//! Trunks, and whatever else comes over the wire: SIPp, bare sockets, floods.
#![allow(clippy::unwrap_used)]

mod callbacks;
mod carriers;
mod circles;
mod codes;
mod dialogs;
mod edges;
mod flood;
mod flows;
mod forged;
mod lamps;
mod race;
mod refusals;
mod streams;
mod torture;
mod trunks;
mod websockets;
