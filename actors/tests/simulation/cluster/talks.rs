//! Who was answered, as calls and queues have it in the journal, and who must count in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tandem_actors::entity;
use tandem_actors::queue::{AgentTalk, Exit, machine as queue};
use tandem_journal::Record;
use tandem_kernel::{CallId, Timestamp};

use super::actors::Who;
use super::member::Inner;
use super::world::World;
use super::{Broken, Outcome};

/// How often it is looked which callers queues do not know of.
const COUNT_EVERY: Duration = Duration::from_millis(500);

/// Calls that an agent has answered, and the members at which they go on.
#[derive(Debug, Default)]
pub(super) struct Served(BTreeMap<CallId, BTreeSet<u64>>);

impl Served {
    /// A member has lost a call, or all that it knew.
    fn lose(&mut self, id: u64, call: Option<CallId>) {
        let is_meant = |own: CallId| call.is_none_or(|it| it == own);
        self.0.retain(|own, members| {
            if is_meant(*own) {
                members.remove(&id);
            }
            !members.is_empty()
        });
    }
}

impl World {
    /// The caller talks at this member, and it is in the journal in a moment.
    pub(super) fn talk_began(&mut self, id: u64, call: CallId) {
        self.checks.served.0.entry(call).or_default().insert(id);
    }

    /// They begin anew elsewhere.
    pub(super) fn no_talk(&mut self, call: CallId) {
        self.checks.served.0.remove(&call);
    }

    pub(super) fn talk_lost(&mut self, id: u64, call: Option<CallId>) {
        self.checks.served.lose(id, call);
    }

    pub(super) fn count_talk(&mut self, id: u64, call: CallId, (agent, since): (usize, Timestamp)) {
        let queue = self.queues[self.persons[&call].queue].number.clone();
        let talk = AgentTalk {
            call,
            stay: 1,
            caller: format!("09{call}"),
            caller_name: String::new(),
            agent: format!("{}", 2000 + agent),
            wait: Duration::from_secs(1),
            is_counted: false,
            over: None,
        };
        self.of_mut(id).answers.talks(since, queue, talk);
    }

    pub(super) fn count_queue(&mut self, id: u64, record: &Record) {
        let event = entity::decode(&record.event).unwrap();
        self.of_mut(id).answers.queue_has(&record.entity.key, &event);
    }

    /// Tells the queues that run here what calls say and they do not know.
    pub(super) fn keep_count(&mut self, id: u64) -> Outcome<()> {
        self.later_at(id, COUNT_EVERY, Inner::Count);
        if self.plan.broken == Broken::CountsByWord {
            return Ok(());
        }
        let queues: BTreeSet<String> = self.queues.iter().map(|it| it.number.clone()).collect();
        let runs: BTreeSet<String> = queues
            .into_iter()
            .filter(|number| self.owned_since(id, entity::QUEUE, number).is_some())
            .collect();
        let now = self.of(id).clock(self.now);
        let late = self.of_mut(id).answers.late(now, |number| runs.contains(number));
        for (number, talk) in late {
            self.report.told_again += 1;
            let who = Who::Queue(self.queue_at(&number));
            if self.of(id).posts[&who].running.is_some() {
                let call = talk.call;
                self.tell_of(call, || format!("is told at {id}: {talk:?}"));
                self.step(id, who, queue::Input::Talks(Box::new(talk)).into())?;
            }
        }
        Ok(())
    }

    /// Whoever was answered counts as answered.
    pub(super) fn check_served(&self) -> Outcome<()> {
        for (call, members) in &self.checks.served.0 {
            let exit = self.checks.exits.get(call);
            if exit != Some(&Exit::Answered) {
                return Err(format!("{call} was answered at {members:?} and counts as {exit:?}"));
            }
        }
        Ok(())
    }
}
