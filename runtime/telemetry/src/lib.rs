//! What a node tells its operator: logs and metrics.
//!
//! | Concern                                   | Owner        |
//! |-------------------------------------------|--------------|
//! | Names, help and units of all metrics      | [`metric`]   |
//! | Log format and filter                     | [`log`]      |
//!
//! Invariant: a metric that is not declared in [`metric`] does not exist; labels are of low
//! cardinality and never a number, an id or a URI.

pub mod log;
pub mod metric;
#[cfg(test)]
mod tests;
