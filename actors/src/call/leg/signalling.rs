//! How a leg is spoken with: by SIP, or by the phone in a browser that it rings at.

use std::time::Instant;

use ractor::ActorRef;
use tandem_kernel::LegId;
use tandem_sip::net::FlowId;
use tandem_sip::session::{Effect, Input, Refused, Session, Snapshot};
use tandem_sip::value::Replaces;

use super::browser::BrowserLine;
use crate::call::message::CallMsg;

/// A leg's far side. Both kinds take the same commands and tell the same events.
pub(super) enum Signalling {
    /// A phone or a trunk.
    Sip(Box<Session>),
    /// A browser.
    Browser(BrowserLine),
}

impl Signalling {
    /// See [`Session::step`].
    pub(super) fn step(&mut self, now: Instant, input: Input) -> Result<Vec<Effect>, Refused> {
        match (self, input) {
            (Self::Sip(session), input) => session.step(now, input),
            (Self::Browser(line), Input::Command(command)) => line.command(command),
            (Self::Browser(_), _) => Err(Refused::NotNow),
        }
    }

    /// What of it outlives the node; of a browser's line it is told elsewhere.
    pub(super) fn snapshot(&self) -> Option<Snapshot> {
        match self {
            Self::Sip(session) => session.snapshot(),
            Self::Browser(_) => None,
        }
    }

    /// See [`Session::pin`].
    pub(super) fn pin(&mut self, flow: FlowId, contact: &str) {
        if let Self::Sip(session) = self {
            session.pin(flow, contact);
        }
    }

    /// See [`Session::flow`].
    pub(super) fn flow(&self) -> Option<FlowId> {
        match self {
            Self::Sip(session) => session.flow(),
            Self::Browser(_) => None,
        }
    }

    /// See [`Session::ask_anew`].
    pub(super) fn ask_anew(&mut self, now: Instant) -> Vec<Effect> {
        match self {
            Self::Sip(session) => session.ask_anew(now),
            Self::Browser(_) => Vec::new(),
        }
    }

    /// See [`Session::refresh_contact`].
    pub(super) fn refresh_contact(&mut self, now: Instant) -> Vec<Effect> {
        match self {
            Self::Sip(session) => session.refresh_contact(now),
            Self::Browser(_) => Vec::new(),
        }
    }

    /// Whether it speaks in this dialog.
    pub(super) fn is_dialog(&self, dialog: &Replaces) -> bool {
        match self {
            Self::Sip(session) => {
                session.is_dialog(&dialog.call_id, &dialog.to_tag, &dialog.from_tag)
            }
            // A page's line has no tags, and what comes by SIP has some.
            Self::Browser(_) => dialog.to_tag.is_empty() && dialog.from_tag.is_empty(),
        }
    }

    /// See [`Session::is_up`].
    pub(super) const fn is_up(&self) -> bool {
        match self {
            Self::Sip(session) => session.is_up(),
            Self::Browser(line) => line.is_up(),
        }
    }

    /// See [`Session::rearm`].
    pub(super) fn rearm(&mut self, now: Instant) -> Vec<Effect> {
        match self {
            Self::Sip(session) => session.rearm(now),
            Self::Browser(_) => Vec::new(),
        }
    }

    /// The leg is in another call now.
    pub(super) fn moved(&mut self, id: LegId, call: &ActorRef<CallMsg>) {
        if let Self::Browser(line) = self {
            line.moved(id, call);
        }
    }

    /// The phone in a browser, if it is one.
    pub(super) const fn browser(&mut self) -> Option<&mut BrowserLine> {
        match self {
            Self::Sip(_) => None,
            Self::Browser(line) => Some(line),
        }
    }
}
