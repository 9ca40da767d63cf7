//! The end of a session, by whichever way it goes.

use std::time::Duration;

use super::asked::Kind;
use super::effect::Effect;
use super::timer::{LONG, Timer};
use super::{Cause, Party, Session, State, cause};
use crate::message::Method;
use crate::value::Reason;

/// How long the wire may owe us something before we close without it: longer than any
/// transaction of the endpoint lasts.
pub(super) const PATIENCE: Duration = LONG.saturating_add(Duration::from_secs(8));

impl Session {
    /// The owner hangs up.
    pub(super) fn hang_up(&mut self, reason: Option<Reason>) {
        match &self.state {
            State::Calling(_) => {
                self.end(Cause::because(Party::Local, reason.clone()));
                self.cancel(reason);
            }
            State::Called(_) => {
                let status = cause::refusal(reason.as_ref());
                let because = Cause::because(Party::Local, reason.clone());
                self.end(Cause { status: Some(status), ..because });
                self.refuse_invite(status, reason.as_ref(), Vec::new());
            }
            State::Up => {
                self.end(Cause::because(Party::Local, reason.clone()));
                self.part(reason);
            }
            State::Ending | State::Closed => {}
        }
    }

    /// Ends an answered session with a BYE. The callee's has to wait for the ACK (15).
    pub(super) fn part(&mut self, reason: Option<Reason>) {
        if self.is_unconfirmed() {
            self.abandon_offer();
            if let Some(unacked) = &mut self.unacked {
                unacked.parting = Some(reason);
            }
            return;
        }
        self.abandon_offer();
        self.unacked = None;
        self.tell_last_words();
        self.rest();
        let Some(mut draft) = self.draft(Method::Bye) else { return };
        cause::write(&mut draft, reason.as_ref());
        self.identity.name(&mut draft);
        self.ask_peer(Kind::Bye, draft);
        self.arm(Timer::Guard, PATIENCE);
    }

    /// Nothing more is wanted of this session; what the wire owes us is waited for.
    pub(super) fn rest(&mut self) {
        self.abandon_transfers();
        self.disarm_all();
        self.asked.retain(|asked| asked.kind == Kind::Bye);
        self.state = State::Ending;
    }

    /// Closes as soon as the wire owes us nothing.
    pub(super) fn settle(&mut self) {
        let owes = |kind: Kind| self.is_asking(kind);
        if matches!(self.state, State::Ending) && !owes(Kind::Bye) {
            self.close(Party::Remote);
        }
    }

    pub(super) fn close(&mut self, by: Party) {
        if matches!(self.state, State::Closed) {
            return;
        }
        self.end(Cause::by(by));
        self.state = State::Closed;
        self.asked.clear();
        self.disarm_all();
        self.unacked = None;
        self.out.push(Effect::Closed);
    }

    /// RFC 4028 10: nobody refreshed the session.
    pub(super) fn expired(&mut self) {
        if !matches!(self.state, State::Up) || self.is_over {
            return;
        }
        let reason = Reason::sip(408, "Session expired");
        self.end(Cause {
            status: Some(408),
            ..Cause::because(Party::Timeout, Some(reason.clone()))
        });
        self.part(Some(reason));
    }
}
