//! Moving the other party of a bridge to somebody else (RFC 3515, RFC 5589), and giving it back
//! when that fails.

use std::time::Duration;

use tandem_kernel::Timestamp;

use super::Stage;
use super::bridge::Bridge;
use super::effect::{Effect, HangUp, Sound};
use super::facts::Facts;
use super::hunt::Hunt;
use super::purpose::Purpose;
use super::types::{LegIndex, Party, Route};
use crate::call::event::CallEvent;

/// How long the transferor's phones ring when a transfer failed after they had hung up.
pub(super) const RECALL_RINGS_FOR: Duration = Duration::from_secs(30);

/// A transfer under way.
#[derive(Debug)]
pub(super) struct Transfer {
    /// The bridge as it was, with the transferor on it.
    pub(super) bridge: Bridge,
    /// Who transfers.
    pub(super) by: LegIndex,
    /// Their party, for the recall.
    pub(super) by_party: Party,
    /// Who is moved.
    pub(super) moved: LegIndex,
    /// Where to.
    pub(super) to: String,
    /// The REFER; none for a command from the API.
    pub(super) refer: Option<u64>,
    /// The transferor is still on the call.
    pub(super) by_is_there: bool,
    /// This is already the attempt to give the party back.
    pub(super) recall: bool,
}

impl Transfer {
    pub(super) fn progress(&self, status: u16, last: bool, out: &mut Vec<Effect>) {
        if let (Some(refer), true) = (self.refer, self.by_is_there) {
            out.push(Effect::TransferProgress { leg: self.by, refer, status, last });
        }
    }

    /// It is known where the number leads.
    pub(super) fn routed(
        self,
        facts: &mut Facts,
        now: Timestamp,
        route: Route,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let moved = self.moved;
        facts.let_hear(moved, Sound::RingBack, out);
        if self.by_is_there {
            facts.hear(self.by, Vec::new(), out);
        }
        let shown = facts.party(moved);
        match route {
            Route::Devices { devices, ring_for, .. } => {
                let ring_for = if self.recall { RECALL_RINGS_FOR } else { ring_for };
                let purpose = Purpose::Transfer(self);
                Hunt::devices(facts, now, Some(moved), shown, devices, ring_for, purpose, out)
            }
            Route::Lines { lines, outgoing, .. } => {
                facts.going_out(now, &self.by_party, *outgoing, out);
                Hunt::lines(facts, now, moved, lines, Purpose::Transfer(self), out)
            }
            Route::Refused { status, .. } => self.failed(facts, now, status, out),
            // The codes are the party's own: nobody else carries one out for them.
            Route::Code { .. } => self.failed(facts, now, 403, out),
            Route::Barred { number, barred } => {
                facts.barred(now, &self.by_party, number, &barred, out);
                self.failed(facts, now, barred.rule.status(), out)
            }
            // A queue, a prompt or a test number takes the party at once.
            route => {
                self.progress(200, true, out);
                if self.by_is_there {
                    facts.hang_up(self.by, HangUp::NORMAL, out);
                }
                self.bridge.queue_talk_over(facts, now, crate::queue::Party::Agent, out);
                out.push(Effect::Record(CallEvent::Transferred {
                    at: now,
                    by: self.by_party.number().to_owned(),
                    to: self.to.clone(),
                }));
                facts.follow(now, moved, route, out)
            }
        }
    }

    pub(super) fn transferor_gone(&mut self, leg: LegIndex) {
        if leg == self.by {
            self.by_is_there = false;
        }
    }

    pub(super) fn waiting_party_gone(
        self,
        facts: &mut Facts,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.progress(487, true, out);
        self.bridge.queue_talk_over(facts, now, crate::queue::Party::Caller, out);
    }

    pub(super) fn won(
        self,
        facts: &mut Facts,
        now: Timestamp,
        leg: LegIndex,
        out: &mut Vec<Effect>,
    ) -> Stage {
        self.progress(200, true, out);
        if self.by_is_there {
            facts.hang_up(self.by, HangUp::NORMAL, out);
        }
        // the queue call ends for the agent who transfers it away.
        self.bridge.queue_talk_over(facts, now, crate::queue::Party::Agent, out);
        facts.hold_ended(now);
        let to = facts.party(leg).number().to_owned();
        out.push(Effect::Record(CallEvent::Transferred {
            at: now,
            by: self.by_party.number().to_owned(),
            to,
        }));
        facts.answered(now, leg, out);
        Stage::Bridged(Bridge::join(facts, now, self.moved, leg, out))
    }

    /// The target was not reached: back to the transferor, or ring them again.
    pub(super) fn failed(
        mut self,
        facts: &mut Facts,
        now: Timestamp,
        status: u16,
        out: &mut Vec<Effect>,
    ) -> Stage {
        self.progress(status, true, out);
        out.push(Effect::Decide("transfer_failed", format!("{} answered {status}", self.to)));
        if self.by_is_there {
            let mut bridge = self.bridge;
            bridge.reunite(facts, now, out);
            return Stage::Bridged(bridge);
        }
        let recallable = self.by_party.extension().map(str::to_owned);
        let (Some(extension), false) = (recallable, self.recall) else {
            self.bridge.queue_talk_over(facts, now, crate::queue::Party::Agent, out);
            facts.hang_up(self.moved, HangUp::NORMAL, out);
            return Stage::Over;
        };
        let request = facts.fresh_request();
        let by = facts.party(self.moved);
        out.push(Effect::Route { request, dialled: extension, by, wish: Box::default() });
        self.recall = true;
        self.refer = None;
        Stage::Bridged(Bridge::transferring(self, request))
    }
}
