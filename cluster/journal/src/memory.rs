//! A journal in memory, by the referee of the real one: what its log makes of appends, without a
//! disk and without members. For simulations in virtual time.

use std::collections::BTreeMap;

use tandem_kernel::Timestamp;

use crate::error::AppendError;
use crate::format::{EntityState, Proposal};
use crate::record::{Append, Appended, Entity, Record};
use crate::referee::{End, Operations, take};
use crate::state::placed;

/// The journal.
#[derive(Debug, Default)]
pub struct Memory {
    end: End,
    operations: Operations,
    entities: BTreeMap<Entity, EntityState>,
}

impl Memory {
    /// Takes an append in, as the log has it in its place; gives what its author is told and the
    /// records that it made.
    ///
    /// # Errors
    /// Why the referee refuses it.
    pub fn append(
        &mut self,
        append: Append,
        at: Timestamp,
    ) -> Result<(Appended, Vec<Record>), AppendError> {
        let proposal = Proposal::new(append, at);
        let state = self.entities.entry(proposal.entity.clone()).or_default();
        let mut records = Vec::new();
        let each = |(stored, index, _)| records.push(placed((stored, index)));
        let appended = take(&mut self.end, &mut self.operations, state, &proposal, each)?;
        Ok((appended, records))
    }

    /// The index of the last record.
    #[must_use]
    pub const fn head(&self) -> u64 {
        self.end.head
    }
}
