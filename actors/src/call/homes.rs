//! Which member has which call, as the journal tells it, and who may speak for a call. Pure.

use std::collections::BTreeMap;

use tandem_kernel::{CallId, Newest};

use crate::queue::QueueWord;

/// Calls whose end is remembered, so that a word about one that was long on its way is told apart
/// from one about a call that nothing is known of yet.
const MOST_OVER: usize = 8_192;

/// What is known of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Home {
    /// Of the last fact.
    version: u64,
    /// Who has taken it over last.
    taken_by: Option<u64>,
    /// Who had taken it over before.
    before: Vec<u64>,
    /// Who says that it has taken it over, which is not read here yet.
    coming: Option<u64>,
}

impl Home {
    fn taken(&mut self, by: u64) {
        self.before.extend(self.taken_by.replace(by));
        self.coming.take_if(|coming| *coming == by);
    }
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
        if let Some(by) = taken_by {
            home.taken(by);
        }
        true
    }

    /// A member's word is heard. One that says that a call goes on there has taken it over, by a
    /// fact that may be read here later: from now on nobody else speaks for the call.
    pub fn heard(&mut self, member: u64, word: &QueueWord) {
        let QueueWord::Moved { call } = word else { return };
        let Some(home) = self.going.get_mut(call) else { return };
        // What of its facts is read here it may have said before it has lost the call again.
        let is_read =
            call.node() == member || home.taken_by == Some(member) || home.before.contains(&member);
        home.coming = Some(member).filter(|_| !is_read);
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
            Some(home) => home.coming.or(home.taken_by).is_none_or(|by| by == member),
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
    fn who_says_that_a_call_goes_on_there_is_believed_before_the_fact_is_read() {
        let mut homes = Homes::default();
        homes.note(CALL, 1, None);
        let gone = QueueWord::CallerGone { call: CALL };

        homes.heard(2, &QueueWord::Moved { call: CALL });
        assert!(!homes.may_say(1, &gone) && homes.may_say(2, &gone));
        assert_eq!(homes.home(CALL), CALL.node(), "that is the journal's to say");
        homes.note(CALL, 2, Some(2));
        homes.note(CALL, 3, Some(3));
        assert!(!homes.may_say(2, &gone) && homes.may_say(3, &gone));

        homes.heard(2, &QueueWord::Moved { call: CALL });
        assert!(!homes.may_say(2, &gone) && homes.may_say(3, &gone), "it was long on its way");
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
