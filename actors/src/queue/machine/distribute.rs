//! Who rings for whom: callers 1..n are matched with agents 1..n at once.

use std::time::Duration;

use tandem_config::resource::RingStrategy;
use tandem_kernel::{CallId, Timestamp};

use super::{
    ASK_WITHIN, Attempt, Due, Effect, Member, Offer, OfferStage, Queue, RING_GRACE, Stage,
};
use crate::agent::{Bid, ToAgent};
use crate::office::Activity;
use crate::queue::order::{self, Candidate};
use crate::queue::{Decision, OfferId};

/// An attempt of `ring_all` with less time left takes no further agents.
const SHORTEST_RING: Duration = Duration::from_secs(1);

impl Queue {
    pub(super) fn distribute(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        if self.removed {
            return;
        }
        if !self.free.is_empty() {
            self.serve_waiting(now, out);
            self.join_attempts(now, out);
        }
        for call in std::mem::take(&mut self.unexplained) {
            self.explain(call, out);
        }
    }

    /// Oldest first; nobody is served before somebody who waits longer.
    fn serve_waiting(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        while !self.free.is_empty() {
            let Some((_, call)) = self.wanting.pop_first() else { return };
            let caller = self.callers.get(&call);
            if !caller.is_some_and(|caller| matches!(caller.stage, Stage::Waiting)) {
                continue;
            }
            let chosen = self.choose(call);
            if chosen.is_empty() {
                self.want(call);
                return;
            }
            if let Some(caller) = self.callers.get_mut(&call) {
                caller.stage = Stage::Attempt(Attempt::default());
            }
            for agent in chosen {
                self.ask(now, call, agent, out);
            }
            self.unexplained.insert(call);
        }
    }

    /// An agent who became free while all callers ring already joins the oldest attempt of
    /// `ring_all` of their level in which they did not ring yet.
    fn join_attempts(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        if self.config.ring_strategy != RingStrategy::RingAll {
            return;
        }
        for agent in self.free.iter().cloned().collect::<Vec<_>>() {
            let own = self.members.get(&agent).map(|member| member.level);
            let open = |call: &CallId| {
                let caller = self.callers.get(call);
                caller.is_some_and(|caller| match &caller.stage {
                    Stage::Attempt(attempt) => {
                        let left = attempt.until.map(|until| until.since(now));
                        !attempt.rang.contains(&agent)
                            && !self.is_picked_up(attempt)
                            && !self.is_announcing(*call)
                            && self.level_of(attempt).is_none_or(|level| Some(level) == own)
                            && left.is_none_or(|left| left >= SHORTEST_RING)
                    }
                    Stage::Greeting
                    | Stage::Waiting
                    | Stage::Resting { .. }
                    | Stage::Registering { .. }
                    | Stage::Dialling
                    | Stage::Leaving { .. } => false,
                })
            };
            let oldest = self.facts.waiting.values().map(|waiting| waiting.call).find(open);
            if let Some(call) = oldest {
                self.ask(now, call, agent, out);
            }
        }
    }

    /// The skill level whose agents are asked, or ring, in an attempt.
    fn level_of(&self, attempt: &Attempt) -> Option<u8> {
        let asked = attempt.offers.first().and_then(|id| self.offers.get(id));
        let agent = asked.map(|offer| &offer.agent).or_else(|| attempt.rang.first())?;
        self.members.get(agent).map(|member| member.level)
    }

    /// The agents to ask for a caller: all free ones, or one by the strategy.
    fn choose(&mut self, call: CallId) -> Vec<String> {
        let strategy = self.config.ring_strategy;
        let chance = if strategy == RingStrategy::Random { self.chance.next() } else { 0 };
        let mut candidates = self.candidates(call);
        if self.config.skill_based_routing {
            candidates = order::most_skilled(candidates);
        }
        if strategy == RingStrategy::RingAll {
            let pass_is_over = candidates.iter().all(|candidate| candidate.tried);
            let all = candidates.iter().map(|candidate| candidate.extension.to_owned()).collect();
            self.begin_pass_if(pass_is_over, call);
            return all;
        }
        let place_of = |agent: &str| self.members.get(agent).map(|member| member.place);
        let next = order::next(strategy, &candidates, &self.facts.pointer, place_of, chance);
        let Some(next) = next else { return Vec::new() };
        let (agent, pass_is_over) = (next.extension.to_owned(), next.tried);
        self.begin_pass_if(pass_is_over, call);
        vec![agent]
    }

    fn begin_pass_if(&mut self, pass_is_over: bool, call: CallId) {
        if pass_is_over && let Some(caller) = self.callers.get_mut(&call) {
            caller.tried.clear();
        }
    }

    /// The free agents in list order.
    fn candidates(&self, call: CallId) -> Vec<Candidate<'_>> {
        let tried = self.callers.get(&call).map(|caller| &caller.tried);
        let is_another_day = self.facts.are_of_another_day(self.now);
        let mut candidates: Vec<_> = self
            .free
            .iter()
            .filter_map(|agent| {
                let member = self.members.get(agent)?;
                let standing = member.standing.as_ref()?;
                let tally = self.facts.tally(agent);
                Some(Candidate {
                    extension: agent,
                    place: member.place,
                    level: member.level,
                    membership: standing.membership,
                    since: standing.logged_in?,
                    tally: if is_another_day { tally.begun_anew() } else { tally },
                    tried: tried.is_some_and(|tried| tried.contains(agent)),
                })
            })
            .collect();
        candidates.sort_by_key(|candidate| candidate.place);
        candidates
    }

    fn ask(&mut self, now: Timestamp, call: CallId, agent: String, out: &mut Vec<Effect>) {
        let Some(waiting_since) = self.facts.waiting_for(call).map(|it| it.joined_at) else {
            return;
        };
        let id = self.fresh_offer();
        let Some(member) = self.members.get_mut(&agent) else { return };
        member.offer = Some(id);
        let round = member.round.take();
        self.free.remove(&agent);
        if let Some(caller) = self.callers.get_mut(&call)
            && let Stage::Attempt(attempt) = &mut caller.stage
        {
            attempt.offers.insert(id);
            debug_assert!(
                self.config.ring_strategy == RingStrategy::RingAll || attempt.offers.len() == 1,
                "a caller has two offers"
            );
        }
        let ring = Duration::from_secs(u64::from(self.config.agent.ring_timeout_secs.max(1)));
        // what the call weighs at this decision.
        let weight = self.config.effective_weight(now.since(waiting_since));
        let message = ToAgent::Reserve {
            offer: id,
            call,
            bid: Bid { weight, waiting_since },
            lease: ASK_WITHIN + ring + RING_GRACE * 2,
            round,
        };
        let stage = OfferStage::Asked;
        self.offers.insert(id, Offer { call, agent: agent.clone(), stage, is_pick_up: false });
        out.push(Effect::Tell { agent, message });
        self.arm(Due::Ask(id), ASK_WITHIN, out);
    }

    pub(super) fn fresh_offer(&mut self) -> OfferId {
        self.next_offer += 1;
        OfferId(u64::from(self.facts.generation) << 32 | u64::from(self.next_offer))
    }

    /// Notes why the other agents do not ring for a caller, once for each reason.
    fn explain(&mut self, call: CallId, out: &mut Vec<Effect>) {
        let Some(caller) = self.callers.get_mut(&call) else { return };
        for (agent, member) in &self.members {
            let own = member.offer.and_then(|id| self.offers.get(&id));
            if own.is_some_and(|offer| offer.call == call) {
                caller.noted.remove(agent);
                continue;
            }
            let tried = caller.tried.contains(agent);
            let (code, detail) = reason(member, own.is_some(), tried);
            if caller.noted.insert(agent.clone(), code) != Some(code) {
                let decision = Decision { agent: agent.clone(), code, detail };
                out.push(Effect::Decide(call, decision));
            }
        }
    }
}

/// Why a member does not ring.
fn reason(member: &Member, rings_here: bool, tried: bool) -> (&'static str, String) {
    let Some(standing) = &member.standing else {
        return ("agent-unknown", "has not reported yet".into());
    };
    if standing.logged_in.is_none() {
        return ("agent-logged-out", "logged out of the queue".into());
    }
    if let Some(reason) = &standing.paused {
        let reason = reason.as_deref().unwrap_or("-");
        return ("agent-paused", format!("paused, reason {reason}"));
    }
    if !standing.registered {
        return ("agent-unregistered", "no phone is registered".into());
    }
    if rings_here {
        return ("agent-busy", "rings for another caller of the queue".into());
    }
    if standing.ready {
        return if tried {
            ("agent-tried", "rang already in this pass".into())
        } else {
            ("agent-later", "another agent comes first by the strategy".into())
        };
    }
    match standing.activity {
        Activity::Talking => ("agent-in-call", "in a call".into()),
        Activity::Ringing => ("agent-reserved", "reserved for another call".into()),
        Activity::WrapUp => ("agent-wrap-up", "rests after a call".into()),
        Activity::Idle => ("agent-not-ready", "does not take calls now".into()),
    }
}
