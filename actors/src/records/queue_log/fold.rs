//! Entries of the queue call log as a value: the fold of the queues' events.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_kernel::{CallId, Position, Timestamp};

use crate::call::event::CallEvent;
use crate::queue::request::CallbackFailure;
use crate::queue::{Class, Exit, QueueEvent};

/// A caller who has left a queue for good. One who asked to be called back has when the callback
/// is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where the fact stands by which the caller left; the entry's name.
    pub position: Position,
    /// The call that waited.
    pub call: CallId,
    /// The queue's number.
    pub queue: String,
    /// The caller's number.
    pub caller: String,
    /// The caller's name; may be empty.
    pub caller_name: String,
    /// When they came.
    pub joined_at: Timestamp,
    /// When they left.
    pub left_at: Timestamp,
    /// The time waited.
    pub wait: Duration,
    /// How they left.
    pub exit: Exit,
    /// Who answered.
    pub agent: Option<String>,
    /// How long they talked; none while they do.
    pub talk: Option<Duration>,
    /// The call by which the customer was called back.
    pub callback: Option<CallId>,
    /// Why a callback came to nothing.
    pub failure: Option<CallbackFailure>,
}

impl Entry {
    /// What it counts for (section 30.3).
    #[must_use]
    pub const fn class(&self) -> Class {
        self.exit.class()
    }
}

/// What an event changes in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A caller has left.
    Closed(Entry),
    /// The talk of an entry is over.
    Talked { entry: Position, talk: Duration },
    /// Who the caller of an entry is.
    Named { entry: Position, caller: String, caller_name: String },
}

#[derive(Clone, Debug, Default)]
struct Caller {
    number: String,
    name: String,
}

#[derive(Clone, Debug)]
struct Waiting {
    caller: Caller,
    joined_at: Timestamp,
}

/// Those who wait and those who talk, by queue and by the call that the queue names.
#[derive(Debug, Default)]
pub(super) struct Fold {
    waiting: BTreeMap<(String, CallId), Waiting>,
    talks: BTreeMap<(String, CallId), Position>,
    /// Who the callers of open calls are: a queue does not name whom it refuses.
    callers: BTreeMap<CallId, Caller>,
    /// Refused callers of whose calls nothing was read yet.
    nameless: BTreeMap<CallId, Position>,
}

impl Fold {
    /// Takes an event of a call in.
    pub(super) fn apply_call(&mut self, call: CallId, event: &CallEvent) -> Option<Change> {
        match event {
            CallEvent::Started { from, from_name, .. } => {
                let caller = Caller { number: from.clone(), name: from_name.clone() };
                self.callers.insert(call, caller.clone());
                let entry = self.nameless.remove(&call)?;
                Some(Change::Named { entry, caller: caller.number, caller_name: caller.name })
            }
            CallEvent::Ended { .. } => {
                self.callers.remove(&call);
                None
            }
            _ => None,
        }
    }

    /// Takes an event of a queue in.
    pub(super) fn apply_queue(
        &mut self,
        position: Position,
        queue: &str,
        event: &QueueEvent,
    ) -> Option<Change> {
        let key = |call: &CallId| (queue.to_owned(), *call);
        match event {
            QueueEvent::Joined { at, call, caller, caller_name } => {
                let caller = Caller { number: caller.clone(), name: caller_name.clone() };
                self.waiting.insert(key(call), Waiting { caller, joined_at: *at });
                None
            }
            QueueEvent::Refused { at, call, reason } => {
                let caller = self.callers.get(call).cloned().unwrap_or_else(|| {
                    self.nameless.insert(*call, position);
                    Caller::default()
                });
                let waiting = Waiting { caller, joined_at: *at };
                Some(Change::Closed(entry(position, key(call), waiting, (*at, 0), *reason)))
            }
            QueueEvent::Answered { at, call, agent, wait_us, .. } => {
                self.talks.insert(key(call), position);
                let closed = self.close(position, key(call), (*at, *wait_us), Exit::Answered)?;
                Some(Change::Closed(Entry { agent: Some(agent.clone()), ..closed }))
            }
            QueueEvent::Exited { at, call, reason, wait_us } => {
                self.close(position, key(call), (*at, *wait_us), *reason).map(Change::Closed)
            }
            QueueEvent::CallbackSucceeded { at, call, callback, agent, wait_us } => {
                self.talks.insert(key(callback), position);
                let closed = self.close(position, key(call), (*at, *wait_us), Exit::Answered)?;
                let (agent, callback) = (Some(agent.clone()), Some(*callback));
                Some(Change::Closed(Entry { agent, callback, ..closed }))
            }
            QueueEvent::CallbackFailed { at, call, reason, wait_us } => {
                let (left, exit) = ((*at, *wait_us), Exit::CallbackRequested);
                let closed = self.close(position, key(call), left, exit)?;
                Some(Change::Closed(Entry { failure: Some(*reason), ..closed }))
            }
            QueueEvent::CallbackMerged { call, by, .. } => {
                // The later call counts instead of the earlier, from its entry on.
                let waiting = self.waiting.remove(&key(call))?;
                self.waiting.insert(key(by), waiting);
                None
            }
            QueueEvent::Ended { call, talk_us, .. } => {
                let entry = self.talks.remove(&key(call))?;
                Some(Change::Talked { entry, talk: Duration::from_micros(*talk_us) })
            }
            QueueEvent::Opened { .. }
            | QueueEvent::Ringing { .. }
            | QueueEvent::RingEnded { .. }
            | QueueEvent::CallbackRegistered { .. }
            | QueueEvent::CallbackStarted { .. }
            | QueueEvent::CallbackResumed { .. }
            | QueueEvent::LevelEvaluated { .. }
            | QueueEvent::PickedUp { .. } => None,
        }
    }

    fn close(
        &mut self,
        position: Position,
        key: (String, CallId),
        left: (Timestamp, u64),
        exit: Exit,
    ) -> Option<Entry> {
        let waiting = self.waiting.remove(&key)?;
        Some(entry(position, key, waiting, left, exit))
    }
}

fn entry(
    position: Position,
    (queue, call): (String, CallId),
    waiting: Waiting,
    (left_at, wait_us): (Timestamp, u64),
    exit: Exit,
) -> Entry {
    let Waiting { caller, joined_at } = waiting;
    Entry {
        position,
        call,
        queue,
        caller: caller.number,
        caller_name: caller.name,
        joined_at,
        left_at,
        wait: Duration::from_micros(wait_us),
        exit,
        agent: None,
        talk: None,
        callback: None,
        failure: None,
    }
}
