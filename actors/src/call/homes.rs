//! Which member has which call, as the journal tells it, and who may speak for a call. Pure.

use std::collections::BTreeMap;

use tandem_kernel::{CallId, Newest};

use crate::queue::QueueWord;

/// Calls whose end is remembered, so that a word about one that was long on its way is told apart
/// from one about a call that nothing is known of yet.
const MOST_OVER: usize = 8_192;

/// What is known of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Home {
    /// Of the last fact.
    version: u64,
    /// Who has taken it over last.
    taken_by: Option<u64>,
}

/// The calls of which something is kept, and those that have just ended.
#[derive(Clone, Debug, Default)]
pub struct Homes {
    going: BTreeMap<CallId, Home>,
    /// Who had taken over what has ended.
    over: Newest<CallId, Option<u64>, MOST_OVER>,
}

impl Homes {
    /// A fact about a call, and who has taken the call over by it. False: the call has ended, and
    /// the fact, which was on its way by then, is to be passed over.
    pub fn note(&mut self, call: CallId, version: u64, taken_by: Option<u64>) -> bool {
        if version > 1 && !self.going.contains_key(&call) {
            return false;
        }
        let home = self.going.entry(call).or_default();
        home.version = version;
        home.taken_by = taken_by.or(home.taken_by);
        true
    }

    /// A call has ended.
    pub fn ended(&mut self, call: CallId) {
        let Some(home) = self.going.remove(&call) else { return };
        *self.over.entry(call, || None) = home.taken_by;
    }

    /// Whether anything is kept of a call: it goes on, as far as is known here.
    #[must_use]
    pub fn has(&self, call: CallId) -> bool {
        self.going.contains_key(&call)
    }

    /// The version of the last fact about a call; 0: there is none, or the call has ended.
    #[must_use]
    pub fn version(&self, call: CallId) -> u64 {
        self.going.get(&call).map_or(0, |home| home.version)
    }

    /// The member that has a call, or had it at its end: where it began, or who took it over.
    #[must_use]
    pub fn home(&self, call: CallId) -> u64 {
        let going = self.going.get(&call).map(|home| home.taken_by);
        let taken_by = going.or_else(|| self.over.get(&call).copied()).flatten();
        taken_by.unwrap_or_else(|| call.node())
    }

    /// Whether a member may say a word: what only the member that has a call may say of it, no
    /// other is heard to say; and nobody waits whose call has ended.
    #[must_use]
    pub fn may_say(&self, member: u64, word: &QueueWord) -> bool {
        let Some(call) = word.speaks_for() else { return true };
        match self.going.get(&call) {
            Some(home) => home.taken_by.is_none_or(|by| by == member),
            // A call that a queue has made speaks for the place of one that has ended.
            None => !matches!(word, QueueWord::Join { .. }) || !self.over.has(&call),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: CallId = CallId::from_u128(7 << 16 | 1);

    fn join() -> QueueWord {
        let (caller, caller_name) = (String::new(), String::new());
        QueueWord::Join { call: CALL, stay: 1, caller, caller_name }
    }

    #[test]
    fn only_the_member_that_has_a_call_speaks_for_it() {
        let mut homes = Homes::default();
        assert!(homes.may_say(1, &join()), "the call may be known later than its word");
        homes.note(CALL, 1, None);
        homes.note(CALL, 2, Some(2));

        assert_eq!(homes.home(CALL), 2);
        assert!(!homes.may_say(1, &join()));
        assert!(!homes.may_say(1, &QueueWord::CallerGone { call: CALL }));
        assert!(homes.may_say(2, &join()));
        // Whoever says it, what rang there rings no more.
        assert!(homes.may_say(1, &QueueWord::Moved { call: CALL }));
    }

    #[test]
    fn a_call_that_has_ended_waits_for_nobody_and_is_still_its_last_members() {
        let mut homes = Homes::default();
        homes.note(CALL, 1, None);
        homes.note(CALL, 2, Some(2));

        homes.ended(CALL);

        assert!(!homes.has(CALL));
        assert_eq!(homes.home(CALL), 2);
        assert!(!homes.may_say(2, &join()));
        assert!(homes.may_say(2, &QueueWord::CallerGone { call: CALL }), "it may be late");
    }

    #[test]
    fn a_call_that_has_ended_is_taken_over_by_nobody() {
        let mut homes = Homes::default();
        homes.note(CALL, 1, None);
        homes.ended(CALL);

        assert!(!homes.note(CALL, 2, Some(2)));

        assert!(!homes.has(CALL));
        assert_eq!(homes.home(CALL), CALL.node());
    }
}
