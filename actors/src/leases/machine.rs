//! Which states have outlived their leases. Pure: no I/O, no clock.

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_kernel::Timestamp;

use super::{Lease, Until};

/// How late a timer may be on a node under load before its state counts as stuck.
pub const GRACE: Duration = Duration::from_secs(10);

/// A state that has outlived its lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// The state.
    pub lease: Lease,
    /// When it should have been over.
    pub due: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    since: Timestamp,
    is_told: bool,
}

/// What the auditor remembers from one look to the next.
#[derive(Clone, Debug, Default)]
pub struct Auditor {
    known: BTreeMap<Lease, Known>,
}

impl Auditor {
    /// Takes in all states that there are now and gives those that are overdue, each once. A
    /// state whose lease was renewed is another one.
    pub fn look(&mut self, now: Timestamp, leases: Vec<Lease>) -> Vec<Overdue> {
        let mut known = std::mem::take(&mut self.known);
        let mut found = Vec::new();
        for lease in leases {
            let fresh = Known { since: now, is_told: false };
            let mut entry = known.remove(&lease).unwrap_or(fresh);
            let due = match lease.until {
                Until::At(at) => at,
                Until::Within(span) => entry.since + span,
            };
            if now > due + GRACE && !entry.is_told {
                entry.is_told = true;
                found.push(Overdue { lease: lease.clone(), due });
            }
            self.known.insert(lease, entry);
        }
        found
    }
}
