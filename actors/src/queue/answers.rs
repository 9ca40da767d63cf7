//! Callers who talk with agents, by what is kept of their calls, and of whom their queues' facts
//! say nothing. Pure; a fold of the journal on every member of a cluster.
//!
//! A queue's actor lets phones ring before the journal has its facts, so that no ring waits for a
//! disk. When its member dies, the one that begins elsewhere may know nothing of who talks with an
//! agent by then, or take them for waiting. What is kept of the calls is in the journal as well, so
//! whoever runs the queue is told of them from there: every caller counts once (section 30.3).

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tandem_kernel::{CallId, Timestamp};

use super::{AgentTalk, QueueEvent};

/// What is older is no more looked for: its queue's facts may be no longer in the journal.
const LOOKED_FOR: Duration = Duration::from_secs(600);

/// Of so many calls it is remembered that they have left a queue.
const REMEMBERED: usize = 100_000;

#[derive(Clone, Debug)]
struct Open {
    queue: String,
    talk: AgentTalk,
    at: Timestamp,
    /// It was open at the last look already.
    is_late: bool,
    /// The queue was told.
    is_told: bool,
}

/// The callers of whom queues may have to be told.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    open: BTreeMap<CallId, Open>,
    left: BTreeSet<(CallId, String)>,
}

impl Answers {
    /// A caller talks since `at`, by what is kept of the call.
    pub fn talks(&mut self, at: Timestamp, queue: String, talk: AgentTalk) {
        let call = talk.call;
        let is_known = self.open.get(&call).is_some_and(|open| open.queue == queue);
        if !is_known && !self.left.contains(&(call, queue.clone())) {
            self.open.insert(call, Open { queue, talk, at, is_late: false, is_told: false });
        }
    }

    /// A call has ended after so long a talk.
    pub fn ended(&mut self, call: CallId, talk: Duration) {
        if let Some(open) = self.open.get_mut(&call) {
            open.talk.over = Some(talk);
        }
    }

    /// The journal has a fact of a queue.
    pub fn queue_has(&mut self, queue: &str, event: &QueueEvent) {
        match event {
            QueueEvent::Answered { call, .. } | QueueEvent::Exited { call, .. } => {
                self.left.insert((*call, queue.to_owned()));
                if self.left.len() > REMEMBERED {
                    self.left.pop_first();
                }
                if let Some(open) = self.open.get_mut(call).filter(|open| open.queue == queue) {
                    // Who was told of a talk has missed the word of its end, maybe.
                    open.talk.is_counted = true;
                }
            }
            QueueEvent::Ended { call, .. } => {
                self.open.retain(|it, open| it != call || open.queue != queue);
            }
            _ => {}
        }
    }

    /// A while has passed: what a queue is to be told of those that this member runs.
    pub fn late(
        &mut self,
        now: Timestamp,
        runs: impl Fn(&str) -> bool,
    ) -> Vec<(String, AgentTalk)> {
        self.open.retain(|_, open| {
            now.since(open.at) < LOOKED_FOR && (!open.talk.is_counted || open.is_told)
        });
        let mut late = Vec::new();
        for open in self.open.values_mut() {
            let is_late = std::mem::replace(&mut open.is_late, true);
            let is_missed = !open.talk.is_counted || open.talk.over.is_some();
            if is_late && is_missed && runs(&open.queue) {
                open.is_told = true;
                late.push((open.queue.clone(), open.talk.clone()));
            }
        }
        late
    }
}
