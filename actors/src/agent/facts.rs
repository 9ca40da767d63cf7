//! What an agent remembers: the fold of their events.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tandem_config::resource::Membership;
use tandem_kernel::Timestamp;
use tandem_wire::Schema;

use super::event::AgentEvent;

/// A pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Reason code.
    pub reason: Option<String>,
    /// Since when, with this reason.
    pub since: Timestamp,
}

/// An agent's state in one queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// Static or dynamic.
    pub membership: Membership,
    /// Logged in since; for static agents: added at.
    pub logged_in: Option<Timestamp>,
    /// The last log-in or log-out; none for static agents.
    pub login_changed_at: Option<Timestamp>,
    /// The pause, if one.
    pub pause: Option<Pause>,
    /// Rests until then.
    pub rest: Option<Timestamp>,
}

/// The state of an agent that outlives the actor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// By queue.
    pub seats: BTreeMap<String, Seat>,
    /// The queues of before the last log-out that left the agent in none.
    pub last_queues: BTreeSet<String>,
}

impl Schema for Facts {
    const VERSION: u16 = 1;
}

impl Facts {
    /// Takes an event in.
    pub fn evolve(&mut self, event: &AgentEvent) {
        match event {
            AgentEvent::Added { at, queue, membership, logged_in } => {
                let seat = Seat {
                    membership: *membership,
                    logged_in: logged_in.then_some(*at),
                    login_changed_at: (*membership == Membership::Dynamic).then_some(*at),
                    pause: None,
                    rest: None,
                };
                self.seats.insert(queue.clone(), seat);
            }
            AgentEvent::Removed { queue, .. } => {
                self.seats.remove(queue);
            }
            AgentEvent::LoggedIn { at, queues, .. } => self.each(queues, |seat| {
                seat.logged_in = Some(*at);
                seat.login_changed_at = Some(*at);
            }),
            AgentEvent::LoggedOut { at, queues, .. } => self.log_out(*at, queues),
            AgentEvent::Paused { at, queues, reason, .. }
            | AgentEvent::ReasonChanged { at, queues, reason, .. } => self.each(queues, |seat| {
                seat.pause = Some(Pause { reason: reason.clone(), since: *at });
            }),
            AgentEvent::Resumed { queues, .. } => self.each(queues, |seat| seat.pause = None),
            AgentEvent::WrapUpStarted { queue, until, .. } => {
                self.each(std::slice::from_ref(queue), |seat| seat.rest = Some(*until));
            }
            AgentEvent::WrapUpEnded { queue, .. } => {
                self.each(std::slice::from_ref(queue), |seat| seat.rest = None);
            }
            AgentEvent::AutoPaused { .. } => {}
        }
    }

    fn each(&mut self, queues: &[String], change: impl Fn(&mut Seat)) {
        for queue in queues {
            if let Some(seat) = self.seats.get_mut(queue) {
                change(seat);
            }
        }
    }

    fn log_out(&mut self, at: Timestamp, queues: &[String]) {
        let before = self.logged_in();
        self.each(queues, |seat| {
            seat.logged_in = None;
            seat.login_changed_at = Some(at);
            seat.pause = None;
        });
        if !before.is_empty() && self.logged_in().is_empty() {
            self.last_queues = before;
        }
    }

    /// The queues that the agent logged in to as a dynamic agent.
    fn logged_in(&self) -> BTreeSet<String> {
        let dynamic =
            |seat: &Seat| seat.membership == Membership::Dynamic && seat.logged_in.is_some();
        let queues = self.seats.iter().filter(|(_, seat)| dynamic(seat));
        queues.map(|(queue, _)| queue.clone()).collect()
    }
}
