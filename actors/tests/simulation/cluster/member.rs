//! One member: what it knows, what runs at it, and how time passes for it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use tandem_actors::agent::machine as agent;
use tandem_actors::call::homes::Homes;
use tandem_actors::entity;
use tandem_actors::gateway::machine::{Inbox, Outbox};
use tandem_actors::placement::{self, Heard, LEASE, Owner, Seat};
use tandem_actors::queue::answers::Answers;
use tandem_actors::queue::{OfferId, QueueNotice, QueueWord, machine as queue};
use tandem_actors::whereabouts::machine::Floors;
use tandem_journal::{Append, AppendError, Entity, Kind, Record, Timing};
use tandem_kernel::{CallId, Timestamp};
use tandem_mesh::lease::Patience;
use tandem_mesh::placement::controller::{DEAD, HEARTBEAT, next};
use tandem_mesh::placement::{Address, Change, Known, Watch};

use super::actors::{Input, Post, Who};
use super::desk::{Desk, Then};
use super::group::{Mark, Replica, Say, Seen};
use super::lines::{GIVEN_BACK_BY_THEN, Line, Passing, Scene};
use super::world::{Packet, Told, World};
use super::{Broken, Outcome};
use crate::calls::Reaction;

/// How long others may take to go on with the calls of a member that died.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(5);

/// What happens at a member.
#[derive(Clone, Debug)]
pub(super) enum Inner {
    Tick,
    /// What came while the member was frozen; it is lost with it.
    Arrived {
        from: u64,
        packet: Box<Packet>,
    },
    Synced {
        mark: Mark,
        then: Option<Box<(u64, Say)>>,
        contact: Option<Seen>,
    },
    /// Something is to be started, or tried again.
    Start(Who),
    QueueTimer(usize, u64, queue::TimerId),
    AgentTimer(usize, u64, agent::TimerId),
    /// A queue is told; with a join: the way back.
    Heard {
        queue: usize,
        word: QueueWord,
        way: Option<Way>,
    },
    AgentTold(usize, agent::Input),
    /// One with whom an actor speaks was moved.
    Follow(Who, Input),
    NotRecorded(Who, u64, AppendError),
    CallTold {
        call: CallId,
        stay: Option<u32>,
        notice: QueueNotice,
    },
    LetterLate {
        to: u64,
        serial: u64,
    },
    Post {
        to: u64,
    },
    Pump,
    Ask(CallId, u32),
    Phone(CallId, OfferId, Reaction),
    HungUp(CallId),
    /// A call has ended while nobody heard its member; and when somebody does again.
    EndedUnheard(CallId),
    EndedFor(CallId),
    /// Nothing was kept of a call that a queue had read of, some time ago.
    Doubt {
        queue: usize,
        incarnation: u64,
        call: CallId,
    },
    /// A call ended in the journal some time ago.
    Lost {
        queue: usize,
        call: CallId,
    },
    /// Somebody else has the call, unless it was given back.
    Dropped(CallId),
    TakeOver {
        call: CallId,
        of_before: u64,
    },
    /// The journal has that it has taken a call over.
    TookOver {
        call: CallId,
        of_before: u64,
        told: Told,
    },
    /// Each far end of a call that it goes on with is asked once more.
    OfferAgain(CallId),
    Count,
    Forget {
        grave: u64,
    },
}

/// The way from a queue to a call: the member, and to which stay.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) home: u64,
    pub(super) stay: Option<u32>,
}

/// The words to one other member.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) outbox: Outbox,
    /// The letter that is on its way, and of which session.
    pub(super) flight: Option<(u64, u64)>,
}

/// A disk that syncs.
#[derive(Debug, Default)]
pub(super) struct Disk {
    /// When the sync ends that runs, and the one that follows it.
    runs: Timestamp,
    follows: Option<Timestamp>,
}

impl Disk {
    /// When what is written now is synced, by a sync that takes so long if it is the first of it.
    pub(super) fn sync(&mut self, now: Timestamp, takes: Duration) -> Timestamp {
        if self.runs <= now
            && let Some(follows) = self.follows.take()
        {
            self.runs = follows;
        }
        if self.runs <= now {
            self.runs = now + takes;
            return self.runs;
        }
        *self.follows.get_or_insert(self.runs + takes)
    }

    /// When all is synced.
    pub(super) fn free(&self) -> Timestamp {
        self.follows.unwrap_or(self.runs)
    }
}

pub(super) struct Member {
    pub(super) id: u64,
    pub(super) life: u32,
    pub(super) is_up: bool,
    pub(super) frozen_until: Timestamp,
    /// How far the clock is ahead, in microseconds, and how far it will be after a start.
    pub(super) ahead: i64,
    pub(super) stepped: i64,
    pub(super) slowest_sync: Duration,
    pub(super) disk: Disk,
    pub(super) group: Replica,
    pub(super) desk: Desk,
    /// The index of the last record that was applied.
    pub(super) head: u64,
    pub(super) known: Known,
    watch: Option<Watch>,
    of_before: Option<u64>,
    is_proposing: bool,
    spoke: bool,
    is_odd_tick: bool,
    /// Which member has which call.
    pub(super) homes: Homes,
    /// What is kept of calls.
    pub(super) scenes: BTreeMap<CallId, Scene>,
    /// Calls that have begun and not ended in the journal.
    pub(super) open: BTreeSet<CallId>,
    pub(super) floors: Floors,
    pub(super) peers: BTreeMap<u64, Peer>,
    pub(super) inboxes: BTreeMap<u64, Inbox>,
    pub(super) heard: Heard,
    pub(super) posts: BTreeMap<Who, Post>,
    pub(super) sinks: BTreeMap<usize, BTreeMap<CallId, Way>>,
    pub(super) lines: BTreeMap<CallId, Line>,
    /// Who was answered, by what it has read.
    pub(super) answers: Answers,
    /// Calls of before the start with which it may go on; none: which, it does not know yet.
    pub(super) expected: Option<BTreeSet<CallId>>,
}

impl Member {
    pub(super) fn new(id: u64, (voters, ids): (Rc<[u64]>, Rc<[u64]>), now: Timestamp) -> Self {
        Self {
            id,
            life: 0,
            is_up: false,
            frozen_until: Timestamp::default(),
            ahead: 0,
            stepped: 0,
            slowest_sync: Duration::ZERO,
            disk: Disk::default(),
            group: Replica::new(id, voters, ids, now),
            desk: Desk::default(),
            head: 0,
            known: Known::default(),
            watch: None,
            of_before: None,
            is_proposing: false,
            spoke: false,
            is_odd_tick: false,
            homes: Homes::default(),
            scenes: BTreeMap::new(),
            open: BTreeSet::new(),
            floors: Floors::default(),
            peers: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            heard: Heard::default(),
            posts: BTreeMap::new(),
            sinks: BTreeMap::new(),
            lines: BTreeMap::new(),
            answers: Answers::default(),
            expected: Some(BTreeSet::new()),
        }
    }

    /// What the memory held is gone.
    pub(super) fn crash(&mut self) {
        self.life += 1;
        self.is_up = false;
        self.frozen_until = Timestamp::default();
        self.desk = Desk::default();
        (self.watch, self.of_before, self.is_proposing, self.spoke) = (None, None, false, false);
        self.floors = Floors::default();
        self.peers.clear();
        self.inboxes.clear();
        self.heard = Heard::default();
        self.posts.clear();
        self.sinks.clear();
        self.lines.clear();
        self.expected = None;
    }

    /// The node's own time.
    pub(super) fn clock(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_micros(now.as_micros().saturating_add_signed(self.ahead))
    }

    pub(super) fn seat(&self, kind: Kind, key: &str) -> Seat {
        seat(&self.known, kind, key)
    }

    /// Whether it has a call, or may go on with it.
    pub(super) fn has(&self, call: CallId) -> bool {
        let may_go_on = self.expected.as_ref().is_none_or(|calls| calls.contains(&call));
        self.lines.contains_key(&call) || may_go_on
    }
}

/// Where a table puts an entity.
pub(super) fn seat(known: &Known, kind: Kind, key: &str) -> Seat {
    let address = Address { kind: kind.0, key: key.to_owned() };
    let slot = known.table().slot(address.shard());
    Seat { member: slot.node, epoch: slot.epoch }
}

impl World {
    /// Starts a member on what its disk holds.
    pub(super) fn begin(&mut self, id: u64) {
        let (now, ids) = (self.now, 1..=self.plan.members);
        let sessions: Vec<u64> = ids.clone().map(|_| rand::Rng::random(&mut self.rng)).collect();
        let extensions: Vec<String> = self.extensions().collect();
        let posts = (0..self.queues.len()).map(Who::Queue);
        let posts = posts.chain((0..extensions.len()).map(Who::Agent));
        let is_late = self.plan.broken == Broken::CountsWhenHeard;
        let is_behind = self.plan.broken == Broken::CountsWhenBehind;
        let at = self.of_mut(id);
        at.is_up = true;
        // A clock that is far from the others is not followed.
        at.ahead = if at.stepped.unsigned_abs() > 2_000_000 { 0 } else { at.stepped };
        at.group.restart(now);
        at.group.counts_when_heard = is_late;
        at.group.counts_when_behind = is_behind;
        at.posts = posts.map(|who| (who, Post::default())).collect();
        for extension in &extensions {
            at.floors.registered(extension, true);
        }
        for (other, session) in ids.clone().zip(sessions).filter(|(it, _)| *it != id) {
            at.peers.insert(other, Peer { outbox: Outbox::new(session), flight: None });
        }
        for other in ids.filter(|it| *it != id) {
            self.post(id, other);
        }
        self.next_tick(id);
        self.later_at(id, Duration::ZERO, Inner::Count);
        if self.now > Timestamp::from_secs(1_000_000) {
            self.keep(id, Passing::entity("begun"), None, &Scene::Begun { by: id }, Then::Begun);
        }
    }

    pub(super) fn at(&mut self, id: u64, inner: Inner) -> Outcome<()> {
        match inner {
            Inner::Tick => return self.tick(id),
            Inner::Arrived { from, packet } => return self.arrived(from, id, *packet),
            Inner::Synced { mark, then, contact } => return self.synced(id, mark, then, contact),
            Inner::Start(who) => return self.start(id, who),
            Inner::QueueTimer(queue, incarnation, timer) => {
                let who = Who::Queue(queue);
                return self.timer(id, who, incarnation, queue::Input::Timer(timer).into());
            }
            Inner::AgentTimer(agent, incarnation, timer) => {
                let who = Who::Agent(agent);
                return self.timer(id, who, incarnation, agent::Input::Timer(timer).into());
            }
            Inner::Heard { queue, word, way } => return self.queue_hears(id, queue, word, way),
            Inner::AgentTold(agent, input) => {
                return self.step(id, Who::Agent(agent), input.into());
            }
            Inner::Follow(who, input) => return self.step(id, who, input),
            Inner::NotRecorded(who, incarnation, error) => {
                return self.not_recorded(id, who, incarnation, &error);
            }
            Inner::CallTold { call, stay, notice } => self.notice(id, call, stay, notice),
            Inner::LetterLate { to, serial } => self.letter_late(id, to, serial),
            Inner::Post { to } => self.post(id, to),
            Inner::Pump => return self.pump(id),
            Inner::Ask(call, asks) => self.ask_again(id, call, asks),
            Inner::Phone(call, offer, reaction) => self.phone(id, call, offer, reaction),
            Inner::HungUp(call) => self.hung_up(id, call),
            Inner::EndedUnheard(call) => self.ended_unheard(id, call),
            Inner::EndedFor(call) => self.ended_for(id, call),
            Inner::Lost { queue, call } => {
                return self.queue_hears(id, queue, QueueWord::CallLost { call }, None);
            }
            Inner::Doubt { queue, incarnation, call } => {
                return self.doubt(id, queue, incarnation, call);
            }
            Inner::Dropped(call) => self.drop_call(id, call),
            Inner::TakeOver { call, of_before } => self.take_over(id, call, of_before),
            Inner::TookOver { call, of_before, told } => {
                self.took_over(id, call, of_before, &told);
            }
            Inner::OfferAgain(call) => self.offer_again(id, call),
            Inner::Count => return self.keep_count(id),
            Inner::Forget { grave } => {
                let changes = self.of_mut(id).floors.forget(grave);
                self.tell_agents(id, changes);
            }
        }
        Ok(())
    }

    fn tick(&mut self, id: u64) -> Outcome<()> {
        self.next_tick(id);
        let (now, chance, mut out) = (self.now, rand::Rng::random(&mut self.rng), Vec::new());
        let led = self.of(id).group.leads();
        self.of_mut(id).group.tick(now, chance, &mut out);
        self.carry_out(id, out)?;
        if self.of(id).group.leads() && !led {
            self.led(id);
        }
        self.pump(id)?;
        let at = self.of_mut(id);
        at.is_odd_tick = !at.is_odd_tick;
        if at.is_odd_tick {
            self.look_at_members(id);
            self.look_at_lease(id)?;
        }
        Ok(())
    }

    fn led(&mut self, id: u64) {
        self.report.elections += 1;
        let term = self.of(id).group.term;
        self.tell(format!("member {id} leads in term {term}"));
    }

    /// The leader's controller.
    fn look_at_members(&mut self, id: u64) {
        let (now, local) = (self.now, self.of(id).clock(self.now));
        let dead_after = match self.plan.broken {
            Broken::CallsDeadEarly => Duration::from_millis(200),
            _ => DEAD,
        };
        let lease = if dead_after < DEAD { Duration::from_millis(100) } else { LEASE };
        let patience = Patience::new(HEARTBEAT, lease, dead_after).unwrap();
        let roster = self.roster.clone();
        let at = self.of_mut(id);
        let leads = at.group.leads() && placement::may_speak(at.group.contact_age(now));
        if !leads {
            at.watch = None;
            at.of_before = at.group.leader.filter(|it| *it != id).or(at.of_before);
            return;
        }
        if at.is_proposing {
            return;
        }
        let before = at.of_before.take().map(|it| (it, Timing::default().election_min));
        let members = roster.active().map(|member| member.node);
        let begin = || Watch::begin(patience, members, before, local);
        let answers = at.group.answers(now);
        let watch = at.watch.get_or_insert_with(begin);
        watch.look(id, &answers, local);
        let (dead, steady) = (watch.dead(local), watch.steady(local));
        if let Some(change) = next(&at.known.members(), &roster, &dead, &steady) {
            at.is_proposing = true;
            let append = Append {
                entity: Entity::new(entity::PLACEMENT, "table"),
                expected: Some(at.known.version()),
                epoch: 0,
                op_id: None,
                events: super::world::bytes(&change),
            };
            self.propose(id, append, Some(Duration::from_secs(2)), Then::Change);
        }
    }

    pub(super) fn change_proposed(&mut self, id: u64) {
        self.of_mut(id).is_proposing = false;
    }

    fn look_at_lease(&mut self, id: u64) -> Outcome<()> {
        let speaks = self.may_speak(id);
        if self.of(id).spoke == speaks {
            return Ok(());
        }
        self.of_mut(id).spoke = speaks;
        self.tell(format!("member {id} {}", if speaks { "may speak" } else { "is silent" }));
        self.placed(id)
    }

    pub(super) fn may_speak(&self, id: u64) -> bool {
        let age = self.of(id).group.contact_age(self.now);
        self.plan.broken == Broken::IgnoresLease || placement::may_speak(age)
    }

    pub(super) fn owner(&self, id: u64, kind: Kind, key: &str) -> Owner {
        let at = self.of(id);
        at.seat(kind, key).owner(id, self.may_speak(id), at.heard.epoch(kind, key))
    }

    pub(super) fn owned_since(&self, id: u64, kind: Kind, key: &str) -> Option<u64> {
        match self.owner(id, kind, key) {
            Owner::Here { epoch } => Some(epoch),
            Owner::There(_) | Owner::Nobody => None,
        }
    }

    /// A record that was applied at a member.
    pub(super) fn take_in(&mut self, id: u64, record: &Record) -> Outcome<()> {
        let (key, index) = (&record.entity.key, record.position.index);
        match record.entity.kind {
            entity::PLACEMENT => {
                let change: Change = entity::decode(&record.event).unwrap();
                let is_change = self.of_mut(id).known.take(index, record.version, change);
                if is_change {
                    self.moved(id, change)?;
                }
            }
            entity::PICTURE => self.take_scene(id, record),
            entity::CALL => self.take_passing(id, record),
            entity::AGENT => {
                let agent = self.agent_at(key);
                self.agent_followed(id, agent, record.version)?;
            }
            entity::QUEUE => self.count_queue(id, record),
            _ => {}
        }
        Ok(())
    }

    /// The table has changed.
    fn moved(&mut self, id: u64, change: Change) -> Outcome<()> {
        if let Change::Leave(gone) = change {
            if gone != id {
                self.member_died(id, gone);
            }
            let at = self.of(id);
            let is_ours = |call: &&CallId| {
                let heir = at.seat(entity::CALL, &call.to_string()).member;
                at.homes.home(**call) == gone && heir == Some(id)
            };
            let ours: Vec<CallId> = at.open.iter().filter(is_ours).copied().collect();
            for call in ours {
                self.take_over(id, call, gone);
            }
        }
        self.placed(id)
    }

    fn member_died(&mut self, id: u64, gone: u64) {
        let session = rand::Rng::random(&mut self.rng);
        let at = self.of_mut(id);
        if let Some(peer) = at.peers.get_mut(&gone) {
            peer.outbox = Outbox::new(session);
        }
        let (grave, changes) = at.floors.bury(gone);
        self.tell_agents(id, changes);
        self.later_at(id, TAKEN_OVER_WITHIN, Inner::Forget { grave });
    }

    pub(super) fn taken_over(&mut self, id: u64, call: CallId, by: u64) {
        if by != id && self.of(id).lines.contains_key(&call) {
            self.later_at(id, GIVEN_BACK_BY_THEN, Inner::Dropped(call));
        }
    }
}
