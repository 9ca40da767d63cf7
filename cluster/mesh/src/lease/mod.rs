//! Who may speak for a shard, and until when.

pub mod machine;
#[cfg(test)]
mod tests;

pub use machine::{Lease, Liveness, Patience, PatienceError, Verdict};
