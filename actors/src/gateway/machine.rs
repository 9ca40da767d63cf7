//! Words to one member: in order, each once, for as long as both run; and whose word it is. Pure.

use std::collections::VecDeque;

use tandem_journal::Kind;

use super::words::{Floor, Word};
use crate::entity;
use crate::queue::QueueWord;

/// Words that may wait. A member that does not take them for so long is gone for its neighbours;
/// what it needs when it comes back is the floor.
const MOST_WAITING: usize = 8_192;

/// Words about phones' flows that may wait. They are dropped before anything else: a phone sends
/// again, or its call fails.
const MOST_OF_FLOWS: usize = 1_024;

/// Words in one letter.
const TOGETHER: usize = 128;

/// What the messages in one letter may weigh together, in bytes; one is always sent.
const WEIGHT: usize = 256 * 1024;

/// The sender's side.
#[derive(Debug)]
pub struct Outbox {
    session: u64,
    first: u64,
    waiting: VecDeque<Word>,
    /// How many of those that wait are about flows.
    of_flows: usize,
}

impl Outbox {
    /// One whose first word is the floor, which is filled in when it is sent.
    #[must_use]
    pub fn new(session: u64) -> Self {
        let waiting = VecDeque::from([Word::Floor(Floor::default())]);
        Self { session, first: 0, waiting, of_flows: 0 }
    }

    /// Adds a word; false: too many wait, and it has to begin anew.
    pub fn add(&mut self, word: Word) -> bool {
        let fits = self.waiting.len() < MOST_WAITING;
        if fits {
            self.waiting.push_back(word);
        }
        fits
    }

    /// Adds a word about a flow; false: too many wait, and this one is dropped.
    pub(super) fn add_of_flow(&mut self, word: Word) -> bool {
        let fits = self.of_flows < MOST_OF_FLOWS && self.add(word);
        self.of_flows += usize::from(fits);
        fits
    }

    /// The next letter: session, number of the first word, words. None: nothing waits.
    #[must_use]
    pub fn letter(&self) -> Option<(u64, u64, Vec<Word>)> {
        let mut weight = 0;
        let fits = |word: &&Word| {
            let is_first = weight == 0;
            weight += word.weight();
            is_first || weight <= WEIGHT
        };
        let words: Vec<Word> =
            self.waiting.iter().take(TOGETHER).take_while(fits).cloned().collect();
        (!words.is_empty()).then_some((self.session, self.first, words))
    }

    /// A peer that came back as an older build does not read all that waits.
    pub(super) fn suit(&mut self, level: u16, session: impl FnOnce() -> u64) {
        let is_read = |word: &Word| word.since() <= level;
        if !self.waiting.iter().take(TOGETHER).all(is_read) {
            self.waiting.retain(is_read);
            let is_of_flow = |word: &&Word| matches!(word, Word::Flow(_));
            self.of_flows = self.waiting.iter().filter(is_of_flow).count();
            self.begin_anew(session());
        }
    }

    /// The peer has all words before `next` of a session.
    pub fn taken(&mut self, session: u64, next: u64) {
        while session == self.session && self.first < next && !self.waiting.is_empty() {
            let word = self.waiting.pop_front();
            self.of_flows -= usize::from(matches!(word, Some(Word::Flow(_))));
            self.first += 1;
        }
    }

    /// The peer has lost what it knew: what waits is sent behind the floor.
    pub fn begin_anew(&mut self, session: u64) {
        self.session = session;
        self.first = 0;
        self.waiting.retain(|word| !matches!(word, Word::Floor(_)));
        self.waiting.push_front(Word::Floor(Floor::default()));
    }
}

/// The receiver's side.
#[derive(Debug, Default)]
pub struct Inbox {
    session: u64,
    next: u64,
}

impl Inbox {
    /// Which words of a letter are new: how many to pass over. None: words before are missing.
    pub fn take(&mut self, session: u64, first: u64, count: usize) -> Option<usize> {
        if session != self.session {
            if first != 0 {
                return None;
            }
            (self.session, self.next) = (session, 0);
        }
        let known = self.next.checked_sub(first)?;
        let known = usize::try_from(known).unwrap_or(usize::MAX).min(count);
        self.next = self.next.max(first + u64::try_from(count).unwrap_or(u64::MAX));
        Some(known)
    }

    /// The number of the word that comes next.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.next
    }
}

/// Which owner says a word, and since when it is one: who hears it drops it when the entity has
/// been moved since. None: the word is no owner's.
#[must_use]
pub fn speaker(word: &Word) -> Option<(Kind, &str, u64)> {
    match word {
        Word::ToQueue { word: QueueWord::Agent { agent, .. }, epoch: Some(epoch), .. } => {
            Some((entity::AGENT, agent, *epoch))
        }
        Word::ToAgent { queue, epoch, .. } | Word::ToCall { queue, epoch, .. } => {
            Some((entity::QUEUE, queue, *epoch))
        }
        _ => None,
    }
}
