//! Words between members, as the gateway carries them.

use std::rc::Rc;
use std::time::Duration;

use rand::Rng;
use tandem_actors::agent::machine as agent;
use tandem_actors::gateway::machine::{Outbox, speaker};
use tandem_actors::gateway::words::{Reply, Word};
use tandem_actors::queue::{Exit, QueueWord};
use tandem_actors::whereabouts::machine::OWN;
use tandem_kernel::CallId;

use super::actors::AT_ONCE;
use super::member::{Inner, Way};
use super::world::{Packet, World};
use super::{Broken, Outcome};

/// How long a peer may take for a letter of words.
const TAKEN_WITHIN: Duration = Duration::from_secs(1);

/// The wait before a letter that did not arrive is sent again.
const RETRY: Duration = Duration::from_millis(50);

impl World {
    /// Tells a member something.
    pub(super) fn tell_member(&mut self, id: u64, to: u64, word: Word) {
        let session = self.rng.random();
        let peer = self.of_mut(id).peers.get_mut(&to).unwrap();
        if !peer.outbox.add(word) {
            peer.outbox = Outbox::new(session);
        }
        self.post(id, to);
    }

    fn tell_all(&mut self, id: u64, word: &Word) {
        let others: Vec<u64> = self.of(id).peers.keys().copied().collect();
        for other in others {
            self.tell_member(id, other, word.clone());
        }
    }

    /// Sends what waits for a peer.
    pub(super) fn post(&mut self, id: u64, to: u64) {
        let (serial, floor) = (self.number(), self.of(id).floors.own());
        let peer = self.of_mut(id).peers.get_mut(&to).unwrap();
        if peer.flight.is_some() {
            return;
        }
        let Some((session, first, mut words)) = peer.outbox.letter() else { return };
        for word in &mut words {
            if let Word::Floor(told) = word {
                *told = floor.clone();
            }
        }
        peer.flight = Some((serial, session));
        let words: Rc<[Word]> = words.into();
        self.send(id, to, Packet::Letter { serial, session, first, words });
        self.later_at(id, TAKEN_WITHIN, Inner::LetterLate { to, serial });
    }

    pub(super) fn letter_late(&mut self, id: u64, to: u64, serial: u64) {
        let peer = self.of_mut(id).peers.get_mut(&to).unwrap();
        if peer.flight.is_some_and(|it| it.0 == serial) {
            peer.flight = None;
            self.later_at(id, RETRY, Inner::Post { to });
        }
    }

    pub(super) fn replied(&mut self, id: u64, to: u64, serial: u64, reply: Reply) {
        let session = self.rng.random();
        let peer = self.of_mut(id).peers.get_mut(&to).unwrap();
        let Some((_, sent)) = peer.flight.filter(|it| it.0 == serial) else { return };
        peer.flight = None;
        match reply {
            Reply::Taken(next) => peer.outbox.taken(sent, next),
            Reply::Unknown => peer.outbox.begin_anew(session),
            Reply::Answered(_) => {}
        }
        self.post(id, to);
    }

    pub(super) fn take_letter(
        &mut self,
        id: u64,
        from: u64,
        (serial, session, first): (u64, u64, u64),
        words: &[Word],
    ) -> Outcome<()> {
        let inbox = self.of_mut(id).inboxes.entry(from).or_default();
        let Some(known) = inbox.take(session, first, words.len()) else {
            self.send(id, from, Packet::Reply { serial, reply: Reply::Unknown });
            return Ok(());
        };
        let next = inbox.next();
        for word in &words[known..] {
            self.hear(id, from, word.clone())?;
        }
        self.send(id, from, Packet::Reply { serial, reply: Reply::Taken(next) });
        Ok(())
    }

    /// A word to one of a member's actors; an outdated owner's is dropped.
    fn hear(&mut self, id: u64, from: u64, word: Word) -> Outcome<()> {
        if let Some((kind, key, epoch)) = speaker(&word) {
            let is_moved = self.of(id).seat(kind, key).outdates(epoch);
            let is_last = self.of_mut(id).heard.note(kind, key, epoch);
            if (is_moved || !is_last) && self.plan.broken != Broken::IgnoresEpochs {
                self.report.outdated += 1;
                return Ok(());
            }
            self.check_heard(id, from, (kind, key), epoch)?;
        }
        if let Word::ToQueue { word, .. } = &word {
            self.of_mut(id).homes.heard(from, word);
        }
        match word {
            Word::ToQueue { ref word, .. } if !self.of(id).homes.may_say(from, word) => {
                if let Some(call) = word.speaks_for() {
                    self.tell_of(call, || format!("is not heard at {id} from {from}: {word:?}"));
                }
                self.report.outdated += 1;
            }
            Word::ToQueue { number, word, epoch: _ } => {
                let queue = self.queue_at(&number);
                let way = match &word {
                    QueueWord::Join { stay, .. } => Some(Way { home: from, stay: Some(*stay) }),
                    _ => None,
                };
                self.later_at(id, AT_ONCE, Inner::Heard { queue, word, way });
            }
            Word::ToAgent { extension, queue, epoch: _, message } => {
                let agent = self.agent_at(&extension);
                let input = agent::Input::Queue { queue, message };
                self.later_at(id, AT_ONCE, Inner::AgentTold(agent, input));
            }
            Word::ToCall { call, queue, stay, epoch: _, notice } => {
                if self.of(id).lines.contains_key(&call) {
                    self.later_at(id, AT_ONCE, Inner::CallTold { call, stay, notice });
                } else if self.of(id).homes.home(call) == id && !self.of(id).has(call) {
                    let word = QueueWord::CallerLeft { call, reason: Exit::System };
                    let queue = self.queue_at(&queue);
                    self.tell_queue(id, queue, word, None);
                }
            }
            Word::InCall { extension, call } => {
                let change = self.of_mut(id).floors.in_call_at(from, &extension, call);
                self.tell_agents(id, [change]);
            }
            Word::OutOfCall { extension, call } => {
                let change = self.of_mut(id).floors.out_of_call_at(from, &extension, call);
                self.tell_agents(id, change);
            }
            Word::Floor(floor) => {
                let changes = self.of_mut(id).floors.floor_at(from, &floor);
                self.tell_agents(id, changes);
            }
            Word::Browser { .. }
            | Word::ToPhone { .. }
            | Word::FromPhone { .. }
            | Word::Flow(_) => {}
        }
        Ok(())
    }

    /// An agent's phone is in a call of a member.
    pub(super) fn in_call(&mut self, id: u64, agent: usize, call: CallId) {
        let extension = format!("{}", 2000 + agent);
        let change = self.of_mut(id).floors.in_call_at(OWN, &extension, call);
        self.tell_agents(id, [change]);
        self.tell_all(id, &Word::InCall { extension, call });
    }

    /// It is not any more.
    pub(super) fn out_of_call(&mut self, id: u64, agent: usize, call: CallId) {
        let extension = format!("{}", 2000 + agent);
        let change = self.of_mut(id).floors.out_of_call_at(OWN, &extension, call);
        self.tell_agents(id, change);
        self.tell_all(id, &Word::OutOfCall { extension, call });
    }
}
