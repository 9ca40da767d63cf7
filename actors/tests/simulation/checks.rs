//! What must hold after every step.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tandem_actors::queue::{Class, Exit, OfferId, QueueEvent};
use tandem_config::resource::RingStrategy;
use tandem_kernel::{CallId, Timestamp};

use crate::calls::Stage;
use crate::world::{Crashes, Delivery, Outcome, World};

/// Words on their way, bids and wishes that are not answered in time.
const SLACK: Duration = Duration::from_secs(9);

#[derive(Default)]
pub(crate) struct Checks {
    pub exits: BTreeMap<CallId, Exit>,
    /// Offers to those who pick calls up.
    pick_ups: BTreeSet<(CallId, OfferId)>,
    /// Since when an agent is ready for a queue.
    ready: BTreeMap<(usize, usize), Timestamp>,
    /// Since when nobody rings for a caller.
    unrung: Vec<BTreeMap<CallId, Timestamp>>,
    /// Since when a reservation of an agent is not used.
    unused: BTreeMap<usize, (OfferId, Timestamp)>,
}

impl World {
    /// Every caller leaves by exactly one exit, and nobody misses what they picked up.
    pub(crate) fn check_event(&mut self, event: &QueueEvent) -> Outcome<()> {
        match event {
            QueueEvent::PickedUp { call, offer, .. } => {
                self.checks.pick_ups.insert((*call, *offer));
            }
            QueueEvent::Answered { call, offer, .. }
                if self.checks.pick_ups.contains(&(*call, *offer)) =>
            {
                self.report.picked_up += 1;
            }
            QueueEvent::RingEnded { call, offer, why, .. }
                if self.checks.pick_ups.contains(&(*call, *offer)) && why.is_missed() =>
            {
                return Err(format!("{offer:?} of a pick-up counts as missed"));
            }
            _ => {}
        }
        let (call, exit) = match event {
            QueueEvent::Answered { call, .. } => (*call, Exit::Answered),
            QueueEvent::Exited { call, reason, .. } | QueueEvent::Refused { call, reason, .. } => {
                (*call, *reason)
            }
            _ => return Ok(()),
        };
        match self.checks.exits.insert(call, exit) {
            None => Ok(()),
            Some(before) => Err(format!("{call} left by {before:?} and by {exit:?}")),
        }
    }

    /// Nobody rings without a reservation, but for those who pick a call up.
    pub(crate) fn check_offer(
        &self,
        queue: usize,
        call: CallId,
        offer: OfferId,
        agent: &str,
    ) -> Outcome<()> {
        let is_pick_up = self.checks.pick_ups.contains(&(call, offer));
        if is_pick_up || self.plan.crashes != Crashes::None || self.plan.slow_per_mille > 0 {
            // The agent may have begun anew since it granted.
            return Ok(());
        }
        let held = self.agents[self.agent_index(agent)].machine.held();
        let number = &self.queues[queue].config.number;
        if held.is_some_and(|held| held.offer == offer && held.queue == *number) {
            return Ok(());
        }
        Err(format!("{call} is offered to {agent}, who holds {held:?}"))
    }

    pub(crate) fn check_queue(&mut self, index: usize) -> Outcome<()> {
        let node = &self.queues[index];
        let facts = node.machine.facts();
        if *facts != node.journal {
            return Err(format!("queue {} differs from its events", node.config.number));
        }
        let counters = facts.counters;
        if counters.total != counters.answered + counters.missed + counters.abandoned {
            return Err(format!("Q-131: {counters:?}"));
        }
        if !node.config.daily_reset_zone.is_empty() {
            self.report.days.insert(node.left_today.0);
            if counters.total != node.left_today.1 {
                return Err(format!("Q-053: {counters:?}, {:?} by day", node.left_today));
            }
        }
        self.checks.unrung.resize(self.queues.len(), BTreeMap::new());
        let unrung = &mut self.checks.unrung[index];
        let mut waiting = BTreeMap::new();
        for caller in facts.waiting.values() {
            if node.machine.ringing_for(caller.call).is_empty() {
                let since = unrung.get(&caller.call).copied().unwrap_or(self.now);
                waiting.insert(caller.call, since);
            }
        }
        *unrung = waiting;
        Ok(())
    }

    pub(crate) fn check_agent(&mut self, index: usize) -> Outcome<()> {
        let node = &self.agents[index];
        if *node.machine.facts() != node.journal {
            return Err(format!("agent {} differs from its events", node.extension));
        }
        for (queue, config) in self.queues.iter().map(|queue| &queue.config).enumerate() {
            if node.machine.is_ready(&config.number) {
                self.checks.ready.entry((queue, index)).or_insert(self.now);
            } else {
                self.checks.ready.remove(&(queue, index));
            }
        }
        Ok(())
    }

    /// After every step.
    pub(crate) fn check(&mut self) -> Outcome<()> {
        self.check_starving()?;
        self.check_reservations()?;
        self.check_phones()
    }

    /// The auditor of the live node finds nothing.
    pub(crate) fn audit(&mut self) -> Outcome<()> {
        let queues = self.queues.iter().flat_map(|queue| queue.machine.leases());
        let agents = self.agents.iter().flat_map(|agent| agent.machine.leases());
        let leases = queues.chain(agents).collect();
        if let Some(overdue) = self.auditor.look(self.now, leases).first() {
            return Err(format!("a state outlives its lease: {overdue:?}"));
        }
        if !self.is_over() {
            self.later(Duration::from_secs(5), Delivery::Audit);
        }
        Ok(())
    }

    /// A reservation that holds is used, or word of it is on its way.
    fn check_reservations(&mut self) -> Outcome<()> {
        for (index, agent) in self.agents.iter().enumerate() {
            let unused = agent.machine.held().filter(|held| {
                let queue = self.queues.iter().find(|it| it.config.number == held.queue);
                !queue.is_some_and(|it| it.machine.facts().rings.contains_key(&held.offer))
            });
            let Some(held) = unused else {
                self.checks.unused.remove(&index);
                continue;
            };
            let (offer, since) = self.checks.unused.entry(index).or_insert((held.offer, self.now));
            if *offer != held.offer {
                (*offer, *since) = (held.offer, self.now);
            }
            if self.now.since(*since) > SLACK {
                return Err(format!("{} holds {held:?} that nobody uses", agent.extension));
            }
        }
        Ok(())
    }

    /// No caller waits while an agent is ready, for longer than the retry interval.
    fn check_starving(&self) -> Outcome<()> {
        for (queue, callers) in self.checks.unrung.iter().enumerate() {
            let Some((call, unrung)) = callers.iter().min_by_key(|(_, since)| **since) else {
                continue;
            };
            let config = &self.queues[queue].config;
            let retry = Duration::from_secs(u64::from(config.agent.retry_interval_secs));
            let range = (queue, 0)..(queue + 1, 0);
            let ready = self.checks.ready.range(range).min_by_key(|(_, since)| **since);
            let Some(((_, agent), ready)) = ready else { continue };
            if self.now.since(*unrung.max(ready)) > retry + SLACK {
                return Err(format!(
                    "{call} waits although {} is ready since {ready}",
                    self.agents[*agent].extension
                ));
            }
        }
        Ok(())
    }

    /// A call rings two agents only by `ring_all`.
    fn check_phones(&self) -> Outcome<()> {
        for queue in &self.queues {
            let all = queue.config.ring_strategy == RingStrategy::RingAll;
            for call in &queue.sinks {
                let Some(Stage::Waiting { rings, .. }) = self.calls.get(call).map(|it| &it.stage)
                else {
                    continue;
                };
                if rings.len() > 1 && !all && !self.is_late(rings.values().map(|it| it.1)) {
                    return Err(format!("{call} rings two agents: {rings:?}"));
                }
            }
        }
        Ok(())
    }

    /// Rings of which the later one began just now: the withdrawal of the earlier one may be on
    /// its way.
    fn is_late(&self, since: impl Iterator<Item = Timestamp>) -> bool {
        since.max().is_some_and(|since| self.now.since(since) < Duration::from_secs(2))
    }

    /// When all is over, nothing is left behind.
    pub(crate) fn check_end(&mut self) -> Outcome<()> {
        for queue in &self.queues {
            let (number, facts) = (&queue.config.number, queue.machine.facts());
            if !facts.waiting.is_empty() || !facts.rings.is_empty() || !facts.active.is_empty() {
                return Err(format!("queue {number} still has {facts:?}"));
            }
            if !queue.sinks.is_empty() {
                return Err(format!("queue {number} did not forget {:?}", queue.sinks));
            }
            for counters in [facts.counters, queue.earlier] {
                self.report.answered += counters.answered;
                self.report.missed += counters.missed;
                self.report.abandoned += counters.abandoned;
            }
        }
        for agent in &self.agents {
            if let Some(held) = agent.machine.held() {
                return Err(format!("agent {} still holds {held:?}", agent.extension));
            }
        }
        // Words that are lost or very late leave the call and the queue of two minds.
        let lossy = self.plan.crashes == Crashes::WithMailbox || self.plan.slow_per_mille > 0;
        for (call, model) in &self.calls {
            let recorded = self.recorded(*call);
            if !lossy && recorded != model.exit {
                let own = model.exit;
                return Err(format!("{call} left by {own:?}, recorded is {recorded:?}"));
            }
            self.report.joined += u64::from(recorded.is_some());
        }
        let classes = self.checks.exits.values().filter(|exit| exit.class() == Class::Missed);
        let missed = u64::try_from(classes.count()).unwrap();
        if missed != self.report.missed {
            return Err(format!("{missed} missed, counted {}", self.report.missed));
        }
        Ok(())
    }
}
