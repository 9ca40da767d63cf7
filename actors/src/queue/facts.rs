//! What a queue remembers: the fold of its events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tandem_kernel::{CallId, Timestamp};
use tandem_wire::{Schema, WireError};

use super::day::DailyReset;
use super::event::{QueueEvent, Turn};
use super::level::{Level, Window};
use super::request::{Dialling, Requests};
use super::{Class, Exit, OfferId};

/// A caller who waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The call.
    pub call: CallId,
    /// The caller's number.
    pub caller: String,
    /// The caller's name.
    pub caller_name: String,
    /// When they joined.
    pub joined_at: Timestamp,
}

/// A ring that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    /// The call.
    pub call: CallId,
    /// The agent, or who picks the call up.
    pub agent: String,
}

/// A call that an agent answered and that goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    /// The agent.
    pub agent: String,
    /// Since when.
    pub since: Timestamp,
}

/// What an agent did in this queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Calls answered.
    pub answered: u64,
    /// Rings missed (section 30.3).
    pub missed: u64,
    /// When the last answered call ended, or was answered while it goes on.
    pub last_call: Option<Timestamp>,
}

impl Tally {
    /// That of a new day, on which it is known as well who was called last.
    #[must_use]
    pub fn begun_anew(self) -> Self {
        Self { last_call: self.last_call, ..Self::default() }
    }
}

/// The memory of `rrmemory`: who rang last, among the static and the dynamic agents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// The static agent who rang last.
    pub of_static: Option<String>,
    /// The dynamic agent who rang last and their log-in at that time.
    pub of_dynamic: Option<(Timestamp, String)>,
}

/// The figures of section 30.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// All that left.
    pub total: u64,
    /// Answered.
    pub answered: u64,
    /// Missed.
    pub missed: u64,
    /// Abandoned.
    pub abandoned: u64,
}

impl Counters {
    const fn count(&mut self, exit: Exit) {
        self.total += 1;
        match exit.class() {
            Class::Answered => self.answered += 1,
            Class::Missed => self.missed += 1,
            Class::Abandoned => self.abandoned += 1,
        }
    }
}

/// The state of a queue that outlives its actor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// How often the actor began.
    pub generation: u32,
    /// The number of the next place in the line.
    next_place: u64,
    /// When the last event happened.
    pub last_at: Timestamp,
    /// Who waits, by place in the line.
    pub waiting: BTreeMap<u64, Waiting>,
    places: BTreeMap<CallId, u64>,
    /// Rings that go on.
    pub rings: BTreeMap<OfferId, Ring>,
    /// Calls that go on with an agent.
    pub active: BTreeMap<CallId, Active>,
    /// Who rang last.
    pub pointer: Pointer,
    /// The agents' figures.
    pub tallies: BTreeMap<String, Tally>,
    /// The queue's figures.
    pub counters: Counters,
    /// Who asked to be called back; since version 2.
    pub requests: Requests,
    /// How many were answered in time; since version 3.
    pub level: Level,
    /// The same since the last evaluation; since version 3.
    pub window: Window,
    /// When the figures begin anew. It is configured, so it is not kept here.
    #[serde(skip)]
    reset: DailyReset,
}

impl Schema for Facts {
    const VERSION: u16 = 3;
}

impl Facts {
    /// Has the figures begin anew like that from the next event on.
    pub fn follow(&mut self, reset: DailyReset) {
        self.reset = reset;
    }

    /// Whether a day has begun since the last event: until the next one figures are nothing.
    #[must_use]
    pub fn are_of_another_day(&self, now: Timestamp) -> bool {
        self.reset.is_between(self.last_at, now)
    }

    /// Takes an event in.
    pub fn evolve(&mut self, event: &QueueEvent) {
        if self.are_of_another_day(event.at()) {
            self.begin_day();
        }
        self.last_at = event.at();
        match event {
            QueueEvent::Opened { .. } => self.generation += 1,
            QueueEvent::Joined { at, call, caller, caller_name } => self.join(Waiting {
                call: *call,
                caller: caller.clone(),
                caller_name: caller_name.clone(),
                joined_at: *at,
            }),
            QueueEvent::Refused { at, reason, .. } => self.count(*reason, *at, 0),
            QueueEvent::Ringing { call, offer, agent, turn, .. } => {
                self.ring(*offer, *call, agent);
                match turn {
                    Turn::Static => self.pointer.of_static = Some(agent.clone()),
                    Turn::Dynamic { since } => {
                        self.pointer.of_dynamic = Some((*since, agent.clone()));
                    }
                }
            }
            QueueEvent::RingEnded { offer, agent, why, .. } => {
                self.rings.remove(offer);
                if why.is_missed() {
                    self.tallies.entry(agent.clone()).or_default().missed += 1;
                }
            }
            QueueEvent::Answered { at, call, offer, agent, wait_us } => {
                self.rings.remove(offer);
                self.requests.close(*call);
                self.leave(*call, Exit::Answered, *at, *wait_us);
                self.talk(*call, agent, *at);
            }
            QueueEvent::Ended { at, call, agent, .. } => {
                self.active.remove(call);
                self.requests.active.remove(call);
                self.tallies.entry(agent.clone()).or_default().last_call = Some(*at);
            }
            QueueEvent::Exited { at, call, reason, wait_us } => {
                self.requests.close(*call);
                self.leave(*call, *reason, *at, *wait_us);
            }
            QueueEvent::CallbackRegistered { at, call, number } => {
                self.requests.register(*call, number, *at);
            }
            QueueEvent::CallbackStarted { call, offer, agent, callback, .. } => {
                self.rings.remove(offer);
                let dialling = Dialling { callback: *callback, agent: agent.clone() };
                self.requests.begin(*call, dialling);
            }
            QueueEvent::CallbackSucceeded { at, call, callback, agent, wait_us } => {
                self.requests.succeed(*call, *callback);
                // the one place that says what a callback counts for.
                self.leave(*call, Exit::Answered, *at, *wait_us);
                self.talk(*callback, agent, *at);
            }
            QueueEvent::CallbackFailed { at, call, wait_us, .. } => {
                self.requests.fail(*call);
                self.leave(*call, Exit::CallbackRequested, *at, *wait_us);
            }
            QueueEvent::CallbackMerged { at, call, by } => {
                self.requests.merge(*call, *by, *at);
                self.take_place(*call, *by);
            }
            QueueEvent::CallbackResumed { call, .. } => self.requests.resume(*call),
            QueueEvent::LevelEvaluated { .. } => self.window = Window::default(),
            QueueEvent::PickedUp { call, offer, by, .. } => self.ring(*offer, *call, by),
        }
    }

    /// The figures begin anew, those of the ring strategy too; who waits, rings or talks,
    /// the turn of `rrmemory` and the interval of the service level go on.
    fn begin_day(&mut self) {
        self.counters = Counters::default();
        self.level = Level::default();
        for tally in self.tallies.values_mut() {
            *tally = tally.begun_anew();
        }
    }

    fn join(&mut self, waiting: Waiting) {
        self.places.insert(waiting.call, self.next_place);
        self.waiting.insert(self.next_place, waiting);
        self.next_place += 1;
    }

    fn ring(&mut self, offer: OfferId, call: CallId, agent: &str) {
        self.rings.insert(offer, Ring { call, agent: agent.to_owned() });
    }

    fn talk(&mut self, call: CallId, agent: &str, at: Timestamp) {
        self.active.insert(call, Active { agent: agent.to_owned(), since: at });
        let tally = self.tallies.entry(agent.to_owned()).or_default();
        tally.answered += 1;
        tally.last_call = Some(at);
    }

    /// The later of two calls of a customer stands in the place, and counts instead, of the
    /// earlier one.
    fn take_place(&mut self, call: CallId, by: CallId) {
        if let Some(own) = self.places.remove(&by) {
            self.waiting.remove(&own);
        }
        let Some(place) = self.places.remove(&call) else { return };
        self.places.insert(by, place);
        if let Some(waiting) = self.waiting.get_mut(&place) {
            waiting.call = by;
        }
    }

    /// Reads a snapshot of this version or of those before: the first knew no requests, the
    /// second no service level.
    pub(crate) fn read(bytes: &[u8], limit: usize) -> Result<Self, WireError> {
        let level = || tandem_wire::encode(&(Level::default(), Window::default()));
        match tandem_wire::split_version(bytes)? {
            (1, body) => {
                let requests = tandem_wire::encode(&Requests::default());
                tandem_wire::decode(&[body, &requests, &level()].concat(), limit)
            }
            (2, body) => tandem_wire::decode(&[body, &level()].concat(), limit),
            _ => tandem_wire::decode_versioned(bytes, limit),
        }
    }

    fn leave(&mut self, call: CallId, exit: Exit, at: Timestamp, wait_us: u64) {
        if let Some(place) = self.places.remove(&call) {
            self.waiting.remove(&place);
        }
        self.count(exit, at, wait_us);
    }

    fn count(&mut self, exit: Exit, at: Timestamp, wait_us: u64) {
        self.counters.count(exit);
        self.level.count(exit, wait_us);
        self.window.count(at, exit, wait_us);
    }

    /// Whom the queue has something to tell: by the name of a place or a talk, the call that is
    /// to be told. A request that nobody is called for has no call.
    #[must_use]
    pub fn listeners(&self) -> BTreeMap<CallId, CallId> {
        let waiting = self.waiting.values().filter_map(|waiting| {
            let told = match self.requests.open.get(&waiting.call) {
                Some(request) if request.online.is_none() => request.dialling.as_ref()?.callback,
                Some(_) | None => waiting.call,
            };
            Some((waiting.call, told))
        });
        waiting.chain(self.active.keys().map(|call| (*call, *call))).collect()
    }

    /// The place in the line of a call that waits.
    #[must_use]
    pub fn place_of(&self, call: CallId) -> Option<u64> {
        self.places.get(&call).copied()
    }

    /// The caller of a call that waits.
    #[must_use]
    pub fn waiting_for(&self, call: CallId) -> Option<&Waiting> {
        self.waiting.get(self.places.get(&call)?)
    }

    /// An agent's figures.
    #[must_use]
    pub fn tally(&self, agent: &str) -> Tally {
        self.tallies.get(agent).copied().unwrap_or_default()
    }
}
