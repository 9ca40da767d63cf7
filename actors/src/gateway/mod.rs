//! The way between actors of different members. An address is a kind and a key; who runs it is
//! asked of [`Placement`] each time something is sent.
//!
//! Told words come in order and once while both members run; a word to a member that died is
//! lost, as one to an actor that crashed is. A question has a deadline and one answer.

mod floor;
pub mod machine;
#[cfg(test)]
mod tests;
pub mod words;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tandem_kernel::Clock;
use tandem_sip::net::Handle;
use tandem_telemetry::metric;
use tokio::sync::Notify;

use self::machine::{Inbox, Outbox};
pub(crate) use self::words::Dial;
use self::words::{Answer, Letter, Question, Reply, Word};
use crate::connections::Flows;
use crate::connections::words::FlowWord;
use crate::copies::Copies;
use crate::live::Live;
use crate::office::Refusal;
use crate::softphone::Softphones;
use crate::whereabouts::Whereabouts;

/// Largest letter or reply, in bytes: a queue with thousands of callers shows itself in one.
const MAX_LETTER: usize = 1 << 20;

/// How long a peer may take for a letter of words.
const TAKEN_WITHIN: Duration = Duration::from_secs(1);

/// How long others may take to go on with the calls of a member that died.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(5);

/// The wait before a letter that did not arrive is sent again.
const RETRY: Duration = Duration::from_millis(50);

/// A reply on its way; none: the member was not reached, or did not answer in time.
pub type Carried = Pin<Box<dyn Future<Output = Option<Bytes>> + Send>>;

/// Carries letters to other members.
pub trait Carrier: Send + Sync + 'static {
    /// Sends a letter to a member.
    fn carry(&self, member: u64, letter: Bytes, deadline: Duration) -> Carried;

    /// As [`carry`](Self::carry), where it delays nobody.
    fn carry_bulk(&self, member: u64, letter: Bytes, deadline: Duration) -> Carried;

    /// The level of the language that a member reads.
    fn level(&self, member: u64) -> u16;

    /// The level that all members read, also those that are not here just now.
    fn settled(&self) -> u16;
}

/// Begins a call; done when it has begun.
pub(crate) type Dialler =
    Arc<dyn Fn(Dial) -> Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>> + Send + Sync>;

struct Peer {
    outbox: Mutex<Outbox>,
    /// There is something to send.
    news: Notify,
}

/// The gateway of one member. Clones share it.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    carrier: Arc<dyn Carrier>,
    placed: Arc<Whereabouts>,
    live: Live,
    copies: Copies,
    phones: Softphones,
    dials: OnceLock<Dialler>,
    flows: OnceLock<Arc<Flows>>,
    peers: Mutex<BTreeMap<u64, Arc<Peer>>>,
    inboxes: Mutex<BTreeMap<u64, Inbox>>,
}

impl Gateway {
    /// A gateway to the actors of this member.
    #[must_use]
    pub fn new(
        carrier: Arc<dyn Carrier>,
        placed: Arc<Whereabouts>,
        live: Live,
        (copies, phones): (Copies, Softphones),
    ) -> Self {
        let (peers, inboxes) = (Mutex::default(), Mutex::default());
        let (dials, flows) = (OnceLock::new(), OnceLock::new());
        let inner = Inner { carrier, placed, live, copies, phones, dials, flows, peers, inboxes };
        Self(Arc::new(inner))
    }

    /// Who begins calls here for pages of other members. The first one stays.
    pub(crate) fn dials_by(&self, dialler: Dialler) {
        let _first = self.0.dials.set(dialler);
    }

    /// Lets the members send by each other's flows of phones; `own` is this one. The first
    /// endpoint stays.
    pub fn lend_flows(&self, own: u64, sip: &Handle, clock: Clock) {
        let flows = Arc::new(Flows::new(own, self.clone(), sip.clone(), clock));
        let _first = self.0.flows.set(flows.clone());
        sip.carried_by(flows);
    }

    /// The level of the members' language that a member reads.
    pub(crate) fn level(&self, member: u64) -> u16 {
        self.0.carrier.level(member)
    }

    /// Whether a member's build reads what the members say since a level; counts what is left
    /// unsaid.
    fn reads(&self, member: u64, since: u16) -> bool {
        let is_read = since <= self.level(member);
        if !is_read {
            metric::GATEWAY_UNSPOKEN.increment();
        }
        is_read
    }

    /// Tells a member of a phone's flow, if it is one and takes it. Never waits.
    pub(crate) fn tell_of_flow(&self, member: u64, word: FlowWord) -> bool {
        let word = Word::Flow(word);
        if !self.reads(member, word.since()) {
            return false;
        }
        let Some(peer) = self.0.peers.lock().get(&member).cloned() else { return false };
        let is_taken = peer.outbox.lock().add_of_flow(word);
        peer.news.notify_one();
        is_taken
    }

    /// Tells a member something. Never waits.
    pub(crate) fn tell(&self, member: u64, word: Word) {
        if !self.reads(member, word.since()) {
            return;
        }
        metric::GATEWAY_WORDS.increment();
        let peer = self.peer(member);
        if !peer.outbox.lock().add(word) {
            metric::GATEWAY_DROPPED.increment();
            *peer.outbox.lock() = Outbox::new(rand::random());
        }
        peer.news.notify_one();
    }

    /// Tells all members that somebody was told of.
    pub(crate) fn tell_all(&self, word: &Word) {
        let members: Vec<u64> = self.0.peers.lock().keys().copied().collect();
        for member in members {
            self.tell(member, word.clone());
        }
    }

    /// The members are these: who is new is told of the floor, who is gone is told nothing more.
    pub fn set_members(&self, members: &[u64]) {
        self.0.peers.lock().retain(|member, _| members.contains(member));
        for member in members {
            drop(self.peer(*member));
        }
        self.0.placed.forget_floors(members);
    }

    /// A member died: what waits for it is of no use to who comes back in its place.
    pub fn died(&self, member: u64) {
        if let Some(peer) = self.0.peers.lock().get(&member) {
            *peer.outbox.lock() = Outbox::new(rand::random());
        }
        self.0.phones.member_died(member);
        if let Some(flows) = self.0.flows.get() {
            flows.member_died(member);
        }
        let placed = self.0.placed.clone();
        let grave = placed.bury_floor(member);
        tandem_kernel::spawn("floor", async move {
            tokio::time::sleep(TAKEN_OVER_WITHIN).await;
            placed.forget_floor(grave);
        });
    }

    /// Asks a member; none: it was not reached, or did not answer in time.
    pub(crate) async fn ask(
        &self,
        member: u64,
        question: Question,
        within: Duration,
    ) -> Option<Answer> {
        if !self.reads(member, question.since()) {
            return None;
        }
        answered(self.0.carrier.carry(member, asked(question), within)).await
    }

    /// As [`ask`](Self::ask), for a piece of a file.
    pub(crate) async fn ask_bulk(
        &self,
        member: u64,
        question: Question,
        within: Duration,
    ) -> Option<Answer> {
        answered(self.0.carrier.carry_bulk(member, asked(question), within)).await
    }

    /// What may be written where all read it.
    pub(crate) fn settled_level(&self) -> u16 {
        self.0.carrier.settled()
    }

    /// All members but this one.
    pub(crate) fn members(&self) -> Vec<u64> {
        self.0.peers.lock().keys().copied().collect()
    }

    fn peer(&self, member: u64) -> Arc<Peer> {
        let mut peers = self.0.peers.lock();
        let begin = || {
            let outbox = Mutex::new(Outbox::new(rand::random()));
            let peer = Arc::new(Peer { outbox, news: Notify::new() });
            peer.news.notify_one();
            tandem_kernel::spawn("gateway", self.clone().post(member, Arc::clone(&peer)));
            peer
        };
        Arc::clone(peers.entry(member).or_insert_with(begin))
    }

    /// Sends what waits for a peer, until it is a peer no more.
    async fn post(self, member: u64, peer: Arc<Peer>) {
        loop {
            peer.outbox.lock().suit(self.0.carrier.level(member), rand::random);
            let letter = peer.outbox.lock().letter();
            let Some((session, first, mut words)) = letter else {
                peer.news.notified().await;
                continue;
            };
            for word in &mut words {
                if let Word::Floor(floor) = word {
                    *floor = self.0.placed.floor();
                }
            }
            let letter = tandem_wire::encode(&Letter::Words { session, first, words });
            match replied(self.0.carrier.carry(member, letter.into(), TAKEN_WITHIN)).await {
                Some(Reply::Taken(next)) => peer.outbox.lock().taken(session, next),
                Some(Reply::Unknown) => {
                    peer.outbox.lock().begin_anew(rand::random());
                }
                Some(Reply::Answered(_)) | None => {
                    let known = self.0.peers.lock().get(&member).cloned();
                    if known.is_none_or(|known| !Arc::ptr_eq(&known, &peer)) {
                        return;
                    }
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// Takes a member's letter; gives the reply. What can not be read has none.
    pub async fn take(&self, from: u64, letter: Bytes) -> Bytes {
        let reply = match tandem_wire::decode(&letter, MAX_LETTER) {
            Ok(Letter::Words { session, first, words }) => self.hear(from, session, first, words),
            Ok(Letter::Ask(question)) => Reply::Answered(self.answer(question).await),
            Err(error) => {
                tracing::warn!(from, %error, "a member's letter can not be read");
                metric::GATEWAY_DROPPED.increment();
                return Bytes::new();
            }
        };
        tandem_wire::encode(&reply).into()
    }

    /// The lock is held while the words are passed on, so that they stay in order.
    fn hear(&self, from: u64, session: u64, first: u64, words: Vec<Word>) -> Reply {
        let mut inboxes = self.0.inboxes.lock();
        let inbox = inboxes.entry(from).or_default();
        let Some(known) = inbox.take(session, first, words.len()) else { return Reply::Unknown };
        for word in words.into_iter().skip(known) {
            self.pass_on(from, word);
        }
        Reply::Taken(inbox.next())
    }
}

fn asked(question: Question) -> Bytes {
    tandem_wire::encode(&Letter::Ask(question)).into()
}

async fn answered(carried: Carried) -> Option<Answer> {
    match replied(carried).await? {
        Reply::Answered(answer) => Some(answer),
        Reply::Taken(_) | Reply::Unknown => None,
    }
}

async fn replied(carried: Carried) -> Option<Reply> {
    tandem_wire::decode(&carried.await?, MAX_LETTER).ok()
}
