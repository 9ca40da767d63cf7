//! The shell of the auditor: asks every queue and every agent of this node and tells of what is
//! overdue, by an event and a metric.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tandem_journal::{Append, Entity, Journal};
use tandem_kernel::{Clock, ask};
use tandem_telemetry::metric;

use super::event::LeaseEvent;
use super::machine::{Auditor, Overdue};
use super::{Lease, Owner, State, Until};
use crate::agent::AgentMsg;
use crate::entity;
use crate::queue::QueueMsg;
use crate::whereabouts::Whereabouts;

/// The time between two looks.
const EVERY: Duration = Duration::from_secs(5);
/// How long an actor may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// What the auditor looks at and writes to.
pub struct Standing {
    /// The actors.
    pub placed: Arc<Whereabouts>,
    /// The journal.
    pub journal: Journal,
    /// The clock.
    pub clock: Clock,
}

impl Standing {
    /// Looks for the life of the node.
    pub async fn run(self) {
        let mut auditor = Auditor::default();
        loop {
            tokio::time::sleep(EVERY).await;
            self.look(&mut auditor).await;
        }
    }

    /// Looks once; says how many states were found that nobody has been told of.
    pub async fn look(&self, auditor: &mut Auditor) -> usize {
        let leases = self.leases().await;
        let found = auditor.look(self.clock.now(), leases);
        for overdue in &found {
            self.tell(overdue);
        }
        found.len()
    }

    async fn leases(&self) -> Vec<Lease> {
        let queues = self.placed.queue_actors().into_iter().map(async |(number, actor)| {
            let answer = ask(&actor, ANSWERS_WITHIN, QueueMsg::Leases).await;
            answer.unwrap_or_else(|_| vec![silent(Owner::Queue(number))])
        });
        let agents = self.placed.agent_actors().into_iter().map(async |(extension, actor)| {
            let answer = ask(&actor, ANSWERS_WITHIN, AgentMsg::Leases).await;
            answer.unwrap_or_else(|_| vec![silent(Owner::Agent(extension))])
        });
        let (queues, agents) = tokio::join!(join_all(queues), join_all(agents));
        queues.into_iter().chain(agents).flatten().collect()
    }

    fn tell(&self, overdue: &Overdue) {
        let Overdue { lease, due } = overdue;
        let (owner, state) = (lease.owner.key(), lease.state.as_str());
        metric::LEASES_OVERDUE.increment_with("state", state);
        tracing::error!(%owner, state, "a state has outlived its lease");
        let (at, subject) = (self.clock.now(), lease.subject.clone());
        let event = LeaseEvent::Overdue { at, state: state.to_owned(), subject, due: *due };
        let entity = Entity::new(entity::LEASE, owner);
        let events = vec![entity::encode(&event)];
        let append = Append { entity, expected: None, epoch: 0, op_id: None, events };
        // Nobody waits for it.
        drop(self.journal.append(append));
    }
}

fn silent(owner: Owner) -> Lease {
    let until = Until::Within(Duration::ZERO);
    Lease { owner, state: State::Silent, subject: String::new(), until }
}
