//! An agent who has answered for a queue hears the announcement, while the caller goes on waiting
//! (Q-084).
//!
//! ```text
//!   ringing ──answered──► announcing ──played──► talking
//!                          │   │
//!                          │   └─ the agent hangs up ──► waiting (as a declined ring)
//!                          └───── the caller hangs up, leaves ──► the agent is let go
//! ```

use std::time::Duration;

use tandem_kernel::Timestamp;

use super::Stage;
use super::effect::{Effect, HangUp, QueueAct, Sound};
use super::facts::Facts;
use super::queued::Passage;
use super::types::{Input, LegEvent, LegIndex, Player, TimerId};
use crate::queue::machine::ANNOUNCED_WITHIN;
use crate::queue::{OfferEnd, OfferId};

/// The queue waits longer than the call.
const SPOKEN_WITHIN: Duration = ANNOUNCED_WITHIN;

/// What an agent hears before the caller.
#[derive(Debug)]
pub(super) struct AgentWords {
    offer: OfferId,
    agent: String,
    leg: LegIndex,
    player: Player,
    /// Its end, should the player not tell.
    lease: TimerId,
}

impl AgentWords {
    pub(super) fn say(
        facts: &mut Facts,
        (offer, leg): (OfferId, LegIndex),
        agent: String,
        file: String,
        out: &mut Vec<Effect>,
    ) -> Self {
        let player = facts.let_hear(leg, Sound::Prompt { file }, out);
        let lease = facts.fresh_timer();
        out.push(Effect::Arm(lease, SPOKEN_WITHIN));
        Self { offer, agent, leg, player, lease }
    }
}

impl Passage {
    /// Whether the announcement to the agent is over.
    pub(super) fn is_announced(&self, input: &Input) -> bool {
        let Some(words) = &self.announcing else { return false };
        match input {
            Input::Played(player) => words.player == *player,
            Input::Timer(timer) => words.lease == *timer,
            _ => false,
        }
    }

    pub(super) fn announced(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Stage {
        match self.announcing.take() {
            Some(words) => self.connect(facts, now, (words.offer, words.leg), words.agent, out),
            None => Stage::Queued(self),
        }
    }

    /// What the agent does meanwhile. Who hangs up has as good as declined: the caller keeps the
    /// place, and the next agent rings.
    pub(super) fn agent_event(
        &mut self,
        leg: LegIndex,
        event: &LegEvent,
        out: &mut Vec<Effect>,
    ) -> bool {
        let Some(words) = self.announcing.take_if(|words| words.leg == leg) else { return false };
        match event {
            LegEvent::Ended(_) => {
                self.tell(QueueAct::OfferEnded(words.offer, OfferEnd::Rejected), out);
                return true;
            }
            LegEvent::Referred { refer, .. } => {
                out.push(Effect::TransferProgress { leg, refer: *refer, status: 491, last: true });
            }
            LegEvent::Trying
            | LegEvent::Ringing
            | LegEvent::EarlyMedia
            | LegEvent::Answered
            | LegEvent::Held
            | LegEvent::Resumed
            | LegEvent::Dtmf(_)
            | LegEvent::Joined { .. }
            | LegEvent::Redirected(_) => {}
        }
        self.announcing = Some(words);
        true
    }

    /// The agent is not wanted any more; none: whatever the offer.
    pub(super) fn let_agent_go(
        &mut self,
        facts: &mut Facts,
        offer: Option<OfferId>,
        out: &mut Vec<Effect>,
    ) {
        let is_meant = |words: &mut AgentWords| offer.is_none_or(|offer| words.offer == offer);
        if let Some(words) = self.announcing.take_if(is_meant) {
            facts.hang_up(words.leg, HangUp::NORMAL, out);
        }
    }
}
