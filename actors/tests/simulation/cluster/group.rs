//! The modelled journal of one member: votes, a log, what a quorum has of it. What the log makes
//! of appends is the real referee's (`tandem_journal::memory`).
//!
//! As in the real one a member that heard of a leader lately votes for nobody, an entry counts
//! where it is synced, and what was not synced is lost with the power.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use tandem_journal::{Append, Timing};
use tandem_kernel::Timestamp;

/// The wait before entries that are not answered are sent again.
const AGAIN: Duration = Duration::from_millis(100);

/// One append on its way.
#[derive(Clone, Debug)]
pub(crate) struct Proposal {
    pub append: Append,
    pub at: Timestamp,
    /// Whose append it is.
    pub by: u64,
}

/// The appends of one entry, and who waits for what becomes of them.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub term: u64,
    pub proposals: Rc<[Proposal]>,
    pub asked: (u64, u64),
}

/// What members say to each other.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    Vote { term: u64, last: (u64, usize), pre: bool },
    Voted { term: u64, pre: bool, granted: bool },
    Append { term: u64, at: usize, before: u64, entries: Vec<Entry>, commit: usize, asked: Asked },
    Appended { term: u64, fits: bool, len: usize, asked: Timestamp },
}

/// When the leader asked, and the age of its last contact with the asked member and a quorum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub at: Timestamp,
    pub age: Duration,
    /// Whether it has committed an entry of its own, and so knows what those before it have.
    pub knows: bool,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Out {
    Say(u64, Say),
    /// Sync the log up to this length; then say it. A contact counts by then.
    Sync {
        mark: Mark,
        then: Option<(u64, Say)>,
        contact: Option<Seen>,
    },
}

/// A contact: when it was asked for, and how much was committed by then; none: it is not known.
pub(crate) type Seen = (Timestamp, Option<usize>);

/// A length of the log, and the term of its last entry: by both the log is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    upto: usize,
    term: u64,
}

#[derive(Debug)]
pub(crate) enum Role {
    Follower,
    Candidate { pre: bool, votes: BTreeSet<u64> },
    Leader { next: BTreeMap<u64, usize>, held: BTreeMap<u64, usize> },
}

#[derive(Debug)]
pub(crate) struct Replica {
    pub own: u64,
    voters: Rc<[u64]>,
    members: Rc<[u64]>,
    timing: Timing,
    pub term: u64,
    voted: Option<u64>,
    pub log: Vec<Entry>,
    pub synced: usize,
    pub commit: usize,
    told: usize,
    pub applied: usize,
    pub role: Role,
    pub leader: Option<u64>,
    heard: Timestamp,
    patience: Duration,
    /// The last contact that proves a quorum, at a follower.
    contact: Option<Timestamp>,
    /// At the leader: when each member was asked the last question that it answered.
    answered: BTreeMap<u64, Timestamp>,
    /// When it was elected, and the length of the log with its first entry.
    won: Timestamp,
    first: usize,
    beat: Timestamp,
    sent: Timestamp,
    /// The last tick and the one before.
    beats: (Timestamp, Timestamp),
    /// Whether a contact counts from when it is heard, and whatever is applied, as it should not.
    pub counts_when_heard: bool,
    pub counts_when_behind: bool,
    /// A contact that counts when so much is applied.
    behind: Option<(usize, Timestamp)>,
}

impl Replica {
    pub(crate) fn new(own: u64, voters: Rc<[u64]>, members: Rc<[u64]>, now: Timestamp) -> Self {
        Self {
            own,
            voters,
            members,
            timing: Timing::default(),
            term: 0,
            voted: None,
            log: Vec::new(),
            synced: 0,
            commit: 0,
            told: 0,
            applied: 0,
            role: Role::Follower,
            leader: None,
            heard: now,
            patience: Timing::default().election_max,
            contact: None,
            answered: BTreeMap::new(),
            won: now,
            first: 0,
            beat: now,
            sent: now,
            beats: (now, now),
            counts_when_heard: false,
            counts_when_behind: false,
            behind: None,
        }
    }

    /// The power goes and comes back.
    pub(crate) fn restart(&mut self, now: Timestamp) {
        self.log.truncate(self.synced);
        self.commit = self.applied;
        (self.role, self.leader, self.contact) = (Role::Follower, None, None);
        self.behind = None;
        (self.heard, self.beats) = (now, (now, now));
        self.answered.clear();
    }

    pub(crate) const fn leads(&self) -> bool {
        matches!(self.role, Role::Leader { .. })
    }

    /// The age of the last contact that proves a quorum.
    pub(crate) fn contact_age(&self, now: Timestamp) -> Option<Duration> {
        // A leader knows what was committed before it when it has applied an entry of its own.
        let has_begun = self.leads() && (self.applied >= self.first || self.counts_when_behind);
        let at = if has_begun { self.quorum_answered(now) } else { self.contact };
        at.map(|at| now.since(at))
    }

    fn quorum_answered(&self, now: Timestamp) -> Option<Timestamp> {
        let others = self.voters.iter().filter(|it| **it != self.own);
        let mut at: Vec<_> = others.map(|it| self.answered.get(it).copied()).collect();
        at.sort_unstable_by(|one, other| other.cmp(one));
        match self.quorum().checked_sub(2) {
            None => Some(now),
            Some(place) => at.get(place).copied().flatten(),
        }
    }

    fn quorum(&self) -> usize {
        self.voters.len() / 2 + 1
    }

    /// How long ago each other member was asked the last question that it answered.
    pub(crate) fn answers(&self, now: Timestamp) -> BTreeMap<u64, Duration> {
        self.answered.iter().map(|(node, at)| (*node, now.since(*at))).collect()
    }

    /// Where an entry comes to stand, if this member leads.
    pub(crate) fn propose(&mut self, now: Timestamp, entry: Entry, out: &mut Vec<Out>) -> bool {
        if !self.leads() {
            return false;
        }
        self.log.push(Entry { term: self.term, ..entry });
        out.push(Out::Sync { mark: self.mark(self.log.len()), then: None, contact: None });
        self.replicate(now, out);
        true
    }

    fn mark(&self, upto: usize) -> Mark {
        Mark { upto, term: upto.checked_sub(1).map_or(0, |last| self.log[last].term) }
    }

    fn last(&self) -> (u64, usize) {
        (self.log.last().map_or(0, |entry| entry.term), self.log.len())
    }

    /// Time passes.
    pub(crate) fn tick(&mut self, now: Timestamp, chance: u64, out: &mut Vec<Out>) {
        self.beats = (now, self.beats.0);
        if self.leads() {
            if now.since(self.beat) >= self.timing.heartbeat {
                self.beat(now, out);
            }
            if now.since(self.sent) >= AGAIN && self.is_behind() {
                self.replicate(now, out);
            }
            return;
        }
        if !self.voters.contains(&self.own) || now.since(self.heard) < self.patience {
            return;
        }
        let Timing { election_min, election_max, .. } = self.timing;
        let spread = u64::try_from((election_max - election_min).as_millis()).unwrap();
        self.patience = election_min + Duration::from_millis(chance % spread);
        self.heard = now;
        self.leader = None;
        self.campaign(true, now, out);
    }

    /// In words.
    pub(crate) fn stand(&self) -> String {
        let Self { own, term, commit, applied, synced, leader, .. } = self;
        let len = self.log.len();
        format!("{own}: {leader:?} leads {term}, {applied} of {commit}, {synced} of {len}")
    }

    fn is_behind(&self) -> bool {
        let Role::Leader { next, .. } = &self.role else { return false };
        next.values().any(|next| *next < self.log.len())
    }

    fn campaign(&mut self, pre: bool, now: Timestamp, out: &mut Vec<Out>) {
        if !pre {
            self.term += 1;
            self.voted = Some(self.own);
        }
        let term = if pre { self.term + 1 } else { self.term };
        self.role = Role::Candidate { pre, votes: [self.own].into() };
        for other in self.voters.iter().filter(|it| **it != self.own) {
            out.push(Out::Say(*other, Say::Vote { term, last: self.last(), pre }));
        }
        self.count(now, out);
    }

    fn count(&mut self, now: Timestamp, out: &mut Vec<Out>) {
        let Role::Candidate { pre, votes } = &self.role else { return };
        if votes.len() < self.quorum() {
            return;
        }
        if *pre {
            return self.campaign(false, now, out);
        }
        let all = || self.members.iter().filter(|it| **it != self.own);
        let next = all().map(|it| (*it, self.log.len())).collect();
        let held = all().map(|it| (*it, 0)).collect();
        self.role = Role::Leader { next, held };
        self.leader = Some(self.own);
        self.answered.clear();
        (self.won, self.first) = (now, self.log.len() + 1);
        // What those before have left is committed with an entry of its own.
        let empty = Entry { term: self.term, proposals: Rc::new([]), asked: (0, 0) };
        self.propose(now, empty, out);
    }

    /// A sign of life to all, which no disk holds up.
    fn beat(&mut self, now: Timestamp, out: &mut Vec<Out>) {
        self.beat = now;
        let Role::Leader { held, .. } = &self.role else { return };
        for (other, at) in held {
            out.push(self.append(now, *other, *at, 0));
        }
    }

    fn replicate(&mut self, now: Timestamp, out: &mut Vec<Out>) {
        self.sent = now;
        let Role::Leader { next, .. } = &self.role else { return };
        for (other, at) in next {
            out.push(self.append(now, *other, *at, 64));
        }
    }

    fn replicate_to(&self, now: Timestamp, other: u64, out: &mut Vec<Out>) {
        let Role::Leader { next, .. } = &self.role else { return };
        if let Some(at) = next.get(&other) {
            out.push(self.append(now, other, *at, 64));
        }
    }

    fn append(&self, now: Timestamp, other: u64, at: usize, most: usize) -> Out {
        let since_won = now.since(self.won);
        let of_quorum = self.quorum_answered(now).map_or(since_won, |at| now.since(at));
        let of_target = self.answered.get(&other).map_or(since_won, |at| now.since(*at));
        let knows = self.commit >= self.first || self.counts_when_behind;
        let asked = Asked { at: now, age: of_quorum.max(of_target), knows };
        let before = at.checked_sub(1).map_or(0, |last| self.log[last].term);
        let entries = self.log[at..].iter().take(most).cloned().collect();
        let (term, commit) = (self.term, self.commit);
        Out::Say(other, Say::Append { term, at, before, entries, commit, asked })
    }

    /// A newer term is known: whoever led leads no more.
    fn adopt(&mut self, term: u64) {
        if term > self.term {
            (self.term, self.voted, self.leader) = (term, None, None);
            self.role = Role::Follower;
        }
    }

    pub(crate) fn hear(&mut self, now: Timestamp, from: u64, say: Say, out: &mut Vec<Out>) {
        match say {
            Say::Vote { term, last, pre } => self.asked_to_vote(now, from, (term, last, pre), out),
            Say::Voted { term, pre, granted } => {
                if !pre || !granted {
                    self.adopt(term);
                }
                let own = self.term + u64::from(pre);
                if let Role::Candidate { pre: asked, votes } = &mut self.role
                    && granted
                    && (*asked, own) == (pre, term)
                {
                    votes.insert(from);
                    self.count(now, out);
                }
            }
            Say::Append { term, at, before, entries, commit, asked } => {
                if term < self.term {
                    let (fits, len) = (false, at);
                    let say = Say::Appended { term: self.term, fits, len, asked: asked.at };
                    return out.push(Out::Say(from, say));
                }
                self.adopt(term);
                (self.role, self.leader, self.heard) = (Role::Follower, Some(from), now);
                self.take(now, from, (at, before, entries, commit), asked, out);
            }
            Say::Appended { term, fits, len, asked } => {
                self.adopt(term);
                if term == self.term {
                    self.answered(now, from, fits, len, asked, out);
                }
            }
        }
    }

    fn asked_to_vote(
        &mut self,
        now: Timestamp,
        from: u64,
        (term, last, pre): (u64, (u64, usize), bool),
        out: &mut Vec<Out>,
    ) {
        let is_led = match self.role {
            Role::Leader { .. } => {
                let answered = self.quorum_answered(now);
                answered.is_some_and(|at| now.since(at) < self.timing.election_min)
            }
            _ => self.leader.is_some() && now.since(self.heard) < self.timing.election_min,
        };
        let mut granted = !is_led && term > self.term && last >= self.last();
        if !pre && !is_led {
            self.adopt(term);
            granted = term == self.term
                && last >= self.last()
                && self.voted.is_none_or(|voted| voted == from);
            if granted {
                (self.voted, self.heard) = (Some(from), now);
            }
        }
        let told = if granted { term } else { self.term };
        out.push(Out::Say(from, Say::Voted { term: told, pre, granted }));
    }

    fn take(
        &mut self,
        now: Timestamp,
        from: u64,
        (at, before, entries, commit): (usize, u64, Vec<Entry>, usize),
        asked: Asked,
        out: &mut Vec<Out>,
    ) {
        let came = if self.counts_when_heard { now } else { self.beats.1 };
        let contact = (came - asked.age, asked.knows.then_some(commit));
        let term = self.term;
        let known = at.checked_sub(1).map_or(Some(0), |last| self.log.get(last).map(|it| it.term));
        if known != Some(before) {
            let len = self.log.len().min(at.saturating_sub(1));
            let say = Say::Appended { term, fits: false, len, asked: asked.at };
            return out.push(Out::Say(from, say));
        }
        let upto = at + entries.len();
        let mut is_new = false;
        for (place, entry) in (at..).zip(entries) {
            if self.log.get(place).is_some_and(|known| known.term == entry.term) {
                continue;
            }
            self.log.truncate(place);
            self.synced = self.synced.min(place);
            self.log.push(entry);
            is_new = true;
        }
        self.commit = self.commit.max(commit.min(upto));
        let say = Say::Appended { term, fits: true, len: upto, asked: asked.at };
        if is_new {
            out.push(Out::Sync {
                mark: self.mark(upto),
                then: Some((from, say)),
                contact: Some(contact),
            });
        } else if self.synced >= upto {
            // What is on its way to the disk is answered when it is there.
            self.note_contact(now, contact);
            out.push(Out::Say(from, say));
        }
    }

    /// The disk has the log up to a mark, unless another leader has cut it since; false then.
    pub(crate) fn synced(&mut self, now: Timestamp, mark: Mark, contact: Option<Seen>) -> bool {
        let holds = self.log.len() >= mark.upto && self.mark(mark.upto).term == mark.term;
        if holds {
            self.synced = self.synced.max(mark.upto);
            if let Some(contact) = contact {
                self.note_contact(now, contact);
            }
            self.advance();
        }
        holds
    }

    /// As in the real one: after a pause a contact counts when what was committed is applied.
    fn note_contact(&mut self, now: Timestamp, (asked, committed): Seen) {
        let lease = self.timing.election_max;
        let goes_on = self.contact.is_some_and(|at| now.since(at) < lease);
        let knows = committed.is_some_and(|committed| self.applied >= committed);
        if goes_on || knows || self.counts_when_behind {
            self.contact = self.contact.max(Some(asked));
            self.behind = None;
            return;
        }
        let Some(committed) = committed else { return };
        let (needed, then) = *self.behind.get_or_insert((committed, asked));
        if self.applied >= needed {
            self.contact = self.contact.max(Some(then));
            self.behind = Some((committed, asked));
        }
    }

    fn answered(
        &mut self,
        now: Timestamp,
        from: u64,
        fits: bool,
        len: usize,
        asked: Timestamp,
        out: &mut Vec<Out>,
    ) {
        let Role::Leader { next, held } = &mut self.role else { return };
        let last = self.answered.entry(from).or_insert(asked);
        *last = (*last).max(asked);
        if fits {
            let most = held.entry(from).or_default();
            *most = (*most).max(len);
            let next = next.entry(from).or_default();
            *next = (*next).max(*most);
        } else {
            next.insert(from, len.min(self.log.len()));
        }
        self.advance();
        if fits {
            self.tell_commit(now, out);
        } else {
            // Who has fallen behind is asked again, and nobody else: two that are behind would have
            // each other asked by every answer, twice as often each time.
            self.replicate_to(now, from, out);
        }
    }

    /// The others learn at once what is committed.
    pub(crate) fn tell_commit(&mut self, now: Timestamp, out: &mut Vec<Out>) {
        if self.leads() && self.commit > self.told {
            self.told = self.commit;
            self.replicate(now, out);
        }
    }

    /// What a quorum holds of this term is for ever.
    fn advance(&mut self) {
        let Role::Leader { held, .. } = &self.role else { return };
        let of = |node: &u64| if *node == self.own { self.synced } else { held[node] };
        let mut all: Vec<usize> = self.voters.iter().map(of).collect();
        all.sort_unstable_by(|one, other| other.cmp(one));
        let upto = all[self.quorum() - 1];
        if upto > self.commit && self.log[upto - 1].term == self.term {
            self.commit = upto;
        }
    }

    /// The next entry that is committed and held here.
    pub(crate) fn next_applied(&mut self) -> Option<(usize, Entry)> {
        let upto = self.commit.min(self.synced);
        let place = self.applied;
        (place < upto).then(|| {
            self.applied += 1;
            (place, self.log[place].clone())
        })
    }
}
