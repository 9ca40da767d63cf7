//! A customer who calls back: the announcement, the agent, and what comes when that fails.
//!
//! ```text
//!   follow ──► Announcing ──► Claiming ──free──► Hunting (agent) ──answer──► Bridged
//!                                │                  │
//!                                └──not free────────┴──► prompt and end (mode one)
//!                                                   └──► where the number leads (mode two)
//! ```

use tandem_kernel::Timestamp;

use super::Stage;
use super::announce::Parting;
use super::effect::{Effect, HangUp, Sound};
use super::facts::Facts;
use super::hunt::Hunt;
use super::purpose::Purpose;
use super::types::{Callback, Device, LegIndex, Route};
use crate::call::event::CallEvent;
use crate::callback::{Note, Outcome};

impl Facts {
    /// Begins a callback for a caller who waits.
    pub(super) fn call_back(
        &mut self,
        now: Timestamp,
        waiting: LegIndex,
        callback: Box<Callback>,
        out: &mut Vec<Effect>,
    ) -> Stage {
        out.push(Effect::Decide("callback", format!("to agent {}", callback.agent)));
        let Some(file) = callback.announcement.clone() else {
            return self.claim(waiting, callback, out);
        };
        // C-037: what the number must say is said, though its menu is passed.
        self.answer(now, waiting, out);
        let player = self.let_hear(waiting, Sound::Prompt { file }, out);
        Stage::Announcing { leg: waiting, player, callback }
    }

    /// Asks whether the agent is free, and reserves them (C-020, C-025).
    pub(super) fn claim(
        &mut self,
        waiting: LegIndex,
        callback: Box<Callback>,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let request = self.fresh_request();
        let (extension, grace) = (callback.agent.clone(), callback.grace);
        out.push(Effect::Claim { request, extension, grace });
        Stage::Claiming { request, waiting, callback }
    }

    /// The agent's answer: their phones, when they are free.
    pub(super) fn claimed(
        &mut self,
        now: Timestamp,
        waiting: LegIndex,
        callback: Box<Callback>,
        devices: Option<Vec<Device>>,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let Some(devices) = devices else {
            return self.not_called_back(now, waiting, *callback, Outcome::AgentUnavailable, out);
        };
        let (shown, ring_for) = (self.party(waiting), callback.ring_for);
        let purpose = Purpose::Callback(callback);
        Hunt::devices(self, now, Some(waiting), shown, devices, ring_for, purpose, out)
    }

    /// The fact of a callback, once each (C-040).
    pub(super) fn note_callback(
        &self,
        now: Timestamp,
        callback: &Callback,
        outcome: Outcome,
        fell_back: bool,
        out: &mut Vec<Effect>,
    ) {
        let note = Note {
            agent: callback.agent.clone(),
            is_agent_only: callback.is_agent_only,
            outbound_call: callback.outbound_call,
            outbound_at: callback.outbound_at,
            outcome,
            fell_back,
        };
        out.push(Effect::Record(CallEvent::CalledBack { at: now, note }));
        if outcome != Outcome::Answered {
            out.push(Effect::OutOfCall(callback.agent.clone()));
        }
    }

    /// The agent was not reached: the prompt, or where the number leads (C-027 to C-029).
    pub(super) fn not_called_back(
        &mut self,
        now: Timestamp,
        waiting: LegIndex,
        callback: Callback,
        outcome: Outcome,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let leads_on = !matches!(callback.otherwise, Route::Refused { .. });
        let fell_back = !callback.is_agent_only && leads_on;
        self.note_callback(now, &callback, outcome, fell_back, out);
        if fell_back {
            return self.follow(now, waiting, callback.otherwise, out);
        }
        self.outcome_if_none("callback_agent_unavailable", "the agent was not available");
        self.answer(now, waiting, out);
        let player = self.let_hear(waiting, Sound::Prompt { file: callback.prompt }, out);
        Stage::Parting(Parting { leg: waiting, player, timer: None, how: HangUp::NORMAL })
    }
}
