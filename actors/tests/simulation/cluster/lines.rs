//! Callers: each at the member where the call came, until that member dies and another goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::Rng;
use serde::{Deserialize, Serialize};
use tandem_actors::entity;
use tandem_actors::queue::{Exit, OfferEnd, OfferId, Party, QueueNotice, QueueWord};
use tandem_journal::{Append, AppendError, Entity, Record};
use tandem_kernel::{CallId, Timestamp};

use super::Outcome;
use super::desk::Then;
use super::member::{Inner, Way};
use super::world::{Event, Told, World, bytes};
use crate::calls::{CallModel, Reaction, Stage};

/// How long a call waits for the word that it is in, and how often it asks.
const ASKS: Duration = Duration::from_millis(500);
const MOST_ASKS: u32 = 60;

/// How long a call's last word may be on its way when the journal has its end.
pub(super) const HEARD_BY_THEN: Duration = Duration::from_secs(5);

/// Between two looks for a call's newest picture.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Between two looks of a member that is cut off, whether it is heard again.
const LOOK_FOR_QUORUM: Duration = Duration::from_millis(100);

/// How long after a call was taken over each far end is asked once more.
const OFFERED_AGAIN: Duration = Duration::from_secs(35);

/// Between two tries of somebody to hang up whose call is at no member just now.
const HANGS_UP_AGAIN: Duration = Duration::from_secs(1);

/// How long a member that was cut off may take to read what became of its calls.
pub(super) const GIVEN_BACK_BY_THEN: Duration = Duration::from_millis(500);

/// What is kept of a call, so that another member can go on with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Scene {
    Waiting,
    Talking { agent: usize, offer: OfferId, since: Timestamp },
    TakenOver { by: u64 },
    Begun { by: u64 },
}

/// A call begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Passing {
    Begun,
    Ended,
}

impl Passing {
    pub(super) fn entity(key: &str) -> Entity {
        Entity::new(entity::PICTURE, key)
    }
}

/// A call at a member.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) model: CallModel,
    /// Of what is kept of it.
    version: u64,
    asks: u32,
}

/// Who calls.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) queue: usize,
    /// The member that has their dialog.
    pub(super) at: u64,
    has_hung_up: bool,
    pub(super) is_over: bool,
}

impl World {
    pub(super) fn somebody_calls(&mut self) -> Outcome<()> {
        if self.is_healed {
            return Ok(());
        }
        let spread = self.plan.between_ms * 2;
        let next = self.millis(0..spread);
        self.later(next, Event::Call);
        let id = self.any_member();
        if !self.of(id).is_up || self.now < self.of(id).frozen_until {
            return Ok(());
        }
        self.report.calls += 1;
        let call = CallId::from_u128(u128::from(self.report.calls) << 16 | u128::from(id));
        let queue = self.rng.random_range(0..self.queues.len());
        let person = Person { queue, at: id, has_hung_up: false, is_over: false };
        self.persons.insert(call, person);
        let line = Line { model: CallModel::new(queue), version: 0, asks: 0 };
        self.of_mut(id).lines.insert(call, line);
        self.keep_passing(id, call, Passing::Begun);
        self.picture(id, call, Scene::Waiting);
        self.ask(id, call);
        let patience = self.millis(10_000..90_000);
        self.later(patience, Event::HangsUp(call));
        Ok(())
    }

    fn keep_passing(&mut self, id: u64, call: CallId, passing: Passing) {
        let append = Append {
            entity: entity::call(call),
            expected: None,
            epoch: 0,
            op_id: None,
            events: bytes(&passing),
        };
        self.propose(id, append, None, Then::Nothing);
    }

    pub(super) fn keep(
        &mut self,
        id: u64,
        entity: Entity,
        expected: Option<u64>,
        scene: &Scene,
        then: Then,
    ) {
        let append = Append { entity, expected, epoch: 0, op_id: None, events: bytes(scene) };
        self.propose(id, append, None, then);
    }

    fn picture(&mut self, id: u64, call: CallId, scene: Scene) {
        let Some(line) = self.of_mut(id).lines.get_mut(&call) else { return };
        let expected = line.version;
        line.version += 1;
        let entity = Passing::entity(&call.to_string());
        self.keep(id, entity, Some(expected), &scene, Then::Picture(call));
    }

    /// Who finds that another member keeps the call has lost it.
    pub(super) fn pictured(&mut self, id: u64, call: CallId, told: &Told) {
        if matches!(told, Err(AppendError::VersionConflict { .. })) {
            self.drop_call(id, call);
        }
    }

    pub(super) fn take_scene(&mut self, id: u64, record: &Record) {
        let Ok(call) = record.entity.key.parse::<CallId>() else { return };
        let scene: Scene = entity::decode(&record.event).unwrap();
        let at = self.of_mut(id);
        let taken_by = match scene {
            Scene::TakenOver { by } => Some(by),
            Scene::Waiting | Scene::Talking { .. } | Scene::Begun { .. } => None,
        };
        if !at.homes.note(call, record.version, taken_by) {
            return;
        }
        match taken_by {
            Some(by) => self.taken_over(id, call, by),
            None => {
                if let Scene::Talking { agent, since, .. } = scene {
                    self.count_talk(id, call, (agent, since));
                }
                self.of_mut(id).scenes.insert(call, scene);
            }
        }
    }

    pub(super) fn take_passing(&mut self, id: u64, record: &Record) {
        let call: CallId = record.entity.key.parse().unwrap();
        let at = self.of_mut(id);
        match entity::decode(&record.event).unwrap() {
            Passing::Begun => drop(at.open.insert(call)),
            Passing::Ended => {
                at.open.remove(&call);
                at.homes.ended(call);
                at.answers.ended(call, Duration::from_secs(1));
                at.scenes.remove(&call);
                let knows = at.sinks.iter().filter(|(_, sinks)| sinks.contains_key(&call));
                let queues: Vec<usize> = knows.map(|(queue, _)| *queue).collect();
                for queue in queues {
                    self.later_at(id, HEARD_BY_THEN, Inner::Lost { queue, call });
                }
            }
        }
    }

    fn say(&mut self, id: u64, call: CallId, word: QueueWord) {
        let queue = self.persons[&call].queue;
        self.tell_of(call, || format!("says at {id}: {word:?}"));
        let way = matches!(word, QueueWord::Join { .. }).then_some(Way { home: id, stay: Some(1) });
        self.tell_queue(id, queue, word, way);
    }

    fn ask(&mut self, id: u64, call: CallId) {
        let line = self.of_mut(id).lines.get_mut(&call).unwrap();
        line.asks += 1;
        let asks = line.asks;
        let (caller, caller_name) = (format!("09{call}"), String::new());
        self.say(id, call, QueueWord::Join { call, stay: 1, caller, caller_name });
        self.later_at(id, ASKS, Inner::Ask(call, asks));
    }

    pub(super) fn ask_again(&mut self, id: u64, call: CallId, asks: u32) {
        let Some(line) = self.of(id).lines.get(&call).filter(|line| line.asks == asks) else {
            return;
        };
        match line.model.stage {
            Stage::Waiting { joined: false, .. } if asks < MOST_ASKS => self.ask(id, call),
            Stage::Waiting { joined: false, .. } => self.leave(id, call, Exit::System),
            _ => {}
        }
    }

    /// A caller leaves unanswered and says so.
    fn leave(&mut self, id: u64, call: CallId, reason: Exit) {
        let word = match reason {
            Exit::CallerHangup => QueueWord::CallerGone { call },
            reason => QueueWord::CallerLeft { call, reason },
        };
        self.say(id, call, word);
        self.end(id, call);
    }

    fn end(&mut self, id: u64, call: CallId) {
        self.of_mut(id).lines.remove(&call);
        if self.may_speak(id) {
            self.keep_passing(id, call, Passing::Ended);
        } else {
            self.ended_unheard(id, call);
        }
        let person = self.persons.get_mut(&call).unwrap();
        if person.at == id {
            person.is_over = true;
        }
    }

    /// That a call has ended at a member that is cut off is said when it is known whose it is.
    pub(super) fn ended_unheard(&mut self, id: u64, call: CallId) {
        if self.may_speak(id) {
            self.later_at(id, GIVEN_BACK_BY_THEN, Inner::EndedFor(call));
        } else {
            self.later_at(id, LOOK_FOR_QUORUM, Inner::EndedUnheard(call));
        }
    }

    pub(super) fn ended_for(&mut self, id: u64, call: CallId) {
        if self.of(id).homes.home(call) == id {
            self.keep_passing(id, call, Passing::Ended);
        }
    }

    /// The call is another member's: not a word more, and nobody rings for it here.
    pub(super) fn drop_call(&mut self, id: u64, call: CallId) {
        if self.of(id).homes.home(call) == id {
            // It was given back.
            return;
        }
        let Some(line) = self.of_mut(id).lines.remove(&call) else { return };
        self.tell_of(call, || format!("is dropped at {id}"));
        self.talk_lost(id, Some(call));
        if let Stage::Talking { agent, .. } = line.model.stage {
            self.out_of_call(id, agent, call);
        }
    }

    pub(super) fn notice(&mut self, id: u64, call: CallId, stay: Option<u32>, notice: QueueNotice) {
        let now = self.now;
        self.tell_of(call, || format!("hears at {id}: {notice:?}"));
        let Some(line) = self.of_mut(id).lines.get_mut(&call) else { return };
        debug_assert!(stay.is_none_or(|stay| stay == 1));
        let Stage::Waiting { joined, rings } = &mut line.model.stage else {
            return self.strayed(id, call, &notice);
        };
        match notice {
            QueueNotice::Joined { .. } => *joined = true,
            QueueNotice::Place { .. } | QueueNotice::Callback(_) => {}
            QueueNotice::Withdraw { offer, .. } => {
                rings.retain(|it, _| offer != OfferId::EVERY && *it != offer);
            }
            QueueNotice::Refused { reason, .. } | QueueNotice::Leave { reason, .. } => {
                self.leave(id, call, reason);
            }
            QueueNotice::Offer { offer, agent, ring_for } => {
                let agent = agent.parse::<usize>().unwrap() - 2000;
                rings.insert(offer, (agent, now));
                self.say(id, call, QueueWord::OfferRinging { call, offer });
                let (after, reaction) = self.reaction(ring_for);
                self.later_at(id, after, Inner::Phone(call, offer, reaction));
            }
        }
    }

    /// A queue that confirms or offers who does not wait hears how they left.
    fn strayed(&mut self, id: u64, call: CallId, notice: &QueueNotice) {
        if !matches!(notice, QueueNotice::Joined { .. } | QueueNotice::Offer { .. }) {
            return;
        }
        if let Stage::Talking { offer, .. } = self.of(id).lines[&call].model.stage {
            self.say(id, call, QueueWord::OfferAnswered { call, offer });
        }
    }

    fn reaction(&mut self, ring_for: Duration) -> (Duration, Reaction) {
        let longest = u64::try_from(ring_for.as_millis()).unwrap();
        let some = self.rng.random_range(0..=longest.min(6_000));
        match self.rng.random_range(0..100) {
            0..80 => (Duration::from_millis(some), Reaction::Answer),
            80..88 => (Duration::from_millis(some), Reaction::End(OfferEnd::Rejected)),
            88..92 => (Duration::ZERO, Reaction::End(OfferEnd::Busy)),
            _ => (ring_for, Reaction::End(OfferEnd::TimedOut)),
        }
    }

    pub(super) fn phone(&mut self, id: u64, call: CallId, offer: OfferId, reaction: Reaction) {
        let now = self.now;
        let talks = self.talkers();
        let has_hung_up = self.persons[&call].has_hung_up;
        let Some(line) = self.of_mut(id).lines.get_mut(&call) else { return };
        let Stage::Waiting { rings, .. } = &mut line.model.stage else { return };
        let Some((agent, _)) = rings.remove(&offer) else { return };
        match reaction {
            Reaction::Answer if !talks.contains_key(&agent) && !has_hung_up => {
                line.model.stage = Stage::Talking { agent, offer, since: now };
                line.model.exit = Some(Exit::Answered);
                self.report.answered += 1;
                self.say(id, call, QueueWord::OfferAnswered { call, offer });
                self.talk_began(id, call);
                self.in_call(id, agent, call);
                self.picture(id, call, Scene::Talking { agent, offer, since: now });
                let talk = self.millis(500..20_000);
                self.later(talk, Event::HangsUp(call));
            }
            Reaction::Answer => {
                let why = OfferEnd::Busy;
                self.say(id, call, QueueWord::OfferEnded { call, offer, why });
            }
            Reaction::End(why) => {
                self.say(id, call, QueueWord::OfferEnded { call, offer, why });
            }
        }
    }

    /// Whom the agents talk with, as their phones know it.
    pub(super) fn talkers(&self) -> BTreeMap<usize, CallId> {
        let lines = self.members.iter().flat_map(|member| {
            member.lines.iter().map(move |(call, line)| (member.id, *call, &line.model.stage))
        });
        let talks = lines.filter_map(|(id, call, stage)| match stage {
            Stage::Talking { agent, .. } if self.persons[&call].at == id => Some((*agent, call)),
            _ => None,
        });
        talks.collect()
    }

    /// A caller's patience or talk is over.
    pub(super) fn hangs_up(&mut self, call: CallId) {
        let Some(person) = self.persons.get_mut(&call).filter(|person| !person.is_over) else {
            return;
        };
        let at = person.at;
        let stage = self.of(at).lines.get(&call).map(|line| &line.model.stage);
        let (is_over, waits) = match stage {
            Some(Stage::Talking { since, .. }) => (self.now > *since, false),
            _ => (true, true),
        };
        if stage.is_none() && self.is_healed {
            return self.later(HANGS_UP_AGAIN, Event::HangsUp(call));
        }
        // Whoever waits when all is well again waits to be served.
        if !is_over || (waits && self.is_healed) {
            return;
        }
        self.persons.get_mut(&call).unwrap().has_hung_up = true;
        if self.of(at).is_up {
            self.later_at(at, Duration::ZERO, Inner::HungUp(call));
        }
    }

    pub(super) fn hung_up(&mut self, id: u64, call: CallId) {
        let Some(line) = self.of(id).lines.get(&call) else { return };
        if self.persons[&call].at != id {
            return;
        }
        let Stage::Talking { agent, since, .. } = line.model.stage else {
            return self.leave(id, call, Exit::CallerHangup);
        };
        let (talk, by) = (self.now.since(since), Party::Caller);
        let name = format!("{}", 2000 + agent);
        self.say(id, call, QueueWord::CallEnded { call, agent: name, by, talk });
        self.out_of_call(id, agent, call);
        self.end(id, call);
    }

    /// Goes on with a call of a member that died.
    pub(super) fn take_over(&mut self, id: u64, call: CallId, of_before: u64) {
        let at = self.of(id);
        if !at.scenes.contains_key(&call) {
            let is_open = at.open.contains(&call);
            self.went_on(id, call);
            if is_open {
                self.keep_passing(id, call, Passing::Ended);
            }
            return;
        }
        if at.homes.home(call) != of_before || at.lines.contains_key(&call) {
            return self.went_on(id, call);
        }
        let expected = Some(at.homes.version(call));
        let entity = Passing::entity(&call.to_string());
        let then = Then::TakeOver { call, of_before };
        // From here on nobody is told that the call is gone.
        if let Some(coming) = &mut self.of_mut(id).expected {
            coming.insert(call);
        }
        self.keep(id, entity, expected, &Scene::TakenOver { by: id }, then);
    }

    pub(super) fn took_over(&mut self, id: u64, call: CallId, of_before: u64, told: &Told) {
        match told {
            Ok(_) if !self.may_speak(id) => {
                // Whoever was cut off or stopped may have lost it again by a fact not read yet.
                let told = told.clone();
                self.later_at(id, LOOK_AGAIN, Inner::TookOver { call, of_before, told });
            }
            Ok(appended) => {
                let at = self.of(id);
                // It may have ended before, or another was quicker than the answer.
                if at.homes.version(call) >= appended.version && at.homes.home(call) == id {
                    self.adopt(id, call, appended.version);
                }
                self.went_on(id, call);
            }
            Err(AppendError::VersionConflict { .. }) => {
                self.later_at(id, LOOK_AGAIN, Inner::TakeOver { call, of_before });
            }
            Err(_) => self.went_on(id, call),
        }
    }

    fn went_on(&mut self, id: u64, call: CallId) {
        if let Some(expected) = &mut self.of_mut(id).expected {
            expected.remove(&call);
        }
    }

    fn adopt(&mut self, id: u64, call: CallId, version: u64) {
        let Some(scene) = self.of(id).scenes.get(&call).cloned() else { return };
        if scene == Scene::Waiting {
            // That the caller was answered is lost with the member: they begin anew.
            self.checks.begins_anew(call);
            self.no_talk(call);
        }
        if matches!(scene, Scene::Talking { .. }) {
            self.talk_began(id, call);
        }
        let now = self.now;
        let person = self.persons.get_mut(&call).unwrap();
        if person.is_over {
            // Their phone has no call any more, and says so.
            let word = match scene {
                Scene::Talking { agent, since, .. } => {
                    let (agent, talk) = (format!("{}", 2000 + agent), now.since(since));
                    QueueWord::CallEnded { call, agent, by: Party::Caller, talk }
                }
                _ => QueueWord::CallerGone { call },
            };
            self.say(id, call, word);
            return self.keep_passing(id, call, Passing::Ended);
        }
        person.at = id;
        let (queue, has_hung_up) = (person.queue, person.has_hung_up);
        self.report.adopted += 1;
        self.tell_of(call, || format!("goes on at {id}: {scene:?}"));
        let mut model = CallModel::new(queue);
        if let Scene::Talking { agent, offer, since } = scene {
            model.stage = Stage::Talking { agent, offer, since };
            model.exit = Some(Exit::Answered);
        }
        self.of_mut(id).lines.insert(call, Line { model, version, asks: 0 });
        self.later_at(id, OFFERED_AGAIN, Inner::OfferAgain(call));
        match scene {
            Scene::Talking { agent, .. } => self.in_call(id, agent, call),
            _ => {
                self.say(id, call, QueueWord::Moved { call });
                self.say(id, call, QueueWord::Greeted { call });
                self.ask(id, call);
            }
        }
        if has_hung_up {
            self.hung_up(id, call);
        }
    }

    /// As in the real one: whom two have taken for theirs, one of them too late, or who has hung up
    /// where nobody heard it, is found by the one that has the call.
    pub(super) fn offer_again(&mut self, id: u64, call: CallId) {
        let at = self.of(id);
        if !at.lines.contains_key(&call) || at.homes.home(call) != id {
            return;
        }
        let person = self.persons.get_mut(&call).unwrap();
        person.at = id;
        if person.is_over || person.has_hung_up {
            self.hung_up(id, call);
        }
    }

    /// A member that was started again goes on with what is still its own.
    pub(super) fn go_on(&mut self, id: u64) {
        let at = self.of(id);
        let is_ours = |call: &&CallId| at.homes.home(**call) == id && !at.lines.contains_key(call);
        let ours: Vec<CallId> = at.open.iter().filter(is_ours).copied().collect();
        self.of_mut(id).expected = Some(ours.iter().copied().collect());
        for call in ours {
            self.take_over(id, call, id);
        }
    }

    /// Callers of whom nobody knows: their member died before it had written them down.
    pub(super) fn unknown_persons(&mut self) {
        let (members, open) = (&self.members, &self.members[0].open);
        for (call, person) in self.persons.iter_mut().filter(|(_, person)| !person.is_over) {
            let is_known = members.iter().any(|member| member.lines.contains_key(call));
            if !is_known && !open.contains(call) {
                person.is_over = true;
                self.report.unknown += 1;
            }
        }
    }
}
