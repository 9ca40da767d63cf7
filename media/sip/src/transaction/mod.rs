//! SIP transactions (RFC 3261 section 17, corrected by RFC 6026) as one sans-IO machine.
//!
//! | Concern                                        | Owner        |
//! |------------------------------------------------|--------------|
//! | The states and what each input does            | [`Layer`]    |
//! | Timers A to M: how long, and the one table     | [`Timers`]   |
//! | Which message belongs to which transaction     | `key`, `via` |
//! | Sockets, names, limits, who gets an event      | [`crate::net`] |
//!
//! Invariants: a transaction keeps only the bytes that it may have to send again; nothing here
//! reads a clock or writes a socket; a terminated transaction is released at once.

mod ack;
mod client;
mod flow;
mod key;
mod layer;
mod server;
mod slots;
mod timers;
pub(crate) mod via;

#[cfg(test)]
mod tests;

pub use client::Sending;
pub use flow::FlowId;
pub use key::{Key, Keys};
pub use layer::{Arrival, CancelPath, Layer, Output, Refused};
pub use timers::Timers;

use std::fmt;

/// One transaction of this node's run. Never given twice while anything can still refer to it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TxnId(u64);

impl TxnId {
    /// An id from its number, for tests of a transaction user.
    #[must_use]
    pub const fn from_u64(value: u64) -> Self {
        Self(value)
    }

    /// The id as a number.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// Made of the shard (8 bits), the slot's generation (24 bits) and the slot (32 bits).
    const fn new(shard: u8, generation: u32, slot: u32) -> Self {
        Self((shard as u64) << 56 | ((generation & 0xff_ffff) as u64) << 32 | slot as u64)
    }

    pub(crate) const fn shard(self) -> usize {
        (self.0 >> 56) as usize
    }

    const fn generation(self) -> u32 {
        ((self.0 >> 32) & 0xff_ffff) as u32
    }

    const fn slot(self) -> u32 {
        (self.0 & 0xffff_ffff) as u32
    }
}

impl fmt::Debug for TxnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TxnId({:x})", self.0)
    }
}
