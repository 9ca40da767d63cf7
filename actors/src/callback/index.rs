//! Which agent called a number last, as the fold of the calls' events (C-010 to C-015, C-042).

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tandem_kernel::{CallId, Timestamp};

use crate::call::event::CallEvent;

/// The longest window that can be set (C-016).
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// Numbers that are known before the index looks for old ones.
const SWEEP_EVERY: usize = 10_000;

/// The last call of an agent to a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The call.
    pub call: CallId,
    /// When it began.
    pub at: Timestamp,
    /// The agent who placed it.
    pub placed_by: String,
    /// The agent who talked last, after a transfer.
    pub talked: Option<String>,
    /// The number that the customer saw; empty: the trunk's own.
    pub shown: String,
    /// The trunk.
    pub trunk: String,
    /// The channel category of the code.
    pub category: Option<String>,
}

/// An outside call that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Open {
    at: Timestamp,
    placed_by: String,
    number: String,
    category: Option<String>,
}

/// The index, as a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Index {
    last: HashMap<String, Entry>,
    begun: BTreeMap<CallId, Timestamp>,
    open: BTreeMap<CallId, Open>,
    newest: Timestamp,
    since_sweep: usize,
}

impl Index {
    /// The last call to a number.
    #[must_use]
    pub fn last(&self, number: &str) -> Option<&Entry> {
        self.last.get(number)
    }

    /// Forgets a number, in calls that go on as well.
    pub fn forget(&mut self, number: &str) {
        self.last.remove(number);
        self.open.retain(|_, open| open.number != number);
    }

    /// Takes a fact of a call in.
    pub fn call(&mut self, call: CallId, event: &CallEvent) {
        match event {
            CallEvent::Started { at, .. } => {
                self.begun.insert(call, *at);
            }
            // C-012: the system's own calls and emergency calls bring nobody back.
            CallEvent::Outgoing { at, by, outgoing }
                if !by.is_empty() && !outgoing.is_emergency =>
            {
                let open = Open {
                    at: self.begun.get(&call).copied().unwrap_or(*at),
                    placed_by: by.clone(),
                    number: outgoing.number.clone(),
                    category: outgoing.category.clone(),
                };
                self.open.insert(call, open);
            }
            CallEvent::LineRang { trunk, caller_id, .. } => self.rang(call, trunk, caller_id),
            CallEvent::Transferred { to, .. } => self.transferred(call, to),
            CallEvent::Ended { .. } => {
                self.begun.remove(&call);
                self.open.remove(&call);
            }
            _ => {}
        }
    }

    /// The customer's side was reached: from now on it counts. The later call wins, whatever the
    /// order in which their events arrive (C-015, C-043).
    fn rang(&mut self, call: CallId, trunk: &str, shown: &str) {
        let Some(open) = self.open.get(&call) else { return };
        let entry = Entry {
            call,
            at: open.at,
            placed_by: open.placed_by.clone(),
            talked: None,
            shown: shown.to_owned(),
            trunk: trunk.to_owned(),
            category: open.category.clone(),
        };
        let is_later = |old: &Entry| (old.at, old.call) <= (entry.at, entry.call);
        if self.last.get(&open.number).is_none_or(is_later) {
            self.newest = self.newest.max(entry.at);
            self.last.insert(open.number.clone(), entry);
            self.sweep();
        }
    }

    fn transferred(&mut self, call: CallId, to: &str) {
        let Some(open) = self.open.get(&call) else { return };
        if let Some(entry) = self.last.get_mut(&open.number)
            && entry.call == call
        {
            entry.talked = Some(to.to_owned());
        }
    }

    /// Drops what no window reaches any more, now and then.
    fn sweep(&mut self) {
        self.since_sweep += 1;
        if self.since_sweep < SWEEP_EVERY {
            return;
        }
        self.since_sweep = 0;
        let newest = self.newest;
        self.last.retain(|_, entry| newest.since(entry.at) <= LONGEST);
    }
}
