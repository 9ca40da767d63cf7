//! The signalling of one leg: an INVITE usage with its dialogs, sans-IO.
//!
//! | Concern                                                | Owner          |
//! |--------------------------------------------------------|----------------|
//! | What goes in and what comes out                        | `input`, `effect` |
//! | An incoming call until its ACK                         | `incoming`     |
//! | An outgoing call and its forks until its 2xx           | `outgoing`     |
//! | Offers within a call, collisions (RFC 3261 14, 6141)   | `offer`        |
//! | Provisional answers that are acknowledged (RFC 3262)   | `reliable`     |
//! | Session timer (RFC 4028)                               | `refresh`      |
//! | Transfers (RFC 3515, 5589)                             | `refer`        |
//! | Digits and other INFO                                  | `info`         |
//! | The end, whichever way (RFC 3261 9, 15; RFC 5407)      | `ending`       |
//! | Requests of ours: challenges, failures                 | `asked`        |
//! | Requests of the peer within the dialog                 | `received`     |
//! | A dialog's identity, target and route                  | `dialog`       |
//! | A peer that is found by another path                   | `moved`        |
//! | What outlives a process                                | `snapshot`     |
//! | Accounts at a provider, out of any dialog              | [`registration`] |
//! | Whether a peer is there                                | [`ping`]       |
//! | Subscriptions of peers (RFC 6665)                      | [`notifier`]   |
//!
//! Invariants: [`Event::Ended`] comes once, [`Effect::Closed`] comes once, and after it nothing
//! but a 481 to whoever still asks; a 2xx to an INVITE of ours is always acknowledged; nothing
//! here reads a clock or draws chance (it is derived from our tag, which the owner drew).

mod asked;
mod cause;
mod chance;
mod dialog;
mod effect;
mod ending;
mod flows;
mod incoming;
mod info;
mod input;
mod moved;
pub mod notifier;
mod offer;
mod outgoing;
pub mod ping;
mod received;
mod refer;
mod refresh;
pub mod registration;
mod reliable;
mod snapshot;
mod timer;

#[cfg(test)]
mod tests;

use std::time::Instant;

use smallvec::SmallVec;

use asked::Asked;
use chance::Chance;
use dialog::Dialog;
use incoming::{Called, Unacked};
use offer::Exchange;
use outgoing::{Calling, SentAck};
use refer::Transfers;
use refresh::Refresh;
use timer::Timers;

pub use effect::{Cause, Effect, Event, Party, ReferId, Refused, RequestRef, TimerId};
pub use input::{Command, Dial, Identity, Input, OtherFlow};
pub use snapshot::Snapshot;

use crate::digest::Credentials;
use crate::net::TuEvent;

/// One leg's signalling, from the INVITE to the last BYE.
#[derive(Debug)]
pub struct Session {
    identity: Box<Identity>,
    call_id: String,
    local_tag: String,
    /// Whether the first INVITE was ours: the owner of the Call-ID (RFC 3261 14.1).
    is_caller: bool,
    credentials: Option<Box<Credentials>>,
    state: State,
    /// One in a confirmed session; an outgoing call has one for each fork that was heard of.
    dialogs: Vec<Dialog>,
    /// Requests of ours without a final answer.
    asked: SmallVec<[Box<Asked>; 2]>,
    next_request: u32,
    timers: Timers,
    chance: Chance,
    exchange: Exchange,
    /// A 2xx of ours that waits for its ACK.
    unacked: Option<Box<Unacked>>,
    /// ACKs that may have to be sent again.
    acks: SmallVec<[Box<SentAck>; 1]>,
    refresh: Refresh,
    transfers: Transfers,
    /// Whether the owner knows that it is over.
    is_over: bool,
    now: Instant,
    out: Vec<Effect>,
}

/// How far the session has come.
#[derive(Debug)]
enum State {
    /// Our INVITE has no final answer.
    Calling(Box<Calling>),
    /// The peer's INVITE has no final answer.
    Called(Box<Called>),
    /// Answered with a 2xx.
    Up,
    /// Over; something of ours is still to be answered.
    Ending,
    /// [`Effect::Closed`] was given.
    Closed,
}

impl Session {
    /// Takes one input.
    ///
    /// # Errors
    /// A command that does not fit the state; only commands are ever refused.
    pub fn step(&mut self, now: Instant, input: Input) -> Result<Vec<Effect>, Refused> {
        self.now = now;
        if self.is_closed() {
            return self.step_closed(input);
        }
        let done = match input {
            Input::Wire(event) => {
                self.wire(event);
                Ok(())
            }
            Input::Sent { id, txn } => {
                self.note_sent(id, txn);
                Ok(())
            }
            Input::Timer(timer) => {
                self.timer(timer);
                Ok(())
            }
            Input::Command(command) => self.command(command),
        };
        self.settle();
        let out = std::mem::take(&mut self.out);
        done.map(|()| out)
    }

    /// Whoever still speaks to a closed session is told that it is gone.
    fn step_closed(&mut self, input: Input) -> Result<Vec<Effect>, Refused> {
        match input {
            Input::Wire(TuEvent::Request(inbound)) => self.refuse(&inbound, 481),
            Input::Command(_) => return Err(Refused::Ended),
            Input::Wire(_) | Input::Sent { .. } | Input::Timer(_) => {}
        }
        Ok(std::mem::take(&mut self.out))
    }

    fn wire(&mut self, event: TuEvent) {
        match event {
            TuEvent::Request(inbound) => self.request_came(&inbound),
            TuEvent::Response { txn, response, .. } => self.response_came(txn, &response),
            TuEvent::Ack(ack) => self.ack_came(&ack),
            TuEvent::Cancelled { invite, cancel } => self.cancelled(invite, &cancel),
            TuEvent::Timeout { txn } => self.request_failed(txn, Party::Timeout),
            TuEvent::TransportFailed { txn, why } => {
                tracing::debug!(%why, "a request could not be sent");
                self.request_failed(txn, Party::Transport);
            }
            TuEvent::ServerGone { txn } => self.server_gone(txn),
        }
    }

    fn command(&mut self, command: Command) -> Result<(), Refused> {
        if self.is_over {
            return Err(Refused::Ended);
        }
        match command {
            Command::Trying => self.send_trying(),
            Command::Ring { headers } => self.ring(headers),
            Command::Progress { answer } => self.send_progress(answer),
            Command::Answer { answer, headers } => self.accept(answer, headers),
            Command::Reject { status, reason, headers } => self.reject(status, reason, headers),
            Command::HangUp { reason } => {
                self.hang_up(reason);
                Ok(())
            }
            Command::Offer { sdp } => self.offer(sdp),
            Command::AnswerOffer { sdp } => self.answer_offer(sdp),
            Command::RefuseOffer { status } => self.refuse_offer(status),
            Command::Refer { to, replaces, referred_by } => {
                self.refer(&to, replaces.as_deref(), referred_by)
            }
            Command::AcceptRefer { id } => self.accept_refer(id),
            Command::RefuseRefer { id, status } => self.refuse_refer(id, status),
            Command::ReferProgress { id, status, is_final } => {
                self.refer_progress(id, status, is_final)
            }
            Command::Info { content_type, body } => self.send_info(&content_type, body),
        }
    }

    /// The Call-ID and our tag: what [`Handle::attach`](crate::net::Handle::attach) wants.
    #[must_use]
    pub fn local_id(&self) -> (&str, &str) {
        (&self.call_id, &self.local_tag)
    }

    /// The dialogs, by Call-ID, our tag and the peer's tag. Several while a call is forked.
    pub fn dialog_ids(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let tags = self.dialogs.iter().map(|dialog| dialog.remote_tag.as_str());
        tags.map(|remote| (self.call_id.as_str(), self.local_tag.as_str(), remote))
    }

    /// Whether this session is a party of a dialog (RFC 3891 3: how a Replaces is matched).
    #[must_use]
    pub fn is_dialog(&self, call_id: &str, local_tag: &str, remote_tag: &str) -> bool {
        self.call_id == call_id
            && self.local_tag == local_tag
            && self.dialogs.iter().any(|dialog| dialog.remote_tag == remote_tag)
    }

    /// Whether the INVITE was answered with a 2xx and nobody has hung up (RFC 3891 3:
    /// early-only refuses to replace such a one).
    #[must_use]
    pub const fn is_up(&self) -> bool {
        matches!(self.state, State::Up) && !self.is_over
    }

    /// Whether [`Effect::Closed`] was given.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    fn emit(&mut self, event: Event) {
        if !self.is_over {
            self.out.push(Effect::Emit(event));
        }
    }

    /// Tells the owner once that it is over.
    fn end(&mut self, cause: Cause) {
        self.emit(Event::Ended { cause });
        self.is_over = true;
    }

    fn respond(&mut self, txn: crate::net::TxnId, draft: crate::message::Draft) {
        self.out.push(Effect::Respond { txn, draft });
    }
}
