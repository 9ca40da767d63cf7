//! Parts of a queue's picture for people.

use super::Queue;
use crate::agent::Standing;
use crate::office::{AgentView, LevelView, MembershipView, WaitingView};
use crate::queue::Counters;
use crate::queue::level::Level;

impl Queue {
    /// The figures of today, where they begin anew each day.
    pub(super) fn counters(&self) -> Counters {
        if self.facts.are_of_another_day(self.now) {
            return Counters::default();
        }
        self.facts.counters
    }

    pub(super) fn level_view(&self) -> LevelView {
        let sla = self.config.sla;
        let none = Level::default();
        let is_over = self.facts.are_of_another_day(self.now);
        let level = if is_over { &none } else { &self.facts.level };
        LevelView {
            in_time: level.in_time(sla.time_secs),
            total: level.total(),
            within_secs: sla.time_secs,
            threshold_percent: sla.alarm_threshold_percent,
        }
    }

    pub(super) fn waiting_views(&self) -> Vec<WaitingView> {
        let staying = self.facts.waiting.values().filter(|it| self.is_staying(it.call));
        let views = (1..).zip(staying).map(|(position, waiting)| WaitingView {
            call: waiting.call,
            caller: waiting.caller.clone(),
            position,
            joined_at: waiting.joined_at,
            ringing: self.ringing_for(waiting.call),
            is_callback: self.is_request(waiting.call),
        });
        views.collect()
    }

    pub(super) fn agent_view(&self, extension: &str, standing: &Standing) -> AgentView {
        AgentView {
            extension: extension.to_owned(),
            activity: standing.activity,
            since: standing.since,
            registered: standing.registered,
            memberships: vec![MembershipView {
                queue: self.config.number.clone(),
                membership: standing.membership,
                logged_in: standing.logged_in.is_some(),
                login_changed_at: standing.login_changed_at,
                paused: standing.paused.clone(),
            }],
        }
    }
}
