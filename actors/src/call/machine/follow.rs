//! Where a call goes on to: a route, or a destination that another step names.

use tandem_config::resource::Destination;
use tandem_kernel::Timestamp;

use super::effect::{Effect, HangUp};
use super::facts::Facts;
use super::hunt::Hunt;
use super::purpose::Purpose;
use super::queued::Passage;
use super::script::Running;
use super::types::{LegIndex, Party, Route};
use super::{Stage, q850};

impl Facts {
    /// Goes where a route leads with a leg that waits.
    pub(super) fn follow(
        &mut self,
        now: Timestamp,
        waiting: LegIndex,
        route: Route,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let forwarded_by = self.forwarded_by.take();
        match route {
            Route::Devices { devices, ring_for, .. } => {
                let shown = self.party(waiting);
                Hunt::devices(
                    self,
                    now,
                    Some(waiting),
                    shown,
                    devices,
                    ring_for,
                    Purpose::Caller,
                    out,
                )
            }
            Route::Lines { lines, outgoing, .. } => {
                let by = forwarded_by.unwrap_or_else(|| self.party(waiting));
                self.going_out(now, &by, *outgoing, out);
                Hunt::lines(self, now, waiting, lines, Purpose::Caller, out)
            }
            Route::Queue { number } => {
                self.answer(now, waiting, out);
                Passage::join(self, now, waiting, number, out)
            }
            Route::Diverted { queue, diversion } => {
                self.divert(now, waiting, &queue, *diversion, out)
            }
            Route::Group { number, rounds, ring_for, failover } => {
                let phones: usize = rounds.iter().map(Vec::len).sum();
                let detail = format!("{phones} phones in {} rounds", rounds.len());
                self.note_step(now, "ring", &number, detail, out);
                Hunt::group(self, now, waiting, rounds, ring_for, failover, out)
            }
            Route::Script(script) => Running::begin(self, now, waiting, *script, out),
            Route::Prompt { file, times } => {
                self.answer(now, waiting, out);
                self.note_step(now, "prompt", &file, "played, then hung up".to_owned(), out);
                self.announce(waiting, file, times, out)
            }
            Route::Slot(slot) => self.fetch(waiting, slot, out),
            Route::Test(test) => self.test(now, waiting, test, out),
            Route::Code { .. } if forwarded_by.is_some() => {
                self.refuse(waiting, 403, "a phone points to a feature code".to_owned(), out)
            }
            Route::Code { code } => {
                self.answer(now, waiting, out);
                let extension = self.party(waiting).number().to_owned();
                out.push(Effect::Code { extension, code });
                Stage::Playing { leg: waiting, player: None }
            }
            Route::Callback(callback) => self.call_back(now, waiting, callback, out),
            Route::Barred { number, barred } => self.part(now, waiting, number, &barred, out),
            Route::Refused { status, why } => self.refuse(waiting, status, why, out),
        }
    }

    fn refuse(
        &mut self,
        waiting: LegIndex,
        status: u16,
        why: String,
        out: &mut Vec<Effect>,
    ) -> Stage {
        self.outcome_if_none("failed", &why);
        out.push(Effect::Decide("refused", why));
        self.hang_up(waiting, HangUp { status, cause: q850(status), elsewhere: false }, out);
        Stage::Over
    }

    /// Goes where a phone points, by the rights of its extension.
    pub(super) fn forward(
        &mut self,
        now: Timestamp,
        waiting: LegIndex,
        to: String,
        by: Party,
        out: &mut Vec<Effect>,
    ) -> Stage {
        if !self.may_hop() {
            return self.in_a_circle(waiting, out);
        }
        self.note_step(now, "forward", by.number(), format!("its phone points to {to}"), out);
        let request = self.fresh_request();
        self.forwarded_by = Some(by.clone());
        out.push(Effect::Route { request, dialled: to, by, wish: Box::default() });
        Stage::Routing { request, waiting }
    }

    fn in_a_circle(&mut self, waiting: LegIndex, out: &mut Vec<Effect>) -> Stage {
        out.push(Effect::Decide("too_many_hops", "the call goes in a circle".to_owned()));
        self.outcome_if_none("failed", "the call went in a circle");
        self.hang_up(waiting, HangUp { status: 482, cause: 25, elsewhere: false }, out);
        Stage::Over
    }

    /// Hands a waiting leg on.
    pub(super) fn send_on(
        &mut self,
        waiting: LegIndex,
        destination: Destination,
        out: &mut Vec<Effect>,
    ) -> Stage {
        if destination == Destination::EndCall {
            self.outcome_if_none("completed", "the destination is to hang up");
            self.hang_up(waiting, HangUp::NORMAL, out);
            return Stage::Over;
        }
        if !self.may_hop() {
            return self.in_a_circle(waiting, out);
        }
        let request = self.fresh_request();
        let by = self.party(waiting);
        self.sent_to = Some(destination.clone());
        out.push(Effect::RouteDestination { request, destination, by });
        Stage::Routing { request, waiting }
    }
}
