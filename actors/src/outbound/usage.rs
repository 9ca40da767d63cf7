//! What each outbound code was used for, as a fold of call records (O-046).

use std::collections::BTreeMap;
use std::time::Duration;

use super::tolls::cost;
use crate::office::CallRecord;

/// The figures of one code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Its name at the last use.
    pub name: String,
    /// Its digits at the last use.
    pub code: String,
    /// Calls.
    pub attempts: u64,
    /// Answered ones.
    pub answered: u64,
    /// Time talked.
    pub talk: Duration,
    /// What they cost, in thousandths of the currency unit.
    pub cost: u64,
    /// Unanswered ones by outcome.
    pub failures: BTreeMap<String, u64>,
    /// Uses while the code had no route of its own (O-037).
    pub unrouted: u64,
}

/// Takes a record into the figures by the code's id; records without a code are passed over.
pub fn add(usage: &mut BTreeMap<String, Usage>, record: &CallRecord) {
    let Some(outgoing) = &record.outgoing else { return };
    let Some(used) = &outgoing.code else { return };
    let entry = usage.entry(used.id.clone()).or_default();
    // Records come newest first: the first name is the newest.
    if entry.attempts == 0 {
        entry.name.clone_from(&used.name);
        entry.code.clone_from(&used.code);
    }
    entry.attempts += 1;
    entry.unrouted += u64::from(!outgoing.is_code_applied);
    if record.outcome != "answered" {
        *entry.failures.entry(record.outcome.clone()).or_default() += 1;
        return;
    }
    entry.answered += 1;
    entry.talk += record.talk;
    entry.cost += cost(outgoing.price_per_minute, record.talk);
}
