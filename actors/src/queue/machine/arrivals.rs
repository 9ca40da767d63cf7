//! Who came, and who left, of late.

use std::collections::{BTreeSet, VecDeque};

use tandem_kernel::{CallId, Timestamp};

use super::ARRIVALS_KEPT;

/// Where it is all the same which of a call's stays it was; none has this number.
pub(super) const ANY_STAY: u32 = 0;

/// Who came of late. A call that asks again although its stay is over is not taken in twice.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrivals {
    known: BTreeSet<(CallId, u32)>,
    line: VecDeque<(Timestamp, CallId, u32)>,
}

impl Arrivals {
    /// Notes an arrival; false when it was noted before.
    pub(super) fn note(&mut self, now: Timestamp, call: CallId, stay: u32) -> bool {
        while let Some((at, call, stay)) = self.line.front().copied()
            && now.since(at) > ARRIVALS_KEPT
        {
            self.line.pop_front();
            self.known.remove(&(call, stay));
        }
        let is_new = self.known.insert((call, stay));
        if is_new {
            self.line.push_back((now, call, stay));
        }
        is_new
    }

    pub(super) fn knows(&self, call: CallId, stay: u32) -> bool {
        self.known.contains(&(call, stay))
    }
}
