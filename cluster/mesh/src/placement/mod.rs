//! Which member runs what: (kind, key) → shard → (node, epoch).
//!
//! An address never names a node: who wants an entity asks the table, which every member has.

pub mod controller;
#[cfg(test)]
mod controller_tests;
pub mod machine;
#[cfg(test)]
mod tests;

pub use controller::{Known, Members, Watch};
pub use machine::{Change, Moved, Slot, Table};

/// Shards of a cluster. The number is fixed for ever: keys are spread by it.
pub const SHARDS: u16 = 256;

/// An entity's address: what it is and its key, never where it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// The kind's number, as the journal has it.
    pub kind: u8,
    /// The key within the kind.
    pub key: String,
}

impl Address {
    /// The shard that the entity belongs to, on every member and in every build the same.
    #[must_use]
    pub fn shard(&self) -> u16 {
        let kind = machine::mix(u64::from(self.kind));
        let hash = self
            .key
            .bytes()
            .fold(kind, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(machine::FNV_PRIME));
        let shard = machine::mix(hash) % u64::from(SHARDS);
        u16::try_from(shard).expect("it is below the number of shards")
    }
}
